/* pkttrace.c - the packet trace of V TCPIP,,PKTTRACE; what it shows and how it is bounded: pkttrace.h. */
#include "super/pkttrace.h"

#include "base/be.h"
#include "base/str.h"
#include "net/ip.h"
#include "net/pkt.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/system.h"
#include "super/tcpip.h"

#define HEX_PER_LINE 32
#define HEADER_MAX   64 /* IP header with options and the ports behind it */

/* As many of bytes [at, at+n) as the packet has; returns how many. */
static u32 bytes_at(const struct pkt *p, u32 at, u8 *out, u32 n) {
    u32 all = pkt_bytes(p);
    n = at < all ? u32_min(n, all - at) : 0;
    if (n) pkt_copy(p, at, out, n);
    return n;
}

struct summary {
    struct ipaddr src, dst;
    u8 proto;
    u16 sport, dport, flags;
    bool ports; /* sport and dport are there */
};

static bool summary_of(const u8 *h, u32 n, struct summary *s) {
    if (n < IP_HEADER_BYTES || h[0] >> 4 != 4) return false;
    u32 header = (h[0] & 15u) * 4u;
    *s = (struct summary){.src = ipaddr_get(h + 12), .dst = ipaddr_get(h + 16), .proto = h[9]};
    bool first = (be16_get(h + 6) & 0x1FFF) == 0;
    s->ports = first && (s->proto == IP_PROTO_TCP || s->proto == IP_PROTO_UDP) && n >= header + 4;
    if (s->ports) {
        s->sport = be16_get(h + header);
        s->dport = be16_get(h + header + 2);
    }
    if (s->ports && s->proto == IP_PROTO_TCP && n >= header + 14) s->flags = h[header + 13];
    if (!s->ports && s->proto == IP_PROTO_ICMP && first && n >= header + 2) s->flags = be16_get(h + header);
    return true;
}

static bool wanted(const struct pkttrace *t, const struct link *lnk, const struct summary *s) {
    if (t->link[0] && !str_eq_ci(t->link, lnk->name)) return false;
    if (!ipaddr_is_any(t->addr) && !ipaddr_eq(t->addr, s->src) && !ipaddr_eq(t->addr, s->dst)) return false;
    return t->port == 0 || (s->ports && (s->sport == t->port || s->dport == t->port));
}

/* true: one more line may be said in this second. */
static bool line_allowed(struct pkttrace *t) {
    if (t->lines < PKTTRACE_LINES_MAX) {
        t->lines++;
        return true;
    }
    t->lost++;
    t->lost_total++;
    return false;
}

static void say_summary(struct console *con, const struct link *lnk, bool out, const struct summary *s,
                        u32 bytes) {
    char src[IPADDR_TEXT_MAX], dst[IPADDR_TEXT_MAX], detail[24] = "";
    if (s->proto == IP_PROTO_TCP && s->ports)
        str_fmt(detail, sizeof detail, " %s%s%s%s%s", s->flags & 2 ? "S" : "", s->flags & 1 ? "F" : "",
                s->flags & 4 ? "R" : "", s->flags & 8 ? "P" : "", s->flags & 16 ? "A" : "");
    if (s->proto == IP_PROTO_ICMP)
        str_fmt(detail, sizeof detail, " TYPE %u CODE %u", (u32)(s->flags >> 8), (u32)(s->flags & 255));
    console_message(con, PLX0260I, lnk->name, out ? "OUT" : "IN",
                    s->proto == IP_PROTO_TCP    ? "TCP"
                    : s->proto == IP_PROTO_UDP  ? "UDP"
                    : s->proto == IP_PROTO_ICMP ? "ICMP"
                                                : "OTHER",
                    ipaddr_text(s->src, src), (u32)s->sport, ipaddr_text(s->dst, dst), (u32)s->dport, bytes,
                    detail);
}

static void say_bytes(struct console *con, struct pkttrace *t, const struct pkt *p) {
    for (u32 at = 0; at < t->bytes; at += HEX_PER_LINE) {
        u8 raw[HEX_PER_LINE];
        char text[HEX_PER_LINE * 9 / 4 + 1];
        u32 len = 0;
        u32 n = bytes_at(p, at, raw, u32_min(HEX_PER_LINE, t->bytes - at));
        if (n == 0 || !line_allowed(t)) return;
        for (u32 i = 0; i < n; i++)
            len += str_fmt(text + len, sizeof text - len, i % 4 == 3 ? "%02X " : "%02X", (u32)raw[i]);
        console_message(con, PLX0261I, at, text);
    }
}

void pkttrace_packet(void *ctx, const struct link *lnk, bool out, const struct pkt *p, u64 now) {
    struct tcpip *ip = ctx;
    struct pkttrace *t = &ip->trace;
    u8 header[HEADER_MAX];
    struct summary s;
    if (!t->on || !summary_of(header, bytes_at(p, 0, header, sizeof header), &s) || !wanted(t, lnk, &s))
        return;
    t->packets++;
    if (now - t->second >= USEC_PER_SEC) pkttrace_poll(ip, now);
    if (!line_allowed(t)) return;
    say_summary(ip->sys->env.con, lnk, out, &s, pkt_bytes(p));
    say_bytes(ip->sys->env.con, t, p);
}

u64 pkttrace_poll(struct tcpip *ip, u64 now) {
    struct pkttrace *t = &ip->trace;
    if (!t->on) return TIME_NEVER;
    if (now - t->second < USEC_PER_SEC) return t->lost ? t->second + USEC_PER_SEC : TIME_NEVER;
    if (t->lost) console_message(ip->sys->env.con, PLX0262I, t->lost);
    t->second = now;
    t->lines = t->lost = 0;
    return TIME_NEVER;
}
