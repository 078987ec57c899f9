/* netstat.c - the table of NETSTAT reports and their filters; see netstat.h. */
#include "super/netstat.h"

#include "base/str.h"
#include "net/ports.h"
#include "super/command_impl.h"
#include "super/dist_cmd.h"
#include "super/messages.h"
#include "super/pagent.h"
#include "super/plexip.h"
#include "super/profile.h"
#include "super/tcpip.h"

static const struct report {
    const char *spec;
    void (*run)(struct netstat *n);
} reports[] = {
    {"ALL", netstat_all},       {"ARp", netstat_arp},         {"BYTEinfo", netstat_byteinfo},
    {"CONFIG", netstat_config}, {"COnn", netstat_conn},       {"DEvlinks", netstat_devlinks},
    {"Gate", netstat_gate},     {"HOme", netstat_home},       {"PORTList", netstat_portlist},
    {"ROUTe", netstat_route},   {"SLAP", netstat_slap},       {"SOCKets", netstat_sockets}, {"STATS", netstat_stats},
    {"VCRT", netstat_vcrt},     {"VDPT", netstat_vdpt},
    {"VIPADCFG", netstat_vipadcfg}, {"VIPADyn", netstat_vipadyn},
};

/* ---- what reports share ---- */

bool netstat_row(struct netstat *n) {
    n->matched++;
    if (n->shown >= n->max) return false;
    n->shown++;
    return true;
}

bool netstat_addr_passes(const struct netstat *n, struct ipaddr a, struct ipaddr b) {
    return ipaddr_is_any(n->addr) || ipaddr_eq(n->addr, a) || ipaddr_eq(n->addr, b);
}

bool netstat_port_passes(const struct netstat *n, u16 a, u16 b) {
    return n->port == 0 || n->port == a || n->port == b;
}

bool netstat_client_passes(const struct netstat *n, const char *jobname) {
    return n->client[0] == '\0' || port_jobname_matches(n->client, jobname);
}

const char *netstat_socket(struct ipaddr a, u16 port, char out[NETSTAT_SOCKET_MAX]) {
    char text[IPADDR_TEXT_MAX];
    str_fmt(out, NETSTAT_SOCKET_MAX, "%s..%u", ipaddr_text(a, text), (u32)port);
    return out;
}

const char *netstat_upper(const char *text, char *out, u32 cap) {
    u32 i = 0;
    for (; text[i] && i + 1 < cap; i++)
        out[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
    out[i] = '\0';
    return out;
}

/* ---- the command ---- */

static bool filter(struct netstat *n, const char *op) {
    const char *v;
    const char *expected = "IPADDR=, PORT=, CLIENT=, DETAIL OR MAX=";
    const char *token = op;
    u32 number;
    if (keyword_matches("DETail", op)) {
        n->detail = true;
        return true;
    }
    if ((v = command_value(op, "IPAddr"))) {
        token = v;
        expected = "AN IP ADDRESS";
        if (ipaddr_parse(v, strlen(v), &n->addr)) return true;
    } else if ((v = command_value(op, "PORT"))) {
        token = v;
        expected = "A PORT NUMBER";
        if (str_u32(v, strlen(v), &number) && number >= 1 && number <= 65535) {
            n->port = (u16)number;
            return true;
        }
    } else if ((v = command_value(op, "CLIent"))) {
        token = v;
        expected = "A JOB NAME";
        if (v[0] && strlen(v) <= 8) {
            str_copy(n->client, sizeof n->client, v);
            return true;
        }
    } else if ((v = command_value(op, "MAX"))) {
        token = v;
        expected = "A NUMBER FROM 1 TO 65535 OR *";
        n->max = 65535;
        if (v[0] == '*' && v[1] == '\0') return true;
        if (str_u32(v, strlen(v), &number) && number >= 1 && number <= 65535) {
            n->max = number;
            return true;
        }
    }
    reply_line(n->r, PLX0301E, token[0] ? token : op, expected);
    return false;
}

bool netstat_run(struct tcpip *ip, const struct reply *r, const char *const *op, u32 ops) {
    struct netstat n = {.ip = ip, .stk = ip->stk, .r = r, .max = ip->max_records};
    const struct report *report = NULL;
    for (u32 i = 0; i < ARRAY_LEN(reports) && ops; i++)
        if (keyword_matches(reports[i].spec, op[0])) report = &reports[i];
    if (!report) {
        reply_line(r, IEE309I, "DISPLAY TCPIP,,NETSTAT", ops ? op[0] : "");
        return false;
    }
    for (u32 i = 1; i < ops; i++)
        if (!filter(&n, op[i])) return false;
    reply_line(r, EZZ2500I, ip->name);
    report->run(&n);
    reply_line(r, "%u OF %u RECORDS DISPLAYED", n.shown, n.matched);
    return true;
}
