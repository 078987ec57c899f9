/* simxcf_world.c - what stands around the simulated systems: the arbiter, the consoles, the operators.
 *
 * The arbiter keeps status records and the highest isolated incarnation of each system, and decides one
 * request after another. Operators tell the truth: DOWN is answered for a system that is dead, isolated or
 * waiting, or that the operator has just reset, and an operator resets only systems behind his own, so that
 * two do not reset each other.
 */
#include "tests/sim/simxcf_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define ARBITER_US  200
#define SIM_LOSS_US (20 * (u64)USEC_PER_SEC) /* a path falls silent, INTERVAL passes, and as much again for who was slow */

/* ---- arbiter ---- */

static int write_status(void *ctx, const struct xcf_record *mine) {
    struct sim_sys *y = ctx;
    struct simxcf *s = y->s;
    if (!y->reach) return -ERR_NETDOWN;
    y->record = *mine;
    y->connected = true;
    bool out = y->isolated >= y->id.incarnation;
    sim_push(s,
             (struct sim_event){
                 .kind = SIM_STATUS, .sys = y->index, .life = y->life, .len = out, .value = mine->counter},
             u64_max(ARBITER_US, s->answer_us) + sim_random(s, 100));
    return 0;
}
static int isolate(void *ctx, const struct xcf_sysid *victim) {
    struct sim_sys *y = ctx;
    if (!y->reach) return -ERR_NETDOWN;
    sim_push(y->s, (struct sim_event){.kind = SIM_ISOLATE, .sys = y->index, .life = y->life, .id = *victim},
             ARBITER_US);
    return 0;
}
static int look(void *ctx) {
    struct sim_sys *y = ctx;
    if (!y->reach) return -ERR_NETDOWN;
    sim_push(y->s, (struct sim_event){.kind = SIM_LOOKED, .sys = y->index, .life = y->life}, u64_max(ARBITER_US, y->s->answer_us));
    return 0;
}
const struct xcf_arbiter_ops sim_arbiter_ops = {.write_status = write_status, .isolate = isolate, .look = look};

static struct sim_sys *by_name(struct simxcf *s, const char *name) {
    for (u32 i = 0; i < s->p.systems; i++)
        if (strncmp(s->sys[i].id.name, name, 5) == 0) return &s->sys[i];
    return NULL;
}

/* The request is carried out here, at one moment: of two systems that accuse each other the second is
 * refused. */
static void arbiter_isolates(struct simxcf *s, const struct sim_event *e) {
    struct sim_sys *asker = &s->sys[e->sys], *v = by_name(s, e->id.name);
    CHECK(v != NULL);
    if (!asker->reach || !asker->up || asker->life != e->life) return;
    if (asker->isolated >= asker->id.incarnation) {
        sim_push(s, (struct sim_event){.kind = SIM_STATUS, .sys = e->sys, .life = e->life, .len = 1},
                 ARBITER_US);
        return;
    }
    if (v->isolated < e->id.incarnation) s->r.isolated++;
    v->isolated = u64_max(v->isolated, e->id.incarnation);
    sim_push(s, (struct sim_event){.kind = SIM_ISOLATED, .sys = e->sys, .life = e->life, .id = e->id},
             ARBITER_US);
}

static void status_answer(struct simxcf *s, struct sim_sys *y, const struct sim_event *e, u64 now) {
    xcf_arbiter_status(y->xcf, e->len ? XCF_ARBITER_REFUSED : XCF_ARBITER_OK, e->value, now);
    sim_push(s, (struct sim_event){.kind = SIM_RECORDS, .sys = y->index, .life = y->life}, ARBITER_US);
}

static void records_read(struct simxcf *s, struct sim_sys *y, u64 now) {
    for (u32 i = 0; i < s->p.systems && !y->waiting; i++)
        if (i != y->index && s->sys[i].record.id.incarnation > s->sys[i].isolated) {
            if (s->sys[i].connected)
                xcf_arbiter_record(y->xcf, &s->sys[i].record, now);
            else
                xcf_arbiter_unconnected(y->xcf, &s->sys[i].record.id, now);
        }
}

void sim_arbiter_event(struct simxcf *s, const struct sim_event *e) {
    struct sim_sys *y = &s->sys[e->sys];
    u64 now = simxcf_local(s, e->sys);
    if (e->kind == SIM_ISOLATE) {
        arbiter_isolates(s, e);
        return;
    }
    if (!y->reach) { /* whatever it was, it is lost with the connection */
        xcf_arbiter_status(y->xcf, XCF_ARBITER_LOST, 0, now);
        return;
    }
    if (e->kind == SIM_STATUS) status_answer(s, y, e, now);
    if (e->kind == SIM_RECORDS || e->kind == SIM_LOOKED) records_read(s, y, now);
    if (e->kind == SIM_LOOKED && !y->waiting) xcf_arbiter_looked(y->xcf, now);
    if (e->kind == SIM_ISOLATED) xcf_arbiter_isolated(y->xcf, &e->id, true, now);
    if (e->kind == SIM_DROPPED) xcf_arbiter_dropped(y->xcf, &e->id, now);
}

/* ---- console ---- */

static void message(void *ctx, const char *line) {
    struct sim_sys *y = ctx;
    if (y->line_count == SIM_LINES) y->line_count = SIM_LINES / 2;
    free(y->lines[y->line_count]);
    char *copy = malloc(strlen(line) + 1);
    CHECK(copy != NULL);
    memcpy(copy, line, strlen(line) + 1);
    y->lines[y->line_count++] = copy;
}
/* The question of a number; 0 finds a free place. */
static struct sim_question *question_of(struct sim_sys *y, u32 reply) {
    for (u32 i = 0; i < ARRAY_LEN(y->question); i++)
        if (y->question[i].reply == reply) return &y->question[i];
    return NULL;
}
/* Checker "asked": nobody is asked about signals that are not lost, though a system stands still for less than its INTERVAL and the
 * arbiter is slow. A pair has its signals when one path each way is whole, and both run, for longer than a loss takes to be asked about. */
static void asked_rightly(struct simxcf *s, u32 a, u32 b) {
    u64 since[2] = {TIME_NEVER, TIME_NEVER}, both = 0;
    for (u32 k = 0; k < SIMXCF_PATHS; k++) {
        const struct sim_wire *there = sim_wire_at(s, a, b, k), *back = sim_wire_at(s, b, a, k);
        if (there->wire == SIMXCF_OK) since[0] = u64_min(since[0], there->ok_since);
        if (back->wire == SIMXCF_OK) since[1] = u64_min(since[1], back->ok_since);
    }
    for (u32 i = 0; i < 2; i++) {
        const struct sim_sys *y = &s->sys[i ? b : a];
        bool still = (!y->paused && !simxcf_runs(s, y->index)) || (y->paused && s->now - y->paused_at >= SIM_STILL_US);
        both = still ? TIME_NEVER : u64_max(both, u64_max(since[i], y->steady_since));
    }
    if (both != TIME_NEVER && s->now - both > SIM_LOSS_US && !s->loss_permille)
        sim_fail(s, "IXC409D about SYS%02u and SYS%02u, whose signals are not lost", a + 1, b + 1);
}

static void wtor(void *ctx, u32 reply, const char *line) {
    struct sim_sys *y = ctx;
    struct simxcf *s = y->s;
    message(ctx, line);
    struct sim_question *q = question_of(y, 0);
    CHECK(q != NULL && reply != 0); /* one for each system at most */
    q->reply = reply;
    if (strncmp(line, "IXC409D ", 8) == 0) asked_rightly(s, y->index, by_name(s, line + 39)->index);
    str_copy(q->text, sizeof q->text, line);
    s->r.questions++;
    if (!s->p.operators) return;
    u64 thinks = (3 + sim_random(s, 5)) * (u64)USEC_PER_SEC;
    sim_push(s, (struct sim_event){.kind = SIM_OPERATOR, .sys = y->index, .life = y->life, .value = reply},
             thinks);
}
static void dom(void *ctx, u32 reply) {
    struct sim_question *q = question_of(ctx, reply);
    if (q) q->reply = 0;
}
static void wait_state(void *ctx, u32 code, u32 reason) {
    struct sim_sys *y = ctx;
    CHECK(code == 0x0A2 && reason != 0);
    y->waiting = true;
    if (y->isolated >= y->id.incarnation) y->s->r.zombies++;
    sim_digest(y->s, 0xA2000000u + y->index);
}
void sim_env(struct sim_sys *y, struct xcf_env *env) {
    *env = (struct xcf_env){.ctx = y, .message = message, .wtor = wtor, .dom = dom, .wait_state = wait_state};
}

/* ---- operators ---- */

static void answer(struct sim_sys *y, u32 reply, const char *text) {
    int rc = xcf_reply(y->xcf, reply, text, simxcf_local(y->s, y->index));
    if (rc == -ERR_AGAIN) {
        sim_push(y->s,
                 (struct sim_event){.kind = SIM_OPERATOR, .sys = y->index, .life = y->life, .value = reply},
                 USEC_PER_SEC);
        return;
    }
    CHECK(rc == 0);
    dom(y, reply);
}

static void asked_down(struct simxcf *s, struct sim_sys *y, u32 reply, struct sim_sys *v) {
    u64 incarnation = 0;
    struct xcf_system_info info;
    for (u32 i = 1; xcf_system(y->xcf, i, &info); i++)
        if (strcmp(info.id.name, v->id.name) == 0) incarnation = info.id.incarnation;
    bool out = !v->up || v->waiting || v->id.incarnation > incarnation || v->isolated >= incarnation;
    if (!out && v->index > y->index) {
        simxcf_kill(s, v->index, true);
        out = true;
    }
    struct sim_question *q = question_of(y, reply);
    if (!q) return; /* the reset has answered it by another way */
    if (out)
        answer(y, reply, "DOWN");
    else if (strncmp(q->text, "IXC402D", 7) == 0)
        answer(y, reply, "INTERVAL=5");
    else
        sim_push(s,
                 (struct sim_event){.kind = SIM_OPERATOR, .sys = y->index, .life = y->life, .value = reply},
                 5 * (u64)USEC_PER_SEC);
}

static bool pair_works(struct simxcf *s, u32 a, u32 b) {
    bool there = false, back = false;
    for (u32 k = 0; k < SIMXCF_PATHS; k++) {
        there |= sim_wire_at(s, a, b, k)->wire == SIMXCF_OK;
        back |= sim_wire_at(s, b, a, k)->wire == SIMXCF_OK;
    }
    return there && back;
}

void sim_operator_event(struct simxcf *s, const struct sim_event *e) {
    struct sim_sys *y = &s->sys[e->sys];
    struct sim_question *q = question_of(y, e->value);
    if (!q) return;
    const char *text = q->text;
    if (strncmp(text, "IXC402D ", 8) == 0) asked_down(s, y, e->value, by_name(s, text + 8));
    if (strncmp(text, "IXC102A ", 8) == 0) asked_down(s, y, e->value, by_name(s, text + 34));
    if (strncmp(text, "IXC409D ", 8) != 0) return;
    struct sim_sys *other = by_name(s, text + 39);
    CHECK(other != NULL);
    char reply[20];
    u32 victim = u32_max(other->index, y->index);
    str_fmt(reply, sizeof reply, "SYSNAME=%s", s->sys[victim].id.name);
    answer(y, e->value, pair_works(s, y->index, other->index) ? "RETRY" : reply);
}

u32 simxcf_question(const struct simxcf *s, u32 i, const char **text) {
    const struct sim_sys *y = &s->sys[i];
    u32 best = 0;
    *text = "";
    for (u32 k = 0; k < ARRAY_LEN(y->question); k++) {
        if (y->question[k].reply <= best) continue;
        best = y->question[k].reply;
        *text = y->question[k].text;
    }
    return best;
}
int simxcf_reply(struct simxcf *s, u32 i, const char *text) {
    const char *asked;
    u32 reply = simxcf_question(s, i, &asked);
    int rc = xcf_reply(s->sys[i].xcf, reply, text, simxcf_local(s, i));
    if (rc == 0) dom(&s->sys[i], reply);
    sim_wake(&s->sys[i]);
    return rc;
}
u32 simxcf_said(const struct simxcf *s, u32 i, const char *begins) {
    u32 n = 0;
    for (u32 k = 0; k < s->sys[i].line_count; k++)
        if (strncmp(s->sys[i].lines[k], begins, strlen(begins)) == 0) n++;
    return n;
}
