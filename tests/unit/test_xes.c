/* test_xes.c - coupling facility services of two systems against the real link engine and the real facility: connect, requests in
 * order, notices, a link that dies, isolation, a response that is damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hercules-devices/cf_engine.h"
#include "hercules-devices/cf_link.h"
#include "tests/sim/simport.h"
#include "xcf/xes.h"

#define SYSTEMS 2
#define STORAGE_KB 4096
#define WORDS 4

struct system {
    struct rig *rig;
    struct chan_system *sys;
    struct sim_group *group;
    struct sim_wire *wire;
    void *engine;
    u32 number; /* at the facility */
    u64 incarnation;
    struct xes *x;
    struct xes_connection *con;
    u8 *cmd; /* of request */
    struct xes_request request[8];
    char order[32]; /* one letter a call that xes made */
    u32 rc, entries;
    u32 bit, changed, waiting;
    bool resubmit, close; /* done() submits its request again, closes the link */
};
struct rig {
    struct cf *cf;
    struct cf_host host;
    void *storage;
    struct sim_port *port;
    struct system s[SYSTEMS];
    u8 ring[CF_MESSAGE_MAX];
    u64 now;
    bool damage;
};

/* ---- the facility behind the wires ---- */

static struct system *of_number(struct rig *r, u32 number) {
    for (u32 i = 0; i < SYSTEMS; i++)
        if (r->s[i].number == number) return &r->s[i];
    return NULL;
}
static u8 *reserve(void *ctx, u32 n, u32 bytes) {
    struct rig *r = ctx;
    return simport_room(of_number(r, n)->wire) < bytes ? NULL : r->ring;
}
static void commit(void *ctx, u32 n, u32 bytes) {
    struct rig *r = ctx;
    if (r->damage && (r->ring[1] & CF_RESPONSE)) r->ring[3] ^= 1;
    assert_true(simport_send(of_number(r, n)->wire, r->ring, bytes));
}
static bool isolate(void *ctx, const char *name, u64 incarnation) {
    UNUSED(ctx);
    UNUSED(name);
    UNUSED(incarnation);
    return true;
}
static void log_line(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    UNUSED(text);
}
static void wire_up(void *ctx, struct sim_wire *w, u64 now) {
    static const char *const names[SYSTEMS] = {"SYSA", "SYSB"};
    struct rig *r = ctx;
    struct system *s = &r->s[simport_wire_number(w)];
    int n = cf_link_up(r->cf, names[s - r->s], s->incarnation);
    UNUSED(now);
    s->number = n < 0 ? CF_SYSTEMS : (u32)n;
}
static void wire_down(void *ctx, struct sim_wire *w, u64 now) {
    struct rig *r = ctx;
    UNUSED(now);
    cf_link_down(r->cf, r->s[simport_wire_number(w)].number);
}
static void wire_message(void *ctx, struct sim_wire *w, const u8 *msg, u32 len, u64 now) {
    struct rig *r = ctx;
    UNUSED(now);
    assert_true(cf_message(r->cf, r->s[simport_wire_number(w)].number, msg, len));
}
static void batch_end(void *ctx, u64 now) {
    UNUSED(now);
    cf_pump(((struct rig *)ctx)->cf);
}
static const struct simport_ops port_ops = {wire_up, wire_down, wire_message, batch_end};

static void settle(struct rig *r) {
    u32 n;
    do {
        n = simport_run(r->port, r->now);
        for (u32 i = 0; i < SYSTEMS; i++) n += simchan_run(r->s[i].sys, r->now);
        r->now += 100;
    } while (n);
}

/* ---- what xes calls ---- */

static void letter(struct system *s, char what) {
    size_t n = strlen(s->order);
    assert_true(n + 1 < sizeof s->order);
    s->order[n] = what;
}
static void on_facility(void *ctx, struct xes *x, enum xes_state state, u64 now) {
    UNUSED(x);
    UNUSED(now);
    letter(ctx, "CSUDI"[state]);
}
static void on_connected(struct xes_connection *con, u32 rc, u8 flags, const u8 *rsp, u64 now) {
    struct system *s = con->ctx;
    UNUSED(flags);
    UNUSED(rsp);
    UNUSED(now);
    s->rc = rc;
    letter(s, 'c');
}
static void on_lost(struct xes_connection *con, u64 now) {
    UNUSED(now);
    letter(con->ctx, 'l');
}
static void on_vector(struct xes_connection *con, u32 index, bool value, u64 now) {
    struct system *s = con->ctx;
    UNUSED(now);
    s->bit = index;
    letter(s, value ? '1' : '0');
}
static void on_connections(struct xes_connection *con, u32 changed, u64 now) {
    struct system *s = con->ctx;
    UNUSED(now);
    s->changed |= changed;
}
static const struct xes_events events = {on_facility};
static const struct xes_connection_ops con_ops = {
    .connected = on_connected, .lost = on_lost, .vector = on_vector, .connections = on_connections};

static void on_done(void *ctx, struct xes_request *q, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct system *s = ctx;
    UNUSED(now);
    s->rc = rc;
    letter(s, rc == XES_LOST ? 'x' : (char)('a' + (q - s->request) + 3));
    if (rsp) {
        assert_true(cf_message_check(rsp, len));
        if (rsp[1] == (CF_READ_LIST | CF_RESPONSE)) s->entries = cf_count_get(rsp);
    }
    if (s->close) {
        s->close = false;
        xes_close(s->x, 0);
    }
    if (s->resubmit) {
        s->resubmit = false;
        assert_int_equal(xes_submit(s->x, q), 0);
    }
}

/* ---- life ---- */

static void system_begin(struct rig *r, u32 i) {
    struct system *s = &r->s[i];
    struct cf_link_params p = {.lpar = "SYSA", .devnum = 0x0F00};
    *s = (struct system){.rig = r, .number = CF_SYSTEMS, .incarnation = 1};
    p.lpar[3] = (char)('A' + i);
    s->sys = simchan_create(2 << 20);
    s->group = simchan_group_add(s->sys, 0x0F00, 1);
    s->engine = malloc(cf_link_bytes());
    simchan_group_engine(s->group, cf_link_init(s->engine, simchan_group_host(s->group), &p));
    s->wire = simport_join(r->port, s->group, SIMPORT_RING_BYTES);
    struct arena *a = simchan_arena(s->sys);
    s->con = arena_take(a, sizeof *s->con, 16);
    s->cmd = arena_take(a, 8 * 1024, 16);
    u32 *vector = arena_take(a, WORDS * sizeof(u32), 4);
    assert_non_null(vector);
    *s->con = (struct xes_connection){.ops = &con_ops, .vector = vector, .vector_bits = WORDS * 32, .ctx = s};
    assert_int_equal(xes_attach(a, s->sys, 0x0F00, &events, s, &s->x), 0);
}

static int setup(void **state) {
    struct rig *r = calloc(1, sizeof *r);
    struct cf_params p = {.name = "CF01", .incarnation = 77, .storage_kb = STORAGE_KB};
    assert_non_null(r);
    r->host = (struct cf_host){r, reserve, commit, isolate, log_line};
    r->storage = calloc(1, cf_engine_bytes(STORAGE_KB));
    r->cf = cf_engine_init(r->storage, &p, &r->host);
    r->port = simport_create(&port_ops, r);
    for (u32 i = 0; i < SYSTEMS; i++) system_begin(r, i);
    settle(r);
    *state = r;
    return 0;
}

static int teardown(void **state) {
    struct rig *r = *state;
    for (u32 i = 0; i < SYSTEMS; i++) {
        xes_close(r->s[i].x, r->now);
        assert_int_equal(simchan_open_count(r->s[i].sys), 0);
        free(r->s[i].engine);
        simchan_destroy(r->s[i].sys);
    }
    simport_destroy(r->port);
    cf_verify(r->cf);
    free(r->storage);
    free(r);
    return 0;
}

static void connect_to(struct system *s, u8 flags) {
    u8 cmd[CF_CONNECT_BYTES] = {0};
    memset(cmd + 16, ' ', 32);
    memcpy(cmd + 16, "IXCLIST", 7);
    memcpy(cmd + 32, "CON", 3);
    cmd[35] = (u8)('A' + (s - s->rig->s));
    cmd[48] = CF_TYPE_LIST;
    cmd[49] = flags;
    cmd[51] = 16;
    be32_put(cmd + 52, 8);
    be32_put(cmd + 64, 1024);
    assert_int_equal(xes_connect(s->x, s->con, cmd), 0);
    settle(s->rig);
    assert_int_equal(s->rc, CF_OK);
    assert_true(s->con->connected);
}

static struct xes_request *list_request(struct system *s, u32 i, u8 op, u32 list, u16 flags, u32 data) {
    u8 *cmd = s->cmd + i * 1024;
    memset(cmd, 0, 1024);
    cf_command_put(cmd, op, 0, 0, s->con->token, s->con->id);
    be32_put(cmd + 16, list);
    be32_put(cmd + 20, list);
    cmd[36] = op == CF_MONITOR_LIST;
    cmd[37] = op == CF_WRITE;
    be16_put(cmd + 38, op == CF_MONITOR_LIST ? 0 : flags);
    s->request[i] = (struct xes_request){.cmd = cmd, .len = CF_LIST_BYTES + data, .done = on_done, .ctx = s};
    return &s->request[i];
}

static void forget(struct rig *r) {
    for (u32 i = 0; i < SYSTEMS; i++) memset(r->s[i].order, 0, sizeof r->s[i].order);
}

/* ---- tests ---- */

static void test_up_and_connect(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0], *b = &r->s[1];
    assert_int_equal(xes_state(a->x), XES_UP);
    assert_string_equal(xes_facility_name(a->x), "CF01");
    assert_int_equal(xes_facility_incarnation(a->x), 77);
    connect_to(a, 0);
    connect_to(b, 0);
    assert_int_equal(a->changed, 2);
    assert_int_equal(xes_disconnect(b->con, false), 0);
    settle(r);
    assert_int_equal(xes_disconnect(b->con, false), -ERR_NOTCONN);
    a->changed = 0;
    connect_to(b, 0);
    assert_int_equal(a->changed, 2);
    for (u32 i = 0; i < XES_STATES; i++) assert_true(strlen(xes_state_name((enum xes_state)i)) > 1);
}

static void test_requests_in_order(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0];
    connect_to(a, 0);
    forget(r);
    a->resubmit = true;
    for (u32 i = 0; i < 8; i++) assert_int_equal(xes_submit(a->x, list_request(a, i, CF_WRITE, 3, CF_F_DATA, 100 * (i % 8))), 0);
    settle(r);
    /* The first submitted itself again: behind those that waited. */
    assert_string_equal(a->order, "defghijkd");
    a->request[0].len = 15;
    assert_int_equal(xes_submit(a->x, &a->request[0]), -ERR_MSGSIZE);
    assert_int_equal(xes_submit(a->x, list_request(a, 0, CF_READ_LIST, 3, CF_F_DATA, 0)), 0);
    settle(r);
    assert_int_equal(a->entries, 9);
}

/* What waits while a program runs goes out together, and comes back one by one in its order. */
static void test_together(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0];
    connect_to(a, 0);
    forget(r);
    u64 programs = xes_counters(a->x)->programs;
    for (u32 i = 0; i < 8; i++) {
        u8 op = i == 6 ? CF_READ_LIST : CF_WRITE;
        assert_int_equal(xes_submit(a->x, list_request(a, i, op, 2, CF_F_DATA, 100)), 0);
    }
    settle(r);
    assert_string_equal(a->order, "defghijk");
    assert_int_equal(a->entries, 6);
    assert_int_equal(xes_counters(a->x)->programs - programs, 2); /* the first went out at once, alone */
    /* More than fit into one. */
    static struct xes_request many[3 * XES_BATCH];
    for (u32 i = 0; i < ARRAY_LEN(many); i++) {
        u8 *cmd = arena_take(simchan_arena(a->sys), CF_LIST_BYTES, 16);
        memcpy(cmd, list_request(a, 0, CF_WRITE, 3, 0, 0)->cmd, CF_LIST_BYTES);
        many[i] = (struct xes_request){.cmd = cmd, .len = CF_LIST_BYTES};
        assert_int_equal(xes_submit(a->x, &many[i]), 0);
    }
    settle(r);
    assert_int_equal(xes_submit(a->x, list_request(a, 1, CF_READ_LIST, 3, 0, 0)), 0);
    settle(r);
    assert_int_equal(a->entries, ARRAY_LEN(many));
}

/* The first of five that are on their way together closes the link: four are told lost, once each. */
static void test_closed_in_between(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0];
    connect_to(a, 0);
    assert_int_equal(xes_submit(a->x, list_request(a, 0, CF_WRITE, 2, 0, 0)), 0);
    forget(r);
    for (u32 i = 1; i < 6; i++) assert_int_equal(xes_submit(a->x, list_request(a, i, CF_WRITE, 2, 0, 0)), 0);
    while (!a->order[0]) {
        simport_run(r->port, r->now);
        simchan_run(a->sys, r->now);
    }
    assert_string_equal(a->order, "d");
    a->close = true;
    settle(r);
    assert_string_equal(a->order, "dexxxxlC");
}

static void test_notices(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0], *b = &r->s[1];
    connect_to(a, 0);
    connect_to(b, 0);
    assert_int_equal(xes_submit(b->x, list_request(b, 0, CF_MONITOR_LIST, 6, 0, 0)), 0);
    settle(r);
    forget(r);
    /* By attention, while nothing runs. */
    assert_int_equal(xes_submit(a->x, list_request(a, 0, CF_WRITE, 6, 0, 0)), 0);
    settle(r);
    assert_string_equal(b->order, "1");
    assert_int_equal(b->bit, 6);
    assert_true(xes_vector_test(b->con, 6));
    assert_false(xes_vector_test(b->con, 5));
    assert_false(xes_vector_test(b->con, WORDS * 32));
    /* Its own read empties the list: the notice comes before the second request goes out. */
    forget(r);
    assert_int_equal(xes_submit(b->x, list_request(b, 1, CF_READ_LIST, 6, CF_F_DATA | CF_F_DELETE, 0)), 0);
    assert_int_equal(xes_submit(b->x, list_request(b, 2, CF_READ_LIST, 6, CF_F_DATA, 0)), 0);
    settle(r);
    assert_string_equal(b->order, "e0f");
    assert_false(xes_vector_test(b->con, 6));
    assert_int_equal(xes_counters(b->x)->drop_notice, 0);
}

static void test_the_facility_dies(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0];
    connect_to(a, 0);
    forget(r);
    for (u32 i = 0; i < 3; i++) assert_int_equal(xes_submit(a->x, list_request(a, i, CF_WRITE, 1, 0, 0)), 0);
    simport_kill(r->port);
    settle(r);
    assert_string_equal(a->order, "xxxlD");
    assert_int_equal(xes_submit(a->x, &a->request[0]), -ERR_NETDOWN);
    assert_int_equal(xes_disconnect(a->con, false), -ERR_NOTCONN);
    forget(r);
    simport_start(r->port);
    settle(r);
    assert_string_equal(a->order, "U");
    connect_to(a, 0);
    /* Away and back before anybody looked: the connection is lost all the same. */
    forget(r);
    simport_kill(r->port);
    simport_start(r->port);
    settle(r);
    assert_string_equal(a->order, "lDU");
    connect_to(a, 0);
}

static void test_isolated(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0];
    connect_to(a, 0);
    forget(r);
    assert_true(cf_isolate(r->cf, "SYSA", 1));
    assert_int_equal(xes_submit(a->x, list_request(a, 0, CF_WRITE, 1, 0, 0)), 0);
    cf_pump(r->cf);
    settle(r);
    if (xes_state(a->x) == XES_UP) { /* told by attention: the next command shows it */
        assert_int_equal(xes_submit(a->x, list_request(a, 0, CF_WRITE, 1, 0, 0)), 0);
        settle(r);
    }
    assert_int_equal(xes_state(a->x), XES_ISOLATED);
    assert_string_equal(a->order, "xlI");
    simport_kill(r->port);
    settle(r);
    assert_int_equal(xes_state(a->x), XES_ISOLATED);
}

static void test_damaged_response(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0];
    connect_to(a, 0);
    forget(r);
    r->damage = true;
    assert_int_equal(xes_submit(a->x, list_request(a, 0, CF_WRITE, 1, 0, 0)), 0);
    settle(r);
    assert_string_equal(a->order, "xlD");
    assert_int_equal(xes_counters(a->x)->drop_malformed, 1);
    r->damage = false;
}

static void test_channel_errors(void **state) {
    struct rig *r = *state;
    struct system *a = &r->s[0];
    static const enum sim_fault_kind kinds[] = {SIM_FAULT_PROGRAM_CHECK, SIM_FAULT_NOT_OPERATIONAL, SIM_FAULT_UNIT_CHECK,
                                                SIM_FAULT_HALTED};
    struct sim_fault f = {.kind = kinds[0], .devnum = 0x0F00, .op = CCW_WRITE, .detail = CF_LINK_SENSE_INTERVENTION, .times = 1};
    for (u32 i = 0; i < ARRAY_LEN(kinds); i++) {
        connect_to(a, 0);
        forget(r);
        f.kind = kinds[i];
        simchan_fault(a->sys, &f);
        assert_int_equal(xes_submit(a->x, list_request(a, 0, CF_WRITE, 1, 0, 0)), 0);
        settle(r);
        assert_string_equal(a->order, "xlD");
        simchan_faults_clear(a->sys);
        simport_kill(r->port);
        settle(r);
        simport_start(r->port);
        settle(r);
        assert_int_equal(xes_state(a->x), XES_UP);
    }
    assert_int_equal(xes_counters(a->x)->channel_errors, 3);
}

static void test_no_device(void **state) {
    struct rig *r = *state;
    struct xes *x;
    struct arena none;
    UNUSED(state);
    assert_int_equal(xes_attach(simchan_arena(r->s[0].sys), r->s[0].sys, 0x0999, &events, NULL, &x), -ERR_NOENT);
    arena_init(&none, &x, 8);
    assert_int_equal(xes_attach(&none, r->s[0].sys, 0x0F00, &events, NULL, &x), -ERR_NOMEM);
    assert_true(xes_bytes() > CF_MESSAGE_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_up_and_connect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_requests_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_together, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closed_in_between, setup, teardown),
        cmocka_unit_test_setup_teardown(test_notices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_facility_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_isolated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_response, setup, teardown),
        cmocka_unit_test_setup_teardown(test_channel_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_device, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
