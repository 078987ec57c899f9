/* duplex.h - commands for a structure that is one in each of two facilities: system-managed duplexing, the part that each system does
 * with its own commands. Who has a pair, and who drops it when, is xcf/rebuild.h; why it is done so, docs/adr/0005.
 *
 * Each command goes to the first structure, which gives it its number, and with this number to the second (wire/cfcmd.h, ORDERED). Its
 * issuer is answered when both have executed it, with the first one's response; both must have said the same. So an answered command is
 * in both, no command of any system can be answered that rests on one that is in the first only, and both execute all in one order.
 *
 *   request     submitted   first answers   second answers     first lost,   second lost,   duplex_single() of the
 *                                           OK      ORDER      or broken     or broken      first       second
 *   WAITING     FIRST       -               -       -          WAITING       WAITING        ALONE       ALONE
 *   FIRST       -           TURN, SECOND    -       -          WAITING       -              (quiet: there is none)
 *   TURN        -           -               -       -          TURN          TURN           answered    ALONE
 *   SECOND      -           -               answered  TURN     -             TURN           (quiet: there is none)
 *   ALONE       what its structure answers is the answer
 *   GONE        its structure was given up (OFF): LOST is the answer, when its link has answered
 * TURN: it has a number, and the second one has not executed it: another system's command comes before it. It is tried again at once a
 * few times, then each DUPLEX_RETRY_US. A number that is missing for DUPLEX_GAP_US when a connection has left was a dead system's, and the
 * pair is broken. While nobody has left, its owner only stands still: he will bring it, or be isolated and leave, and the pair could not end
 * without him anyway; DUPLEX_PATIENCE_US is for what should not be. So the user says duplex_left() when a connection has left, and issues
 * a command then: that system may have died between its two halves, and the next command finds it.
 * Nothing is executed twice: what the second one has executed was answered, and what it has not it will not, because a system says
 * quiet() only when nothing of its own is outstanding, and duplex_single() comes when all have said so.
 *
 *   mode     what
 *   OFF      requests are not taken
 *   PAIR     as above
 *   HELD     what is outstanding comes to its end; then quiet(). Requests are taken, and wait
 *   SINGLE   one structure: requests go through as they are, and XES_LOST is the user's to hear
 *
 * A request's command has CF_ORDERED_BYTES of storage in front of it. Its response up to DUPLEX_SMALL bytes is kept in the request;
 * one that may be larger needs `large`. Answers come in the order of requests. broken() asks for HELD, which may come at once.
 */
#ifndef XCF_DUPLEX_H
#define XCF_DUPLEX_H

#include "base/base.h"
#include "base/list.h"
#include "xcf/xes.h"

#define DUPLEX_SMALL    160u
#define DUPLEX_RETRY_US ((u64)USEC_PER_MSEC)
#define DUPLEX_GAP_US   (500 * (u64)USEC_PER_MSEC)
#define DUPLEX_PATIENCE_US (60 * (u64)USEC_PER_SEC)
#define DUPLEX_TRIES    4u /* at once */

enum duplex_mode { DUPLEX_OFF, DUPLEX_PAIR, DUPLEX_HELD, DUPLEX_SINGLE };
enum duplex_stage { DUPLEX_WAITING, DUPLEX_FIRST, DUPLEX_TURN, DUPLEX_SECOND, DUPLEX_ALONE, DUPLEX_GONE };

struct duplex;
struct duplex_request {
    struct xes_request q; /* the user's: cmd, len, done, ctx */
    u8 *large;            /* CF_MESSAGE_MAX bytes, or NULL */
    /* from here on duplex's */
    struct duplex *d;
    struct list node;
    struct xes_request half;
    enum duplex_stage stage;
    u32 ordinal, tries, saved_len;
    u64 since; /* its turn has not come */
    u8 small[DUPLEX_SMALL];
};

struct duplex_ops {
    void (*quiet)(void *ctx, u64 now);
    /* The pair is no pair any more, though both links may stand. keep_first: which one has all. */
    void (*broken)(void *ctx, bool keep_first, u64 now);
    /* duplex_poll() has a deadline now that it had not. NULL: it is called each millisecond anyway. */
    void (*later)(void *ctx);
};
struct duplex_counters {
    u64 commands;   /* executed by both */
    u64 retries;    /* of those that came to the second before their turn */
    u64 repeated;   /* executed in what is left, because they had not been in both */
    u64 gaps;       /* a number did not come */
    u64 mismatches; /* the two did not say the same */
    u64 refused;    /* one of the two did not take commands of this system any more */
};
struct duplex {
    const struct duplex_ops *ops;
    void *ctx;
    enum duplex_mode mode;
    struct xes_connection *first, *second;
    u32 epoch, outstanding;
    struct list pending;
    u64 retry_at; /* 0: nobody waits for its turn */
    bool broken, quiet; /* have been told */
    bool left; /* a connection has, and what was pending then has not come to its end */
    struct duplex_counters count;
};

void duplex_init(struct duplex *d, const struct duplex_ops *ops, void *ctx);
/* OFF or SINGLE, nothing pending, to PAIR. epoch: higher than that of every pair of these structures before. */
void duplex_pair(struct duplex *d, struct xes_connection *first, struct xes_connection *second, u32 epoch);
void duplex_hold(struct duplex *d, u64 now);
/* HELD and quiet, to SINGLE: con is the one of the two that is left. What is pending is answered or executed there. */
void duplex_single(struct duplex *d, struct xes_connection *con, u64 now);
/* To OFF: what is pending is lost. */
void duplex_off(struct duplex *d, u64 now);
/* Another connection of the pair is gone. */
void duplex_left(struct duplex *d);
/* 0; -ERR_NETDOWN: OFF, or SINGLE and its link is down. */
int duplex_submit(struct duplex *d, struct duplex_request *r);
/* When it is to be called next; TIME_NEVER. */
u64 duplex_poll(struct duplex *d, u64 now);

#endif
