/* osa_port_impl.h - what the files of the OSA's port share with each other and with nobody else.
 *
 *   osa_port.c           life, messages, attachments, isolation, names
 *   osa_port_request.c   OSA_MSG_REQUEST: one function an operation, in a table
 *   osa_port_oat.c       OAT and MAC table: find, add, remove
 *   osa_port_arp.c       ARP: neighbours, waiting packets, answers, probes, announcements
 *   osa_port_switch.c    where a packet goes; delivery to an attachment and to the LAN
 *   osa_port_frame.c     frames: parse, check an offload request, finish checksums and segments
 */
#ifndef HERCULES_DEVICES_OSA_PORT_IMPL_H
#define HERCULES_DEVICES_OSA_PORT_IMPL_H

#include "base/be.h"
#include "base/str.h"
#include "hercules-devices/osa_port.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ip4.h"

#define PORT_NOBODY   0xFFu       /* oat_entry.attachment of a free entry */
#define PORT_LATER    0xFFFFFFFFu /* a request's answer follows */
#define PORT_TCP      6u
#define PORT_UDP      17u
#define PORT_LINE_MAX 160u

static inline u64 port_bit(u32 n) { return (u64)1 << n; }
static inline u32 port_lowest(u64 set) { return (u32)__builtin_ctzll(set); }

/* ---- osa_port.c ---- */
void port_log(struct osa_port *p, enum engine_severity sev, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void port_event(struct osa_port *p, u32 n, enum osa_event event, struct ipaddr ip);
void port_answer(struct osa_port *p, u32 n, u16 tag, u8 op, u32 rc);
/* Brings the sets of started attachments up to date after a change of attachment n. */
void port_sets_update(struct osa_port *p, u32 n);
/* Counts a drop of a frame at the interface it came in by. */
void port_drop(struct osa_port *p, const struct osa_frame *f, enum osa_attachment_counter at_lpar,
               enum osa_port_counter at_lan);

/* ---- osa_port_request.c ---- */
void port_request(struct osa_port *p, u32 n, const u8 *msg, u64 now);
/* A probe ended: conflict or silence. */
void port_probe_end(struct osa_port *p, struct osa_oat_entry *e, bool conflict, u64 now);
void port_router_clear(struct osa_port *p, u32 n);

/* ---- osa_port_oat.c ---- */
u32 port_hash_ip(struct ipaddr ip);
struct osa_oat_entry *port_oat_find(struct osa_port *p, struct ipaddr ip);
struct osa_oat_entry *port_oat_add(struct osa_port *p, struct ipaddr ip, u32 n, u8 flags); /* NULL: full */
void port_oat_remove(struct osa_port *p, struct osa_oat_entry *e);
void port_oat_remove_all(struct osa_port *p, u32 n);
/* e, which gets the flag, waits until due: PROBING, LEAVING or AGAIN, one of them at a time. */
void port_oat_wait(struct osa_port *p, struct osa_oat_entry *e, u8 flag, u64 due);
void port_oat_waited(struct osa_port *p, struct osa_oat_entry *e); /* it waits for nothing any more */
/* The attachment that receives packets for ip, or -1: the entry is not probing and its owner is started. */
int port_oat_owner(struct osa_port *p, struct ipaddr ip);
u64 port_mac_members(struct osa_port *p, const u8 *mac);
bool port_mac_add(struct osa_port *p, const u8 *mac, struct ipaddr group, u32 n); /* false: full */
bool port_mac_remove(struct osa_port *p, const u8 *mac, struct ipaddr group, u32 n);
void port_mac_remove_all(struct osa_port *p, u32 n);

/* ---- osa_port_arp.c ---- */
void port_arp_init(struct osa_port *p);
/* Sends f to its neighbour hop, now or when the neighbour has answered. */
void port_arp_output(struct osa_port *p, struct osa_frame *f, struct ipaddr hop, u64 now);
/* An ARP packet passed: learn, detect conflicts, answer for registered addresses. */
void port_arp_input(struct osa_port *p, const struct osa_frame *f, u64 now);
void port_arp_announce(struct osa_port *p, struct ipaddr ip);
void port_arp_probe(struct osa_port *p, struct ipaddr ip);
/* Attachment n has an address now: what it could not ask for before. */
void port_arp_ask_again(struct osa_port *p, u32 n);
u64 port_arp_tick(struct osa_port *p, u64 now);
bool port_arp_add(struct osa_port *p, struct ipaddr ip, const u8 *mac);
bool port_arp_delete(struct osa_port *p, struct ipaddr ip);
void port_arp_flush(struct osa_port *p);
/* Known neighbours as entries of 12 bytes; returns how many fitted in max. */
u32 port_arp_list(const struct osa_port *p, u8 *out, u32 max);
/* Packets of attachment n that wait are thrown away. */
void port_arp_forget(struct osa_port *p, u32 n);

/* ---- osa_port_switch.c ---- */
void port_switch_ip(struct osa_port *p, struct osa_frame *f, struct ipaddr hop, u64 now); /* from layer 3 */
void port_switch_ether(struct osa_port *p, struct osa_frame *f, u64 now); /* from LCS, layer 2, LAN, port */
void port_send_to_mac(struct osa_port *p, struct osa_frame *f, const u8 *mac);

/* ---- osa_port_frame.c ---- */
/* An IP packet of a layer 3 attachment, with an Ethernet header from the port's MAC before it. */
bool port_frame_from_ip(struct osa_port *p, struct osa_frame *f, const u8 *msg, u32 len);
/* Is the offload request sensible? May clear gso_bytes of a packet that fits one segment. */
bool port_frame_offload_ok(struct osa_frame *f);
bool port_frame_fits(const struct osa_frame *f, u32 mtu_bytes);
void port_frame_set_mac(struct osa_frame *f, const u8 *dst);
/* Writes the frame from offset skip on, with its checksum finished, to out. Not for gso frames. */
void port_frame_write(const struct osa_frame *f, u32 skip, u8 *out);
/* Is the transport checksum of a whole TCP or UDP packet right? true for everything else. */
bool port_frame_verify(const struct osa_frame *f);

#endif
