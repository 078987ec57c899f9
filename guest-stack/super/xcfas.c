/* xcfas.c - see super/xcfas.h: COUPLExx, the paths, the operator, and the moment when this system is out.
 *
 *   xcfas_start   IEASYSxx -> COUPLExx -> facilities, couple data -> struct xcf
 *   join          the couple data have this system, or there are none to be reached: its paths begin
 *   elsewhere     what can be reached says that the couple data have moved on: IXC207A, until R nn,COUPLE=xx names them or they are reached
 *   xcfas_poll    the adapters, then the core, until nothing more is due now
 */
#include "super/xcfas.h"

#include "base/str.h"
#include "super/cfop.h"
#include "super/couplexx.h"
#include "super/dxcf.h"
#include "super/ezacfsm1.h"
#include "super/ieaoptxx.h"
#include "super/messages.h"
#include "super/system.h"
#include "super/wtor.h"
#include "xcf/cds.h"
#include "xcf/cfrm.h"
#include "xcf/cflinks.h"
#include "xcf/ctcpath.h"
#include "xcf/strpath.h"

/* Most members known, of all systems, and groups. XCF-LOCAL serves one system's programs. */
#define MEMBERS        1024u
#define GROUPS         256u
#define LOCAL_MEMBERS  64u
#define LOCAL_GROUPS   32u
#define LOCAL_SEGMENTS 48u
#define JOIN_US        (2 * (u64)USEC_PER_SEC) /* a link that takes longer is as none */
#define DEVICES_MORE   4u                      /* paths that SETXCF START may add */
#define POLLS_MAX      8u /* rounds of one xcfas_poll(): what is still due then comes with the next turn of the loop */

struct xcfas {
    struct system *sys;
    char member[9];
    bool local, joined;
    bool elsewhere; /* IXC207A is asked, and this system has joined nobody */
    u64 join_by;
    u64 due; /* what the last xcfas_poll() returned */
    u32 started; /* what xcfas_start() says now */
    struct couple couple;
    struct xcf_sysid id;
    struct xcf *x;
    struct cflinks *links;
    struct cds *cds;
    struct cfop *cfop;
    struct ctcpaths *ctc;
    struct strpaths *str;
    struct wtor_owner owner;
    struct xcf_operator operator;
};

/* ---- COUPLExx ---- */

struct text {
    char *at;
    u32 used, max;
};

static void text_line(void *ctx, const char *line) {
    struct text *t = ctx;
    t->used += str_fmt(t->at + t->used, t->max - t->used, "%s\n", line);
}

static void couple_member(struct system *sys, char out[9]) {
    char suffix[3] = "00";
    ieasys_value(sys, "COUPLE", suffix, sizeof suffix);
    str_fmt(out, 9, "COUPLE%s", suffix);
}

/* 0; -ERR_INVAL after a message; WAIT_NO_STORAGE; -ERR_NOENT there is no such member, or another error of reading it. */
static int couple_read(struct xcfas *as) {
    struct system *sys = as->sys;
    struct arena before = *sys->env.arena;
    struct couplexx_error err = {0};
    struct moment when;
    struct member m;
    const char *where;
    int rc = system_parmlib_read(sys, as->member, &m, &where);
    if (rc) return rc;
    /* A symbol's text is never longer than its name, so the text does not grow but for the ends of records. */
    struct text t = {.max = 2 * m.len + SYMBOL_LINE_MAX};
    t.at = arena_take(sys->env.arena, t.max, 1);
    bool good = false;
    if (t.at) {
        system_moment(sys, &when);
        ezacfsm1_run(&sys->symbols, &when, m.text, m.len, text_line, &t, NULL);
        good = couplexx_parse(t.at, &as->couple, &err);
    }
    dataset_release(sys->env.ds, &m);
    *sys->env.arena = before;
    if (!t.at) return WAIT_NO_STORAGE;
    if (!good) {
        console_message(sys->env.con, IXC205I, as->member, err.line, err.token, err.expected);
        return -ERR_INVAL;
    }
    if (strcmp(as->couple.sysplex, sys->load.sysplex) != 0 && as->couple.pcouple[0]) {
        console_message(sys->env.con, IXC206I, as->member, as->couple.sysplex, sys->load.sysplex);
        return -ERR_INVAL;
    }
    return 0;
}

/* ---- what XCF asks of its surroundings ---- */

static void env_message(void *ctx, const char *line) {
    const struct xcfas *as = ctx;
    console_message(as->sys->env.con, "%s", line);
}

static void env_wtor(void *ctx, u32 reply, const char *line) {
    struct xcfas *as = ctx;
    wtor_ask(&as->sys->wtors, &as->owner, reply, line);
}

static void env_dom(void *ctx, u32 reply) {
    struct xcfas *as = ctx;
    wtor_delete(&as->sys->wtors, &as->owner, reply);
}

static int respecify(struct xcfas *as, const char *text, u64 now);
/* IXC207A is XCF's no more than COUPLExx is, and has no number there. */
static int answer(void *ctx, u32 token, const char *text, u64 now) {
    struct xcfas *as = ctx;
    return token ? xcf_reply(as->x, token, text, now) : respecify(as, text, now);
}

static void env_time_of(void *ctx, u64 when, char out[9]) {
    const struct xcfas *as = ctx;
    struct moment m;
    struct calendar c;
    system_moment(as->sys, &m);
    /* The wall clock of the IPL and the time since then. */
    u32 seconds = as->sys->ipl_seconds + (u32)m.local_offset_seconds;
    if (when > as->sys->ipl_now) seconds += (u32)((when - as->sys->ipl_now) / USEC_PER_SEC);
    calendar_of(seconds, &c);
    str_fmt(out, 9, "%02u:%02u:%02u", c.hour, c.minute, c.second);
}

/* Nothing may run after this: what the stack would still send is another system's now. */
static void env_wait_state(void *ctx, u32 code, u32 reason) {
    const struct xcfas *as = ctx;
    const struct system_env *env = &as->sys->env;
    if (env->partitioned) env->partitioned(env->ctx, reason << 12 | code);
}

/* ---- start ---- */

static struct xcf *core_create(struct xcfas *as, u64 now) {
    const struct xcf_env env = {.ctx = as,
                                .message = env_message,
                                .wtor = env_wtor,
                                .dom = env_dom,
                                .wait_state = env_wait_state,
                                .time_of = env_time_of};
    struct xcf_config c = {.arena = as->sys->env.arena, .couple = &as->couple, .env = &env, .id = as->id};
    c.arbiter = as->cds ? &cds_arbiter_ops : NULL;
    c.arbiter_ctx = as->cds;
    c.systems = as->local ? 2 : XCF_SYSTEMS_MAX;
    c.members = as->local ? LOCAL_MEMBERS : MEMBERS;
    c.groups = as->local ? LOCAL_GROUPS : GROUPS;
    c.segments = as->local ? LOCAL_SEGMENTS : 0;
    return xcf_create(&c, now);
}

/* PSWITCH or ACOUPLE, here or on another system: displays say so. */
static void couple_changed(void *ctx, const char *primary, const char *alternate) {
    struct xcfas *as = ctx;
    str_copy(as->couple.pcouple, sizeof as->couple.pcouple, primary);
    str_copy(as->couple.acouple, sizeof as->couple.acouple, alternate);
    struct couple k = *xcf_couple(as->x);
    str_copy(k.pcouple, sizeof k.pcouple, primary);
    str_copy(k.acouple, sizeof k.acouple, alternate);
    xcf_set_couple(as->x, &k);
}

/* Links to coupling facilities, and the couple data in them: before the core, whose arbiter they are. */
static bool facilities_create(struct xcfas *as) {
    struct system *sys = as->sys;
    const struct system_env *env = &sys->env;
    as->links = cflinks_create(env->arena, env->channels, env->cflink, env->cflinks, as->id.name, env_message, as);
    if (!as->links) return false;
    as->cds = cds_create(
        &(struct cds_config){.arena = env->arena, .links = as->links, .couple = &as->couple, .id = as->id, .say = env_message, .changed = couple_changed, .ctx = as});
    as->cfop = cfop_create(sys, as->links, &as->couple);
    return as->cds && as->cfop;
}

/* What the operator sees of the facilities and does about them; a system without links has none of it. */
static int op_inventory(void *ctx, u64 now) {
    struct xcfas *as = ctx;
    return as->cfop ? cfop_inventory(as->cfop, now) : -ERR_NETDOWN;
}
static int op_force(void *ctx, const char *structure, const char *connection, u64 now) {
    struct xcfas *as = ctx;
    return as->cfop ? cfop_force(as->cfop, structure, connection, now) : -ERR_NETDOWN;
}
static bool op_facility(void *ctx, u32 i, struct xcf_operator_cf *out) {
    const struct xcfas *as = ctx;
    return as->cfop && cfop_facility(as->cfop, i, out);
}
static bool op_structure(void *ctx, u32 i, struct xcf_operator_structure *out) {
    const struct xcfas *as = ctx;
    struct strpath_info s;
    if (!as->cfop || !cfop_structure(as->cfop, i, out)) return false;
    for (u32 k = 0; as->str && strpaths_info(as->str, k, &s); k++) {
        if (strcmp(s.name, out->name) != 0) continue;
        out->duplexed = s.second != NULL;
        out->phase = s.second ? "DUPLEX ESTABLISHED" : s.phase;
        if (out->instances != 2 || strcmp(out->instance[1].cf, s.facility) != 0) continue;
        struct xcf_operator_instance old = out->instance[1];
        out->instance[1] = out->instance[0];
        out->instance[0] = old;
    }
    return true;
}
static int op_pswitch(void *ctx, u64 now) {
    struct xcfas *as = ctx;
    return as->cds ? cds_pswitch(as->cds, now) : -ERR_NETDOWN;
}
static int op_acouple(void *ctx, const char *name, u64 now) {
    struct xcfas *as = ctx;
    return as->cds ? cds_acouple(as->cds, name, now) : -ERR_NETDOWN;
}
static int op_rebuild(void *ctx, const char *structure, bool other, u64 now) {
    struct xcfas *as = ctx;
    UNUSED(other); /* it always goes to the first facility of its preference that it is not in */
    return as->str ? strpaths_rebuild(as->str, structure, true, now) : -ERR_NOENT;
}
static int op_rebuild_stop(void *ctx, const char *structure, u64 now) {
    struct xcfas *as = ctx;
    return as->str ? strpaths_rebuild(as->str, structure, false, now) : -ERR_NOENT;
}
static int op_duplex(void *ctx, const char *structure, bool start, bool keep_new, u64 now) {
    struct xcfas *as = ctx;
    return as->str ? strpaths_duplex(as->str, structure, start, keep_new, now) : -ERR_NOENT;
}
static int op_cfrm_policy(void *ctx, const char *name, u64 now) {
    struct xcfas *as = ctx;
    return as->cfop ? cfop_policy(as->cfop, name, now) : -ERR_NETDOWN;
}
static int path_add(struct xcfas *as, const struct couple_path *p, u64 now);
static int op_path_new(void *ctx, const struct couple_path *path, u64 now) {
    struct xcfas *as = ctx;
    return as->local || !as->joined ? -ERR_NETDOWN : path_add(as, path, now);
}
static const struct xcf_operator_ops OPERATOR = {
    .path_new = op_path_new, .inventory = op_inventory, .facility = op_facility, .structure = op_structure, .cfrm_policy = op_cfrm_policy, .force = op_force,
    .pswitch = op_pswitch, .acouple = op_acouple, .rebuild = op_rebuild, .rebuild_stop = op_rebuild_stop,
    .duplex = op_duplex};

/* false: no storage. */
static bool paths_create(struct xcfas *as) {
    struct system *sys = as->sys;
    u32 devices = 0;
    for (u32 i = 0; i < as->couple.paths; i++) devices += !as->couple.path[i].structure;
    as->ctc = ctcpaths_create(sys->env.arena, sys->env.channels, as->x, devices + DEVICES_MORE);
    as->str = strpaths_create(&(struct strpaths_config){
        .arena = sys->env.arena, .links = as->links, .cfrm = cfop_cfrm(as->cfop), .say = env_message, .ctx = as, .id = as->id, .x = as->x});
    if (!as->ctc || !as->str) return false;
    cds_begin(as->cds, as->x);
    cflinks_open(as->links);
    return true;
}

static int path_add(struct xcfas *as, const struct couple_path *p, u64 now) {
    return p->structure ? strpaths_add(as->str, p, now) : ctcpaths_add(as->ctc, p, now);
}

static void ask_couple(struct xcfas *as);
/* What can be reached says that the couple data are elsewhere: beginning without them would be beginning apart. */
static bool elsewhere(struct xcfas *as) {
    const char *primary;
    if (!cds_elsewhere(as->cds, &primary)) return false;
    if (as->elsewhere) return true;
    as->elsewhere = true;
    console_message(as->sys->env.con, IXC255I, primary, "PRIMARY", "IT IS IN USE BY THE SYSPLEX, AND CANNOT BE REACHED");
    ask_couple(as);
    return true;
}

/* Others must be able to find this life of the system in the couple data before they hear it. Without a facility they can't. */
static void join(struct xcfas *as, u64 now) {
    bool hopeless = now >= as->join_by || !cflinks_at(as->links, 0);
    if (as->joined || !(cds_joined(as->cds) || (hopeless && !elsewhere(as)))) return;
    as->joined = true;
    if (as->elsewhere) wtor_delete(&as->sys->wtors, &as->owner, 0);
    as->elsewhere = false;
    console_message(as->sys->env.con, IXC418I, as->id.name, as->couple.sysplex);
    for (u32 i = 0; i < as->couple.paths; i++)
        if (path_add(as, &as->couple.path[i], now) != 0)
            console_message(as->sys->env.con, PLX0331E, as->couple.path[i].name);
}

static u32 no_storage(struct system *sys) {
    console_message(sys->env.con, PLX0330A);
    return WAIT_NO_STORAGE;
}

/* COUPLExx is read, or there is none. */
static u32 go(struct xcfas *as, u64 now) {
    struct system *sys = as->sys;
    as->local = !as->member[0] || !as->couple.pcouple[0] || !sys->env.channels;
    str_copy(as->id.name, sizeof as->id.name, system_name(sys));
    as->id.incarnation = now;
    if (!as->local && !facilities_create(as)) return no_storage(sys);
    as->x = core_create(as, now);
    if (!as->x) {
        /* XCF-LOCAL is a convenience that a small machine does without. */
        if (!as->local) return no_storage(sys);
        return 0;
    }
    as->operator= (struct xcf_operator){.x = as->x, .ops = &OPERATOR, .ctx = as};
    sys->xcfas = as;
    sys->xcf_operator = &as->operator;
    if (as->local) return 0;
    as->join_by = now + JOIN_US;
    return paths_create(as) ? 0 : no_storage(sys);
}

static void ask_couple(struct xcfas *as) {
    wtor_ask(&as->sys->wtors, &as->owner, 0, "IXC207A XCF INITIALIZATION IS RESTARTED. RESPECIFY COUPLE SYSTEM PARAMETER, REPLY COUPLE=XX.");
}

/* R nn,COUPLE=xx. What cannot be used either is asked for again: the question waits on (-ERR_INVAL). Else 0 or WAIT_NO_STORAGE. */
static int couple_again(struct xcfas *as, const char *text) {
    if (strlen(text) != 9 || memcmp(text, "COUPLE=", 7) != 0) return -ERR_INVAL;
    str_fmt(as->member, sizeof as->member, "COUPLE%s", text + 7);
    couple_default(&as->couple);
    int rc = couple_read(as);
    if (rc < 0 && rc != -ERR_INVAL) console_message(as->sys->env.con, IXC211I, as->member);
    return rc < 0 ? -ERR_INVAL : rc;
}

/* The answer of a system that runs already, with links but without a sysplex. */
static int respecify(struct xcfas *as, const char *text, u64 now) {
    if (couple_again(as, text) != 0 || !as->couple.pcouple[0]) return -ERR_INVAL;
    xcf_set_couple(as->x, &as->couple);
    cds_respecify(as->cds, as->couple.pcouple, as->couple.acouple, now);
    as->elsewhere = false;
    as->join_by = now + JOIN_US;
    return 0;
}

/* The answer of a system that has not begun. */
static int answer_couple(void *ctx, u32 token, const char *text, u64 now) {
    struct xcfas *as = ctx;
    UNUSED(token);
    int rc = couple_again(as, text);
    if (rc < 0) return rc;
    as->owner.answer = answer; /* from now on XCF's own questions */
    as->started = rc ? (u32)rc : go(as, now);
    return 0;
}

u32 xcfas_start(struct system *sys, u64 now) {
    struct xcfas *as = arena_take(sys->env.arena, sizeof *as, 16);
    if (!as) return no_storage(sys);
    memset(as, 0, sizeof *as);
    as->sys = sys;
    as->owner = (struct wtor_owner){.answer = answer, .ctx = as};
    couple_default(&as->couple);
    couple_member(sys, as->member);
    int rc = couple_read(as);
    if (rc > 0) return (u32)rc;
    if (rc == -ERR_NOENT) as->member[0] = '\0';
    if (rc == 0 || rc == -ERR_NOENT) return go(as, now);
    if (rc != -ERR_INVAL) console_message(sys->env.con, IXC211I, as->member);
    as->owner.answer = answer_couple;
    as->started = XCFAS_ASKS;
    as->sys->xcfas_asking = as;
    ask_couple(as);
    return XCFAS_ASKS;
}

u32 xcfas_resumed(const struct system *sys) { return sys->xcfas_asking ? sys->xcfas_asking->started : 0; }

/* ---- running ---- */

static u32 delivered(const struct xcf *x) {
    const struct xcf_counters *c = xcf_counters(x);
    return c->messages_local + c->messages_received + c->hellos_received;
}

u64 xcfas_poll(struct system *sys, u64 now) {
    struct xcfas *as = sys->xcfas;
    u64 next = TIME_NEVER;
    if (!as) return next;
    as->due = now; /* should one of those below come here */
    u32 before = delivered(as->x);
    /* What the core sends may find a device broken, and what a device says makes the core send. */
    for (u32 i = 0; i < POLLS_MAX; i++) {
        next = xcf_poll(as->x, now);
        if (as->ctc) next = u64_min(next, ctcpaths_poll(as->ctc, now));
        if (as->str) next = u64_min(next, strpaths_poll(as->str, now));
        if (as->cds) next = u64_min(next, cds_poll(as->cds, now));
        if (as->cfop) next = u64_min(next, cfrm_poll(cfop_cfrm(as->cfop), now));
        if (!as->local && !as->joined) join(as, now);
        next = u64_min(next, xcf_due(as->x, now)); /* an adapter's word may have given the core something to do */
        if (next > now) break;
    }
    /* Whose exit has run may have something to do now. */
    as->due = delivered(as->x) == before ? next : now;
    return as->due;
}

void xcfas_poll_due(struct system *sys, u64 now) {
    if (sys->xcfas && now >= sys->xcfas->due) xcfas_poll(sys, now);
}

u64 xcfas_flush(struct system *sys, u64 now) {
    struct xcfas *as = sys->xcfas;
    if (!as) return TIME_NEVER;
    /* A path that has room again may make the core put something into another one. */
    for (u32 i = 0; i < POLLS_MAX; i++) {
        bool core = xcf_stirred(as->x), structures = as->str && strpaths_stirred(as->str);
        if (!core && !structures) break;
        as->due = u64_min(as->due, xcf_due(as->x, now));
        if (as->ctc) as->due = u64_min(as->due, ctcpaths_poll(as->ctc, now));
        if (structures) as->due = u64_min(as->due, strpaths_poll(as->str, now));
    }
    return as->due;
}

/* ---- what others ask ---- */

struct xcf *xcfas_xcf(const struct system *sys) { return sys->xcfas ? sys->xcfas->x : NULL; }
bool xcfas_is_local(const struct system *sys) { return !sys->xcfas || sys->xcfas->local; }
const char *xcfas_member(const struct system *sys) { return sys->xcfas ? sys->xcfas->member : ""; }
struct xes *xcfas_link(const struct system *sys, u32 i) {
    return sys->xcfas && sys->xcfas->links ? cflinks_at(sys->xcfas->links, i) : NULL;
}
struct cfrm *xcfas_cfrm(const struct system *sys) { return sys->xcfas && sys->xcfas->cfop ? cfop_cfrm(sys->xcfas->cfop) : NULL; }
