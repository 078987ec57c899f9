/* chan.h - what a device driver asks of the channel subsystem. Implemented by arch/s390/css.c (SSCH, SIGA,
 * I/O interrupts) in the guest and by tests/sim/simchan.c (straight into a device engine) in tests.
 *
 * A driver opens a subchannel by device number and starts channel programs on it, one at a time; the end of a
 * program, attentions and PCIs arrive as calls on the one thread of control, never from inside a chan_* call.
 * Attentions are level-triggered (an emulator merges them): the device sets its state first, the driver
 * drains everything when told.
 *
 * Source: z/Architecture and ESA/390 Principles of Operation, chapters 14-16; unit and subchannel status bits
 * have the values of the SCSW.
 */
#ifndef CHAN_CHAN_H
#define CHAN_CHAN_H

#include "base/base.h"

struct chan_system; /* the channel subsystem of one machine */
struct chan;        /* one open subchannel */

/* CCW command codes common to all devices. */
#define CCW_WRITE 0x01
#define CCW_READ 0x02
#define CCW_NOP 0x03
#define CCW_SENSE 0x04
#define CCW_SENSE_ID 0xE4
/* CCW flags. */
#define CCW_CD 0x80
#define CCW_CC 0x40
#define CCW_SLI 0x20
#define CCW_SKIP 0x10
#define CCW_PCI 0x08
#define CCW_SUSPEND 0x02
/* Unit status. */
#define US_ATTENTION 0x80
#define US_STATUS_MODIFIER 0x40
#define US_CONTROL_UNIT_END 0x20
#define US_BUSY 0x10
#define US_CHANNEL_END 0x08
#define US_DEVICE_END 0x04
#define US_UNIT_CHECK 0x02
#define US_UNIT_EXCEPTION 0x01
/* Subchannel status. */
#define CS_PCI 0x80
#define CS_INCORRECT_LENGTH 0x40
#define CS_PROGRAM_CHECK 0x20
#define CS_PROTECTION_CHECK 0x10

#define CHAN_PROGRAM_MAX 64 /* CCWs in one chan_start() */
#define CHAN_SENSE_MAX 32

/* One CCW as a driver sees it. data is ordinary storage from the driver's arena; the implementation turns it
 * into an address. TIC is op CCW_TIC with data = NULL and count = index of the target command. */
#define CCW_TIC 0x08
struct chan_cmd {
    u8 op, flags;
    u16 count;
    void *data;
};

struct chan_status {
    u8 unit, subchannel; /* US_*, CS_* */
    u8 cc;               /* deferred condition code; 3 = not operational */
    bool halted;         /* ended by chan_halt or chan_clear */
    u16 residual;        /* of the last CCW executed */
    u16 index;           /* of the last CCW executed in the program */
    u8 sense_len;        /* sense is fetched by the implementation on unit check */
    u8 sense[CHAN_SENSE_MAX];
};

struct chan_events {
    void (*done)(void *ctx, const struct chan_status *st, u64 now); /* the program ended */
    void (*attention)(void *ctx, u8 unit_status, u64 now);          /* unsolicited status */
    void (*pci)(void *ctx, u64 now);                                /* program-controlled interruption */
};

/* -ERR_NOENT: no such device number, or it is not operational. -ERR_BUSY: already open, or the device is busy with
 * something that does not end. */
int chan_open(struct chan_system *sys, u16 devnum, const struct chan_events *ev, void *ctx, struct chan **out);
void chan_close(struct chan *ch);
/* The program is copied; data buffers must stay until done(). 0 accepted; -ERR_BUSY; -ERR_NOENT. */
int chan_start(struct chan *ch, const struct chan_cmd *program, u32 n);
/* Ends the running program; done() follows with halted set. 0, -ERR_NOENT, -ERR_BUSY. */
int chan_halt(struct chan *ch);
int chan_clear(struct chan *ch);
int chan_resume(struct chan *ch);
/* Index of the CCW whose fetching raised the last PCI of the program that runs, 0 before any: all in front of it have ended. */
u32 chan_reached(const struct chan *ch);
u16 chan_devnum(const struct chan *ch);
/* All openable device numbers, ascending; returns how many there are (may exceed max). */
u32 chan_list(struct chan_system *sys, u16 *out, u32 max);

/* From inside done(), pci() or attention(): this is nobody's news, there is nothing that a poll would find but what stacks say themselves
 * (stack_due(), sysplex_due()), and blocks of XCF to be sent. Without this word each event is followed by a turn of the whole loop; said of
 * packets, it saves as much as the event took. */
void chan_no_news(struct chan *ch);
/* The same, and not even those have anything to do: a program has ended, and that is all. The nucleus goes back to sleep. */
void chan_no_work(struct chan *ch);

/* What the events since the last question leave to do: a turn of the whole loop, what stacks and XCF's paths say themselves, nothing. */
enum chan_heard { CHAN_NOTHING, CHAN_WORK, CHAN_NEWS };

/* QDIO. Condition code of SIGA: 0 done, 1 not active, 2 busy, 3 not operational. qmask: bit 0 (MSB) = queue 0. */
int chan_siga_write(struct chan *ch, u32 qmask);
int chan_siga_read(struct chan *ch, u32 qmask);
int chan_siga_sync(struct chan *ch, u32 out_mask, u32 in_mask);
/* Absolute address of driver storage, as QDR, SLIB, SL and SBAL need it; and back (NULL if outside). */
u64 chan_addr(struct chan_system *sys, const void *p);
void *chan_ptr(struct chan_system *sys, u64 addr, u32 len);

#endif
