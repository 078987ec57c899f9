/* ports.c - PORT, PORTRANGE and ephemeral ports. See ports.h. */
#include "net/ports.h"

#include "base/str.h"
#include "net/stack_impl.h"

#define BITMAP_WORDS (65536 / 32)
#define LOW_PORTS    1024

size_t port_bytes(u32 max_port_rules) {
    return 2 * BITMAP_WORDS * sizeof(u32) + (sizeof(struct port_rule) + 16) * (size_t)max_port_rules + 64;
}

bool port_init(struct stack *stk, struct arena *a, u32 max_port_rules) {
    struct port_table *t = &stk->ports;
    list_init(&t->rules);
    for (u32 i = 0; i < 2; i++) {
        t->ruled[i] = arena_take(a, BITMAP_WORDS * sizeof(u32), sizeof(u32));
        if (!t->ruled[i]) return false;
        memset(t->ruled[i], 0, BITMAP_WORDS * sizeof(u32));
    }
    return pool_init(&t->pool, "PORT", a, sizeof(struct port_rule), max_port_rules);
}

static u32 *bitmap(const struct stack *stk, u8 proto) {
    return stk->ports.ruled[proto == IP_PROTO_UDP];
}

static bool is_ruled(const struct stack *stk, u8 proto, u16 port) {
    return bitmap(stk, proto)[port / 32] >> port % 32 & 1;
}

static void mark(struct stack *stk, const struct port_rule *r) {
    u32 *map = bitmap(stk, r->proto);
    for (u32 port = r->first; port <= r->last; port++) map[port / 32] |= 1u << port % 32;
}

static bool covers(const struct port_rule *r, u8 proto, u16 port) {
    return r->proto == proto && port >= r->first && port <= r->last;
}

bool port_jobname_matches(const char *rule, const char *jobname) {
    u32 i = 0;
    if (str_eq_ci(rule, "OMVS")) return true;
    for (; rule[i]; i++) {
        if (rule[i] == '*' && !rule[i + 1]) return true;
        if (!jobname[i]) return false;
        char one[2] = {rule[i], 0}, other[2] = {jobname[i], 0};
        if (!str_eq_ci(one, other)) return false;
    }
    return !jobname[i];
}

/* Would the new rule contradict an old one? */
static bool conflicts(const struct port_rule *old, const struct port_rule *r) {
    if (old->proto != r->proto || r->last < old->first || r->first > old->last) return false;
    if ((old->flags | r->flags) & PORT_RANGE) return true;
    if ((old->flags | r->flags) & PORT_RESERVED) return true;
    return str_eq_ci(old->jobname, r->jobname) && ipaddr_eq(old->bind, r->bind);
}

static bool rule_is_sound(const struct port_rule *r) {
    bool reserved = r->flags & PORT_RESERVED, range = r->flags & PORT_RANGE;
    if (r->first == 0 || r->first > r->last || (!range && r->first != r->last)) return false;
    if (r->proto != IP_PROTO_TCP && r->proto != IP_PROTO_UDP) return false;
    if ((r->flags & PORT_BIND) && (reserved || range)) return false;
    if ((r->flags & (PORT_SHAREPORT | PORT_SHAREPORTWLM)) && r->proto != IP_PROTO_TCP) return false;
    return reserved || r->jobname[0];
}

int port_rule_add(struct stack *stk, const struct port_rule *rule) {
    struct port_table *t = &stk->ports;
    if (!rule_is_sound(rule)) return -ERR_INVAL;
    LIST_FOR_EACH(n, &t->rules) {
        if (conflicts(LIST_ENTRY(n, struct port_rule, node), rule)) return -ERR_EXIST;
    }
    struct port_rule *r = pool_get(&t->pool);
    if (!r) return -ERR_NOMEM;
    *r = *rule;
    list_push_back(&t->rules, &r->node);
    mark(stk, r);
    return 0;
}

int port_rule_del(struct stack *stk, const struct port_rule *rule) {
    struct port_table *t = &stk->ports;
    LIST_FOR_EACH(n, &t->rules) {
        struct port_rule *r = LIST_ENTRY(n, struct port_rule, node);
        if (r->first != rule->first || r->last != rule->last || r->proto != rule->proto) continue;
        if (!str_eq_ci(r->jobname, rule->jobname)) continue;
        list_del(&r->node);
        u8 proto = r->proto;
        pool_put(&t->pool, r);
        /* Another rule may name the same port, so the bits are made anew. */
        memset(bitmap(stk, proto), 0, BITMAP_WORDS * sizeof(u32));
        LIST_FOR_EACH(m, &t->rules) {
            const struct port_rule *left = LIST_ENTRY(m, struct port_rule, node);
            if (left->proto == proto) mark(stk, left);
        }
        return 0;
    }
    return -ERR_NOENT;
}

int port_check(struct stack *stk, u8 proto, u16 port, const char *jobname, const struct port_rule **out) {
    bool restricted =
        proto == IP_PROTO_UDP ? stk->conf.udp.restrict_low_ports : stk->conf.tcp.restrict_low_ports;
    *out = NULL;
    if (!is_ruled(stk, proto, port)) return restricted && port < LOW_PORTS ? -ERR_ACCES : 0;
    LIST_FOR_EACH(n, &stk->ports.rules) {
        const struct port_rule *r = LIST_ENTRY(n, struct port_rule, node);
        if (!covers(r, proto, port) || (r->flags & PORT_RESERVED)) continue;
        if (!port_jobname_matches(r->jobname, jobname)) continue;
        *out = r;
        return 0;
    }
    return -ERR_ACCES;
}

static void ephemeral_range(const struct stack *stk, u8 proto, u32 *first, u32 *last) {
    bool udp = proto == IP_PROTO_UDP;
    *first = udp ? stk->conf.udp.ephemeral_first : stk->conf.tcp.ephemeral_first;
    *last = udp ? stk->conf.udp.ephemeral_last : stk->conf.tcp.ephemeral_last;
}

bool port_is_ephemeral(const struct stack *stk, u8 proto, u16 port) {
    u32 first, last;
    ephemeral_range(stk, proto, &first, &last);
    return port >= first && port <= last && !is_ruled(stk, proto, port);
}

int port_ephemeral(struct stack *stk, u8 proto, bool (*in_use)(void *ctx, u16 port), void *ctx, u16 *out) {
    u32 first, last;
    ephemeral_range(stk, proto, &first, &last);
    u32 count = last - first + 1;
    if (first == 0 || last < first) return -ERR_ADDRINUSE;
    /* RFC 6056 algorithm 1: a random start, then the next free one. */
    u32 at = stack_random(stk) % count;
    for (u32 n = 0; n < count; n++) {
        u16 port = (u16)(first + at);
        if (!is_ruled(stk, proto, port) && !in_use(ctx, port)) {
            *out = port;
            return 0;
        }
        if (++at == count) at = 0;
    }
    return -ERR_ADDRINUSE;
}

const struct port_rule *port_rule_next(const struct stack *stk, const struct port_rule *r) {
    const struct list *n = r ? r->node.next : stk->ports.rules.next;
    if (n == &stk->ports.rules) return NULL;
    return (const struct port_rule *)(const void *)((const u8 *)n - offsetof(struct port_rule, node));
}
