/* tcphdr.h - the TCP header on the wire (RFC 9293 3.1, 3.2; RFC 2018; RFC 7323).
 *
 *   off len                              options (kind, length, content)
 *    0   2  source port                   0     end of list
 *    2   2  destination port              1     no operation
 *    4   4  sequence number               2  4  maximum segment size
 *    8   4  acknowledgement number        3  3  window scale, SYN only
 *   12   1  header length / 4 << 4        4  2  SACK permitted, SYN only
 *   13   1  flags                         5  8n+2  SACK: n ranges of left and right edge
 *   14   2  window                        8 10  timestamp value, timestamp echo
 *   16   2  checksum
 *   18   2  urgent pointer (its bytes are ordinary data here; RFC 6093)
 *
 * Use: tcphdr_check() first; tcphdr_parse() of what it passed; tcphdr_emit() back. A malformed option ends the
 * list: what was parsed before it stands (RFC 9293 MUST-6, MUST-7).
 */
#ifndef WIRE_TCPHDR_H
#define WIRE_TCPHDR_H

#include "base/base.h"
#include "base/be.h"

#define TCPHDR_BYTES 20
#define TCPHDR_MAX_BYTES 60
#define TCPHDR_TS_BYTES 12 /* timestamps with their padding */
#define TCPHDR_SACK_MAX 4
#define TCPHDR_SCALE_MAX 14

#define TCPF_FIN 0x01
#define TCPF_SYN 0x02
#define TCPF_RST 0x04
#define TCPF_PSH 0x08
#define TCPF_ACK 0x10
#define TCPF_URG 0x20

/* Half-open range of sequence numbers. */
struct tcp_range {
    u32 left, right;
};

enum tcphdr_has { TCPHDR_MSS = 1, TCPHDR_SCALE = 2, TCPHDR_SACK_OK = 4, TCPHDR_TS = 8 };

struct tcphdr {
    u16 src_port, dst_port;
    u32 seq, ack;
    u8 flags;
    u8 has;          /* enum tcphdr_has: options present */
    u8 scale;        /* valid with TCPHDR_SCALE; as sent, may exceed 14 */
    u8 sacks;        /* ranges in sack[] */
    u16 window, mss; /* mss: valid with TCPHDR_MSS */
    u32 ts_value, ts_echo;
    struct tcp_range sack[TCPHDR_SACK_MAX];
};

/* Header length in bytes, 20..60, or 0 if len bytes at p are not a whole header. */
u32 tcphdr_check(const u8 *p, u32 len);
/* header_bytes as tcphdr_check() returned it. sack[] beyond `sacks` and fields without their bit stay as they were. */
void tcphdr_parse(const u8 *p, u32 header_bytes, struct tcphdr *out);
/* Bytes that tcphdr_emit() will write, a multiple of 4. */
u32 tcphdr_bytes(const struct tcphdr *h);
/* Writes the header with checksum and urgent pointer zero; returns its length. out has TCPHDR_MAX_BYTES. */
u32 tcphdr_emit(const struct tcphdr *h, u8 *out);

/* Sequence numbers compare modulo 2^32. */
static inline bool seq_lt(u32 a, u32 b) { return (i32)(a - b) < 0; }
static inline bool seq_le(u32 a, u32 b) { return (i32)(a - b) <= 0; }
static inline bool seq_gt(u32 a, u32 b) { return (i32)(a - b) > 0; }
static inline bool seq_ge(u32 a, u32 b) { return (i32)(a - b) >= 0; }
static inline u32 seq_max(u32 a, u32 b) { return seq_gt(a, b) ? a : b; }

#endif
