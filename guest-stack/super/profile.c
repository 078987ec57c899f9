/* profile.c - the statement table of PROFILE.TCPIP and the loop over it. Language and error rules: profile.h.
 *
 * A statement's function takes its arguments with the takers of profile_lex.c. When it returns false a
 * message is out, and the loop skips to where OS/390 goes on: behind the END keyword of a block, else to the
 * next token that is the name of a statement.
 */
#include "super/profile.h"

#include "base/str.h"
#include "net/home.h"
#include "net/link.h"
#include "net/netconf.h"
#include "net/stack.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/plexip.h"
#include "super/profile_impl.h"
#include "super/profile_telnet.h"
#include "super/system.h"
#include "super/tcpip.h"

static const struct profile_statement statements[] = {
    {"ARPAGE", stmt_arpage, NULL},
    {"AUTOLOG", stmt_autolog, "ENDAUTOLOG"},
    {"BEGINROUTEs", stmt_beginroutes, "ENDROUTES"},
    {"BSDROUTINGPARMS", stmt_bsdroutingparms, "ENDBSDROUTINGPARMS"},
    {"DELETE", stmt_delete, NULL},
    {"DEVICE", stmt_device, NULL},
    {"GATEWAY", stmt_gateway, NULL},
    {"GLOBALCONFig", stmt_globalconfig, NULL},
    {"HOME", stmt_home, NULL},
    {"IPCONFig", stmt_ipconfig, NULL},
    {"ITRACE", stmt_itrace, NULL},
    {"KEEPALIVEOPTIONS", stmt_keepaliveoptions, "ENDKEEPALIVEOPTIONS"},
    {"LINK", stmt_link, NULL},
    {"PORT", stmt_port, NULL},
    {"PORTRANGE", stmt_portrange, NULL},
    {"PRIMARYINTERFACE", stmt_primaryinterface, NULL},
    {"TELNETPARMS", stmt_telnetparms, "ENDTELNETPARMS"},
    {"BEGINVTAM", stmt_beginvtam, "ENDVTAM"},
    {"START", stmt_start, NULL},
    {"STOP", stmt_stop, NULL},
    {"TCPCONFig", stmt_tcpconfig, NULL},
    {"UDPCONFig", stmt_udpconfig, NULL},
    /* Known to OS/390 but not at this level. */
    {"ASSORTEDPARMS", stmt_later, "ENDASSORTEDPARMS"},
    {"DATASETPREFIX", stmt_later, NULL},
    {"HOSTNAME", stmt_later, NULL},
    {"INTERFACE", stmt_later, NULL},
    {"NETMONITOR", stmt_later, NULL},
    {"PKTTRACE", stmt_later, NULL},
    {"SACONFIG", stmt_later, NULL},
    {"SMFCONFIG", stmt_later, NULL},
    {"SMFPARMS", stmt_later, NULL},
    {"SOMAXCONN", stmt_somaxconn, NULL},
    {"SRCIP", stmt_later, "ENDSRCIP"},
    {"TRANSLATE", stmt_later, NULL},
    {"VIPADYNAMIC", stmt_vipadynamic, "ENDVIPADYNAMIC"},
};

static struct console *con(struct profile *p) { return p->ip->sys->env.con; }

static const struct profile_statement *statement_find(const char *token) {
    for (u32 i = 0; i < ARRAY_LEN(statements); i++)
        if (keyword_matches(statements[i].name, token)) return &statements[i];
    return NULL;
}

bool profile_at_statement(struct profile *p) {
    const char *t = profile_peek(p);
    return !t || statement_find(t);
}

/* Behind the END keyword of the block if there is one further on, else at the next statement. OS/390 takes
 * what follows a list without its END as part of the list; so do we. */
static void skip(struct profile *p, const char *end) {
    const char *t;
    while ((t = profile_peek(p))) {
        if (end) {
            bool last = keyword_matches(end, t);
            profile_take(p);
            if (last) return;
        } else {
            if (profile_at_statement(p)) return;
            profile_take(p);
        }
    }
}

static void run_statements(struct profile *p) {
    const char *t;
    while ((t = profile_peek(p))) {
        const struct profile_statement *s = statement_find(t);
        if (!s) {
            p->errors++;
            console_message(con(p), EZZ0324I, t, p->token_line);
            profile_take(p);
            profile_where(p);
            skip(p, NULL);
            continue;
        }
        profile_take(p);
        p->statements++;
        if (s->run(p)) continue;
        if (s->end) console_message(con(p), EZZ0312I);
        skip(p, s->end);
    }
}

/* The state of what the initial profile decides, in the order in which OS/390 says it. */
static void say_status(struct profile *p) {
    const struct net_config *c = net_config(p->ip->stk);
    if (c->ip.forwarding)
        console_message(con(p), EZZ0641I,
                        c->ip.forward_per_packet ? "FWDMULTIPATH PERPACKET" : "NOFWDMULTIPATH");
    else
        console_message(con(p), EZZ0334I);
    if (c->ip.sysplex_routing) console_message(con(p), EZZ0350I);
    if (c->ip.source_vipa) console_message(con(p), EZZ0351I);
    if (!ipaddr_is_any(c->ip.dynamic_xcf)) console_message(con(p), EZZ0624I);
    if (c->tcp.restrict_low_ports) console_message(con(p), EZZ0338I, "TCP");
    if (c->udp.restrict_low_ports) console_message(con(p), EZZ0338I, "UDP");
}

int profile_run(struct profile *p, struct tcpip *ip, const char *dsn, enum profile_kind kind, u64 now) {
    memset(p, 0, sizeof *p);
    p->ip = ip;
    p->now = now;
    p->obeyfile = kind == PROFILE_OBEYFILE;
    int rc = profile_open(p, dsn, p->obeyfile ? "OBEYFILE" : "PROFILE");
    if (rc) return rc;
    run_statements(p);
    /* Cached routes and registrations follow what the file changed. */
    net_config_changed(ip->stk);
    home_sync(ip->stk, now);
    if (!p->obeyfile) {
        say_status(p);
        return 0;
    }
    telnet_start(ip, now);
    if (p->autolog_seen) autolog_refresh(ip, now);
    return 0;
}

bool stmt_itrace(struct profile *p) {
    console_message(con(p), PLX0204I, "ITRACE");
    while (!profile_at_statement(p)) profile_take(p);
    return true;
}

/* The statement's name is gone when this runs, but its line is known; its arguments are passed over unread. */
bool stmt_later(struct profile *p) {
    p->errors++;
    console_message(con(p), PLX0205W, p->token, p->taken_line);
    return profile_where(p);
}
