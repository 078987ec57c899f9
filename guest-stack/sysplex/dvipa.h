/* dvipa.h - dynamic VIPAs: what the VIPADYNAMIC block, bind() and ioctl() say, and who owns an address when.
 *
 * States of a DVIPA at this stack (dvipa_next() is the table; a test compares docs/TCPIP-SYSPLEX.md with it):
 *   NONE         not configured here
 *   BACKUP       configured, somebody else owns it or nobody does
 *   CLAIMING     the others have been asked; hidden in HOME if it was bound here
 *   ACTIVE       owner: in HOME, registered with the OSAs
 *   MOVING       another stack has it; connections that live here go on, hidden in HOME (flag I)
 *   DEACTIVATED  by V TCPIP,,SYSPLEX,DEACTIVATE
 *
 * One owner. To become the owner a stack sends CLAIM to every member with an epoch one above the highest that it knows, and
 * is the owner when each member that was UP at that moment has answered GRANT or is gone. Who owns the address gives it up
 * before it grants: out of the OSA's table, then the list of connections that stay, then GRANT. Of two claims the one with
 * the higher (epoch, priority, lower name) wins: its stack denies the other, whose stack aborts and grants. So two stacks
 * are ACTIVE at once only if neither knows of the other; the row with the higher (epoch, lower name) then stands.
 *
 * Who claims. No owner: of those that have it as VIPADEFINE (255) or VIPABACKUP (rank) the highest, among equals the lower
 * member name; a VIPABACKUP without MOVEABLE only what has been active somewhere (epoch above 0). Each stack finds that out
 * by itself from the rows that all have sent, after each change. A VIPADEFINE claims once from whoever owns it: at its
 * definition and at each joining; with WHENIDLE the owner grants when its last connection has ended.
 *
 * MOVEABLE: IMMEDIATE and NONDISRUPTIVE: connections stay where they are; the new owner forwards their packets there. It
 * has their list before it is ACTIVE, so that it never resets one of them; what it does not know then is lost, and gets its
 * RST at once (fast connection reset), which is what TCP does with a segment of no connection.
 */
#ifndef SYSPLEX_DVIPA_H
#define SYSPLEX_DVIPA_H

#include "base/base.h"
#include "wire/ipaddr.h"

struct stack_hooks;
struct sysplex;

enum dvipa_status {
    DVIPA_NONE,
    DVIPA_BACKUP,
    DVIPA_CLAIMING,
    DVIPA_ACTIVE,
    DVIPA_MOVING,
    DVIPA_DEACTIVATED,
    DVIPA_STATUSES,
};
enum dvipa_event {
    DVIPA_EV_CONFIGURED, /* a statement, a bind or an ioctl names it; or REACTIVATE */
    DVIPA_EV_CLAIM,      /* the others are asked */
    DVIPA_EV_GRANTED,    /* all have answered */
    DVIPA_EV_TAKEN,      /* another stack's claim was granted: its own claim is aborted, or it is given up */
    DVIPA_EV_DENIED,
    DVIPA_EV_KEPT,       /* connections or sockets remain here */
    DVIPA_EV_DRAINED,    /* the last of them is gone */
    DVIPA_EV_DEACTIVATED,
    DVIPA_EV_REMOVED,    /* nothing configures it here any more */
    DVIPA_EV_LEFT,       /* this stack has left the group */
    DVIPA_EVENTS,
};
enum dvipa_origin { DVIPA_NO_ORIGIN, DVIPA_DEFINE, DVIPA_BACKUP_OF, DVIPA_BIND, DVIPA_IOCTL, DVIPA_TARGET, DVIPA_ORIGINS };
enum dvipa_moveable {
    DVIPA_MOVEABLE_NA,
    DVIPA_IMMEDIATE,
    DVIPA_WHENIDLE,
    DVIPA_NONDISRUPTIVE,
    DVIPA_DISRUPTIVE,
    DVIPA_MOVEABLES,
};
enum dvipa_row_flags {
    DVIPA_ROW_YIELDS = 0x01, /* DEACTIVATE, VIPADELETE: it does not take it, and if ACTIVE the next in rank should */
    DVIPA_ROW_DIST = 0x02,   /* DISTSTAT */
    DVIPA_ROW_DEST = 0x04,
    DVIPA_ROW_CREATE = 0x08, /* may activate what nobody has had */
    DVIPA_ROW_LIVE = 0x10,   /* bound or made by ioctl here: comes back if the present owner dies */
};

enum dvipa_status dvipa_next(enum dvipa_status s, enum dvipa_event e); /* the table; same = no change */
const char *dvipa_status_name(enum dvipa_status s);
const char *dvipa_event_name(enum dvipa_event e);
const char *dvipa_origin_name(enum dvipa_origin o);
const char *dvipa_moveable_name(enum dvipa_moveable m);

/* ---- conflicts (docs/TCPIP-SYSPLEX.md) ---- */
enum dvipa_verdict {
    DVIPA_OK,          /* no new DVIPA is needed */
    DVIPA_OK_WARN,     /* the same, and the caller is told so */
    DVIPA_FAILS,
    DVIPA_IGNORED,
    DVIPA_MOVES,       /* ownership moves, connections stay */
    DVIPA_MOVES_IDLE,  /* ownership moves when the last connection has ended */
    DVIPA_MOVES_DELETE, /* ownership moves, it is deleted there with its connections */
};
/* What becomes of `second` when the address exists as `first` already. moveable: of the first for BIND and IOCTL, of the
 * second for DEFINE. */
enum dvipa_verdict dvipa_conflict(enum dvipa_origin first, enum dvipa_origin second, bool same_stack,
                                  enum dvipa_moveable moveable);

/* bind() and SIOCSVIPA of the stack's programs come in by these. */
void dvipa_hooks(struct stack_hooks *h);
/* Off: segments of unknown connections to a DVIPA are dropped, as before V2R8; for comparison only. */
void dvipa_fast_reset(struct sysplex *sx, bool on);

/* ---- statements ---- */
/* All return 0; -ERR_INVAL not a host's address, or no mask; -ERR_EXIST it is defined here already, an interface has it, or
 * the conflict table says no; -ERR_NOENT; -ERR_NOMEM. */
int dvipa_define(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, enum dvipa_moveable m, u64 now);
/* mask any: the form without MOVEABLE, which cannot create. rank 1..254. */
int dvipa_backup(struct sysplex *sx, struct ipaddr addr, u8 rank, struct ipaddr mask, enum dvipa_moveable m, u64 now);
int dvipa_range(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, enum dvipa_moveable m, u64 now);
int dvipa_range_delete(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask);
int dvipa_delete(struct sysplex *sx, struct ipaddr addr, u64 now);
/* V TCPIP,,SYSPLEX. -ERR_NOENT not configured here by VIPADEFINE or VIPABACKUP; -ERR_ALREADY. */
int dvipa_deactivate(struct sysplex *sx, struct ipaddr addr, u64 now);
int dvipa_reactivate(struct sysplex *sx, struct ipaddr addr, u64 now);
/* SIOCSVIPA. 0 activated; -ERR_EXIST it is active here already (usable: MODDVIPA's return code 4); -ERR_ADDRNOTAVAIL no
 * VIPARANGE, or refused; -ERR_AGAIN the stack has not joined; delete: -ERR_NOENT. */
int dvipa_ioctl_define(struct sysplex *sx, struct ipaddr addr, const char *jobname, u64 now);
int dvipa_ioctl_delete(struct sysplex *sx, struct ipaddr addr, const char *jobname, u64 now);

/* Is any DVIPA or range configured here; has each DVIPA found its place after the latest joining. */
bool dvipa_configured(const struct sysplex *sx);
bool dvipa_settled(const struct sysplex *sx);
u32 dvipa_deactivated_count(const struct sysplex *sx);

/* ---- displays ---- */
/* One line of D TCPIP,,SYSPLEX,VIPADYN: what one stack says of one DVIPA. */
struct dvipa_line {
    struct ipaddr addr, mask;
    char link[17]; /* "" not in HOME here */
    char tcpname[9], system[9];
    bool local;
    enum dvipa_status status;
    enum dvipa_origin origin;
    enum dvipa_moveable moveable;
    u8 rank, flags;
    u64 active_since; /* local and ACTIVE */
    u32 connections;  /* local */
};
/* Every line, DVIPAs in order of address, in each the owner first; row() false ends it. local_only: NETSTAT VIPADYN. */
void dvipa_for_each(struct sysplex *sx, bool local_only, bool (*row)(void *ctx, const struct dvipa_line *l), void *ctx);
/* What the profile has said (NETSTAT VIPADCFG). */
struct dvipa_config {
    struct ipaddr addr, mask;
    bool define, backup, create, deactivated;
    u8 rank;
    enum dvipa_moveable moveable;
};
void dvipa_config_for_each(struct sysplex *sx, void (*row)(void *ctx, const struct dvipa_config *c), void *ctx);
void dvipa_range_for_each(struct sysplex *sx,
                          void (*row)(void *ctx, struct ipaddr addr, struct ipaddr mask, enum dvipa_moveable m), void *ctx);

#endif
