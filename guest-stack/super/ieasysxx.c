/* ieasysxx.c - finds a keyword of IEASYSxx. See super/ieasysxx.h. */
#include "super/ieasysxx.h"

#include "base/str.h"

#define COLUMNS 71

struct cursor {
    const char *at;
    u32 column;
};

/* The next character of columns 1-71, comments as one blank; '\0' at the end. */
static char next(struct cursor *c) {
    for (;;) {
        char ch = *c->at;
        if (ch == '\0') return ch;
        c->at++;
        if (ch == '\n') {
            c->column = 0;
            return ' ';
        }
        if (c->column++ >= COLUMNS) continue;
        if (ch == '/' && *c->at == '*') {
            while (*c->at && !(c->at[0] == '*' && c->at[1] == '/')) c->at++;
            if (*c->at) c->at += 2;
            return ' ';
        }
        return ch >= 'a' && ch <= 'z' ? (char)(ch - 'a' + 'A') : ch;
    }
}

bool ieasysxx_value(const char *text, const char *keyword, char *out, size_t cap) {
    struct cursor c = {.at = text};
    char word[9];
    size_t n = 0, len = 0;
    bool found = false, taking = false;
    u32 depth = 0;
    for (char ch; (ch = next(&c)) != '\0';) {
        if (ch == '(') depth++;
        if (ch == ')' && depth) depth--;
        bool ends = depth == 0 && (ch == ',' || ch == ' ');
        if (taking) {
            if (ends) taking = false;
            else if (ch != '(' && ch != ')' && len + 1 < cap) out[len++] = ch;
        } else if (depth == 0 && ch == '=') {
            word[n] = '\0';
            if (strcmp(word, keyword) == 0) {
                found = taking = true;
                len = 0;
            }
            n = 0;
        } else if (ends || depth) {
            n = 0;
        } else if (n + 1 < sizeof word) {
            word[n++] = ch;
        }
    }
    if (found) out[len] = '\0';
    return found;
}
