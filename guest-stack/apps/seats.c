/* seats.c - the sessions of a server with one listening socket; seats.h has the table. */
#include "apps/seats.h"

#include "apps/app_impl.h"
#include "super/console.h"

static void on_timer(struct stack *stk, struct timer *timer, u64 now) {
    struct seat *seat = CONTAINER_OF(timer, struct seat, timer);
    UNUSED(stk);
    seat->of->ops->run(seat, now);
}

void seats_init(struct seats *t, struct app_env *env, const char *jobname, const struct seat_ops *ops) {
    *t = (struct seats){.env = env, .jobname = jobname, .ops = ops};
    list_init(&t->idle);
    list_init(&t->busy);
}

void seats_add(struct seats *t, struct seat *seat) {
    seat->of = t;
    seat->s = NULL;
    timer_init(&seat->timer, on_timer);
    list_push_back(&t->idle, &seat->node);
    t->count++;
}

/* ---- coming ---- */
static void accept_all(struct seats *t, u64 now);

static void seat_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct seat *seat = ctx;
    struct seats *t = seat->of;
    UNUSED(s);
    if (events & SOCK_EV_CLOSED)
        seat_over(seat, false, now);
    else
        t->ops->run(seat, now);
    if (!seat->s) accept_all(t, now);
}

static void seat_begin(struct seats *t, struct sock *s, u64 now) {
    struct seat *seat = LIST_ENTRY(list_pop_front(&t->idle), struct seat, node);
    list_push_back(&t->busy, &seat->node);
    t->accepted++;
    t->high = u32_max(t->high, ++t->open);
    seat->s = s;
    seat->shut = false;
    /* An answer is whole when it is sent: it does not wait until the one before it is acknowledged. */
    sock_setopt(s, SO_NODELAY, 1, now);
    t->ops->begin(seat, now);
    sock_on_event(s, seat_event, seat);
    t->ops->run(seat, now); /* what came before there was somebody to tell */
}

static void accept_all(struct seats *t, u64 now) {
    static const char full[] = "\r\nPLX0425E ALL SESSIONS ARE IN USE\r\n";
    struct sock *s;
    while (t->listener && sock_accept(t->listener, &s, NULL, now) == 0) {
        if (!list_empty(&t->idle)) {
            seat_begin(t, s, now);
            continue;
        }
        t->refused_full++;
        sock_send(s, full, sizeof full - 1, now);
        sock_close(s, now);
    }
}

static void listener_event(void *ctx, struct sock *s, u32 events, u64 now) {
    struct seats *t = ctx;
    UNUSED(s);
    if (!(events & SOCK_EV_CLOSED)) {
        accept_all(t, now);
        return;
    }
    console_message(t->env->con, "PLX0401W %s LOST ITS LISTENER", t->jobname);
    seats_close(t, now);
}

int seats_open(struct seats *t, u16 port, u32 backlog, u32 send_bytes, u32 recv_bytes, u64 now) {
    int rc = app_listen(t->env, t->jobname, port, backlog, listener_event, t, now, &t->listener);
    if (rc < 0) return rc;
    /* What is accepted inherits them. */
    sock_setopt(t->listener, SO_SNDBUF_OPT, send_bytes, now);
    sock_setopt(t->listener, SO_RCVBUF_OPT, recv_bytes, now);
    return 0;
}

/* ---- leaving ---- */
void seats_close(struct seats *t, u64 now) {
    if (t->listener) sock_close(t->listener, now);
    t->listener = NULL;
}

void seat_over(struct seat *seat, bool reset, u64 now) {
    struct seats *t = seat->of;
    timer_disarm(t->env->stk, &seat->timer);
    t->ops->over(seat);
    if (reset)
        sock_abort(seat->s, now);
    else
        sock_close(seat->s, now);
    seat->s = NULL;
    list_del(&seat->node);
    list_push_front(&t->idle, &seat->node); /* who comes back sits where he sat, if nobody came between */
    t->open--;
}

void seat_shut(struct seat *seat, u64 now) {
    if (seat->shut) return;
    seat->shut = true;
    sock_shutdown_send(seat->s, now);
}

void seat_run_at(struct seat *seat, u64 when) {
    if (when == TIME_NEVER)
        timer_disarm(seat->of->env->stk, &seat->timer);
    else
        timer_arm(seat->of->env->stk, &seat->timer, when);
}

void seats_display(const struct seats *t, const struct reply *r) {
    reply_line(r, "PLX0426I %s: %u OF %u SESSIONS, HIGH %u, ACCEPTED %u, REFUSED %u", t->jobname, t->open, t->count, t->high,
               t->accepted, t->refused_full);
}
