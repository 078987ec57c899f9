/* test_peer.c - connections between processes: handshake and its refusals, order, back pressure, death and return of
 * either side, over a Unix socket and over TCP, and callers that are no end of plex390.
 */
#include "base/be.h"
#include "hercules-devices/peer.h"
#include "hercules-devices/peer_socket.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* What one end saw. */
struct end {
    pthread_mutex_t lock;
    char log[4096];
    _Atomic u32 ups, downs, messages, refuse, ends;
    _Atomic bool fenced, echo, bad_order;
    u32 next;
    struct peer *peer;
    struct peer_identity other;
};

static void on_up(void *ctx, struct peer *p, const struct peer_identity *other) {
    struct end *e = ctx;
    e->peer = p;
    e->other = *other;
    e->next = 0;
    atomic_fetch_add(&e->ups, 1);
}
static bool on_message(void *ctx, struct peer *p, const u8 *msg, u32 len) {
    struct end *e = ctx;
    if (atomic_load(&e->refuse)) return false;
    if (len < 4 || be32_get(msg) != e->next++) atomic_store(&e->bad_order, true);
    for (u32 i = 4; i < len; i++)
        if (msg[i] != (u8)i) atomic_store(&e->bad_order, true);
    if (atomic_load(&e->echo)) {
        u8 *out = peer_reserve(p, len);
        if (!out) {
            e->next--;
            return false;
        }
        memcpy(out, msg, len);
        peer_commit(p, len);
    }
    atomic_fetch_add(&e->messages, 1);
    return true;
}
static void on_batch_end(void *ctx, struct peer *p) {
    struct end *e = ctx;
    atomic_fetch_add(&e->ends, 1);
    peer_flush(p);
}
static void on_down(void *ctx, struct peer *p) {
    struct end *e = ctx;
    UNUSED(p);
    e->peer = NULL;
    atomic_fetch_add(&e->downs, 1);
}
static void on_log(void *ctx, const char *text) {
    struct end *e = ctx;
    pthread_mutex_lock(&e->lock);
    size_t used = strlen(e->log);
    snprintf(e->log + used, sizeof e->log - used, "%s\n", text);
    pthread_mutex_unlock(&e->lock);
}
static bool on_valid(void *ctx, const struct peer_identity *other) {
    struct end *e = ctx;
    UNUSED(other);
    return !atomic_load(&e->fenced);
}
static const struct peer_ops ops = {.up = on_up, .message = on_message, .batch_end = on_batch_end, .down = on_down, .log = on_log,
                                    .incarnation_valid = on_valid};

static char dir[64], path[96];
static struct end server, client;

static void end_reset(struct end *e) {
    memset(e, 0, sizeof *e);
    pthread_mutex_init(&e->lock, NULL);
}
static int setup(void **state) {
    UNUSED(state);
    strcpy(dir, "/tmp/test_peer.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/osa1.sock", dir);
    end_reset(&server);
    end_reset(&client);
    return 0;
}
static int teardown(void **state) {
    UNUSED(state);
    unlink(path);
    return rmdir(dir);
}

static struct peer_identity identity(const char *name, const char *expected, u64 incarnation) {
    struct peer_identity id = {.kind = PEER_OSA, .incarnation = incarnation};
    strcpy(id.name, name);
    strcpy(id.expected, expected);
    return id;
}
static struct peer_server *serve(const char *address) {
    struct peer_identity id = identity("OSA1", "", 7);
    return peer_serve(address, &id, &ops, &server);
}
static struct peer *connect_as(const char *address, const char *name, const char *expected) {
    struct peer_identity id = identity(name, expected, 42);
    return peer_connect(address, &id, &ops, &client);
}

/* Runs the server (if any) until cond or about five seconds are over. */
#define UNTIL(s, cond)                                                                                               \
    do {                                                                                                             \
        struct peer_server *srv_ = (s);                                                                              \
        for (u32 n_ = 0; n_ < 50000 && !(cond); n_++) {                                                              \
            if (!srv_ || !peer_server_poll(srv_)) usleep(100);                                                       \
        }                                                                                                            \
        assert_true(cond);                                                                                           \
    } while (0)

static bool logged(struct end *e, const char *text) {
    pthread_mutex_lock(&e->lock);
    bool found = strstr(e->log, text) != NULL;
    pthread_mutex_unlock(&e->lock);
    return found;
}
static u32 log_lines(struct end *e) {
    u32 n = 0;
    pthread_mutex_lock(&e->lock);
    for (const char *c = e->log; *c; c++) n += *c == '\n';
    pthread_mutex_unlock(&e->lock);
    return n;
}

static bool send_one(struct peer *p, u32 number, u32 len) {
    u8 *out = peer_reserve(p, len);
    if (!out) return false;
    for (u32 i = 4; i < len; i++) out[i] = (u8)i;
    be32_put(out, number);
    peer_commit(p, len);
    peer_flush(p);
    return true;
}

/* Messages of all sizes go there and come back, more than both rings hold. */
static void echo_over(const char *address) {
    struct peer_server *s = serve(address);
    assert_non_null(s);
    atomic_store(&server.echo, true);
    struct peer *p = connect_as(address, "SYSA", "OSA1");
    assert_non_null(p);
    UNTIL(s, client.ups == 1 && server.ups == 1);
    assert_string_equal(server.other.name, "SYSA");
    assert_int_equal(server.other.incarnation, 42);
    assert_string_equal(client.other.name, "OSA1");
    assert_int_equal(client.other.incarnation, 7);
    u32 sent = 0;
    static const u32 sizes[] = {4, 5, 60, 1500, 9000, 65536 + 64, PEER_MESSAGE_MAX};
    while (sent < 400) {
        if (send_one(p, sent, sizes[sent % ARRAY_LEN(sizes)])) sent++;
        else usleep(100);
        peer_server_poll(s);
        if (server.peer) peer_resume(server.peer);
    }
    UNTIL(s, (peer_resume(server.peer), client.messages == 400));
    assert_int_equal(server.messages, 400);
    assert_false(server.bad_order);
    assert_false(client.bad_order);
    peer_close(p);
    UNTIL(s, server.downs == 1);
    assert_int_equal(client.downs, 0); /* who closes is not told */
    peer_server_close(s);
}

static void test_echo_unix(void **state) {
    UNUSED(state);
    echo_over(path);
    assert_int_equal(access(path, F_OK), -1); /* the socket file went with the server */
}

static void test_echo_tcp(void **state) {
    UNUSED(state);
    char address[64];
    snprintf(address, sizeof address, "tcp:127.0.0.1:%d", 20000 + (int)getpid() % 20000);
    echo_over(address);
}

static void test_server_thread(void **state) {
    UNUSED(state);
    struct peer_server *s = serve(path);
    assert_non_null(s);
    assert_true(peer_server_thread(s));
    atomic_store(&server.echo, true);
    struct peer *p = connect_as(path, "SYSA", "");
    UNTIL(NULL, client.ups == 1);
    for (u32 i = 0; i < 200;)
        if (send_one(p, i, 100)) i++;
    UNTIL(NULL, client.messages == 200);
    assert_false(server.bad_order || client.bad_order);
    peer_server_close(s);
    UNTIL(NULL, client.downs == 1);
    peer_close(p);
}

/* A sender that never pauses, while both receiving threads run. */
static void flood_over(const char *address) {
    struct peer_server *s = serve(address);
    assert_non_null(s);
    assert_true(peer_server_thread(s));
    struct peer *p = connect_as(address, "SYSA", "OSA1");
    UNTIL(NULL, client.ups == 1);
    for (u32 i = 0; i < 30000;)
        if (send_one(p, i, 4 + i * 7 % 1500)) i++;
    UNTIL(NULL, server.messages == 30000);
    assert_false(server.bad_order);
    peer_close(p);
    peer_server_close(s);
}

static void test_flood(void **state) {
    UNUSED(state);
    char address[64];
    flood_over(path);
    end_reset(&server);
    end_reset(&client);
    snprintf(address, sizeof address, "tcp:127.0.0.1:%d", 20000 + (int)getpid() % 20000);
    flood_over(address);
}

/* A server that answers with nonsense: the client says so in one line, takes no harm, and goes on trying. */
static void test_hostile_server(void **state) {
    UNUSED(state);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    memcpy(sun.sun_path, path, strlen(path));
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof sun), 0);
    assert_int_equal(listen(listener, 8), 0);
    struct peer *p = connect_as(path, "SYSA", "OSA1");
    for (u32 round = 0; round < 6; round++) {
        int fd = accept(listener, NULL, NULL), null = open("/dev/null", O_RDWR);
        u8 answer[PEER_HELLO_BYTES] = {'P', 'L', 'X', '3', '9', '0', 0, PEER_PROTOCOL, PEER_OSA, 1};
        memcpy(answer + 24, "OSA1", 4);
        be32_put(answer + 12, round == 3 ? 12345 : 2u << 20);
        if (round == 0) memset(answer, 'x', sizeof answer);
        int fds[3] = {null, null, null};
        if (round < 3) assert_int_equal(write(fd, answer, round == 1 ? 10 : sizeof answer), round == 1 ? 10 : 64);
        else
            assert_true(peer_socket_send_fds(fd, answer, sizeof answer, fds, round == 5 ? 1 : 3));
        close(fd);
        close(null);
    }
    UNTIL(NULL, logged(&client, "no end of plex390"));
    UNTIL(NULL, logged(&client, "no answer to the handshake"));
    UNTIL(NULL, logged(&client, "the rings it offered are not usable"));
    assert_int_equal(client.ups, 0);
    close(listener);
    unlink(path);
    struct peer_server *s = serve(path); /* and when the right one is there it connects */
    UNTIL(s, client.ups == 1);
    peer_close(p);
    peer_server_close(s);
}

/* A message that is not taken is offered again after peer_resume(), and nothing overtakes it. */
static void test_back_pressure(void **state) {
    UNUSED(state);
    struct peer_server *s = serve(path);
    struct peer *p = connect_as(path, "SYSA", "OSA1");
    UNTIL(s, client.ups == 1);
    atomic_store(&server.refuse, 1);
    u32 sent = 0;
    while (send_one(p, sent, 60000)) sent++;
    assert_true(sent > 20); /* the ring filled */
    for (u32 i = 0; i < 100; i++) peer_server_poll(s);
    assert_int_equal(server.messages, 0);
    atomic_store(&server.refuse, 0);
    for (u32 i = 0; i < 100; i++) peer_server_poll(s);
    assert_int_equal(server.messages, 0); /* nobody said resume */
    peer_resume(server.peer);
    UNTIL(s, server.messages == sent);
    assert_false(server.bad_order);
    peer_close(p);
    peer_server_close(s);
}

/* The server dies and returns, twenty times: the client finds it again without being told. */
static void test_restarts(void **state) {
    UNUSED(state);
    struct peer *p = connect_as(path, "SYSA", "OSA1");
    UNTIL(NULL, logged(&client, "SYSA waits for OSA1 at"));
    for (u32 round = 1; round <= 20; round++) {
        struct peer_server *s = serve(path);
        assert_non_null(s);
        UNTIL(s, client.ups == round);
        assert_true(send_one(p, 0, 64));
        UNTIL(s, server.messages == round);
        peer_server_close(s);
        UNTIL(NULL, client.downs == round);
        assert_null(peer_reserve(p, 10));
    }
    assert_int_equal(server.bad_order, false);
    peer_close(p);
}

static void test_refusals(void **state) {
    UNUSED(state);
    struct peer_server *s = serve(path);
    struct peer *p = connect_as(path, "SYSA", "OSA2");
    const char *line = "SYSA refused by OSA1: SYSA wants OSA2, but this is OSA1";
    UNTIL(s, logged(&client, line) && logged(&server, line));
    usleep(500 * 1000); /* two more attempts */
    for (u32 i = 0; i < 100; i++) peer_server_poll(s);
    assert_int_equal(log_lines(&client), 1);
    assert_int_equal(log_lines(&server), 1);
    assert_int_equal(client.ups + server.ups, 0);
    peer_close(p);
    peer_server_close(s);

    struct peer_identity only_b = identity("OSA1", "SYSB", 1), ctc = identity("SYSA", "OSA1", 1);
    s = peer_serve(path, &only_b, &ops, &server);
    p = connect_as(path, "SYSA", "OSA1");
    UNTIL(s, logged(&client, "OSA1 serves only SYSB") && logged(&server, "OSA1 serves only SYSB"));
    peer_close(p);
    peer_server_close(s);

    s = serve(path);
    ctc.kind = PEER_CTC;
    p = peer_connect(path, &ctc, &ops, &client);
    UNTIL(s, logged(&client, "OSA1 is an OSA, not a CTC") && logged(&server, "OSA1 is an OSA, not a CTC"));
    peer_close(p);
    peer_server_close(s);
}

static void test_isolated(void **state) {
    UNUSED(state);
    struct peer_server *s = serve(path);
    struct peer *p = connect_as(path, "SYSA", "OSA1");
    UNTIL(s, client.ups == 1);
    assert_true(send_one(p, 0, 64));
    atomic_store(&server.fenced, true); /* what is left in the ring is not delivered */
    UNTIL(s, server.downs == 1);
    assert_int_equal(server.messages, 0);
    UNTIL(s, logged(&client, "incarnation 42 of SYSA has been isolated"));
    peer_close(p);
    peer_server_close(s);
}

/* Whoever is isolated while it says nothing is dropped too, and a client does not come up to a server that is. */
static void test_isolated_in_silence(void **state) {
    UNUSED(state);
    struct peer_server *s = serve(path);
    struct peer *p = connect_as(path, "SYSA", "OSA1");
    UNTIL(s, client.ups == 1);
    UNTIL(s, !peer_server_poll(s));
    atomic_store(&server.fenced, true);
    UNTIL(s, server.downs == 1 && client.downs == 1);
    atomic_store(&server.fenced, false);
    atomic_store(&client.fenced, true);
    UNTIL(s, logged(&client, "one of the two has been isolated"));
    assert_int_equal(client.ups, 1);
    atomic_store(&client.fenced, false);
    UNTIL(s, client.ups == 2);
    peer_close(p);
    peer_server_close(s);
}

static void test_stale_and_wrong_files(void **state) {
    UNUSED(state);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    memcpy(sun.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
    close(fd); /* as a killed server leaves it */
    struct peer_server *s = serve(path);
    assert_non_null(s);
    assert_null(serve(path)); /* a living one is not replaced */
    assert_true(logged(&server, "in use"));
    assert_int_equal(access(path, F_OK), 0);
    peer_server_close(s);

    FILE *f = fopen(path, "w");
    fclose(f);
    assert_null(serve(path));
    assert_int_equal(access(path, F_OK), 0);
    char long_path[200];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = 0;
    assert_null(serve(long_path));
    assert_null(connect_as("tcp:nowhere", "SYSA", ""));
    assert_true(logged(&client, "'tcp:nowhere' is not tcp:host:port"));
}

static int raw_connect(void) {
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    memcpy(sun.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
    return fd;
}

/* Strangers: each byte of a good hello damaged in turn, hellos cut at each length, and a flood of connections. */
static void test_strangers(void **state) {
    UNUSED(state);
    struct peer_server *s = serve(path);
    u8 hello[PEER_HELLO_BYTES] = {'P', 'L', 'X', '3', '9', '0', 0, PEER_PROTOCOL, PEER_OSA};
    memcpy(hello + 24, "SYSA", 4);
    for (u32 i = 0; i < PEER_HELLO_BYTES; i++) {
        u8 bad[PEER_HELLO_BYTES];
        memcpy(bad, hello, sizeof bad);
        bad[i] ^= 0xA5;
        int fd = raw_connect();
        assert_int_equal(write(fd, bad, sizeof bad), (ssize_t)sizeof bad);
        for (u32 n = 0; n < 4; n++) peer_server_poll(s);
        close(fd);
        fd = raw_connect();
        assert_int_equal(write(fd, hello, i), (ssize_t)i);
        for (u32 n = 0; n < 4; n++) peer_server_poll(s);
        close(fd);
        for (u32 n = 0; n < 4; n++) peer_server_poll(s);
    }
    int fds[PEER_SERVER_MAX + 8];
    for (u32 i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = raw_connect();
        peer_server_poll(s);
    }
    assert_true(logged(&server, "all 64 connections are in use"));
    u8 answer[PEER_HELLO_BYTES];
    assert_int_equal(read(fds[ARRAY_LEN(fds) - 1], answer, sizeof answer), (ssize_t)sizeof answer);
    assert_int_equal(be16_get(answer + 10), PEER_REFUSED_FULL);
    for (u32 i = 0; i < ARRAY_LEN(fds); i++) close(fds[i]);
    atomic_store(&server.echo, true);
    struct peer *p = connect_as(path, "SYSA", "OSA1"); /* and afterwards it serves as before */
    UNTIL(s, client.ups == 1);
    assert_true(send_one(p, 0, 64));
    UNTIL(s, client.messages == 1);
    peer_close(p);
    peer_server_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_echo_unix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_echo_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_server_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_server, setup, teardown),
        cmocka_unit_test_setup_teardown(test_back_pressure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_isolated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_isolated_in_silence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stale_and_wrong_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strangers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
