/* command_tcpip.c - DISPLAY, and VARY TCPIP:
 *
 *   V TCPIP,[proc],{START|STOP},device
 *                 DROP,connid | CMD=DROP,CONNECTION=connid    (8 hexadecimal digits, from NETSTAT CONN)
 *                 PURGECACHE,link
 *                 PKTTRACE,{ON|OFF}[,LINKNAME=link|*][,IP=addr|*][,PORTNUM=n|*][,FULL | ,ABBREV[=n]]
 *                 OBEYFILE,dsn | CMD=OBEYFILE,DSN=dsn
 *                 SYSPLEX,...                                 (dvipa_cmd.c)
 *
 * Each accepted VARY is framed by EZZ0060I and EZZ0053I, or EZZ0059I when it failed.
 */
#include "base/str.h"
#include "net/arp.h"
#include "net/link.h"
#include "net/tcp.h"
#include "super/command_impl.h"
#include "super/display.h"
#include "super/messages.h"
#include "super/netstat.h"
#include "super/plexip.h"
#include "super/profile.h"
#include "super/tcpip.h"

/* ---- DISPLAY ---- */

static bool display_tcpip(struct command *c) {
    if (c->ops == 1) {
        display_stacks(c->sys, c->r);
        return true;
    }
    struct tcpip *ip = command_stack(c, command_op(c, 1));
    if (!ip) return false;
    if (keyword_matches("SYSplex", command_op(c, 2)))
        return display_sysplex(c, ip, c->op + 3, c->ops > 3 ? c->ops - 3 : 0);
    if (!keyword_matches("Netstat", command_op(c, 2))) {
        reply_line(c->r, IEE309I, "DISPLAY TCPIP", command_op(c, 2));
        return false;
    }
    return netstat_run(ip, c->r, c->op + 3, c->ops > 3 ? c->ops - 3 : 0);
}

bool command_display(struct command *c) {
    const char *what = command_op(c, 0);
    if (str_eq_ci(what, "T"))
        display_time(c->sys, c->r);
    else if (str_eq_ci(what, "A") && (c->ops == 1 || keyword_matches("List", command_op(c, 1))))
        display_active(c->sys, c->r);
    else if (str_eq_ci(what, "A") && c->ops == 2)
        return display_job(c->sys, command_op(c, 1), c->r);
    else if (str_eq_ci(what, "SYMBOLS"))
        display_symbols(c->sys, c->r);
    else if (str_eq_ci(what, "IPLINFO"))
        display_iplinfo(c->sys, c->r);
    else if (str_eq_ci(what, "TCPIP"))
        return display_tcpip(c);
    else if (str_eq_ci(what, "XCF"))
        return command_display_xcf(c);
    else if (str_eq_ci(what, "CF"))
        return command_display_cf(c);
    else if (str_eq_ci(what, "R"))
        return command_display_requests(c);
    else {
        reply_line(c->r, IEE309I, c->verb_name, what);
        return false;
    }
    return true;
}

/* ---- VARY ---- */

struct vary {
    struct command *c;
    struct tcpip *ip;
    const char *const *op; /* operands after the action */
    u32 ops;
};

static const char *vary_op(const struct vary *v, u32 i) { return i < v->ops ? v->op[i] : ""; }

static bool vary_refused(struct vary *v, const char *what, const char *name, const char *why) {
    reply_line(v->c->r, PLX0303E, what, name, why);
    return false;
}

static bool start_stop(struct vary *v, bool start) {
    const char *name = vary_op(v, 0);
    struct device *dev = device_find(v->ip->stk, name);
    if (!dev) return vary_refused(v, "DEVICE", name, "IT IS NOT DEFINED");
    if (dev->type == DEV_VIRTUAL || dev->type == DEV_LOOPBACK)
        return vary_refused(v, "DEVICE", name, "IT IS ALWAYS ACTIVE");
    int rc = start ? device_start(dev, v->c->now) : device_stop(dev, v->c->now);
    return rc == 0 ? true
                   : vary_refused(v, "DEVICE", name, dev->lnk ? "ITS DRIVER REFUSED" : "IT HAS NO LINK");
}

static bool vary_start(struct vary *v) { return start_stop(v, true); }
static bool vary_stop(struct vary *v) { return start_stop(v, false); }

static bool vary_drop(struct vary *v) {
    const char *id = vary_op(v, 0), *value = command_value(id, "CONNection");
    u32 conn;
    if (value) id = value;
    if (!str_hex_u32(id, strlen(id), &conn))
        return command_expected(v->c, id, "A CONNECTION NUMBER OF 1-8 HEXADECIMAL DIGITS");
    if (tcp_drop(v->ip->stk, conn, v->c->now)) return vary_refused(v, "CONNECTION", id, "THERE IS NONE");
    reply_line(v->c->r, PLX0304I, conn);
    return true;
}

static bool vary_purgecache(struct vary *v) {
    struct link *lnk = link_find(v->ip->stk, vary_op(v, 0));
    if (!lnk) return vary_refused(v, "LINK", vary_op(v, 0), "IT IS NOT DEFINED");
    arp_purge(v->ip->stk, lnk, v->c->now);
    /* A card that resolves by itself has a cache of its own. */
    if (lnk->ops && lnk->ops->arp_purge) lnk->ops->arp_purge(lnk, v->c->now);
    return true;
}

static bool trace_option(struct vary *v, struct pkttrace *t, const char *op) {
    const char *value;
    u32 n;
    if ((value = command_value(op, "LINKNAME"))) {
        bool all = value[0] == '*';
        if (!all && !link_find(v->ip->stk, value)) return vary_refused(v, "LINK", value, "IT IS NOT DEFINED");
        str_copy(t->link, sizeof t->link, all ? "" : value);
    } else if ((value = command_value(op, "IP"))) {
        t->addr = IPADDR_ANY;
        if (value[0] != '*' && !ipaddr_parse(value, strlen(value), &t->addr))
            return command_expected(v->c, value, "AN IP ADDRESS OR *");
    } else if ((value = command_value(op, "PORTNUM"))) {
        n = 0;
        if (value[0] != '*' && (!str_u32(value, strlen(value), &n) || n == 0 || n > 65535))
            return command_expected(v->c, value, "A PORT NUMBER OR *");
        t->port = (u16)n;
    } else if (keyword_matches("FULL", op)) {
        t->bytes = 65535;
    } else if (keyword_matches("ABBREV", op)) {
        t->bytes = PKTTRACE_ABBREV;
    } else if ((value = command_value(op, "ABBREV"))) {
        if (!str_u32(value, strlen(value), &t->bytes) || t->bytes == 0 || t->bytes > 65535)
            return command_expected(v->c, value, "A NUMBER FROM 1 TO 65535");
    } else {
        return command_expected(v->c, op, "ON, OFF, LINKNAME=, IP=, PORTNUM=, FULL OR ABBREV=");
    }
    return true;
}

static bool vary_pkttrace(struct vary *v) {
    struct pkttrace t = {.on = true, .second = v->c->now};
    bool off = false;
    for (u32 i = 0; i < v->ops; i++) {
        if (keyword_matches("OFF", v->op[i]) || keyword_matches("CLEAR", v->op[i]))
            off = true;
        else if (!keyword_matches("ON", v->op[i]) && !trace_option(v, &t, v->op[i]))
            return false;
    }
    if (off) {
        if (v->ip->trace.on) reply_line(v->c->r, PLX0263I, v->ip->trace.packets, v->ip->trace.lost_total);
        t = (struct pkttrace){.on = false};
    }
    v->ip->trace = t;
    stack_pkttrace(v->ip->stk, t.on);
    return true;
}

static bool vary_obeyfile(struct vary *v) {
    const char *dsn = vary_op(v, 0), *value = command_value(dsn, "DSN");
    if (value) dsn = value;
    int rc = profile_run(&v->ip->profile, v->ip, dsn, PROFILE_OBEYFILE, v->c->now);
    if (rc)
        return vary_refused(v, "OBEYFILE", dsn,
                            rc == -ERR_NOENT   ? "IT DOES NOT EXIST"
                            : rc == -ERR_INVAL ? "IT IS NOT THE NAME OF A DATA SET"
                                               : "IT CANNOT BE READ");
    return v->ip->profile.errors == 0;
}

static bool vary_sysplex_op(struct vary *v) {
    return vary_sysplex(v->c, v->ip, v->op, v->ops);
}

static const struct action {
    const char *spec, *name; /* name as EZZ0053I says it */
    bool (*run)(struct vary *v);
} actions[] = {
    {"START", "VARY START", vary_start},
    {"STOP", "VARY STOP", vary_stop},
    {"DRop", "VARY DROP", vary_drop},
    {"PURGECache", "VARY PURGECACHE", vary_purgecache},
    {"PKTtrace", "VARY PKTTRACE", vary_pkttrace},
    {"Obeyfile", "VARY OBEY", vary_obeyfile},
    {"SYSplex", "VARY SYSPLEX", vary_sysplex_op},
};

bool command_vary(struct command *c) {
    if (str_eq_ci(command_op(c, 0), "XCF")) return command_vary_xcf(c);
    if (!str_eq_ci(command_op(c, 0), "TCPIP")) {
        reply_line(c->r, IEE309I, c->verb_name, command_op(c, 0));
        return false;
    }
    const char *verb = command_op(c, 2), *value = command_value(verb, "CMD");
    if (value) verb = value;
    for (u32 i = 0; i < ARRAY_LEN(actions); i++) {
        if (!keyword_matches(actions[i].spec, verb)) continue;
        struct vary v = {
            .c = c, .ip = command_stack(c, command_op(c, 1)), .op = c->op + 3, .ops = c->ops - 3};
        if (!v.ip) return false;
        char text[SYSTEM_COMMAND_MAX + 8];
        str_fmt(text, sizeof text, "VARY %s", c->rest);
        reply_line(c->r, EZZ0060I, text);
        bool good = actions[i].run(&v);
        if (good)
            reply_line(c->r, EZZ0053I, actions[i].name);
        else
            reply_line(c->r, EZZ0059I, actions[i].name);
        return good;
    }
    reply_line(c->r, IEE309I, "VARY TCPIP", verb);
    return false;
}
