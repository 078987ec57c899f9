/* profile_lex.c - tokens of PROFILE.TCPIP: sources, INCLUDE, symbols, comments; and the typed takers.
 *
 * A source is one open member. Its lines are resolved one at a time into source->text, so a symbol may stand
 * for part of a token or for several tokens. A token is what stands between blanks; a quoted one may hold
 * blanks and keeps its quotes. INCLUDE is handled here, so that no statement needs to know of it.
 */
#include "super/profile.h"

#include "base/str.h"
#include "super/console.h"
#include "super/messages.h"
#include "super/profile_impl.h"
#include "super/system.h"
#include "super/tcpip.h"

static struct profile_source *top(struct profile *p) { return &p->source[p->depth - 1]; }
static struct console *con(struct profile *p) { return p->ip->sys->env.con; }

/* ---- sources ---- */

static bool is_open(const struct profile *p, const char *name) {
    for (u32 i = 0; i < p->depth; i++)
        if (str_eq_ci(p->source[i].name, name)) return true;
    return false;
}

int profile_open(struct profile *p, const char *dsn, const char *kind) {
    char dsname[45], member[9];
    if (p->depth == PROFILE_NEST_MAX || !dataset_name_split(dsn, dsname, member)) return -ERR_INVAL;
    struct profile_source *s = &p->source[p->depth];
    memset(s, 0, sizeof *s);
    str_fmt(s->name, sizeof s->name, member[0] ? "%s(%s)" : "%s", dsname, member);
    if (is_open(p, s->name)) return -ERR_EXIST;
    int rc = dataset_read(p->ip->sys->env.ds, dsname, member, &s->member);
    if (rc) return rc;
    p->depth++;
    console_message(con(p), EZZ0300I, kind, s->name);
    console_message(con(p), EZZ0309I, s->name);
    return 0;
}

void profile_close_top(struct profile *p) {
    struct profile_source *s = top(p);
    console_message(con(p), EZZ0316I, s->name);
    dataset_release(p->ip->sys->env.ds, &s->member);
    p->depth--;
    if (p->depth) console_message(con(p), EZZ0304I, top(p)->name);
}

/* The next line of s, resolved. false at the end of the member. A record longer than SYMBOL_LINE_MAX is cut:
 * data sets have 80 bytes a record, only a host file can be longer. */
static bool line_next(struct profile *p, struct profile_source *s) {
    if (s->at >= s->member.len) return false;
    const char *line = s->member.text + s->at;
    u32 len = 0, left = s->member.len - s->at;
    while (len < left && line[len] != '\n') len++;
    s->at += len + (len < left);
    s->line++;
    struct moment when;
    system_moment(p->ip->sys, &when);
    when.jobname = p->ip->name;
    s->len = symbols_resolve(&p->ip->sys->symbols, &when, false, line, u32_min(len, SYMBOL_LINE_MAX), s->text,
                             sizeof s->text);
    s->column = 0;
    return true;
}

/* ---- tokens ---- */

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\0'; }

static void token_copy(struct profile *p, const char *from, u32 len) {
    len = u32_min(len, PROFILE_TOKEN_MAX);
    bool quoted = false;
    for (u32 i = 0; i < len; i++) {
        char c = from[i];
        if (c == '\'') quoted = !quoted;
        p->raw[i] = c;
        p->token[i] = !quoted && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    p->raw[len] = p->token[len] = '\0';
}

/* The next token of the current line; false if the line has none left. */
static bool token_in_line(struct profile *p, struct profile_source *s) {
    while (s->column < s->len && is_blank(s->text[s->column])) s->column++;
    if (s->column == s->len || s->text[s->column] == ';') {
        s->column = s->len;
        return false;
    }
    u32 from = s->column;
    bool quoted = false;
    while (s->column < s->len && (quoted || !is_blank(s->text[s->column])))
        if (s->text[s->column++] == '\'') quoted = !quoted;
    token_copy(p, s->text + from, s->column - from);
    p->token_line = s->line;
    p->token_source = p->depth - 1;
    return true;
}

static bool token_next(struct profile *p) {
    while (p->depth) {
        struct profile_source *s = top(p);
        if (token_in_line(p, s)) return true;
        if (!line_next(p, s)) profile_close_top(p);
    }
    return false;
}

/* INCLUDE dsname: the name is the next token of the same file. */
static void include(struct profile *p) {
    u32 depth = p->depth;
    struct profile_source *s = top(p);
    bool named = false;
    while (!(named = token_in_line(p, s)) && line_next(p, s)) continue;
    profile_take(p);
    if (!named) {
        profile_expected(p, "A DATA SET NAME");
        return;
    }
    int rc = profile_open(p, p->token, "INCLUDE");
    if (rc == 0) return;
    CHECK(p->depth == depth);
    p->errors++;
    const char *why = rc == -ERR_EXIST   ? "IT IS BEING READ ALREADY"
                      : rc == -ERR_NOENT ? "IT DOES NOT EXIST"
                      : rc == -ERR_INVAL ? "ITS NAME IS NOT VALID OR INCLUDES ARE NESTED TOO DEEP"
                      : rc == -ERR_NOMEM ? "THERE IS NO STORAGE FOR IT"
                                         : "OF AN I/O ERROR";
    console_message(con(p), PLX0202E, p->token, why);
    profile_where(p);
}

const char *profile_peek(struct profile *p) {
    while (!p->have_token) {
        if (!token_next(p)) return NULL;
        if (str_eq_ci(p->token, "INCLUDE"))
            include(p);
        else
            p->have_token = true;
    }
    return p->token;
}

void profile_take(struct profile *p) {
    const struct profile_source *s = &p->source[p->token_source];
    p->have_token = false;
    if (p->taken_line == p->token_line && strcmp(p->taken_name, s->name) == 0) return;
    p->taken_line = p->token_line;
    str_copy(p->taken_name, sizeof p->taken_name, s->name);
    str_copy(p->taken_text, sizeof p->taken_text, s->text);
}

/* ---- errors ---- */

bool profile_where(struct profile *p) {
    console_message(con(p), PLX0201I, p->taken_name, p->taken_line, p->taken_text);
    return false;
}

bool profile_expected(struct profile *p, const char *what) {
    p->errors++;
    if (!p->have_token) {
        console_message(con(p), EZZ0318I, "END OF FILE", p->taken_line, what);
        console_message(con(p), PLX0203I);
        return false;
    }
    const struct profile_source *s = &p->source[p->token_source];
    console_message(con(p), EZZ0318I, p->token, p->token_line, what);
    console_message(con(p), PLX0201I, s->name, p->token_line, s->text);
    return false;
}

/* ---- typed takers ---- */

bool keyword_matches(const char *spec, const char *token) {
    u32 i = 0;
    for (; spec[i] && token[i]; i++) {
        char want = spec[i] >= 'a' && spec[i] <= 'z' ? (char)(spec[i] - 'a' + 'A') : spec[i];
        char is = token[i] >= 'a' && token[i] <= 'z' ? (char)(token[i] - 'a' + 'A') : token[i];
        if (want != is) return false;
    }
    if (token[i]) return false;
    /* All capitals of the spec must be there; what follows them in small letters may be left out. */
    return spec[i] == '\0' || (spec[i] >= 'a' && spec[i] <= 'z' && i > 0);
}

bool profile_keyword(struct profile *p, const char *spec) {
    const char *token = profile_peek(p);
    if (!token || !keyword_matches(spec, token)) return false;
    profile_take(p);
    return true;
}

static bool number_in(struct profile *p, u32 low, u32 high, bool hex, u32 *out) {
    const char *t = profile_peek(p);
    u32 v;
    bool good =
        t && (hex ? str_hex_u32(t, strlen(t), &v) : str_u32(t, strlen(t), &v)) && v >= low && v <= high;
    if (!good) {
        char what[64];
        str_fmt(what, sizeof what, hex ? "A HEXADECIMAL NUMBER FROM %X TO %X" : "A NUMBER FROM %u TO %u", low,
                high);
        return profile_expected(p, what);
    }
    *out = v;
    profile_take(p);
    return true;
}

bool profile_number(struct profile *p, u32 low, u32 high, u32 *out) {
    return number_in(p, low, high, false, out);
}
bool profile_hex(struct profile *p, u32 low, u32 high, u32 *out) {
    return number_in(p, low, high, true, out);
}

bool profile_address(struct profile *p, struct ipaddr *out) {
    const char *t = profile_peek(p);
    if (!t || !ipaddr_parse(t, strlen(t), out)) return profile_expected(p, "AN IP ADDRESS");
    profile_take(p);
    return true;
}

bool profile_mask(struct profile *p, struct ipaddr *out) {
    const char *t = profile_peek(p);
    if (!t || !ipaddr_parse(t, strlen(t), out) || ipaddr_mask_bits(*out) < 0)
        return profile_expected(p, "A SUBNET MASK");
    profile_take(p);
    return true;
}

bool profile_name(struct profile *p, char *out, u32 cap, const char *what) {
    const char *t = profile_peek(p);
    if (!t || strlen(t) >= cap || profile_at_statement(p)) return profile_expected(p, what);
    str_copy(out, cap, t);
    profile_take(p);
    return true;
}
