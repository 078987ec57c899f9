/* clock.c - port_now() and the enabled wait. ESA/390 PoP chapter 4, "Timing".
 *
 * The TOD clock counts 1900-01-01 as 0; its bit 51 is one microsecond, so time is the clock shifted right by 12:
 * no division. The clock comparator holds a deadline in the same unit. The host may set its clock back; port_now()
 * then stands still until it has caught up.
 *
 * Random numbers: what nobody outside can know is when interruptions come, to the microsecond. Each wake-up adds the TOD clock to
 * what is gathered, and each eighth, or a number that is wanted, stirs that into a key of 128 bits; a number is HalfSipHash-2-4
 * (Aumasson, Bernstein) of a counter under that key. A busy system wakes up thousands of times a second: the hash each time cost it more than
 * it learned.
 */
#include "arch/s390/clock.h"

#include "arch/s390/cpu.h"
#include "arch/s390/css.h"
#include "arch/s390/lowcore.h"
#include "super/port.h"

#define TOD_SHIFT        12
#define EXT_CLOCK_PASSED 0x1004

u32 arch_wait(void);

static u64 last_now;
static u32 pool[4];
static u32 gathered, gathers, stirs, draws;

u64 port_now(void) {
    u64 now = stck() >> TOD_SHIFT;
    if (now > last_now) last_now = now;
    return last_now;
}

static u32 rotl(u32 x, u32 by) { return x << by | x >> (32 - by); }

static void sip_round(u32 v[4]) {
    v[0] += v[1];
    v[1] = rotl(v[1], 5) ^ v[0];
    v[0] = rotl(v[0], 16);
    v[2] += v[3];
    v[3] = rotl(v[3], 8) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 7) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 13) ^ v[2];
    v[2] = rotl(v[2], 16);
}

/* HalfSipHash-2-4 of one word, 32 bits of result. */
static u32 sip_word(u32 k0, u32 k1, u32 word) {
    u32 v[4] = {k0, k1, 0x6C796765u ^ k0, 0x74656462u ^ k1};
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
    v[3] ^= 4u << 24;
    sip_round(v);
    sip_round(v);
    v[0] ^= 4u << 24;
    v[2] ^= 0xFF;
    for (int i = 0; i < 4; i++) sip_round(v);
    return v[1] ^ v[3];
}

/* One word of the pool in turn takes in the clock, through the hash so that nothing cancels out. */
static void stir(void) {
    u32 i = stirs++ & 3;
    pool[i] = sip_word(pool[i], pool[(i + 1) & 3], gathered ^ stirs);
}

/* By an odd factor and a turn, so that what a later clock adds does not take back what an earlier one did. */
static void gather(void) {
    gathered = rotl(gathered * 0x9E3779B1u, 11) + (u32)stck();
    if ((++gathers & 7) == 0) stir();
}

u32 port_random(void) {
    stir();
    u32 a = sip_word(pool[0], pool[1], ++draws);
    return a ^ sip_word(pool[2], pool[3], draws);
}

static u8 *lowcore(void) {
    u8 *p = NULL;
    __asm__("" : "+a"(p)); /* the compiler must not know that this is address zero */
    return p;
}

u32 clock_wait(u64 deadline) {
    u8 *lc = lowcore();
    sckc(deadline > UINT64_MAX >> TOD_SHIFT ? UINT64_MAX : deadline << TOD_SHIFT);
    u32 kind = arch_wait();
    gather();
    if (kind != 1) return *(u16 *)(void *)(lc + LC_EXT_CODE);
    css_interrupted(*(u32 *)(void *)(lc + LC_IO_SSID), *(u32 *)(void *)(lc + LC_IO_PARM));
    return 0;
}

void port_wait(u64 deadline) { clock_wait(deadline); }
u32 port_events(u64 now) { return css_events(now); }
enum chan_heard port_heard(void) { return css_heard(); }
