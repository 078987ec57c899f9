/* cflab.c - a coupling facility with systems around it. How to use it: cflab.h.
 */
#include "tests/unit/cflab.h"

#include <stdlib.h>

static u8 *reserve(void *ctx, u32 system, u32 bytes) {
    struct cflab *lab = ctx;
    CHECK(system < CF_SYSTEMS && bytes <= sizeof lab->ring);
    if (lab->full[system]) return NULL;
    lab->reserved = bytes;
    lab->reserved_for = system;
    return lab->ring;
}

static void commit(void *ctx, u32 system, u32 bytes) {
    struct cflab *lab = ctx;
    CHECK(system == lab->reserved_for && bytes <= lab->reserved && cf_message_check(lab->ring, bytes));
    lab->reserved = 0;
    if (lab->ring[1] == CF_PENDING) lab->pending[system]++;
    else if (lab->ring[1] == CF_ISOLATED) lab->isolated[system]++;
    else {
        memcpy(lab->rsp, lab->ring, bytes);
        lab->rsp_len = bytes;
    }
}

static bool isolate(void *ctx, const char *name, u64 incarnation) {
    struct cflab *lab = ctx;
    CHECK(name[0] && incarnation);
    if (!lab->isolate_fails) lab->isolations++;
    return !lab->isolate_fails;
}

static void log_line(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(sev);
    CHECK(strlen(text) > 0);
    ((struct cflab *)ctx)->logs++;
}

void cflab_start(struct cflab *lab, u32 kb) {
    struct cf_params p = {.name = "CF01", .incarnation = 7, .storage_kb = kb};
    memset(lab, 0, sizeof *lab);
    lab->host = (struct cf_host){lab, reserve, commit, isolate, log_line};
    lab->cf = cf_engine_init(calloc(1, cf_engine_bytes(kb)), &p, &lab->host);
    CHECK(lab->cf);
}

void cflab_end(struct cflab *lab) {
    for (u32 i = 0; i < CF_SYSTEMS; i++) cf_link_down(lab->cf, i);
    cf_verify(lab->cf);
    free(lab->cf);
}

u32 cflab_system(struct cflab *lab, const char *name, u64 incarnation) {
    int n = cf_link_up(lab->cf, name, incarnation);
    CHECK(n >= 0);
    return (u32)n;
}

void cflab_begin(struct cflab *lab, u8 op, const struct cflab_conn *con, u32 len) {
    memset(lab->cmd, 0, len);
    cf_command_put(lab->cmd, op, ++lab->tag, len, con ? con->token : 0, con ? con->id : 0);
    lab->len = len;
}

u32 cflab_run(struct cflab *lab, u32 system) {
    /* A copy as long as the command: what reads behind it is seen. */
    u8 *exact = malloc(lab->len);
    CHECK(exact);
    be32_put(lab->cmd + 4, lab->len);
    memcpy(exact, lab->cmd, lab->len);
    lab->rsp_len = 0;
    CHECK(cf_message(lab->cf, system, exact, lab->len));
    CHECK(lab->rsp_len >= CF_RSP_BYTES && lab->rsp[1] == (exact[1] | CF_RESPONSE));
    CHECK(be16_get(lab->rsp + 2) == lab->tag && cf_rc_get(lab->rsp) < CF_RCS);
    free(exact);
    cf_pump(lab->cf);
    cf_verify(lab->cf);
    return cf_rc_get(lab->rsp);
}

static void put_name(u8 *out, const char *name) { cf_name_set((char *)out, name); }

void cflab_connect_begin(struct cflab *lab, const char *structure, const char *name, u8 type, u8 flags) {
    cflab_begin(lab, CF_CONNECT, NULL, CF_CONNECT_BYTES);
    put_name(lab->cmd + 16, structure);
    put_name(lab->cmd + 32, name);
    lab->cmd[48] = type;
    lab->cmd[49] = flags;
    lab->cmd[51] = 255;
    be32_put(lab->cmd + 52, 16);
    be32_put(lab->cmd + 56, 8);
    be32_put(lab->cmd + 60, 128);
    be32_put(lab->cmd + 64, 256);
    be32_put(lab->cmd + 72, 32);
}

u32 cflab_connect(struct cflab *lab, u32 system, struct cflab_conn *con) {
    u32 rc = cflab_run(lab, system);
    if (rc == CF_OK) *con = (struct cflab_conn){system, be32_get(lab->rsp + 16), lab->rsp[20]};
    return rc;
}

void cflab_list(struct cflab *lab, u8 op, const struct cflab_conn *con, u32 list, u8 by, u16 flags) {
    cflab_begin(lab, op, con, CF_LIST_BYTES);
    be32_put(lab->cmd + 16, list);
    lab->cmd[36] = by;
    be16_put(lab->cmd + 38, flags);
}

void cflab_data(struct cflab *lab, const void *data, u32 len) {
    memcpy(lab->cmd + lab->len, data, len);
    lab->len += len;
}

bool cflab_drain(struct cflab *lab, u32 system, u8 kind, u32 index, u8 *row) {
    bool found = false;
    cflab_begin(lab, CF_DRAIN, NULL, CF_CMD_BYTES);
    CHECK(cflab_run(lab, system) == CF_OK);
    CHECK(lab->rsp_len == CF_RSP_BYTES + cf_count_get(lab->rsp) * CF_NOTICE_BYTES);
    for (u32 i = 0; i < cf_count_get(lab->rsp); i++) {
        const u8 *r = lab->rsp + CF_RSP_BYTES + i * CF_NOTICE_BYTES;
        if (r[0] != kind || be32_get(r + 8) != index) continue;
        if (row) memcpy(row, r, CF_NOTICE_BYTES);
        found = true;
    }
    return found;
}

const u8 *cflab_entry(const struct cflab *lab, u32 i) {
    u32 at = CF_RSP_BYTES;
    for (; i; i--) at += be32_get(lab->rsp + at);
    CHECK(at + CF_ENTRY_BYTES <= lab->rsp_len && at + be32_get(lab->rsp + at) <= lab->rsp_len);
    return lab->rsp + at;
}
