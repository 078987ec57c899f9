/* ctc_internal.h - the state of one end of a channel-to-channel link, for ctc_engine.c and ctc_ahead.c. */
#ifndef HERCULES_DEVICES_CTC_INTERNAL_H
#define HERCULES_DEVICES_CTC_INTERNAL_H

#include "hercules-devices/ctc_ahead.h"
#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/ctc_engine.h"
#include "hercules-devices/ctc_queue.h"

#define OWN 0u
#define FAR 1u

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

#endif
