/* test_volume.c - mkvol's volumes read by the guest's data set code, through a page of CKD channel.
 *
 * port_io() here runs the channel programs of super/dasd.c on an image in memory: seek, search ID, search key, read count,
 * read data, read device characteristics. So builder, label formats and reader are tested against each other, and
 * the reader against images with random damage.
 */
#include "base/be.h"
#include "ipl/mkvol.h"
#include "ipl/volume.h"
#include "super/port.h"
#include "super/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

const u8 ipl_record[24 + 144] = {0}, ipl_text[100] = {0};
const u32 ipl_record_bytes = sizeof ipl_record, ipl_text_bytes = sizeof ipl_text;

/* ---- a 3390 ---- */

struct chan {
    struct volume v;
    u32 fail_in; /* that many programs from now one ends with an equipment check; 0 = never */
} the_disk;

int chan_open(struct chan_system *sys, u16 devnum, const struct chan_events *ev, void *ctx, struct chan **out) {
    UNUSED(sys);
    UNUSED(ev);
    UNUSED(ctx);
    *out = &the_disk;
    return devnum == 0x0A80 ? 0 : -ERR_NOENT;
}
void chan_close(struct chan *ch) { UNUSED(ch); }

struct head {
    u32 track;
    struct volume_record at; /* the record whose count field was read or searched last */
    bool oriented;
    u32 wraps;
};

/* The next count field to pass under the head; after the last comes the first again. */
static bool advance(const struct volume *v, struct head *h) {
    if (h->oriented ? volume_next(v, h->track, h->at.record, &h->at) : volume_find(v, h->track, 0, &h->at)) {
        h->oriented = true;
        return true;
    }
    h->wraps++;
    return h->wraps < 3 && volume_find(v, h->track, 0, &h->at);
}

static void no_record(struct chan_status *st) {
    st->unit = US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK;
    st->sense_len = 32;
    st->sense[1] = 0x08;
}

/* One command. 1 go on, 2 go on and skip the next (status modifier), 0 ended with st. */
static int command(struct chan *ch, struct head *h, const struct chan_cmd *c, struct chan_status *st) {
    u8 field[8], *data = c->data;
    switch (c->op) {
    case 0x07:
        h->track = be16_get(data + 2) * VOLUME_HEADS + be16_get(data + 4);
        h->oriented = false;
        h->wraps = 0;
        return 1;
    case 0x31:
    case 0x29:
        do {
            if (!advance(&ch->v, h)) return no_record(st), 0;
        } while (c->op == 0x29 && h->at.key_len == 0);
        be16_put(field, (u16)(h->at.track / VOLUME_HEADS));
        be16_put(field + 2, (u16)(h->at.track % VOLUME_HEADS));
        field[4] = h->at.record;
        if (c->op == 0x31) return memcmp(field, data, 5) == 0 ? 2 : 1;
        return h->at.key_len == c->count && memcmp(h->at.key, data, c->count) == 0 ? 2 : 1;
    case 0x12:
        do {
            if (!advance(&ch->v, h)) return no_record(st), 0;
        } while (h->at.record == 0);
        be16_put(data, (u16)(h->at.track / VOLUME_HEADS));
        be16_put(data + 2, (u16)(h->at.track % VOLUME_HEADS));
        data[4] = h->at.record;
        data[5] = h->at.key_len;
        be16_put(data + 6, h->at.data_len);
        return 1;
    case 0x06:
        memcpy(data, h->at.data, u32_min(h->at.data_len, c->count));
        st->residual = (u16)(c->count - u32_min(h->at.data_len, c->count));
        if (h->at.data_len == 0) st->unit |= US_UNIT_EXCEPTION;
        return 1;
    case 0x64:
        memset(data, 0, c->count);
        be16_put(data + 12, (u16)ch->v.cyls);
        be16_put(data + 14, VOLUME_HEADS);
        return 1;
    default: st->unit = US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK; return 0;
    }
}

int port_io(struct chan *ch, const struct chan_cmd *program, u32 n, struct chan_status *out, u32 timeout_us) {
    struct head h = {0};
    UNUSED(timeout_us);
    *out = (struct chan_status){.unit = US_CHANNEL_END | US_DEVICE_END};
    if (ch->fail_in && --ch->fail_in == 0) {
        *out = (struct chan_status){.unit = US_CHANNEL_END | US_DEVICE_END | US_UNIT_CHECK, .sense_len = 2, .sense = {0x10}};
        return 0;
    }
    for (u32 i = 0; i < n;) {
        if (program[i].op == CCW_TIC) {
            i = program[i].count;
            continue;
        }
        int next = command(ch, &h, &program[i], out);
        if (next == 0) return 0;
        i += (u32)next;
    }
    return 0;
}

/* ---- a volume from files ---- */

struct bench {
    struct dasd d;
    struct datasets ds;
    struct heap heap;
    struct arena arena;
    u8 storage[65536], heap_storage[400000];
    char dir[64], image[96];
};

static void put_file(struct bench *b, const char *name, const char *text) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct bench *bench_new(void) {
    struct bench *b = calloc(1, sizeof *b);
    strcpy(b->dir, "/tmp/plxvol.XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->image, sizeof b->image, "%s/.image", b->dir);
    arena_init(&b->arena, b->storage, sizeof b->storage);
    heap_init(&b->heap, b->heap_storage, sizeof b->heap_storage);
    return b;
}

static int build(struct bench *b, u32 cyls) {
    struct mkvol_job job = {.output = b->image, .volser = "TEST01", .cyls = cyls, .set = {{"SYS1.PARMLIB", b->dir}}, .sets = 1};
    /* Complaints are expected by some tests; they check the status. */
    int out = dup(2);
    assert_non_null(freopen("/dev/null", "w", stderr));
    int rc = mkvol_build(&job);
    fflush(stderr);
    dup2(out, 2);
    close(out);
    return rc;
}

static void mount(struct bench *b) {
    volume_free(&the_disk.v);
    assert_null(volume_read(&the_disk.v, b->image));
    the_disk.fail_in = 0;
    b->arena.used = 0;
    assert_int_equal(dasd_open(&b->d, NULL, 0x0A80, &b->arena), 0);
}

static void bench_end(struct bench *b) {
    char command_line[128];
    snprintf(command_line, sizeof command_line, "rm -rf '%s'", b->dir);
    assert_int_equal(system(command_line), 0);
    volume_free(&the_disk.v);
    free(b);
}

/* 100 members (several directory blocks, so of several tracks' worth), one of 2,000 lines, one empty. */
static void fill(struct bench *b) {
    char name[9], text[64], *big = malloc(200000);
    u32 at = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "M%03d", i);
        snprintf(text, sizeof text, "first of %d   \n\n last", i);
        put_file(b, name, text);
    }
    for (int i = 0; i < 2000; i++) at += (u32)sprintf(big + at, "%d ~[]{}|^\\\n", i);
    put_file(b, "BIG", big);
    put_file(b, "EMPTY", "");
    free(big);
}

static void test_members_round_trip(void **state) {
    UNUSED(state);
    struct bench *b = bench_new();
    struct member m;
    fill(b);
    assert_int_equal(build(b, 0), 0);
    mount(b);
    assert_int_equal(datasets_init(&b->ds, &b->d, &b->heap), 0);
    assert_string_equal(b->ds.volser, "TEST01");
    for (int i = 0; i < 100; i++) {
        char name[9], text[64];
        snprintf(name, sizeof name, "M%03d", i);
        snprintf(text, sizeof text, "first of %d\n\n last\n", i);
        assert_int_equal(dataset_read(&b->ds, "SYS1.PARMLIB", name, &m), 0);
        assert_string_equal(m.text, text);
        dataset_release(&b->ds, &m);
    }
    assert_int_equal(dataset_read(&b->ds, "SYS1.PARMLIB", "BIG", &m), 0);
    assert_non_null(strstr(m.text, "\n1999 ~[]{}|^\\\n"));
    dataset_release(&b->ds, &m);
    assert_int_equal(dataset_read(&b->ds, "SYS1.PARMLIB", "EMPTY", &m), 0);
    assert_int_equal(m.len, 0);
    dataset_release(&b->ds, &m);
    assert_int_equal(b->heap.in_use, 0);
    assert_int_equal(b->d.io_errors, 0);
    bench_end(b);
}

static void test_absent(void **state) {
    UNUSED(state);
    struct bench *b = bench_new();
    struct member m;
    fill(b);
    assert_int_equal(build(b, 0), 0);
    mount(b);
    assert_int_equal(datasets_init(&b->ds, &b->d, &b->heap), 0);
    assert_int_equal(dataset_read(&b->ds, "SYS1.PARMLIB", "ZZZ", &m), -ERR_NOENT);
    assert_int_equal(dataset_read(&b->ds, "SYS1.PARMLIB", "A", &m), -ERR_NOENT);
    assert_int_equal(dataset_read(&b->ds, "SYS1.PARMLIB", NULL, &m), -ERR_NOENT);
    assert_int_equal(dataset_read(&b->ds, "SYS9.PARMLIB", "M001", &m), -ERR_NOENT);
    assert_int_equal(b->ds.not_found, 4);
    the_disk.fail_in = 3;
    assert_int_equal(dataset_read(&b->ds, "SYS1.PARMLIB", "M001", &m), -ERR_IO);
    assert_int_equal(b->d.io_errors, 1);
    assert_int_equal(b->heap.in_use, 0);
    bench_end(b);
}

/* One byte of the image after the other is changed at random: every read ends with text or an error code. */
static void test_damage(void **state) {
    UNUSED(state);
    struct bench *b = bench_new();
    u32 seed = 390, failed = 0;
    fill(b);
    assert_int_equal(build(b, 0), 0);
    mount(b);
    size_t bytes = (size_t)the_disk.v.cyls * VOLUME_HEADS * VOLUME_TRACK_BYTES;
    u8 *good = malloc(bytes);
    memcpy(good, the_disk.v.image, bytes);
    for (u32 round = 0; round < 3000; round++) {
        struct member m;
        memcpy(the_disk.v.image, good, 4 * VOLUME_TRACK_BYTES);
        for (u32 k = 0; k < 3; k++) {
            seed = seed * 1103515245u + 12345u;
            /* Label, VTOC and directory stand in the first bytes of their tracks. */
            u32 track = (seed >> 8) % 3, at = (seed >> 12) % 3000;
            the_disk.v.image[track * VOLUME_TRACK_BYTES + at] = (u8)(seed >> 24);
        }
        int rc = datasets_init(&b->ds, &b->d, &b->heap);
        if (rc == 0) rc = dataset_read(&b->ds, "SYS1.PARMLIB", "M042", &m);
        if (rc == 0) dataset_release(&b->ds, &m);
        failed += rc != 0;
        assert_true(rc == 0 || rc == -ERR_IO || rc == -ERR_NOENT || rc == -ERR_NOMEM);
        assert_int_equal(b->heap.in_use, 0);
    }
    assert_in_range(failed, 100, 2900);
    free(good);
    bench_end(b);
}

static void test_builder_refuses(void **state) {
    UNUSED(state);
    static const struct {
        const char *name, *text;
    } bad[] = {{"TOOLONGNAME", "x\n"}, {"1ST", "x\n"}, {"A.B", "x\n"}, {"a", "also A\n"},
               {"LONG", "123456789012345678901234567890123456789012345678901234567890123456789012345678901\n"}};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        struct bench *b = bench_new();
        put_file(b, "A", "x\n");
        assert_int_equal(build(b, 0), 0);
        put_file(b, bad[i].name, bad[i].text);
        assert_int_equal(build(b, 0), 1);
        bench_end(b);
    }
    struct bench *b = bench_new();
    char name[16], *text = malloc(60000);
    memset(text, '\n', 59999);
    text[59999] = 0;
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "F%d", i);
        put_file(b, name, text);
    }
    assert_int_equal(build(b, 2), 1); /* volume full */
    assert_int_equal(build(b, 100), 0);
    free(text);
    bench_end(b);
}

static void test_track_capacity(void **state) {
    UNUSED(state);
    /* Records of one length that fit on a 3390 track, from the manufacturer's table. */
    static const u32 table[][2] = {{56664, 1}, {27998, 2}, {18452, 3}, {13682, 4}, {10796, 5}, {4096, 12}, {80, 78}};
    static u8 data[56664];
    for (u32 i = 0; i < ARRAY_LEN(table); i++) {
        struct volume v;
        u32 n = 0;
        assert_true(volume_create(&v, 1));
        while (volume_append(&v, 0, NULL, 0, data, table[i][0])) n++;
        assert_int_equal(n, table[i][1]);
        volume_free(&v);
    }
}

static void test_names(void **state) {
    UNUSED(state);
    char dsn[45], member[9];
    assert_true(dataset_name_split("'TCPIP.TCPPARMS(PROFILE)'", dsn, member));
    assert_string_equal(dsn, "TCPIP.TCPPARMS");
    assert_string_equal(member, "PROFILE");
    assert_true(dataset_name_split("SYS1.A", dsn, member));
    assert_string_equal(member, "");
    static const char *const bad[] = {"", "(A)", "A(", "A()", "A(B", "A(B)C", "A..B", ".A", "A.", "TOOLONGQUALIFIER", "1A", "A(1B)", "a", "A(TOOLONGNM)"};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) assert_false(dataset_name_split(bad[i], dsn, member));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_round_trip), cmocka_unit_test(test_absent),         cmocka_unit_test(test_damage),
        cmocka_unit_test(test_builder_refuses),    cmocka_unit_test(test_track_capacity), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
