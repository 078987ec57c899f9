/* plexmsg.c - the messages of the group EZBTCPCS, bytes to values and back. See plexmsg.h. */
#include "wire/plexmsg.h"

#include "base/str.h"

enum { DVIPA_WIRE_STATUS_MAX = 6, DVIPA_WIRE_ORIGIN_MAX = 5, DVIPA_WIRE_MOVEABLE_MAX = 4 };

bool plexmsg_parse(const u8 control[PLEXMSG_CONTROL], struct plexmsg_envelope *out) {
    if (be16_get(control) != PLEXMSG_MAGIC || control[2] != PLEXMSG_VERSION) return false;
    if (control[3] == 0 || control[3] >= PLEXMSG_KINDS) return false;
    *out = (struct plexmsg_envelope){.kind = control[3],
                                     .from_incarnation = be64_get(control + 4),
                                     .from_epoch = be32_get(control + 12),
                                     .to_incarnation = be64_get(control + 16),
                                     .to_epoch = be32_get(control + 24)};
    return true;
}

/* A name padded with blanks, of letters, digits and national characters. Returns its length, 0 if it is none. */
static u32 name_get(const u8 *p, u32 width, char *out) {
    u32 len = 0;
    while (len < width && p[len] != ' ') {
        u8 c = p[len];
        bool good = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '$' || c == '#' || c == '@';
        if (!good) return 0;
        out[len++] = (char)c;
    }
    out[len] = '\0';
    for (u32 i = len; i < width; i++)
        if (p[i] != ' ') return 0;
    return len;
}

static void name_put(u8 *p, u32 width, const char *name) {
    for (u32 i = 0; i < width; i++) p[i] = *name ? (u8)*name++ : ' ';
}

bool plexmsg_ustate_parse(const u8 u[PLEXMSG_USTATE], struct plexmsg_ustate *out) {
    *out = (struct plexmsg_ustate){.incarnation = be64_get(u),
                                   .epoch = be32_get(u + 8),
                                   .dynxcf = ipaddr_get(u + 12),
                                   .mask = ipaddr_get(u + 16),
                                   .iqd = be16_get(u + 30)};
    return out->incarnation != 0 && name_get(u + 20, 2, out->sysclone) && name_get(u + 22, 8, out->tcpname);
}

void plexmsg_ustate_emit(u8 u[PLEXMSG_USTATE], const struct plexmsg_ustate *s) {
    memset(u, 0, PLEXMSG_USTATE);
    be64_put(u, s->incarnation);
    be32_put(u + 8, s->epoch);
    ipaddr_put(u + 12, s->dynxcf);
    ipaddr_put(u + 16, s->mask);
    name_put(u + 20, 2, s->sysclone);
    name_put(u + 22, 8, s->tcpname);
    be16_put(u + 30, s->iqd);
}

bool plexmsg_dvipa_parse(const u8 *p, struct plexmsg_dvipa *out) {
    *out = (struct plexmsg_dvipa){.addr = ipaddr_get(p),
                                  .mask = ipaddr_get(p + 4),
                                  .status = p[8],
                                  .origin = p[9],
                                  .moveable = p[10],
                                  .rank = p[11],
                                  .flags = p[12],
                                  .epoch = be32_get(p + 16)};
    return !ipaddr_is_any(out->addr) && out->status <= DVIPA_WIRE_STATUS_MAX && out->origin <= DVIPA_WIRE_ORIGIN_MAX &&
           out->moveable <= DVIPA_WIRE_MOVEABLE_MAX && ipaddr_mask_bits(out->mask) >= 0;
}

void plexmsg_dvipa_emit(u8 *p, const struct plexmsg_dvipa *r) {
    memset(p, 0, PLEXMSG_DVIPA_ROW);
    ipaddr_put(p, r->addr);
    ipaddr_put(p + 4, r->mask);
    p[8] = r->status;
    p[9] = r->origin;
    p[10] = r->moveable;
    p[11] = r->rank;
    p[12] = r->flags;
    be32_put(p + 16, r->epoch);
}

bool plexmsg_claim_parse(const u8 *p, struct plexmsg_claim *out) {
    *out = (struct plexmsg_claim){
        .addr = ipaddr_get(p), .epoch = be32_get(p + 4), .priority = p[8], .flags = p[9], .mask = ipaddr_get(p + 12)};
    return !ipaddr_is_any(out->addr) && out->epoch != 0 && ipaddr_mask_bits(out->mask) >= 0;
}

void plexmsg_claim_emit(u8 *p, const struct plexmsg_claim *r) {
    ipaddr_put(p, r->addr);
    be32_put(p + 4, r->epoch);
    p[8] = r->priority;
    p[9] = r->flags;
    be16_put(p + 10, 0);
    ipaddr_put(p + 12, r->mask);
}

void plexmsg_answer_parse(const u8 *p, struct plexmsg_answer *out) {
    *out = (struct plexmsg_answer){.addr = ipaddr_get(p), .epoch = be32_get(p + 4), .value = be32_get(p + 8)};
}

void plexmsg_answer_emit(u8 *p, const struct plexmsg_answer *r) {
    ipaddr_put(p, r->addr);
    be32_put(p + 4, r->epoch);
    be32_put(p + 8, r->value);
}

bool plexmsg_conn_parse(const u8 *p, struct plexmsg_conn *out) {
    *out = (struct plexmsg_conn){.dvipa = ipaddr_get(p),
                                 .foreign = ipaddr_get(p + 4),
                                 .local_port = be16_get(p + 8),
                                 .foreign_port = be16_get(p + 10),
                                 .there = p[12] & 1,
                                 .all = p[12] & 2};
    return !ipaddr_is_any(out->dvipa) && out->all == ipaddr_is_any(out->foreign);
}

void plexmsg_conn_emit(u8 *p, const struct plexmsg_conn *r) {
    memset(p, 0, PLEXMSG_CONN_ROW);
    ipaddr_put(p, r->dvipa);
    ipaddr_put(p + 4, r->foreign);
    be16_put(p + 8, r->local_port);
    be16_put(p + 10, r->foreign_port);
    p[12] = (u8)(r->there | r->all << 1);
}
