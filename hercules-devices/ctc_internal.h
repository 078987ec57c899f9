/* ctc_internal.h - the state of one end of a channel-to-channel link, for ctc_engine.c, ctc_tell.c, ctc_heard.c and ctc_ahead.c, and what
 * they ask of each other. */
#ifndef HERCULES_DEVICES_CTC_INTERNAL_H
#define HERCULES_DEVICES_CTC_INTERNAL_H

#include "hercules-devices/ctc_ahead.h"
#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/ctc_engine.h"
#include "hercules-devices/ctc_queue.h"

#define OWN 0u
#define FAR 1u
#define CTC_NAME_BYTES 8u /* of a system's name in a message, blank padded */

struct ctc_engine;

struct ctc_unit {
    struct ctc_engine *e;
    u32 number;
    struct ctc_cu cu;
    struct engine_ccw *ccw; /* of the own channel, outstanding */
    bool starting;          /* within ccw(): an end is the CCW's own return */
    bool with_next;         /* within ccw(): the other end will be woken by the command that follows */
    struct engine_sense sense;
    bool command_due;             /* it was not executed yet: its message found no room */
    bool reset_due, reset_system; /* a reset that the other end has not been told */
    /* numbers of messages about this unit, since the link came up */
    u32 told, seen; /* own last one; the other end's */
    u32 reset, eof; /* own ones of the last reset and the last end of file */
    u32 unheard;    /* own one for which the other end was not woken, 0 = none */
    struct ctc_ahead announced; /* commands of the own program that the other end counts on */
    struct ctc_ahead expected;  /* the other way round */
    bool far_ended;             /* the other side's command has ended since expected was looked at */
    struct ctc_queue waiting;   /* messages that came before the announced command that they are for */
    u8 store[CTC_DATA_MAX + 1]; /* what the other side's WRITE, which waits, has to give */
};

enum ctc_link { CTC_ALONE, CTC_GREETING, CTC_LINKED, CTC_REFUSED };

struct ctc_engine {
    struct engine base;
    struct ctc_params params;
    enum ctc_link link;
    bool telling; /* the other end takes messages about units */
    bool bell_due; /* a message was sent without waking the other end, for the next one will */
    u32 logs;
    struct {
        u64 ring_full, bad_messages, rejects, refusals, links;
        u64 crossed;     /* commands of both sides that were given before either end saw the other's */
        u64 drops_stale; /* ends of a command that had been reset meanwhile; their data are lost */
        u64 drops_ahead; /* messages that waited for an announced command when the link went */
        u64 ahead_kept, ahead_broken; /* commands that came as announced; programs that did not go on as announced */
        u64 queue_full;
        u64 later, together; /* messages that nobody was woken for: of a PREPARE that waits; of one that goes with the next */
    } count;
    struct ctc_unit unit[CTC_UNITS_MAX];
};

/* ---- ctc_engine.c ---- */

/* A line in the emulator's log, up to LOGS_MAX of them. */
void ctc_say(struct ctc_engine *e, enum engine_severity sev, const char *fmt, ...);
/* Executes the own channel's command u->ccw, and tells it. Afterwards it has ended (u->ccw is NULL), waits, or was not executed for want
 * of room. */
void ctc_execute(struct ctc_unit *u);

/* ---- ctc_tell.c ---- */

void ctc_put_name(u8 *out, const char *name);
void ctc_ring_bell(struct ctc_engine *e);
u32 ctc_partners_unit(const struct ctc_engine *e, u32 unit);
/* The ring of a new connection is empty: this message always finds room. From here on commands are told. */
void ctc_tell_attach(struct ctc_engine *e);
void ctc_tell_refused(struct ctc_engine *e);
/* The own side was reset; without room it stays due. */
void ctc_tell_reset(struct ctc_unit *u);
/* Would ctc_tell_begin() find room? */
bool ctc_tell_has_room(const struct ctc_unit *u, const struct engine_ccw *c);
/* The message that a command needs, if it must be told; NULL: no room, or a reset goes first. It may be left unsent. */
u8 *ctc_tell_begin(struct ctc_unit *u, const struct engine_ccw *c);
/* Fills m in with the command that was executed, and sends it. */
void ctc_tell_command(struct ctc_unit *u, u8 *m, const struct ctc_command_in *in, bool done);

/* ---- ctc_heard.c ---- */

/* A message of the other end; false: it must wait, and there is no room for it. */
bool ctc_heard(struct ctc_engine *e, const u8 *m, u32 len);
/* What waited for an announced command, now that it, or another command, has been given. */
void ctc_take_queued(struct ctc_unit *u);
/* Will the oldest message that waits end c, the next announced command? It must not only say so: who was promised an end cannot wait. */
bool ctc_queue_ends_next(const struct ctc_unit *u, const struct engine_ccw *c);
/* The link ends, whatever comes next: each end is alone with what its own channel did. */
void ctc_leave(struct ctc_engine *e, enum ctc_link next);

#endif
