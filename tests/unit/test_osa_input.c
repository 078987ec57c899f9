/* test_osa_input.c - frames of the card into a program's input buffers: packing, interrupts, polling, bad
 * SBALs, joined segments.
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

static struct osa_engine *engine(struct driver_test *d) {
    return osa_of(d->f.engine);
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

static void input_one(void **state) {
    struct driver_test *d = *state;
    u8 msg[4096];
    u32 len = fake_frame(msg, OSA_FORM_IP, 0, 100, 3);
    assert_true(fake_rx(&d->f, msg, len));
    assert_int_equal(*drv_slsb(d, 0, 0), SLSB_P_INPUT_PRIMED);
    assert_int_equal(d->f.pcis, 1);
    const u8 *entry = drv_sbale(d, 0, 0, 0), *at = fake_at(&d->f, AT_IN);
    assert_int_equal(be32_get(entry + SBALE_LENGTH_AT), 132);
    assert_int_equal(entry[SBALE_EFLAGS_AT], SBAL_LAST_ENTRY);
    assert_int_equal(at[0], OSA_HDR_L3);
    assert_int_equal(at[OSA_L3_FLAGS_AT], OSA_L3_UNICAST);
    assert_int_equal(be16_get(at + OSA_L3_LENGTH_AT), 100);
    assert_int_equal(at[OSA_L3_EXT_AT], 0);
    assert_memory_equal(at + 32, msg + OSA_FRAME_DATA, 100);
}

/* Takes the packets out of a buffer as qeth does; returns how many, with their sizes. */
static u32 take_input(struct driver_test *d, u32 buffer, u32 *sizes) {
    u32 element = 0, offset = 0, n = 0;
    for (;;) {
        const u8 *entry = drv_sbale(d, 0, buffer, element);
        while (be32_get(entry + SBALE_LENGTH_AT) < offset + OSA_HDR_BYTES) {
            if (entry[SBALE_EFLAGS_AT] & SBAL_LAST_ENTRY) return n;
            entry = drv_sbale(d, 0, buffer, ++element);
            offset = 0;
        }
        const u8 *h = fake_at(&d->f, be64_get(entry + SBALE_ADDR_AT) + offset);
        bool l2 = h[0] == OSA_HDR_L2;
        u32 left = be16_get(h + (l2 ? OSA_L2_LENGTH_AT : OSA_L3_LENGTH_AT));
        assert_true(l2 || h[0] == OSA_HDR_L3);
        sizes[n++] = left;
        offset += OSA_HDR_BYTES;
        while (left) {
            u32 room = be32_get(entry + SBALE_LENGTH_AT) - offset, k = u32_min(left, room);
            left -= k;
            offset += k;
            if (!left) break;
            assert_false(entry[SBALE_EFLAGS_AT] & SBAL_LAST_ENTRY);
            entry = drv_sbale(d, 0, buffer, ++element);
            offset = 0;
        }
    }
}

static void input_packing(void **state) {
    struct driver_test *d = *state;
    u8 msg[4096];
    u32 got = 0, sum = 0, buffers = 0, sizes[64], n;
    const struct engine_ops *ops = d->f.engine->ops;
    /* 40 packets of many sizes in one batch. */
    for (u32 i = 0; i < 40; i++)
        assert_true(ops->rx(d->f.engine, msg, fake_frame(msg, OSA_FORM_IP, 0, 20 + i * 41, (u8)i)));
    assert_int_equal(d->f.pcis, 0);
    ops->rx_end(d->f.engine);
    assert_int_equal(d->f.pcis, 1);
    for (u32 b = 0; *drv_slsb(d, 0, b) == SLSB_P_INPUT_PRIMED; b++, buffers++) {
        n = take_input(d, b, sizes);
        for (u32 i = 0; i < n; i++, got++) {
            assert_int_equal(sizes[i], 20 + got * 41);
            sum += sizes[i];
        }
    }
    assert_int_equal(got, 40);
    assert_true(buffers < 15);
    assert_int_equal(sum, engine(d)->count.in_bytes);
    /* Nothing new: no interrupt. */
    ops->rx_end(d->f.engine);
    assert_int_equal(d->f.pcis, 1);
}

static void input_without_buffers(void **state) {
    struct driver_test *d = *state;
    u8 msg[4096];
    u32 len = fake_frame(msg, OSA_FORM_IP, 0, 3000, 1), taken = 0;
    while (fake_rx(&d->f, msg, len)) taken++;
    assert_int_equal(taken, 64); /* one a buffer, then they are all the program's */
    assert_int_equal(engine(d)->count.in_deferred, 1);
    /* The program gives one back where the queue stands. */
    assert_false(fake_rx(&d->f, msg, len));
    for (u32 i = 0; i < 4; i++) drv_element(d, 0, 64, i, AT_IN + i * 1024, 1024, 0);
    *drv_slsb(d, 0, 64) = SLSB_CU_INPUT_EMPTY;
    siga_r(d);
    assert_true(fake_rx(&d->f, msg, len));
    assert_int_equal(*drv_slsb(d, 0, 64), SLSB_P_INPUT_PRIMED);
}

static void input_too_big_and_wrong(void **state) {
    struct driver_test *d = *state;
    u8 *msg = malloc(OSA_FRAME_MAX + 100);
    const struct osa_counters *c = &engine(d)->count;
    assert_true(fake_rx(&d->f, msg, fake_frame(msg, OSA_FORM_IP, 0, 4096 - 31, 1)));
    assert_int_equal(c->in_too_big, 1);
    assert_true(fake_rx(&d->f, msg, fake_frame(msg, OSA_FORM_IP, 0, 4096 - 32, 1)));
    assert_int_equal(c->in_too_big, 1);
    assert_int_equal(*drv_slsb(d, 0, 0), SLSB_P_INPUT_PRIMED);
    assert_true(fake_rx(&d->f, msg, fake_frame(msg, OSA_FORM_ETHER, 0, 100, 1)));
    assert_true(fake_rx(&d->f, msg, fake_frame(msg, OSA_FORM_IP, 0, 19, 1)));
    assert_true(fake_rx(&d->f, msg, fake_frame(msg, OSA_FORM_IP, 0, 65536, 1)));
    assert_int_equal(c->in_wrong_form, 3);
    free(msg);
}

static void input_bad_sbals(void **state) {
    struct driver_test *d = *state;
    u8 msg[256];
    u32 len = fake_frame(msg, OSA_FORM_IP, 0, 100, 1);
    be64_put(fake_at(&d->f, AT_SL), 0);                       /* buffer 0: no SBAL */
    drv_element(d, 0, 1, 0, 0, 1024, 0);                      /* buffer 1: element that is not there */
    drv_element(d, 0, 2, 0, AT_IN, 0, 0);                     /* buffer 2: no element */
    drv_element(d, 0, 3, 3, FAKE_STORAGE + 0x10000, 1024, 0); /* buffer 3: the last one is not there */
    drv_element(d, 0, 4, 0, AT_IN, 0xFFFFFFFF, 0);            /* buffer 4: longer than storage */
    assert_true(fake_rx(&d->f, msg, len));
    for (u32 b = 0; b < 5; b++) assert_int_equal(*drv_slsb(d, 0, b), SLSB_P_INPUT_ERROR);
    assert_int_equal(*drv_slsb(d, 0, 5), SLSB_P_INPUT_PRIMED);
    assert_int_equal(engine(d)->count.in_bad_address, 5);
    assert_int_equal(d->f.pcis, 1);
    /* All of them bad: the search ends. */
    for (u32 b = 0; b < QDIO_BUFFERS; b++) {
        be64_put(fake_at(&d->f, AT_SL + 8 * b), 0);
        *drv_slsb(d, 0, b) = SLSB_CU_INPUT_EMPTY;
    }
    assert_false(fake_rx(&d->f, msg, len));
}

static void polling_saves_interrupts(void **state) {
    struct driver_test *d = *state;
    u8 msg[256];
    u32 len = fake_frame(msg, OSA_FORM_IP, 0, 100, 1);
    fake_rx(&d->f, msg, len);
    assert_int_equal(d->f.pcis, 1);
    *drv_slsb(d, 0, 0) = SLSB_P_INPUT_ACK; /* the program took it and polls */
    fake_rx(&d->f, msg, len);
    assert_int_equal(d->f.pcis, 1);
    assert_int_equal(engine(d)->count.in_polled, 1);
    *drv_slsb(d, 0, 0) = SLSB_P_INPUT_NOT_INIT;
    *drv_slsb(d, 0, 1) = SLSB_P_INPUT_NOT_INIT; /* and now it sleeps */
    fake_rx(&d->f, msg, len);
    assert_int_equal(d->f.pcis, 2);
}

static void verified_checksums_are_told(void **state) {
    struct driver_test *d = *state;
    u8 msg[256], data[16] = {0};
    /* Only to a program that asked for it. */
    fake_rx(&d->f, msg, fake_frame(msg, OSA_FORM_IP, OSA_FRAME_CSUM_OK, 100, 1));
    assert_int_equal(fake_at(&d->f, AT_IN)[OSA_L3_EXT_AT], 0);
    be32_put(data, IPA_ASS_CSUM_IN);
    be16_put(data + 4, 12);
    be16_put(data + 6, ASS_ENABLE);
    be32_put(data + 12, CSUM_TCP | CSUM_UDP);
    assert_int_equal(drv_ipa(d, IPA_SETASSPARMS, data, 16, OSA_RC_OK), 0);
    fake_frame(msg, OSA_FORM_IP, OSA_FRAME_CSUM_OK, 100, 1);
    msg[OSA_FRAME_DATA + 9] = 17;
    fake_rx(&d->f, msg, OSA_FRAME_DATA + 100);
    assert_int_equal(fake_at(&d->f, AT_IN + 4096)[OSA_L3_EXT_AT],
                     OSA_EXT_CSUM_HDR | OSA_EXT_CSUM_TRANSPORT | OSA_EXT_UDP);
    fake_rx(&d->f, msg, fake_frame(msg, OSA_FORM_IP, 0, 100, 1));
    assert_int_equal(fake_at(&d->f, AT_IN + 2 * 4096)[OSA_L3_EXT_AT], 0);
}

static void layer2_input(void **state) {
    struct driver_test *d = *state;
    u8 msg[256];
    fake_frame(msg, OSA_FORM_ETHER, 0, 60, 1);
    msg[9] = OSA_CAST_MULTI;
    fake_rx(&d->f, msg, OSA_FRAME_DATA + 60);
    const u8 *h = fake_at(&d->f, AT_IN);
    assert_int_equal(h[0], OSA_HDR_L2);
    assert_int_equal(h[OSA_L2_FLAGS_AT], OSA_L2_MULTICAST);
    assert_int_equal(be16_get(h + OSA_L2_LENGTH_AT), 60);
    assert_memory_equal(h + 32, msg + OSA_FRAME_DATA, 60);
    u32 sizes[64];
    assert_int_equal(take_input(d, 0, sizes), 1);
}

static void no_input_when_not_active(void **state) {
    struct driver_test *d = *state;
    u8 msg[256];
    u32 len = fake_frame(msg, OSA_FORM_IP, 0, 100, 1);
    d->f.engine->ops->halt(d->f.engine, OSA_UNIT_DATA);
    assert_true(fake_rx(&d->f, msg, len));
    assert_int_equal(engine(d)->count.in_not_active, 1);
    assert_int_equal(d->f.pcis, 0);
    assert_int_equal(*drv_slsb(d, 0, 0), SLSB_CU_INPUT_EMPTY);
}

/* With inbound TSO on, a run of segments comes as one packet with the TSO header; without, as it is. */
static void inbound_segmentation(void **state) {
    struct driver_test *d = *state;
    u8 msg[4096];
    u32 len = fake_frame(msg, OSA_FORM_IP, 0, 3000, 0);
    msg[OSA_FRAME_DATA + 9] = 6;
    msg[OSA_FRAME_DATA + 32] = 0x50;
    be16_put(msg + 12, 1460);
    assert_true(fake_rx(&d->f, msg, len));
    const u8 *h = fake_at(&d->f, AT_IN), *ext = h + OSA_HDR_BYTES;
    assert_int_equal(h[0], OSA_HDR_L3_TSO);
    assert_int_equal(be16_get(h + OSA_L3_LENGTH_AT), 3000);
    assert_int_equal(be16_get(ext + OSA_TSO_MSS_AT), 1460);
    assert_int_equal(be16_get(ext + OSA_TSO_HEADERS_AT), 40);
    assert_int_equal(be32_get(ext + OSA_TSO_PAYLOAD_AT), 2960);
    assert_memory_equal(ext + OSA_TSO_EXT_BYTES, msg + OSA_FRAME_DATA, 900);
    /* Header, extension and packet fill the buffer of 4096 to the last byte, and not one more. */
    len = fake_frame(msg, OSA_FORM_IP, 0, 4096 - 64 - 24, 0);
    msg[OSA_FRAME_DATA + 9] = 6;
    msg[OSA_FRAME_DATA + 32] = 0x50;
    be16_put(msg + 12, 1460);
    assert_true(fake_rx(&d->f, msg, len));
    assert_int_equal(engine(d)->count.in_too_big, 0);
    /* A TCP header that reaches past the packet is no reason to write an extension. */
    len = fake_frame(msg, OSA_FORM_IP, 0, 60, 0);
    msg[OSA_FRAME_DATA + 9] = 6;
    msg[OSA_FRAME_DATA + 32] = 0xF0;
    be16_put(msg + 12, 10);
    assert_true(fake_rx(&d->f, msg, len));
    assert_int_equal(fake_at(&d->f, AT_IN + 2 * 4096)[0], OSA_HDR_L3);
}

int main(void) {
#define T3(f) cmocka_unit_test_setup_teardown(f, setup3, teardown)
#define T2(f) cmocka_unit_test_setup_teardown(f, setup2, teardown)
    const struct CMUnitTest tests[] = {
        T3(input_one),
        T3(input_packing),
        T3(input_without_buffers),
        T3(input_too_big_and_wrong),
        T3(input_bad_sbals),
        T3(polling_saves_interrupts),
        T3(verified_checksums_are_told),
        T3(inbound_segmentation),
        T2(layer2_input),
        T3(no_input_when_not_active),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
