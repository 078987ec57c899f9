/* host_chsc.c - see host_chsc.h. */
#include "hercules-devices/host_chsc.h"

#include <string.h>

#include "base/be.h"

#define RESPONSE_HEADER 8
#define RESPONSE_DONE 1
#define RESPONSE_BAD_REQUEST 3

#define CODE_CHANNEL_PATHS 0x0002
#define CODE_QDIO_DATA 0x0024

#define PATH_FORMAT1 0x10 /* in the request's flags */
#define PATH_VALID 0x80
#define PATH_BYTES 8
#define PATH_FORMAT1_BYTES 24

#define SSQD_QDIO 0x80
#define SSQD_VALID 0x40
#define SSQD_SIGA_INPUT 0x40
#define SSQD_SIGA_OUTPUT 0x20

static void respond(u8 *response, u32 length, u16 code) {
    be16_put(response, (u16)length);
    be16_put(response + 2, code);
    be32_put(response + 4, 0);
}

/* How many rows of row_bytes fit behind the request, at most wanted. */
static u32 rows_that_fit(u32 request_bytes, u32 row_bytes, u32 wanted) {
    return u32_min(wanted, (CHSC_BLOCK_BYTES - request_bytes - RESPONSE_HEADER) / row_bytes);
}

static bool channel_paths(const struct chsc_devices *d, const u8 *request, u8 *response, u32 request_bytes) {
    u32 row_bytes = request[4] & PATH_FORMAT1 ? PATH_FORMAT1_BYTES : PATH_BYTES;
    u32 first = request[7], last = request[11];
    bool ours = false;
    if ((request[6] & 0x0F) > 1) return false;
    for (u32 c = first; c <= last; c++) ours = ours || d->chpid_type(d->ctx, (u8)c);
    if (!ours) return false;
    u32 rows = rows_that_fit(request_bytes, row_bytes, last - first + 1);
    u8 *row = response + RESPONSE_HEADER;
    for (u32 i = 0; i < rows; i++, row += row_bytes) {
        u8 type = d->chpid_type(d->ctx, (u8)(first + i));
        memset(row, 0, row_bytes);
        row[0] = type ? PATH_VALID : 0;
        row[2] = type;
        row[3] = (u8)(first + i);
    }
    respond(response, RESPONSE_HEADER + rows * row_bytes, RESPONSE_DONE);
    return true;
}

void chsc_ssqd_row(u8 row[CHSC_SSQD_BYTES], u16 subchannel, u8 in_queues, u8 out_queues) {
    memset(row, 0, CHSC_SSQD_BYTES);
    row[0] = SSQD_QDIO | SSQD_VALID;
    be16_put(row + 2, subchannel);
    row[6] = SSQD_SIGA_INPUT | SSQD_SIGA_OUTPUT;
    row[9] = in_queues;
    row[11] = out_queues;
}

static bool qdio_data(const struct chsc_devices *d, const u8 *request, u8 *response, u32 request_bytes) {
    u8 ssid = request[5] >> 4 & 3;
    u32 first = be16_get(request + 6), last = be16_get(request + 10);
    if (last < first) {
        respond(response, RESPONSE_HEADER, RESPONSE_BAD_REQUEST);
        return true;
    }
    u32 rows = rows_that_fit(request_bytes, CHSC_SSQD_BYTES, last - first + 1);
    u8 *row = response + RESPONSE_HEADER;
    for (u32 i = 0; i < rows; i++, row += CHSC_SSQD_BYTES) {
        u16 subchannel = (u16)(first + i);
        u8 in, out;
        memset(row, 0, CHSC_SSQD_BYTES);
        if (d->qdio(d->ctx, ssid, subchannel, &in, &out)) chsc_ssqd_row(row, subchannel, in, out);
    }
    respond(response, RESPONSE_HEADER + rows * CHSC_SSQD_BYTES, RESPONSE_DONE);
    return true;
}

bool chsc_answer(const struct chsc_devices *d, u8 block[CHSC_BLOCK_BYTES]) {
    u32 request_bytes = be16_get(block);
    if (request_bytes < CHSC_REQUEST_MIN || request_bytes > CHSC_BLOCK_BYTES - RESPONSE_HEADER) return false;
    u8 *response = block + request_bytes;
    switch (be16_get(block + 2)) {
    case CODE_CHANNEL_PATHS:
        return channel_paths(d, block, response, request_bytes);
    case CODE_QDIO_DATA:
        return qdio_data(d, block, response, request_bytes);
    default:
        return false;
    }
}
