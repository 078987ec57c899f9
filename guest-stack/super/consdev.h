/* consdev.h - a 3215 console printer-keyboard as a console sink: integrated (3215-C) or telnet (3215).
 *
 * Output lines are queued as EBCDIC in a ring of bytes and written by channel programs of up to CONSDEV_BATCH lines
 * each, one program at a time; the guest never waits for a console. When the ring is full a line is dropped and
 * counted, and the next line that fits is preceded by one that says how many were lost. A device that is not
 * operational or not connected keeps its queue and is tried again after CONSDEV_RETRY_US.
 * Attention means that the operator has entered a line: a read is started when the current write has ended. An empty
 * line holds the console up until the next line, as the request key of a 3215 does.
 */
#ifndef SUPER_CONSDEV_H
#define SUPER_CONSDEV_H

#include "base/arena.h"
#include "base/base.h"
#include "chan/chan.h"
#include "super/console.h"

#define CONSDEV_BATCH    16
#define CONSDEV_RETRY_US 1000000u
#define CONSDEV_BUSY_US  10000u /* the device would not take a program, for whatever reason */
#define CONSDEV_INPUT_MAX 126 /* what a 3215 operator can enter */

enum consdev_state { CONSDEV_IDLE, CONSDEV_WRITING, CONSDEV_READING, CONSDEV_ABSENT };

struct consdev {
    struct console *con;
    struct console_sink sink;
    struct chan *ch;
    enum consdev_state state;
    bool attention;  /* a read is due */
    u64 retry_at;    /* ABSENT: when to try again */
    u8 *ring;        /* length byte, then that many EBCDIC bytes, per line; a line never wraps */
    u32 ring_bytes, head, tail, used;
    u32 in_flight; /* ring bytes of the program that runs */
    u32 lost_now;  /* lines lost since the last that fitted */
    u32 lines, lines_lost, write_errors, reads, busy;
    u8 input[CONSDEV_INPUT_MAX + 2];
};

/* -ERR_NOENT: no such device; -ERR_NOMEM. The sink is attached to con. */
int consdev_open(struct consdev *cd, struct console *con, struct chan_system *channels, u16 devnum,
                 struct arena *a, u32 ring_bytes);
/* Starts what is due; returns when it wants to be called again. */
u64 consdev_poll(struct consdev *cd, u64 now);
/* Gives every line that is still queued to say(); those of a running program may have been printed already. */
void consdev_empty(struct consdev *cd, void (*say)(const char *line));
/* Nothing queued and nothing running. */
bool consdev_is_drained(const struct consdev *cd);

#endif
