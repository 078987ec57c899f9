/* osa.h - what an OSA-Express and its driver put into storage and into control frames. Shared by the device
 * engines (hercules-devices/osa_*, lcs_engine) and by the drivers (link/). Everything is big-endian bytes,
 * read and written with base/be.h; names ending in _AT are offsets. In the tables: offset, length, meaning.
 *
 * QDIO, as Linux's qdio driver and OS/390 use it. Addresses are absolute and 64 bits wide in both modes.
 *
 *   QDR   queue descriptor record, 4096 bytes, the data of ESTABLISH QUEUES (CCW 1B)
 *           0 1 format (0 = OSA)        3 1 adapter characteristics
 *           5 1 input queues            7 1 output queues
 *           9 1 words per input descriptor (8)            11 1 words per output descriptor (8)
 *          48 8 QIB address            60 1 storage key of the QIB
 *          64 . descriptors of 32 bytes, the input queues first:
 *                 0 8 SLIB address      8 8 SL address     16 8 SLSB address
 *                28 1 keys of SLIB, SL  29 1 keys of SBALs, SLSB
 *   QIB   queue information block, 256 bytes
 *           0 1 format    2 1 flags     3 1 adapter characteristics; the adapter sets QIB_AC_OUT_PCI
 *           8 8 first input SLIB       16 8 first output SLIB
 *          32 8 adapter name, EBCDIC  128 128 parameters (hints)
 *   SLIB  2048 bytes: 0 8 next SLIB, 8 8 SL, 16 8 SLSB, 1024 128*8 parameters
 *   SL    1024 bytes: 128 addresses of SBALs
 *   SBAL  256 bytes: 16 entries (SBALE): 0 1 eflags, 3 1 sflags, 4 4 length, 8 8 address
 *   SLSB  128 bytes, one state a buffer: owner (program 80, control unit 40), output 20, state (low 4 bits)
 *
 *   input   the program sets SLSB_CU_INPUT_EMPTY; the adapter fills the buffer, sets lengths and eflags,
 *           then SLSB_P_INPUT_PRIMED, and raises a PCI
 *   output  the program sets SLSB_CU_OUTPUT_PRIMED and issues SIGA-w; the adapter sends, then sets
 *           SLSB_P_OUTPUT_EMPTY, and raises a PCI if SBALE 0 asks for one
 *   ack     a program that polls marks the last input buffer it took SLSB_P_INPUT_ACK: while the buffer
 *           before a newly primed one is in that state no PCI is raised. To sleep, the program sets it to
 *           SLSB_P_INPUT_NOT_INIT and looks once more.
 *
 *   A packet in a buffer begins with a header of 32 bytes (OSA_HDR_*) that lies in one SBALE. Input: packets
 *   follow one another without gaps; where fewer than 32 bytes are left in an SBALE the next header begins
 *   in the next one; the last SBALE in use has SBAL_LAST_ENTRY. Output: a packet is one SBALE, or a run of
 *   SBALEs marked first, middle, last fragment; packets may also follow one another as in input.
 *
 * Control frames go by WRITE (01) on the write device and come back by READ (02) on the read device.
 * Sources of layouts and values: Linux drivers/s390/net/{qeth,lcs}*, drivers/s390/cio/qdio*,
 * arch/s390/include/asm/qdio.h; traces of both drivers.
 */
#ifndef WIRE_OSA_H
#define WIRE_OSA_H

#include "base/base.h"
#include "base/be.h"

/* ---- channel commands and sense-id ---- */
enum {
    OSA_CCW_RCD = 0xFA,
    OSA_CCW_SII = 0x81,
    OSA_CCW_RNI = 0x82,
    OSA_CCW_ESTABLISH = 0x1B,
    OSA_CCW_ACTIVATE = 0x1F
};
enum { OSA_UNIT_READ, OSA_UNIT_WRITE, OSA_UNIT_DATA, OSA_UNITS };
#define OSA_CU_TYPE      0x1731
#define OSA_DEV_TYPE     0x1732
#define LCS_CU_TYPE      0x3088
#define LCS_CU_MODEL_OSA 0x60
#define LCS_DEV_MODEL    0x01
#define OSA_CTL_BYTES    4096 /* largest control frame, count of the READ that fetches it */

/* ---- QDIO storage ---- */
#define QDIO_BUFFERS        128
#define QDIO_ELEMENTS       16
#define QDIO_OUT_QUEUES_MAX 4
#define QDIO_IN_QUEUES_MAX  1
#define QDR_BYTES           4096
enum {
    QDR_FORMAT_AT = 0,
    QDR_FORMAT_OSD = 0,
    QDR_FORMAT_IQD = 2,
    QDR_AC_AT = 3,
    QDR_IN_COUNT_AT = 5,
    QDR_OUT_COUNT_AT = 7,
    QDR_IN_WORDS_AT = 9,
    QDR_OUT_WORDS_AT = 11,
    QDR_QIB_AT = 48,
    QDR_QIB_KEY_AT = 60,
    QDR_DESC_AT = 64,
    QDR_DESC_BYTES = 32,
    QDR_DESC_WORDS = 8,
    QDESC_SLIB_AT = 0,
    QDESC_SL_AT = 8,
    QDESC_SLSB_AT = 16,
    QDESC_KEYS1_AT = 28,
    QDESC_KEYS2_AT = 29,
};
#define QIB_BYTES 256
enum {
    QIB_FORMAT_AT = 0,
    QIB_FLAGS_AT = 2,
    QIB_AC_AT = 3,
    QIB_IN_SLIB_AT = 8,
    QIB_OUT_SLIB_AT = 16,
    QIB_NAME_AT = 32,
    QIB_PARM_AT = 128,
    QIB_AC_OUT_PCI = 0x40,
};
#define SLIB_BYTES 2048
enum { SLIB_NEXT_AT = 0, SLIB_SL_AT = 8, SLIB_SLSB_AT = 16, SLIB_PARM_AT = 1024 };
#define SL_BYTES    (QDIO_BUFFERS * 8)
#define SLSB_BYTES  QDIO_BUFFERS
#define SBALE_BYTES 16
#define SBAL_BYTES  (QDIO_ELEMENTS * SBALE_BYTES)
enum { SBALE_EFLAGS_AT = 0, SBALE_SFLAGS_AT = 3, SBALE_LENGTH_AT = 4, SBALE_ADDR_AT = 8 };
enum {
    SBAL_LAST_ENTRY = 0x40, /* eflags */
    SBAL_CONTIGUOUS = 0x20,
    SBAL_FRAG_MASK = 0x0C,
    SBAL_FRAG_FIRST = 0x04,
    SBAL_FRAG_MIDDLE = 0x08,
    SBAL_FRAG_LAST = 0x0C,
    SBAL_PCI_REQ = 0x40, /* sflags of element 0: interrupt when this output buffer is done */
};
enum slsb_state {
    SLSB_P_INPUT_NOT_INIT = 0x80,
    SLSB_P_INPUT_ACK = 0x81,
    SLSB_P_INPUT_PRIMED = 0x82,
    SLSB_P_INPUT_HALTED = 0x8E,
    SLSB_P_INPUT_ERROR = 0x8F,
    SLSB_CU_INPUT_EMPTY = 0x41,
    SLSB_P_OUTPUT_NOT_INIT = 0xA0,
    SLSB_P_OUTPUT_EMPTY = 0xA1,
    SLSB_P_OUTPUT_HALTED = 0xAE,
    SLSB_P_OUTPUT_ERROR = 0xAF,
    SLSB_CU_OUTPUT_PRIMED = 0x62,
};

/* ---- packet headers in QDIO buffers ----
 * layer 3, id 01   0 1 id              1 1 flags: cast 07, passthru 10, IPv6 80
 *                  2 2 checksum        8 2 bytes of the packet       11 1 extended flags
 *                 12 2 VLAN tag (with OSA_EXT_VLAN_FRAME)
 *                 output: 16 16 next hop, IPv4 in the last 4         input: 18 6 source MAC
 * layer 2, id 02   0 1 id              1 1 extended flags
 *                  3 1 flags: multicast 01, broadcast 02, unicast 04, VLAN 10
 *                  5 1 header bytes    6 2 bytes of the frame        10 2 VLAN tag
 *                 the frame follows, from its destination MAC on
 * TSO, id 03, 06  the same 32 bytes, then an extension of 32, then the packet
 *                  0 2 extension bytes (32)   2 1 headers (1)        4 1 type (1)     5 1 version (1)
 *                  6 2 bytes (28)      8 4 TCP payload bytes         12 2 MSS
 *                 14 2 bytes of headers before the payload
 */
#define OSA_HDR_BYTES     32
#define OSA_TSO_EXT_BYTES 32
enum { OSA_HDR_L3 = 1, OSA_HDR_L2 = 2, OSA_HDR_L3_TSO = 3, OSA_HDR_L2_TSO = 6 };
enum {
    OSA_L3_FLAGS_AT = 1,
    OSA_L3_CSUM_AT = 2,
    OSA_L3_LENGTH_AT = 8,
    OSA_L3_EXT_AT = 11,
    OSA_L3_VLAN_AT = 12,
    OSA_L3_SRC_MAC_AT = 18,
    OSA_L3_NEXT_HOP_AT = 28,
    OSA_L2_EXT_AT = 1,
    OSA_L2_FLAGS_AT = 3,
    OSA_L2_HDRLEN_AT = 5,
    OSA_L2_LENGTH_AT = 6,
    OSA_L2_VLAN_AT = 10,
    OSA_TSO_TOTAL_AT = 0,
    OSA_TSO_COUNT_AT = 2,
    OSA_TSO_TYPE_AT = 4,
    OSA_TSO_VERSION_AT = 5,
    OSA_TSO_LENGTH_AT = 6,
    OSA_TSO_PAYLOAD_AT = 8,
    OSA_TSO_MSS_AT = 12,
    OSA_TSO_HEADERS_AT = 14,
};
enum {
    OSA_L3_CAST_MASK = 7,
    OSA_L3_NOCAST = 0,
    OSA_L3_MULTICAST = 4,
    OSA_L3_BROADCAST = 5,
    OSA_L3_UNICAST = 6,
    OSA_L3_ANYCAST = 7
};
enum { OSA_L3_PASSTHRU = 0x10, OSA_L3_IPV6 = 0x80 };
enum { OSA_L2_MULTICAST = 1, OSA_L2_BROADCAST = 2, OSA_L2_UNICAST = 4, OSA_L2_VLAN = 0x10 };
enum { /* extended flags, both layers. Output: a request. Input: the adapter found it right. */
       OSA_EXT_VLAN_FRAME = 0x01,
       OSA_EXT_VLAN_TAG = 0x04,
       OSA_EXT_SRC_MAC = 0x08,
       OSA_EXT_CSUM_HDR = 0x10,
       OSA_EXT_CSUM_TRANSPORT = 0x20,
       OSA_EXT_UDP = 0x40,
};

/* ---- IDX: the first exchange, on the read and on the write device each: WRITE 34 bytes, READ the reply ----
 *   0 4 00008000
 *   8 1 19 read, 15 write; reply: the low two bits say 10 accepted, 11 refused
 *   9 1 01; reply: cause of a refusal      10 1 01
 *  11 1 80 + port number; reply: flags (80 = no port name needed)
 *  12 4 token of the sender                16 2 function level          18 4 microcode level (reply)
 *  22 8 port name, EBCDIC                  30 2 device number of the data device
 *  32 2 CULA and unit address
 * Terminate, from the adapter on the read device at any time: byte 2 = C0, byte 4 = cause.
 */
#define IDX_BYTES 34
enum {
    IDX_TYPE_AT = 8,
    IDX_CAUSE_AT = 9,
    IDX_PORT_AT = 11,
    IDX_TOKEN_AT = 12,
    IDX_LEVEL_AT = 16,
    IDX_MCL_AT = 18,
    IDX_NAME_AT = 22,
    IDX_DATA_CUA_AT = 30,
    IDX_REAL_ADDR_AT = 32,
    IDX_TYPE_READ = 0x19,
    IDX_TYPE_WRITE = 0x15,
    IDX_POSITIVE = 0x02,
    IDX_NEGATIVE = 0x03,
    IDX_LEVEL_OSD = 0x0101, /* asked; the answer adds 0x0100 */
    IDX_LEVEL_OSD_REPLY = 0x0201,
    IDX_LEVEL_IQD = 0x4108,
    IDX_LEVEL_IQD_REPLY = 0x0408,
    IDX_PORT_NAME_FREE = 0x80,
    IDX_TERMINATE_AT = 2,
    IDX_TERMINATE = 0xC0,
    IDX_TERMINATE_CAUSE_AT = 4,
    IDX_CAUSE_PROTOCOL = 0x0F,  /* frames out of order or malformed */
    IDX_CAUSE_PORT = 0x0E,      /* no such port */
    IDX_CAUSE_TRANSPORT = 0x41, /* layer 2 asked of a layer 3 device or the other way round */
};

/* ---- MPC: TH, RRH, PH and a PDU ----
 *   TH  at 0   0 4 00E00000       4 4 sequence      8 4 offset of the RRH (20)
 *             12 4 bytes in all  16 2 1000         18 2 RRHs (1)
 *   RRH at 20  0 4 zero           4 1 type (81 CM, 41 ULP, C1 IPA)    5 1 protocol    6 2 PHs (1)
 *              8 4 sequence      12 4 acknowledged sequence          16 2 length of the RRH (36)
 *             18 2 PDU bytes     20 3 PDU bytes    23 1 05           24 4 token of the receiver
 *   PH  at 56  0 1 01             1 3 PDU bytes     4 4 offset of the PDU (64)
 *   PDU of CM and ULP frames
 *              0 2 length (12)    2 2 what          4 2 bytes of fields
 *             12 . fields: 0 2 length, 2 1 04, 3 1 type, then by type
 *             01   4 1 protocol   5 1 04   6 1 05   7 4 filter token of the sender
 *             02   4 8 user data
 *             04   4 1 05         5 4 connection token of the sender; in a CONFIRM that of the receiver
 *             05   4 1 05         5 4 filter token of the receiver
 *             06   4 2 flags                07   4 4 flags (CONFIRM)
 *             08   4 1 05         5 4 connection token of the adapter (CONFIRM)
 *             0A   8 2 MTU (reply)   10 1 port number   11 1 08   12 8 port name, EBCDIC (request)
 *                 20 1 link type (reply)
 *             0B   4 2 device number         6 2 real address
 */
enum {
    MPC_TH_BYTES = 20,
    MPC_RRH_AT = 20,
    MPC_PH_AT = 56,
    MPC_PDU_AT = 64,
    MPC_PUK_BYTES = 12,
};
enum { MPC_TYPE_CM = 0x81, MPC_TYPE_ULP = 0x41, MPC_TYPE_IPA = 0xC1 };
enum { MPC_PROTO_UNKNOWN = 0x7E, MPC_PROTO_L3 = 0x03, MPC_PROTO_L2 = 0x08 };
enum {
    MPC_ENABLE = 0x4102,
    MPC_DISABLE = 0x4103,
    MPC_SETUP = 0x4104,
    MPC_TAKEDOWN = 0x4105,
    MPC_CONFIRM = 0x4106,
    MPC_ACTIVE = 0x4360,
};
enum {
    MPC_F_FILTER = 0x01,
    MPC_F_USERDATA = 0x02,
    MPC_F_CONNECTION = 0x04,
    MPC_F_PARTNER = 0x05,
    MPC_F_FLAGS = 0x06,
    MPC_F_FLAGS_REPLY = 0x07,
    MPC_F_PARTNER_REPLY = 0x08,
    MPC_F_PORT = 0x0A,
    MPC_F_DEVICE = 0x0B,
};
#define MPC_PORT_FIELD_BYTES 24 /* at least: MTU at 8, link type at 20 */
enum { OSA_LINK_TYPE_FAST_ETHERNET = 0x01, OSA_LINK_TYPE_GIGABIT = 0x03, OSA_LINK_TYPE_10GIGABIT = 0x10 };

/* One MPC frame after its lengths were checked. pdu points into the frame. */
struct mpc_frame {
    u32 th_seq, seq, ack, token;
    u8 type, proto;
    const u8 *pdu;
    u32 pdu_len;
};
/* What is wrong with a frame, NULL if nothing; fills *out when NULL. */
const char *mpc_parse(const u8 *frame, u32 len, struct mpc_frame *out);
/* Writes the 64 bytes before a PDU of f->pdu_len bytes; returns the length of the whole frame. f->pdu is not
 * looked at. */
u32 mpc_emit(u8 *frame, const struct mpc_frame *f);
/* The CM/ULP field of a type in a PDU, whole and at least min bytes long, or NULL; *len receives its length.
 */
const u8 *mpc_field(const u8 *pdu, u32 pdu_len, u8 type, u32 min, u32 *len);
/* What a PDU of CM or ULP is (MPC_ENABLE...), 0 if malformed. */
u16 mpc_what(const u8 *pdu, u32 pdu_len);

/* ---- IPA: the PDU of an MPC frame of type C1 ----
 *   0 1 command         1 1 initiator (0 host, 1 OSA; a reply keeps it)  2 2 sequence    4 2 return code
 *   6 1 adapter type    7 1 adapter          8 1 version 01              9 1 parameters
 *  10 2 protocol (4, 6 or 0)                12 4 assists supported      16 4 assists enabled
 *  20 . data:
 *   SETIP DELIP           0 4 address        4 4 mask        8 4 flags
 *   SETIPM DELIPM         0 6 MAC            8 16 group, IPv4 in the last 4
 *   SETVMAC ... DELGMAC   0 4 length (6)     4 6 MAC
 *   SETRTG                0 1 type
 *   CREATE_ADDR           0 6 MAC            6 2 unique id
 *   SETASSPARMS           0 4 assist         4 2 length (8 + data)       6 2 command     8 2 return code
 *                        10 1 replies       11 1 number of this reply   12 . data:
 *     checksum   START replies 0 4 capabilities; ENABLE asks 0 4 wanted, replies 0 4 supported, 4 4 enabled
 *     TSO        START replies 0 4 MSS, 4 4 capabilities; ENABLE asks 4 4 wanted, replies as checksum does
 *     ARP QUERY  0 2 request   2 2 reply (7)   4 4 entries   8 . entries of 44 bytes:
 *                    0 32 zero   32 1 MAC type (1)   33 1 IP type (1)   34 6 MAC   40 4 address
 *     ARP ADD, REMOVE   0 6 MAC   8 16 address, IPv4 in the first 4
 *   SETADAPTERPARMS       0 4 zero           8 2 length (20 + data)     12 4 command    16 2 return code
 *                        18 1 replies       19 1 number of this reply   20 1 flags      24 . data:
 *     QUERY      0 4 LAN types   4 1 LAN type   8 4 commands supported
 *     ALTER_MAC  0 4 operation   4 4 length (6)   8 4 count   12 6 MAC
 *     PROMISC    0 4 mode        ACCESS_CONTROL   0 4 mode
 *     CARD_INFO  0 1 type        2 2 mode         4 4 speed
 */
enum {
    IPA_COMMAND_AT = 0,
    IPA_INITIATOR_AT = 1,
    IPA_SEQ_AT = 2,
    IPA_RC_AT = 4,
    IPA_ADAPTER_TYPE_AT = 6,
    IPA_VERSION_AT = 8,
    IPA_PARAMS_AT = 9,
    IPA_PROTO_AT = 10,
    IPA_SUPPORTED_AT = 12,
    IPA_ENABLED_AT = 16,
    IPA_DATA_AT = 20,
    IPA_HDR_BYTES = 20,
    ASS_ASSIST_AT = 20,
    ASS_LENGTH_AT = 24,
    ASS_COMMAND_AT = 26,
    ASS_RC_AT = 28,
    ASS_REPLIES_AT = 30,
    ASS_NUMBER_AT = 31,
    ASS_DATA_AT = 32,
    ADP_SUPPORTED_AT = 20,
    ADP_LENGTH_AT = 28,
    ADP_COMMAND_AT = 32,
    ADP_RC_AT = 36,
    ADP_REPLIES_AT = 38,
    ADP_NUMBER_AT = 39,
    ADP_FLAGS_AT = 40,
    ADP_DATA_AT = 44,
};
enum { IPA_FROM_HOST = 0x00, IPA_FROM_OSA = 0x01 };
enum { IPA_PROTO_IPV4 = 4, IPA_PROTO_IPV6 = 6 };
enum ipa_command {
    IPA_STARTLAN = 0x01,
    IPA_STOPLAN = 0x02,
    IPA_SETVMAC = 0x21,
    IPA_DELVMAC = 0x22,
    IPA_SETGMAC = 0x23,
    IPA_DELGMAC = 0x24,
    IPA_SETVLAN = 0x25,
    IPA_DELVLAN = 0x26,
    IPA_VNICC = 0x2A,
    IPA_SETBRIDGEPORT = 0x2B,
    IPA_SETCCID = 0x41,
    IPA_DELCCID = 0x42,
    IPA_MODCCID = 0x43,
    IPA_SETIP = 0xB1,
    IPA_QIPASSIST = 0xB2,
    IPA_SETASSPARMS = 0xB3,
    IPA_SETIPM = 0xB4,
    IPA_DELIPM = 0xB5,
    IPA_SETRTG = 0xB6,
    IPA_DELIP = 0xB7,
    IPA_SETADAPTERPARMS = 0xB8,
    IPA_SETDIAGASS = 0xB9,
    IPA_CREATE_ADDR = 0xC3,
    IPA_DESTROY_ADDR = 0xC4,
};
enum ipa_rc {
    IPA_RC_OK = 0x0000,
    IPA_RC_NOTSUPP = 0x0001,
    IPA_RC_FAILED = 0x0003,
    IPA_RC_INVALID_FORMAT = 0x0006,
    IPA_RC_WRONG_IP_VERSION = 0x0020,
    IPA_RC_L2_UNSUPPORTED = 0x2003,
    IPA_RC_L2_DUP_MAC = 0x2005,
    IPA_RC_L2_TABLE_FULL = 0x2006,
    IPA_RC_L2_GMAC_NOT_FOUND = 0x200B,
    IPA_RC_L2_MAC_NOT_FOUND = 0x2010,
    IPA_RC_DUPLICATE_IP = 0xE005, /* this session has registered it already */
    IPA_RC_IP_TABLE_FULL = 0xE006,
    IPA_RC_NO_STARTLAN = 0xE008,
    IPA_RC_IP_IN_USE = 0xE00A, /* by another LPAR of the card, or somebody on the LAN answers for it */
    IPA_RC_GROUP_NOT_FOUND = 0xE00B,
    IPA_RC_UNSUPPORTED_SUBCMD = 0xE00E,
    IPA_RC_PRIMARY_TAKEN = 0xE010,  /* SETRTG */
    IPA_RC_IP_NOT_DEFINED = 0xE010, /* DELIP: the same value */
    IPA_RC_SECONDARY_TAKEN = 0xE011,
    IPA_RC_BAD_ROUTING = 0xE012,
    IPA_RC_GROUP_DEFINED = 0xE013,
    IPA_RC_LAN_OFFLINE = 0xE080,
    IPA_RC_NO_STORAGE = 0xFFFE,
};
enum ipa_assist {
    IPA_ASS_ARP = 0x00000001,
    IPA_ASS_CSUM_IN = 0x00000002,
    IPA_ASS_CSUM_OUT = 0x00000004,
    IPA_ASS_FILTERING = 0x00000010,
    IPA_ASS_IPV6 = 0x00000020,
    IPA_ASS_MULTICAST = 0x00000040,
    IPA_ASS_ADAPTERPARMS = 0x00000400,
    IPA_ASS_PASSTHRU = 0x00001000,
    IPA_ASS_ARP_FLUSH = 0x00002000,
    IPA_ASS_FULL_VLAN = 0x00004000,
    IPA_ASS_SOURCE_MAC = 0x00010000,
    IPA_ASS_MC_ROUTER = 0x00020000,
    IPA_ASS_LRO = 0x00080000, /* inbound TSO: a run of segments arrives as one packet, header 03 */
    IPA_ASS_TSO = 0x00100000,
};
enum { ASS_START = 1, ASS_STOP = 2, ASS_CONFIGURE = 3, ASS_ENABLE = 4 };
enum { ASS_ARP_SIZE = 3, ASS_ARP_QUERY = 4, ASS_ARP_ADD = 5, ASS_ARP_REMOVE = 6, ASS_ARP_FLUSH = 7 };
enum { CSUM_IP_HEADER = 0x02, CSUM_UDP = 0x08, CSUM_TCP = 0x10, CSUM_LPAR_TO_LPAR = 0x20, TSO_TCP = 0x01 };
enum { ARP_ENTRY_BYTES = 44, ARP_QUERY_DATA_BYTES = 3968, ARP_QUERY_ENTRIES = 90, ARP_QUERY_REPLY = 7 };
enum ipa_adp {
    ADP_QUERY = 0x0001,
    ADP_ALTER_MAC = 0x0002,
    ADP_CARD_INFO = 0x0400,
    ADP_PROMISC = 0x0800,
    ADP_DIAG = 0x2000,
    ADP_ACCESS_CONTROL = 0x10000,
    ADP_QUERY_OAT = 0x80000,
};
enum { ADP_MAC_READ = 0, ADP_MAC_REPLACE = 1, ADP_MAC_ADD = 2, ADP_MAC_DEL = 4, ADP_MAC_RESET = 8 };
enum { ADP_RC_NOT_SUPPORTED = 0x0004, ADP_FLAG_VIRTUAL_MAC = 0x80 };
enum { ADP_CARD_1G_FIBRE = 0x71, ADP_FULL_DUPLEX = 3, ADP_SPEED_1G = 7 };
enum { IPA_IP_VIPA = 0x01, IPA_IP_TAKEOVER = 0x02, IPA_DELIP_PASSES_ON = 0x20, IPA_DELIP_VIPA = 0x40 };
enum {
    IPA_RTG_NONE,
    IPA_RTG_PRIMARY,
    IPA_RTG_SECONDARY,
    IPA_RTG_MULTICAST,
    IPA_RTG_PRIMARY_CONN,
    IPA_RTG_SECONDARY_CONN
};

/* ---- LCS: blocks of frames through WRITE on the write device and READ on the read device ----
 *   each frame   0 2 offset in the block of the next frame     2 1 type (0 control, 1 Ethernet)   3 1 port
 *                an offset of 0 ends the block
 *   data         4 . the Ethernet frame
 *   control      4 1 command   5 1 initiator (0 host, 1 adapter; a reply keeps it)   6 2 sequence
 *                8 2 return code
 *     STARTLAN STOPLAN   10 1 LAN type   11 1 port   12 2 parameters
 *     STARTUP            12 2 largest block the host reads
 *     LANSTAT reply      10 1 LAN type   11 1 port   22 6 MAC   28 9*4 counters
 *     QIPASSIST reply    10 1 LAN type   11 1 port   12 2 pairs   14 2 supported   16 2 enabled   18 2
 * version SETIPM DELIPM      10 1 LAN type   11 1 port   12 2 pairs   18 2 version (4) 20 . pairs of 12
 * bytes: 0 4 group, 4 6 MAC, 10 2 zero
 */
#define LCS_BLOCK_BYTES 0x5000
enum {
    LCS_OFFSET_AT = 0,
    LCS_TYPE_AT = 2,
    LCS_PORT_AT = 3,
    LCS_HDR_BYTES = 4,
    LCS_COMMAND_AT = 4,
    LCS_INITIATOR_AT = 5,
    LCS_SEQ_AT = 6,
    LCS_RC_AT = 8,
    LCS_LAN_TYPE_AT = 10,
    LCS_RELATIVE_PORT_AT = 11,
    LCS_PAIRS_AT = 12,
    LCS_BUFFER_SIZE_AT = 12,
    LCS_SUPPORTED_AT = 14,
    LCS_ENABLED_AT = 16,
    LCS_MAC_AT = 22,
    LCS_COUNTERS_AT = 28,
    LCS_PAIR_AT = 20,
    LCS_PAIR_BYTES = 12,
    LCS_CTL_BYTES = 20, /* a command without more data, header included */
    LCS_LANSTAT_BYTES = 64,
};
#define LCS_PAIRS_MAX       32
#define LCS_MULTICAST_BYTES (LCS_PAIR_AT + LCS_PAIRS_MAX * LCS_PAIR_BYTES + 4)
enum { LCS_TYPE_CONTROL = 0, LCS_TYPE_ETHERNET = 1 };
enum {
    LCS_STARTLAN = 0x01,
    LCS_STOPLAN = 0x02,
    LCS_LANSTAT = 0x04,
    LCS_STARTUP = 0x07,
    LCS_SHUTDOWN = 0x08,
    LCS_QIPASSIST = 0xB2,
    LCS_SETIPM = 0xB4,
    LCS_DELIPM = 0xB5,
};
enum { LCS_FROM_HOST = 0, LCS_FROM_ADAPTER = 1 };
enum { LCS_ASS_CSUM_IN = 0x02, LCS_ASS_CSUM_OUT = 0x04, LCS_ASS_MULTICAST = 0x40 };
enum { LCS_RC_OK = 0, LCS_RC_LAN_OFFLINE = 0xE080, LCS_RC_UNSUPPORTED = 0x0001 };

#endif
