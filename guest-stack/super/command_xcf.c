/* command_xcf.c - the operator's commands of a sysplex: REPLY, D R, D XCF, D CF, V XCF, SETXCF.
 *
 *   R nn,text   nn,text   nntext        D R[,L]        V XCF,system,{OFFLINE|OFF}[,RETAIN=..]
 *
 * What the displays show and SETXCF does: super/dxcf.h.
 */
#include "base/str.h"
#include "super/command_impl.h"
#include "super/display.h"
#include "super/dxcf.h"
#include "super/messages.h"
#include "super/profile.h"

/* ---- REPLY ---- */

bool command_reply(struct command *c) {
    const char *s = c->rest;
    u32 id = 0, n = 0;
    for (; *s >= '0' && *s <= '9' && n < 4; s++, n++) id = id * 10 + (u32)(*s - '0');
    if (n == 0 || n > 2) return command_expected(c, c->rest, "THE NUMBER OF A QUESTION");
    while (*s == ' ') s++;
    if (*s == ',') s++;
    while (*s == ' ') s++;
    return wtor_reply(&c->sys->wtors, c->r, id, s, c->now);
}

bool command_display_requests(struct command *c) {
    const char *what = command_op(c, 1);
    if (c->ops > 1 && !str_eq_ci(what, "L") && !str_eq_ci(what, "LIST") && !str_eq_ci(what, "R")) {
        reply_line(c->r, IEE309I, "DISPLAY R", what);
        return false;
    }
    display_requests(c->sys, c->r);
    return true;
}

/* ---- what needs XCF ---- */

static bool has_xcf(struct command *c) {
    if (c->sys->xcf_operator && c->sys->xcf_operator->x) return true;
    reply_line(c->r, IEE341I, "XCFAS");
    return false;
}

bool command_display_xcf(struct command *c) { return has_xcf(c) && dxcf_display(c); }
bool command_display_cf(struct command *c) { return has_xcf(c) && dxcf_cf(c); }

bool command_vary_xcf(struct command *c) {
    const char *name = command_op(c, 1), *what = command_op(c, 2);
    if (!has_xcf(c)) return false;
    if (!str_eq_ci(what, "OFFLINE") && !str_eq_ci(what, "OFF")) {
        reply_line(c->r, IEE309I, "VARY XCF", what);
        return false;
    }
    int rc = xcf_vary_offline(c->sys->xcf_operator->x, name, c->now);
    if (rc)
        reply_line(c->r, PLX0303E, "VARY XCF", name,
                   rc == -ERR_BUSY ? "ANOTHER QUESTION ABOUT IT WAITS" : "NO SUCH SYSTEM IS IN THE SYSPLEX");
    return rc == 0;
}

bool command_setxcf(struct command *c) { return has_xcf(c) && dxcf_set(c); }
