/* osa_port_switch.c - where a packet goes (the rules are in osa_port.h), and how it is handed over.
 *
 * port_switch_ip and port_switch_ether decide; to_attachment and to_lan are the only two ways out of the port.
 */
#include "hercules-devices/osa_port_impl.h"

#define NO_ATTACHMENTS ((u64)0)

static u64 from_bit(const struct osa_frame *f) { return f->from < OSA_ATTACHMENTS ? port_bit(f->from) : 0; }

/* ---- ways out ---- */

static void message_head(u8 *m, const struct osa_frame *f, bool ip_form, u32 len) {
    memset(m, 0, OSA_FRAME_DATA);
    m[0] = OSA_MSG_FRAME;
    m[1] = OSA_MSG_VERSION;
    be32_put(m + 4, OSA_FRAME_DATA + len);
    m[8] = ip_form ? OSA_FORM_IP : OSA_FORM_ETHER;
    m[9] = f->cast;
    be16_put(m + 14, f->vlan);
}

struct cut {
    struct osa_port *port;
    const struct osa_frame *frame;
    u32 n;
    bool ip_form;
    u32 lost;
};

/* A finished segment to an attachment. */
static void cut_to_attachment(void *ctx, u8 *bytes, u32 len) {
    struct cut *c = ctx;
    struct osa_port *p = c->port;
    u8 *m = p->host->reserve(p->host->ctx, c->n, OSA_FRAME_DATA + len);
    if (!m) {
        c->lost++;
        return;
    }
    message_head(m, c->frame, c->ip_form, len);
    be16_put(m + 10, OSA_FRAME_CSUM_OK);
    memcpy(m + OSA_FRAME_DATA, bytes, len);
    p->host->commit(p->host->ctx, c->n, OSA_FRAME_DATA + len);
}

/* Puts one frame into an attachment's ring. false: no room. */
static bool put_message(struct osa_port *p, u32 n, const struct osa_frame *f, u32 skip, bool verified) {
    u32 len = osa_frame_len(f) - skip;
    u8 *m = p->host->reserve(p->host->ctx, n, OSA_FRAME_DATA + len);
    if (!m) return false;
    message_head(m, f, skip != 0, len);
    be16_put(m + 10, f->csum_needed || verified ? OSA_FRAME_CSUM_OK : 0);
    if (f->gso_bytes) {
        be16_put(m + 12, f->gso_bytes);
        be16_put(m + 20, (u16)(f->csum_start - skip));
        be16_put(m + 22, (u16)f->csum_field);
    }
    port_frame_write(f, skip, m + OSA_FRAME_DATA);
    p->host->commit(p->host->ctx, n, OSA_FRAME_DATA + len);
    return true;
}

static void to_attachment(struct osa_port *p, u32 n, const struct osa_frame *f) {
    struct osa_attachment *a = &p->att[n];
    bool ip_form = a->mode == OSA_MODE_QDIO_L3, lost = false, verified = false;
    if (ip_form && !f->ip) {
        a->count[OSA_AC_DROP_NOT_IP]++;
        return;
    }
    if ((a->assists & OSA_ASSIST_CSUM_IN) && !f->csum_needed) {
        verified = f->from != OSA_FROM_LAN || port_frame_verify(f);
        if (!verified) {
            a->count[OSA_AC_DROP_CHECKSUM]++;
            return;
        }
    }
    u32 skip = ip_form ? f->link_len : 0;
    bool whole = (a->assists & OSA_ASSIST_LRO) && osa_frame_len(f) - skip <= OSA_LRO_MAX;
    if (f->gso_bytes && !whole) {
        struct cut c = {.port = p, .frame = f, .n = n, .ip_form = ip_form};
        osa_frame_finish(f, skip, p->stage, sizeof p->stage, cut_to_attachment, &c);
        a->count[OSA_AC_DROP_RING] += c.lost;
    } else {
        lost = !put_message(p, n, f, skip, verified);
        a->count[OSA_AC_DROP_RING] += lost;
    }
    if (lost) return;
    a->count[OSA_AC_PACKETS_OUT]++;
    a->count[OSA_AC_BYTES_OUT] += osa_frame_len(f) - skip;
    a->count[OSA_AC_GSO_OUT] += f->gso_bytes != 0;
    if (p->host->capture) p->host->capture(p->host->ctx, n, false, f);
}

static void to_attachments(struct osa_port *p, u64 set, const struct osa_frame *f) {
    for (set &= p->started & ~from_bit(f); set; set &= set - 1) to_attachment(p, port_lowest(set), f);
}

struct wire {
    struct osa_port *port;
    bool lost;
};

static void segment_to_lan(void *ctx, u8 *bytes, u32 len) {
    struct wire *w = ctx;
    struct osa_frame f = {.body = bytes, .body_len = len, .link_len = ETH_HEADER_BYTES};
    if (!w->port->host->uplink(w->port->host->ctx, &f)) w->lost = true;
}

static void to_lan(struct osa_port *p, const struct osa_frame *f) {
    if (!p->params.uplink) return; /* an empty LAN: everything on it is heard by nobody */
    if (!p->lan_up) {
        p->count[OSA_PC_DROP_LAN_DOWN]++;
        return;
    }
    if (p->host->capture) p->host->capture(p->host->ctx, OSA_FROM_LAN, false, f);
    bool lost;
    if (!p->params.uplink_offload && (f->gso_bytes || f->csum_needed)) {
        struct wire w = {.port = p};
        u32 frames = osa_frame_finish(f, 0, p->stage, sizeof p->stage, segment_to_lan, &w);
        p->count[OSA_PC_SEGMENTS_OUT] += f->gso_bytes ? frames : 0;
        lost = w.lost;
    } else {
        lost = !p->host->uplink(p->host->ctx, f);
    }
    if (lost) {
        if (f->from < OSA_ATTACHMENTS) p->att[f->from].count[OSA_AC_DROP_UPLINK]++;
        return;
    }
    p->count[OSA_PC_FRAMES_OUT]++;
    p->count[OSA_PC_BYTES_OUT] += osa_frame_len(f);
    p->count[OSA_PC_GSO_OUT] += f->gso_bytes != 0;
}

/* ---- decisions ---- */

/* To everybody that wants this group; an ARP packet is of no use to layer 3. */
static void switch_group(struct osa_port *p, const struct osa_frame *f) {
    u64 members = f->cast == OSA_CAST_BROAD ? p->started : port_mac_members(p, f->head + ETH_DST);
    members |= p->started_promiscuous;
    if (!f->ip) members &= p->started_ether;
    to_attachments(p, members, f);
    if (f->from != OSA_FROM_LAN) to_lan(p, f);
}

/* A unicast MAC that is not the port's own. */
static void switch_unicast(struct osa_port *p, const struct osa_frame *f) {
    u64 members = port_mac_members(p, f->head + ETH_DST);
    u64 curious = f->ip ? p->started_promiscuous : p->started_promiscuous & p->started_ether;
    to_attachments(p, members | curious, f);
    if (members) return;
    if (f->from != OSA_FROM_LAN) to_lan(p, f);
    else if (!curious)
        p->count[OSA_PC_DROP_NOT_FOR_US]++;
}

void port_send_to_mac(struct osa_port *p, struct osa_frame *f, const u8 *mac) {
    port_frame_set_mac(f, mac);
    if (f->cast != OSA_CAST_UNI) switch_group(p, f);
    else if (eth_mac_eq(mac, p->params.mac)) /* an LCS attachment asked: it has the port's MAC */
        to_attachments(p, p->started_lcs, f);
    else
        switch_unicast(p, f);
}

void port_switch_ip(struct osa_port *p, struct osa_frame *f, struct ipaddr hop, u64 now) {
    static const u8 all[ETH_MAC_BYTES] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    u8 group[ETH_MAC_BYTES];
    if (ipaddr_is_multicast(f->dst)) {
        eth_group_mac(f->dst, group);
        port_send_to_mac(p, f, group);
        return;
    }
    if (f->cast == OSA_CAST_BROAD || ipaddr_is_broadcast(f->dst)) {
        port_send_to_mac(p, f, all);
        return;
    }
    if (ipaddr_is_any(hop)) hop = f->dst;
    const struct osa_oat_entry *own = port_oat_find(p, hop);
    int owner = port_oat_owner(p, hop);
    if (own && own->attachment == f->from) {
        port_drop(p, f, OSA_AC_DROP_SELF, OSA_PC_DROP_NO_OWNER);
    } else if (owner >= 0) {
        port_frame_set_mac(f, p->params.mac);
        to_attachments(p, port_bit((u32)owner) | p->started_promiscuous, f);
    } else if (p->params.chpid == OSA_CHPID_IQD) {
        port_drop(p, f, OSA_AC_DROP_NO_OWNER, OSA_PC_DROP_NO_OWNER);
    } else {
        port_arp_output(p, f, hop, now);
    }
}

/* The port's own MAC: the address decides. */
static void switch_to_port(struct osa_port *p, const struct osa_frame *f) {
    if (!f->ip) { /* ARP answers and other protocols are LCS's, which shares this MAC */
        if (p->started_lcs & ~from_bit(f)) to_attachments(p, p->started_lcs, f);
        else if (f->ethertype != ETH_TYPE_ARP)
            port_drop(p, f, OSA_AC_DROP_NO_OWNER, OSA_PC_DROP_NO_OWNER);
        return;
    }
    int owner = port_oat_owner(p, f->dst);
    u64 to = owner >= 0 ? port_bit((u32)owner) : NO_ATTACHMENTS;
    if (!to && p->primary) to = port_bit(p->primary - 1u) & p->started;
    if (!to && p->secondary) to = port_bit(p->secondary - 1u) & p->started;
    if (!to && (p->started_lcs & (p->started_lcs - 1)) == 0) to = p->started_lcs;
    to |= p->started_promiscuous;
    if (to) to_attachments(p, to, f);
    else
        port_drop(p, f, OSA_AC_DROP_NO_OWNER, OSA_PC_DROP_NO_OWNER);
}

void port_switch_ether(struct osa_port *p, struct osa_frame *f, u64 now) {
    if (f->ethertype == ETH_TYPE_ARP) port_arp_input(p, f, now);
    if (f->cast != OSA_CAST_UNI) switch_group(p, f);
    else if (eth_mac_eq(f->head + ETH_DST, p->params.mac))
        switch_to_port(p, f);
    else
        switch_unicast(p, f);
}
