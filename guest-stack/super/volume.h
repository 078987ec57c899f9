/* volume.h - the data sets of one volume: dataset.h over dasd.h.
 *
 * A struct datasets knows one volume: its serial and where its VTOC is. dataset_read() looks the name up in the VTOC,
 * the member in the directory, and gathers the text. Everything read is PEER input: extents are clipped to the
 * volume, every walk is bounded by the extent, a directory block or a count that makes no sense is -ERR_IO and
 * counted in `damaged`.
 */
#ifndef SUPER_VOLUME_H
#define SUPER_VOLUME_H

#include "super/dasd.h"
#include "super/dataset.h"
#include "super/storage.h"

#define DATASET_EXTENTS_MAX 3        /* in a format 1 DSCB; a fourth would need a format 3 */
#define DATASET_TEXT_MAX    0x40000u /* bytes of one member */

struct datasets {
    struct dasd *d;
    struct heap *heap;
    char volser[7];
    struct dasd_addr vtoc_from, vtoc_to;
    u32 reads, not_found, damaged, too_large;
};

/* -ERR_IO: no label, no VTOC, or they cannot be read. */
int datasets_init(struct datasets *ds, struct dasd *d, struct heap *heap);

#endif
