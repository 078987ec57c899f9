/* keyread.h - the language of COUPLExx and of policies: KEYWORD(value,...) and bare words, free form in columns 1-71.
 *
 *   blanks, commas and ends of records separate; slash-star to star-slash is a comment; lower case is folded
 *   word            KEY_WORD        a statement's name, or an option without a value
 *   word(v,v,...)   KEY_PARAMETER   1 to KEYREAD_VALUES values
 *   end of text     KEY_END
 *   anything else   KEY_ERROR       err says where, what was found, what should have been there
 * A value of KEYREAD_QUOTED may stand in apostrophes; then it is taken as it is, '' for one of them.
 *
 *   keyread_init(&k, text, &err);  while ((what = keyread_next(&k)) is a word or a parameter) ...
 * Pure; reads the text once.
 */
#ifndef SUPER_KEYREAD_H
#define SUPER_KEYREAD_H

#include "base/base.h"

#define KEYREAD_TOKEN  44
#define KEYREAD_QUOTED 72
#define KEYREAD_VALUES 64

struct keyread_error {
    u32 line;
    char token[KEYREAD_TOKEN + 1]; /* what was found */
    const char *expected;          /* what should have been there */
};
enum keyread_kind { KEY_ERROR, KEY_END, KEY_WORD, KEY_PARAMETER };

struct keyread {
    const char *at;
    u32 line, column;
    struct keyread_error *err;
    /* What keyread_next() found. */
    char keyword[KEYREAD_TOKEN + 1], value[KEYREAD_VALUES][KEYREAD_TOKEN + 1];
    char quoted[KEYREAD_QUOTED + 1]; /* the last quoted value; value[] has its beginning */
    u32 keyword_line, values;
};

void keyread_init(struct keyread *k, const char *text, struct keyread_error *err);
enum keyread_kind keyread_next(struct keyread *k);

/* Helpers for parameters; false after *err was filled. */
bool keyread_fail(struct keyread *k, u32 line, const char *token, const char *expected);
bool keyread_is(const struct keyread *k, const char *keyword);
bool keyread_one(struct keyread *k); /* exactly one value */
bool keyread_number(struct keyread *k, u32 *out);
bool keyread_range(struct keyread *k, u32 low, u32 high, const char *expected, u32 *out);
/* A name of up to max characters (8 or 16) into to[max + 1]. */
bool keyread_name(struct keyread *k, const char *from, char *to, u32 max);

#endif
