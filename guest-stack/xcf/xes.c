/* xes.c - coupling facility services. States and rules: xes.h.
 *
 *   program    WRITE command 1, .. WRITE command n, READ response 1, .. READ response n      n up to XES_BATCH
 * All that waits when a program ends goes into the next one, so the facility works on the second command while the first response
 * is on its way, and users of one link do not wait for one another's turn through channel and interrupt.
 */
#include "xcf/xes.h"

#include "base/be.h"
#include "base/str.h"
#include "chan/chan.h"

#define SENSE_LOST 0x10     /* sense byte 0: the link was lost, and may be back already */
#define SENSE_ISOLATED 0x80 /* sense byte 1 */
#define NAME_BYTES 8

struct xes {
    struct chan *ch;
    const struct xes_events *events;
    void *ctx;
    enum xes_state state, told;
    struct list requests; /* accepted, in order */
    struct list running;  /* those of the channel program, in order */
    struct list connections;
    struct xes_request identify, drain;
    bool delivering; /* responses are being looked at: no program may overwrite them */
    bool drain_wanted;
    char name[NAME_BYTES + 1];
    u64 incarnation;
    u16 tag;
    struct xes_counters count;
    u8 identify_cmd[CF_CMD_BYTES], drain_cmd[CF_CMD_BYTES];
    u8 rsp[XES_BATCH][CF_MESSAGE_MAX];
};

size_t xes_bytes(void) { return sizeof(struct xes) + 16; }
enum xes_state xes_state(const struct xes *x) { return x->state; }
const char *xes_facility_name(const struct xes *x) { return x->name; }
u64 xes_facility_incarnation(const struct xes *x) { return x->incarnation; }
const struct xes_counters *xes_counters(const struct xes *x) { return &x->count; }

const char *xes_state_name(enum xes_state state) {
    static const char *const names[XES_STATES] = {"CLOSED", "STARTING", "UP", "DOWN", "ISOLATED"};
    return state < XES_STATES ? names[state] : "";
}

bool xes_vector_test(const struct xes_connection *con, u32 index) {
    return index < con->vector_bits && (con->vector[index / 32] >> index % 32 & 1);
}

/* ---- channel programs ---- */

/* Starts what is in x->running; they stay there if it does not start. */
static bool start(struct xes *x) {
    struct chan_cmd program[2 * XES_BATCH];
    u32 n = 0;
    LIST_FOR_EACH(it, &x->running) {
        struct xes_request *r = LIST_ENTRY(it, struct xes_request, order);
        be16_put(r->cmd + 2, ++x->tag);
        program[n] = (struct chan_cmd){CCW_WRITE, CCW_CC | CCW_SLI, (u16)r->len, r->cmd};
        /* What a READ that was not reached would leave here is no response. */
        memset(x->rsp[n++], 0, CF_RSP_BYTES);
    }
    for (u32 i = 0; i < n; i++) program[n + i] = (struct chan_cmd){CCW_READ, CCW_CC | CCW_SLI, CF_MESSAGE_MAX, x->rsp[i]};
    program[2 * n - 1].flags = CCW_SLI;
    if (chan_start(x->ch, program, 2 * n) != 0) return false;
    x->count.requests += n;
    x->count.programs++;
    return true;
}

/* One request alone; none runs. false: the device does not start, and nothing runs. */
static bool start_one(struct xes *x, struct xes_request *r) {
    list_push_back(&x->running, &r->order);
    if (start(x)) return true;
    list_del(&r->order);
    return false;
}

static void requests_lost(struct xes *x, struct list *all, u64 now) {
    for (struct list *n; (n = list_pop_front(all)) != NULL;) {
        struct xes_request *r = LIST_ENTRY(n, struct xes_request, order);
        x->count.lost++;
        if (r->done) r->done(r->ctx, r, XES_LOST, NULL, 0, now);
    }
}

/* Only what is news: a link that is tried and found down again is still down. */
static void tell(struct xes *x, u64 now) {
    if (x->state == x->told) return;
    x->told = x->state;
    if (x->events->facility) x->events->facility(x->ctx, x, x->state, now);
}

/* The link ends: requests, then connections, then the event. What is called may submit again only after the next XES_UP. */
static void lose(struct xes *x, enum xes_state state, u64 now) {
    x->drain_wanted = false;
    x->state = state;
    requests_lost(x, &x->running, now);
    requests_lost(x, &x->requests, now);
    for (struct list *n; (n = list_pop_front(&x->connections)) != NULL;) {
        struct xes_connection *con = LIST_ENTRY(n, struct xes_connection, order);
        con->connected = false;
        if (con->ops->lost) con->ops->lost(con, now);
    }
    tell(x, now);
}

/* The next program, if none runs: draining goes before requests. */
static void go(struct xes *x, u64 now) {
    if (!list_empty(&x->running) || x->delivering || x->state != XES_UP) return;
    u32 n = 0;
    if (x->drain_wanted) {
        x->drain_wanted = false;
        x->count.drains++;
        list_push_back(&x->running, &x->drain.order);
        n++;
    }
    for (; n < XES_BATCH && !list_empty(&x->requests); n++) list_push_back(&x->running, list_pop_front(&x->requests));
    if (n && !start(x)) lose(x, XES_DOWN, now); /* they are the first of those that are lost */
}

/* ---- notices ---- */

static struct xes_connection *connection_of(struct xes *x, u32 token, u8 id) {
    LIST_FOR_EACH(it, &x->connections) {
        struct xes_connection *con = LIST_ENTRY(it, struct xes_connection, order);
        if (con->token == token && con->id == id) return con;
    }
    return NULL;
}

static void notice(struct xes *x, const u8 *n, u64 now) {
    struct xes_connection *con = connection_of(x, be32_get(n + 4), n[1]);
    u32 index = be32_get(n + 8), value = be32_get(n + 12), a = be32_get(n + 16);
    x->count.notices++;
    if (con && n[0] == CF_NOTICE_VECTOR && index < con->vector_bits) {
        u32 mask = 1u << index % 32, *word = &con->vector[index / 32];
        *word = value ? *word | mask : *word & ~mask;
        if (con->ops->vector) con->ops->vector(con, index, value != 0, now);
    } else if (con && n[0] == CF_NOTICE_LOCK) {
        if (con->ops->lock) con->ops->lock(con, index, (u8)value, a, be32_get(n + 20), now);
    } else if (con && n[0] == CF_NOTICE_CONNECTIONS) {
        if (con->ops->connections) con->ops->connections(con, a, now);
    } else if (con && n[0] == CF_NOTICE_FULL) {
        if (con->ops->full) con->ops->full(con, value, now);
    } else {
        x->count.drop_notice++;
    }
}

static void drained(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct xes *x = ctx;
    UNUSED(r);
    if (rc == CF_RC_MORE) x->drain_wanted = true;
    /* What a notice causes may close the link: then the rest means nothing. */
    for (u32 at = CF_RSP_BYTES; at + CF_NOTICE_BYTES <= len && x->state == XES_UP; at += CF_NOTICE_BYTES)
        notice(x, rsp + at, now);
}

/* ---- the link ---- */

static void identified(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct xes *x = ctx;
    UNUSED(r);
    if (rc == XES_LOST) return;
    if (rc != CF_OK || len < CF_RSP_BYTES + 48) {
        x->count.drop_malformed++;
        lose(x, XES_DOWN, now);
        return;
    }
    memcpy(x->name, rsp + 16, NAME_BYTES);
    for (u32 i = NAME_BYTES; i && x->name[i - 1] == ' '; i--) x->name[i - 1] = 0;
    x->incarnation = be64_get(rsp + 48);
    x->state = XES_UP;
    tell(x, now);
}

/* Is this the whole response to r? The channel says how long only the last one is; the others are as long as they say. */
static bool is_response(const struct xes_request *r, const u8 *rsp, u32 last_len, bool last) {
    u32 len = be32_get(rsp + 4);
    if (last && len != last_len) return false;
    return cf_message_check(rsp, len) && be16_get(rsp + 2) == be16_get(r->cmd + 2) && rsp[1] == (r->cmd[1] | CF_RESPONSE);
}

static void responded(struct xes *x, const struct chan_status *st, u64 now) {
    u32 n = 0;
    LIST_FOR_EACH(it, &x->running) n++;
    u32 last_len = st->index == 2 * n - 1 && st->residual <= CF_MESSAGE_MAX ? (u32)CF_MESSAGE_MAX - st->residual : 0;
    x->delivering = true;
    /* What is called may end the link: then the rest has been told lost already. */
    for (u32 i = 0; i < n && !list_empty(&x->running); i++) {
        struct xes_request *r = LIST_ENTRY(x->running.next, struct xes_request, order);
        const u8 *rsp = x->rsp[i];
        if (!is_response(r, rsp, last_len, i + 1 == n)) {
            x->count.drop_malformed++;
            x->delivering = false;
            lose(x, XES_DOWN, now);
            return;
        }
        list_del(&r->order);
        x->count.responses++;
        if (rsp[10] & CF_RSP_PENDING) x->drain_wanted = true;
        if (r->done) r->done(r->ctx, r, cf_rc_get(rsp), rsp, be32_get(rsp + 4), now);
    }
    x->delivering = false;
    go(x, now);
}

static void unit_check(struct xes *x, const struct chan_status *st, u64 now) {
    bool isolated = st->sense_len > 1 && (st->sense[1] & SENSE_ISOLATED);
    lose(x, isolated ? XES_ISOLATED : XES_DOWN, now);
    /* The attention of its return may have come already; without a link this ends with another sense, and waits for one. */
    if (x->state == XES_DOWN && list_empty(&x->running) && st->sense_len && (st->sense[0] & SENSE_LOST) &&
        start_one(x, &x->identify))
        x->state = XES_STARTING;
}

static void on_done(void *ctx, const struct chan_status *st, u64 now) {
    struct xes *x = ctx;
    if (list_empty(&x->running)) return;
    if (st->unit & US_UNIT_CHECK) {
        unit_check(x, st, now);
    } else if (st->cc || st->halted || (st->unit & US_UNIT_EXCEPTION) || (st->subchannel & ~CS_INCORRECT_LENGTH)) {
        x->count.channel_errors++;
        lose(x, XES_DOWN, now);
    } else {
        responded(x, st, now);
    }
}

/* Look: the link came or went, or there are notices. A command shows which, and a running one will by itself. */
static void on_attention(void *ctx, u8 unit_status, u64 now) {
    struct xes *x = ctx;
    UNUSED(unit_status);
    x->count.attentions++;
    if (x->state == XES_DOWN) {
        if (start_one(x, &x->identify)) x->state = XES_STARTING;
    } else if (x->state == XES_UP) {
        x->drain_wanted = true;
        go(x, now);
        /* The notices will be news; that they are fetched is none. A command that did not start has ended the link. */
        if (x->state == XES_UP) chan_no_news(x->ch);
    }
}

static const struct chan_events channel_events = {.done = on_done, .attention = on_attention};

static struct xes_request own(struct xes *x, u8 op, u8 *cmd,
                              void (*done)(void *, struct xes_request *, u32, const u8 *, u32, u64)) {
    cf_command_put(cmd, op, 0, CF_CMD_BYTES, 0, 0);
    return (struct xes_request){.cmd = cmd, .len = CF_CMD_BYTES, .done = done, .ctx = x};
}

int xes_attach(struct arena *a, struct chan_system *sys, u16 devnum, const struct xes_events *events, void *ctx,
               struct xes **out) {
    struct xes *x = arena_take(a, sizeof *x, 16);
    if (!x) return -ERR_NOMEM;
    memset(x, 0, sizeof *x);
    x->events = events;
    x->ctx = ctx;
    list_init(&x->requests);
    list_init(&x->running);
    list_init(&x->connections);
    x->identify = own(x, CF_IDENTIFY, x->identify_cmd, identified);
    x->drain = own(x, CF_DRAIN, x->drain_cmd, drained);
    int rc = chan_open(sys, devnum, &channel_events, x, &x->ch);
    if (rc) return rc;
    *out = x;
    /* A device that does not start its first program is as one without a facility: its attention begins anew. */
    x->told = XES_STARTING;
    x->state = start_one(x, &x->identify) ? XES_STARTING : XES_DOWN;
    return 0;
}

void xes_close(struct xes *x, u64 now) {
    if (x->state == XES_CLOSED) return;
    chan_close(x->ch);
    lose(x, XES_CLOSED, now);
}

/* ---- requests and connections ---- */

int xes_submit(struct xes *x, struct xes_request *r) {
    if (x->state != XES_UP) return -ERR_NETDOWN;
    if (r->len < CF_CMD_BYTES || r->len > CF_MESSAGE_MAX) return -ERR_MSGSIZE;
    be32_put(r->cmd + 4, r->len);
    if (!list_empty(&x->running) || x->delivering) {
        list_push_back(&x->requests, &r->order);
        return 0;
    }
    /* None runs, so none waits. */
    return start_one(x, r) ? 0 : -ERR_NETDOWN;
}

static void connect_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct xes_connection *con = ctx;
    UNUSED(r);
    u8 flags = 0;
    con->busy = false;
    if (rc == CF_OK && len >= CF_CONNECTED_BYTES) {
        con->token = be32_get(rsp + 16);
        con->id = rsp[20];
        flags = rsp[21];
        con->vector_bits = u32_min(con->vector_bits, be32_get(rsp + 40));
        con->connected = true;
        list_push_back(&con->x->connections, &con->order);
    }
    if (con->ops->connected) con->ops->connected(con, rc, flags, rsp, now);
}

int xes_connect(struct xes *x, struct xes_connection *con, const u8 *cmd) {
    memcpy(con->cmd, cmd, sizeof con->cmd);
    cf_command_put(con->cmd, CF_CONNECT, 0, sizeof con->cmd, 0, 0);
    be32_put(con->cmd + 60, con->vector_bits);
    con->x = x;
    con->connected = false;
    list_init(&con->order);
    if (con->vector_bits) memset(con->vector, 0, (con->vector_bits + 31) / 32 * sizeof *con->vector);
    con->request = (struct xes_request){.cmd = con->cmd, .len = sizeof con->cmd, .done = connect_done, .ctx = con};
    int submitted = xes_submit(x, &con->request);
    con->busy = submitted == 0;
    return submitted;
}

static void disconnect_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct xes_connection *con = ctx;
    UNUSED(r);
    UNUSED(rc);
    UNUSED(rsp);
    UNUSED(len);
    UNUSED(now);
    con->busy = false;
}

int xes_disconnect(struct xes_connection *con, bool failing) {
    if (!con->connected) return -ERR_NOTCONN;
    con->connected = false;
    list_del(&con->order);
    memset(con->cmd, 0, 20);
    cf_command_put(con->cmd, CF_DISCONNECT, 0, 20, con->token, con->id);
    con->cmd[16] = failing;
    con->request = (struct xes_request){.cmd = con->cmd, .len = 20, .done = disconnect_done, .ctx = con};
    int rc = xes_submit(con->x, &con->request);
    con->busy = rc == 0;
    return rc;
}
