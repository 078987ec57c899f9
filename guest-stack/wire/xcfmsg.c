/* xcfmsg.c - XCF's signalling blocks: check, parse, emit. See wire/xcfmsg.h. */
#include "wire/xcfmsg.h"

#include "base/str.h"
#include "wire/cksum.h"

/* Names: letters, digits and the nationals; what is behind the first blank must be blank. */
static bool name_char(u8 c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '$' || c == '#' || c == '@' || c == '_';
}
static bool name_ok(const u8 *p, u32 width, bool may_be_empty) {
    u32 n = 0;
    while (n < width && name_char(p[n])) n++;
    if (n == 0 && !may_be_empty) return false;
    for (u32 i = n; i < width; i++)
        if (p[i] != ' ') return false;
    return true;
}
static void name_get(char *out, const u8 *p, u32 width) {
    u32 n = 0;
    while (n < width && p[n] != ' ') n++;
    memcpy(out, p, n);
    memset(out + n, 0, width + 1 - n);
}
static void name_put(u8 *p, const char *name, u32 width) {
    u32 n = u32_min((u32)strlen(name), width);
    memcpy(p, name, n);
    memset(p + n, ' ', width - n);
}

static bool hello_ok(const u8 *body, u32 len, bool named) {
    if (len < XCFMSG_HELLO_FIXED || !name_ok(body + 12, 16, true)) return false;
    u32 heard = be16_get(body), gone = be16_get(body + 2);
    if (heard > XCFMSG_HEARD_MAX || gone > XCFMSG_GONE_MAX) return false;
    if (len != xcfmsg_hello_bytes(heard + gone) + (named ? XCFMSG_PATH * heard : 0)) return false;
    for (u32 i = 0; i < heard + gone; i++)
        if (!name_ok(body + xcfmsg_hello_bytes(i), XCFMSG_NAME, false)) return false;
    for (u32 i = 0; named && i < heard; i++)
        if (!name_ok(body + xcfmsg_hello_bytes(heard + gone) + XCFMSG_PATH * i, XCFMSG_PATH, true)) return false;
    return true;
}

static bool data_ok(const u8 *p, u32 body) {
    bool first = p[52] & XCFMSG_FIRST;
    return body > 0 && (!first || body >= XCFMSG_MESSAGE);
}

bool xcfmsg_same_ends(const u8 *p, const u8 *header) {
    return memcmp(p + 8, header + 8, 32) == 0 && memcmp(p + 56, header + 56, 8) == 0;
}

static bool ends_ok(const u8 *p) {
    return name_ok(p + 8, 8, false) && name_ok(p + 24, 8, true) && name_ok(p + 56, 8, false);
}

static enum xcfmsg_verdict check(const u8 *p, u32 len, bool same) {
    if (len < XCFMSG_HEADER) return XCFMSG_SHORT;
    if (be16_get(p) != XCFMSG_MAGIC || p[2] != XCFMSG_VERSION) return XCFMSG_FOREIGN;
    u32 bytes = be16_get(p + 4);
    if (bytes != len || bytes > XCFMSG_BLOCK_MAX) return XCFMSG_LENGTH;
    if (cksum_fold(cksum_add(0, p, len)) != 0) return XCFMSG_CHECKSUM;
    if (!same && !ends_ok(p)) return XCFMSG_FORM;
    u32 body = bytes - XCFMSG_HEADER;
    bool good = false;
    if (p[3] == XCFMSG_HELLO) good = hello_ok(p + XCFMSG_HEADER, body, p[52] & XCFMSG_NAMED);
    if (p[3] == XCFMSG_DATA) good = data_ok(p, body);
    if (p[3] == XCFMSG_ACK) good = body == 0;
    return good ? XCFMSG_OK : XCFMSG_FORM;
}

enum xcfmsg_verdict xcfmsg_check(const u8 *p, u32 len) {
    return check(p, len, false);
}
enum xcfmsg_verdict xcfmsg_check_same(const u8 *p, u32 len) {
    return check(p, len, true);
}

void xcfmsg_parse_same(const u8 *p, struct xcfmsg_header *out) {
    out->type = p[3];
    out->bytes = be16_get(p + 4);
    out->token = be32_get(p + 40);
    out->seq = be32_get(p + 44);
    out->ack = be32_get(p + 48);
    out->flags = p[52];
}

void xcfmsg_parse(const u8 *p, struct xcfmsg_header *out) {
    xcfmsg_parse_same(p, out);
    name_get(out->from, p + 8, 8);
    out->from_incarnation = be64_get(p + 16);
    name_get(out->to, p + 24, 8);
    out->to_incarnation = be64_get(p + 32);
    name_get(out->sysplex, p + 56, 8);
}

void xcfmsg_head_emit(u8 *p, const struct xcfmsg_header *h) {
    memset(p, 0, XCFMSG_HEADER);
    be16_put(p, XCFMSG_MAGIC);
    p[2] = XCFMSG_VERSION;
    name_put(p + 8, h->from, 8);
    be64_put(p + 16, h->from_incarnation);
    name_put(p + 24, h->to, 8);
    be64_put(p + 32, h->to_incarnation);
    be32_put(p + 40, h->token);
    name_put(p + 56, h->sysplex, 8);
}

void xcfmsg_emit_headed(u8 *p, const u8 *head, const struct xcfmsg_header *h) {
    memcpy(p, head, XCFMSG_HEADER);
    p[3] = h->type;
    be16_put(p + 4, h->bytes);
    be32_put(p + 44, h->seq);
    be32_put(p + 48, h->ack);
    p[52] = h->flags;
    be16_put(p + 6, cksum_fold(cksum_add(0, p, h->bytes)));
}

void xcfmsg_emit(u8 *p, const struct xcfmsg_header *h) {
    u8 head[XCFMSG_HEADER];
    xcfmsg_head_emit(head, h);
    xcfmsg_emit_headed(p, head, h);
}

void xcfmsg_hello_parse(const u8 *body, struct xcfmsg_hello *out) {
    out->heard = be16_get(body);
    out->gone = be16_get(body + 2);
    out->interval_ms = be32_get(body + 4);
    out->weight = be32_get(body + 8);
    name_get(out->path, body + 12, 16);
}
void xcfmsg_hello_emit(u8 *body, const struct xcfmsg_hello *h) {
    be16_put(body, (u16)h->heard);
    be16_put(body + 2, (u16)h->gone);
    be32_put(body + 4, h->interval_ms);
    be32_put(body + 8, h->weight);
    name_put(body + 12, h->path, 16);
}

void xcfmsg_entry_parse(const u8 *body, u32 i, struct xcfmsg_entry *out) {
    const u8 *p = body + xcfmsg_hello_bytes(i);
    name_get(out->system, p, 8);
    out->incarnation = be64_get(p + 8);
    out->value = be32_get(p + 16);
}
void xcfmsg_entry_emit(u8 *body, u32 i, const struct xcfmsg_entry *e) {
    u8 *p = body + xcfmsg_hello_bytes(i);
    name_put(p, e->system, 8);
    be64_put(p + 8, e->incarnation);
    be32_put(p + 16, e->value);
}

void xcfmsg_heard_name_parse(const u8 *body, u32 entries, u32 i, char out[XCFMSG_PATH + 1]) {
    name_get(out, body + xcfmsg_hello_bytes(entries) + XCFMSG_PATH * i, XCFMSG_PATH);
}
void xcfmsg_heard_name_emit(u8 *body, u32 entries, u32 i, const char *name) {
    name_put(body + xcfmsg_hello_bytes(entries) + XCFMSG_PATH * i, name, XCFMSG_PATH);
}

bool xcfmsg_message_parse(const u8 *p, struct xcfmsg_message *out) {
    out->kind = p[0];
    out->bytes = be32_get(p + 4);
    out->from = be32_get(p + 8);
    out->to = be32_get(p + 12);
    memcpy(out->control, p + 16, XCFMSG_CONTROL);
    if (out->bytes > XCFMSG_DATA_MAX) return false;
    if (out->kind == XCFMSG_MEMBER) return out->bytes == XCFMSG_MEMBER_RECORD;
    if (out->kind == XCFMSG_SYNC) return out->bytes == 0;
    return out->kind == XCFMSG_USER;
}
void xcfmsg_message_emit(u8 *p, const struct xcfmsg_message *m) {
    memset(p, 0, XCFMSG_MESSAGE);
    p[0] = m->kind;
    be32_put(p + 4, m->bytes);
    be32_put(p + 8, m->from);
    be32_put(p + 12, m->to);
    memcpy(p + 16, m->control, XCFMSG_CONTROL);
}

bool xcfmsg_member_parse(const u8 *p, struct xcfmsg_member *out) {
    if (!name_ok(p, 8, false) || !name_ok(p + 8, 16, false)) return false;
    name_get(out->group, p, 8);
    name_get(out->name, p + 8, 16);
    out->state = p[24];
    out->flags = p[25];
    out->status_ms = be32_get(p + 28);
    memcpy(out->ustate, p + 32, 32);
    return true;
}
void xcfmsg_member_emit(u8 *p, const struct xcfmsg_member *m) {
    name_put(p, m->group, 8);
    name_put(p + 8, m->name, 16);
    p[24] = m->state;
    p[25] = m->flags;
    be16_put(p + 26, 0);
    be32_put(p + 28, m->status_ms);
    memcpy(p + 32, m->ustate, 32);
}
