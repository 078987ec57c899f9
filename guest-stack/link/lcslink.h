/* lcslink.h - one LCS device laid open for the files of this driver; other rooms use link_lcs.h.
 *
 *   link_lcs.c    tables of operations, attach and detach, storage
 *   lcslink_fsm.c     states, events, the step timer, subchannels opened and closed
 *   lcslink_block.c   blocks of frames both ways, commands and their answers
 *   lcslink_group.c   multicast groups
 */
#ifndef LINK_LCSLINK_H
#define LINK_LCSLINK_H

#include "link/chandev.h"
#include "link/link_lcs.h"
#include "wire/osa.h"

enum { LCS_UNIT_READ, LCS_UNIT_WRITE, LCS_UNITS };

enum lcs_state {
    LCS_DOWN,
    LCS_SENSE,
    LCS_ST_STARTUP,
    LCS_ST_STARTLAN,
    LCS_ST_LANSTAT,
    LCS_ST_QIPASSIST,
    LCS_READY,
    LCS_ST_STOPLAN,
    LCS_ST_SHUTDOWN,
    LCS_HALT,
    LCS_STATES
};

enum lcs_event {
    LCS_EV_START,
    LCS_EV_STOP,
    LCS_EV_OK,
    LCS_EV_MORE,
    LCS_EV_REFUSED,
    LCS_EV_ERROR,
    LCS_EV_TIMEOUT,
    LCS_EV_LAN,
    LCS_EV_QUIET,
    LCS_EVENTS
};

#define LCS_GROUPS_MAX 64

struct lcs_group {
    struct ipaddr addr; /* any = the slot is free */
    bool wanted, registered, due;
};

struct lcs_device {
    struct chandev m;
    bool announced; /* device_ready() was called */
    bool lan_due;   /* came while a command was outstanding */
    bool hold; /* no group is told to the station for the moment */

    u8 *read_buf[2], *write_buf[2]; /* LCS_BLOCK_BYTES each */
    u32 reading;                    /* which read buffer has the READ */
    u32 filling;                    /* which write buffer takes frames; the other may be on its way */
    u32 filled, frames;             /* bytes and frames in it */

    u16 seq;
    u8 command; /* outstanding, 0 = none */
    u8 mac[MAC_LEN];
    bool lan_up;
    u16 assists;
    struct lcs_group group[LCS_GROUPS_MAX];
    struct lcs_group *in_flight;
    bool in_flight_add;
    struct link_lcs_counters count;
};

struct lcs_driver {
    u32 max_devices;
    struct lcs_device *devices;
};

/* ---- lcslink_fsm.c ---- */
extern const struct chandev_kind lcslink_kind;
void lcslink_event(struct lcs_device *d, enum lcs_event ev, enum lcs_fail why, u32 detail, u64 now);

/* ---- lcslink_block.c ---- */
void lcslink_read_start(struct lcs_device *d, u64 now);
void lcslink_read_done(struct lcs_device *d, const struct chan_status *st, u64 now);
void lcslink_write_next(struct lcs_device *d,
                        u64 now); /* starts a WRITE if there is something and none is running */
int lcslink_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now);
/* Room for one frame of len bytes, header included and written; NULL if both write buffers are full. */
u8 *lcslink_frame(struct lcs_device *d, u8 type, u32 len);
/* A control frame of len bytes with its sequence number; the caller fills what follows and calls
 * lcslink_write_next(). NULL if both write buffers are full. */
u8 *lcslink_command(struct lcs_device *d, u8 command, u32 len, u64 now);
void lcslink_step_send(struct lcs_device *d, u64 now); /* the command of the current state */

/* ---- lcslink_group.c ---- */
int lcslink_group_want(struct lcs_device *d, struct ipaddr group, bool wanted, u64 now);
void lcslink_group_next(struct lcs_device *d, u64 now);
void lcslink_group_answer(struct lcs_device *d, u32 rc, u64 now);
void lcslink_group_stale(struct lcs_device *d); /* every group is unwanted until the stack joins it again */
void lcslink_group_forget(struct lcs_device *d);

#endif
