/* ds3270.h - the 3270 data stream (GA23-0059): writing what a host sends, reading what a display answers.
 *
 * Host to display:   command | WCC | orders and text ...                        (Write, Erase/Write, Erase/Write Alternate)
 *                    F3 | structured fields                                    (Write Structured Field)
 *   order   code  operands                     does
 *   SF      1D    attribute                    a field begins: the attribute takes one place on the screen
 *   SFE     29    n, n x (type, value)         the same with colour and highlighting
 *   SBA     11    address                      the next character goes there
 *   IC      13                                 the cursor goes here
 *   RA      3C    address, character           repeats a character up to (not onto) an address
 *   EUA     12    address                      clears unprotected fields up to an address
 *
 * Display to host:   AID | cursor address | { SBA address text }...             text of the fields that were changed;
 *                    AID alone for PA keys and CLEAR                           orders SF, SFE, SA, GE, MF may stand in it
 *                    88 | query replies                                        answer to ds_query()
 *
 * An address is two bytes: 12 bits, six in each, as graphic characters; or, first two bits 00, 14 bits. Up to 4,096
 * places are addressed with 12 bits, which every display understands.
 *
 * Attribute byte: bit 2 protected, 3 numeric, 4-5 00 normal, 10 intense, 11 not shown, 7 modified; bits 0-1 make it graphic.
 * Text is EBCDIC on the wire and ASCII for the caller; what has no graphic is shown as a blank.
 *
 * A writer never passes the end of its storage: what does not fit sets full, and the stream is not to be sent.
 */
#ifndef WIRE_DS3270_H
#define WIRE_DS3270_H

#include "base/base.h"

#define DS_WRITE                 0xF1
#define DS_ERASE_WRITE           0xF5
#define DS_ERASE_WRITE_ALTERNATE 0x7E
#define DS_WRITE_STRUCTURED      0xF3

/* Write control character, already graphic. */
#define DS_WCC_NOTHING         0x40
#define DS_WCC_RESTORE         0xC2 /* unlock the keyboard */
#define DS_WCC_RESTORE_RESET   0xC3 /* and forget what was modified */
#define DS_WCC_ALARM           0x04 /* or'ed in */

enum ds_aid {
    DS_AID_NONE = 0x60,
    DS_AID_STRUCTURED = 0x88,
    DS_AID_ENTER = 0x7D,
    DS_AID_PA1 = 0x6C,
    DS_AID_PA2 = 0x6E,
    DS_AID_PA3 = 0x6B,
    DS_AID_CLEAR = 0x6D,
    DS_AID_SYSREQ = 0xF0,
};
/* 1..24 for PF keys, else 0. */
u32 ds_pf_key(u8 aid);

enum ds_color { DS_DEFAULT = 0, DS_BLUE = 0xF1, DS_RED, DS_PINK, DS_GREEN, DS_TURQUOISE, DS_YELLOW, DS_WHITE };
enum ds_highlight { DS_NORMAL = 0, DS_BLINK = 0xF1, DS_REVERSE = 0xF2, DS_UNDERSCORE = 0xF4 };
enum ds_attribute { DS_PROTECTED = 0x20, DS_NUMERIC = 0x10, DS_INTENSE = 0x08, DS_HIDDEN = 0x0C, DS_MODIFIED = 0x01 };

/* How a field looks. On a display without extended attributes only attribute counts. */
struct ds_look {
    u8 attribute, color, highlight;
};

struct ds_writer {
    u8 *base, *at, *end;
    u32 cells; /* places on the screen: decides 12 or 14 bit addresses */
    bool extended, full;
};

void ds_begin(struct ds_writer *w, void *storage, u32 cap, u32 cells, bool extended);
u32 ds_length(const struct ds_writer *w);
void ds_command(struct ds_writer *w, u8 command, u8 wcc);
void ds_sba(struct ds_writer *w, u32 address);
void ds_field(struct ds_writer *w, const struct ds_look *look);
void ds_text(struct ds_writer *w, const char *text, u32 len);
void ds_repeat(struct ds_writer *w, u32 to_address, char c);
void ds_cursor(struct ds_writer *w);
/* Read Partition (Query): asks the display what it can do. The whole stream. */
void ds_query(struct ds_writer *w);

/* ---- reading ---- */
u32 ds_address_put(u8 out[2], u32 address, u32 cells);
u32 ds_address_get(const u8 in[2]);

struct ds_inbound {
    u8 aid;
    u32 cursor;     /* UINT32_MAX when the key sends none */
    const u8 *at;   /* for ds_next_field() */
    u32 left;
    u32 cells;
};

/* Checks all of it, so that ds_next_field() needs no error: -ERR_INVAL for a stream that ends within an order, or an
 * address beyond the screen. Query replies (DS_AID_STRUCTURED) are for ds_read_query(). */
int ds_read(const u8 *stream, u32 len, u32 cells, struct ds_inbound *out);
/* The next field with its address; text: what was typed, trailing blanks and NULs cut, at most cap - 1 characters.
 * false at the end. Text before the first address is a field at UINT32_MAX. */
bool ds_next_field(struct ds_inbound *in, u32 *address, char *text, u32 cap);

struct ds_device {
    u32 rows, cols; /* alternate screen; 0 = not said */
    bool color, highlight;
};
/* -ERR_INVAL when a reply's length is wrong. */
int ds_read_query(const u8 *stream, u32 len, struct ds_device *out);

#endif
