/* cf_engine.h - the coupling facility: structures and those who are connected to them. Pure: no I/O, no clock, no
 * allocation; the process (cf_main.c), the simulator and the fuzzers stand around it. Commands: wire/cfcmd.h.
 *
 *   system      one LPAR that has a link, number 0..CF_SYSTEMS-1; known by name and incarnation
 *   structure   list, lock or cache, in blocks of 4 KB of the facility's storage, found by name or token
 *   connection  1..32 of a structure, belongs to a system's incarnation; bits of its vector wait for DRAIN
 *
 *   connection state   CONNECT, same name       DISCONNECT   fails (link down, RESET,    FORCE
 *                                                            isolation, DISCONNECT 1)
 *   FREE               ACTIVE                   -            -                           -
 *   ACTIVE             refused                  FREE         KEEP: FAILED, else FREE     refused
 *   FAILED             ACTIVE: what it had      -            FAILED                      FREE
 * FREE gives up locks, interest, castouts, monitors; FAILED keeps locks and records for its peers to recover. A structure
 * goes when its last connection of any state goes, unless it was allocated with CF_CONN_STRUCTURE_KEEP.
 *
 * Calls: cf_engine_init; then, as things happen, _link_up, _message, _link_down, and _pump at the end of each batch, which
 * tells systems that they have something to drain. Every message is PEER input: it gets a response code or is counted.
 * The host table's functions are called from within; they must not call back into the engine.
 */
#ifndef HERCULES_DEVICES_CF_ENGINE_H
#define HERCULES_DEVICES_CF_ENGINE_H

#include "base/base.h"
#include "hercules-devices/engine.h"
#include "wire/cfcmd.h"

#define CF_SYSTEMS 32u
#define CF_STRUCTURES_MAX 256u
#define CF_POLICY_ROWS_MAX 256u
#define CF_ISOLATED_MAX 64u /* names; each with the highest incarnation that is refused */
#define CF_FACILITY_NAME_MAX 8u
#define CF_STORAGE_KB_MIN 1024u
#define CF_STORAGE_KB_MAX (1024u * 1024u)

struct cf;

struct cf_params {
    char name[CF_FACILITY_NAME_MAX + 1];
    u64 incarnation;
    u32 storage_kb; /* of structures */
};

struct cf_host {
    void *ctx;
    /* Space for one message to a system; NULL if its ring is full. */
    u8 *(*reserve)(void *ctx, u32 system, u32 bytes);
    void (*commit)(void *ctx, u32 system, u32 bytes);
    /* Makes the isolation known outside the facility before anybody is told that it is done. false: it could not. */
    bool (*isolate)(void *ctx, const char *name, u64 incarnation);
    void (*log)(void *ctx, enum engine_severity sev, const char *text);
};

enum cf_counter {
    CF_CT_COMMANDS,
    CF_CT_DATA_IN,      /* bytes of commands */
    CF_CT_DATA_OUT,     /* bytes of responses */
    CF_CT_MALFORMED,    /* answered CF_RC_MALFORMED */
    CF_CT_DROP_HEADER,  /* not a command of our version: dropped without an answer */
    CF_CT_DROP_NO_LINK, /* from a system that has no link */
    CF_CT_DROP_ISOLATED,
    CF_CT_BUSY,         /* kept back: the ring to the system was full */
    CF_CT_LINK_REFUSED, /* isolated, all systems in use, or its name is here already */
    CF_CT_FULL,         /* answered CF_RC_FULL */
    CF_CT_CONTENTION,
    CF_CT_NOTICES,      /* given out by DRAIN */
    CF_CT_PENDING,      /* systems told to drain */
    CF_CT_ORDER,        /* ORDERED whose turn had not come, or was over */
    CF_COUNTERS,
};
const char *cf_counter_name(u32 counter);

/* Bytes of storage that cf_engine_init wants. */
size_t cf_engine_bytes(u32 storage_kb);
/* NULL: a parameter is outside its limits. storage must be zeros on a 16-byte boundary. */
struct cf *cf_engine_init(void *storage, const struct cf_params *params, const struct cf_host *host);

/* A system's link came up; its number, or -ERR_ACCES isolated, -ERR_EXIST its name is here with this incarnation or a newer one,
 * -ERR_NOMEM. An older incarnation of the name has failed by this. */
int cf_link_up(struct cf *cf, const char *name, u64 incarnation);
/* Its connections have failed. */
void cf_link_down(struct cf *cf, u32 system);
/* One command. false: the ring towards the system has no room for the response; nothing was done, offer it again. */
bool cf_message(struct cf *cf, u32 system, const u8 *msg, u32 len);
/* true: a ring was full, something is still to be told; call again soon. */
bool cf_pump(struct cf *cf);
/* Its link may be closed: it was isolated or its name was loaded again, and it has been told, if its ring had room. */
bool cf_link_is_cut(const struct cf *cf, u32 system);

/* As the command ISOLATE. false: the host could not make it known, or there is no room to remember it. */
bool cf_isolate(struct cf *cf, const char *name, u64 incarnation);
bool cf_is_isolated(const struct cf *cf, const char *name, u64 incarnation);
u64 cf_counter(const struct cf *cf, enum cf_counter counter);
/* What is held together is whole: for tests and fuzzers; a CHECK stops if not. Slow. */
void cf_verify(const struct cf *cf);

#endif
