/* xesuse.h - XESUSE: a program that uses structures at the operator's word, so that what list, lock and cache structures do between
 * systems can be seen: contention, cross-invalidation, monitored lists, a structure that is full, a connection that outlives its system.
 *
 *   CONNECT,structure,{LIST|LOCK|CACHE}[,KEEP]   as connection USE_system; KEEP: if it fails, it is failed-persistent
 *   CONNECT,structure,LIST,KEYS     entries have keys, and an adjunct: who wrote them
 *   DISCONNECT,structure[,FAILING]
 *   TEST,structure,bit              what the vector says; no facility is asked
 *
 *   word           operands behind the structure   command of wire/cfcmd.h   as IBM's request    result, reasons of refusal
 *   lock
 *   OBTAIN         entry,{SHARED|EXCLUSIVE}[,WAIT] OBTAIN           IXLLOCK OBTAIN, ALTER        who holds, shares, waits; CONTENTION
 *   RELEASE        entry                           RELEASE          IXLLOCK RELEASE              LOCK_NOT_HELD
 *   CANCEL         entry                           CANCEL           -                            ends this one's waiting
 *   RECORD         name,text                       RECORD_SET       IXLLOCK, IXLRT CREATE        FULL
 *   RECORDEND      name                            RECORD_RESET     IXLRT DELETE                 NO_ENTRY
 *   RECORDS        connection (identifier)         RECORD_READ      IXLRT READBYCONN             what it left; MORE, MALFORMED
 *   cache
 *   READ           name,bit                        C_READ           IXLCACHE READ_DATA           the bit is on while it is valid; FULL
 *   WRITE          name,bit,text[,CHANGED]         C_WRITE          IXLCACHE WRITE_DATA          the others' bits go off; FULL, TOO_LONG
 *   INVALIDATE     name                            C_INVALIDATE     IXLCACHE CROSS_INVAL         its own bit, too; NO_ENTRY
 *   UNREGISTER     name,bit                        C_UNREGISTER     -                            NO_ENTRY
 *   CASTOUT        name                            CASTOUT          IXLCACHE CASTOUT_DATA        NO_ENTRY, CASTOUT by another one
 *   CASTOUTEND     name                            CASTOUT_END      IXLCACHE UNLOCK_CO_NAME      LOCK_NOT_HELD, NO_ENTRY
 *   CLASS          [class]                         CASTOUT_CLASS    IXLCACHE READ_COCLASS        names of what is changed; NUMBER, MORE
 *   list
 *   WRITE          list,text[,key]                 WRITE            IXLLIST WRITE                at the tail; FULL, LIST_FULL
 *   READ           list                            READ             IXLLIST READ, DELETE         takes the head; NO_ENTRY
 *   DELETE         list[,key]                      DELETE           IXLLIST DELETE               the head, or the key's first; NO_ENTRY
 *   MOVE           list,list                       MOVE             IXLLIST MOVE                 head to head; NO_ENTRY, LIST_FULL
 *   BROWSE         list                            READ_LIST        IXLLIST READ_LIST            MORE
 *   CLEAR          list                            DELETE_LIST      IXLLIST DELETE_MULT          how many; MORE
 *   READMULT       (those of the last BROWSE)      READ_MULT        IXLLIST READ, by entry ID    NO_ENTRY behind what was read
 *   DELETEMULT     (those of the last BROWSE)      DELETE_MULT      IXLLIST DELETE_ENTRYLIST     NO_ENTRY behind what was deleted
 *   FILL           list,n                          WRITE n times    IXLLIST WRITE                1,024 bytes each, as many as there is room
 *   LOCK, UNLOCK   lock entry                      LOCK             IXLLIST LOCK                 LOCK_HELD; LOCK_NOT_HELD
 *   CONTROLS       list                            LCONTROLS        IXLLIST READ_LCONTROLS       entries, limit, elements, monitors, text
 *   SETCONTROLS    list,limit[,text]               SET_LCONTROLS    IXLLIST WRITE_LCONTROLS      from then on LIST_FULL; 0: no limit
 *   MONITOR        list[,STOP]                     MONITOR_LIST     IXLLIST MONITOR_LIST         the list's bit: it is not empty
 *   MONITORKEY     list,key[,STOP]                 MONITOR_KEY      IXLLSTC MONITOR_SUBLIST      FULL: no control is left
 *   MONITOREVENTS  [STOP]                          MONITOR_EVENTQ   IXLLSTC MONITOR_EVENTQ       bit 63: the event queue is not empty
 *   EVENTS                                         DEQ_EVENTQ       IXLLSTC DEQ_EVENTQ           which keys have come; MORE
 * Each also: NUMBER, no such list, lock entry or bit; ISOLATED; and LOST, the facility went while it had the request. The reasons are those
 * of enum cf_rc in words; docs/DEVICES.md 8.2 has what a refusal means.
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
