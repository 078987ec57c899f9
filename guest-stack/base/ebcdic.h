/* ebcdic.h - EBCDIC code page 1047 (Latin-1, open systems) to and from ISO 8859-1.
 *
 * The two tables are permutations of 0..255 and inverse to each other, so text goes through both unchanged.
 * Source: the IBM-1047 character map; new line (0x15) stands for 0x85 and line feed (0x25) for 0x0A, which records of text never hold.
 */
#ifndef BASE_EBCDIC_H
#define BASE_EBCDIC_H

#include "base/base.h"

#define EBCDIC_BLANK 0x40

extern const u8 ebcdic_from_latin1[256];
extern const u8 ebcdic_to_latin1[256];

/* len characters, no NUL. Weak: arch/s390 replaces them by TR. */
void ebcdic_put(u8 *out, const char *text, u32 len);
void ebcdic_get(char *out, const u8 *bytes, u32 len);
/* A fixed field: text cut or padded with blanks to width bytes. */
void ebcdic_pad(u8 *out, u32 width, const char *text);
/* The reverse: trailing blanks (and zeros) cut, NUL at the end; out has width + 1 bytes. Returns the length. */
u32 ebcdic_trim(char *out, const u8 *bytes, u32 width);

#endif
