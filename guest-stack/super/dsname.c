/* dsname.c - the syntax of data set and member names, as operators write them: DSN, DSN(MEMBER), 'DSN(MEMBER)'.
 *
 * A data set name is 1 to 44 characters: qualifiers of 1 to 8 joined by periods, each beginning with a letter or a
 * national character (@ # $). A member name is one qualifier.
 */
#include "super/dataset.h"

#include "base/str.h"

static bool is_alpha(char c) { return (c >= 'A' && c <= 'Z') || c == '@' || c == '#' || c == '$'; }

/* One qualifier at text[0..max); returns its length, 0 if there is none. */
static u32 qualifier(const char *text, u32 max) {
    u32 n = 0;
    if (max == 0 || !is_alpha(text[0])) return 0;
    while (n < max && (is_alpha(text[n]) || (text[n] >= '0' && text[n] <= '9') || text[n] == '-')) n++;
    return n <= 8 ? n : 0;
}

/* A whole data set name at text[0..max); returns its length, 0 if malformed. */
static u32 dsname(const char *text, u32 max) {
    u32 at = 0;
    for (;;) {
        u32 n = qualifier(text + at, max - at);
        if (n == 0) return 0;
        at += n;
        if (at >= max || text[at] != '.') return at <= 44 ? at : 0;
        at++;
    }
}

bool dataset_name_split(const char *text, char name[45], char member[9]) {
    u32 len = (u32)strlen(text);
    if (len >= 2 && text[0] == '\'' && text[len - 1] == '\'') {
        text++;
        len -= 2;
    }
    u32 n = dsname(text, len);
    if (n == 0) return false;
    memcpy(name, text, n);
    name[n] = 0;
    member[0] = 0;
    if (n == len) return true;
    u32 m = text[n] == '(' ? qualifier(text + n + 1, len - n - 1) : 0;
    if (m == 0 || n + m + 2 != len || text[len - 1] != ')') return false;
    memcpy(member, text + n + 1, m);
    member[m] = 0;
    return true;
}
