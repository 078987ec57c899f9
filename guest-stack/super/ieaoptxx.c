/* ieaoptxx.c - reads IEAOPTxx. See super/ieaoptxx.h. */
#include "super/ieaoptxx.h"

#include "base/str.h"
#include "super/ieasysxx.h"
#include "super/messages.h"
#include "super/system.h"

void ieasys_value(struct system *sys, const char *keyword, char *out, size_t cap) {
    u32 n = sys->load.sysparms ? sys->load.sysparms : 1;
    for (u32 i = 0; i < n; i++) {
        char name[9];
        struct member m;
        const char *where;
        str_fmt(name, sizeof name, "IEASYS%s", sys->load.sysparms ? sys->load.sysparm[i] : "00");
        if (system_parmlib_read(sys, name, &m, &where) != 0) continue;
        ieasysxx_value(m.text, keyword, out, cap);
        dataset_release(sys->env.ds, &m);
    }
}

/* The weight that the member says, the default if it says none or what is said is none. */
static u32 weight_of(struct system *sys, const char *member, const char *text) {
    char said[24], value[24];
    u32 weight;
    if (!ieasysxx_value(text, "LPARWGT", said, sizeof said)) return IEAOPT_WEIGHT_DEFAULT;
    u32 len = symbols_resolve(&sys->symbols, NULL, false, said, (u32)strlen(said), value, sizeof value);
    if (str_u32(value, len, &weight) && weight >= 1 && weight <= IEAOPT_WEIGHT_MAX) {
        console_message(sys->env.con, PLX0110I, weight, member);
        return weight;
    }
    console_message(sys->env.con, PLX0111W, member, value, IEAOPT_WEIGHT_DEFAULT);
    return IEAOPT_WEIGHT_DEFAULT;
}

void ieaopt_read(struct system *sys) {
    char suffix[3] = "", name[9];
    struct member m;
    const char *where;
    sys->lpar_weight = IEAOPT_WEIGHT_DEFAULT;
    ieasys_value(sys, "OPT", suffix, sizeof suffix);
    str_fmt(name, sizeof name, "IEAOPT%s", suffix[0] ? suffix : "00");
    if (system_parmlib_read(sys, name, &m, &where) == 0) {
        sys->lpar_weight = weight_of(sys, name, m.text);
        dataset_release(sys->env.ds, &m);
    } else if (suffix[0]) {
        /* Nobody needs the member of the default suffix; one that IEASYSxx names must be there. */
        console_message(sys->env.con, PLX0111W, name, "NOTHING", IEAOPT_WEIGHT_DEFAULT);
    }
}
