/* channel_hdl.c - what the emulators' own channels leave undone when a program is ended from outside, and we mend.
 *
 *   emulator   event                              left behind                                    mended by
 *   both       system reset under a waiting CCW   ending status in a subchannel that was reset   hdl_sweep_later
 *   3.13       HSCH before the program began      a device that is busy for ever                 hdl_halt_unbegun
 *   3.13       HSCH of a waiting CCW              a subchannel that is active for ever           hdl.c, status_for_channel
 *   3.13       detach of a group                  a deadlock with an interruption                hdl.c, detach_others
 *   Hyperion   HSCH of a suspended program        a resumption that suspends once more           hdl_forget_resumption
 *   Hyperion   HSCH, CSCH of a running program    ending status after the function's own         hdl_await_thread
 *
 * And what they know of a program that a device would like to know: the CCWs behind the one that is being executed.
 *
 * The first two of the table happen later than the call that causes them, on a thread of the emulator, so a short-lived thread
 * of ours watches for them. A DEVBLK is never freed by either emulator, so that thread may outlive a detach.
 */
#include "hercules-devices/hdl.h"

#include "base/be.h"

/* One look a millisecond; a watch ends when there is nothing left to see, or after so many. */
#define LOOK_US    1000
#define SWEEPS_MAX 200
#define LOOKS_MAX  100

static void watch(DEVBLK *dev, void *(*watcher)(void *dev)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, watcher, dev) == 0) pthread_detach(thread);
}

/* ---- the rest of a program ---- */

static struct engine_next ccw_of_format(const u8 *ccw, bool format1, u32 *address) {
    *address = format1 ? be32_get(ccw + 4) & 0x7FFFFFFF : be32_get(ccw) & 0xFFFFFF;
    if (format1) return (struct engine_next){.code = ccw[0], .flags = ccw[1], .count = be16_get(ccw + 2)};
    return (struct engine_next){.code = ccw[0], .flags = ccw[4], .count = be16_get(ccw + 6)};
}

static bool is_tic(u8 code, bool format1) { return format1 ? code == 0x08 : (code & 0x0F) == 0x08; }

/* Only of a program whose start allows prefetching, for another one may still be changed. A loop ends at max. */
u32 hdl_upcoming(void *ctx, u32 unit, struct engine_next *out, u32 max) {
    const struct hdl_group *g = ctx;
    const DEVBLK *dev = g->dev[unit];
    bool format1 = dev->orb.flag5 & ORB5_F, tic = false;
    u32 n = 0, address, at = be32_get(dev->scsw.ccwaddr);
    if (!(dev->orb.flag5 & ORB5_P)) return 0;
    while (n < max) {
        const u8 *ccw = hdl_storage(g, at, 8);
        if (!ccw || at & 7) break;
        out[n] = ccw_of_format(ccw, format1, &address);
        if (is_tic(out[n].code, format1)) {
            if (tic) break; /* the channel will check the program there */
            tic = true;
            at = address;
            continue;
        }
        tic = false;
        /* What the channel would stop at is for it to say. */
        bool there = out[n].count == 0 || hdl_storage(g, address, out[n].count);
        if (!there && !(out[n].flags & CCW_FLAGS_IDA)) break;
        at += 8;
        if (!(out[n++].flags & CCW_FLAGS_CC)) break;
    }
    return n;
}

/* ---- reset ---- */

/* A system reset ends the program but not our thread in it: when that returns, the channel stores its ending status in
 * the subchannel that was reset, where it would hinder the next program to be loaded (MSCH: status pending, TSCH: not
 * enabled). So, a moment later, the status of a subchannel that is still disabled is taken away. */
static void *sweep(void *arg) {
    DEVBLK *dev = arg;
    bool done = false;
    for (u32 i = 0; i < SWEEPS_MAX && !done; i++) {
        usleep(LOOK_US);
#ifdef HDL_HYPERION
        OBTAIN_INTLOCK(NULL);
#endif
        obtain_lock(&dev->lock);
        done = dev->pmcw.flag5 & PMCW5_E;
        if (!done && (dev->scsw.flag3 & SCSW3_SC_PEND)) {
            obtain_lock(&sysblk.iointqlk);
            DEQUEUE_IO_INTERRUPT_QLOCKED(&dev->ioint);
            release_lock(&sysblk.iointqlk);
            memset(&dev->scsw, 0, sizeof dev->scsw);
            dev->pending = 0;
            done = true;
        }
        release_lock(&dev->lock);
#ifdef HDL_HYPERION
        RELEASE_INTLOCK(NULL);
#endif
    }
    return NULL;
}

void hdl_sweep_later(DEVBLK *dev) { watch(dev, sweep); }

#ifdef HDL_HYPERION

/* ---- a suspended program ---- */

/* Hyperion halts a suspended program by scheduling its resumption, but completes the halt at once: the program then
 * runs only to suspend itself once more, and its driver (Linux's lcs) believes the last thing it hears, for ever.
 * Nothing is left to do for that program, so it is taken off the queue again. */
void hdl_forget_resumption(DEVBLK *dev) {
    OBTAIN_IOQLOCK();
    DEVBLK **at = &sysblk.ioq;
    while (*at && *at != dev) at = &(*at)->nextioq;
    if (*at) {
        *at = dev->nextioq;
        dev->nextioq = NULL;
        if (sysblk.devtunavail > 0) sysblk.devtunavail--;
    }
    RELEASE_IOQLOCK();
}

/* ---- a running program ---- */

#define THREAD_LOOKS_MAX 20000
#define THREAD_LOOK_US   50

/* Another thread than this one executes a program of the device. */
static bool someone_runs_it(const volatile DEVBLK *dev) {
    return dev->busy && dev->tid && !dev->suspended && !pthread_equal((pthread_t)dev->tid, pthread_self());
}

/* Hyperion completes the function at once, while the device's thread is still on its way out of the CCW that we ended: what that
 * thread has to say then comes as a second status. To a subchannel that was disabled meanwhile it sticks for ever (MSCH: status
 * pending, TSCH: not enabled), to one that was started anew it looks like the end of the new program. So the instruction
 * lasts until that thread is through, as it does in a channel: the mark of a pending halt or clear lets it complete the
 * function, and nothing is left to say. The caller holds dev->lock, for a halt the lock of interruptions, too. */
void hdl_await_thread(DEVBLK *dev, bool halt) {
    const U16 owner = sysblk.intowner;
    if (halt && someone_runs_it(dev)) dev->scsw.flag2 |= SCSW2_AC_HALT;
    for (u32 i = 0; i < THREAD_LOOKS_MAX && someone_runs_it(dev); i++) {
        RELEASE_DEVLOCK(dev);
        if (halt) RELEASE_INTLOCK(NULL);
        usleep(THREAD_LOOK_US);
        if (halt) OBTAIN_INTLOCK(NULL);
        OBTAIN_DEVLOCK(dev);
    }
    if (!halt) return;
    sysblk.intowner = owner;
    dev->scsw.flag2 &= (BYTE)~SCSW2_AC_HALT;
}

#else

/* ---- a program that was not begun ---- */

/* Started, taken neither by a device thread nor waiting in the queue for one. The device lock is held. */
static bool nobody_runs_it(DEVBLK *dev, bool sure) {
    obtain_lock(&sysblk.ioqlock);
    const DEVBLK *queued = sysblk.ioq;
    while (queued && queued != dev) queued = queued->nextioq;
    /* A device thread puts its id there when it takes the program, and has only the device lock to wait for then. The
     * emulator puts there, too, the id of a thread that it creates for the program and that comes too late to find
     * it: hence a time after which an id proves nothing. */
    bool taken = dev->tid && !sure;
    release_lock(&sysblk.ioqlock);
    return !queued && !taken;
}

/* What the channel does when a device thread meets a halt (Principles of Operation, halt function, completion). */
static bool complete_halt(DEVBLK *dev) {
    bool halting = dev->scsw.flag2 & SCSW2_AC_HALT;
    dev->busy = 0;
    if (!halting) return false; /* a clear came after the halt and found nothing to wait for */
    dev->scsw.flag2 &= (BYTE) ~(SCSW2_AC_HALT | SCSW2_AC_START);
    dev->scsw.flag3 |= SCSW3_SC_PEND;
    dev->scsw.unitstat |= CSW_CE | CSW_DE;
    QUEUE_IO_INTERRUPT(&dev->ioint);
    return true;
}

static void *finish_halt(void *arg) {
    DEVBLK *dev = arg;
    bool interrupt = false, unbegun = true;
    for (u32 i = 0; i <= LOOKS_MAX && unbegun; i++) {
        obtain_lock(&dev->lock);
        unbegun = dev->busy && dev->ioactive != DEV_SYS_LOCAL && !dev->startpending;
        if (unbegun && nobody_runs_it(dev, i == LOOKS_MAX)) {
            interrupt = complete_halt(dev);
            unbegun = false;
        }
        release_lock(&dev->lock);
        if (unbegun) usleep(LOOK_US);
    }
    if (interrupt) {
        OBTAIN_INTLOCK(NULL);
        UPDATE_IC_IOPENDING();
        RELEASE_INTLOCK(NULL);
    }
    return NULL;
}

/* 3.13 takes a program that no device thread has begun off its queue, and leaves the device busy: nobody is left who
 * would complete the halt, a clear completes without ending "busy", and MSCH refuses the subchannel from then on. */
void hdl_halt_unbegun(DEVBLK *dev) {
    if (dev->busy && dev->ioactive != DEV_SYS_LOCAL) watch(dev, finish_halt);
}

#endif
