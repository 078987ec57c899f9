/* system.c - COMMNDxx, the running of the stacks, Z EOD; order of calls in system.h, IPL in sysipl.c. */
#include "super/system.h"

#include "base/str.h"
#include "super/armas.h"
#include "super/command.h"
#include "super/display.h"
#include "super/ieaoptxx.h"
#include "super/messages.h"
#include "super/tcpip.h"
#include "super/xcfas.h"

static struct console *con(const struct system *sys) { return sys->env.con; }

/* ---- COMMNDxx ---- */

/* COM='text' with doubled quotes; false if the record is something else. */
static bool com_parse(const char *line, u32 len, char out[SYSTEM_COMMAND_MAX + 1]) {
    u32 at = 0, n = 0;
    while (at < len && line[at] == ' ') at++;
    if (len - at < 5 || memcmp(line + at, "COM='", 5) != 0) return false;
    for (at += 5; at < len; at++) {
        if (line[at] == '\'') {
            if (at + 1 == len || line[at + 1] != '\'') break;
            at++;
        }
        if (n < SYSTEM_COMMAND_MAX) out[n++] = line[at];
    }
    out[n] = '\0';
    return at < len && n > 0;
}

static void commands_run(struct system *sys, const char *member, const struct member *m, u64 now) {
    u32 number = 0;
    for (u32 at = 0; at < m->len;) {
        const char *line = m->text + at;
        u32 len = 0, left = m->len - at;
        while (len < left && line[len] != '\n') len++;
        at += len + (len < left);
        number++;
        char text[SYSTEM_COMMAND_MAX + 1];
        u32 first = 0;
        while (first < len && line[first] == ' ') first++;
        if (first == len || (line[first] == '/' && first + 1 < len && line[first + 1] == '*')) continue;
        if (com_parse(line, len, text))
            command_run(sys, text, &con(sys)->reply, now);
        else
            console_message(con(sys), PLX0107E, member, number);
    }
}

u32 system_start(struct system *sys, u64 now) {
    struct member m;
    const char *where;
    ieaopt_read(sys);
    int rc = system_parmlib_read(sys, "COMMND00", &m, &where);
    if (rc == 0) {
        commands_run(sys, "COMMND00", &m, now);
        dataset_release(sys->env.ds, &m);
        return 0;
    }
    /* Without COMMND00 there is one thing that this system is for. */
    console_message(con(sys), PLX0108W);
    return tcpip_start(sys, "TCPIP", now) == -ERR_NOMEM ? WAIT_NO_STORAGE : 0;
}

u64 system_poll(struct system *sys, u64 now) {
    u64 next = TIME_NEVER;
    bool active = false;
    console_poll(con(sys), now);
    /* Before the stacks when its time has come, so that they act on what XCF finds out; what came by its paths has been handed on
     * when it came. And after them, so that what they send is on its way. */
    xcfas_poll_due(sys, now);
    next = armas_poll(sys, now); /* it may start programs */
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        struct tcpip *ip = sys->stacks[i];
        if (!ip || !ip->stk) continue;
        next = u64_min(next, tcpip_poll(ip, now));
        active |= ip->stk != NULL;
    }
    next = u64_min(next, xcfas_poll(sys, now));
    if (sys->stopping && !active && !sys->quiesced) {
        sys->quiesced = true;
        console_message(con(sys), IEE334I);
        if (sys->env.quiesced) sys->env.quiesced(sys->env.ctx, WAIT_QUIESCED, now);
    }
    /* What users of programs entered meanwhile is carried out by the next call, with no stack on the way. */
    return list_empty(&con(sys)->requests) ? next : now;
}

u64 system_flush(struct system *sys, u64 now) {
    u64 next = TIME_NEVER;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++)
        if (sys->stacks[i]) next = u64_min(next, tcpip_flush(sys->stacks[i], now));
    if (!list_empty(&con(sys)->requests)) next = now; /* entered by a user of a program, in a packet that has just come */
    return u64_min(next, xcfas_flush(sys, now)); /* last: what the stacks have sent is on its way then */
}

/* ---- what others ask ---- */

u16 system_asid(struct system *sys) {
    /* 1 to 1F are the system's own, as on OS/390, where master is 1 and the first started task comes behind some thirty others. */
    enum { FIRST = 0x20, LAST = 0x7FFF };
    sys->last_asid = sys->last_asid < FIRST || sys->last_asid == LAST ? FIRST : (u16)(sys->last_asid + 1);
    return sys->last_asid;
}

struct tcpip *system_stack(struct system *sys, const char *name) {
    struct tcpip *only = NULL;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        struct tcpip *ip = sys->stacks[i];
        if (!ip || !ip->stk) continue;
        if (name && name[0]) {
            if (str_eq_ci(ip->name, name)) return ip;
        } else {
            if (only) return NULL;
            only = ip;
        }
    }
    return only;
}
