/* ds3270.c - the 3270 data stream. See ds3270.h. */
#include "wire/ds3270.h"

#include "base/be.h"
#include "base/ebcdic.h"
#include "base/str.h"

enum { SF = 0x1D, SFE = 0x29, SBA = 0x11, IC = 0x13, RA = 0x3C, SA = 0x28, MF = 0x2C, GE = 0x08 };
enum { TYPE_ATTRIBUTE = 0xC0, TYPE_HIGHLIGHT = 0x41, TYPE_COLOR = 0x42 };
enum { QUERY_REPLY = 0x81, REPLY_USABLE_AREA = 0x81, REPLY_COLOR = 0x86, REPLY_HIGHLIGHT = 0x87, REPLY_PARTITIONS = 0xA6 };

/* Six bits as a character that every line code lets through (GA23-0059, figure "I/O codes"). */
static u8 graphic(u32 six) {
    static const u8 code[64] = {
        0x40, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F,
        0x50, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0x5A, 0x5B, 0x5C, 0x5D, 0x5E, 0x5F,
        0x60, 0x61, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F,
        0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x7A, 0x7B, 0x7C, 0x7D, 0x7E, 0x7F,
    };
    return code[six & 0x3F];
}

/* ---- writing ---- */
void ds_begin(struct ds_writer *w, void *storage, u32 cap, u32 cells, bool extended) {
    *w = (struct ds_writer){.base = storage, .at = storage, .end = (u8 *)storage + cap, .cells = cells, .extended = extended};
}

u32 ds_length(const struct ds_writer *w) { return (u32)(w->at - w->base); }

static void put(struct ds_writer *w, u32 byte) {
    if (w->at == w->end)
        w->full = true;
    else
        *w->at++ = (u8)byte;
}

void ds_command(struct ds_writer *w, u8 command, u8 wcc) {
    put(w, command);
    put(w, wcc);
}

u32 ds_address_put(u8 out[2], u32 address, u32 cells) {
    if (cells > 4096) {
        be16_put(out, (u16)address);
    } else {
        out[0] = graphic(address >> 6);
        out[1] = graphic(address);
    }
    return 2;
}

static void put_address(struct ds_writer *w, u32 address) {
    u8 two[2];
    ds_address_put(two, address, w->cells);
    put(w, two[0]);
    put(w, two[1]);
}

void ds_sba(struct ds_writer *w, u32 address) {
    put(w, SBA);
    put_address(w, address);
}

void ds_field(struct ds_writer *w, const struct ds_look *look) {
    u8 attribute = graphic(look->attribute);
    if (!w->extended || (!look->color && !look->highlight)) {
        put(w, SF);
        put(w, attribute);
        return;
    }
    put(w, SFE);
    put(w, 1u + (look->color != 0) + (look->highlight != 0));
    put(w, TYPE_ATTRIBUTE);
    put(w, attribute);
    if (look->highlight) put(w, TYPE_HIGHLIGHT), put(w, look->highlight);
    if (look->color) put(w, TYPE_COLOR), put(w, look->color);
}

static u8 shown(char c) {
    u8 b = (u8)c;
    return b >= ' ' && b <= '~' ? ebcdic_from_latin1[b] : EBCDIC_BLANK;
}

void ds_text(struct ds_writer *w, const char *text, u32 len) {
    for (u32 i = 0; i < len; i++) put(w, shown(text[i]));
}

void ds_repeat(struct ds_writer *w, u32 to_address, char c) {
    put(w, RA);
    put_address(w, to_address);
    put(w, c ? shown(c) : 0);
}

void ds_cursor(struct ds_writer *w) { put(w, IC); }

void ds_query(struct ds_writer *w) {
    static const u8 read_partition_query[] = {DS_WRITE_STRUCTURED, 0x00, 0x05, 0x01, 0xFF, 0x02};
    for (u32 i = 0; i < sizeof read_partition_query; i++) put(w, read_partition_query[i]);
}

/* ---- reading ---- */
u32 ds_pf_key(u8 aid) {
    static const u8 keys[24] = {0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x7A, 0x7B, 0x7C,
                                0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0x4A, 0x4B, 0x4C};
    for (u32 i = 0; i < sizeof keys; i++)
        if (keys[i] == aid) return i + 1;
    return 0;
}

u32 ds_address_get(const u8 in[2]) {
    if ((in[0] & 0xC0) == 0) return be16_get(in) & 0x3FFF;
    return (u32)(in[0] & 0x3F) << 6 | (in[1] & 0x3F);
}

/* Bytes of the order at p, 1 for a character of text, 0 if n ends within it. */
static u32 order_length(const u8 *p, u32 n) {
    u32 len = 1;
    switch (p[0]) {
    case SF:
    case GE: len = 2; break;
    case SBA:
    case SA: len = 3; break;
    case SFE:
    case MF: len = n < 2 ? 2 : 2u + 2u * p[1]; break;
    default: break;
    }
    return len <= n ? len : 0;
}

static bool is_short_read(u8 aid) {
    return aid == DS_AID_CLEAR || aid == DS_AID_PA1 || aid == DS_AID_PA2 || aid == DS_AID_PA3;
}

int ds_read(const u8 *stream, u32 len, u32 cells, struct ds_inbound *out) {
    if (len == 0) return -ERR_INVAL;
    *out = (struct ds_inbound){.aid = stream[0], .cursor = UINT32_MAX, .cells = cells};
    if (stream[0] == DS_AID_STRUCTURED) {
        out->at = stream + 1;
        out->left = len - 1;
        return 0;
    }
    /* A display may send the cursor with a PA key (Read Modified All): it is taken and nothing else is asked. */
    if (is_short_read(stream[0]) && len < 3) return 0;
    if (len < 3) return -ERR_INVAL;
    out->cursor = ds_address_get(stream + 1);
    if (out->cursor >= cells) return -ERR_INVAL;
    out->at = stream + 3;
    out->left = len - 3;
    for (u32 at = 3, step; at < len; at += step) {
        step = order_length(stream + at, len - at);
        if (step == 0) return -ERR_INVAL;
        if (stream[at] == SBA && ds_address_get(stream + at + 1) >= cells) return -ERR_INVAL;
    }
    return 0;
}

bool ds_next_field(struct ds_inbound *in, u32 *address, char *text, u32 cap) {
    u32 n = 0;
    if (in->left == 0) return false;
    *address = UINT32_MAX;
    if (in->at[0] == SBA) {
        *address = ds_address_get(in->at + 1);
        in->at += 3;
        in->left -= 3;
    }
    while (in->left && in->at[0] != SBA) {
        u32 step = order_length(in->at, in->left);
        CHECK(step);
        /* Attributes within the text say how it looks; a NUL is a place nobody typed on. */
        if (step == 1 && in->at[0] != 0 && n + 1 < cap) {
            u8 c = ebcdic_to_latin1[in->at[0]];
            text[n++] = c >= ' ' && c <= '~' ? (char)c : ' ';
        }
        in->at += step;
        in->left -= step;
    }
    while (n && text[n - 1] == ' ') n--;
    text[n] = '\0';
    return true;
}

/* One reply: its code and what follows it. */
static void read_reply(u8 code, const u8 *p, u32 n, struct ds_device *out) {
    if (code == REPLY_COLOR) out->color = true;
    if (code == REPLY_HIGHLIGHT) out->highlight = true;
    /* flags, flags, width, height: the screen as the display has it. */
    if (code == REPLY_USABLE_AREA && n >= 6 && out->rows == 0) {
        out->cols = be16_get(p + 2);
        out->rows = be16_get(p + 4);
    }
    /* flags x 2, then self-defining 0B 01 flags, default w h, alternate w h: counts more, it is what EWA selects. */
    if (code == REPLY_PARTITIONS && n >= 13 && p[2] >= 11 && p[3] == 0x01) {
        out->cols = be16_get(p + 9);
        out->rows = be16_get(p + 11);
    }
}

int ds_read_query(const u8 *stream, u32 len, struct ds_device *out) {
    *out = (struct ds_device){.rows = 0};
    if (len == 0 || stream[0] != DS_AID_STRUCTURED) return -ERR_INVAL;
    for (u32 at = 1; at < len;) {
        u32 n = len - at >= 4 ? be16_get(stream + at) : 0;
        if (n < 4 || n > len - at) return -ERR_INVAL;
        if (stream[at + 2] == QUERY_REPLY) read_reply(stream[at + 3], stream + at + 4, n - 4, out);
        at += n;
    }
    return 0;
}
