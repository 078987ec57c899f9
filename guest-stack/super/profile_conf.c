/* profile_conf.c - IPCONFIG, TCPCONFIG, UDPCONFIG, GLOBALCONFIG, KEEPALIVEOPTIONS, ARPAGE and SOMAXCONN.
 *
 * Each statement is a table: keyword, what kind of value follows, where in struct net_config it goes, its
 * domain. Parameters stand in any order; only what is named changes, so the same code serves an OBEYFILE. A
 * keyword that OS/390 knows at a later level than ours is said (PLX0205W), its numbers are passed over and
 * the list goes on.
 */
#include "base/str.h"
#include "net/netconf.h"
#include "net/stack.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/plexip.h"
#include "super/profile.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "sysplex/distributor.h"
#include "sysplex/dynxcf.h"

enum option_kind { OPT_ON, OPT_OFF, OPT_U32, OPT_U8, OPT_SPECIAL, OPT_LATER, OPT_IGNORED };

struct option {
    const char *name;
    enum option_kind kind;
    size_t offset; /* in struct net_config */
    u32 low, high;
    bool (*special)(struct profile *p, struct net_config *c);
};

#define AT(member) offsetof(struct net_config, member)
#define ON(name, member)                                                                                     \
    { name, OPT_ON, AT(member), 0, 0, NULL }
#define OFF(name, member)                                                                                    \
    { name, OPT_OFF, AT(member), 0, 0, NULL }
#define NUMBER(name, member, low, high)                                                                      \
    { name, OPT_U32, AT(member), low, high, NULL }
#define SPECIAL(name, fn)                                                                                    \
    { name, OPT_SPECIAL, 0, 0, 0, fn }
#define LATER(name)                                                                                          \
    { name, OPT_LATER, 0, 0, 0, NULL }
#define IGNORED(name)                                                                                        \
    { name, OPT_IGNORED, 0, 0, 0, NULL }

static struct console *con(struct profile *p) { return p->ip->sys->env.con; }

/* A number with an optional K: 65536 or 64K. */
static bool size_token(struct profile *p, u32 low, u32 high, u32 *out) {
    const char *t = profile_peek(p);
    u32 v;
    size_t len = t ? strlen(t) : 0;
    if (len < 2 || t[len - 1] != 'K' || !str_u32(t, len - 1, &v)) return profile_number(p, low, high, out);
    if (v > high / 1024 || v * 1024 < low)
        return profile_number(p, low, high, out); /* says what is expected */
    *out = v * 1024;
    profile_take(p);
    return true;
}

static void pass_numbers(struct profile *p) {
    for (const char *t; (t = profile_peek(p)) && t[0] >= '0' && t[0] <= '9';) profile_take(p);
}

static bool option_apply(struct profile *p, const struct option *o, struct net_config *c) {
    u8 *at = (u8 *)c + o->offset;
    u32 v;
    switch (o->kind) {
    case OPT_ON: *(bool *)at = true; return true;
    case OPT_OFF: *(bool *)at = false; return true;
    case OPT_U32: return size_token(p, o->low, o->high, (u32 *)(void *)at);
    case OPT_U8:
        if (!profile_number(p, o->low, o->high, &v)) return false;
        *at = (u8)v;
        return true;
    case OPT_SPECIAL: return o->special(p, c);
    case OPT_LATER: console_message(con(p), PLX0205W, p->token, p->taken_line); break;
    case OPT_IGNORED: console_message(con(p), PLX0204I, p->token); break;
    }
    pass_numbers(p);
    return true;
}

/* Takes parameters until the next statement, or until `end` if the statement has an END keyword. */
static bool options_run(struct profile *p, const struct option *table, u32 n, const char *end,
                        const char *expected) {
    struct net_config *c = net_config(p->ip->stk);
    while (end ? !profile_keyword(p, end) : !profile_at_statement(p)) {
        const struct option *o = NULL;
        for (u32 i = 0; i < n && !o; i++)
            if (profile_keyword(p, table[i].name)) o = &table[i];
        if (!o) return profile_expected(p, expected);
        if (!option_apply(p, o, c)) return false;
    }
    net_config_changed(p->ip->stk);
    return true;
}

/* ---- IPCONFIG ---- */

static bool datagramfwd(struct profile *p, struct net_config *c) {
    c->ip.forwarding = true;
    if (profile_keyword(p, "NOFWDMULTipath")) {
        c->ip.forward_per_packet = false;
    } else if (profile_keyword(p, "FWDMULTipath")) {
        if (!profile_keyword(p, "PERPacket")) return profile_expected(p, "PERPACKET");
        c->ip.forward_per_packet = true;
    }
    return true;
}

static bool multipath(struct profile *p, struct net_config *c) {
    c->ip.multipath = profile_keyword(p, "PERPacket") ? MULTIPATH_PER_PACKET : MULTIPATH_PER_CONNECTION;
    if (c->ip.multipath == MULTIPATH_PER_CONNECTION) profile_keyword(p, "PERConnection");
    return true;
}

static bool nomultipath(struct profile *p, struct net_config *c) {
    UNUSED(p);
    c->ip.multipath = MULTIPATH_OFF;
    return true;
}

/* DYNAMICXCF ipaddr mask metric, or ipaddr/bits metric. */
static bool dynamicxcf(struct profile *p, struct net_config *c) {
    struct ipaddr addr, mask;
    u32 metric, bits;
    char text[IPADDR_TEXT_MAX];
    const char *t = profile_peek(p);
    size_t slash = 0, len = t ? strlen(t) : 0;
    while (slash < len && t[slash] != '/') slash++;
    if (slash < len) {
        if (!ipaddr_parse(t, slash, &addr) || !str_u32(t + slash + 1, len - slash - 1, &bits) || bits == 0 || bits > 32)
            return profile_expected(p, "AN IP ADDRESS, OR ONE WITH /1 TO /32");
        mask = ipaddr_v4(0xFFFFFFFFu << (32 - bits));
        profile_take(p);
    } else if (!profile_address(p, &addr) || !profile_mask(p, &mask)) {
        return false;
    }
    if (!profile_number(p, 0, 14, &metric)) return false;
    if (!p->ip->sx) { /* said once for the sysplex's statements; the other parameters are good */
        p->errors++;
        console_message(con(p), PLX0503E, "DYNAMICXCF");
        profile_where(p);
        return true;
    }
    int rc = dynxcf_define(p->ip->sx, addr, mask, (u8)metric, p->now);
    if (rc) {
        p->errors++;
        console_message(con(p), PLX0504E, "DYNAMICXCF", ipaddr_text(addr, text),
                        rc == -ERR_EXIST  ? "THE ADDRESS IS IN USE HERE"
                        : rc == -ERR_BUSY ? "ANOTHER ADDRESS IS IN USE UNTIL THE STACK IS STARTED AGAIN"
                                          : "IT CANNOT BE A HOST'S ADDRESS");
        return profile_where(p);
    }
    c->ip.dynamic_xcf = addr;
    c->ip.dynamic_xcf_mask = mask;
    c->ip.dynamic_xcf_metric = (u8)metric;
    return true;
}

static const struct option ip_options[] = {
    NUMBER("ARPTO", ip.arp_timeout_sec, 60, 86400),
    SPECIAL("DATAGRamfwd", datagramfwd),
    OFF("NODATAGRamfwd", ip.forwarding),
    NUMBER("DEVRETRYDURation", ip.device_retry_sec, 0, 0xFFFFFFFF),
    ON("IGNORERedirect", ip.ignore_redirect),
    OFF("NOIGNORERedirect", ip.ignore_redirect),
    SPECIAL("MULTIPATH", multipath),
    SPECIAL("NOMULTIPATH", nomultipath),
    ON("PATHMTUDISCovery", ip.path_mtu_discovery),
    OFF("NOPATHMTUDISCovery", ip.path_mtu_discovery),
    NUMBER("REASSEMBLytimeout", ip.reassembly_timeout_sec, 1, 240),
    ON("SOURCEVIPA", ip.source_vipa),
    OFF("NOSOURCEVIPA", ip.source_vipa),
    {"TTL", OPT_U8, AT(ip.ttl), 1, 255, NULL},
    ON("VARSUBNETTING", ip.variable_subnetting),
    OFF("NOVARSUBNETTING", ip.variable_subnetting),
    IGNORED("CLAWUSEDoublenop"),
    IGNORED("STOPONclawerror"),
    OFF("NOSYSPLEXRouting", ip.sysplex_routing),
    IGNORED("NODYNAMICXCF"),
    IGNORED("NOTCPSTACKSOURCEVipa"),
    ON("SYSPLEXRouting", ip.sysplex_routing),
    SPECIAL("DYNAMICXCF", dynamicxcf),
    LATER("TCPSTACKSOURCEVipa"),
    LATER("IQDIORouting"),
    LATER("QDIOACCELerator"),
    LATER("FIREWALL"),
};

bool stmt_ipconfig(struct profile *p) {
    return options_run(p, ip_options, ARRAY_LEN(ip_options), NULL, "AN IPCONFIG PARAMETER");
}

/* ---- TCPCONFIG and UDPCONFIG ---- */

static bool ports_token(struct profile *p, u16 *first, u16 *last) {
    u32 low, high;
    if (!profile_number(p, 1024, 65535, &low) || !profile_number(p, low, 65535, &high)) return false;
    *first = (u16)low;
    *last = (u16)high;
    return true;
}

static bool tcp_ephemeral(struct profile *p, struct net_config *c) {
    return ports_token(p, &c->tcp.ephemeral_first, &c->tcp.ephemeral_last);
}

static bool udp_ephemeral(struct profile *p, struct net_config *c) {
    return ports_token(p, &c->udp.ephemeral_first, &c->udp.ephemeral_last);
}

static bool sendgarbage(struct profile *p, struct net_config *c) {
    c->tcp.send_garbage = profile_keyword(p, "TRUE");
    return c->tcp.send_garbage || profile_keyword(p, "FALSE") ? true : profile_expected(p, "TRUE OR FALSE");
}

static bool recv_buffer(struct profile *p, struct net_config *c) {
    return size_token(p, 256, c->tcp.max_recv_bytes, &c->tcp.recv_buffer_bytes);
}

static bool max_recv_buffer(struct profile *p, struct net_config *c) {
    return size_token(p, c->tcp.recv_buffer_bytes, 524288, &c->tcp.max_recv_bytes);
}

static const struct option tcp_options[] = {
    NUMBER("INTERVAL", tcp.keepalive_min, 0, 35791),
    NUMBER("FINWait2time", tcp.finwait2_sec, 60, 3600),
    ON("DELAYAcks", tcp.delay_acks),
    OFF("NODELAYAcks", tcp.delay_acks),
    ON("RESTRICTLowports", tcp.restrict_low_ports),
    OFF("UNRESTRICTLowports", tcp.restrict_low_ports),
    SPECIAL("SENDGarbage", sendgarbage),
    ON("TCPTIMEstamp", tcp.timestamps),
    OFF("NOTCPTIMEstamp", tcp.timestamps),
    NUMBER("TCPSENDBfrsize", tcp.send_buffer_bytes, 256, 262144),
    SPECIAL("TCPRCVBufrsize", recv_buffer),
    SPECIAL("TCPMAXRCVBufrsize", max_recv_buffer),
    NUMBER("CONNECTTimeout", tcp.connect_timeout_sec, 5, 190),
    NUMBER("RETRANSMITAttempts", tcp.retransmit_attempts, 0, 15),
    NUMBER("TIMEWAITInterval", tcp.timewait_sec, 0, 120),
    NUMBER("KEEPALIVEPROBEs", tcp.keepalive_probes, 1, 10),
    NUMBER("KAPROBEINTerval", tcp.keepalive_probe_sec, 1, 75),
    SPECIAL("EPHEMERALPORTs", tcp_ephemeral),
    LATER("CONNECTINITinterval"),
    LATER("QUEUEDRTT"),
    LATER("FRRTHRESHOLD"),
    LATER("TTLS"),
    LATER("NOTTLS"),
};

bool stmt_tcpconfig(struct profile *p) {
    return options_run(p, tcp_options, ARRAY_LEN(tcp_options), NULL, "A TCPCONFIG PARAMETER");
}

static const struct option udp_options[] = {
    ON("RESTRICTLowports", udp.restrict_low_ports),
    OFF("UNRESTRICTLowports", udp.restrict_low_ports),
    ON("UDPCHKsum", udp.checksum),
    OFF("NOUDPCHKsum", udp.checksum),
    NUMBER("UDPSENDBfrsize", udp.send_buffer_bytes, 1, 65535),
    NUMBER("UDPRCVBufrsize", udp.recv_buffer_bytes, 1, 65535),
    ON("UDPQUEuelimit", udp.queue_limit),
    OFF("NOUDPQUEuelimit", udp.queue_limit),
    SPECIAL("EPHEMERALPORTs", udp_ephemeral),
};

bool stmt_udpconfig(struct profile *p) {
    return options_run(p, udp_options, ARRAY_LEN(udp_options), NULL, "A UDPCONFIG PARAMETER");
}

/* ---- the small ones ---- */

static bool maxrecs(struct profile *p, struct net_config *c) {
    UNUSED(c);
    if (profile_keyword(p, "*")) {
        p->ip->max_records = 65535;
        return true;
    }
    return profile_number(p, 1, 65535, &p->ip->max_records);
}

static bool wlmpoll(struct profile *p, struct net_config *c) {
    u32 seconds;
    UNUSED(c);
    if (!profile_number(p, 1, 180, &seconds)) return false;
    if (p->ip->dist) distributor_set_poll(p->ip->dist, seconds, p->now);
    return true;
}

static bool sysplexmonitor(struct profile *p, struct net_config *c) {
    UNUSED(c);
    return stmt_sysplexmonitor(p);
}

static const struct option global_options[] = {
    SPECIAL("MAXRECS", maxrecs),  SPECIAL("SYSPLEXMONitor", sysplexmonitor),
    SPECIAL("SYSPLEXWLMPOLL", wlmpoll), LATER("XCFGRPID"),
    LATER("IQDVLANID"),           LATER("EXPLICITBINDPORTRANGE"),
    LATER("ECSALIMIT"),           LATER("POOLLIMIT"),
    IGNORED("TCPIPSTATISTICS"),   IGNORED("NOTCPIPSTATISTICS"),
    LATER("SEGMENTATIONOFFLOAD"),
};

bool stmt_globalconfig(struct profile *p) {
    return options_run(p, global_options, ARRAY_LEN(global_options), NULL, "A GLOBALCONFIG PARAMETER");
}

static const struct option keepalive_options[] = {
    NUMBER("INTERVAL", tcp.keepalive_min, 0, 35791),
    SPECIAL("SENDGarbage", sendgarbage),
};

bool stmt_keepaliveoptions(struct profile *p) {
    return options_run(p, keepalive_options, ARRAY_LEN(keepalive_options), "ENDKEEPALIVEOPTIONS",
                       "INTERVAL, SENDGARBAGE OR ENDKEEPALIVEOPTIONS");
}

/* ARPAGE says in minutes what IPCONFIG ARPTO says in seconds. */
bool stmt_arpage(struct profile *p) {
    u32 minutes;
    if (!profile_number(p, 1, 1440, &minutes)) return false;
    net_config(p->ip->stk)->ip.arp_timeout_sec = minutes * 60;
    return true;
}

bool stmt_somaxconn(struct profile *p) {
    return profile_number(p, 1, 65535, &net_config(p->ip->stk)->tcp.max_backlog);
}
