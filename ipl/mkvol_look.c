/* mkvol_look.c - lists the data sets and members of a volume, prints a member as text. See mkvol.h.
 *
 * The volume may come from anywhere: every address is checked against it, every loop is bounded by its tracks.
 */
#include "ipl/mkvol.h"

#include "base/be.h"
#include "base/ebcdic.h"
#include "ipl/dscb.h"
#include "ipl/volume.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct look {
    struct volume v;
    const char *path;
    u32 vtoc_from, vtoc_to;
};

struct set {
    char dsname[45];
    u32 from, to; /* tracks of the first extent */
    u16 blksize, lrecl, dsorg;
    u8 recfm;
};

static u32 track_of(const u8 *cchh) { return be16_get(cchh) * VOLUME_HEADS + be16_get(cchh + 2); }

static bool look_open(struct look *k, const char *path) {
    struct volume_record r;
    k->path = path;
    const char *bad = volume_read(&k->v, path);
    if (!bad && (!volume_find(&k->v, 0, 3, &r) || r.data_len < 80 || r.data[0] != 0xE5)) bad = "no VOL1 label";
    if (!bad) {
        u32 t = track_of(r.data + VOL1_VTOC);
        if (!volume_find(&k->v, t, r.data[VOL1_VTOC + 4], &r) || r.data_len < DSCB_DATA || r.data[0] != 0xF4)
            bad = "no VTOC where the label says";
    }
    if (bad) {
        mkvol_complain("%s: %s", path, bad);
        return false;
    }
    k->vtoc_from = track_of(r.data + F4_VTOC_EXTENT + 2);
    k->vtoc_to = u32_min(track_of(r.data + F4_VTOC_EXTENT + 6), volume_tracks(&k->v) - 1);
    return true;
}

/* The next format 1 DSCB behind *track, *record. */
static bool next_set(const struct look *k, u32 *track, u8 *record, struct set *out) {
    struct volume_record r;
    for (; *track <= k->vtoc_to; ++*track, *record = 0)
        while (volume_next(&k->v, *track, *record, &r)) {
            *record = r.record;
            if (r.key_len != DSCB_KEY || r.data_len != DSCB_DATA || r.data[0] != 0xF1) continue;
            ebcdic_trim(out->dsname, r.key, 44);
            out->from = track_of(r.data + F1_FIRST_EXTENT + 2);
            out->to = u32_min(track_of(r.data + F1_FIRST_EXTENT + 6), volume_tracks(&k->v) - 1);
            out->blksize = be16_get(r.data + F1_BLKSIZE);
            out->lrecl = be16_get(r.data + F1_LRECL);
            out->dsorg = be16_get(r.data + F1_DSORG);
            out->recfm = r.data[F1_RECFM];
            return true;
        }
    return false;
}

/* The block behind *track, *record in the extent. */
static bool next_block(const struct look *k, const struct set *s, u32 *track, u8 *record, struct volume_record *r) {
    for (; *track <= s->to; ++*track, *record = 0)
        if (volume_next(&k->v, *track, *record, r)) {
            *record = r->record;
            return true;
        }
    return false;
}

/* Calls each() for every member; stops when it returns false. */
static void for_members(const struct look *k, const struct set *s,
                        bool (*each)(void *ctx, const char *name, u32 ttr), void *ctx) {
    u32 track = s->from;
    u8 record = 0;
    struct volume_record r;
    while (next_block(k, s, &track, &record, &r) && r.data_len == DIR_BLOCK) {
        u32 used = u32_min(be16_get(r.data), DIR_BLOCK);
        for (u32 at = 2; at + DIR_ENTRY <= used; at += DIR_ENTRY + 2u * (r.data[at + 11] & 0x1F)) {
            char name[9];
            if (r.data[at] == 0xFF) return;
            ebcdic_trim(name, r.data + at, 8);
            if (!each(ctx, name, be32_get(r.data + at + 8) >> 8)) return;
        }
    }
}

static bool list_member(void *ctx, const char *name, u32 ttr) {
    printf("    %-8s TTR %06X\n", name, ttr);
    ++*(u32 *)ctx;
    return true;
}

int mkvol_list(const char *path) {
    struct look k;
    struct set s;
    struct volume_record label;
    if (!look_open(&k, path)) return 1;
    char serial[7];
    volume_find(&k.v, 0, 3, &label);
    ebcdic_trim(serial, label.data + VOL1_SERIAL, 6);
    printf("%s: 3390, %u cylinders, VTOC on track %u\n", serial, k.v.cyls, k.vtoc_from);
    u32 track = k.vtoc_from;
    for (u8 record = 0; next_set(&k, &track, &record, &s);) {
        u32 members = 0;
        printf("%-44s %s RECFM=%s LRECL=%u BLKSIZE=%u TRACKS=%u-%u\n", s.dsname, s.dsorg == DSORG_PO ? "PO" : "PS",
               s.recfm == RECFM_U ? "U" : "FB", s.lrecl, s.blksize, s.from, s.to);
        if (s.dsorg == DSORG_PO) for_members(&k, &s, list_member, &members);
    }
    volume_free(&k.v);
    return 0;
}

struct wanted {
    char name[9];
    u32 ttr;
    bool found;
};

static bool match_member(void *ctx, const char *name, u32 ttr) {
    struct wanted *w = ctx;
    if (strcmp(name, w->name) != 0) return true;
    w->ttr = ttr;
    w->found = true;
    return false;
}

static void print_records(const struct volume_record *r, u32 lrecl) {
    for (u32 at = 0; at < r->data_len; at += lrecl) {
        char line[256];
        u32 n = u32_min(u32_min(lrecl, r->data_len - at), sizeof line - 1);
        ebcdic_trim(line, r->data + at, n);
        puts(line);
    }
}

/* "DSN(MEMBER)" in upper case into its parts. */
static bool split(const char *what, char dsname[45], char member[9]) {
    size_t d = strcspn(what, "("), m = strcspn(what + d, ")");
    if (d == 0 || d > 44 || what[d] != '(' || m < 2 || m > 9 || strcmp(what + d + m, ")") != 0) return false;
    for (size_t i = 0; i < d; i++) dsname[i] = (char)toupper((unsigned char)what[i]);
    dsname[d] = 0;
    for (size_t i = 1; i < m; i++) member[i - 1] = (char)toupper((unsigned char)what[d + i]);
    member[m - 1] = 0;
    return true;
}

int mkvol_print(const char *path, const char *what) {
    struct look k;
    struct set s;
    struct wanted w = {.found = false};
    char dsname[45];
    if (!split(what, dsname, w.name)) {
        mkvol_complain("%s: expected DSN(MEMBER)", what);
        return 1;
    }
    if (!look_open(&k, path)) return 1;
    u32 track = k.vtoc_from;
    bool have = false;
    for (u8 record = 0; !have && next_set(&k, &track, &record, &s);) have = strcmp(s.dsname, dsname) == 0;
    if (have) for_members(&k, &s, match_member, &w);
    if (w.found && s.lrecl) {
        struct volume_record r;
        u32 at = s.from + (w.ttr >> 8);
        u8 record = (u8)((w.ttr & 0xFF) - 1);
        while (next_block(&k, &s, &at, &record, &r) && r.data_len) print_records(&r, s.lrecl);
    } else {
        mkvol_complain("%s: %s %s", path, what, w.found ? "is not text" : "not found");
    }
    volume_free(&k.v);
    return w.found && s.lrecl ? 0 : 1;
}
