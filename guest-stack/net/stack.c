/* stack.c - a stack's making, its heartbeat and its end. See stack.h. */
#include "net/stack.h"

#include <stdarg.h>

#include "base/str.h"
#include "net/stack_impl.h"

#define LOOP_MAX 1024 /* packets to ourselves that wait; more are dropped and counted */
#define LOOPBACK_MTU                                                                                         \
    9216 /* fits the large pbufs, so that loopback traffic cannot exhaust the few huge ones */
#define MESSAGE_MAX 256

void stack_config_default(struct stack_config *cfg) {
    *cfg = (struct stack_config){
        .max_sockets = 4096,         /* 2 MB of connections; a busy HTTPD needs hundreds */
        .max_timewait = 8192,        /* 60 s of 136 closes a second */
        .buffer_chunks = 4096,       /* behind all sockets; only data that waits takes any */
        .small_pbufs = 1024,         /* ARP and UDP queues, pings */
        .large_pbufs = 512,          /* loopback and jumbo datagrams in queues: 4.7 MB */
        .huge_pbufs = 32,            /* reassembly and large UDP datagrams: 2 MB */
        .max_datagram_sockets = 256, /* servers, resolvers, pings */
        .max_groups = 64,
        .max_links = 48, /* OSAs, CTCs, static VIPAs, and 31 other systems over XCF */
        .max_home = 128,
        .max_dvipas = 0, /* who attaches a struct sysplex says how many */
        .max_routes = 256,
        .max_arp = 1024, /* two full /23 networks */
        .max_port_rules = 256,
        .max_reassembly = 16,
    };
}

/* HOME and DIRECT routes are made by us and do not use up the configured number. */
static u32 route_rows(const struct stack_config *cfg) {
    return cfg->max_routes + cfg->max_home + cfg->max_dvipas + cfg->max_links + ROUTE_REDIRECT_MAX;
}
static u32 home_rows(const struct stack_config *cfg) {
    return cfg->max_home + cfg->max_dvipas + 1; /* LOOPBACK */
}
static u32 arp_rows(const struct stack_config *cfg) {
    return cfg->max_arp;
}

size_t stack_bytes(const struct stack_config *cfg) {
    return sizeof(struct stack) + 64 + pbuf_bytes(cfg) + link_bytes(cfg) + home_bytes(home_rows(cfg)) +
           route_bytes(route_rows(cfg)) + pmtu_bytes() + arp_bytes(arp_rows(cfg)) +
           ipfrag_bytes(cfg->max_reassembly) + dgram_bytes(cfg) + port_bytes(cfg->max_port_rules) +
           igmp_bytes(cfg->max_groups) + tcp_bytes(cfg) + sock_bytes(cfg) + 256;
}

static bool tables_init(struct stack *stk, struct arena *a, const struct stack_config *cfg) {
    return pbuf_init(stk, a, cfg) && link_init(stk, a, cfg) && home_init(stk, a, home_rows(cfg)) &&
           route_init(stk, a, route_rows(cfg)) && pmtu_init(stk, a) && arp_init(stk, a, arp_rows(cfg)) &&
           ipfrag_init(stk, a, cfg->max_reassembly) && dgram_init(stk, a, cfg) &&
           port_init(stk, a, cfg->max_port_rules) && igmp_init(stk, a, cfg->max_groups);
}

/* DEVICE and LINK LOOPBACK, with 127.0.0.1 in HOME, exist without a statement. */
static void loopback_init(struct stack *stk, u64 now) {
    struct device *dev;
    CHECK(device_add(stk, "LOOPBACK", DEV_LOOPBACK, 0, &dev) == 0);
    CHECK(link_add(stk, dev, "LOOPBACK", LNK_LOOPBACK, 0, &stk->loopback) == 0);
    stk->loopback->mtu_bytes = LOOPBACK_MTU;
    stk->loopback->caps = LINK_CAP_CSUM_OUT | LINK_CAP_CSUM_IN | LINK_CAP_ARP;
    CHECK(home_add(stk, IPADDR_LOOPBACK, stk->loopback, HOME_GENERATED, now) == 0);
}

static void keys_init(struct stack *stk) {
    stk->key.add = stack_random(stk);
    stk->key.mul1 = stack_random(stk) | 1;
    stk->key.mul2 = stack_random(stk) | 1;
    stk->key.mul3 = stack_random(stk) | 1;
}

struct stack *stack_create(struct arena *a, const char *name, const struct stack_config *cfg,
                           const struct stack_env *env, u64 now) {
    struct stack *stk = arena_take(a, sizeof *stk, 16);
    if (!stk) return NULL;
    memset(stk, 0, sizeof *stk);
    str_copy(stk->name, sizeof stk->name, name);
    stk->cfg = *cfg;
    stk->cfg.max_links = u32_min(cfg->max_links + 1, LINKS_MAX); /* and LOOPBACK */
    stk->env = *env;
    stk->tracing = env->trace != NULL;
    stk->now = stk->started = now;
    stk->route_generation = 1;
    list_init(&stk->work);
    list_init(&stk->loop);
    net_config_default(&stk->conf);
    keys_init(stk);
    timer_wheel_init(stk, now);
    if (!tables_init(stk, a, &stk->cfg)) return NULL;
    loopback_init(stk, now);
    ip_init(stk);
    icmp_init(stk);
    igmp_proto_init(stk);
    udp_init(stk);
    if (tcp_init(stk, a, &stk->cfg) || sock_init(stk, a, &stk->cfg)) return NULL;
    return stk;
}

/* ---- packets to ourselves ---- */

static void loop_queue(struct stack *stk, const struct pkt *p, struct link *as, u64 now) {
    struct pbuf *b = NULL;
    if (stk->loop_count < LOOP_MAX) b = pbuf_hold(stk, p, now);
    if (!b) {
        if (stk->loop_count < LOOP_MAX)
            stk->stats.ip.drop_no_buffer++;
        else
            stk->stats.ip.drop_loop_full++;
        return;
    }
    b->pkt.flags = PKT_IP_CSUM_OK | PKT_L4_CSUM_OK;
    b->pkt.gso_bytes = 0;
    b->pkt.in = as;
    stk->loop_count++;
    list_push_back(&stk->loop, &b->node);
}

void link_loop(struct stack *stk, const struct pkt *p, u64 now) {
    stk->loopback->count.packets_out++;
    stk->loopback->count.bytes_out += pkt_bytes(p);
    loop_queue(stk, p, stk->loopback, now);
}

void link_loop_as(struct stack *stk, const struct pkt *p, struct link *lnk, u64 now) {
    loop_queue(stk, p, lnk, now);
}

void link_loop_forget(struct stack *stk, const struct link *lnk) {
    LIST_FOR_EACH(n, &stk->loop) {
        struct pbuf *b = LIST_ENTRY(n, struct pbuf, node);
        if (b->pkt.in == lnk) b->pkt.in = stk->loopback;
    }
}

/* Delivers what was queued when it began: an answer to ourselves waits for the next round, so this ends. */
static void loop_run(struct stack *stk, u64 now) {
    for (u32 n = stk->loop_count; n; n--) {
        struct pbuf *b = LIST_ENTRY(list_pop_front(&stk->loop), struct pbuf, node);
        stk->loop_count--;
        link_input(b->pkt.in, &b->pkt, now);
        pbuf_release(b);
    }
}

static void work_run(struct stack *stk, u64 now) {
    struct list batch;
    list_init(&batch);
    for (struct list *n; (n = list_pop_front(&stk->work));) list_push_back(&batch, n);
    for (struct list *n; (n = list_pop_front(&batch));) {
        struct stack_work *w = LIST_ENTRY(n, struct stack_work, node);
        w->fn(stk, w, now);
    }
}

u64 stack_poll(struct stack *stk, u64 now) {
    stk->now = now;
    timer_wheel_run(stk, now);
    if (stk->loop_count) loop_run(stk, now);
    if (!list_empty(&stk->work)) work_run(stk, now);
    if (!list_empty(&stk->flush)) link_flush_all(stk, now);
    if (stk->loop_count || !list_empty(&stk->work)) return now;
    return timer_wheel_next(stk);
}

u64 stack_due(struct stack *stk) {
    if (stk->loop_count || !list_empty(&stk->work) || !list_empty(&stk->flush)) return 0;
    return timer_wheel_next(stk);
}

void stack_stop(struct stack *stk, u64 now) {
    stk->now = now;
    stk->stopping = true;
    sock_stop(stk, now);
    tcp_stop(stk, now);
    dgram_stop(stk, now);
    igmp_stop(stk, now);
    ipfrag_stop(stk);
    link_flush_all(stk, now); /* resets and leaves go out before their devices stop */
    link_stop_all(stk, now);
    while (stk->loop_count) {
        stk->loop_count--;
        pbuf_release(LIST_ENTRY(list_pop_front(&stk->loop), struct pbuf, node));
    }
}

/* ---- small questions ---- */

u32 stack_stirred(const struct stack *stk) {
    return stk->stirred;
}
struct stack_hooks *stack_hooks(struct stack *stk) {
    return &stk->hooks;
}
const struct stack_env *stack_env(const struct stack *stk) {
    return &stk->env;
}
const char *stack_name(const struct stack *stk) {
    return stk->name;
}
void stack_pkttrace(struct stack *stk, bool on) {
    stk->tracing = on && stk->env.trace;
}

void stack_message(struct stack *stk, const char *fmt, ...) {
    char text[MESSAGE_MAX];
    va_list ap;
    if (!stk->env.message) return;
    va_start(ap, fmt);
    str_vfmt(text, sizeof text, fmt, ap);
    va_end(ap);
    stk->env.message(stk->env.ctx, text);
}
