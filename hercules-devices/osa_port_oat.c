/* osa_port_oat.c - the OSA address table (IP address to attachment) and the MAC table (MAC to attachments).
 * Both are hash tables over fixed arrays, chained by index + 1; 0 ends a chain.
 */
#include "hercules-devices/osa_port_impl.h"

u32 port_hash_ip(struct ipaddr ip) { return (ip.v4 * 2654435761u) >> 22; } /* Knuth's multiplier, top 10 bits */

static u32 hash_mac(const u8 *mac) { return port_hash_ip(ipaddr_v4(be32_get(mac + 2) ^ (u32)be16_get(mac) << 16)); }

struct osa_oat_entry *port_oat_find(struct osa_port *p, struct ipaddr ip) {
    for (u32 i = p->oat_hash[port_hash_ip(ip)]; i; i = p->oat[i - 1].next)
        if (ipaddr_eq(p->oat[i - 1].ip, ip)) return &p->oat[i - 1];
    return NULL;
}

struct osa_oat_entry *port_oat_add(struct osa_port *p, struct ipaddr ip, u32 n, u8 flags) {
    u32 i = p->oat_free, h = port_hash_ip(ip);
    if (!i) {
        p->count[OSA_PC_OAT_FULL]++;
        return NULL;
    }
    struct osa_oat_entry *e = &p->oat[i - 1];
    p->oat_free = e->next;
    *e = (struct osa_oat_entry){.ip = ip, .attachment = (u8)n, .flags = flags, .next = p->oat_hash[h]};
    p->oat_hash[h] = (u16)i;
    p->oat_count++;
    return e;
}

void port_oat_waited(struct osa_port *p, struct osa_oat_entry *e) {
    if (e->flags & OSA_OAT_PROBING) p->probe_count--;
    if (e->flags & OSA_OAT_LEAVING) p->leaving_count--;
    if (e->flags & OSA_OAT_AGAIN) p->again_count--;
    e->flags &= (u8)~(OSA_OAT_PROBING | OSA_OAT_LEAVING | OSA_OAT_AGAIN);
}

void port_oat_wait(struct osa_port *p, struct osa_oat_entry *e, u8 flag, u64 due) {
    port_oat_waited(p, e);
    if (flag == OSA_OAT_PROBING) p->probe_count++;
    if (flag == OSA_OAT_LEAVING) p->leaving_count++;
    if (flag == OSA_OAT_AGAIN) p->again_count++;
    e->flags |= flag;
    e->due = due;
    p->oat_due = u64_min(p->oat_due, due);
}

void port_oat_remove(struct osa_port *p, struct osa_oat_entry *e) {
    u16 *link = &p->oat_hash[port_hash_ip(e->ip)];
    u16 self = (u16)(e - p->oat + 1);
    while (*link != self) link = &p->oat[*link - 1].next;
    *link = e->next;
    port_oat_waited(p, e);
    *e = (struct osa_oat_entry){.attachment = PORT_NOBODY, .next = p->oat_free};
    p->oat_free = self;
    p->oat_count--;
}

void port_oat_remove_all(struct osa_port *p, u32 n) {
    for (u32 i = 0; i < OSA_OAT_MAX; i++)
        if (p->oat[i].attachment == n) port_oat_remove(p, &p->oat[i]);
}

int port_oat_owner(struct osa_port *p, struct ipaddr ip) {
    const struct osa_oat_entry *e = port_oat_find(p, ip);
    if (!e || (e->flags & OSA_OAT_PROBING) || !(p->started & port_bit(e->attachment))) return -1;
    return e->attachment;
}

/* ---- MAC table ---- */

static bool mac_is(const struct osa_mac_entry *e, const u8 *mac, struct ipaddr group) {
    return eth_mac_eq(e->mac, mac) && ipaddr_eq(e->group, group);
}

u64 port_mac_members(struct osa_port *p, const u8 *mac) {
    u64 members = 0;
    for (u32 i = p->mac_hash[hash_mac(mac)]; i; i = p->macs[i - 1].next)
        if (eth_mac_eq(p->macs[i - 1].mac, mac)) members |= p->macs[i - 1].members;
    return members;
}

bool port_mac_add(struct osa_port *p, const u8 *mac, struct ipaddr group, u32 n) {
    u32 h = hash_mac(mac), i;
    for (i = p->mac_hash[h]; i; i = p->macs[i - 1].next)
        if (mac_is(&p->macs[i - 1], mac, group)) break;
    if (!i) {
        i = p->mac_free;
        if (!i) {
            p->count[OSA_PC_MACS_FULL]++;
            return false;
        }
        struct osa_mac_entry *e = &p->macs[i - 1];
        p->mac_free = e->next;
        *e = (struct osa_mac_entry){.group = group, .next = p->mac_hash[h]};
        memcpy(e->mac, mac, ETH_MAC_BYTES);
        p->mac_hash[h] = (u16)i;
        p->mac_count++;
    }
    p->macs[i - 1].members |= port_bit(n);
    return true;
}

static void mac_leave(struct osa_port *p, u16 *link, u32 n) {
    u16 i = *link;
    struct osa_mac_entry *e = &p->macs[i - 1];
    e->members &= ~port_bit(n);
    if (e->members) return;
    *link = e->next;
    e->next = p->mac_free;
    p->mac_free = i;
    p->mac_count--;
}

bool port_mac_remove(struct osa_port *p, const u8 *mac, struct ipaddr group, u32 n) {
    for (u16 *link = &p->mac_hash[hash_mac(mac)]; *link; link = &p->macs[*link - 1].next) {
        const struct osa_mac_entry *e = &p->macs[*link - 1];
        if (!mac_is(e, mac, group)) continue;
        bool was = (e->members & port_bit(n)) != 0;
        if (was) mac_leave(p, link, n);
        return was;
    }
    return false;
}

void port_mac_remove_all(struct osa_port *p, u32 n) {
    for (u32 h = 0; h < OSA_HASH; h++)
        for (u16 *link = &p->mac_hash[h]; *link;) {
            u16 before = *link;
            if (p->macs[before - 1].members & port_bit(n)) mac_leave(p, link, n);
            if (*link == before) link = &p->macs[before - 1].next;
        }
}
