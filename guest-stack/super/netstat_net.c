/* netstat_net.c - NETSTAT HOME, ROUTE, GATE, ARP, DEVLINKS, PORTLIST: where packets come in and go out. */
#include "base/str.h"
#include "net/arp.h"
#include "net/home.h"
#include "net/ip.h"
#include "net/ports.h"
#include "net/route.h"
#include "net/stack_impl.h"
#include "super/netstat.h"

/* ---- HOME ---- */

void netstat_home(struct netstat *n) {
    const struct home_entry *primary = home_primary(n->stk);
    reply_line(n->r, "HOME ADDRESS LIST:");
    reply_line(n->r, "ADDRESS          LINK             FLG");
    for (const struct home_entry *e = NULL; (e = home_next(n->stk, e));) {
        char addr[IPADDR_TEXT_MAX];
        if (!netstat_addr_passes(n, e->addr, e->addr) || !netstat_row(n)) continue;
        reply_line(n->r, "%-16s %-16s %s", ipaddr_text(e->addr, addr), e->lnk->name,
                   e == primary                 ? "P"
                   : (e->flags & HOME_INTERNAL) ? "I"
                                                : "");
        /* Dynamic XCF links have one address, and each shows it. */
        LIST_FOR_EACH(it, &n->stk->links) {
            const struct link *l = LIST_ENTRY(it, struct link, node);
            if (l->address_of == e->lnk && netstat_row(n)) reply_line(n->r, "%-16s %-16s", ipaddr_text(e->addr, addr), l->name);
        }
    }
}

/* ---- ROUTE and GATE ---- */

static const char *dest_text(const struct route_def *d, char out[32]) {
    char addr[IPADDR_TEXT_MAX];
    ipaddr_text(d->dest, addr);
    if (d->prefix_bits == 0)
        str_copy(out, 32, "DEFAULT");
    else if (d->prefix_bits == 32)
        str_copy(out, 32, addr);
    else
        str_fmt(out, 32, "%s/%u", addr, (u32)d->prefix_bits);
    return out;
}

static bool route_passes(const struct netstat *n, const struct route *r) {
    return netstat_addr_passes(n, r->def.dest, r->def.gateway);
}

void netstat_route(struct netstat *n) {
    reply_line(n->r, "DESTINATION        GATEWAY          FLAGS    REFCNT     INTERFACE");
    for (const struct route *r = NULL; (r = route_next(n->stk, r));) {
        char dest[32], gateway[IPADDR_TEXT_MAX], flags[ROUTE_FLAGS_MAX];
        if (!route_passes(n, r) || !netstat_row(n)) continue;
        reply_line(n->r, "%-18s %-16s %-8s %06u     %s", dest_text(&r->def, dest),
                   ipaddr_text(r->def.gateway, gateway), route_flags_text(r, flags), r->references,
                   r->def.lnk->name);
    }
}

void netstat_gate(struct netstat *n) {
    reply_line(n->r, "NET ADDRESS        FIRST HOP        LINK             PKT SZ  SUBNET MASK");
    for (const struct route *r = NULL; (r = route_next(n->stk, r));) {
        char dest[32], hop[IPADDR_TEXT_MAX], mask[IPADDR_TEXT_MAX];
        u32 bits = r->def.prefix_bits;
        if (!route_passes(n, r) || !netstat_row(n)) continue;
        str_copy(dest, sizeof dest, "DEFAULTNET");
        if (bits) ipaddr_text(r->def.dest, dest);
        str_copy(hop, sizeof hop, "<DIRECT>");
        if (!ipaddr_is_any(r->def.gateway)) ipaddr_text(r->def.gateway, hop);
        if (bits == 32)
            str_copy(mask, sizeof mask, "HOST");
        else
            ipaddr_text(ipaddr_v4(bits ? 0xFFFFFFFFu << (32 - bits) : 0), mask);
        reply_line(n->r, "%-18s %-16s %-16s %6u  %s", dest, hop, r->def.lnk->name, route_mtu(r), mask);
    }
}

/* ---- ARP ---- */

static void arp_line(void *ctx, const struct arp_row *row) {
    static const char *const states[ARP_STATES] = {"INCOMPLETE", "", "PROBING", "FAILED"};
    struct netstat *n = ctx;
    char addr[IPADDR_TEXT_MAX], mac[16] = "(NONE)";
    if (!netstat_addr_passes(n, row->addr, row->addr) || !netstat_row(n)) return;
    if (row->mac)
        str_fmt(mac, sizeof mac, "%02X%02X%02X%02X%02X%02X", (u32)row->mac[0], (u32)row->mac[1],
                (u32)row->mac[2], (u32)row->mac[3], (u32)row->mac[4], (u32)row->mac[5]);
    reply_line(n->r, "LINK %-16s %s: %-16s MACADDR: %s %s", row->lnk->name, "ETHERNET",
               ipaddr_text(row->addr, addr), mac, states[row->state]);
}

void netstat_arp(struct netstat *n) {
    reply_line(n->r, "QUERYING ARP CACHE");
    arp_for_each(n->stk, arp_line, n);
}

/* ---- DEVLINKS ---- */

static const char *devstatus(const struct device *dev) {
    return dev->type == DEV_VIRTUAL || dev->type == DEV_LOOPBACK ? "READY" : device_status_name(dev->status);
}

static void link_routing(struct netstat *n, const struct link *lnk) {
    char dest[IPADDR_TEXT_MAX], mask[IPADDR_TEXT_MAX], mtu[12];
    str_fmt(mtu, sizeof mtu, "%05u", lnk->bsd_mtu_bytes);
    reply_line(n->r, "     BSD ROUTING PARAMETERS:");
    reply_line(n->r, "       MTU SIZE: %-11s METRIC: %02u", lnk->bsd_mtu_bytes ? mtu : "DEFAULTSIZE",
               (u32)lnk->bsd_metric);
    reply_line(n->r, "       DESTADDR: %-15s SUBNETMASK: %s", ipaddr_text(lnk->bsd_dest, dest),
               ipaddr_text(lnk->bsd_mask, mask));
}

/* Two counters a line; what is left over when the driver has said its last one is printed by driver_lines(). */
struct pairs {
    const struct reply *r;
    char left[48];
};

static void driver_counter(void *ctx, const char *name, u64 value) {
    struct pairs *p = ctx;
    char words[40], one[48];
    netstat_upper(name, words, sizeof words);
    for (char *c = words; *c; c++)
        if (*c == '_') *c = ' ';
    str_fmt(one, sizeof one, "%s %llu", words, (unsigned long long)value);
    if (!p->left[0]) {
        str_copy(p->left, sizeof p->left, one);
        return;
    }
    reply_line(p->r, "       %-36s %s", p->left, one);
    p->left[0] = '\0';
}

static void driver_lines(struct netstat *n, const struct link *lnk) {
    struct pairs p = {.r = n->r};
    if (!lnk->ops->counters) return;
    reply_line(n->r, "     DRIVER:");
    lnk->ops->counters(lnk, driver_counter, &p);
    if (p.left[0]) reply_line(n->r, "       %s", p.left);
}

static void link_lines(struct netstat *n, const struct link *lnk) {
    const struct link_counters *c = &lnk->count;
    bool no_wire = lnk->type == LNK_VIRTUAL || lnk->type == LNK_LOOPBACK;
    reply_line(n->r, "  LNKNAME: %-16s LNKTYPE: %-10s LNKSTATUS: %s", lnk->name,
               lnk->type == LNK_VIRTUAL ? "VIPA" : link_type_name(lnk->type),
               lnk->up || lnk->type == LNK_VIRTUAL ? "READY" : "NOT ACTIVE");
    reply_line(n->r, "     NETNUM: %-5u QUESIZE: 0     ACTMTU: %u", (u32)lnk->adapter, lnk->mtu_bytes);
    if (lnk->type == LNK_VIRTUAL) return;
    reply_line(n->r, "     BYTESIN: %-12llu BYTESOUT: %llu", (unsigned long long)c->bytes_in,
               (unsigned long long)c->bytes_out);
    reply_line(n->r, "     PKTSIN:  %-12llu PKTSOUT:  %llu", (unsigned long long)c->packets_in,
               (unsigned long long)c->packets_out);
    reply_line(n->r, "     INBOUND DISCARDS:  NO BUFFER %llu MALFORMED %llu",
               (unsigned long long)c->drops_in_no_buffer, (unsigned long long)c->drops_in_malformed);
    reply_line(n->r, "     OUTBOUND DISCARDS: NO BUFFER %llu DOWN %llu NO ARP %llu",
               (unsigned long long)c->drops_out_no_buffer, (unsigned long long)c->drops_out_down,
               (unsigned long long)c->drops_out_no_arp);
    if (no_wire) return;
    link_routing(n, lnk);
    reply_line(n->r, "     MACADDR: %02X%02X%02X%02X%02X%02X  OFFLOAD: CSUM %s SEGMENTATION %s ARP %s",
               (u32)lnk->mac[0], (u32)lnk->mac[1], (u32)lnk->mac[2], (u32)lnk->mac[3], (u32)lnk->mac[4],
               (u32)lnk->mac[5], lnk->caps & LINK_CAP_CSUM_OUT ? "YES" : "NO",
               lnk->caps & LINK_CAP_GSO ? "YES" : "NO", lnk->caps & LINK_CAP_ARP ? "YES" : "NO");
    reply_line(n->r, "     MULTICAST SPECIFIC:");
    reply_line(n->r, "       MULTICAST CAPABILITY: %s", lnk->caps & LINK_CAP_MCAST ? "YES" : "NO");
    driver_lines(n, lnk);
}

static void device_lines(struct netstat *n, const struct device *dev) {
    static const char *const roles[] = {"NON", "PRI", "SEC"};
    char devnum[16] = "", router[24] = "", status[16];
    bool no_wire = dev->type == DEV_VIRTUAL || dev->type == DEV_LOOPBACK;
    if (!no_wire) str_fmt(devnum, sizeof devnum, " DEVNUM: %04X", (u32)dev->devnum);
    if (dev->type == DEV_MPCIPA) str_fmt(router, sizeof router, "CFGROUTER: %s  ", roles[dev->role]);
    reply_line(n->r, "DEVNAME: %-16s DEVTYPE: %s%s", dev->name, device_type_name(dev->type), devnum);
    reply_line(n->r, "  DEVSTATUS: %s", netstat_upper(devstatus(dev), status, sizeof status));
    if (!no_wire) reply_line(n->r, "  %sAUTORESTART: %s", router, dev->autorestart ? "YES" : "NO");
}

void netstat_devlinks(struct netstat *n) {
    LIST_FOR_EACH(it, &n->stk->devices) {
        const struct device *dev = LIST_ENTRY(it, struct device, node);
        if (!netstat_row(n)) continue;
        device_lines(n, dev);
        if (dev->lnk) link_lines(n, dev->lnk);
    }
}

/* ---- PORTLIST ---- */

static const char *rule_flags(const struct port_rule *r, char out[8]) {
    u32 at = 0;
    const struct {
        u8 flag;
        char letter;
    } letters[] = {{PORT_DELAYACKS, 'D'},    {PORT_NOAUTOLOG, 'N'}, {PORT_SHAREPORT, 'S'},
                   {PORT_SHAREPORTWLM, 'W'}, {PORT_BIND, 'B'},      {PORT_RANGE, 'R'}};
    for (u32 i = 0; i < ARRAY_LEN(letters); i++)
        if (r->flags & letters[i].flag) out[at++] = letters[i].letter;
    out[at] = '\0';
    return out;
}

void netstat_portlist(struct netstat *n) {
    reply_line(n->r, "PORT# PROT USER     FLAGS    RANGE       IP ADDRESS");
    for (const struct port_rule *r = NULL; (r = port_rule_next(n->stk, r));) {
        char flags[8], range[16] = "", addr[IPADDR_TEXT_MAX] = "";
        const char *user = r->flags & PORT_RESERVED ? "RESERVED" : r->jobname;
        bool in_range = n->port == 0 || (n->port >= r->first && n->port <= r->last);
        if (!in_range || !netstat_client_passes(n, user) || !netstat_row(n)) continue;
        if (r->flags & PORT_RANGE) str_fmt(range, sizeof range, "%05u-%05u", (u32)r->first, (u32)r->last);
        if (r->flags & PORT_BIND) ipaddr_text(r->bind, addr);
        reply_line(n->r, "%05u %-4s %-8s %-8s %-11s %s", (u32)r->first,
                   r->proto == IP_PROTO_TCP ? "TCP" : "UDP", user, rule_flags(r, flags), range, addr);
    }
}
