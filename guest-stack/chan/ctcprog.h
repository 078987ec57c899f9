/* ctcprog.h - channel programs of a channel-to-channel adapter (3088) in extended mode, and what their ends mean; for every
 * driver that moves blocks over one.
 *
 *   set up   SET EXTENDED MODE on each subchannel: it ends the wait of a partner that was there first
 *   read     PREPARE, READ          the PREPARE waits until the partner has something; the READ is then matched by its WRITE
 *   write    PREPARE, WRITE, NOP    NOP gives the end of the chain channel end and device end at once
 *
 * Several blocks in one program, to a partner that may chain or not:
 *   reads    (PREPARE, READ) n times     a PCI when a later PREPARE is fetched says that the READ before has ended, but not how much it got
 *   writes   (PREPARE, WRITE) n times, NOP
 * The PREPARE before each: a READ or WRITE that waits calls an idle partner by attention, and that stands in the way of a START
 * SUBCHANNEL which the partner gives in that moment; Linux's ctcm does not survive it. A PREPARE waits and calls nobody.
 *
 * A partner that is not there, or goes, shows as unit check with intervention required on whatever is outstanding, or on the
 * next command; attention or device end tells that it is back. Sources: SA22-7203 2.13; hercules-devices/ctc_cu.h.
 */
#ifndef CHAN_CTCPROG_H
#define CHAN_CTCPROG_H

#include "chan/chan.h"

#define CTCPROG_CU_TYPE 0x3088u
#define CTCPROG_SENSE_BYTES 7
#define CTCPROG_WRITE_CCWS 3
#define CTCPROG_BLOCK_MAX 65535u /* what a CCW's count can say */
#define CCW_PREPARE 0xE3
#define CCW_SET_EXTENDED 0xC3
#define CTCPROG_INTREQ 0x40 /* sense byte 0 */

static inline void ctcprog_write(struct chan_cmd out[CTCPROG_WRITE_CCWS], u8 *block, u32 len) {
    out[0] = (struct chan_cmd){.op = CCW_PREPARE, .flags = CCW_CC | CCW_SLI, .count = 1, .data = block};
    out[1] = (struct chan_cmd){.op = CCW_WRITE, .flags = CCW_CC | CCW_SLI, .count = (u16)len, .data = block};
    out[2] = (struct chan_cmd){.op = CCW_NOP, .flags = CCW_SLI, .count = 1, .data = block};
}

/* READs or WRITEs in a program at most. */
#define CTCPROG_BLOCKS_MAX 16u
#define CTCPROG_READS_CCWS (2u * CTCPROG_BLOCKS_MAX)
#define CTCPROG_WRITES_CCWS (2u * CTCPROG_BLOCKS_MAX + 1u)

/* Adds a READ to n CCWs of a program of READs; ctcprog_reads_end() closes it. Both return the number of CCWs. */
static inline u32 ctcprog_reads_add(struct chan_cmd out[CTCPROG_READS_CCWS], u32 n, u8 *to, u32 count) {
    out[n] = (struct chan_cmd){.op = CCW_PREPARE, .flags = (u8)(CCW_CC | CCW_SLI | (n ? CCW_PCI : 0u)), .count = 1, .data = to};
    out[n + 1] = (struct chan_cmd){.op = CCW_READ, .flags = CCW_CC | CCW_SLI, .count = (u16)count, .data = to};
    return n + 2;
}
static inline u32 ctcprog_reads_end(struct chan_cmd out[CTCPROG_READS_CCWS], u32 n) {
    out[n - 1].flags = CCW_SLI;
    return n;
}
/* READs that have ended when the CCW of that index was fetched. */
static inline u32 ctcprog_reads_before(u32 ccw) { return ccw / 2; }

/* Adds a block to n CCWs of a program of WRITEs; ctcprog_writes_end() closes it. Both return the number of CCWs. */
static inline u32 ctcprog_writes_add(struct chan_cmd out[CTCPROG_WRITES_CCWS], u32 n, u8 *block, u32 len) {
    out[n] = (struct chan_cmd){.op = CCW_PREPARE, .flags = CCW_CC | CCW_SLI, .count = 1, .data = block};
    out[n + 1] = (struct chan_cmd){.op = CCW_WRITE, .flags = CCW_CC | CCW_SLI, .count = (u16)len, .data = block};
    return n + 2;
}
static inline u32 ctcprog_writes_end(struct chan_cmd out[CTCPROG_WRITES_CCWS], u32 n, u8 *any) {
    out[n] = (struct chan_cmd){.op = CCW_NOP, .flags = CCW_SLI, .count = 1, .data = any};
    return n + 1;
}

/* The program ran to its end. */
static inline bool ctcprog_good(const struct chan_status *st) {
    return st->cc == 0 && !st->halted && !(st->subchannel & ~CS_PCI) &&
           !(st->unit & (US_UNIT_CHECK | US_UNIT_EXCEPTION | US_BUSY));
}

/* The partner is not there. */
static inline bool ctcprog_absent(const struct chan_status *st) {
    return st->cc == 0 && st->unit & US_UNIT_CHECK && st->sense_len && st->sense[0] & CTCPROG_INTREQ;
}

/* The partner waits for something else, so it is there: no failure for a command that only sets up or asks. */
static inline bool ctcprog_busy(const struct chan_status *st) {
    return st->cc == 0 && !st->halted && st->unit & US_BUSY;
}

#endif
