/* css.c - the channel subsystem: chan/chan.h on START SUBCHANNEL and its family. ESA/390 PoP chapters 14 to 16.
 *
 * A struct chan is one enabled subchannel; its interruption parameter is the index of its slot plus one.
 *
 *   state      IDLE --start--> RUNNING --end, unit check--> SENSING --end--> IDLE
 *                                 |------end----------------------------------^
 *
 * An interruption is fetched in two steps: something says that a subchannel has status (TEST PENDING
 * INTERRUPTION, or an interruption taken by the enabled wait), then TEST SUBCHANNEL gets it. What was taken but
 * not yet tested stands in the list `taken`. A callback may start the next program at once, so the state is
 * settled before it is called.
 *
 * A start that meets unsolicited status ends with deferred condition code 1; the attention is reported and the
 * program started again, so a driver never sees that race.
 */
#include "arch/s390/css.h"

#include "arch/s390/clock.h"
#include "arch/s390/cpu.h"
#include "base/be.h"
#include "base/list.h"
#include "base/str.h"
#include "super/port.h"

enum chan_state { CHAN_CLOSED, CHAN_IDLE, CHAN_RUNNING, CHAN_SENSING };

struct chan {
    struct list node; /* first member; in taken */
    u8 ccw[CHAN_PROGRAM_MAX][8] __attribute__((aligned(8))); /* format 1; doubleword boundary */
    u8 sense_ccw[8];
    u32 ssid;
    enum chan_state state;
    u16 devnum;
    u16 program_len, reached;
    bool halting;
    const struct chan_events *ev;
    void *ctx;
    struct chan_status status; /* gathered for done() */
    struct chan_status *sync;  /* port_io() waits here instead of done() */
    u8 late_attention;         /* came during port_io(), or was in the way of a start */
    bool late_pci;
} __attribute__((aligned(8)));

struct chan_system {
    struct list taken;
    u32 stray_status; /* status of a subchannel that nobody has open */
    enum chan_heard heard;   /* the most that an event left to do since css_heard() asked */
    enum chan_heard leaves;  /* what the done(), pci() or attention() that is running leaves, as far as it has said */
    struct chan slot[CHAN_OPEN_MAX]; /* last: what stands behind it would be out of reach of one displacement */
};

static struct chan_system the_css;

/* SCHIB: PMCW of 28 bytes, SCSW of 12, measurement of 12. */
#define SCHIB_BYTES  52
#define SCHIB_SCSW   28
#define PMCW_FLAGS   4 /* ISC in bits 2-4 */
#define PMCW_ENABLE  5
#define PMCW_DEVNUM  6
#define PMCW_E       0x80
#define PMCW_V       0x01
#define ISC          3 /* every subchannel's interruption subclass */
/* SCSW word 0. */
#define SCSW_CC        0x03000000u
#define SCSW_FC_HALT   0x00002000u
#define SCSW_FC_CLEAR  0x00001000u
#define SCSW_AC_BUSY   0x000007C0u /* start, halt, clear pending; subchannel, device active */
#define SCSW_AC_START   0x00000400u /* start pending */
#define SCSW_AC_HALTING 0x00000300u /* halt or clear pending */
#define SCSW_SUSPENDED 0x00000020u
#define SCSW_INTER     0x00000008u
#define SCSW_PRIMARY   0x00000004u
#define SCSW_SECONDARY 0x00000002u
#define SCSW_PENDING   0x00000001u
#define IRB_BYTES      96
/* ORB word 1: suspend control, format 1, prefetch, all paths. */
#define ORB_FLAGS 0x08C0FF00u

#define SSID_FIRST 0x00010000u
#define SSID_LAST  0x0001FFFFu

/* An emulator's device may still be busy for a moment after its ending status was fetched; no event tells when it
 * is over. What we know to be idle is tried again for so long. */
#define SETTLE_US 50000u
/* A subchannel that is opened or closed may still be ending a program that was cleared: an emulator that polls for
 * the clear takes tens of milliseconds, more on a busy host. Only START and STOP of a device come here. */
#define CONFIGURE_US 2000000u

struct chan_system *css_init(void) {
    list_init(&the_css.taken);
    return &the_css;
}

/* ---- finding ---- */

u32 css_find(u16 devnum) {
    u8 schib[SCHIB_BYTES] __attribute__((aligned(4)));
    for (u32 ssid = SSID_FIRST; ssid <= SSID_LAST && stsch(ssid, schib) == 0; ssid++)
        if ((schib[PMCW_ENABLE] & PMCW_V) && be16_get(schib + PMCW_DEVNUM) == devnum) return ssid;
    return 0;
}

u32 chan_list(struct chan_system *sys, u16 *out, u32 max) {
    u8 schib[SCHIB_BYTES] __attribute__((aligned(4)));
    u32 n = 0;
    UNUSED(sys);
    for (u32 ssid = SSID_FIRST; ssid <= SSID_LAST && stsch(ssid, schib) == 0; ssid++) {
        if (!(schib[PMCW_ENABLE] & PMCW_V)) continue;
        u16 devnum = be16_get(schib + PMCW_DEVNUM);
        u32 at = u32_min(n++, max);
        /* Subchannels stand in the order of the configuration; the list is by device number. */
        for (; at > 0 && out[at - 1] > devnum; at--)
            if (at < max) out[at] = out[at - 1];
        if (at < max) out[at] = devnum;
    }
    return n;
}

/* Fetches status that is in the way of an instruction for an idle subchannel, if there is any; what it says is
 * reported later. */
static void set_aside(struct chan *ch) {
    u8 irb[IRB_BYTES] __attribute__((aligned(4)));
    if (tsch(ch->ssid, irb) != 0) return;
    u32 scsw = be32_get(irb);
    if (scsw & SCSW_INTER)
        ch->late_pci = true; /* of a program that is over: what it had reached says nothing of the next one */
    else
        ch->late_attention |= irb[8];
    if (!list_is_in(&ch->node)) list_push_back(&the_css.taken, &ch->node);
}

/* Enables or disables a subchannel. Condition code of MSCH, 3 if it does not exist. */
static int configure(u32 ssid, u32 parm) {
    u8 schib[SCHIB_BYTES] __attribute__((aligned(4)));
    if (stsch(ssid, schib) != 0 || !(schib[PMCW_ENABLE] & PMCW_V)) return 3;
    be32_put(schib, parm);
    schib[PMCW_FLAGS] = (u8)((schib[PMCW_FLAGS] & 0xC7) | ISC << 3);
    schib[PMCW_ENABLE] = (u8)(parm ? schib[PMCW_ENABLE] | PMCW_E : schib[PMCW_ENABLE] & ~PMCW_E);
    return msch(ssid, schib);
}

/* The same for a struct chan that is idle, patiently. 0, -ERR_NOENT or -ERR_BUSY. */
static int configure_idle(struct chan *ch, u32 parm) {
    u64 limit = port_now() + CONFIGURE_US;
    for (;;) {
        int cc = configure(ch->ssid, parm);
        if (cc == 0 || cc == 3) return cc == 0 ? 0 : -ERR_NOENT;
        if (port_now() >= limit) return -ERR_BUSY;
        /* Hercules 3.13 says busy, not status pending, when what is pending is an attention or a PCI. */
        set_aside(ch);
    }
}

int chan_open(struct chan_system *sys, u16 devnum, const struct chan_events *ev, void *ctx, struct chan **out) {
    struct chan *ch = NULL;
    for (u32 i = 0; i < CHAN_OPEN_MAX; i++) {
        if (sys->slot[i].state != CHAN_CLOSED && sys->slot[i].devnum == devnum) return -ERR_BUSY;
        if (sys->slot[i].state == CHAN_CLOSED && !ch) ch = &sys->slot[i];
    }
    if (!ch) return -ERR_NOMEM;
    u32 ssid = css_find(devnum);
    if (!ssid) return -ERR_NOENT;
    *ch = (struct chan){.ssid = ssid, .state = CHAN_IDLE, .devnum = devnum, .ev = ev, .ctx = ctx};
    list_init(&ch->node);
    int rc = configure_idle(ch, (u32)(ch - sys->slot) + 1);
    if (rc) {
        list_del(&ch->node);
        ch->state = CHAN_CLOSED;
        return rc;
    }
    *out = ch;
    return 0;
}

void chan_close(struct chan *ch) {
    if (ch->state != CHAN_IDLE) csch(ch->ssid);
    configure_idle(ch, 0); /* the status of the clear is set aside, and forgotten below */
    list_del(&ch->node);
    ch->state = CHAN_CLOSED;
}

u16 chan_devnum(const struct chan *ch) { return ch->devnum; }

/* ---- starting ---- */

static inline void put_ccw(u8 *ccw, u8 op, u8 flags, u16 count, const void *data) {
    be32_put(ccw, (u32)op << 24 | (u32)flags << 16 | count);
    be32_put(ccw + 4, (u32)(uintptr_t)data);
}

static int start(struct chan *ch, const u8 *ccw) {
    u32 orb[8] __attribute__((aligned(4))) = {(u32)(ch - the_css.slot) + 1, ORB_FLAGS, (u32)(uintptr_t)ccw};
    u64 limit = 0;
    for (;;) {
        int cc = ssch(ch->ssid, orb);
        if (cc == 0) return 0;
        if (cc == 3) return -ERR_NOENT;
        if (cc == 1) set_aside(ch);
        if (limit == 0) limit = port_now() + SETTLE_US;
        if (port_now() >= limit) return -ERR_BUSY;
    }
}

/* A CCW that is not what the driver's command says. */
static void put_special(struct chan *ch, u32 i, const struct chan_cmd *c, u32 n) {
    if (c->op == CCW_TIC) {
        CHECK(c->count < n);
        put_ccw(ch->ccw[i], CCW_TIC, 0, 0, ch->ccw[c->count]);
    } else {
        /* A command without data: some channels refuse a count of zero. */
        put_ccw(ch->ccw[i], c->op, (u8)(c->flags | CCW_SLI), 1, ch->ccw[i]);
    }
}

int chan_start(struct chan *ch, const struct chan_cmd *program, u32 n) {
    if (ch->state != CHAN_IDLE) return -ERR_BUSY;
    CHECK(n > 0 && n <= CHAN_PROGRAM_MAX);
    for (u32 i = 0; i < n; i++) {
        const struct chan_cmd *c = &program[i];
        if (c->op == CCW_TIC || c->count == 0)
            put_special(ch, i, c, n);
        else
            put_ccw(ch->ccw[i], c->op, c->flags, c->count, c->data);
    }
    ch->program_len = (u16)n;
    ch->status = (struct chan_status){0};
    ch->halting = false;
    ch->reached = 0;
    int rc = start(ch, ch->ccw[0]);
    if (rc == 0) ch->state = CHAN_RUNNING;
    return rc;
}

static int function_result(struct chan *ch, int cc) {
    if (cc == 3) return -ERR_NOENT;
    if (cc == 2) return -ERR_BUSY;
    ch->halting = true; /* cc 1: the program ended a moment ago; its end is reported as halted */
    return 0;
}
/* A program that the device has not begun is cleared: Hercules 3.13 loses one that is halted in that moment, and its
 * subchannel stays busy for ever. For the driver it is the same, the device never saw the program. */
int chan_halt(struct chan *ch) {
    u8 schib[SCHIB_BYTES] __attribute__((aligned(4)));
    if (stsch(ch->ssid, schib) != 0) return -ERR_NOENT;
    bool begun = !(be32_get(schib + SCHIB_SCSW) & SCSW_AC_START);
    return function_result(ch, begun ? hsch(ch->ssid) : csch(ch->ssid));
}
int chan_clear(struct chan *ch) { return function_result(ch, csch(ch->ssid)); }
u32 chan_reached(const struct chan *ch) { return ch->reached; }
int chan_resume(struct chan *ch) {
    int cc = rsch(ch->ssid);
    return cc == 0 ? 0 : cc == 3 ? -ERR_NOENT : -ERR_BUSY;
}

int chan_siga_write(struct chan *ch, u32 qmask) { return siga(SIGA_WRITE, ch->ssid, qmask, 0); }
int chan_siga_read(struct chan *ch, u32 qmask) { return siga(SIGA_READ, ch->ssid, qmask, 0); }
int chan_siga_sync(struct chan *ch, u32 out_mask, u32 in_mask) {
    return siga(SIGA_SYNC, ch->ssid, out_mask, in_mask);
}

u64 chan_addr(struct chan_system *sys, const void *p) {
    UNUSED(sys);
    return (u64)(uintptr_t)p;
}
void *chan_ptr(struct chan_system *sys, u64 addr, u32 len) {
    UNUSED(sys);
    UNUSED(len);
    return (void *)(uintptr_t)addr;
}

/* ---- ending ---- */

/* Around each call of a driver. */
static inline void event_begins(void) { the_css.leaves = CHAN_NEWS; }
static inline void event_over(void) {
    if (the_css.leaves > the_css.heard) the_css.heard = the_css.leaves;
}
void chan_no_news(struct chan *ch) {
    UNUSED(ch);
    the_css.leaves = CHAN_WORK;
}
void chan_no_work(struct chan *ch) {
    UNUSED(ch);
    the_css.leaves = CHAN_NOTHING;
}
enum chan_heard css_heard(void) {
    enum chan_heard heard = the_css.heard;
    the_css.heard = CHAN_NOTHING;
    return heard;
}

static void finish(struct chan *ch, u64 now) {
    struct chan_status st = ch->status;
    st.halted = st.halted || ch->halting;
    ch->halting = false;
    ch->state = CHAN_IDLE;
    if (ch->sync) {
        *ch->sync = st;
        ch->sync = NULL;
    } else if (ch->ev->done) {
        event_begins();
        ch->ev->done(ch->ctx, &st, now);
        event_over();
    }
}

static void report_pci(struct chan *ch, u64 now) {
    if (!ch->ev->pci) return;
    event_begins();
    ch->ev->pci(ch->ctx, now);
    event_over();
}

static void start_sense(struct chan *ch, u64 now) {
    put_ccw(ch->sense_ccw, CCW_SENSE, CCW_SLI, CHAN_SENSE_MAX, ch->status.sense);
    if (start(ch, ch->sense_ccw) == 0)
        ch->state = CHAN_SENSING;
    else
        finish(ch, now);
}

static void report_attention(struct chan *ch, u8 unit, u64 now) {
    if (ch->sync)
        ch->late_attention |= unit;
    else if (ch->ev->attention) {
        event_begins();
        ch->ev->attention(ch->ctx, unit, now);
        event_over();
    }
}

static u16 ccw_index(const struct chan *ch, u32 ccw_after) {
    u32 from = (u32)(uintptr_t)ch->ccw[0];
    if (ccw_after <= from || ccw_after > from + 8u * ch->program_len) return 0;
    return (u16)((ccw_after - from) / 8 - 1);
}

/* Nearly every program: it ran to its end, nobody stopped it, and no status stands beside it. */
#define SCSW_PLAIN_MASK (SCSW_CC | SCSW_FC_HALT | SCSW_FC_CLEAR | SCSW_AC_BUSY | SCSW_SUSPENDED | SCSW_INTER | SCSW_PRIMARY | SCSW_SECONDARY)
static inline bool ended_plainly(const struct chan *ch, u32 scsw, const u8 *irb) {
    bool plain = (scsw & SCSW_PLAIN_MASK) == (SCSW_PRIMARY | SCSW_SECONDARY) && !ch->halting && !ch->status.unit && !ch->status.subchannel;
    return plain && irb[8] == (US_CHANNEL_END | US_DEVICE_END) && irb[9] == 0 && ch->state == CHAN_RUNNING;
}

/* The status of a program that was started. */
static void program_status(struct chan *ch, u32 scsw, const u8 *irb, u64 now) {
    struct chan_status *st = &ch->status;
    u8 unit = irb[8];
    /* Hercules 3.13 leaves the subchannel marked active when it has completed a halt. */
    bool stopped = (scsw & (SCSW_FC_HALT | SCSW_FC_CLEAR)) && !(scsw & SCSW_AC_HALTING);
    bool ended = stopped || !(scsw & SCSW_AC_BUSY) || (scsw & SCSW_SECONDARY);
    if (ch->state == CHAN_SENSING) {
        if (!ended) return;
        u16 residual = be16_get(irb + 10);
        st->sense_len = (u8)(residual <= CHAN_SENSE_MAX ? CHAN_SENSE_MAX - residual : 0);
        finish(ch, now);
        return;
    }
    if ((scsw & SCSW_CC) == 0x01000000u && !ch->halting && (unit & US_ATTENTION)) {
        /* Unsolicited status came first; the program was not started. */
        report_attention(ch, unit, now);
        if (ch->state == CHAN_RUNNING && start(ch, ch->ccw[0]) == 0) return;
        st->cc = 3;
        finish(ch, now);
        return;
    }
    st->unit |= unit;
    st->subchannel |= irb[9];
    st->cc = (u8)(scsw >> 24 & 3);
    st->halted = (scsw & (SCSW_FC_HALT | SCSW_FC_CLEAR)) != 0;
    if (scsw & SCSW_PRIMARY) {
        st->residual = be16_get(irb + 10);
        st->index = ccw_index(ch, be32_get(irb + 4));
    }
    if (!ended) return;
    if ((st->unit & US_UNIT_CHECK) && !st->halted)
        start_sense(ch, now);
    else
        finish(ch, now);
    if ((unit & US_ATTENTION) && !(unit & US_UNIT_CHECK)) report_attention(ch, unit, now);
}

/* Fetches what the subchannel has, if anything. true: it was a PCI only, and the ending status may stand behind it. */
static bool fetch_status(struct chan *ch, u64 now) {
    u8 irb[IRB_BYTES] __attribute__((aligned(4)));
    if (tsch(ch->ssid, irb) != 0) return false;
    u32 scsw = be32_get(irb);
    if (!(scsw & SCSW_PENDING)) return false;
    if (ended_plainly(ch, scsw, irb)) {
        ch->status.unit = irb[8];
        ch->status.residual = be16_get(irb + 10);
        ch->status.index = ccw_index(ch, be32_get(irb + 4));
        finish(ch, now);
        return false;
    }
    if (scsw & SCSW_INTER) {
        if (ch->state == CHAN_RUNNING) ch->reached = ccw_index(ch, be32_get(irb + 4));
        if (!ch->sync) report_pci(ch, now);
        if (!(scsw & (SCSW_PRIMARY | SCSW_SECONDARY))) return true;
    }
    if (ch->state == CHAN_RUNNING || ch->state == CHAN_SENSING) {
        program_status(ch, scsw, irb, now);
    } else if (scsw & (SCSW_FC_HALT | SCSW_FC_CLEAR)) {
        ch->status = (struct chan_status){.halted = true};
        finish(ch, now);
    } else {
        report_attention(ch, irb[8], now);
    }
    return false;
}

/* Two interruptions, of a PCI and of the end, may have been taken before this call, and then no third one comes. */
static void chan_interruption(struct chan *ch, u64 now) {
    while (fetch_status(ch, now) && ch->state != CHAN_CLOSED) {}
}

/* ---- events ---- */

/* The one that an interruption is of; NULL: nobody's, and its status is fetched. */
static struct chan *interrupted(u32 ssid, u32 parm) {
    u8 irb[IRB_BYTES] __attribute__((aligned(4)));
    if (parm - 1 < CHAN_OPEN_MAX && the_css.slot[parm - 1].state != CHAN_CLOSED) return &the_css.slot[parm - 1];
    the_css.stray_status++;
    tsch(ssid, irb);
    return NULL;
}

void css_interrupted(u32 ssid, u32 parm) {
    struct chan *ch = interrupted(ssid, parm);
    if (ch && !list_is_in(&ch->node)) list_push_back(&the_css.taken, &ch->node);
}

/* What was set aside comes before what is pending. */
static void deliver(struct chan *ch, u64 now) {
    if (ch->late_pci) {
        ch->late_pci = false;
        report_pci(ch, now);
    }
    if (ch->late_attention && ch->state != CHAN_CLOSED) {
        u8 unit = ch->late_attention;
        ch->late_attention = 0;
        report_attention(ch, unit, now);
    }
    if (ch->state != CHAN_CLOSED) chan_interruption(ch, now);
}

u32 css_events(u64 now) {
    u32 n = 0;
    u32 id[3];
    for (;;) {
        struct list *node = list_pop_front(&the_css.taken);
        struct chan *ch = node ? LIST_ENTRY(node, struct chan, node) : NULL;
        if (!ch && tpi(id) != 1) return n;
        if (!ch) ch = interrupted(id[0], id[1]);
        if (!ch) continue;
        n++;
        deliver(ch, now);
    }
}

/* ---- programs that are waited for ---- */

/* One interruption, or the deadline. Others' interruptions stay in `taken` for css_events(): no subclass is masked,
 * because an emulator was seen to sleep on when a masked interruption stood before the one that was waited for. */
static void wait_for(struct chan *ch, u64 deadline) {
    clock_wait(deadline);
    if (!list_is_in(&ch->node)) return;
    list_del(&ch->node);
    chan_interruption(ch, port_now());
}

int port_io(struct chan *ch, const struct chan_cmd *program, u32 n, struct chan_status *out, u32 timeout_us) {
    if (ch->state != CHAN_IDLE || ch->sync) return -ERR_BUSY;
    ch->sync = out;
    int rc = chan_start(ch, program, n);
    u64 deadline = port_now() + timeout_us;
    if (rc == 0) {
        while (ch->sync && port_now() < deadline) wait_for(ch, deadline);
        if (ch->sync) {
            csch(ch->ssid);
            deadline = port_now() + USEC_PER_SEC;
            while (ch->sync && port_now() < deadline) wait_for(ch, deadline);
            rc = -ERR_TIMEDOUT;
        }
    }
    ch->sync = NULL;
    if (ch->state != CHAN_IDLE) ch->state = CHAN_IDLE;
    if (ch->late_attention && !list_is_in(&ch->node)) list_push_back(&the_css.taken, &ch->node);
    return rc;
}

/* ---- last words ---- */

#define POLL_LIMIT 2000000u

static void poll_end(u32 ssid) {
    u8 irb[IRB_BYTES] __attribute__((aligned(4)));
    for (u32 i = 0; i < POLL_LIMIT; i++)
        if (tsch(ssid, irb) == 0 && !(be32_get(irb) & SCSW_AC_BUSY)) return;
}

void css_write_polled(u32 ssid, const u8 *ebcdic, u32 len) {
    static u8 ccw[8] __attribute__((aligned(8)));
    u32 orb[8] __attribute__((aligned(4))) = {0, ORB_FLAGS, (u32)(uintptr_t)ccw};
    put_ccw(ccw, 0x09, CCW_SLI, (u16)len, ebcdic);
    for (u32 tries = 0; tries < 3; tries++) {
        if (configure(ssid, CHAN_OPEN_MAX + 1) != 0) {
            /* A program of ours is under way or has status: end it, then take the subchannel. */
            csch(ssid);
            poll_end(ssid);
            continue;
        }
        if (ssch(ssid, orb) == 0) {
            poll_end(ssid);
            return;
        }
    }
}
