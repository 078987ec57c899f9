/* xcfbench.c - see super/xcfbench.h.
 *
 *   IDLE -> ECHO (a message is away; its return sends the next) -> STREAM (as many as XCF takes; room() goes on) -> IDLE
 */
#include "super/xcfbench.h"

#include "base/be.h"
#include "base/str.h"
#include "super/command_impl.h"
#include "super/messages.h"
#include "super/xcfas.h"

#define GROUP       "PLXBENCH"
#define STREAM_MIN  256u
#define COUNT_MAX   1000000u
#define MEMBERS_MAX 32u
enum { KIND_ECHO = 'E', KIND_RETURN = 'R', KIND_DATA = 'D', KIND_FINAL = 'F', KIND_COUNTED = 'C' };

enum bench_state { BENCH_IDLE, BENCH_ECHO, BENCH_STREAM };

struct xcfbench {
    struct system *sys;
    struct xcf_member *member;
    enum bench_state state;
    u32 to, bytes, count, done;
    char name[9]; /* of the system measured against */
    u64 begun;
    u32 counted;       /* messages that came as DATA since the last FINAL */
    u32 counted_from;  /* the first of them; what others send meanwhile is counted, and its order not looked at */
    u32 owed, owed_to; /* an answer that XCF had no buffer for: its kind */
    u32 owed_bytes;
    u8 *data;
};

static int send(struct xcfbench *b, u32 to, u8 kind, u32 value, u32 bytes, u64 now) {
    u8 control[XCFMSG_CONTROL] = {kind};
    be32_put(control + 4, value);
    return xcf_send(b->member, to, control, b->data, bytes, now);
}

/* An answer is never lost for want of a buffer: the measurement would wait for it for ever. */
static void answer(struct xcfbench *b, u32 to, u8 kind, u32 bytes, u64 now) {
    if (send(b, to, kind, b->counted, bytes, now) != -ERR_NOBUFS) return;
    b->owed = kind;
    b->owed_to = to;
    b->owed_bytes = bytes;
}

/* ---- the measuring side ---- */

static void ended(struct xcfbench *b, int rc) {
    b->state = BENCH_IDLE;
    console_message(b->sys->env.con, PLX0342E, b->name, rc);
}

static void echo_next(struct xcfbench *b, u64 now) {
    int rc = send(b, b->to, KIND_ECHO, b->done, b->bytes, now);
    if (rc) ended(b, rc);
}

static void stream_go(struct xcfbench *b, u64 now) {
    while (b->state == BENCH_STREAM && b->done < b->count) {
        bool last = b->done + 1 == b->count;
        int rc = send(b, b->to, last ? KIND_FINAL : KIND_DATA, b->done, b->bytes, now);
        if (rc == -ERR_NOBUFS) return; /* room() will be called */
        if (rc) {
            ended(b, rc);
            return;
        }
        b->done++;
    }
}

static void stream_begin(struct xcfbench *b, u64 now) {
    b->state = BENCH_STREAM;
    b->count = u32_max(b->count, STREAM_MIN);
    b->done = 0;
    b->begun = now;
    stream_go(b, now);
}

static void echo_ended(struct xcfbench *b, u64 now) {
    u32 us = (u32)u64_max(now - b->begun, 1);
    console_message(b->sys->env.con, PLX0340I, b->name, b->bytes, b->count, us, us / b->count);
    stream_begin(b, now);
}

static void stream_ended(struct xcfbench *b, u32 counted, u64 now) {
    u32 us = (u32)u64_max(now - b->begun, 1), ms = u32_max(us / 1000, 1);
    b->state = BENCH_IDLE;
    /* Kilobytes of 1000: bytes a millisecond. */
    console_message(b->sys->env.con, PLX0341I, b->name, b->bytes, counted, us, counted * 1000u / ms,
                    (u32)((b->bytes / 16u) * counted / ms * 16u));
}

/* ---- exits ---- */

/* XCF promises each message once and in order: the number that it carries is how many have come before it. */
static void count_one(struct xcfbench *b, u32 from, u32 number) {
    if (b->counted == 0) b->counted_from = from;
    if (from == b->counted_from && number != b->counted) console_message(b->sys->env.con, PLX0344E, number, b->counted);
    b->counted++;
}

static void on_message(void *ctx, const struct xcf_msg *m, u64 now) {
    struct xcfbench *b = ctx;
    const u8 *control = xcf_msg_control(m);
    u32 from = xcf_msg_from(m);
    switch (control[0]) {
    case KIND_ECHO: answer(b, from, KIND_RETURN, xcf_msg_bytes(m), now); break;
    case KIND_DATA: count_one(b, from, be32_get(control + 4)); break;
    case KIND_FINAL:
        count_one(b, from, be32_get(control + 4));
        answer(b, from, KIND_COUNTED, 0, now);
        b->counted = 0;
        break;
    case KIND_RETURN:
        if (b->state != BENCH_ECHO) break;
        if (++b->done == b->count)
            echo_ended(b, now);
        else
            echo_next(b, now);
        break;
    case KIND_COUNTED:
        if (b->state == BENCH_STREAM) stream_ended(b, be32_get(control + 4), now);
        break;
    default: break;
    }
}

static void on_room(void *ctx, u64 now) {
    struct xcfbench *b = ctx;
    if (b->owed && send(b, b->owed_to, (u8)b->owed, b->counted, b->owed_bytes, now) != -ERR_NOBUFS) b->owed = 0;
    if (b->state == BENCH_STREAM) stream_go(b, now);
}

static void on_group(void *ctx, const struct xcf_event *e, u64 now) {
    struct xcfbench *b = ctx;
    UNUSED(now);
    bool over = e->kind == XCF_EV_LEFT || e->kind == XCF_EV_FAILED;
    if (over && b->state != BENCH_IDLE && strcmp(e->member.system, b->name) == 0) ended(b, -ERR_NOENT);
}
static const struct xcf_exits EXITS = {.message = on_message, .room = on_room, .group = on_group};

/* ---- command ---- */

static struct xcfbench *bench_of(struct command *c) {
    struct system *sys = c->sys;
    struct xcfbench *b = sys->xcfbench;
    struct xcf *x = xcfas_xcf(sys);
    if (b || !x) return b;
    b = arena_take(sys->env.arena, sizeof *b, 16);
    u8 *data = arena_take(sys->env.arena, XCFMSG_DATA_MAX, 16);
    if (!b || !data) return NULL;
    *b = (struct xcfbench){.sys = sys, .data = data};
    const struct xcf_join join = {.group = GROUP, .member = system_name(sys), .exits = &EXITS, .ctx = b};
    if (xcf_join(x, &join, &b->member, c->now) != 0) return NULL;
    return sys->xcfbench = b;
}

static bool find(struct xcfbench *b, const char *system) {
    struct xcf_member_info info[MEMBERS_MAX];
    u32 n = u32_min(xcf_query(xcfas_xcf(b->sys), GROUP, info, MEMBERS_MAX), MEMBERS_MAX);
    for (u32 i = 0; i < n; i++) {
        if (strcmp(info[i].system, system) != 0) continue;
        b->to = info[i].token;
        str_copy(b->name, sizeof b->name, system);
        return true;
    }
    return false;
}

static bool number(const char *text, u32 low, u32 high, u32 otherwise, u32 *out) {
    *out = otherwise;
    return !text[0] || (str_u32(text, strlen(text), out) && *out >= low && *out <= high);
}

bool command_xcfbench(struct command *c) {
    u32 bytes, count;
    struct xcfbench *b = bench_of(c);
    if (!b) {
        reply_line(c->r, PLX0303E, "XCFBENCH", GROUP, "XCF HAS NO ROOM FOR IT");
        return false;
    }
    if (!command_op(c, 0)[0]) {
        reply_line(c->r, PLX0343I, system_name(c->sys));
        return true;
    }
    if (!number(command_op(c, 1), 0, XCFMSG_DATA_MAX, 64, &bytes)) return command_expected(c, command_op(c, 1), "0 TO 61440 BYTES");
    if (!number(command_op(c, 2), 1, COUNT_MAX, 1000, &count)) return command_expected(c, command_op(c, 2), "1 TO 1000000 MESSAGES");
    bool stream = strcmp(command_op(c, 3), "STREAM") == 0;
    if (command_op(c, 3)[0] && !stream) return command_expected(c, command_op(c, 3), "STREAM");
    if (b->state != BENCH_IDLE || !find(b, command_op(c, 0))) {
        reply_line(c->r, PLX0303E, "XCFBENCH", command_op(c, 0), b->state != BENCH_IDLE ? "ANOTHER ONE IS RUNNING" : "NOT IN THE GROUP");
        return false;
    }
    b->bytes = bytes;
    b->count = count;
    b->done = 0;
    b->begun = c->now;
    b->state = BENCH_ECHO;
    reply_line(c->r, PLX0343I, system_name(c->sys));
    if (stream) stream_begin(b, c->now);
    else echo_next(b, c->now);
    return true;
}
