/* cpu.h - one wrapper per instruction, named after its mnemonic; those that set a condition code return only that.
 *
 * Subchannel numbers are subsystem identification words (0x0001nnnn), passed in general register 1 as the
 * architecture wants it.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "base/base.h"

#define IPM_CC(cc) "ipm %" #cc "\n srl %" #cc ",28\n"

static inline int stsch(u32 ssid, u8 *schib) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("stsch 0(%2)\n" IPM_CC(0) : "=d"(cc) : "d"(r1), "a"(schib) : "cc", "memory");
    return cc;
}
static inline int msch(u32 ssid, const u8 *schib) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("msch 0(%2)\n" IPM_CC(0) : "=d"(cc) : "d"(r1), "a"(schib) : "cc", "memory");
    return cc;
}
static inline int ssch(u32 ssid, const u32 *orb) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("ssch 0(%2)\n" IPM_CC(0) : "=d"(cc) : "d"(r1), "a"(orb) : "cc", "memory");
    return cc;
}
static inline int tsch(u32 ssid, u8 *irb) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("tsch 0(%2)\n" IPM_CC(0) : "=d"(cc) : "d"(r1), "a"(irb) : "cc", "memory");
    return cc;
}
static inline int hsch(u32 ssid) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("hsch\n" IPM_CC(0) : "=d"(cc) : "d"(r1) : "cc", "memory");
    return cc;
}
static inline int csch(u32 ssid) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("csch\n" IPM_CC(0) : "=d"(cc) : "d"(r1) : "cc", "memory");
    return cc;
}
static inline int rsch(u32 ssid) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("rsch\n" IPM_CC(0) : "=d"(cc) : "d"(r1) : "cc", "memory");
    return cc;
}
/* id: SSID and interruption parameter (z/Architecture adds a word). cc 1 = an interruption was taken. */
static inline int tpi(u32 id[3]) {
    int cc;
    __asm__ volatile("tpi 0(%1)\n" IPM_CC(0) : "=d"(cc) : "a"(id) : "cc", "memory");
    return cc;
}
#define SIGA_WRITE 0
#define SIGA_READ  1
#define SIGA_SYNC  2
static inline int siga(u32 function, u32 ssid, u32 mask1, u32 mask2) {
    register unsigned long r0 __asm__("0") = function;
    register unsigned long r1 __asm__("1") = ssid;
    register unsigned long r2 __asm__("2") = mask1;
    register unsigned long r3 __asm__("3") = mask2;
    int cc;
    __asm__ volatile(".insn s,0xb2740000,0\n" IPM_CC(0)
                     : "=d"(cc), "+d"(r0)
                     : "d"(r1), "d"(r2), "d"(r3)
                     : "cc", "memory");
    return cc;
}
/* Service call: cc 0 accepted (an external interruption 0x2401 follows), 2 busy, 3 not operational. */
static inline int servc(u32 command, const void *sccb) {
    int cc;
    __asm__ volatile(".insn rre,0xb2200000,%1,%2\n" IPM_CC(0) : "=d"(cc) : "d"(command), "a"(sccb) : "cc", "memory");
    return cc;
}
/* Store system information; fc and selectors as the Principles of Operation name them. sysib: 4 KB on 4 KB. */
static inline int stsi(u32 fc, u32 sel1, u32 sel2, void *sysib) {
    register unsigned long r0 __asm__("0") = fc << 28 | sel1;
    register unsigned long r1 __asm__("1") = sel2;
    int cc;
    __asm__ volatile(".insn s,0xb27d0000,0(%2)\n" IPM_CC(0) : "=d"(cc), "+d"(r0) : "a"(sysib), "d"(r1) : "cc", "memory");
    return cc;
}
static inline u64 stck(void) {
    u64 t;
    __asm__ volatile("stck %0" : "=Q"(t) : : "cc");
    return t;
}
static inline void sckc(u64 t) { __asm__ volatile("sckc %0" : : "Q"(t) : "cc"); }
static inline u64 stidp(void) {
    u64 id;
    __asm__ volatile("stidp %0" : "=Q"(id));
    return id;
}

/* Control registers 0 and 6; only their low (or only) 32 bits are ours. */
#ifdef __s390x__
#define LCTL_OP  "lctlg"
#define STCTL_OP "stctg"
#else
#define LCTL_OP  "lctl"
#define STCTL_OP "stctl"
#endif
static inline void lctl0(unsigned long v) { __asm__ volatile(LCTL_OP " %%c0,%%c0,%0" : : "Q"(v) : "memory"); }
static inline void lctl6(unsigned long v) { __asm__ volatile(LCTL_OP " %%c6,%%c6,%0" : : "Q"(v) : "memory"); }
static inline unsigned long stctl0(void) {
    unsigned long v;
    __asm__ volatile(STCTL_OP " %%c0,%%c0,%0" : "=Q"(v));
    return v;
}
#define CR0_CLOCK_COMPARATOR 0x00000800ul
#define CR0_SERVICE_SIGNAL   0x00000200ul
#define CR0_MASKS            0x0000FE70ul /* every external subclass */
#define CR6_ALL              0xFF000000ul /* every I/O interruption subclass */

#endif
