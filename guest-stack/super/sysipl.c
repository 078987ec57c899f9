/* sysipl.c - from IPL parameters to a named image: LOADxx, IEASYMxx, system symbols. Order of calls: system.h.
 *
 * LOADxx is looked for in SYS0.IPLPARM to SYS9.IPLPARM, then in SYS1.PARMLIB; other members in the PARMLIB
 * concatenation of LOADxx, which is SYS1.PARMLIB if LOADxx names none. SYSNAME is what IEASYMxx says, else
 * the LPAR's name, else the machine's, else SYSTEM. SYSCLONE is what IEASYMxx says, else the last two
 * characters of SYSNAME. An image whose symbols are not what was asked for would take another image's
 * addresses: any error is a wait.
 *
 * Touches data sets, console and the symbol table only: the host's EZACFSM1 is this file and four others.
 */
#include "super/system.h"

#include "base/str.h"
#include "super/messages.h"

#define PARMLIB_DEFAULT "SYS1.PARMLIB"

static struct console *con(const struct system *sys) { return sys->env.con; }

int system_parmlib_read(struct system *sys, const char *member, struct member *out, const char **where) {
    if (sys->load.parmlibs == 0) {
        *where = PARMLIB_DEFAULT;
        return dataset_read(sys->env.ds, PARMLIB_DEFAULT, member, out);
    }
    for (u32 i = 0; i < sys->load.parmlibs; i++) {
        *where = sys->load.parmlib[i];
        int rc = dataset_read(sys->env.ds, *where, member, out);
        if (rc != -ERR_NOENT) return rc;
    }
    return -ERR_NOENT;
}

static struct image_id image_id(const struct system *sys) {
    return (struct image_id){sys->ipl.hwname, sys->ipl.lparname, sys->ipl.vmuserid};
}

/* ---- LOADxx ---- */

static void loadparm_parse(struct system *sys) {
    const char *lp = sys->ipl.loadparm;
    size_t len = strlen(lp);
    u32 device;
    str_copy(sys->load.suffix, sizeof sys->load.suffix, "00");
    if (len >= 4 && str_hex_u32(lp, 4, &device) && device != sys->ipl.device)
        console_message(con(sys), PLX0105W, lp, (u32)sys->ipl.device);
    if (len >= 6 && lp[4] != ' ' && lp[5] != ' ') {
        sys->load.suffix[0] = lp[4];
        sys->load.suffix[1] = lp[5];
    }
}

static u32 load_read(struct system *sys) {
    char member[9];
    struct member m;
    int rc = -ERR_NOENT;
    loadparm_parse(sys);
    str_fmt(member, sizeof member, "LOAD%s", sys->load.suffix);
    for (u32 i = 0; i <= 10 && rc == -ERR_NOENT; i++) {
        if (i < 10)
            str_fmt(sys->load.dsname, sizeof sys->load.dsname, "SYS%u.IPLPARM", i);
        else
            str_copy(sys->load.dsname, sizeof sys->load.dsname, PARMLIB_DEFAULT);
        rc = dataset_read(sys->env.ds, sys->load.dsname, member, &m);
    }
    if (rc) {
        if (rc == -ERR_NOENT)
            console_message(con(sys), PLX0102E, member);
        else
            console_message(con(sys), PLX0103E, member);
        return rc == -ERR_NOENT ? WAIT_LOADXX : WAIT_PARMLIB;
    }
    console_message(con(sys), IEA371I, sys->load.dsname, (u32)sys->ipl.device);
    console_message(con(sys), IEA246I, sys->load.suffix);
    struct image_id id = image_id(sys);
    struct parm_error err;
    bool good = parmlib_loadxx(m.text, &id, &sys->load, &err);
    dataset_release(sys->env.ds, &m);
    if (good) return 0;
    console_message(con(sys), PLX0101E, member, err.line, err.token, err.expected);
    return WAIT_LOADXX;
}

/* ---- IEASYMxx ---- */

static u32 symbol_wait(struct system *sys, const char *member, const struct parm_error *err) {
    console_message(con(sys), IEA009I, (u32)err->reason, member, err->line, err->token, err->expected);
    return WAIT_IEASYMXX;
}

static u32 ieasym_read(struct system *sys, const char *suffix, struct ieasym *into) {
    char member[9];
    struct member m;
    const char *where;
    struct parm_error err = {.reason = SYMERR_MEMBER, .expected = "A MEMBER OF PARMLIB"};
    str_fmt(member, sizeof member, "IEASYM%s", suffix);
    int rc = system_parmlib_read(sys, member, &m, &where);
    if (rc) {
        if (rc != -ERR_NOENT) err.reason = SYMERR_IO;
        str_copy(err.token, sizeof err.token, member);
        return symbol_wait(sys, member, &err);
    }
    if (sys->load.ieasym_list) console_message(con(sys), IEE252I, member, where);
    struct image_id id = image_id(sys);
    bool good = parmlib_ieasym(m.text, &id, &sys->symbols, into, &err);
    dataset_release(sys->env.ds, &m);
    return good ? 0 : symbol_wait(sys, member, &err);
}

static const char *default_name(const struct system *sys) {
    if (sys->ipl.lparname[0]) return sys->ipl.lparname;
    return sys->ipl.hwname[0] ? sys->ipl.hwname : "SYSTEM";
}

static bool name_valid(const char *name) {
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool letter = (c >= 'A' && c <= 'Z') || c == '@' || c == '#' || c == '$';
        if (!letter && !(c >= '0' && c <= '9')) return false;
    }
    return len >= 1 && len <= 8;
}

/* SYSNAME and SYSCLONE first as written, then everything is resolved together. */
static u32 symbols_finish(struct system *sys, const struct ieasym *names) {
    struct symbols *s = &sys->symbols;
    symbols_set_system(s, "SYSPLEX", sys->load.sysplex);
    symbols_set_system(s, "SYSR1", sys->ipl.volser);
    symbols_set_system(s, "SYSALVL", "1");
    const char *name = names->sysname[0] ? names->sysname : default_name(sys);
    symbols_set_system(s, "SYSNAME", name);
    symbols_set_system(s, "SYSCLONE",
                       names->sysclone[0] ? names->sysclone
                       : name[1]          ? "&SYSNAME(-2:2)"
                                          : name);
    const struct symbol *bad;
    enum symbol_error e = symbols_settle(s, &bad);
    if (!name_valid(system_name(sys))) {
        /* Said first: a bad SYSNAME is often the cause of what settling found. */
        struct parm_error err = {.reason = SYMERR_VALUE,
                                 .expected = "A SYSNAME OF 1-8 CHARACTERS A-Z 0-9 @ # $"};
        str_copy(err.token, sizeof err.token, system_name(sys));
        return symbol_wait(sys, "SYSNAME", &err);
    }
    if (e == SYMERR_NONE) return 0;
    struct parm_error err = {
        .reason = e, .line = bad->line, .expected = "A TEXT NOT LONGER THAN &NAME (SYSCLONE: 2)"};
    str_fmt(err.token, sizeof err.token, "&%s='%s'", bad->name, bad->text);
    return symbol_wait(sys, sys->load.ieasyms ? "IEASYM" : "IPL", &err);
}

u32 system_ipl(struct system *sys, const struct ipl_info *ipl, const struct system_env *env, u64 now) {
    memset(sys, 0, sizeof *sys);
    sys->env = *env;
    sys->ipl = *ipl;
    sys->ipl_now = now;
    sys->ipl_seconds = env->wall_seconds(env->ctx);
    symbols_init(&sys->symbols);
    wtors_init(&sys->wtors, env->con);
    u32 wait = load_read(sys);
    if (wait) return wait;
    if (!sys->load.sysplex[0]) str_copy(sys->load.sysplex, sizeof sys->load.sysplex, "LOCAL");
    struct ieasym names = {.sysname = ""};
    for (u32 i = 0; i < sys->load.ieasyms && !wait; i++) wait = ieasym_read(sys, sys->load.ieasym[i], &names);
    if (!wait) wait = symbols_finish(sys, &names);
    if (wait) return wait;
    /* SYSPARM of IEASYMxx comes before that of LOADxx. */
    if (names.sysparms) {
        memcpy(sys->load.sysparm, names.sysparm, sizeof sys->load.sysparm);
        sys->load.sysparms = names.sysparms;
    }
    console_message(con(sys), PLX0106I, system_name(sys), symbols_find(&sys->symbols, "SYSCLONE", 8),
                    sys->load.sysplex);
    return 0;
}

void system_moment(const struct system *sys, struct moment *out) {
    *out = (struct moment){.utc_seconds = sys->env.wall_seconds(sys->env.ctx)};
}

const char *system_name(const struct system *sys) { return symbols_find(&sys->symbols, "SYSNAME", 7); }
