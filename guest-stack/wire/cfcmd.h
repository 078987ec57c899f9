/* cfcmd.h - commands of a coupling facility and their responses, as bytes, big-endian. A system writes one command to its
 * CF link and reads one response; docs/DEVICES.md says how the link is driven.
 *
 * COMMAND            (CF_CMD_BYTES, then operands)          RESPONSE          (CF_RSP_BYTES, then a body)
 *   0  1  version, CF_VERSION                                 0  1  version
 *   1  1  operation, enum cf_op                               1  1  operation | CF_RESPONSE
 *   2  2  tag, returned in the response                       2  2  tag
 *   4  4  length, this header included                        4  4  length, this header included
 *   8  4  structure token, from CONNECT                       8  2  response code, enum cf_rc
 *  12  1  connection identifier, from CONNECT                10  1  flags: CF_RSP_PENDING
 *  13  1  zero                                               11  1  zero
 *  14  2  largest response wanted, bytes; 0 = any            12  4  count, where the operation says so
 * Names are ASCII, padded with blanks. A field that an operation does not name is zero. A command that is not OK has
 * changed nothing, unless its description says otherwise.
 *
 * FACILITY
 *   IDENTIFY       -> 16 8 name | 24 4 level | 28 4 storage KB | 32 4 free KB | 36 4 structures | 40 8 policy name
 *                     48 8 incarnation of the facility | 56 8 own incarnation
 *   STRUCTURES     16 4 first row -> count rows of: 0 16 name | 16 4 token | 20 1 type | 21 1 active | 22 1 failed
 *                     23 1 flags | 24 4 KB | 28 4 entries used | 32 4 entries | 36 4 elements used | 40 4 elements
 *                     44 4 zero; MORE: ask again from row first + count
 *   CONNECTIONS    16 16 structure name -> 16 48 row as above, then count rows of: 0 16 connection name | 16 16 system
 *                     32 8 incarnation | 40 1 identifier | 41 1 state | 42 1 flags | 43 5 zero | 48 64 connect data
 *   POLICY         the CFRM policy: 16 8 name | 24 4 rows | 28 4 zero, then rows of: 0 16 structure | 16 4 SIZE KB
 *                     20 4 INITSIZE KB, 0 = SIZE | 24 1 REBUILDPERCENT | 25 1 names | 26 1 DUPLEX 0 DISABLED 1 ALLOWED
 *                     2 ENABLED | 27 5 zero | 32 8x8 PREFLIST
 *                     It replaces the one before. Structures that are allocated stay as they are; those whose names
 *                     begin with IXCCDS_ (couple data) are outside of every policy. Name of zeros: none is active
 *   POLICY_QUERY   -> the same from offset 16 on
 *   ISOLATE        16 16 system | 32 8 incarnation: from now on this incarnation and older ones are refused, here and
 *                     wherever the facility's fence reaches; its connections have failed
 *   QUERY_SYSTEMS  -> count rows of: 0 16 name | 16 8 incarnation | 24 1 1 connected, 2 isolated up to incarnation
 *   DRAIN          -> count notices, see below. MORE: there are more.
 *   RESET          this system starts anew: its connections have failed
 *
 * CONNECT          16 16 structure | 32 16 connection | 48 1 type | 49 1 flags CF_CONN_* | 50 1 element size: 256 << n,
 *                     n 0..4 | 51 1 largest number of elements of an entry | 52 4 list headers, lock entries or castout
 *                     classes | 56 4 entries of a list's lock table | 60 4 bits of a notification vector | 64 4 KB when no
 *                     policy is active | 68 2 entries : 70 2 elements | 72 4 event monitor controls | 76 1 identifier wanted,
 *                     0 = any (CONNECTIONS if it is in use) | 77 3 zero | 80 64 connect data
 *                  The first connection allocates: type, flags but CONN_KEEP, counts and sizes are the structure's and
 *                  the later ones' are ignored, except type. Lock entries are rounded up to a power of two.
 *                  -> 16 4 token | 20 1 identifier | 21 1 CF_NEW_* | 22 2 zero | 24 4 headers | 28 4 lock entries
 *                     32 4 entries | 36 4 elements | 40 4 vector bits | 44 4 element bytes | 48 4 active | 52 4 failed
 *                     Sets of connections have bit (identifier - 1) from the right.
 *   DISCONNECT     16 1 1 = failing: a connection with CONN_KEEP becomes failed-persistent
 *   CONNDATA       16 64 connect data: this connection's from now on; the others are told CONNECTIONS
 *   ORDERED        16 4 epoch | 20 4 ordinal, 0 = the next one | 24 a LIST, LOCK or CACHE command of this connection, header and all
 *                  -> 16 4 epoch | 20 4 ordinal | 24 its response, header and all. A structure numbers what it executes by ORDERED,
 *                     from 1 in each epoch. ORDER: not executed, because it is not the next one, or of an earlier epoch; the
 *                     response has epoch and ordinal of the last that was
 *   FORCE          16 1 identifier of a failed connection, or 0 and then 32 16 structure name: deletes the structure,
 *                     which must have no active connection
 *
 * LIST operands (CF_LIST_BYTES), response body: an entry
 *  16  4  list number        20  4  target list (MOVE)          24 12  LEID
 *  36  1  locate CF_BY_*     37  1  end: 0 head, 1 tail         38  2  CF_F_* flags
 *  40  8  version expected   48  8  version to set              56  4  lock entry    60  1  CF_LOCK_*   61 3 zero
 *  64 32  name; or key (16)  96 16  target key (MOVE)          112 64  adjunct      176     data
 *  An entry: 0 4 length of all | 4 4 list | 8 12 LEID | 20 4 data bytes | 24 8 version | 32 32 name or key
 *            64 64 adjunct | 128 data (with F_DATA)
 *   WRITE          creates or replaces the entry that is located, at the end of its list (of its key's entries) that is
 *                  named. F_CREATE, F_UPDATE: only that. CF_BY_NONE always creates.
 *   READ           F_DELETE: and deletes it
 *   MOVE           to the target list and, F_KEY, the target key; end: where
 *   DELETE         F_DATA: the response has the data
 *   READ_LIST      entries of a list, with F_KEY those of a key, in order from the end; F_DELETE deletes what is read.
 *                  BY_LEID: those behind this one. -> 16 count entries. MORE: the response was full.
 *   DELETE_LIST    likewise -> count
 *   READ_MULT, DELETE_MULT   176 n LEIDs of 12 bytes -> entries; count LEIDs were done, the next one was not (rc)
 *   LOCK           a lock operation alone -> 16 1 holder
 *   LCONTROLS      -> 16 4 entries | 20 4 limit | 24 4 elements | 28 4 monitors | 32 32 text
 *   SET_LCONTROLS  16 4 list | 20 4 limit, 0 = none | 64 32 text
 *   MONITOR_LIST   16 4 list | 20 4 vector index | 36 1 1 = start, 0 = stop -> 16 1 1 = not empty
 *   MONITOR_KEY    16 4 list | 64 16 key | 96 16 user data | 36 1 start or stop: events of this key's entries
 *   MONITOR_EVENTQ 20 4 vector index | 36 1 start or stop -> 16 1 1 = not empty
 *   DEQ_EVENTQ     -> count rows of: 0 4 list | 4 12 zero | 16 16 key | 32 16 user data
 *  Versions: F_COMPARE needs the expected one; F_SET sets, else each change adds one. CF_LOCK_*: SET the lock if nobody
 *  has it, RESET it if this connection has, HELD needs it held by this one, FREE by nobody.
 *
 * LOCK  16 4 hash value | 20 1 CF_SHARED or CF_EXCLUSIVE | 21 1 1 = wait
 *   OBTAIN, RELEASE, CANCEL -> 16 1 exclusive holder | 17 3 zero | 20 4 sharing | 24 4 waiting | 28 4 failed
 *   CONTENTION: the holders get a notice; with wait this connection gets one when the lock might be free.
 *   A connection's interest in a lock entry is none, shared or exclusive; OBTAIN sets it, up or down, RELEASE ends it, CANCEL
 *   ends its waiting. Names of resources are hashed by whoever asks; an entry is the hash value modulo their number.
 *   RECORD_SET     32 32 name | 64 64 data        RECORD_RESET 32 32 name
 *   RECORD_READ    16 4 first row | 20 1 of which connection -> count rows of 0 4 row | 4 28 zero | 32 32 name | 64 64 data
 *
 * CACHE 16 16 name | 32 16 name that the vector index had before, zeros = none | 48 4 vector index | 52 2 class
 *       54 2 CF_C_* flags | 56 8 user data | 64 data;  body: 16 8 version | 24 4 data bytes | 28 1 CF_C_CHANGED or 0
 *       29 1 castout owner | 30 2 class | 32 8 user data | 40 data
 *   C_READ         registers interest under the vector index, gives the data. C_ASSIGN: makes the entry if there is none.
 *                  A name has one bit of a connection: that of an index which it had before goes to 0
 *   C_WRITE        stores the data; C_CHANGED: the only copy (store-in), else what is on disk too (store-through).
 *                  The interest of the others ends: their bits go to 0. C_REGISTER: the writer's begins
 *   C_INVALIDATE   ends everybody's interest; C_PURGE: and deletes the entry even if it is changed
 *   C_UNREGISTER   ends this connection's
 *   CASTOUT        gives the data of a changed entry and locks it for castout
 *   CASTOUT_END    unlocks it; C_CHANGED: it did not reach the disk, it is changed again
 *   CASTOUT_CLASS  -> count names of 16 bytes: changed entries of the class that nobody casts out
 *
 * NOTICE (CF_NOTICE_BYTES)
 *   0  1  kind CF_NOTICE_*     1  1  connection it is for     2  2  zero      4  4  structure token
 *   8  4  index                12 4  value                    16 4  set a     20 4  set b     24 8 zero
 *   VECTOR       vector bit index is now value: a list or event queue is not empty (1), a buffer is not valid (0)
 *   LOCK         lock entry index: value = exclusive holder, a = sharing, b = waiting. One who holds and sees others wait
 *                should give up; one who waits and sees no holder in the way tries again
 *   CONNECTIONS  a = connections that came, left, failed or changed their data since the last such notice
 *   FULL         value = percent in use of the entries or elements: the 80 % threshold was passed
 *  Notices tell the present state, not history: what changes twice before DRAIN is told once. Each response's CF_RSP_PENDING
 *  says whether there is something to drain at the moment that its command was executed; so whoever sees it off knows that
 *  its vectors were right then.
 */
#ifndef WIRE_CFCMD_H
#define WIRE_CFCMD_H

#include "base/be.h"

#define CF_VERSION 1
#define CF_LEVEL 1
#define CF_RESPONSE 0x80
#define CF_MESSAGE_MAX 65024 /* a CCW counts to 65535; what is left is for the link */
#define CF_CMD_BYTES 16
#define CF_RSP_BYTES 16
#define CF_CONNECT_BYTES 144
#define CF_CONNECTED_BYTES 56
#define CF_CONNDATA_BYTES 80
#define CF_ORDERED_BYTES 24 /* in front of the command, and of its response */
#define CF_LIST_BYTES 176
#define CF_LOCK_BYTES 24
#define CF_CACHE_BYTES 64
#define CF_CACHED_BYTES 40
#define CF_ENTRY_BYTES 128
#define CF_NOTICE_BYTES 32
#define CF_LEID_BYTES 12
#define CF_NAME_BYTES 16 /* structures, connections, systems, cache entries */
#define CF_ENTRY_NAME_BYTES 32
#define CF_KEY_BYTES 16
#define CF_ADJUNCT_BYTES 64
#define CF_STRUCTURE_ROW_BYTES 48
#define CF_CONNECTION_ROW_BYTES 112
#define CF_POLICY_ROW_BYTES 96
#define CF_SYSTEM_ROW_BYTES 32
#define CF_EVENT_ROW_BYTES 48
#define CF_RECORD_ROW_BYTES 128
#define CF_CONNECTORS 32
#define CF_PREFLIST_MAX 8

enum cf_op {
    CF_IDENTIFY = 0x01, CF_STRUCTURES, CF_CONNECTIONS, CF_POLICY, CF_POLICY_QUERY, CF_ISOLATE, CF_QUERY_SYSTEMS, CF_DRAIN, CF_RESET,
    CF_CONNECT = 0x10, CF_DISCONNECT, CF_FORCE, CF_CONNDATA, CF_ORDERED,
    CF_WRITE = 0x20, CF_READ, CF_MOVE, CF_DELETE, CF_READ_LIST, CF_DELETE_LIST, CF_READ_MULT, CF_DELETE_MULT, CF_LOCK,
    CF_LCONTROLS, CF_SET_LCONTROLS, CF_MONITOR_LIST, CF_MONITOR_KEY, CF_MONITOR_EVENTQ, CF_DEQ_EVENTQ,
    CF_OBTAIN = 0x30, CF_RELEASE, CF_CANCEL, CF_RECORD_SET, CF_RECORD_RESET, CF_RECORD_READ,
    CF_C_READ = 0x40, CF_C_WRITE, CF_C_INVALIDATE, CF_C_UNREGISTER, CF_CASTOUT, CF_CASTOUT_END, CF_CASTOUT_CLASS,
    CF_OPS = 0x50,
    /* What a facility sends unasked, a header of CF_RSP_BYTES alone. */
    CF_PENDING = 0x7E,  /* there is something to drain */
    CF_ISOLATED = 0x7F, /* this system has been isolated; nothing more will be executed for it */
};

enum cf_rc {
    CF_OK,
    CF_RC_MALFORMED,       /* lengths, values or flags that no command has */
    CF_RC_OPERATION,       /* no such operation */
    CF_RC_NO_STRUCTURE,    /* token or name of none */
    CF_RC_NOT_CONNECTED,   /* identifier is not an active connection of this system */
    CF_RC_TYPE,            /* the structure is of another type */
    CF_RC_NO_ENTRY,
    CF_RC_EXISTS,          /* an entry with this name, or F_CREATE */
    CF_RC_VERSION,
    CF_RC_LOCK_HELD,       /* by another connection; count is its identifier */
    CF_RC_LOCK_NOT_HELD,   /* by this connection */
    CF_RC_FULL,            /* the structure has no entry, element, or control left */
    CF_RC_LIST_FULL,       /* the list's limit */
    CF_RC_NUMBER,          /* list, lock entry, vector index or class does not exist */
    CF_RC_TOO_LONG,        /* data of more elements than an entry may have */
    CF_RC_MORE,            /* done in part: the response was full */
    CF_RC_CONNECTIONS,     /* all identifiers, or this name, in use */
    CF_RC_SPACE,           /* the facility has no room for the structure */
    CF_RC_POLICY,          /* the active policy does not have the structure in this facility */
    CF_RC_ISOLATED,
    CF_RC_CONTENTION,
    CF_RC_CASTOUT,         /* another connection casts it out */
    CF_RC_IN_USE,          /* the structure has active connections, the connection has not failed */
    CF_RC_ORDER,           /* ORDERED: its turn has not come, or is over */
    CF_RCS,
};

enum { CF_RSP_PENDING = 1 };
enum cf_type { CF_TYPE_LIST = 1, CF_TYPE_LOCK, CF_TYPE_CACHE };
enum {
    CF_CONN_STRUCTURE_KEEP = 1, /* the structure stays when its last connection goes */
    CF_CONN_KEEP = 2,           /* this connection becomes failed-persistent when it fails */
    CF_CONN_NAMES = 4,          /* entries have names */
    CF_CONN_KEYS = 8,           /* entries have keys */
    CF_CONN_ADJUNCT = 16,       /* entries have adjuncts */
};
enum { CF_NEW_STRUCTURE = 1, CF_RECONNECTED = 2 };
enum { CF_CONN_FREE, CF_CONN_ACTIVE, CF_CONN_FAILED };
enum { CF_BY_NONE, CF_BY_LEID, CF_BY_NAME, CF_BY_KEY, CF_BY_POSITION, CF_BYS };
enum {
    CF_F_DATA = 1, CF_F_ADJUNCT = 2, CF_F_DELETE = 4, CF_F_CREATE = 8, CF_F_UPDATE = 16, CF_F_COMPARE = 32, CF_F_SET = 64,
    CF_F_KEY = 128,
};
enum { CF_LOCK_NONE, CF_LOCK_SET, CF_LOCK_RESET, CF_LOCK_HELD, CF_LOCK_FREE, CF_LOCK_OPS };
enum { CF_SHARED = 1, CF_EXCLUSIVE = 2 };
enum { CF_C_ASSIGN = 1, CF_C_CHANGED = 2, CF_C_REGISTER = 4, CF_C_PURGE = 8 };
enum { CF_NOTICE_VECTOR = 1, CF_NOTICE_LOCK, CF_NOTICE_CONNECTIONS, CF_NOTICE_FULL };

/* A command's or a response's header; the rest of the message is the caller's. */
static inline void cf_command_put(u8 *p, u8 op, u16 tag, u32 len, u32 token, u8 conid) {
    p[0] = CF_VERSION;
    p[1] = op;
    be16_put(p + 2, tag);
    be32_put(p + 4, len);
    be32_put(p + 8, token);
    p[12] = conid;
    p[13] = 0;
    be16_put(p + 14, 0);
}
/* Is this a whole message of our version? */
static inline bool cf_message_check(const u8 *p, u32 len) {
    return len >= CF_CMD_BYTES && len <= CF_MESSAGE_MAX && p[0] == CF_VERSION && be32_get(p + 4) == len;
}
static inline u32 cf_rc_get(const u8 *rsp) { return be16_get(rsp + 8); }
static inline u32 cf_count_get(const u8 *rsp) { return be32_get(rsp + 12); }

#endif
