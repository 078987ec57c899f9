/* sfmpol.c - reads an SFM policy into a struct couple_sfm. See sfmpol.h. */
#include "super/sfmpol.h"

#include "base/str.h"

enum statement { ST_NONE, ST_DATA, ST_DEFINE, ST_SYSTEM };

struct reader {
    struct keyread k;
    struct couple_sfm *sfm;
    char *name;
    enum statement statement;
    struct couple_sfm_system *system; /* being read; NULL until its NAME */
    bool action;                      /* it has ISOLATETIME or PROMPT */
};

static bool fail(struct reader *r, const char *token, const char *expected) {
    return keyread_fail(&r->k, r->k.keyword_line, token, expected);
}

/* ---- words ---- */

/* A SYSTEM without a name would be everybody's. */
static bool system_complete(struct reader *r) {
    return r->statement != ST_SYSTEM || r->system || fail(r, "SYSTEM", "NAME(SYSTEM)");
}

static bool word(struct reader *r) {
    if (keyread_is(&r->k, "POLICY") && r->statement == ST_DEFINE) return true;
    if (keyread_is(&r->k, "PROMPT") && r->statement == ST_SYSTEM && r->system) {
        if (r->action) return fail(r, "PROMPT", "ONE ACTION");
        return r->action = r->system->prompt = true;
    }
    if (!system_complete(r)) return false;
    if (keyread_is(&r->k, "DATA"))
        r->statement = ST_DATA;
    else if (keyread_is(&r->k, "DEFINE") && !r->name[0])
        r->statement = ST_DEFINE;
    else if (keyread_is(&r->k, "SYSTEM") && r->name[0])
        r->statement = ST_SYSTEM;
    else
        return fail(r, r->k.keyword, r->name[0] ? "SYSTEM" : "DEFINE POLICY NAME(NAME)");
    r->system = NULL;
    r->action = false;
    return true;
}

/* ---- parameters ---- */

static bool define_parameter(struct reader *r) {
    if (!keyread_one(&r->k)) return false;
    if (keyread_is(&r->k, "NAME")) return keyread_name(&r->k, r->k.value[0], r->name, 8);
    if (keyread_is(&r->k, "REPLACE")) return true;
    if (!keyread_is(&r->k, "CONNFAIL")) return fail(r, r->k.keyword, "NAME, CONNFAIL OR REPLACE");
    r->sfm->connfail = strcmp(r->k.value[0], "YES") == 0;
    return r->sfm->connfail || strcmp(r->k.value[0], "NO") == 0 || fail(r, r->k.value[0], "YES OR NO");
}

static bool system_name(struct reader *r) {
    struct couple_sfm *sfm = r->sfm;
    if (!keyread_one(&r->k)) return false;
    for (u32 i = 0; i < sfm->systems; i++)
        if (strcmp(sfm->system[i].name, r->k.value[0]) == 0) return fail(r, r->k.value[0], "EACH SYSTEM ONCE");
    if (sfm->systems == COUPLE_SFM_MAX) return fail(r, r->k.value[0], "AT MOST 32 SYSTEMS");
    r->system = &sfm->system[sfm->systems++];
    *r->system = (struct couple_sfm_system){.weight = 1};
    return keyread_name(&r->k, r->k.value[0], r->system->name, 8);
}

static bool system_parameter(struct reader *r) {
    if (keyread_is(&r->k, "NAME")) return !r->system ? system_name(r) : fail(r, "NAME", "ONE NAME");
    if (!r->system) return fail(r, r->k.keyword, "NAME(SYSTEM)");
    if (keyread_is(&r->k, "WEIGHT"))
        return keyread_range(&r->k, 1, 9999, "A NUMBER FROM 1 TO 9999", &r->system->weight);
    if (!keyread_is(&r->k, "ISOLATETIME") && !keyread_is(&r->k, "DEACTTIME") && !keyread_is(&r->k, "RESETTIME"))
        return fail(r, r->k.keyword, "ISOLATETIME, PROMPT OR WEIGHT");
    if (r->action) return fail(r, r->k.keyword, "ONE ACTION");
    r->action = true;
    return keyread_range(&r->k, 0, 86400, "A NUMBER FROM 0 TO 86400", &r->system->isolate_s);
}

static bool parameter(struct reader *r) {
    switch (r->statement) {
    case ST_DATA: return keyread_is(&r->k, "TYPE") && keyread_one(&r->k) && strcmp(r->k.value[0], "SFM") == 0
                             ? true
                             : fail(r, r->k.keyword, "TYPE(SFM)");
    case ST_DEFINE: return define_parameter(r);
    case ST_SYSTEM: return system_parameter(r);
    case ST_NONE: break;
    }
    return fail(r, r->k.keyword, "DATA OR DEFINE");
}

bool sfmpol_parse(const char *text, struct couple_sfm *out, char name[9], struct keyread_error *err) {
    struct reader r = {.sfm = out, .name = name};
    *out = (struct couple_sfm){.active = true};
    name[0] = '\0';
    keyread_init(&r.k, text, err);
    for (;;) {
        switch (keyread_next(&r.k)) {
        case KEY_ERROR: return false;
        case KEY_END:
            if (!system_complete(&r)) return false;
            return name[0] || keyread_fail(&r.k, r.k.line, "END OF MEMBER", "DEFINE POLICY NAME(NAME)");
        case KEY_WORD:
            if (!word(&r)) return false;
            break;
        case KEY_PARAMETER:
            if (!parameter(&r)) return false;
            break;
        }
    }
}
