/* port_host.c - the coroutines of super/port.h on the host, by ucontext. A struct port_context holds a ucontext_t. */
#include "super/port.h"

#include <stdlib.h>
#include <ucontext.h>

/* makecontext() passes ints only, so entry and argument travel in two variables that the new context reads first. */
static void (*start_entry)(void *);
static void *start_arg;

struct host_context {
    ucontext_t uc;
    void (*entry)(void *);
    void *arg;
};

static void trampoline(void) { start_entry(start_arg); }

void port_context_make(struct port_context *c, void *stack, size_t bytes, void (*entry)(void *), void *arg) {
    /* The record stands at the stack's low end, so nothing has to be freed. */
    struct host_context *h = stack;
    getcontext(&h->uc);
    h->entry = entry;
    h->arg = arg;
    h->uc.uc_stack.ss_sp = (u8 *)stack + sizeof *h;
    h->uc.uc_stack.ss_size = bytes - sizeof *h;
    h->uc.uc_link = NULL;
    makecontext(&h->uc, trampoline, 0);
    c->sp = h;
}

void port_context_switch(struct port_context *from, struct port_context *to) {
    struct host_context *next = to->sp, here;
    if (next->entry) {
        start_entry = next->entry;
        start_arg = next->arg;
    }
    /* A context that is left keeps its record on its own stack, in this frame. */
    here.entry = NULL;
    from->sp = &here;
    swapcontext(&here.uc, &next->uc);
}
