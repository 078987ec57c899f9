/* cross_libc.c - the little of a C library that the simulator needs in a machine without an operating system.
 *
 * malloc() hands out the storage behind the program: blocks of a power of two bytes up to 1 MB, larger ones of just their size, each
 * after a header that holds it. Freed ones are kept, by power of two; of the large ones, the first that is large enough is used again.
 * What is handed out first is zero, for the machine was cleared; calloc() clears what was used before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cross/cross.h"

#define CLASS_MIN 5u  /* 32 bytes */
#define CLASS_MAX 20u /* 1 MB */
#define CLASSES   (CLASS_MAX + 2) /* the last: all that is larger */

struct block {
    struct block *next; /* of the free ones */
    u32 bytes;          /* with this header */
    u32 class;
    u32 used; /* not for the first time */
};

extern u8 __bss_end[];
static u8 *top, *highest; /* what lies above the latter is zero still */
static struct block *spare[CLASSES];

static u32 class_of(size_t bytes) {
    u32 class = CLASS_MIN;
    while (class <= CLASS_MAX && (size_t)1 << class < bytes) class++;
    return class;
}

static struct block *take_spare(u32 class, size_t bytes) {
    struct block **at = &spare[class];
    while (*at && (*at)->bytes < bytes) at = &(*at)->next;
    struct block *b = *at;
    if (!b) return NULL;
    *at = b->next;
    b->used = 1;
    return b;
}

void *malloc(size_t bytes) {
    if (bytes > CROSS_STORAGE_BYTES) return NULL;
    size_t want = (bytes + sizeof(struct block) + 15) / 16 * 16;
    u32 class = class_of(want);
    if (class <= CLASS_MAX) want = (size_t)1 << class;
    struct block *b = take_spare(class, want);
    if (b) return b + 1;
    if (!highest) top = highest = __bss_end;
    if ((uintptr_t)top + want > CROSS_STORAGE_BYTES) return NULL;
    b = (struct block *)(void *)top;
    *b = (struct block){.class = class, .bytes = (u32)want, .used = top < highest};
    top += want;
    if (top > highest) highest = top;
    return b + 1;
}

void cross_forget(void) {
    top = __bss_end;
    memset(spare, 0, sizeof spare);
}

void free(void *p) {
    if (!p) return;
    struct block *b = (struct block *)p - 1;
    b->next = spare[b->class];
    spare[b->class] = b;
}

void *calloc(size_t n, size_t bytes) {
    CHECK(bytes == 0 || n <= CROSS_STORAGE_BYTES / bytes);
    void *p = malloc(n * bytes);
    if (p && ((struct block *)p - 1)->used) memset(p, 0, n * bytes);
    return p;
}

void *realloc(void *old, size_t bytes) {
    if (!old) return malloc(bytes);
    struct block *b = (struct block *)old - 1;
    size_t had = b->bytes - sizeof *b;
    if (bytes <= had) return old;
    void *p = malloc(bytes);
    if (!p) return NULL;
    memcpy(p, old, had);
    free(old);
    return p;
}

int vsnprintf(char *out, size_t cap, const char *fmt, va_list ap) { return (int)str_vfmt(out, cap, fmt, ap); }

int snprintf(char *out, size_t cap, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(out, cap, fmt, ap);
    va_end(ap);
    return n;
}

int vfprintf(FILE *f, const char *fmt, va_list ap) {
    UNUSED(f);
    return cross_say(fmt, ap);
}

int fprintf(FILE *f, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vfprintf(f, fmt, ap);
    va_end(ap);
    return n;
}

int fputs(const char *s, FILE *f) { return fprintf(f, "%s", s); }
int fputc(int c, FILE *f) { return fprintf(f, "%c", c); }

int strncmp(const char *a, const char *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) return (u8)a[i] < (u8)b[i] ? -1 : 1;
        if (!a[i]) return 0;
    }
    return 0;
}
