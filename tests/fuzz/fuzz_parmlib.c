/* fuzz_parmlib.c - LOADxx and IEASYMxx with any text; a line of "---" parts the one from the other. */
#include "base/str.h"
#include "super/parmlib.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct image_id id = {"CPC1", "SYSA", ""};
    size_t at = 0;
    while (at + 4 <= size && memcmp(data + at, "---\n", 4) != 0) at++;
    if (at + 4 > size) at = size;
    char *load = text_of(data, at),
         *sym = text_of(data + (at < size ? at + 4 : at), at < size ? size - at - 4 : 0);
    struct loadxx *l = calloc(1, sizeof *l);
    struct symbols *s = malloc(sizeof *s);
    struct ieasym names = {.sysname = ""};
    struct parm_error err = {.reason = SYMERR_NONE};
    const struct symbol *bad;
    if (!parmlib_loadxx(load, &id, l, &err)) CHECK(err.reason != SYMERR_NONE && err.expected && err.line);
    CHECK(l->parmlibs <= PARMLIB_MAX && l->ieasyms <= SUFFIXES_MAX);
    symbols_init(s);
    err = (struct parm_error){.reason = SYMERR_NONE};
    if (!parmlib_ieasym(sym, &id, s, &names, &err))
        CHECK(err.reason != SYMERR_NONE && err.expected && err.line);
    symbols_set_system(s, "SYSNAME", names.sysname);
    symbols_set_system(s, "SYSCLONE", names.sysclone);
    if (symbols_settle(s, &bad) == SYMERR_NONE)
        for (u32 i = 0; i < s->count; i++) CHECK(strlen(s->table[i].text) <= strlen(s->table[i].name) + 1);
    free(s);
    free(l);
    free(sym);
    free(load);
    return 0;
}
