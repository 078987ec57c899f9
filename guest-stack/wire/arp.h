/* arp.h - the ARP packet for IPv4 over Ethernet (RFC 826), 28 bytes after the Ethernet header.
 *
 *   off len
 *    0   2  hardware 1      2  2  protocol 0800     4  1  MAC length 6    5  1  address length 4
 *    6   2  operation: 1 request, 2 reply
 *    8   6  sender MAC     14  4  sender address   18  6  target MAC     24  4  target address
 */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include "base/be.h"
#include "wire/ipaddr.h"

#define ARP_BYTES   28
#define ARP_REQUEST 1
#define ARP_REPLY   2

struct arp_packet {
    u16 op;
    u8 sender_mac[6], target_mac[6];
    struct ipaddr sender, target;
};

/* Is it an ARP request or reply for IPv4 over Ethernet? *is_short tells a short one from a foreign one. */
bool arp_check(const u8 *p, u32 len, bool *is_short);
void arp_parse(const u8 *p, struct arp_packet *out); /* after arp_check() */
void arp_emit(u8 *p, const struct arp_packet *a);

#endif
