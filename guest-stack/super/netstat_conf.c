/* netstat_conf.c - NETSTAT CONFIG and STATS: what was asked for, and what happened. */
#include "base/str.h"
#include "net/netconf.h"
#include "net/stack_impl.h"
#include "net/stats.h"
#include "net/tcp.h"
#include "super/netstat.h"
#include "super/plexip.h"
#include "super/tcpip.h"
#include "sysplex/distributor.h"
#include "sysplex/sysplex.h"
#include "sysplex/vcrt.h"

static const char *yes_no(bool v) { return v ? "YES" : "NO"; }

/* ---- CONFIG ---- */

static void config_tcp(struct netstat *n, const struct tcp_config *c) {
    reply_line(n->r, "TCP CONFIGURATION TABLE:");
    reply_line(n->r, "DEFAULTRCVBUFSIZE:  %08u  DEFAULTSNDBUFSIZE: %08u", c->recv_buffer_bytes,
               c->send_buffer_bytes);
    reply_line(n->r, "DEFLTMAXRCVBUFSIZE: %08u  SOMAXCONN:         %08u", c->max_recv_bytes, c->max_backlog);
    reply_line(n->r, "MAXRETRANSMITTIME:   120.000  MINRETRANSMITTIME:    0.500");
    reply_line(n->r, "ROUNDTRIPGAIN:         0.125  VARIANCEGAIN:         0.250");
    reply_line(n->r, "VARIANCEMULTIPLIER:    2.000  MAXSEGLIFETIME:      60.000");
    reply_line(n->r, "DEFAULTKEEPALIVE: %8u  FINWAIT2TIME:      %8u", c->keepalive_min, c->finwait2_sec);
    reply_line(n->r, "CONNECTTIMEOUT:   %8u  TIMEWAITINTERVAL:  %8u", c->connect_timeout_sec,
               c->timewait_sec);
    reply_line(n->r, "DELAYACK: %-3s RESTRICTLOWPORT: %-3s SENDGARBAGE: %-3s TCPTIMESTAMP: %s",
               yes_no(c->delay_acks), yes_no(c->restrict_low_ports), yes_no(c->send_garbage),
               yes_no(c->timestamps));
    reply_line(n->r, "EPHEMERALPORTS: %u-%u", (u32)c->ephemeral_first, (u32)c->ephemeral_last);
}

static void config_udp(struct netstat *n, const struct udp_config *c) {
    reply_line(n->r, "UDP CONFIGURATION TABLE:");
    reply_line(n->r, "DEFAULTRCVBUFSIZE:  %08u  DEFAULTSNDBUFSIZE: %08u", c->recv_buffer_bytes,
               c->send_buffer_bytes);
    reply_line(n->r, "CHECKSUM: %-3s RESTRICTLOWPORT: %-3s UDPQUEUELIMIT: %s", yes_no(c->checksum),
               yes_no(c->restrict_low_ports), yes_no(c->queue_limit));
}

static void config_ip(struct netstat *n, const struct ip_config *c) {
    static const char *const multipath[] = {"NO", "CONN", "PKT"};
    char addr[IPADDR_TEXT_MAX], mask[IPADDR_TEXT_MAX];
    reply_line(n->r, "IP CONFIGURATION TABLE:");
    reply_line(n->r, "FORWARDING: %-6s TIMETOLIVE: %05u  RSMTIMEOUT:  %05u",
               c->forwarding ? c->forward_per_packet ? "PKT" : "YES" : "NO", (u32)c->ttl,
               c->reassembly_timeout_sec);
    reply_line(n->r, "FIREWALL:   NO     ARPTIMEOUT: %05u  MAXRSMSIZE:  65535", c->arp_timeout_sec);
    reply_line(n->r, "IGREDIRECT: %-6s SYSPLXROUT: %-5s  DOUBLENOP:   NO", yes_no(c->ignore_redirect),
               yes_no(c->sysplex_routing));
    reply_line(n->r, "STOPCLAWER: NO     SOURCEVIPA: %-5s  VARSUBNET:   %s", yes_no(c->source_vipa),
               yes_no(c->variable_subnetting));
    reply_line(n->r, "MULTIPATH:  %-6s PATHMTUDSC: %-5s  DEVRTRYDUR:  %010u", multipath[c->multipath],
               yes_no(c->path_mtu_discovery), c->device_retry_sec);
    reply_line(n->r, "DYNAMICXCF: %s", yes_no(!ipaddr_is_any(c->dynamic_xcf)));
    if (!ipaddr_is_any(c->dynamic_xcf))
        reply_line(n->r, "  IPADDR: %s  SUBNET: %s  METRIC: %02u", ipaddr_text(c->dynamic_xcf, addr),
                   ipaddr_text(c->dynamic_xcf_mask, mask), (u32)c->dynamic_xcf_metric);
}

void netstat_config(struct netstat *n) {
    const struct net_config *c = net_config(n->stk);
    config_tcp(n, &c->tcp);
    config_udp(n, &c->udp);
    config_ip(n, &c->ip);
    reply_line(n->r, "GLOBAL CONFIGURATION INFORMATION:");
    reply_line(n->r, "MAXRECS: %05u  AUTOLOG: %u ENTRIES, %u RESTARTS", n->ip->max_records,
               n->ip->autolog.count, n->ip->autolog.restarts);
    netstat_config_sysplex(n);
    n->shown = n->matched = 4; /* the four tables */
}

/* ---- STATS ---- */

static void counter_line(struct netstat *n, const char *name, u32 value) {
    char upper[40];
    if (netstat_row(n)) reply_line(n->r, "  %-24s = %u", netstat_upper(name, upper, sizeof upper), value);
}

/* The stack in its group, and what became of packets for distributed DVIPAs: each way to lose one has a row. */
static void plex_counters(struct netstat *n) {
    const char *name;
    u32 value;
    if (n->ip->sx) reply_line(n->r, "SYSPLEX STATISTICS");
    for (u32 i = 0; n->ip->sx && (name = sysplex_counter(n->ip->sx, i, &value)) != NULL; i++) counter_line(n, name, value);
    if (!n->ip->dist) return;
    reply_line(n->r, "DISTRIBUTOR STATISTICS");
    for (u32 i = 0; (name = distributor_counter(n->ip->dist, i, &value)) != NULL; i++) counter_line(n, name, value);
    counter_line(n, "vcrt_evicted", distributor_vcrt(n->ip->dist)->evicted);
    counter_line(n, "vcrt_full", distributor_vcrt(n->ip->dist)->full);
}

static void pool_line(struct netstat *n, const struct pool *p) {
    char name[32];
    if (!p || !netstat_row(n)) return;
    reply_line(n->r, "  %-24s %10u OF %10u IN USE, HIGH %u, REFUSED %u",
               netstat_upper(p->name, name, sizeof name), p->in_use, p->count, p->high_water, p->refused);
}

void netstat_stats(struct netstat *n) {
    struct stats_row row;
    const char *group = "";
    char name[40];
    /* The default limit is for lists of unknown length; this one is as long as it is. */
    if (n->max == n->ip->max_records) n->max = UINT32_MAX;
    for (u32 i = 0; net_stats_row(n->stk, i, &row); i++) {
        if (strcmp(group, row.group) != 0)
            reply_line(n->r, "%s STATISTICS", netstat_upper(row.group, name, sizeof name));
        group = row.group;
        counter_line(n, row.name, row.value);
    }
    plex_counters(n);
    const struct stack *s = n->stk;
    const struct pool *pools[] = {&s->small,          &s->large,    &s->huge,       &s->home.pool,
                                  &s->routes.pool,    &s->arp.pool, &s->ports.pool, &s->dgrams.pool,
                                  tcp_buffer_pool(s), sock_pool(s)};
    reply_line(n->r, "STORAGE POOLS");
    for (u32 i = 0; i < ARRAY_LEN(pools); i++) pool_line(n, pools[i]);
    if (n->ip->dist) pool_line(n, &distributor_vcrt(n->ip->dist)->pool);
}
