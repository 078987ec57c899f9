/* tcphdr.c - parse and emit of wire/tcphdr.h. Bytes in, values out; no state. */
#include "wire/tcphdr.h"

enum { OPT_END, OPT_NOP, OPT_MSS, OPT_SCALE, OPT_SACK_OK, OPT_SACK, OPT_TS = 8 };
/* What nearly every segment of a modern connection carries: NOP, NOP, timestamps. */
#define TS_PREFIX 0x0101080Au

u32 tcphdr_check(const u8 *p, u32 len) {
    if (len < TCPHDR_BYTES) return 0;
    u32 bytes = (u32)p[12] >> 4 << 2;
    return bytes < TCPHDR_BYTES || bytes > len ? 0 : bytes;
}

/* Left edges not before their right edges are noise and are left out. */
static void parse_sack(const u8 *o, u32 size, struct tcphdr *out) {
    if ((size - 2) % 8 != 0) return;
    for (u32 at = 2; at < size && out->sacks < TCPHDR_SACK_MAX; at += 8) {
        struct tcp_range r = {be32_get(o + at), be32_get(o + at + 4)};
        if (seq_lt(r.left, r.right)) out->sack[out->sacks++] = r;
    }
}

static void parse_option(const u8 *o, u32 size, struct tcphdr *out) {
    switch (o[0]) {
    case OPT_MSS:
        if (size == 4) out->mss = be16_get(o + 2), out->has |= TCPHDR_MSS;
        break;
    case OPT_SCALE:
        if (size == 3) out->scale = o[2], out->has |= TCPHDR_SCALE;
        break;
    case OPT_SACK_OK:
        if (size == 2) out->has |= TCPHDR_SACK_OK;
        break;
    case OPT_SACK:
        parse_sack(o, size, out);
        break;
    case OPT_TS:
        if (size == 10) {
            out->ts_value = be32_get(o + 2);
            out->ts_echo = be32_get(o + 6);
            out->has |= TCPHDR_TS;
        }
        break;
    default: /* unknown: skipped by its length */
        break;
    }
}

void tcphdr_parse(const u8 *p, u32 header_bytes, struct tcphdr *out) {
    out->src_port = be16_get(p);
    out->dst_port = be16_get(p + 2);
    out->seq = be32_get(p + 4);
    out->ack = be32_get(p + 8);
    out->flags = p[13] & 0x3F;
    out->window = be16_get(p + 14);
    out->has = 0;
    out->sacks = 0;
    u32 at = TCPHDR_BYTES;
    if (header_bytes == TCPHDR_BYTES + TCPHDR_TS_BYTES && be32_get(p + at) == TS_PREFIX) {
        out->ts_value = be32_get(p + at + 4);
        out->ts_echo = be32_get(p + at + 8);
        out->has = TCPHDR_TS;
        return;
    }
    while (at < header_bytes && p[at] != OPT_END) {
        if (p[at] == OPT_NOP) {
            at++;
            continue;
        }
        if (at + 1 >= header_bytes) return;
        u32 size = p[at + 1];
        if (size < 2 || size > header_bytes - at) return;
        parse_option(p + at, size, out);
        at += size;
    }
}

u32 tcphdr_bytes(const struct tcphdr *h) {
    u32 n = TCPHDR_BYTES;
    if (h->has & TCPHDR_MSS) n += 4;
    if (h->has & TCPHDR_SCALE) n += 4;
    if (h->has & TCPHDR_TS) n += TCPHDR_TS_BYTES;
    if ((h->has & TCPHDR_SACK_OK) && !(h->has & TCPHDR_TS)) n += 4; /* else it stands in the timestamps' padding */
    if (h->sacks) n += 4 + 8u * h->sacks;
    return n;
}

u32 tcphdr_emit(const struct tcphdr *h, u8 *out) {
    u8 *o = out + TCPHDR_BYTES;
    if (h->has & TCPHDR_MSS) {
        be32_put(o, (u32)OPT_MSS << 24 | 4u << 16 | h->mss);
        o += 4;
    }
    if (h->has & TCPHDR_SCALE) {
        be32_put(o, (u32)OPT_NOP << 24 | (u32)OPT_SCALE << 16 | 3u << 8 | h->scale);
        o += 4;
    }
    if (h->has & TCPHDR_TS) {
        bool sack_ok = h->has & TCPHDR_SACK_OK;
        be32_put(o, sack_ok ? (u32)OPT_SACK_OK << 24 | 2u << 16 | (TS_PREFIX & 0xFFFF) : TS_PREFIX);
        be32_put(o + 4, h->ts_value);
        be32_put(o + 8, h->ts_echo);
        o += TCPHDR_TS_BYTES;
    } else if (h->has & TCPHDR_SACK_OK) {
        be32_put(o, (u32)OPT_NOP << 24 | (u32)OPT_NOP << 16 | (u32)OPT_SACK_OK << 8 | 2);
        o += 4;
    }
    if (h->sacks) {
        be32_put(o, (u32)OPT_NOP << 24 | (u32)OPT_NOP << 16 | (u32)OPT_SACK << 8 | (2 + 8u * h->sacks));
        o += 4;
        for (u32 i = 0; i < h->sacks; i++, o += 8) {
            be32_put(o, h->sack[i].left);
            be32_put(o + 4, h->sack[i].right);
        }
    }
    u32 bytes = (u32)(o - out);
    be16_put(out, h->src_port);
    be16_put(out + 2, h->dst_port);
    be32_put(out + 4, h->seq);
    be32_put(out + 8, h->ack);
    be32_put(out + 12, bytes << 26 | (u32)h->flags << 16 | h->window);
    be32_put(out + 16, 0);
    return bytes;
}
