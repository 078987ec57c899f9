/* link_ctc.h - the driver of a channel-to-channel adapter: DEVICE CTC, LINK CTC.
 *
 * A device owns two subchannels: devnum and devnum + 1. LINK ... CTC 0 reads from the first and writes to the
 * second, CTC 1 the other way round; what one system writes to must meet what the other reads from. Blocks:
 * wire/ctcblk.h. The other end may be this driver, or Linux's ctcm with protocol 0.
 *
 *   START: sense id 3088 -> SET EXTENDED MODE on both -> the partner reads a block without packets -> READY
 *   read   (PREPARE, READ) n times         into one of two areas of as many blocks as fit, 16 at most. A block is looked at as soon as
 *                                          the channel has fetched the next READ, those of one area when the other's program was started
 *   write  (PREPARE, WRITE) n times, NOP   all blocks that were filled since the last program; the other area is filled meanwhile
 * So a packet that comes alone goes alone and at once, and what comes in a burst costs one START SUBCHANNEL for all its blocks.
 *
 * A partner that is not there, or goes, shows as unit check with intervention required: then the link is down, the
 * device stays as it is (STARTING, or READY), and SET EXTENDED MODE is tried again every second and at each
 * attention or device end of the subchannel, until the partner answers.
 *
 * How to use it: as link_osa.h. Failure codes: CTC_FAIL_* << 24 | state << 16 | unit status << 8 | channel status.
 */
#ifndef LINK_LINK_CTC_H
#define LINK_LINK_CTC_H

#include "base/arena.h"
#include "base/base.h"
#include "net/link.h"

struct chan_system;

enum ctc_fail { CTC_FAIL_NONE, CTC_FAIL_NO_DEVICE, CTC_FAIL_WRONG_TYPE, CTC_FAIL_IO, CTC_FAIL_TIMEOUT, CTC_FAILS };

struct link_ctc_counters {
    u64 blocks_in, blocks_out, packets_per_block_max;
    u64 programs_in, programs_out; /* that carried them */
    u64 drops_in_malformed; /* length that is not the block's, or a packet that leaves it */
    u64 drops_in_type;      /* not IP */
    u64 drops_out_full;     /* both write areas are full */
    u64 drops_out_size;     /* packet larger than a block */
    u64 starts, stops, failures, partner_losses;
};

/* 0, or -ERR_NOMEM if the arena is too small. */
int link_ctc_driver_init(struct driver *out, struct chan_system *sys, struct arena *a, u32 max_devices);
size_t link_ctc_bytes(u32 max_devices);

const struct link_ctc_counters *link_ctc_counters(const struct device *dev);
const char *link_ctc_state_name(const struct device *dev);
const char *link_ctc_fail_text(u32 code, char *out, size_t cap);

#endif
