/* display3270.c - a 3270 display for tests. See display3270.h. */
#include "tests/unit/display3270.h"

#include "base/ebcdic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void display_init(struct display *d, u32 rows, u32 cols) {
    memset(d, 0, sizeof *d);
    memset(d->text, ' ', sizeof d->text);
    d->rows = 24;
    d->cols = 80;
    d->alt_rows = rows;
    d->alt_cols = cols;
}

static bool refuse(struct display *d, const char *why) {
    if (!d->error) d->error = why;
    return false;
}

static void erase(struct display *d, bool alternate) {
    memset(d->text, ' ', sizeof d->text);
    memset(d->attr, 0, sizeof d->attr);
    memset(d->color, 0, sizeof d->color);
    memset(d->highlight, 0, sizeof d->highlight);
    d->alternate = alternate;
    d->rows = alternate ? d->alt_rows : 24;
    d->cols = alternate ? d->alt_cols : 80;
    d->cursor = d->at = 0;
    d->erases++;
}

/* Two bytes: 6 bits each, or 14 bits when the first two are 00. */
static u32 address(const u8 *p) { return p[0] >> 6 ? (p[0] & 63u) * 64 + (p[1] & 63u) : (p[0] & 63u) * 256u + p[1]; }

static void put(struct display *d, u8 ebcdic) {
    char c = (char)ebcdic_to_latin1[ebcdic];
    d->attr[d->at] = 0;
    d->text[d->at] = ebcdic ? c : ' ';
    d->at = (d->at + 1) % (d->rows * d->cols);
}

static void start_field(struct display *d, u8 attribute) {
    d->text[d->at] = ' ';
    d->attr[d->at] = attribute | 0x40;
    d->color[d->at] = d->highlight[d->at] = 0;
    d->at = (d->at + 1) % (d->rows * d->cols);
}

static bool extended(struct display *d, const u8 *p, u32 n, u32 *used) {
    if (n < 2 || n < 2 + 2u * p[1]) return refuse(d, "SFE is cut");
    u32 at = d->at;
    start_field(d, 0x40);
    for (u32 i = 0; i < p[1]; i++) {
        u8 type = p[2 + 2 * i], value = p[3 + 2 * i];
        if (type == 0xC0) d->attr[at] = value | 0x40;
        else if (type == 0x41) d->highlight[at] = value;
        else if (type == 0x42) d->color[at] = value;
        else return refuse(d, "SFE with a type that is not known");
    }
    *used = 2 + 2u * p[1];
    return true;
}

static bool order(struct display *d, const u8 *p, u32 n, u32 *used) {
    u32 cells = d->rows * d->cols;
    *used = 1;
    switch (p[0]) {
    case 0x1D:
        if (n < 2) return refuse(d, "SF is cut");
        start_field(d, p[1]);
        *used = 2;
        return true;
    case 0x29: return extended(d, p, n, used);
    case 0x11:
        if (n < 3 || address(p + 1) >= cells) return refuse(d, "SBA");
        d->at = address(p + 1);
        *used = 3;
        return true;
    case 0x13: d->cursor = d->at; return true;
    case 0x3C:
        if (n < 4 || address(p + 1) >= cells) return refuse(d, "RA");
        do put(d, p[3]);
        while (d->at != address(p + 1));
        *used = 4;
        return true;
    case 0x12: return refuse(d, "EUA is not expected");
    default:
        if (p[0] < 0x40 && p[0] != 0) return refuse(d, "a control character");
        put(d, p[0]);
        return true;
    }
}

bool display_record(struct display *d, const u8 *p, u32 n) {
    if (n < 2) return refuse(d, "shorter than a command");
    if (p[0] == 0xF3) {
        static const u8 query[] = {0xF3, 0x00, 0x05, 0x01, 0xFF, 0x02};
        if (n != sizeof query || memcmp(p, query, n)) return refuse(d, "a structured field");
        d->queries++;
        return true;
    }
    if (p[0] == 0xF5 || p[0] == 0x7E) erase(d, p[0] == 0x7E);
    else if (p[0] != 0xF1) return refuse(d, "a command");
    d->writes++;
    if (p[1] & 0x02) d->locked = false;
    d->alarm = (p[1] & 0x04) != 0;
    if (p[1] & 0x01)
        for (u32 i = 0; i < d->rows * d->cols; i++) d->attr[i] &= (u8)~1u;
    for (u32 at = 2, used; at < n; at += used)
        if (!order(d, p + at, n - at, &used)) return false;
    return true;
}

/* The place of the attribute of the field that an address is in. */
static u32 field_of(const struct display *d, u32 a) {
    u32 cells = d->rows * d->cols;
    for (u32 i = 0; i < cells; i++, a = (a + cells - 1) % cells)
        if (d->attr[a]) return a;
    return UINT32_MAX;
}

void display_type(struct display *d, u32 a, const char *text) {
    u32 field = field_of(d, a);
    if (field == UINT32_MAX || (d->attr[field] & 0x20) || d->locked) {
        fprintf(stderr, "display: %u is not where the user may type\n", a);
        abort();
    }
    d->attr[field] |= 1;
    for (; *text; text++, a++) {
        if (d->attr[a]) abort();
        d->text[a] = *text;
    }
    d->cursor = a;
}

static u32 put_address(const struct display *d, u8 *out, u32 a) {
    if (d->rows * d->cols > 4096) {
        out[0] = (u8)(a >> 8);
        out[1] = (u8)a;
    } else { /* any bits 0-1 but 00 will do for a receiver */
        out[0] = (u8)(0x40 | a >> 6);
        out[1] = (u8)(0x40 | (a & 63));
    }
    return 2;
}

u32 display_key(struct display *d, u8 aid, u8 out[2048]) {
    u32 n = 0, cells = d->rows * d->cols;
    out[n++] = aid;
    d->locked = true;
    if (aid == 0x6C || aid == 0x6E || aid == 0x6B || aid == 0x6D) return n;
    n += put_address(d, out + n, d->cursor % cells);
    for (u32 a = 0; a < cells; a++) {
        if ((d->attr[a] & 0x61) != 0x41) continue; /* a field, unprotected, modified */
        out[n++] = 0x11;
        n += put_address(d, out + n, a + 1);
        for (u32 k = a + 1; k < cells && !d->attr[k]; k++)
            if (d->text[k] != ' ') out[n++] = ebcdic_from_latin1[(u8)d->text[k]];
            else out[n++] = 0x40;
    }
    return n;
}

const char *display_row(const struct display *d, u32 row) {
    static char line[256];
    memcpy(line, d->text + row * d->cols, d->cols);
    u32 n = d->cols;
    while (n && line[n - 1] == ' ') n--;
    line[n] = 0;
    return line;
}

bool display_shows(const struct display *d, const char *part) {
    for (u32 r = 0; r < d->rows; r++)
        if (strstr(display_row(d, r), part)) return true;
    return false;
}
