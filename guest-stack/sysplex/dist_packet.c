/* dist_packet.c - one packet for a DVIPA: whose is it? See distributor.h.
 *
 * The straight lines, dist_routed(), are asked before IP looks at the packet. At the routing stack: a segment of a connection that has a row
 * (ports out of the header, one look-up, sysplex_pass(), a tick and an acknowledgement into the row), and a first SYN of which nothing is
 * known but that its port is distributed. At a target: what a routing stack has sent. Everything else (repeated SYNs, fragments, ICMP
 * errors, unknown segments, ways that are not XCF's) leaves those lines and may cost more.
 *
 *   at the routing stack   row                          to its target
 *                          SYN of what is open here     this stack: it was a target when the connection began
 *                          SYN that the former owner    its target, until that one has answered CONFIG: it may have the SYN
 *                            has given to a target
 *                          SYN from the former owner    this stack, or dropped if it has a row elsewhere
 *                          SYN, distributed port        chosen; nobody: RST (dropped while answers are awaited)
 *                          SYN, other port              this stack
 *                          SYN with ACK                 this stack's own connection; else dropped: NEWCONN is on its way;
 *                                                       likewise with a row for the client's SYN that went elsewhere meanwhile
 *                          else                         this stack: its own connection; its target, if that has not answered CONFIG in
 *                                                       time and a copy says so; or RST (the same exception)
 *   at an owner without    each                         this stack
 *     definitions
 *   at another stack       SYN from the former owner    dropped
 *                          from a routing stack, or     this stack
 *                            known here
 *                          over XCF, and unmarked       dropped: a program there has not noticed the change, and will repeat it
 *                          else, and each SYN over      to the owner, by XCF: whoever sent it here has not noticed the change
 *                            HiperSockets
 *   from a program here    from the DVIPA to itself     this stack, which has both ends
 *                          SYN that OPTLOCAL keeps      this stack, without a row
 *                          else                         as above: at another stack to the owner
 *
 * A fragment is joined with its fellows first and goes on whole. An ICMP error follows the connection that it quotes, so that a
 * target learns the path's MTU.
 */
#include "net/ip.h"
#include "net/ipfrag.h"
#include "sysplex/dist_impl.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/tcphdr.h"

#define TCP_DPORT_AT 2
#define TCP_FLAGS_AT 13
#define TCP_SEQ_AT   4
#define TCP_ACK_AT   8
#define QUOTE_PORTS  4
#define SYN_PATIENCE 3u /* ticks of the VCRT: a SYN is repeated after one second and after three */

static enum sysplex_verdict send_to(struct distributor *d, u32 slot, struct pkt *p, u64 now) {
    struct dist_slot *s = &d->slot[slot];
    if (slot == SLOT_SELF) {
        d->count.local++;
        return SYSPLEX_PASS;
    }
    if (!s->peer) {
        d->count.drop_no_target++;
        return SYSPLEX_TAKEN;
    }
    d->count.routed++;
    p->flags |= PKT_DISTRIBUTED;
    sysplex_forward(d->sx, s->peer, p, now);
    return SYSPLEX_TAKEN;
}

static enum sysplex_verdict drop(u32 *counter) {
    (*counter)++;
    return SYSPLEX_TAKEN;
}

static bool is_awaiting(const struct dist_vipa *v, u64 now) {
    return v->awaiting && now < v->awaiting_until;
}

/* The slot for a first SYN; VDPT_NOBODY. */
static u32 choose(struct distributor *d, struct vdpt_port *port, const struct vcrt_key *k, u16 *rule, u64 now) {
    *rule = 0;
    if (!d->policy && !port->affinity_sec) return vdpt_choose(port, UINT32_MAX);
    struct dist_policy say = {.allowed = UINT32_MAX};
    if (d->policy) d->policy(d->policy_ctx, k, &say, now);
    u32 allowed = say.else_any && !vdpt_eligible(port, say.allowed) ? UINT32_MAX : say.allowed;
    *rule = say.rule;
    u32 bound = port->affinity_sec ? dist_affinity_slot(d, k, now) : VDPT_NOBODY;
    /* Affinity beats the method, but not the absence of a listener. */
    if (bound != VDPT_NOBODY && (vdpt_eligible(port, 1u << bound) & allowed)) {
        port->t[bound].sent++;
        vdpt_count(port, bound, true);
        return bound;
    }
    u32 slot = vdpt_choose(port, allowed);
    if (slot == VDPT_NOBODY && say.denied && vdpt_eligible(port, UINT32_MAX)) ++*say.denied;
    return slot;
}

/* May slot, whose answer to CONFIG is missing, have the SYN that the former owner has given it, or get it yet? */
static bool may_have(const struct distributor *d, const struct dist_vipa *v, u32 slot, u64 now) {
    return is_awaiting(v, now) && (v->awaiting >> slot & 1) && !(d->unreachable >> slot & 1);
}

/* The target that the former owner has given this SYN to; VDPT_NOBODY: none that has to be asked. */
static u32 begun_before(struct distributor *d, const struct dist_vipa *v, struct vdpt_port *port, const struct vcrt_key *k, u32 seq, u64 now) {
    u32 slot = dist_copy_begun(d, k, seq);
    if (slot == VDPT_NOBODY || !may_have(d, v, slot, now) || !(port->t[slot].flags & VDPT_IN)) return VDPT_NOBODY;
    d->count.begun_before++;
    port->t[slot].sent++;
    vdpt_count(port, slot, true);
    return slot;
}

/* A row for a SYN whose target is found, and counted in the port; NULL: there is none left. */
static struct vcrt_row *begin_row(struct distributor *d, struct vdpt_port *port, const struct vcrt_key *k, u32 slot, u16 rule, u32 seq, u64 now) {
    struct vcrt_row *row = vcrt_add(&d->vcrt, k, slot, VCRT_EV_SYN, now);
    if (!row) {
        vdpt_count(port, slot, false);
        d->count.drop_no_row++;
        return NULL;
    }
    sysplex_poll_by(d->sx, d->age_at);
    row->port = port->index;
    row->rule = rule;
    row->isn = seq;
    if (port->affinity_sec) dist_affinity_opened(d, port, row, now);
    if (slot == SLOT_SELF) {
        struct dist_served *s = dist_served_for(d, k->dvipa, k->dport);
        if (s) s->syns++;
    }
    return row;
}

/* A target is chosen for it; NULL: the SYN was refused or dropped, and that counted. */
static struct vcrt_row *choose_row(struct distributor *d, const struct dist_vipa *v, struct vdpt_port *port, const struct pkt *p,
                                   const struct vcrt_key *k, u32 seq, u64 now) {
    u16 rule;
    u32 slot = choose(d, port, k, &rule, now);
    if (slot != VDPT_NOBODY) {
        d->count.chosen++;
        return begin_row(d, port, k, slot, rule, seq, now);
    }
    if (is_awaiting(v, now)) {
        d->count.drop_awaiting++;
        return NULL;
    }
    d->count.refused++;
    tcp_refuse(sysplex_stack(d->sx), p, now);
    return NULL;
}

static enum sysplex_verdict first_syn(struct distributor *d, struct dist_vipa *v, struct pkt *p, const struct vcrt_key *k,
                                      u32 seq, u64 now) {
    struct vdpt_port *port = vdpt_find(&d->vdpt, k->dvipa, k->dport);
    /* A port that nobody has reported may be one that a target is about to report. */
    if (!port) return is_awaiting(v, now) ? drop(&d->count.drop_awaiting) : SYSPLEX_PASS;
    u32 slot = begun_before(d, v, port, k, seq, now);
    const struct vcrt_row *row =
        slot == VDPT_NOBODY ? choose_row(d, v, port, p, k, seq, now) : begin_row(d, port, k, slot, 0, seq, now);
    return row ? send_to(d, row->target, p, now) : SYSPLEX_TAKEN;
}

/* Can its target's answer to a SYN be on its way, though it gets no new ones? What was begun before QUIESCE is completed. Who does not respond
 * is given as long as the client's second time-out, unless his queue is full, for then he has not taken the SYN. */
static bool may_have_answered(const struct vdpt_target *t, const struct vcrt_row *row, u64 now) {
    if (t->flags & VDPT_UNREACHABLE) return false;
    if (t->flags & VDPT_QUIESCED) return true;
    return t->ready && t->sef && vcrt_tick(now) - row->queued < SYN_PATIENCE;
}

/* A repeated SYN stays with its target as long as that may have answered the first: of two answers the client believes one, and a reset from
 * the other ends it. One in a row that is over is a first one. */
static bool syn_begins_anew(struct distributor *d, const struct vcrt_row *row, u64 now) {
    if (row->state == VCRT_FIN || row->state == VCRT_ENDED) return true;
    const struct vdpt_port *port = vdpt_at(&d->vdpt, row->port);
    if (row->state != VCRT_SYN || !port || vdpt_eligible(port, 1u << row->target)) return false;
    const struct dist_vipa *v = dist_vipa_find(d, row->key.dvipa);
    if (may_have_answered(&port->t[row->target], row, now) || (v && may_have(d, v, row->target, now))) return false;
    d->count.rechosen++;
    return true;
}

/* A target that lives and has not answered in time (signals between the two are lost, say) is not one without connections: what is known of them
 * by copies goes to it, for only it can say that one is over. */
static enum sysplex_verdict by_copy(struct distributor *d, struct pkt *p, const struct vcrt_key *k, u64 now) {
    u32 slot = vcrt_rows(&d->copies) ? dist_copy_target(d, k) : VDPT_NOBODY;
    if (slot == VDPT_NOBODY) return SYSPLEX_PASS;
    d->count.by_copy++;
    return send_to(d, slot, p, now);
}

static enum sysplex_verdict without_row(struct distributor *d, struct pkt *p, const struct vcrt_key *k, u8 flags, u32 seq,
                                        u64 now) {
    struct dist_vipa *v = dist_vipa_find(d, k->dvipa);
    struct stack *stk = sysplex_stack(d->sx);
    struct tcp_key key = {k->dvipa, k->client, k->dport, k->cport};
    bool own = p->in->type == LNK_LOOPBACK, syn = vcrt_event_of(flags) == VCRT_EV_SYN;
    if (!v || (own && ipaddr_eq(p->src, p->dst))) return SYSPLEX_PASS;
    if (own && syn && !tcp_known(stk, &key) && dist_stays_here(d, v, k->dport)) {
        d->count.kept_local++;
        return SYSPLEX_PASS;
    }
    if (v->routing) {
        if (vcrt_rows(&d->copies) && dist_copy_answer(d, k, p, flags, now)) return SYSPLEX_TAKEN;
        if (syn && !(own ? tcp_known(stk, &key) : tcp_lives(stk, &key))) return first_syn(d, v, p, k, seq, now);
        if (tcp_known(stk, &key)) return SYSPLEX_PASS;
        /* The connection of a stack that has not answered yet must not be reset. */
        if (is_awaiting(v, now)) return drop(&d->count.drop_awaiting);
        /* The answer to a target's own SYN may be faster than its word about it: both sides repeat theirs. */
        return (flags & TCPF_SYN) ? drop(&d->count.drop_early) : by_copy(d, p, k, now);
    }
    /* A SYN from outside begins a new life of its ports, which is the owner's to give away, though the earlier one waits here (TIME_WAIT). */
    bool here = syn && !own ? tcp_lives(stk, &key) : tcp_known(stk, &key);
    if (v->mine || here) return SYSPLEX_PASS;
    /* Nothing goes over XCF twice without a mark, and nothing that is not known here may begin or be reset here. */
    if (p->in->type == LNK_MPCPTP) return drop(&d->count.drop_stale);
    if (!v->owner) return drop(&d->count.drop_no_owner);
    d->count.to_owner++;
    sysplex_forward(d->sx, v->owner, p, now);
    return SYSPLEX_TAKEN;
}

/* A first SYN from another stack than the present routing stack, or, while nobody owns the address, than the latest one that lives (XCF says from
 * whom, and GRE by its outer source address). One that XCF had to
 * send again may arrive when the next routing stack has the list of the connections here already: it would reset the one that begins
 * now. The client repeats the SYN, and the new one chooses. */
static bool is_stale(const struct dist_vipa *v, const struct pkt *p) {
    const struct sysplex_peer *routes = v && v->owner ? v->owner : v ? v->config_of : NULL;
    return v && (!routes || p->from != SX_FROM(routes));
}

static void count_syn(struct distributor *d, struct ipaddr dvipa, const u8 *tcp) {
    struct dist_served *s = dist_served_for(d, dvipa, be16_get(tcp + TCP_DPORT_AT));
    if (s) s->syns++;
}

/* A SYN that a former owner has given to this stack, which routes by now: it begins here, with a row like any other, unless the client has repeated it
 * and another one was chosen. */
static enum sysplex_verdict given_before(struct distributor *d, struct pkt *p, const u8 *tcp, u64 now) {
    struct vcrt_key k = {p->dst, p->src, be16_get(tcp + TCP_DPORT_AT), be16_get(tcp)};
    struct tcp_key here = {k.dvipa, k.client, k.dport, k.cport};
    struct vcrt_row *row = vcrt_find(&d->vcrt, &k);
    struct vdpt_port *port = vdpt_find(&d->vdpt, k.dvipa, k.dport);
    if (row && row->target != SLOT_SELF) return drop(&d->count.drop_stale);
    if (row) vcrt_segment(&d->vcrt, row, tcp[TCP_FLAGS_AT], be32_get(tcp + TCP_SEQ_AT), 0, now);
    if (row || !port || !(port->t[SLOT_SELF].flags & VDPT_IN) || tcp_lives(sysplex_stack(d->sx), &here)) return SYSPLEX_PASS;
    vdpt_count(port, SLOT_SELF, true);
    row = begin_row(d, port, &k, SLOT_SELF, 0, be32_get(tcp + TCP_SEQ_AT), now);
    return row ? send_to(d, row->target, p, now) : SYSPLEX_TAKEN;
}

/* What a routing stack has sent to this target. */
static enum sysplex_verdict arrived(struct distributor *d, struct pkt *p, const u8 *tcp, u64 now) {
    if (vcrt_event_of(tcp[TCP_FLAGS_AT]) != VCRT_EV_SYN) return SYSPLEX_PASS;
    const struct dist_vipa *v = dist_vipa_find(d, p->dst);
    if (v && v->routing) return given_before(d, p, tcp, now);
    if (is_stale(v, p)) return drop(&d->count.drop_stale);
    count_syn(d, p->dst, tcp);
    return SYSPLEX_PASS;
}

/* HiperSockets carry no mark, for they carry nothing but what was routed, and no SYN (forward.c). */
static bool was_routed(const struct distributor *d, const struct pkt *p, const u8 *tcp) {
    if (p->flags & PKT_DISTRIBUTED) return true;
    if (p->in->type != LNK_IPAQIDIO || vcrt_event_of(tcp[TCP_FLAGS_AT]) == VCRT_EV_SYN) return false;
    const struct dist_vipa *v = dist_vipa_find(d, p->dst);
    return v && !v->routing;
}

static enum sysplex_verdict segment(struct distributor *d, struct pkt *p, const u8 *tcp, u64 now) {
    if (was_routed(d, p, tcp)) return arrived(d, p, tcp, now);
    u32 ports = be32_get(tcp), seq = be32_get(tcp + TCP_SEQ_AT), ack = be32_get(tcp + TCP_ACK_AT);
    struct vcrt_key k = {p->dst, p->src, (u16)ports, (u16)(ports >> 16)};
    u8 flags = tcp[TCP_FLAGS_AT];
    struct vcrt_row *row = vcrt_find(&d->vcrt, &k);
    if (row && (flags & (TCPF_SYN | TCPF_ACK)) == TCPF_SYN && syn_begins_anew(d, row, now)) {
        vcrt_del(&d->vcrt, row);
        row = NULL;
    }
    if (!row) return without_row(d, p, &k, flags, seq, now);
    /* It answers somebody else's SYN than the target's that this row is for: whose, NEWCONN will say. */
    bool answers = (flags & (TCPF_SYN | TCPF_ACK)) == (TCPF_SYN | TCPF_ACK);
    if (answers && row->state == VCRT_SYN) return drop(&d->count.drop_early);
    if (vcrt_segment(&d->vcrt, row, flags, seq, ack, now) && row->state == VCRT_OPEN) dist_copy_note(d, row, true, now);
    return send_to(d, row->target, p, now);
}

/* ICMP errors follow the connection that they quote; everything else is for this stack. */
static enum sysplex_verdict icmp(struct distributor *d, struct pkt *p, const u8 *at, u32 len, u64 now) {
    if (len < ICMP_HEADER_BYTES + IP4_HEADER_MIN + QUOTE_PORTS || (p->flags & PKT_DISTRIBUTED)) return SYSPLEX_PASS;
    if (at[0] != ICMP_UNREACHABLE && at[0] != ICMP_TIME_EXCEEDED && at[0] != ICMP_PARAMETER) return SYSPLEX_PASS;
    const u8 *q = at + ICMP_HEADER_BYTES;
    u32 quoted = ip4_header_bytes(q);
    if (quoted < IP4_HEADER_MIN || len < ICMP_HEADER_BYTES + quoted + QUOTE_PORTS || q[IP4_PROTO] != IP_PROTO_TCP)
        return SYSPLEX_PASS;
    /* The quoted packet was sent from the DVIPA. */
    struct vcrt_key k = {ipaddr_get(q + IP4_SRC), ipaddr_get(q + IP4_DST), be16_get(q + quoted), be16_get(q + quoted + 2)};
    const struct vcrt_row *row = ipaddr_eq(k.dvipa, p->dst) ? vcrt_find(&d->vcrt, &k) : NULL;
    if (!row || row->target == SLOT_SELF) return SYSPLEX_PASS;
    d->count.icmp_routed++;
    return send_to(d, row->target, p, now);
}

static enum sysplex_verdict whole(struct distributor *d, struct pkt *p, u64 now) {
    u32 header = ip4_header_bytes(p->data), len = p->len - header;
    const u8 *at = p->data + header;
    if (p->proto == IP_PROTO_TCP && len >= TCPHDR_BYTES) return segment(d, p, at, now);
    return p->proto == IP_PROTO_ICMP ? icmp(d, p, at, len, now) : SYSPLEX_PASS;
}

/* Only the routing stack joins: a target's own IP does so for what was sent to it. */
static enum sysplex_verdict fragment(struct distributor *d, struct pkt *p, u64 now) {
    const struct dist_vipa *v = dist_vipa_find(d, p->dst);
    struct stack *stk = sysplex_stack(d->sx);
    if (!v || !v->routing || (p->flags & PKT_DISTRIBUTED) || p->proto != IP_PROTO_TCP) return SYSPLEX_PASS;
    struct pbuf *b = ipfrag_input(stk, p, now);
    if (!b) return SYSPLEX_TAKEN;
    d->count.fragments_joined++;
    b->pkt.in = p->in;
    enum sysplex_verdict verdict = whole(d, &b->pkt, now);
    /* This stack's own IP takes it from here as a datagram that was never cut. */
    if (verdict == SYSPLEX_PASS) ip_deliver(stk, &b->pkt, now);
    pbuf_release(b);
    return SYSPLEX_TAKEN;
}

/* The same before IP has looked at it, and where no other part of the sysplex has a say: it is this target's own. */
static enum stack_way arrived_early(struct distributor *d, const struct pkt *p, struct ipaddr dvipa, const u8 *tcp) {
    const struct dist_vipa *v = dist_vipa_find(d, dvipa);
    if (!v || !v->target || v->routing) return STACK_WAY_ASK;
    if (vcrt_event_of(tcp[TCP_FLAGS_AT]) != VCRT_EV_SYN) return STACK_WAY_HERE;
    if (is_stale(v, p)) return STACK_WAY_ASK;
    count_syn(d, dvipa, tcp);
    return STACK_WAY_HERE;
}

/* Of a TCP segment whose IP header has no options. */
static inline struct vcrt_key key_at(const u8 *h) {
    u32 ports = be32_get(h + IP4_HEADER_MIN);
    return (struct vcrt_key){ipaddr_get(h + IP4_DST), ipaddr_get(h + IP4_SRC), (u16)ports, (u16)(ports >> 16)};
}

/* A first SYN, unless something is known of it that has to be thought about. */
static enum stack_way syn_early(struct distributor *d, struct pkt *p, u64 now) {
    struct vcrt_key k = key_at(p->data);
    const struct dist_vipa *v = dist_vipa_find(d, k.dvipa);
    struct vdpt_port *port = v && v->routing ? vdpt_find(&d->vdpt, k.dvipa, k.dport) : NULL;
    struct tcp_key key = {k.dvipa, k.client, k.dport, k.cport};
    if (!port || p->in->type == LNK_LOOPBACK || sysplex_has_moved(d->sx) || vcrt_find(&d->vcrt, &k) ||
        (vcrt_rows(&d->copies) && vcrt_find(&d->copies, &k)) || tcp_lives(sysplex_stack(d->sx), &key))
        return STACK_WAY_ASK;
    ip_header_read(p); /* a refusal, and ways that are not XCF's, want to know */
    const struct vcrt_row *row = choose_row(d, v, port, p, &k, be32_get(p->data + IP4_HEADER_MIN + TCP_SEQ_AT), now);
    if (!row) return STACK_WAY_TAKEN;
    struct sysplex_peer *to = d->slot[row->target].peer;
    if (!to || !sysplex_pass(d->sx, to, p, now)) return send_to(d, row->target, p, now) == SYSPLEX_TAKEN ? STACK_WAY_TAKEN : STACK_WAY_HERE;
    d->count.routed++;
    return STACK_WAY_TAKEN;
}

/* A segment that may change the state of its row. */
static void step_early(struct distributor *d, struct vcrt_row *row, const u8 *tcp, u64 now) {
    bool changed = vcrt_segment(&d->vcrt, row, tcp[TCP_FLAGS_AT], be32_get(tcp + TCP_SEQ_AT), be32_get(tcp + TCP_ACK_AT), now);
    if (changed && row->state == VCRT_OPEN) dist_copy_note(d, row, true, now);
}

enum stack_way dist_routed(void *ctx, struct pkt *p, u64 now) {
    struct distributor *d = ctx;
    const u8 *h = p->data, *tcp = h + IP4_HEADER_MIN;
    if (h[IP4_PROTO] != IP_PROTO_TCP || p->len < IP4_HEADER_MIN + TCPHDR_BYTES) return STACK_WAY_ASK;
    if (be16_get(h + IP4_FRAG) & (IP4_FRAG_MF | IP4_FRAG_OFFSET)) return STACK_WAY_ASK;
    if (p->flags & PKT_DISTRIBUTED) return arrived_early(d, p, ipaddr_get(h + IP4_DST), tcp);
    u8 flags = tcp[TCP_FLAGS_AT];
    if (flags & TCPF_SYN) return vcrt_event_of(flags) == VCRT_EV_SYN ? syn_early(d, p, now) : STACK_WAY_ASK;
    struct vcrt_key k = key_at(h);
    struct vcrt_row *row = vcrt_find(&d->vcrt, &k);
    struct sysplex_peer *to = row && row->target != SLOT_SELF ? d->slot[row->target].peer : NULL;
    if (!to || !sysplex_pass(d->sx, to, p, now)) return STACK_WAY_ASK;
    if (!vcrt_passed(row, flags, be32_get(tcp + TCP_ACK_AT), now)) step_early(d, row, tcp, now);
    d->count.routed++;
    return STACK_WAY_TAKEN;
}

enum sysplex_verdict dist_packet(void *ctx, struct pkt *p, u64 now) {
    struct distributor *d = ctx;
    if (be16_get(p->data + IP4_FRAG) & (IP4_FRAG_MF | IP4_FRAG_OFFSET)) return fragment(d, p, now);
    return whole(d, p, now);
}
