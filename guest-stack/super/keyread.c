/* keyread.c - words and parameters of COUPLExx and of policies. See keyread.h. */
#include "super/keyread.h"

#include "base/str.h"

#define COLUMNS 71

void keyread_init(struct keyread *k, const char *text, struct keyread_error *err) {
    *k = (struct keyread){.at = text, .line = 1, .err = err};
}

bool keyread_fail(struct keyread *k, u32 line, const char *token, const char *expected) {
    k->err->line = line;
    str_copy(k->err->token, sizeof k->err->token, token);
    k->err->expected = expected;
    return false;
}

/* ---- characters ---- */

/* Steps over one character and, past column 71, over the rest of the record. */
static void step(struct keyread *k) {
    if (!*k->at) return; /* column 72 of the last record may hold what the caller saw there */
    if (*k->at == '\n') {
        k->line++;
        k->column = 0;
        k->at++;
        return;
    }
    k->at++;
    k->column++;
    while (k->column >= COLUMNS && *k->at && *k->at != '\n') k->at++;
}

static bool separates(char c) { return c == ' ' || c == ',' || c == '\n' || c == '\r' || c == '\t'; }

static bool skip(struct keyread *k) {
    for (;;) {
        if (separates(*k->at)) {
            step(k);
        } else if (*k->at == '/' && k->at[1] == '*') {
            u32 line = k->line;
            step(k);
            step(k);
            while (*k->at && !(*k->at == '*' && k->at[1] == '/')) step(k);
            if (!*k->at) return keyread_fail(k, line, "/*", "THE END OF THE COMMENT");
            step(k);
            step(k);
        } else {
            return true;
        }
    }
}

/* ---- tokens ---- */

static bool token(struct keyread *k, char *out) {
    u32 n = 0, line = k->line;
    while (*k->at && !separates(*k->at) && *k->at != '(' && *k->at != ')' && !(*k->at == '/' && k->at[1] == '*')) {
        char c = *k->at;
        if (n == KEYREAD_TOKEN) {
            out[n] = '\0';
            return keyread_fail(k, line, out, "AT MOST 44 CHARACTERS");
        }
        out[n++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        u32 before = k->line;
        bool last = k->column + 1 >= COLUMNS;
        step(k);
        if (last || k->line != before) break; /* a token ends with its record */
    }
    out[n] = '\0';
    return n > 0 || keyread_fail(k, line, *k->at ? "(" : "END OF MEMBER", "A VALUE");
}

/* 'text': up to its apostrophe, which must stand on the same record. */
static bool quoted(struct keyread *k, char *out) {
    u32 n = 0, line = k->line;
    step(k);
    while (*k->at && k->line == line && *k->at != '\n') {
        if (*k->at == '\'') {
            step(k);
            if (*k->at != '\'' || k->line != line) {
                k->quoted[n] = '\0';
                str_copy(out, KEYREAD_TOKEN + 1, k->quoted);
                return true;
            }
        }
        if (n == KEYREAD_QUOTED) return keyread_fail(k, line, "'", "AT MOST 72 CHARACTERS");
        k->quoted[n++] = *k->at;
        step(k);
    }
    return keyread_fail(k, line, "'", "A CLOSING APOSTROPHE");
}

/* "(v,v,...)" behind the keyword. */
static bool values(struct keyread *k) {
    step(k);
    for (k->values = 0;; k->values++) {
        if (!skip(k)) return false;
        if (*k->at == ')') break;
        if (k->values == KEYREAD_VALUES) return keyread_fail(k, k->line, k->keyword, "AT MOST 64 VALUES");
        if (!(*k->at == '\'' ? quoted(k, k->value[k->values]) : token(k, k->value[k->values]))) return false;
    }
    step(k);
    return k->values > 0 || keyread_fail(k, k->keyword_line, k->keyword, "A VALUE");
}

enum keyread_kind keyread_next(struct keyread *k) {
    if (!skip(k)) return KEY_ERROR;
    if (!*k->at) return KEY_END;
    k->keyword_line = k->line;
    if (!token(k, k->keyword)) return KEY_ERROR;
    while (*k->at == ' ') step(k);
    if (*k->at != '(') return KEY_WORD;
    return values(k) ? KEY_PARAMETER : KEY_ERROR;
}

/* ---- values ---- */

bool keyread_is(const struct keyread *k, const char *keyword) { return strcmp(k->keyword, keyword) == 0; }

bool keyread_one(struct keyread *k) {
    return k->values == 1 || keyread_fail(k, k->keyword_line, k->keyword, "ONE VALUE");
}

bool keyread_number(struct keyread *k, u32 *out) {
    if (!keyread_one(k)) return false;
    return str_u32(k->value[0], strlen(k->value[0]), out) ||
           keyread_fail(k, k->keyword_line, k->value[0], "A NUMBER");
}

bool keyread_range(struct keyread *k, u32 low, u32 high, const char *expected, u32 *out) {
    if (!keyread_number(k, out)) return false;
    return (*out >= low && *out <= high) || keyread_fail(k, k->keyword_line, k->value[0], expected);
}

bool keyread_name(struct keyread *k, const char *from, char *to, u32 max) {
    if (strlen(from) > max)
        return keyread_fail(k, k->keyword_line, from, max == 8 ? "A NAME OF 1-8" : "A NAME OF 1-16");
    str_copy(to, max + 1, from);
    return true;
}
