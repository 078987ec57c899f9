/* osa_port.c - the port of one OSA: life, attachments, messages, isolation. See osa_port.h. */
#include "hercules-devices/osa_port_impl.h"

#include <stdarg.h>

/* ---- small things ---- */

void port_log(struct osa_port *p, enum engine_severity sev, const char *fmt, ...) {
    char line[PORT_LINE_MAX];
    va_list args;
    va_start(args, fmt);
    str_vfmt(line, sizeof line, fmt, args);
    va_end(args);
    if (p->host->log) p->host->log(p->host->ctx, sev, line);
}

void port_drop(struct osa_port *p, const struct osa_frame *f, enum osa_attachment_counter at_lpar,
               enum osa_port_counter at_lan) {
    if (f->from < OSA_ATTACHMENTS) p->att[f->from].count[at_lpar]++;
    else
        p->count[at_lan]++;
}

void port_sets_update(struct osa_port *p, u32 n) {
    const struct osa_attachment *a = &p->att[n];
    u64 on = a->state == OSA_ATT_ATTACHED && a->started && !a->fenced ? port_bit(n) : 0, off = ~port_bit(n);
    p->started = (p->started & off) | on;
    p->started_l3 = (p->started_l3 & off) | (a->mode == OSA_MODE_QDIO_L3 ? on : 0);
    p->started_ether = (p->started_ether & off) | (a->mode != OSA_MODE_QDIO_L3 ? on : 0);
    p->started_lcs = (p->started_lcs & off) | (a->mode == OSA_MODE_LCS ? on : 0);
    p->started_promiscuous = (p->started_promiscuous & off) | (a->promiscuous ? on : 0);
}

/* A message of bytes that is not a frame, zeroed behind its header; NULL and counted if the ring is full. */
static u8 *message_begin(struct osa_port *p, u32 n, u8 type, u16 tag, u32 bytes) {
    u8 *m = p->host->reserve(p->host->ctx, n, bytes);
    if (!m) {
        p->att[n].count[OSA_AC_DROP_RING]++;
        return NULL;
    }
    memset(m, 0, bytes);
    m[0] = type;
    m[1] = OSA_MSG_VERSION;
    be16_put(m + 2, tag);
    be32_put(m + 4, bytes);
    return m;
}

void port_event(struct osa_port *p, u32 n, enum osa_event event, struct ipaddr ip) {
    u8 *m = message_begin(p, n, OSA_MSG_EVENT, 0, OSA_MSG_EVENT_BYTES);
    if (!m) return;
    m[8] = (u8)event;
    ipaddr_put(m + 12, ip);
    p->host->commit(p->host->ctx, n, OSA_MSG_EVENT_BYTES);
}

void port_answer(struct osa_port *p, u32 n, u16 tag, u8 op, u32 rc) {
    u8 *m = message_begin(p, n, OSA_MSG_ANSWER, tag, OSA_MSG_ANSWER_BYTES);
    if (!m) return;
    m[8] = op;
    be32_put(m + 12, rc);
    p->host->commit(p->host->ctx, n, OSA_MSG_ANSWER_BYTES);
}

/* ---- life ---- */

int osa_port_init(struct osa_port *p, const struct osa_port_params *params, const struct osa_port_host *host) {
    bool iqd = params->chpid == OSA_CHPID_IQD;
    u32 largest = iqd ? 57344u : OSA_MTU_MAX; /* HiperSockets frames go up to 64 KB, 56 KB of it packet */
    if (!iqd && params->chpid != OSA_CHPID_OSD && params->chpid != OSA_CHPID_OSE) return -ERR_INVAL;
    if (params->mtu_bytes < OSA_MTU_MIN || params->mtu_bytes > largest || eth_is_group(params->mac)) return -ERR_INVAL;
    if (iqd && params->uplink) return -ERR_INVAL;
    memset(p, 0, sizeof *p);
    p->params = *params;
    p->host = host;
    p->lan_up = true;
    for (u32 i = OSA_OAT_MAX; i-- > 0;) {
        p->oat[i] = (struct osa_oat_entry){.attachment = PORT_NOBODY, .next = p->oat_free};
        p->oat_free = (u16)(i + 1);
    }
    for (u32 i = OSA_MACS_MAX; i-- > 0;) {
        p->macs[i].next = p->mac_free;
        p->mac_free = (u16)(i + 1);
    }
    port_arp_init(p);
    return 0;
}

void osa_port_uplink_offload(struct osa_port *p, bool on) { p->params.uplink_offload = on; }

/* ---- attachments ---- */

int osa_port_link_up(struct osa_port *p, u64 incarnation) {
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) {
        if (p->att[n].state != OSA_ATT_FREE) continue;
        p->att[n] = (struct osa_attachment){.state = OSA_ATT_LINKED, .incarnation = incarnation};
        return (int)n;
    }
    return -ERR_NOMEM;
}

/* Everything that the port's tables hold for an attachment goes. */
static void withdraw(struct osa_port *p, u32 n) {
    port_arp_forget(p, n);
    port_oat_remove_all(p, n);
    port_mac_remove_all(p, n);
    port_router_clear(p, n);
    p->att[n].started = p->att[n].promiscuous = false;
    p->att[n].assists = 0;
    port_sets_update(p, n);
}

void osa_port_link_down(struct osa_port *p, u32 n, u64 now) {
    UNUSED(now);
    CHECK(n < OSA_ATTACHMENTS);
    if (p->att[n].state == OSA_ATT_FREE) return;
    if (p->att[n].state == OSA_ATT_ATTACHED)
        port_log(p, ENGINE_INFO, "%s: %s %04X left", p->params.name, p->att[n].lpar, p->att[n].device);
    withdraw(p, n);
    p->att[n].state = OSA_ATT_FREE;
}

static void name_get(const u8 *in, char out[OSA_LPAR_NAME_MAX + 1]) {
    u32 len = 0;
    for (u32 i = 0; i < OSA_LPAR_NAME_MAX && in[i] > ' ' && in[i] <= '~'; i++) out[len++] = (char)in[i];
    out[len] = 0;
}

/* The same device of the same LPAR on another connection: the newer incarnation has it. false: that is the other. */
static bool displace(struct osa_port *p, u32 n, const char *lpar, u32 device) {
    for (u32 i = 0; i < OSA_ATTACHMENTS; i++) {
        struct osa_attachment *a = &p->att[i];
        if (i == n || a->state != OSA_ATT_ATTACHED || a->device != device || strcmp(a->lpar, lpar) != 0) continue;
        if (a->incarnation > p->att[n].incarnation) return false;
        port_event(p, i, OSA_EVENT_FENCED, IPADDR_ANY);
        withdraw(p, i);
        a->state = OSA_ATT_LINKED;
    }
    return true;
}

static u32 attach(struct osa_port *p, u32 n, const u8 *msg) {
    struct osa_attachment *a = &p->att[n];
    char lpar[OSA_LPAR_NAME_MAX + 1];
    u8 mode = msg[8], role = msg[9];
    u32 device = be32_get(msg + 24);
    name_get(msg + 16, lpar);
    if (!lpar[0] || mode < OSA_MODE_QDIO_L3 || mode > OSA_MODE_LCS || role > 2) return OSA_RC_UNSUPPORTED;
    if (osa_port_fenced(p, lpar, a->incarnation)) {
        port_event(p, n, OSA_EVENT_FENCED, IPADDR_ANY);
        return OSA_RC_LAN_OFFLINE;
    }
    if (!displace(p, n, lpar, device)) return OSA_RC_DUPLICATE;
    if (a->state == OSA_ATT_ATTACHED) withdraw(p, n); /* attached anew: it starts from nothing */
    a->state = OSA_ATT_ATTACHED;
    a->mode = mode;
    a->device = device;
    str_copy(a->lpar, sizeof a->lpar, lpar);
    u8 *place = role == 1 ? &p->primary : &p->secondary;
    if (role && !*place) {
        *place = (u8)(n + 1);
        a->router = role;
    } else if (role) {
        port_log(p, ENGINE_WARNING, "%s: %s %04X is no router, another LPAR is", p->params.name, lpar, device);
    }
    port_log(p, ENGINE_INFO, "%s: %s %04X attached, %s", p->params.name, lpar, device, osa_mode_name(mode));
    return OSA_RC_OK;
}

static void attach_answer(struct osa_port *p, u32 n, u16 tag, u32 rc) {
    u8 *m = message_begin(p, n, OSA_MSG_ATTACHED, tag, OSA_MSG_ATTACHED_BYTES);
    if (!m) return;
    be32_put(m + 8, rc);
    memcpy(m + 12, p->params.mac, ETH_MAC_BYTES);
    be32_put(m + 20, p->params.mtu_bytes + (p->att[n].mode == OSA_MODE_QDIO_L3 ? 0 : ETH_HEADER_BYTES));
    be32_put(m + 24, OSA_ASSIST_CSUM_OUT | OSA_ASSIST_CSUM_IN | OSA_ASSIST_TSO | OSA_ASSIST_MCAST | OSA_ASSIST_LRO);
    m[28] = p->lan_up;
    m[29] = p->params.chpid;
    p->host->commit(p->host->ctx, n, OSA_MSG_ATTACHED_BYTES);
}

/* ---- messages ---- */

static void frame_in(struct osa_port *p, u32 n, const u8 *msg, u32 len, u64 now) {
    struct osa_attachment *a = &p->att[n];
    struct osa_frame f;
    if (!(p->started & port_bit(n)) || !p->lan_up) {
        a->count[OSA_AC_DROP_STATE]++;
        return;
    }
    bool ip_form = msg[8] == OSA_FORM_IP, good = false;
    if (ip_form == (a->mode == OSA_MODE_QDIO_L3) && (ip_form || msg[8] == OSA_FORM_ETHER)) {
        good = ip_form ? port_frame_from_ip(p, &f, msg, len)
                       : osa_frame_parse(&f, msg + OSA_FRAME_DATA, len - OSA_FRAME_DATA, (u16)n);
    }
    if (good && !ip_form) {
        f.gso_bytes = be16_get(msg + 12);
        f.csum_needed = (be16_get(msg + 10) & OSA_FRAME_CSUM_NEEDED) != 0;
        f.csum_start = be16_get(msg + 20);
        f.csum_field = be16_get(msg + 22);
    }
    if (!good || !port_frame_offload_ok(&f)) {
        a->count[OSA_AC_DROP_MALFORMED]++;
        return;
    }
    f.from = (u16)n;
    if (!port_frame_fits(&f, p->params.mtu_bytes)) {
        a->count[OSA_AC_DROP_MTU]++;
        return;
    }
    a->count[OSA_AC_PACKETS_IN]++;
    a->count[OSA_AC_BYTES_IN] += len - OSA_FRAME_DATA;
    a->count[OSA_AC_GSO_IN] += f.gso_bytes != 0;
    if (p->host->capture) p->host->capture(p->host->ctx, n, true, &f);
    if (ip_form) port_switch_ip(p, &f, ipaddr_get(msg + 16), now);
    else
        port_switch_ether(p, &f, now);
}

/* Shortest message of each type; 0: not for the port. */
static const u8 shortest[] = {
    [OSA_MSG_ATTACH] = OSA_MSG_ATTACH_BYTES,
    [OSA_MSG_DETACH] = OSA_MSG_HEADER_BYTES,
    [OSA_MSG_REQUEST] = OSA_MSG_REQUEST_BYTES,
    [OSA_MSG_FRAME] = OSA_FRAME_DATA + 1,
};

void osa_port_message(struct osa_port *p, u32 n, const u8 *msg, u32 len, u64 now) {
    CHECK(n < OSA_ATTACHMENTS);
    struct osa_attachment *a = &p->att[n];
    if (len < OSA_MSG_HEADER_BYTES || msg[1] != OSA_MSG_VERSION || be32_get(msg + 4) != len ||
        msg[0] >= ARRAY_LEN(shortest) || !shortest[msg[0]] || len < shortest[msg[0]]) {
        a->count[OSA_AC_DROP_MESSAGE]++;
        return;
    }
    if (a->state == OSA_ATT_FREE || a->fenced || (a->state == OSA_ATT_LINKED && msg[0] != OSA_MSG_ATTACH)) {
        a->count[OSA_AC_DROP_STATE]++;
        return;
    }
    switch (msg[0]) {
    case OSA_MSG_ATTACH: attach_answer(p, n, be16_get(msg + 2), attach(p, n, msg)); break;
    case OSA_MSG_DETACH:
        withdraw(p, n);
        a->state = OSA_ATT_LINKED;
        break;
    case OSA_MSG_REQUEST: port_request(p, n, msg, now); break;
    default: frame_in(p, n, msg, len, now); break;
    }
}

/* ---- isolation ---- */

bool osa_port_fenced(const struct osa_port *p, const char *lpar, u64 incarnation) {
    for (u32 i = 0; i < p->fence_count; i++)
        if (strcmp(p->fence[i].lpar, lpar) == 0) return incarnation <= p->fence[i].incarnation;
    return false;
}

static void fence_remember(struct osa_port *p, const char *lpar, u64 incarnation) {
    struct osa_fence *f = p->fence;
    while (f < p->fence + p->fence_count && strcmp(f->lpar, lpar) != 0) f++;
    if (f == p->fence + OSA_FENCES_MAX) {
        port_log(p, ENGINE_ERROR, "%s: more than %u LPARs isolated, %s may come back", p->params.name, OSA_FENCES_MAX,
                 p->fence[0].lpar);
        f = p->fence;
    } else if (f == p->fence + p->fence_count) {
        p->fence_count++;
    }
    if (strcmp(f->lpar, lpar) != 0) *f = (struct osa_fence){0};
    str_copy(f->lpar, sizeof f->lpar, lpar);
    if (incarnation > f->incarnation) f->incarnation = incarnation;
}

bool osa_port_fence_one(struct osa_port *p, u32 n) {
    struct osa_attachment *a = &p->att[n];
    if (a->state != OSA_ATT_ATTACHED || a->fenced) return false;
    port_log(p, ENGINE_WARNING, "%s: %s %04X isolated", p->params.name, a->lpar, a->device);
    fence_remember(p, a->lpar, a->incarnation);
    port_event(p, n, OSA_EVENT_FENCED, IPADDR_ANY);
    a->fenced = true;
    withdraw(p, n);
    return true;
}

u32 osa_port_fence(struct osa_port *p, const char *lpar, u64 now) {
    u32 fenced = 0;
    UNUSED(now);
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) {
        if (!lpar[0] || str_eq_ci(p->att[n].lpar, lpar)) fenced += osa_port_fence_one(p, n);
    }
    return fenced;
}

/* ---- the LAN ---- */

void osa_port_lan(struct osa_port *p, bool up, u64 now) {
    UNUSED(now);
    if (p->lan_up == up) return;
    p->lan_up = up;
    if (!up) port_arp_flush(p); /* another LAN may be at the other end when the cable is back */
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++)
        if (p->att[n].state == OSA_ATT_ATTACHED && !p->att[n].fenced)
            port_event(p, n, up ? OSA_EVENT_LAN_UP : OSA_EVENT_LAN_DOWN, IPADDR_ANY);
    for (u32 i = 0; up && i < OSA_OAT_MAX; i++)
        if (p->oat[i].attachment != PORT_NOBODY && !(p->oat[i].flags & (OSA_OAT_LEARNED | OSA_OAT_PROBING | OSA_OAT_LEAVING)))
            port_arp_announce(p, p->oat[i].ip);
}

void osa_port_from_uplink(struct osa_port *p, const u8 *bytes, u32 len, const struct osa_uplink_meta *meta, u64 now) {
    struct osa_frame f;
    if (!p->lan_up) {
        p->count[OSA_PC_DROP_LAN_DOWN]++;
        return;
    }
    bool good = osa_frame_parse(&f, bytes, len, OSA_FROM_LAN);
    if (good && meta) {
        f.gso_bytes = meta->gso_bytes;
        f.csum_needed = meta->csum_needed;
        f.csum_start = meta->csum_start;
        f.csum_field = meta->csum_field;
        good = port_frame_offload_ok(&f);
    }
    if (!good) {
        p->count[OSA_PC_DROP_MALFORMED]++;
        return;
    }
    if (!port_frame_fits(&f, p->params.mtu_bytes)) {
        p->count[OSA_PC_DROP_MTU]++;
        return;
    }
    p->count[OSA_PC_FRAMES_IN]++;
    p->count[OSA_PC_BYTES_IN] += len;
    p->count[OSA_PC_GSO_IN] += f.gso_bytes != 0;
    if (p->host->capture) p->host->capture(p->host->ctx, OSA_FROM_LAN, true, &f);
    port_switch_ether(p, &f, now);
}

/* What e waited for has come. */
static void oat_entry_due(struct osa_port *p, struct osa_oat_entry *e, u64 now) {
    if (e->flags & OSA_OAT_LEAVING) {
        port_oat_remove(p, e);
    } else if (e->flags & OSA_OAT_PROBING) {
        port_probe_end(p, e, false, now);
    } else {
        port_oat_waited(p, e);
        if (p->started & port_bit(e->attachment)) port_arp_announce(p, e->ip);
    }
}

u64 osa_port_tick(struct osa_port *p, u64 now) {
    u64 next = port_arp_tick(p, now);
    if (now < p->oat_due) return u64_min(next, p->oat_due);
    p->oat_due = TIME_NEVER;
    for (u32 i = 0; (p->probe_count || p->leaving_count || p->again_count) && i < OSA_OAT_MAX; i++) {
        struct osa_oat_entry *e = &p->oat[i];
        if (e->attachment == PORT_NOBODY || !(e->flags & (OSA_OAT_PROBING | OSA_OAT_LEAVING | OSA_OAT_AGAIN))) continue;
        if (now >= e->due) oat_entry_due(p, e, now);
        if (e->flags & (OSA_OAT_PROBING | OSA_OAT_LEAVING | OSA_OAT_AGAIN)) p->oat_due = u64_min(p->oat_due, e->due);
    }
    return u64_min(next, p->oat_due);
}

/* ---- names ---- */

const char *osa_attachment_counter_name(u32 counter) {
    static const char *const names[OSA_AC_COUNT] = {
        "packets_in",       "bytes_in",       "packets_out",    "bytes_out",     "gso_in",
        "gso_out",          "drop_message",   "drop_state",     "drop_malformed", "drop_mtu",
        "drop_no_neighbour", "drop_arp_queue", "drop_no_owner", "drop_self",     "drop_uplink",
        "drop_ring",        "drop_checksum",  "drop_not_ip",    "requests",      "requests_refused",
    };
    return counter < OSA_AC_COUNT ? names[counter] : "?";
}

const char *osa_port_counter_name(u32 counter) {
    static const char *const names[OSA_PC_COUNT] = {
        "frames_in",       "bytes_in",         "frames_out",     "bytes_out",       "gso_in",
        "gso_out",         "segments_out",     "drop_malformed", "drop_not_for_us", "drop_no_owner",
        "drop_mtu",        "drop_lan_down",    "arp_requests_in", "arp_replies_in", "arp_requests_out",
        "arp_replies_out", "arp_evicted",      "arp_conflicts",  "takeovers",       "oat_full",
        "macs_full",       "probes_full",
    };
    return counter < OSA_PC_COUNT ? names[counter] : "?";
}

const char *osa_mode_name(u32 mode) {
    static const char *const names[] = {"?", "QDIO layer 3", "QDIO layer 2", "LCS"};
    return mode < ARRAY_LEN(names) ? names[mode] : "?";
}
