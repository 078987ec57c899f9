/* osa_wire.h - messages between the two halves of an OSA: the channel side (osa_engine, lcs_engine, in each
 * emulator) and the port side (osa_port, one per card). Big-endian bytes; every message begins with
 *
 *   off len
 *    0   1  type        enum osa_msg
 *    1   1  version     OSA_MSG_VERSION
 *    2   2  tag         request number, returned in the answer; 0 = event
 *    4   4  length      of the whole message, this header included
 *
 * OSA_MSG_ATTACH      first message of an LPAR's attachment (after the peer handshake named both ends)
 *    8   1  mode        OSA_MODE_*      9  1 router role (0 none, 1 primary, 2 secondary)
 *   10   6  zero       16  8 LPAR name, ASCII blank padded    24  4 device number of the read device
 *   -> OSA_MSG_ATTACHED: 8 4 rc | 12 6 MAC | 18 2 zero | 20 4 largest frame | 24 4 assists (OSA_ASSIST_*)
 *                        28 1 LAN is up | 29 1 CHPID type (OSA_CHPID_*) | 30 2 zero
 * OSA_MSG_DETACH      the attachment leaves: its addresses are withdrawn
 * OSA_MSG_REQUEST     one change of the port's tables
 *    8   1  op          enum osa_op    9  1 flags   10 2 ethertype or zero
 *   12   4  IPv4 address (SETIP, DELIP, SETIPM, DELIPM, ARP entry)
 *   16   4  mask        20  6 MAC (SETVMAC, SETGMAC, ...)   26  2 zero
 *   -> OSA_MSG_ANSWER: 8 1 op | 9 3 zero | 12 4 return code as an IPA command returns it | 16.. data
 *      data of OSA_OP_ARP_QUERY: n entries of 4 address + 6 MAC + 2 zero
 * OSA_MSG_EVENT       from the port: 8 1 enum osa_event | 9 3 zero | 12 4 IPv4 address or zero
 * OSA_MSG_FRAME       a packet in either direction
 *    8   1  form        OSA_FORM_IP (an IP packet) or OSA_FORM_ETHER (from the destination MAC on)
 *    9   1  cast        OSA_CAST_*
 *   10   2  flags       OSA_FRAME_*
 *   12   2  gso bytes   TCP payload per segment on the wire; 0 = one frame
 *   14   2  VLAN tag or zero
 *   16   4  next hop    IPv4, form IP, towards the port; 0 = destination of the packet
 *   20   2  checksum start: offset of the transport header from the start of the data (OSA_FRAME_CSUM_NEEDED)
 *   22   2  checksum field: offset from there
 *   24      data
 */
#ifndef HERCULES_DEVICES_OSA_WIRE_H
#define HERCULES_DEVICES_OSA_WIRE_H

#define OSA_MSG_VERSION 1
#define OSA_MSG_HEADER_BYTES 8
#define OSA_MSG_ATTACH_BYTES 28
#define OSA_MSG_ATTACHED_BYTES 32
#define OSA_MSG_REQUEST_BYTES 28
#define OSA_MSG_ANSWER_BYTES 16
#define OSA_MSG_EVENT_BYTES 16
#define OSA_FRAME_DATA 24
#define OSA_FRAME_MAX (OSA_FRAME_DATA + 65536 + 64) /* a full IP packet with a link header */

enum osa_msg {
    OSA_MSG_ATTACH = 1,
    OSA_MSG_ATTACHED,
    OSA_MSG_DETACH,
    OSA_MSG_REQUEST,
    OSA_MSG_ANSWER,
    OSA_MSG_EVENT,
    OSA_MSG_FRAME,
};

enum { OSA_MODE_QDIO_L3 = 1, OSA_MODE_QDIO_L2 = 2, OSA_MODE_LCS = 3 };
enum { OSA_CHPID_OSD = 0x11, OSA_CHPID_OSE = 0x10, OSA_CHPID_IQD = 0x24 };
enum { OSA_FORM_IP = 1, OSA_FORM_ETHER = 2 };
enum { OSA_CAST_UNI = 0, OSA_CAST_MULTI = 1, OSA_CAST_BROAD = 2 };

enum osa_assist {
    OSA_ASSIST_CSUM_OUT = 1,
    OSA_ASSIST_CSUM_IN = 2,
    OSA_ASSIST_TSO = 4,
    OSA_ASSIST_MCAST = 8,
    OSA_ASSIST_LRO = 16, /* towards the LPAR a frame may have gso bytes and be as large as OSA_FRAME_MAX */
};

enum osa_frame_flags {
    OSA_FRAME_CSUM_NEEDED = 1, /* transport checksum field holds the pseudo-header sum */
    OSA_FRAME_CSUM_OK = 2,     /* towards the LPAR: the port verified it, or it never left this host */
    OSA_FRAME_IP_CSUM_NEEDED = 4,
};

enum osa_op {
    OSA_OP_SETIP = 1, /* flags: OSA_IP_VIPA, OSA_IP_TAKEOVER */
    OSA_OP_DELIP, /* flags: OSA_IP_PASSES_ON */
    OSA_OP_SETIPM, /* MAC field holds the group MAC */
    OSA_OP_DELIPM,
    OSA_OP_SETRTG, /* flags: 0 none, 1 primary, 2 secondary (connectors: 3, 4; multicast router: 5) */
    OSA_OP_SETVMAC,
    OSA_OP_DELVMAC,
    OSA_OP_SETGMAC,
    OSA_OP_DELGMAC,
    OSA_OP_STARTLAN, /* frames flow to this attachment from now on */
    OSA_OP_STOPLAN,
    OSA_OP_ARP_QUERY,
    OSA_OP_ARP_ADD,
    OSA_OP_ARP_DEL,
    OSA_OP_ARP_FLUSH,
    OSA_OP_PROMISC, /* flags: 0 off, 1 on */
    OSA_OP_ASSIST,  /* mask field: OSA_ASSIST_* that the LPAR switched on */
};

enum { OSA_IP_VIPA = 1, OSA_IP_TAKEOVER = 2, OSA_IP_PASSES_ON = 4 };

/* Return codes that the port decides on: the IPA values of SETIP. The engine turns them into those of the command at hand. */
enum {
    OSA_RC_OK = 0,
    OSA_RC_DUPLICATE = 0xE005, /* a MAC or a device number that another attachment has */
    OSA_RC_TABLE_FULL = 0xE006,
    OSA_RC_NOT_FOUND = 0x0011,
    OSA_RC_IN_USE = 0xE00A, /* another LPAR of this card owns the address, or someone on the LAN answers for it */
    OSA_RC_UNSUPPORTED = 0x0001,
    OSA_RC_LAN_OFFLINE = 0xE080,
    OSA_RC_PRIMARY_TAKEN = 0xE010,
};

enum osa_event {
    OSA_EVENT_LAN_UP = 1,
    OSA_EVENT_LAN_DOWN,
    OSA_EVENT_IP_LOST, /* another LPAR took this address over */
    OSA_EVENT_FENCED,  /* this incarnation has been isolated; nothing more will be accepted */
};

#endif
