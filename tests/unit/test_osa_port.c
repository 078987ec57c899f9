/* test_osa_port.c - the port of an OSA: attachment, registration, ARP, where packets go, limits, isolation. */
#include "tests/unit/portrig.h"

static void test_init_domain(void **state) {
    UNUSED(state);
    struct osa_port *p = malloc(sizeof *p);
    struct osa_port_host host = {0};
    static const struct {
        u8 chpid, mac0;
        u32 mtu;
        bool uplink;
        int rc;
    } rows[] = {
        {OSA_CHPID_OSD, 2, 1492, true, 0},     {OSA_CHPID_OSD, 2, 8992, true, 0},
        {OSA_CHPID_OSD, 2, 8993, true, -22},   {OSA_CHPID_OSD, 2, 575, true, -22},
        {OSA_CHPID_OSD, 3, 1492, true, -22},   {OSA_CHPID_IQD, 2, 57344, false, 0},
        {OSA_CHPID_IQD, 2, 57345, false, -22}, {OSA_CHPID_IQD, 2, 8192, true, -22},
        {0x42, 2, 1492, true, -22},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct osa_port_params params = {.chpid = rows[i].chpid, .mtu_bytes = rows[i].mtu, .uplink = rows[i].uplink};
        params.mac[0] = rows[i].mac0;
        assert_int_equal(osa_port_init(p, &params, &host), rows[i].rc);
    }
    free(p);
}

static void test_attach(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n;
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 5, &n), 0);
    const u8 *m = b->to[n].r[0].bytes;
    assert_memory_equal(m + 12, port_mac, 6);
    assert_int_equal(be32_get(m + 20), 1492);
    assert_int_equal(m[28], 1);
    assert_int_equal(m[29], OSA_CHPID_OSD);
    u32 other;
    assert_int_equal(attach_as(b, 9, "SYSA", 0xE00, 5, &other), OSA_RC_UNSUPPORTED);
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "", 0xE00, 5, &other), OSA_RC_UNSUPPORTED);
    /* The same device again: an older incarnation is turned away, a newer one takes its place. */
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 4, &other), OSA_RC_DUPLICATE);
    forget(b);
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 6, &other), 0);
    assert_true(has_event(b, n, OSA_EVENT_FENCED, 0));
    assert_int_equal(b->port.att[n].state, OSA_ATT_LINKED);
    /* Cut at every length, and with every byte of the header wrong: counted, never taken. */
    u8 good[OSA_MSG_ATTACH_BYTES] = {OSA_MSG_ATTACH, OSA_MSG_VERSION};
    be32_put(good + 4, sizeof good);
    u64 before = at(b, n, OSA_AC_DROP_MESSAGE);
    for (u32 len = 0; len < sizeof good; len++) {
        u8 *copy = malloc(len + 1);
        memcpy(copy, good, len);
        osa_port_message(&b->port, n, copy, len, b->now);
        free(copy);
    }
    assert_int_equal(at(b, n, OSA_AC_DROP_MESSAGE), before + sizeof good);
    say(b, n, good, 99, sizeof good);
    say(b, n, good, OSA_MSG_ATTACHED, sizeof good);
    assert_int_equal(at(b, n, OSA_AC_DROP_MESSAGE), before + sizeof good + 2);
    u8 frame[64] = {0};
    say(b, n, frame, OSA_MSG_FRAME, 60); /* not attached */
    assert_int_equal(at(b, n, OSA_AC_DROP_STATE), 1);
    for (u32 i = 0; i < OSA_ATTACHMENTS - 5; i++) assert_true(osa_port_link_up(&b->port, 1) >= 0);
    assert_int_equal(osa_port_link_up(&b->port, 1), -ERR_NOMEM);
    bench_free(b);
}

/* The registration table of osa_port.h, row by row. 0xAAAA: the answer comes after the probe. */
static void test_setip_rules(void **state) {
    UNUSED(state);
    enum { LATER = 0xAAAA };
    static const struct {
        int owner_flags; /* -1 free, else flags of the first registration */
        bool same;       /* by the same attachment */
        u8 flags;
        u32 rc;
        bool lost;
    } rows[] = {
        {-1, false, 0, LATER, false},
        {-1, false, OSA_IP_VIPA, 0, false},
        {-1, false, OSA_IP_TAKEOVER, 0, false},
        {0, true, 0, 0, false},
        {0, false, 0, OSA_RC_IN_USE, false},
        {0, false, OSA_IP_VIPA, OSA_RC_IN_USE, false},
        {0, false, OSA_IP_TAKEOVER, 0, true},
        {OSA_IP_VIPA, false, 0, OSA_RC_IN_USE, false},
        {OSA_IP_VIPA, false, OSA_IP_VIPA, 0, true},
        {OSA_IP_VIPA, false, OSA_IP_VIPA | OSA_IP_TAKEOVER, 0, true},
        {OSA_IP_VIPA, true, OSA_IP_VIPA, 0, false},
    };
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
        u32 first = start(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00), second = start(b, OSA_MODE_QDIO_L3, "SYSB", 0xE00);
        if (rows[i].owner_flags >= 0) {
            request(b, first, OSA_OP_SETIP, (u8)rows[i].owner_flags, IP_V, 0, NULL);
            osa_port_tick(&b->port, b->now += OSA_PROBE_USEC);
        }
        forget(b);
        u32 who = rows[i].same ? first : second;
        assert_int_equal(request(b, who, OSA_OP_SETIP, rows[i].flags, IP_V, 0, NULL), rows[i].rc);
        assert_int_equal(has_event(b, first, OSA_EVENT_IP_LOST, IP_V), rows[i].lost);
        if (rows[i].rc == LATER) assert_true(lan_has_arp(b, 0, ARP_REQUEST, 0, IP_V));
        else if (rows[i].rc == 0)
            assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_V, IP_V)); /* announced */
        else
            assert_int_equal(b->lan.n, 0);
        assert_int_equal(b->port.count[OSA_PC_TAKEOVERS], rows[i].lost);
        bench_free(b);
    }
}

/* What is registered is announced twice: a station that has just heard somebody else's claim may not have believed the first one. */
static void test_announced_again(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = start(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00);
    assert_int_equal(request(b, n, OSA_OP_SETIP, OSA_IP_VIPA, IP_V, 0, NULL), 0);
    b->now += 1000;
    assert_int_equal(request(b, n, OSA_OP_SETIP, OSA_IP_VIPA, IP_A, 0, NULL), 0);
    assert_int_equal(osa_port_tick(&b->port, b->now), b->now + OSA_AGAIN_USEC - 1000);
    forget(b);
    osa_port_tick(&b->port, b->now += OSA_AGAIN_USEC - 1000);
    assert_int_equal(b->lan.n, 1);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_V, IP_V));
    request(b, n, OSA_OP_DELIP, 0, IP_A, 0, NULL); /* gone before its time: not announced */
    forget(b);
    osa_port_tick(&b->port, b->now += OSA_AGAIN_USEC);
    assert_int_equal(b->lan.n, 0);
    assert_int_equal(b->port.again_count, 0);
    bench_free(b);
}

/* DELIP with OSA_IP_PASSES_ON: delivered for a while, answered for by nobody, and anybody's who registers it. */
static void test_leaving(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B);
    u8 f[128];
    request(b, a, OSA_OP_SETIP, OSA_IP_VIPA, IP_V, 0, NULL);
    assert_int_equal(request(b, a, OSA_OP_DELIP, OSA_IP_PASSES_ON, IP_V, 0, NULL), 0);
    forget(b);
    u64 conflicts = b->port.count[OSA_PC_ARP_CONFLICTS];
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_V); /* asked for it: silence */
    lan_arp(b, router_mac, ARP_REQUEST, IP_V, IP_V);  /* the next owner says that he has it: nobody is wronged */
    assert_int_equal(b->port.count[OSA_PC_ARP_CONFLICTS], conflicts);
    assert_int_equal(b->lan.n, 0);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_V, 30));
    assert_int_equal(frames_to(b, a), 1);
    osa_port_lan(&b->port, false, b->now);
    osa_port_lan(&b->port, true, b->now);
    assert_false(lan_has_arp(b, 0, ARP_REQUEST, IP_V, IP_V)); /* not announced with the others */
    /* Its time is over. */
    assert_in_range(osa_port_tick(&b->port, b->now), b->now + 1, b->now + OSA_LEAVING_USEC);
    osa_port_tick(&b->port, b->now += OSA_LEAVING_USEC);
    forget(b);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_V, 30));
    assert_int_equal(frames_to(b, a), 0);
    assert_int_equal(request(b, a, OSA_OP_DELIP, 0, IP_V, 0, NULL), OSA_RC_NOT_FOUND);
    /* Another LPAR registers it meanwhile, or the same one again: at once theirs, announced, and no time runs. */
    for (u32 i = 0; i < 2; i++) {
        u32 next = i ? a : c;
        request(b, a, OSA_OP_SETIP, OSA_IP_VIPA, IP_V, 0, NULL);
        request(b, a, OSA_OP_DELIP, OSA_IP_PASSES_ON, IP_V, 0, NULL);
        forget(b);
        assert_int_equal(request(b, next, OSA_OP_SETIP, OSA_IP_VIPA, IP_V, 0, NULL), 0);
        assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_V, IP_V));
        assert_false(has_event(b, a, OSA_EVENT_IP_LOST, IP_V)); /* it was given, not taken */
        osa_port_tick(&b->port, b->now += OSA_LEAVING_USEC);
        forget(b);
        lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_V, 30));
        assert_int_equal(frames_to(b, next), 1);
        assert_int_equal(b->port.leaving_count, 0);
        request(b, next, OSA_OP_DELIP, 0, IP_V, 0, NULL);
    }
    bench_free(b);
}

static void test_probe(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = start(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00);
    assert_int_equal(request(b, n, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0xAAAA);
    assert_int_equal(osa_port_tick(&b->port, b->now), b->now + OSA_PROBE_USEC);
    u8 f[128]; /* while it is probed the address receives nothing and is not answered for */
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 30));
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    assert_int_equal(frames_to(b, n), 0);
    assert_int_equal(b->port.count[OSA_PC_ARP_REPLIES_OUT], 0);
    forget(b);
    osa_port_tick(&b->port, b->now += OSA_PROBE_USEC);
    assert_int_equal(b->to[n].n, 1);
    assert_int_equal(be32_get(b->to[n].r[0].bytes + 12), 0);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_A, IP_A));

    /* Somebody answers; then somebody probes for the same address at the same time. */
    for (u32 i = 0; i < 2; i++) {
        forget(b);
        assert_int_equal(request(b, n, OSA_OP_SETIP, 0, IP_B, 0, NULL), 0xAAAA);
        if (i == 0) lan_arp(b, router_mac, ARP_REPLY, IP_B, 0);
        else
            lan_arp(b, router_mac, ARP_REQUEST, 0, IP_B);
        assert_int_equal(b->to[n].n, 1);
        assert_int_equal(be32_get(b->to[n].r[0].bytes + 12), OSA_RC_IN_USE);
        assert_non_null(strstr(b->log, "which is in use on the LAN"));
        assert_int_equal(request(b, n, OSA_OP_DELIP, 0, IP_B, 0, NULL), OSA_RC_NOT_FOUND);
    }
    /* Withdrawn during the probe: both requests are answered, nothing is left. */
    forget(b);
    request(b, n, OSA_OP_SETIP, 0, IP_B, 0, NULL);
    assert_int_equal(request(b, n, OSA_OP_DELIP, 0, IP_B, 0, NULL), 0);
    assert_int_equal(b->to[n].n, 2);
    assert_int_equal(b->port.probe_count, 0);
    /* A conflict with a working address is counted and changes nothing. */
    u64 conflicts = b->port.count[OSA_PC_ARP_CONFLICTS];
    lan_arp(b, router_mac, ARP_REQUEST, IP_A, IP_GW);
    assert_int_equal(b->port.count[OSA_PC_ARP_CONFLICTS], conflicts + 1);
    static const u32 nonsense[] = {0, 0xFFFFFFFFu, 0xE0000001u, 0x7F000001u};
    for (u32 i = 0; i < 4; i++)
        assert_int_equal(request(b, n, OSA_OP_SETIP, 0, nonsense[i], 0, NULL), OSA_RC_UNSUPPORTED);
    bench_free(b);
}

/* Who has a packet to send while his own address is still probed asks when he has it: a question in nobody's name is a probe, and would deny
 * the address to somebody who probes for it at that moment. */
static void test_nobody_asks(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = start(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00), other = start(b, OSA_MODE_QDIO_L3, "SYSB", 0xE00);
    assert_int_equal(request(b, n, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0xAAAA);
    forget(b);
    send_plain(b, n, IP_A, IP_GW, IP_GW, 100);
    send_plain(b, other, IP_B, IP_FAR, IP_FAR, 100); /* has none, and probes for none: it asks as well as it can */
    assert_int_equal(b->lan.n, 1);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, 0, IP_FAR));
    osa_port_tick(&b->port, b->now += OSA_PROBE_USEC);
    assert_int_equal(b->lan.n, 3);
    assert_true(lan_has_arp(b, 1, ARP_REQUEST, IP_A, IP_A));
    assert_true(lan_has_arp(b, 2, ARP_REQUEST, IP_A, IP_GW));
    lan_arp(b, router_mac, ARP_REPLY, IP_GW, IP_A);
    assert_int_equal(b->lan.n, 4); /* the packet */
    bench_free(b);
}

static void test_arp_output(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = host3(b, "SYSA", 0xE00, IP_A);
    /* The first packet asks; the limit per neighbour holds; the answer lets them go in order. */
    for (u32 i = 0; i < OSA_PENDING_PER_HOP + 2; i++) send_plain(b, n, IP_A, IP_FAR, IP_GW, 100 + i);
    assert_int_equal(b->lan.n, 1);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_A, IP_GW));
    assert_int_equal(at(b, n, OSA_AC_DROP_ARP_QUEUE), 2);
    lan_arp(b, router_mac, ARP_REPLY, IP_GW, IP_A);
    assert_int_equal(b->lan.n, 1 + OSA_PENDING_PER_HOP);
    for (u32 i = 0; i < OSA_PENDING_PER_HOP; i++) {
        const u8 *f = b->lan.r[1 + i].bytes;
        assert_int_equal(b->lan.r[1 + i].len, 14 + 20 + 100 + i);
        assert_memory_equal(f, router_mac, 6);
        assert_memory_equal(f + 6, port_mac, 6);
        assert_int_equal(be32_get(f + 14 + 16), IP_FAR);
    }
    /* Now it is known. Near its end it is asked for again, by unicast, and goes on being used. */
    forget(b);
    b->now += OSA_ARP_LIFETIME_USEC - OSA_ARP_REFRESH_USEC;
    send_plain(b, n, IP_A, IP_GW, 0, 10);
    assert_int_equal(b->lan.n, 2);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_A, IP_GW));
    assert_memory_equal(b->lan.r[0].bytes, router_mac, 6);
    send_plain(b, n, IP_A, IP_GW, 0, 10);
    assert_int_equal(b->lan.n, 3); /* asked once only */
    /* Its life over, it is a stranger again: three requests, then the packet is counted. */
    forget(b);
    b->now += OSA_ARP_REFRESH_USEC;
    send_plain(b, n, IP_A, IP_GW, 0, 10);
    for (u32 i = 0; i < OSA_ARP_TRIES + 1; i++) {
        assert_true(osa_port_tick(&b->port, b->now) > b->now);
        osa_port_tick(&b->port, b->now += OSA_ARP_RETRY_USEC);
    }
    assert_int_equal(b->lan.n, OSA_ARP_TRIES);
    assert_int_equal(at(b, n, OSA_AC_DROP_NO_NEIGHBOUR), 1);
    assert_int_equal(b->port.arp_count, 0);
    /* A router's packet has a stranger's source: the question is asked in the LPAR's own name. */
    forget(b);
    send_plain(b, n, IP_FAR, IP_GW, 0, 10);
    assert_true(lan_has_arp(b, 0, ARP_REQUEST, IP_A, IP_GW));
    bench_free(b);
}

static void test_arp_limits(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 8992);
    u32 n = host3(b, "SYSA", 0xE00, IP_A);
    for (u32 i = 0; i < OSA_ARP_MAX + 50; i++) { /* more neighbours than fit: the oldest make room */
        lan_arp(b, router_mac, ARP_REQUEST, 0x0A020000u + i, IP_A);
        forget(b);
    }
    assert_int_equal(b->port.arp_count, OSA_ARP_MAX);
    assert_int_equal(b->port.count[OSA_PC_ARP_EVICTED], 50);
    assert_int_equal(request(b, n, OSA_OP_ARP_QUERY, 0, 0, 0, NULL), 0);
    assert_int_equal(b->to[n].r[0].len, OSA_MSG_ANSWER_BYTES + 12 * OSA_ARP_MAX);
    assert_int_equal(request(b, n, OSA_OP_ARP_FLUSH, 0, 0, 0, NULL), 0);
    assert_int_equal(b->port.arp_count, 0);
    forget(b);
    for (u32 i = 0; i < OSA_PENDING_MAX + 5; i++) {
        send_plain(b, n, IP_A, 0x0A030000u + i, 0, 10);
        forget(b);
    }
    assert_int_equal(b->port.pending_count, OSA_PENDING_MAX);
    assert_int_equal(at(b, n, OSA_AC_DROP_ARP_QUEUE), 5);
    /* Static entries: made, shown, used without a question, and gone. */
    assert_int_equal(request(b, n, OSA_OP_ARP_ADD, 0, IP_GW, 0, router_mac), 0);
    assert_int_equal(request(b, n, OSA_OP_ARP_ADD, 0, IP_A, 0, router_mac), OSA_RC_UNSUPPORTED);
    forget(b);
    send_plain(b, n, IP_A, IP_GW, 0, 10);
    assert_int_equal(b->lan.n, 1);
    assert_int_equal(request(b, n, OSA_OP_ARP_DEL, 0, IP_GW, 0, NULL), 0);
    assert_int_equal(request(b, n, OSA_OP_ARP_DEL, 0, IP_GW, 0, NULL), OSA_RC_NOT_FOUND);
    bench_free(b);
}

static void test_arp_answers(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = host3(b, "SYSA", 0xE00, IP_A);
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    assert_true(lan_has_arp(b, 0, ARP_REPLY, IP_A, IP_GW));
    assert_memory_equal(b->lan.r[0].bytes, router_mac, 6);
    forget(b);
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_B); /* not ours */
    assert_int_equal(b->lan.n, 0);
    send_plain(b, n, IP_A, IP_GW, 0, 10); /* the asker was learned */
    assert_int_equal(b->lan.n, 1);
    assert_int_equal(request(b, n, OSA_OP_STOPLAN, 0, 0, 0, NULL), 0);
    forget(b);
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A); /* stopped: nobody is there to answer for */
    assert_int_equal(b->lan.n, 0);
    u8 f[64];
    u32 len = arp_frame(f, all, router_mac, ARP_REQUEST, IP_GW, IP_A);
    u64 malformed = b->port.count[OSA_PC_DROP_MALFORMED];
    for (u32 i = 0; i < len; i++) lan_says(b, f, i);
    assert_int_equal(b->port.count[OSA_PC_DROP_MALFORMED], malformed + len);
    bench_free(b);
}

static void test_unicast(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B);
    u8 f[2000];
    /* LPAR to LPAR by next hop, whatever the destination; the LAN does not see it. */
    send_plain(b, a, IP_A, IP_FAR, IP_B, 60);
    assert_int_equal(frames_to(b, c), 1);
    const u8 *m = b->to[c].r[0].bytes;
    assert_int_equal(m[8], OSA_FORM_IP);
    assert_int_equal(b->to[c].r[0].len, OSA_FRAME_DATA + 80);
    assert_int_equal(be32_get(m + OSA_FRAME_DATA + 16), IP_FAR);
    assert_int_equal(b->lan.n, 0);
    send_plain(b, a, IP_A, IP_A, 0, 60);
    assert_int_equal(at(b, a, OSA_AC_DROP_SELF), 1);
    /* From the LAN: owner; without one the routers in their order; without those it is counted. */
    forget(b);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 40));
    assert_int_equal(frames_to(b, a), 1);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40));
    assert_int_equal(b->port.count[OSA_PC_DROP_NO_OWNER], 1);
    assert_int_equal(request(b, c, OSA_OP_SETRTG, 2, 0, 0, NULL), 0);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40));
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(request(b, a, OSA_OP_SETRTG, 1, 0, 0, NULL), 0);
    assert_int_equal(request(b, c, OSA_OP_SETRTG, 1, 0, 0, NULL), OSA_RC_PRIMARY_TAKEN);
    assert_int_equal(request(b, c, OSA_OP_SETRTG, 5, 0, 0, NULL), OSA_RC_UNSUPPORTED);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40));
    assert_int_equal(frames_to(b, a), 2);
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(request(b, a, OSA_OP_SETRTG, 0, 0, 0, NULL), 0);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40));
    assert_int_equal(frames_to(b, c), 2);
    /* Another station's frame, and one that is too large. */
    lan_says(b, f, ether(f, vmac_a, router_mac, IP_GW, IP_A, 40));
    assert_int_equal(b->port.count[OSA_PC_DROP_NOT_FOR_US], 1);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 1473));
    assert_int_equal(b->port.count[OSA_PC_DROP_MTU], 1);
    send_plain(b, a, IP_A, IP_B, 0, 1473);
    assert_int_equal(at(b, a, OSA_AC_DROP_MTU), 1);
    send_plain(b, a, IP_A, IP_B, 0, 1472);
    assert_int_equal(at(b, a, OSA_AC_DROP_MTU), 1);
    /* Everything wrong with an IP header, and a packet cut at every length. */
    u8 p[100];
    u32 len = packet(p, IP_A, IP_B, 50, 40);
    u64 malformed = at(b, a, OSA_AC_DROP_MALFORMED);
    for (u32 i = 1; i < len; i++) send_ip(b, a, p, i, 0, 0, 0, 0, 0);
    for (u32 i = 0; i < 20; i++) {
        p[i] ^= 0x11;
        send_ip(b, a, p, len, 0, 0, 0, 0, 0);
        p[i] ^= 0x11;
    }
    assert_int_equal(at(b, a, OSA_AC_DROP_MALFORMED), malformed + len - 1 + 20);
    /* Nobody takes it: ring and uplink full. */
    forget(b);
    b->ring_full = true;
    send_plain(b, a, IP_A, IP_B, 0, 10);
    assert_int_equal(at(b, c, OSA_AC_DROP_RING), 1);
    b->ring_full = false;
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    b->uplink_full = true;
    send_plain(b, a, IP_A, IP_GW, 0, 10);
    assert_int_equal(at(b, a, OSA_AC_DROP_UPLINK), 1);
    assert_true(b->captured > 10);
    bench_free(b);
}

static void test_groups(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B);
    u32 l2 = start(b, OSA_MODE_QDIO_L2, "SYSC", 0xE00);
    u8 f[200], group_mac[6];
    const u32 group = 0xE0000005u, twin = 0xE0800005u; /* both map to 01:00:5E:00:00:05 */
    eth_group_mac(ipaddr_v4(group), group_mac);
    forget(b);
    lan_says(b, f, ether(f, group_mac, router_mac, IP_GW, group, 40));
    assert_int_equal(frames_to(b, a) + frames_to(b, c), 0);
    assert_int_equal(request(b, c, OSA_OP_SETIPM, 0, group, 0, NULL), 0);
    assert_int_equal(request(b, c, OSA_OP_SETIPM, 0, twin, 0, NULL), 0);
    assert_int_equal(request(b, c, OSA_OP_SETIPM, 0, IP_B, 0, NULL), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, l2, OSA_OP_SETGMAC, 0, 0, 0, group_mac), 0);
    forget(b);
    lan_says(b, f, ether(f, group_mac, router_mac, IP_GW, group, 40));
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(frames_to(b, l2), 1);
    assert_int_equal(b->to[l2].r[0].bytes[8], OSA_FORM_ETHER);
    forget(b);
    send_plain(b, a, IP_A, group, 0, 40); /* members and the LAN, not the sender */
    assert_int_equal(frames_to(b, c) + frames_to(b, l2), 2);
    assert_int_equal(frames_to(b, a), 0);
    assert_int_equal(b->lan.n, 1);
    assert_memory_equal(b->lan.r[0].bytes, group_mac, 6);
    assert_int_equal(request(b, c, OSA_OP_DELIPM, 0, group, 0, NULL), 0);
    forget(b);
    send_plain(b, a, IP_A, group, 0, 40); /* its twin still holds the MAC */
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(request(b, c, OSA_OP_DELIPM, 0, twin, 0, NULL), 0);
    assert_int_equal(request(b, c, OSA_OP_DELIPM, 0, twin, 0, NULL), OSA_RC_NOT_FOUND);
    forget(b);
    send_plain(b, a, IP_A, group, 0, 40);
    assert_int_equal(frames_to(b, c), 0);
    send_plain(b, a, IP_A, 0xFFFFFFFFu, 0, 40); /* broadcast: everybody else */
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(frames_to(b, a), 0);
    /* A curious attachment sees what is not for it. */
    assert_int_equal(request(b, c, OSA_OP_PROMISC, 1, 0, 0, NULL), 0);
    forget(b);
    lan_says(b, f, ether(f, vmac_a, router_mac, IP_GW, IP_FAR, 40));
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 40));
    assert_int_equal(frames_to(b, c), 2);
    assert_int_equal(frames_to(b, a), 1);
    bench_free(b);
}

static void test_layer2(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = start(b, OSA_MODE_QDIO_L2, "SYSA", 0xE00), c = start(b, OSA_MODE_QDIO_L2, "SYSB", 0xE00);
    u32 l3 = host3(b, "SYSC", 0xE00, IP_A);
    u8 f[200];
    assert_int_equal(request(b, a, OSA_OP_SETVMAC, 0, 0, 0, vmac_a), 0);
    assert_int_equal(request(b, c, OSA_OP_SETVMAC, 0, 0, 0, vmac_a), OSA_RC_DUPLICATE);
    assert_int_equal(request(b, c, OSA_OP_SETVMAC, 0, 0, 0, port_mac), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, c, OSA_OP_SETVMAC, 0, 0, 0, all), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, c, OSA_OP_SETVMAC, 0, 0, 0, vmac_b), 0);
    assert_int_equal(request(b, l3, OSA_OP_SETVMAC, 0, 0, 0, vmac_b), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, a, OSA_OP_SETIP, 0, IP_B, 0, NULL), OSA_RC_UNSUPPORTED);
    forget(b);
    send_ether(b, a, f, ether(f, vmac_b, vmac_a, 1, 2, 40));
    assert_int_equal(frames_to(b, c), 1);
    assert_int_equal(b->lan.n, 0);
    send_ether(b, a, f, ether(f, router_mac, vmac_a, 1, 2, 40));
    assert_int_equal(b->lan.n, 1);
    lan_says(b, f, ether(f, vmac_a, router_mac, 1, 2, 40));
    assert_int_equal(frames_to(b, a), 1);
    /* Layer 2 finds a layer 3 neighbour by ARP that the port answers, and the other way round by its own answer. */
    forget(b);
    send_ether(b, a, f, arp_frame(f, all, vmac_a, ARP_REQUEST, IP_B, IP_A));
    assert_int_equal(frames_to(b, a), 1);
    struct arp_packet r;
    arp_parse(b->to[a].r[0].bytes + OSA_FRAME_DATA + 14, &r);
    assert_int_equal(r.op, ARP_REPLY);
    assert_memory_equal(r.sender_mac, port_mac, 6);
    forget(b);
    send_plain(b, l3, IP_A, IP_B, 0, 50); /* learned from the request */
    assert_int_equal(frames_to(b, a), 1);
    assert_memory_equal(b->to[a].r[0].bytes + OSA_FRAME_DATA, vmac_a, 6);
    assert_int_equal(request(b, a, OSA_OP_DELVMAC, 0, 0, 0, vmac_a), 0);
    assert_int_equal(request(b, a, OSA_OP_DELVMAC, 0, 0, 0, vmac_a), OSA_RC_NOT_FOUND);
    /* The wrong form for a mode is malformed; so is a frame cut inside its header. */
    send_plain(b, a, 1, 2, 0, 40);
    send_ether(b, l3, f, 60);
    for (u32 i = 1; i < 14; i++) send_ether(b, a, f, i);
    assert_int_equal(at(b, a, OSA_AC_DROP_MALFORMED), 14);
    assert_int_equal(at(b, l3, OSA_AC_DROP_MALFORMED), 1);
    bench_free(b);
}

static void test_lcs(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSE, true, true, 1492);
    u32 lcs = start(b, OSA_MODE_LCS, "SYSA", 0xE20), l3 = host3(b, "SYSB", 0xE00, IP_B);
    u8 f[200];
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_FAR, 40)); /* alone it gets what nobody owns */
    assert_int_equal(frames_to(b, lcs), 1);
    /* Layer 3 looks for it: the question reaches it, its answer is learned, the packet follows. */
    forget(b);
    send_plain(b, l3, IP_B, IP_A, 0, 50);
    assert_int_equal(frames_to(b, lcs), 1);
    send_ether(b, lcs, f, arp_frame(f, port_mac, port_mac, ARP_REPLY, IP_A, IP_B));
    assert_int_equal(frames_to(b, lcs), 2);
    assert_int_equal(b->to[lcs].r[1].bytes[8], OSA_FORM_ETHER);
    assert_int_equal(be32_get(b->to[lcs].r[1].bytes + OSA_FRAME_DATA + 14 + 16), IP_A);
    assert_int_equal(b->port.arp_count, 0); /* it is in the OAT, not in the cache */
    /* The port does not answer for a learned address: the LPAR does so itself. */
    forget(b);
    lan_arp(b, router_mac, ARP_REQUEST, IP_GW, IP_A);
    assert_int_equal(b->lan.n, 0);
    assert_int_equal(frames_to(b, lcs), 1);
    /* A registration takes the address from one that was only learned. */
    assert_int_equal(request(b, l3, OSA_OP_SETIP, OSA_IP_VIPA, IP_A, 0, NULL), 0);
    assert_int_equal(b->port.count[OSA_PC_TAKEOVERS], 0);
    bench_free(b);
}

/* ---- life of the LAN and of LPARs ---- */

static void test_cable(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B);
    u8 f[200];
    osa_port_lan(&b->port, false, b->now);
    osa_port_lan(&b->port, false, b->now);
    assert_true(has_event(b, a, OSA_EVENT_LAN_DOWN, 0) && has_event(b, c, OSA_EVENT_LAN_DOWN, 0));
    assert_int_equal(b->to[a].n, 1);
    send_plain(b, a, IP_A, IP_B, 0, 40);
    assert_int_equal(at(b, a, OSA_AC_DROP_STATE), 1);
    lan_says(b, f, ether(f, port_mac, router_mac, IP_GW, IP_A, 40));
    assert_int_equal(b->port.count[OSA_PC_DROP_LAN_DOWN], 1);
    assert_int_equal(request(b, a, OSA_OP_STARTLAN, 0, 0, 0, NULL), OSA_RC_LAN_OFFLINE);
    assert_int_equal(request(b, a, OSA_OP_SETIP, 0, IP_V, 0, NULL), 0); /* taken now, announced later */
    forget(b);
    osa_port_lan(&b->port, true, b->now);
    assert_true(has_event(b, a, OSA_EVENT_LAN_UP, 0));
    assert_int_equal(b->lan.n, 3);
    send_plain(b, a, IP_A, IP_B, 0, 40);
    assert_int_equal(frames_to(b, c), 1);
    bench_free(b);
}

static void test_fence(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 a = host3(b, "SYSA", 0xE00, IP_A), c = host3(b, "SYSB", 0xE00, IP_B), n;
    assert_int_equal(osa_port_fence(&b->port, "SYSX", b->now), 0);
    assert_int_equal(osa_port_fence(&b->port, "sysa", b->now), 1);
    assert_true(has_event(b, a, OSA_EVENT_FENCED, 0));
    assert_true(osa_port_fenced(&b->port, "SYSA", 1));
    assert_false(osa_port_fenced(&b->port, "SYSA", 2));
    forget(b);
    send_plain(b, a, IP_A, IP_B, 0, 40);
    assert_int_equal(frames_to(b, c), 0);
    assert_int_equal(request(b, a, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0xAAAA);
    assert_int_equal(b->port.oat_count, 1);
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 1, &n), OSA_RC_LAN_OFFLINE);
    assert_int_equal(attach_as(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00, 2, &n), 0); /* the next IPL is welcome */
    /* Its address is free for another; a leaving LPAR frees its own in the same way. */
    assert_int_equal(request(b, c, OSA_OP_SETIP, OSA_IP_VIPA, IP_A, 0, NULL), 0);
    osa_port_link_down(&b->port, c, b->now);
    assert_int_equal(b->port.oat_count, 0);
    assert_int_equal(osa_port_fence(&b->port, "", b->now), 1);
    bench_free(b);
}

static void test_hipersockets(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_IQD, false, false, 57344);
    u32 a = start(b, OSA_MODE_QDIO_L3, "SYSA", 0x7000), c = start(b, OSA_MODE_QDIO_L3, "SYSB", 0x7000);
    assert_int_equal(request(b, a, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0); /* nobody to probe */
    assert_int_equal(request(b, c, OSA_OP_SETIP, 0, IP_B, 0, NULL), 0);
    static u8 p[57344];
    send_ip(b, a, p, packet(p, IP_A, IP_B, 50, 57000), 0, 0, 0, 0, 0);
    assert_int_equal(frames_to(b, c), 1);
    send_plain(b, a, IP_A, IP_GW, 0, 40);
    assert_int_equal(at(b, a, OSA_AC_DROP_NO_OWNER), 1);
    assert_int_equal(b->lan.n, 0);
    bench_free(b);
}

static void test_table_limits(void **state) {
    UNUSED(state);
    struct bench *b = bench_new(OSA_CHPID_OSD, true, true, 1492);
    u32 n = start(b, OSA_MODE_QDIO_L3, "SYSA", 0xE00);
    for (u32 i = 0; i < OSA_OAT_MAX; i++) {
        assert_int_equal(request(b, n, OSA_OP_SETIP, OSA_IP_VIPA, 0x0B000001u + i, 0, NULL), 0);
        forget(b);
    }
    assert_int_equal(request(b, n, OSA_OP_SETIP, OSA_IP_VIPA, IP_V, 0, NULL), OSA_RC_TABLE_FULL);
    assert_int_equal(b->port.count[OSA_PC_OAT_FULL], 1);
    for (u32 i = 0; i < OSA_OAT_MAX; i++) {
        assert_int_equal(request(b, n, OSA_OP_DELIP, 0, 0x0B000001u + i, 0, NULL), 0);
        forget(b);
    }
    for (u32 i = 0; i < OSA_MACS_MAX; i++) {
        assert_int_equal(request(b, n, OSA_OP_SETIPM, 0, 0xE0000001u + i, 0, NULL), 0);
        forget(b);
    }
    assert_int_equal(request(b, n, OSA_OP_SETIPM, 0, 0xE1000001u, 0, NULL), OSA_RC_TABLE_FULL);
    for (u32 i = 0; i < OSA_PROBES_MAX; i++) {
        assert_int_equal(request(b, n, OSA_OP_SETIP, 0, 0x0B000001u + i, 0, NULL), 0xAAAA);
        forget(b);
    }
    assert_int_equal(request(b, n, OSA_OP_SETIP, 0, IP_A, 0, NULL), 0); /* taken unprobed, and counted */
    assert_int_equal(b->port.count[OSA_PC_PROBES_FULL], 1);
    assert_int_equal(request(b, n, 99, 0, 0, 0, NULL), OSA_RC_UNSUPPORTED);
    assert_int_equal(request(b, n, 0, 0, 0, 0, NULL), OSA_RC_UNSUPPORTED);
    bench_free(b);
}

static void test_names(void **state) {
    UNUSED(state);
    for (u32 i = 0; i < OSA_AC_COUNT; i++) assert_string_not_equal(osa_attachment_counter_name(i), "?");
    for (u32 i = 0; i < OSA_PC_COUNT; i++) assert_string_not_equal(osa_port_counter_name(i), "?");
    assert_string_equal(osa_mode_name(OSA_MODE_LCS), "LCS");
    assert_string_equal(osa_attachment_counter_name(OSA_AC_COUNT), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_domain),
        cmocka_unit_test(test_attach),
        cmocka_unit_test(test_setip_rules),
        cmocka_unit_test(test_announced_again),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_nobody_asks),
        cmocka_unit_test(test_arp_output),
        cmocka_unit_test(test_arp_limits),
        cmocka_unit_test(test_arp_answers),
        cmocka_unit_test(test_unicast),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_layer2),
        cmocka_unit_test(test_lcs),
        cmocka_unit_test(test_cable),
        cmocka_unit_test(test_fence),
        cmocka_unit_test(test_hipersockets),
        cmocka_unit_test(test_table_limits),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
