/* mkvol_build.c - lays out the volume: IPL records, label, VTOC, one data set behind the other.
 *
 *   track 0   IPL1, IPL2, VOL1, IPL text
 *   track 1   VTOC: format 4, format 5, one format 1 per data set, free DSCBs
 *   track 2.. SYS1.NUCLEUS, then the data sets in the order given, each on whole tracks with one spare track
 *
 * A PDS begins with its directory, as many blocks as its members need and one spare, then end of file, then the
 * members, each followed by end of file. The image is built on the largest volume and written with the cylinders that
 * are used and one more, so no second pass is needed.
 */
#include "ipl/mkvol.h"

#include "base/be.h"
#include "base/ebcdic.h"
#include "ipl/dscb.h"
#include "ipl/layout.h"
#include "ipl/volume.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LRECL         80u
#define TEXT_BLKSIZE  27920u /* half a track, a multiple of 80 */
#define IMAGE_BLKSIZE 27998u /* half a track */
#define BUILD_CYLS    100u   /* what the job may use at most unless it says more */

struct member_file {
    u8 name[8];
    u8 *bytes;
    u32 len;
    u32 ttr;
};

struct builder {
    const struct mkvol_job *job;
    struct volume v;
    u32 next_track;
    u8 last_f1; /* record number in the VTOC */
    u8 volser[6];
};

struct where {
    u32 track;
    u8 record;
};

/* ---- members from files ---- */

static bool valid_name(const char *s, size_t len, size_t max) {
    if (len == 0 || len > max || isdigit((unsigned char)s[0])) return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr("@#$", s[i])) return false;
    return true;
}

static bool valid_dsname(const char *s) {
    if (strlen(s) > 44) return false;
    for (;;) {
        size_t n = strcspn(s, ".");
        if (!valid_name(s, n, 8)) return false;
        if (!s[n]) return true;
        s += n + 1;
    }
}

static void upper_ebcdic(u8 *out, u32 width, const char *text) {
    char upper[45];
    u32 i = 0;
    for (; text[i] && i < sizeof upper - 1; i++) upper[i] = (char)toupper((unsigned char)text[i]);
    upper[i] = 0;
    ebcdic_pad(out, width, upper);
}

/* The whole file; NULL after a complaint. */
static u8 *read_file(const char *path, u32 *len) {
    FILE *f = fopen(path, "rb");
    u8 *bytes = NULL;
    long n = -1;
    if (f && fseek(f, 0, SEEK_END) == 0) n = ftell(f);
    if (n >= 0 && n < 0x4000000) bytes = malloc((size_t)n + 1);
    if (bytes && (fseek(f, 0, SEEK_SET) != 0 || fread(bytes, 1, (size_t)n, f) != (size_t)n)) {
        free(bytes);
        bytes = NULL;
    }
    if (!bytes) mkvol_complain("%s: %s", path, errno ? strerror(errno) : "too large");
    if (f) fclose(f);
    *len = (u32)n;
    return bytes;
}

/* Lines of text to records of 80 EBCDIC bytes. NULL after a complaint. */
static u8 *records_of(const char *path, const u8 *text, u32 len, u32 *out_len) {
    u32 lines = 0, at = 0, n = 0;
    for (u32 i = 0; i < len; i++) lines += text[i] == '\n';
    u8 *out = malloc((size_t)(lines + 1) * LRECL);
    while (out && at < len) {
        u32 end = at;
        while (end < len && text[end] != '\n') end++;
        u32 width = end - at;
        if (width && text[end - 1] == '\r') width--;
        if (width > LRECL || memchr(text + at, 0, width)) {
            if (width > LRECL)
                mkvol_complain("%s:%u: record longer than %u (%u)", path, n + 1, LRECL, width);
            else
                mkvol_complain("%s:%u: binary zero in a record of text", path, n + 1);
            free(out);
            return NULL;
        }
        memset(out + (size_t)n * LRECL, EBCDIC_BLANK, LRECL);
        ebcdic_put(out + (size_t)n * LRECL, (const char *)text + at, width);
        n++;
        at = end + 1;
    }
    *out_len = n * LRECL;
    return out;
}

static int by_name(const void *a, const void *b) { return memcmp(a, b, 8); }

static bool add_member(struct member_file *m, const char *dir, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!valid_name(name, strlen(name), 8)) {
        mkvol_complain("%s: not a member name (1 to 8 of A-Z 0-9 @ # $, not a digit first)", path);
        return false;
    }
    u32 len;
    errno = 0;
    u8 *text = read_file(path, &len);
    if (!text) return false;
    upper_ebcdic(m->name, 8, name);
    m->bytes = records_of(path, text, len, &m->len);
    free(text);
    return m->bytes != NULL;
}

static void free_members(struct member_file *m, u32 n) {
    for (u32 i = 0; m && i < n; i++) free(m[i].bytes);
    free(m);
}

/* All members of a directory, sorted. NULL after a complaint. */
static struct member_file *read_members(const char *dir, u32 *count) {
    DIR *d = opendir(dir);
    if (!d) {
        mkvol_complain("%s: %s", dir, strerror(errno));
        return NULL;
    }
    struct member_file *m = calloc(1, sizeof *m);
    u32 n = 0;
    bool ok = m != NULL;
    for (struct dirent *e; ok && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        struct member_file *more = realloc(m, (n + 1) * sizeof *m);
        if (!more) break;
        m = more;
        m[n] = (struct member_file){0};
        ok = add_member(&m[n++], dir, e->d_name);
    }
    closedir(d);
    if (!ok) {
        free_members(m, n);
        return NULL;
    }
    qsort(m, n, sizeof *m, by_name);
    for (u32 i = 1; i < n; i++)
        if (by_name(&m[i - 1], &m[i]) == 0) {
            mkvol_complain("%s: two files whose names differ only in case", dir);
            free_members(m, n);
            return NULL;
        }
    *count = n;
    return m;
}

/* ---- blocks and labels ---- */

/* Appends a block at *w or on a later track; w becomes its address. false: the volume is full. */
static bool put_block(struct builder *b, struct where *w, const u8 *key, u8 key_len, const void *data, u32 len) {
    for (; w->track < volume_tracks(&b->v); w->track++) {
        w->record = volume_append(&b->v, w->track, key, key_len, data, len);
        if (w->record) return true;
    }
    mkvol_complain("%s: volume full (%u cylinders)", b->job->output, b->v.cyls);
    return false;
}

static void put_cchh(u8 *p, u32 track) {
    be16_put(p, (u16)(track / VOLUME_HEADS));
    be16_put(p + 2, (u16)(track % VOLUME_HEADS));
}

static void put_extent(u8 *p, u32 from, u32 to) {
    p[0] = 1;
    put_cchh(p + 2, from);
    put_cchh(p + 6, to);
}

/* Today, or SOURCE_DATE_EPOCH, as years since 1900 and day of the year. */
static void put_date(u8 *p) {
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t t = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm tm;
    gmtime_r(&t, &tm);
    p[0] = (u8)tm.tm_year;
    be16_put(p + 1, (u16)(tm.tm_yday + 1));
}

struct data_set {
    const char *dsname;
    u16 blksize, lrecl;
    u8 recfm;
};

/* The format 1 DSCB of a PDS on [from, to] whose last block is at end. */
static bool put_format1(struct builder *b, const struct data_set *ds, u32 from, u32 to, struct where end, u16 dir_used) {
    u8 key[DSCB_KEY], d[DSCB_DATA] = {0};
    upper_ebcdic(key, sizeof key, ds->dsname);
    d[0] = 0xF1;
    memcpy(d + F1_SERIAL, b->volser, 6);
    be16_put(d + F1_VOLUME_SEQ, 1);
    put_date(d + F1_CREATED);
    d[F1_EXTENTS] = 1;
    d[F1_DIR_LAST] = (u8)dir_used;
    ebcdic_pad(d + F1_SYSTEM, 13, "PLEX390");
    be16_put(d + F1_DSORG, DSORG_PO);
    d[F1_RECFM] = ds->recfm;
    be16_put(d + F1_BLKSIZE, ds->blksize);
    be16_put(d + F1_LRECL, ds->lrecl);
    d[F1_INDICATORS] = 0x80; /* last volume */
    d[50] = 0x80;            /* allocated in tracks */
    be16_put(d + F1_LAST_BLOCK, (u16)(end.track - from));
    d[F1_LAST_BLOCK + 2] = end.record;
    put_extent(d + F1_FIRST_EXTENT, from, to);
    b->last_f1 = volume_append(&b->v, VTOC_TRACK, key, DSCB_KEY, d, DSCB_DATA);
    if (!b->last_f1) mkvol_complain("%s: the VTOC is full", b->job->output);
    return b->last_f1 != 0;
}

/* ---- a partitioned data set ---- */

static bool put_member(struct builder *b, const struct data_set *ds, struct where *w, u32 from, struct member_file *m) {
    bool first = true;
    for (u32 at = 0; at < m->len || first; at += ds->blksize, first = false) {
        u32 len = u32_min(m->len - at, ds->blksize);
        /* An empty member is its end of file alone. */
        if (len && !put_block(b, w, NULL, 0, m->bytes + at, len)) return false;
        if (first && len) m->ttr = (w->track - from) << 8 | w->record;
    }
    if (!put_block(b, w, NULL, 0, NULL, 0)) return false;
    if (m->len == 0) m->ttr = (w->track - from) << 8 | w->record;
    return true;
}

/* Directory blocks for n members: entries fill each block, the end entry stands in the last used one. */
#define ENTRIES_PER_BLOCK ((DIR_BLOCK - 2) / DIR_ENTRY)

static u32 dir_blocks(u32 members) { return members / ENTRIES_PER_BLOCK + 2; }

/* Fills block i. Returns bytes used, 0 for a block behind the end. */
static u16 fill_dir_block(u8 *block, u8 *key, const struct member_file *m, u32 n, u32 i) {
    u32 used = 2, first = i * ENTRIES_PER_BLOCK;
    memset(block, 0, DIR_BLOCK);
    memset(key, 0xFF, 8);
    if (first > n) {
        memset(key, 0, 8);
        return 0;
    }
    for (u32 k = first; k < n && k < first + ENTRIES_PER_BLOCK; k++, used += DIR_ENTRY) {
        memcpy(block + used, m[k].name, 8);
        block[used + 8] = (u8)(m[k].ttr >> 16);
        be16_put(block + used + 9, (u16)m[k].ttr);
        memcpy(key, m[k].name, 8);
    }
    if (first + ENTRIES_PER_BLOCK > n) {
        memset(block + used, 0xFF, 8);
        memset(key, 0xFF, 8);
        used += DIR_ENTRY;
    }
    be16_put(block, (u16)used);
    return (u16)used;
}

/* Writes the directory at *w; members may follow behind it. */
static bool put_directory(struct builder *b, struct where *w, const struct member_file *m, u32 n, u16 *last_used) {
    for (u32 i = 0; i < dir_blocks(n); i++) {
        u8 block[DIR_BLOCK], key[8];
        u16 used = fill_dir_block(block, key, m, n, i);
        if (used) *last_used = used;
        if (!put_block(b, w, key, 8, block, DIR_BLOCK)) return false;
    }
    return put_block(b, w, NULL, 0, NULL, 0);
}

/* Members are laid out twice: behind a directory without TTRs to learn them, then, the tracks formatted anew, with. */
static bool put_pds(struct builder *b, const struct data_set *ds, struct member_file *m, u32 n) {
    u32 from = b->next_track;
    u16 used = 0;
    if (from >= volume_tracks(&b->v)) {
        mkvol_complain("%s: volume full (%u cylinders)", b->job->output, b->v.cyls);
        return false;
    }
    struct where w = {.track = from};
    for (int pass = 0; pass < 2; pass++) {
        for (u32 t = from; t <= w.track; t++) volume_format_track(&b->v, t);
        w = (struct where){.track = from};
        if (!put_directory(b, &w, m, n, &used)) return false;
        for (u32 i = 0; i < n; i++)
            if (!put_member(b, ds, &w, from, &m[i])) return false;
    }
    b->next_track = w.track + 2; /* one spare track for who edits the volume */
    if (b->next_track > volume_tracks(&b->v)) {
        mkvol_complain("%s: volume full (%u cylinders)", b->job->output, b->v.cyls);
        return false;
    }
    return put_format1(b, ds, from, b->next_track - 1, w, used);
}

static bool put_text_set(struct builder *b, const struct mkvol_set *set) {
    struct data_set ds = {.dsname = set->dsname, .blksize = TEXT_BLKSIZE, .lrecl = LRECL, .recfm = RECFM_FB};
    u32 n;
    if (!valid_dsname(set->dsname)) {
        mkvol_complain("%s: not a data set name", set->dsname);
        return false;
    }
    struct member_file *m = read_members(set->dir, &n);
    if (!m) return false;
    bool ok = put_pds(b, &ds, m, n);
    free_members(m, n);
    return ok;
}

static bool put_nucleus(struct builder *b) {
    struct data_set ds = {.dsname = "SYS1.NUCLEUS", .blksize = IMAGE_BLKSIZE, .lrecl = 0, .recfm = RECFM_U};
    struct member_file m = {.len = 0};
    errno = 0;
    m.bytes = read_file(b->job->nucleus, &m.len);
    if (!m.bytes) return false;
    ebcdic_pad(m.name, 8, "IEANUC01");
    bool ok = put_pds(b, &ds, &m, 1);
    free(m.bytes);
    return ok;
}

/* ---- track 0 and the VTOC ---- */

static bool put_ipl_track(struct builder *b) {
    /* Without an IPL text record 1 is a PSW that loads the wait code that says so. */
    u8 none[24] = {0, 0x0A, 0, 0, 0, 0, 0, WAIT_NO_IPL_TEXT, 0x03, 0, 0, 0, 0x20, 0, 0, 1}, rec2[144] = {0}, vol1[80];
    static const char key[3][5] = {"IPL1", "IPL2", "VOL1"};
    const u8 *data[3] = {none, rec2, vol1};
    static const u8 len[3] = {24, 144, 80};
    memset(vol1, EBCDIC_BLANK, sizeof vol1);
    ebcdic_pad(vol1, 4, "VOL1");
    memcpy(vol1 + VOL1_SERIAL, b->volser, 6);
    put_cchh(vol1 + VOL1_VTOC, VTOC_TRACK);
    vol1[VOL1_VTOC + 4] = 1;
    ebcdic_pad(vol1 + 41, 14, "PLEX390");
    if (!b->job->no_ipl_text) {
        CHECK(ipl_record_bytes == 24 + 144);
        data[0] = ipl_record;
        data[1] = ipl_record + 24;
    }
    for (int i = 0; i < 3; i++) {
        u8 k[4];
        ebcdic_pad(k, 4, key[i]);
        if (!volume_append(&b->v, 0, k, 4, data[i], len[i])) return false;
    }
    return b->job->no_ipl_text || volume_append(&b->v, 0, NULL, 0, ipl_text, ipl_text_bytes) == IPL_TEXT_RECORD;
}

/* Formats 4 and 5 come first in the VTOC but are known last: they are put blank and filled in afterwards. */
static void put_vtoc_head(struct builder *b) {
    u8 key[DSCB_KEY], d[DSCB_DATA] = {0};
    memset(key, 0x04, sizeof key);
    volume_append(&b->v, VTOC_TRACK, key, DSCB_KEY, d, DSCB_DATA);
    memset(key, 0, sizeof key);
    volume_append(&b->v, VTOC_TRACK, key, DSCB_KEY, d, DSCB_DATA);
}

static void finish_vtoc(struct builder *b, u32 cyls) {
    struct volume_record f4, f5;
    u8 none_key[DSCB_KEY] = {0}, none[DSCB_DATA] = {0};
    u32 free_dscbs = 0;
    while (b->last_f1 + free_dscbs < DSCBS_PER_TRACK &&
           volume_append(&b->v, VTOC_TRACK, none_key, DSCB_KEY, none, DSCB_DATA))
        free_dscbs++;
    CHECK(volume_find(&b->v, VTOC_TRACK, 1, &f4) && volume_find(&b->v, VTOC_TRACK, 2, &f5));
    u8 *d = (u8 *)(uintptr_t)f4.data, *k5 = (u8 *)(uintptr_t)f5.key, *d5 = (u8 *)(uintptr_t)f5.data;
    d[0] = 0xF4;
    put_cchh(d + F4_LAST_F1, VTOC_TRACK);
    d[F4_LAST_F1 + 4] = b->last_f1;
    be16_put(d + F4_FREE, (u16)free_dscbs);
    d[F4_VTOC_IND] = 0x00;
    d[F4_EXTENTS] = 1;
    be16_put(d + F4_DEVICE_SIZE, (u16)cyls);
    be16_put(d + F4_DEVICE_SIZE + 2, VOLUME_HEADS);
    be16_put(d + F4_TRACK_BYTES, TRACK_CAPACITY);
    d[F4_DSCBS] = DSCBS_PER_TRACK;
    d[F4_DIR_BLOCKS] = DIRS_PER_TRACK;
    put_extent(d + F4_VTOC_EXTENT, VTOC_TRACK, VTOC_TRACK);
    memset(k5, 0x05, 4);
    d5[0] = 0xF5;
    u32 left = cyls * VOLUME_HEADS - b->next_track, to_cyl = (VOLUME_HEADS - b->next_track % VOLUME_HEADS) % VOLUME_HEADS;
    /* One free extent: whole cylinders, and the tracks before the first of them. */
    be16_put(k5 + 4, (u16)b->next_track);
    be16_put(k5 + 6, (u16)((left - u32_min(left, to_cyl)) / VOLUME_HEADS));
    k5[8] = (u8)u32_min(left, to_cyl);
}

int mkvol_build(const struct mkvol_job *job) {
    struct builder b = {.job = job, .next_track = FIRST_DATA_TRACK, .last_f1 = 2};
    if (!valid_name(job->volser, strlen(job->volser), 6)) {
        mkvol_complain("--volser %s: expected 1 to 6 of A-Z 0-9 @ # $", job->volser);
        return 1;
    }
    upper_ebcdic(b.volser, 6, job->volser);
    if (!volume_create(&b.v, job->cyls ? job->cyls : BUILD_CYLS)) {
        mkvol_complain("%s: no storage", job->output);
        return 1;
    }
    bool ok = put_ipl_track(&b);
    if (!ok) mkvol_complain("%s: the IPL text does not fit on track 0", job->output);
    put_vtoc_head(&b);
    ok = ok && (!job->nucleus || put_nucleus(&b));
    for (u32 i = 0; ok && i < job->sets; i++) ok = put_text_set(&b, &job->set[i]);
    if (ok) {
        if (!job->cyls) b.v.cyls = (b.next_track + VOLUME_HEADS - 1) / VOLUME_HEADS + 1;
        finish_vtoc(&b, b.v.cyls);
        ok = volume_write(&b.v, job->output);
        if (!ok) mkvol_complain("%s: %s", job->output, strerror(errno));
    }
    volume_free(&b.v);
    return ok ? 0 : 1;
}
