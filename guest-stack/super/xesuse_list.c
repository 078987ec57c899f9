/* xesuse_list.c - requests of XESUSE for list structures. See super/xesuse.h; operands and entries: wire/cfcmd.h.
 *
 * READMULT and DELETEMULT name entries by LEID: those that this system's last BROWSE of the structure has shown, whatever others have done
 * to them since. An entry that is gone ends such a request, and what came before it is done.
 *
 * Entries of a structure that was connected to with KEYS stand in the order of their keys, and have an adjunct: the system that wrote them.
 */
#include "super/xesuse_impl.h"

#define FILL_MAX 100000u
#define LOCKS    16u
#define ENTRY_AT CF_RSP_BYTES

static bool put_list(struct use *s, struct command *c) { return xesuse_word(c, 2, XESUSE_LISTS, s->cmd + 16); }

static bool put_write(struct use *s, struct command *c) {
    u16 flags = CF_F_DATA;
    if (!put_list(s, c)) return false;
    s->cmd[36] = CF_BY_NONE;
    s->cmd[37] = 1;
    if (s->keys) {
        if (!xesuse_name(c, 4, s->cmd + 64, CF_KEY_BYTES)) return false;
        memcpy(s->cmd + 112, s->all->c.system, strlen(s->all->c.system));
        flags |= CF_F_ADJUNCT;
    }
    be16_put(s->cmd + 38, flags);
    xesuse_data_put(s, command_op(c, 3));
    return true;
}

/* Entries of zeros, with a key of zeros where entries have one. */
static bool put_fill(struct use *s, struct command *c) {
    if (!put_list(s, c) || !xesuse_number(c, 3, FILL_MAX, &s->left)) return false;
    s->cmd[36] = CF_BY_NONE;
    s->cmd[37] = 1;
    be16_put(s->cmd + 38, CF_F_DATA);
    s->written = 0;
    s->r.len = CF_LIST_BYTES + XESUSE_FILL_BYTES;
    return true;
}
static bool fill_again(struct use *s, u32 rc) {
    if (rc != CF_OK) return false;
    s->written++;
    return s->written < s->left && xes_submit(s->con.x, &s->r) == 0;
}
static void show_fill(struct use *s, const u8 *rsp, u32 len, char *line) {
    UNUSED(rsp);
    UNUSED(len);
    str_fmt(line, XESUSE_LINE, "%u ENTRIES WRITTEN", s->written);
}

static bool put_take(struct use *s, struct command *c) {
    s->cmd[36] = CF_BY_POSITION;
    be16_put(s->cmd + 38, CF_F_DATA | CF_F_DELETE);
    return put_list(s, c);
}

static bool put_move(struct use *s, struct command *c) {
    s->cmd[36] = CF_BY_POSITION;
    return put_list(s, c) && xesuse_word(c, 3, XESUSE_LISTS, s->cmd + 20);
}

/* The head of the list, or the first entry with a key. */
static bool put_delete(struct use *s, struct command *c) {
    bool keyed = command_op(c, 3)[0] != '\0';
    if (!put_list(s, c)) return false;
    if (keyed && !s->keys) return command_expected(c, command_op(c, 3), "NO KEY, FOR THIS STRUCTURE HAS NONE,");
    s->cmd[36] = keyed ? CF_BY_KEY : CF_BY_POSITION;
    be16_put(s->cmd + 38, CF_F_DATA);
    return !keyed || xesuse_name(c, 3, s->cmd + 64, CF_KEY_BYTES);
}

/* Also of none: the facility knows whether that is a request. */
static bool put_picked(struct use *s, struct command *c) {
    UNUSED(c);
    be16_put(s->cmd + 38, CF_F_DATA);
    memcpy(s->cmd + CF_LIST_BYTES, s->leid, s->picked * CF_LEID_BYTES);
    s->r.len += s->picked * CF_LEID_BYTES;
    return true;
}

static bool put_browse(struct use *s, struct command *c) {
    be16_put(s->cmd + 38, (u16)(CF_F_DATA | (s->keys ? CF_F_ADJUNCT : 0)));
    return put_list(s, c);
}

/* "key (adjunct): data", or the data alone. */
static void entry_show(const struct use *s, const u8 *e, u32 len, char *line) {
    char key[CF_KEY_BYTES + 1], adjunct[17], data[65];
    xesuse_data_show(key, sizeof key, e + 32, CF_KEY_BYTES);
    xesuse_data_show(adjunct, sizeof adjunct, e + 64, 16);
    xesuse_data_show(data, sizeof data, e + CF_ENTRY_BYTES, u32_min(be32_get(e + 20), len - CF_ENTRY_BYTES));
    if (s->keys)
        str_fmt(line, XESUSE_LINE, "%s (%s): %s", key, adjunct, data);
    else
        str_copy(line, XESUSE_LINE, data);
}
static void show_entry(struct use *s, const u8 *rsp, u32 len, char *line) {
    if (len >= ENTRY_AT + CF_ENTRY_BYTES) entry_show(s, rsp + ENTRY_AT, len - ENTRY_AT, line);
}
static void show_entries(struct use *s, const u8 *rsp, u32 len, char *line) {
    u32 n = 0, bytes;
    for (u32 at = ENTRY_AT; at + CF_ENTRY_BYTES <= len; at += bytes, n++) {
        bytes = be32_get(rsp + at);
        if (bytes < CF_ENTRY_BYTES || bytes > len - at) break;
        entry_show(s, rsp + at, bytes, line);
        xesuse_line(s, "ENTRY", line);
    }
    str_fmt(line, XESUSE_LINE, "%u ENTRIES", n);
}
/* What READMULT and DELETEMULT will be about. */
static void show_browse(struct use *s, const u8 *rsp, u32 len, char *line) {
    u32 bytes;
    s->picked = 0;
    for (u32 at = ENTRY_AT; at + CF_ENTRY_BYTES <= len && s->picked < XESUSE_PICKED; at += bytes) {
        bytes = be32_get(rsp + at);
        if (bytes < CF_ENTRY_BYTES || bytes > len - at) break;
        memcpy(s->leid[s->picked++], rsp + at + 8, CF_LEID_BYTES);
    }
    show_entries(s, rsp, len, line);
}
static void show_count(struct use *s, const u8 *rsp, u32 len, char *line) {
    UNUSED(s);
    UNUSED(len);
    str_fmt(line, XESUSE_LINE, "%u ENTRIES", cf_count_get(rsp));
}

/* ---- list controls ---- */

#define CONTROL_TEXT 32u

static bool put_controls(struct use *s, struct command *c) {
    const char *text = command_op(c, 4);
    if (!put_list(s, c) || !xesuse_word(c, 3, FILL_MAX, s->cmd + 20)) return false;
    memset(s->cmd + 64, ' ', CONTROL_TEXT);
    return !text[0] || xesuse_name(c, 4, s->cmd + 64, CONTROL_TEXT);
}
static void show_controls(struct use *s, const u8 *rsp, u32 len, char *line) {
    char text[CONTROL_TEXT + 1];
    UNUSED(s);
    if (len < CF_RSP_BYTES + 16 + CONTROL_TEXT) return;
    xesuse_data_show(text, sizeof text, rsp + 32, CONTROL_TEXT);
    str_fmt(line, XESUSE_LINE, "ENTRIES %u LIMIT %u ELEMENTS %u MONITORS %08X: %s", be32_get(rsp + 16), be32_get(rsp + 20), be32_get(rsp + 24),
            be32_get(rsp + 28), text);
}

/* ---- monitors ---- */

/* Operand i: STOP, or nothing, which starts. */
static bool put_start(struct use *s, struct command *c, u32 i) {
    const char *stop = command_op(c, i);
    if (stop[0] && strcmp(stop, "STOP") != 0) return command_expected(c, stop, "STOP");
    s->cmd[36] = stop[0] == '\0';
    return true;
}
static bool put_monitor(struct use *s, struct command *c) {
    if (!put_list(s, c) || !put_start(s, c, 3)) return false;
    s->bit = be32_get(s->cmd + 16);
    be32_put(s->cmd + 20, s->bit);
    return true;
}
static bool put_events_on(struct use *s, struct command *c) {
    s->bit = XESUSE_EVENTS_BIT;
    be32_put(s->cmd + 20, s->bit);
    return put_start(s, c, 2);
}
static bool put_monitor_key(struct use *s, struct command *c) {
    return put_list(s, c) && xesuse_name(c, 3, s->cmd + 64, CF_KEY_BYTES) && put_start(s, c, 4);
}
static bool put_nothing(struct use *s, struct command *c) {
    UNUSED(s);
    UNUSED(c);
    return true;
}
static void show_monitor(struct use *s, const u8 *rsp, u32 len, char *line) {
    UNUSED(s);
    if (len > CF_RSP_BYTES) str_copy(line, XESUSE_LINE, rsp[16] ? "IT IS NOT EMPTY" : "IT IS EMPTY");
}
static void show_events(struct use *s, const u8 *rsp, u32 len, char *line) {
    char key[CF_KEY_BYTES + 1];
    u32 n = 0;
    for (u32 at = CF_RSP_BYTES; at + CF_EVENT_ROW_BYTES <= len; at += CF_EVENT_ROW_BYTES, n++) {
        xesuse_data_show(key, sizeof key, rsp + at + 16, CF_KEY_BYTES);
        str_fmt(line, XESUSE_LINE, "LIST %u KEY %s", be32_get(rsp + at), key);
        xesuse_line(s, "EVENT", line);
    }
    str_fmt(line, XESUSE_LINE, "%u EVENTS", n);
}

/* ---- the lock table of a serialized list ---- */

static bool put_lock(struct use *s, struct command *c) {
    s->cmd[60] = s->request && s->request->name[0] == 'U' ? CF_LOCK_RESET : CF_LOCK_SET;
    return xesuse_word(c, 2, LOCKS, s->cmd + 56);
}
static void show_holder(struct use *s, const u8 *rsp, u32 len, char *line) {
    UNUSED(s);
    if (len > CF_RSP_BYTES) str_fmt(line, XESUSE_LINE, "HOLDER %02X", (u32)rsp[16]);
}

#define LIST(n, o, p, w) {.name = n, .type = CF_TYPE_LIST, .op = o, .len = CF_LIST_BYTES, .put = p, .show = w}
#define PARTLY(n, o, p, w, a) {.name = n, .type = CF_TYPE_LIST, .op = o, .len = CF_LIST_BYTES, .put = p, .show = w, .again = a, .partly = true}
static const struct use_request requests[] = {
    LIST("WRITE", CF_WRITE, put_write, NULL),
    LIST("READ", CF_READ, put_take, show_entry),
    LIST("MOVE", CF_MOVE, put_move, NULL),
    LIST("DELETE", CF_DELETE, put_delete, show_entry),
    LIST("BROWSE", CF_READ_LIST, put_browse, show_browse),
    LIST("CLEAR", CF_DELETE_LIST, put_list, show_count),
    PARTLY("READMULT", CF_READ_MULT, put_picked, show_entries, NULL),
    PARTLY("DELETEMULT", CF_DELETE_MULT, put_picked, show_entries, NULL),
    LIST("CONTROLS", CF_LCONTROLS, put_list, show_controls),
    LIST("SETCONTROLS", CF_SET_LCONTROLS, put_controls, NULL),
    LIST("MONITOR", CF_MONITOR_LIST, put_monitor, show_monitor),
    LIST("MONITORKEY", CF_MONITOR_KEY, put_monitor_key, NULL),
    LIST("MONITOREVENTS", CF_MONITOR_EVENTQ, put_events_on, show_monitor),
    LIST("EVENTS", CF_DEQ_EVENTQ, put_nothing, show_events),
    LIST("LOCK", CF_LOCK, put_lock, show_holder),
    LIST("UNLOCK", CF_LOCK, put_lock, show_holder),
    PARTLY("FILL", CF_WRITE, put_fill, show_fill, fill_again),
};

const struct use_request *xesuse_list_request(const char *name) {
    for (u32 i = 0; i < ARRAY_LEN(requests); i++)
        if (strcmp(requests[i].name, name) == 0) return &requests[i];
    return NULL;
}
