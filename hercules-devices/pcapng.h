/* pcapng.h - blocks of a pcapng capture file (draft-ietf-opsawg-pcapng), written into memory.
 *
 *   section header      type 0A0D0D0A | length | 1A2B3C4D | version 1.0 | section length -1 | options | length
 *   interface           type 1 | length | link type | 0 | snap length 0 | if_name(2), if_tsresol(9) = 9 | length
 *   enhanced packet     type 6 | length | interface | time high, low | captured, original length | bytes, padded to 4
 *                       | epb_flags(2): 1 inbound, 2 outbound | length
 *
 * Host byte order, nanoseconds. Interfaces are numbered by their order in the section. Each function returns the bytes
 * written, or 0 if the block does not fit into cap. Touches nothing but its arguments.
 */
#ifndef HERCULES_DEVICES_PCAPNG_H
#define HERCULES_DEVICES_PCAPNG_H

#include "base/base.h"

#define PCAPNG_LINK_ETHERNET 1u
#define PCAPNG_LINK_RAW      101u /* an IP packet */
#define PCAPNG_PACKET_EXTRA  48u  /* bytes of a packet block beside the packet, padding included */

enum pcapng_direction { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

u32 pcapng_section(u8 *out, u32 cap, const char *application);
u32 pcapng_interface(u8 *out, u32 cap, u16 link_type, const char *name);
u32 pcapng_packet(u8 *out, u32 cap, u32 interface, u64 time_ns, enum pcapng_direction direction, const u8 *bytes,
                  u32 len);

#endif
