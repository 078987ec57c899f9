/* profile_telnet.c - TELNETPARMS and BEGINVTAM: the TN3270 server of the stack.
 *
 *   TELNETPARMS    PORT num   INACTIVE seconds   TIMEMARK seconds   SCANINTERVAL seconds        ENDTELNETPARMS
 *                  known and without effect: PRTINACTIVE n  KEEPINACTIVE n  SMFINIT x  SMFTERM x  CODEPAGE a b  TESTMODE
 *   BEGINVTAM      PORT num   DEFAULTLUS { name | first..last }... ENDDEFAULTLUS                ENDVTAM
 *                  known and without effect: DEFAULTAPPL x  LINEMODEAPPL x  ALLOWAPPL x  RESTRICTAPPL x  USSTCP x
 *                  TELNETDEVICE terminal logmode
 *
 * The only application is the panel, so what chooses between applications of VTAM is accepted and said to have no effect.
 * DEFAULTLUS: as many sessions as LUs; their names count up from the first.
 */
#include "super/profile_telnet.h"

#include "base/str.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/profile.h"
#include "super/system.h"
#include "super/tcpip.h"

#define SESSIONS_MAX 2048

static struct console *con(struct profile *p) { return p->ip->sys->env.con; }

void telnet_parms_default(struct telnet_parms *t) {
    *t = (struct telnet_parms){.port = 23, .timemark_sec = 600, .scan_sec = 120, .sessions = 256, .first_lu = "TCP00001"};
}

/* One of the keywords that take so many words and change nothing here. */
struct without_effect {
    const char *name;
    u32 words;
};

static bool passed_over(struct profile *p, const struct without_effect *list, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (!profile_keyword(p, list[i].name)) continue;
        console_message(con(p), PLX0204I, list[i].name);
        for (u32 k = 0; k < list[i].words && profile_peek(p); k++) profile_take(p);
        return true;
    }
    return false;
}

bool stmt_telnetparms(struct profile *p) {
    static const struct without_effect other[] = {{"PRTINACTIVE", 1}, {"KEEPINACTIVE", 1}, {"SMFINIT", 1},
                                                  {"SMFTERM", 1},     {"CODEPAGE", 2},     {"TESTMODE", 0}};
    struct telnet_parms *t = &p->ip->telnet;
    const struct {
        const char *name;
        u32 low, high, *value;
    } numbers[] = {{"PORT", 1, 65535, &t->port},
                   {"INACTIVE", 0, 99999999, &t->inactive_sec},
                   {"TIMEMARK", 0, 99999999, &t->timemark_sec},
                   {"SCANINTERVAL", 1, 99999999, &t->scan_sec}};
    while (!profile_keyword(p, "ENDTELNETPARMS")) {
        u32 i = 0;
        while (i < ARRAY_LEN(numbers) && !profile_keyword(p, numbers[i].name)) i++;
        if (i < ARRAY_LEN(numbers)) {
            if (!profile_number(p, numbers[i].low, numbers[i].high, numbers[i].value)) return false;
        } else if (!passed_over(p, other, ARRAY_LEN(other))) {
            return profile_expected(p, "PORT, INACTIVE, TIMEMARK, SCANINTERVAL OR ENDTELNETPARMS");
        }
    }
    t->wanted = t->changed = true;
    return true;
}

/* The number at the end of a name and how many digits it has; 0 digits: there is none. */
static u32 trailing_number(const char *name, u32 len, u32 *digits) {
    u32 n = 0;
    *digits = 0;
    while (*digits < len && name[len - *digits - 1] >= '0' && name[len - *digits - 1] <= '9') ++*digits;
    return str_u32(name + len - *digits, *digits, &n) ? n : 0;
}

/* "TCP00001..TCP00064" or one name. */
static bool lu_range(struct profile *p, const char *t, char first[9], u32 *count) {
    u32 len = 0, digits, last_digits;
    while (t[len] && t[len] != '.') len++;
    if (len < 3 || len > 8) return profile_expected(p, "AN LU NAME OF 3-8 CHARACTERS THAT ENDS WITH A NUMBER");
    str_copy(first, len + 1, t);
    u32 low = trailing_number(t, len, &digits), high = low;
    if (t[len] == '.' && t[len + 1] == '.') high = trailing_number(t + len + 2, (u32)strlen(t + len + 2), &last_digits);
    *count = high - low + 1;
    if (digits < 2 || digits == len || high < low || *count > SESSIONS_MAX)
        return profile_expected(p, "A RANGE LIKE TCP00001..TCP00064 OF AT MOST 2048 NAMES");
    profile_take(p);
    return true;
}

static bool default_lus(struct profile *p, struct telnet_parms *t) {
    u32 total = 0, count = 0;
    while (!profile_keyword(p, "ENDDEFAULTLUS")) {
        const char *token = profile_peek(p);
        char first[9];
        if (!token) return profile_expected(p, "ENDDEFAULTLUS");
        if (!lu_range(p, token, first, &count)) return false;
        if (total == 0) str_copy(t->first_lu, sizeof t->first_lu, first);
        total = u32_min(total + count, SESSIONS_MAX);
    }
    if (total) t->sessions = total;
    return true;
}

bool stmt_beginvtam(struct profile *p) {
    static const struct without_effect other[] = {{"DEFAULTAPPL", 1},  {"LINEMODEAPPL", 1}, {"ALLOWAPPL", 1},
                                                  {"RESTRICTAPPL", 1}, {"USSTCP", 1},       {"TELNETDEVICE", 2}};
    struct telnet_parms *t = &p->ip->telnet;
    while (!profile_keyword(p, "ENDVTAM")) {
        if (profile_keyword(p, "PORT")) {
            if (!profile_number(p, 1, 65535, &t->port)) return false;
        } else if (profile_keyword(p, "DEFAULTLUS")) {
            if (!default_lus(p, t)) return false;
        } else if (!passed_over(p, other, ARRAY_LEN(other))) {
            return profile_expected(p, "PORT, DEFAULTLUS OR ENDVTAM");
        }
    }
    t->changed = true;
    return true;
}

void telnet_start(struct tcpip *ip, u64 now) {
    struct telnet_parms *t = &ip->telnet;
    char parm[81];
    if (!t->wanted || !t->changed) return;
    if (program_find(ip, TELNET_JOBNAME)) {
        /* Its table of sessions is as large as it is; nobody is thrown out by an OBEYFILE. */
        console_message(ip->sys->env.con, PLX0432I, TELNET_JOBNAME);
        return;
    }
    str_fmt(parm, sizeof parm, "PORT=%u,SESSIONS=%u,LU=%s,INACTIVE=%u,TIMEMARK=%u,SCAN=%u", t->port, t->sessions, t->first_lu,
            t->inactive_sec, t->timemark_sec, t->scan_sec);
    t->changed = program_start(ip, "TN3270", TELNET_JOBNAME, parm, now) != 0;
}
