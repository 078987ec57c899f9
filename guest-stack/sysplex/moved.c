/* moved.c - connections to a DVIPA of this stack that live at its former owners: their packets are forwarded there.
 *
 * A row is made when the former owner lists the connection (before this stack is ACTIVE) and when it opens one from the
 * DVIPA; it ends when that stack says so, when that stack is no more, or when the DVIPA is given away and its next owner known: until
 * then the LAN may bring packets. Forwarded are TCP segments, and ICMP errors that quote one, so that path MTU discovery goes on; those, too, that
 * a former owner has sent here because this stack owns the DVIPA. What is marked as routed is never forwarded again, so nothing can go
 * round (forward.c).
 */
#include "sysplex/sysplex_impl.h"

#include "wire/icmp.h"
#include "wire/ip4.h"

#define PORTS_BYTES 4 /* source and destination port, where TCP and its quotes begin */

size_t moved_bytes(const struct sysplex_config *c) {
    return hash_bytes(c->moved) + (sizeof(struct moved_row) + 16) * (size_t)c->moved + 32;
}

bool moved_init(struct sysplex *sx, struct arena *a) {
    return pool_init(&sx->moved_pool, "MOVED", a, sizeof(struct moved_row), sx->conf.moved) &&
           hash_init(&sx->moved, a, sx->conf.moved);
}

static u32 key_hash(const struct sysplex *sx, const struct tcp_key *k) {
    return hash3(&sx->key, k->local.v4, k->foreign.v4, (u32)k->local_port << 16 | k->foreign_port);
}

static struct moved_row *row_find(struct sysplex *sx, const struct tcp_key *k) {
    struct hash_row *r = *hash_head(&sx->moved, key_hash(sx, k));
    for (; r; r = r->next) {
        struct moved_row *m = (struct moved_row *)(void *)r;
        if (ipaddr_eq(m->key.local, k->local) && ipaddr_eq(m->key.foreign, k->foreign) &&
            m->key.local_port == k->local_port && m->key.foreign_port == k->foreign_port)
            return m;
    }
    return NULL;
}

static void row_free(struct sysplex *sx, struct moved_row *m) {
    hash_del(&sx->moved, key_hash(sx, &m->key), &m->hash);
    list_del(&m->of_peer);
    pool_put(&sx->moved_pool, m);
}

struct sysplex_peer *moved_find(struct sysplex *sx, const struct tcp_key *key) {
    struct moved_row *m = sx->moved.rows ? row_find(sx, key) : NULL;
    return m ? sysplex_peer_at(sx, m->peer) : NULL;
}

bool sysplex_has_moved(const struct sysplex *sx) {
    return sx->moved.rows != 0;
}

void moved_add(struct sysplex *sx, struct sysplex_peer *at, const struct tcp_key *key) {
    struct moved_row *m = row_find(sx, key);
    if (m) row_free(sx, m);
    m = pool_get(&sx->moved_pool);
    if (!m) {
        SX_COUNT(sx, moved_full);
        return;
    }
    m->key = *key;
    m->peer = at->index;
    hash_add(&sx->moved, key_hash(sx, key), &m->hash);
    list_push_back(&sx->peer[at->index].moved, &m->of_peer);
}

void moved_del(struct sysplex *sx, const struct sysplex_peer *at, const struct tcp_key *key) {
    struct moved_row *m = row_find(sx, key);
    if (m && m->peer == at->index) row_free(sx, m);
}

static void clear_at(struct sysplex *sx, struct peer *p, struct ipaddr dvipa, bool every) {
    LIST_FOR_EACH_SAFE(n, next, &p->moved) {
        struct moved_row *m = LIST_ENTRY(n, struct moved_row, of_peer);
        if (every || ipaddr_eq(m->key.local, dvipa)) row_free(sx, m);
    }
}

void moved_clear(struct sysplex *sx, struct ipaddr dvipa, const struct sysplex_peer *at) {
    if (!sx->moved.rows) return;
    for (u32 i = 0; i < SYSPLEX_PEERS_MAX; i++)
        if (sx->peer[i].pub.used && (!at || at->index == i)) clear_at(sx, &sx->peer[i], dvipa, false);
}

void moved_peer_down(struct sysplex *sx, struct sysplex_peer *p) {
    clear_at(sx, &sx->peer[p->index], IPADDR_ANY, true);
}

/* The connection that a packet belongs to; false: none that could be moved. */
static bool packet_key(const struct pkt *p, struct tcp_key *k) {
    const u8 *h = p->ip_header;
    u32 header = ip4_header_bytes(h);
    const u8 *at = h + header;
    u32 len = p->len - header;
    if (be16_get(h + IP4_FRAG) & (IP4_FRAG_MF | IP4_FRAG_OFFSET)) return false;
    if (p->proto == IP_PROTO_TCP && len >= PORTS_BYTES) {
        *k = (struct tcp_key){p->dst, p->src, be16_get(at + 2), be16_get(at)};
        return true;
    }
    if (p->proto != IP_PROTO_ICMP || len < ICMP_HEADER_BYTES + IP4_HEADER_MIN + PORTS_BYTES) return false;
    if (at[0] != ICMP_UNREACHABLE && at[0] != ICMP_TIME_EXCEEDED && at[0] != ICMP_PARAMETER) return false;
    /* What it quotes was sent by us: its source is our end. */
    const u8 *q = at + ICMP_HEADER_BYTES;
    u32 quoted = ip4_header_bytes(q);
    if (q[IP4_PROTO] != IP_PROTO_TCP || quoted < IP4_HEADER_MIN || len < ICMP_HEADER_BYTES + quoted + PORTS_BYTES) return false;
    *k = (struct tcp_key){ipaddr_get(q + IP4_SRC), ipaddr_get(q + IP4_DST), be16_get(q + quoted), be16_get(q + quoted + 2)};
    return true;
}

enum sysplex_verdict moved_packet(struct sysplex *sx, struct pkt *p, u64 now) {
    struct tcp_key key;
    if (!sx->moved.rows || (p->flags & PKT_DISTRIBUTED) || !packet_key(p, &key)) return SYSPLEX_PASS;
    struct sysplex_peer *to = moved_find(sx, &key);
    if (!to) return SYSPLEX_PASS;
    p->flags |= PKT_DISTRIBUTED; /* there it is delivered or reset: that stack has said that it has the connection */
    sysplex_forward(sx, to, p, now);
    return SYSPLEX_TAKEN;
}
