/* dist_wlm.c - reports of capacity and responsiveness, the weights that follow, alarms and probing. See wlm.h for the figures.
 *
 * Every stack tells all others its capacity each interval (60 s, or SYSPLEXWLMPOLL), with SYNs received and connections
 * established for each port it serves since the last report. The routing stack holds them against what it has sent. A target whose TSR
 * is 0 gets nothing more; at each of its reports it is given one connection, and what becomes of that decides.
 */
#include "base/str.h"
#include "net/netconf.h"
#include "sysplex/dist_impl.h"

#define TSR_ALARM 25u /* EZD1182I: a server that takes less than a quarter is not responsive */

/* ---- weights ---- */

void dist_weigh(struct distributor *d) {
    u32 capacity[DIST_TARGETS_MAX];
    u8 weight[DIST_TARGETS_MAX];
    for (u32 i = 0; i < DIST_TARGETS_MAX; i++) capacity[i] = dist_slot_capacity(d, i);
    wlm_weights(capacity, weight, DIST_TARGETS_MAX);
    for (struct vdpt_port *p = NULL; (p = vdpt_walk(&d->vdpt, p)) != NULL;) {
        for (u32 i = 0; i < DIST_TARGETS_MAX; i++) {
            struct vdpt_target *t = &p->t[i];
            if (!(t->flags & VDPT_IN)) continue;
            t->wlm = weight[i];
            t->flags = (u8)((t->flags & ~VDPT_UNREACHABLE) | (d->unreachable >> i & 1 ? VDPT_UNREACHABLE : 0));
        }
        vdpt_weigh(p);
    }
}

/* ---- alarms ---- */

static void tell_alarm(struct distributor *d, const struct vdpt_port *p, struct vdpt_target *t, u32 slot) {
    bool bad = vdpt_tsr(t) < TSR_ALARM, said = t->flags & VDPT_ALARM;
    const struct dist_slot *s = &d->slot[slot];
    char addr[IPADDR_TEXT_MAX];
    if (bad == said) return;
    t->flags ^= VDPT_ALARM;
    const char *tcp = s->peer ? s->peer->tcpname : sysplex_tcpname(d->sx);
    const char *sys = s->peer ? s->peer->system : sysplex_sysname(d->sx);
    if (bad)
        stack_message(sysplex_stack(d->sx), "EZD1182I TARGET SERVER FOR %s PORT %u AT %s ON %s IS NOT RESPONSIVE - TCSR %u CER %u SEF %u",
                      ipaddr_text(p->dvipa, addr), p->port, tcp, sys, t->tcsr, t->cer, t->sef);
    else
        stack_message(sysplex_stack(d->sx), "EZD1183I TARGET SERVER FOR %s PORT %u AT %s ON %s IS RESPONSIVE - TCSR %u CER %u SEF %u",
                      ipaddr_text(p->dvipa, addr), p->port, tcp, sys, t->tcsr, t->cer, t->sef);
}

/* ---- reports ---- */

struct backlog {
    const struct dist_served *served;
    u32 waiting, backlog, dropped;
    bool in_use; /* somebody listens or is connected */
};

static bool add_port(void *ctx, const struct tcp_info *l) {
    struct backlog *b = ctx;
    if (l->key.local_port != b->served->port) return true;
    if (!ipaddr_is_any(l->key.local) && !ipaddr_eq(l->key.local, b->served->dvipa)) return true;
    b->in_use = true;
    if (l->state != TCP_LISTEN) return true;
    b->waiting += l->backlog_now;
    b->backlog += l->backlog;
    b->dropped += l->conns_dropped;
    return true;
}

/* false: the port is not served any more, and nothing has happened since the last report. A passive data port is used once. */
static bool measure(struct distributor *d, struct dist_served *s) {
    struct backlog b = {.served = s};
    tcp_for_each(sysplex_stack(d->sx), add_port, &b);
    u32 turned_away = b.dropped >= s->turned_away ? b.dropped - s->turned_away : 0;
    s->sef = wlm_accepting(100, b.waiting, b.backlog, turned_away);
    s->turned_away = b.dropped;
    return b.in_use || s->syns || s->opened;
}

void dist_report(struct distributor *d, u64 now) {
    u32 at = DISTMSG_REPORT_HEAD;
    if (d->cfg.idle_us) wlm_sample(&d->wlm, d->cfg.idle_us(d->cfg.idle_ctx), now);
    u32 capacity = d->cfg.idle_us ? wlm_capacity(&d->wlm) : 0;
    bool routing = net_config(sysplex_stack(d->sx))->ip.sysplex_routing;
    be32_put(d->out, capacity);
    be32_put(d->out + 4, routing ? 1u << 24 : 0);
    for (u32 i = 0; i < d->served_count;) {
        struct dist_served *s = &d->served[i];
        if (!measure(d, s)) {
            *s = d->served[--d->served_count];
            continue;
        }
        i++;
        struct distmsg_report r = {s->dvipa, s->port, s->sef, s->qos_fraction, s->syns, s->opened};
        distmsg_report_emit(d->out + at, &r);
        at += DISTMSG_REPORT_ROW;
        s->syns = s->opened = 0;
    }
    d->slot[SLOT_SELF].capacity = capacity;
    d->slot[SLOT_SELF].reported = d->cfg.idle_us != NULL;
    d->slot[SLOT_SELF].routing_wlm = routing;
    dist_report_rows(d, SLOT_SELF, d->out + DISTMSG_REPORT_HEAD, (at - DISTMSG_REPORT_HEAD) / DISTMSG_REPORT_ROW, now);
    /* A report that finds no room is not worth a queue: the next one is as good. */
    dist_send(d, NULL, DISTMSG_REPORT, at, now);
    dist_weigh(d);
}

static void judge(struct distributor *d, struct vdpt_port *p, u32 slot, const struct distmsg_report *r) {
    struct vdpt_target *t = &p->t[slot];
    t->tcsr = wlm_success(t->tcsr, r->syns, t->sent);
    t->cer = wlm_success(t->cer, r->opened, r->syns);
    t->sef = r->sef;
    t->qos_fraction = r->qos_fraction;
    t->sent = 0;
    tell_alarm(d, p, t, slot);
    /* Whoever gets nothing has nothing to show: one connection tells whether it has recovered. While the server's queue is full
     * (SEF 0) that connection would only be lost; that there is room again the next report says by itself. */
    if (vdpt_tsr(t) > 0 || !t->ready || t->sef == 0) return;
    t->flags |= VDPT_PROBE;
    d->count.probes++;
}

void dist_report_rows(struct distributor *d, u32 slot, const u8 *rows, u32 n, u64 now) {
    UNUSED(now);
    for (u32 i = 0; i < n; i++) {
        struct distmsg_report r;
        if (!distmsg_report_parse(rows + (size_t)i * DISTMSG_REPORT_ROW, &r)) {
            d->count.drop_form++;
            continue;
        }
        struct vdpt_port *p = vdpt_find(&d->vdpt, r.dvipa, r.port);
        if (p && (p->t[slot].flags & VDPT_IN)) judge(d, p, slot, &r);
    }
}

void dist_report_in(struct distributor *d, struct sysplex_peer *from, const u8 *p, u32 len, u64 now) {
    u32 rows, slot = dist_slot_of(d, from);
    if (!distmsg_rows_check(len, DISTMSG_REPORT_HEAD, DISTMSG_REPORT_ROW, &rows)) {
        d->count.drop_form++;
        return;
    }
    if (slot == VDPT_NOBODY) return; /* no target of ours */
    d->count.reports_in++;
    d->slot[slot].capacity = be32_get(p);
    d->slot[slot].routing_wlm = p[4] & 1;
    d->slot[slot].reported = true;
    dist_report_rows(d, slot, p + DISTMSG_REPORT_HEAD, rows, now);
    dist_weigh(d);
}

void distributor_set_qos(struct distributor *d, struct ipaddr dvipa, u16 port, u8 fraction) {
    struct dist_served *s = dist_served_for(d, dvipa, port);
    if (s) s->qos_fraction = (u8)u32_min(fraction, 100);
}

void distributor_set_poll(struct distributor *d, u32 seconds, u64 now) {
    d->cfg.report_sec = seconds;
    d->next_report = now + (u64)seconds * USEC_PER_SEC;
}
