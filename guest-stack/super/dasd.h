/* dasd.h - reading a CKD volume record by record, over chan.h.
 *
 * A dasd is one open 3390. Every call is one channel program that runs to its end (port_io), so it is for start
 * and commands, never the data path. Addresses are CCHHR; all content of a volume is PEER input: a record that is
 * missing, too long or unreadable is a result, not a surprise.
 */
#ifndef SUPER_DASD_H
#define SUPER_DASD_H

#include "base/arena.h"
#include "base/base.h"
#include "chan/chan.h"

#define DASD_BLOCK_MAX 32760

struct dasd_addr {
    u16 cyl, head;
    u8 record;
};

/* A record's count field: where it is, how long its key and its data are; data_len 0 is end of file. */
struct dasd_count {
    struct dasd_addr at;
    u8 key_len;
    u16 data_len;
};

struct dasd {
    struct chan *ch;
    u16 cylinders; /* from READ DEVICE CHARACTERISTICS */
    u16 heads;
    u8 *buffer; /* DASD_BLOCK_MAX bytes for callers */
    u32 io_errors;
};

/* -ERR_NOENT: no such device or not a CKD disk; -ERR_NOMEM. */
int dasd_open(struct dasd *d, struct chan_system *channels, u16 devnum, struct arena *a);
/* Data of the record at "at". Returns its length (at most len are stored), -ERR_NOENT no such record, -ERR_IO. */
i32 dasd_read(struct dasd *d, struct dasd_addr at, void *data, u32 len);
/* The record after "at" (record 0 = the track's start) on the same track: count field and data.
 * Returns its data length, -ERR_NOENT at the end of the track, -ERR_IO. */
i32 dasd_read_next(struct dasd *d, struct dasd_addr at, struct dasd_count *count, void *data, u32 len);
/* Looks for a record with this key on tracks [from, to]; its data as dasd_read. */
i32 dasd_search_key(struct dasd *d, struct dasd_addr from, struct dasd_addr to, const u8 *key, u8 key_len, void *data,
                    u32 len);

#endif
