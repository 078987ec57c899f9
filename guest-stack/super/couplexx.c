/* couplexx.c - reads COUPLExx into a struct couple. See super/couplexx.h. */
#include "super/couplexx.h"

#include "base/str.h"

enum statement { ST_NONE, ST_COUPLE, ST_CLASSDEF, ST_PATHIN, ST_PATHOUT, ST_LOCALMSG, ST_DATA };

struct reader {
    struct keyread k;
    struct couple *c;
    enum statement statement;
    bool maxmsg_given[COUPLE_CLASSES_MAX], classlen_given[COUPLE_CLASSES_MAX];
    u32 class_index, first_path; /* of the statement being read */
};

static bool fail(struct reader *r, u32 line, const char *token, const char *expected) {
    return keyread_fail(&r->k, line, token, expected);
}
static bool is(const struct reader *r, const char *keyword) {
    return keyread_is(&r->k, keyword);
}
static bool one(struct reader *r) {
    return keyread_one(&r->k);
}
static bool number(struct reader *r, u32 *out) {
    return keyread_number(&r->k, out);
}
static bool name_take(struct reader *r, const char *from, char *to, u32 max) {
    return keyread_name(&r->k, from, to, max);
}
static bool unknown(struct reader *r) {
    return fail(r, r->k.keyword_line, r->k.keyword, "A PARAMETER OF THIS STATEMENT");
}

/* ---- statements ---- */

static bool opnotify(struct reader *r) {
    const char *text = r->k.value[0];
    if (!one(r)) return false;
    r->c->opnotify_relative = text[0] == '+';
    if (text[0] == '+') text++;
    return str_u32(text, strlen(text), &r->c->opnotify_s) ||
           fail(r, r->k.keyword_line, r->k.value[0], "A NUMBER");
}

static bool couple_parameter(struct reader *r) {
    struct couple *c = r->c;
    if (is(r, "SYSPLEX")) return one(r) && name_take(r, r->k.value[0], c->sysplex, 8);
    if (is(r, "PCOUPLE") || is(r, "ACOUPLE")) { /* (name[,volume]): the volume has no meaning here */
        str_copy(is(r, "PCOUPLE") ? c->pcouple : c->acouple, sizeof c->pcouple, r->k.value[0]);
        return r->k.values <= 2 || fail(r, r->k.keyword_line, r->k.keyword, "A NAME AND A VOLUME");
    }
    if (is(r, "INTERVAL")) return number(r, &c->interval_s);
    if (is(r, "OPNOTIFY")) return opnotify(r);
    if (is(r, "CLEANUP")) return number(r, &c->cleanup_s);
    if (is(r, "MAXMSG")) return number(r, &c->maxmsg_kb);
    if (is(r, "RETRY")) return number(r, &c->retry);
    if (is(r, "CLASSLEN")) return number(r, &c->classlen_bytes);
    if (is(r, "CFRMPOL")) return one(r) && name_take(r, r->k.value[0], c->cfrmpol, 8);
    return is(r, "CTRACE") || is(r, "VMCPUIDTOLERATION") || unknown(r);
}

static bool class_find(struct reader *r, const char *name, u32 *index) {
    for (u32 i = 0; i < r->c->classes; i++) {
        if (strcmp(r->c->class_def[i].name, name) != 0) continue;
        *index = i;
        return true;
    }
    return false;
}

/* CLASS comes first, so that what follows has a class to belong to. */
static bool classdef_parameter(struct reader *r) {
    struct couple *c = r->c;
    if (is(r, "CLASS")) {
        if (!one(r)) return false;
        if (class_find(r, r->k.value[0], &r->class_index)) return true;
        if (c->classes == COUPLE_CLASSES_MAX)
            return fail(r, r->k.keyword_line, r->k.value[0], "AT MOST 8 CLASSES");
        r->class_index = c->classes++;
        return name_take(r, r->k.value[0], c->class_def[r->class_index].name, 8);
    }
    if (r->class_index == COUPLE_CLASSES_MAX) return fail(r, r->k.keyword_line, r->k.keyword, "CLASS");
    struct couple_class *k = &c->class_def[r->class_index];
    if (is(r, "CLASSLEN")) {
        r->classlen_given[r->class_index] = true;
        return number(r, &k->classlen_bytes);
    }
    if (is(r, "MAXMSG")) {
        r->maxmsg_given[r->class_index] = true;
        return number(r, &k->maxmsg_kb);
    }
    if (!is(r, "GROUP")) return unknown(r);
    for (u32 i = 0; i < r->k.values; i++) {
        if (k->groups == COUPLE_GROUPS_MAX) return fail(r, r->k.keyword_line, r->k.value[i], "AT MOST 16 GROUPS");
        if (!name_take(r, r->k.value[i], k->group[k->groups++], 8)) return false;
    }
    return true;
}

static bool path_names(struct reader *r, bool structure) {
    struct couple *c = r->c;
    for (u32 i = 0; i < r->k.values; i++) {
        u32 device;
        if (c->paths == COUPLE_PATHS_MAX) return fail(r, r->k.keyword_line, r->k.value[i], "AT MOST 128 PATHS");
        struct couple_path *p = &c->path[c->paths++];
        *p = (struct couple_path){.outbound = r->statement == ST_PATHOUT, .structure = structure};
        if (structure) {
            if (memcmp(r->k.value[i], "IXC", 3) != 0)
                return fail(r, r->k.keyword_line, r->k.value[i], "A NAME IXC...");
            if (!name_take(r, r->k.value[i], p->name, 16)) return false;
        } else {
            if (!str_hex_u32(r->k.value[i], strlen(r->k.value[i]), &device) || device > 0xFFFF)
                return fail(r, r->k.keyword_line, r->k.value[i], "A DEVICE NUMBER");
            str_fmt(p->name, sizeof p->name, "%04X", device);
        }
    }
    return true;
}

/* MAXMSG, RETRY and CLASS hold for all names of the statement, so those come first. */
static bool path_parameter(struct reader *r) {
    struct couple *c = r->c;
    u32 n, index = 0;
    if (is(r, "DEVICE") || is(r, "STRNAME")) return path_names(r, is(r, "STRNAME"));
    if (c->paths == r->first_path) return fail(r, r->k.keyword_line, r->k.keyword, "DEVICE OR STRNAME");
    if (is(r, "CLASS") && r->statement == ST_PATHOUT) {
        if (!one(r)) return false;
        if (!class_find(r, r->k.value[0], &index))
            return fail(r, r->k.keyword_line, r->k.value[0], "A CLASS THAT IS DEFINED");
        for (u32 i = r->first_path; i < c->paths; i++) c->path[i].class_index = index;
        return true;
    }
    if (!is(r, "MAXMSG") && !is(r, "RETRY")) return unknown(r);
    if (!number(r, &n)) return false;
    if (n == 0) return fail(r, r->k.keyword_line, r->k.value[0], "A NUMBER ABOVE 0");
    for (u32 i = r->first_path; i < c->paths; i++)
        *(is(r, "RETRY") ? &c->path[i].retry : &c->path[i].maxmsg_kb) = n;
    return true;
}

static bool parameter(struct reader *r) {
    switch (r->statement) {
    case ST_COUPLE: return couple_parameter(r);
    case ST_CLASSDEF: return classdef_parameter(r);
    case ST_PATHIN:
    case ST_PATHOUT: return path_parameter(r);
    case ST_LOCALMSG: return is(r, "CLASS") || (is(r, "MAXMSG") ? number(r, &r->c->localmsg_kb) : unknown(r));
    case ST_DATA: return is(r, "TYPE") || is(r, "PCOUPLE") || is(r, "ACOUPLE") || unknown(r);
    case ST_NONE: break;
    }
    return fail(r, r->k.keyword_line, r->k.keyword, "COUPLE, CLASSDEF, PATHIN, PATHOUT, LOCALMSG OR DATA");
}

static bool statement(struct reader *r) {
    static const char *const names[] = {"COUPLE", "CLASSDEF", "PATHIN", "PATHOUT", "LOCALMSG", "DATA"};
    for (u32 i = 0; i < ARRAY_LEN(names); i++) {
        if (!is(r, names[i])) continue;
        r->statement = (enum statement)(i + 1);
        r->class_index = COUPLE_CLASSES_MAX;
        r->first_path = r->c->paths;
        return true;
    }
    return fail(r, r->k.keyword_line, r->k.keyword, "KEYWORD(VALUE) OR A STATEMENT");
}

/* What was left out comes from COUPLE, wherever that stands in the member. */
static bool finish(struct reader *r) {
    struct couple *c = r->c;
    for (u32 i = 0; i < c->classes; i++) {
        if (!r->maxmsg_given[i]) c->class_def[i].maxmsg_kb = c->maxmsg_kb;
        if (!r->classlen_given[i]) c->class_def[i].classlen_bytes = c->classlen_bytes;
    }
    for (u32 i = 0; i < c->paths; i++) {
        if (!c->path[i].retry) c->path[i].retry = c->retry;
        if (!c->path[i].maxmsg_kb) c->path[i].maxmsg_kb = c->maxmsg_kb;
    }
    const char *wrong = couple_wrong(c);
    return !wrong || fail(r, r->k.line, wrong, "A VALUE IN ITS RANGE");
}

bool couplexx_parse(const char *text, struct couple *out, struct keyread_error *err) {
    struct reader r = {.c = out};
    keyread_init(&r.k, text, err);
    couple_default(out);
    for (;;) {
        switch (keyread_next(&r.k)) {
        case KEY_ERROR: return false;
        case KEY_END: return finish(&r);
        case KEY_WORD:
            if (!statement(&r)) return false;
            break;
        case KEY_PARAMETER:
            if (!parameter(&r)) return false;
            break;
        }
    }
}
