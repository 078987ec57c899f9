/* ezacfsm1.c - resolves the records of a text; see ezacfsm1.h. */
#include "super/ezacfsm1.h"

#include "base/str.h"

u32 ezacfsm1_run(const struct symbols *s, const struct moment *when, const char *text, u32 len,
                 void (*line)(void *ctx, const char *text), void *ctx, u32 *cut) {
    u32 records = 0;
    for (u32 at = 0; at < len; records++) {
        char out[SYMBOL_LINE_MAX + 1];
        const char *record = text + at;
        u32 n = 0, left = len - at;
        while (n < left && record[n] != '\n') n++;
        at += n + (n < left);
        if (n <= SYMBOL_LINE_MAX) {
            symbols_resolve(s, when, false, record, n, out, sizeof out);
        } else {
            memcpy(out, record, SYMBOL_LINE_MAX);
            out[SYMBOL_LINE_MAX] = '\0';
            if (cut) ++*cut;
        }
        line(ctx, out);
    }
    return records;
}
