/* armmsg.h - what members of the group IXCARM send each other: one form for all, ARMMSG_BYTES, numbers big-endian, names padded with
 * blanks, the text with zeros.
 *
 *    0  1 kind          1  1 version, 1    2  1 state (RECORD)   3  1 flags      4  4 generation
 *    8 16 element      24  8 type         32  8 job             40  8 system on which it was first started
 *   48  8 owner        56  8 its incarnation                    64 128 start text, at most 126 characters
 *
 *   RECORD  how an element is; from its owner, or about a dead owner from whoever knew the element
 *   END     the element is no more
 *   CLAIM   the sender wants to restart it as this generation; owner: the dead one
 *   GRANT, DENY   the answer, same element and generation
 *   SYNC    to a new member: records of all elements that the sender knows have been sent. Element and owner: the sender
 */
#ifndef WIRE_ARMMSG_H
#define WIRE_ARMMSG_H

#include "base/be.h"

#define ARMMSG_BYTES   192
#define ARMMSG_VERSION 1
#define ARMMSG_TEXT    126

enum armmsg_kind { ARMMSG_RECORD = 1, ARMMSG_END, ARMMSG_CLAIM, ARMMSG_GRANT, ARMMSG_DENY, ARMMSG_SYNC };
enum { ARMMSG_ELEMENT_ONLY = 1 };

struct armmsg {
    u8 kind, state, flags;
    u32 generation;
    char element[17], type[9], job[9], initial[9], owner[9];
    u64 owner_incarnation;
    char text[ARMMSG_TEXT + 1];
};
/* false: another length or version, an unknown kind, a name that is none, a text without end. */
bool armmsg_parse(const u8 *p, u32 len, struct armmsg *out);
void armmsg_emit(u8 p[ARMMSG_BYTES], const struct armmsg *m);
/* 1 to max characters of A-Z 0-9 $ # @ _ */
bool armmsg_name_good(const char *name, u32 max);

#endif
