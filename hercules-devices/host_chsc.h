/* host_chsc.h - answers to CHANNEL SUBSYSTEM CALL for our devices, where the emulator has none.
 *
 * A CHSC block is one page: a request of L bytes (at least 16), then the response.
 *
 *   request  0 2 L   2 2 code   4.. by code            response  0 2 length   2 2 code (1 = done)   4 4 zero   8 rows
 *
 *   0002 store channel-path description: 4 1 flags (10 = format 1)  6 1 format of the response (2, 3: not ours)
 *        7 1 first CHPID  11 1 last CHPID
 *        row, format 0, 8 bytes:   0 1 flags (80 = valid)  2 1 type  3 1 CHPID
 *        row, format 1, 24 bytes:  the same, and 7 1 CHPP: 02 = one write queue only
 *   0024 store subchannel QDIO data: 4 2 SSID in bits 2-3 of byte 5  6 2 first  10 2 last subchannel
 *        row, 32 bytes:  0 1 flags: 80 QDIO, 40 valid   2 2 subchannel   4 1 queue format   5 1 parameter
 *                        6 1 qdioac1: 40 SIGA input, 20 SIGA output needed   9 1 input queues  11 1 output queues
 *
 * Sources: the channel-path and QDIO data areas as Linux's drivers/s390/cio/chsc.h and qdio.h read them.
 * Pure: touches only the bytes handed in and asks its caller which devices there are.
 */
#ifndef HERCULES_DEVICES_HOST_CHSC_H
#define HERCULES_DEVICES_HOST_CHSC_H

#include "base/base.h"

#define CHSC_BLOCK_BYTES 4096
#define CHSC_REQUEST_MIN 16
#define CHSC_SSQD_BYTES 32

struct chsc_devices {
    void *ctx;
    u8 (*chpid_type)(void *ctx, u8 chpid); /* CHPID type of our devices on this path, 0 = none of ours */
    /* Is this one of our QDIO subchannels, and how many queues may it have? */
    bool (*qdio)(void *ctx, u8 ssid, u16 subchannel, u8 *in_queues, u8 *out_queues);
};

/* block: the whole page. false: not for our devices, let the emulator answer; the page is unchanged then. */
bool chsc_answer(const struct chsc_devices *d, u8 block[CHSC_BLOCK_BYTES]);
/* One row of the answer to 0024. */
void chsc_ssqd_row(u8 row[CHSC_SSQD_BYTES], u16 subchannel, u8 in_queues, u8 out_queues);

#endif
