/* wtor.h - questions to the operator: messages that wait for a REPLY.
 *
 *   *01 IXC402D SYSB LAST OPERATIVE AT 14.05.22. REPLY DOWN AFTER ...     wtor_ask()
 *   R 01,DOWN                                                             wtor_reply()
 *   IEE600I REPLY TO 01 IS;DOWN                                           its owner took it
 *   D R,L                                                                 wtor_at()
 *
 * Who asks names itself by an owner (a function and its context) and a token of its own; the number that the operator sees is this
 * table's, 1 to 99, the lowest that has been free for longest, so that a late answer to an old question hits nothing new.
 * What the owner does not take (-ERR_INVAL: none of the answers; -ERR_AGAIN: it cannot be judged now) leaves the question waiting, and
 * it is repeated. A question that is no longer one is withdrawn by wtor_delete() (DOM), also from inside the owner's answer function.
 *
 * Order: wtors_init() before the first question. Touches the console only. A question that finds the table full is shown as a message
 * and counted; its owner asks again by its own rules.
 */
#ifndef SUPER_WTOR_H
#define SUPER_WTOR_H

#include "super/console.h"

#define WTOR_MAX    32 /* waiting at once: a question about each system of a sysplex */
#define WTOR_ID_MAX 99

struct wtor_owner {
    /* 0: taken. -ERR_INVAL: not one of the answers. -ERR_AGAIN: not now. -ERR_NOENT: nobody waits for it any more. */
    int (*answer)(void *ctx, u32 token, const char *text, u64 now);
    void *ctx;
};
struct wtor {
    u32 id; /* 0: free row */
    u32 token, order;
    const struct wtor_owner *owner;
    char text[CONSOLE_LINE_MAX + 1];
};
struct wtors {
    struct console *con;
    struct wtor row[WTOR_MAX];
    u32 last_id, order;
    u32 asked, answered, deleted, refused; /* counters */
    u32 drop_full;                         /* questions for which there was no row */
};

/* t is zero. */
static inline void wtors_init(struct wtors *t, struct console *con) { t->con = con; }
/* The number that the operator answers by; 0 if WTOR_MAX wait already. line begins with the message's id. owner stays the caller's. */
u32 wtor_ask(struct wtors *t, const struct wtor_owner *owner, u32 token, const char *line);
/* Nothing happens if it does not wait. */
void wtor_delete(struct wtors *t, const struct wtor_owner *owner, u32 token);
/* REPLY id,text: messages to r. true: it was taken. text is upper case outside quotes. */
bool wtor_reply(struct wtors *t, const struct reply *r, u32 id, const char *text, u64 now);
/* The i-th that waits, oldest first; NULL past the last. */
const struct wtor *wtor_at(const struct wtors *t, u32 i);

#endif
