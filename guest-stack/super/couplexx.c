/* couplexx.c - reads COUPLExx into a struct couple. See super/couplexx.h. */
#include "super/couplexx.h"

#include "base/str.h"

#define COLUMNS    71
#define TOKEN_MAX  44
#define VALUES_MAX 64

enum statement { ST_NONE, ST_COUPLE, ST_CLASSDEF, ST_PATHIN, ST_PATHOUT, ST_LOCALMSG, ST_DATA };

struct reader {
    const char *at;
    u32 line, column;
    struct couple *c;
    struct couplexx_error *err;
    enum statement statement;
    bool maxmsg_given[COUPLE_CLASSES_MAX], classlen_given[COUPLE_CLASSES_MAX];
    u32 class_index, first_path; /* of the statement being read */
    /* One parameter. */
    char keyword[TOKEN_MAX + 1], value[VALUES_MAX][TOKEN_MAX + 1];
    u32 keyword_line, values;
};

static bool fail(struct reader *r, u32 line, const char *token, const char *expected) {
    r->err->line = line;
    str_copy(r->err->token, sizeof r->err->token, token);
    r->err->expected = expected;
    return false;
}

/* ---- characters and tokens ---- */

/* Steps over one character and, past column 71, over the rest of the record. */
static void step(struct reader *r) {
    if (*r->at == '\n') {
        r->line++;
        r->column = 0;
        r->at++;
        return;
    }
    r->at++;
    r->column++;
    while (r->column >= COLUMNS && *r->at && *r->at != '\n') r->at++;
}

static bool skip(struct reader *r) {
    for (;;) {
        char c = *r->at;
        if (c == ' ' || c == ',' || c == '\n' || c == '\r' || c == '\t') {
            step(r);
        } else if (c == '/' && r->at[1] == '*') {
            u32 line = r->line;
            step(r);
            step(r);
            while (*r->at && !(*r->at == '*' && r->at[1] == '/')) step(r);
            if (!*r->at) return fail(r, line, "/*", "THE END OF THE COMMENT");
            step(r);
            step(r);
        } else {
            return true;
        }
    }
}

static bool token(struct reader *r, char *out) {
    u32 n = 0, line = r->line;
    while (*r->at && *r->at != ' ' && *r->at != ',' && *r->at != '(' && *r->at != ')' && *r->at != '\n' &&
           *r->at != '\r' && *r->at != '\t' && !(*r->at == '/' && r->at[1] == '*')) {
        char c = *r->at;
        if (n == TOKEN_MAX) {
            out[n] = '\0';
            return fail(r, line, out, "AT MOST 44 CHARACTERS");
        }
        out[n++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        u32 before = r->line;
        bool last = r->column + 1 >= COLUMNS;
        step(r);
        if (last || r->line != before) break; /* a token ends with its record */
    }
    out[n] = '\0';
    return n > 0 || fail(r, line, *r->at ? "(" : "END OF MEMBER", "A VALUE");
}

/* "(v,v,...)" behind the keyword. */
static bool values(struct reader *r) {
    step(r);
    for (r->values = 0;; r->values++) {
        if (!skip(r)) return false;
        if (*r->at == ')') break;
        if (r->values == VALUES_MAX) return fail(r, r->line, r->keyword, "AT MOST 64 VALUES");
        if (!token(r, r->value[r->values])) return false;
    }
    step(r);
    return r->values > 0 || fail(r, r->keyword_line, r->keyword, "A VALUE");
}

/* ---- values ---- */

static bool name_take(struct reader *r, const char *from, char *to, u32 max) {
    if (strlen(from) > max)
        return fail(r, r->keyword_line, from, max == 8 ? "A NAME OF 1-8" : "A NAME OF 1-16");
    str_copy(to, max + 1, from);
    return true;
}
static bool one(struct reader *r) {
    return r->values == 1 || fail(r, r->keyword_line, r->keyword, "ONE VALUE");
}
static bool number(struct reader *r, u32 *out) {
    if (!one(r)) return false;
    return str_u32(r->value[0], strlen(r->value[0]), out) ||
           fail(r, r->keyword_line, r->value[0], "A NUMBER");
}

static bool is(const struct reader *r, const char *keyword) {
    return strcmp(r->keyword, keyword) == 0;
}
static bool unknown(struct reader *r) {
    return fail(r, r->keyword_line, r->keyword, "A PARAMETER OF THIS STATEMENT");
}

/* ---- statements ---- */

static bool opnotify(struct reader *r) {
    const char *text = r->value[0];
    if (!one(r)) return false;
    r->c->opnotify_relative = text[0] == '+';
    if (text[0] == '+') text++;
    return str_u32(text, strlen(text), &r->c->opnotify_s) ||
           fail(r, r->keyword_line, r->value[0], "A NUMBER");
}

static bool couple_parameter(struct reader *r) {
    struct couple *c = r->c;
    if (is(r, "SYSPLEX")) return one(r) && name_take(r, r->value[0], c->sysplex, 8);
    if (is(r, "PCOUPLE") || is(r, "ACOUPLE")) { /* (name[,volume]): the volume has no meaning here */
        str_copy(is(r, "PCOUPLE") ? c->pcouple : c->acouple, sizeof c->pcouple, r->value[0]);
        return r->values <= 2 || fail(r, r->keyword_line, r->keyword, "A NAME AND A VOLUME");
    }
    if (is(r, "INTERVAL")) return number(r, &c->interval_s);
    if (is(r, "OPNOTIFY")) return opnotify(r);
    if (is(r, "CLEANUP")) return number(r, &c->cleanup_s);
    if (is(r, "MAXMSG")) return number(r, &c->maxmsg_kb);
    if (is(r, "RETRY")) return number(r, &c->retry);
    if (is(r, "CLASSLEN")) return number(r, &c->classlen_bytes);
    return is(r, "CTRACE") || is(r, "CFRMPOL") || is(r, "VMCPUIDTOLERATION") || unknown(r);
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
        if (class_find(r, r->value[0], &r->class_index)) return true;
        if (c->classes == COUPLE_CLASSES_MAX)
            return fail(r, r->keyword_line, r->value[0], "AT MOST 8 CLASSES");
        r->class_index = c->classes++;
        return name_take(r, r->value[0], c->class_def[r->class_index].name, 8);
    }
    if (r->class_index == COUPLE_CLASSES_MAX) return fail(r, r->keyword_line, r->keyword, "CLASS");
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
    for (u32 i = 0; i < r->values; i++) {
        if (k->groups == COUPLE_GROUPS_MAX) return fail(r, r->keyword_line, r->value[i], "AT MOST 16 GROUPS");
        if (!name_take(r, r->value[i], k->group[k->groups++], 8)) return false;
    }
    return true;
}

static bool path_names(struct reader *r, bool structure) {
    struct couple *c = r->c;
    for (u32 i = 0; i < r->values; i++) {
        u32 device;
        if (c->paths == COUPLE_PATHS_MAX) return fail(r, r->keyword_line, r->value[i], "AT MOST 128 PATHS");
        struct couple_path *p = &c->path[c->paths++];
        *p = (struct couple_path){.outbound = r->statement == ST_PATHOUT, .structure = structure};
        if (structure) {
            if (memcmp(r->value[i], "IXC", 3) != 0)
                return fail(r, r->keyword_line, r->value[i], "A NAME IXC...");
            if (!name_take(r, r->value[i], p->name, 16)) return false;
        } else {
            if (!str_hex_u32(r->value[i], strlen(r->value[i]), &device) || device > 0xFFFF)
                return fail(r, r->keyword_line, r->value[i], "A DEVICE NUMBER");
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
    if (c->paths == r->first_path) return fail(r, r->keyword_line, r->keyword, "DEVICE OR STRNAME");
    if (is(r, "CLASS") && r->statement == ST_PATHOUT) {
        if (!one(r)) return false;
        if (!class_find(r, r->value[0], &index))
            return fail(r, r->keyword_line, r->value[0], "A CLASS THAT IS DEFINED");
        for (u32 i = r->first_path; i < c->paths; i++) c->path[i].class_index = index;
        return true;
    }
    if (!is(r, "MAXMSG") && !is(r, "RETRY")) return unknown(r);
    if (!number(r, &n)) return false;
    if (n == 0) return fail(r, r->keyword_line, r->value[0], "A NUMBER ABOVE 0");
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
    return fail(r, r->keyword_line, r->keyword, "COUPLE, CLASSDEF, PATHIN, PATHOUT, LOCALMSG OR DATA");
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
    return fail(r, r->keyword_line, r->keyword, "KEYWORD(VALUE) OR A STATEMENT");
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
    return !wrong || fail(r, r->line, wrong, "A VALUE IN ITS RANGE");
}

bool couplexx_parse(const char *text, struct couple *out, struct couplexx_error *err) {
    struct reader r = {.at = text, .line = 1, .c = out, .err = err};
    couple_default(out);
    for (;;) {
        if (!skip(&r)) return false;
        if (!*r.at) return finish(&r);
        r.keyword_line = r.line;
        if (!token(&r, r.keyword)) return false;
        while (*r.at == ' ') step(&r);
        if (*r.at != '(') {
            if (!statement(&r)) return false;
            continue;
        }
        if (!values(&r) || !parameter(&r)) return false;
    }
}
