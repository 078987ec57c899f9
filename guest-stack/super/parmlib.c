/* parmlib.c - readers of LOADxx (fixed columns) and IEASYMxx (keyword(value)); formats in parmlib.h.
 *
 * Both take the member's text as lines; both stop at the first error, because OS/390 does not use a member
 * that is wrong in part: an image with half of its symbols would be another image.
 */
#include "super/parmlib.h"

#include "base/str.h"

#define LOAD_COLUMNS   72
#define IEASYM_COLUMNS 71

static bool fail(struct parm_error *err, enum symbol_error reason, u32 line, const char *token, u32 len,
                 const char *expected) {
    err->reason = reason;
    err->line = line;
    err->expected = expected;
    u32 take = u32_min(len, sizeof err->token - 1);
    memcpy(err->token, token, take);
    err->token[take] = '\0';
    return false;
}

/* "xx" or "(xx,yy,L)"; false unless every suffix has two characters of A-Z 0-9 @ # $. */
static bool suffixes_parse(const char *v, char out[SUFFIXES_MAX][3], u32 *count, bool *list) {
    bool paren = *v == '(';
    if (paren) v++;
    *count = 0;
    for (;;) {
        u32 len = 0;
        while ((v[len] >= 'A' && v[len] <= 'Z') || (v[len] >= '0' && v[len] <= '9') || v[len] == '@' ||
               v[len] == '#' || v[len] == '$')
            len++;
        if (len == 1 && v[0] == 'L' && list && *count > 0) {
            *list = true;
        } else {
            if (len != 2 || *count == SUFFIXES_MAX) return false;
            memcpy(out[*count], v, 2);
            out[(*count)++][2] = '\0';
        }
        v += len;
        if (*v == ',' && paren) {
            v++;
            continue;
        }
        return paren ? v[0] == ')' && v[1] == '\0' : v[0] == '\0';
    }
}

/* ---- LOADxx ---- */

/* Columns from..to (1-based, inclusive) without trailing blanks. */
static void column_text(const char *line, u32 len, u32 from, u32 to, char *out, u32 cap) {
    u32 n = 0;
    for (u32 c = from; c <= to && c <= len && n + 1 < cap; c++) out[n++] = line[c - 1];
    while (n && out[n - 1] == ' ') n--;
    out[n] = '\0';
}

struct load_filter { /* state of the HWNAME, LPARNAME, VMUSERID statements read so far */
    bool hw, lpar, vm;
};

static bool filter_matches(const char *wanted, const char *is) {
    return wanted[0] == '\0' || str_eq_ci(wanted, is);
}

/* true: the keyword was a filter statement. */
static bool load_filter(struct load_filter *f, const char *keyword, const char *value,
                        const struct image_id *id) {
    if (str_eq_ci(keyword, "HWNAME")) {
        f->hw = filter_matches(value, id->hwname);
        f->lpar = f->vm = true;
    } else if (str_eq_ci(keyword, "LPARNAME")) {
        f->lpar = filter_matches(value, id->lparname);
        f->vm = true;
    } else if (str_eq_ci(keyword, "VMUSERID")) {
        f->vm = filter_matches(value, id->vmuserid);
    } else {
        return false;
    }
    return true;
}

/* One statement that applies. NULL, or what was expected. */
static const char *load_statement(struct loadxx *out, const char *keyword, const char *value,
                                  const char *line, u32 len) {
    if (str_eq_ci(keyword, "SYSPLEX")) {
        column_text(line, len, 10, 17, out->sysplex, sizeof out->sysplex);
        return out->sysplex[0] ? NULL : "A SYSPLEX NAME IN COLUMNS 10-17";
    }
    if (str_eq_ci(keyword, "IEASYM"))
        return suffixes_parse(value, out->ieasym, &out->ieasyms, &out->ieasym_list) ? NULL
                                                                                    : "XX OR (XX,YY,L)";
    if (str_eq_ci(keyword, "SYSPARM"))
        return suffixes_parse(value, out->sysparm, &out->sysparms, &(bool){false}) ? NULL : "XX OR (XX,YY,L)";
    if (str_eq_ci(keyword, "PARMLIB")) {
        if (out->parmlibs == PARMLIB_MAX) return "NO MORE THAN 10 PARMLIB STATEMENTS";
        column_text(line, len, 10, 53, out->parmlib[out->parmlibs], 45);
        if (!out->parmlib[out->parmlibs][0]) return "A DATA SET NAME IN COLUMNS 10-53";
        out->parmlibs++;
        return NULL;
    }
    if (str_eq_ci(keyword, "IODF")) {
        column_text(line, len, 10, 11, out->iodf_suffix, sizeof out->iodf_suffix);
        column_text(line, len, 13, 20, out->iodf_hlq, sizeof out->iodf_hlq);
        column_text(line, len, 22, 29, out->iodf_config, sizeof out->iodf_config);
        return NULL;
    }
    if (str_eq_ci(keyword, "SYSCAT")) {
        column_text(line, len, 10, 15, out->syscat_volser, sizeof out->syscat_volser);
        column_text(line, len, 20, 63, out->syscat_dsname, sizeof out->syscat_dsname);
        return NULL;
    }
    if (str_eq_ci(keyword, "NUCLEUS") || str_eq_ci(keyword, "ARCHLVL")) {
        if (value[0] < '0' || value[0] > '9' || value[1]) return "ONE DIGIT IN COLUMN 10";
        *(str_eq_ci(keyword, "NUCLEUS") ? &out->nucleus : &out->archlvl) = value[0];
        return NULL;
    }
    if (str_eq_ci(keyword, "NUCLST") || str_eq_ci(keyword, "INITSQA")) return NULL;
    return "A LOADXX STATEMENT IN COLUMNS 1-8";
}

bool parmlib_loadxx(const char *text, const struct image_id *id, struct loadxx *out, struct parm_error *err) {
    struct load_filter filter = {true, true, true};
    u32 number = 0;
    while (*text) {
        const char *line = text;
        u32 len = 0;
        while (text[len] && text[len] != '\n') len++;
        text += len + (text[len] == '\n');
        number++;
        len = u32_min(len, LOAD_COLUMNS);
        char keyword[9], value[64];
        column_text(line, len, 1, 8, keyword, sizeof keyword);
        column_text(line, len, 10, LOAD_COLUMNS, value, sizeof value);
        if (line[0] == '*' || (!keyword[0] && !value[0])) continue;
        /* Lists take part of the line; a remark may follow after a blank. */
        for (u32 i = 0; value[i]; i++)
            if (value[i] == ' ') value[i] = '\0';
        if (load_filter(&filter, keyword, value, id)) continue;
        if (!filter.hw || !filter.lpar || !filter.vm) continue;
        const char *expected = load_statement(out, keyword, value, line, len);
        if (expected)
            return fail(err, SYMERR_VALUE, number, keyword[0] ? keyword : value,
                        (u32)strlen(keyword[0] ? keyword : value), expected);
    }
    return true;
}

/* ---- IEASYMxx ---- */

struct cursor {
    const char *at, *line_start;
    u32 line;
};

/* The current character with columns 72-80 passed over; '\0' at the end of the member. */
static char cursor_peek(struct cursor *c) {
    if (*c->at && *c->at != '\n' && c->at - c->line_start >= IEASYM_COLUMNS)
        while (*c->at && *c->at != '\n') c->at++;
    return *c->at;
}

static void cursor_next(struct cursor *c) {
    if (*c->at == '\n') {
        c->line++;
        c->line_start = c->at + 1;
    }
    c->at++;
}

/* Passes blanks, commas, line ends and comments. false: a comment is not closed. */
static bool cursor_skip(struct cursor *c) {
    for (;;) {
        char ch = cursor_peek(c);
        if (ch == ' ' || ch == ',' || ch == '\n') {
            cursor_next(c);
        } else if (ch == '/' && c->at[1] == '*') {
            cursor_next(c);
            cursor_next(c);
            while ((ch = cursor_peek(c)) != '\0' && !(ch == '*' && c->at[1] == '/')) cursor_next(c);
            if (!ch) return false;
            cursor_next(c);
            cursor_next(c);
        } else {
            return true;
        }
    }
}

#define VALUE_MAX 80

/* KEYWORD or KEYWORD(value); parentheses inside value nest, quotes hide them. value is NULL-terminated
 * without the outer parentheses. */
static bool parameter_read(struct cursor *c, char keyword[VALUE_MAX + 1], char value[VALUE_MAX + 1],
                           bool *has_value, struct parm_error *err) {
    u32 n = 0;
    u32 line = c->line;
    for (char ch; (ch = cursor_peek(c)) && ch != ' ' && ch != ',' && ch != '\n' && ch != '(' && n < VALUE_MAX;
         cursor_next(c))
        keyword[n++] = ch;
    keyword[n] = value[0] = '\0';
    *has_value = cursor_peek(c) == '(';
    if (!*has_value) return n ? true : fail(err, SYMERR_PARAMETER, line, c->at, 1, "A PARAMETER");
    cursor_next(c);
    u32 depth = 1, len = 0;
    bool quoted = false;
    for (char ch; (ch = cursor_peek(c)) && ch != '\n'; cursor_next(c)) {
        if (ch == '\'') quoted = !quoted;
        if (!quoted && ch == '(') depth++;
        if (!quoted && ch == ')' && --depth == 0) {
            cursor_next(c);
            value[len] = '\0';
            return true;
        }
        if (len == VALUE_MAX) break;
        value[len++] = ch;
    }
    value[len] = '\0';
    return fail(err, SYMERR_VALUE, line, value, len, quoted ? "A CLOSING QUOTE" : "A CLOSING PARENTHESIS");
}

/* &NAME='text': quotes inside text are doubled. */
static enum symbol_error symdef(struct symbols *syms, const char *value, u32 line) {
    char name[VALUE_MAX + 1], text[VALUE_MAX + 1];
    u32 n = 0;
    if (*value++ != '&') return SYMERR_VALUE;
    while (*value && *value != '=') name[n++] = *value++;
    name[n] = '\0';
    if (n && name[n - 1] == '.') name[n - 1] = '\0';
    if (*value++ != '=' || *value++ != '\'') return SYMERR_VALUE;
    n = 0;
    for (; *value && !(value[0] == '\'' && value[1] != '\''); value++) {
        if (*value == '\'') value++;
        text[n++] = *value;
    }
    text[n] = '\0';
    if (value[0] != '\'' || value[1] != '\0') return SYMERR_VALUE;
    return symbols_define(syms, name, text, line);
}

static const char *expectation(enum symbol_error e) {
    switch (e) {
    case SYMERR_RESERVED: return "A NAME THAT IS NOT THE SYSTEM'S";
    case SYMERR_NAME_LEN: return "A NAME OF 1-8 CHARACTERS";
    case SYMERR_NAME: return "A NAME OF A-Z 0-9 @ # $ NOT BEGINNING WITH A DIGIT";
    case SYMERR_TOO_MANY: return "FEWER SYMBOLS";
    case SYMERR_TEXT_LEN: return "A SHORTER TEXT";
    default: return "&NAME='TEXT'";
    }
}

/* One SYSDEF's parameters once its filters matched. */
static bool sysdef_parameter(const char *keyword, const char *value, u32 line, struct symbols *syms,
                             struct ieasym *into, struct parm_error *err) {
    u32 len = (u32)strlen(value);
    if (str_eq_ci(keyword, "SYMDEF")) {
        enum symbol_error e = symdef(syms, value, line);
        return e == SYMERR_NONE ? true : fail(err, e, line, value, len, expectation(e));
    }
    if (str_eq_ci(keyword, "SYSNAME") || str_eq_ci(keyword, "SYSCLONE")) {
        char *to = str_eq_ci(keyword, "SYSNAME") ? into->sysname : into->sysclone;
        if (len == 0 || len > SYMBOL_RAW_MAX) return fail(err, SYMERR_VALUE, line, value, len, "A NAME");
        str_copy(to, SYMBOL_RAW_MAX + 1, value);
        return true;
    }
    if (str_eq_ci(keyword, "SYSPARM")) {
        char list[VALUE_MAX + 3];
        str_fmt(list, sizeof list, "(%s)", value);
        if (suffixes_parse(list, into->sysparm, &into->sysparms, &(bool){false})) return true;
        return fail(err, SYMERR_VALUE, line, value, len, "XX OR XX,YY");
    }
    return fail(err, SYMERR_PARAMETER, line, keyword, (u32)strlen(keyword), "A SYSDEF PARAMETER");
}

/* true: keyword is a filter; *applies is cleared if it does not match. */
static bool sysdef_filter(const char *keyword, const char *value, const struct image_id *id, bool *applies) {
    const char *is;
    if (str_eq_ci(keyword, "HWNAME"))
        is = id->hwname;
    else if (str_eq_ci(keyword, "LPARNAME"))
        is = id->lparname;
    else if (str_eq_ci(keyword, "VMUSERID"))
        is = id->vmuserid;
    else
        return false;
    /* An empty filter names the image that has none: LPARNAME() is a machine in basic mode. */
    if (!str_eq_ci(value, is)) *applies = false;
    return true;
}

bool parmlib_ieasym(const char *text, const struct image_id *id, struct symbols *syms, struct ieasym *into,
                    struct parm_error *err) {
    struct cursor c = {.at = text, .line_start = text, .line = 1};
    bool in_sysdef = false, applies = false, filters_over = false;
    for (;;) {
        u32 line = c.line;
        if (!cursor_skip(&c)) return fail(err, SYMERR_VALUE, line, "/*", 2, "THE END OF THE COMMENT");
        if (!cursor_peek(&c)) return true;
        char keyword[VALUE_MAX + 1], value[VALUE_MAX + 1];
        bool has_value;
        line = c.line;
        if (!parameter_read(&c, keyword, value, &has_value, err)) return false;
        u32 len = (u32)strlen(keyword);
        if (str_eq_ci(keyword, "SYSDEF") && !has_value) {
            in_sysdef = applies = true;
            filters_over = false;
            continue;
        }
        if (!in_sysdef) return fail(err, SYMERR_PARAMETER, line, keyword, len, "SYSDEF");
        if (!has_value) return fail(err, SYMERR_PARAMETER, line, keyword, len, "PARAMETER(VALUE)");
        bool was_applying = applies;
        if (sysdef_filter(keyword, value, id, &applies)) {
            /* After a definition a filter would be too late to hold it back. */
            if (filters_over && was_applying)
                return fail(err, SYMERR_PARAMETER, line, keyword, len, "FILTERS FIRST");
            continue;
        }
        filters_over = true;
        if (applies && !sysdef_parameter(keyword, value, line, syms, into, err)) return false;
    }
}
