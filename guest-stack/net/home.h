/* home.h - the HOME list: the addresses this stack answers for, and which link answers for each.
 *
 * Order is that of the HOME statement and matters: SOURCEVIPA takes the nearest static VIPA above the
 * outgoing link's entry; the first entry (or PRIMARYINTERFACE's) is the default local address. Dynamic VIPAs
 * behave as if they stood at the end. LOOPBACK's 127.0.0.1 is always there.
 *
 * Every entry is registered with links (an OSA's address table, or our own ARP where the card has none):
 *
 *   entry                       answered for by
 *   address of a link           that link while it is up; else the first other up link on the same LAN
 *                               (EZZ4329I) until the lost one is back
 *   VIPA outside a link's LAN   that link, while it is up: any adapter may be the way in
 *   VIPA inside a LAN           the first up link of that LAN, so that one adapter answers ARP for it
 *   INTERNAL, LOOPBACK          nobody
 *
 * Two links are on one LAN when their HOME addresses share a subnet: BSDROUTINGPARMS' mask, else the link's
 * direct route. home_sync() compares what is with what should be and tells the drivers the difference; it is
 * called after each change of a link, a route or the list. A refused registration (EZZ4327I) is tried again
 * every HOME_RETRY_SEC.
 */
#ifndef NET_HOME_H
#define NET_HOME_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "net/hash.h"
#include "net/link.h"
#include "net/timer.h"
#include "wire/ipaddr.h"

#define HOME_RETRY_SEC 10

enum home_flags {
    HOME_VIPA = 0x01,      /* on a VIRTUAL link */
    HOME_DYNAMIC = 0x02,   /* DVIPA: packets for it are offered to stack_hooks.claim first */
    HOME_INTERNAL = 0x04,  /* flag I of NETSTAT HOME: ours, but never registered with a link */
    HOME_GENERATED = 0x08, /* not from a HOME statement: survives its replacement (LOOPBACK, XCF, DVIPA) */
};

struct home_entry {
    struct hash_row hash; /* first member: a row is its entry */
    struct list node;     /* HOME order */
    struct ipaddr addr;
    struct link *lnk;
    u8 flags;
    u64 registered; /* bit link.index: that link answers for it */
    u64 refused;    /* bit link.index: that link's card said no */
};

struct home_table {
    struct pool pool;
    struct hash_table hash;
    struct list order;    /* struct home_entry.node */
    struct link *primary; /* PRIMARYINTERFACE, NULL = first entry */
    struct home_entry *last_hit;
    struct timer retry;
};

size_t home_bytes(u32 max_home);
bool home_init(struct stack *stk, struct arena *a, u32 max_home);

/* -ERR_EXIST address is in the list; -ERR_NOMEM list full; -ERR_INVAL any, loopback, broadcast or multicast
 * address; -ERR_BUSY a non-virtual link that has an address already. HOME_VIPA is set from the link's type.
 * Without HOME_GENERATED the entry goes after the last static entry. */
int home_add(struct stack *stk, struct ipaddr addr, struct link *lnk, u8 flags, u64 now);
int home_del(struct stack *stk, struct ipaddr addr, u64 now); /* -ERR_NOENT */
/* HOME_INTERNAL on or off: a DVIPA is given up or taken while packets for it are still accepted. -ERR_NOENT. */
int home_hide(struct stack *stk, struct ipaddr addr, bool hidden, u64 now);
/* The first HOME statement of a file replaces the list: removes every entry that a HOME statement made. */
void home_clear(struct stack *stk, u64 now);
/* PRIMARYINTERFACE; NULL = back to the first entry. */
void home_set_primary(struct stack *stk, struct link *lnk);

/* NULL if addr is not ours. O(1). */
struct home_entry *home_find(struct stack *stk, struct ipaddr addr);
/* Iteration in HOME order: e = NULL starts, NULL ends. */
struct home_entry *home_next(const struct stack *stk, const struct home_entry *e);
/* The address of a link; any if it has none. */
struct ipaddr home_of_link(const struct stack *stk, const struct link *lnk);
/* The default local address: PRIMARYINTERFACE's, else the first static entry's, else any. Flag P. */
struct home_entry *home_primary(const struct stack *stk);
/* The static VIPA that SOURCEVIPA uses on lnk; any if there is none above its entry. */
struct ipaddr home_source_vipa(const struct stack *stk, const struct link *lnk);
/* The subnet of a LAN link as its HOME address and mask say; false if unknown. */
bool home_link_subnet(const struct stack *stk, const struct link *lnk, struct ipaddr *net,
                      struct ipaddr *mask);
/* Does this link answer (ARP) for addr now? */
bool home_answers(struct stack *stk, const struct link *lnk, struct ipaddr addr);
void home_sync(struct stack *stk, u64 now);
/* link_address_result(): EZZ4327I and a later try if rc is not 0. */
void home_registration_result(struct stack *stk, struct link *lnk, struct ipaddr addr, u32 ipa_rc, u64 now);
/* The driver's state is gone (device failed or stopped): nothing is registered with lnk any more. */
void home_link_forgotten(struct stack *stk, const struct link *lnk);

#endif
