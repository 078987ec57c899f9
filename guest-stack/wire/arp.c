/* arp.c - ARP packets: check, parse, emit. See wire/arp.h. */
#include "wire/arp.h"

#include "base/str.h"

#define ARP_FIXED 0x00010800u /* Ethernet, IPv4 */

bool arp_check(const u8 *p, u32 len, bool *is_short) {
    *is_short = len < ARP_BYTES;
    if (*is_short || be32_get(p) != ARP_FIXED || p[4] != 6 || p[5] != 4) return false;
    u16 op = be16_get(p + 6);
    return op == ARP_REQUEST || op == ARP_REPLY;
}

void arp_parse(const u8 *p, struct arp_packet *out) {
    out->op = be16_get(p + 6);
    memcpy(out->sender_mac, p + 8, 6);
    out->sender = ipaddr_get(p + 14);
    memcpy(out->target_mac, p + 18, 6);
    out->target = ipaddr_get(p + 24);
}

void arp_emit(u8 *p, const struct arp_packet *a) {
    be32_put(p, ARP_FIXED);
    p[4] = 6;
    p[5] = 4;
    be16_put(p + 6, a->op);
    memcpy(p + 8, a->sender_mac, 6);
    ipaddr_put(p + 14, a->sender);
    memcpy(p + 18, a->target_mac, 6);
    ipaddr_put(p + 24, a->target);
}
