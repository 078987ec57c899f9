/* stdio.h - what the simulator says: in the machine of cross_main.c nobody listens, but a text must still be formatted right. */
#ifndef CROSS_STDIO_H
#define CROSS_STDIO_H

#include <stdarg.h>
#include <stddef.h>

typedef struct cross_file FILE;
#define stderr ((FILE *)0)
#define stdout ((FILE *)0)

int snprintf(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *out, size_t cap, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
int fprintf(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int vfprintf(FILE *f, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
int fputs(const char *s, FILE *f);
int fputc(int c, FILE *f);

#endif
