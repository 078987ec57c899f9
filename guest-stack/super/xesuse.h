/* xesuse.h - XESUSE: a program that uses structures at the operator's word, so that what list, lock and cache structures do between
 * systems can be seen: contention, cross-invalidation, monitored lists, a structure that is full, a connection that outlives its system.
 *
 *   XESUSE CONNECT,structure,{LIST|LOCK|CACHE}[,KEEP]    as connection USE_system; KEEP: if it fails, it is failed-persistent
 *   XESUSE DISCONNECT,structure[,FAILING]
 *   lock     OBTAIN,structure,entry,{SHARED|EXCLUSIVE}[,WAIT]   RELEASE,structure,entry   CANCEL,structure,entry
 *            RECORD,structure,name,text    RECORDS,structure,connection (its identifier: what a failed one has left)
 *   cache    READ,structure,name,bit       registers interest: the bit is on as long as what was read is valid
 *            WRITE,structure,name,bit,text[,CHANGED]     INVALIDATE,structure,name
 *            CASTOUT,structure,name        CASTOUTEND,structure,name
 *   list     WRITE,structure,list,text     at the tail    READ,structure,list     takes the head    BROWSE, CLEAR,structure,list
 *            MOVE,structure,list,list      the head of one to the head of the other
 *            MONITOR,structure,list        the bit of the list's number is on while the list is not empty
 *            LOCK,structure,number         UNLOCK,structure,number: an entry of the lock table
 *   CONNECT,structure,LIST,KEYS            entries have keys, WRITE,structure,list,text,key, and an adjunct: who wrote them
 *            MONITOREVENTS,structure   MONITORKEY,structure,list,key   EVENTS,structure: what has come into the event queue
 *            FILL,structure,list,n         n entries of 1,024 bytes, or as many as there is room for
 *   TEST,structure,bit                     what the vector says; no facility is asked
 *
 * An answer comes when the facility has given it: IXL014I, IXL013I for CONNECT, PLX0350I or PLX0351E else. What the facility tells unasked
 * is PLX0352I. A structure is used in the first facility of its preference list that is up, and not rebuilt: a connection that
 * is lost is said and forgotten. One request of a structure at a time.
 *
 * Touches xcf/xes.h, xcf/cfrm.h, the console; storage is taken once.
 */
#ifndef SUPER_XESUSE_H
#define SUPER_XESUSE_H

#include "base/base.h"

struct arena;
struct cfrm;
struct command;
struct console;
struct xesuse;

struct xesuse_config {
    struct arena *arena;
    const struct cfrm *cfrm; /* says where a structure should be */
    struct console *con;
    const char *system;
    u16 asid;
};

/* NULL: no storage. */
struct xesuse *xesuse_create(const struct xesuse_config *c);
/* The operands of the command; false: nothing was asked of a facility, and a line says why. */
bool xesuse_run(struct xesuse *u, struct command *c);

bool command_xesuse(struct command *c);

#endif
