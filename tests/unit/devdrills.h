/* devdrills.h - what every driver of an adapter must stand, run by the tests of each (test_link_osa.c, test_link_lcs.c) against the
 * real engine and port. A drill leaves the device stopped or READY as said, and no subchannel open that should not be.
 */
#ifndef TESTS_UNIT_DEVDRILLS_H
#define TESTS_UNIT_DEVDRILLS_H

#include "tests/unit/osalab.h"

/* One LPAR with one device on one card. */
struct drill {
    struct lab *lab;
    struct sim_card *card;
    struct lab_host *host;
    struct device *dev;
};

typedef struct device *drill_device_fn(struct lab_host *h, struct sim_card *card, const char *name, u16 devnum, const char *addr);
/* 10.1.1.1 on device 0E00. End with lab_destroy(). */
void drill_begin(struct drill *d, drill_device_fn *device, const char *name, u32 mtu_bytes);

/* STOP at each of so many moments of START: the device ends NOT ACTIVE and leaves nothing behind. Ends READY. */
void drill_stop_anywhere(struct drill *d, u32 moments);
/* Each CCW of the dialogue is hit by each kind of fault: the device fails with a code, or retries and comes up; afterwards
 * a START without faults succeeds. At least so many faults must have hit, and led to failures. Ends READY. */
void drill_faults(struct drill *d, u16 units, u32 ccws, u64 patience_usec, u32 hits_min, u32 failures_min);
/* A START without a cable, and one without a card: READY with the link down, up when there is a LAN. Ends READY. */
void drill_start_without_lan(struct drill *d);
/* The cable comes and goes under a READY device: only its link does. Ends READY. */
void drill_cable(struct drill *d, u32 times);
/* The card dies and comes back, sometimes before anybody noticed, sometimes in the middle of what the loss set off; after
 * a while all devices are up again. Ends READY. */
void drill_kills(struct drill *d, struct device *const *devices, u32 n, u32 times);
/* STOP and START, `check` in between (NULL: none). Ends stopped. */
void drill_cycles(struct drill *d, u32 times, void (*check)(struct drill *d, bool started));

#endif
