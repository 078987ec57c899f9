/* dvipa_home.c - a DVIPA in the HOME list, and the connections of this stack that use it.
 *
 * In HOME while it is ACTIVE, while connections or sockets of this stack use it, and while this stack is a target of its
 * distribution; flag I (hidden) unless it is ACTIVE. Its device and link are VIPDxxxxxxxx and VIPLxxxxxxxx, the address
 * in hexadecimal.
 */
#include "sysplex/dvipa_impl.h"

#include "net/stack_impl.h"
#include "wire/tcphdr.h"

static bool home_wanted(const struct dvipa *d, u64 now) {
    return d->status == DVIPA_ACTIVE || d->conns || d->refs || d->target || d->keep_until > now ||
           (d->status == DVIPA_CLAIMING && (d->config & (CFG_BIND | CFG_IOCTL)));
}

static void link_remove(struct sysplex *sx, struct dvipa *d, u64 now) {
    char device[NAME_MAX_LEN + 1];
    if (!d->lnk) return;
    str_copy(device, sizeof device, d->lnk->dev->name);
    home_del(sx->stk, d->addr, now);
    CHECK(link_delete(sx->stk, d->lnk->name) == 0 && device_delete(sx->stk, device) == 0);
    d->lnk = NULL;
}

static int link_make(struct sysplex *sx, struct dvipa *d, bool hidden, u64 now) {
    char name[NAME_MAX_LEN + 1];
    struct device *dev = NULL;
    struct link *lnk = NULL;
    if (home_find(sx->stk, d->addr)) return -ERR_EXIST;
    str_fmt(name, sizeof name, "VIPD%08X", d->addr.v4);
    int rc = device_add(sx->stk, name, DEV_VIRTUAL, 0, &dev);
    if (rc) return rc;
    name[3] = 'L';
    rc = link_add(sx->stk, dev, name, LNK_VIRTUAL, 0, &lnk);
    if (rc == 0) {
        lnk->bsd_mask = d->mask;
        u8 flags = HOME_DYNAMIC | HOME_GENERATED;
        rc = home_add(sx->stk, d->addr, lnk, (u8)(hidden ? flags | HOME_INTERNAL : flags), now);
        if (rc) link_delete(sx->stk, name);
    }
    name[3] = 'D';
    if (rc)
        device_delete(sx->stk, name);
    else
        d->lnk = lnk;
    return rc;
}

int dvipa_home_sync(struct sysplex *sx, struct dvipa *d, u64 now) {
    bool hidden = d->status != DVIPA_ACTIVE;
    if (!home_wanted(d, now)) {
        link_remove(sx, d, now);
        return 0;
    }
    return d->lnk ? home_hide(sx->stk, d->addr, hidden, now) : link_make(sx, d, hidden, now);
}

/* ---- connections ---- */

struct victims {
    struct ipaddr addr;
    u32 n, id[32];
};

static bool victim(void *ctx, const struct tcp_info *i) {
    struct victims *v = ctx;
    if (ipaddr_eq(i->key.local, v->addr) && i->key.foreign_port && i->state != TCP_TIME_WAIT) v->id[v->n++] = i->conn_id;
    return v->n < ARRAY_LEN(v->id);
}

void dvipa_break(struct sysplex *sx, struct dvipa *d, u64 now) {
    struct victims v;
    do { /* a walk over connections may not end any, so they are ended by number, some at a time */
        v = (struct victims){.addr = d->addr};
        tcp_for_each(sx->stk, victim, &v);
        for (u32 i = 0; i < v.n; i++)
            if (tcp_drop(sx->stk, v.id[i], now) == 0) SX_COUNT(sx, connections_broken);
    } while (v.n == ARRAY_LEN(v.id));
}

struct listing {
    struct sysplex *sx;
    struct sysplex_peer *to;
    u32 len;
    bool full;
    u64 now;
};

static void listing_send(struct listing *l) {
    if (l->len && sysplex_send(l->sx, l->to, PLEXMSG_CONN, l->sx->tx, l->len, l->now) == -ERR_NOBUFS) l->full = true;
    l->len = 0;
}

static void listing_put(struct listing *l, const struct plexmsg_conn *c) {
    plexmsg_conn_emit(l->sx->tx + l->len, c);
    l->len += PLEXMSG_CONN_ROW;
    if (l->len + PLEXMSG_CONN_ROW > PLEXMSG_DATA_MAX) listing_send(l);
}

static bool listing_row(void *ctx, const struct tcp_info *i) {
    struct listing *l = ctx;
    if (!i->key.foreign_port || i->state == TCP_TIME_WAIT || ipaddr_is_any(i->key.local)) return true;
    const struct dvipa *d = dvipa_find(l->sx, i->key.local);
    if (!d || !d->listing) return true;
    struct plexmsg_conn c = {.dvipa = i->key.local, .foreign = i->key.foreign, .there = true};
    c.local_port = i->key.local_port;
    c.foreign_port = i->key.foreign_port;
    listing_put(l, &c);
    SX_COUNT(l->sx, connections_listed);
    return !l->full;
}

bool dvipa_list_connections(struct sysplex *sx, struct sysplex_peer *p, u64 now) {
    struct listing l = {.sx = sx, .to = p, .now = now};
    bool any = false;
    LIST_FOR_EACH(n, &sx->dv.all) {
        const struct dvipa *d = LIST_ENTRY(n, struct dvipa, node);
        if (!d->listing || l.full) continue;
        any = true;
        l.full = !parts_give(sx, d->addr, p, now);
    }
    if (!any) return true;
    LIST_FOR_EACH(n, &sx->dv.all) {
        const struct dvipa *d = LIST_ENTRY(n, struct dvipa, node);
        const struct plexmsg_conn all = {.dvipa = d->addr, .all = true};
        if (d->listing && d->list_due && !l.full) listing_put(&l, &all);
    }
    if (!l.full) tcp_for_each(sx->stk, listing_row, &l);
    if (!l.full) listing_send(&l);
    LIST_FOR_EACH(n, &sx->dv.all) LIST_ENTRY(n, struct dvipa, node)->listing = false;
    return !l.full;
}

/* A list for a claim that has ended meanwhile says nothing that this stack could use, and nobody would tell it when the connections end. */
static void conn_there(struct sysplex *sx, struct sysplex_peer *from, const struct tcp_key *key, u64 now) {
    const struct dvipa *d = dvipa_find(sx, key->local);
    if (!d || (d->status != DVIPA_CLAIMING && d->status != DVIPA_ACTIVE)) {
        SX_COUNT(sx, drop_not_owner);
        return;
    }
    if (parts_connection_there(sx, from, key, now)) return;
    moved_add(sx, from, key);
    SX_COUNT(sx, connections_kept);
}

void dvipa_conn_message(struct sysplex *sx, struct sysplex_peer *from, const u8 *data, u32 len, u64 now) {
    struct plexmsg_conn c;
    for (u32 at = 0; at + PLEXMSG_CONN_ROW <= len; at += PLEXMSG_CONN_ROW) {
        if (!plexmsg_conn_parse(data + at, &c)) {
            SX_COUNT(sx, drop_row);
            continue;
        }
        struct tcp_key key = {c.dvipa, c.foreign, c.local_port, c.foreign_port};
        if (c.all) {
            moved_clear(sx, c.dvipa, from); /* a distributor asks about rows that grow old */
        } else if (c.there) {
            conn_there(sx, from, &key, now);
        } else {
            moved_del(sx, from, &key);
            parts_connection_ended(sx, from, &key, now);
        }
    }
    if (len % PLEXMSG_CONN_ROW) SX_COUNT(sx, drop_row);
}

/* Who has to know of the connections to d that live here; NULL: nobody. */
static struct sysplex_peer *conns_go_to(struct sysplex *sx, const struct dvipa *d) {
    if (d->status == DVIPA_ACTIVE || d->target) return NULL; /* a target's connections are the distributor's business */
    return sysplex_peer_at(sx, d->owner != SX_NOBODY ? d->owner : d->claimant); /* whoever becomes the owner asks for the list */
}

void dvipa_list_again(struct sysplex *sx, struct dvipa *d, u64 now) {
    struct sysplex_peer *owner = conns_go_to(sx, d);
    d->listing = owner != NULL;
    if (!owner || dvipa_list_connections(sx, owner, now)) d->list_due = false;
}

static void conn_tell(struct sysplex *sx, struct dvipa *d, const struct tcp_key *key, bool there, u64 now) {
    struct sysplex_peer *owner = conns_go_to(sx, d);
    u8 row[PLEXMSG_CONN_ROW];
    if (!owner) return;
    struct plexmsg_conn c = {.dvipa = key->local, .foreign = key->foreign, .there = there};
    c.local_port = key->local_port;
    c.foreign_port = key->foreign_port;
    plexmsg_conn_emit(row, &c);
    if (sysplex_send(sx, owner, PLEXMSG_CONN, row, sizeof row, now) != -ERR_NOBUFS) return;
    /* What has ended unheard would draw its client's next SYN from that port here, and what has begun unheard would be reset. */
    d->list_due = true;
    dvipa_touch(sx, d, false);
}

void dvipa_conn_tell(struct sysplex *sx, const struct tcp_key *key, bool there, u64 now) {
    struct dvipa *d = sx->dv.hash.rows ? dvipa_find(sx, key->local) : NULL;
    if (d) conn_tell(sx, d, key, there, now);
}

void dvipa_conn_change(struct sysplex *sx, const struct tcp_key *key, bool opened, u64 now) {
    struct dvipa *d = sx->dv.hash.rows ? dvipa_find(sx, key->local) : NULL;
    if (!d) return;
    if (opened) {
        d->conns++;
    } else if (d->conns && --d->conns == 0) {
        dvipa_touch(sx, d, false);
    }
    conn_tell(sx, d, key, opened, now);
}

/* The TCP header of p, and the name of the connection at this end; NULL: it is no TCP's. */
static const u8 *segment_of(const struct pkt *p, struct tcp_key *key) {
    u32 header = (u32)(p->ip_header[0] & 15) * 4;
    const u8 *tcp = p->data + header;
    if (p->proto != IP_PROTO_TCP || p->len < header + TCPHDR_BYTES) return NULL;
    *key = (struct tcp_key){p->dst, p->src, be16_get(tcp + 2), be16_get(tcp)};
    return tcp;
}

bool dvipa_beyond(struct sysplex *sx, const struct pkt *p) {
    struct tcp_key key;
    return dvipa_unknown(sx, p, false) && segment_of(p, &key) && tcp_known(sx->stk, &key);
}

bool dvipa_unknown(struct sysplex *sx, const struct pkt *p, bool syn_too) {
    struct tcp_key key;
    const u8 *tcp = segment_of(p, &key);
    if (!tcp) return false;
    /* A client may have used the port before: what comes after that connection's end is of another, which may live elsewhere. */
    return (syn_too || !(tcp[13] & TCPF_SYN)) && !tcp_known_segment(sx->stk, &key, be32_get(tcp + 4));
}
