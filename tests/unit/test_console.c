/* test_console.c - console fan-out and the 3215 device against a scripted channel. */
#include "base/ebcdic.h"
#include "super/consdev.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The channel: remembers the program that was started; the test ends it. */
struct chan {
    const struct chan_events *ev;
    void *ctx;
    struct chan_cmd program[CHAN_PROGRAM_MAX];
    u32 n, starts;
    int refuse; /* answer of the next start */
} the_chan;

int chan_open(struct chan_system *sys, u16 devnum, const struct chan_events *ev, void *ctx, struct chan **out) {
    UNUSED(sys);
    if (devnum != 9) return -ERR_NOENT;
    the_chan = (struct chan){.ev = ev, .ctx = ctx};
    *out = &the_chan;
    return 0;
}
int chan_start(struct chan *ch, const struct chan_cmd *program, u32 n) {
    if (ch->refuse) return ch->refuse;
    memcpy(ch->program, program, n * sizeof *program);
    ch->n = n;
    ch->starts++;
    return 0;
}

static void end_program(u8 unit, u16 residual, u64 now) {
    struct chan_status st = {.unit = unit, .residual = residual};
    the_chan.n = 0;
    the_chan.ev->done(the_chan.ctx, &st, now);
}

#define CE_DE (US_CHANNEL_END | US_DEVICE_END)

/* What the program that runs would print, lines joined by '|'. */
static const char *printed(void) {
    static char out[8192];
    u32 len = 0;
    for (u32 i = 0; i < the_chan.n; i++) {
        assert_int_equal(the_chan.program[i].op, 0x09);
        if (i) out[len++] = '|';
        ebcdic_get(out + len, the_chan.program[i].data, the_chan.program[i].count);
        len += the_chan.program[i].count;
    }
    out[len] = 0;
    return out;
}

struct bench {
    struct console con;
    struct consdev cd;
    u8 storage[4096];
    char command[200];
};

static void on_command(void *ctx, const char *line, const struct reply *r, u64 now) {
    struct bench *b = ctx;
    UNUSED(now);
    snprintf(b->command, sizeof b->command, "%s", line);
    reply_line(r, "ANSWER %u", 1u);
}

static struct bench *bench_new(u32 ring) {
    struct bench *b = calloc(1, sizeof *b);
    struct arena a;
    arena_init(&a, b->storage, sizeof b->storage);
    console_init(&b->con);
    console_on_command(&b->con, on_command, b);
    assert_int_equal(consdev_open(&b->cd, &b->con, NULL, 9, &a, ring), 0);
    return b;
}

static void test_lines_in_batches(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2048);
    console_message(&b->con, "PLX%uI %s", 1u, "ONE");
    console_message(&b->con, "%s", "");
    console_message(&b->con, "TWO");
    consdev_poll(&b->cd, 1);
    assert_string_equal(printed(), "PLX1I ONE| |TWO");
    console_message(&b->con, "THREE");
    consdev_poll(&b->cd, 2);
    assert_int_equal(the_chan.starts, 1); /* one program at a time */
    end_program(CE_DE, 0, 3);
    consdev_poll(&b->cd, 3);
    assert_string_equal(printed(), "THREE");
    end_program(CE_DE, 0, 4);
    assert_true(consdev_is_drained(&b->cd));
    for (int i = 0; i < 20; i++) console_message(&b->con, "L%02d", i);
    consdev_poll(&b->cd, 5);
    assert_int_equal(the_chan.n, CONSDEV_BATCH);
    end_program(CE_DE, 0, 6);
    consdev_poll(&b->cd, 6);
    assert_string_equal(printed(), "L16|L17|L18|L19");
    free(b);
}

/* Every line that the console accepted comes out once and in order, whatever the ring's fill. */
static void test_ring_never_mixes(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(256);
    u32 seed = 1, sent = 0, seen = 0, gaps = 0;
    for (u32 i = 0; i < 5000; i++) {
        seed = seed * 1103515245u + 12345u;
        if (seed >> 16 & 3) {
            console_message(&b->con, "%08u%.*s", sent++, (int)(seed >> 20 & 31), "abcdefghijklmnopqrstuvwxyzABCDEF");
        } else {
            consdev_poll(&b->cd, i);
            if (the_chan.n) {
                char *save, *text = (char *)(uintptr_t)printed();
                for (char *l = strtok_r(text, "|", &save); l; l = strtok_r(NULL, "|", &save)) {
                    u32 n;
                    if (sscanf(l, "PLX910I %u", &n) == 1) {
                        seen += n;
                        gaps++;
                    } else {
                        assert_int_equal(strtoul(l, NULL, 10) % 100000000, seen);
                        seen++;
                    }
                }
                end_program(CE_DE, 0, i);
            }
        }
    }
    assert_true(gaps > 10);
    assert_int_equal(b->cd.lines_lost + b->cd.lines, sent);
    free(b);
}

/* What a program asked for reaches the sinks that programs read, and nobody else. */
static void seen_line(void *ctx, const char *text) { strcat(ctx, text); }
static void test_asides(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2048);
    char person[200] = "", program[200] = "", longest[CONSOLE_LINE_MAX + 40];
    struct console_sink people = {.line = seen_line, .ctx = person}, programs = {.line = seen_line, .ctx = program, .asides = true};
    console_attach(&b->con, &people);
    console_attach(&b->con, &programs);
    console_aside(&b->con, "?12.34", "IXC356I");
    assert_string_equal(person, "");
    assert_string_equal(program, "?12.34 IXC356I");
    consdev_poll(&b->cd, 1);
    assert_int_equal(the_chan.n, 0);
    program[0] = '\0';
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    console_aside(&b->con, "?1", longest);
    assert_int_equal(strlen(program), CONSOLE_LINE_MAX);
    free(b);
}

static void test_input(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2048);
    console_message(&b->con, "BUSY");
    consdev_poll(&b->cd, 1);
    the_chan.ev->attention(the_chan.ctx, US_ATTENTION, 2);
    assert_int_equal(the_chan.starts, 1);
    end_program(CE_DE, 0, 3);
    consdev_poll(&b->cd, 3);
    assert_int_equal(the_chan.program[0].op, 0x0A);
    ebcdic_put(the_chan.program[0].data, "D T", 3);
    end_program(CE_DE, (u16)(the_chan.program[0].count - 3), 4);
    assert_string_equal(b->command, "D T");
    consdev_poll(&b->cd, 5);
    assert_string_equal(printed(), "ANSWER 1");
    end_program(CE_DE, 0, 6);
    /* A residual larger than the count is the device's nonsense, not ours. */
    the_chan.ev->attention(the_chan.ctx, US_ATTENTION, 7);
    consdev_poll(&b->cd, 7);
    end_program(CE_DE, 0xFFFF, 8);
    assert_int_equal(b->con.inputs, 1);
    free(b);
}

/* An attention that stood in the way of a read's start is served by that read: a second one would wait for the operator. */
static void test_one_read_for_attentions_before_it(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2048);
    the_chan.ev->attention(the_chan.ctx, US_ATTENTION, 1);
    consdev_poll(&b->cd, 1);
    assert_int_equal(the_chan.program[0].op, 0x0A);
    the_chan.ev->attention(the_chan.ctx, US_ATTENTION, 2);
    ebcdic_put(the_chan.program[0].data, "D T", 3);
    end_program(CE_DE, (u16)(the_chan.program[0].count - 3), 3);
    u32 starts = the_chan.starts;
    consdev_poll(&b->cd, 4);
    assert_string_equal(printed(), "ANSWER 1");
    end_program(CE_DE, 0, 5);
    consdev_poll(&b->cd, 6);
    assert_int_equal(the_chan.starts, starts + 1);
    /* After the read's end it is a new line. */
    the_chan.ev->attention(the_chan.ctx, US_ATTENTION, 7);
    consdev_poll(&b->cd, 8);
    assert_int_equal(the_chan.program[0].op, 0x0A);
    end_program(CE_DE, the_chan.program[0].count, 9);
    free(b);
}

/* A device that takes no program for a moment is asked again, for the line as for the output. */
static void test_busy_device_loses_nothing(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2048);
    the_chan.refuse = -ERR_BUSY;
    the_chan.ev->attention(the_chan.ctx, US_ATTENTION, 1);
    console_message(&b->con, "WAITS");
    assert_true(consdev_poll(&b->cd, 1) == 1 + CONSDEV_BUSY_US);
    the_chan.refuse = 0;
    assert_true(consdev_poll(&b->cd, 20000) == TIME_NEVER);
    assert_int_equal(the_chan.program[0].op, 0x0A);
    ebcdic_put(the_chan.program[0].data, "D T", 3);
    end_program(CE_DE, (u16)(the_chan.program[0].count - 3), 20001);
    consdev_poll(&b->cd, 20002);
    assert_string_equal(printed(), "WAITS|ANSWER 1");
    end_program(CE_DE, 0, 20003);
    assert_int_equal(b->cd.busy, 2);
    free(b);
}

static void test_absent_device_keeps_lines(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2048);
    console_message(&b->con, "KEPT");
    consdev_poll(&b->cd, 10);
    end_program(US_UNIT_CHECK | CE_DE, 0, 20);
    assert_int_equal(b->cd.write_errors, 1);
    assert_true(consdev_is_drained(&b->cd)); /* nobody there: a shutdown must not wait for it */
    assert_true(consdev_poll(&b->cd, 30) == 20 + CONSDEV_RETRY_US);
    consdev_poll(&b->cd, 20 + CONSDEV_RETRY_US);
    assert_string_equal(printed(), "KEPT");
    end_program(CE_DE, 0, 20 + CONSDEV_RETRY_US);
    the_chan.refuse = -ERR_NOENT;
    console_message(&b->con, "LATER");
    assert_true(consdev_poll(&b->cd, 5000000) == 5000000 + CONSDEV_RETRY_US);
    free(b);
}

static void test_long_line_is_cut_and_counted(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2048);
    char text[300];
    memset(text, 'x', 299);
    text[299] = 0;
    console_message(&b->con, "%s", text);
    consdev_poll(&b->cd, 1);
    assert_int_equal(strlen(printed()), CONSOLE_LINE_MAX);
    assert_int_equal(b->con.truncated, 1);
    free(b);
}

/* ---- commands of a program's users ---- */
struct user {
    struct bench *b;
    struct console_request req;
    char got[200];
    u32 done;
    bool again, leave; /* submits once more at the end; is cancelled by the command that it runs */
};
static struct user *leaving;

static void user_line(void *ctx, const char *text) {
    struct user *u = ctx;
    strncat(u->got, text, sizeof u->got - strlen(u->got) - 1);
}
static void user_done(void *ctx, u64 now) {
    struct user *u = ctx;
    UNUSED(now);
    u->done++;
    if (u->again) assert_int_equal(console_submit(&u->b->con, &u->req, "AGAIN"), 0);
    u->again = false;
}
static void user_command(void *ctx, const char *line, const struct reply *r, u64 now) {
    struct bench *b = ctx;
    UNUSED(now);
    reply_line(r, "<%s", line);
    if (leaving) {
        console_cancel(&b->con, &leaving->req);
        memset(leaving, 0x55, sizeof *leaving); /* its storage is somebody else's now */
        leaving = NULL;
    }
    reply_line(r, ">");
}

static void test_requests(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(2048);
    struct user u[3], *gone = malloc(sizeof *gone);
    console_on_command(&b->con, user_command, b);
    for (u32 i = 0; i < 3; i++) {
        u[i] = (struct user){.b = b, .req = {.reply = {.line = user_line, .ctx = &u[i]}, .done = user_done}};
        list_init(&u[i].req.node);
        assert_int_equal(console_submit(&b->con, &u[i].req, i ? "OTHER" : "ONE"), 0);
    }
    assert_int_equal(console_submit(&b->con, &u[0].req, "X"), -ERR_BUSY);
    console_cancel(&b->con, &u[1].req);
    u[2].again = true;
    assert_true(console_poll(&b->con, 1)); /* what was submitted while it ran waits for the next */
    assert_string_equal(u[0].got, "<ONE>");
    assert_string_equal(u[1].got, "");
    assert_string_equal(u[2].got, "<OTHER>");
    assert_false(console_poll(&b->con, 2));
    assert_string_equal(u[2].got, "<OTHER><AGAIN>");
    assert_int_equal(u[0].done + u[1].done * 10 + u[2].done * 100, 201);
    assert_int_equal(b->con.inputs, 3);
    /* The command ends the program that entered it. */
    *gone = (struct user){.b = b, .req = {.reply = {.line = user_line, .ctx = gone}, .done = user_done}};
    list_init(&gone->req.node);
    assert_int_equal(console_submit(&b->con, &gone->req, "STOP ME"), 0);
    leaving = gone;
    assert_false(console_poll(&b->con, 3));
    for (u32 i = 0; i < sizeof *gone; i++) assert_int_equal(((u8 *)gone)[i], 0x55);
    assert_null(b->con.running);
    free(gone);
    free(b);
}

static void test_ebcdic_tables_are_inverse(void **state) {
    UNUSED(state);
    for (u32 i = 0; i < 256; i++) assert_int_equal(ebcdic_to_latin1[ebcdic_from_latin1[i]], i);
    u8 field[8];
    char text[9];
    ebcdic_pad(field, 8, "IEANUC01XYZ");
    assert_int_equal(field[0], 0xC9);
    assert_int_equal(ebcdic_trim(text, field, 8), 8);
    assert_string_equal(text, "IEANUC01");
    ebcdic_pad(field, 8, "A");
    assert_int_equal(field[7], 0x40);
    assert_int_equal(ebcdic_trim(text, field, 8), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_in_batches),          cmocka_unit_test(test_ring_never_mixes),
        cmocka_unit_test(test_one_read_for_attentions_before_it), cmocka_unit_test(test_busy_device_loses_nothing),
        cmocka_unit_test(test_asides), cmocka_unit_test(test_input),                     cmocka_unit_test(test_absent_device_keeps_lines),
        cmocka_unit_test(test_long_line_is_cut_and_counted), cmocka_unit_test(test_ebcdic_tables_are_inverse), cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
