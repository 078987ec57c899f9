/* test_osa_qdio.c - establish, activate, SIGA, and output through SBALs: packing, fragments, offload
 * requests, interrupts, full rings, and buffers that make no sense. Input: test_osa_input.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hercules-devices/osa_internal.h"
#include "tests/unit/osadriver.h"
#include "wire/cksum.h"

#define Q_ALL 0xF0000000u

static struct osa_engine *engine(struct driver_test *d) {
    return osa_of(d->f.engine);
}
static int siga_w(struct driver_test *d, u32 mask) {
    return d->f.engine->ops->siga_write(d->f.engine, OSA_UNIT_DATA, mask);
}
static int siga_r(struct driver_test *d) {
    return d->f.engine->ops->siga_read(d->f.engine, OSA_UNIT_DATA, 0x80000000);
}

static struct driver_test *make(u8 proto) {
    struct driver_test *d = malloc(sizeof *d);
    drv_init(d, 0, "");
    drv_card(d);
    drv_up(d, proto);
    fake_forget(&d->f);
    return d;
}
static int setup3(void **state) {
    *state = make(MPC_PROTO_L3);
    return 0;
}
static int setup2(void **state) {
    *state = make(MPC_PROTO_L2);
    return 0;
}
static int teardown(void **state) {
    struct driver_test *d = *state;
    drv_free(d);
    free(d);
    return 0;
}

/* A layer 3 header and an IPv4 packet of TCP or UDP at to; returns the bytes. */
static u32 put_ip(u8 *to, u32 bytes, u8 proto, u8 ext, u32 next_hop) {
    memset(to, 0, OSA_HDR_BYTES);
    to[0] = OSA_HDR_L3;
    to[OSA_L3_FLAGS_AT] = OSA_L3_UNICAST;
    be16_put(to + OSA_L3_LENGTH_AT, (u16)bytes);
    to[OSA_L3_EXT_AT] = ext;
    be32_put(to + OSA_L3_NEXT_HOP_AT, next_hop);
    u8 *ip = to + OSA_HDR_BYTES;
    for (u32 i = 0; i < bytes; i++) ip[i] = (u8)(i * 7);
    ip[0] = 0x45;
    be16_put(ip + 2, (u16)bytes);
    be16_put(ip + 6, 0);
    ip[9] = proto;
    be32_put(ip + 12, 0x0A010165);
    be32_put(ip + 16, 0x0A0101FE);
    if (proto == 6 && bytes >= 40) ip[32] = 0x50;
    return OSA_HDR_BYTES + bytes;
}

static void prime(struct driver_test *d, u32 queue, u32 buffer) {
    *drv_slsb(d, queue, buffer) = SLSB_CU_OUTPUT_PRIMED;
}

static const u8 *sent(struct driver_test *d, u32 data_bytes) {
    u32 len;
    const u8 *msg = fake_next(&d->f, &len);
    assert_non_null(msg);
    assert_int_equal(msg[0], OSA_MSG_FRAME);
    assert_int_equal(len, OSA_FRAME_DATA + data_bytes);
    return msg;
}

static void nothing_sent(struct driver_test *d) {
    u32 len;
    assert_null(fake_next(&d->f, &len));
}

/* ---- establish and activate ---- */

static enum engine_rc establish(struct driver_test *d, u32 count) {
    assert_true(fake_ccw(&d->f, OSA_UNIT_DATA, OSA_CCW_ESTABLISH, CCW_SLI, fake_at(&d->f, AT_QDR), count));
    return d->f.ccw[OSA_UNIT_DATA].unit_status & US_UNIT_CHECK ? ENGINE_WAIT : ENGINE_DONE;
}

static void bad_qdr(void **state) {
    UNUSED(state);
    static const struct {
        u32 at, bytes;
        u64 value;
        const char *names;
    } rows[] = {
        {QDR_FORMAT_AT, 1, 1, "queue format"},
        {QDR_IN_COUNT_AT, 1, 0, "input queues"},
        {QDR_IN_COUNT_AT, 1, 2, "input queues"},
        {QDR_OUT_COUNT_AT, 1, 0, "output queues"},
        {QDR_OUT_COUNT_AT, 1, 5, "output queues"},
        {QDR_OUT_COUNT_AT, 1, 255, "output queues"},
        {QDR_IN_WORDS_AT, 1, 4, "descriptor size"},
        {QDR_OUT_WORDS_AT, 1, 16, "descriptor size"},
        {QDR_QIB_AT, 8, 0, "QIB"},
        {QDR_QIB_AT, 8, AT_QIB + 8, "QIB"},
        {QDR_QIB_AT, 8, 0xFFFFFFFFFFFFFF00ull, "QIB"},
        {QDR_QIB_AT, 8, FAKE_ORIGIN + FAKE_STORAGE, "QIB"},
        {QDR_DESC_AT + QDESC_SLIB_AT, 8, 0x100000000ull, "SLIB"},
        {QDR_DESC_AT + QDESC_SLIB_AT, 8, AT_SLIB + 1024, "SLIB"},
        {QDR_DESC_AT + QDESC_SL_AT, 8, 0, "SL address"},
        {QDR_DESC_AT + QDESC_SL_AT, 8, FAKE_ORIGIN + FAKE_STORAGE - 512, "SL address"},
        {QDR_DESC_AT + QDESC_SLSB_AT, 8, 0, "SLSB"},
        {QDR_DESC_AT + QDESC_SLSB_AT, 8, AT_SLSB + 1, "SLSB"},
        {QDR_DESC_AT + 4 * 32 + QDESC_SLSB_AT, 8, 0xFFFFFFFFFFFFFFFFull, "SLSB"},
    };
    struct driver_test d;
    drv_init(&d, 0, "");
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        drv_queues_layout(&d, 4);
        u8 *at = fake_at(&d.f, AT_QDR + rows[i].at);
        if (rows[i].bytes == 8)
            be64_put(at, rows[i].value);
        else
            *at = (u8)rows[i].value;
        assert_int_equal(establish(&d, QDR_BYTES), ENGINE_WAIT);
        assert_int_equal(d.f.engine->ops->sense(d.f.engine, OSA_UNIT_DATA)->bytes[0], 0x80);
        assert_non_null(strstr(d.f.last_log, rows[i].names));
        assert_int_equal(engine(&d)->data, OSA_DATA_DOWN);
    }
    /* Any length that does not hold all descriptors. */
    for (u32 len = 0; len <= QDR_DESC_AT + 5 * QDR_DESC_BYTES; len++) {
        drv_queues_layout(&d, 4);
        u8 *exact = malloc(len ? len : 1);
        memcpy(exact, fake_at(&d.f, AT_QDR), len);
        assert_true(fake_ccw(&d.f, OSA_UNIT_DATA, OSA_CCW_ESTABLISH, CCW_SLI, exact, len));
        bool ok = !(d.f.ccw[OSA_UNIT_DATA].unit_status & US_UNIT_CHECK);
        assert_int_equal(ok, len == QDR_DESC_AT + 5 * QDR_DESC_BYTES);
        free(exact);
    }
    drv_free(&d);
}

static void order_of_establish_and_activate(void **state) {
    struct driver_test d;
    u8 nothing[1];
    UNUSED(state);
    drv_init(&d, 0, "");
    assert_int_equal(siga_w(&d, Q_ALL), 1);
    assert_true(fake_ccw(&d.f, OSA_UNIT_DATA, OSA_CCW_ACTIVATE, CCW_SLI, nothing, 0));
    assert_true(d.f.ccw[OSA_UNIT_DATA].unit_status & US_UNIT_CHECK);
    drv_queues_layout(&d, 1);
    assert_int_equal(establish(&d, QDR_BYTES), ENGINE_DONE);
    assert_int_equal(siga_r(&d), 1);
    assert_int_equal(establish(&d, QDR_BYTES), ENGINE_DONE); /* again is allowed before ACTIVATE */
    assert_false(fake_ccw(&d.f, OSA_UNIT_DATA, OSA_CCW_ACTIVATE, CCW_SLI, nothing, 0));
    assert_int_equal(siga_r(&d), 0);
    assert_int_equal(siga_w(&d, Q_ALL), 0);
    assert_int_equal(d.f.engine->ops->siga_sync(d.f.engine, OSA_UNIT_DATA, 0, 0), 0);
    assert_int_equal(d.f.engine->ops->siga_write(d.f.engine, OSA_UNIT_READ, Q_ALL), 1);
    d.f.engine->ops->halt(d.f.engine, OSA_UNIT_DATA);
    assert_false(d.f.waiting[OSA_UNIT_DATA]);
    assert_int_equal(d.f.ccw[OSA_UNIT_DATA].unit_status, US_CHANNEL_END | US_DEVICE_END);
    assert_int_equal(siga_w(&d, Q_ALL), 1);
    drv_free(&d);
}

/* ---- output ---- */

static void one_packet(void **state) {
    struct driver_test *d = *state;
    u32 n = put_ip(fake_at(&d->f, AT_OUT), 100, 17, 0, 0x0A0101FE);
    drv_element(d, 1, 0, 0, AT_OUT, n, SBAL_LAST_ENTRY);
    prime(d, 1, 0);
    assert_int_equal(siga_w(d, 0x80000000), 0);
    const u8 *msg = sent(d, 100);
    assert_int_equal(msg[8], OSA_FORM_IP);
    assert_int_equal(msg[9], OSA_CAST_UNI);
    assert_int_equal(be32_get(msg + 16), 0x0A0101FE);
    assert_memory_equal(msg + OSA_FRAME_DATA, fake_at(&d->f, AT_OUT + 32), 100);
    assert_int_equal(*drv_slsb(d, 1, 0), SLSB_P_OUTPUT_EMPTY);
    assert_int_equal(d->f.flushes > 0, 1);
    assert_int_equal(d->f.pcis, 0);
    /* Nothing primed: nothing happens. */
    assert_int_equal(siga_w(d, Q_ALL), 0);
    nothing_sent(d);
}

/* As qeth sends a packet with paged data: header in one element, then fragments. */
static void fragments(void **state) {
    struct driver_test *d = *state;
    u8 whole[32 + 3000];
    u32 n = put_ip(whole, 3000, 17, 0, 1), at = AT_OUT, done = 0;
    static const u32 cuts[] = {32, 14, 1, 1986, 999};
    for (u32 i = 0; i < 5; i++) {
        memcpy(fake_at(&d->f, at), whole + done, cuts[i]);
        drv_element(d, 1, 0, i, at, cuts[i],
                    i == 0   ? SBAL_FRAG_FIRST
                    : i == 4 ? SBAL_FRAG_LAST | SBAL_LAST_ENTRY
                             : SBAL_FRAG_MIDDLE);
        done += cuts[i];
        at += 4096;
    }
    assert_int_equal(done, n);
    prime(d, 1, 0);
    siga_w(d, Q_ALL);
    assert_memory_equal(sent(d, 3000) + OSA_FRAME_DATA, whole + 32, 3000);
}

/* Several packets a buffer: one an element, a fragmented one, and several in one element. */
static void packing(void **state) {
    struct driver_test *d = *state;
    u8 *data = fake_at(&d->f, AT_OUT);
    u32 n = put_ip(data, 40, 17, 0, 1);
    drv_element(d, 1, 0, 0, AT_OUT, n, 0);
    u32 m = put_ip(data + 4096, 60, 17, 0, 2);
    drv_element(d, 1, 0, 1, AT_OUT + 4096, 32, SBAL_FRAG_FIRST);
    drv_element(d, 1, 0, 2, AT_OUT + 4096 + 32, m - 32, SBAL_FRAG_LAST);
    u32 at = 0;
    for (u32 i = 0; i < 3; i++) at += put_ip(data + 8192 + at, 70 + i, 17, 0, 3 + i);
    drv_element(d, 1, 0, 3, AT_OUT + 8192, at + 5, SBAL_LAST_ENTRY); /* five bytes of filling */
    prime(d, 1, 0);
    siga_w(d, Q_ALL);
    static const u32 sizes[] = {40, 60, 70, 71, 72};
    for (u32 i = 0; i < 5; i++) assert_int_equal(be32_get(sent(d, sizes[i]) + 16), i + 1);
    nothing_sent(d);
    assert_int_equal(engine(d)->count.out_packets, 5);
}

static void four_queues_and_wrap(void **state) {
    struct driver_test *d = *state;
    for (u32 q = 1; q <= 4; q++) {
        u32 n = put_ip(fake_at(&d->f, AT_OUT + q * 4096), 40 + q, 17, 0, q);
        for (u32 b = 0; b < QDIO_BUFFERS; b++) drv_element(d, q, b, 0, AT_OUT + q * 4096, n, SBAL_LAST_ENTRY);
    }
    prime(d, 2, 0);
    prime(d, 4, 0);
    siga_w(d, 0x50000000);
    sent(d, 42);
    sent(d, 44);
    /* 300 packets through queue 1, in groups of 100: the index wraps. */
    u32 b = 0, frames = 0, len;
    for (u32 round = 0; round < 3; round++) {
        for (u32 i = 0; i < 100; i++, b = (b + 1) % QDIO_BUFFERS) prime(d, 1, b);
        siga_w(d, 0x80000000);
        while (fake_next(&d->f, &len)) frames++;
    }
    assert_int_equal(frames, 300);
    /* A queue that is not there. */
    u64 bad = engine(d)->count.out_bad_queue;
    siga_w(d, 0x08000000);
    assert_int_equal(engine(d)->count.out_bad_queue, bad + 1);
}

static void checksum_request(void **state) {
    struct driver_test *d = *state;
    static const u8 protos[] = {6, 17, 1};
    for (u32 i = 0; i < 3; i++) {
        u8 *at = fake_at(&d->f, AT_OUT);
        u32 n = put_ip(at, 120, protos[i], OSA_EXT_CSUM_HDR | OSA_EXT_CSUM_TRANSPORT, 1);
        drv_element(d, 1, i, 0, AT_OUT, n, SBAL_LAST_ENTRY);
        prime(d, 1, i);
        siga_w(d, Q_ALL);
        const u8 *msg = sent(d, 120);
        u16 flags = be16_get(msg + 10);
        assert_int_equal(flags, i < 2 ? OSA_FRAME_CSUM_NEEDED : 0);
        assert_int_equal(cksum_fold(cksum_add(0, msg + OSA_FRAME_DATA, 20)), 0);
        if (i == 2) break;
        u32 field = i == 0 ? 16 : 6;
        assert_int_equal(be16_get(msg + 20), 20);
        assert_int_equal(be16_get(msg + 22), field);
        u32 pseudo = cksum_pseudo(ipaddr_v4(0x0A010165), ipaddr_v4(0x0A0101FE), protos[i], 100);
        assert_int_equal(be16_get(msg + OSA_FRAME_DATA + 20 + field), cksum_partial(pseudo));
    }
}

/* As qeth asks for it: total length zero, checksum field without the length. */
static void segmentation_request(void **state) {
    struct driver_test *d = *state;
    u8 *at = fake_at(&d->f, AT_OUT);
    u8 packet[32 + 8040];
    put_ip(packet, 8040, 6, 0, 1);
    be16_put(packet + 32 + 2, 0);
    memset(at, 0, 64);
    memcpy(at, packet, 32);
    at[0] = OSA_HDR_L3_TSO;
    u8 *ext = at + 32;
    be16_put(ext + OSA_TSO_TOTAL_AT, 32);
    ext[OSA_TSO_COUNT_AT] = ext[OSA_TSO_TYPE_AT] = ext[OSA_TSO_VERSION_AT] = 1;
    be16_put(ext + OSA_TSO_LENGTH_AT, 28);
    be32_put(ext + OSA_TSO_PAYLOAD_AT, 8000);
    be16_put(ext + OSA_TSO_MSS_AT, 1460);
    be16_put(ext + OSA_TSO_HEADERS_AT, 40);
    memcpy(at + 64, packet + 32, 40);
    memcpy(fake_at(&d->f, AT_OUT + 4096), packet + 72, 8000);
    drv_element(d, 1, 0, 0, AT_OUT, 104, SBAL_FRAG_FIRST);
    drv_element(d, 1, 0, 1, AT_OUT + 4096, 8000, SBAL_FRAG_LAST | SBAL_LAST_ENTRY);
    prime(d, 1, 0);
    siga_w(d, Q_ALL);
    const u8 *msg = sent(d, 8040);
    assert_int_equal(be16_get(msg + 12), 1460);
    assert_int_equal(be16_get(msg + 10), OSA_FRAME_CSUM_NEEDED);
    assert_int_equal(be16_get(msg + OSA_FRAME_DATA + 2), 8040);
    assert_int_equal(cksum_fold(cksum_add(0, msg + OSA_FRAME_DATA, 20)), 0);
    assert_memory_equal(msg + OSA_FRAME_DATA + 40, packet + 72, 8000);
    /* One that needs no cutting goes as a plain one. */
    be32_put(ext + OSA_TSO_PAYLOAD_AT, 1000);
    prime(d, 1, 1);
    memcpy(drv_sbale(d, 1, 1, 0), drv_sbale(d, 1, 0, 0), SBAL_BYTES);
    siga_w(d, Q_ALL);
    assert_int_equal(be16_get(sent(d, 1040) + 12), 0);
    /* Requests that make no sense. */
    static const struct {
        u32 at, bytes, value;
    } bad[] = {{OSA_TSO_MSS_AT, 2, 0},           {OSA_TSO_HEADERS_AT, 2, 20},
               {OSA_TSO_HEADERS_AT, 2, 39},      {OSA_TSO_HEADERS_AT, 2, 0xFFFF},
               {OSA_TSO_PAYLOAD_AT, 4, 0x10000}, {OSA_TSO_PAYLOAD_AT, 4, 0xFFFFFFFF},
               {OSA_TSO_PAYLOAD_AT, 4, 8001}};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        be32_put(ext + OSA_TSO_PAYLOAD_AT, 8000);
        be16_put(ext + OSA_TSO_MSS_AT, 1460);
        be16_put(ext + OSA_TSO_HEADERS_AT, 40);
        if (bad[i].bytes == 2)
            be16_put(ext + bad[i].at, (u16)bad[i].value);
        else
            be32_put(ext + bad[i].at, bad[i].value);
        memcpy(drv_sbale(d, 1, 2 + i, 0), drv_sbale(d, 1, 0, 0), SBAL_BYTES);
        prime(d, 1, 2 + i);
        siga_w(d, Q_ALL);
        nothing_sent(d);
        assert_int_equal(*drv_slsb(d, 1, 2 + i) & 0xC0, 0x80);
    }
}

static void malformed_packets(void **state) {
    struct driver_test *d = *state;
    u32 b = 0;
    u8 *at = fake_at(&d->f, AT_OUT);
    static const struct {
        u32 at;
        u8 value;
    } rows[] = {
        {0, 0},                     /* id */
        {0, OSA_HDR_L2},            /* the other layer's */
        {OSA_L3_FLAGS_AT, 0x86},    /* IPv6 */
        {OSA_L3_FLAGS_AT, 0x16},    /* passthru */
        {OSA_L3_LENGTH_AT + 1, 19}, /* shorter than an IP header */
        {32, 0x65},                 /* version 6 */
        {32, 0x44},                 /* header of 16 */
        {32 + 3, 101},              /* total length past the packet */
        {32 + 3, 19},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++, b++) {
        u32 n = put_ip(at, 100, 17, 0, 1);
        at[rows[i].at] = rows[i].value;
        drv_element(d, 1, b, 0, AT_OUT, n, SBAL_LAST_ENTRY);
        prime(d, 1, b);
        siga_w(d, Q_ALL);
        nothing_sent(d);
        assert_int_equal(*drv_slsb(d, 1, b), SLSB_P_OUTPUT_EMPTY);
    }
    const struct osa_counters *c = &engine(d)->count;
    assert_int_equal(c->out_bad_header + c->out_bad_packet + c->out_unsupported, ARRAY_LEN(rows));
}

static void bad_buffers(void **state) {
    struct driver_test *d = *state;
    u32 b = 0;
    u32 n = put_ip(fake_at(&d->f, AT_OUT), 100, 17, 0, 1);
    static const struct {
        u64 addr;
        u32 len;
        u8 eflags;
    } rows[] = {
        {0, 132, SBAL_LAST_ENTRY}, /* address that is not there */
        {0xFFFFFFFFFFFFFFF0ull, 132, SBAL_LAST_ENTRY},
        {FAKE_ORIGIN + FAKE_STORAGE - 16, 132, SBAL_LAST_ENTRY}, /* across the end */
        {AT_OUT, 131, SBAL_LAST_ENTRY},                          /* one byte short */
        {AT_OUT, 131, SBAL_FRAG_FIRST | SBAL_LAST_ENTRY},
        {AT_OUT, 32, SBAL_LAST_ENTRY}, /* header only */
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++, b++) {
        drv_element(d, 1, b, 0, rows[i].addr, rows[i].len, rows[i].eflags);
        prime(d, 1, b);
        assert_int_equal(siga_w(d, Q_ALL), 0);
        nothing_sent(d);
        assert_int_equal(*drv_slsb(d, 1, b), SLSB_P_OUTPUT_ERROR);
        assert_int_not_equal(drv_sbale(d, 1, b, 15)[SBALE_SFLAGS_AT], 0);
    }
    assert_int_equal(engine(d)->count.out_bad_address, ARRAY_LEN(rows));
    /* A run that never ends: 16 elements, all middle fragments, the packet longer than them. */
    for (u32 i = 0; i < 16; i++)
        drv_element(d, 1, b, i, AT_OUT, i ? 1 : 32, i ? SBAL_FRAG_MIDDLE : SBAL_FRAG_FIRST);
    prime(d, 1, b);
    siga_w(d, Q_ALL);
    assert_int_equal(*drv_slsb(d, 1, b++), SLSB_P_OUTPUT_ERROR);
    /* SBAL addresses: not there, not aligned. */
    static const u64 sbals[] = {0, 0x7FFFFFFFFFFFFF00ull, AT_SBAL + 0x8000 + 1};
    for (u32 i = 0; i < 3; i++, b++) {
        be64_put(fake_at(&d->f, AT_SL + SL_BYTES + 8 * b), sbals[i]);
        prime(d, 1, b);
        siga_w(d, Q_ALL);
        assert_int_equal(*drv_slsb(d, 1, b), SLSB_P_OUTPUT_ERROR);
    }
    /* The queue goes on behind them. */
    drv_element(d, 1, b, 0, AT_OUT, n, SBAL_LAST_ENTRY);
    prime(d, 1, b);
    siga_w(d, Q_ALL);
    sent(d, 100);
    /* An empty buffer is simply done. */
    b++;
    drv_element(d, 1, b, 0, 0, 0, SBAL_LAST_ENTRY);
    prime(d, 1, b);
    siga_w(d, Q_ALL);
    assert_int_equal(*drv_slsb(d, 1, b), SLSB_P_OUTPUT_EMPTY);
}

static void output_interrupt_on_request(void **state) {
    struct driver_test *d = *state;
    u32 n = put_ip(fake_at(&d->f, AT_OUT), 100, 17, 0, 1);
    for (u32 b = 0; b < 4; b++) {
        drv_element(d, 1, b, 0, AT_OUT, n, SBAL_LAST_ENTRY);
        if (b & 1) drv_sbale(d, 1, b, 0)[SBALE_SFLAGS_AT] = SBAL_PCI_REQ;
        prime(d, 1, b);
    }
    siga_w(d, Q_ALL);
    assert_int_equal(d->f.pcis, 1); /* one for both */
}

static void full_ring(void **state) {
    struct driver_test *d = *state;
    u8 *at = fake_at(&d->f, AT_OUT);
    /* Buffer 0 has two packets of 100, buffer 1 one; the ring takes one packet at a time. */
    u32 n = put_ip(at, 100, 17, 0, 1);
    put_ip(at + n, 100, 17, 0, 2);
    drv_element(d, 1, 0, 0, AT_OUT, 2 * n, SBAL_LAST_ENTRY);
    put_ip(at + 4096, 100, 17, 0, 3);
    drv_element(d, 1, 1, 0, AT_OUT + 4096, n, SBAL_LAST_ENTRY);
    prime(d, 1, 0);
    prime(d, 1, 1);
    d->f.ring_room = OSA_FRAME_DATA + 100;
    siga_w(d, Q_ALL);
    assert_int_equal(be32_get(sent(d, 100) + 16), 1);
    assert_int_equal(*drv_slsb(d, 1, 0), SLSB_CU_OUTPUT_PRIMED);
    /* Each of these takes it up again. */
    d->f.ring_room = OSA_FRAME_DATA + 100;
    d->f.engine->ops->rx_end(d->f.engine);
    assert_int_equal(be32_get(sent(d, 100) + 16), 2);
    assert_int_equal(*drv_slsb(d, 1, 0), SLSB_P_OUTPUT_EMPTY);
    assert_int_equal(*drv_slsb(d, 1, 1), SLSB_CU_OUTPUT_PRIMED);
    d->f.ring_room = OSA_FRAME_DATA + 100;
    siga_r(d);
    assert_int_equal(be32_get(sent(d, 100) + 16), 3);
    nothing_sent(d);
    /* A card that dies lets the buffers go. */
    prime(d, 1, 2);
    drv_element(d, 1, 2, 0, AT_OUT, 2 * n, SBAL_LAST_ENTRY);
    d->f.ring_room = 0;
    siga_w(d, Q_ALL);
    assert_int_equal(*drv_slsb(d, 1, 2), SLSB_CU_OUTPUT_PRIMED);
    fake_connect(&d->f, false);
    assert_int_equal(*drv_slsb(d, 1, 2), SLSB_P_OUTPUT_EMPTY);
    assert_int_equal(engine(d)->count.out_no_card, 2);
    assert_int_equal(engine(d)->count.out_stalled, 3);
}

static void stopped_lan_drops(void **state) {
    struct driver_test *d = *state;
    u32 n = put_ip(fake_at(&d->f, AT_OUT), 100, 17, 0, 1);
    assert_int_equal(drv_ipa(d, IPA_STOPLAN, NULL, 0, OSA_RC_OK), 0);
    drv_element(d, 1, 0, 0, AT_OUT, n, SBAL_LAST_ENTRY);
    prime(d, 1, 0);
    siga_w(d, Q_ALL);
    nothing_sent(d);
    assert_int_equal(engine(d)->count.out_no_lan, 1);
    assert_int_equal(*drv_slsb(d, 1, 0), SLSB_P_OUTPUT_EMPTY);
}

static void layer2_output(void **state) {
    struct driver_test *d = *state;
    u8 *at = fake_at(&d->f, AT_OUT);
    memset(at, 0, 32);
    at[0] = OSA_HDR_L2;
    at[OSA_L2_FLAGS_AT] = OSA_L2_BROADCAST;
    be16_put(at + OSA_L2_LENGTH_AT, 42);
    for (u32 i = 0; i < 42; i++) at[32 + i] = (u8)i;
    be16_put(at + 32 + 12, 0x0806);
    drv_element(d, 1, 0, 0, AT_OUT, 74, SBAL_LAST_ENTRY);
    prime(d, 1, 0);
    siga_w(d, Q_ALL);
    const u8 *msg = sent(d, 42);
    assert_int_equal(msg[8], OSA_FORM_ETHER);
    assert_int_equal(msg[9], OSA_CAST_BROAD);
    assert_memory_equal(msg + OSA_FRAME_DATA, at + 32, 42);
    /* With a VLAN tag and a checksum request: offsets count from the frame's start. */
    u8 ip[32 + 100];
    put_ip(ip, 100, 6, 0, 0);
    at[OSA_L2_EXT_AT] = OSA_EXT_CSUM_HDR | OSA_EXT_CSUM_TRANSPORT;
    at[OSA_L2_FLAGS_AT] = OSA_L2_UNICAST;
    be16_put(at + OSA_L2_LENGTH_AT, 118);
    be16_put(at + 32 + 12, 0x8100);
    be16_put(at + 32 + 14, 5);
    be16_put(at + 32 + 16, 0x0800);
    memcpy(at + 32 + 18, ip + 32, 100);
    drv_element(d, 1, 1, 0, AT_OUT, 150, SBAL_LAST_ENTRY);
    prime(d, 1, 1);
    siga_w(d, Q_ALL);
    msg = sent(d, 118);
    assert_int_equal(be16_get(msg + 10), OSA_FRAME_CSUM_NEEDED);
    assert_int_equal(cksum_fold(cksum_add(0, msg + OSA_FRAME_DATA + 18, 20)), 0);
    assert_int_equal(be16_get(msg + 20), 38);
    assert_int_equal(be16_get(msg + 22), 16);
    /* Too short to be a frame. */
    be16_put(at + OSA_L2_LENGTH_AT, 13);
    drv_element(d, 1, 2, 0, AT_OUT, 150, SBAL_LAST_ENTRY);
    prime(d, 1, 2);
    siga_w(d, Q_ALL);
    nothing_sent(d);
}

static void counters_have_names(void **state) {
    struct driver_test *d = *state;
    const char *name;
    u64 value;
    u32 n = 0;
    char line[200];
    while (osa_engine_counter(d->f.engine, n, &name, &value)) {
        assert_true(strlen(name) > 3);
        n++;
    }
    assert_true(n > 25);
    d->f.engine->ops->query(d->f.engine, line, sizeof line);
    assert_non_null(strstr(line, "attached"));
    assert_non_null(strstr(line, "active"));
}

int main(void) {
#define T3(f) cmocka_unit_test_setup_teardown(f, setup3, teardown)
#define T2(f) cmocka_unit_test_setup_teardown(f, setup2, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_qdr),
        cmocka_unit_test(order_of_establish_and_activate),
        T3(one_packet),
        T3(fragments),
        T3(packing),
        T3(four_queues_and_wrap),
        T3(checksum_request),
        T3(segmentation_request),
        T3(malformed_packets),
        T3(bad_buffers),
        T3(output_interrupt_on_request),
        T3(full_ring),
        T3(stopped_lan_drops),
        T2(layer2_output),
        T3(counters_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
