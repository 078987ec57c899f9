/* app.h - the guest's programs: what a started task is, and the table of them.
 *
 * A program is event driven: start() opens its sockets and returns; everything else happens in their callbacks;
 * stop() closes them. One program may run several times under different job names and parameters. A program
 * touches net/sock.h, net/timer.h, super/console.h, super/dataset.h and this header, nothing else.
 *
 *   name      ports (defaults)        parameters, separated by blanks or commas
 *   HTTPD     80 TCP                  PORT=n  WEB=dsname (TCPIP.HTTPD.WEB)  CONNS=n  IDLE=seconds  BACKLOG=n
 *   MISCSERV  7, 9, 19 TCP and UDP    echo, discard, chargen (RFC 862-864)  CONNS=n  IDLE=seconds
 *   BULKSRV   5001 source, 5002 sink  SOURCE=n  SINK=n  CONNS=n  BYTES=n  IDLE=seconds; apps/pattern.h
 *   BULKGET   to a BULKSRV            HOST=address  PORT=n (5001)  HOLD=seconds; says what came, how fast, and from where
 *   TN3270    23 TCP                  job INTCLIEN: displays, operator panel; apps/tn3270d.c
 *   OTELNETD  23 TCP                  operator's console in line mode; apps/otelnetd.c
 */
#ifndef APPS_APP_H
#define APPS_APP_H

#include "base/arena.h"
#include "base/base.h"

struct stack;
struct datasets;
struct console;
struct reply;
struct app_block;

/* What a program is given. The caller keeps it for as long as any program runs. */
struct app_env {
    struct stack *stk;
    struct datasets *ds;
    struct console *con;
    const char *sysname, *stackname;
    struct arena *arena;     /* storage of instances; comes back to `spare` at stop, never to the arena */
    struct app_block *spare; /* initially NULL */
    u64 ipl_time;            /* now at IPL, for uptimes */
};

struct app {
    const char *name; /* as START and AUTOLOG know it */
    /* 0 and *inst, or -ERR_INVAL (parm; said on the console), -ERR_NOMEM, and what sock_bind() returns. */
    int (*start)(struct app_env *env, const char *jobname, const char *parm, u64 now, void **inst);
    void (*stop)(void *inst, u64 now);
    /* F jobname,text: text is in upper case, answers go through r. NULL: the program takes no MODIFY. */
    bool (*modify)(void *inst, const char *text, const struct reply *r, u64 now);
};

/* Case does not matter; NULL if there is no such program. */
const struct app *app_find(const char *name);
/* The i-th program, NULL past the end. */
const struct app *app_at(u32 i);

/* ---- for programs ---- */
/* Zeroed storage for an instance; NULL when the arena is exhausted. */
void *app_take(struct app_env *env, u32 bytes);
void app_give_back(struct app_env *env, void *storage);
/* "KEY=value" in parm. number: false if present and not a number in [low, high]; *out untouched if absent. */
bool app_parm_number(const char *parm, const char *key, u32 low, u32 high, u32 *out);
/* Copies the value to out (cap with its NUL); false if absent or too long. */
bool app_parm_text(const char *parm, const char *key, char *out, u32 cap);

#endif
