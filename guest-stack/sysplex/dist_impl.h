/* dist_impl.h - struct distributor laid open for the files dist*.c. Others use distributor.h.
 *
 * Targets are slots: slot 0 is this stack, others are given to dynamic XCF addresses of peers that are UP and taken back
 * when the peer has gone and its rows with it. Bits of sets, numbers in the VDPT and the VCRT are slots.
 *
 * A DVIPA (struct dist_vipa) is known here when this stack has definitions for it or has been sent some.
 *
 *   routing  owner  meaning
 *   true     NULL   this stack is the routing stack; definitions in force: its own, else those it was sent
 *   false    peer   that one is; definitions in force: those it sent. Or it owns the address and does not distribute it (plain_sec)
 *   false    NULL   nobody owns it at the moment, connections here wait for the next owner; or, if mine, this stack does without definitions
 */
#ifndef SYSPLEX_DIST_IMPL_H
#define SYSPLEX_DIST_IMPL_H

#include "sysplex/distributor.h"
#include "wire/distmsg.h"

#define SLOT_SELF       0u
#define NOTICES_MAX     512u
#define NOTICE_DELAY_US (5 * USEC_PER_MSEC) /* ends are told in batches; nobody waits for them */
#define MESSAGE_MAX     32768u /* a statement of 64 ports with 32 targets each */
#define LISTENERS_MAX   512u
#define PORT_FLAGS_SENT (VDPT_NOSWITCHBACK | VDPT_NOHEALTHSWITCH)

/* One port of a VIPADISTRIBUTE, from this stack's profile (own) or from the routing stack. */
struct dist_def {
    struct hash_row hash; /* first member; key: dvipa, port, own */
    struct list node;     /* all definitions, in order of definition */
    struct ipaddr dvipa;
    u16 port; /* 0 any */
    bool own, seen;
    struct dist_options options;
    u8 dests;
    struct dist_dest dest[DIST_TARGETS_MAX];
};

/* Totals that only grow; differences are right though they wrap. */
/* What this stack, as a target, counts for a port between two reports. */
struct dist_served {
    struct ipaddr dvipa;
    u16 port;
    u8 sef, qos_fraction;
    u32 syns, opened, turned_away; /* turned_away: the listeners' total at the latest report */
    struct tcp_traffic ended, before; /* of connections that are over; of all of them at the latest sample */
};
#define SERVED_MAX 128u

/* A row of the VCRT that has become OPEN, or is over though the next owners have it. */
struct dist_copy_note {
    struct vcrt_key key;
    struct vcrt_row *row; /* of an open one: still it if it has the key, for rows stay where they are; NULL: it is over */
};
#define COPY_NOTES_MAX  1024u
#define COPY_DELAY_US   (50 * USEC_PER_MSEC) /* whoever is through by then needs no copy; most are */
#define COPY_HEIRS_MAX  2u
#define LOST_ROUND_MAX  128u /* rows told in one turn: 16,000 take 128 turns of a millisecond */
#define LOST_TRIES      4u
#define PLAIN_SEC       2u /* an owner's profile may say VIPADISTRIBUTE only after VIPADEFINE */

/* 64 ports of SYSPLEXPORTS that this stack may give. */
struct dist_block {
    u16 number; /* first port / 64 */
    u32 out[2]; /* bits of those that programs have, have had since the latest look, or cannot have */
};
#define DIST_BLOCKS_MAX 64u /* 4,096 connections that this stack opens from one DVIPA */

struct dist_vipa {
    struct hash_row hash; /* first member */
    struct list node;
    struct ipaddr addr, mask;
    struct sysplex_peer *owner;
    const struct sysplex_peer *config_of; /* whose CONFIG of this epoch this stack has answered; NULL nobody's */
    u32 epoch;
    bool routing, target, hidden;
    bool mine; /* this stack owns the address, whether it routes or not */
    u8 plain_sec; /* seconds for which an owner has been known that does not distribute it, up to PLAIN_SEC */
    bool gave; /* this stack has routed it and does not; who does is not known yet */
    bool config_due, lists_due, listeners_due, held_due, want_due;
    bool sysplexports;
    u8 diststat;       /* as last told to sysplex */
    u64 heirs;         /* peers that have copies of every row */
    u64 holders;       /* peers that may have copies of some: those, and whoever asked for all again or was not reached by one */
    bool said_all;     /* and whose copies from before are over */
    u32 awaiting;      /* slots whose answer to CONFIG is missing */
    u64 awaiting_until;
    struct dist_block block[DIST_BLOCKS_MAX];
    u32 blocks, ports_out; /* ports_out: bits set in them */
    u64 look_at;           /* marks are not looked through again before */
    u32 granted_last;      /* of the owner: block */
    u32 wants;             /* of the owner: slots that wait for a block */
    u8 holder[DISTMSG_BLOCKS]; /* of the owner: slot + 1, 0 free */
};

struct dist_slot {
    struct ipaddr dynxcf;
    struct sysplex_peer *peer; /* NULL: slot 0, or one that is being emptied */
    bool used, reported, routing_wlm;
    u32 capacity;
};

/* Something a target tells the owner of a DVIPA. */
struct dist_notice {
    struct ipaddr dvipa;
    struct distmsg_conn conn;
};

struct dist_affinity {
    struct hash_row hash; /* first member */
    struct list node;     /* those with no connection, the one that ends first in front */
    struct ipaddr client, dvipa;
    u16 port;
    u8 slot;
    u32 connections;
    u64 until; /* TIME_NEVER while there are connections */
};

struct distributor {
    struct sysplex *sx;
    struct distributor_config cfg;
    struct dist_counters count;
    struct vcrt vcrt;
    struct dist_slot slot[DIST_TARGETS_MAX]; /* in front of what is large: each packet asks for one */
    struct vdpt vdpt;
    struct vcrt copies; /* of others' rows; target VCRT_LOST: it died, its client must hear of it */
    struct dist_copy_note copy_note[COPY_NOTES_MAX];
    u32 copy_notes, copy_ripe; /* of the notes those that were there at the latest turn */
    u32 lost_left;             /* rows of the present round of telling */
    bool copies_missing;       /* of a target that was not known */
    u64 copy_at, lost_at;      /* when to send notes; when to tell clients; TIME_NEVER: nothing to do */
    u64 lost_next;             /* when the round after the present one begins */
    struct hash_key key;
    struct pool vipa_pool, def_pool, affinity_pool;
    struct hash_table vipas, defs, affinities;
    struct list vipa_list, def_list, affinity_idle;
    struct dist_served served[SERVED_MAX];
    u32 served_count;
    struct dist_quiesce quiesce[DIST_QUIESCES_MAX];
    u32 quiesces;
    struct dist_notice notice[NOTICES_MAX];
    u32 notices;
    u64 notices_at;      /* when they are to be told; TIME_NEVER none */
    u64 next_second, next_report;
    u64 age_at; /* when rows that have grown old are looked for */
    struct wlm wlm;
    dist_policy_fn *policy;
    void *policy_ctx;
    bool work_due; /* some DVIPA has a *_due */
    u32 slots_top;   /* no slot[] from here on has been in use */
    u32 unreachable; /* slots whose link is down */
    u8 out[MESSAGE_MAX];
};

/* ---- dist.c ---- */
struct dist_vipa *dist_vipa_find(const struct distributor *d, struct ipaddr addr);
/* Finds or makes; NULL counted. */
struct dist_vipa *dist_vipa_get(struct distributor *d, struct ipaddr addr);
void dist_vipa_del(struct distributor *d, struct dist_vipa *v);
/* 0 also when there is nobody to send to. */
int dist_send(struct distributor *d, const struct sysplex_peer *to, enum distmsg_kind kind, u32 len, u64 now);
static inline void dist_due(struct distributor *d, bool *what) {
    *what = true;
    d->work_due = true;
    sysplex_poll_by(d->sx, 0);
}

/* ---- dist_config.c ---- */
struct dist_def *dist_def_find(const struct distributor *d, struct ipaddr dvipa, u16 port, bool own);
/* Does this stack's profile have definitions for it? */
bool dist_has_defs(const struct distributor *d, struct ipaddr dvipa, bool own);
/* Are the stack's own definitions those in force? */
bool dist_own_in_force(const struct distributor *d, const struct dist_vipa *v);
/* The definition in force for a port, that for any port included; NULL. */
struct dist_def *dist_def_of(const struct distributor *d, const struct dist_vipa *v, u16 port);
bool dist_def_names(const struct dist_def *def, struct ipaddr dynxcf, const struct dist_dest **dest);
/* Makes the VDPT what the definitions in force and the slots in use say. */
void dist_build(struct distributor *d, struct dist_vipa *v);
void dist_config_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now);
/* CONFIG to one peer or to all (NULL). */
int dist_config_send(struct distributor *d, struct dist_vipa *v, const struct sysplex_peer *to, u64 now);
/* Is this stack a target now? Hides or gives up the address, tells DISTSTAT. */
void dist_role(struct distributor *d, struct dist_vipa *v, u64 now);
void dist_start_routing(struct distributor *d, struct dist_vipa *v, u32 epoch, u64 now);
void dist_stop_routing(struct distributor *d, struct dist_vipa *v, u64 now);
void dist_forget_learnt(struct distributor *d, struct ipaddr dvipa);
void dist_port_del(struct distributor *d, struct vdpt_port *p);

/* ---- dist_packet.c ---- */
enum stack_way dist_routed(void *ctx, struct pkt *p, u64 now);
enum sysplex_verdict dist_packet(void *ctx, struct pkt *p, u64 now);

/* ---- dist_owner.c ---- */
void dist_listeners_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now);
void dist_conns_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now);
/* RDY of all ports of v at a slot: ports[n] with their listeners. */
void dist_set_ready(struct distributor *d, struct dist_vipa *v, u32 slot, const u8 *rows, u32 n);
/* slot's answer to CONFIG is there. */
void dist_answered(struct dist_vipa *v, u32 slot);
u32 dist_slot_of(const struct distributor *d, const struct sysplex_peer *p);
void dist_peer_up(void *ctx, struct sysplex_peer *p, u64 now);
void dist_peer_down(void *ctx, struct sysplex_peer *p, u64 now);
/* A target says that it has a connection; one that a SYN raced with becomes one row. */
bool dist_row_opened(struct distributor *d, struct dist_vipa *v, u32 slot, const struct vcrt_key *k, u32 isn, u8 flags,
                     u64 now);
void dist_row_ended(struct distributor *d, u32 slot, const struct vcrt_key *k, u32 isn, u64 now);
#define DIST_AGE_US (10 * USEC_PER_MSEC)
bool dist_age(struct distributor *d, u64 now); /* true: there may be more of them */
/* Slots whose link is down get nothing new. */
void dist_reach(struct distributor *d);

/* ---- dist_target.c ---- */
void dist_conn_opened(void *ctx, const struct tcp_key *key, struct tcb *conn, u64 now);
void dist_conn_closed(void *ctx, const struct tcp_key *key, struct tcb *conn, u64 now);
void dist_half_open_ended(void *ctx, const struct tcp_key *key, u32 peer_isn, u64 now);
void dist_listener(void *ctx, struct ipaddr addr, u16 port, bool ready, u64 now);
int dist_listeners_send(struct distributor *d, struct dist_vipa *v, u64 now);
int dist_lists_send(struct distributor *d, struct dist_vipa *v, u64 now);
void dist_notices_flush(struct distributor *d, u64 now);
void dist_notice(struct distributor *d, struct ipaddr dvipa, const struct distmsg_conn *c, bool at_once, u64 now);
/* The routing stack asks about connections. */
void dist_asked(struct distributor *d, struct dist_vipa *v, const struct distmsg_conn *c, u64 now);
/* The counts of a port served here, if it has any; NULL. */
struct dist_served *dist_served_find(struct distributor *d, struct ipaddr dvipa, u16 port);
/* The counts of a port served here; NULL: too many. */
struct dist_served *dist_served_for(struct distributor *d, struct ipaddr dvipa, u16 port);
/* This stack routes v now: its own connections have rows like everybody's, so that the next owners hear of them. */
void dist_own_rows(struct distributor *d, struct dist_vipa *v, u64 now);
/* Connections to addr, half-open ones included, that this stack has. */
u32 dist_local_conns(struct distributor *d, struct ipaddr addr);

/* Listeners here that count for a port and are not quiesced; how much of their backlog is free. */
bool dist_ready_here(struct distributor *d, const struct dist_vipa *v, u16 port, u32 *sef);

/* ---- dist_local.c ---- */
/* A program of this stack connects to a distributed port: does OPTLOCAL keep it here? */
bool dist_stays_here(struct distributor *d, struct dist_vipa *v, u16 port);

/* ---- dist_ports.c ---- */
int dist_ephemeral(void *ctx, struct ipaddr addr, bool (*in_use)(void *ctx, u16 port), void *in_use_ctx, u16 *port, u64 now);
void dist_ports_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now);
/* This stack routes v now. */
void dist_ports_start(struct dist_vipa *v);
void dist_ports_slot_gone(struct distributor *d, u32 slot);
/* HELD, WANT to the owner, or done at once if that is this stack; < 0: say it again. */
int dist_ports_held(struct distributor *d, struct dist_vipa *v, u64 now);
int dist_ports_want(struct distributor *d, struct dist_vipa *v, u64 now);
/* As soon as no answer is awaited: whoever waits for a block gets one. */
void dist_ports_serve(struct distributor *d, struct dist_vipa *v, u64 now);
void dist_ports_second(struct distributor *d, struct dist_vipa *v, u64 now);
void dist_ports_rest(struct distributor *d);

/* ---- dist_wlm.c ---- */
/* As it was reported; 0: not known. */
static inline u32 dist_slot_capacity(const struct distributor *d, u32 slot) {
    const struct dist_slot *s = &d->slot[slot];
    return s->used && s->reported && s->routing_wlm ? s->capacity : 0;
}
void dist_report(struct distributor *d, u64 now);
void dist_report_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now);
void dist_report_rows(struct distributor *d, u32 slot, const u8 *rows, u32 n, u64 now);
void dist_weigh(struct distributor *d);

/* ---- dist_qos.c ---- */
/* A connection of a port that is served here is over: what it sent stays counted. */
void dist_qos_ended(struct distributor *d, const struct tcp_key *key, const struct tcb *conn);

/* ---- dist_copy.c ---- */
size_t dist_copy_bytes(const struct distributor_config *c);
bool dist_copy_init(struct distributor *d, struct arena *a);
/* row has become OPEN, or is over (or about to be freed). */
void dist_copy_note(struct distributor *d, struct vcrt_row *row, bool opened, u64 now);
void dist_copy_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now);
/* Copies of v's rows are not needed any more: at slot, or (VDPT_NOBODY) all of them. */
void dist_copy_forget(struct distributor *d, const struct dist_vipa *v, u32 slot);
/* v has a new owner: what is known of its connections is from before until that one has said its own. */
void dist_copy_before(struct distributor *d, const struct dist_vipa *v);
/* A row of the VCRT, of a DVIPA that goes to another owner: kept as a copy, from before. */
void dist_copy_keep(struct distributor *d, const struct vcrt_row *row, u64 now);
/* To the next owner, of what was kept: all that he may not know. false: no room. */
bool dist_copy_give(struct distributor *d, const struct dist_vipa *v, const struct sysplex_peer *to, u64 now);
/* To whom the former owner has given this SYN; VDPT_NOBODY: that is not known. */
u32 dist_copy_begun(const struct distributor *d, const struct vcrt_key *k, u32 isn);
/* Whose the connection is that the routing stack has no row for: of a target that has not said yet what it has; VDPT_NOBODY. */
u32 dist_copy_target(const struct distributor *d, const struct vcrt_key *k);
/* The target of a row that this stack routes is gone, and the row will be: its client is told until it has heard. */
void dist_copy_lost(struct distributor *d, struct vcrt_row *row, u64 now);
/* This stack routes v now: its copies are what it knows of targets that are gone. */
void dist_copy_takeover(struct distributor *d, const struct dist_vipa *v, u64 now);
/* A peer has a slot now: rows of its connections may have been passed over. */
void dist_copy_peer_up(struct distributor *d, u64 now);
/* A slot is emptied: rows of its target are lost. */
void dist_copy_slot_gone(struct distributor *d, u32 slot, u64 now);
/* Does the packet of k's client belong to a row that is lost? Then it has its answer now, unless the client begins anew (SYN). */
bool dist_copy_answer(struct distributor *d, const struct vcrt_key *k, const struct pkt *p, u8 flags, u64 now);
/* Each second: if the owner does not distribute v, nobody will say what becomes of the copies. */
void dist_copy_plain(struct distributor *d, struct dist_vipa *v, u64 now);
/* New heirs get every row; all hear when that is everything. */
void dist_copy_heirs(struct distributor *d, struct dist_vipa *v, u64 now);
u64 dist_copy_poll(struct distributor *d, u64 now);

/* ---- dist_affinity.c ---- */
/* The slot that a client is bound to, VDPT_NOBODY. */
u32 dist_affinity_slot(struct distributor *d, const struct vcrt_key *k, u64 now);
/* A row of a port with affinity begins or ends. */
void dist_affinity_opened(struct distributor *d, const struct vdpt_port *p, struct vcrt_row *row, u64 now);
void dist_affinity_closed(struct distributor *d, u32 affinity_sec, const struct vcrt_row *row, u64 now);
void dist_affinity_age(struct distributor *d, u64 now);
void dist_affinity_slot_gone(struct distributor *d, u32 slot);
/* This stack routes dvipa no more. */
void dist_affinity_forget(struct distributor *d, struct ipaddr dvipa);

#endif
