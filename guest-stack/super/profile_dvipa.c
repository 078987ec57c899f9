/* profile_dvipa.c - the VIPADYNAMIC block, and what GLOBALCONFIG says of the sysplex monitor.
 *
 *   VIPADYNAMIC
 *     VIPADEFine [MOVEable {IMMEDiate|WHENIDLE}] mask ipaddr...
 *     VIPABackup [rank] ipaddr...
 *     VIPABackup [rank] MOVEable {IMMEDiate|WHENIDLE} mask ipaddr...
 *     VIPARange  [DEFINE|DELEte] [MOVEable {NONDISRUPTive|DISRUPTive}] mask ipaddr
 *     VIPADELete ipaddr...
 *     VIPAROUTe  [DEFINE|DELEte] dynxcfip targetip
 *     VIPADISTribute ...                                         (profile_dist.c)
 *   ENDVIPADYNAMIC
 *
 *   GLOBALCONFIG SYSPLEXMONitor [TIMERSECS 10..3600] [RECOVERY|NORECOVERY] [AUTOREJOIN|NOAUTOREJOIN] [DELAYJOIN|NODELAYJOIN]
 *                               [MONINTERFACE|NOMONINTERFACE] [JOIN|NOJOIN]
 *
 * In order; what stands before an error is in force, the rest of the block is not read (EZZ0312I). In an OBEYFILE the
 * statements add to what is there.
 */
#include "base/str.h"
#include "net/stack.h"
#include "super/console.h"
#include "super/dist_cmd.h"
#include "super/messages.h"
#include "super/plexip.h"
#include "super/profile.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "sysplex/distributor.h"
#include "sysplex/dvipa.h"
#include "sysplex/monitor.h"
#include "sysplex/sysplex.h"
#include "sysplex/viparoute.h"

static bool rejected(struct profile *p, const char *what, struct ipaddr addr, int rc) {
    char text[IPADDR_TEXT_MAX];
    const char *why = rc == -ERR_EXIST   ? "THE ADDRESS IS IN USE HERE OR AS A PROGRAM'S IN THE SYSPLEX"
                      : rc == -ERR_NOENT ? "THERE IS NONE"
                      : rc == -ERR_NOMEM ? "THE TABLE IS FULL"
                                         : "IT CANNOT BE A HOST'S ADDRESS";
    p->errors++;
    console_message(p->ip->sys->env.con, PLX0504E, what, ipaddr_text(addr, text), why);
    return profile_where(p);
}

/* Is an address in front? It is not taken. */
static bool address_ahead(struct profile *p) {
    const char *t = profile_peek(p);
    struct ipaddr a;
    return t && ipaddr_parse(t, strlen(t), &a);
}

/* MOVEABLE and its word; *m stays as it is if there is none. */
static bool moveable(struct profile *p, enum dvipa_moveable *m, bool *said) {
    *said = profile_keyword(p, "MOVEable");
    if (!*said) return true;
    bool range = *m == DVIPA_NONDISRUPTIVE;
    if (!range && profile_keyword(p, "IMMEDiate"))
        *m = DVIPA_IMMEDIATE;
    else if (!range && profile_keyword(p, "WHENIDLE"))
        *m = DVIPA_WHENIDLE;
    else if (range && profile_keyword(p, "NONDISRUPTive"))
        *m = DVIPA_NONDISRUPTIVE;
    else if (range && profile_keyword(p, "DISRUPTive"))
        *m = DVIPA_DISRUPTIVE;
    else
        return profile_expected(p, range ? "NONDISRUPTIVE OR DISRUPTIVE" : "IMMEDIATE OR WHENIDLE");
    return true;
}

static bool vipadefine(struct profile *p) {
    enum dvipa_moveable m = DVIPA_IMMEDIATE;
    struct ipaddr mask, addr;
    bool said;
    if (!moveable(p, &m, &said) || !profile_mask(p, &mask)) return false;
    do {
        if (!profile_address(p, &addr)) return false;
        int rc = dvipa_define(p->ip->sx, addr, mask, m, p->now);
        if (rc) return rejected(p, "VIPADEFINE", addr, rc);
    } while (address_ahead(p));
    return true;
}

static bool vipabackup(struct profile *p) {
    enum dvipa_moveable m = DVIPA_IMMEDIATE;
    struct ipaddr mask = IPADDR_ANY, addr;
    const char *t = profile_peek(p);
    u32 rank = 1, number;
    bool create;
    if (t && str_u32(t, strlen(t), &number) && !profile_number(p, 1, 254, &rank)) return false;
    if (!moveable(p, &m, &create) || (create && !profile_mask(p, &mask))) return false;
    do {
        if (!profile_address(p, &addr)) return false;
        int rc = dvipa_backup(p->ip->sx, addr, (u8)rank, mask, m, p->now);
        if (rc) return rejected(p, "VIPABACKUP", addr, rc);
    } while (address_ahead(p));
    return true;
}

static bool viparange(struct profile *p) {
    enum dvipa_moveable m = DVIPA_NONDISRUPTIVE;
    struct ipaddr mask, addr;
    bool said, away = profile_keyword(p, "DELEte");
    if (!away) profile_keyword(p, "DEFINE");
    if (!moveable(p, &m, &said) || !profile_mask(p, &mask) || !profile_address(p, &addr)) return false;
    int rc = away ? dvipa_range_delete(p->ip->sx, addr, mask) : dvipa_range(p->ip->sx, addr, mask, m, p->now);
    return rc ? rejected(p, "VIPARANGE", addr, rc) : true;
}

static bool vipadelete(struct profile *p) {
    struct ipaddr addr;
    do {
        if (!profile_address(p, &addr)) return false;
        int rc = dvipa_delete(p->ip->sx, addr, p->now);
        if (rc) return rejected(p, "VIPADELETE", addr, rc);
        distributor_forget(p->ip->dist, addr, p->now);
    } while (address_ahead(p));
    return true;
}

static bool viparoute(struct profile *p) {
    struct ipaddr dynxcf, target;
    bool away = profile_keyword(p, "DELEte");
    if (!away) profile_keyword(p, "DEFINE");
    if (!profile_address(p, &dynxcf) || !profile_address(p, &target)) return false;
    int rc = away ? viparoute_delete(p->ip->sx, dynxcf, target) : viparoute_define(p->ip->sx, dynxcf, target);
    return rc ? rejected(p, "VIPAROUTE", dynxcf, rc) : true;
}

static const struct entry {
    const char *name;
    bool (*run)(struct profile *p);
} entries[] = {
    {"VIPADEFine", vipadefine},
    {"VIPABackup", vipabackup},
    {"VIPARange", viparange},
    {"VIPADELete", vipadelete},
    {"VIPADISTribute", stmt_vipadistribute},
    {"VIPAROUTe", viparoute},
};

bool stmt_vipadynamic(struct profile *p) {
    if (!p->ip->sx) {
        p->errors++;
        console_message(p->ip->sys->env.con, PLX0503E, "VIPADYNAMIC");
        return profile_where(p);
    }
    while (!profile_keyword(p, "ENDVIPADYNAMIC")) {
        const struct entry *e = NULL;
        for (u32 i = 0; i < ARRAY_LEN(entries) && !e; i++)
            if (profile_keyword(p, entries[i].name)) e = &entries[i];
        if (!e) return profile_expected(p, "VIPADEFINE, VIPABACKUP, VIPARANGE, VIPADELETE, VIPADISTRIBUTE, VIPAROUTE OR ENDVIPADYNAMIC");
        if (!e->run(p)) return false;
    }
    return true;
}

/* ---- GLOBALCONFIG SYSPLEXMONITOR ---- */

/* Parameters until a token is none of them; AUTOREJOIN without RECOVERY asks for what cannot happen. */
bool stmt_sysplexmonitor(struct profile *p) {
    struct sysplex *sx = p->ip->sx;
    struct monitor_config c = {.timer_sec = MONITOR_TIMER_SEC};
    const struct {
        const char *on, *off;
        bool *value;
    } words[] = {{"RECOVERY", "NORECOVERY", &c.recovery},
                 {"AUTOREJOIN", "NOAUTOREJOIN", &c.autorejoin},
                 {"DELAYJOIN", "NODELAYJOIN", &c.delayjoin},
                 {"MONINTERFACE", "NOMONINTERFACE", &c.moninterface}};
    bool nojoin = false, more = true;
    if (sx) c = *monitor_config(sx);
    while (more) {
        more = false;
        for (u32 i = 0; i < ARRAY_LEN(words) && !more; i++) {
            bool on = profile_keyword(p, words[i].on), off = !on && profile_keyword(p, words[i].off);
            if (on || off) *words[i].value = on;
            more = on || off;
        }
        if (more) continue;
        more = true;
        if (profile_keyword(p, "TIMERSECS")) {
            if (!profile_number(p, MONITOR_TIMER_MIN, MONITOR_TIMER_MAX, &c.timer_sec)) return false;
        } else if (profile_keyword(p, "NOJOIN")) {
            nojoin = true;
        } else if (!profile_keyword(p, "JOIN") && !profile_keyword(p, "NODYNROUTE")) {
            more = false;
        }
    }
    if (c.autorejoin && !c.recovery) return profile_expected(p, "RECOVERY BESIDE AUTOREJOIN");
    if (!sx) { /* said once for the sysplex's statements; the other parameters are good */
        p->errors++;
        console_message(p->ip->sys->env.con, PLX0503E, "SYSPLEXMONITOR");
        profile_where(p);
        return true;
    }
    if (nojoin) sysplex_nojoin(sx, true);
    monitor_configure(sx, &c, p->now);
    return true;
}
