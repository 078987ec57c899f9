/* igmp.h - multicast membership: which groups each link listens to, and the host half of IGMPv2 (RFC 2236).
 *
 *   state      meaning                                   event -> next state, action
 *   DELAYING   a report is due at a random time          timer -> IDLE, send report; other's report -> IDLE;
 *                                                        query with a shorter time -> DELAYING, timer moved
 *   IDLE       member, nothing due                       query -> DELAYING
 *
 * A joiner sends one report at once and one more after a random time up to IGMP_UNSOLICITED_SEC. The last
 * reporter sends a leave to 224.0.0.2. A version 1 query makes the link speak version 1 for IGMP_V1_SEC.
 * 224.0.0.1 is joined on every multicast link and never reported.
 */
#ifndef NET_IGMP_H
#define NET_IGMP_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "net/link.h"
#include "net/timer.h"
#include "wire/ipaddr.h"

#define IGMP_UNSOLICITED_SEC 10
#define IGMP_V1_SEC          400

enum igmp_state { IGMP_IDLE, IGMP_DELAYING, IGMP_STATES };

struct mcast_group {
    struct hash_row hash; /* first member */
    struct list node;
    struct timer timer;
    struct link *lnk;
    struct ipaddr group;
    u32 members; /* end points that joined */
    u8 state;
    bool last_reporter;
};

struct igmp_table {
    struct pool pool;
    struct hash_table hash;
    struct list all;
};

size_t igmp_bytes(u32 max_groups);
bool igmp_init(struct stack *stk, struct arena *a, u32 max_groups);

/* lnk NULL: the primary interface's. -ERR_INVAL not a group, -ERR_NETUNREACH no multicast link, -ERR_NOBUFS.
 */
int mcast_join(struct stack *stk, struct link *lnk, struct ipaddr group, u64 now);
int mcast_leave(struct stack *stk, struct link *lnk, struct ipaddr group, u64 now);
/* Where a join with this argument goes: lnk itself, or what NULL stands for. */
struct link *mcast_link(struct stack *stk, struct link *lnk);
bool mcast_is_member(struct stack *stk, const struct link *lnk, struct ipaddr group);
/* The link is up: join its groups with the card and report them. */
void igmp_link_up(struct stack *stk, struct link *lnk, u64 now);
void igmp_link_down(struct stack *stk, struct link *lnk, u64 now);
/* The link is deleted. */
void igmp_link_forgotten(struct stack *stk, struct link *lnk, u64 now);
const struct mcast_group *mcast_next(const struct stack *stk, const struct mcast_group *g);

#endif
