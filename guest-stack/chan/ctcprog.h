/* ctcprog.h - channel programs of a channel-to-channel adapter (3088) in extended mode, and what their ends mean; for every
 * driver that moves blocks over one.
 *
 *   set up   SET EXTENDED MODE on each subchannel: it ends the wait of a partner that was there first
 *   read     PREPARE, READ          the PREPARE waits until the partner has something; the READ is then matched by its WRITE
 *   write    PREPARE, WRITE, NOP    NOP gives the end of the chain channel end and device end at once
 *
 * A partner that is not there, or goes, shows as unit check with intervention required on whatever is outstanding, or on the
 * next command; attention or device end tells that it is back. Sources: SA22-7203 2.13; hercules-devices/ctc_cu.h.
 */
#ifndef CHAN_CTCPROG_H
#define CHAN_CTCPROG_H

#include "chan/chan.h"

#define CTCPROG_CU_TYPE 0x3088u
#define CTCPROG_SENSE_BYTES 7
#define CTCPROG_READ_CCWS 2
#define CTCPROG_WRITE_CCWS 3
#define CTCPROG_BLOCK_MAX 65535u /* what a CCW's count can say */
#define CCW_PREPARE 0xE3
#define CCW_SET_EXTENDED 0xC3
#define CTCPROG_INTREQ 0x40 /* sense byte 0 */

static inline void ctcprog_read(struct chan_cmd out[CTCPROG_READ_CCWS], u8 *to, u32 count) {
    out[0] = (struct chan_cmd){.op = CCW_PREPARE, .flags = CCW_CC | CCW_SLI, .count = 1, .data = to};
    out[1] = (struct chan_cmd){.op = CCW_READ, .flags = CCW_SLI, .count = (u16)count, .data = to};
}

static inline void ctcprog_write(struct chan_cmd out[CTCPROG_WRITE_CCWS], u8 *block, u32 len) {
    out[0] = (struct chan_cmd){.op = CCW_PREPARE, .flags = CCW_CC | CCW_SLI, .count = 1, .data = block};
    out[1] = (struct chan_cmd){.op = CCW_WRITE, .flags = CCW_CC | CCW_SLI, .count = (u16)len, .data = block};
    out[2] = (struct chan_cmd){.op = CCW_NOP, .flags = CCW_SLI, .count = 1, .data = block};
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
