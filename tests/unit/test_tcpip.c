/* test_tcpip.c - the storage of a TCPIP procedure: what a stack gives up on a small machine, and what its region holds when it starts again. */
#define FIX_ARENA (80u << 20)
#include "tests/unit/sysfix.h"

#include "net/cbuf.h"
#include "net/tcp_impl.h"

#define CHUNKS     4096u
#define CHUNKS_MIN 1024u /* as tcpip.c's */
#define NEARLY_ALL (2 * CHUNK_BYTES) /* of what there was: less than this is left */

static struct stack_config config;

/* A system with so much storage for stacks, each of which wants so many chunks. */
static void machine(size_t bytes, u32 chunks) {
    fix_begin();
    config = *fix.env.stack_config;
    config.buffer_chunks = chunks;
    fix.env.stack_config = &config;
    memds_set("SYS1.PARMLIB(LOAD00)", "IEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSCLONE(0A)\n");
    assert_int_equal(fix_ipl(), 0);
    fix.arena.size = fix.arena.used + bytes;
    fix.mark = fix.len;
}

static u32 chunks_of(const char *name) {
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++)
        if (fix.sys.stacks[i] && fix.sys.stacks[i]->stk && strcmp(fix.sys.stacks[i]->name, name) == 0)
            return fix.sys.stacks[i]->stk->tcp->chunks.count;
    return 0;
}

static size_t left(void) { return fix.arena.size - fix.arena.used; }

/* What a stack with so many chunks takes of the machine. */
static size_t takes(u32 chunks) {
    machine(FIX_ARENA - (1u << 20), chunks);
    size_t before = left();
    assert_int_equal(tcpip_start(&fix.sys, "TCPIP", fix.now), 0);
    assert_int_equal(chunks_of("TCPIP"), chunks);
    FIX_NOT_SAID("PLX0123I");
    size_t taken = before - left();
    fix_end();
    return taken;
}

/* From more than enough to less than the fewest, byte by byte around each end: a stack has all that fits, and the operator hears of what it has not. */
static void as_many_as_fit(void **state) {
    size_t most = takes(CHUNKS), least = takes(CHUNKS_MIN);
    const struct {
        size_t bytes;
        u32 at_least, at_most; /* chunks */
    } as[] = {{most + (1u << 20), CHUNKS, CHUNKS},
              {most + 16, CHUNKS, CHUNKS},
              {most - 16, CHUNKS - 2, CHUNKS - 1},
              {most - 100 * CHUNK_BYTES, CHUNKS - 102, CHUNKS - 99},
              {least + 100 * CHUNK_BYTES, CHUNKS_MIN + 98, CHUNKS_MIN + 100},
              {least + CHUNK_BYTES + 16, CHUNKS_MIN, CHUNKS_MIN + 1},
              {least + 16, CHUNKS_MIN, CHUNKS_MIN}};
    UNUSED(state);
    assert_true(most - least >= (CHUNKS - CHUNKS_MIN) * (size_t)CHUNK_BYTES);
    for (u32 i = 0; i < ARRAY_LEN(as); i++) {
        char said[80];
        machine(as[i].bytes, CHUNKS);
        assert_int_equal(tcpip_start(&fix.sys, "TCPIP", fix.now), 0);
        u32 has = chunks_of("TCPIP");
        if (has < as[i].at_least || has > as[i].at_most) fail_msg("%zu bytes: %u chunks", as[i].bytes, has);
        str_fmt(said, sizeof said, "PLX0123I TCP/IP STACK TCPIP HAS %u KB OF SOCKET BUFFERS INSTEAD OF %u KB", has * 8, CHUNKS * 8);
        assert_int_equal(fix_said(said), has < CHUNKS);
        if (has > CHUNKS_MIN && has < CHUNKS) assert_true(left() < NEARLY_ALL);
        fix_end();
    }
}

static void less_than_the_fewest(void **state) {
    size_t least = takes(CHUNKS_MIN);
    UNUSED(state);
    for (u32 i = 0; i < 3; i++) {
        machine(i == 0 ? least - 64 : i == 1 ? least / 2 : 0, CHUNKS);
        assert_int_equal(tcpip_start(&fix.sys, "TCPIP", fix.now), -ERR_NOMEM);
        FIX_SAID("PLX0120E TCP/IP STACK TCPIP CANNOT BE STARTED: STORAGE IS TOO SMALL");
        assert_int_equal(chunks_of("TCPIP"), 0);
        fix_end();
    }
}

/* Who asks for fewer than the fewest gets what it asked for, and none of it goes. */
static void a_small_stack_stays_small(void **state) {
    size_t bytes = takes(100);
    UNUSED(state);
    machine(bytes + 16, 100);
    assert_int_equal(tcpip_start(&fix.sys, "TCPIP", fix.now), 0);
    assert_int_equal(chunks_of("TCPIP"), 100);
    fix_end();
    machine(bytes - 64, 100);
    assert_int_equal(tcpip_start(&fix.sys, "TCPIP", fix.now), -ERR_NOMEM);
    fix_end();
}

static void stop(const char *command) {
    assert_true(fix_cmd(command));
    for (u32 i = 0; i < 20; i++) fix_poll(100000);
}

/* A region is a stack's for good: what starts there again, under whatever name, is made to fit it. */
static void a_region_is_used_again(void **state) {
    size_t bytes = takes(1500);
    UNUSED(state);
    machine(bytes + 16, 1500);
    assert_int_equal(tcpip_start(&fix.sys, "TCPIP", fix.now), 0);
    for (u32 i = 0; i < 4; i++) {
        stop(i == 3 ? "P TCPIPB" : "P TCPIP");
        fix.mark = fix.len;
        config.buffer_chunks = i ? CHUNKS : 1500;
        const char *name = i >= 2 ? "TCPIPB" : "TCPIP";
        assert_int_equal(tcpip_start(&fix.sys, name, fix.now), 0);
        assert_in_range(chunks_of(name), 1499, 1500);
        assert_int_equal(fix_said("PLX0123I"), i > 0);
        assert_int_equal(tcpip_start(&fix.sys, name, fix.now), -ERR_EXIST);
        FIX_SAID("IT IS ACTIVE");
    }
    fix_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_fit),
        cmocka_unit_test(less_than_the_fewest),
        cmocka_unit_test(a_small_stack_stays_small),
        cmocka_unit_test(a_region_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
