/* distributor.h - the sysplex distributor: one address, many systems. A part of struct sysplex (sysplex/sysplex.h).
 *
 *   role                  who                                          what it does
 *   routing stack         the owner of a DVIPA with VIPADISTRIBUTE      VDPT, VCRT; gives SYNs to targets, routes what follows
 *   backup                has VIPABACKUP                                holds the options it was sent, or its own
 *   target                in DESTIP                                     has the DVIPA hidden (flag I), reports listeners and ends
 *
 * One packet at the routing stack: VCRT row? -> its target, unchanged, over the dynamic XCF link. None, and a SYN for a
 * distributed port: affinity, then policy, then the port's method choose; nobody ready: RST, as if nothing listened. None, and
 * anything else: this stack's own TCP looks, and answers RST ("fast connection reset"). What has come from a
 * routing stack (PKT_DISTRIBUTED) is delivered, never distributed again.
 *
 * After a change of owner the new routing stack says CONFIG with its epoch; every stack answers with its connections
 * (half-open ones, too) and then its listeners. Until a stack's answer is there, DIST_AWAIT_US at most, an unknown segment or
 * a SYN that would be refused is dropped instead of reset: the client repeats it. That is sure only of stacks which the new
 * owner knows; so a stack says that it has no listeners until it is in sync, when every member knows it.
 *
 *   file             concern
 *   dist.c           life, parts' functions, counters
 *   dist_config.c    VIPADISTRIBUTE: definitions, CONFIG in and out, building the VDPT
 *   dist_packet.c    one packet
 *   dist_owner.c     what targets say to the routing stack; peers that come and go; aging
 *   dist_target.c    what a target says: listeners, connections, ends
 *   dist_wlm.c       reports of capacity and responsiveness, alarms, probing
 *   dist_affinity.c  TIMEDAFFINITY
 *   dist_local.c     OPTLOCAL
 *   dist_ports.c     SYSPLEXPORTS
 *   dist_qos.c       what a target's connections lose
 *   dist_copy.c      rows copied to the next owners, and clients whose target died with the routing stack
 *
 * How to use it: distributor_create() after sysplex_create() and before sysplex_attach(); then distributor_define() from the
 * profile. All else happens through the part's functions.
 */
#ifndef SYSPLEX_DISTRIBUTOR_H
#define SYSPLEX_DISTRIBUTOR_H

#include "base/arena.h"
#include "base/base.h"
#include "sysplex/sysplex.h"
#include "sysplex/vcrt.h"
#include "sysplex/vdpt.h"
#include "sysplex/wlm.h"

#define DIST_TARGETS_MAX  32
#define DIST_PORTS_MAX    64 /* of one statement */
#define DIST_AWAIT_US     (3 * USEC_PER_SEC)
#define DIST_QUIESCES_MAX 16
#define DIST_AFFINITY_MAX 9999
#define DIST_OPTLOCAL_MAX 16

struct distributor;
struct tcp_info;

struct distributor_config {
    struct arena *arena;
    u32 rows;       /* connections routed at once */
    u32 copies;     /* rows of other routing stacks, kept for the case that this one is the next owner */
    u32 ports;      /* distributed ports, learnt ones included */
    u32 vipas;      /* distributed DVIPAs */
    u32 defs;       /* ports in VIPADISTRIBUTE statements, own and learnt */
    u32 affinities; /* clients remembered by TIMEDAFFINITY */
    u32 seed[4];    /* unpredictable: the tables' keys */
    u32 lpar_weight;
    u32 report_sec; /* SYSPLEXWLMPOLL */
    /* Idle time of this system since IPL in microseconds; NULL: no WLM here. */
    u64 (*idle_us)(void *ctx);
    void *idle_ctx;
};
void distributor_config_default(struct distributor_config *c);
size_t distributor_bytes(const struct distributor_config *c);
/* NULL: the arena is too small. Registers itself with sx. */
struct distributor *distributor_create(const struct distributor_config *c, struct sysplex *sx, u64 now);

/* ---- VIPADISTRIBUTE ---- */

struct dist_dest {
    struct ipaddr dynxcf;
    u8 weight; /* WEIGHT n, 1..99 */
    u8 rank;   /* HOTSTANDBY: 0 PREFERRED, else BACKUP n */
};
/* What is the same for all ports of a statement. */
struct dist_options {
    u8 method; /* enum dist_method */
    u8 flags;  /* VDPT_NOSWITCHBACK, VDPT_NOHEALTHSWITCH */
    bool sysplexports;
    u8 optlocal; /* 0 NOOPTLOCAL, else value + 1 */
    u16 affinity_sec;
};
struct dist_statement {
    struct ipaddr dvipa;
    struct dist_options options;
    u8 ports, dests; /* ports 0: PORT omitted; dests 0: DESTIP ALL */
    u16 port[DIST_PORTS_MAX];
    struct dist_dest dest[DIST_TARGETS_MAX];
};
/* DEFINE. 0; -ERR_NOENT the DVIPA is neither VIPADEFINEd nor VIPABACKUPed here; -ERR_INVAL HOTSTANDBY without exactly one
 * PREFERRED and a BACKUP; -ERR_NOMEM. A port that is defined already takes the new options. */
int distributor_define(struct distributor *d, const struct dist_statement *s, u64 now);
/* DELETE: ports of the statement (none: all of the DVIPA), of its own, or of those it was sent if it routes by them. -ERR_NOENT. Connections go on. */
int distributor_delete(struct distributor *d, const struct dist_statement *s, u64 now);
/* VIPADELETE of the address: its own definitions go, too. */
void distributor_forget(struct distributor *d, struct ipaddr dvipa, u64 now);

/* ---- V TCPIP,,SYSPLEX,QUIESCE | RESUME ---- */
struct dist_quiesce {
    bool target;     /* TARGET: everything */
    u16 port;        /* POrt=n, 0 none */
    char jobname[9]; /* JOBNAME=j, "" none */
    u16 asid;        /* ASID=x beside JOBNAME: this start of the job only, 0 any */
};
/* -ERR_ALREADY; -ERR_NOMEM; RESUME: -ERR_NOENT. */
int distributor_quiesce(struct distributor *d, const struct dist_quiesce *q, u64 now);
int distributor_resume(struct distributor *d, const struct dist_quiesce *q, u64 now);
/* The job has ended: what was quiesced with an ASID of it is forgotten. */
void distributor_job_ended(struct distributor *d, const char *jobname);

/* GLOBALCONFIG SYSPLEXWLMPOLL: seconds between reports. */
void distributor_set_poll(struct distributor *d, u32 seconds, u64 now);

/* ---- policy ---- */
struct dist_policy {
    u32 allowed;   /* bits of slots that may take it */
    bool else_any; /* if none of them can, anybody may */
    u16 rule;      /* number of the rule, for the displays; 0 none */
    u32 *denied;   /* counted when the connection is refused because of it; NULL: not */
};
/* Asked for each new connection; *out is "everybody, no rule" before. */
typedef void dist_policy_fn(void *ctx, const struct vcrt_key *k, struct dist_policy *out, u64 now);
void distributor_set_policy(struct distributor *d, dist_policy_fn *fn, void *ctx);
/* Slot of a dynamic XCF address, VDPT_NOBODY if no stack has it now. Slot 0 is this stack. */
u32 distributor_slot(const struct distributor *d, struct ipaddr dynxcf);
/* QoS fraction that this stack reports for a port it serves, 0..100 taken off its weight. */
void distributor_set_qos(struct distributor *d, struct ipaddr dvipa, u16 port, u8 fraction);
/* What the connections of the i-th port that this stack serves have sent since the previous sample of it; false past the last.
 * sampled: the totals that the next sample begins from are kept. */
struct dist_sample {
    struct ipaddr dvipa;
    u16 port;
    u8 qos_fraction; /* as last set */
    u32 segments, retransmitted, timeouts;
};
bool distributor_sample(struct distributor *d, u32 i, bool sampled, struct dist_sample *out);

/* ---- displays ---- */
/* Of a listener of this stack (TCP_LISTEN): how much of its backlog is free, 0..100, and whether QUIESCE holds for it. */
struct dist_listener_state {
    u8 sef;
    bool quiesced;
};
struct dist_listener_state distributor_listener_state(const struct distributor *d, const struct tcp_info *l);
const struct vdpt *distributor_vdpt(const struct distributor *d);
const struct vcrt *distributor_vcrt(const struct distributor *d);
struct ipaddr distributor_slot_addr(const struct distributor *d, u32 slot);
/* Definitions in force or of this stack's profile: i-th, false past the last. dest[] as in struct dist_statement. */
struct dist_definition {
    struct ipaddr dvipa;
    u16 port;
    struct dist_options options;
    bool own, in_force;
    u8 dests;
    struct dist_dest dest[DIST_TARGETS_MAX];
};
bool distributor_definition(const struct distributor *d, u32 i, struct dist_definition *out);
/* SYSPLEXPORTS: who has which 64 ports. The routing stack knows of all, another one of its own. row() false: no more. */
struct dist_port_block {
    struct ipaddr dvipa;
    u16 first, last;
    const struct sysplex_peer *holder; /* NULL: this stack */
};
void distributor_port_blocks(const struct distributor *d, bool (*row)(void *ctx, const struct dist_port_block *b), void *ctx);
/* This stack routes addr / serves it as a target. */
bool distributor_routes(const struct distributor *d, struct ipaddr addr);
bool distributor_serves(const struct distributor *d, struct ipaddr addr);

#define DIST_COUNTERS(C)                                                                                              \
    C(routed) C(local) C(kept_local) C(chosen) C(refused) C(resets_sent) C(icmp_routed) C(fragments_joined) C(to_owner)             \
        C(configs_sent) C(configs_in) C(listeners_in) C(conns_in) C(reports_in) C(ended) C(opened) C(asked)           \
            C(drop_form) C(drop_stale) C(drop_epoch) C(drop_isn) C(drop_awaiting) C(drop_early) C(drop_no_row) C(drop_no_owner)     \
                C(drop_no_target) C(defs_full) C(vipas_full) C(ports_full) C(slots_full) C(notices_lost)              \
                    C(affinities_full) C(rechosen) C(begun_before) C(by_copy) C(probes) C(takeovers)       \
                        C(ports_given) C(ports_none) C(blocks_had) C(blocks_granted) C(blocks_none) C(blocks_revoked)   \
                        C(copies_sent) C(copies_in) C(copies_full) C(copies_whole) C(lost_told) C(lost_answered)
struct dist_counters {
#define C(name) u32 name;
    DIST_COUNTERS(C)
#undef C
};
const struct dist_counters *distributor_counters(const struct distributor *d);
/* Name and value of the i-th; NULL past the last. */
const char *distributor_counter(const struct distributor *d, u32 i, u32 *value);

#endif
