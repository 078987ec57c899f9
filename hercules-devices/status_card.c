/* status_card.c - the state of a card as one line of JSON:
 *
 *   name, mac, chpid, mtu, lan, seconds
 *   uplink       {url, state, offload, refused, losses}
 *   impair       {on, loss, dup, reorder, delay_us, rate_kbit, seed, waiting, lost, duplicated, reordered, overflowed}
 *   capture      {file, filter, waiting, packets, dropped} or null
 *   attachments  [{number, lpar, device, mode, router, started, fenced, incarnation, assists, counters{}}]
 *   oat          [{ip, lpar, device, vipa, learned, probing}]
 *   arp          [{ip, mac, state}]
 *   fence        {file, thrown_away}: messages that isolated systems had left; or null
 *   counters     {}
 */
#include "hercules-devices/osa_card.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *text_mac(const u8 *m) {
    return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static json_t *text_ip(struct ipaddr ip) {
    char text[IPADDR_TEXT_MAX];
    return json_string(ipaddr_text(ip, text));
}

static json_t *number(u64 v) { return json_integer((json_int_t)v); }

static json_t *counters(const u64 *count, u32 n, const char *(*name)(u32)) {
    json_t *o = json_object();
    for (u32 i = 0; i < n; i++) json_object_set_new(o, name(i), number(count[i]));
    return o;
}

static json_t *uplink_json(const struct card *c) {
    const char *state = !c->params.uplink ? "none" : c->uplink ? "up" : "lost";
    return json_pack("{s:s,s:s,s:b,s:o,s:o}", "url", c->params.uplink ? c->uplink_params.url : "none", "state", state,
                     "offload", c->uplink && c->port->params.uplink_offload, "refused", number(c->uplink_send_refused),
                     "losses", number(c->uplink_losses));
}

static json_t *impair_json(const struct impair *im) {
    const double whole = 4294967295.0 / 100;
    return json_pack("{s:b,s:f,s:f,s:f,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "on", im->on, "loss", im->loss / whole, "dup",
                     im->dup / whole, "reorder", im->reorder / whole, "delay_us", number(im->delay_us), "rate_kbit",
                     number(im->rate_kbit), "seed", number(im->seed), "waiting", number(im->queued), "lost",
                     number(im->lost), "duplicated", number(im->duplicated), "reordered", number(im->reordered),
                     "overflowed", number(im->overflowed));
}

static json_t *capture_json(const struct capture *cap) {
    if (!cap) return json_null();
    struct capture_status s = capture_status(cap);
    return json_pack("{s:s,s:s,s:b,s:o,s:o}", "file", s.file, "filter", s.filter, "waiting", s.waiting, "packets",
                     number(s.packets), "dropped", number(s.dropped));
}

static json_t *attachments_json(const struct osa_port *p) {
    static const char *const routers[] = {"NONROUTER", "PRIROUTER", "SECROUTER"};
    json_t *list = json_array();
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) {
        const struct osa_attachment *a = &p->att[n];
        if (a->state != OSA_ATT_ATTACHED) continue;
        json_array_append_new(
            list, json_pack("{s:o,s:s,s:o,s:s,s:s,s:b,s:b,s:o,s:o,s:o}", "number", number(n), "lpar", a->lpar, "device",
                            json_sprintf("%04X", a->device), "mode", osa_mode_name(a->mode), "router",
                            routers[a->router < ARRAY_LEN(routers) ? a->router : 0], "started", a->started, "fenced",
                            a->fenced, "incarnation", number(a->incarnation), "assists", number(a->assists),
                            "counters", counters(a->count, OSA_AC_COUNT, osa_attachment_counter_name)));
    }
    return list;
}

static json_t *oat_json(const struct osa_port *p) {
    json_t *list = json_array();
    for (u32 i = 0; i < OSA_OAT_MAX; i++) {
        const struct osa_oat_entry *e = &p->oat[i];
        if (e->attachment >= OSA_ATTACHMENTS) continue;
        const struct osa_attachment *a = &p->att[e->attachment];
        json_array_append_new(list, json_pack("{s:o,s:s,s:o,s:b,s:b,s:b,s:b}", "ip", text_ip(e->ip), "lpar", a->lpar,
                                              "device", json_sprintf("%04X", a->device), "vipa",
                                              e->flags & OSA_OAT_VIPA, "learned", e->flags & OSA_OAT_LEARNED, "probing",
                                              e->flags & OSA_OAT_PROBING, "leaving",
                                              e->flags & OSA_OAT_LEAVING));
    }
    return list;
}

static json_t *arp_json(const struct osa_port *p) {
    static const char *const states[] = {"free", "pending", "resolved", "static"};
    json_t *list = json_array();
    for (u32 i = 0; i < OSA_ARP_MAX; i++) {
        const struct osa_arp_entry *e = &p->arp[i];
        if (e->state == OSA_ARP_FREE) continue;
        json_array_append_new(list, json_pack("{s:o,s:o,s:s}", "ip", text_ip(e->ip), "mac", text_mac(e->mac), "state",
                                              states[e->state]));
    }
    return list;
}

char *card_status(const struct card *c) {
    const struct osa_port *p = c->port;
    const char *chpid = p->params.chpid == OSA_CHPID_IQD ? "IQD" : p->params.chpid == OSA_CHPID_OSE ? "OSE" : "OSD";
    json_t *o = json_object();
    json_object_set_new(o, "name", json_string(p->params.name));
    json_object_set_new(o, "mac", text_mac(p->params.mac));
    json_object_set_new(o, "chpid", json_string(chpid));
    json_object_set_new(o, "mtu", number(p->params.mtu_bytes));
    json_object_set_new(o, "lan", json_string(p->lan_up ? "up" : "down"));
    json_object_set_new(o, "seconds", number((c->now - c->started) / USEC_PER_SEC));
    json_object_set_new(o, "uplink", uplink_json(c));
    json_object_set_new(o, "impair", impair_json(&c->impair));
    json_object_set_new(o, "capture", capture_json(c->capture));
    json_object_set_new(o, "attachments", attachments_json(p));
    json_object_set_new(o, "oat", oat_json(p));
    json_object_set_new(o, "arp", arp_json(p));
    json_object_set_new(o, "fence", c->fence ? json_pack("{s:s,s:o}", "file", c->fence_file, "thrown_away",
                                                         number(peer_server_thrown_away(c->server)))
                                             : json_null());
    json_object_set_new(o, "counters", counters(p->count, OSA_PC_COUNT, osa_port_counter_name));
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}
