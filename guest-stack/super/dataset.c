/* dataset.c - data sets by VTOC and directory; see volume.h and dataset.h. Offsets: "Using the VTOC", as in ipl/dscb.h. */
#include "base/be.h"
#include "base/ebcdic.h"
#include "base/str.h"
#include "super/volume.h"

#define DSCB_KEY        44
#define DSCB_DATA       96
#define F4_VTOC_EXTENT  61
#define F1_EXTENTS      15
#define F1_DSORG        38
#define F1_RECFM        40
#define F1_LRECL        44
#define F1_FIRST_EXTENT 61
#define EXTENT_BYTES    10
#define RECFM_FIXED     0x80
#define RECFM_UNDEFINED 0xC0
#define DSORG_PO        0x02
#define VOL1_VTOC       11
#define DIR_BLOCK       256

struct file {
    u32 extents, lrecl;
    bool partitioned;
    u32 from[DATASET_EXTENTS_MAX], tracks[DATASET_EXTENTS_MAX];
};

static struct dasd_addr addr_get(const u8 *cchh) { return (struct dasd_addr){be16_get(cchh), be16_get(cchh + 2), 0}; }

static int damaged(struct datasets *ds) {
    ds->damaged++;
    return -ERR_IO;
}

int datasets_init(struct datasets *ds, struct dasd *d, struct heap *heap) {
    u8 *b = d->buffer;
    *ds = (struct datasets){.d = d, .heap = heap};
    if (d->heads == 0 || dasd_read(d, (struct dasd_addr){0, 0, 3}, b, 80) != 80) return -ERR_IO;
    if (b[0] != 0xE5 || b[1] != 0xD6 || b[2] != 0xD3 || b[3] != 0xF1) return damaged(ds);
    ebcdic_trim(ds->volser, b + 4, 6);
    struct dasd_addr f4 = addr_get(b + VOL1_VTOC);
    f4.record = b[VOL1_VTOC + 4];
    if (dasd_read(d, f4, b, DSCB_DATA) != DSCB_DATA || b[0] != 0xF4) return damaged(ds);
    ds->vtoc_from = addr_get(b + F4_VTOC_EXTENT + 2);
    ds->vtoc_to = addr_get(b + F4_VTOC_EXTENT + 6);
    return 0;
}

/* ---- VTOC ---- */

/* The extents of a format 1 DSCB, clipped to the volume. false: none of them makes sense. */
static bool file_extents(const struct dasd *d, const u8 *f1, struct file *f) {
    u32 volume = (u32)d->cylinders * d->heads;
    f->extents = u32_min(f1[F1_EXTENTS], DATASET_EXTENTS_MAX);
    for (u32 i = 0; i < f->extents; i++) {
        const u8 *e = f1 + F1_FIRST_EXTENT + i * EXTENT_BYTES;
        u32 from = be16_get(e + 2) * (u32)d->heads + be16_get(e + 4);
        u32 to = be16_get(e + 6) * (u32)d->heads + be16_get(e + 8);
        if (from > to || to >= volume) return false;
        f->from[i] = from;
        f->tracks[i] = to - from + 1;
    }
    return f->extents > 0;
}

static int file_open(struct datasets *ds, const char *dsname, struct file *f) {
    u8 key[DSCB_KEY], *b = ds->d->buffer;
    ebcdic_pad(key, DSCB_KEY, dsname);
    i32 n = dasd_search_key(ds->d, ds->vtoc_from, ds->vtoc_to, key, DSCB_KEY, b, DSCB_DATA);
    if (n < 0) return n;
    if (n != DSCB_DATA || b[0] != 0xF1 || !file_extents(ds->d, b, f)) return damaged(ds);
    f->partitioned = b[F1_DSORG] & DSORG_PO;
    f->lrecl = be16_get(b + F1_LRECL);
    u8 recfm = b[F1_RECFM] & RECFM_UNDEFINED;
    if (recfm != RECFM_FIXED || f->lrecl == 0) return damaged(ds); /* not text: nothing here writes such a one */
    return 0;
}

/* ---- blocks of a file ---- */

struct cursor {
    u32 track; /* relative to the file */
    u8 record;
};

/* Absolute address of a relative track; false past the last extent. */
static bool file_track(const struct datasets *ds, const struct file *f, u32 track, struct dasd_addr *at) {
    for (u32 i = 0; i < f->extents; i++) {
        if (track < f->tracks[i]) {
            u32 t = f->from[i] + track;
            *at = (struct dasd_addr){(u16)(t / ds->d->heads), (u16)(t % ds->d->heads), 0};
            return true;
        }
        track -= f->tracks[i];
    }
    return false;
}

/* The block behind the cursor, in the volume's buffer. Its length, 0 = end of file. */
static i32 next_block(struct datasets *ds, const struct file *f, struct cursor *c) {
    struct dasd_addr at;
    for (; file_track(ds, f, c->track, &at); c->track++, c->record = 0) {
        struct dasd_count count;
        at.record = c->record;
        i32 n = dasd_read_next(ds->d, at, &count, ds->d->buffer, DASD_BLOCK_MAX);
        if (n == -ERR_NOENT) continue;
        if (n < 0) return n;
        c->record = count.at.record;
        return n > DASD_BLOCK_MAX ? damaged(ds) : n;
    }
    return damaged(ds); /* the extent ends without an end of file */
}

static int member_find(struct datasets *ds, const struct file *f, const char *member, struct cursor *out) {
    static const u8 last[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    u8 name[8];
    struct cursor c = {0};
    ebcdic_pad(name, 8, member);
    for (;;) {
        const u8 *b = ds->d->buffer;
        i32 n = next_block(ds, f, &c);
        if (n <= 0) return n ? n : -ERR_NOENT;
        u32 used = be16_get(b);
        if (n != DIR_BLOCK || used < 2 || used > DIR_BLOCK) return damaged(ds);
        for (u32 i = 2; i + 12 <= used; i += 12 + 2u * (b[i + 11] & 0x1F)) {
            if (memcmp(b + i, last, 8) == 0) return -ERR_NOENT;
            if (memcmp(b + i, name, 8) != 0) continue;
            u32 ttr = be32_get(b + i + 8) >> 8;
            if ((ttr & 0xFF) == 0) return damaged(ds);
            *out = (struct cursor){.track = ttr >> 8, .record = (u8)((ttr & 0xFF) - 1)};
            return 0;
        }
    }
}

/* ---- text ---- */

/* Adds a block's records to text as lines. Returns the new length. */
static u32 add_lines(char *text, u32 len, const u8 *block, u32 n, u32 lrecl) {
    for (u32 at = 0; at + lrecl <= n; at += lrecl) {
        u32 width = lrecl;
        while (width && block[at + width - 1] == EBCDIC_BLANK) width--;
        ebcdic_get(text + len, block + at, width);
        len += width;
        text[len++] = '\n';
    }
    return len;
}

/* Blocks from the cursor to end of file. The first walk measures, the second fills, so storage is taken once. */
static int read_text(struct datasets *ds, const struct file *f, struct cursor start, struct member *out) {
    u32 bytes = 0;
    i32 n;
    for (struct cursor c = start; (n = next_block(ds, f, &c)) != 0;) {
        if (n < 0) return n;
        bytes += (u32)n + (u32)n / f->lrecl;
        if (bytes > DATASET_TEXT_MAX) {
            ds->too_large++;
            return -ERR_NOMEM;
        }
    }
    char *text = heap_get(ds->heap, bytes + 1);
    if (!text) return -ERR_NOMEM;
    u32 len = 0, left = bytes;
    for (struct cursor c = start; (n = next_block(ds, f, &c)) != 0;) {
        u32 need = n > 0 ? (u32)n + (u32)n / f->lrecl : 0;
        if (n < 0 || need > left) {
            /* Somebody writes the volume while we read it. */
            heap_put(ds->heap, text);
            return n < 0 ? n : damaged(ds);
        }
        left -= need;
        len = add_lines(text, len, ds->d->buffer, (u32)n, f->lrecl);
    }
    text[len] = 0;
    *out = (struct member){.text = text, .len = len};
    return 0;
}

int dataset_read(struct datasets *ds, const char *dsname, const char *member, struct member *out) {
    struct file f;
    struct cursor c = {0};
    bool named = member && *member;
    ds->reads++;
    int rc = file_open(ds, dsname, &f);
    if (rc == 0 && f.partitioned != named) rc = -ERR_NOENT;
    if (rc == 0 && named) rc = member_find(ds, &f, member, &c);
    if (rc == -ERR_NOENT) ds->not_found++;
    return rc ? rc : read_text(ds, &f, c, out);
}

void dataset_release(struct datasets *ds, struct member *m) {
    heap_put(ds->heap, m->text);
    *m = (struct member){0};
}
