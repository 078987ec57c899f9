/* ping.h - PING and TRACERTE from the console: ICMP echo requests, one at a time.
 *
 *   PING host [(COUNT n LENGTH n TIMEOUT n)]     COUNT 1-100 (1), LENGTH 8-8192 (256) bytes, TIMEOUT (10) seconds
 *   TRACERTE host [(MAX n TRY n TIMEOUT n)]      hops 1-255 (30), probes a hop 1-10 (3), seconds (5)
 *
 *   PING      request -> reply: next request at once; no reply in TIMEOUT: said, next request
 *   TRACERTE  TTL 1, 2, 3 ... TRY probes each; "time exceeded" names the hop; a reply or "unreachable" ends it
 *
 * The numbers of requests are those that the ICMP end point gives them (1, 2, ...; net/udp.h), so a late
 * answer to an earlier probe is recognised and not taken for the current one's.
 */
#ifndef SUPER_PING_H
#define SUPER_PING_H

#include "base/base.h"
#include "net/sock.h"
#include "wire/ipaddr.h"

struct tcpip;

#define PING_LENGTH_MAX    8192
#define TRACERTE_TRIES_MAX 10

struct ping_request {
    bool trace;
    struct ipaddr host;
    u32 count, length, timeout_sec; /* count: of PING; of TRACERTE the probes a hop */
    u32 max_hops;
};

struct ping {
    struct sock *s; /* NULL: idle */
    struct ping_request ask;
    u32 sent, received;
    u64 sent_at, deadline;
    u32 shortest_us, longest_us;
    u32 hop, probe;
    bool arrived; /* TRACERTE: the host answered, or nothing further can */
    struct ipaddr hop_addr;
    char hop_line[80];
    u8 data[PING_LENGTH_MAX + 64];
};

void ping_request_default(struct ping_request *r, bool trace);
/* 0, -ERR_BUSY (one is running), or why the socket or the first request failed. */
int ping_start(struct tcpip *ip, const struct ping_request *r, u64 now);
void ping_stop(struct tcpip *ip, u64 now);
u64 ping_poll(struct tcpip *ip, u64 now);

#endif
