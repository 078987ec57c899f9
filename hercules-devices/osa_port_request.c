/* osa_port_request.c - what an attachment asks the port to change: one function an operation, in a table. The
 * registration rules are the table in osa_port.h. Each returns the IPA return code of its answer, or PORT_LATER.
 */
#include "hercules-devices/osa_port_impl.h"

struct request {
    u16 tag;
    u8 op, flags;
    struct ipaddr ip;
    u32 mask;
    const u8 *mac;
    u64 now;
};

/* ---- addresses ---- */

static bool registrable(struct ipaddr ip) {
    return !ipaddr_is_any(ip) && !ipaddr_is_multicast(ip) && !ipaddr_is_broadcast(ip) && !ipaddr_is_loopback(ip);
}

static void owned_now(struct osa_port *p, struct osa_oat_entry *e, u64 now) {
    port_arp_delete(p, e->ip); /* it is no neighbour on the LAN any more */
    port_arp_announce(p, e->ip);
    port_oat_wait(p, e, OSA_OAT_AGAIN, now + OSA_AGAIN_USEC);
}

void port_probe_end(struct osa_port *p, struct osa_oat_entry *e, bool conflict, u64 now) {
    u32 n = e->attachment;
    u16 tag = e->probe_tag;
    struct ipaddr ip = e->ip;
    char text[IPADDR_TEXT_MAX];
    if (conflict) {
        port_log(p, ENGINE_WARNING, "%s: %s asked for %s, which is in use on the LAN", p->params.name, p->att[n].lpar,
                 ipaddr_text(ip, text));
        p->count[OSA_PC_ARP_CONFLICTS]++;
        port_oat_remove(p, e);
    } else {
        owned_now(p, e, now);
        port_arp_ask_again(p, n);
    }
    port_answer(p, n, tag, OSA_OP_SETIP, conflict ? OSA_RC_IN_USE : OSA_RC_OK);
}

/* The address belongs to another attachment. true: it has been taken from it. */
static bool take_over(struct osa_port *p, u32 n, struct osa_oat_entry *e, u8 flags) {
    bool both_vipa = (e->flags & OSA_OAT_VIPA) && (flags & OSA_IP_VIPA);
    u32 loser = e->attachment;
    char text[IPADDR_TEXT_MAX];
    if (!(flags & OSA_IP_TAKEOVER) && !both_vipa && !(e->flags & OSA_OAT_LEARNED)) return false;
    if (e->flags & OSA_OAT_PROBING) port_answer(p, loser, e->probe_tag, OSA_OP_SETIP, OSA_RC_IN_USE);
    if (!(e->flags & OSA_OAT_LEARNED)) {
        port_log(p, ENGINE_INFO, "%s: %s takes %s over from %s", p->params.name, p->att[n].lpar,
                 ipaddr_text(e->ip, text), p->att[loser].lpar);
        port_event(p, loser, OSA_EVENT_IP_LOST, e->ip);
        p->count[OSA_PC_TAKEOVERS]++;
    }
    port_oat_remove(p, e);
    return true;
}

static u32 op_setip(struct osa_port *p, u32 n, const struct request *r) {
    if (!registrable(r->ip) || p->att[n].mode == OSA_MODE_QDIO_L2) return OSA_RC_UNSUPPORTED;
    struct osa_oat_entry *e = port_oat_find(p, r->ip);
    if (e && (e->flags & OSA_OAT_LEAVING)) { /* who had it has let go of it */
        port_oat_remove(p, e);
        e = NULL;
    }
    bool own = e && e->attachment == n && !(e->flags & OSA_OAT_LEARNED);
    if (own) {
        if (e->flags & OSA_OAT_PROBING) port_probe_end(p, e, false, r->now); /* the second request ends the first one's wait */
        else
            port_arp_announce(p, r->ip);
        return OSA_RC_OK;
    }
    if (e && e->attachment == n) port_oat_remove(p, e); /* learned before, registered now */
    else if (e && !take_over(p, n, e, r->flags))
        return OSA_RC_IN_USE;
    bool probe = !(r->flags & (OSA_IP_VIPA | OSA_IP_TAKEOVER)) && p->params.uplink && p->lan_up &&
                 p->params.chpid != OSA_CHPID_IQD;
    if (probe && p->probe_count >= OSA_PROBES_MAX) {
        p->count[OSA_PC_PROBES_FULL]++;
        probe = false;
    }
    e = port_oat_add(p, r->ip, n, r->flags & OSA_IP_VIPA ? OSA_OAT_VIPA : 0);
    if (!e) return OSA_RC_TABLE_FULL;
    if (!probe) {
        owned_now(p, e, r->now);
        return OSA_RC_OK;
    }
    e->probe_tag = r->tag;
    port_oat_wait(p, e, OSA_OAT_PROBING, r->now + OSA_PROBE_USEC);
    port_arp_probe(p, r->ip);
    return PORT_LATER;
}

static u32 op_delip(struct osa_port *p, u32 n, const struct request *r) {
    struct osa_oat_entry *e = port_oat_find(p, r->ip);
    if (!e || e->attachment != n) return OSA_RC_NOT_FOUND;
    if (e->flags & OSA_OAT_PROBING) port_answer(p, n, e->probe_tag, OSA_OP_SETIP, OSA_RC_NOT_FOUND);
    if (!(r->flags & OSA_IP_PASSES_ON) || (e->flags & (OSA_OAT_PROBING | OSA_OAT_LEARNED))) {
        port_oat_remove(p, e);
        return OSA_RC_OK;
    }
    port_oat_wait(p, e, OSA_OAT_LEAVING, r->now + OSA_LEAVING_USEC);
    return OSA_RC_OK;
}

/* ---- MACs and groups ---- */

static u32 op_setipm(struct osa_port *p, u32 n, const struct request *r) {
    u8 mac[ETH_MAC_BYTES];
    if (!ipaddr_is_multicast(r->ip)) return OSA_RC_UNSUPPORTED;
    eth_group_mac(r->ip, mac);
    return port_mac_add(p, mac, r->ip, n) ? OSA_RC_OK : OSA_RC_TABLE_FULL;
}

static u32 op_delipm(struct osa_port *p, u32 n, const struct request *r) {
    u8 mac[ETH_MAC_BYTES];
    eth_group_mac(r->ip, mac);
    return port_mac_remove(p, mac, r->ip, n) ? OSA_RC_OK : OSA_RC_NOT_FOUND;
}

static u32 op_setvmac(struct osa_port *p, u32 n, const struct request *r) {
    if (p->att[n].mode != OSA_MODE_QDIO_L2 || eth_is_group(r->mac) || eth_mac_eq(r->mac, p->params.mac))
        return OSA_RC_UNSUPPORTED;
    u64 others = port_mac_members(p, r->mac) & ~port_bit(n);
    if (others) return OSA_RC_DUPLICATE;
    return port_mac_add(p, r->mac, IPADDR_ANY, n) ? OSA_RC_OK : OSA_RC_TABLE_FULL;
}

static u32 op_setgmac(struct osa_port *p, u32 n, const struct request *r) {
    if (!eth_is_group(r->mac)) return OSA_RC_UNSUPPORTED;
    return port_mac_add(p, r->mac, IPADDR_ANY, n) ? OSA_RC_OK : OSA_RC_TABLE_FULL;
}

static u32 op_delmac(struct osa_port *p, u32 n, const struct request *r) {
    return port_mac_remove(p, r->mac, IPADDR_ANY, n) ? OSA_RC_OK : OSA_RC_NOT_FOUND;
}

/* ---- the attachment itself ---- */

void port_router_clear(struct osa_port *p, u32 n) {
    if (p->primary == n + 1) p->primary = 0;
    if (p->secondary == n + 1) p->secondary = 0;
    p->att[n].router = 0;
}

/* Connectors of a HiperSockets LAN (3, 4) are its primary and secondary router by another name. */
static u32 op_setrtg(struct osa_port *p, u32 n, const struct request *r) {
    if (r->flags > 4) return OSA_RC_UNSUPPORTED;
    u8 role = r->flags > 2 ? (u8)(r->flags - 2) : r->flags, self = (u8)(n + 1);
    u8 *place = role == 1 ? &p->primary : &p->secondary;
    if (role && *place && *place != self) return OSA_RC_PRIMARY_TAKEN;
    port_router_clear(p, n);
    if (role) *place = self;
    p->att[n].router = role;
    return OSA_RC_OK;
}

static u32 op_startlan(struct osa_port *p, u32 n, const struct request *r) {
    UNUSED(r);
    p->att[n].started = true; /* with the cable out too: packets flow as soon as it is in */
    port_sets_update(p, n);
    return p->lan_up ? OSA_RC_OK : OSA_RC_LAN_OFFLINE;
}

static u32 op_stoplan(struct osa_port *p, u32 n, const struct request *r) {
    UNUSED(r);
    p->att[n].started = false;
    port_sets_update(p, n);
    return OSA_RC_OK;
}

static u32 op_promisc(struct osa_port *p, u32 n, const struct request *r) {
    p->att[n].promiscuous = r->flags != 0;
    port_sets_update(p, n);
    return OSA_RC_OK;
}

static u32 op_assist(struct osa_port *p, u32 n, const struct request *r) {
    p->att[n].assists = r->mask;
    return OSA_RC_OK;
}

/* ---- neighbours ---- */

static u32 op_arp_query(struct osa_port *p, u32 n, const struct request *r) {
    u32 cap = OSA_MSG_ANSWER_BYTES + OSA_ARP_MAX * 12;
    u8 *m = p->host->reserve(p->host->ctx, n, cap);
    if (!m) return OSA_RC_TABLE_FULL;
    memset(m, 0, OSA_MSG_ANSWER_BYTES);
    m[0] = OSA_MSG_ANSWER;
    m[1] = OSA_MSG_VERSION;
    be16_put(m + 2, r->tag);
    m[8] = r->op;
    u32 len = OSA_MSG_ANSWER_BYTES + 12 * port_arp_list(p, m + OSA_MSG_ANSWER_BYTES, OSA_ARP_MAX);
    be32_put(m + 4, len);
    p->host->commit(p->host->ctx, n, len);
    return PORT_LATER;
}

static u32 op_arp_add(struct osa_port *p, u32 n, const struct request *r) {
    UNUSED(n);
    if (!registrable(r->ip) || eth_is_group(r->mac) || port_oat_find(p, r->ip)) return OSA_RC_UNSUPPORTED;
    return port_arp_add(p, r->ip, r->mac) ? OSA_RC_OK : OSA_RC_TABLE_FULL;
}

static u32 op_arp_del(struct osa_port *p, u32 n, const struct request *r) {
    UNUSED(n);
    return port_arp_delete(p, r->ip) ? OSA_RC_OK : OSA_RC_NOT_FOUND;
}

static u32 op_arp_flush(struct osa_port *p, u32 n, const struct request *r) {
    UNUSED(n);
    UNUSED(r);
    port_arp_flush(p);
    return OSA_RC_OK;
}

typedef u32 (*op_function)(struct osa_port *p, u32 n, const struct request *r);
static const op_function ops[] = {
    [OSA_OP_SETIP] = op_setip,       [OSA_OP_DELIP] = op_delip,       [OSA_OP_SETIPM] = op_setipm,
    [OSA_OP_DELIPM] = op_delipm,     [OSA_OP_SETRTG] = op_setrtg,     [OSA_OP_SETVMAC] = op_setvmac,
    [OSA_OP_DELVMAC] = op_delmac,    [OSA_OP_SETGMAC] = op_setgmac,   [OSA_OP_DELGMAC] = op_delmac,
    [OSA_OP_STARTLAN] = op_startlan, [OSA_OP_STOPLAN] = op_stoplan,   [OSA_OP_ARP_QUERY] = op_arp_query,
    [OSA_OP_ARP_ADD] = op_arp_add,   [OSA_OP_ARP_DEL] = op_arp_del,   [OSA_OP_ARP_FLUSH] = op_arp_flush,
    [OSA_OP_PROMISC] = op_promisc,   [OSA_OP_ASSIST] = op_assist,
};

void port_request(struct osa_port *p, u32 n, const u8 *msg, u64 now) {
    const struct request r = {.tag = be16_get(msg + 2),
                              .op = msg[8],
                              .flags = msg[9],
                              .ip = ipaddr_get(msg + 12),
                              .mask = be32_get(msg + 16),
                              .mac = msg + 20,
                              .now = now};
    struct osa_attachment *a = &p->att[n];
    bool known = r.op < ARRAY_LEN(ops) && ops[r.op];
    u32 rc = known ? ops[r.op](p, n, &r) : OSA_RC_UNSUPPORTED;
    a->count[OSA_AC_REQUESTS]++;
    if (rc == PORT_LATER) return;
    if (rc != OSA_RC_OK) a->count[OSA_AC_REQUESTS_REFUSED]++;
    port_answer(p, n, r.tag, r.op, rc);
}
