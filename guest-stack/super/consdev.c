/* consdev.c - a 3215 as a console sink. See consdev.h.
 *
 * CCW 09 writes a line and moves to the next, 0A reads what the operator entered. 3215: GA24-3550.
 *
 *   state     output queued        attention               program ended         program ended badly
 *   IDLE      write -> WRITING     read -> READING         -                     -
 *   WRITING   -                    remembered              lines freed -> IDLE   lines kept -> ABSENT
 *   READING   -                    the read serves it      line given -> IDLE    -> IDLE
 *   ABSENT    -                    -> IDLE                 -                     (time) -> IDLE
 *
 * A read that finds no line waits for the operator, and nothing can be written meanwhile: the emulators' consoles
 * cannot be halted. So no read is started without a line to be had. An emulator raises attention only at a device
 * that is not busy, with the line in the device's buffer: an attention that is seen while a read is under way stood in the way
 * of its start, and its line is the one that the read brings. Reading once more for it would wait.
 */
#include "super/consdev.h"

#include "base/ebcdic.h"
#include "base/str.h"

#define CCW_WRITE_LINE 0x09
#define CCW_READ_LINE  0x0A

/* A line in the ring is a length byte and its text; 0 says that the ring goes on at its start. */
static u32 line_bytes(const struct consdev *cd, u32 at) {
    return at < cd->ring_bytes && cd->ring[at] ? 1u + cd->ring[at] : 0;
}

/* Room for n bytes in one piece; UINT32_MAX if there is none. Invariant: head == tail only when empty. */
static u32 ring_room(struct consdev *cd, u32 n) {
    if (cd->used == 0) cd->head = cd->tail = 0;
    if (cd->head >= cd->tail) {
        if (cd->ring_bytes - cd->head > n) return cd->head;
        if (cd->tail > n) {
            cd->ring[cd->head] = 0;
            cd->used += cd->ring_bytes - cd->head;
            return 0;
        }
        return UINT32_MAX;
    }
    return cd->tail - cd->head > n ? cd->head : UINT32_MAX;
}

static bool ring_put(struct consdev *cd, const char *text) {
    u32 len = u32_min((u32)strlen(text), CONSOLE_LINE_MAX);
    if (len == 0) {
        text = " ";
        len = 1;
    }
    u32 at = ring_room(cd, len + 1);
    if (at == UINT32_MAX) return false;
    cd->ring[at] = (u8)len;
    ebcdic_put(cd->ring + at + 1, text, len);
    cd->head = at + 1 + len;
    cd->used += 1 + len;
    return true;
}

static void sink_line(void *ctx, const char *text) {
    struct consdev *cd = ctx;
    if (cd->lost_now) {
        char gap[64];
        str_fmt(gap, sizeof gap, "PLX910I %u CONSOLE LINES LOST", cd->lost_now);
        if (ring_put(cd, gap)) cd->lost_now = 0;
    }
    if (cd->lost_now || !ring_put(cd, text)) {
        cd->lost_now++;
        cd->lines_lost++;
        return;
    }
    cd->lines++;
}

static void go_absent(struct consdev *cd, u64 now) {
    cd->state = CONSDEV_ABSENT;
    cd->retry_at = now + CONSDEV_RETRY_US;
}

static void start(struct consdev *cd, const struct chan_cmd *program, u32 n, enum consdev_state running, u64 now) {
    int rc = chan_start(cd->ch, program, n);
    if (rc == 0)
        cd->state = running;
    else if (rc != -ERR_BUSY)
        go_absent(cd, now);
    else
        cd->busy++; /* all stays due; consdev_poll() comes back */
}

static void start_write(struct consdev *cd, u64 now) {
    struct chan_cmd program[CONSDEV_BATCH];
    u32 n = 0, at = cd->tail, bytes = 0;
    while (n < CONSDEV_BATCH && bytes < cd->used) {
        u32 len = line_bytes(cd, at);
        if (len == 0) {
            bytes += cd->ring_bytes - at;
            at = 0;
            continue;
        }
        program[n++] = (struct chan_cmd){
            .op = CCW_WRITE_LINE, .flags = CCW_CC | CCW_SLI, .count = (u16)(len - 1), .data = cd->ring + at + 1};
        bytes += len;
        at += len;
    }
    program[n - 1].flags = CCW_SLI;
    cd->in_flight = bytes;
    start(cd, program, n, CONSDEV_WRITING, now);
}

static void start_read(struct consdev *cd, u64 now) {
    const struct chan_cmd program = {
        .op = CCW_READ_LINE, .flags = CCW_SLI, .count = CONSDEV_INPUT_MAX, .data = cd->input};
    start(cd, &program, 1, CONSDEV_READING, now);
    if (cd->state == CONSDEV_READING) cd->attention = false;
}

u64 consdev_poll(struct consdev *cd, u64 now) {
    if (cd->state == CONSDEV_ABSENT && now >= cd->retry_at) cd->state = CONSDEV_IDLE;
    if (cd->state == CONSDEV_IDLE && cd->attention) start_read(cd, now);
    if (cd->state == CONSDEV_IDLE && cd->used) start_write(cd, now);
    if (cd->state == CONSDEV_ABSENT) return cd->retry_at;
    return cd->state == CONSDEV_IDLE && (cd->attention || cd->used) ? now + CONSDEV_BUSY_US : TIME_NEVER;
}

static void written(struct consdev *cd, const struct chan_status *st, u64 now) {
    cd->state = CONSDEV_IDLE;
    if (st->unit != (US_CHANNEL_END | US_DEVICE_END) || st->cc || st->subchannel) {
        /* Nobody is connected, or the device went away: the lines stay, some may come twice. */
        cd->write_errors++;
        go_absent(cd, now);
        return;
    }
    cd->used -= cd->in_flight;
    cd->tail = (cd->tail + cd->in_flight) % cd->ring_bytes;
}

static void line_read(struct consdev *cd, const struct chan_status *st, u64 now) {
    char line[CONSDEV_INPUT_MAX + 1];
    cd->state = CONSDEV_IDLE;
    if ((st->unit & ~US_UNIT_EXCEPTION) != (US_CHANNEL_END | US_DEVICE_END) || st->cc || st->subchannel) return;
    cd->reads++;
    ebcdic_trim(line, cd->input, u32_min(CONSDEV_INPUT_MAX, CONSDEV_INPUT_MAX - u32_min(st->residual, CONSDEV_INPUT_MAX)));
    if (line[0]) console_input(cd->con, line, now);
}

static void on_done(void *ctx, const struct chan_status *st, u64 now) {
    struct consdev *cd = ctx;
    if (cd->state == CONSDEV_WRITING)
        written(cd, st, now);
    else if (cd->state == CONSDEV_READING)
        line_read(cd, st, now);
}

static void on_attention(void *ctx, u8 unit_status, u64 now) {
    struct consdev *cd = ctx;
    UNUSED(now);
    if (cd->state == CONSDEV_ABSENT) cd->state = CONSDEV_IDLE;
    if ((unit_status & US_ATTENTION) && cd->state != CONSDEV_READING) cd->attention = true;
}

static const struct chan_events consdev_events = {.done = on_done, .attention = on_attention};

int consdev_open(struct consdev *cd, struct console *con, struct chan_system *channels, u16 devnum, struct arena *a,
                 u32 ring_bytes) {
    *cd = (struct consdev){.con = con, .ring_bytes = ring_bytes, .ring = arena_take(a, ring_bytes, 16)};
    if (!cd->ring) return -ERR_NOMEM;
    int rc = chan_open(channels, devnum, &consdev_events, cd, &cd->ch);
    if (rc) return rc;
    cd->sink = (struct console_sink){.line = sink_line, .ctx = cd};
    console_attach(con, &cd->sink);
    return 0;
}

void consdev_empty(struct consdev *cd, void (*say)(const char *line)) {
    while (cd->used) {
        u32 len = line_bytes(cd, cd->tail);
        if (len == 0) {
            cd->used -= u32_min(cd->used, cd->ring_bytes - cd->tail);
            cd->tail = 0;
            continue;
        }
        char text[CONSOLE_LINE_MAX + 1];
        ebcdic_get(text, cd->ring + cd->tail + 1, u32_min(len - 1, CONSOLE_LINE_MAX));
        text[u32_min(len - 1, CONSOLE_LINE_MAX)] = 0;
        cd->used -= u32_min(cd->used, len);
        cd->tail += len;
        say(text);
    }
}

bool consdev_is_drained(const struct consdev *cd) {
    return cd->state == CONSDEV_ABSENT || (cd->state == CONSDEV_IDLE && cd->used == 0);
}
