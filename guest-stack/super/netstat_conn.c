/* netstat_conn.c - NETSTAT CONN, BYTEINFO, SOCKETS, ALL: who talks to whom. */
#include "base/str.h"
#include "net/stack_impl.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "super/netstat.h"
#include "super/tcpip.h"
#include "sysplex/distributor.h"

static bool info_passes(const struct netstat *n, const struct tcp_info *i) {
    return netstat_client_passes(n, i->jobname) && netstat_addr_passes(n, i->key.local, i->key.foreign) &&
           netstat_port_passes(n, i->key.local_port, i->key.foreign_port);
}

static bool dgram_passes(const struct netstat *n, const struct dgram *d) {
    return d->kind == DGRAM_UDP && netstat_client_passes(n, d->jobname) &&
           netstat_addr_passes(n, d->local.addr, d->peer.addr) &&
           netstat_port_passes(n, d->local.port, d->peer.port);
}

static const char *peer_text(const struct dgram *d, char out[NETSTAT_SOCKET_MAX]) {
    if (ipaddr_is_any(d->peer.addr))
        str_copy(out, NETSTAT_SOCKET_MAX, "*..*");
    else
        netstat_socket(d->peer.addr, d->peer.port, out);
    return out;
}

struct tcp_text {
    char local[NETSTAT_SOCKET_MAX], foreign[NETSTAT_SOCKET_MAX], state[16];
};

static void tcp_texts(const struct tcp_info *i, struct tcp_text *t) {
    netstat_socket(i->key.local, i->key.local_port, t->local);
    netstat_socket(i->key.foreign, i->key.foreign_port, t->foreign);
    netstat_upper(tcp_state_name(i->state), t->state, sizeof t->state);
}

/* ---- CONN ---- */

static bool conn_line(void *ctx, const struct tcp_info *i) {
    struct netstat *n = ctx;
    struct tcp_text t;
    if (!info_passes(n, i) || !netstat_row(n)) return true;
    tcp_texts(i, &t);
    reply_line(n->r, "%-8s %08X %-21s  %-21s  %s", i->jobname, i->conn_id, t.local, t.foreign, t.state);
    return true;
}

void netstat_conn(struct netstat *n) {
    reply_line(n->r, "USER ID  CONN     LOCAL SOCKET           FOREIGN SOCKET         STATE");
    tcp_for_each(n->stk, conn_line, n);
    for (const struct dgram *d = NULL; (d = dgram_next(n->stk, d));) {
        char local[NETSTAT_SOCKET_MAX], peer[NETSTAT_SOCKET_MAX];
        if (!dgram_passes(n, d) || !netstat_row(n)) continue;
        reply_line(n->r, "%-8s %08X %-21s  %-21s  %s", d->jobname, d->conn_id,
                   netstat_socket(d->local.addr, d->local.port, local), peer_text(d, peer), "UDP");
    }
}

/* ---- BYTEINFO ---- */

static bool byte_line(void *ctx, const struct tcp_info *i) {
    struct netstat *n = ctx;
    struct tcp_text t;
    if (!info_passes(n, i) || !netstat_row(n)) return true;
    tcp_texts(i, &t);
    reply_line(n->r, "%-8s %08X %12llu %12llu %-21s  %s", i->jobname, i->conn_id,
               (unsigned long long)i->bytes_in, (unsigned long long)i->bytes_out, t.local, t.foreign);
    return true;
}

void netstat_byteinfo(struct netstat *n) {
    reply_line(n->r, "USER ID  CONN          BYTESIN     BYTESOUT LOCAL SOCKET           FOREIGN SOCKET");
    tcp_for_each(n->stk, byte_line, n);
    for (const struct dgram *d = NULL; (d = dgram_next(n->stk, d));) {
        char local[NETSTAT_SOCKET_MAX], peer[NETSTAT_SOCKET_MAX];
        if (!dgram_passes(n, d) || !netstat_row(n)) continue;
        reply_line(n->r, "%-8s %08X %12llu %12llu %-21s  %s", d->jobname, d->conn_id,
                   (unsigned long long)d->bytes_in, (unsigned long long)d->bytes_out,
                   netstat_socket(d->local.addr, d->local.port, local), peer_text(d, peer));
    }
}

/* ---- SOCKETS ---- */

static bool sock_line(void *ctx, const struct sock_info *i) {
    static const char *const types[] = {"STREAM", "DGRAM", "RAW"};
    struct netstat *n = ctx;
    char local[NETSTAT_SOCKET_MAX], peer[NETSTAT_SOCKET_MAX], state[16];
    if (!netstat_client_passes(n, i->jobname) || !netstat_addr_passes(n, i->local.addr, i->peer.addr) ||
        !netstat_port_passes(n, i->local.port, i->peer.port) || !netstat_row(n))
        return true;
    reply_line(n->r, "NAME: %-8s SUBTASK: %08X", i->jobname, i->conn_id);
    reply_line(n->r, "%-6s %-21s  %-21s  %-8s %08X", types[i->type],
               netstat_socket(i->local.addr, i->local.port, local),
               netstat_socket(i->peer.addr, i->peer.port, peer), netstat_upper(i->state, state, sizeof state),
               i->conn_id);
    return true;
}

void netstat_sockets(struct netstat *n) {
    reply_line(n->r, "SOCKETS INTERFACE STATUS:");
    reply_line(n->r, "TYPE   BOUND TO               CONNECTED TO           STATE    CONN");
    sock_for_each(n->stk, sock_line, n);
}

/* ---- ALL ---- */

/* Microseconds as OS/390 shows times: seconds and milliseconds. */
static void all_times(struct netstat *n, const struct tcp_info *i) {
    reply_line(n->r, "  ROUNDTRIPTIME:     %u.%03u  ROUNDTRIPVARIANCE: %u.%03u  RETRANSMITTIME: %u.%03u",
               i->srtt_us / USEC_PER_SEC, i->srtt_us / 1000 % 1000, i->rttvar_us / USEC_PER_SEC,
               i->rttvar_us / 1000 % 1000, i->rto_us / USEC_PER_SEC, i->rto_us / 1000 % 1000);
}

static bool all_lines(void *ctx, const struct tcp_info *i) {
    struct netstat *n = ctx;
    struct tcp_text t;
    if (!info_passes(n, i) || !netstat_row(n)) return true;
    tcp_texts(i, &t);
    reply_line(n->r, "CLIENT NAME: %-8s CLIENT ID: %08X", i->jobname, i->conn_id);
    reply_line(n->r, "LOCAL SOCKET: %-21s FOREIGN SOCKET: %s", t.local, t.foreign);
    reply_line(n->r, "  BYTESIN:           %-12llu BYTESOUT:          %llu", (unsigned long long)i->bytes_in,
               (unsigned long long)i->bytes_out);
    reply_line(n->r, "  SEGMENTSIN:        %-12u SEGMENTSOUT:       %u", i->segments_in, i->segments_out);
    reply_line(n->r, "  STATE:             %s", t.state);
    if (i->state == TCP_LISTEN) {
        reply_line(n->r, "  MAXIMUMBACKLOG:    %-12u CURRENTBACKLOG:    %u", i->backlog, i->backlog_now);
        reply_line(n->r, "  CURRENTCONNECTIONS: %-11u CONNECTIONSIN:     %-12u CONNECTIONSDROPPED: %u",
                   i->conns_now, i->conns_total, i->conns_dropped);
        if (n->ip->dist) {
            struct dist_listener_state s = distributor_listener_state(n->ip->dist, i);
            reply_line(n->r, "  SEF:               %03u          QUIESCED:          %s", (u32)s.sef, s.quiesced ? "YES" : "NO");
        }
        return true;
    }
    reply_line(n->r, "  RCVNXT:            %-12u SNDNXT:            %-12u SNDUNA: %u", i->rcv_nxt, i->snd_nxt,
               i->snd_una);
    reply_line(n->r, "  SNDWND:            %-12u RCVWND:            %-12u MAXSEGSIZE: %u", i->send_window,
               i->recv_window, i->mss);
    reply_line(n->r, "  CONGESTIONWINDOW:  %-12u SLOWSTARTTHRESHOLD: %u", i->cwnd, i->ssthresh);
    all_times(n, i);
    reply_line(n->r, "  REXMTCOUNT:        %-12u DUPLICATEACKS:     %u", i->retransmits, i->duplicate_acks);
    reply_line(n->r, "  OUTGOING QUEUED:   %-12u INCOMING QUEUED:   %u", i->send_queued, i->recv_queued);
    if (i->tcb) reply_line(n->r, "  CLUSTERCONNTYPE:   %s", sock_cluster_name(tcp_cluster_type(i->tcb)));
    return true;
}

void netstat_all(struct netstat *n) {
    tcp_for_each(n->stk, all_lines, n);
    for (const struct dgram *d = NULL; (d = dgram_next(n->stk, d));) {
        char local[NETSTAT_SOCKET_MAX], peer[NETSTAT_SOCKET_MAX];
        if (!dgram_passes(n, d) || !netstat_row(n)) continue;
        reply_line(n->r, "CLIENT NAME: %-8s CLIENT ID: %08X", d->jobname, d->conn_id);
        reply_line(n->r, "LOCAL SOCKET: %-21s FOREIGN SOCKET: %s",
                   netstat_socket(d->local.addr, d->local.port, local), peer_text(d, peer));
        reply_line(n->r, "  DATAGRAMSIN:       %-12u DATAGRAMSOUT:      %u", d->datagrams_in,
                   d->datagrams_out);
        reply_line(n->r, "  BYTESIN:           %-12llu BYTESOUT:          %llu",
                   (unsigned long long)d->bytes_in, (unsigned long long)d->bytes_out);
        reply_line(n->r, "  QUEUED:            %-12u QUEUEDBYTES:       %u", d->queued, d->queued_bytes);
    }
}
