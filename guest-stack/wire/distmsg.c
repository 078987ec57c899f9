/* distmsg.c - messages about distributed DVIPAs. See distmsg.h. */
#include "wire/distmsg.h"

#define PERCENT 100

static bool zero(const u8 *p, u32 n) {
    u8 any = 0;
    for (u32 i = 0; i < n; i++) any |= p[i];
    return any == 0;
}

static bool address_is_one(const u8 *p) {
    struct ipaddr a = ipaddr_get(p);
    return !ipaddr_is_any(a) && !ipaddr_is_multicast(a) && !ipaddr_is_broadcast(a) && !ipaddr_is_loopback(a);
}

/* The row at p and its targets; 0 if they are wrong or do not fit. */
static u32 port_check(const u8 *p, u32 len, u32 methods, u8 flags) {
    if (len < DISTMSG_PORT_ROW) return 0;
    u32 targets = p[6], bytes = DISTMSG_PORT_ROW + targets * DISTMSG_TARGET_ROW;
    if (p[2] >= methods || (p[3] & ~flags) || targets > DISTMSG_TARGETS_MAX || p[7] > DISTMSG_OPTLOCAL_MAX || bytes > len) return 0;
    for (u32 i = 0; i < targets; i++) {
        const u8 *t = p + DISTMSG_PORT_ROW + (size_t)i * DISTMSG_TARGET_ROW;
        if (!address_is_one(t) || t[4] == 0 || !zero(t + 6, 2)) return 0;
    }
    return bytes;
}

bool distmsg_config_check(const u8 *p, u32 len, u32 methods, u8 flags) {
    if (len < DISTMSG_CONFIG_HEAD || !address_is_one(p) || (p[12] & ~1) || p[13]) return false;
    u32 ports = be16_get(p + 14), at = DISTMSG_CONFIG_HEAD;
    if (ports > DISTMSG_PORTS_MAX) return false;
    for (u32 i = 0; i < ports; i++) {
        u32 bytes = port_check(p + at, len - at, methods, flags);
        if (!bytes) return false;
        at += bytes;
    }
    return at == len;
}

void distmsg_config_parse(const u8 *p, struct distmsg_config *out) {
    out->dvipa = ipaddr_get(p);
    out->mask = ipaddr_get(p + 4);
    out->epoch = be32_get(p + 8);
    out->sysplexports = p[12] & 1;
    out->ports = be16_get(p + 14);
}

u32 distmsg_port_next(const u8 *p, u32 at, struct distmsg_port *out) {
    p += at;
    out->port = be16_get(p);
    out->method = p[2];
    out->flags = p[3];
    out->affinity_sec = be16_get(p + 4);
    out->targets = p[6];
    out->optlocal = p[7];
    p += DISTMSG_PORT_ROW;
    for (u32 i = 0; i < out->targets; i++, p += DISTMSG_TARGET_ROW)
        out->target[i] = (struct distmsg_target){ipaddr_get(p), p[4], p[5]};
    return at + distmsg_port_bytes(out);
}

void distmsg_config_emit(u8 *p, const struct distmsg_config *c) {
    ipaddr_put(p, c->dvipa);
    ipaddr_put(p + 4, c->mask);
    be32_put(p + 8, c->epoch);
    p[12] = c->sysplexports;
    p[13] = 0;
    be16_put(p + 14, c->ports);
}

u32 distmsg_port_emit(u8 *p, const struct distmsg_port *t) {
    be16_put(p, t->port);
    p[2] = t->method;
    p[3] = t->flags;
    be16_put(p + 4, t->affinity_sec);
    p[6] = t->targets;
    p[7] = t->optlocal;
    p += DISTMSG_PORT_ROW;
    for (u32 i = 0; i < t->targets; i++, p += DISTMSG_TARGET_ROW) {
        ipaddr_put(p, t->target[i].dynxcf);
        p[4] = t->target[i].weight;
        p[5] = t->target[i].rank;
        be16_put(p + 6, 0);
    }
    return distmsg_port_bytes(t);
}

bool distmsg_rows_check(u32 len, u32 head, u32 row, u32 *rows) {
    if (len < head || (len - head) % row) return false;
    *rows = (len - head) / row;
    return true;
}

bool distmsg_blocks_parse(const u8 *p, u32 len, struct distmsg_blocks *out) {
    if (!distmsg_rows_check(len, DISTMSG_PORTS_HEAD, DISTMSG_BLOCK_ROW, &out->n)) return false;
    out->dvipa = ipaddr_get(p);
    out->epoch = be32_get(p + 4);
    out->what = p[8];
    for (u32 i = 0; i < out->n; i++) {
        u32 block = be16_get(p + DISTMSG_PORTS_HEAD + (size_t)i * DISTMSG_BLOCK_ROW);
        if (block < DISTMSG_BLOCK_FIRST || block >= DISTMSG_BLOCKS) return false;
    }
    return out->what < DISTMSG_PORTS_WHATS && zero(p + 9, 3);
}

void distmsg_blocks_emit(u8 *p, const struct distmsg_blocks *b) {
    ipaddr_put(p, b->dvipa);
    be32_put(p + 4, b->epoch);
    be32_put(p + 8, (u32)b->what << 24);
}

bool distmsg_conn_parse(const u8 *p, struct distmsg_conn *out) {
    out->client = ipaddr_get(p);
    out->dport = be16_get(p + 4);
    out->cport = be16_get(p + 6);
    out->isn = be32_get(p + 8);
    out->what = p[12];
    return out->what <= DISTMSG_ASK && out->dport && out->cport && !ipaddr_is_any(out->client) && zero(p + 13, 3);
}

void distmsg_conn_emit(u8 *p, const struct distmsg_conn *c) {
    ipaddr_put(p, c->client);
    be16_put(p + 4, c->dport);
    be16_put(p + 6, c->cport);
    be32_put(p + 8, c->isn);
    be32_put(p + 12, (u32)c->what << 24);
}

bool distmsg_copy_parse(const u8 *p, struct distmsg_copy *out) {
    out->client = ipaddr_get(p);
    out->dport = be16_get(p + 4);
    out->cport = be16_get(p + 6);
    out->isn = be32_get(p + 8);
    out->ack = be32_get(p + 12);
    out->target = ipaddr_get(p + 16);
    out->what = p[20];
    bool known = out->what < DISTMSG_WHATS && out->what != DISTMSG_ASK;
    return known && out->dport && out->cport && !ipaddr_is_any(out->client) && zero(p + 21, 3);
}

void distmsg_copy_emit(u8 *p, const struct distmsg_copy *c) {
    ipaddr_put(p, c->client);
    be16_put(p + 4, c->dport);
    be16_put(p + 6, c->cport);
    be32_put(p + 8, c->isn);
    be32_put(p + 12, c->ack);
    ipaddr_put(p + 16, c->target);
    be32_put(p + 20, (u32)c->what << 24);
}

bool distmsg_report_parse(const u8 *p, struct distmsg_report *out) {
    out->dvipa = ipaddr_get(p);
    out->port = be16_get(p + 4);
    out->sef = p[6];
    out->qos_fraction = p[7];
    out->syns = be32_get(p + 8);
    out->opened = be32_get(p + 12);
    return out->sef <= PERCENT && out->qos_fraction <= PERCENT && out->port;
}

void distmsg_report_emit(u8 *p, const struct distmsg_report *r) {
    ipaddr_put(p, r->dvipa);
    be16_put(p + 4, r->port);
    p[6] = r->sef;
    p[7] = r->qos_fraction;
    be32_put(p + 8, r->syns);
    be32_put(p + 12, r->opened);
}
