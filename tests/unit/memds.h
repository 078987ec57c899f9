/* memds.h - data sets in memory for tests of super: include it in one file of a program and fill memds_set().
 *
 * It defines dataset_read() and dataset_release(), so a program that includes it must not link the volume's.
 * Every read is a fresh copy, and memds_open counts what was not released.
 */
#ifndef TESTS_UNIT_MEMDS_H
#define TESTS_UNIT_MEMDS_H

#include "super/dataset.h"

#include <stdlib.h>
#include <string.h>

#define MEMDS_MAX 64

static struct {
    char name[60]; /* DSN(MEMBER) or DSN */
    const char *text;
    u32 len;
    int error; /* returned instead of the text */
} memds[MEMDS_MAX];
static u32 memds_count;
static int memds_open;

static inline void memds_put(const char *name, const char *text, u32 len, int error) {
    u32 i = 0;
    while (i < memds_count && strcmp(memds[i].name, name) != 0) i++;
    if (i == memds_count) {
        if (memds_count == MEMDS_MAX) abort();
        memds_count++;
    }
    strncpy(memds[i].name, name, sizeof memds[i].name - 1);
    memds[i].text = text;
    memds[i].len = len;
    memds[i].error = error;
}
static inline void memds_set(const char *name, const char *text) {
    memds_put(name, text, (u32)strlen(text), 0);
}
static inline void memds_clear(void) { memds_count = 0; }

int dataset_read(struct datasets *ds, const char *dsname, const char *member, struct member *out) {
    char name[60];
    UNUSED(ds);
    name[0] = '\0';
    strncat(name, dsname, 44);
    if (member && member[0]) {
        strcat(name, "(");
        strncat(name, member, 8);
        strcat(name, ")");
    }
    for (u32 i = 0; i < memds_count; i++) {
        if (strcmp(memds[i].name, name) != 0) continue;
        if (memds[i].error) return -memds[i].error;
        out->len = memds[i].len;
        out->text = malloc(out->len + 1);
        memcpy(out->text, memds[i].text, out->len);
        out->text[out->len] = '\0';
        memds_open++;
        return 0;
    }
    return -ERR_NOENT;
}

void dataset_release(struct datasets *ds, struct member *m) {
    UNUSED(ds);
    free(m->text);
    m->text = NULL;
    memds_open--;
}

#endif
