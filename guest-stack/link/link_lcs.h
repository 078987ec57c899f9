/* link_lcs.h - the driver of a LAN channel station: DEVICE LCS, LINK ETHERNET.
 *
 * A device owns two subchannels: devnum (read) and devnum + 1 (write). Commands and Ethernet frames travel in
 * the same blocks; the layouts are in wire/osa.h (LCS part). Each direction has one channel program at a
 * time: a read into one of two buffers, whose successor is started before the first is looked at; a write of
 * all frames collected since the last one. No suspend, no PCI: one interrupt per block.
 *
 *   START: sense id 3088 -> STARTUP -> STARTLAN -> LANSTAT (the MAC) -> QIPASSIST -> READY
 *   STOP:  STOPLAN -> SHUTDOWN -> halt read -> NOT_ACTIVE
 *
 * LINK_CAP_MCAST is set if QIPASSIST offers multicast, LINK_CAP_BCAST always; net does ARP and checksums.
 * How to use it: as link_osa.h. Failure codes: LCS_FAIL_* << 24 | state << 16 | detail.
 */
#ifndef LINK_LINK_LCS_H
#define LINK_LINK_LCS_H

#include "base/arena.h"
#include "base/base.h"
#include "net/link.h"

struct chan_system;

enum lcs_fail {
    LCS_FAIL_NONE,
    LCS_FAIL_NO_DEVICE,
    LCS_FAIL_WRONG_TYPE,
    LCS_FAIL_IO,
    LCS_FAIL_COMMAND, /* the station answered a command with a return code */
    LCS_FAIL_TIMEOUT,
    LCS_FAILS
};

#define LINK_LCS_COUNTERS(X)                                                                                 \
    X(blocks_in)                                                                                             \
    X(blocks_out)                                                                                            \
    X(frames_per_block_max)                                                                                  \
    X(drops_in_malformed) /* offset chain that leaves the block, or a frame shorter than its header */       \
    X(drops_in_type)      /* frame of a type or for an adapter that is not ours */                           \
    X(drops_out_full)     /* both write buffers are full */                                                  \
    X(drops_out_size)     /* frame larger than a write buffer */                                             \
    X(replies_stray)      /* answer that nobody waits for */                                                 \
    X(group_refused)      /* SETIPM answered with a return code */                                           \
    X(group_table_full)   /* 64 groups */                                                                    \
    X(starts)                                                                                                \
    X(stops)                                                                                                 \
    X(failures)                                                                                              \
    X(lan_losses)

struct link_lcs_counters {
#define X(name) u64 name;
    LINK_LCS_COUNTERS(X)
#undef X
};

/* 0, or -ERR_NOMEM if the arena is too small. */
int link_lcs_driver_init(struct driver *out, struct chan_system *sys, struct arena *a, u32 max_devices);
size_t link_lcs_bytes(u32 max_devices);

const struct link_lcs_counters *link_lcs_counters(const struct device *dev);
const char *link_lcs_state_name(const struct device *dev);
const char *link_lcs_fail_text(u32 code, char *out, size_t cap);
/* As link_osa_print_fsm(). */
void link_lcs_print_fsm(void (*line)(void *ctx, const char *text), void *ctx);

#endif
