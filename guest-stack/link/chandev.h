/* chandev.h - a device of a few subchannels whose life is a table of states: what the drivers for QDIO, LCS and CTC share.
 *
 * A driver's device begins with a struct chandev; its struct chandev_kind says in tables what it is:
 *
 *   cell[state][event]   an action and, for GO and FORGIVE, the state that follows; an empty cell ignores the event, such as
 *                        a late answer or a second failure while the device already goes down
 *   state[]              name, time, and what is done on entering; the step timer runs for that time, 0 = for ever
 *
 *   action    what happens                                      action    what happens
 *   GO        next state                                        FAIL      the failure is kept, then the state `halt`
 *   FORGIVE   the same, after a refusal that does not matter    RETRY     AGAIN, but FAIL after tries_max times
 *   MORE      this state once more, at once                     QUIT      going down already: now because of a STOP
 *   AGAIN     this state from its beginning, after retry_usec
 *
 * State 0 is DOWN: no subchannel is open. Invariant: a state whose enter function is chandev_end_programs (halt) is left
 * only when no subchannel has a program, so storage that a device may write is never given up while it may. A
 * subchannel that does not answer a halt is cleared, again and again, each time that state's time is over.
 *
 * Called by drivers only; calls chan_* and the stack's timers. The driver's own events are chan_events with a
 * struct chandev_sub as context.
 */
#ifndef LINK_CHANDEV_H
#define LINK_CHANDEV_H

#include "chan/chan.h"
#include "net/link.h"
#include "net/timer.h"

#define CHANDEV_UNITS_MAX 3

enum chandev_act { CD_IGNORE, CD_GO, CD_FORGIVE, CD_MORE, CD_AGAIN, CD_RETRY, CD_FAIL, CD_QUIT };
struct chandev_cell {
    u8 act, next;
};

struct chandev;
struct chandev_state {
    const char *name;
    u32 time_usec;
    void (*enter)(struct chandev *m, u64 now);
};

struct chandev_kind {
    const struct chandev_cell *cell; /* [states][events] */
    const struct chandev_state *state;
    const char *const *event_name, *const *fail_name;
    u8 states, events, fails;
    u8 halt;                                              /* state in which programs are ended before DOWN */
    u8 ev_error, ev_timeout, ev_quiet;                    /* QUIET: no subchannel has a program left */
    u8 fail_no_device, fail_io, fail_timeout;             /* causes that are found here */
    u8 units, tries_max;
    u32 retry_usec;
    const struct chan_events *programs;
    /* true: the event has to wait, and the driver has noted it. NULL: none ever has. */
    bool (*hold_back)(struct chandev *m, u32 ev);
};

struct chandev_sub {
    struct chandev *m;
    struct chan *ch; /* NULL = not open */
    bool running;    /* a program was started and done() has not come */
};

struct chandev {
    const struct chandev_kind *is;
    struct chan_system *sys;
    struct device *dev; /* NULL = the slot is free */
    u32 state;
    struct chandev_sub sub[CHANDEV_UNITS_MAX];
    u8 swap; /* unit i is device number devnum + (i ^ swap) */
    struct timer step;
    u32 tries;       /* of this step */
    u32 part;        /* within a step that has several */
    u32 start_error; /* chan_start() refused; handled at the next timer tick */
    bool again;      /* the step timer means "try again", not "time is over" */
    bool stop_due;   /* STOP came while it had to wait */
    u32 why, detail; /* of the latest event */
    u32 fail_code;   /* why the device goes down: why << 24 | state << 16 | detail; 0 = STOP */
};

/* Once, when the driver gets its storage. */
void chandev_init(struct chandev *m, const struct chandev_kind *kind, struct chan_system *sys);
void chandev_attach(struct chandev *m, struct device *dev);
void chandev_detach(struct chandev *m);

/* The one entry of the state machine. why and detail describe what went wrong; 0 when nothing did. */
void chandev_event(struct chandev *m, u32 ev, u32 why, u32 detail, u64 now);
/* Runs the current step again after usec. */
void chandev_again(struct chandev *m, u32 usec, u64 now);

/* Starts a channel program; a refusal becomes the event "error" at the next timer tick. */
void chandev_run(struct chandev *m, u32 unit, const struct chan_cmd *program, u32 n, u64 now);
bool chandev_running(const struct chandev *m); /* any program */
bool chandev_status_good(const struct chan_status *st);
/* Step: opens what is not open and gives SENSE ID to unit number `part`; 7 bytes come to id. */
void chandev_sense_id(struct chandev *m, u8 *id, u64 now);
/* Enter function: halts every program, at the second time clears it; QUIET when there is none. */
void chandev_end_programs(struct chandev *m, u64 now);
/* Closes all. Returns the failure code, 0 after STOP, for device_failed() or device_stopped(). */
u32 chandev_close(struct chandev *m);
/* The event function for attentions: a device that comes back says so; while a step waits to be tried again this is the
 * moment. */
void chandev_attention(void *sub, u8 unit_status, u64 now);

const char *chandev_state_text(const struct chandev_kind *kind, u32 state);
const char *chandev_fail_text(const struct chandev_kind *kind, u32 code, char *out, size_t cap);
/* The table as text, one line a cell that is not empty. */
void chandev_print(const struct chandev_kind *kind, void (*line)(void *ctx, const char *text), void *ctx);

#endif
