/* dasd.c - channel programs that read a CKD volume. See dasd.h; commands: 3390 Reference Summary, GX26-4577. */
#include "super/dasd.h"

#include "base/be.h"
#include "super/port.h"

#define CKD_SEEK           0x07
#define CKD_SEARCH_KEY     0x29
#define CKD_SEARCH_ID      0x31
#define CKD_READ_COUNT     0x12
#define CKD_READ_DATA      0x06
#define CKD_READ_DEV_CHARS 0x64
#define DASD_TIMEOUT_US    5000000u
#define SENSE1_NO_RECORD   0x08
#define SENSE1_END_OF_CYL  0x20
#define SENSE0_COMMAND_REJ 0x80 /* a seek to a cylinder that is not there */

static const struct chan_events no_events = {0};

static void put_seek(u8 seek[7], struct dasd_addr at) {
    be16_put(seek, 0);
    be16_put(seek + 2, at.cyl);
    be16_put(seek + 4, at.head);
    seek[6] = at.record;
}

/* Runs a program. 0; -ERR_NOENT if the record or the track is not there; -ERR_IO. *data_end: the data read met an
 * end-of-file record (unit exception). *residual: of the last command. */
static int run(struct dasd *d, const struct chan_cmd *program, u32 n, u16 *residual, bool *data_end) {
    struct chan_status st = {0};
    *data_end = false;
    if (port_io(d->ch, program, n, &st, DASD_TIMEOUT_US) == 0 && st.cc == 0 && !st.halted) {
        *residual = st.residual;
        *data_end = st.unit == (US_CHANNEL_END | US_DEVICE_END | US_UNIT_EXCEPTION);
        if (st.subchannel == 0 && (*data_end || st.unit == (US_CHANNEL_END | US_DEVICE_END))) return 0;
        /* With unit check the command in error may also show incorrect length; the sense decides. */
        if ((st.unit & US_UNIT_CHECK) && st.sense_len >= 2 &&
            ((st.sense[1] & (SENSE1_NO_RECORD | SENSE1_END_OF_CYL)) || (st.sense[0] & SENSE0_COMMAND_REJ)))
            return -ERR_NOENT;
    }
    d->io_errors++;
    return -ERR_IO;
}

int dasd_open(struct dasd *d, struct chan_system *channels, u16 devnum, struct arena *a) {
    u8 chars[64];
    u16 residual;
    bool end;
    *d = (struct dasd){.buffer = arena_take(a, DASD_BLOCK_MAX, 16)};
    if (!d->buffer) return -ERR_NOMEM;
    int rc = chan_open(channels, devnum, &no_events, d, &d->ch);
    if (rc) return rc;
    const struct chan_cmd program[] = {
        {.op = CKD_READ_DEV_CHARS, .flags = CCW_SLI, .count = sizeof chars, .data = chars}};
    /* 3390 device characteristics: 12 primary cylinders, 14 tracks a cylinder. */
    if (run(d, program, 1, &residual, &end) != 0) {
        chan_close(d->ch);
        return -ERR_NOENT;
    }
    d->cylinders = be16_get(chars + 12);
    d->heads = be16_get(chars + 14);
    return 0;
}

static bool exists(const struct dasd *d, struct dasd_addr at) { return at.cyl < d->cylinders && at.head < d->heads; }

i32 dasd_read(struct dasd *d, struct dasd_addr at, void *data, u32 len) {
    u8 seek[7];
    u16 residual;
    bool end;
    if (!exists(d, at)) return -ERR_NOENT;
    put_seek(seek, at);
    const struct chan_cmd program[] = {
        {.op = CKD_SEEK, .flags = CCW_CC, .count = 6, .data = seek},
        {.op = CKD_SEARCH_ID, .flags = CCW_CC, .count = 5, .data = seek + 2},
        {.op = CCW_TIC, .count = 1},
        {.op = CKD_READ_DATA, .flags = CCW_SLI, .count = (u16)u32_min(len, DASD_BLOCK_MAX), .data = data}};
    int rc = run(d, program, ARRAY_LEN(program), &residual, &end);
    if (rc) return rc;
    return end ? 0 : (i32)(program[3].count - residual);
}

i32 dasd_read_next(struct dasd *d, struct dasd_addr at, struct dasd_count *count, void *data, u32 len) {
    u8 seek[7], field[8] = {0};
    u16 residual;
    bool end;
    if (!exists(d, at)) return -ERR_NOENT;
    put_seek(seek, at);
    const struct chan_cmd program[] = {
        {.op = CKD_SEEK, .flags = CCW_CC, .count = 6, .data = seek},
        {.op = CKD_SEARCH_ID, .flags = CCW_CC, .count = 5, .data = seek + 2},
        {.op = CCW_TIC, .count = 1},
        {.op = CKD_READ_COUNT, .flags = CCW_CC, .count = sizeof field, .data = field},
        {.op = CKD_READ_DATA, .flags = CCW_SLI, .count = (u16)u32_min(len, DASD_BLOCK_MAX), .data = data}};
    int rc = run(d, program, ARRAY_LEN(program), &residual, &end);
    if (rc) return rc;
    *count = (struct dasd_count){.at = {be16_get(field), be16_get(field + 2), field[4]},
                                 .key_len = field[5],
                                 .data_len = be16_get(field + 6)};
    /* Behind the last record the index passes and the first one comes again. */
    if (count->at.record <= at.record || count->at.cyl != at.cyl || count->at.head != at.head) return -ERR_NOENT;
    return (i32)count->data_len;
}

i32 dasd_search_key(struct dasd *d, struct dasd_addr from, struct dasd_addr to, const u8 *key, u8 key_len, void *data,
                    u32 len) {
    u8 seek[7];
    u16 residual;
    bool end;
    for (struct dasd_addr at = {from.cyl, from.head, 0}; exists(d, at);) {
        if (at.cyl > to.cyl || (at.cyl == to.cyl && at.head > to.head)) break;
        put_seek(seek, at);
        const struct chan_cmd program[] = {
            {.op = CKD_SEEK, .flags = CCW_CC, .count = 6, .data = seek},
            {.op = CKD_SEARCH_KEY, .flags = CCW_CC, .count = key_len, .data = (void *)(uintptr_t)key},
            {.op = CCW_TIC, .count = 1},
            {.op = CKD_READ_DATA, .flags = CCW_SLI, .count = (u16)u32_min(len, DASD_BLOCK_MAX), .data = data}};
        int rc = run(d, program, ARRAY_LEN(program), &residual, &end);
        if (rc == 0) return end ? 0 : (i32)(program[3].count - residual);
        if (rc != -ERR_NOENT) return rc;
        if (++at.head == d->heads) {
            at.head = 0;
            at.cyl++;
        }
    }
    return -ERR_NOENT;
}
