/* profile_route.c - BEGINROUTES and GATEWAY: the static routes.
 *
 *   BEGINROUTES { ROUTE {dest HOST | dest mask | dest/len | DEFAULT} {first_hop | =} link
 *                 MTU {n|DEFAULTSIZE} [opt]... } ENDROUTES
 *                 opt: MAXImumretransmittime MINImumretransmittime ROUNDTRIPGain VARIANCEGain VARIANCEMultiplier
 *                      (numbers with up to three decimals), DELAYAcks NODELAYAcks, REPLaceable NOREPLaceable
 *   GATEWAY { {network|DEFAULTNET} {first_hop|=} link {size|DEFAULTSIZE} {mask value | HOST | 0} }...
 *                 network: the class's octets of an address ("9", "192.5"); mask and value: the subnet part
 *
 * The first of either in a file removes all static and redirect routes; further blocks in the same file add.
 * The two are not mixed in one file.
 */
#include "base/str.h"
#include "net/link.h"
#include "net/route.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/profile.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "sysplex/dynxcf.h"

static struct console *con(struct profile *p) { return p->ip->sys->env.con; }

static struct link *route_link(struct profile *p) {
    const char *t = profile_peek(p);
    /* EZAXCFnn may be named before its peer is there. */
    struct link *lnk = t && p->ip->sx ? dynxcf_link(p->ip->sx, t, p->now) : t ? link_find(p->ip->stk, t) : NULL;
    if (!lnk || lnk->type == LNK_VIRTUAL || lnk->type == LNK_LOOPBACK) {
        profile_expected(p, "THE NAME OF A LINK DEFINED EARLIER THAT IS NOT VIRTUAL");
        return NULL;
    }
    profile_take(p);
    return lnk;
}

static bool begin(struct profile *p, bool gateway) {
    if (gateway ? p->beginroutes_seen : p->gateway_seen) {
        p->errors++;
        console_message(con(p), PLX0240E, p->taken_line);
        return profile_where(p);
    }
    if (!p->routes_seen) {
        route_clear(p->ip->stk, ROUTE_STATIC, p->now);
        route_clear(p->ip->stk, ROUTE_REDIRECT, p->now);
    }
    p->routes_seen = true;
    *(gateway ? &p->gateway_seen : &p->beginroutes_seen) = true;
    return true;
}

static bool add(struct profile *p, struct route_def *def, u32 line) {
    u32 mask = def->prefix_bits ? 0xFFFFFFFFu << (32 - def->prefix_bits) : 0;
    def->kind = ROUTE_STATIC;
    char text[IPADDR_TEXT_MAX];
    const char *why;
    if (def->dest.v4 & ~mask) {
        why = "IT HAS BITS OUTSIDE ITS MASK";
    } else {
        int rc = route_add(p->ip->stk, def, p->now);
        if (rc == 0) return true;
        why = rc == -ERR_EXIST   ? "IT IS DEFINED ALREADY"
              : rc == -ERR_NOMEM ? "THE TABLE IS FULL"
                                 : "IT IS NOT VALID";
    }
    p->errors++;
    console_message(con(p), PLX0241E, ipaddr_text(def->dest, text), (u32)def->prefix_bits, line, why);
    return profile_where(p);
}

/* dest/len in one token. */
static bool prefix_token(const char *t, struct route_def *def) {
    size_t slash = 0;
    u32 bits;
    while (t[slash] && t[slash] != '/') slash++;
    if (!t[slash] || !ipaddr_parse(t, slash, &def->dest)) return false;
    if (!str_u32(t + slash + 1, strlen(t + slash + 1), &bits) || bits > 32) return false;
    def->prefix_bits = (u8)bits;
    return true;
}

static bool destination(struct profile *p, struct route_def *def) {
    const char *t = profile_peek(p);
    if (profile_keyword(p, "DEFAULT")) return true;
    if (t && prefix_token(t, def)) {
        profile_take(p);
        return true;
    }
    if (!profile_address(p, &def->dest)) return false;
    struct ipaddr mask = ipaddr_v4(0xFFFFFFFFu);
    if (!profile_keyword(p, "HOST") && !profile_mask(p, &mask)) return false;
    def->prefix_bits = (u8)ipaddr_mask_bits(mask);
    return true;
}

static bool first_hop(struct profile *p, struct route_def *def) {
    if (profile_keyword(p, "=")) {
        def->gateway = IPADDR_ANY;
        return true;
    }
    const char *t = profile_peek(p);
    if (!t || !ipaddr_parse(t, strlen(t), &def->gateway) || ipaddr_is_any(def->gateway))
        return profile_expected(p, "THE ADDRESS OF THE FIRST HOP OR =");
    profile_take(p);
    return true;
}

static bool packet_size(struct profile *p, struct route_def *def) {
    if (profile_keyword(p, "DEFAULTSIZE")) return true;
    return profile_number(p, 576, 65535, &def->mtu_bytes);
}

/* "120", ".5", "0.125" in thousandths. */
static bool thousandths(struct profile *p, u32 high, u32 *out) {
    const char *t = profile_peek(p);
    u32 whole = 0, fraction = 0, scale = 1000, digits = 0;
    if (!t) return profile_expected(p, "A NUMBER");
    for (; *t >= '0' && *t <= '9' && digits < 6; t++, digits++) whole = whole * 10 + (u32)(*t - '0');
    if (*t == '.')
        for (t++; *t >= '0' && *t <= '9' && scale > 1; t++, digits++)
            fraction += (u32)(*t - '0') * (scale /= 10);
    u32 value = whole * 1000 + fraction;
    if (*t || digits == 0 || value == 0 || value > high)
        return profile_expected(p, "A NUMBER SUCH AS 120, .5 OR 0.125");
    *out = value;
    profile_take(p);
    return true;
}

static bool route_options(struct profile *p, struct route_def *def) {
    u32 v;
    for (;;) {
        if (profile_keyword(p, "MAXImumretransmittime")) {
            if (!thousandths(p, 999999, &def->max_rto_msec)) return false;
        } else if (profile_keyword(p, "MINImumretransmittime")) {
            if (!thousandths(p, 99999, &def->min_rto_msec)) return false;
        } else if (profile_keyword(p, "ROUNDTRIPGain")) {
            if (!thousandths(p, 1000, &v)) return false;
            def->rtt_gain = (u16)v;
        } else if (profile_keyword(p, "VARIANCEGain")) {
            if (!thousandths(p, 1000, &v)) return false;
            def->var_gain = (u16)v;
        } else if (profile_keyword(p, "VARIANCEMultiplier")) {
            if (!thousandths(p, 65535, &v)) return false;
            def->var_multiplier = (u16)v;
        } else if (profile_keyword(p, "DELAYAcks")) {
            def->ack = ROUTE_ACK_DELAY;
        } else if (profile_keyword(p, "NODELAYAcks")) {
            def->ack = ROUTE_ACK_NODELAY;
        } else if (profile_keyword(p, "NOREPLaceable")) {
            continue; /* every static route is: nothing here learns routes from others */
        } else if (profile_keyword(p, "REPLaceable")) {
            console_message(con(p), PLX0205W, "REPLACEABLE", p->taken_line);
        } else {
            return true;
        }
    }
}

static bool route_entry(struct profile *p) {
    struct route_def def = {.kind = ROUTE_STATIC};
    if (!profile_keyword(p, "ROUTE")) return profile_expected(p, "ROUTE OR ENDROUTES");
    u32 line = p->taken_line;
    if (!destination(p, &def) || !first_hop(p, &def) || !(def.lnk = route_link(p))) return false;
    if (!profile_keyword(p, "MTU")) return profile_expected(p, "MTU");
    return packet_size(p, &def) && route_options(p, &def) && add(p, &def, line);
}

bool stmt_beginroutes(struct profile *p) {
    if (!begin(p, false)) return false;
    while (!profile_keyword(p, "ENDROUTES"))
        if (!route_entry(p)) return false;
    return true;
}

/* ---- GATEWAY ---- */

/* One to four octets, leading zeros allowed; the octets beyond the text are 0. */
static bool octets(const char *t, u32 *out) {
    u32 value = 0, n = 0;
    for (;;) {
        u32 octet = 0, digits = 0;
        for (; *t >= '0' && *t <= '9' && digits < 4; t++, digits++) octet = octet * 10 + (u32)(*t - '0');
        if (digits == 0 || octet > 255 || n == 4) return false;
        value |= octet << (24 - 8 * n++);
        if (*t == '\0') break;
        if (*t++ != '.') return false;
    }
    *out = value;
    return true;
}

static u32 class_mask(u32 net) {
    return net >> 31 == 0 ? 0xFF000000u : net >> 30 == 2 ? 0xFFFF0000u : 0xFFFFFF00u;
}

static bool octets_token(struct profile *p, u32 *out, const char *what) {
    const char *t = profile_peek(p);
    if (!t || !octets(t, out)) return profile_expected(p, what);
    profile_take(p);
    return true;
}

/* mask value, HOST, or 0: what follows the packet size. */
static bool subnet(struct profile *p, struct route_def *def, u32 net) {
    u32 mask = class_mask(net), sub_mask, value = 0;
    if (profile_keyword(p, "HOST")) {
        mask = 0xFFFFFFFFu;
    } else {
        if (!octets_token(p, &sub_mask, "A SUBNET MASK, HOST OR 0")) return false;
        if (sub_mask && !octets_token(p, &value, "A SUBNET VALUE")) return false;
        mask |= sub_mask;
    }
    int bits = ipaddr_mask_bits(ipaddr_v4(mask));
    if (bits < 0) return profile_expected(p, "A SUBNET MASK WITHOUT HOLES");
    def->dest = ipaddr_v4(net | value);
    def->prefix_bits = (u8)bits;
    return true;
}

static bool gateway_entry(struct profile *p) {
    struct route_def def = {.kind = ROUTE_STATIC};
    u32 net = 0;
    bool is_default = profile_keyword(p, "DEFAULTNET");
    if (!is_default && !octets_token(p, &net, "A NETWORK NUMBER OR DEFAULTNET")) return false;
    u32 line = p->taken_line;
    if (!first_hop(p, &def) || !(def.lnk = route_link(p)) || !packet_size(p, &def)) return false;
    if (is_default) {
        if (!profile_keyword(p, "0")) return profile_expected(p, "0");
    } else if (!subnet(p, &def, net)) {
        return false;
    }
    return add(p, &def, line);
}

bool stmt_gateway(struct profile *p) {
    if (!begin(p, true)) return false;
    do {
        if (!gateway_entry(p)) return false;
    } while (!profile_at_statement(p));
    return true;
}
