/* command.c - the verbs, how a line becomes a struct command, and the commands of MVS: START, STOP, HALT,
 * PING, TRACERTE, EZACFSM1. DISPLAY and VARY are in command_tcpip.c.
 *
 *   D|DISPLAY   T | A,L | SYMBOLS | IPLINFO | TCPIP[,[proc],NETSTAT,...]
 *   V|VARY      TCPIP,[proc],...
 *   S|START     TCPIP | proc[.id][,JOBNAME=job][,PARM='text'][,STACK=name][,ARMELEM=element]
 *   C|CANCEL    job[,ARMRESTART]
 *   P|STOP      job                       F|MODIFY   job,text to the program
 *   Z|HALT      EOD
 *   PING host [(COUNT n LENGTH n TIMEOUT n TCP name]       TRACERTE host [(MAX n TRY n TIMEOUT n TCP name]
 *   EZACFSM1 'dsn(member)'
 *   R|REPLY nn,text   or nn,text alone         SETXCF ...         (command_xcf.c)
 *   XCFBENCH [system[,bytes[,n]]]              XESUSE request,structure,...
 *   #token command          for automation: the command, and PLX0310I token behind its answer. A console may lose a
 *                           line that is entered while it is being written to; the sender repeats it with its token
 *                           until the message comes, and a token that was seen is not carried out twice.
 *   #?token command         the same for a program that looks every other second: each line, PLX0310I too, is an aside
 *                           (console.h) that begins with ?token, so neither people nor other answers mix with it
 */
#include "super/command.h"

#include "base/str.h"
#include "super/armas.h"
#include "super/command_impl.h"
#include "super/ezacfsm1.h"
#include "super/messages.h"
#include "super/ping.h"
#include "super/profile.h"
#include "super/tcpip.h"
#include "super/xcfbench.h"
#include "super/xesuse.h"

static const struct verb {
    const char *name, *alias;
    bool (*run)(struct command *c);
} verbs[] = {
    {"DISPLAY", "D", command_display},
    {"VARY", "V", command_vary},
    {"START", "S", command_start},
    {"STOP", "P", command_stop},
    {"CANCEL", "C", command_cancel},
    {"MODIFY", "F", command_modify},
    {"HALT", "Z", command_halt},
    {"PING", "PING", command_ping},
    {"MODDVIPA", "MODDVIPA", command_moddvipa},
    {"TRACERTE", "TRACERTE", command_tracerte},
    {"EZACFSM1", "EZACFSM1", command_ezacfsm1},
    {"XCFBENCH", "XCFBENCH", command_xcfbench},
    {"XESUSE", "XESUSE", command_xesuse},
    {"REPLY", "R", command_reply},
    {"SETXCF", "SETXCF", command_setxcf},
};

/* ---- reading the line ---- */

static void line_fold(struct command *c, const char *text) {
    char raw[SYSTEM_COMMAND_MAX + 1];
    struct moment when;
    bool quoted = false;
    while (*text == ' ') text++;
    u32 len = str_copy(raw, sizeof raw, text);
    while (len && (raw[len - 1] == ' ' || raw[len - 1] == '\r' || raw[len - 1] == '\n')) len--;
    system_moment(c->sys, &when);
    len = symbols_resolve(&c->sys->symbols, &when, true, raw, len, c->text, sizeof c->text);
    for (u32 i = 0; i < len; i++) {
        char ch = c->text[i];
        if (ch == '\'') quoted = !quoted;
        if (!quoted && ch >= 'a' && ch <= 'z') c->text[i] = (char)(ch - 'a' + 'A');
    }
}

static void operands_cut(struct command *c) {
    bool quoted = false;
    u32 depth = 0;
    str_copy(c->cut, sizeof c->cut, c->rest);
    if (!c->cut[0]) return;
    c->op[c->ops++] = c->cut;
    for (char *s = c->cut; *s; s++) {
        if (*s == '\'') quoted = !quoted;
        if (quoted) continue;
        if (*s == '(') depth++;
        if (*s == ')' && depth) depth--;
        if (*s == ' ') {
            *s = '\0';
            return;
        }
        if (*s == ',' && depth == 0 && c->ops < COMMAND_OPERANDS_MAX) {
            *s = '\0';
            c->op[c->ops++] = s + 1;
        }
    }
}

static bool command_run_one(struct system *sys, const char *text, const struct reply *reply, u64 now) {
    struct command c = {.sys = sys, .r = reply, .now = now};
    char verb[17];
    u32 n = 0;
    line_fold(&c, text);
    if (c.text[0] >= '0' && c.text[0] <= '9') { /* an answer needs no verb */
        c.rest = c.text;
        return command_reply(&c);
    }
    for (c.rest = c.text; *c.rest && *c.rest != ' '; c.rest++)
        if (n < sizeof verb - 1) verb[n++] = *c.rest;
    verb[n] = '\0';
    while (*c.rest == ' ') c.rest++;
    if (n == 0) return true;
    operands_cut(&c);
    for (u32 i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!str_eq_ci(verb, verbs[i].name) && !str_eq_ci(verb, verbs[i].alias)) continue;
        c.verb_name = verbs[i].name;
        if (sys->stopping && verbs[i].run == command_start) {
            reply_line(reply, PLX0306I, "THE SYSTEM");
            return false;
        }
        return verbs[i].run(&c);
    }
    reply_line(reply, IEE305I, verb);
    return false;
}

static void aside_line(void *ctx, const char *text) {
    struct system *sys = ctx;
    console_aside(sys->env.con, sys->last_token, text);
}

bool command_run(struct system *sys, const char *text, const struct reply *reply, u64 now) {
    char token[SYSTEM_TOKEN_MAX + 1];
    u32 n = 0;
    while (*text == ' ' || *text == '/') text++; /* a '/' is the emulator's sign for a guest's command */
    if (*text != '#') return command_run_one(sys, text, reply, now);
    for (text++; *text && *text != ' '; text++)
        if (n < SYSTEM_TOKEN_MAX) token[n++] = *text;
    token[n] = '\0';
    /* A command may keep a copy of its reply for a late line: what that points to is the system itself. */
    struct reply aside = {.line = aside_line, .ctx = sys};
    if (token[0] == '?') reply = &aside;
    bool done = true;
    if (strcmp(token, sys->last_token) != 0) {
        str_copy(sys->last_token, sizeof sys->last_token, token);
        done = command_run_one(sys, text, reply, now);
    }
    reply_line(reply, PLX0310I, token);
    return done;
}

const char *command_op(const struct command *c, u32 i) { return i < c->ops ? c->op[i] : ""; }

struct tcpip *command_stack(struct command *c, const char *name) {
    struct tcpip *ip = system_stack(c->sys, name);
    if (ip) return ip;
    u32 n = 0;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) n += c->sys->stacks[i] && c->sys->stacks[i]->stk;
    if (n > 1 && !name[0])
        reply_line(c->r, PLX0302E);
    else
        reply_line(c->r, IEE341I, name[0] ? name : "TCPIP");
    return NULL;
}

const char *command_value(const char *operand, const char *spec) {
    char key[24];
    u32 n = 0;
    while (operand[n] && operand[n] != '=' && n < sizeof key - 1) {
        key[n] = operand[n];
        n++;
    }
    key[n] = '\0';
    return operand[n] == '=' && keyword_matches(spec, key) ? operand + n + 1 : NULL;
}

bool command_expected(struct command *c, const char *token, const char *what) {
    reply_line(c->r, PLX0301E, token[0] ? token : "THE COMMAND", what);
    return false;
}

/* ---- START, STOP, HALT ---- */

static bool is_stack_proc(const char *proc) {
    static const char prefix[] = "TCPIP";
    for (u32 i = 0; i < sizeof prefix - 1; i++)
        if (proc[i] != prefix[i]) return false;
    return true;
}

/* The text between quotes; the closing one may be missing at the end of the line. */
static void unquote(char *out, u32 cap, const char *quoted) {
    u32 n = str_copy(out, cap, quoted + 1);
    if (n && out[n - 1] == '\'') out[n - 1] = '\0';
}

/* AUTOLOG and ARM try again by themselves what says -ERR_AGAIN; who typed the command is told. */
static bool start_said(struct command *c, int rc, const char *proc, const char *job) {
    if (rc == -ERR_AGAIN) reply_line(c->r, PLX0121E, proc, job, "THE SYSPLEX IS NOT READY FOR ITS ADDRESS, TRY AGAIN");
    return rc == 0;
}

bool command_start(struct command *c) {
    char proc[9], job[9] = "", parm[81] = "";
    const char *stack = "", *element = "", *v;
    u32 n = 0;
    const char *s = command_op(c, 0);
    for (; *s && *s != '.' && n < 8; s++) proc[n++] = *s;
    proc[n] = '\0';
    if (n == 0 || (*s && *s != '.')) return command_expected(c, command_op(c, 0), "A PROCEDURE NAME");
    if (*s == '.') str_copy(job, sizeof job, s + 1);
    if (is_stack_proc(proc)) return tcpip_start(c->sys, job[0] ? job : proc, c->now) == 0;
    for (u32 i = 1; i < c->ops; i++) {
        if ((v = command_value(c->op[i], "JOBNAME")))
            str_copy(job, sizeof job, v);
        else if ((v = command_value(c->op[i], "STACK")))
            stack = v;
        else if ((v = command_value(c->op[i], "ARMELEM")))
            element = v;
        else if ((v = command_value(c->op[i], "PARM")) && v[0] == '\'')
            unquote(parm, sizeof parm, v);
        else
            return command_expected(c, c->op[i], "JOBNAME=, PARM='TEXT', STACK= OR ARMELEM=");
    }
    struct tcpip *ip = command_stack(c, stack);
    if (!ip) return false;
    if (!job[0]) str_copy(job, sizeof job, proc);
    if (!element[0]) return start_said(c, program_start(ip, proc, job, parm, c->now), proc, job);
    int rc = armas_register(c, element, job);
    if (rc) return rc == -ERR_AGAIN; /* it waits */
    rc = program_start(ip, proc, job, parm, c->now);
    if (rc == -ERR_AGAIN && armas_later(c)) return true;
    bool good = start_said(c, rc, proc, job);
    armas_started(c, element, good);
    return good;
}

bool command_stop(struct command *c) {
    const char *job = command_op(c, 0);
    struct tcpip *ip = job[0] ? system_stack(c->sys, job) : NULL;
    if (ip) {
        if (ip->stopping) {
            reply_line(c->r, PLX0306I, job);
            return false;
        }
        tcpip_stop(ip, c->now);
        return true;
    }
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        ip = c->sys->stacks[i];
        if (ip && ip->stk && program_stop(ip, job, c->now) == 0) return true;
    }
    reply_line(c->r, IEE341I, job[0] ? job : "JOB");
    return false;
}

/* The program ends as STOP ends it; ARMRESTART makes that a failure to ARM, which starts it again. */
bool command_cancel(struct command *c) {
    const char *job = command_op(c, 0);
    bool restart = str_eq_ci(command_op(c, 1), "ARMRESTART");
    if (c->ops > 2 || (c->ops == 2 && !restart)) return command_expected(c, command_op(c, 1), "ARMRESTART");
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        struct tcpip *ip = c->sys->stacks[i];
        if (!ip || !ip->stk || program_stop(ip, job, c->now) != 0) continue;
        reply_line(c->r, IEE301I, job);
        armas_cancelled(c->sys, job, restart, c->now);
        return true;
    }
    reply_line(c->r, IEE341I, job[0] ? job : "JOB");
    return false;
}

/* What follows the first comma is the program's affair. */
bool command_modify(struct command *c) {
    const char *job = command_op(c, 0), *text = c->rest;
    while (*text && *text != ',') text++;
    if (*text) text++;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        struct tcpip *ip = c->sys->stacks[i];
        struct program *row = ip && ip->stk ? program_find(ip, job) : NULL;
        if (!row) continue;
        if (!row->app->modify) {
            reply_line(c->r, IEE342I, "MODIFY");
            return false;
        }
        return row->app->modify(row->inst, text, c->r, c->now);
    }
    reply_line(c->r, IEE341I, job[0] ? job : "JOB");
    return false;
}

bool command_halt(struct command *c) {
    if (!str_eq_ci(command_op(c, 0), "EOD")) {
        reply_line(c->r, IEE309I, c->verb_name, command_op(c, 0));
        return false;
    }
    if (c->sys->stopping) {
        reply_line(c->r, PLX0306I, "THE SYSTEM");
        return false;
    }
    /* system_poll() says IEE334I and asks for the wait when the last stack is down. */
    c->sys->stopping = true;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++)
        if (c->sys->stacks[i]) tcpip_stop(c->sys->stacks[i], c->now);
    return true;
}

/* ---- PING and TRACERTE ---- */

/* The next blank-separated word of *s; an opening or closing parenthesis counts as a blank. */
static bool word_next(const char **s, char *out, u32 cap) {
    u32 n = 0;
    while (**s == ' ' || **s == '(' || **s == ')') ++*s;
    for (; **s && **s != ' ' && **s != '(' && **s != ')'; ++*s)
        if (n + 1 < cap) out[n++] = **s;
    out[n] = '\0';
    return n > 0;
}

struct ping_option {
    const char *name;
    u32 low, high, *value;
};

static bool ping_options(struct command *c, const char *s, const struct ping_option *o, u32 n,
                         char stack[9]) {
    char word[17], number[17];
    while (word_next(&s, word, sizeof word)) {
        const struct ping_option *hit = NULL;
        for (u32 i = 0; i < n; i++)
            if (keyword_matches(o[i].name, word)) hit = &o[i];
        bool has = word_next(&s, number, sizeof number);
        if (!hit && str_eq_ci(word, "TCP") && has) {
            str_copy(stack, 9, number);
            continue;
        }
        if (!hit)
            return command_expected(
                c, word, o[0].name[0] == 'C' ? "COUNT, LENGTH, TIMEOUT OR TCP" : "MAX, TRY, TIMEOUT OR TCP");
        u32 v;
        if (!has || !str_u32(number, strlen(number), &v) || v < hit->low || v > hit->high) {
            char what[40];
            str_fmt(what, sizeof what, "A NUMBER FROM %u TO %u", hit->low, hit->high);
            return command_expected(c, has ? number : word, what);
        }
        *hit->value = v;
    }
    return true;
}

static bool ping_or_trace(struct command *c, bool trace) {
    struct ping_request ask;
    char host[20], stack[9] = "";
    const char *s = c->rest;
    ping_request_default(&ask, trace);
    const struct ping_option ping[] = {{"Count", 1, 100, &ask.count},
                                       {"Length", 8, PING_LENGTH_MAX, &ask.length},
                                       {"Timeout", 1, 300, &ask.timeout_sec}};
    const struct ping_option tracerte[] = {{"MAX", 1, 255, &ask.max_hops},
                                           {"TRY", 1, TRACERTE_TRIES_MAX, &ask.count},
                                           {"TIMEOUT", 1, 300, &ask.timeout_sec}};
    if (!word_next(&s, host, sizeof host) || !ipaddr_parse(host, strlen(host), &ask.host))
        return command_expected(c, host, "AN IP ADDRESS");
    if (!ping_options(c, s, trace ? tracerte : ping, 3, stack)) return false;
    struct tcpip *ip = command_stack(c, stack);
    if (!ip) return false;
    int rc = ping_start(ip, &ask, c->now);
    if (rc)
        reply_line(c->r, PLX0303E, trace ? "TRACERTE" : "PING", host,
                   rc == -ERR_BUSY ? "ANOTHER ONE IS RUNNING" : "NO SOCKET CAN BE OPENED");
    return rc == 0;
}

bool command_ping(struct command *c) { return ping_or_trace(c, false); }
bool command_tracerte(struct command *c) { return ping_or_trace(c, true); }

/* ---- EZACFSM1 ---- */

static void record_out(void *ctx, const char *text) { reply_line(ctx, "%s", text); }

bool command_ezacfsm1(struct command *c) {
    char dsname[45], member[9];
    struct member m;
    struct moment when;
    if (!dataset_name_split(c->rest, dsname, member)) return command_expected(c, c->rest, "'DSN(MEMBER)'");
    int rc = dataset_read(c->sys->env.ds, dsname, member, &m);
    if (rc) {
        reply_line(c->r, PLX0303E, "EZACFSM1", c->rest,
                   rc == -ERR_NOENT ? "IT DOES NOT EXIST" : "IT CANNOT BE READ");
        return false;
    }
    system_moment(c->sys, &when);
    when.jobname = "EZACFSM1";
    u32 n = ezacfsm1_run(&c->sys->symbols, &when, m.text, m.len, record_out, (void *)(uintptr_t)c->r, NULL);
    dataset_release(c->sys->env.ds, &m);
    reply_line(c->r, PLX0305I, c->rest, n);
    return true;
}
