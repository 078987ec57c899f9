/* packets.c - packets written by hand for tests. See packets.h. */
#include "packets.h"

#include "base/str.h"
#include "testnet.h"
#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/eth.h"

u32 packet_ip(u8 *out, const struct packet_ip *h, const void *payload, u32 len) {
    u32 header = 20 + h->options_len;
    struct ip4_fields f = {.src = testnet_ip(h->src),
                           .dst = testnet_ip(h->dst),
                           .total = (u16)(header + len),
                           .id = h->id,
                           .frag = h->frag,
                           .tos = h->tos,
                           .ttl = h->ttl ? h->ttl : 64,
                           .proto = h->proto};
    ip4_emit(out, &f);
    out[0] = (u8)(0x40 | header / 4);
    if (h->options_len) memcpy(out + 20, h->options, h->options_len);
    ip4_sign(out);
    if (len) memmove(out + header, payload, len);
    return header + len;
}

u32 packet_udp(u8 *out, const struct packet_ip *h, u16 from, u16 to, const void *data, u32 len) {
    static u8 udp[65536];
    struct packet_ip ip = *h;
    be16_put(udp, from);
    be16_put(udp + 2, to);
    be16_put(udp + 4, (u16)(len + 8));
    be16_put(udp + 6, 0);
    if (len) memcpy(udp + 8, data, len);
    u32 sum = cksum_pseudo(testnet_ip(h->src), testnet_ip(h->dst), 17, len + 8);
    u16 value = cksum_fold(cksum_add(sum, udp, len + 8));
    be16_put(udp + 6, value ? value : 0xFFFF);
    ip.proto = 17;
    return packet_ip(out, &ip, udp, len + 8);
}

u32 packet_icmp(u8 *out, const struct packet_ip *h, u8 type, u8 code, u32 word, const void *data, u32 len) {
    u8 icmp[2048] = {type, code};
    struct packet_ip ip = *h;
    be32_put(icmp + 4, word);
    if (len) memcpy(icmp + 8, data, len);
    be16_put(icmp + 2, cksum_fold(cksum_add(0, icmp, len + 8)));
    ip.proto = 1;
    return packet_ip(out, &ip, icmp, len + 8);
}

u32 packet_igmp(u8 *out, const struct packet_ip *h, u8 type, u8 tenths, const char *group) {
    u8 igmp[8] = {type, tenths};
    struct packet_ip ip = *h;
    ipaddr_put(igmp + 4, testnet_ip(group));
    be16_put(igmp + 2, cksum_fold(cksum_add(0, igmp, 8)));
    ip.proto = 2;
    if (!ip.ttl) ip.ttl = 1;
    return packet_ip(out, &ip, igmp, 8);
}

u32 packet_frame(u8 *out, const u8 *dst_mac, const u8 *src_mac, u16 type, const void *payload, u32 len) {
    static const u8 all[6] = {255, 255, 255, 255, 255, 255};
    memmove(out + 14, payload, len);
    eth_emit(out, dst_mac ? dst_mac : all, src_mac, type);
    return len + 14;
}

u32 packet_arp(u8 *out, u16 op, const u8 *sender_mac, const char *sender, const u8 *target_mac,
               const char *target) {
    struct arp_packet a = {.op = op, .sender = testnet_ip(sender), .target = testnet_ip(target)};
    memcpy(a.sender_mac, sender_mac, 6);
    if (target_mac) memcpy(a.target_mac, target_mac, 6);
    arp_emit(out + 14, &a);
    return packet_frame(out, target_mac, sender_mac, ETH_TYPE_ARP, out + 14, ARP_BYTES);
}
