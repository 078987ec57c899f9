/* command_xcf.c - the operator's commands of a sysplex: REPLY, D R.
 *
 *   R nn,text   nn,text   nntext        D R[,L]
 */
#include "base/str.h"
#include "super/command_impl.h"
#include "super/display.h"
#include "super/messages.h"

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
