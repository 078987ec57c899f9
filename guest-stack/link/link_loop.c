/* link_loop.c - LOOPBACK and VIRTUAL; see link_loop.h.
 *
 * The loopback keeps packets in order in a queue of the stack's pbufs. Its timer is armed for "now" when the queue
 * becomes non-empty, so the next stack_poll() delivers them and a sender is never re-entered. A batch is what
 * was queued when delivery began: an answer to a delivered packet waits for the next poll.
 */
#include "link/link_loop.h"

#include "net/stack.h"

/* Large pbufs hold 9,216 bytes; what a loopback packet may not exceed so that pbuf_hold() can keep it. */
#define LOOP_MTU_BYTES 9000

struct loop {
    struct device *dev;
    struct timer deliver;
    struct list queue; /* struct pbuf, oldest first */
};

/* ---- loopback ---- */

static void loop_deliver(struct stack *stk, struct timer *t, u64 now) {
    struct loop *loop = CONTAINER_OF(t, struct loop, deliver);
    struct list batch;
    UNUSED(stk);
    list_init(&batch);
    while (!list_empty(&loop->queue)) list_push_back(&batch, list_pop_front(&loop->queue));
    for (struct list *n; (n = list_pop_front(&batch));) {
        struct pbuf *b = LIST_ENTRY(n, struct pbuf, node);
        /* The copy never saw a wire: whatever checksum was still to be finished is right by construction. */
        b->pkt.flags = PKT_IP_CSUM_OK | PKT_L4_CSUM_OK;
        b->pkt.gso_bytes = 0;
        link_input(loop->dev->lnk, &b->pkt, now);
        pbuf_release(b);
    }
}

static int loop_attach(struct device *dev, void *ctx) {
    struct loop *loop = ctx;
    if (loop->dev) return -ERR_EXIST;
    loop->dev = dev;
    dev->state = loop;
    list_init(&loop->queue);
    timer_init(&loop->deliver, loop_deliver);
    return 0;
}

static void loop_drop_all(struct loop *loop) {
    for (struct list *n; (n = list_pop_front(&loop->queue));) pbuf_release(LIST_ENTRY(n, struct pbuf, node));
}

static void loop_detach(struct device *dev) {
    struct loop *loop = dev->state;
    timer_disarm(dev->stk, &loop->deliver);
    loop_drop_all(loop);
    loop->dev = NULL;
}

static int loop_start(struct device *dev, u64 now) {
    dev->lnk->caps = LINK_CAP_CSUM_OUT | LINK_CAP_CSUM_IN | LINK_CAP_ARP | LINK_CAP_MCAST;
    dev->lnk->mtu_bytes = LOOP_MTU_BYTES;
    device_ready(dev, now);
    link_lan_up(dev->lnk, now);
    return 0;
}

static int loop_stop(struct device *dev, u64 now) {
    struct loop *loop = dev->state;
    timer_disarm(dev->stk, &loop->deliver);
    loop_drop_all(loop);
    device_stopped(dev, now);
    return 0;
}

static int loop_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    struct loop *loop = lnk->dev->state;
    UNUSED(next_hop);
    struct pbuf *b = pbuf_hold(lnk->stk, p, now);
    if (!b) return -ERR_NOBUFS;
    list_push_back(&loop->queue, &b->node);
    if (!timer_armed(&loop->deliver)) timer_arm(lnk->stk, &loop->deliver, now);
    return 0;
}

static const struct device_ops LOOP_DEVICE = {.type_name = "LOOPBACK",
                                              .attach = loop_attach,
                                              .detach = loop_detach,
                                              .start = loop_start,
                                              .stop = loop_stop};
static const struct link_ops LOOP_LINK = {.output = loop_output};

size_t link_loop_bytes(void) { return sizeof(struct loop) + 16; }

int link_loop_driver_init(struct driver *out, struct arena *a) {
    struct loop *loop = arena_take(a, sizeof *loop, 16);
    if (!loop) return -ERR_NOMEM;
    loop->dev = NULL;
    *out = (struct driver){.device = &LOOP_DEVICE, .link = &LOOP_LINK, .ctx = loop};
    return 0;
}

/* ---- virtual ---- */

static int virtual_attach(struct device *dev, void *ctx) {
    UNUSED(dev);
    UNUSED(ctx);
    return 0;
}
static void virtual_detach(struct device *dev) { UNUSED(dev); }

static int virtual_start(struct device *dev, u64 now) {
    dev->lnk->caps = LINK_CAP_ARP;
    dev->lnk->mtu_bytes = LOOP_MTU_BYTES;
    device_ready(dev, now);
    link_lan_up(dev->lnk, now);
    return 0;
}

static int virtual_stop(struct device *dev, u64 now) {
    device_stopped(dev, now);
    return 0;
}

/* A virtual link leads nowhere: a route over it is a mistake that the drop counter shows. */
static int virtual_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    UNUSED(lnk);
    UNUSED(p);
    UNUSED(next_hop);
    UNUSED(now);
    return -ERR_NETDOWN;
}

static const struct device_ops VIRTUAL_DEVICE = {.type_name = "VIPA",
                                                 .attach = virtual_attach,
                                                 .detach = virtual_detach,
                                                 .start = virtual_start,
                                                 .stop = virtual_stop};
static const struct link_ops VIRTUAL_LINK = {.output = virtual_output};

void link_virtual_driver_init(struct driver *out) {
    *out = (struct driver){.device = &VIRTUAL_DEVICE, .link = &VIRTUAL_LINK, .ctx = NULL};
}
