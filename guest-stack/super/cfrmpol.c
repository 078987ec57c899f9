/* cfrmpol.c - reads a CFRM policy into a struct cfrm_policy. See cfrmpol.h. */
#include "super/cfrmpol.h"

#include "base/str.h"

enum statement { ST_NONE, ST_DATA, ST_DEFINE, ST_CF, ST_STRUCTURE };

struct reader {
    struct keyread k;
    struct cfrm_policy *p;
    enum statement statement;
    u32 line;             /* of the statement */
    bool named;           /* the CF or STRUCTURE being read has its NAME */
    struct cfrm_row *row; /* the STRUCTURE */
    u32 cfs;
    char cf[CFRM_FACILITIES_MAX][9];
};

static bool fail(struct reader *r, const char *token, const char *expected) {
    return keyread_fail(&r->k, r->k.keyword_line, token, expected);
}

/* ---- words ---- */

/* What the statement that ends here must have had. */
static bool complete(struct reader *r) {
    if (r->statement == ST_CF && !r->named) return keyread_fail(&r->k, r->line, "CF", "NAME(FACILITY)");
    if (r->statement != ST_STRUCTURE) return true;
    if (!r->named) return keyread_fail(&r->k, r->line, "STRUCTURE", "NAME(STRUCTURE)");
    if (!r->row->size_kb) return keyread_fail(&r->k, r->line, r->row->name, "SIZE(KB)");
    if (r->row->init_kb > r->row->size_kb) return keyread_fail(&r->k, r->line, r->row->name, "INITSIZE UP TO SIZE");
    return r->row->preferences || keyread_fail(&r->k, r->line, r->row->name, "PREFLIST(FACILITY,...)");
}

static bool structure_begin(struct reader *r) {
    if (r->p->rows == CFRM_ROWS_MAX) return fail(r, "STRUCTURE", "AT MOST 128 STRUCTURES");
    r->statement = ST_STRUCTURE;
    r->row = &r->p->row[r->p->rows++];
    *r->row = (struct cfrm_row){.rebuild_percent = 1};
    return true;
}

static bool word(struct reader *r) {
    if (keyread_is(&r->k, "POLICY") && r->statement == ST_DEFINE) return true;
    if (!complete(r)) return false;
    r->line = r->k.keyword_line;
    r->named = false;
    if (keyread_is(&r->k, "STRUCTURE") && r->p->name[0]) return structure_begin(r);
    if (keyread_is(&r->k, "DATA"))
        r->statement = ST_DATA;
    else if (keyread_is(&r->k, "DEFINE") && !r->p->name[0])
        r->statement = ST_DEFINE;
    else if (keyread_is(&r->k, "CF") && r->p->name[0])
        r->statement = ST_CF;
    else
        return fail(r, r->k.keyword, r->p->name[0] ? "CF OR STRUCTURE" : "DEFINE POLICY NAME(NAME)");
    return true;
}

/* ---- parameters ---- */

static bool data_parameter(struct reader *r) {
    if (!keyread_one(&r->k)) return false;
    if (keyread_is(&r->k, "REPORT")) return true;
    if (!keyread_is(&r->k, "TYPE")) return fail(r, r->k.keyword, "TYPE(CFRM)");
    return strcmp(r->k.value[0], "CFRM") == 0 || fail(r, r->k.value[0], "TYPE(CFRM)");
}

static bool define_parameter(struct reader *r) {
    if (!keyread_one(&r->k)) return false;
    if (keyread_is(&r->k, "NAME")) return keyread_name(&r->k, r->k.value[0], r->p->name, 8);
    return keyread_is(&r->k, "REPLACE") || fail(r, r->k.keyword, "NAME OR REPLACE");
}

static bool cf_known(const struct reader *r, const char *name) {
    for (u32 i = 0; i < r->cfs; i++)
        if (strcmp(r->cf[i], name) == 0) return true;
    return false;
}

static bool cf_parameter(struct reader *r) {
    static const char *const accepted[] = {"TYPE", "MFG", "PLANT", "SEQUENCE", "PARTITION", "CPCID", "SIDE", "DUMPSPACE"};
    if (!keyread_one(&r->k)) return false;
    for (u32 i = 0; i < ARRAY_LEN(accepted); i++)
        if (keyread_is(&r->k, accepted[i])) return r->named || fail(r, r->k.keyword, "NAME(FACILITY)");
    if (!keyread_is(&r->k, "NAME") || r->named) return fail(r, r->k.keyword, "ONE NAME, AND WHAT IDENTIFIES THE FACILITY");
    if (cf_known(r, r->k.value[0])) return fail(r, r->k.value[0], "EACH FACILITY ONCE");
    if (r->cfs == CFRM_FACILITIES_MAX) return fail(r, r->k.value[0], "AT MOST 8 FACILITIES");
    r->named = true;
    return keyread_name(&r->k, r->k.value[0], r->cf[r->cfs++], 8);
}

static bool structure_name(struct reader *r) {
    if (r->named) return fail(r, "NAME", "ONE NAME");
    if (!keyread_one(&r->k)) return false;
    for (u32 i = 0; i + 1 < r->p->rows; i++)
        if (strcmp(r->p->row[i].name, r->k.value[0]) == 0) return fail(r, r->k.value[0], "EACH STRUCTURE ONCE");
    r->named = true;
    return keyread_name(&r->k, r->k.value[0], r->row->name, CF_NAME_BYTES);
}

static bool preflist(struct reader *r) {
    if (r->row->preferences || r->k.values > CF_PREFLIST_MAX) return fail(r, "PREFLIST", "ONE LIST OF UP TO 8 FACILITIES");
    for (u32 i = 0; i < r->k.values; i++) {
        if (!cf_known(r, r->k.value[i])) return fail(r, r->k.value[i], "A CF OF THIS POLICY");
        str_copy(r->row->preference[r->row->preferences++], 9, r->k.value[i]);
    }
    return true;
}

static bool duplex(struct reader *r) {
    static const char *const words[] = {[CFRM_DUPLEX_DISABLED] = "DISABLED", [CFRM_DUPLEX_ALLOWED] = "ALLOWED", [CFRM_DUPLEX_ENABLED] = "ENABLED"};
    if (!keyread_one(&r->k)) return false;
    for (u32 i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(r->k.value[0], words[i]) == 0) {
            r->row->duplex = (enum cfrm_duplex)i;
            return true;
        }
    return fail(r, r->k.value[0], "ENABLED, ALLOWED OR DISABLED");
}

static bool structure_parameter(struct reader *r) {
    static const char *const accepted[] = {"EXCLLIST", "MINSIZE", "FULLTHRESHOLD", "ALLOWAUTOALT"};
    if (keyread_is(&r->k, "NAME")) return structure_name(r);
    if (!r->named) return fail(r, r->k.keyword, "NAME(STRUCTURE)");
    if (keyread_is(&r->k, "SIZE")) return keyread_range(&r->k, 4, 1048576, "A NUMBER FROM 4 TO 1048576", &r->row->size_kb);
    if (keyread_is(&r->k, "INITSIZE")) return keyread_range(&r->k, 4, 1048576, "A NUMBER FROM 4 TO 1048576", &r->row->init_kb);
    if (keyread_is(&r->k, "REBUILDPERCENT"))
        return keyread_range(&r->k, 0, 100, "A NUMBER FROM 0 TO 100", &r->row->rebuild_percent);
    if (keyread_is(&r->k, "PREFLIST")) return preflist(r);
    if (keyread_is(&r->k, "DUPLEX")) return duplex(r);
    for (u32 i = 0; i < ARRAY_LEN(accepted); i++)
        if (keyread_is(&r->k, accepted[i])) return true;
    return fail(r, r->k.keyword, "SIZE, INITSIZE, PREFLIST OR REBUILDPERCENT");
}

static bool parameter(struct reader *r) {
    switch (r->statement) {
    case ST_DATA: return data_parameter(r);
    case ST_DEFINE: return define_parameter(r);
    case ST_CF: return cf_parameter(r);
    case ST_STRUCTURE: return structure_parameter(r);
    case ST_NONE: break;
    }
    return fail(r, r->k.keyword, "DATA OR DEFINE");
}

bool cfrmpol_parse(const char *text, struct cfrm_policy *out, struct keyread_error *err) {
    struct reader r = {.p = out};
    memset(out, 0, sizeof *out);
    keyread_init(&r.k, text, err);
    for (;;) {
        switch (keyread_next(&r.k)) {
        case KEY_ERROR: return false;
        case KEY_END:
            if (!complete(&r)) return false;
            return out->name[0] || keyread_fail(&r.k, r.k.line, "END OF MEMBER", "DEFINE POLICY NAME(NAME)");
        case KEY_WORD:
            if (!word(&r)) return false;
            break;
        case KEY_PARAMETER:
            if (!parameter(&r)) return false;
            break;
        }
    }
}
