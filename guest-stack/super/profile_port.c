/* profile_port.c - PORT, PORTRANGE, their DELETE, and AUTOLOG.
 *
 *   PORT      { num {TCP|UDP} who }...          PORTRANGE { first count {TCP|UDP} who }...
 *   who       RESERVED | job [NOAUTOLog] [DELAYAcks|NODELAYAcks] [SHAREPort|SHAREPORTWLM] [BIND ipaddr]
 *             [SAF resource]; options in this order; SHAREPORT for TCP only; BIND not for a range
 *   DELETE PORT num {TCP|UDP} [job|RESERVED]     DELETE PORTRANGE first count {TCP|UDP} [job|RESERVED]
 *   AUTOLOG [minutes] { proc [JOBNAME job] [PARMSTRING 'text'] }... ENDAUTOLOG
 *
 * A PORT inside a PORTRANGE (or the reverse) is ignored with a message and the list goes on; a syntax error
 * ends the list. A range beyond 65535 ends there.
 */
#include "super/profile_port.h"

#include "base/str.h"
#include "net/ip.h"
#include "net/ports.h"
#include "super/autolog.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/system.h"
#include "super/tcpip.h"

static struct console *con(struct profile *p) { return p->ip->sys->env.con; }

static bool at_number(struct profile *p) {
    const char *t = profile_peek(p);
    return t && t[0] >= '0' && t[0] <= '9';
}

/* num or first count, then the protocol. */
static bool port_numbers(struct profile *p, bool range, struct port_rule *r) {
    u32 first, count = 1;
    if (!profile_number(p, 1, 65535, &first)) return false;
    if (range && !profile_number(p, 1, 65535, &count)) return false;
    r->first = (u16)first;
    r->last = (u16)u32_min(first + count - 1, 65535);
    if (range) r->flags |= PORT_RANGE;
    if (profile_keyword(p, "TCP"))
        r->proto = IP_PROTO_TCP;
    else if (profile_keyword(p, "UDP"))
        r->proto = IP_PROTO_UDP;
    else
        return profile_expected(p, "TCP OR UDP");
    return true;
}

static bool port_options(struct profile *p, bool range, struct port_rule *r) {
    if (profile_keyword(p, "NOAUTOLog")) r->flags |= PORT_NOAUTOLOG;
    if (profile_keyword(p, "DELAYAcks"))
        r->flags |= PORT_DELAYACKS;
    else if (profile_keyword(p, "NODELAYAcks"))
        r->flags |= PORT_NODELAYACKS;
    if (r->proto == IP_PROTO_TCP && profile_keyword(p, "SHAREPort"))
        r->flags |= PORT_SHAREPORT;
    else if (r->proto == IP_PROTO_TCP && profile_keyword(p, "SHAREPORTWLM"))
        r->flags |= PORT_SHAREPORT | PORT_SHAREPORTWLM;
    if (!range && profile_keyword(p, "BIND")) {
        if (!profile_address(p, &r->bind)) return false;
        r->flags |= PORT_BIND;
    }
    if (profile_keyword(p, "SAF")) {
        char resource[9];
        if (!profile_name(p, resource, sizeof resource, "A SAF RESOURCE NAME")) return false;
        console_message(con(p), PLX0205W, "SAF", p->taken_line);
    }
    return true;
}

static bool port_entry(struct profile *p, bool range) {
    struct port_rule r = {.proto = 0};
    if (!port_numbers(p, range, &r)) return false;
    u32 line = p->taken_line;
    if (profile_keyword(p, "RESERVED"))
        r.flags |= PORT_RESERVED;
    else if (!profile_name(p, r.jobname, sizeof r.jobname, "RESERVED OR A JOB NAME OF 1-8 CHARACTERS") ||
             !port_options(p, range, &r))
        return false;
    int rc = port_rule_add(p->ip->stk, &r);
    if (rc == 0) return true;
    p->errors++;
    console_message(con(p), PLX0220E, (u32)r.first, line,
                    rc == -ERR_EXIST   ? "IT OVERLAPS AN EARLIER PORT OR PORTRANGE"
                    : rc == -ERR_NOMEM ? "THE TABLE OF PORTS IS FULL"
                                       : "ITS OPTIONS CONTRADICT EACH OTHER");
    profile_where(p);
    return true;
}

static bool port_list(struct profile *p, bool range) {
    do {
        if (!port_entry(p, range)) return false;
    } while (at_number(p));
    return profile_at_statement(p) ? true : profile_expected(p, "A PORT NUMBER OR A STATEMENT");
}

bool stmt_port(struct profile *p) { return port_list(p, false); }
bool stmt_portrange(struct profile *p) { return port_list(p, true); }

static bool rule_matches(const struct port_rule *r, const struct port_rule *want, bool any_job) {
    bool same_kind = (r->flags & PORT_RANGE) == (want->flags & PORT_RANGE);
    return same_kind && r->first == want->first && r->last == want->last && r->proto == want->proto &&
           (any_job || str_eq_ci(r->jobname, want->jobname));
}

bool delete_port(struct profile *p, bool range) {
    struct port_rule want = {.proto = 0};
    if (!port_numbers(p, range, &want)) return false;
    bool any_job = profile_at_statement(p);
    if (!any_job && !profile_keyword(p, "RESERVED") &&
        !profile_name(p, want.jobname, sizeof want.jobname, "A JOB NAME"))
        return false;
    u32 deleted = 0;
    for (bool again = true; again;) {
        again = false;
        for (const struct port_rule *r = NULL; !again && (r = port_rule_next(p->ip->stk, r));) {
            if (!rule_matches(r, &want, any_job)) continue;
            struct port_rule gone = *r;
            again = port_rule_del(p->ip->stk, &gone) == 0;
            deleted += again;
            break; /* the iterator stood on the row that went */
        }
    }
    if (deleted) return true;
    p->errors++;
    console_message(con(p), PLX0220E, (u32)want.first, p->taken_line, "THERE IS NO SUCH RESERVATION");
    profile_where(p);
    return true;
}

/* ---- AUTOLOG ---- */

static bool autolog_parm(struct profile *p, struct autolog_entry *e) {
    const char *t = profile_peek(p);
    size_t len = t ? strlen(t) : 0;
    if (len < 2 || t[0] != '\'' || t[len - 1] != '\'' || len - 2 > AUTOLOG_PARM_MAX)
        return profile_expected(p, "A QUOTED STRING OF UP TO 80 CHARACTERS");
    str_copy(e->parm, len - 1, t + 1);
    profile_take(p);
    return true;
}

static bool autolog_entry(struct profile *p, struct autolog *list) {
    struct autolog_entry e = {.proc = ""};
    if (!profile_name(p, e.proc, sizeof e.proc, "A PROCEDURE NAME OR ENDAUTOLOG")) return false;
    str_copy(e.jobname, sizeof e.jobname, e.proc);
    u32 line = p->taken_line;
    for (;;) {
        if (profile_keyword(p, "JOBNAME")) {
            if (!profile_name(p, e.jobname, sizeof e.jobname, "A JOB NAME OF 1-8 CHARACTERS")) return false;
        } else if (profile_keyword(p, "PARMSTRING")) {
            if (!autolog_parm(p, &e)) return false;
        } else if (profile_keyword(p, "DELAYSTART")) {
            console_message(con(p), PLX0205W, "DELAYSTART", line);
            while (profile_keyword(p, "DVIPA") || profile_keyword(p, "TTLS")) continue;
        } else {
            break;
        }
    }
    int rc = autolog_add(list, &e);
    if (rc == 0) return true;
    p->errors++;
    console_message(con(p), PLX0210E, "AUTOLOG", e.jobname,
                    rc == -ERR_EXIST ? "IT IS IN THE LIST ALREADY" : "THE LIST IS FULL");
    profile_where(p);
    return true;
}

bool stmt_autolog(struct profile *p) {
    struct autolog *list = &p->ip->autolog;
    if (!p->autolog_seen) autolog_clear(list);
    p->autolog_seen = true;
    if (at_number(p) && !profile_number(p, 0, 30, &list->wait_minutes)) return false;
    while (!profile_keyword(p, "ENDAUTOLOG")) {
        if (!profile_peek(p)) return profile_expected(p, "ENDAUTOLOG");
        if (!autolog_entry(p, list)) return false;
    }
    return true;
}
