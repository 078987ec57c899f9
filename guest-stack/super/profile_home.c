/* profile_home.c - HOME, PRIMARYINTERFACE and BSDROUTINGPARMS.
 *
 *   HOME { ipaddr link }...
 *   PRIMARYINTERFACE link
 *   BSDROUTINGPARMS {TRUE|FALSE} { link {mtu|DEFAULTSIZE} metric mask destaddr }... ENDBSDROUTINGPARMS
 *
 * The first HOME and the first BSDROUTINGPARMS of a file replace what an earlier file said; further ones in
 * the same file (each INCLUDE may bring one) add. An error in a HOME list ends the list; entries before it
 * stand.
 */
#include "base/str.h"
#include "net/home.h"
#include "net/link.h"
#include "net/route.h"
#include "net/stack_impl.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/profile.h"
#include "super/system.h"
#include "super/tcpip.h"

static struct console *con(struct profile *p) { return p->ip->sys->env.con; }

static struct link *link_token(struct profile *p) {
    const char *t = profile_peek(p);
    struct link *lnk = t ? link_find(p->ip->stk, t) : NULL;
    if (lnk)
        profile_take(p);
    else
        profile_expected(p, "THE NAME OF A LINK DEFINED EARLIER");
    return lnk;
}

static bool home_refused(struct profile *p, struct ipaddr addr, u32 line, int rc) {
    char text[IPADDR_TEXT_MAX];
    p->errors++;
    if (ipaddr_is_loopback(addr)) {
        console_message(con(p), EZZ0344I, ipaddr_text(addr, text), line);
        return profile_where(p);
    }
    console_message(con(p), PLX0230E, ipaddr_text(addr, text), line,
                    rc == -ERR_EXIST   ? "IT IS IN THE LIST ALREADY"
                    : rc == -ERR_NOMEM ? "THE LIST IS FULL"
                    : rc == -ERR_BUSY  ? "ITS LINK HAS AN ADDRESS ALREADY"
                                       : "IT CANNOT BE A HOST'S ADDRESS");
    return profile_where(p);
}

bool stmt_home(struct profile *p) {
    struct stack *stk = p->ip->stk;
    if (!p->home_seen) home_clear(stk, p->now);
    p->home_seen = true;
    bool good = true;
    do {
        struct ipaddr addr;
        u32 line = p->taken_line;
        struct link *lnk;
        good = profile_address(p, &addr) && (line = p->taken_line, lnk = link_token(p));
        if (!good) break;
        int rc = ipaddr_is_loopback(addr) ? -ERR_INVAL : home_add(stk, addr, lnk, 0, p->now);
        if (rc) good = home_refused(p, addr, line, rc);
    } while (good && !profile_at_statement(p));
    /* What was taken before an error stands, so its subnets must be routed too. */
    route_direct_refresh(stk, p->now);
    return good;
}

bool stmt_primaryinterface(struct profile *p) {
    struct link *lnk = link_token(p);
    if (!lnk) return false;
    home_set_primary(p->ip->stk, lnk);
    return true;
}

static bool bsd_entry(struct profile *p) {
    struct link *lnk = link_token(p);
    u32 mtu = 0, metric;
    struct ipaddr mask, dest;
    if (!lnk) return false;
    if (!profile_keyword(p, "DEFAULTSIZE") && !profile_number(p, 0, 65535, &mtu)) return false;
    if (!profile_number(p, 0, 14, &metric) || !profile_mask(p, &mask)) return false;
    if (profile_keyword(p, "0"))
        dest = IPADDR_ANY;
    else if (!profile_address(p, &dest))
        return false;
    lnk->bsd_mtu_bytes = mtu;
    lnk->bsd_metric = (u8)metric;
    lnk->bsd_mask = mask;
    lnk->bsd_dest = dest;
    return true;
}

bool stmt_bsdroutingparms(struct profile *p) {
    struct stack *stk = p->ip->stk;
    if (!p->bsd_seen) {
        LIST_FOR_EACH(it, &stk->links) {
            struct link *lnk = LIST_ENTRY(it, struct link, node);
            lnk->bsd_mtu_bytes = 0;
            lnk->bsd_metric = 0;
            lnk->bsd_mask = lnk->bsd_dest = IPADDR_ANY;
        }
    }
    p->bsd_seen = true;
    bool good = true;
    if (!profile_keyword(p, "TRUE") && !profile_keyword(p, "FALSE"))
        good = profile_expected(p, "TRUE OR FALSE");
    while (good && !profile_keyword(p, "ENDBSDROUTINGPARMS")) good = bsd_entry(p);
    route_direct_refresh(stk, p->now);
    return good;
}
