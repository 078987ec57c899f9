/* display3270.h - a 3270 display for tests, written from GA23-0059 and not from wire/ds3270.c: what a host sends becomes a
 * screen of characters and attributes, what is typed becomes a Read Modified.
 *
 *   display_init(d, rows, cols)       the alternate size; the default is 24x80
 *   display_record(d, bytes, n)       a data stream; false and d->error for anything that a display would refuse
 *   display_type(d, address, text)    the user types into the field that is there
 *   display_key(d, aid, out)          the data stream that the key sends
 */
#ifndef TESTS_UNIT_DISPLAY3270_H
#define TESTS_UNIT_DISPLAY3270_H

#include "base/base.h"

#define DISPLAY_CELLS 16384

struct display {
    u32 rows, cols, alt_rows, alt_cols; /* in effect; alternate */
    u32 cursor, at;
    bool locked, alarm, alternate;
    u32 erases, writes, queries;
    const char *error;
    char text[DISPLAY_CELLS];  /* ASCII, ' ' for NUL */
    u8 attr[DISPLAY_CELLS];    /* of a field that begins here, with 0x40 set; 0: no field */
    u8 color[DISPLAY_CELLS], highlight[DISPLAY_CELLS];
};

void display_init(struct display *d, u32 rows, u32 cols);
bool display_record(struct display *d, const u8 *p, u32 n);
void display_type(struct display *d, u32 address, const char *text);
/* Returns the length; sets the keyboard locked. */
u32 display_key(struct display *d, u8 aid, u8 out[2048]);
/* A row as text, trailing blanks cut. */
const char *display_row(const struct display *d, u32 row);
/* Some row contains part. */
bool display_shows(const struct display *d, const char *part);

#endif
