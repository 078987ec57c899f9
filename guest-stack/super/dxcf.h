/* dxcf.h - the operator's side of XCF: displays and commands about one struct xcf and what it stands on.
 *
 *   D XCF                                   IXC334I  systems of the sysplex
 *   D XCF,{S|SYSPLEX}[,{name|ALL}]          IXC334I, IXC335I
 *   D XCF,{G|GROUP}[,group[,{member|ALL}]]  IXC331I, IXC332I, IXC333I
 *   D XCF,{PI|PATHIN}[,{DEVICE|STRNAME}={name|(name,..)|ALL}]   D XCF,{PO|PATHOUT}[,...]   IXC355I, IXC356I
 *   D XCF,{CD|CLASSDEF}[,CLASS={name|ALL}]  IXC343I, IXC344I
 *   D XCF,{CPL|COUPLE}                      IXC357I
 *   D XCF,{ARMS|ARMSTATUS}[,DETAIL|,ELEMENT=name]   IXC392I (armas.c)
 *   D XCF,{POL|POLICY}[,TYPE=type]          IXC364I
 *   D XCF,{STR|STRUCTURE}[,STRNAME=name]    IXC359I, IXC360I
 *   D XCF,CF[,CFNAME=name]                  IXC361I, IXC362I
 *   D CF[,CFNAME=name]                      IXL150I
 *   V XCF,system,{OFFLINE|OFF}              IXC371D
 *   SETXCF START|STOP,...   SETXCF COUPLE,...  (setxcf.c)
 *
 * Whoever joins XCF to a system fills a struct xcf_operator and hangs it into struct system; what has no operation is answered as
 * not available. Displays of coupling facilities first ask for a fresh inventory, and are shown when it is there.
 */
#ifndef SUPER_DXCF_H
#define SUPER_DXCF_H

#include "super/system.h"
#include "xcf/xcf.h"

struct command;

/* A coupling facility as this system sees it. */
struct xcf_operator_cf {
    char name[9];
    char identity[40]; /* type.manufacturer.plant.sequence, as far as there is such a thing */
    bool connected;
    u16 devnum; /* of this system's link */
    u64 incarnation;
    u32 level; /* CFLEVEL */
    u32 total_kb, free_kb;
    bool primary, alternate; /* of the couple data */
};
/* A structure as it is in one facility. */
struct xcf_operator_instance {
    char cf[9];
    u32 actual_kb, elements, entries, elements_used, entries_used;
    u32 connections;
    struct {
        u8 id;
        char name[17], system[9];
        const char *state; /* "ACTIVE", "FAILED-PERSISTENT" */
    } connection[32];
};
/* A structure: of the policy, or allocated, or both. */
struct xcf_operator_structure {
    char name[17];
    const char *type; /* "LIST", "LOCK", "CACHE"; NULL: not known */
    bool in_policy, duplexed;
    const char *phase; /* of a rebuild; NULL: none under way */
    char preference[4][9];
    u32 preferences;
    u32 policy_kb, init_kb, rebuild_percent;
    const char *duplex; /* what the policy says: "ALLOWED", ... */
    /* None: not allocated. The second one is being made, or is the new one of a duplexed structure. */
    u32 instances;
    struct xcf_operator_instance instance[2];
};

struct xcf_operator_ops {
    /* Asks the facilities what they hold; dxcf_inventory_ready() when the answers are in. Not 0: nobody can be asked. NULL: the
     * lists below are always as they should be. */
    int (*inventory)(void *ctx, u64 now);
    /* i-th of them; false past the last. */
    bool (*facility)(void *ctx, u32 i, struct xcf_operator_cf *out);
    bool (*structure)(void *ctx, u32 i, struct xcf_operator_structure *out);
    /* SETXCF START of a path that XCF does not have: opens it and calls xcf_path_add(). 0, -ERR_NOENT no such device, ... */
    int (*path_new)(void *ctx, const struct couple_path *path, u64 now);
    /* SETXCF COUPLE. */
    int (*acouple)(void *ctx, const char *name, u64 now);
    int (*pswitch)(void *ctx, u64 now);
    /* SETXCF START,REBUILD; other: LOC=OTHER. And STOP. */
    int (*rebuild)(void *ctx, const char *structure, bool other, u64 now);
    int (*rebuild_stop)(void *ctx, const char *structure, u64 now);
    /* SETXCF START and STOP,REBUILD,DUPLEX; keep_new: KEEP=NEW. */
    int (*duplex)(void *ctx, const char *structure, bool start, bool keep_new, u64 now);
    /* SETXCF FORCE of a connection, or with "" of a structure, as the inventory shows them: as cfrm_force(). dxcf_forced() says how it ended. */
    int (*force)(void *ctx, const char *structure, const char *connection, u64 now);
    /* SETXCF START,POLICY,TYPE=CFRM: member CFRMxx was named. STOP: name "". */
    int (*cfrm_policy)(void *ctx, const char *name, u64 now);
};
struct xcf_operator {
    struct xcf *x;
    const struct xcf_operator_ops *ops; /* any may be NULL */
    void *ctx;
    char sfm_policy[9], cfrm_policy[9]; /* started ones; "" none */
    /* dxcf's own: */
    char waiting[SYSTEM_COMMAND_MAX + 1]; /* the display that waits for the inventory; "" none */
    bool inventory_is_fresh;
};

/* Commands of the table above. */
bool dxcf_display(struct command *c);
bool dxcf_cf(struct command *c);
bool dxcf_set(struct command *c);
/* What ops->force() has asked for is done, or why not (NULL: done). */
void dxcf_forced(struct system *sys, const char *structure, const char *connection, const char *why);
/* The answers to ops->inventory() are in. */
void dxcf_inventory_ready(struct system *sys, u64 now);

#endif
