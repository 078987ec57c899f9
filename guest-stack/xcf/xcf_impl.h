/* xcf_impl.h - the inside of struct xcf, shared by the files of this room only.
 *
 *   xcf.c        life, timers, queries            path.c      paths and HELLO
 *   signal.c     segments: order, once, fail-over  message.c  messages to and from members
 *   member.c     groups, members, their copies     system.c   [state][event] of systems, monitoring
 *   partition.c  arbiter, operator, SFM            couple.c   values of COUPLExx
 *
 * Slot 0 of sys[] is this system; its "partner" is itself, over no path. Bit s of a mask stands for slot s.
 * Invariants: a segment is in one list or in the pool; unacked segments of a partner have consecutive
 * numbers; a remote member's slot is never FREE or GONE; nothing is sent after stopped.
 */
#ifndef XCF_XCF_IMPL_H
#define XCF_XCF_IMPL_H

#include "base/list.h"
#include "base/str.h"
#include "xcf/xcf.h"

#define XCF_WINDOW         128 /* segments under way to one partner: eight messages of the greatest length */
#define XCF_SEGMENTS_MSG   16 /* of one message: (64 + 61440) / 4032, rounded up */
#define XCF_SEGMENTS_SPARE 8  /* kept for member records when messages have taken the rest */
#define XCF_ACK_EVERY      (XCF_WINDOW / 2) /* each acknowledgement alone costs both systems a block and an interruption */
#define XCF_ASK_EVERY      8 /* a sender that runs short of something asks for one that often */
#define XCF_ACK_DELAY_US   (20 * USEC_PER_MSEC)
#define XCF_RESEND_US      USEC_PER_SEC
#define XCF_ROUND_US       (20 * USEC_PER_MSEC) /* a busy system looks at all its partners that often, not at each turn of its loop */
#define XCF_LAPSE_US       (2 * USEC_PER_SEC)
#define XCF_FORGIVE_US     (60 * (u64)USEC_PER_SEC) /* a path that worked so long has its retries back */
#define XCF_BUCKETS        64

struct xcf_seg {
    struct list node;
    u32 seq;
    u16 bytes; /* of the body */
    u8 flags, class_index;
    struct xcf_path *path;  /* that it was sent on; NULL: to be sent */
    struct xcf_path *tried; /* the last one, which another try avoids */
    u64 sent_at;
    u8 block[XCFMSG_BLOCK_MAX];
};

struct xcf_path {
    struct list node; /* first member; in its partner's list while WORKING or RESTARTING */
    struct xcf *x;
    struct couple_path couple;
    const struct xcf_path_ops *ops;
    void *ctx;
    enum xcf_path_state state;
    bool late; /* what was sent on it was not acknowledged in time: others are preferred until it is heard */
    bool ready, busy, hello_owed; /* owed: it was full when a HELLO was due */
    bool stopping;                /* its last HELLO goes out */
    bool broken;                  /* it refused its last block; its adapter is going to say that it is down */
    u32 token, slot;              /* slot 0: partner not known */
    u32 heard_token;              /* inbound: the sender's token */
    u64 heard_at; /* inbound: last HELLO; outbound: last time that the partner said it hears */
    u64 working_since, hello_at; /* hello_at: of the last HELLO on it */
    u32 retries;
    char partner_path[17];
    u64 blocks, bytes;
    /* Outbound: the header of its blocks as far as all are alike; made anew when the partner, or its incarnation, is another one. */
    u8 head[XCFMSG_HEADER];
    u64 head_incarnation;
    bool head_made;
    /* Inbound: the header of the last block whose sender was looked up, and what came of it. Nearly all blocks have the same names. */
    u8 ends[XCFMSG_HEADER];
    struct xcf_sysid ends_from;
    u32 ends_slot; /* 0 none yet */
    bool ends_for_us;
};

struct xcf_rx {          /* from one partner */
    u32 next;            /* number expected */
    struct list early;   /* ascending, all past next */
    struct list partial; /* segments of the message that is not complete */
    struct xcfmsg_message head;
    u32 have; /* data bytes in partial */
    u32 unacked;
    bool asked; /* one of those asks for an acknowledgement */
    u64 ack_due;
};
struct xcf_tx { /* to one partner */
    u32 next, una;
    struct list queue;   /* unacknowledged ones first, in order of their numbers */
    struct list *unsent; /* the first that may not be under way, or the queue's head: all in front of it are */
    u32 queued;        /* segments */
    u32 class_bytes[COUPLE_CLASSES_MAX];
    u32 class_refused[COUPLE_CLASSES_MAX]; /* sends that MAXMSG turned away */
};

enum xcf_question { XCF_ASK_DOWN, XCF_ASK_DOWN_VARY, XCF_ASK_SIGNALS, XCF_ASK_CONFIRM };

struct xcf_sys {
    struct xcf_sysid id;
    enum xcf_system_state state;
    u64 gone_incarnation; /* this and older are out; kept when the slot is used again by the same name */
    u64 since;            /* of the state */
    u64 last_signal, last_status;
    u64 record_at;  /* when its record was last read, changed or not */
    u64 written_at; /* the earliest moment at which what last_status saw may have been written */
    u64 linked_at; /* last moment with a working path in each direction */
    u32 status_counter, their_weight;
    u32 records;      /* status records whose counter was news: from the second on it certainly lives */
    u64 stale_at;     /* when its isolation was last asked for because it writes no record and signals nothing */
    bool unlinked_said;
    u32 interval_ms, weight;
    struct list out, in; /* paths */
    u32 out_working, in_working;
    struct xcf_tx tx;
    struct xcf_rx rx;
    u32 dirty; /* members whose record this partner has not got */
    bool sync_due, synced;
    /* partitioning */
    const char *reason;
    bool by_operator;   /* does not come back by itself */
    bool isolate_later; /* declared down by the operator: isolated as soon as the arbiter can be reached */
    bool dropped;       /* the arbiter has lost its connection */
    bool looked;        /* its record has been read anew since it fell silent */
    u32 wtor;           /* reply number, 0 none */
    enum xcf_question question;
    u64 ask_again;
};

struct xcf_group {
    struct list node;    /* in x->groups, ascending by name */
    struct list members; /* ascending by name */
    char name[9];
    u32 active;
};

struct xcf_member {
    struct xcf *x;
    struct list node;   /* in its group */
    struct list hashed; /* by slot and number */
    struct xcf_group *group;
    char name[17];
    u32 slot, number; /* number: at its own system */
    u32 token;
    enum xcf_member_state state;
    bool used, missing, starved, ending; /* ending: left; the record stays until every partner knows */
    u8 starved_class;  /* whose MAXMSG turned the last send away, towards these systems; 0: the pool did */
    u32 starved_slots;
    u8 ustate[XCF_USTATE_BYTES];
    u32 dirty; /* partners that do not know how it is now */
    u32 known; /* partners that know of it at all */
    const struct xcf_exits *exits;
    void *ctx;
    u64 status_us, alive_at;
};

struct xcf { /* the last member is large: what each message needs stands where one displacement reaches it */
    struct xcf_sysid id;
    struct xcf_env env;
    const struct xcf_arbiter_ops *arbiter;
    void *arbiter_ctx;
    bool arbiter_up, stopped;
    u64 arbiter_since; /* it can be reached */
    bool suspect;   /* stood still: not known to be in */
    bool asked;     /* the arbiter will say: until then nothing is sent and nothing believed */
    bool admitted;  /* every system that lived before this one has been met */
    bool starved;   /* a member waits for its room exit */
    bool hello_now; /* partners should know at once */
    bool leaving;   /* varied offline: the last HELLO says so */
    bool stirred;   /* xcf_stirred() */
    bool loud;      /* xcf_heard_news() */
    u32 systems, members_max, groups_max;
    u32 slots; /* of sys[] that have ever been used, this system's included: the rest is as it was made */
    struct xcf_sys *sys;
    struct xcf_member *member; /* [members_max] */
    struct list bucket[XCF_BUCKETS];
    struct list groups;
    u32 monitored, endings; /* own members with a status interval; own members that have left */
    struct pool group_pool, tx_pool, rx_pool;
    struct xcf_path *path; /* [XCF_PATHS_MAX] */
    u32 paths;
    u32 next_number, next_token, next_reply, status_counter;
    u32 lapse_counter; /* status_counter when it stood still last: who is answered about a later record is in */
    u64 last_poll, heartbeat_at, suspect_since, settled_at;
    u64 paths_due; /* path_timers() looks at all paths not before */
    u64 poll_due, rounds_at; /* the next whole xcf_poll(): when something is due, and in any case */
    u64 look_since; /* 0: no look at all records is under way */
    u64 looked_at;  /* when the last one began that was answered since the arbiter can be reached; 0: none */
    struct xcf_counters count;
    struct couple couple;
};

struct xcf_msg {
    const struct xcf_sys *from_sys;
    const struct list *segments;
    const struct xcfmsg_message *head;
    u32 from_token;
    bool *no_news; /* xcf_no_news() */
};

/* xcf.c */
void xcf_say(struct xcf *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void xcf_stop(struct xcf *x, u32 reason);
struct xcf_sys *xcf_sys_by_name(struct xcf *x, const char *name);
/* The machine stood still (a paused emulator): whether this system is still in has to be found out first. */
void xcf_lapsed(struct xcf *x, u64 now);
static inline void xcf_lapse_check(struct xcf *x, u64 now) {
    if (now >= x->last_poll + XCF_LAPSE_US) xcf_lapsed(x, now);
}
/* Something is to be done at that time: xcf_poll() looks then, also if it was told a later time before. */
static inline void poll_by(struct xcf *x, u64 when) {
    if (when >= x->poll_due) return;
    x->poll_due = when;
    x->stirred = true;
}
/* This system heard nobody in the last missed_us, by its own fault: that is nobody's silence. */
void xcf_missed(struct xcf *x, u64 missed_us, u64 now);
static inline u32 sys_slot(const struct xcf *x, const struct xcf_sys *s) {
    return (u32)(s - x->sys);
}
static inline bool sys_in(const struct xcf_sys *s) { /* its members count */
    return s->state >= XCF_SYS_ACTIVE && s->state <= XCF_SYS_PROMPT;
}

/* path.c */
void path_event(struct xcf_path *p, enum xcf_path_event e, u64 now);
void path_hello_all(struct xcf *x, u64 now);
void path_hello_due(struct xcf *x, u64 now); /* the heartbeat's: enough for every path and every partner to be known alive */
void path_timers(struct xcf *x, u64 now);
void path_try_again(struct xcf *x, u64 now); /* what was given up after RETRY failures: whose end is not known, so all of it */
void path_forget(struct xcf *x, struct xcf_sys *s, u64 now); /* partner is out: its paths link anew */
/* Sends a block whose body is in place. false: try another path or later. */
bool path_send(struct xcf_path *p, u8 *block, struct xcfmsg_header *h);

/* signal.c */
void signal_reset(struct xcf *x, struct xcf_sys *s); /* new partnership: numbers begin at 1 */
/* Cuts a message into segments for s; signal_pump() sends them. The buffers have been counted: taking them cannot fail. */
void signal_message(struct xcf *x, struct xcf_sys *s, const struct xcfmsg_message *head, const u8 *data, u32 class_index);
void signal_pump(struct xcf *x, struct xcf_sys *s, u64 now);
void signal_data(struct xcf *x, struct xcf_sys *s, const struct xcfmsg_header *h, const u8 *body, u64 now);
void signal_ack(struct xcf *x, struct xcf_sys *s, u32 ack, u64 now);
void signal_path_lost(struct xcf *x, struct xcf_path *p, u64 now);
void signal_timers(struct xcf *x, u64 now);
u64 signal_due(const struct xcf *x);
void signal_local(struct xcf *x, u64 now);

/* message.c */
void message_in(struct xcf *x, struct xcf_sys *s, u64 now); /* a whole message is in s->rx.partial */
/* A message without data of a user: member record or sync. false: no buffer. */
bool message_control(struct xcf *x, struct xcf_sys *s, const struct xcfmsg_message *head, const u8 *data,
                     u64 now);
void message_room(struct xcf *x, u64 now);

/* member.c */
struct xcf_member *member_find(struct xcf *x, u32 slot, u32 number);
static inline struct xcf_member *member_by_token(const struct xcf *x, u32 token) {
    u32 i = (token & 0xFFFF) - 1;
    if (token == 0 || i >= x->members_max) return NULL;
    struct xcf_member *m = &x->member[i];
    return m->used && m->token == token ? m : NULL;
}
void member_records_out(struct xcf *x, struct xcf_sys *s, u64 now);
bool member_record_one(struct xcf_member *m, struct xcf_sys *s, u64 now); /* true: partner will know */
void member_record_in(struct xcf *x, struct xcf_sys *s, u32 number, const struct xcfmsg_member *r, u64 now);
void member_all_dirty(struct xcf *x, struct xcf_sys *s);
void member_system_event(struct xcf *x, enum xcf_event_kind kind, const struct xcf_sys *s, u64 now);
void member_system_gone(struct xcf *x, struct xcf_sys *s, u64 now);
void member_timers(struct xcf *x, u64 now);
u64 member_due(const struct xcf *x);
void member_info(const struct xcf_member *m, struct xcf_member_info *out);

/* system.c */
/* The slot for a system that was heard: known, new, or NULL (it is out, or there is no room). */
struct xcf_sys *system_heard(struct xcf *x, const struct xcf_sysid *id, u64 now);
void system_event(struct xcf *x, struct xcf_sys *s, enum xcf_system_event e, u64 now);
void system_links_changed(struct xcf *x, struct xcf_sys *s, u64 now);
void system_timers(struct xcf *x, u64 now);
/* A free slot for a name, or that of the system that has been gone longest; NULL if all are in use. */
struct xcf_sys *system_slot_take(struct xcf *x, const char *name);
static inline bool sys_linked(const struct xcf_sys *s) {
    return s->out_working && s->in_working;
}
u64 system_interval_us(const struct xcf *x, const struct xcf_sys *s);

/* partition.c */
void partition_entered(struct xcf *x, struct xcf_sys *s, enum xcf_system_state from, u64 now);
void partition_timers(struct xcf *x, u64 now);
u64 partition_due(const struct xcf *x, u64 now); /* when a silence ends INTERVAL, or what follows it; TIME_NEVER: none will */
/* This system is known to be in again: what was asked before it stood still is asked anew. */
void partition_trusted(struct xcf *x, u64 now);
void partition_question_end(struct xcf *x, struct xcf_sys *s);
void partition_news(struct xcf *x, const struct xcf_sysid *gone, const struct xcf_sys *teller, u64 now);
void partition_stale(struct xcf *x, struct xcf_sys *s); /* isolates one that has not come in */
void partition_leaving(struct xcf *x, struct xcf_sys *s, u64 now); /* it says that it stops */
bool partition_look(struct xcf *x, u64 now); /* a look at all records is under way; false: the arbiter cannot be asked */
u32 partition_my_weight(const struct xcf *x);

#endif
