/* ping.c - PING and TRACERTE over an ICMP socket; how they behave: ping.h. */
#include "super/ping.h"

#include "base/be.h"
#include "base/str.h"
#include "net/ip.h"
#include "net/sock.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/system.h"
#include "super/tcpip.h"

#define ICMP_HEADER        8
#define ICMP_ECHO_REPLY    0
#define ICMP_UNREACHABLE   3
#define ICMP_TIME_EXCEEDED 11

static struct console *con(struct tcpip *ip) { return ip->sys->env.con; }

void ping_request_default(struct ping_request *r, bool trace) {
    *r = (struct ping_request){.trace = trace,
                               .count = trace ? 3 : 1,
                               .length = trace ? 40 : 256,
                               .timeout_sec = trace ? 5 : 10,
                               .max_hops = 30};
}

/* The number of the request that an answer belongs to: in the echo reply itself, or in what an error
 * quotes. */
static u32 answered_request(const u8 *d, u32 len) {
    if (d[0] == ICMP_ECHO_REPLY) return be16_get(d + 6);
    if (len < ICMP_HEADER + IP_HEADER_BYTES) return 0;
    u32 header = (d[ICMP_HEADER] & 15u) * 4u;
    return len >= ICMP_HEADER + header + ICMP_HEADER ? be16_get(d + ICMP_HEADER + header + 6) : 0;
}

void ping_stop(struct tcpip *ip, u64 now) {
    struct ping *g = &ip->ping;
    if (!g->s) return;
    sock_close(g->s, now);
    g->s = NULL;
}

/* Sends the next request. A refusal is an answer too: it is said, and the request counts as lost. */
static int request_send(struct tcpip *ip, u64 now) {
    struct ping *g = &ip->ping;
    struct sockaddr4 to = {.addr = g->ask.host};
    for (u32 i = 0; i < g->ask.length; i++) g->data[i] = (u8)('A' + i % 26);
    g->sent++;
    g->sent_at = now;
    g->deadline = now + (u64)g->ask.timeout_sec * USEC_PER_SEC;
    if (g->ask.trace) sock_setopt(g->s, SO_TTL, g->hop, now);
    i32 rc = sock_sendto(g->s, g->data, g->ask.length, &to, now);
    return rc < 0 ? (int)rc : 0;
}

static void ping_end(struct tcpip *ip, u64 now) {
    struct ping *g = &ip->ping;
    char host[IPADDR_TEXT_MAX];
    ipaddr_text(g->ask.host, host);
    if (g->ask.trace)
        console_message(con(ip), PLX0271I, host,
                        g->arrived ? "COMPLETE" : "ENDED WITHOUT AN ANSWER FROM THE HOST");
    else
        console_message(con(ip), PLX0270I, host, g->sent, g->received, g->received ? g->shortest_us : 0,
                        g->longest_us);
    ping_stop(ip, now);
}

static const char *refusal(int rc) {
    switch (-rc) {
    case ERR_NETUNREACH: return "NETWORK UNREACHABLE";
    case ERR_HOSTUNREACH: return "HOST UNREACHABLE";
    case ERR_NETDOWN: return "NETWORK DOWN";
    case ERR_NOBUFS: return "NO BUFFER";
    case ERR_MSGSIZE: return "TOO LONG";
    default: return "NOT SENT";
    }
}

/* ---- PING ---- */

static void ping_next(struct tcpip *ip, u64 now) {
    struct ping *g = &ip->ping;
    while (g->sent < g->ask.count) {
        int rc = request_send(ip, now);
        if (rc == 0) return;
        console_message(con(ip), EZZ3114I, g->sent, refusal(rc));
    }
    ping_end(ip, now);
}

static void ping_answer(struct tcpip *ip, const u8 *d, struct ipaddr from, u64 now) {
    struct ping *g = &ip->ping;
    char text[IPADDR_TEXT_MAX];
    if (d[0] == ICMP_ECHO_REPLY) {
        u32 us = (u32)(now - g->sent_at);
        g->received++;
        g->shortest_us = u32_min(g->shortest_us, us);
        g->longest_us = u32_max(g->longest_us, us);
        console_message(con(ip), EZZ3112I, g->sent, us / USEC_PER_SEC, us % USEC_PER_SEC);
    } else {
        console_message(con(ip), EZZ3115I, g->sent, ipaddr_text(from, text), (u32)d[0], (u32)d[1]);
    }
    ping_next(ip, now);
}

/* ---- TRACERTE ---- */

static void hop_begin(struct ping *g) {
    g->hop++;
    g->probe = 0;
    g->hop_addr = IPADDR_ANY;
    g->hop_line[0] = '\0';
}

static void hop_say(struct tcpip *ip) {
    struct ping *g = &ip->ping;
    char text[IPADDR_TEXT_MAX];
    console_message(con(ip), EZZ3120I, g->hop,
                    ipaddr_is_any(g->hop_addr) ? "*" : ipaddr_text(g->hop_addr, text), g->hop_line);
}

static void hop_add(struct ping *g, const char *text) {
    u32 at = (u32)strlen(g->hop_line);
    str_fmt(g->hop_line + at, sizeof g->hop_line - at, "%s%s", at ? "  " : "", text);
    g->probe++;
}

/* The next probe of this hop, or the next hop, or the end. */
static void trace_next(struct tcpip *ip, u64 now) {
    struct ping *g = &ip->ping;
    for (;;) {
        if (g->hop == 0 || g->probe == g->ask.count) {
            if (g->hop) hop_say(ip);
            if (g->arrived || g->hop == g->ask.max_hops) {
                ping_end(ip, now);
                return;
            }
            hop_begin(g);
        }
        int rc = request_send(ip, now);
        if (rc == 0) return;
        hop_add(g, refusal(rc));
    }
}

static void trace_answer(struct tcpip *ip, const u8 *d, struct ipaddr from, u64 now) {
    struct ping *g = &ip->ping;
    char text[24];
    u32 us = (u32)(now - g->sent_at);
    str_fmt(text, sizeof text, "%u.%03u MS%s", us / 1000, us % 1000, d[0] == ICMP_UNREACHABLE ? " !" : "");
    g->received++;
    g->hop_addr = from;
    if (d[0] != ICMP_TIME_EXCEEDED) g->arrived = true;
    hop_add(g, text);
    trace_next(ip, now);
}

/* ---- both ---- */

static void readable(void *ctx, struct sock *s, u32 events, u64 now) {
    struct tcpip *ip = ctx;
    struct ping *g = &ip->ping;
    UNUSED(events);
    /* The socket is closed by the last answer, and a new one may be opened from inside: compare each time. */
    while (g->s == s) {
        struct sockaddr4 from;
        i32 len = sock_recvfrom(s, g->data, sizeof g->data, &from, NULL, now);
        if (len == -ERR_AGAIN) return;
        if (len < ICMP_HEADER || answered_request(g->data, u32_min((u32)len, sizeof g->data)) != g->sent)
            continue;
        if (g->ask.trace)
            trace_answer(ip, g->data, from.addr, now);
        else
            ping_answer(ip, g->data, from.addr, now);
    }
}

int ping_start(struct tcpip *ip, const struct ping_request *r, u64 now) {
    struct ping *g = &ip->ping;
    char host[IPADDR_TEXT_MAX];
    if (g->s) return -ERR_BUSY;
    struct sock *s;
    int rc = sock_open(ip->stk, SOCK_ICMP, r->trace ? "TRACERTE" : "PING", &s);
    if (rc) return rc;
    *g = (struct ping){.s = s, .ask = *r, .shortest_us = UINT32_MAX};
    sock_on_event(s, readable, ip);
    ipaddr_text(r->host, host);
    if (r->trace) {
        console_message(con(ip), EZZ3119I, host);
        trace_next(ip, now);
    } else {
        console_message(con(ip), EZZ3111I, host, r->length);
        ping_next(ip, now);
    }
    return 0;
}

u64 ping_poll(struct tcpip *ip, u64 now) {
    struct ping *g = &ip->ping;
    if (!g->s) return TIME_NEVER;
    if (now < g->deadline) return g->deadline;
    if (g->ask.trace) {
        hop_add(g, "*");
        trace_next(ip, now);
    } else {
        console_message(con(ip), EZZ3113I, g->sent);
        ping_next(ip, now);
    }
    return g->s ? g->deadline : TIME_NEVER;
}
