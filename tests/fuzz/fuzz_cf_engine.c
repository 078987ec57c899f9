/* fuzz_cf_engine.c - a coupling facility under whatever systems may send. The input is a script of steps:
 *
 *   1 step: bits 0-2 what, bits 3-4 system | 1 argument | 1 length | bytes (length * 2)
 *   0 message as it is       1 2 3 an operation (argument) with a right header: the structure and connection of the last CONNECT
 *                              whose number is in bits 5-7; operands are the bytes, padded with zeros to the operation's length
 *   4 CONNECT, argument: bits 0-1 type, 2-5 flags, 6-7 which names    5 link up (argument: incarnation) or down
 *   6 the ring has room or not   7 isolate
 *
 * Checked beside memory: every response is well formed, all that is held together adds up (cf_verify), and when everybody has left
 * and what stayed was forced, the facility's storage is free.
 */
#include "hercules-devices/cf_internal.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#define STORAGE_KB 1024
#define SLOTS 8
#define STEPS_MAX 200

struct rig {
    struct cf *cf;
    u8 ring[CF_MESSAGE_MAX], cmd[CF_MESSAGE_MAX];
    u32 reserved;
    bool full;
    u32 token[SLOTS];
    u8 id[SLOTS];
    u32 slot;
};

static u8 *reserve(void *ctx, u32 system, u32 bytes) {
    struct rig *r = ctx;
    CHECK(system < CF_SYSTEMS && bytes <= sizeof r->ring);
    r->reserved = bytes;
    return r->full ? NULL : r->ring;
}
static void commit(void *ctx, u32 system, u32 bytes) {
    struct rig *r = ctx;
    UNUSED(system);
    CHECK(bytes <= r->reserved && cf_message_check(r->ring, bytes) && cf_rc_get(r->ring) < CF_RCS);
    if (r->ring[1] == (CF_CONNECT | CF_RESPONSE) && cf_rc_get(r->ring) == CF_OK) {
        r->token[r->slot] = be32_get(r->ring + 16);
        r->id[r->slot] = r->ring[20];
    }
}
static bool isolate(void *ctx, const char *name, u64 incarnation) {
    UNUSED(ctx);
    CHECK(name[0]);
    return incarnation != 13;
}
static void log_line(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(ctx);
    UNUSED(sev);
    CHECK(strlen(text) > 0);
}

/* A copy as long as the message: what reads behind it is seen. */
static void send(struct rig *r, u32 system, const u8 *bytes, u32 len) {
    u8 *exact = malloc(len ? len : 1);
    CHECK(exact);
    memcpy(exact, bytes, len);
    CHECK(cf_message(r->cf, system, exact, len) || r->full);
    free(exact);
}

static void operation(struct rig *r, u32 system, u8 op, u32 slot, const u8 *bytes, u32 len) {
    u32 least = op >= CF_WRITE && op < CF_OBTAIN ? CF_LIST_BYTES : op >= CF_C_READ ? CF_CACHE_BYTES : 128;
    u32 all = u32_max(CF_CMD_BYTES + len, least);
    memset(r->cmd, 0, all);
    memcpy(r->cmd + CF_CMD_BYTES, bytes, len);
    cf_command_put(r->cmd, op, 1, all, r->token[slot], r->id[slot]);
    /* Numbers that exist are small: most of the input's would be refused at once. */
    r->cmd[16] = r->cmd[17] = r->cmd[20] = r->cmd[21] = op == CF_ISOLATE ? 'A' : 0;
    if (op == CF_OBTAIN) r->cmd[20] = (u8)(r->cmd[22] % 3);
    if (op == CF_OBTAIN) r->cmd[21] = r->cmd[23] & 1;
    if (all >= CF_LIST_BYTES && op < CF_OBTAIN) r->cmd[36] %= 6;
    if (op == CF_ORDERED) cf_command_put(r->cmd + CF_ORDERED_BYTES, r->cmd[25], 1, all - CF_ORDERED_BYTES, r->token[slot], r->id[slot]);
    send(r, system, r->cmd, all);
}

static void connect_step(struct rig *r, u32 system, u8 arg, const u8 *bytes, u32 len) {
    memset(r->cmd, ' ', CF_CONNECT_BYTES);
    cf_command_put(r->cmd, CF_CONNECT, 1, CF_CONNECT_BYTES, 0, 0);
    r->cmd[16] = (u8)('A' + (arg & 3) + (arg >> 6 & 1) * 4);
    r->cmd[32] = (u8)('a' + system + (arg >> 7) * 8);
    memset(r->cmd + 48, 0, CF_CONNECT_BYTES - 48);
    memcpy(r->cmd + 49, bytes, u32_min(len, CF_CONNECT_BYTES - 49));
    r->cmd[48] = (u8)((arg & 3) % 3 + 1);
    r->cmd[49] = (u8)(arg >> 2 & 15) | (len > 40 ? CF_CONN_ADJUNCT : 0);
    r->cmd[50] %= 5;
    be32_put(r->cmd + 52, 1 + r->cmd[55] % 9u);
    be32_put(r->cmd + 56, r->cmd[59] % 9u);
    be32_put(r->cmd + 60, r->cmd[63] % 65u);
    be32_put(r->cmd + 64, 16 + r->cmd[67] % 64u);
    be32_put(r->cmd + 72, r->cmd[75] % 16u);
    r->slot = (r->slot + 1) % SLOTS;
    send(r, system, r->cmd, CF_CONNECT_BYTES);
}

static void step(struct rig *r, struct fuzz *z) {
    u8 what = fuzz_u8(z), arg = fuzz_u8(z), name[2] = {(u8)('A' + (what >> 3 & 3)), 0};
    u32 len = fuzz_u8(z) * 2u, system = what >> 3 & 3;
    const u8 *bytes = fuzz_take(z, len, &len);
    switch (what & 7) {
    case 0: send(r, system, bytes, len); break;
    case 1:
    case 2:
    case 3: operation(r, system, arg % 0x48, what >> 5, bytes, len); break;
    case 4: connect_step(r, system, arg, bytes, len); break;
    case 5:
        if (arg & 1) cf_link_up(r->cf, (char *)name, arg >> 1);
        else cf_link_down(r->cf, system);
        break;
    case 6: r->full = arg & 1; break;
    default: cf_isolate(r->cf, (char *)name, arg); break;
    }
    cf_pump(r->cf);
}

/* Everybody leaves; what stayed is forced by one who comes for that. */
static void empty(struct rig *r) {
    r->full = false;
    for (u32 i = 0; i < CF_SYSTEMS; i++) cf_link_down(r->cf, i);
    int n = cf_link_up(r->cf, "LAST", 1);
    CHECK(n >= 0);
    for (u32 i = 0; i < CF_STRUCTURES_MAX; i++) {
        if (!r->cf->structure[i].token) continue;
        memset(r->cmd, 0, 48);
        cf_command_put(r->cmd, CF_FORCE, 1, 48, 0, 0);
        memcpy(r->cmd + 32, r->cf->structure[i].name, CF_NAME_BYTES);
        send(r, (u32)n, r->cmd, 48);
    }
    CHECK(r->cf->structures == 0 && r->cf->blocks_used == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len) {
    static struct rig r;
    static void *storage; /* kept for the next input: fresh pages would cost more than the commands */
    const struct cf_params params = {.name = "CF01", .incarnation = 1, .storage_kb = STORAGE_KB};
    const struct cf_host host = {&r, reserve, commit, isolate, log_line};
    struct fuzz z = {data, len};
    if (!storage) storage = malloc(cf_engine_bytes(STORAGE_KB));
    CHECK(storage);
    memset(storage, 0, cf_engine_bytes(STORAGE_KB));
    memset(&r, 0, sizeof r);
    r.cf = cf_engine_init(storage, &params, &host);
    for (char c = 'A'; c < 'E'; c++) cf_link_up(r.cf, (char[]){c, 0}, 1);
    for (u32 i = 0; z.left && i < STEPS_MAX; i++) {
        step(&r, &z);
        if (i % 16 == 15) cf_verify(r.cf);
    }
    cf_verify(r.cf);
    empty(&r);
    return 0;
}
