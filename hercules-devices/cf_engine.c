/* cf_engine.c - a coupling facility's life: links of systems, one command after the other, isolation. Interface and states:
 * cf_engine.h; layouts: wire/cfcmd.h.
 *
 * A command is executed whole or not at all: room for its response is taken first, and without it the command stays where it
 * is. So a system that does not read its responses holds up nobody but itself.
 *
 * Isolation, in this order: the host writes it where every card, CTC and facility sees it; the facility remembers it; the
 * system's connections fail; whoever asked is answered.
 */
#include "hercules-devices/cf_internal.h"

void cf_log(struct cf *cf, enum engine_severity sev, const char *fmt, ...) {
    char text[160];
    u32 n = str_fmt(text, sizeof text, "CF %s: ", cf->params.name);
    va_list ap;
    va_start(ap, fmt);
    str_vfmt(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    cf->host->log(cf->host->ctx, sev, text);
}

u32 cf_name_len(const char *name) {
    u32 n = CF_NAME_BYTES;
    while (n && (name[n - 1] == ' ' || name[n - 1] == 0)) n--;
    return n;
}

void cf_name_set(char *out, const char *name) {
    memset(out, ' ', CF_NAME_BYTES);
    memcpy(out, name, u32_min((u32)strlen(name), CF_NAME_BYTES));
}

/* ---- operations ---- */

enum { OF_FACILITY, OF_ANY, OF_LIST = CF_TYPE_LIST + 1, OF_LOCK, OF_CACHE };

struct operation {
    enum cf_rc (*run)(struct cf_call *c);
    u8 of;
    u16 least; /* bytes of the command */
    u32 room;  /* of its largest response */
};

static enum cf_rc do_isolate(struct cf_call *c);
static enum cf_rc do_reset(struct cf_call *c);
static enum cf_rc do_ordered(struct cf_call *c);

#define BIG CF_MESSAGE_MAX
#define SMALL 512u

static const struct operation operations[CF_OPS] = {
    [CF_IDENTIFY] = {cf_do_identify, OF_FACILITY, CF_CMD_BYTES, SMALL},
    [CF_STRUCTURES] = {cf_do_structures, OF_FACILITY, 20, BIG},
    [CF_CONNECTIONS] = {cf_do_connections, OF_FACILITY, 32, BIG},
    [CF_POLICY] = {cf_do_policy, OF_FACILITY, 32, SMALL},
    [CF_POLICY_QUERY] = {cf_do_policy_query, OF_FACILITY, CF_CMD_BYTES, BIG},
    [CF_ISOLATE] = {do_isolate, OF_FACILITY, 40, SMALL},
    [CF_QUERY_SYSTEMS] = {cf_do_systems, OF_FACILITY, CF_CMD_BYTES, BIG},
    [CF_DRAIN] = {cf_do_drain, OF_FACILITY, CF_CMD_BYTES, BIG},
    [CF_RESET] = {do_reset, OF_FACILITY, CF_CMD_BYTES, SMALL},
    [CF_CONNECT] = {cf_do_connect, OF_FACILITY, CF_CONNECT_BYTES, SMALL},
    [CF_DISCONNECT] = {cf_do_disconnect, OF_ANY, 17, SMALL},
    [CF_CONNDATA] = {cf_do_conndata, OF_ANY, CF_CONNDATA_BYTES, SMALL},
    [CF_FORCE] = {cf_do_force, OF_FACILITY, 48, SMALL},
    [CF_ORDERED] = {do_ordered, OF_ANY, CF_ORDERED_BYTES + CF_CMD_BYTES, BIG},
    [CF_WRITE] = {cf_do_write, OF_LIST, CF_LIST_BYTES, SMALL},
    [CF_READ] = {cf_do_read, OF_LIST, CF_LIST_BYTES, BIG},
    [CF_MOVE] = {cf_do_move, OF_LIST, CF_LIST_BYTES, SMALL},
    [CF_DELETE] = {cf_do_delete, OF_LIST, CF_LIST_BYTES, BIG},
    [CF_READ_LIST] = {cf_do_read_list, OF_LIST, CF_LIST_BYTES, BIG},
    [CF_DELETE_LIST] = {cf_do_delete_list, OF_LIST, CF_LIST_BYTES, SMALL},
    [CF_READ_MULT] = {cf_do_mult, OF_LIST, CF_LIST_BYTES, BIG},
    [CF_DELETE_MULT] = {cf_do_mult, OF_LIST, CF_LIST_BYTES, BIG},
    [CF_LOCK] = {cf_do_lock, OF_LIST, CF_LIST_BYTES, SMALL},
    [CF_LCONTROLS] = {cf_do_lcontrols, OF_LIST, 20, SMALL},
    [CF_SET_LCONTROLS] = {cf_do_set_lcontrols, OF_LIST, 96, SMALL},
    [CF_MONITOR_LIST] = {cf_do_monitor_list, OF_LIST, 40, SMALL},
    [CF_MONITOR_KEY] = {cf_do_monitor_key, OF_LIST, 112, SMALL},
    [CF_MONITOR_EVENTQ] = {cf_do_monitor_eventq, OF_LIST, 40, SMALL},
    [CF_DEQ_EVENTQ] = {cf_do_deq_eventq, OF_LIST, CF_CMD_BYTES, BIG},
    [CF_OBTAIN] = {cf_do_lockword, OF_LOCK, CF_LOCK_BYTES, SMALL},
    [CF_RELEASE] = {cf_do_lockword, OF_LOCK, CF_LOCK_BYTES, SMALL},
    [CF_CANCEL] = {cf_do_lockword, OF_LOCK, CF_LOCK_BYTES, SMALL},
    [CF_RECORD_SET] = {cf_do_record_set, OF_LOCK, 128, SMALL},
    [CF_RECORD_RESET] = {cf_do_record_reset, OF_LOCK, 64, SMALL},
    [CF_RECORD_READ] = {cf_do_record_read, OF_LOCK, 24, BIG},
    [CF_C_READ] = {cf_do_c_read, OF_CACHE, CF_CACHE_BYTES, BIG},
    [CF_C_WRITE] = {cf_do_c_write, OF_CACHE, CF_CACHE_BYTES, SMALL},
    [CF_C_INVALIDATE] = {cf_do_c_invalidate, OF_CACHE, CF_CACHE_BYTES, SMALL},
    [CF_C_UNREGISTER] = {cf_do_c_unregister, OF_CACHE, CF_CACHE_BYTES, SMALL},
    [CF_CASTOUT] = {cf_do_castout, OF_CACHE, CF_CACHE_BYTES, BIG},
    [CF_CASTOUT_END] = {cf_do_castout_end, OF_CACHE, CF_CACHE_BYTES, SMALL},
    [CF_CASTOUT_CLASS] = {cf_do_castout_class, OF_CACHE, CF_CACHE_BYTES, BIG},
};

/* Finds structure and connection that the command names, where its operation needs them. */
static enum cf_rc locate(struct cf_call *c, const struct operation *op) {
    if (op->of == OF_FACILITY) return CF_OK;
    u32 id = c->cmd[12];
    c->s = cf_structure_by_token(c->cf, be32_get(c->cmd + 8));
    if (!c->s) return CF_RC_NO_STRUCTURE;
    if (id == 0 || id > CF_CONNECTORS) return CF_RC_NOT_CONNECTED;
    c->con = cf_con(c->s, id);
    if (c->con->state != CF_CONN_ACTIVE || c->con->system != c->system) return CF_RC_NOT_CONNECTED;
    if (op->of != OF_ANY && op->of != c->s->type + 1) return CF_RC_TYPE;
    return CF_OK;
}

static void header_put(struct cf_call *c, enum cf_rc rc) {
    struct cf *cf = c->cf;
    cf->count[CF_CT_MALFORMED] += rc == CF_RC_MALFORMED;
    cf->count[CF_CT_FULL] += rc == CF_RC_FULL;
    cf->count[CF_CT_CONTENTION] += rc == CF_RC_CONTENTION || rc == CF_RC_LOCK_HELD;
    cf->count[CF_CT_ORDER] += rc == CF_RC_ORDER;
    memset(c->rsp, 0, CF_RSP_BYTES);
    c->rsp[0] = CF_VERSION;
    c->rsp[1] = c->cmd[1] | CF_RESPONSE;
    memcpy(c->rsp + 2, c->cmd + 2, 2);
    be32_put(c->rsp + 4, c->out);
    be16_put(c->rsp + 8, (u16)rc);
    c->rsp[10] = list_empty(&cf->system[c->system].tell) ? 0 : CF_RSP_PENDING;
    be32_put(c->rsp + 12, c->count);
}

static void respond(struct cf_call *c, enum cf_rc rc) {
    struct cf *cf = c->cf;
    header_put(c, rc);
    cf->count[CF_CT_DATA_OUT] += c->out;
    cf->system[c->system].commands++;
    cf->system[c->system].bytes += c->len + c->out;
    cf->host->commit(cf->host->ctx, c->system, c->out);
}

static const struct operation *operation_of(const u8 *cmd) {
    static const struct operation unknown = {NULL, OF_FACILITY, 0, SMALL};
    return cmd[1] < CF_OPS && operations[cmd[1]].run ? &operations[cmd[1]] : &unknown;
}

/* Small responses have a fixed shape: only those that grow can be asked to be shorter. */
static u32 room_of(const struct operation *op, const u8 *cmd) {
    u32 wanted = be16_get(cmd + 14);
    return wanted && op->room == BIG ? u32_min(u32_max(wanted, SMALL), BIG) : op->room;
}

/* A command with its number in the order of the structure's commands. Two structures that are given the same numbered commands, and
 * were alike before, are alike behind each number, whoever brings which command when: that is all that duplexing rests on. */
static enum cf_rc do_ordered(struct cf_call *c) {
    const u8 *inner = c->cmd + CF_ORDERED_BYTES;
    u32 len = c->len - CF_ORDERED_BYTES, epoch = be32_get(c->cmd + 16), ordinal = be32_get(c->cmd + 20);
    const struct operation *op = operation_of(inner);
    if (!cf_message_check(inner, len) || memcmp(inner + 8, c->cmd + 8, 5) != 0 || op->of < OF_LIST) return CF_RC_MALFORMED;
    if (op->of != c->s->type + 1) return CF_RC_TYPE;
    if (len < op->least) return CF_RC_MALFORMED;
    /* Numbers begin anew in each epoch. What comes of an earlier one was meant for a pair that is no more. */
    u32 next = epoch > c->s->epoch ? 1 : c->s->ordinal + 1;
    bool in_turn = epoch >= c->s->epoch && (!ordinal || ordinal == next);
    if (in_turn) {
        c->s->epoch = epoch;
        c->s->ordinal = next;
    }
    u8 *p = cf_out(c, CF_ORDERED_BYTES - CF_RSP_BYTES);
    be32_put(p, c->s->epoch);
    be32_put(p + 4, c->s->ordinal);
    if (!in_turn) return CF_RC_ORDER;
    struct cf_call in = *c;
    in.cmd = inner;
    in.len = len;
    in.rsp = c->rsp + c->out;
    in.cap = u32_min(room_of(op, inner), c->cap - c->out);
    in.out = CF_RSP_BYTES;
    header_put(&in, op->run(&in));
    in.rsp[10] = 0; /* whether there are notices the outer header says; this one is the same in both facilities */
    c->out += in.out;
    return CF_OK;
}

bool cf_message(struct cf *cf, u32 system, const u8 *msg, u32 len) {
    if (system >= CF_SYSTEMS || !cf->system[system].up) {
        cf->count[CF_CT_DROP_NO_LINK]++;
        return true;
    }
    if (cf->system[system].cut) {
        cf->count[CF_CT_DROP_ISOLATED]++;
        return true;
    }
    if (!cf_message_check(msg, len)) {
        cf->count[CF_CT_DROP_HEADER]++;
        return true;
    }
    const struct operation *op = operation_of(msg);
    struct cf_call c = {.cf = cf, .system = system, .cmd = msg, .len = len, .cap = room_of(op, msg), .out = CF_RSP_BYTES};
    c.rsp = cf->host->reserve(cf->host->ctx, system, c.cap);
    if (!c.rsp) {
        cf->count[CF_CT_BUSY]++;
        return false;
    }
    cf->count[CF_CT_COMMANDS]++;
    cf->count[CF_CT_DATA_IN] += len;
    enum cf_rc rc = !op->run ? CF_RC_OPERATION : len < op->least ? CF_RC_MALFORMED : locate(&c, op);
    if (rc == CF_OK) rc = op->run(&c);
    respond(&c, rc);
    return true;
}

/* ---- links ---- */

static struct cf_fence *fence_of(struct cf *cf, const char *name) {
    struct cf_fence *free = NULL;
    for (u32 i = 0; i < CF_ISOLATED_MAX; i++) {
        struct cf_fence *f = &cf->fence[i];
        if (f->incarnation && memcmp(f->name, name, CF_NAME_BYTES) == 0) return f;
        if (!f->incarnation && !free) free = f;
    }
    if (free) memcpy(free->name, name, CF_NAME_BYTES);
    return free;
}

static bool fenced(const struct cf *cf, const char *padded, u64 incarnation) {
    for (u32 i = 0; i < CF_ISOLATED_MAX; i++)
        if (cf->fence[i].incarnation && memcmp(cf->fence[i].name, padded, CF_NAME_BYTES) == 0)
            return incarnation <= cf->fence[i].incarnation;
    return false;
}

bool cf_is_isolated(const struct cf *cf, const char *name, u64 incarnation) {
    char padded[CF_NAME_BYTES];
    cf_name_set(padded, name);
    return fenced(cf, padded, incarnation);
}

static void fail(struct cf *cf, u32 n) {
    cf_fail_system(cf, n);
    CHECK(list_empty(&cf->system[n].tell));
}

int cf_link_up(struct cf *cf, const char *name, u64 incarnation) {
    char padded[CF_NAME_BYTES];
    int n = -ERR_NOMEM;
    cf_name_set(padded, name);
    if (fenced(cf, padded, incarnation)) n = -ERR_ACCES;
    for (u32 i = 0; n != -ERR_ACCES && i < CF_SYSTEMS; i++) {
        struct cf_system *sys = &cf->system[i];
        if (!sys->up && n == -ERR_NOMEM) n = (int)i;
        if (!sys->up || memcmp(sys->name, padded, CF_NAME_BYTES) != 0) continue;
        if (incarnation <= sys->incarnation) {
            n = -ERR_EXIST;
            break;
        }
        /* The name was loaded again: what the earlier one still sends counts no more. */
        fail(cf, i);
        sys->cut = true;
    }
    if (n < 0) {
        cf->count[CF_CT_LINK_REFUSED]++;
        return n;
    }
    struct cf_system *sys = &cf->system[n];
    *sys = (struct cf_system){.up = true, .incarnation = incarnation};
    memcpy(sys->name, padded, CF_NAME_BYTES);
    list_init(&sys->tell);
    return n;
}

void cf_link_down(struct cf *cf, u32 system) {
    if (system >= CF_SYSTEMS || !cf->system[system].up) return;
    fail(cf, system);
    cf->system[system].up = false;
}

static enum cf_rc do_reset(struct cf_call *c) {
    fail(c->cf, c->system);
    return CF_OK;
}

/* A header alone. false: no room in the ring now. */
static bool send_event(struct cf *cf, u32 system, u8 what) {
    u8 *p = cf->host->reserve(cf->host->ctx, system, CF_RSP_BYTES);
    if (!p) return false;
    memset(p, 0, CF_RSP_BYTES);
    p[0] = CF_VERSION;
    p[1] = what;
    be32_put(p + 4, CF_RSP_BYTES);
    cf->host->commit(cf->host->ctx, system, CF_RSP_BYTES);
    return true;
}

bool cf_pump(struct cf *cf) {
    bool left = false;
    for (u32 i = 0; i < CF_SYSTEMS; i++) {
        struct cf_system *sys = &cf->system[i];
        if (!sys->up) continue;
        if (sys->cut) {
            /* One who does not read, because it is frozen, learns it from the refusal when it comes back. */
            if (!sys->cut_told) send_event(cf, i, CF_ISOLATED);
            sys->cut_told = true;
        } else if (!sys->told && !list_empty(&sys->tell)) {
            sys->told = send_event(cf, i, CF_PENDING);
            cf->count[CF_CT_PENDING] += sys->told;
            left |= !sys->told;
        }
    }
    return left;
}

bool cf_link_is_cut(const struct cf *cf, u32 system) {
    return system < CF_SYSTEMS && cf->system[system].up && cf->system[system].cut_told;
}

/* ---- isolation ---- */

static bool isolate(struct cf *cf, const char *padded, u64 incarnation) {
    char name[CF_NAME_BYTES + 1] = "";
    u32 len = cf_name_len(padded);
    memcpy(name, padded, len);
    struct cf_fence *f = fence_of(cf, padded);
    if (!len || !incarnation || !f || !cf->host->isolate(cf->host->ctx, name, incarnation)) return false;
    f->incarnation = u64_max(f->incarnation, incarnation);
    for (u32 i = 0; i < CF_SYSTEMS; i++) {
        struct cf_system *sys = &cf->system[i];
        if (!sys->up || sys->cut || memcmp(sys->name, padded, CF_NAME_BYTES) != 0 || sys->incarnation > incarnation) continue;
        sys->cut = true;
        fail(cf, i);
    }
    cf_log(cf, ENGINE_WARNING, "%s up to incarnation %llX is isolated", name, (unsigned long long)incarnation);
    return true;
}

bool cf_isolate(struct cf *cf, const char *name, u64 incarnation) {
    char padded[CF_NAME_BYTES];
    cf_name_set(padded, name);
    return isolate(cf, padded, incarnation);
}

static enum cf_rc do_isolate(struct cf_call *c) {
    char name[CF_NAME_BYTES];
    u64 incarnation = be64_get(c->cmd + 32);
    memcpy(name, c->cmd + 16, CF_NAME_BYTES);
    if (!cf_name_len(name) || !incarnation) return CF_RC_MALFORMED;
    return isolate(c->cf, name, incarnation) ? CF_OK : CF_RC_SPACE;
}

/* ---- life ---- */

static u64 storage_bytes(u32 kb) { return (u64)kb * 1024; }

size_t cf_engine_bytes(u32 storage_kb) {
    u64 blocks = storage_bytes(storage_kb) / CF_BLOCK_BYTES;
    return (size_t)((sizeof(struct cf) + 63) / 64 * 64 + blocks * sizeof(u16) + CF_BLOCK_BYTES + storage_bytes(storage_kb));
}

struct cf *cf_engine_init(void *storage, const struct cf_params *params, const struct cf_host *host) {
    if (params->storage_kb < CF_STORAGE_KB_MIN || params->storage_kb > CF_STORAGE_KB_MAX || !params->name[0]) return NULL;
    struct cf *cf = storage;
    struct arena a;
    arena_init(&a, storage, cf_engine_bytes(params->storage_kb));
    a.used = (sizeof *cf + 63) / 64 * 64;
    cf->params = *params;
    cf->host = host;
    cf->blocks = (u32)(storage_bytes(params->storage_kb) / CF_BLOCK_BYTES);
    cf->block_owner = arena_take(&a, cf->blocks * sizeof(u16), sizeof(u16));
    cf->storage = arena_take(&a, (size_t)cf->blocks * CF_BLOCK_BYTES, 64);
    CHECK(cf->block_owner && cf->storage);
    for (u32 i = 0; i < CF_SYSTEMS; i++) list_init(&cf->system[i].tell);
    return cf;
}

u64 cf_counter(const struct cf *cf, enum cf_counter counter) { return cf->count[counter]; }

const char *cf_counter_name(u32 counter) {
    static const char *const names[CF_COUNTERS] = {
        "commands",      "data_in", "data_out",     "malformed", "drop_header", "drop_no_link", "drop_isolated", "busy",
        "link_refused", "full",    "contention",   "notices",   "pending", "out_of_order",
    };
    return counter < CF_COUNTERS ? names[counter] : "";
}
