/* ctcraw_guest.c - a guest that does nothing but move blocks over two channel-to-channel units; ctc.sh loads it at 2000
 * into two emulators, sets its parameters and reads how long it took. Subchannel 0 reads, subchannel 1 writes.
 *
 *   off  len                          storage, big-endian
 *   1000   4  mode      enum mode     1004  4  blocks to be timed     1008  4  bytes of each
 *   100C   4  shape     0 PREPARE, READ / PREPARE, WRITE, NOP, as IP's drivers give     1 READ / WRITE alone
 *                        2 to 16: as 0 with so many READs or WRITEs chained in each program; a block then means such a program
 *                        16 more than those: the same with a PREPARE before each, not only before the first, as our own drivers give
 *   1010   8  TOD clock when the first block had passed (it is not timed)      1018  8  when the last one had
 *   1020  12  SCSW of what went wrong
 *
 * HALTED and WATCH are no measurement but a test, `blocks` times: HALTED has a PREPARE or READ outstanding, which WATCH sees by SENSE
 * COMMAND BYTE, and ends it by HALT or CLEAR SUBCHANNEL; then WATCH's next command must end with unit check, sense 41, until HALTED
 * has given one. Blocks over the other pair of units keep the two in step; WATCH's answer is the block that HALTED's next READ takes.
 *
 * NOPS moves nothing: `blocks` programs of one NOP each, what the emulator itself takes of a program of one block.
 *
 * The end is a disabled wait: F00 good, FEE a status that should not be, F0B a block that was not what was sent, F0C a halt or clear
 * without its status, F0D no unit check, F0E another sense, F5x SSCH gave condition code x and did not stop doing so, F6x HSCH or CSCH
 * gave it. Between the ends of its programs the processor waits for an interruption, as a system's does.
 * ESA/390, no library; entered at 2000 by RESTART with any registers.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

enum mode { RECEIVE, SEND, PING, ECHO, HALTED, WATCH, NOPS };
enum { READ_UNIT, WRITE_UNIT };

struct params {
    u32 mode, blocks, bytes, shape;
    u64 first, last;
    u32 wrong[3];
};
struct ccw {
    u8 code, flags;
    unsigned short count;
    u32 address;
};
struct orb {
    u32 parm, flags, ccw;
};
struct irb {
    u32 scsw[24];
};

#define ALIGNED __attribute__((aligned(8)))
#define PARAMS   ((volatile struct params *)0x1000)
#define CHAIN_MAX 16u
#define BLOCK_MAX 0x10000u
#define BUFFER   0x20000u /* of BLOCK_MAX: two times CHAIN_MAX for reading, CHAIN_MAX for writing */
#define FLAG_PREFETCH 0x00400000 /* in the ORB: the program does not change while it runs */
#define FLAG_CC  0x40
#define FLAG_SLI 0x20
#define ENDED    0x02 /* secondary status in word 0 of the SCSW */
#define UNIT_CHECK 0x0200
#define BUSY     0x10000000 /* in word 2 */
#define STATUSES_MAX 8   /* one after the other without a program between them */
#define TRIES_MIN 1000   /* SSCHs to a busy subchannel, */
#define SETTLE_US 5000000ull /* and for so long */
#define BAD      0x13BF /* busy, unit check, unit exception; any subchannel status but incorrect length */

static struct ccw ALIGNED read_program[2][2 * CHAIN_MAX];
static struct ccw ALIGNED write_program[2 * CHAIN_MAX + 1];
static struct ccw ALIGNED mode_program = {0xC3, FLAG_SLI, 1, BUFFER};
static struct ccw ALIGNED nop_program = {0x03, FLAG_SLI, 1, BUFFER};
static struct ccw ALIGNED command_program = {0x14, FLAG_SLI, 1, BUFFER};
static struct ccw ALIGNED sense_program = {0x04, FLAG_SLI, 1, BUFFER};
/* Nothing behind the WRITE: the next reset may come before a NOP. */
static struct ccw ALIGNED answer_program = {0x01, FLAG_SLI, 64, BUFFER + 2 * CHAIN_MAX * BLOCK_MAX};
static struct ccw *running[2];
static struct irb last[2];
static volatile u8 ended[2];

static _Noreturn void stop(u32 code) {
    struct {
        u32 mask, address;
    } ALIGNED psw = {0x000A0000, 0x80000000 | code};
    for (;;) __asm__ volatile("lpsw %0" : : "Q"(psw) : "memory");
}

/* Entered by an I/O interruption while the processor waits in wait_interruption(), and returns there. */
static void wait_interruption(void) {
    u32 *new_psw = (u32 *)0x78;
    struct {
        u32 mask, address;
    } ALIGNED psw = {0x020A0000, 0x80000000};
    new_psw[0] = 0x00080000;
    __asm__ volatile("larl 1,0f\n\t"
                     "st 1,%0\n\t"
                     "oi %0,0x80\n\t"
                     "lpsw %1\n"
                     "0:"
                     : "=Q"(new_psw[1])
                     : "Q"(psw)
                     : "1", "memory", "cc");
}

/* Takes the status of a subchannel; 0: there is none. */
static u32 take_status(u32 unit) {
    struct irb irb;
    u32 cc;
    register u32 r1 __asm__("1") = 0x00010000 | unit;
    __asm__ volatile("tsch %1\n\tipm %0\n\tsrl %0,28" : "=d"(cc), "=Q"(irb) : "d"(r1) : "memory", "cc");
    /* An attention has neither secondary status nor busy beside it: it says nothing to a program whose reads always stand. */
    if (!cc && (irb.scsw[0] & ENDED || irb.scsw[2] & BUSY)) {
        last[unit] = irb;
        ended[unit] = 1;
    }
    return !cc;
}

static u64 clock(void) {
    u64 t;
    __asm__ volatile("stck %0" : "=Q"(t) : : "cc");
    return t;
}

static u32 ssch(u32 unit, struct orb *orb) {
    register u32 r1 __asm__("1") = 0x00010000 | unit;
    u32 cc;
    __asm__ volatile("ssch %1\n\tipm %0\n\tsrl %0,28" : "=d"(cc) : "Q"(*orb), "d"(r1) : "memory", "cc");
    return cc;
}

/* Condition code 1 must be gone with the status that it speaks of: an attention, or a device end that was owed, came first. 2 is Hyperion's for a
 * moment after an ending status was fetched. Time alone judges neither: this processor may stand still for seconds between any two
 * instructions, because the host runs something else. */
static void start(u32 unit, struct ccw *program) {
    struct orb orb = {0, 0x0080FF00 | FLAG_PREFETCH, (u32)program};
    u32 cc, statuses = 0, tries = 0;
    u64 from = clock();
    running[unit] = program;
    while ((cc = ssch(unit, &orb)) == 1 || cc == 2) {
        if (cc == 1 && (!take_status(unit) || ++statuses > STATUSES_MAX)) break;
        if (cc == 2 && ++tries > TRIES_MIN && clock() - from > SETTLE_US << 12) break;
    }
    if (cc) stop(0xF50 | cc);
    ended[unit] = 0; /* what was in the way was another program's: Hyperion ends one that was halted a second time */
}

/* Unit and subchannel status. */
static u32 wait_for(u32 unit) {
    while (!ended[unit]) {
        wait_interruption();
        take_status(*(volatile u32 *)0xB8 & 1); /* the subchannel that interrupted */
    }
    ended[unit] = 0;
    return last[unit].scsw[2] >> 16;
}

static _Noreturn void stop_for(u32 unit, u32 code) {
    for (u32 i = 0; i < 3; i++) PARAMS->wrong[i] = last[unit].scsw[i];
    stop(code);
}

#define HALT_OR_CLEAR 0x3000 /* functions in word 0 of the SCSW */

/* Ends what is outstanding, and takes the status that says so. CSCH is never refused; HSCH is with status pending (condition code 1), and a
 * subchannel whose PREPARE or READ stands has none: an attention would have come before the SSCH, and the partner cannot end the
 * program, for it gives its next block when it has seen the reset. */
static void end_program(u32 unit, u32 clear) {
    register u32 r1 __asm__("1") = 0x00010000 | unit;
    u32 refused;
    if (clear)
        __asm__ volatile("csch\n\tipm %0\n\tsrl %0,28" : "=d"(refused) : "d"(r1) : "memory", "cc");
    else
        __asm__ volatile("hsch\n\tipm %0\n\tsrl %0,28" : "=d"(refused) : "d"(r1) : "memory", "cc");
    if (refused) stop(0xF60 | refused);
    for (;;) {
        struct irb irb;
        u32 cc;
        wait_interruption();
        register u32 r2 __asm__("1") = 0x00010000 | unit;
        __asm__ volatile("tsch %1\n\tipm %0\n\tsrl %0,28" : "=d"(cc), "=Q"(irb) : "d"(r2) : "memory", "cc");
        if (cc || !(irb.scsw[0] & 1)) continue;
        last[unit] = irb;
        if (!(irb.scsw[0] & HALT_OR_CLEAR)) stop_for(unit, 0xF0C);
        ended[unit] = 0;
        return;
    }
}

static void pause(void) {
    u64 from = clock();
    while (clock() - from < 20000ull << 12) {}
}

/* Until the first block has passed a unit check says that the partner is not ready yet: then it is tried again. */
static void wait_good(u32 unit) {
    for (;;) {
        u32 status = wait_for(unit) & BAD;
        if (!status) return;
        if (PARAMS->first || !(status & UNIT_CHECK)) stop_for(unit, 0xFEE);
        pause();
        start(unit, running[unit]);
    }
}

static void enable(u32 unit) {
    static u32 schib[16];
    register u32 r1 __asm__("1") = 0x00010000 | unit;
    __asm__ volatile("stsch %0" : "=Q"(schib) : "d"(r1) : "memory", "cc");
    schib[1] |= 0x00800000;
    __asm__ volatile("msch %0" : : "Q"(schib), "d"(r1) : "memory", "cc");
}

static u32 mode_refused(u32 unit) {
    start(unit, &mode_program);
    return wait_for(unit) & UNIT_CHECK;
}

/* Until the partner is ready on both, or is seen to wait for something; some milliseconds between two tries. Both units give
 * the command whatever the first one hears, because it is what makes them ready for the partner's. */
static void set_extended(void) {
    for (;;) {
        u32 refused = mode_refused(READ_UNIT);
        if (!(mode_refused(WRITE_UNIT) | refused)) return;
        pause();
    }
}

/* READs or WRITEs in one program, and is there a PREPARE before each? */
static u32 chain(void) {
    u32 shape = PARAMS->shape;
    return shape < 2 ? 1 : shape <= CHAIN_MAX ? shape : shape - CHAIN_MAX;
}
static int each_prepares(void) { return PARAMS->shape > CHAIN_MAX; }
/* A program begins with PREPARE, or at the command behind it. */
static u32 first_ccw(void) { return PARAMS->shape == 1; }
static u32 read_buffer(u32 program, u32 i) { return BUFFER + ((program & 1) * CHAIN_MAX + i) * BLOCK_MAX; }
static u32 write_buffer(u32 i) { return BUFFER + (2 * CHAIN_MAX + i) * BLOCK_MAX; }

static void build(void) {
    u32 n = chain(), reads = 0, writes = 0;
    for (u32 i = 0; i < n; i++) {
        u8 more = i + 1 < n ? FLAG_CC | FLAG_SLI : FLAG_SLI;
        for (u32 k = 0; k < 2 && (i == 0 || each_prepares()); k++) read_program[k][reads] = (struct ccw){0xE3, FLAG_CC | FLAG_SLI, 1, read_buffer(k, i)};
        if (i == 0 || each_prepares()) {
            write_program[writes++] = (struct ccw){0xE3, FLAG_CC | FLAG_SLI, 1, write_buffer(i)};
            reads++;
        }
        for (u32 k = 0; k < 2; k++) read_program[k][reads] = (struct ccw){0x02, more, 0xFFFF, read_buffer(k, i)};
        reads++;
        write_program[writes++] =
            (struct ccw){0x01, (u8)(first_ccw() ? FLAG_SLI : FLAG_CC | FLAG_SLI), (unsigned short)PARAMS->bytes, write_buffer(i)};
    }
    write_program[writes] = (struct ccw){0x03, FLAG_SLI, 1, write_buffer(0)};
}

static void start_read(u32 block) { start(READ_UNIT, &read_program[block & 1][first_ccw()]); }

static void start_write(u32 block) {
    for (u32 i = 0; i < chain(); i++) *(volatile u32 *)write_buffer(i) = block * chain() + i;
    start(WRITE_UNIT, &write_program[first_ccw()]);
}

/* The blocks of one program have come: the other buffers are read into before these are looked at. */
static void finish_read(u32 block) {
    wait_good(READ_UNIT);
    start_read(block + 1);
    for (u32 i = 0; i < chain(); i++)
        if (*(volatile u32 *)read_buffer(block, i) != block * chain() + i) stop_for(READ_UNIT, 0xF0B);
}

static void one_block(u32 mode, u32 block) {
    if (mode == SEND || mode == PING) start_write(block);
    if (mode == PING) finish_read(block);
    if (mode == SEND || mode == PING) {
        wait_good(WRITE_UNIT);
        return;
    }
    finish_read(block);
    if (mode == RECEIVE) return;
    start_write(block);
    wait_good(WRITE_UNIT);
}

/* One more command on a unit that need not be ready yet, until it is. */
static void until_good(u32 unit, struct ccw *program) {
    for (;;) {
        start(unit, program);
        u32 status = wait_for(unit) & BAD;
        if (!status) return;
        if (!(status & UNIT_CHECK)) stop_for(unit, 0xFEE);
        pause();
    }
}

static void block_out(u32 i) {
    start_write(i);
    wait_good(WRITE_UNIT);
}

static void block_in(u32 i) {
    start_read(i);
    wait_good(READ_UNIT);
    if (*(volatile u32 *)read_buffer(i, 0) != i) stop_for(READ_UNIT, 0xF0B);
}

static void halted(u32 i) {
    start_read(i);
    block_out(i); /* is taken when the other end has seen the READ or PREPARE */
    end_program(READ_UNIT, i & 1);
    block_out(i);
    block_out(i); /* is taken when the other end has looked */
    until_good(READ_UNIT, &nop_program);
    block_in(i);
}

static void watch(u32 i) {
    volatile u8 *byte = (volatile u8 *)BUFFER;
    do {
        start(WRITE_UNIT, &command_program);
        wait_for(WRITE_UNIT);
    } while (*byte == 0);
    *byte = 0;
    block_in(i);
    block_in(i);
    start(WRITE_UNIT, &nop_program);
    if (!(wait_for(WRITE_UNIT) & UNIT_CHECK)) stop_for(WRITE_UNIT, 0xF0D);
    start(WRITE_UNIT, &sense_program);
    wait_for(WRITE_UNIT);
    if (*byte != 0x41) stop_for(WRITE_UNIT, 0xF0E);
    *byte = 0;
    block_in(i);
    *(volatile u32 *)write_buffer(0) = i;
    until_good(WRITE_UNIT, &answer_program);
}

static void test_resets(u32 mode, u32 times) {
    /* Who is not ready would keep the other one from setting its mode: both have done that when a block has passed. */
    if (mode == HALTED) {
        start_read(0);
        wait_good(READ_UNIT);
    } else {
        until_good(WRITE_UNIT, &answer_program);
    }
    PARAMS->first = clock();
    for (u32 i = 0; i < times; i++) (mode == HALTED ? halted : watch)(i);
    PARAMS->last = clock();
    stop(0xF00);
}

static void nops(u32 programs) {
    for (u32 i = 0; i <= programs; i++) {
        start(WRITE_UNIT, &nop_program);
        wait_good(WRITE_UNIT);
        if (i == 0) PARAMS->first = clock();
    }
    PARAMS->last = clock();
    stop(0xF00);
}

void bench(void);
void bench(void) {
    u32 mode = PARAMS->mode, blocks = PARAMS->blocks, all = 0xFF000000;
    __asm__ volatile("lctl 6,6,%0" : : "Q"(all));
    build();
    enable(READ_UNIT);
    enable(WRITE_UNIT);
    set_extended();
    if (mode == HALTED || mode == WATCH) test_resets(mode, blocks);
    if (mode == NOPS) nops(blocks);
    start_read(0);
    for (u32 i = 0; i <= blocks; i++) {
        one_block(mode, i);
        if (i == 0) PARAMS->first = clock();
    }
    PARAMS->last = clock();
    stop(0xF00);
}

__asm__(".pushsection .text.start,\"ax\"\n"
        ".globl _start\n"
        "_start: larl 15,stack_end\n"
        "ahi 15,-96\n"
        "brasl 14,bench\n"
        ".popsection\n.pushsection .bss\n.balign 8\n.skip 4096\nstack_end:\n.popsection\n");
