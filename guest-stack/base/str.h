/* str.h - memory and text without a C library.
 *
 * The mem* and str* names have their C meaning. A hosted program gets them from its library; the freestanding
 * guest gets the weak ones of str.c, which arch/s390 replaces by MVC, MVCLE and CLC.
 *
 * str_fmt() understands a subset of printf that every message of the project fits in:
 *
 *   conversion   %c %s %d %u %x %X %p %%, and %z (size_t), %l (long), %ll (long long) before d u x X
 *   flags        0 (pad with zeros)  - (left)
 *   width        a number or *          precision   .number or .* (for %s: at most so many characters)
 *
 * Anything else is a bug of the caller and stops (CHECK), so a wrong format is found by its first test.
 * Touches nothing but its arguments.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>

#include "base/base.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

#if !__STDC_HOSTED__
/* To a freestanding compiler these are anybody's functions; but what one MVC, XC or CLC does is worth no call. Who defines them puts
 * their names in parentheses. */
#define STR_ONE_INSTRUCTION(n) (__builtin_constant_p(n) && (n) <= 256)
#define memcpy(to, from, n) (STR_ONE_INSTRUCTION(n) ? __builtin_memcpy(to, from, n) : memcpy(to, from, n))
#define memset(to, byte, n) (STR_ONE_INSTRUCTION(n) ? __builtin_memset(to, byte, n) : memset(to, byte, n))
#define memcmp(a, b, n) (STR_ONE_INSTRUCTION(n) ? __builtin_memcmp(a, b, n) : memcmp(a, b, n))
#endif

/* Writes at most cap bytes with the NUL; returns the characters that were written, NUL not counted. cap 0
 * writes nothing. Text that does not fit is cut. */
u32 str_fmt(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
u32 str_vfmt(char *out, size_t cap, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* The whole of s[0..len) as an unsigned number: digits only, at least one, at most UINT32_MAX. */
bool str_u32(const char *s, size_t len, u32 *out);
/* The same in hexadecimal, either case, at most 8 digits. */
bool str_hex_u32(const char *s, size_t len, u32 *out);
/* Equal without regard to the case of A-Z. */
bool str_eq_ci(const char *a, const char *b);
/* Copies what fits of in, always ends out with a NUL (cap > 0); returns the length copied. */
u32 str_copy(char *out, size_t cap, const char *in);

#endif
