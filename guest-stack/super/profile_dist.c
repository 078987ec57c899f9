/* profile_dist.c - VIPADISTRIBUTE, a statement of the VIPADYNAMIC block.
 *
 *   VIPADISTribute [DEFINE|DELEte] option... ipaddr [PORT {n|n-n}...] DESTIP {ALL | dynxcf [WEIGHT n|PREFERRED|BACKUP n]...}
 *   option   DISTMethod {BASEWLM | ROUNDROBIN | WEIGHTEDActive |
 *                        HOTSTANDBY [AUTOSWITCHBACK|NOAUTOSWITCHBACK] [HEALTHSWITCH|NOHEALTHSWITCH]}
 *            SYSPLEXPorts   NOOPTLOCAL | OPTLOCAL [0..16]   TIMEDAFFinity 0..9999
 *
 * The DVIPA must have been named by a VIPADEFINE or VIPABACKUP before. At most 64 ports and 32 targets a statement, each target
 * once. WEIGHT, PREFERRED and BACKUP are refused with a method that has no use for them, as they would mean nothing. A target
 * outside of this stack's DYNAMICXCF subnet is nobody's, or one that is coded wrong: PLX0509W. DELETE
 * takes ports away; without PORT all of the address, and DESTIP may be left out, as may the method whose words it repeats.
 */
#include "base/str.h"
#include "super/console.h"
#include "super/dist_cmd.h"
#include "super/messages.h"
#include "super/profile.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "sysplex/distributor.h"
#include "sysplex/dvipa.h"

static bool rejected(struct profile *p, struct ipaddr addr, const char *why) {
    char text[IPADDR_TEXT_MAX];
    p->errors++;
    console_message(p->ip->sys->env.con, PLX0504E, "VIPADISTRIBUTE", ipaddr_text(addr, text), why);
    return profile_where(p);
}

/* ---- options ---- */

static bool method(struct profile *p, struct dist_options *o) {
    static const char *const names[DIST_METHODS] = {[DIST_BASEWLM] = "BASEWLM",
                                                    [DIST_ROUNDROBIN] = "ROUNDROBIN",
                                                    [DIST_WEIGHTEDACTIVE] = "WEIGHTEDActive",
                                                    [DIST_HOTSTANDBY] = "HOTSTANDBY"};
    u32 m = 0;
    while (m < DIST_METHODS && !profile_keyword(p, names[m])) m++;
    if (m == DIST_METHODS) return profile_expected(p, "BASEWLM, ROUNDROBIN, WEIGHTEDACTIVE OR HOTSTANDBY");
    o->method = (u8)m;
    while (m == DIST_HOTSTANDBY) {
        if (profile_keyword(p, "NOAUTOSWITCHBACK"))
            o->flags |= VDPT_NOSWITCHBACK;
        else if (profile_keyword(p, "NOHEALTHSWITCH"))
            o->flags |= VDPT_NOHEALTHSWITCH;
        else if (!profile_keyword(p, "AUTOSWITCHBACK") && !profile_keyword(p, "HEALTHSWITCH"))
            break;
    }
    return true;
}

static bool at_digit(struct profile *p) {
    const char *t = profile_peek(p);
    return t && t[0] >= '0' && t[0] <= '9';
}

static bool at_address(struct profile *p) {
    const char *t = profile_peek(p);
    struct ipaddr a;
    return t && ipaddr_parse(t, strlen(t), &a);
}

static bool options(struct profile *p, struct dist_options *o) {
    u32 n;
    while (!at_address(p)) {
        if (profile_keyword(p, "DISTMethod")) {
            if (!method(p, o)) return false;
        } else if (profile_keyword(p, "SYSPLEXPorts")) {
            o->sysplexports = true;
        } else if (profile_keyword(p, "NOOPTLOCAL")) {
            o->optlocal = 0;
        } else if (profile_keyword(p, "OPTLOCAL")) {
            n = 1;
            if (at_digit(p) && !at_address(p) && !profile_number(p, 0, DIST_OPTLOCAL_MAX, &n)) return false;
            o->optlocal = (u8)(n + 1);
        } else if (profile_keyword(p, "TIMEDAFFinity")) {
            if (!profile_number(p, 0, DIST_AFFINITY_MAX, &n)) return false;
            o->affinity_sec = (u16)n;
        } else {
            return profile_expected(p, "DISTMETHOD, SYSPLEXPORTS, OPTLOCAL, TIMEDAFFINITY OR AN IP ADDRESS");
        }
    }
    return true;
}

/* ---- lists ---- */

/* "80" or "6000-6009". */
static bool port_item(struct profile *p, struct dist_statement *s) {
    const char *t = profile_peek(p);
    size_t len = strlen(t), dash = 0;
    u32 first, last;
    while (dash < len && t[dash] != '-') dash++;
    bool good = str_u32(t, dash, &first);
    last = first;
    if (dash < len) good = good && str_u32(t + dash + 1, len - dash - 1, &last);
    if (!good || first < 1 || last > 65535 || last < first) return profile_expected(p, "A PORT NUMBER OR A RANGE OF THEM");
    if (last - first + 1 > DIST_PORTS_MAX - (u32)s->ports) return profile_expected(p, "AT MOST 64 PORTS");
    for (u32 n = first; n <= last; n++) s->port[s->ports++] = (u16)n;
    profile_take(p);
    return true;
}

static bool port_list(struct profile *p, struct dist_statement *s) {
    if (!profile_keyword(p, "PORT")) return true;
    if (!at_digit(p)) return profile_expected(p, "A PORT NUMBER OR A RANGE OF THEM");
    while (at_digit(p))
        if (!port_item(p, s)) return false;
    return true;
}

static bool is_named(const struct dist_statement *s, struct ipaddr dynxcf) {
    for (u32 i = 0; i < s->dests; i++)
        if (ipaddr_eq(s->dest[i].dynxcf, dynxcf)) return true;
    return false;
}

/* A word of one method, in front of any target's other words, stands in a statement with that method. */
static bool method_fits(struct profile *p, const struct dist_statement *s) {
    const char *t = profile_peek(p);
    bool weight = t && keyword_matches("WEIGHT", t);
    bool standby = t && (keyword_matches("PREFERRED", t) || keyword_matches("BACKUP", t));
    if (weight && s->options.method != DIST_WEIGHTEDACTIVE) return profile_expected(p, "DISTMETHOD WEIGHTEDACTIVE IN FRONT OF IT");
    if (standby && s->options.method != DIST_HOTSTANDBY) return profile_expected(p, "DISTMETHOD HOTSTANDBY IN FRONT OF IT");
    return true;
}

static bool destination(struct profile *p, struct dist_statement *s, bool away) {
    struct dist_dest *d = &s->dest[s->dests];
    const char *t = profile_peek(p);
    struct ipaddr a;
    u32 n;
    if (s->dests == DIST_TARGETS_MAX) return profile_expected(p, "AT MOST 32 TARGETS");
    /* HOTSTANDBY's own message says it of PREFERRED and BACKUP. */
    bool twice = t && ipaddr_parse(t, strlen(t), &a) && is_named(s, a);
    if (twice && s->options.method != DIST_HOTSTANDBY) return profile_expected(p, "AN ADDRESS THAT IS NOT IN THE LIST YET");
    *d = (struct dist_dest){.weight = VDPT_WEIGHT_DEFAULT, .rank = 1};
    if (!profile_address(p, &d->dynxcf)) return false;
    s->dests++;
    if (!away && !method_fits(p, s)) return false;
    if (profile_keyword(p, "WEIGHT")) {
        if (!profile_number(p, 1, 99, &n)) return false;
        d->weight = (u8)n;
    } else if (profile_keyword(p, "PREFERRED")) {
        d->rank = 0;
    } else if (profile_keyword(p, "BACKUP")) {
        if (!profile_number(p, 1, 254, &n)) return false;
        d->rank = (u8)n;
    }
    return true;
}

static bool destinations(struct profile *p, struct dist_statement *s, bool away) {
    if (!profile_keyword(p, "DESTIP")) return away ? true : profile_expected(p, s->ports ? "A PORT NUMBER OR DESTIP" : "PORT OR DESTIP");
    bool all = profile_keyword(p, "ALL");
    while (!all && (!s->dests || at_address(p)))
        if (!destination(p, s, away)) return false;
    const char *t = profile_peek(p);
    /* Else one half of the list would be in force, and the other one be no statement. */
    if (at_address(p) || (t && str_eq_ci(t, "ALL"))) return profile_expected(p, "EITHER ALL OR ADDRESSES");
    return true;
}

/* What can be no target is said; a stack that has not its DYNAMICXCF yet cannot know. */
static void warn_of_targets(struct profile *p, const struct dist_statement *s) {
    char target[IPADDR_TEXT_MAX], text[IPADDR_TEXT_MAX];
    struct ipaddr own = sysplex_dynxcf(p->ip->sx), mask = sysplex_dynxcf_mask(p->ip->sx);
    for (u32 i = 0; i < s->dests && !ipaddr_is_any(own); i++) {
        if (!((s->dest[i].dynxcf.v4 ^ own.v4) & mask.v4)) continue;
        console_message(p->ip->sys->env.con, PLX0509W, ipaddr_text(s->dest[i].dynxcf, target), ipaddr_text(s->dvipa, text));
        profile_where(p);
    }
}

/* ---- the statement ---- */

struct known {
    struct ipaddr addr;
    bool found;
};

static void is_it(void *ctx, const struct dvipa_config *c) {
    struct known *k = ctx;
    k->found |= (c->define || c->backup) && ipaddr_eq(c->addr, k->addr);
}

bool stmt_vipadistribute(struct profile *p) {
    struct dist_statement s = {.options = {.method = DIST_BASEWLM}};
    bool away = profile_keyword(p, "DELEte");
    if (!away) profile_keyword(p, "DEFINE");
    if (!options(p, &s.options) || !profile_address(p, &s.dvipa) || !port_list(p, &s) || !destinations(p, &s, away)) return false;
    struct known k = {.addr = s.dvipa};
    dvipa_config_for_each(p->ip->sx, is_it, &k);
    if (!k.found && !away) return rejected(p, s.dvipa, "NO VIPADEFINE OR VIPABACKUP NAMES IT");
    int rc = away ? distributor_delete(p->ip->dist, &s, p->now) : distributor_define(p->ip->dist, &s, p->now);
    if (rc == 0 && !away) warn_of_targets(p, &s);
    if (rc == 0) return true;
    if (rc == -ERR_INVAL) {
        p->errors++;
        console_message(p->ip->sys->env.con, EZZ0830I);
        return profile_where(p);
    }
    return rejected(p, s.dvipa, rc == -ERR_NOENT ? "NO VIPADISTRIBUTE OF THIS STACK NAMES IT" : "THE TABLE IS FULL");
}
