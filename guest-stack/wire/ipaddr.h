/* ipaddr.h - an IP address as a type. IPv4 today; every table keys on struct ipaddr and these accessors,
 * so that a second family is a change in this file and in the wire formats only.
 */
#ifndef WIRE_IPADDR_H
#define WIRE_IPADDR_H

#include "base/base.h"
#include "base/be.h"

struct ipaddr {
    u32 v4; /* host order */
};

#define IPADDR_ANY ((struct ipaddr){0})
#define IPADDR_LOOPBACK ((struct ipaddr){0x7F000001u})
#define IPADDR_BROADCAST ((struct ipaddr){0xFFFFFFFFu})
#define IPADDR_TEXT_MAX 16 /* "255.255.255.255" and its NUL */

static inline struct ipaddr ipaddr_v4(u32 host_order) { return (struct ipaddr){host_order}; }
static inline struct ipaddr ipaddr_get(const u8 *p) { return (struct ipaddr){be32_get(p)}; }
static inline void ipaddr_put(u8 *p, struct ipaddr a) { be32_put(p, a.v4); }
static inline bool ipaddr_eq(struct ipaddr a, struct ipaddr b) { return a.v4 == b.v4; }
static inline bool ipaddr_is_any(struct ipaddr a) { return a.v4 == 0; }
static inline bool ipaddr_is_loopback(struct ipaddr a) { return a.v4 >> 24 == 127; }
static inline bool ipaddr_is_multicast(struct ipaddr a) { return a.v4 >> 28 == 14; }
static inline bool ipaddr_is_broadcast(struct ipaddr a) { return a.v4 == 0xFFFFFFFFu; }
static inline bool ipaddr_in_subnet(struct ipaddr a, struct ipaddr net, struct ipaddr mask) {
    return ((a.v4 ^ net.v4) & mask.v4) == 0;
}

/* Dotted decimal into out[IPADDR_TEXT_MAX]; returns out. */
const char *ipaddr_text(struct ipaddr a, char *out);
/* Exactly one dotted-decimal address in text[0..len); false on anything else. */
bool ipaddr_parse(const char *text, size_t len, struct ipaddr *out);
/* A mask must be contiguous ones from the left; -1 if not, else its prefix length 0..32. */
int ipaddr_mask_bits(struct ipaddr mask);

#endif
