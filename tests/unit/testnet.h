/* testnet.h - stacks under test: a link that records what is sent, and a wire that joins two stacks.
 *
 *   struct testnet *t = testnet_create(seed);             prints nothing unless a check fails
 *   struct stack *a = testnet_stack(t, "TCPIPA", NULL);   NULL = small default limits
 *   struct link *la = testnet_link(t, a, "LA", "10.0.0.1", "255.255.255.0", caps);
 *   testnet_join(t, la, lb, &(struct testnet_fault){.loss_permille = 50, .delay_usec = 2000});
 *   testnet_run(t, usec);                                 time passes; timers, wires and stacks run
 *   testnet_destroy(t);                                   stops stacks; every pool is back at its level
 *
 * An unjoined link records up to TESTNET_FRAMES packets that it was given (IP packets, or Ethernet frames
 * without LINK_CAP_ARP), contiguous, for the test to look at. Time starts at one hour. All randomness comes
 * from the seed.
 */
#ifndef TESTS_UNIT_TESTNET_H
#define TESTS_UNIT_TESTNET_H

#include "net/stack_impl.h"

#define TESTNET_STACKS   8
#define TESTNET_LINKS    16
#define TESTNET_FRAMES   64
#define TESTNET_MESSAGES 64

struct testnet_frame {
    u32 len;
    u16 flags, gso_bytes; /* of the pkt */
    struct ipaddr next_hop;
    u8 *bytes; /* [len] */
};

struct testnet_fault {
    u32 loss_permille, duplicate_permille, reorder_permille, corrupt_permille;
    u32 delay_usec, jitter_usec;
    u32 mtu_drop_bytes; /* packets longer than this vanish (a black hole); 0 = none */
};

struct testnet_end; /* what stands behind a link */

struct testnet {
    u64 now;
    u64 seed, rng;
    u32 stacks, ends;
    struct stack *stack[TESTNET_STACKS];
    struct testnet_end *end[TESTNET_LINKS];
    void *storage[TESTNET_STACKS];
    char message[TESTNET_MESSAGES][160]; /* console messages of all stacks, ring */
    u32 messages;                        /* written so far */
    struct driver drivers[DEV_TYPES];
    struct stack_env env;
    void *wire; /* packets under way */
    u64 delivered, lost, reordered, duplicated;
};

struct testnet *testnet_create(u64 seed);
void testnet_destroy(struct testnet *t);
u32 testnet_random(struct testnet *t);
/* The small default limits. */
void testnet_config(struct stack_config *cfg);
struct stack *testnet_stack(struct testnet *t, const char *name, const struct stack_config *cfg);
/* Adds a device (LCS without LINK_CAP_ARP, else MPCIPA) and a link, HOME address, direct route, and starts
 * it. mask NULL: no HOME and no route. */
struct link *testnet_link(struct testnet *t, struct stack *stk, const char *name, const char *addr,
                          const char *mask, u16 caps);
void testnet_join(struct testnet *t, struct link *a, struct link *b, const struct testnet_fault *f);
/* Frames an unjoined link was given since the last testnet_clear(). */
u32 testnet_sent(const struct link *l);
const struct testnet_frame *testnet_frame(const struct link *l, u32 i);
void testnet_clear(struct link *l);
/* Addresses registered with a link (LINK_CAP_ARP) and groups joined. */
bool testnet_registered(const struct link *l, const char *addr);
/* How often the card was rung; what a card answers to registrations from now on (0 = registered). */
u32 testnet_flushes(const struct link *l);
void testnet_answer(struct link *l, u32 ipa_rc);
/* An IP packet or frame arrives on a link: copied to a buffer of exactly len bytes, so that ASan sees every
 * overrun. */
void testnet_give(struct link *l, const void *bytes, u32 len, u16 flags);
/* The same with the sender's number (struct pkt's from). */
void testnet_give_from(struct link *l, const void *bytes, u32 len, u16 flags, u8 from);
/* The same for TCP segments that the card joined. */
void testnet_give_joined(struct link *l, const void *bytes, u32 len, u16 flags, u16 gso_bytes);
void testnet_poll(struct testnet *t);          /* at the present moment */
void testnet_run(struct testnet *t, u64 usec); /* for so long */
bool testnet_run_until(struct testnet *t, u64 usec, bool (*done)(void *ctx), void *ctx);
bool testnet_said(const struct testnet *t, const char *part); /* some message contains part */
struct ipaddr testnet_ip(const char *text);
/* No packet buffer is held by any stack; testnet_destroy() checks that after stopping them, and every table
 * too. */
void testnet_check_pools(const struct testnet *t);

#endif
