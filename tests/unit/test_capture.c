/* test_capture.c - pcapng blocks byte by byte and as libpcap reads them; capture files, filters and FIFOs; the impaired
 * wire, which is reproducible from its seed.
 */
#include "base/be.h"
#include "hercules-devices/capture_card.h"
#include "hercules-devices/impair_card.h"
#include "hercules-devices/pcapng.h"
#include "wire/eth.h"
#include "wire/ip4.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[96];

static int setup(void **state) {
    UNUSED(state);
    strcpy(dir, "/tmp/test_capture.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/a.pcapng", dir);
    return 0;
}
static int teardown(void **state) {
    UNUSED(state);
    unlink(path);
    return rmdir(dir);
}

static u32 word(const u8 *p) {
    u32 v;
    memcpy(&v, p, 4);
    return v;
}

/* Every block: its length at both ends, a multiple of 4; and refused, with nothing claimed, if a byte is missing. */
static void test_blocks(void **state) {
    UNUSED(state);
    u8 out[256], payload[61];
    memset(payload, 0x5A, sizeof payload);
    for (u32 len = 0; len <= sizeof payload; len++) {
        u32 n = pcapng_packet(out, sizeof out, 3, 0x123456789ABCDEFull, PCAPNG_OUTBOUND, payload, len);
        assert_int_equal(n % 4, 0);
        assert_true(n <= PCAPNG_PACKET_EXTRA + len);
        assert_int_equal(word(out), 6);
        assert_int_equal(word(out + 4), n);
        assert_int_equal(word(out + n - 4), n);
        assert_int_equal(word(out + 8), 3);
        assert_int_equal(word(out + 12), 0x1234567);
        assert_int_equal(word(out + 20), len);
        for (u32 cap = 0; cap < n; cap++)
            assert_int_equal(pcapng_packet(out, cap, 3, 0, PCAPNG_INBOUND, payload, len), 0);
    }
    u32 n = pcapng_section(out, sizeof out, "plex390");
    assert_int_equal(word(out), 0x0A0D0D0A);
    assert_int_equal(word(out + 8), 0x1A2B3C4D);
    assert_int_equal(word(out + n - 4), n);
    n = pcapng_interface(out, sizeof out, PCAPNG_LINK_RAW, "SYSA 0E00");
    assert_int_equal(word(out) + word(out + 8), 1 + 101);
    assert_memory_equal(out + 20, "SYSA 0E00", 9);
    assert_int_equal(word(out + n - 4), n);
}

/* A TCP packet of payload bytes from an LPAR, with an unfinished checksum and, if gso, to be cut. */
static struct osa_frame tcp_frame(u8 *bytes, u32 payload, u16 gso, u16 port) {
    static const u8 a[6] = {2, 0, 0, 0, 0, 1}, b[6] = {2, 0, 0, 0, 0, 2};
    struct ip4_fields ip = {.src = {0x0A000001}, .dst = {0x0A000002}, .total = (u16)(40 + payload), .ttl = 64, .proto = 6};
    struct osa_frame f;
    memset(bytes, 0, 54 + payload);
    eth_emit(bytes, b, a, ETH_TYPE_IP);
    ip4_emit(bytes + 14, &ip);
    be16_put(bytes + 34, port);
    be16_put(bytes + 36, 80);
    bytes[46] = 5 << 4;
    be16_put(bytes + 50, cksum_partial(cksum_pseudo(ip.src, ip.dst, 6, 20 + payload)));
    assert_true(osa_frame_parse(&f, bytes, 54 + payload, OSA_FROM_LAN));
    f.csum_needed = true;
    f.csum_start = 34;
    f.csum_field = 16;
    f.gso_bytes = gso;
    return f;
}

/* Reads a one-link-type capture back with libpcap: packets, and how many have a right TCP checksum. */
static u32 read_back(const char *file, u32 *right) {
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_open_offline(file, why);
    struct pcap_pkthdr *h;
    const u8 *b;
    u32 n = 0;
    *right = 0;
    if (!p) return 0;
    for (; pcap_next_ex(p, &h, &b) == 1; n++) {
        u32 len = h->caplen - 34;
        u32 sum = cksum_pseudo(ipaddr_get(b + 26), ipaddr_get(b + 30), 6, len);
        *right += cksum_fold(cksum_add(sum, b + 34, len)) == 0 && h->caplen == h->len;
    }
    pcap_close(p);
    return n;
}

static void test_file(void **state) {
    UNUSED(state);
    char why[512];
    u8 bytes[5000];
    u32 right;
    assert_null(capture_start("/nonexistent/x", "", why, sizeof why));
    assert_non_null(strstr(why, "No such file"));
    assert_null(capture_start(path, "tcp prt 80", why, sizeof why));
    assert_non_null(strstr(why, "filter 'tcp prt 80'"));
    struct capture *c = capture_start(path, "tcp port 7", why, sizeof why);
    assert_non_null(c);
    struct osa_frame f = tcp_frame(bytes, 4000, 1000, 7);
    capture_frame(c, OSA_FROM_LAN, "OSA1 port", true, true, &f); /* four segments */
    f = tcp_frame(bytes, 100, 0, 7);
    capture_frame(c, OSA_FROM_LAN, "OSA1 port", true, false, &f);
    f = tcp_frame(bytes, 100, 0, 9); /* not what the filter wants */
    capture_frame(c, OSA_FROM_LAN, "OSA1 port", true, false, &f);
    assert_int_equal(capture_flush(c, 1), TIME_NEVER);
    assert_int_equal(read_back(path, &right), 5); /* readable while it grows */
    assert_int_equal(right, 5);
    for (u32 i = 0; i < 3000; i++) { /* far more than the buffer holds, without a flush */
        f = tcp_frame(bytes, 1400, 0, 7);
        capture_frame(c, OSA_FROM_LAN, "OSA1 port", true, false, &f);
    }
    assert_int_equal(capture_status(c).packets, 3005);
    assert_int_equal(capture_status(c).dropped, 0);
    capture_stop(c);
    assert_int_equal(read_back(path, &right), 3005);
}

/* Names and link types of several interfaces, one of them re-used by another LPAR. */
static void test_interfaces(void **state) {
    UNUSED(state);
    char why[512];
    u8 bytes[200], file[4096];
    struct capture *c = capture_start(path, "", why, sizeof why);
    struct osa_frame f = tcp_frame(bytes, 10, 0, 7);
    capture_frame(c, 0, "SYSA 0E00", false, true, &f);
    capture_frame(c, 0, "SYSA 0E00", false, true, &f);
    capture_frame(c, OSA_FROM_LAN, "OSA1 port", true, false, &f);
    capture_forget(c, 0);
    capture_frame(c, 0, "SYSB 0E10", true, true, &f);
    capture_stop(c);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, file, sizeof file);
    close(fd);
    u32 interfaces = 0, packets = 0, links = 0;
    for (ssize_t at = 0; at < n; at += (ssize_t)word(file + at + 4)) {
        if (word(file + at) == 1) interfaces++;
        if (word(file + at) == 1) links = links * 1000 + (word(file + at + 8) & 0xFFFF);
        if (word(file + at) == 6) packets++;
        assert_int_equal(word(file + at + (ssize_t)word(file + at + 4) - 4), word(file + at + 4));
    }
    assert_int_equal(interfaces, 3);
    assert_int_equal(links, 101001001);
    assert_int_equal(packets, 4);
}

static void test_fifo(void **state) {
    UNUSED(state);
    char why[512];
    u8 bytes[2000], in[4096];
    assert_int_equal(mkfifo(path, 0600), 0);
    struct capture *c = capture_start(path, "", why, sizeof why);
    assert_non_null(c);
    assert_true(capture_status(c).waiting);
    struct osa_frame f = tcp_frame(bytes, 1000, 0, 7);
    capture_frame(c, OSA_FROM_LAN, "OSA1 port", true, false, &f); /* nobody reads: nothing is kept */
    u64 now = 1000;
    assert_int_equal(capture_flush(c, now), now + CAPTURE_RETRY_USEC);
    for (u32 round = 0; round < 2; round++) {
        int fd = open(path, O_RDONLY | O_NONBLOCK);
        now += CAPTURE_RETRY_USEC;
        assert_int_equal(capture_flush(c, now), TIME_NEVER);
        assert_false(capture_status(c).waiting);
        assert_true(read(fd, in, sizeof in) > 0);
        assert_int_equal(word(in), 0x0A0D0D0A); /* each reader gets a section of its own */
        /* A reader that sleeps: the card goes on, whole packets are dropped and counted. */
        for (u32 i = 0; i < 2000; i++) {
            capture_frame(c, OSA_FROM_LAN, "OSA1 port", true, false, &f);
            capture_flush(c, now);
        }
        assert_true(capture_status(c).dropped > 100);
        /* It wakes up: what it reads is whole blocks, to the last byte. */
        u32 need = 0, have = 0;
        static u8 all[4 << 20];
        for (ssize_t n; (n = read(fd, all + have, sizeof all - have)) > 0; capture_flush(c, now)) have += (u32)n;
        while (need + 12 <= have && word(all + need + 4) <= have - need) {
            assert_int_equal(word(all + need + word(all + need + 4) - 4), word(all + need + 4));
            need += word(all + need + 4);
        }
        assert_int_equal(need, have);
        close(fd);
        capture_frame(c, OSA_FROM_LAN, "OSA1 port", true, false, &f);
        assert_true(capture_flush(c, now) > now); /* the reader has left, the card lives */
        assert_true(capture_status(c).waiting);
    }
    capture_stop(c);
}

/* ---- impair ---- */

static void test_impair_words(void **state) {
    UNUSED(state);
    struct impair *im = calloc(1, sizeof *im);
    char why[512];
    static const char *const good[] = {"loss=1%", "loss=0.5 dup=2% reorder=100%", "delay=5ms rate=10mbit seed=9",
                                       "delay=1s",  "delay=10us rate=1gbit",       "off"};
    static const char *const bad[] = {"loss",      "loss=",     "loss=101%",  "loss=-1%", "loss=1q",   "delay=5",
                                      "delay=11s", "rate=0mbit", "rate=5",    "seed=x",   "speed=1ms", "loss=nan"};
    for (u32 i = 0; i < ARRAY_LEN(good); i++) assert_true(impair_configure(im, good[i], why, sizeof why));
    assert_false(im->on);
    assert_true(impair_configure(im, "loss=25% delay=2ms rate=8mbit seed=3", why, sizeof why));
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(impair_configure(im, bad[i], why, sizeof why));
        assert_non_null(strstr(why, bad[i]));
    }
    assert_true(im->on && im->loss == 1u << 30 && im->delay_us == 2000 && im->rate_kbit == 8000 && im->seed == 3);
    impair_close(im);
    free(im);
}

/* Sends count numbered frames, 1 ms apart; the order in which they come out. */
static u32 through(const char *how, u32 count, u32 *order, u64 *last) {
    struct impair *im = calloc(1, sizeof *im);
    char why[512];
    u32 n = 0;
    u64 now = 1000;
    assert_true(impair_configure(im, how, why, sizeof why));
    for (u32 i = 0; i < count + 20000; i++, now += 1000) {
        u8 frame[1000] = {0};
        memcpy(frame, &i, 4);
        if (i < count) impair_put(im, IMPAIR_OUT, frame, 14, frame + 14, 986, now);
        for (const struct impair_slot *s; (s = impair_take(im, now)); n++) {
            assert_true(s->due <= now && s->len == 1000);
            memcpy(&order[n], s->bytes, 4);
            *last = now;
        }
    }
    assert_int_equal(impair_deadline(im), TIME_NEVER);
    assert_int_equal(im->passed + im->lost + im->overflowed, count + im->duplicated);
    impair_close(im);
    free(im);
    return n;
}

static void test_impair_fate(void **state) {
    UNUSED(state);
    static u32 a[20000], b[20000];
    u64 end;
    u32 n = through("loss=10% seed=5", 5000, a, &end);
    assert_in_range(n, 4400, 4600);
    for (u32 i = 1; i < n; i++) assert_true(a[i] > a[i - 1]);
    assert_int_equal(through("loss=10% seed=5", 5000, b, &end), n);
    assert_memory_equal(a, b, n * sizeof a[0]); /* the same seed, the same fate */
    u32 other = through("loss=10% seed=6", 5000, b, &end);
    assert_true(other != n || memcmp(a, b, n * sizeof a[0]) != 0);
    n = through("dup=20%", 5000, a, &end);
    assert_in_range(n, 5850, 6150);
    n = through("reorder=10%", 5000, a, &end);
    assert_int_equal(n, 5000);
    u32 late = 0;
    for (u32 i = 1; i < n; i++) late += a[i] < a[i - 1];
    assert_in_range(late, 300, 700);
    assert_int_equal(through("loss=100%", 100, a, &end), 0);
    /* 1000 bytes every ms are 8 Mbit/s: at 4 Mbit/s it takes twice as long; the delay adds to it. */
    n = through("rate=4mbit delay=50ms", 1000, a, &end);
    assert_int_equal(n, 1000);
    assert_in_range(end, 2000000, 2060000);
    /* A queue that cannot drain overflows, bounded. */
    assert_true(through("delay=10s", 4000, a, &end) < 4000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test_setup_teardown(test_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interfaces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fifo, setup, teardown),
        cmocka_unit_test(test_impair_words),
        cmocka_unit_test(test_impair_fate),
    };
    /* The reader of a FIFO leaves: the card ignores the signal, and so does its test. */
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
