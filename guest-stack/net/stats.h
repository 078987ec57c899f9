/* stats.h - the counters behind NETSTAT STATS, grouped as MIB-II (RFC 1213) groups them, and below them the
 * causes of every drop. Each counter is 32 bits and wraps, as a MIB's Counter32 does.
 *
 * Each group is an X list, so that the struct, the display and the names cannot differ.
 */
#ifndef NET_STATS_H
#define NET_STATS_H

#include "base/base.h"

#define IP_STATS(X)                                                                                          \
    X(in_receives) X(in_hdr_errors) X(in_addr_errors) X(forw_datagrams) X(in_unknown_protos) X(in_discards)  \
    X(in_delivers) X(out_requests) X(out_discards) X(out_no_routes) X(reasm_timeouts) X(reasm_reqds)         \
    X(reasm_oks) X(reasm_fails) X(frag_oks) X(frag_fails) X(frag_creates)                                    \
    /* causes */                                                                                             \
    X(drop_short) X(drop_version) X(drop_header_len) X(drop_total_len) X(drop_checksum) X(drop_options)      \
    X(drop_source_route) X(drop_martian_src) X(drop_martian_dst) X(drop_not_forwarding) X(drop_ttl)          \
    X(drop_forward_link_bcast) X(drop_no_buffer) X(drop_no_link) X(drop_claimed) X(drop_frag_malformed)      \
    X(drop_frag_overlap) X(drop_frag_full) X(drop_frag_too_big) X(drop_loop_full) X(drop_pmtu_df)            \
    X(drop_not_member)

#define ICMP_STATS(X)                                                                                        \
    X(in_msgs) X(in_errors) X(in_dest_unreachs) X(in_time_excds) X(in_parm_probs) X(in_src_quenchs)          \
    X(in_redirects) X(in_echos) X(in_echo_reps) X(in_timestamps) X(in_timestamp_reps) X(in_addr_masks)       \
    X(in_addr_mask_reps) X(out_msgs) X(out_errors) X(out_dest_unreachs) X(out_time_excds)                    \
    X(out_parm_probs) X(out_src_quenchs) X(out_redirects) X(out_echos) X(out_echo_reps) X(out_timestamps)    \
    X(out_timestamp_reps) X(out_addr_masks) X(out_addr_mask_reps)                                            \
    /* causes */                                                                                             \
    X(drop_short) X(drop_checksum) X(drop_type) X(drop_broadcast_echo) X(drop_rate_limited)                  \
    X(drop_no_error_allowed) X(drop_redirect_ignored) X(drop_redirect_refused) X(drop_quote)                 \
    X(drop_no_endpoint)

#define TCP_STATS(X)                                                                                         \
    X(active_opens) X(passive_opens) X(attempt_fails) X(estab_resets) X(curr_estab) X(in_segs) X(out_segs)   \
    X(retrans_segs) X(in_errs) X(out_rsts)                                                                   \
    /* beyond the MIB */                                                                                     \
    X(delayed_acks) X(window_probes_out) X(keepalive_probes) X(keepalive_drops) X(retransmit_drops)          \
    X(finwait2_drops) X(fast_retransmits) X(sack_recoveries) X(timeouts) X(dup_acks_in)                      \
    X(out_of_order_segs) X(header_predicted) X(pmtu_reductions) X(challenge_acks) X(challenge_limited)       \
    X(syn_cookies_sent) X(syn_cookies_ok) X(syn_cookies_bad) X(half_open_evicted) X(timewait_reused)         \
    X(timewait_evicted) X(spurious_timeouts)                                                                 \
    /* causes */                                                                                             \
    X(drop_short) X(drop_checksum) X(drop_header_len) X(drop_options) X(drop_no_listener) X(drop_backlog)    \
    X(drop_no_socket) X(drop_no_buffer) X(drop_window) X(drop_paws) X(drop_old_ack) X(drop_future_ack)       \
    X(drop_rst_invalid) X(drop_syn_in_window) X(drop_no_ack) X(drop_broadcast) X(drop_timewait)           \
    X(drop_routed_syn)

#define UDP_STATS(X)                                                                                         \
    X(in_datagrams) X(no_ports) X(in_errors) X(out_datagrams)                                                \
    /* causes */                                                                                             \
    X(drop_short) X(drop_length) X(drop_checksum) X(drop_queue_full) X(drop_buffer_full) X(drop_no_buffer)   \
    X(drop_broadcast) X(drop_out)

#define ARP_STATS(X)                                                                                         \
    X(in_requests) X(in_replies) X(out_requests) X(out_replies) X(out_gratuitous) X(learned) X(refreshed)    \
    X(changed) X(timed_out) X(conflicts)                                                                     \
    /* causes */                                                                                             \
    X(drop_short) X(drop_format) X(drop_martian) X(drop_not_ours) X(drop_unwanted) X(drop_pending_full)      \
    X(drop_unresolved) X(drop_table_full) X(drop_no_buffer)

#define IGMP_STATS(X)                                                                                        \
    X(in_queries) X(in_reports) X(out_reports) X(out_leaves)                                                 \
    /* causes */                                                                                             \
    X(drop_short) X(drop_checksum) X(drop_type) X(drop_group) X(drop_ttl)

#define LINK_STATS(X)                                                                                        \
    X(gso_cut) X(gso_segments) X(software_checksums)                                                         \
    /* causes */                                                                                             \
    X(drop_frame_short) X(drop_frame_type) X(drop_frame_not_ours)

#define STATS_MEMBER(name) u32 name;
struct ip_stats {
    IP_STATS(STATS_MEMBER)
};
struct icmp_stats {
    ICMP_STATS(STATS_MEMBER)
};
struct tcp_stats {
    TCP_STATS(STATS_MEMBER)
};
struct udp_stats {
    UDP_STATS(STATS_MEMBER)
};
struct arp_stats {
    ARP_STATS(STATS_MEMBER)
};
struct igmp_stats {
    IGMP_STATS(STATS_MEMBER)
};
struct link_stats {
    LINK_STATS(STATS_MEMBER)
};
#undef STATS_MEMBER

struct net_stats {
    struct ip_stats ip;
    struct icmp_stats icmp;
    struct tcp_stats tcp;
    struct udp_stats udp;
    struct arp_stats arp;
    struct igmp_stats igmp;
    struct link_stats link;
};

struct stack;
const struct net_stats *net_stats(const struct stack *stk);

/* One counter by group and position, for displays: "IP", "in_receives", its value. false past the end. */
struct stats_row {
    const char *group, *name;
    u32 value;
};
bool net_stats_row(const struct stack *stk, u32 index, struct stats_row *out);

#endif
