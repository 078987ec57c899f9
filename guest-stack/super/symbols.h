/* symbols.h - MVS system symbols: a table of static ones, the dynamic (time) ones, and substitution.
 *
 *   reference   &NAME  &NAME.  &NAME(start:length)  &NAME(start:length).
 *   name        1-8 of A-Z 0-9 @ # $, not beginning with a digit; the reference ends at the first other
 *               character, and a '.' right after it belongs to it. The longest name is taken; it is never
 *               retried shorter (&SYSCLONEX is one, probably unknown, symbol).
 *   substring   start 1 = first character; start -1 = last character; length characters from there on.
 *               Outside the text: the whole reference stays as it is. A '(' that does not begin
 *               "number:number)" is no substring but text after the symbol, as in &HLQ(MEMBER).
 *   unknown     stays as it is, '&' and '.' included.
 *   length      a text is never longer than its reference "&NAME", so substitution never lengthens a record.
 *
 * Static: SYSNAME SYSCLONE SYSPLEX SYSR1 SYSALVL and those of IEASYMxx. Dynamic (UTC; with a leading L local
 * time): YYMMDD HHMMSS YR4 YR2 MON DAY JDAY WDAY HR MIN SEC, and JOBNAME. Dynamic ones need a struct moment.
 *
 * Pure: no storage beyond the struct, no clock.
 */
#ifndef SUPER_SYMBOLS_H
#define SUPER_SYMBOLS_H

#include "base/base.h"

#define SYMBOL_NAME_MAX 8
#define SYMBOL_RAW_MAX  44  /* text as written in IEASYMxx, before other symbols in it are resolved */
#define SYMBOLS_MAX     128 /* OS/390 promises at least 99 of the installation's own */
#define SYMBOL_LINE_MAX 256 /* longest record that is ever substituted */

struct symbol {
    char name[SYMBOL_NAME_MAX + 1];
    char text[SYMBOL_RAW_MAX + 1];
    u16 line; /* where IEASYMxx defined it, 0 = built in */
};

struct symbols {
    u32 count;
    struct symbol table[SYMBOLS_MAX];
};

/* A moment as calendar fields need it. */
struct moment {
    u32 utc_seconds; /* since 1970-01-01 00:00 */
    i32 local_offset_seconds;
    const char *jobname; /* for &JOBNAME; NULL = unknown */
};
struct calendar {
    u16 year;      /* 2000.. */
    u8 month, day; /* 1.. */
    u16 yday;      /* 1..366 */
    u8 wday;       /* 0 = Sunday */
    u8 hour, minute, second;
};
void calendar_of(u32 seconds, struct calendar *out);

/* The reasons of message IEA009I, in OS/390's numbering. */
enum symbol_error {
    SYMERR_NONE,
    SYMERR_MEMBER,    /* 1 member not found */
    SYMERR_RESERVED,  /* 2 the name belongs to the system */
    SYMERR_NAME_LEN,  /* 3 name empty or longer than 8 */
    SYMERR_NAME,      /* 4 name begins with a digit or holds a wrong character */
    SYMERR_TOO_MANY,  /* 5 */
    SYMERR_TEXT_LEN,  /* 6 resolved text longer than &NAME */
    SYMERR_PARAMETER, /* 7 unknown parameter */
    SYMERR_VALUE,     /* 8 bad value */
    SYMERR_IO,        /* 9 (ours) the member could not be read */
};

void symbols_init(struct symbols *s);
/* Defines or redefines name (without '&'). The text may hold references; symbols_settle() resolves them. */
enum symbol_error symbols_define(struct symbols *s, const char *name, const char *text, u32 line);
/* As symbols_define(), but for the names that only the system sets (SYSNAME ...). */
void symbols_set_system(struct symbols *s, const char *name, const char *text);
/* Resolves references inside texts, in order of definition, then applies the length rule. The first symbol
 * that breaks it is returned through bad. */
enum symbol_error symbols_settle(struct symbols *s, const struct symbol **bad);
/* NULL if it is not static or not known. */
const char *symbols_find(const struct symbols *s, const char *name, size_t len);

/* in[0..len) with symbols replaced into out (cap > len; always NUL-terminated); returns the length, <= len.
 * when NULL: dynamic symbols stay. fold: lower-case names are accepted, as in operator commands. */
u32 symbols_resolve(const struct symbols *s, const struct moment *when, bool fold, const char *in, u32 len,
                    char *out, u32 cap);

#endif
