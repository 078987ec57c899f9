/* volume.h - a CKD 3390 volume as a Hercules disk image: tracks of records, built in memory or read from a file.
 *
 *   image    device header of 512 bytes, then cylinder by cylinder, head by head, tracks of 56,832 bytes
 *   header   0 "CKD_P370"  8 heads (LE32)  12 track bytes (LE32)  16 device type 0x90  17 zeros
 *   track    0 binary 0, cylinder, head (5 bytes), then records, then eight bytes 0xFF
 *   record   cylinder, head, record (5), key length (1), data length (2), key, data
 *
 * Capacity is the real 3390's, so the volume would fit a real one: a track has 1,729 cells of 34 bytes; a record takes
 * 10 + 9 + D cells, with a key 10 + 9 + K + 9 + D, where X = ceil((n + 6 ceil((n + 6) / 232) + 6) / 34).
 * Source: 3390 Reference Summary, GX26-4577.
 */
#ifndef IPL_VOLUME_H
#define IPL_VOLUME_H

#include "base/base.h"

#define VOLUME_HEADS       15u
#define VOLUME_TRACK_BYTES 56832u
#define VOLUME_HEADER      512u
#define VOLUME_CYLS_MAX    3339u /* a 3390-3 */

struct volume {
    u8 *image; /* tracks, without the device header */
    u32 cyls;
};

struct volume_record {
    u32 track; /* cylinder * 15 + head */
    u8 record, key_len;
    u16 data_len;
    const u8 *key, *data;
};

/* Formats cyls cylinders: each track has record 0 only. false: no storage. */
bool volume_create(struct volume *v, u32 cyls);
void volume_free(struct volume *v);
/* Leaves record 0 only. */
void volume_format_track(struct volume *v, u32 track);
/* Appends a record. Returns its number; 0 if the track has no room for it. */
u8 volume_append(struct volume *v, u32 track, const u8 *key, u8 key_len, const void *data, u32 data_len);
/* Writes the image, unused parts as holes. false with errno. */
bool volume_write(const struct volume *v, const char *path);
/* Reads an image; NULL or what is wrong with it. */
const char *volume_read(struct volume *v, const char *path);
/* The record with that number, or the first after record "after"; false if there is none or the track is damaged. */
bool volume_find(const struct volume *v, u32 track, u8 record, struct volume_record *out);
bool volume_next(const struct volume *v, u32 track, u8 after, struct volume_record *out);

static inline u32 volume_tracks(const struct volume *v) { return v->cyls * VOLUME_HEADS; }

#endif
