/* tunlpar_main.c - an LPAR whose stack is this kernel's: an attachment of an OSA card on one side, a TUN (layer 3) or
 * TAP (layer 2, LCS) interface of this network namespace on the other. With it real TCP, ping and curl run through a
 * card without an emulator: for tests/boot/card.sh and tests/bench.
 *
 *   tunlpar l3|l2|lcs CARD-ADDRESS LPAR DEVICE INTERFACE IP[,IP...] [FLAGS [ROLE]]
 *     FLAGS  of SETIP: 0, 1 VIPA, 2 TAKEOVER, 3 both       ROLE  of SETRTG: 0, 1 primary, 2 secondary
 *
 * Prints "attached MAC", "answer OP RC" and "event N ADDRESS" lines; runs until it is ended.
 * Layer 3 goes out with unfinished checksums and large packets (TSO) and takes large ones (LRO), as a stack with all
 * assists would; layer 2 and LCS finish their frames themselves.
 */
#include "base/be.h"
#include "hercules-devices/osa_wire.h"
#include "hercules-devices/peer.h"
#include "wire/ipaddr.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct lpar {
    pthread_mutex_t lock;
    struct peer *peer;
    u8 mode, set_flags, role;
    u32 device;
    char name[9], interface[IFNAMSIZ];
    struct ipaddr ip[64];
    u32 ips;
    int tun;
    u16 tag;
    u8 buf[65536 + 64];
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    fflush(stdout);
}

/* ---- messages ---- */

static u8 *message(struct lpar *l, u8 type, u32 bytes) {
    u8 *m = peer_reserve(l->peer, bytes);
    if (!m) return NULL;
    memset(m, 0, bytes);
    m[0] = type;
    m[1] = OSA_MSG_VERSION;
    be16_put(m + 2, ++l->tag);
    be32_put(m + 4, bytes);
    return m;
}

static void request(struct lpar *l, u8 op, u8 flags, struct ipaddr ip, u32 mask, const u8 *mac) {
    u8 *m = message(l, OSA_MSG_REQUEST, OSA_MSG_REQUEST_BYTES);
    if (!m) return;
    m[8] = op;
    m[9] = flags;
    ipaddr_put(m + 12, ip);
    be32_put(m + 16, mask);
    if (mac) memcpy(m + 20, mac, 6);
    peer_commit(l->peer, OSA_MSG_REQUEST_BYTES);
}

static void on_up(void *ctx, struct peer *p, const struct peer_identity *other) {
    struct lpar *l = ctx;
    UNUSED(other);
    pthread_mutex_lock(&l->lock);
    l->peer = p;
    u8 *m = message(l, OSA_MSG_ATTACH, OSA_MSG_ATTACH_BYTES);
    if (m) {
        m[8] = l->mode;
        memset(m + 16, ' ', 8);
        memcpy(m + 16, l->name, strlen(l->name));
        be32_put(m + 24, l->device);
        peer_commit(p, OSA_MSG_ATTACH_BYTES);
        peer_flush(p);
    }
    pthread_mutex_unlock(&l->lock);
}

static void on_down(void *ctx, struct peer *p) {
    struct lpar *l = ctx;
    UNUSED(p);
    pthread_mutex_lock(&l->lock);
    say("down\n");
    pthread_mutex_unlock(&l->lock);
}

/* The interface takes the MAC that the attachment has. */
static void set_mac(const struct lpar *l, const u8 *mac) {
    struct ifreq r = {0};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", l->interface);
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(r.ifr_hwaddr.sa_data, mac, 6);
    if (ioctl(s, SIOCSIFHWADDR, &r) != 0) say("set MAC: %s\n", strerror(errno));
    close(s);
}

static void attached(struct lpar *l, const u8 *m) {
    const u8 *mac = m + 12;
    u8 own[6] = {0x02, 0x76, l->name[0] ? (u8)l->name[strlen(l->name) - 1] : 0, 0, (u8)(l->device >> 8), (u8)l->device};
    say("attached %u %02x:%02x:%02x:%02x:%02x:%02x mtu %u lan %u\n", be32_get(m + 8), mac[0], mac[1], mac[2], mac[3],
        mac[4], mac[5], be32_get(m + 20), m[28]);
    if (be32_get(m + 8)) return;
    if (l->mode == OSA_MODE_QDIO_L2) request(l, OSA_OP_SETVMAC, 0, IPADDR_ANY, 0, own);
    if (l->mode != OSA_MODE_QDIO_L3) set_mac(l, l->mode == OSA_MODE_LCS ? mac : own);
    request(l, OSA_OP_ASSIST, 0, IPADDR_ANY, OSA_ASSIST_CSUM_IN | OSA_ASSIST_LRO, NULL);
    request(l, OSA_OP_STARTLAN, 0, IPADDR_ANY, 0, NULL);
    if (l->mode == OSA_MODE_QDIO_L3) {
        request(l, OSA_OP_SETRTG, l->role, IPADDR_ANY, 0, NULL);
        for (u32 i = 0; i < l->ips; i++) request(l, OSA_OP_SETIP, l->set_flags, l->ip[i], 0xFFFFFFFFu, NULL);
    }
    peer_flush(l->peer);
}

static void frame(struct lpar *l, const u8 *m, u32 len) {
    struct virtio_net_hdr v = {.flags = VIRTIO_NET_HDR_F_DATA_VALID};
    u16 gso = be16_get(m + 12);
    if (gso) {
        v.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        v.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        v.gso_size = gso;
        v.csum_start = be16_get(m + 20);
        v.csum_offset = be16_get(m + 22);
        v.hdr_len = (u16)(v.csum_start + (m[OSA_FRAME_DATA + v.csum_start + 12] >> 4) * 4);
    }
    struct iovec iov[2] = {{&v, sizeof v}, {(void *)(uintptr_t)(m + OSA_FRAME_DATA), len - OSA_FRAME_DATA}};
    if (writev(l->tun, iov, 2) < 0 && errno != EAGAIN && errno != EIO) say("write: %s\n", strerror(errno));
}

static bool on_message(void *ctx, struct peer *p, const u8 *m, u32 len) {
    struct lpar *l = ctx;
    char text[IPADDR_TEXT_MAX];
    UNUSED(p);
    if (m[0] == OSA_MSG_FRAME) {
        frame(l, m, len);
        return true;
    }
    pthread_mutex_lock(&l->lock);
    if (m[0] == OSA_MSG_ATTACHED) attached(l, m);
    else if (m[0] == OSA_MSG_ANSWER)
        say("answer %u %04X\n", m[8], be32_get(m + 12));
    else if (m[0] == OSA_MSG_EVENT)
        say("event %u %s\n", m[8], ipaddr_text(ipaddr_get(m + 12), text));
    pthread_mutex_unlock(&l->lock);
    return true;
}

static void on_log(void *ctx, const char *text) {
    UNUSED(ctx);
    fprintf(stderr, "%s\n", text);
}

static const struct peer_ops ops = {.up = on_up, .message = on_message, .down = on_down, .log = on_log};

/* ---- the interface ---- */

static int tun_open(const struct lpar *l) {
    struct ifreq r = {0};
    bool l3 = l->mode == OSA_MODE_QDIO_L3;
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", l->interface);
    r.ifr_flags = (short)((l3 ? IFF_TUN : IFF_TAP) | IFF_NO_PI | IFF_VNET_HDR);
    unsigned long offload = l3 ? TUN_F_CSUM | TUN_F_TSO4 : 0;
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) != 0 || ioctl(fd, TUNSETOFFLOAD, offload) != 0) {
        fprintf(stderr, "tunlpar: %s: %s\n", l->interface, strerror(errno));
        exit(2);
    }
    return fd;
}

/* One packet of the kernel's to the card. false: none waits. */
static bool packet_out(struct lpar *l) {
    struct virtio_net_hdr v;
    struct iovec iov[2] = {{&v, sizeof v}, {l->buf, sizeof l->buf}};
    ssize_t n = readv(l->tun, iov, 2) - (ssize_t)sizeof v;
    if (n <= 0) return false;
    bool l3 = l->mode == OSA_MODE_QDIO_L3;
    u32 bytes = OSA_FRAME_DATA + (u32)n;
    if (l3 && l->buf[0] >> 4 != 4) return true; /* the kernel tries IPv6 on every interface */
    pthread_mutex_lock(&l->lock);
    u8 *m = l->peer ? message(l, OSA_MSG_FRAME, bytes) : NULL;
    if (m) {
        m[8] = l3 ? OSA_FORM_IP : OSA_FORM_ETHER;
        be16_put(m + 10, v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM ? OSA_FRAME_CSUM_NEEDED : 0);
        if (v.gso_type) be16_put(m + 12, v.gso_size);
        be16_put(m + 20, v.csum_start);
        be16_put(m + 22, v.csum_offset);
        memcpy(m + OSA_FRAME_DATA, l->buf, (size_t)n);
        peer_commit(l->peer, bytes);
    }
    pthread_mutex_unlock(&l->lock);
    return true;
}

static void addresses(struct lpar *l, char *list) {
    for (char *word; (word = strsep(&list, ",")) && l->ips < ARRAY_LEN(l->ip);)
        if (ipaddr_parse(word, strlen(word), &l->ip[l->ips])) l->ips++;
}

int main(int argc, char **argv) {
    static struct lpar l = {.lock = PTHREAD_MUTEX_INITIALIZER};
    if (argc < 7) {
        fprintf(stderr, "usage: tunlpar l3|l2|lcs CARD-ADDRESS LPAR DEVICE INTERFACE IP[,IP...] [FLAGS [ROLE]]\n");
        return 2;
    }
    l.mode = strcmp(argv[1], "l3") == 0 ? OSA_MODE_QDIO_L3 : strcmp(argv[1], "l2") == 0 ? OSA_MODE_QDIO_L2 : OSA_MODE_LCS;
    snprintf(l.name, sizeof l.name, "%s", argv[3]);
    l.device = (u32)strtoul(argv[4], NULL, 16);
    snprintf(l.interface, sizeof l.interface, "%s", argv[5]);
    addresses(&l, argv[6]);
    l.set_flags = argc > 7 ? (u8)atoi(argv[7]) : 0;
    l.role = argc > 8 ? (u8)atoi(argv[8]) : 0;
    l.tun = tun_open(&l);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct peer_identity id = {.kind = PEER_OSA, .incarnation = (u64)now.tv_sec * 1000000u + (u64)now.tv_nsec / 1000u};
    memcpy(id.name, l.name, sizeof l.name);
    struct peer *p = peer_connect(argv[2], &id, &ops, &l);
    if (!p) return 2;
    for (;;) {
        struct pollfd pfd = {.fd = l.tun, .events = POLLIN};
        poll(&pfd, 1, -1);
        for (u32 i = 0; i < 64 && packet_out(&l);) i++;
        pthread_mutex_lock(&l.lock);
        if (l.peer) peer_flush(l.peer);
        pthread_mutex_unlock(&l.lock);
    }
}
