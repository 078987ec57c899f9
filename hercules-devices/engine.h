/* engine.h - what a channel asks of a device. Implemented by the pure engines (osa_engine, lcs_engine,
 * ctc_engine, cf_link); called by the Hercules adapters (*_hdl.c) and by tests/sim/simchan.c.
 *
 * One engine is a group of subchannels, "units" 0..n-1 (QDIO: read, write, data; LCS and CTC: read, write).
 * An engine never blocks and knows no time, thread or lock. The adapter holds one lock around every call.
 *
 * A CCW: engine_ops.ccw(e, unit, c) fills c's results and returns ENGINE_DONE; or returns ENGINE_WAIT, keeps
 * the pointer c, and later fills it and calls host->complete(unit) (from rx, halt or another unit's CCW). Until
 * then c and c->buf stay valid, and no second CCW is given to that unit. halt ends an outstanding CCW at once.
 *
 * Towards the other side (OSA port, CTC partner, coupling facility) an engine writes messages into a ring:
 * reserve, fill in, commit; flush once after a batch. What comes from there is handed in through rx().
 *
 * A guest may give any CCW, any address and any queue content: all of it is PEER input. An engine answers with
 * unit check, or program check where the channel would, logs one line, and goes on.
 */
#ifndef HERCULES_DEVICES_ENGINE_H
#define HERCULES_DEVICES_ENGINE_H

#include "base/base.h"
#include "chan/chan.h" /* unit status bits, CCW flags */

#define ENGINE_SENSE_MAX 32
#define ENGINE_UNITS_MAX 4

struct engine;

enum engine_rc { ENGINE_DONE, ENGINE_WAIT };
enum engine_severity { ENGINE_INFO, ENGINE_WARNING, ENGINE_ERROR };

struct engine_ccw {
    /* in */
    u8 code, flags;
    u8 chained; /* flags of the previous CCW if this one is chained to it (CCW_CD or CCW_CC), else 0 */
    u32 count;  /* bytes at buf, which stand for the CCW's data area */
    u8 *buf;
    /* out */
    u32 residual; /* count not transferred */
    bool more;    /* the device had more data than count (incorrect length) */
    u8 unit_status;
};

struct engine_sense {
    u8 len;
    u8 bytes[ENGINE_SENSE_MAX];
};

/* A CCW that the channel has not executed yet. */
struct engine_next {
    u8 code, flags;
    u32 count;
};

/* What an engine asks of its surroundings. */
struct engine_host {
    void *ctx;
    /* Guest absolute storage [addr, addr+len), or NULL if any of it does not exist. */
    u8 *(*storage)(void *ctx, u64 addr, u32 len, bool will_write);
    void (*complete)(void *ctx, u32 unit);
    /* CCWs that the channel executes next on this unit, one after the other, if each ends with channel end and device end alone, and
     * that the program may not change any more: how many, up to max. Within ccw(). NULL: the host never knows. */
    u32 (*upcoming)(void *ctx, u32 unit, struct engine_next *out, u32 max);
    /* Unsolicited status; 0 withdraws what the channel has not accepted yet. */
    void (*attention)(void *ctx, u32 unit, u8 unit_status);
    void (*pci)(void *ctx, u32 unit); /* QDIO: input queues have work, output buffers are free */
    /* Space for one message of up to bytes in the ring to the other side; NULL if full or not connected. */
    u8 *(*tx_reserve)(void *ctx, u32 bytes);
    void (*tx_commit)(void *ctx, u32 bytes);
    void (*tx_flush)(void *ctx);
    /* Instead of tx_flush: the other side need not be woken for what was committed, because it looks before it does anything that this
     * might change. NULL: tx_flush it is. */
    void (*tx_later)(void *ctx);
    /* Does the channel still execute this unit's program: not suspended, its end not yet presented? NULL: never. */
    bool (*running)(void *ctx, u32 unit);
    /* The engine keeps work back: call rx_end again soon. NULL where running is. */
    void (*again)(void *ctx);
    void (*log)(void *ctx, enum engine_severity sev, const char *text);
    /* Called after each step of the channel dialogue when tracing is on; NULL when off. */
    void (*trace)(void *ctx, u32 unit, const char *what, const u8 *bytes, u32 len);
};

struct engine_ops {
    const char *type;
    u32 units;
    enum engine_rc (*ccw)(struct engine *e, u32 unit, struct engine_ccw *c);
    /* Would ccw() return ENGINE_DONE for this CCW now? Changes nothing. NULL: not known, it may wait. */
    bool (*ends_at_once)(struct engine *e, u32 unit, const struct engine_ccw *c);
    /* Might what the other side has said, and nobody has handed in yet, change how this CCW ends? Asked before ccw(). NULL: never. Where it
     * is there a thread that waits in a CCW takes the other side's messages itself. */
    bool (*look_first)(struct engine *e, u32 unit, const struct engine_ccw *c);
    void (*halt)(struct engine *e, u32 unit);         /* HSCH, CSCH: end an outstanding CCW */
    void (*reset)(struct engine *e);                  /* system reset, IPL: forget everything */
    const struct engine_sense *(*sense)(struct engine *e, u32 unit);
    u32 (*sense_id)(struct engine *e, u32 unit, u8 *out, u32 max); /* bytes written */
    int (*siga_write)(struct engine *e, u32 unit, u32 qmask); /* condition codes; NULL if no QDIO */
    int (*siga_read)(struct engine *e, u32 unit, u32 qmask);
    int (*siga_sync)(struct engine *e, u32 unit, u32 out_mask, u32 in_mask);
    /* A message from the other side. false: not taken, no buffer; keep it and offer it again after the next
     * siga_read, siga_sync or CCW. */
    bool (*rx)(struct engine *e, const u8 *msg, u32 len);
    /* End of a batch of rx(): raise interrupts once. */
    void (*rx_end)(struct engine *e);
    /* The other side's process appeared or vanished. */
    void (*link_state)(struct engine *e, bool up);
    /* This system has been isolated, after link_state(false): the other side will not let it in again. NULL: no difference. */
    void (*isolated)(struct engine *e);
    /* One line for the emulator's device list. */
    void (*query)(struct engine *e, char *out, size_t cap);
};

struct engine {
    const struct engine_ops *ops;
    const struct engine_host *host;
};

#endif
