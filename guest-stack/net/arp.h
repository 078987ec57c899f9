/* arp.h - address resolution (RFC 826, 1122 2.3.2, 5227) for links whose card does not do it (LCS).
 *
 *   state        packets are      leaves it by
 *   INCOMPLETE   queued (4)       reply -> REACHABLE; ARP_TRIES requests 1 s apart -> FAILED
 *   REACHABLE    sent             ARPTO without news from the same host and MAC -> PROBING if used, else gone
 *   PROBING      sent             unicast request answered -> REACHABLE; ARP_TRIES -> gone
 *   FAILED       dropped          ARP_HOLD_SEC -> gone (ICMP host unreachable for what was queued)
 *
 * What is learned: replies we asked for; requests to one of our addresses (made or refreshed); gratuitous ARP
 * only refreshes or changes a row that exists, so a stranger cannot fill the table. A packet that claims one
 * of our addresses is counted and answered by one announcement at most every ARP_DEFEND_SEC (RFC 5227 2.4 b).
 */
#ifndef NET_ARP_H
#define NET_ARP_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "net/link.h"
#include "net/pkt.h"
#include "net/timer.h"
#include "wire/ipaddr.h"

#define ARP_TRIES       3
#define ARP_HOLD_SEC    20
#define ARP_DEFEND_SEC  10
#define ARP_PENDING_MAX 4

enum arp_state { ARP_INCOMPLETE, ARP_REACHABLE, ARP_PROBING, ARP_FAILED, ARP_STATES };

struct arp_entry {
    struct hash_row hash; /* first member: a row is its entry */
    struct list node;     /* all rows, oldest first */
    struct timer timer;
    struct link *lnk;
    struct ipaddr addr;
    u8 mac[MAC_LEN];
    u8 state, tries;
    bool used; /* since it became REACHABLE */
    u8 pending_count;
    struct list pending; /* struct pbuf, IP packets */
};

struct arp_table {
    struct pool pool;
    struct hash_table hash;
    struct list all;
    u64 defend_after;
};

size_t arp_bytes(u32 max_arp);
bool arp_init(struct stack *stk, struct arena *a, u32 max_arp);

/* Sends IP packet p to next_hop over an Ethernet link, now or when it is resolved. */
void arp_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now);
/* data is the 28 bytes after the Ethernet header. */
void arp_input(struct link *lnk, const struct pkt *p, u64 now);
/* Tells the LAN that addr is at this link's MAC (after START, takeover, give-back). */
void arp_announce(struct link *lnk, struct ipaddr addr, u64 now);
/* V TCPIP,,PURGECACHE,link, and loss of the link: rows and what they hold go. */
void arp_purge(struct stack *stk, struct link *lnk, u64 now);

/* NETSTAT ARP: every row of the cache, then what cards with LINK_CAP_ARP tell. */
struct arp_row {
    struct ipaddr addr;
    const struct link *lnk;
    const u8 *mac; /* NULL while INCOMPLETE or FAILED */
    enum arp_state state;
};
void arp_for_each(struct stack *stk, void (*row)(void *ctx, const struct arp_row *r), void *ctx);

#endif
