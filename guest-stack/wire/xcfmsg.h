/* xcfmsg.h - the blocks that XCF sends over a signalling path, whatever the path is made of.
 *
 * A block is a header of 64 bytes and a body of at most 4,032, so that a CF list entry holds one with its
 * adjunct (header) and its data elements (body), and a CTC transfer holds several. Numbers are big-endian,
 * names are ISO 646 letters padded with blanks.
 *
 *    0  2 X'E7C3'             2  1 version, 1       3  1 type          4  2 bytes of the block, header
 * included 6  2 checksum            8  8 sender: system  16  8 sender: incarnation 24  8 receiver: system 32
 * 8 receiver: incarnation      (blanks and 0: whoever is at the other end) 40  4 token of the path at the
 * sender            44  4 sequence number (DATA) 48  4 acknowledgement: next number expected       52  1
 * flags   53  3 zero        56  8 sysplex
 *
 *   HELLO  each second on one outbound path to each partner, every 3 s on each. Body:
 *     0  2 n, paths heard   2  2 m, systems gone   4  4 INTERVAL, ms   8  4 weight   12 16 name of the path
 *    28 20*n  system 8, incarnation 8, token 4: an inbound path on which that sender was heard
 *       20*m  system 8, incarnation 8, flags 4: this incarnation and older ones are out of the sysplex
 *       16*n  if XCFMSG_NAMED is on: the names of the inbound paths that are heard, in the order of their entries
 *   DATA   one segment of a message. Its first segment begins with the message header:
 *     0  1 kind   1  3 zero   4  4 bytes of data behind this header   8  4 member from   12  4 member to
 *    16 32 control information of the sender   48 16 zero
 *   ACK    header only.
 *
 * A member record (kind XCFMSG_MEMBER; "member from" is its number at its system) is
 *     0  8 group   8 16 member   24  1 state   25  1 flags   26  2 zero   28  4 status interval, ms   32 32
 * user state
 *
 * xcfmsg_check() looks at everything that can be looked at without state; after it, the accessors are safe.
 */
#ifndef WIRE_XCFMSG_H
#define WIRE_XCFMSG_H

#include "base/be.h"

#define XCFMSG_MAGIC         0xE7C3
#define XCFMSG_VERSION       1
#define XCFMSG_HEADER        64
#define XCFMSG_BODY_MAX      4032
#define XCFMSG_BLOCK_MAX     (XCFMSG_HEADER + XCFMSG_BODY_MAX)
#define XCFMSG_NAME          8
#define XCFMSG_HELLO_FIXED   28
#define XCFMSG_HELLO_ENTRY   20
#define XCFMSG_HEARD_MAX     128
#define XCFMSG_GONE_MAX      32
#define XCFMSG_PATH          16
#define XCFMSG_NAMED_MAX     ((XCFMSG_BODY_MAX - XCFMSG_HELLO_FIXED - XCFMSG_HELLO_ENTRY * XCFMSG_GONE_MAX) / (XCFMSG_HELLO_ENTRY + XCFMSG_PATH))
#define XCFMSG_MESSAGE       64 /* bytes of the message header */
#define XCFMSG_CONTROL       32
#define XCFMSG_MEMBER_RECORD 64
#define XCFMSG_DATA_MAX      61440 /* bytes of one message */

enum xcfmsg_type { XCFMSG_HELLO = 1, XCFMSG_DATA, XCFMSG_ACK };
enum xcfmsg_kind { XCFMSG_USER = 1, XCFMSG_MEMBER, XCFMSG_SYNC };
#define XCFMSG_FIRST   0x80 /* first segment of a message */
#define XCFMSG_LAST    0x40
#define XCFMSG_ASKS    0x04 /* DATA: acknowledge it at once, the sender runs short */
#define XCFMSG_LEAVING 0x20 /* HELLO: the sender has been varied offline and stops */
#define XCFMSG_STOPPED 0x08 /* HELLO: the last one on this path, which the sender's operator has stopped */
#define XCFMSG_NAMED   0x10 /* HELLO: with names of the paths heard, as long as they are not more than XCFMSG_NAMED_MAX */

enum xcfmsg_verdict {
    XCFMSG_OK,
    XCFMSG_SHORT,
    XCFMSG_FOREIGN, /* not XCF, or another version */
    XCFMSG_LENGTH,
    XCFMSG_CHECKSUM,
    XCFMSG_FORM, /* unknown type, counts that do not fit, a body where none may be */
};

struct xcfmsg_header {
    u8 type, flags;
    u16 bytes;
    char from[9], to[9], sysplex[9];
    u64 from_incarnation, to_incarnation;
    u32 token, seq, ack;
};
struct xcfmsg_entry { /* of the two lists of a HELLO */
    char system[9];
    u64 incarnation;
    u32 value;
};
struct xcfmsg_hello {
    u32 heard, gone;
    u32 interval_ms, weight;
    char path[17];
};
struct xcfmsg_message {
    u8 kind;
    u32 bytes, from, to;
    u8 control[XCFMSG_CONTROL];
};
struct xcfmsg_member {
    char group[9], name[17];
    u8 state, flags;
    u32 status_ms;
    u8 ustate[32];
};

/* len: bytes that arrived. */
enum xcfmsg_verdict xcfmsg_check(const u8 *p, u32 len);
void xcfmsg_parse(const u8 *p, struct xcfmsg_header *out);
/* For one of many blocks between the same two systems: sender, receiver and sysplex are, byte for byte, those of a header that passed
 * xcfmsg_check(). Then the names need neither be looked at again (xcfmsg_check_same) nor taken out (xcfmsg_parse_same). */
bool xcfmsg_same_ends(const u8 *p, const u8 *header);
enum xcfmsg_verdict xcfmsg_check_same(const u8 *p, u32 len);
void xcfmsg_parse_same(const u8 *p, struct xcfmsg_header *out); /* type, bytes, token, seq, ack, flags */
/* Writes the header of a block whose body is in place, and the checksum over h->bytes. */
void xcfmsg_emit(u8 *p, const struct xcfmsg_header *h);
/* The same in two steps, for many blocks over one path: what they have in common (names, incarnations, token), then the rest. */
void xcfmsg_head_emit(u8 *head, const struct xcfmsg_header *h);
void xcfmsg_emit_headed(u8 *p, const u8 *head, const struct xcfmsg_header *h);

void xcfmsg_hello_parse(const u8 *body, struct xcfmsg_hello *out);
void xcfmsg_hello_emit(u8 *body, const struct xcfmsg_hello *h);
/* i counts through the heard entries, then the gone ones. */
void xcfmsg_entry_parse(const u8 *body, u32 i, struct xcfmsg_entry *out);
void xcfmsg_entry_emit(u8 *body, u32 i, const struct xcfmsg_entry *e);
static inline u32 xcfmsg_hello_bytes(u32 entries) {
    return XCFMSG_HELLO_FIXED + XCFMSG_HELLO_ENTRY * entries;
}

/* The name of the i-th path heard, in a HELLO of that many entries that is XCFMSG_NAMED. */
void xcfmsg_heard_name_parse(const u8 *body, u32 entries, u32 i, char out[XCFMSG_PATH + 1]);
void xcfmsg_heard_name_emit(u8 *body, u32 entries, u32 i, const char *name);

/* p: the first XCFMSG_MESSAGE bytes of a first segment. false: unknown kind or more than XCFMSG_DATA_MAX. */
bool xcfmsg_message_parse(const u8 *p, struct xcfmsg_message *out);
void xcfmsg_message_emit(u8 *p, const struct xcfmsg_message *m);
/* false: a name is empty or not a name. */
bool xcfmsg_member_parse(const u8 *p, struct xcfmsg_member *out);
void xcfmsg_member_emit(u8 *p, const struct xcfmsg_member *m);

#endif
