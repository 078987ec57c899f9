/* fakehost.h - what an engine asks of its surroundings, in a page of test code: guest storage, the ring to
 * the other side, and counts of what the engine did. Used by the device tests and by the fuzzers.
 *
 *   fake_init(&f); engine_init(storage, &f.host, &params); f.engine = e;
 *   fake_ccw(&f, unit, code, flags, buf, count)       one CCW; the result is in f.ccw[unit]
 *   fake_next(&f, &len)                               the next message the engine sent, oldest first
 *   fake_rung(&f)                                     has the other side been woken for it?
 *   fake_answer(&f, ...)                              the port answers
 *
 * Storage is a heap block for the absolute addresses FAKE_ORIGIN and up: an access outside is NULL, as the
 * contract says, and one that an engine makes without asking is found by ASan.
 */
#ifndef TESTS_UNIT_FAKEHOST_H
#define TESTS_UNIT_FAKEHOST_H

#include "hercules-devices/engine.h"
#include "hercules-devices/osa_msg.h"

#define FAKE_ORIGIN  0x2000u
#define FAKE_STORAGE (1u << 20)
#define FAKE_RING    (1u << 20)

struct fake {
    struct engine_host host;
    struct engine *engine;
    u8 *storage; /* FAKE_STORAGE bytes */
    u8 *ring;
    u32 ring_in, ring_out; /* bytes sent, bytes looked at */
    u32 ring_rung;         /* bytes that the other side was woken for */
    u32 ring_room;         /* what tx_reserve has left to give */
    u32 reserved;
    bool connected;
    struct engine_ccw ccw[ENGINE_UNITS_MAX];
    const struct engine_next *next[ENGINE_UNITS_MAX]; /* what stands behind the CCW in its program */
    u32 nexts[ENGINE_UNITS_MAX];
    bool waiting[ENGINE_UNITS_MAX];
    bool running[ENGINE_UNITS_MAX]; /* what the channel says of the unit's program */
    u32 completes[ENGINE_UNITS_MAX], agains, pcis, flushes, laters, attentions, logs;
    u8 unsolicited[ENGINE_UNITS_MAX]; /* presented, less what was withdrawn */
    char last_log[200];
};

void fake_init(struct fake *f);
void fake_free(struct fake *f);
u8 *fake_at(struct fake *f, u64 addr);

/* Starts one CCW; true if it is done. chained: flags of the CCW before it. */
bool fake_ccw(struct fake *f, u32 unit, u8 code, u8 flags, u8 *buf, u32 count);
bool fake_ccw_chained(struct fake *f, u32 unit, u8 code, u8 flags, u8 chained, u8 *buf, u32 count);
/* Bytes that the CCW transferred; unit status. */
u32 fake_moved(const struct fake *f, u32 unit);

void fake_connect(struct fake *f, bool up);
const u8 *fake_next(struct fake *f, u32 *len);
bool fake_rung(const struct fake *f);
/* Skips what the engine sent. */
void fake_forget(struct fake *f);
bool fake_rx(struct fake *f, const u8 *msg, u32 len);
/* ATTACHED with this MAC tail, LAN state and assists. */
void fake_attached(struct fake *f, bool lan, u32 assists, u32 frame_max);
/* The answer to the request msg. */
void fake_answer(struct fake *f, const u8 *msg, u32 rc);
/* Answers every REQUEST that was sent with OK; returns how many there were. */
u32 fake_answer_all(struct fake *f);
void fake_event(struct fake *f, u8 what, u32 addr);
/* A frame of bytes of data, each byte i being (u8)(seed + i), with an IPv4 header where form is IP. */
u32 fake_frame(u8 *msg, u8 form, u16 flags, u32 bytes, u8 seed);

#endif
