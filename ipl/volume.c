/* volume.c - CKD tracks in memory and in a file. See volume.h for the format. */
#include "ipl/volume.h"

#include "base/be.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACK_CELLS  1729u
#define TRACK_HEADER 5u
#define COUNT_BYTES  8u
#define DEVICE_TYPE  0x90

static u8 *track_at(const struct volume *v, u32 track) { return v->image + (size_t)track * VOLUME_TRACK_BYTES; }

static u32 field_cells(u32 bytes) { return 9 + (bytes + 6 * ((bytes + 6 + 231) / 232) + 6 + 33) / 34; }
static u32 record_cells(u32 key_len, u32 data_len) {
    return 10 + (key_len ? field_cells(key_len) : 0) + field_cells(data_len);
}

static void put_count(u8 *p, u32 track, u8 record, u8 key_len, u16 data_len) {
    be16_put(p, (u16)(track / VOLUME_HEADS));
    be16_put(p + 2, (u16)(track % VOLUME_HEADS));
    p[4] = record;
    p[5] = key_len;
    be16_put(p + 6, data_len);
}

void volume_format_track(struct volume *v, u32 track) {
    u8 *p = track_at(v, track);
    be16_put(p + 1, (u16)(track / VOLUME_HEADS));
    be16_put(p + 3, (u16)(track % VOLUME_HEADS));
    put_count(p + TRACK_HEADER, track, 0, 0, 8);
    memset(p + TRACK_HEADER + COUNT_BYTES, 0, 8);
    memset(p + TRACK_HEADER + COUNT_BYTES + 8, 0xFF, 8);
}

bool volume_create(struct volume *v, u32 cyls) {
    v->cyls = cyls;
    v->image = calloc(cyls * VOLUME_HEADS, VOLUME_TRACK_BYTES);
    if (!v->image) return false;
    for (u32 t = 0; t < volume_tracks(v); t++) volume_format_track(v, t);
    return true;
}

void volume_free(struct volume *v) {
    free(v->image);
    v->image = NULL;
}

static bool is_end(const u8 *p) {
    static const u8 end[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    return memcmp(p, end, sizeof end) == 0;
}

/* Offset of the record behind the one at offset "at"; 0 if that one leaves the track. */
static u32 step(const u8 *track, u32 at) {
    u32 next = at + COUNT_BYTES + track[at + 5] + be16_get(track + at + 6);
    return next + COUNT_BYTES <= VOLUME_TRACK_BYTES ? next : 0;
}

u8 volume_append(struct volume *v, u32 track, const u8 *key, u8 key_len, const void *data, u32 data_len) {
    u8 *p = track_at(v, track);
    u32 at = TRACK_HEADER, cells = record_cells(key_len, data_len);
    u8 last = 0;
    for (; !is_end(p + at); at = step(p, at)) {
        last = p[at + 4];
        if (last) cells += record_cells(p[at + 5], be16_get(p + at + 6));
    }
    if (cells > TRACK_CELLS || last == 255 || data_len > 0xFFFF) return 0;
    put_count(p + at, track, (u8)(last + 1), key_len, (u16)data_len);
    at += COUNT_BYTES;
    if (key_len) memcpy(p + at, key, key_len);
    if (data_len) memcpy(p + at + key_len, data, data_len);
    memset(p + at + key_len + data_len, 0xFF, 8);
    return (u8)(last + 1);
}

static void le32_put(u8 *p, u32 v) {
    for (int i = 0; i < 4; i++) p[i] = (u8)(v >> 8 * i);
}

static bool write_tracks(const struct volume *v, FILE *f) {
    for (u32 t = 0; t < volume_tracks(v); t++) {
        const u8 *p = track_at(v, t);
        u32 at = TRACK_HEADER;
        while (!is_end(p + at)) at = step(p, at);
        if (fseek(f, (long)(VOLUME_HEADER + (size_t)t * VOLUME_TRACK_BYTES), SEEK_SET) != 0) return false;
        if (fwrite(p, 1, at + 8, f) != at + 8) return false;
    }
    return fflush(f) == 0 &&
           ftruncate(fileno(f), (off_t)(VOLUME_HEADER + (size_t)volume_tracks(v) * VOLUME_TRACK_BYTES)) == 0;
}

bool volume_write(const struct volume *v, const char *path) {
    u8 header[VOLUME_HEADER] = "CKD_P370";
    le32_put(header + 8, VOLUME_HEADS);
    le32_put(header + 12, VOLUME_TRACK_BYTES);
    header[16] = DEVICE_TYPE;
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    bool ok = fwrite(header, 1, sizeof header, f) == sizeof header && write_tracks(v, f);
    int why = errno;
    if (fclose(f) != 0) return false;
    errno = why;
    return ok;
}

const char *volume_read(struct volume *v, const char *path) {
    u8 header[VOLUME_HEADER];
    v->image = NULL;
    FILE *f = fopen(path, "rb");
    if (!f) return strerror(errno);
    const char *bad = NULL;
    if (fread(header, 1, sizeof header, f) != sizeof header || memcmp(header, "CKD_P370", 8) != 0 ||
        header[16] != DEVICE_TYPE || header[8] != VOLUME_HEADS || header[12] != 0 || header[13] != VOLUME_TRACK_BYTES >> 8)
        bad = "not an uncompressed CKD 3390 image";
    size_t bytes = 0;
    if (!bad) {
        fseek(f, 0, SEEK_END);
        bytes = (size_t)ftell(f) - VOLUME_HEADER;
        v->cyls = (u32)(bytes / (VOLUME_TRACK_BYTES * VOLUME_HEADS));
        bytes = (size_t)volume_tracks(v) * VOLUME_TRACK_BYTES;
        if (v->cyls == 0 || v->cyls > VOLUME_CYLS_MAX) bad = "no cylinders, or more than a 3390-3 has";
    }
    if (!bad && !(v->image = malloc(bytes))) bad = "no storage";
    if (!bad && (fseek(f, VOLUME_HEADER, SEEK_SET) != 0 || fread(v->image, 1, bytes, f) != bytes)) bad = "read error";
    fclose(f);
    if (bad) volume_free(v);
    return bad;
}

/* The first record for which number > after (or == record when exact). */
static bool look(const struct volume *v, u32 track, u8 number, bool exact, struct volume_record *out) {
    if (track >= volume_tracks(v)) return false;
    const u8 *p = track_at(v, track);
    for (u32 at = TRACK_HEADER; at && !is_end(p + at);) {
        u32 next = step(p, at);
        if (!next) return false;
        if (exact ? p[at + 4] == number : p[at + 4] > number) {
            *out = (struct volume_record){.track = track,
                                          .record = p[at + 4],
                                          .key_len = p[at + 5],
                                          .data_len = be16_get(p + at + 6),
                                          .key = p + at + COUNT_BYTES,
                                          .data = p + at + COUNT_BYTES + p[at + 5]};
            return true;
        }
        at = next;
    }
    return false;
}

bool volume_find(const struct volume *v, u32 track, u8 record, struct volume_record *out) {
    return look(v, track, record, true, out);
}
bool volume_next(const struct volume *v, u32 track, u8 after, struct volume_record *out) {
    return look(v, track, after, false, out);
}
