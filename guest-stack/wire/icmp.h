/* icmp.h - ICMP messages (RFC 792, 950, 1191): 8 bytes of header, then data.
 *
 *    0  1 type   1  1 code   2  2 checksum over the whole message   4  4 by type:
 *       echo, timestamp, mask: 4 2 identifier, 6 2 sequence | redirect: 4 4 gateway | fragmentation needed: 6
 * 2 MTU parameter problem: 4 1 pointer 8  data: of an error, the header of the packet it is about and at
 * least 8 bytes more
 */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include "base/be.h"
#include "wire/ipaddr.h"

#define ICMP_HEADER_BYTES 8
#define ICMP_QUOTE_MAX    548 /* an error stays within 576 bytes (RFC 1812 4.3.2.3) */

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER = 12,
    ICMP_TIMESTAMP = 13,
    ICMP_TIMESTAMP_REPLY = 14,
    ICMP_MASK = 17,
    ICMP_MASK_REPLY = 18,
};

enum icmp_unreachable {
    ICMP_UNREACH_NET = 0,
    ICMP_UNREACH_HOST = 1,
    ICMP_UNREACH_PROTOCOL = 2,
    ICMP_UNREACH_PORT = 3,
    ICMP_UNREACH_FRAG_NEEDED = 4,
    ICMP_UNREACH_SOURCE_ROUTE = 5,
    ICMP_UNREACH_PROHIBITED = 13,
};
#define ICMP_REDIRECT_HOST       1
#define ICMP_EXCEEDED_TTL        0
#define ICMP_EXCEEDED_REASSEMBLY 1

/* Is this one of the five messages that report an error (and must never cause another)? */
static inline bool icmp_is_error(u8 type) {
    return type == ICMP_UNREACHABLE || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
}
/* Fills the first 8 bytes; word is bytes 4..7 as a number. The checksum covers len bytes, whose data must be
 * in place. */
void icmp_emit(u8 *p, u8 type, u8 code, u32 word, u32 len);
bool icmp_check(const u8 *p, u32 len, bool *is_short);

/* The packet that an error quotes. */
struct icmp_quote {
    struct ipaddr src, dst;
    u8 proto;
    u16 total;           /* its length as it says */
    bool first_fragment; /* offset 0: transport points at the transport header */
    const u8 *transport;
    u32 transport_len; /* at least 8 */
};
/* p, len: the whole ICMP message, already checked. false if the quote is too short or no IPv4 header. */
bool icmp_quote_parse(const u8 *p, u32 len, struct icmp_quote *out);

#endif
