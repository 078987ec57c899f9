/* display.c - answers of MVS itself; see display.h. */
#include "super/display.h"

#include "base/str.h"
#include "super/messages.h"
#include "super/system.h"
#include "super/tcpip.h"

static struct calendar clock_at(const struct system *sys, u32 utc_seconds, bool local) {
    struct moment m;
    struct calendar c;
    system_moment(sys, &m);
    calendar_of(local ? utc_seconds + (u32)m.local_offset_seconds : utc_seconds, &c);
    return c;
}

static struct calendar clock_now(const struct system *sys, bool local) {
    return clock_at(sys, sys->env.wall_seconds(sys->env.ctx), local);
}

static const char *hms(const struct calendar *c, char out[9]) {
    str_fmt(out, 9, "%02u.%02u.%02u", (u32)c->hour, (u32)c->minute, (u32)c->second);
    return out;
}

static const char *julian(const struct calendar *c, char out[9]) {
    str_fmt(out, 9, "%04u.%03u", (u32)c->year, (u32)c->yday);
    return out;
}

const char *display_clock(const struct system *sys, char out[9]) {
    struct calendar c = clock_now(sys, true);
    return hms(&c, out);
}

const char *display_moment(const struct system *sys, u64 when, u64 now, char out[20]) {
    u32 ago = when < now ? (u32)((now - when) / USEC_PER_SEC) : 0;
    struct calendar c = clock_at(sys, sys->env.wall_seconds(sys->env.ctx) - ago, true);
    str_fmt(out, 20, "%02u/%02u/%04u %02u:%02u:%02u", (u32)c.month, (u32)c.day, (u32)c.year, (u32)c.hour,
            (u32)c.minute, (u32)c.second);
    return out;
}

/* Multi-line answers of MVS carry a number 1-999, so that the operator can refer to one. */
u32 display_number(struct system *sys) {
    sys->display_number = sys->display_number % 999 + 1;
    return sys->display_number;
}

void display_time(struct system *sys, const struct reply *r) {
    struct calendar local = clock_now(sys, true), utc = clock_now(sys, false);
    char t1[9], d1[9], t2[9], d2[9];
    reply_line(r, IEE136I, hms(&local, t1), julian(&local, d1), hms(&utc, t2), julian(&utc, d2));
}

void display_active(struct system *sys, const struct reply *r) {
    struct calendar c = clock_now(sys, true);
    char t[9], d[9];
    u32 tasks = 0;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        const struct tcpip *ip = sys->stacks[i];
        if (!ip || !ip->stk) continue;
        tasks++;
        for (u32 k = 0; k < TCPIP_PROGRAMS_MAX; k++) tasks += ip->programs[k].app != NULL;
    }
    reply_line(r, IEE114I, hms(&c, t), julian(&c, d), display_number(sys));
    reply_line(r, "  JOBS     M/S    TS USERS    SYSAS    INITS   ACTIVE/MAX VTAM     OAS");
    reply_line(r, " 00000    %05u    00000      00001    00000    00000/00000       00000", tasks);
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        const struct tcpip *ip = sys->stacks[i];
        if (!ip || !ip->stk) continue;
        reply_line(r, "  %-8s %-8s %-8s NSW  SO", ip->name, ip->name, "STACK");
        for (u32 k = 0; k < TCPIP_PROGRAMS_MAX; k++)
            if (ip->programs[k].app)
                reply_line(r, "  %-8s %-8s %-8s NSW  SO", ip->programs[k].jobname, ip->programs[k].proc,
                           ip->name);
    }
}

static void activity_line(const struct reply *r, const char *job, const char *step, const char *proc, u16 asid) {
    reply_line(r, "  %-8s %-8s %-8s NSW  SO  A=%04X   PER=NO   SMC=000", job, step, proc, (u32)asid);
}

bool display_job(struct system *sys, const char *jobname, const struct reply *r) {
    struct calendar c = clock_now(sys, true);
    char t[9], d[9];
    bool found = false;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        struct tcpip *ip = sys->stacks[i];
        if (!ip || !ip->stk) continue;
        const struct program *p = program_find(ip, jobname);
        bool itself = str_eq_ci(ip->name, jobname);
        if (!p && !itself) continue;
        if (!found) reply_line(r, IEE115I, hms(&c, t), julian(&c, d), display_number(sys));
        found = true;
        if (itself) activity_line(r, ip->name, ip->name, "STACK", ip->asid);
        if (p) activity_line(r, p->jobname, p->proc, ip->name, p->asid);
    }
    if (!found) reply_line(r, IEE341I, jobname);
    return found;
}

void display_symbols(struct system *sys, const struct reply *r) {
    const struct symbols *s = &sys->symbols;
    /* By name, as OS/390 lists them; the table is small and this is an operator's question. */
    bool shown[SYMBOLS_MAX] = {false};
    reply_line(r, IEA007I);
    for (u32 n = 0; n < s->count; n++) {
        const struct symbol *first = NULL;
        for (u32 i = 0; i < s->count; i++)
            if (!shown[i] && (!first || strcmp(s->table[i].name, first->name) < 0)) first = &s->table[i];
        shown[first - s->table] = true;
        char name[SYMBOL_NAME_MAX + 3];
        str_fmt(name, sizeof name, "&%s.", first->name);
        reply_line(r, "        %-10s = \"%s\"", name, first->text);
    }
}

static const char *suffix_list(const char list[][3], u32 n, char *out, u32 cap) {
    u32 at = 0;
    out[0] = '\0';
    for (u32 i = 0; i < n; i++) at += str_fmt(out + at, cap - at, "%s%s", i ? "," : "", list[i]);
    if (n > 1) {
        char inner[4 * SUFFIXES_MAX];
        str_copy(inner, sizeof inner, out);
        str_fmt(out, cap, "(%s)", inner);
    }
    return n ? out : "NONE";
}

void display_iplinfo(struct system *sys, const struct reply *r) {
    struct calendar c = clock_now(sys, true), ipl = clock_at(sys, sys->ipl_seconds, true);
    char t[9], list[4 * SUFFIXES_MAX + 4];
    reply_line(r, IEE254I, hms(&c, t), display_number(sys));
    reply_line(r, " SYSTEM IPLED AT %s ON %02u/%02u/%04u", hms(&ipl, t), (u32)ipl.month, (u32)ipl.day,
               (u32)ipl.year);
    reply_line(r, " RELEASE PLEX390    LICENSE = MIT");
    reply_line(r, " USED LOAD%s IN %s ON %04X", sys->load.suffix, sys->load.dsname, (u32)sys->ipl.device);
    reply_line(r, " ARCHLVL = 1   MTLSHARE = N");
    reply_line(r, " IEASYM LIST = %s",
               suffix_list((const char(*)[3])sys->load.ieasym, sys->load.ieasyms, list, sizeof list));
    reply_line(r, " IEASYS LIST = %s",
               suffix_list((const char(*)[3])sys->load.sysparm, sys->load.sysparms, list, sizeof list));
    reply_line(r, " IODF DEVICE %04X", (u32)sys->ipl.device);
    reply_line(r, " IPL DEVICE %04X VOLUME %s", (u32)sys->ipl.device, sys->ipl.volser);
    reply_line(r, " SYSTEM %s  SYSPLEX %s  LPARNAME %s  HWNAME %s", system_name(sys), sys->load.sysplex,
               sys->ipl.lparname[0] ? sys->ipl.lparname : "(NONE)",
               sys->ipl.hwname[0] ? sys->ipl.hwname : "(NONE)");
}

void display_stacks(struct system *sys, const struct reply *r) {
    struct calendar c = clock_now(sys, true);
    char t[9];
    u32 n = 0;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) n += sys->stacks[i] && sys->stacks[i]->stk;
    reply_line(r, EZAOP50I, hms(&c, t), display_number(sys));
    reply_line(r, "COUNT   TCPIP NAME   VERSION    STATUS");
    reply_line(r, "-----   ----------   --------   ----------------");
    for (u32 i = 0, k = 0; i < SYSTEM_STACKS_MAX; i++) {
        const struct tcpip *ip = sys->stacks[i];
        if (ip && ip->stk)
            reply_line(r, "%5u   %-8s     CS V2R10   %s", ++k, ip->name,
                       ip->stopping ? "STOPPING" : "ACTIVE");
    }
    reply_line(r, "*** END TCPIP STATUS REPORT ***  %u STACKS", n);
}

/* No message is retained here, so only questions are counted. */
void display_requests(struct system *sys, const struct reply *r) {
    const struct wtor *w;
    char t[9];
    u32 n = 0;
    while (wtor_at(&sys->wtors, n)) n++;
    reply_line(r, IEE112I, display_clock(sys, t), display_number(sys));
    reply_line(r, "RM=%-4u IM=0     CEM=0     EM=0     RU=0    IR=0    NOAMRF", n);
    if (n) reply_line(r, "ID:R/K    T SYSNAME  MESSAGE TEXT");
    for (u32 i = 0; (w = wtor_at(&sys->wtors, i)) != NULL; i++)
        reply_line(r, "       %02u R %-8s *%02u %s", w->id, system_name(sys), w->id, w->text);
}

void display_started(struct system *sys, const char *jobname) {
    struct calendar c = clock_now(sys, true);
    char t[9];
    console_message(sys->env.con, IEF403I, jobname, hms(&c, t));
}

void display_ended(struct system *sys, const char *jobname) {
    struct calendar c = clock_now(sys, true);
    char t[9];
    console_message(sys->env.con, IEF404I, jobname, hms(&c, t));
}
