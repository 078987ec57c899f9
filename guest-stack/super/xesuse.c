/* xesuse.c - see super/xesuse.h: who uses which structure, one request at a time, reasons of refusal, what a facility tells unasked; and
 * the requests for lock and cache structures. Those for lists: xesuse_list.c.
 */
#include "super/xesuse_impl.h"

#include "super/xcfas.h"
#include "xcf/cfrm.h"

#define LOCK_ENTRIES   1024u
#define LIST_LOCKS     16u
#define EVENT_MONITORS 32u
#define CLASSES        4u
#define ELEMENT_SHIFT  0u /* elements of 256 bytes: 256 << 0 */
#define ELEMENTS_MAX   16u
#define NAME_PREFIX    "USE_"

/* ---- words ---- */

static const char *reason(u32 rc) {
    static const char *const words[CF_RCS] = {
        [CF_RC_NO_STRUCTURE] = "THERE IS NO SUCH STRUCTURE",
        [CF_RC_NOT_CONNECTED] = "NOT CONNECTED",
        [CF_RC_TYPE] = "THE STRUCTURE IS OF ANOTHER TYPE",
        [CF_RC_NO_ENTRY] = "NO SUCH ENTRY",
        [CF_RC_LOCK_HELD] = "ANOTHER CONNECTION HAS THE LOCK",
        [CF_RC_LOCK_NOT_HELD] = "NOT HELD",
        [CF_RC_FULL] = "THE STRUCTURE IS FULL",
        [CF_RC_LIST_FULL] = "THE LIST IS FULL",
        [CF_RC_NUMBER] = "NO SUCH LIST, ENTRY OR BIT",
        [CF_RC_TOO_LONG] = "TOO LONG",
        [CF_RC_CONNECTIONS] = "THIS CONNECTION IS IN USE",
        [CF_RC_SPACE] = "THE FACILITY HAS NO ROOM",
        [CF_RC_POLICY] = "THE CFRM ACTIVE POLICY DOES NOT HAVE IT THERE",
        [CF_RC_ISOLATED] = "THIS SYSTEM HAS BEEN ISOLATED",
        [CF_RC_CONTENTION] = "CONTENTION",
        [CF_RC_CASTOUT] = "ANOTHER CONNECTION CASTS IT OUT",
    };
    if (rc == XES_LOST) return "THE FACILITY IS LOST";
    return rc < CF_RCS && words[rc] ? words[rc] : "NOT A COMMAND OF THIS FACILITY";
}

static const char *type_name(enum cf_type type) {
    static const char *const names[] = {"", "LIST", "LOCK", "CACHE"};
    return names[type];
}

/* 'in quotes' or one word. */
static void text_of(const char *operand, char *out, u32 cap) {
    u32 n = str_copy(out, cap, operand[0] == '\'' ? operand + 1 : operand);
    if (operand[0] == '\'' && n && out[n - 1] == '\'') out[n - 1] = '\0';
}

bool xesuse_number(struct command *c, u32 i, u32 limit, u32 *out) {
    const char *text = command_op(c, i);
    char what[40];
    if (str_u32(text, strlen(text), out) && *out < limit) return true;
    str_fmt(what, sizeof what, "A NUMBER FROM 0 TO %u", limit - 1);
    return command_expected(c, text, what);
}

bool xesuse_word(struct command *c, u32 i, u32 limit, u8 *out) {
    u32 n;
    if (!xesuse_number(c, i, limit, &n)) return false;
    be32_put(out, n);
    return true;
}

bool xesuse_name(struct command *c, u32 i, u8 *out, u32 bytes) {
    char text[CF_ENTRY_NAME_BYTES + 1];
    text_of(command_op(c, i), text, sizeof text);
    u32 n = (u32)strlen(text);
    if (n == 0 || n > bytes) return command_expected(c, command_op(c, i), "A NAME");
    memset(out, ' ', bytes);
    memcpy(out, text, n);
    return true;
}

/* Data behind the operands. */
void xesuse_data_put(struct use *s, const char *operand) {
    char text[SYSTEM_COMMAND_MAX + 1];
    text_of(operand, text, sizeof text);
    u32 n = (u32)strlen(text);
    memcpy(s->cmd + s->r.len, text, n);
    s->r.len += n;
}

/* So many bytes at p as text for a line: what was written here is, what others wrote may not be. */
void xesuse_data_show(char *out, u32 cap, const u8 *p, u32 bytes) {
    u32 n = 0;
    while (bytes && (p[bytes - 1] == 0 || p[bytes - 1] == ' ')) bytes--;
    for (; n < bytes && n + 1 < cap; n++) out[n] = p[n] >= ' ' && p[n] < 0x7F ? (char)p[n] : '.';
    out[n] = '\0';
}

/* ---- lock structures ---- */

static bool put_entry(struct use *s, struct command *c) { return xesuse_word(c, 2, LOCK_ENTRIES, s->cmd + 16); }

static bool put_obtain(struct use *s, struct command *c) {
    const char *how = command_op(c, 3), *wait = command_op(c, 4);
    if (!put_entry(s, c)) return false;
    if (strcmp(how, "SHARED") != 0 && strcmp(how, "EXCLUSIVE") != 0) return command_expected(c, how, "SHARED OR EXCLUSIVE");
    if (wait[0] && strcmp(wait, "WAIT") != 0) return command_expected(c, wait, "WAIT");
    s->cmd[20] = how[0] == 'S' ? CF_SHARED : CF_EXCLUSIVE;
    s->cmd[21] = wait[0] != '\0';
    return true;
}

static bool put_record_name(struct use *s, struct command *c) { return xesuse_name(c, 2, s->cmd + 32, CF_ENTRY_NAME_BYTES); }

static bool put_record(struct use *s, struct command *c) {
    char text[65];
    if (!put_record_name(s, c)) return false;
    text_of(command_op(c, 3), text, sizeof text);
    memcpy(s->cmd + 64, text, strlen(text));
    return true;
}

static bool put_records(struct use *s, struct command *c) {
    u32 id;
    if (!xesuse_number(c, 2, CF_CONNECTORS + 1, &id)) return false;
    s->cmd[20] = (u8)id;
    return true;
}

static void show_lock(struct use *s, const u8 *rsp, u32 len, char *line) {
    UNUSED(s);
    if (len < CF_RSP_BYTES + 16) return;
    str_fmt(line, XESUSE_LINE, "ENTRY %u: EXCLUSIVE %02X SHARED %08X WAITING %08X FAILED %08X", be32_get(s->cmd + 16), (u32)rsp[16], be32_get(rsp + 20),
            be32_get(rsp + 24), be32_get(rsp + 28));
}

static void show_records(struct use *s, const u8 *rsp, u32 len, char *line) {
    char name[CF_ENTRY_NAME_BYTES + 1], text[65];
    u32 n = 0;
    for (u32 at = CF_RSP_BYTES; at + CF_RECORD_ROW_BYTES <= len; at += CF_RECORD_ROW_BYTES, n++) {
        xesuse_data_show(name, sizeof name, rsp + at + 32, CF_ENTRY_NAME_BYTES);
        xesuse_data_show(text, sizeof text, rsp + at + 64, 64);
        str_fmt(line, XESUSE_LINE, "%s: %s", name, text);
        xesuse_line(s, "RECORD", line);
    }
    str_fmt(line, XESUSE_LINE, "%u RECORDS", n);
}

/* ---- cache structures ---- */

static bool put_name(struct use *s, struct command *c) { return xesuse_name(c, 2, s->cmd + 16, CF_NAME_BYTES); }

static bool put_bit(struct use *s, struct command *c) {
    if (!put_name(s, c) || !xesuse_number(c, 3, XESUSE_BITS, &s->bit)) return false;
    be32_put(s->cmd + 48, s->bit);
    be16_put(s->cmd + 54, CF_C_ASSIGN);
    return true;
}

/* An index beyond the facility's classes is the facility's to refuse. */
static bool put_class(struct use *s, struct command *c) {
    u32 class = 0;
    if (command_op(c, 2)[0] && !xesuse_number(c, 2, 0x10000, &class)) return false;
    be16_put(s->cmd + 52, (u16)class);
    return true;
}

static bool put_cached(struct use *s, struct command *c) {
    const char *how = command_op(c, 5);
    if (!put_bit(s, c)) return false;
    if (how[0] && strcmp(how, "CHANGED") != 0) return command_expected(c, how, "CHANGED");
    be16_put(s->cmd + 54, (u16)(CF_C_REGISTER | (how[0] ? CF_C_CHANGED : 0)));
    xesuse_data_put(s, command_op(c, 4));
    return true;
}

static void show_cached(struct use *s, const u8 *rsp, u32 len, char *line) {
    char text[64];
    UNUSED(s);
    if (len < CF_CACHED_BYTES) return;
    xesuse_data_show(text, sizeof text, rsp + CF_CACHED_BYTES, u32_min(be32_get(rsp + 24), len - CF_CACHED_BYTES));
    str_fmt(line, XESUSE_LINE, "VERSION %u, %sCHANGED: %s", (u32)be64_get(rsp + 16), rsp[28] & CF_C_CHANGED ? "" : "NOT ", text);
}

static void show_names(struct use *s, const u8 *rsp, u32 len, char *line) {
    char name[CF_NAME_BYTES + 1];
    u32 n = 0;
    for (u32 at = CF_RSP_BYTES; at + CF_NAME_BYTES <= len; at += CF_NAME_BYTES, n++) {
        xesuse_data_show(name, sizeof name, rsp + at, CF_NAME_BYTES);
        xesuse_line(s, "CHANGED", name);
    }
    str_fmt(line, XESUSE_LINE, "%u CHANGED", n);
}

/* ---- which ---- */

#define LOCK(n, o, bytes, p, w) {.name = n, .type = CF_TYPE_LOCK, .op = o, .len = bytes, .put = p, .show = w}
#define CACHE(n, o, p, w) {.name = n, .type = CF_TYPE_CACHE, .op = o, .len = CF_CACHE_BYTES, .put = p, .show = w}
static const struct use_request requests[] = {
    LOCK("OBTAIN", CF_OBTAIN, CF_LOCK_BYTES, put_obtain, show_lock),
    LOCK("RELEASE", CF_RELEASE, CF_LOCK_BYTES, put_entry, show_lock),
    LOCK("CANCEL", CF_CANCEL, CF_LOCK_BYTES, put_entry, show_lock),
    LOCK("RECORD", CF_RECORD_SET, 128, put_record, NULL),
    LOCK("RECORDEND", CF_RECORD_RESET, 64, put_record_name, NULL),
    LOCK("RECORDS", CF_RECORD_READ, CF_LOCK_BYTES, put_records, show_records),
    CACHE("READ", CF_C_READ, put_bit, show_cached),
    CACHE("WRITE", CF_C_WRITE, put_cached, NULL),
    CACHE("INVALIDATE", CF_C_INVALIDATE, put_name, NULL),
    CACHE("UNREGISTER", CF_C_UNREGISTER, put_bit, NULL),
    CACHE("CASTOUT", CF_CASTOUT, put_name, show_cached),
    CACHE("CASTOUTEND", CF_CASTOUT_END, put_name, NULL),
    CACHE("CLASS", CF_CASTOUT_CLASS, put_class, show_names),
};

static const struct use_request *request_of(enum cf_type type, const char *name) {
    if (type == CF_TYPE_LIST) return xesuse_list_request(name);
    for (u32 i = 0; i < ARRAY_LEN(requests); i++)
        if (requests[i].type == type && strcmp(requests[i].name, name) == 0) return &requests[i];
    return NULL;
}

/* ---- answers ---- */

/* What the facility has set without a notice, because the response says it. A notice that is newer comes behind the response. */
static void vector_put(struct use *s, u32 rc, const u8 *rsp, u32 len) {
    if (s->bit >= s->con.vector_bits || rc != CF_OK) return;
    u32 mask = 1u << s->bit % 32, *word = &s->vector[s->bit / 32];
    bool on = s->type == CF_TYPE_CACHE ? s->cmd[1] != CF_C_UNREGISTER : s->cmd[36] && len > CF_RSP_BYTES && rsp[16];
    *word = on ? *word | mask : *word & ~mask;
}

void xesuse_line(struct use *s, const char *what, const char *line) { console_message(s->all->c.con, PLX0350I, s->name, what, line); }

/* more: what the response says beside its code. */
static void refused(const struct use *s, u32 rc, const char *what, const char *more) {
    char line[XESUSE_LINE];
    str_fmt(line, sizeof line, "%s%s%s", reason(rc), more[0] ? ", " : "", more);
    console_message(s->all->c.con, PLX0351E, s->name, what, line);
}

static void answered(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct use *s = ctx;
    const struct use_request *q = s->request;
    char line[XESUSE_LINE] = "";
    UNUSED(r);
    UNUSED(now);
    if (q->again && q->again(s, rc)) return;
    s->request = NULL;
    vector_put(s, rc, rsp, len);
    if (q->show && (rc == CF_OK || rc == CF_RC_CONTENTION || q->partly)) q->show(s, rsp, len, line);
    if (rc == CF_OK)
        xesuse_line(s, q->name, line[0] ? line : "DONE");
    else
        refused(s, rc, q->name, line);
}

/* ---- what the facility tells ---- */

static void told(struct use *s, const char *line) { console_message(s->all->c.con, PLX0352I, s->name, line); }

static void on_vector(struct xes_connection *con, u32 index, bool value, u64 now) {
    struct use *s = con->ctx;
    char line[XESUSE_LINE];
    UNUSED(now);
    if (s->type == CF_TYPE_LIST && index == XESUSE_EVENTS_BIT)
        str_fmt(line, sizeof line, "THE EVENT QUEUE IS %s", value ? "NOT EMPTY" : "EMPTY");
    else if (s->type == CF_TYPE_LIST)
        str_fmt(line, sizeof line, "LIST %u IS %s", index, value ? "NOT EMPTY" : "EMPTY");
    else
        str_fmt(line, sizeof line, "BUFFER %u IS %s", index, value ? "VALID" : "NOT VALID");
    told(s, line);
}

static void on_lock(struct xes_connection *con, u32 index, u8 exclusive, u32 shared, u32 waiting, u64 now) {
    struct use *s = con->ctx;
    u32 own = 1u << (con->id - 1);
    bool holds = exclusive == con->id || (shared & own);
    char line[XESUSE_LINE];
    UNUSED(now);
    str_fmt(line, sizeof line, "ENTRY %u: EXCLUSIVE %02X SHARED %08X WAITING %08X: %s", index, (u32)exclusive, shared, waiting,
            holds ? "ANOTHER ONE WANTS IT" : waiting & own ? "TRY AGAIN" : "NOTED");
    told(s, line);
}

static void on_connections(struct xes_connection *con, u32 changed, u64 now) {
    char line[XESUSE_LINE];
    UNUSED(now);
    str_fmt(line, sizeof line, "CONNECTIONS %08X CAME, LEFT OR FAILED", changed);
    told(con->ctx, line);
}

static void on_full(struct xes_connection *con, u32 percent, u64 now) {
    char line[XESUSE_LINE];
    UNUSED(now);
    str_fmt(line, sizeof line, "%u PERCENT ARE IN USE", percent);
    told(con->ctx, line);
}

static void on_lost(struct xes_connection *con, u64 now) {
    UNUSED(now);
    told(con->ctx, "THE CONNECTION IS LOST");
}

static void on_connected(struct xes_connection *con, u32 rc, u8 flags, const u8 *rsp, u64 now) {
    struct use *s = con->ctx;
    struct console *out = s->all->c.con;
    char line[XESUSE_LINE];
    UNUSED(now);
    if (rc != CF_OK) {
        refused(s, rc, "CONNECT", "");
        return;
    }
    console_message(out, IXL014I, s->name, (u32)s->all->c.asid, s->all->c.system, xes_facility_name(con->x));
    str_fmt(line, sizeof line, "IDENTIFIER %02X, ACTIVE %08X FAILED %08X%s%s", (u32)con->id, be32_get(rsp + 48), be32_get(rsp + 52),
            flags & CF_NEW_STRUCTURE ? ", THE STRUCTURE IS NEW" : "", flags & CF_RECONNECTED ? ", CONNECTION HAS BEEN REESTABLISHED" : "");
    console_message(out, PLX0350I, s->name, "CONNECT", line);
}

static const struct xes_connection_ops CONNECTION = {.connected = on_connected, .lost = on_lost, .vector = on_vector, .lock = on_lock,
                                                     .connections = on_connections, .full = on_full};

/* ---- commands ---- */

static bool refuse(struct command *c, const char *why) {
    reply_line(c->r, PLX0303E, "XESUSE", command_op(c, 1), why);
    return false;
}

static bool in_use(const struct use *s) { return s->con.connected || s->con.busy || s->request; }

static struct use *use_find(struct xesuse *u, const char *name) {
    for (u32 i = 0; i < XESUSE_MAX; i++)
        if (in_use(&u->use[i]) && strcmp(u->use[i].name, name) == 0) return &u->use[i];
    return NULL;
}

/* Shapes that a policy's SIZE limits; KB counts only where there is no policy. */
static void connect_put(u8 *cmd, const struct xesuse *u, const char *structure, const struct use *s, bool keep) {
    enum cf_type type = s->type;
    memset(cmd, 0, CF_CONNECT_BYTES);
    memset(cmd + 16, ' ', 2 * CF_NAME_BYTES);
    memcpy(cmd + 16, structure, strlen(structure));
    str_fmt((char *)cmd + 32, CF_NAME_BYTES, NAME_PREFIX "%s", u->c.system);
    cmd[32 + strlen(NAME_PREFIX) + strlen(u->c.system)] = ' ';
    cmd[48] = (u8)type;
    cmd[49] = (u8)((keep ? CF_CONN_KEEP : 0) | (s->keys ? CF_CONN_KEYS | CF_CONN_ADJUNCT : 0));
    cmd[50] = ELEMENT_SHIFT;
    cmd[51] = ELEMENTS_MAX;
    be32_put(cmd + 52, type == CF_TYPE_LOCK ? LOCK_ENTRIES : type == CF_TYPE_LIST ? XESUSE_LISTS : CLASSES);
    if (type == CF_TYPE_LIST) be32_put(cmd + 56, LIST_LOCKS);
    if (s->keys) be32_put(cmd + 72, EVENT_MONITORS);
    be32_put(cmd + 64, 256);
    be16_put(cmd + 68, 1);
    be16_put(cmd + 70, 4);
}

static bool connect(struct xesuse *u, struct command *c) {
    const char *name = command_op(c, 1), *type = command_op(c, 2), *keep = command_op(c, 3);
    u8 cmd[CF_CONNECT_BYTES];
    struct use *s = NULL;
    u32 t = CF_TYPE_LIST;
    while (t <= CF_TYPE_CACHE && strcmp(type, type_name((enum cf_type)t)) != 0) t++;
    if (t > CF_TYPE_CACHE) return command_expected(c, type, "LIST, LOCK OR CACHE");
    bool keys = t == CF_TYPE_LIST && strcmp(keep, "KEYS") == 0;
    if (keep[0] && !keys && strcmp(keep, "KEEP") != 0) return command_expected(c, keep, t == CF_TYPE_LIST ? "KEEP OR KEYS" : "KEEP");
    if (!name[0] || strlen(name) > CF_NAME_BYTES) return command_expected(c, name, "THE NAME OF A STRUCTURE");
    if (use_find(u, name)) return refuse(c, "IT IS CONNECTED");
    for (u32 i = 0; i < XESUSE_MAX && !s; i++)
        if (!in_use(&u->use[i])) s = &u->use[i];
    struct xes *x = cfrm_prefer(u->c.cfrm, name, 0);
    if (!s || !x) return refuse(c, s ? "NO FACILITY THAT MAY HAVE IT IS UP" : "FOUR STRUCTURES ARE IN USE");
    *s = (struct use){.all = u, .type = (enum cf_type)t, .keys = keys};
    str_copy(s->name, sizeof s->name, name);
    s->con = (struct xes_connection){.ops = &CONNECTION, .vector = s->vector, .vector_bits = t == CF_TYPE_LOCK ? 0 : XESUSE_BITS, .ctx = s};
    connect_put(cmd, u, name, s, keep[0] && !keys);
    return xes_connect(x, &s->con, cmd) == 0 || refuse(c, "THE FACILITY IS LOST");
}

static bool disconnect(struct use *s, struct command *c) {
    const char *how = command_op(c, 2);
    if (how[0] && strcmp(how, "FAILING") != 0) return command_expected(c, how, "FAILING");
    if (xes_disconnect(&s->con, how[0] != '\0') != 0) return refuse(c, "NOT CONNECTED");
    console_message(s->all->c.con, PLX0350I, s->name, "DISCONNECT", "DONE");
    return true;
}

static bool test(struct use *s, struct command *c) {
    u32 bit;
    if (!xesuse_number(c, 2, XESUSE_BITS, &bit)) return false;
    bool on = xes_vector_test(&s->con, bit);
    reply_line(c->r, PLX0350I, s->name, "TEST", on ? "THE BIT IS ON" : "THE BIT IS OFF");
    return true;
}

bool xesuse_run(struct xesuse *u, struct command *c) {
    const char *what = command_op(c, 0);
    if (strcmp(what, "CONNECT") == 0) return connect(u, c);
    struct use *s = use_find(u, command_op(c, 1));
    if (!s || !s->con.connected) return refuse(c, "NOT CONNECTED");
    if (strcmp(what, "TEST") == 0) return test(s, c);
    if (s->request) return refuse(c, "A REQUEST IS UNDER WAY");
    if (strcmp(what, "DISCONNECT") == 0) return disconnect(s, c);
    const struct use_request *q = request_of(s->type, what);
    if (!q) return command_expected(c, what, "A REQUEST OF THIS TYPE OF STRUCTURE");
    memset(s->cmd, 0, sizeof s->cmd);
    cf_command_put(s->cmd, q->op, 0, q->len, s->con.token, s->con.id);
    s->r = (struct xes_request){.cmd = s->cmd, .len = q->len, .done = answered, .ctx = s};
    s->bit = XESUSE_BITS;
    s->request = q;
    bool good = q->put(s, c);
    if (good && xes_submit(s->con.x, &s->r) == 0) return true;
    s->request = NULL;
    return good && refuse(c, "THE FACILITY IS LOST");
}

struct xesuse *xesuse_create(const struct xesuse_config *c) {
    struct xesuse *u = arena_take(c->arena, sizeof *u, 16);
    if (!u) return NULL;
    memset(u, 0, sizeof *u);
    u->c = *c;
    return u;
}

bool command_xesuse(struct command *c) {
    struct system *sys = c->sys;
    const struct cfrm *cfrm = xcfas_cfrm(sys);
    if (!cfrm) return refuse(c, "THIS SYSTEM HAS NO COUPLING FACILITY");
    if (!sys->xesuse)
        sys->xesuse = xesuse_create(&(struct xesuse_config){
            .arena = sys->env.arena, .cfrm = cfrm, .con = sys->env.con, .system = system_name(sys), .asid = system_asid(sys)});
    return sys->xesuse ? xesuse_run(sys->xesuse, c) : refuse(c, "NO STORAGE");
}
