/* fuzz_symbols.c - symbol definition, settlement and substitution with any bytes.
 *
 * Lines NAME=TEXT define symbols; the first line without '=' and all that follows is text to resolve.
 * Checked: texts keep the length rule after settlement, and substitution never lengthens a record.
 */
#include "base/str.h"
#include "super/ezacfsm1.h"
#include "super/symbols.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_line(void *ctx, const char *text) { *(u32 *)ctx += (u32)strlen(text); }

static const char *define(struct symbols *s, const char *line, const char *end) {
    char name[16], text[64];
    u32 n = 0, t = 0;
    const char *p = line;
    for (; p < end && *p != '=' && *p != '\n'; p++)
        if (n < sizeof name - 1) name[n++] = *p;
    if (p == end || *p != '=') return NULL;
    for (p++; p < end && *p != '\n'; p++)
        if (t < sizeof text - 1) text[t++] = *p;
    name[n] = text[t] = '\0';
    if (str_eq_ci(name, "SYSNAME") || str_eq_ci(name, "SYSCLONE"))
        symbols_set_system(s, name[3] == 'N' || name[3] == 'n' ? "SYSNAME" : "SYSCLONE", text);
    else
        symbols_define(s, name, text, 1);
    return p < end ? p + 1 : p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct symbols *s = malloc(sizeof *s);
    const struct symbol *bad;
    /* A copy of the exact size, so that a read past the end is seen. */
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    symbols_init(s);
    const char *at = text, *end = text + size;
    for (const char *next; at < end && (next = define(s, at, end)); at = next) continue;
    enum symbol_error e = symbols_settle(s, &bad);
    CHECK((e == SYMERR_NONE) == (bad == NULL));
    struct moment when = {.utc_seconds = size > 4 ? (u32)data[0] << 24 | data[1] : 0, .jobname = "JOB"};
    u32 len = u32_min((u32)(end - at), SYMBOL_LINE_MAX);
    char *exact = malloc(len + 1), out[SYMBOL_LINE_MAX + 1];
    memcpy(exact, at, len);
    u32 n = symbols_resolve(s, &when, size & 1, exact, len, out, sizeof out);
    CHECK(n < sizeof out && out[n] == '\0');
    if (e == SYMERR_NONE) CHECK(n <= len);
    u32 total = 0, cut = 0;
    ezacfsm1_run(s, &when, at, (u32)(end - at), count_line, &total, &cut);
    if (e == SYMERR_NONE && cut == 0) CHECK(total <= (u32)(end - at));
    free(exact);
    free(text);
    free(s);
    return 0;
}
