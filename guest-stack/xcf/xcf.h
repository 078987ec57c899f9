/* xcf.h - cross-system coupling: who is in the sysplex, groups of members, messages between them, and the
 * agreed death of a system.
 *
 * One struct xcf is one system's view. It does no I/O and reads no clock: blocks leave through the operations
 * of paths, status and isolation go through the operations of an arbiter, text goes to the operator through
 * env.
 *
 *   x = xcf_create(&config)               storage from an arena, nothing allocated later
 *   p = xcf_path_add(x, &def, now)        each PATHIN and PATHOUT; then xcf_path_ready()/_down() as the
 * device says m = xcf_join(x, &join, &member, now)  members of this system next = xcf_poll(x, now) after each
 * batch of calls, and not later than next
 *
 * Exits are called from xcf_poll(), xcf_path_block() and the xcf_arbiter_*() calls only; an exit may call the
 * functions of groups and members, and queries. Operations of paths and of the arbiter must not call back
 * before they return.
 *
 * Messages: those from one system to another arrive in the order of xcf_send(), each once, while both systems
 * live, whatever paths do in between. Each system numbers its segments per partner; the partner acknowledges;
 * what a failed path had is sent again over another. Groups: each system alone says who its members are;
 * partners keep a copy.
 *
 * Death: silence for INTERVAL (or a dropped connection) -> the arbiter isolates that incarnation -> only then
 * "gone" is told to the groups. No arbiter: the operator is asked (IXC402D) and nobody takes over before the
 * answer. A system that is told that it is out calls env->wait_state(0A2) and says nothing more.
 */
#ifndef XCF_XCF_H
#define XCF_XCF_H

#include "base/arena.h"
#include "base/base.h"
#include "wire/xcfmsg.h"
#include "xcf/couple.h"

#define XCF_SYSTEMS_MAX     32
#define XCF_PATHS_MAX       512
#define XCF_USTATE_BYTES    32
#define XCF_TO_ALL          0 /* xcf_send(): every other member of the group */
#define XCF_LINE_MAX        140
#define XCF_WAIT_PARTED     0x0A2
#define XCF_HEARTBEAT_US    USEC_PER_SEC
#define XCF_LOOK_US         USEC_PER_SEC /* the last look waits so long for copies that do not answer */
#define XCF_SETTLE_US       (5 * (u64)USEC_PER_SEC / 2) /* two status records and HELLOs of whoever is there */
#define XCF_HELLO_US        (3 * USEC_PER_SEC) /* a path that works; each partner has one over some path each heartbeat */
#define XCF_PATH_SILENCE_US (2 * XCF_HELLO_US + USEC_PER_SEC / 2)

struct xcf;
struct xcf_path;
struct xcf_member;
struct xcf_msg; /* a message being presented to a member */

/* One life of a system. */
struct xcf_sysid {
    char name[9];
    u64 incarnation;
};

/* ---- what the surroundings supply ---- */

struct xcf_env {
    void *ctx;
    void (*message)(void *ctx, const char *line); /* to the operator; begins with its id */
    /* A question with a reply number. dom: it no longer waits. */
    void (*wtor)(void *ctx, u32 reply, const char *line);
    void (*dom)(void *ctx, u32 reply);
    /* This system is out: load the wait. Called once; after it xcf does nothing. */
    void (*wait_state)(void *ctx, u32 code, u32 reason);
    /* Local time of day of a moment as hh:mm:ss. NULL: not known. */
    void (*time_of)(void *ctx, u64 when, char out[9]);
};

/* What systems write about themselves where all can read it (the couple data in a CF). */
struct xcf_record {
    struct xcf_sysid id;
    u32 counter;          /* one more each time */
    u32 connected_weight; /* SFM weights of all systems that it has signals with, itself included */
};
/* Both return 0 if an answer will follow by an xcf_arbiter_*() call, -ERR_NETDOWN if it cannot be reached. */
struct xcf_arbiter_ops {
    int (*write_status)(void *ctx, const struct xcf_record *mine);
    int (*isolate)(void *ctx, const struct xcf_sysid *victim);
    /* The last look before somebody is isolated for his silence: reads all records anew, and xcf_arbiter_looked() says when those that
     * could be read have been told. -ERR_NETDOWN: none can. NULL: there are no records to be read. */
    int (*look)(void *ctx);
};
enum xcf_arbiter_answer {
    XCF_ARBITER_OK,      /* the status was written: this system is in */
    XCF_ARBITER_REFUSED, /* this incarnation has been isolated: it is out */
    XCF_ARBITER_LOST,    /* cannot be reached at this moment; requests under way will not be answered */
};

struct xcf_config {
    struct arena *arena;
    const struct couple *couple; /* copied */
    struct xcf_sysid id;
    const struct xcf_env *env;             /* copied */
    const struct xcf_arbiter_ops *arbiter; /* NULL: none at all */
    void *arbiter_ctx;
    u32 systems; /* most systems in the sysplex, 2..32 */
    u32 members; /* most members known, of all systems */
    u32 groups;
    u32 segments; /* buffers for sending, each 4 KB; 0: from MAXMSG */
};

/* NULL: the arena is too small (xcf_bytes() says how much is needed) or the configuration is wrong. */
struct xcf *xcf_create(const struct xcf_config *config, u64 now);
size_t xcf_bytes(const struct xcf_config *config);
/* Returns when it wants to be called again; TIME_NEVER after wait_state(). */
u64 xcf_poll(struct xcf *x, u64 now);
/* What xcf_poll() would return if it did nothing; now (or earlier) if there is something to do. */
u64 xcf_due(const struct xcf *x, u64 now);
/* Has something been put into a path, or become due earlier, since this was asked last? If not, neither xcf_due() nor a poll of the
 * paths' adapters says anything else than before. */
bool xcf_stirred(struct xcf *x);
/* For an adapter: blocks that it hands over from now on; has one of them brought anything that others may have to be polled for? */
void xcf_listen(struct xcf *x);
bool xcf_heard_news(const struct xcf *x);
bool xcf_stopped(const struct xcf *x);

/* counter: that of the record which is answered; OK to one from before this system stood still says nothing about now. */
void xcf_arbiter_status(struct xcf *x, enum xcf_arbiter_answer a, u32 counter, u64 now);
/* Another system's record was read: that of a system which is connected to the arbiter, as far as the arbiter knows. */
void xcf_arbiter_record(struct xcf *x, const struct xcf_record *r, u64 now);
/* Every record that could be read has been told since look() was called. */
void xcf_arbiter_looked(struct xcf *x, u64 now);
/* Answer to isolate: true, that incarnation can touch nothing any more (also if it was so before). */
void xcf_arbiter_isolated(struct xcf *x, const struct xcf_sysid *victim, bool isolated, u64 now);
/* The arbiter saw that system's connection drop: its process died or was cut off. */
void xcf_arbiter_dropped(struct xcf *x, const struct xcf_sysid *id, u64 now);

/* There is a record of a system that has no connection: dead since some time, or alive and cut off from the arbiter alone. Before this
 * system takes anything over (xcf_synced()) it isolates that incarnation; later it is nobody's business. */
void xcf_arbiter_unconnected(struct xcf *x, const struct xcf_sysid *id, u64 now);

/* ---- paths ---- */

struct xcf_path_ops {
    /* One block of at most XCFMSG_BLOCK_MAX bytes, copied before it returns. 0; -ERR_AGAIN: full,
     * xcf_path_room() will be called; anything else: the path is broken, xcf_path_down() will be called. */
    int (*send)(void *ctx, const u8 *block, u32 len);
};
enum xcf_path_state {
    XCF_PATH_STOPPED,
    XCF_PATH_STARTING, /* the device is not ready */
    XCF_PATH_LINKING,  /* ready; nobody has answered */
    XCF_PATH_WORKING,
    XCF_PATH_RESTARTING,  /* failed while working */
    XCF_PATH_INOPERATIVE, /* failed more often than RETRY */
    XCF_PATH_STATES,
};
enum xcf_path_event {
    XCF_PE_START,
    XCF_PE_READY,
    XCF_PE_DOWN,
    XCF_PE_LINKED,
    XCF_PE_SILENT,
    XCF_PE_LIMIT,
    XCF_PE_STOP,
    XCF_PATH_EVENTS,
};
struct xcf_path_def {
    struct couple_path couple;      /* name, direction, class, retry */
    const struct xcf_path_ops *ops; /* outbound */
    void *ctx;
};
/* NULL: XCF_PATHS_MAX reached. Starts it at once. */
struct xcf_path *xcf_path_add(struct xcf *x, const struct xcf_path_def *def, u64 now);
void xcf_path_ready(struct xcf_path *p, u64 now);
/* The device is not operational, or its other side is not there. */
void xcf_path_down(struct xcf_path *p, u64 now);
void xcf_path_room(struct xcf_path *p, u64 now);
void xcf_path_block(struct xcf_path *p, const u8 *block, u32 len, u64 now); /* inbound: a block arrived */
/* SETXCF START/STOP. -ERR_ALREADY if it is so. */
int xcf_path_start(struct xcf_path *p, u64 now);
int xcf_path_stop(struct xcf_path *p, u64 now);
struct xcf_path *xcf_path_find(struct xcf *x, bool outbound, const char *name);
enum xcf_path_state xcf_path_next(enum xcf_path_state s,
                                  enum xcf_path_event e); /* the table; same = no change */
const char *xcf_path_state_name(enum xcf_path_state s);
const char *xcf_path_event_name(enum xcf_path_event e);

/* ---- groups and members ---- */

enum xcf_member_state { XCF_MEMBER_NOT_DEFINED, XCF_MEMBER_ACTIVE, XCF_MEMBER_QUIESCED, XCF_MEMBER_FAILED };
enum xcf_event_kind {
    XCF_EV_JOINED,
    XCF_EV_LEFT,
    XCF_EV_QUIESCED,
    XCF_EV_FAILED, /* its system is gone */
    XCF_EV_USTATE,
    XCF_EV_STATUS_MISSING,
    XCF_EV_STATUS_RESUMED,
    XCF_EV_SYSTEM_ACTIVE,
    XCF_EV_SYSTEM_MISSING, /* status update missing; it may come back */
    XCF_EV_SYSTEM_RESUMED,
    XCF_EV_SYSTEM_GONE, /* isolated; follows the XCF_EV_FAILED of its members */
    XCF_EV_DUPLICATE,   /* another system has a member of this name and keeps it: this one has been ended */
};
struct xcf_member_info {
    char group[9], name[17], system[9];
    u32 token; /* of this system's view; 0 is no member */
    enum xcf_member_state state;
    bool status_missing, local;
    u8 ustate[XCF_USTATE_BYTES];
};
struct xcf_event {
    enum xcf_event_kind kind;
    struct xcf_member_info member; /* member events */
    struct xcf_sysid system;
};
struct xcf_exits { /* any may be NULL */
    void (*message)(void *ctx, const struct xcf_msg *m, u64 now);
    void (*group)(void *ctx, const struct xcf_event *e, u64 now);
    /* The member has not called xcf_member_alive() for its interval. true: it is well all the same. */
    bool (*status)(void *ctx, u64 now);
    /* Buffers are there again after xcf_send() returned -ERR_NOBUFS. */
    void (*room)(void *ctx, u64 now);
};
struct xcf_join {
    const char *group, *member; /* member NULL: one is generated */
    const struct xcf_exits *exits;
    void *ctx;
    u64 status_us; /* status monitoring interval, 0 none */
    u8 ustate[XCF_USTATE_BYTES];
};
/* 0; -ERR_INVAL name; -ERR_EXIST; -ERR_NOMEM; -ERR_NETDOWN this system is out. */
int xcf_join(struct xcf *x, const struct xcf_join *j, struct xcf_member **out, u64 now);
void xcf_leave(struct xcf_member *m, u64 now);
/* Stays known to the others, receives nothing; xcf_leave() ends it. */
void xcf_quiesce(struct xcf_member *m, u64 now);
int xcf_set_ustate(struct xcf_member *m, const u8 ustate[XCF_USTATE_BYTES], u64 now);
void xcf_member_alive(struct xcf_member *m, u64 now);
u32 xcf_member_token(const struct xcf_member *m);
/* len at most XCFMSG_DATA_MAX, control 32 bytes or NULL. 0; -ERR_NOENT no such member (or none but this one);
 * -ERR_NOBUFS, nothing was sent; -ERR_MSGSIZE; -ERR_NETDOWN. */
int xcf_send(struct xcf_member *m, u32 to, const u8 *control, const void *data, u32 len, u64 now);

u32 xcf_msg_bytes(const struct xcf_msg *m);
u32 xcf_msg_from(const struct xcf_msg *m); /* token of the sender, 0 if it has left meanwhile */
const u8 *xcf_msg_control(const struct xcf_msg *m);
/* Copies up to n bytes from offset on; returns how many. Only inside the message exit. */
u32 xcf_msg_copy(const struct xcf_msg *m, u32 offset, void *to, u32 n);

/* From inside the message exit: what is left to do because of this message its member sees to by itself; nobody else need be polled
 * (chan_no_news()). */
void xcf_no_news(const struct xcf_msg *m);

/* Members of a group, by name; all = false: active ones only. Returns how many there are (may exceed max). */
u32 xcf_query(const struct xcf *x, const char *group, struct xcf_member_info *out, u32 max);
/* The i-th of them; false past the last. */
bool xcf_query_nth(const struct xcf *x, const char *group, u32 i, struct xcf_member_info *out);
bool xcf_query_token(const struct xcf *x, u32 token, struct xcf_member_info *out);
/* Names of groups with a member, ascending; size[] their members. Returns how many there are. */
u32 xcf_groups(const struct xcf *x, char (*name)[9], u32 *size, u32 max);
bool xcf_group_nth(const struct xcf *x, u32 i, char name[9], u32 *size);
/* Each active system has sent all its members; and since xcf_create() there was a moment, XCF_SETTLE_US after it or later (at once if
 * there is neither path nor arbiter), when the arbiter answered and every system that has a status record was active, too, or isolated.
 * Who takes over what another may have must wait for it. */
bool xcf_synced(const struct xcf *x);
/* Paths work to and from each active system. Else a member that has joined there may not be known here. */
bool xcf_reaches_all(const struct xcf *x);

/* ---- systems and the operator ---- */

enum xcf_system_state {
    XCF_SYS_FREE,
    XCF_SYS_JOINING, /* heard; not yet both ways */
    XCF_SYS_ACTIVE,
    XCF_SYS_STOPPED,   /* status update missing */
    XCF_SYS_NOSIGNAL,  /* status comes, signals do not */
    XCF_SYS_ISOLATING, /* the arbiter has been asked */
    XCF_SYS_PROMPT,    /* the operator has been asked */
    XCF_SYS_CLEANUP,   /* isolated; the groups know; CLEANUP runs */
    XCF_SYS_GONE,
    XCF_SYSTEM_STATES,
};
enum xcf_system_event {
    XCF_SE_HEARD,    /* a new incarnation is there */
    XCF_SE_LINKED,   /* a path works in each direction */
    XCF_SE_QUIET,    /* neither signals nor status for INTERVAL */
    XCF_SE_NOSIGNAL, /* status but no signals for INTERVAL */
    XCF_SE_BACK,     /* signals again */
    XCF_SE_DUE,      /* time to isolate */
    XCF_SE_NOARB,    /* the arbiter cannot be reached */
    XCF_SE_FENCED,   /* isolated, declared down by the operator, or told so by a partner */
    XCF_SE_CLEAN,    /* CLEANUP is over */
    XCF_SYSTEM_EVENTS,
};
enum xcf_system_state xcf_system_next(enum xcf_system_state s, enum xcf_system_event e);
const char *xcf_system_state_name(enum xcf_system_state s);
const char *xcf_system_event_name(enum xcf_system_event e);

struct xcf_system_info {
    struct xcf_sysid id;
    enum xcf_system_state state;
    bool local, synced;
    u64 last_signal, last_status; /* 0: never */
    u32 interval_ms, weight, paths_in, paths_out;
    u32 queued_segments;
};
/* i = 0 is this system; false past the last. Free and gone ones have gaps: state says so. */
bool xcf_system(const struct xcf *x, u32 i, struct xcf_system_info *out);
/* That incarnation, or a later one, has been partitioned out. */
bool xcf_is_gone(const struct xcf *x, const struct xcf_sysid *id);

struct xcf_path_info {
    const char *name, *class_name;
    char partner[9], partner_path[17];
    bool outbound, structure;
    enum xcf_path_state state;
    u32 retries, retry_limit, class_length, maxmsg_kb;
    u64 blocks, bytes;
};
bool xcf_path(const struct xcf *x, u32 i, struct xcf_path_info *out);
struct xcf_path *xcf_path_at(struct xcf *x, u32 i); /* NULL past the last */
/* Use of a transport class towards the i-th system: bytes queued, sends refused for MAXMSG. false past the last system or class. */
bool xcf_class_use(const struct xcf *x, u32 i, u32 class_index, u32 *bytes, u32 *refused);
bool xcf_arbiter_up(const struct xcf *x); /* it answered last time */
const struct couple *xcf_couple(const struct xcf *x);
const struct xcf_sysid *xcf_self(const struct xcf *x);

/* Answers a question. 0; -ERR_NOENT no such number; -ERR_INVAL the text is not one of its answers; -ERR_AGAIN
 * this system has stood still and does not know yet whether it is in. In both the question waits on. */
int xcf_reply(struct xcf *x, u32 reply, const char *text, u64 now);
/* V XCF,name,OFFLINE: asks IXC371D. -ERR_NOENT. */
int xcf_vary_offline(struct xcf *x, const char *name, u64 now);
/* SETXCF COUPLE,INTERVAL= / OPNOTIFY= / CLEANUP= / MAXMSG= / RETRY= / CLASSLEN=: -ERR_INVAL if out of range. */
int xcf_set_couple(struct xcf *x, const struct couple *c);
/* SETXCF START/STOP,POLICY,TYPE=SFM. */
void xcf_set_sfm(struct xcf *x, const struct couple_sfm *sfm);

/* ---- counters: each drop has one ---- */

#define XCF_COUNTERS(C)                                                                                      \
    C(segments_sent)                                                                                         \
    C(segments_received) C(segments_again) C(acks_sent) C(hellos_sent) C(hellos_received) C(messages_sent)   \
        C(messages_received) C(messages_local) C(drop_short) C(drop_foreign) C(drop_length) C(drop_checksum) \
            C(drop_form) C(drop_sysplex) C(drop_gone) /* from an incarnation that is out */                  \
        C(drop_stranger)                              /* DATA or ACK from a system that is not in */         \
        C(drop_receiver) /* for another system or an older incarnation of this one */                        \
        C(drop_duplicate) C(drop_window) C(drop_no_buffer) C(drop_message_form) C(drop_no_member)            \
            C(drop_path_stopped) C(drop_suspect) C(drop_systems_full) C(drop_members_full)                   \
                C(drop_groups_full) C(drop_ack) C(send_no_buffer) C(send_maxmsg) C(path_failures) C(lapses)                 \
                    C(duplicate_members) C(isolations) C(isolations_refused) C(prompts) C(systems_gone)
struct xcf_counters {
#define C(name) u32 name;
    XCF_COUNTERS(C)
#undef C
};
const struct xcf_counters *xcf_counters(const struct xcf *x);
/* Name and value of the i-th; NULL past the last. */
const char *xcf_counter(const struct xcf *x, u32 i, u32 *value);

#endif
