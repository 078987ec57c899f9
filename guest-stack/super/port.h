/* port.h - what the supervisor asks of the machine. Implemented by arch/s390; on the host by tests.
 *
 * There is one thread of control and it runs disabled: no interrupt handler ever runs beside it. Interrupts stay
 * pending in the channel subsystem until port_events() takes them (TEST PENDING INTERRUPTION) or port_wait() lets
 * one in through an enabled wait. So portable code needs no lock.
 *
 * Order: the machine calls nucleus_main(); it may use everything here at once.
 */
#ifndef SUPER_PORT_H
#define SUPER_PORT_H

#include "base/base.h"
#include "chan/chan.h"
#include "ipl/layout.h"

/* What the machine found out about itself before nucleus_main(). Texts are ASCII, blanks cut, NUL at the end. */
struct port_machine {
    u8 *storage; /* first free byte after the nucleus */
    size_t storage_bytes;
    size_t real_bytes; /* all of real storage */
    struct chan_system *channels;
    u16 ipl_devnum;
    char ipl_volser[7];
    char nucleus[9];  /* IEANUC01 */
    char loadparm[9]; /* LOADPARM of the IPL, as set */
    char hwname[9];   /* CPC name: the model capacity identifier of STSI 1.1.1 */
    char lparname[9]; /* STSI 2.2.2; blank in basic mode */
    char cpu_serial[7], cpu_type[5];
    char arch[8]; /* "ESA/390" or "z/Arch" */
};

/* The supervisor's entry; returns never. */
_Noreturn void nucleus_main(const struct port_machine *machine);

/* Microseconds since the TOD clock's epoch (1900-01-01 00:00 UTC), never going back. */
u64 port_now(void);
/* Delivers every pending channel event (chan.h's callbacks). Returns how many there were. */
u32 port_events(u64 now);
/* What those since the last call leave to do: the most that one of them does. */
enum chan_heard port_heard(void);
/* Enabled wait until an interrupt comes or deadline (in port_now()'s time) has passed. Delivers nothing. */
void port_wait(u64 deadline);
/* Starts a channel program and waits for its end; no other event is delivered meanwhile, so it may be called
 * from inside any callback. 0 (*out is filled; unit check etc. are in it), -ERR_NOENT, -ERR_BUSY, -ERR_TIMEDOUT
 * (the program was cleared). */
int port_io(struct chan *ch, const struct chan_cmd *program, u32 n, struct chan_status *out, u32 timeout_us);
/* 32 bits that nobody can predict: TOD, CPU timer and a generator keyed at IPL. */
u32 port_random(void);

/* Says a line on the operator console at once, whatever else is going on: for last words only. */
void port_last_words(const char *line);
/* The console they go to (0009 before this is called), and what is called once before the first of them, so that
 * messages which are still queued come out first. */
void port_last_words_to(u16 devnum, void (*before)(void *ctx), void *ctx);
/* wait: reason << 12 | code of ipl/layout.h's registry. */
_Noreturn void port_disabled_wait(u32 wait);

/* Coroutines: a context is a stack pointer; the rest stands on that stack. */
struct port_context {
    void *sp;
};
/* Prepares a context that calls entry(arg) on [stack, stack+bytes) when first switched to; entry never returns. */
void port_context_make(struct port_context *c, void *stack, size_t bytes, void (*entry)(void *), void *arg);
void port_context_switch(struct port_context *from, struct port_context *to);

#endif
