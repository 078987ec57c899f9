/* peer_stand.c - threads of the caller's that take a connection's messages themselves. See peer.h.
 *
 * A connection has one thread that waits for its doorbell. But who waits for a message is often another one, which the first then has
 * to wake: two changes of threads where one would do. So that thread stands at the ring in its stead, and sleeps on the ring's own word
 * `asleep`, RING_WORD, until a writer changes it.
 *
 *   word        who waits                     what a writer does         who comes
 *   RING_BELL   the connection's thread       writes to the doorbell     that one
 *   RING_WORD   a thread in peer_stand()      FUTEX_WAKE                 that one
 *   RING_AWAKE  nobody, or one on its way     nothing                    whoever takes messages out just now looks once more before it sleeps
 *
 * Whoever ends taking messages out, as the last thing under rx_lock, leaves the word with RING_BELL or RING_WORD, and looks at the ring once
 * more behind a fence. There is one exception: a thread that was kicked and goes on (goes_on) will be back at once, and leaves RING_AWAKE
 * until then; should it not come, the connection's thread finds what is there when its wait is over, PEER_WAIT_MSEC.
 *
 * The connection's thread stays where it is meanwhile, for the end of the other side shows in its descriptors. Woken by anything it delivers
 * what it finds, as always: only the word is then the other one's.
 *
 * Locks: rx_lock, then whatever the callbacks take (the adapter's one lock). peer_pin, peer_unpin and peer_kick take none: they are called
 * under the adapter's. A pinned connection keeps its rings and its storage: peer_expel() waits until the last pin is gone.
 */
#include "hercules-devices/peer_impl.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPEL_USEC 50

void peer_rx_lock(struct peer *p) { CHECK(pthread_mutex_lock(&p->rx_lock) == 0); }
void peer_rx_unlock(struct peer *p) { CHECK(pthread_mutex_unlock(&p->rx_lock) == 0); }

/* The memory is shared between processes, so this is not a private futex. */
void peer_word_wake(struct ring *r) { syscall(SYS_futex, ring_word(r), FUTEX_WAKE, 1, NULL, NULL, 0); }

static bool word_wait(struct ring *r, u32 msec) {
    struct timespec t = {.tv_sec = msec / 1000, .tv_nsec = (long)(msec % 1000) * 1000000};
    return syscall(SYS_futex, ring_word(r), FUTEX_WAIT, RING_WORD, &t, NULL, 0) == 0 || errno != ETIMEDOUT;
}

/* ---- life ---- */

bool peer_set_down(struct peer *p) {
    peer_rx_lock(p);
    bool was = atomic_exchange(&p->up, false);
    peer_rx_unlock(p);
    return was;
}

void peer_pin(struct peer *p, bool to_stand) {
    if (to_stand) atomic_store(&p->kicked, false);
    atomic_fetch_add(&p->pins, 1);
}

void peer_unpin(struct peer *p) { atomic_fetch_sub(&p->pins, 1); }

void peer_kick(struct peer *p, bool goes_on) {
    atomic_store(&p->goes_on, goes_on);
    atomic_store(&p->kicked, true);
    /* It says that it stands before it looks whether it was kicked: one of the two sees the other. */
    if (atomic_load(&p->standing) && ring_rouse(&p->link.rx)) peer_word_wake(&p->link.rx);
}

void peer_expel(struct peer *p) {
    while (atomic_load(&p->pins)) {
        peer_kick(p, false);
        usleep(EXPEL_USEC);
    }
}

/* ---- taking messages; rx_lock is held ---- */

static bool is_open(const struct peer *p) {
    return atomic_load(&p->up) && !p->link.tcp && !atomic_load(&p->closing) && !atomic_load(&p->held);
}

/* Leaves the ring to the connection's own thread again. What is its own to find out (the end, nonsense, more than a batch) wakes it. */
static void hand_back(struct peer *p, enum peer_step step) {
    atomic_store(&p->owed, false);
    if (!is_open(p) && step == PEER_IDLE) return; /* held: peer_resume() wakes it */
    if (step != PEER_IDLE || !ring_sleep(&p->link.rx, RING_BELL)) peer_bell_ring(p->link.bell_in);
}

/* Sleeps until a message comes, or a kick. false: the time is over. */
static bool sleep_standing(struct peer *p, u32 msec) {
    bool woken = true;
    if (!ring_sleep(&p->link.rx, RING_WORD)) return true;
    if (!atomic_load(&p->kicked)) {
        peer_rx_unlock(p);
        woken = word_wait(&p->link.rx, msec);
        peer_rx_lock(p);
    }
    ring_wake(&p->link.rx);
    return woken;
}

static void stand(struct peer *p, u32 msec) {
    u32 delivered;
    u64 until = peer_now_ms() + msec;
    enum peer_step step;
    bool in_time = true;
    atomic_store(&p->owed, false);
    atomic_store(&p->standing, true);
    do {
        step = peer_deliver(p, PEER_DELIVER_STANDING, &delivered);
        if (atomic_load(&p->kicked) || step == PEER_DEAD || !is_open(p)) break;
        if (step == PEER_IDLE) in_time = sleep_standing(p, msec);
        in_time &= peer_now_ms() < until;
    } while (in_time && is_open(p));
    atomic_store(&p->standing, false);
    if (!is_open(p) && step == PEER_IDLE) return;
    bool goes_on = atomic_load(&p->kicked) && atomic_load(&p->goes_on) && step == PEER_IDLE;
    atomic_store(&p->owed, goes_on);
    if (goes_on) return;
    /* The rest costs less here than another thread's wake-up. */
    if (step == PEER_IDLE) step = peer_deliver(p, PEER_DELIVER, &delivered);
    hand_back(p, step);
}

bool peer_stand(struct peer *p, u32 msec) {
    peer_rx_lock(p);
    bool can = is_open(p) && !atomic_load(&p->standing);
    if (can) stand(p, msec);
    peer_rx_unlock(p);
    return can;
}

void peer_later(struct peer *p) {
    if (p->link.tcp) peer_flush(p);
    /* The message before the look at the other ring, as with a bell. */
    atomic_thread_fence(memory_order_seq_cst);
}

u32 peer_look(struct peer *p, bool wait) {
    u32 delivered = 0;
    if (wait) peer_rx_lock(p);
    else if (pthread_mutex_trylock(&p->rx_lock) != 0)
        return 0;
    if (is_open(p)) {
        enum peer_step step = peer_deliver(p, PEER_DELIVER_LOOK, &delivered);
        if (!atomic_load(&p->standing)) hand_back(p, step);
    }
    peer_rx_unlock(p);
    return delivered;
}
