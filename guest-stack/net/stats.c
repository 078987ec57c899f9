/* stats.c - counters by name for displays. See stats.h. */
#include "net/stats.h"

#include "net/stack_impl.h"

#define NAME_OF(name) #name,
static const char *const ip_names[] = {IP_STATS(NAME_OF)};
static const char *const icmp_names[] = {ICMP_STATS(NAME_OF)};
static const char *const tcp_names[] = {TCP_STATS(NAME_OF)};
static const char *const udp_names[] = {UDP_STATS(NAME_OF)};
static const char *const arp_names[] = {ARP_STATS(NAME_OF)};
static const char *const igmp_names[] = {IGMP_STATS(NAME_OF)};
static const char *const link_names[] = {LINK_STATS(NAME_OF)};

/* Each group is nothing but u32 counters in the order of its list, so position is place. */
static const struct {
    const char *name;
    const char *const *counter;
    u32 count, at;
} groups[] = {
    {"IP", ip_names, ARRAY_LEN(ip_names), offsetof(struct net_stats, ip)},
    {"ICMP", icmp_names, ARRAY_LEN(icmp_names), offsetof(struct net_stats, icmp)},
    {"TCP", tcp_names, ARRAY_LEN(tcp_names), offsetof(struct net_stats, tcp)},
    {"UDP", udp_names, ARRAY_LEN(udp_names), offsetof(struct net_stats, udp)},
    {"ARP", arp_names, ARRAY_LEN(arp_names), offsetof(struct net_stats, arp)},
    {"IGMP", igmp_names, ARRAY_LEN(igmp_names), offsetof(struct net_stats, igmp)},
    {"LINK", link_names, ARRAY_LEN(link_names), offsetof(struct net_stats, link)},
};

const struct net_stats *net_stats(const struct stack *stk) {
    return &stk->stats;
}

bool net_stats_row(const struct stack *stk, u32 index, struct stats_row *out) {
    for (u32 g = 0; g < ARRAY_LEN(groups); g++) {
        if (index >= groups[g].count) {
            index -= groups[g].count;
            continue;
        }
        const u8 *group = (const u8 *)&stk->stats + groups[g].at;
        out->group = groups[g].name;
        out->name = groups[g].counter[index];
        out->value = ((const u32 *)(const void *)group)[index];
        return true;
    }
    return false;
}
