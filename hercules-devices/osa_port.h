/* osa_port.h - the port side of one OSA: what all LPARs that share a card share. Pure: no I/O, no clock, no
 * allocation; the card process (osa_card.c), the simulator and the fuzzers stand around it.
 *
 *   attachment   one device group of one LPAR, number 0..OSA_ATTACHMENTS-1: FREE -> LINKED (a peer connection)
 *                -> ATTACHED (OSA_MSG_ATTACH) -> started (OSA_OP_STARTLAN: packets flow to it)
 *   OAT          IP address -> attachment; by registration (SETIP) or, for an LCS attachment, which registers
 *                nothing, learned from its own ARP
 *   MAC table    MAC -> set of attachments: layer 2's own MACs and everybody's multicast groups
 *   ARP          neighbours on the LAN, for the packets of layer 3 attachments
 *
 * Where a packet goes
 *   from layer 3    next hop in the OAT: that LPAR. Else ARP, then the LAN. Group: members and the LAN.
 *   from LCS, L2    destination MAC in the MAC table: that LPAR. The port's own MAC: as from the LAN.
 *                   Else the LAN. Group: members and the LAN. A broadcast reaches everybody.
 *   from the LAN    port's MAC: IP destination in the OAT, else the primary router, else the secondary one, else
 *                   a lone LCS attachment, else counted. A MAC of layer 2: that LPAR. Group: members.
 *   Nothing returns to where it came from. ARP requests for registered (not learned) addresses are answered.
 *   CHPID type IQD (HiperSockets): no LAN behind it; what is not in the tables is counted.
 *
 * Registration (SETIP)
 *   address is      free        own          other LPAR's, not VIPA   other LPAR's VIPA
 *   plain           probe, OK   OK           IN_USE                   IN_USE
 *   VIPA            OK          OK           IN_USE                   taken over
 *   with TAKEOVER   OK          OK           taken over               taken over
 *   probe: an ARP probe (RFC 5227); a foreign answer within OSA_PROBE_USEC gives IN_USE, silence gives OK. Each OK is
 *   followed by a gratuitous ARP, and another one after OSA_AGAIN_USEC (RFC 5227 2.3). Taken over: the former owner gets OSA_EVENT_IP_LOST.
 *   DELIP with OSA_IP_PASSES_ON: LEAVING for OSA_LEAVING_USEC. The card neither announces the address nor answers
 *   for it any more, but packets for it go to the former owner until somebody registers it here: a station whose ARP table is not yet
 *   right loses none. Whoever registers it meanwhile gets it.
 *
 * Offloads. A packet with gso bytes or an unfinished checksum is finished here unless the uplink does it (a TAP
 * with vnet header). What reaches an LPAR has a right checksum in its bytes, always; large TCP packets are cut for
 * an attachment unless it switched OSA_ASSIST_LRO on. With OSA_ASSIST_CSUM_IN on, wrong ones are dropped.
 *
 * Calls: osa_port_init; then, as things happen, _link_up, _message, _link_down, _from_uplink, _lan, _fence; _tick at
 * the moment it asked for. All inputs are PEER: they are counted and dropped, or answered with an IPA return code.
 * The host table's functions are called from within; they must not call back into the port.
 */
#ifndef HERCULES_DEVICES_OSA_PORT_H
#define HERCULES_DEVICES_OSA_PORT_H

#include "base/base.h"
#include "base/list.h"
#include "hercules-devices/engine.h"
#include "hercules-devices/osa_wire.h"
#include "wire/ipaddr.h"

#define OSA_ATTACHMENTS     64u   /* as many as bits in a set of attachments */
#define OSA_OAT_MAX         4096u /* of the LPARs that share the card, 1,024 dynamic VIPAs of each included */
#define OSA_MACS_MAX        512u
#define OSA_ARP_MAX         1024u
#define OSA_PENDING_MAX     64u   /* packets that wait for ARP, all neighbours together */
#define OSA_PENDING_PER_HOP 4u
#define OSA_PENDING_BYTES   9216u /* a larger one (GSO to an unknown neighbour) is dropped: TCP repeats it */
#define OSA_PROBES_MAX      64u
#define OSA_FENCES_MAX      64u
#define OSA_MTU_MIN         576u
#define OSA_MTU_MAX         8992u
#define OSA_LRO_MAX         65408u /* largest packet given to an LPAR: with its headers it fits 64 KB of buffer */
#define OSA_GSO_MIN         64u /* smaller segments would let one packet become thousands of frames */
#define OSA_LPAR_NAME_MAX   8u

#define OSA_PROBE_USEC        (50u * USEC_PER_MSEC)
#define OSA_AGAIN_USEC        (1100u * USEC_PER_MSEC) /* Linux takes a new MAC for an entry that is a second old at least */
#define OSA_LEAVING_USEC      (2u * USEC_PER_SEC) /* the LAN knows the next owner long before */
#define OSA_ARP_RETRY_USEC    (1u * USEC_PER_SEC)
#define OSA_ARP_TRIES         3u
#define OSA_ARP_LIFETIME_USEC (1200ull * USEC_PER_SEC)
#define OSA_ARP_REFRESH_USEC  (30u * USEC_PER_SEC) /* asked again this long before the end of its life */

#define OSA_FROM_LAN  0xFFFFu /* in osa_frame.from, beside attachment numbers */
#define OSA_FROM_PORT 0xFFFEu

#define OSA_FRAME_HEAD_MAX (18 + 60) /* Ethernet with VLAN tag, IPv4 header with options */

/* A frame on its way through the port: head then body, without a gap. Offsets count from the start of head. */
struct osa_frame {
    u8 head[OSA_FRAME_HEAD_MAX];
    u32 head_len; /* Ethernet header and, if it is IPv4, the IP header */
    u32 link_len; /* of these, the Ethernet header: 14 or 18; 0 = a packet without one */
    const u8 *body;
    u32 body_len;
    u16 from; /* attachment, OSA_FROM_LAN or OSA_FROM_PORT */
    u16 ethertype;
    u16 vlan;      /* tag control information, 0 = none */
    u8 cast;       /* OSA_CAST_* */
    bool ip;       /* an IPv4 header was checked; the three fields below are valid */
    u8 ip_proto;
    bool ip_fragment;
    struct ipaddr src, dst;
    u16 gso_bytes;    /* 0 = one frame */
    bool csum_needed; /* the field holds the folded pseudo-header sum */
    u32 csum_start, csum_field;
};

enum osa_attachment_state { OSA_ATT_FREE, OSA_ATT_LINKED, OSA_ATT_ATTACHED };

/* Counters of an attachment; osa_attachment_counter_name() names them. "in" is from the LPAR into the card. */
enum osa_attachment_counter {
    OSA_AC_PACKETS_IN,
    OSA_AC_BYTES_IN,
    OSA_AC_PACKETS_OUT,
    OSA_AC_BYTES_OUT,
    OSA_AC_GSO_IN,
    OSA_AC_GSO_OUT,
    OSA_AC_DROP_MESSAGE,     /* unknown or damaged message */
    OSA_AC_DROP_STATE,       /* not attached, not started, fenced, or the LAN is down */
    OSA_AC_DROP_MALFORMED,   /* no valid IP or Ethernet packet, bad offload request */
    OSA_AC_DROP_MTU,
    OSA_AC_DROP_NO_NEIGHBOUR, /* ARP got no answer */
    OSA_AC_DROP_ARP_QUEUE,   /* no room to wait for ARP */
    OSA_AC_DROP_NO_OWNER,    /* HiperSockets: nobody has this address */
    OSA_AC_DROP_SELF,        /* next hop is an address of the sender */
    OSA_AC_DROP_UPLINK,      /* the uplink did not take it */
    OSA_AC_DROP_RING,        /* towards the LPAR: it does not keep up */
    OSA_AC_DROP_CHECKSUM,    /* towards the LPAR: wrong transport checksum, assist on */
    OSA_AC_DROP_NOT_IP,      /* towards a layer 3 attachment: something else */
    OSA_AC_REQUESTS,
    OSA_AC_REQUESTS_REFUSED,
    OSA_AC_COUNT
};

enum osa_port_counter {
    OSA_PC_FRAMES_IN, /* from the LAN */
    OSA_PC_BYTES_IN,
    OSA_PC_FRAMES_OUT,
    OSA_PC_BYTES_OUT,
    OSA_PC_GSO_IN,
    OSA_PC_GSO_OUT,
    OSA_PC_SEGMENTS_OUT, /* frames that software segmentation made */
    OSA_PC_DROP_MALFORMED,
    OSA_PC_DROP_NOT_FOR_US, /* another station's MAC */
    OSA_PC_DROP_NO_OWNER,   /* the port's MAC, an address nobody registered, no router */
    OSA_PC_DROP_MTU,
    OSA_PC_DROP_LAN_DOWN,
    OSA_PC_ARP_REQUESTS_IN,
    OSA_PC_ARP_REPLIES_IN,
    OSA_PC_ARP_REQUESTS_OUT,
    OSA_PC_ARP_REPLIES_OUT,
    OSA_PC_ARP_EVICTED,    /* table full: the entry least recently used made room */
    OSA_PC_ARP_CONFLICTS,  /* somebody on the LAN uses a registered address */
    OSA_PC_TAKEOVERS,
    OSA_PC_OAT_FULL,
    OSA_PC_MACS_FULL,
    OSA_PC_PROBES_FULL, /* SETIP answered without a probe */
    OSA_PC_COUNT
};

struct osa_attachment {
    enum osa_attachment_state state;
    u64 incarnation;
    char lpar[OSA_LPAR_NAME_MAX + 1];
    u32 device;
    u8 mode; /* OSA_MODE_* */
    u8 router;
    u32 assists;
    bool started, promiscuous, fenced;
    u64 count[OSA_AC_COUNT];
};

enum osa_oat_flags { OSA_OAT_VIPA = 1, OSA_OAT_LEARNED = 2, OSA_OAT_PROBING = 4, OSA_OAT_LEAVING = 8, OSA_OAT_AGAIN = 16 };

struct osa_oat_entry {
    struct ipaddr ip;
    u16 next;       /* in the hash chain or the free list; index + 1, 0 = end */
    u8 attachment;
    u8 flags;
    u16 probe_tag; /* of the SETIP that waits for the probe's result */
    u64 due;       /* end of the probe or of LEAVING; AGAIN: of the second announcement */
};

struct osa_mac_entry {
    u8 mac[6];
    u16 next;
    struct ipaddr group; /* SETIPM: two groups may share one MAC */
    u64 members;         /* bit n: attachment n */
};

enum osa_arp_state { OSA_ARP_FREE, OSA_ARP_PENDING, OSA_ARP_RESOLVED, OSA_ARP_STATIC };

struct osa_arp_entry {
    struct list order; /* PENDING: by deadline; RESOLVED: least recently used first */
    struct list waiting;
    struct ipaddr ip;
    u8 mac[6];
    u16 next;
    u8 state, tries, waiting_count;
    bool refreshing;
    u64 deadline; /* PENDING: next request; RESOLVED: end of life */
};

/* A packet that waits for ARP, flattened: Ethernet header, then the packet. */
struct osa_pending {
    struct list node;
    u16 from;
    u32 len;
    u16 vlan;
    u16 gso_bytes;
    bool csum_needed;
    u32 csum_start, csum_field;
    u8 bytes[OSA_PENDING_BYTES];
};

struct osa_fence {
    char lpar[OSA_LPAR_NAME_MAX + 1];
    u64 incarnation; /* this one and older ones are refused */
};

struct osa_port_params {
    char name[17];
    u8 mac[6];
    u8 chpid;            /* OSA_CHPID_* */
    u32 mtu_bytes;       /* IP packet, OSA_MTU_MIN..OSA_MTU_MAX; IQD up to 57344 */
    bool uplink;         /* there is a LAN */
    bool uplink_offload; /* it takes gso_bytes and csum_needed as they are */
};

struct osa_port_host {
    void *ctx;
    /* Room for a message to attachment n; NULL: it does not keep up. */
    u8 *(*reserve)(void *ctx, u32 n, u32 bytes);
    void (*commit)(void *ctx, u32 n, u32 bytes);
    /* One frame to the LAN; false: not taken. */
    bool (*uplink)(void *ctx, const struct osa_frame *f);
    /* A frame passed an interface: attachment n or OSA_FROM_LAN; to_card: its direction. NULL: nobody listens. */
    void (*capture)(void *ctx, u32 n, bool to_card, const struct osa_frame *f);
    void (*log)(void *ctx, enum engine_severity sev, const char *text);
};

#define OSA_HASH 1024u /* buckets; a power of two */

struct osa_port {
    struct osa_port_params params;
    const struct osa_port_host *host;
    bool lan_up;
    u8 primary, secondary; /* attachment + 1, 0 = none */
    u32 arp_count, oat_count, mac_count, probe_count, leaving_count, again_count, pending_count;
    u64 oat_due; /* the earliest due of the OAT, so that a tick need not look for it; early is right, late is not */
    u64 count[OSA_PC_COUNT];
    struct osa_attachment att[OSA_ATTACHMENTS];
    u64 started; /* bit n: packets flow to attachment n; the three sets below are parts of it */
    u64 started_l3, started_ether, started_promiscuous;
    u64 started_lcs;
    struct osa_oat_entry oat[OSA_OAT_MAX];
    u16 oat_hash[OSA_HASH], oat_free;
    struct osa_mac_entry macs[OSA_MACS_MAX];
    u16 mac_hash[OSA_HASH], mac_free;
    struct osa_arp_entry arp[OSA_ARP_MAX];
    u16 arp_hash[OSA_HASH], arp_free;
    struct list arp_pending, arp_resolved;
    struct osa_pending pending[OSA_PENDING_MAX];
    struct list pending_free;
    struct osa_fence fence[OSA_FENCES_MAX];
    u32 fence_count;
    u8 stage[OSA_FRAME_DATA + 65536 + 64]; /* where software finishes a frame */
};

/* -- life -- */
/* 0; -ERR_INVAL if a parameter is outside its domain. p is caller's storage of any content (about 1 MB). */
int osa_port_init(struct osa_port *p, const struct osa_port_params *params, const struct osa_port_host *host);
/* Switches software finishing on or off (an impaired wire carries real frames). */
void osa_port_uplink_offload(struct osa_port *p, bool on);

/* -- attachments -- */
/* A connection came up; it gets a free number, or -ERR_NOMEM. */
int osa_port_link_up(struct osa_port *p, u64 incarnation);
void osa_port_link_down(struct osa_port *p, u32 n, u64 now);
/* One message from attachment n. */
void osa_port_message(struct osa_port *p, u32 n, const u8 *msg, u32 len, u64 now);
/* Isolates all attachments of an LPAR ("" = of all) with their present incarnations: their addresses are
 * withdrawn, OSA_EVENT_FENCED is sent, nothing is accepted any more. Returns how many. */
u32 osa_port_fence(struct osa_port *p, const char *lpar, u64 now);
/* The same for attachment n alone; false: there was nothing to isolate. */
bool osa_port_fence_one(struct osa_port *p, u32 n);
bool osa_port_fenced(const struct osa_port *p, const char *lpar, u64 incarnation);

/* -- the LAN -- */
/* The cable: up or down. Attachments are told; after up, addresses are announced again. */
void osa_port_lan(struct osa_port *p, bool up, u64 now);
/* A frame from the LAN; bytes[0..len) from the destination MAC on. csum_start/field as in struct osa_frame. */
struct osa_uplink_meta {
    u16 gso_bytes;
    bool csum_needed;
    u32 csum_start, csum_field;
};
void osa_port_from_uplink(struct osa_port *p, const u8 *bytes, u32 len, const struct osa_uplink_meta *meta, u64 now);
/* Does what is due; returns the next deadline, TIME_NEVER if there is none. */
u64 osa_port_tick(struct osa_port *p, u64 now);

/* -- offload, also used by capture (osa_port_offload.c) -- */
/* Hands sink each frame as it is on a wire, finished, in stage[0..cap). Returns the number of frames, 0 if the
 * frame's offload request is nonsense or cap is too small. skip: bytes of link header to leave out (link_len or 0). */
typedef void (*osa_frame_sink)(void *ctx, u8 *bytes, u32 len);
u32 osa_frame_finish(const struct osa_frame *f, u32 skip, u8 *stage, u32 cap, osa_frame_sink sink, void *ctx);
/* Parses an Ethernet frame into f (head, body, IP facts); false: not a frame or a broken IPv4 header. */
bool osa_frame_parse(struct osa_frame *f, const u8 *bytes, u32 len, u16 from);
static inline u32 osa_frame_len(const struct osa_frame *f) { return f->head_len + f->body_len; }

/* -- names for displays -- */
const char *osa_attachment_counter_name(u32 counter);
const char *osa_port_counter_name(u32 counter);
const char *osa_mode_name(u32 mode);

#endif
