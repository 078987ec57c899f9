/* link.h - DEVICE and LINK as PROFILE.TCPIP knows them, and the tables a driver fills.
 *
 * A device is what START and STOP act on and what owns subchannels; a link is what HOME, routes and packets
 * refer to. A driver (room link/) implements struct device_ops and struct link_ops; net calls down through
 * them, and the driver calls up with the link_* and device_* functions declared at the end.
 *
 *   device status:  NOT_ACTIVE -> STARTING -> READY -> (LAN failure: link down, device stays READY)
 *                      ^------------ STOPPING <--'      device failure: NOT_ACTIVE, retried if AUTORESTART
 *
 * What it may touch: base, wire, stack. Everything here runs on the stack's single thread of control.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "base/base.h"
#include "base/list.h"
#include "net/pkt.h"
#include "net/timer.h"
#include "wire/ipaddr.h"

#define NAME_MAX_LEN 16 /* device and link names, without the NUL */
#define MAC_LEN 6
#define LINKS_MAX 64 /* links of one stack that have a driver: a set of them is a u64 */
#define LINK_NO_INDEX (LINKS_MAX - 1) /* of VIRTUAL links, which are never in such a set */

struct stack;
struct device;
struct link;

enum device_type { DEV_LOOPBACK, DEV_VIRTUAL, DEV_MPCIPA, DEV_LCS, DEV_CTC, DEV_MPCPTP, DEV_TYPES };
enum link_type {
    LNK_LOOPBACK,
    LNK_VIRTUAL,
    LNK_IPAQENET,
    LNK_ETHERNET,
    LNK_CTC,
    LNK_MPCPTP,
    LNK_IPAQIDIO,
    LNK_TYPES
};
enum device_status { DEVST_NOT_ACTIVE, DEVST_STARTING, DEVST_READY, DEVST_STOPPING, DEVST_STATES };
enum router_role { ROUTER_NONE, ROUTER_PRIMARY, ROUTER_SECONDARY };

enum link_caps {
    LINK_CAP_CSUM_OUT = 0x01, /* finishes TCP/UDP checksums and IP header checksums */
    LINK_CAP_CSUM_IN = 0x02,  /* verifies them */
    LINK_CAP_GSO = 0x04,      /* cuts a large TCP packet into gso_bytes segments */
    LINK_CAP_ARP = 0x08,      /* resolves next hops itself (QDIO layer 3, point to point) */
    LINK_CAP_MCAST = 0x10,
    LINK_CAP_BCAST = 0x20,
};

/* Asked by net of a driver. Each returns 0 or -ERR_*; results that take time arrive by the up-calls. */
struct device_ops {
    const char *type_name;                       /* as DEVLINKS prints it: "MPCIPA", "LCS" ... */
    int (*attach)(struct device *dev, void *ctx); /* at LINK: take driver storage */
    void (*detach)(struct device *dev);          /* at DELETE LINK; only when NOT_ACTIVE */
    int (*start)(struct device *dev, u64 now);   /* -> device_ready() or device_failed() */
    int (*stop)(struct device *dev, u64 now);    /* -> device_stopped() */
    /* What a code given to device_failed() means, for the console; may be NULL. Returns out. */
    const char *(*fail_text)(u32 code, char *out, size_t cap);
};

struct link_ops {
    /* Sends one packet. LINK_CAP_ARP: p is an IP packet and next_hop its neighbour. Otherwise p is a whole
     * Ethernet frame and next_hop is ignored. -ERR_NOBUFS: the card's queue is full (counted as a drop). */
    int (*output)(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now);
    /* End of a batch of output(): ring the card once. May be NULL. */
    void (*flush)(struct link *lnk, u64 now);
    /* Registers/withdraws an address that this stack answers for (OSA's address table); may be NULL.
     * Results arrive as link_address_result(). passes_on: another stack is about to take the address, so what is on its way
     * here still is to be delivered for a while, and nobody told that it is here. */
    int (*address_add)(struct link *lnk, struct ipaddr addr, bool is_vipa, u64 now);
    int (*address_del)(struct link *lnk, struct ipaddr addr, bool passes_on, u64 now);
    int (*group_join)(struct link *lnk, struct ipaddr group, u64 now);
    int (*group_leave)(struct link *lnk, struct ipaddr group, u64 now);
    /* V TCPIP,,PURGECACHE and NETSTAT ARP for cards that resolve themselves; may be NULL. */
    int (*arp_purge)(struct link *lnk, u64 now);
    int (*arp_query)(struct link *lnk, void (*row)(void *ctx, struct ipaddr ip, const u8 *mac), void *ctx);
    /* The driver's own counters by name ("drops_in_header"), for NETSTAT DEVLINKS; may be NULL. */
    void (*counters)(const struct link *lnk, void (*row)(void *ctx, const char *name, u64 value), void *ctx);
};

/* One entry of the table of drivers that super hands to stack_create(), indexed by enum device_type. */
struct driver {
    const struct device_ops *device;
    const struct link_ops *link;
    void *ctx; /* given to attach() */
};

struct link_counters {
    u64 bytes_in, bytes_out, packets_in, packets_out;
    u64 drops_in_no_buffer, drops_in_malformed, drops_in_down, drops_out_no_buffer, drops_out_down, drops_out_no_arp;
};

struct device {
    struct list node; /* stack's devices, in profile order */
    struct stack *stk;
    char name[NAME_MAX_LEN + 1]; /* device_rename() */
    u32 name_key;                /* differs where the name does, mostly: a thousand names are looked through fast */
    enum device_type type;
    enum device_status status;
    u16 devnum;
    enum router_role role;
    bool autorestart, wanted; /* wanted: START was asked, STOP not since */
    struct timer retry;
    u64 retry_since;
    u32 iobuffer_bytes; /* CTC */
    struct link *lnk;   /* one link a device, as IPAQENET has it; NULL until LINK */
    const struct driver *driver;
    void *state; /* the driver's */
};

struct link {
    struct list flush_node; /* first member; among those to be flushed */
    struct list node;       /* stack's links, in profile order */
    struct stack *stk;
    struct device *dev;
    char name[NAME_MAX_LEN + 1];
    u32 name_key; /* as a device's */
    enum link_type type;
    u16 adapter; /* number in the LINK statement; CTC: 0 or 1 */
    u8 index;    /* this link's bit in home_entry.registered; LINK_NO_INDEX if it is VIRTUAL */
    bool up;     /* packets flow */
    bool ipbcast;
    bool monsysplex; /* LINK ... MONSYSPLEX: the sysplex monitor watches it */
    u16 caps;
    u32 mtu_bytes;     /* what the medium carries; routes may use less */
    u32 gso_max_bytes; /* largest IP packet output() takes with gso_bytes set, 0 = none */
    u8 mac[MAC_LEN];
    /* BSDROUTINGPARMS */
    u32 bsd_mtu_bytes; /* 0 = DEFAULTSIZE */
    u8 bsd_metric;
    struct ipaddr bsd_mask, bsd_dest;
    struct link *address_of; /* its address is that link's: dynamic XCF has one for all; NULL: its own */
    u64 igmp_v1_until; /* a version 1 querier was heard */
    struct link_counters count;
    bool flush_due;
    const struct link_ops *ops;
    void *state; /* the driver's */
};

/* ---- configuration (control path; profile and commands call these) ---- */
/* Both fail with -ERR_EXIST (name in use, or the device has a link), -ERR_NOMEM (table full), -ERR_NOENT (no
 * driver for this type), -ERR_INVAL (no such link on such a device); link_add also with what attach() says. */
int device_add(struct stack *stk, const char *name, enum device_type type, u16 devnum, struct device **out);
int link_add(struct stack *stk, struct device *dev, const char *name, enum link_type type, u16 adapter,
             struct link **out);
/* DELETE: -ERR_BUSY while in HOME, in a route, or not NOT_ACTIVE. */
int link_delete(struct stack *stk, const char *name);
int device_delete(struct stack *stk, const char *name);
struct device *device_find(struct stack *stk, const char *name);
/* Its name may be cut to NAME_MAX_LEN characters. */
void device_rename(struct device *dev, const char *name);
struct link *link_find(struct stack *stk, const char *name);
/* START/STOP. Idempotent; messages EZZ4313I etc. follow when it is done. -ERR_INVAL: VIRTUAL and LOOPBACK,
 * which are always active; -ERR_NOENT: the device has no link. */
int device_start(struct device *dev, u64 now);
int device_stop(struct device *dev, u64 now);
const char *device_status_name(enum device_status s);
const char *device_type_name(enum device_type t);
const char *link_type_name(enum link_type t);

/* ---- data path ---- */
/* Sends an IP packet to a neighbour: ARP if the link needs it, software checksum and segmentation where the
 * card has none, counters. Always takes the packet; a drop is counted under its cause. */
void link_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now);
/* For a driver that was given a packet past link_output(): it took it, so it counts, and the link is flushed with the others. */
void link_flush_later(struct link *lnk);
static inline void link_sent(struct link *lnk, u32 bytes) {
    lnk->count.packets_out++;
    lnk->count.bytes_out += bytes;
    if (!lnk->flush_due) link_flush_later(lnk);
}
/* Rings every card that got packets since the last call; stack_poll() and input batches end with it. */
void link_flush_all(struct stack *stk, u64 now);

/* ---- up-calls of drivers ---- */
void link_input(struct link *lnk, struct pkt *p, u64 now);       /* an IP packet */
void link_input_frame(struct link *lnk, struct pkt *p, u64 now); /* an Ethernet frame */
void device_ready(struct device *dev, u64 now); /* the LAN counts as up until link_lan_down() */
void device_failed(struct device *dev, u32 code, u64 now); /* activation or running device lost */
void device_stopped(struct device *dev, u64 now);
void link_lan_up(struct link *lnk, u64 now); /* cable in, STARTLAN event, card back */
void link_lan_down(struct link *lnk, u64 now);
void link_address_result(struct link *lnk, struct ipaddr addr, u32 ipa_rc, u64 now); /* 0 = registered */

#endif
