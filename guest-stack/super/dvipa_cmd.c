/* dvipa_cmd.c - displays and commands of dynamic VIPAs:
 *
 *   D TCPIP,[proc],SYSplex,{{VIPADyn | PORTS}[,IPAddr=a][,MAX=n|*] | GROUP}
 *   D TCPIP,[proc],Netstat,{VIPADyn | VIPADCFG}
 *   MODDVIPA -p tcpname {-c | -d} ipaddr
 *   V TCPIP,[proc],SYSplex,{LEAVEgroup | JOINgroup | DEACTivate,DVIPA=a | REACTivate,DVIPA=a}
 *                              FASTRESET,{ON | OFF}       OFF is for comparison only: what belongs to no connection is dropped
 */
#include "base/str.h"
#include "net/stack_impl.h"
#include "super/command_impl.h"
#include "super/display.h"
#include "super/dist_cmd.h"
#include "super/messages.h"
#include "super/netstat.h"
#include "super/plexip.h"
#include "super/profile.h"
#include "super/tcpip.h"
#include "sysplex/dvipa.h"
#include "sysplex/monitor.h"
#include "sysplex/sysplex.h"
#include "sysplex/viparoute.h"

#define MAX_DEFAULT 100 /* records that D TCPIP,,SYSPLEX shows */

static const char *shown_status(enum dvipa_status s) {
    /* A claim under way, and a DVIPA that is here for its distribution only, are not the owner: the books know no other word. */
    return s == DVIPA_CLAIMING || s == DVIPA_NONE ? "BACKUP" : dvipa_status_name(s);
}

static const char *dist_text(u8 flags) {
    bool dist = flags & DVIPA_ROW_DIST, dest = flags & DVIPA_ROW_DEST;
    return dist && dest ? "BOTH" : dist ? "DIST" : dest ? "DEST" : "";
}

/* ---- D TCPIP,,SYSPLEX,VIPADYN ---- */

struct vipadyn {
    struct command *c;
    struct ipaddr only, last; /* only: any for all */
    u32 max, shown, matched;
};

/* The heading of a DVIPA, before its first line. */
static void heading(struct vipadyn *v, const struct dvipa_line *l) {
    char addr[IPADDR_TEXT_MAX], link[28] = "";
    if (l->link[0]) str_fmt(link, sizeof link, "LINKNAME: %s  ", l->link);
    reply_line(v->c->r, "%sIPADDR: %s", link, ipaddr_text(l->addr, addr));
    if (l->local && l->origin != DVIPA_NO_ORIGIN) reply_line(v->c->r, "  ORIGIN: %s", dvipa_origin_name(l->origin));
    reply_line(v->c->r, "  TCPNAME  MVSNAME  STATUS RANK ADDRESS MASK    NETWORK PREFIX  DIST");
    reply_line(v->c->r, "  -------- -------- ------ ---- --------------- --------------- ----");
}

static bool vipadyn_row(void *ctx, const struct dvipa_line *l) {
    struct vipadyn *v = ctx;
    char mask[IPADDR_TEXT_MAX] = "", net[IPADDR_TEXT_MAX] = "", rank[4] = "";
    if (!ipaddr_is_any(v->only) && !ipaddr_eq(v->only, l->addr)) return true;
    v->matched++;
    if (v->shown >= v->max) return true;
    v->shown++;
    if (!ipaddr_eq(v->last, l->addr)) heading(v, l);
    v->last = l->addr;
    bool names_net = l->status == DVIPA_ACTIVE || l->status == DVIPA_MOVING;
    if (names_net) {
        ipaddr_text(l->mask, mask);
        ipaddr_text(ipaddr_v4(l->addr.v4 & l->mask.v4), net);
    }
    if (l->rank) str_fmt(rank, sizeof rank, "%03u", (u32)l->rank);
    reply_line(v->c->r, "  %-8s %-8s %-6s %-4s %-15s %-15s %s", l->tcpname, l->system, shown_status(l->status), rank, mask, net,
               dist_text(l->flags));
    return true;
}

/* IPAddr= and MAX=; *only stays any, *max MAX_DEFAULT without them. */
static bool which_records(struct command *c, const char *const *op, u32 ops, struct ipaddr *only, u32 *max) {
    *only = IPADDR_ANY;
    *max = MAX_DEFAULT;
    for (u32 i = 0; i < ops; i++) {
        const char *value = command_value(op[i], "IPAddr");
        u32 n;
        if (value) {
            if (!ipaddr_parse(value, strlen(value), only)) return command_expected(c, value, "AN IP ADDRESS");
        } else if ((value = command_value(op[i], "MAX"))) {
            bool all = value[0] == '*' && !value[1];
            if (!all && (!str_u32(value, strlen(value), &n) || n == 0 || n > 65535))
                return command_expected(c, value, "A NUMBER FROM 1 TO 65535 OR *");
            *max = all ? UINT32_MAX : n;
        } else {
            return command_expected(c, op[i], "IPADDR= OR MAX=");
        }
    }
    return true;
}

static void display_vipadyn(struct command *c, struct tcpip *ip, struct ipaddr only, u32 max) {
    struct vipadyn v = {.c = c, .only = only, .max = max};
    reply_line(c->r, EZZ8260I);
    reply_line(c->r, "VIPA DYNAMIC DISPLAY FROM %-8s AT %s", ip->name, system_name(ip->sys));
    dvipa_for_each(ip->sx, false, vipadyn_row, &v);
    reply_line(c->r, "%u OF %u RECORDS DISPLAYED", v.shown, v.matched);
}

bool display_sysplex(struct command *c, struct tcpip *ip, const char *const *op, u32 ops) {
    const char *what = ops ? op[0] : "";
    bool vipadyn = keyword_matches("VIPADyn", what), ports = keyword_matches("PORTS", what);
    struct ipaddr only;
    u32 max;
    if (!vipadyn && !ports && !keyword_matches("GROUP", what)) {
        reply_line(c->r, IEE309I, "DISPLAY TCPIP,,SYSPLEX", what);
        return false;
    }
    if (!ip->sx || sysplex_state(ip->sx) == SYSPLEX_OUT) {
        reply_line(c->r, EZZ8269I, ip->name, system_name(ip->sys));
        return true;
    }
    if (!vipadyn && !ports) {
        reply_line(c->r, EZZ8270I, ip->name, system_name(ip->sys), SYSPLEX_GROUP);
        return true;
    }
    if (!which_records(c, op + 1, ops - 1, &only, &max)) return false;
    if (ports)
        display_ports(c, ip, only, max);
    else
        display_vipadyn(c, ip, only, max);
    return true;
}

/* ---- NETSTAT VIPADYN, VIPADCFG ---- */

static bool netstat_dyn_row(void *ctx, const struct dvipa_line *l) {
    static const char *const dist[] = {"", "DIST", "DEST", "DIST/DEST"};
    struct netstat *n = ctx;
    char addr[IPADDR_TEXT_MAX], mask[IPADDR_TEXT_MAX], when[20];
    if (!netstat_addr_passes(n, l->addr, l->addr) || !netstat_row(n)) return true;
    reply_line(n->r, "%-15s %-15s %-9s %-15s %s", ipaddr_text(l->addr, addr), ipaddr_text(l->mask, mask),
               shown_status(l->status), dvipa_origin_name(l->origin),
               dist[l->flags >> 1 & 3]);
    if (l->status == DVIPA_ACTIVE)
        reply_line(n->r, "  ACTTIME: %s", display_moment(n->ip->sys, l->active_since, n->stk->now, when));
    return true;
}

static void not_a_member(struct netstat *n) {
    if (!n->ip->sx || sysplex_state(n->ip->sx) == SYSPLEX_OUT) reply_line(n->r, EZZ2502I, n->ip->name);
}

void netstat_vipadyn(struct netstat *n) {
    not_a_member(n);
    reply_line(n->r, "DYNAMIC VIPA:");
    reply_line(n->r, "IP ADDRESS      ADDRESS MASK    STATUS    ORIGINATION     DISTSTAT");
    if (n->ip->sx) dvipa_for_each(n->ip->sx, true, netstat_dyn_row, n);
}

static const char *yes(bool v) {
    return v ? "YES" : "NO";
}

void netstat_config_sysplex(struct netstat *n) {
    if (!n->ip->sx) return;
    const struct monitor_config *c = monitor_config(n->ip->sx);
    const struct monitor *m = monitor_state(n->ip->sx);
    reply_line(n->r, "SYSPLEX MONITOR:");
    reply_line(n->r, "  TIMERSECS: %04u  RECOVERY: %-3s  DELAYJOIN: %-3s  AUTOREJOIN: %-3s  MONINTF: %s", c->timer_sec, yes(c->recovery),
               yes(c->delayjoin), yes(c->autorejoin), yes(c->moninterface));
    for (u32 i = 0; i < MONITOR_PROBLEMS; i++)
        if (m->problem[i].said || (m->left && m->left_for == i))
            reply_line(n->r, "  PROBLEM: %s%s", monitor_message_id((enum monitor_problem)i),
                       m->left && m->left_for == i ? ", THE STACK HAS LEFT THE GROUP" : "");
}

struct config_pass {
    struct netstat *n;
    bool backup, deactivated, headed;
};

static void config_row(void *ctx, const struct dvipa_config *c) {
    struct config_pass *p = ctx;
    struct netstat *n = p->n;
    char addr[IPADDR_TEXT_MAX];
    int bits = ipaddr_mask_bits(c->mask);
    if (c->backup != p->backup || c->deactivated != p->deactivated || !netstat_addr_passes(n, c->addr, c->addr)) return;
    if (!netstat_row(n)) return;
    if (!p->headed) reply_line(n->r, p->backup ? "  VIPA BACKUP:" : "  VIPA DEFINE:");
    p->headed = true;
    if (p->backup && !c->create)
        reply_line(n->r, "    IPADDR/PREFIXLEN: %s", ipaddr_text(c->addr, addr));
    else
        reply_line(n->r, "    IPADDR/PREFIXLEN: %s/%d", ipaddr_text(c->addr, addr), bits);
    if (p->backup)
        reply_line(n->r, "      RANK: %06u  MOVEABLE: %-9s  SRVMGR:", (u32)c->rank, dvipa_moveable_name(c->moveable));
    else
        reply_line(n->r, "      MOVEABLE: %-9s  SRVMGR: NO", dvipa_moveable_name(c->moveable));
}

static void range_row(void *ctx, struct ipaddr a, struct ipaddr mask, enum dvipa_moveable m) {
    struct config_pass *p = ctx;
    char addr[IPADDR_TEXT_MAX];
    if (!netstat_addr_passes(p->n, a, a) || !netstat_row(p->n)) return;
    if (!p->headed) reply_line(p->n->r, "  VIPA RANGE:");
    p->headed = true;
    reply_line(p->n->r, "    IPADDR/PREFIXLEN: %s/%d", ipaddr_text(a, addr), ipaddr_mask_bits(mask));
    reply_line(p->n->r, "      MOVEABLE: %s", dvipa_moveable_name(m));
}

static void route_rows(struct netstat *n) {
    char dynxcf[IPADDR_TEXT_MAX], target[IPADDR_TEXT_MAX];
    const struct viparoute_row *r;
    bool in_force, headed = false;
    for (u32 i = 0; (r = viparoute_at(n->ip->sx, i, &in_force)) != NULL; i++) {
        if (!netstat_addr_passes(n, r->dynxcf, r->target) || !netstat_row(n)) continue;
        if (!headed) reply_line(n->r, "  VIPA ROUTE:");
        headed = true;
        reply_line(n->r, "    DESTXCF:    %s", ipaddr_text(r->dynxcf, dynxcf));
        reply_line(n->r, "      TARGETIP: %-15s  RTSTATUS: %s", ipaddr_text(r->target, target), in_force ? "ACTIVE" : "INACTIVE");
    }
}

void netstat_vipadcfg(struct netstat *n) {
    not_a_member(n);
    for (int deactivated = 0; deactivated <= 1; deactivated++) {
        struct config_pass p = {.n = n, .backup = true, .deactivated = deactivated};
        if (!deactivated) reply_line(n->r, "DYNAMIC VIPA INFORMATION:");
        if (!n->ip->sx) return;
        if (deactivated && !dvipa_deactivated_count(n->ip->sx)) return;
        if (deactivated) reply_line(n->r, "DEACTIVATED DYNAMIC VIPA INFORMATION:");
        dvipa_config_for_each(n->ip->sx, config_row, &p);
        p.backup = p.headed = false;
        dvipa_config_for_each(n->ip->sx, config_row, &p);
        p.headed = false;
        if (!deactivated) dvipa_range_for_each(n->ip->sx, range_row, &p);
        netstat_vipadcfg_dist(n, deactivated);
        if (!deactivated) route_rows(n);
    }
}

/* ---- V TCPIP,,SYSPLEX ---- */

static bool dvipa_operand(struct command *c, const char *const *op, u32 ops, struct ipaddr *out) {
    const char *value = ops > 1 ? command_value(op[1], "DVIPA") : NULL;
    if (value && ipaddr_parse(value, strlen(value), out)) return true;
    return command_expected(c, ops > 1 ? op[1] : "", "DVIPA= AND AN IP ADDRESS");
}

static bool refused(struct command *c, const char *what, const char *name, int rc) {
    reply_line(c->r, PLX0303E, what, name,
               rc == -ERR_ALREADY   ? "IT IS SO ALREADY"
               : rc == -ERR_NOENT   ? "NO VIPADEFINE OR VIPABACKUP OF THIS STACK NAMES IT"
               : rc == -ERR_NETDOWN ? "THERE IS NO SYSPLEX"
                                    : "XCF REFUSED");
    return false;
}

bool vary_sysplex(struct command *c, struct tcpip *ip, const char *const *op, u32 ops) {
    const char *what = ops ? op[0] : "";
    struct ipaddr a;
    char text[IPADDR_TEXT_MAX];
    int rc;
    if (!ip->sx) {
        reply_line(c->r, PLX0503E, "VARY TCPIP,,SYSPLEX");
        return false;
    }
    if (keyword_matches("LEAVEgroup", what)) {
        rc = sysplex_leavegroup(ip->sx, c->now);
        return rc ? refused(c, "GROUP", SYSPLEX_GROUP, rc) : true;
    }
    if (keyword_matches("JOINgroup", what)) {
        rc = sysplex_joingroup(ip->sx, c->now);
        if (rc == 0) reply_line(c->r, EZD1178I);
        return rc ? refused(c, "GROUP", SYSPLEX_GROUP, rc) : true;
    }
    if (keyword_matches("QUIesce", what)) return vary_quiesce(c, ip, op + 1, ops - 1, false);
    if (keyword_matches("RESUME", what)) return vary_quiesce(c, ip, op + 1, ops - 1, true);
    if (keyword_matches("FASTRESET", what)) {
        bool yes = ops > 1 && str_eq_ci(op[1], "ON");
        if (!yes && !(ops > 1 && str_eq_ci(op[1], "OFF"))) return command_expected(c, ops > 1 ? op[1] : "", "ON OR OFF");
        dvipa_fast_reset(ip->sx, yes);
        return true;
    }
    bool off = keyword_matches("DEACTivate", what), on = keyword_matches("REACTivate", what);
    if (!off && !on) {
        reply_line(c->r, IEE309I, "VARY TCPIP,,SYSPLEX", what);
        return false;
    }
    if (!dvipa_operand(c, op, ops, &a)) return false;
    rc = off ? dvipa_deactivate(ip->sx, a, c->now) : dvipa_reactivate(ip->sx, a, c->now);
    if (rc) return refused(c, "DVIPA", ipaddr_text(a, text), rc);
    if (off)
        reply_line(c->r, EZD1197I);
    else
        reply_line(c->r, EZD1189I);
    return true;
}

/* ---- MODDVIPA ---- */

/* The next word of *at; false at the end. */
static bool word(const char **at, char *out, u32 cap) {
    u32 n = 0;
    while (**at == ' ') ++*at;
    for (; **at && **at != ' '; ++*at)
        if (n + 1 < cap) out[n++] = **at;
    out[n] = '\0';
    return n > 0;
}

static bool moddvipa_ends(struct command *c, u32 rc) {
    reply_line(c->r, PLX0505I, rc);
    return rc == 0;
}

/* MODDVIPA -p tcpname -c|-d ipaddr: return codes 0 done, 4 it was active here already, 8 refused, 12 parameters. */
bool command_moddvipa(struct command *c) {
    const char *at = c->rest;
    char flag[4], value[IPADDR_TEXT_MAX + 1], name[9] = "";
    struct ipaddr addr = IPADDR_ANY;
    bool define = false, any = false;
    while (word(&at, flag, sizeof flag)) {
        bool good = word(&at, value, sizeof value);
        if (good && str_eq_ci(flag, "-P")) {
            str_copy(name, sizeof name, value);
        } else if (good && !any && (str_eq_ci(flag, "-C") || str_eq_ci(flag, "-D")) && ipaddr_parse(value, strlen(value), &addr)) {
            any = true;
            define = str_eq_ci(flag, "-C");
        } else {
            return moddvipa_ends(c, 12);
        }
    }
    struct tcpip *ip = system_stack(c->sys, name);
    if (!any || !ip || !ip->sx) return moddvipa_ends(c, 12);
    int rc = define ? dvipa_ioctl_define(ip->sx, addr, "MODDVIPA", c->now) : dvipa_ioctl_delete(ip->sx, addr, "MODDVIPA", c->now);
    return moddvipa_ends(c, rc == 0 ? 0 : define && rc == -ERR_EXIST ? 4 : 8);
}
