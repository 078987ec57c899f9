/* fuzz_xcfmsg.c - blocks of a hostile partner into a system's XCF, behind its paths.
 *
 * Records:  1 control | 2 length n | n bytes
 *   control 0x80  raw block                 otherwise its header, checksum and names are made right first:
 *           0x40  time passes: n * 10 ms    low 2 bits: type   0x08 first segment  0x04 last segment
 *           0x30  sender: SYSB to SYSE      length is that of the body
 * A partner is let in by the HELLO that it sends; what follows is its DATA. Nothing may break but counters.
 */
#include <stdlib.h>

#include "base/be.h"
#include "tests/fuzz/fuzz.h"
#include "xcf/xcf.h"

struct lab {
    struct xcf *x;
    struct xcf_path *in, *out;
    struct xcf_member *member;
    u32 seq[4];
    u64 now;
    bool stopped;
};

static int send_nowhere(void *ctx, const u8 *block, u32 len) {
    CHECK(xcfmsg_check(block, len) == XCFMSG_OK); /* what we send is always right */
    UNUSED(ctx);
    return 0;
}
static void stop(void *ctx, u32 code, u32 reason) {
    struct lab *l = ctx;
    CHECK(!l->stopped && code == 0x0A2 && reason);
    l->stopped = true;
}
static void message(void *ctx, const struct xcf_msg *m, u64 now) {
    static u8 data[XCFMSG_DATA_MAX];
    struct lab *l = ctx;
    u32 len = xcf_msg_bytes(m);
    CHECK(len <= sizeof data && xcf_msg_copy(m, 0, data, sizeof data) == len);
    if (xcf_msg_from(m)) xcf_send(l->member, xcf_msg_from(m), NULL, data, len, now);
}
static const struct xcf_exits exits = {.message = message};
static const struct xcf_path_ops ops = {.send = send_nowhere};

static u32 block_build(struct lab *l, u8 *p, u8 control, const u8 *bytes, u32 n) {
    u32 who = control >> 4 & 3;
    struct xcfmsg_header h = {
        .type = control & 3, .from = "SYSB", .to = "SYSA", .sysplex = "PLEX1", .token = 1};
    h.from[3] = (char)('B' + who);
    h.from_incarnation = 5;
    h.to_incarnation = 7;
    h.flags = (u8)((control & 8 ? XCFMSG_FIRST : 0) | (control & 4 ? XCFMSG_LAST : 0));
    if (h.type == XCFMSG_HELLO && control & 4) h.flags |= XCFMSG_STOPPED;
    n = u32_min(n, XCFMSG_BODY_MAX);
    memcpy(p + XCFMSG_HEADER, bytes, n);
    if (h.type == XCFMSG_DATA) h.seq = ++l->seq[who];
    h.ack = 1;
    if (h.type == XCFMSG_HELLO) {
        struct xcfmsg_hello hello = {.heard = 1, .interval_ms = 5000, .weight = 1, .path = "0C40"};
        struct xcfmsg_entry e = {.system = "SYSA", .incarnation = 7, .value = n ? bytes[0] & 3u : 2};
        if (n > 20) { /* a death, too: of a system that the input names */
            hello.gone = 1;
            struct xcfmsg_entry dead = {.system = "SYSB", .incarnation = bytes[2] & 15u};
            dead.system[3] = (char)('A' + (bytes[1] & 7));
            xcfmsg_entry_emit(p + XCFMSG_HEADER, 1, &dead);
        }
        xcfmsg_hello_emit(p + XCFMSG_HEADER, &hello);
        xcfmsg_entry_emit(p + XCFMSG_HEADER, 0, &e);
        u32 entries = 1 + hello.gone;
        if (control & 8) { /* with the name of the path that is heard, whose first character the input chooses */
            char name[XCFMSG_PATH + 1] = "XC40";
            if (n > 3) name[0] = (char)('A' + (bytes[3] & 15));
            h.flags |= XCFMSG_NAMED;
            xcfmsg_heard_name_emit(p + XCFMSG_HEADER, entries, 0, name);
        }
        n = xcfmsg_hello_bytes(entries) + (control & 8 ? XCFMSG_PATH : 0);
    }
    h.bytes = (u16)(XCFMSG_HEADER + n);
    xcfmsg_emit(p, &h);
    return h.bytes;
}

static void record(struct lab *l, struct fuzz *z) {
    u8 block[XCFMSG_BLOCK_MAX];
    u8 control = fuzz_u8(z);
    u32 n, len = fuzz_u16(z);
    if (control == 0x40) {
        l->now += len % 1000 * (u64)10000;
        xcf_poll(l->x, l->now);
        return;
    }
    const u8 *bytes = fuzz_take(z, len, &n);
    if (control & 0x80) {
        xcf_path_block(l->in, bytes, n, l->now);
    } else {
        n = block_build(l, block, control, bytes, n);
        xcf_path_block(l->in, block, n, l->now);
    }
    xcf_poll(l->x, l->now += 1000);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    struct fuzz z = {.at = data, .left = len};
    struct lab l = {.now = 1000000};
    struct couple couple;
    struct arena a;
    struct xcf_env env = {.ctx = &l, .wait_state = stop};
    couple_default(&couple);
    str_copy(couple.sysplex, sizeof couple.sysplex, "PLEX1");
    struct xcf_config c = {
        .arena = &a, .couple = &couple, .id = {.name = "SYSA", .incarnation = 7}, .env = &env};
    c.systems = 4;
    c.members = 24;
    c.groups = 4;
    c.segments = 64;
    size_t bytes = xcf_bytes(&c);
    void *storage = malloc(bytes);
    arena_init(&a, storage, bytes);
    l.x = xcf_create(&c, l.now);
    CHECK(l.x != NULL);
    struct xcf_path_def d = {.ops = &ops, .couple = {.name = "0C40", .retry = 10}};
    l.in = xcf_path_add(l.x, &d, l.now);
    d.couple.outbound = true;
    l.out = xcf_path_add(l.x, &d, l.now);
    xcf_path_ready(l.in, l.now);
    xcf_path_ready(l.out, l.now);
    struct xcf_join j = {.group = "G", .member = "M", .exits = &exits, .ctx = &l};
    CHECK(xcf_join(l.x, &j, &l.member, l.now) == 0);
    while (z.left && !l.stopped) record(&l, &z);
    free(storage);
    return 0;
}
