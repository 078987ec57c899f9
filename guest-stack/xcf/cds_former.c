/* cds_former.c - the note that a facility has no couple data any more, where they were.
 *
 * Whoever is loaded with a COUPLExx that names this facility, and reaches no other, would find nobody there and begin a sysplex of its own.
 * So each system that has switched away keeps a connection to the structure IXCCDS_sysplex in that facility and an entry in it, the note
 * (wire/xcfcds.h), which says where the couple data are. All systems write the same note under one name.
 *
 *   is taken out of use (PSWITCH, ACOUPLE)       the note goes in front of the DISCONNECT (cds_switch.c): whoever sees us go can read why.
 *                                                cds_former_add: connect, write the note
 *   the couple data move on                      the note is written again, in every former facility
 *   the facility's link is there again           connect, write the note: it may have lost all that it had
 *   is in use again (ACOUPLE)                    cds_former_drop: disconnect. The note stays, and is of an earlier generation than any record
 *
 * The connection's name is longer than a system's, so nobody takes it for a system that uses the couple data. It holds the structure as
 * long as one system is there that knows better; when the last one has gone, there is no sysplex to stay apart from.
 */
#include "xcf/cds_impl.h"

static const char NOTE_NAME[] = "NOT IN USE";

static void note_done(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cds_former *f = ctx;
    UNUSED(r);
    UNUSED(rsp);
    UNUSED(len);
    f->writing = false;
    if (rc == CF_RC_ISOLATED) {
        cds_refused(f->c, now);
        return;
    }
    if (rc == CF_OK) f->noted = f->sent;
    if (rc != CF_OK && rc != XES_LOST) f->c->count.write_errors++;
}

void cds_note_command(const struct cds *c, u8 cmd[CDS_NOTE_BYTES], const struct xes_connection *con) {
    struct xcfcds note = {.note = true, .generation = c->mine.generation};
    memcpy(note.sysplex, c->sysplex, sizeof note.sysplex);
    memcpy(note.primary, c->mine.primary, sizeof note.primary);
    memcpy(note.alternate, c->mine.alternate, sizeof note.alternate);
    memset(cmd, 0, CF_LIST_BYTES);
    cf_command_put(cmd, CF_WRITE, 0, CDS_NOTE_BYTES, con->token, con->id);
    cmd[36] = CF_BY_NAME;
    be16_put(cmd + 38, CF_F_DATA);
    xcfcds_name_put(cmd + 64, NOTE_NAME, CF_ENTRY_NAME_BYTES);
    xcfcds_emit(cmd + CF_LIST_BYTES, &note);
}

static void note_write(struct cds_former *f) {
    struct cds *c = f->c;
    cds_note_command(c, f->cmd, &f->con);
    f->request = (struct xes_request){.cmd = f->cmd, .len = sizeof f->cmd, .done = note_done, .ctx = f};
    f->sent = c->mine.generation;
    f->writing = xes_submit(f->con.x, &f->request) == 0;
    c->count.notes += f->writing;
}

static void on_connected(struct xes_connection *con, u32 rc, u8 flags, const u8 *rsp, u64 now) {
    struct cds_former *f = con->ctx;
    UNUSED(flags);
    UNUSED(rsp);
    f->noted = 0; /* what stands there is not known */
    if (rc == CF_RC_ISOLATED) cds_refused(f->c, now);
    /* It is in use again, or the row serves another one. */
    if (rc == CF_OK && strcmp(f->connected_to, f->facility) != 0) xes_disconnect(con, false);
}
static void on_lost(struct xes_connection *con, u64 now) {
    struct cds_former *f = con->ctx;
    UNUSED(now);
    f->noted = 0;
}
static const struct xes_connection_ops CONNECTION = {.connected = on_connected, .lost = on_lost};

static void former_connect(struct cds_former *f, struct xes *x, u64 now) {
    u8 cmd[CF_CONNECT_BYTES];
    char name[17];
    f->retry_at = now + CDS_RETRY_US;
    str_fmt(name, sizeof name, "NOTINUSE%s", f->c->id.name);
    cds_connect_command(f->c, cmd, name);
    f->con = (struct xes_connection){.ops = &CONNECTION, .vector = &f->vector, .vector_bits = 1, .ctx = f};
    memcpy(f->connected_to, f->facility, sizeof f->connected_to);
    xes_connect(x, &f->con, cmd);
}

static u64 former_poll(struct cds_former *f, u64 now) {
    struct xes *x = cflinks_find(f->c->links, f->facility);
    if (!x || (f->con.connected && f->noted == f->c->mine.generation)) return TIME_NEVER; /* a link or a switch is an event */
    if (f->con.busy || f->writing) return TIME_NEVER;                                     /* and so is an answer */
    if (now < f->retry_at) return f->retry_at;
    if (f->con.connected && f->con.x == x)
        note_write(f);
    else if (!f->con.connected)
        former_connect(f, x, now);
    f->retry_at = now + CDS_RETRY_US;
    return f->con.busy || f->writing ? TIME_NEVER : f->retry_at;
}

u64 cds_formers_poll(struct cds *c, u64 now) {
    u64 next = TIME_NEVER;
    for (u32 i = 0; i < CDS_FORMERS && c->formers && !xcf_stopped(c->x); i++)
        if (c->former[i].facility[0]) next = u64_min(next, former_poll(&c->former[i], now));
    return next;
}

void cds_former_drop(struct cds *c, const char *facility) {
    for (u32 i = 0; i < CDS_FORMERS; i++) {
        struct cds_former *f = &c->former[i];
        if (!f->facility[0] || strcmp(f->facility, facility) != 0) continue;
        if (f->con.connected) xes_disconnect(&f->con, false);
        f->facility[0] = '\0';
        c->formers--;
    }
}

void cds_former_add(struct cds *c, const char *facility) {
    struct cds_former *f = NULL;
    cds_former_drop(c, facility);
    for (u32 i = 0; i < CDS_FORMERS && !f; i++) {
        struct cds_former *k = &c->former[i];
        if (!k->facility[0] && !k->con.busy && !k->writing && !k->con.connected) f = k;
    }
    if (!f) {
        c->count.formers_full++;
        return;
    }
    f->c = c;
    f->noted = 0;
    f->retry_at = 0;
    str_copy(f->facility, sizeof f->facility, facility);
    c->formers++;
}

bool cds_elsewhere(const struct cds *c, const char **primary) {
    *primary = c->mine.primary;
    for (u32 i = 0; i < CDS_COPIES; i++)
        if (cds_usable(&c->copy[i])) return false;
    return c->mine.generation && !c->joined;
}

void cds_respecify(struct cds *c, const char *primary, const char *alternate, u64 now) {
    for (u32 i = 0; i < CDS_FORMERS; i++)
        if (c->former[i].facility[0]) cds_former_drop(c, c->former[i].facility);
    cds_roles_set(c, 0, primary, alternate, now);
    for (u32 i = 0; i < CDS_FORMERS; i++) /* what was tried and is not meant any more is nobody's former couple data */
        if (c->former[i].facility[0]) cds_former_drop(c, c->former[i].facility);
}
