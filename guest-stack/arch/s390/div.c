/* div.c - what the compiler calls for 64-bit arithmetic on a 31-bit machine, in place of libgcc.
 *
 * Division by up to 32 bits is two DIVIDE LOGICAL (64 by 32); a longer divisor is rare and done bit by bit.
 */
#include "base/base.h"

#ifndef __s390x__

u64 __udivdi3(u64 n, u64 d);
u64 __umoddi3(u64 n, u64 d);
i64 __divdi3(i64 n, i64 d);
i64 __moddi3(i64 n, i64 d);
int __clzsi2(u32 x);
int __clzdi2(u64 x);
int __ctzsi2(u32 x);
int __popcountsi2(u32 x);

/* (high:low) / d with high < d; the remainder goes to *rem. */
static u32 divide(u32 high, u32 low, u32 d, u32 *rem) {
    register u32 r2 __asm__("2") = high;
    register u32 r3 __asm__("3") = low;
    __asm__("dlr %0,%2" : "+d"(r2), "+d"(r3) : "d"(d));
    *rem = r2;
    return r3;
}

static u64 divide_long(u64 n, u64 d, u64 *rem) {
    u64 q = 0, r = 0;
    for (int i = 63; i >= 0; i--) {
        r = r << 1 | (n >> i & 1);
        q <<= 1;
        if (r >= d) {
            r -= d;
            q |= 1;
        }
    }
    *rem = r;
    return q;
}

static u64 divmod(u64 n, u64 d, u64 *rem) {
    if (d >> 32) return divide_long(n, d, rem);
    u32 r = 0, divisor = (u32)d;
    u32 high = divide(0, (u32)(n >> 32), divisor, &r);
    u32 low = divide(r, (u32)n, divisor, &r);
    *rem = r;
    return (u64)high << 32 | low;
}

u64 __udivdi3(u64 n, u64 d) {
    u64 rem;
    return divmod(n, d, &rem);
}
u64 __umoddi3(u64 n, u64 d) {
    u64 rem;
    divmod(n, d, &rem);
    return rem;
}
i64 __divdi3(i64 n, i64 d) {
    u64 q = __udivdi3(n < 0 ? 0 - (u64)n : (u64)n, d < 0 ? 0 - (u64)d : (u64)d);
    return (i64)((n < 0) != (d < 0) ? 0 - q : q);
}
i64 __moddi3(i64 n, i64 d) {
    u64 r = __umoddi3(n < 0 ? 0 - (u64)n : (u64)n, d < 0 ? 0 - (u64)d : (u64)d);
    return (i64)(n < 0 ? 0 - r : r);
}

int __clzsi2(u32 x) {
    int n = 0;
    for (u32 step = 16; step; step >>= 1)
        if (!(x >> (32 - step))) {
            n += (int)step;
            x <<= step;
        }
    return n;
}
int __clzdi2(u64 x) { return x >> 32 ? __clzsi2((u32)(x >> 32)) : 32 + __clzsi2((u32)x); }
int __ctzsi2(u32 x) { return 31 - __clzsi2(x & (0 - x)); }
int __popcountsi2(u32 x) {
    int n = 0;
    for (; x; x &= x - 1) n++;
    return n;
}

#endif
