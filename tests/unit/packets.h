/* packets.h - packets written by hand for tests: an IP packet, Ethernet around it, UDP, ICMP, ARP, IGMP. */
#ifndef TESTS_UNIT_PACKETS_H
#define TESTS_UNIT_PACKETS_H

#include "base/base.h"
#include "wire/ip4.h"

/* Header fields that a test wants to differ; zero members get the usual value (ttl 64). */
struct packet_ip {
    const char *src, *dst;
    u8 proto, ttl, tos;
    u16 id, frag;
    const u8 *options;
    u32 options_len;
};
/* An IP packet around payload; returns its length. out has room for 60 + len bytes. */
u32 packet_ip(u8 *out, const struct packet_ip *h, const void *payload, u32 len);
/* UDP with a right checksum, from and to the addresses of h. */
u32 packet_udp(u8 *out, const struct packet_ip *h, u16 from, u16 to, const void *data, u32 len);
/* ICMP with a right checksum. word: bytes 4..7. */
u32 packet_icmp(u8 *out, const struct packet_ip *h, u8 type, u8 code, u32 word, const void *data, u32 len);
u32 packet_igmp(u8 *out, const struct packet_ip *h, u8 type, u8 tenths, const char *group);
/* An Ethernet frame around an IP packet or ARP. dst_mac NULL: broadcast. */
u32 packet_frame(u8 *out, const u8 *dst_mac, const u8 *src_mac, u16 type, const void *payload, u32 len);
u32 packet_arp(u8 *out, u16 op, const u8 *sender_mac, const char *sender, const u8 *target_mac,
               const char *target);

#endif
