/* dist_cmd.c - displays and commands of the sysplex distributor; see dist_cmd.h.
 *
 * NETSTAT VCRT shows on the routing stack all rows that it routes by, on a target its own connections to distributed DVIPAs.
 */
#include "super/dist_cmd.h"

#include "base/str.h"
#include "super/command_impl.h"
#include "super/messages.h"
#include "super/netstat.h"
#include "super/pagent.h"
#include "super/profile.h"
#include "super/tcpip.h"
#include "sysplex/distributor.h"
#include "sysplex/dvipa.h"

#define PERCENT 100u

/* ---- NETSTAT VDPT ---- */

/* Actions whose rules could choose for this port, each once. */
static void policy_actions(struct netstat *n, const struct vdpt_port *p, u32 weight) {
    const struct policy *pol = pagent_policy(n->ip);
    u32 said = 0;
    for (u32 i = 0; pol && i < pol->rules; i++) {
        const struct policy_rule *r = &pol->rule[i];
        bool covers = r->distributes && p->dvipa.v4 >= r->destination.low && p->dvipa.v4 <= r->destination.high &&
                      p->port >= r->destination_port.low && p->port <= r->destination_port.high;
        if (!covers || (said >> r->action & 1)) continue;
        said |= 1u << r->action;
        reply_line(n->r, "  QOSPLCACT: %s", pol->action[r->action].name);
        reply_line(n->r, "    W/Q: %02u", weight);
    }
}

static void vdpt_detail(struct netstat *n, const struct vdpt_port *p, const struct vdpt_target *t) {
    reply_line(n->r, "  TCSR: %03u  CER: %03u  SEF: %03u", (u32)t->tcsr, (u32)t->cer, (u32)t->sef);
    reply_line(n->r, "  ACTIVECONN: %010u%s%s%s%s", t->active, (t->flags & VDPT_QUIESCED) ? "  QUIESCED" : "",
               (t->flags & VDPT_UNREACHABLE) ? "  UNREACHABLE" : "", (p->flags & VDPT_DYNAMIC) ? "  DYNAMIC" : "",
               (p->flags & VDPT_PASSIVE) ? "  PASSIVE" : "");
    u32 weight = u32_min((t->effective + PERCENT - 1) / PERCENT, 99);
    reply_line(n->r, "  QOSPLCACT: *DEFAULT*");
    reply_line(n->r, "    W/Q: %02u  FRACTION: %03u", weight, (u32)t->qos_fraction);
    policy_actions(n, p, weight);
}

void netstat_vdpt(struct netstat *n) {
    char addr[IPADDR_TEXT_MAX], xcf[IPADDR_TEXT_MAX];
    reply_line(n->r, "DYNAMIC VIPA DESTINATION PORT TABLE:");
    reply_line(n->r, "DEST IPADDR     DPORT DESTXCF ADDR    RDY TOTALCONN  WLM TSR FLG");
    if (!n->ip->dist) return;
    for (struct vdpt_port *p = NULL; (p = vdpt_walk(distributor_vdpt(n->ip->dist), p)) != NULL;) {
        if (!netstat_addr_passes(n, p->dvipa, p->dvipa) || !netstat_port_passes(n, p->port, p->port)) continue;
        for (u32 i = 0; i < VDPT_TARGETS; i++) {
            const struct vdpt_target *t = &p->t[i];
            if (!(t->flags & VDPT_IN) || !netstat_row(n)) continue;
            /* WEIGHTEDACTIVE shows what was configured where the others show WLM's weight. */
            u32 weight = p->method == DIST_WEIGHTEDACTIVE ? t->weight : t->wlm;
            reply_line(n->r, "%-15s %05u %-15s %03u %010u %02u  %03u %c", ipaddr_text(p->dvipa, addr), (u32)p->port,
                       ipaddr_text(distributor_slot_addr(n->ip->dist, i), xcf), u32_min(t->ready, 999), t->total, weight,
                       vdpt_tsr(t), vdpt_method((enum dist_method)p->method)->letter);
            if (n->detail) vdpt_detail(n, p, t);
        }
    }
}

/* ---- NETSTAT VCRT ---- */

static void vcrt_line(struct netstat *n, struct ipaddr dvipa, u16 dport, struct ipaddr client, u16 cport, struct ipaddr xcf,
                      u16 rule) {
    char a[IPADDR_TEXT_MAX], b[IPADDR_TEXT_MAX], c[IPADDR_TEXT_MAX];
    if (!netstat_addr_passes(n, dvipa, client) || !netstat_port_passes(n, dport, cport) || !netstat_row(n)) return;
    reply_line(n->r, "%-15s %05u %-15s %05u %s", ipaddr_text(dvipa, a), (u32)dport, ipaddr_text(client, b), (u32)cport,
               ipaddr_text(xcf, c));
    if (!n->detail) return;
    const struct policy *pol = rule ? pagent_policy(n->ip) : NULL;
    const struct policy_rule *by = pol ? policy_rule_at(pol, rule) : NULL;
    reply_line(n->r, "  POLICYRULE:   %s", by ? by->name : "*NONE*");
    reply_line(n->r, "  POLICYACTION: %s", by ? pol->action[by->action].name : "*NONE*");
}

static bool own_row(void *ctx, const struct tcp_info *i) {
    struct netstat *n = ctx;
    const struct distributor *d = n->ip->dist;
    if (i->state == TCP_LISTEN || i->state == TCP_TIME_WAIT) return true;
    if (!distributor_serves(d, i->key.local) || distributor_routes(d, i->key.local)) return true;
    vcrt_line(n, i->key.local, i->key.local_port, i->key.foreign, i->key.foreign_port, distributor_slot_addr(d, 0), 0);
    return true;
}

void netstat_vcrt(struct netstat *n) {
    const struct distributor *d = n->ip->dist;
    reply_line(n->r, "DYNAMIC VIPA CONNECTION ROUTING TABLE:");
    reply_line(n->r, "DEST IPADDR     DPORT SRC IPADDR      SPORT DESTXCF ADDR");
    if (!d) return;
    for (struct vcrt_row *r = NULL; (r = vcrt_walk(distributor_vcrt(d), r)) != NULL;)
        if (r->state != VCRT_ENDED)
            vcrt_line(n, r->key.dvipa, r->key.dport, r->key.client, r->key.cport, distributor_slot_addr(d, r->target),
                      r->rule);
    tcp_for_each(n->stk, own_row, n);
}

/* ---- NETSTAT VIPADCFG ---- */

static void cfg_row(struct netstat *n, const struct dist_definition *def, const struct dist_dest *dest) {
    char addr[IPADDR_TEXT_MAX], xcf[IPADDR_TEXT_MAX] = "ALL";
    if (dest) ipaddr_text(dest->dynxcf, xcf);
    if (!netstat_row(n)) return;
    reply_line(n->r, "    DEST:       %s..%u", ipaddr_text(def->dvipa, addr), (u32)def->port);
    reply_line(n->r, "      DESTXCF:    %s", xcf);
    reply_line(n->r, "      DISTMETHOD: %s", vdpt_method((enum dist_method)def->options.method)->name);
    reply_line(n->r, "      SYSPT:      %-3s  TIMAFF: %-4u  FLG: %s", def->options.sysplexports ? "YES" : "NO",
               (u32)def->options.affinity_sec, def->in_force ? "" : "INACTIVE");
    if (!n->detail) return;
    if (def->options.optlocal)
        reply_line(n->r, "      OPTLOC:     %u", (u32)def->options.optlocal - 1);
    else
        reply_line(n->r, "      OPTLOC:     NO");
    if (dest && def->options.method == DIST_WEIGHTEDACTIVE) reply_line(n->r, "      WEIGHT:     %02u", (u32)dest->weight);
    if (dest && def->options.method == DIST_HOTSTANDBY && dest->rank) reply_line(n->r, "      BACKUP:     %03u", (u32)dest->rank);
    if (dest && def->options.method == DIST_HOTSTANDBY && !dest->rank) reply_line(n->r, "      PREFERRED");
}

struct sought {
    struct ipaddr addr;
    bool deactivated;
};

static void is_deactivated(void *ctx, const struct dvipa_config *c) {
    struct sought *s = ctx;
    s->deactivated |= c->deactivated && ipaddr_eq(c->addr, s->addr);
}

void netstat_vipadcfg_dist(struct netstat *n, bool deactivated) {
    struct dist_definition def;
    bool headed = false;
    for (u32 i = 0; n->ip->dist && distributor_definition(n->ip->dist, i, &def); i++) {
        struct sought s = {.addr = def.dvipa};
        if (!def.own || !netstat_addr_passes(n, def.dvipa, def.dvipa)) continue;
        dvipa_config_for_each(n->ip->sx, is_deactivated, &s);
        if (s.deactivated != deactivated) continue;
        if (!headed) reply_line(n->r, "  VIPA DISTRIBUTE:");
        headed = true;
        if (!def.dests) cfg_row(n, &def, NULL);
        for (u32 k = 0; k < def.dests; k++) cfg_row(n, &def, &def.dest[k]);
    }
}

/* ---- D TCPIP,,SYSPLEX,PORTS ---- */

struct ports_pass {
    struct command *c;
    struct tcpip *ip;
    struct ipaddr only, last; /* only: any for all */
    u32 max, shown, matched;
};

static bool ports_row(void *ctx, const struct dist_port_block *b) {
    struct ports_pass *p = ctx;
    char addr[IPADDR_TEXT_MAX];
    if (!ipaddr_is_any(p->only) && !ipaddr_eq(p->only, b->dvipa)) return true;
    if (p->matched++ >= p->max) return true;
    p->shown++;
    if (!ipaddr_eq(p->last, b->dvipa)) {
        reply_line(p->c->r, "IPADDR: %s", ipaddr_text(b->dvipa, addr));
        reply_line(p->c->r, "  TCPNAME  MVSNAME  PORTS");
        reply_line(p->c->r, "  -------- -------- -----------");
    }
    p->last = b->dvipa;
    reply_line(p->c->r, "  %-8s %-8s %05u-%05u", b->holder ? b->holder->tcpname : p->ip->name,
               b->holder ? b->holder->system : system_name(p->ip->sys), (u32)b->first, (u32)b->last);
    return true;
}

void display_ports(struct command *c, struct tcpip *ip, struct ipaddr only, u32 max) {
    struct ports_pass p = {.c = c, .ip = ip, .only = only, .max = max};
    reply_line(c->r, EZZ8260I);
    reply_line(c->r, "PORTS DISPLAY FROM %-8s AT %s", ip->name, system_name(ip->sys));
    if (ip->dist) distributor_port_blocks(ip->dist, ports_row, &p);
    reply_line(c->r, "%u OF %u RECORDS DISPLAYED", p.shown, p.matched);
}

/* ---- V TCPIP,,SYSPLEX,QUIESCE | RESUME ---- */

static bool quiesce_operands(struct command *c, const char *const *op, u32 ops, struct dist_quiesce *q) {
    for (u32 i = 0; i < ops; i++) {
        const char *v;
        u32 n;
        if (str_eq_ci(op[i], "TARGET")) {
            q->target = true;
        } else if ((v = command_value(op[i], "POrt"))) {
            if (!str_u32(v, strlen(v), &n) || n < 1 || n > 65535) return command_expected(c, v, "A PORT NUMBER");
            q->port = (u16)n;
        } else if ((v = command_value(op[i], "JOBNAME"))) {
            if (!v[0] || strlen(v) > 8) return command_expected(c, v, "A JOB NAME");
            str_copy(q->jobname, sizeof q->jobname, v);
        } else if ((v = command_value(op[i], "ASID"))) {
            if (!str_hex_u32(v, strlen(v), &n) || !n || n > 0xFFFF) return command_expected(c, v, "AN ASID, 1 TO 4 HEXADECIMAL DIGITS");
            q->asid = (u16)n;
        } else {
            return command_expected(c, op[i], "TARGET, PORT=, JOBNAME= OR ASID=");
        }
    }
    if (q->asid && !q->jobname[0]) return command_expected(c, "ASID=", "JOBNAME= BEFORE IT");
    bool named = q->port || q->jobname[0];
    if (q->target == named) return command_expected(c, ops ? op[0] : "", "EITHER TARGET, OR PORT= OR JOBNAME=");
    return true;
}

bool vary_quiesce(struct command *c, struct tcpip *ip, const char *const *op, u32 ops, bool resume) {
    struct dist_quiesce q = {.target = false};
    if (!quiesce_operands(c, op, ops, &q)) return false;
    const struct program *job = q.asid ? program_find(ip, q.jobname) : NULL;
    if (q.asid && (!job || job->asid != q.asid)) {
        reply_line(c->r, PLX0303E, resume ? "RESUME" : "QUIESCE", q.jobname, "NO JOB OF THIS NAME HAS THIS ASID");
        return false;
    }
    int rc = resume ? distributor_resume(ip->dist, &q, c->now) : distributor_quiesce(ip->dist, &q, c->now);
    if (rc == 0) {
        if (resume)
            reply_line(c->r, EZD1199I);
        else
            reply_line(c->r, EZD1198I);
        return true;
    }
    reply_line(c->r, PLX0303E, resume ? "RESUME" : "QUIESCE", op[0],
               rc == -ERR_ALREADY ? "IT IS QUIESCED" : rc == -ERR_NOENT ? "IT IS NOT QUIESCED" : "THE LIST IS FULL");
    return false;
}
