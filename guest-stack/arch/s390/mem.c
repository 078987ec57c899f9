/* mem.c - memcpy and its family by storage-to-storage instructions; they replace base/str.c's loops.
 *
 * Under an emulator one MVC costs little more than one byte's load and store, so no byte loop is right here. Up to 256
 * bytes go by one executed MVC, XC or CLC; up to 16 MB by MVCL, more by MVCLE.
 */
#include "base/str.h"

/* EX takes the length less one from the low byte of a register. */
static inline void mvc(void *to, const void *from, size_t less_one) {
    __asm__ volatile("bras 1,0f\n mvc 0(1,%0),0(%1)\n0: ex %2,0(1)" : : "a"(to), "a"(from), "a"(less_one) : "1", "memory");
}

static void mvcle(void *to, size_t to_len, const void *from, size_t from_len, u32 pad) {
    register uintptr_t r2 __asm__("2") = (uintptr_t)to;
    register size_t r3 __asm__("3") = to_len;
    register uintptr_t r4 __asm__("4") = (uintptr_t)from;
    register size_t r5 __asm__("5") = from_len;
    __asm__ volatile("0: mvcle %0,%2,0(%4)\n jo 0b"
                     : "+d"(r2), "+d"(r3), "+d"(r4), "+d"(r5)
                     : "a"(pad)
                     : "cc", "memory");
}

#define MVCL_MAX 0xFFFFFFu

static void mvcl(void *to, size_t to_len, const void *from, size_t from_len_and_pad) {
    register uintptr_t r2 __asm__("2") = (uintptr_t)to;
    register size_t r3 __asm__("3") = to_len;
    register uintptr_t r4 __asm__("4") = (uintptr_t)from;
    register size_t r5 __asm__("5") = from_len_and_pad;
    __asm__ volatile("mvcl %0,%2" : "+d"(r2), "+d"(r3), "+d"(r4), "+d"(r5) : : "cc", "memory");
}

/* Apart, so that the short way saves no registers. */
static __attribute__((noinline)) void *copy_long(void *to, const void *from, size_t n) {
    if (n <= MVCL_MAX)
        mvcl(to, n, from, n);
    else
        mvcle(to, n, from, n, 0);
    return to;
}

void *(memcpy)(void *restrict to, const void *restrict from, size_t n) {
    size_t less_one = n - 1;
    if (less_one >= 256) return copy_long(to, from, n);
    mvc(to, from, less_one);
    return to;
}

void *(memset)(void *to, int byte, size_t n) {
    if (n <= MVCL_MAX)
        mvcl(to, n, to, (size_t)(u8)byte << 24);
    else
        mvcle(to, n, to, 0, (u8)byte);
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    uintptr_t gap = (uintptr_t)to - (uintptr_t)from;
    if (gap == 0 || gap >= n) return memcpy(to, from, n); /* apart, or to lies below from: left to right is right */
    /* From the end, in pieces that do not overlap their own target. */
    size_t piece = gap < 256 ? gap : 256;
    while (n) {
        size_t now = n < piece ? n : piece;
        n -= now;
        mvc((u8 *)to + n, (const u8 *)from + n, now - 1);
    }
    return to;
}

int (memcmp)(const void *a, const void *b, size_t n) {
    const u8 *x = a, *y = b;
    int cc = 0;
    while (n && cc == 0) {
        size_t now = n < 256 ? n : 256;
        __asm__ volatile("bras 1,0f\n clc 0(1,%1),0(%2)\n0: ex %3,0(1)\n ipm %0\n srl %0,28"
                         : "=d"(cc)
                         : "a"(x), "a"(y), "a"(now - 1)
                         : "1", "cc", "memory");
        x += now;
        y += now;
        n -= now;
    }
    return cc == 0 ? 0 : cc == 1 ? -1 : 1;
}

int strcmp(const char *a, const char *b) {
    register u32 r0 __asm__("0") = 0;
    int cc;
    __asm__ volatile("0: clst %1,%2\n jo 0b\n ipm %0\n srl %0,28" : "=&d"(cc), "+a"(a), "+a"(b) : "d"(r0) : "cc", "memory");
    return cc == 0 ? 0 : cc == 1 ? -1 : 1;
}

size_t strlen(const char *s) {
    register u32 r0 __asm__("0") = 0;
    const char *end = NULL, *at = s;
    __asm__ volatile("0: srst %0,%1\n jo 0b" : "+a"(end), "+a"(at) : "d"(r0) : "cc", "memory");
    return (size_t)(end - s);
}
