/* lcs_internal.h - the state of one LCS engine and what its files ask of one another. Private to lcs_*.c and
 * its tests.
 *
 *   lcs_engine.c    life, CCWs, blocks: READ and WRITE
 *   lcs_command.c   control frames and their replies
 *   lcs_attach.c    the card: attachment, requests, answers, events, registering again
 */
#ifndef HERCULES_DEVICES_LCS_INTERNAL_H
#define HERCULES_DEVICES_LCS_INTERNAL_H

#include "hercules-devices/engine.h"
#include "hercules-devices/lcs_engine.h"
#include "hercules-devices/osa_msg.h"
#include "hercules-devices/osa_wire.h"
#include "wire/osa.h"

#define LCS_UNIT_READ  0
#define LCS_UNIT_WRITE 1
#define LCS_UNITS      2
/* Commands whose reply nobody has read yet. */
#define LCS_REPLIES_MAX 16
/* Commands the port has not answered yet. */
#define LCS_PENDING_MAX 8
/* Looks at a WRITE program that goes on and on before its replies are given all the same: some 250 ms of calls to rx_end. */
#define LCS_PATIENCE 32
/* Multicast groups that are registered again when the card comes back. */
#define LCS_GROUPS_MAX 128

enum lcs_state { LCS_S_DOWN, LCS_S_STARTED, LCS_S_LAN, LCS_STATES };
enum lcs_card { LCS_CARD_DOWN, LCS_CARD_WAIT, LCS_CARD_UP, LCS_CARD_FENCED };

struct lcs_reply {
    u32 len;
    u8 bytes[LCS_MULTICAST_BYTES];
};
struct lcs_pending {
    u16 tag;  /* 0 = free */
    u32 left; /* answers to come */
    u32 rc;
    struct lcs_reply reply;
};
struct lcs_group {
    bool used;
    u8 mac[6];
    u32 addr;
};
struct lcs_counters {
    u64 out_frames, out_no_lan, out_bad_block, out_bad_frame, out_stalled, in_frames, in_not_active,
        in_too_big, in_wrong_form, in_deferred, reply_no_room, msg_malformed, msg_stale, ccw_rejected,
        commands, refused, groups_full;
};
struct lcs_engine {
    struct engine base;
    struct lcs_params params;
    enum lcs_state state;
    enum lcs_card card;
    bool link_up, attach_due, detach_due, flush_due;
    bool lan_up, lan_told, port_used;
    u8 mac[6];
    u32 frame_max;
    u32 read_max; /* STARTUP: largest block the host reads */
    struct engine_ccw *waiting[LCS_UNITS];
    struct engine_sense sense[LCS_UNITS];
    u32 filled;  /* bytes of frames in the outstanding READ */
    u32 written; /* where the outstanding WRITE goes on */
    u16 tag;
    u32 replay; /* group to register again: index + 1; 0 = done */
    u32 reply_first, reply_count;
    u32 patience; /* looks left at the WRITE program that replies wait for */
    struct lcs_reply reply[LCS_REPLIES_MAX];
    struct lcs_pending pending[LCS_PENDING_MAX];
    struct lcs_group group[LCS_GROUPS_MAX];
    struct lcs_counters count;
};

static inline struct lcs_engine *lcs_of(struct engine *e) {
    return CONTAINER_OF(e, struct lcs_engine, base);
}

/* ---- lcs_engine.c ---- */
void lcs_log(struct lcs_engine *e, enum engine_severity sev, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* True at the 1st, 2nd, 4th, 8th ... call: a flood is one line a doubling. */
bool lcs_drop(u64 *counter);
/* Ends the outstanding READ if there is something for it. */
void lcs_read_ready(struct lcs_engine *e);
/* A frame from the LAN into the outstanding READ. False: there is none, or it is full. */
bool lcs_take_frame(struct lcs_engine *e, const u8 *msg, u32 len);

/* ---- lcs_command.c ---- */
/* One control frame, header included. */
void lcs_command(struct lcs_engine *e, const u8 *frame, u32 len);
void lcs_send_reply(struct lcs_engine *e, const struct lcs_reply *r, u32 rc);
/* The adapter's own STARTLAN or STOPLAN: the cable or the card came or went. */
void lcs_lan_event(struct lcs_engine *e, bool up);
/* The port did what a command asked: state and registrations follow. */
void lcs_remember(struct lcs_engine *e, const struct lcs_reply *r);

/* ---- lcs_attach.c ---- */
/* Asks the port; the reply follows its answer. op: OSA_OP_*. */
void lcs_ask_port(struct lcs_engine *e, const struct lcs_reply *r, u8 op);
/* Room for a message to the card, NULL if it is not connected or its ring is full. */
u8 *lcs_reserve(struct lcs_engine *e, u32 len);
void lcs_commit(struct lcs_engine *e, u32 len);
void lcs_flush(struct lcs_engine *e);
/* What could not be sent before. */
void lcs_pump(struct lcs_engine *e);
/* Forgets the session; the port forgets it too. */
void lcs_start_over(struct lcs_engine *e);
void lcs_attach_link(struct lcs_engine *e, bool up);
/* A message that is not a frame. */
void lcs_attach_message(struct lcs_engine *e, const u8 *msg, u32 len);

#endif
