/* armas.c - Automatic Restart Manager in an image. See armas.h. */
#include "super/armas.h"

#include "base/str.h"
#include "super/armpol.h"
#include "super/command.h"
#include "super/dxcf_impl.h"
#include "super/tcpip.h"

#define ELEMENTS 128u /* of all systems */
#define RETRY_US USEC_PER_SEC

struct armas {
    struct system *sys;
    struct arm *arm;
    char waiting[ARMAS_WAITING_MAX][SYSTEM_COMMAND_MAX + 1]; /* "" free */
    u32 waiters; /* of waiting[] that are in use */
    u64 retry_at;
    u32 drop_waiting; /* STARTs for which there was no place to wait */
};

/* ---- life ---- */

static void on_message(void *ctx, const char *line) {
    const struct armas *as = ctx;
    console_message(as->sys->env.con, "%s", line);
}
static void on_start(void *ctx, const char *element, const char *text, u64 now) {
    struct armas *as = ctx;
    UNUSED(element);
    command_run(as->sys, text, &as->sys->env.con->reply, now);
}

void armas_create(struct system *sys, u64 now) {
    const struct arm_env env = {.message = on_message, .start = on_start};
    struct arena before = *sys->env.arena;
    struct armas *as = arena_take(sys->env.arena, sizeof *as, 16);
    if (!as || !sys->xcf_operator) return;
    memset(as, 0, sizeof *as);
    as->sys = sys;
    struct arm_env mine = env;
    mine.ctx = as;
    const struct arm_config c = {.arena = sys->env.arena, .x = sys->xcf_operator->x, .env = &mine, .elements = ELEMENTS};
    as->arm = arm_create(&c, now);
    if (as->arm)
        sys->armas = as;
    else
        *sys->env.arena = before; /* a small machine does without */
}

struct arm *armas_arm(const struct system *sys) { return sys->armas ? sys->armas->arm : NULL; }

/* ---- START ---- */

static bool wait_for_turn(struct armas *as, const char *text) {
    for (u32 i = 0; i < ARMAS_WAITING_MAX; i++)
        if (strcmp(as->waiting[i], text) == 0) return true;
    for (u32 i = 0; i < ARMAS_WAITING_MAX; i++) {
        if (as->waiting[i][0]) continue;
        str_copy(as->waiting[i], sizeof as->waiting[i], text);
        as->waiters++;
        return true;
    }
    as->drop_waiting++;
    return false;
}

static const char *refusal(int rc) {
    switch (rc) {
    case -ERR_EXIST: return "IT IS ACTIVE, HERE OR ON ANOTHER SYSTEM";
    case -ERR_INVAL: return "IT IS NOT THE NAME OF AN ELEMENT";
    case -ERR_AGAIN: return "TOO MANY ELEMENTS WAIT FOR THE OTHER SYSTEMS";
    default: return "THERE ARE TOO MANY ELEMENTS";
    }
}

static bool job_runs(struct system *sys, const char *job) {
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++)
        if (sys->stacks[i] && sys->stacks[i]->stk && program_find(sys->stacks[i], job)) return true;
    return false;
}

/* An element of this system whose program is still on its way: its START has waited and comes again. */
static bool comes_again(struct armas *as, const char *element, const char *job) {
    struct arm_info e;
    for (u32 i = 0; arm_element(as->arm, i, &e); i++)
        if (e.local && strcmp(e.element, element) == 0)
            return (e.state == ARM_STARTING || e.state == ARM_RECOVERING) && !job_runs(as->sys, job);
    return false;
}

int armas_register(struct command *c, const char *element, const char *job) {
    struct armas *as = c->sys->armas;
    if (!as) {
        reply_line(c->r, PLX0303E, "ELEMENT", element, "THERE IS NO AUTOMATIC RESTART MANAGER ON THIS SYSTEM");
        return -ERR_NOSYS;
    }
    const struct arm_registration r = {.element = element, .type = "SYSLVL2", .job = job, .text = c->text};
    int rc = arm_register(as->arm, &r, c->now);
    if (rc >= 0 || (rc == -ERR_EXIST && comes_again(as, element, job))) return 0;
    if (rc == -ERR_AGAIN && wait_for_turn(as, c->text)) return rc;
    reply_line(c->r, PLX0303E, "ELEMENT", element, refusal(rc));
    return rc == -ERR_AGAIN ? -ERR_NOMEM : rc;
}

void armas_started(struct command *c, const char *element, bool good) {
    if (good)
        arm_ready(c->sys->armas->arm, element, c->now);
    else
        arm_deregister(c->sys->armas->arm, element, c->now);
}

bool armas_later(struct command *c) {
    return wait_for_turn(c->sys->armas, c->text);
}

void armas_cancelled(struct system *sys, const char *job, bool restart, u64 now) {
    struct arm_info e;
    if (!sys->armas) return;
    for (u32 i = 0; arm_element(sys->armas->arm, i, &e); i++) {
        if (!e.local || !str_eq_ci(e.job, job)) continue;
        if (restart)
            arm_failed(sys->armas->arm, e.element, now);
        else
            arm_deregister(sys->armas->arm, e.element, now);
        return;
    }
}

/* ---- time ---- */

/* A program that has ended because it was told to is no element any more. */
static void ended(struct armas *as, u64 now) {
    struct arm_info e;
    for (u32 i = 0; arm_element(as->arm, i, &e);) {
        bool over = e.local && e.state == ARM_AVAILABLE && !job_runs(as->sys, e.job);
        if (over && arm_deregister(as->arm, e.element, now) == 0) continue; /* the next one has taken its place */
        i++;
    }
}

static void retry(struct armas *as, u64 now) {
    for (u32 i = 0; i < ARMAS_WAITING_MAX; i++) {
        char text[SYSTEM_COMMAND_MAX + 1];
        if (!as->waiting[i][0]) continue;
        str_copy(text, sizeof text, as->waiting[i]);
        as->waiting[i][0] = '\0'; /* it comes back if it has to wait on */
        as->waiters--;
        command_run(as->sys, text, &as->sys->env.con->reply, now);
    }
}

u64 armas_poll(struct system *sys, u64 now) {
    struct armas *as = sys->armas;
    if (!as) return TIME_NEVER;
    if (now >= as->retry_at) {
        as->retry_at = now + RETRY_US;
        ended(as, now);
        retry(as, now);
    }
    u64 next = arm_poll(as->arm, now);
    bool busy = as->waiters > 0;
    struct arm_info e;
    for (u32 i = 0; arm_element(as->arm, i, &e) && !busy; i++) busy = e.local;
    return busy ? u64_min(next, as->retry_at) : next; /* an image without elements sleeps */
}

/* ---- policy ---- */

const char *armas_policy_name(const struct system *sys) {
    const struct arm_policy *p = sys->armas ? arm_policy_active(sys->armas->arm) : NULL;
    return p ? p->name : "";
}

bool armas_policy_start(struct command *c, const char *name) {
    struct system *sys = c->sys;
    struct arena before = *sys->env.arena;
    struct keyread_error err;
    struct member m;
    const char *where, *why = NULL;
    if (!sys->armas) {
        reply_line(c->r, IXC514I, name, "ARM", "THERE IS NO AUTOMATIC RESTART MANAGER ON THIS SYSTEM");
        return false;
    }
    int rc = system_parmlib_read(sys, name, &m, &where);
    if (rc) {
        reply_line(c->r, IXC514I, name, "ARM", rc == -ERR_NOENT ? "IT IS NOT IN PARMLIB" : "IT CANNOT BE READ");
        return false;
    }
    struct arm_policy *p = arena_take(sys->env.arena, sizeof *p, 16);
    if (!p) {
        why = "THERE IS NO STORAGE FOR IT";
    } else if (!armpol_parse(m.text, p, &err)) {
        reply_line(c->r, PLX0101E, name, err.line, err.token, err.expected);
        why = "IT HAS ERRORS";
    }
    dataset_release(sys->env.ds, &m);
    if (why)
        reply_line(c->r, IXC514I, name, "ARM", why);
    else
        arm_policy(sys->armas->arm, p, c->now);
    *sys->env.arena = before;
    if (!why) reply_line(c->r, IXC511I, "START", name, "ARM");
    return !why;
}

bool armas_policy_stop(struct command *c) {
    char name[9];
    if (!c->sys->armas) return true;
    str_copy(name, sizeof name, armas_policy_name(c->sys));
    arm_policy(c->sys->armas->arm, NULL, c->now);
    reply_line(c->r, IXC511I, "STOP", name, "ARM");
    return true;
}

/* ---- D XCF,ARMSTATUS ---- */

static void summary(struct command *c, const struct arm *a) {
    u32 n[ARM_STATES] = {0}, total = 0;
    struct arm_info e;
    for (; arm_element(a, total, &e); total++) n[e.state]++;
    reply_line(c->r, "ARM RESTARTS ARE %sENABLED", arm_policy_active(a) ? "" : "NOT ");
    reply_line(c->r, "-------------- ELEMENT STATE SUMMARY -------------- -TOTAL-  -MAX-");
    reply_line(c->r, "STARTING AVAILABLE FAILED RESTARTING RECOVERING");
    reply_line(c->r, "%8u %9u %6u %10u %10u     %7u %6u", n[ARM_STARTING], n[ARM_AVAILABLE], n[ARM_FAILED], n[ARM_RESTARTING],
               n[ARM_RECOVERING], total, ELEMENTS);
}

static void element_detail(struct command *c, const struct arm_info *e) {
    char when[20];
    reply_line(c->r, "RESTART GROUP:%s", e->group);
    reply_line(c->r, " ELEMENT NAME :%-16s JOBNAME  :%-8s STATE   :%s", e->element, e->job, arm_state_name(e->state));
    reply_line(c->r, " CURR SYS :%-8s JOBTYPE  :STC  TERMTYPE:%s", e->system, e->element_only ? "ELEMTERM" : "ALLTERM");
    reply_line(c->r, " INIT SYS :%-8s ELEMTYPE:%-8s LEVEL :%5u", e->initial, e->type[0] ? e->type : "*NONE*", e->level);
    reply_line(c->r, " TOTAL RESTARTS :%5u  INITIAL START:%s", e->generation, display_moment(c->sys, e->started_at, c->now, when));
    reply_line(c->r, " RESTART THRESH :%5u OF %u", e->recent, e->attempts);
    reply_line(c->r, " START TEXT :%s", e->text);
}

bool armas_display(struct command *c) {
    const struct arm *a = armas_arm(c->sys);
    const char *what = command_op(c, 2), *name = command_value(what, "ELement");
    struct arm_info e;
    char t[9];
    if (!a) {
        reply_line(c->r, PLX0303E, "DISPLAY XCF", what, "THERE IS NO AUTOMATIC RESTART MANAGER ON THIS SYSTEM");
        return false;
    }
    if (what[0] && !name && !keyword_matches("DETail", what)) return command_expected(c, what, "DETAIL OR ELEMENT=");
    reply_line(c->r, IXC392I, display_clock(c->sys, t), display_number(c->sys));
    summary(c, a);
    for (u32 i = 0; what[0] && arm_element(a, i, &e); i++)
        if (!name || dxcf_names(name, e.element)) element_detail(c, &e);
    return true;
}
