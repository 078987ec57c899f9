/* messages.c - the catalogue as a table, for displays and for docs/MESSAGES.md; see messages.h. */
#include "super/messages.h"

#include "base/str.h"

static const struct message catalogue[] = {
#define MSG(id, text, explanation) {#id, #id " " text, explanation},
#include "super/messages.def"
#undef MSG
};

const struct message *message_at(u32 i) { return i < ARRAY_LEN(catalogue) ? &catalogue[i] : NULL; }

const char *message_template(const char *text, char *out, size_t cap) {
    size_t n = 0;
    for (const char *s = text; *s && n + 4 < cap;) {
        if (*s != '%') {
            out[n++] = *s++;
            continue;
        }
        s++;
        while (*s &&
               !((*s >= 'a' && *s <= 'z' && *s != 'l' && *s != 'z') || (*s >= 'A' && *s <= 'Z') || *s == '%'))
            s++;
        if (*s) s++;
        n += str_fmt(out + n, cap - n, "...");
    }
    out[n] = '\0';
    return out;
}
