/* bulk.c - the loops over many bytes that one instruction does: CKSM for the Internet checksum, TR for EBCDIC.
 *
 * They replace the weak C versions of wire/cksum.c and base/ebcdic.c. CKSM adds big-endian words with end-around
 * carry and pads the last one with zeros on the right, which is the definition of a partial sum.
 */
#include "base/ebcdic.h"
#include "base/str.h"
#include "wire/cksum.h"

u32 cksum_add(u32 sum, const void *p, u32 len) {
    register uintptr_t r2 __asm__("2") = (uintptr_t)p;
    register size_t r3 __asm__("3") = len;
    __asm__("0: cksm %0,%1\n jo 0b" : "+d"(sum), "+d"(r2), "+d"(r3) : : "cc", "memory");
    return sum;
}

/* Translates in place; TR takes up to 256 bytes. */
static void translate(u8 *p, const u8 table[256], u32 len) {
    while (len) {
        u32 now = u32_min(len, 256);
        __asm__ volatile("bras 1,0f\n tr 0(1,%0),0(%1)\n0: ex %2,0(1)" : : "a"(p), "a"(table), "a"(now - 1) : "1", "memory");
        p += now;
        len -= now;
    }
}

void ebcdic_put(u8 *out, const char *text, u32 len) {
    memcpy(out, text, len);
    translate(out, ebcdic_from_latin1, len);
}

void ebcdic_get(char *out, const u8 *bytes, u32 len) {
    memcpy(out, bytes, len);
    translate((u8 *)out, ebcdic_to_latin1, len);
}
