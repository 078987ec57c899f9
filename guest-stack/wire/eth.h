/* eth.h - Ethernet II header, 14 bytes:  0 6 destination MAC | 6 6 source MAC | 12 2 type.
 * A first byte with bit 01 on is a group address; 01:00:5E and the low 23 bits of the group are IPv4
 * multicast (RFC 1112 6.4).
 */
#ifndef WIRE_ETH_H
#define WIRE_ETH_H

#include "base/be.h"
#include "base/str.h"
#include "wire/ipaddr.h"

#define ETH_HEADER_BYTES 14
#define ETH_MAC_BYTES    6
#define ETH_TYPE_IP      0x0800
#define ETH_TYPE_ARP     0x0806
#define ETH_TYPE_VLAN    0x8100

#define ETH_DST  0
#define ETH_SRC  6
#define ETH_TYPE 12

static inline u16 eth_type(const u8 *frame) {
    return be16_get(frame + ETH_TYPE);
}
static inline bool eth_is_group(const u8 *mac) {
    return mac[0] & 1;
}
static inline bool eth_is_broadcast(const u8 *mac) {
    return (mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xFF;
}
static inline bool eth_mac_eq(const u8 *a, const u8 *b) {
    return memcmp(a, b, ETH_MAC_BYTES) == 0;
}

static inline void eth_emit(u8 *frame, const u8 *dst, const u8 *src, u16 type) {
    memcpy(frame + ETH_DST, dst, ETH_MAC_BYTES);
    memcpy(frame + ETH_SRC, src, ETH_MAC_BYTES);
    be16_put(frame + ETH_TYPE, type);
}
static inline void eth_group_mac(struct ipaddr group, u8 *mac) {
    mac[0] = 0x01;
    mac[1] = 0x00;
    mac[2] = 0x5E;
    mac[3] = (u8)(group.v4 >> 16 & 0x7F);
    mac[4] = (u8)(group.v4 >> 8);
    mac[5] = (u8)group.v4;
}

#endif
