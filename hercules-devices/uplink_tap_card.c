/* uplink_tap_card.c - a TAP interface as uplink, with the kernel's vnet header: one system call carries up to 64 KB of
 * TCP, and the kernel cuts it or finishes its checksum only where it leaves for a real wire.
 *
 *   read and write:  struct virtio_net_hdr (10 bytes) | Ethernet frame
 *   flags NEEDS_CSUM: csum_start, csum_offset as in struct osa_frame; gso_type TCPV4: gso_size bytes a segment
 */
#include "hercules-devices/uplink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/sockios.h>

struct tap {
    struct uplink up;
};

/* Only the name is read again after the first use, so each step starts from a fresh request. */
static struct ifreq request(const char *name) {
    struct ifreq r;
    memset(&r, 0, sizeof r);
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    return r;
}

static void put_inet(struct sockaddr *sa, struct in_addr a) {
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = a};
    memcpy(sa, &sin, sizeof sin);
}

/* "10.1.1.254/24" */
static bool address_parse(const char *text, struct in_addr *addr, struct in_addr *mask) {
    char host[INET_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : 0;
    if (!slash || len >= sizeof host || slash[1] < '0' || slash[1] > '9') return false;
    memcpy(host, text, len);
    host[len] = 0;
    char *end;
    long bits = strtol(slash + 1, &end, 10);
    if (*end || bits < 1 || bits > 32 || inet_pton(AF_INET, host, addr) != 1) return false;
    mask->s_addr = htonl(0xFFFFFFFFu << (32 - (u32)bits));
    return true;
}

static bool set_address(int s, const char *name, const char *text, char *why, size_t cap) {
    struct in_addr addr, mask;
    if (!address_parse(text, &addr, &mask)) {
        snprintf(why, cap, "--tap-addr %s is not address/bits", text);
        return false;
    }
    struct ifreq r = request(name);
    put_inet(&r.ifr_addr, addr);
    bool good = ioctl(s, SIOCSIFADDR, &r) == 0;
    r = request(name);
    put_inet(&r.ifr_netmask, mask);
    if (good && ioctl(s, SIOCSIFNETMASK, &r) == 0) return true;
    snprintf(why, cap, "tap://%s: address %s: %s", name, text, strerror(errno));
    return false;
}

static bool join_bridge(int s, const char *name, const char *bridge, char *why, size_t cap) {
    struct ifreq r = request(bridge);
    r.ifr_ifindex = (int)if_nametoindex(name);
    if (ioctl(s, SIOCBRADDIF, &r) == 0) return true;
    snprintf(why, cap, "tap://%s: bridge %s: %s", name, bridge, strerror(errno));
    return false;
}

/* MTU, address, bridge, up: through any socket, as ifconfig does. */
static bool interface_up(const char *name, const struct uplink_params *p, char *why, size_t cap) {
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = request(name);
    r.ifr_mtu = (int)p->mtu_bytes;
    bool good = s >= 0 && ioctl(s, SIOCSIFMTU, &r) == 0;
    if (!good) snprintf(why, cap, "tap://%s: MTU %u: %s", name, p->mtu_bytes, strerror(errno));
    good = good && (!p->tap_addr || set_address(s, name, p->tap_addr, why, cap));
    good = good && (!p->tap_bridge || join_bridge(s, name, p->tap_bridge, why, cap));
    if (good) {
        r = request(name);
        good = ioctl(s, SIOCGIFFLAGS, &r) == 0;
        r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
        good = good && ioctl(s, SIOCSIFFLAGS, &r) == 0;
        if (!good) snprintf(why, cap, "tap://%s: up: %s", name, strerror(errno));
    }
    if (s >= 0) close(s);
    return good;
}

static bool tap_offload(struct uplink *u, bool on) {
    unsigned long what = on ? TUN_F_CSUM | TUN_F_TSO4 : 0;
    if (ioctl(u->fd, TUNSETOFFLOAD, what) != 0) return false;
    u->offload = on;
    return true;
}

static bool tap_send(struct uplink *u, const struct osa_frame *f) {
    struct virtio_net_hdr v = {0};
    if (f->csum_needed) {
        v.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        v.csum_start = (u16)f->csum_start;
        v.csum_offset = (u16)f->csum_field;
    }
    if (f->gso_bytes) {
        v.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        v.gso_size = f->gso_bytes;
        v.hdr_len = (u16)(f->head_len + (u32)(f->body[12] >> 4) * 4);
    }
    u8 head[OSA_FRAME_HEAD_MAX];
    memcpy(head, f->head, f->head_len);
    struct iovec iov[3] = {{&v, sizeof v}, {head, f->head_len}, {(void *)(uintptr_t)f->body, f->body_len}};
    return writev(u->fd, iov, 3) > 0;
}

static int tap_recv(struct uplink *u, u8 *buf, u32 cap, struct osa_uplink_meta *meta) {
    struct virtio_net_hdr v;
    struct iovec iov[2] = {{&v, sizeof v}, {buf, cap}};
    ssize_t n = readv(u->fd, iov, 2);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n <= (ssize_t)sizeof v) return 0;
    *meta = (struct osa_uplink_meta){.csum_needed = (v.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0};
    if (meta->csum_needed) {
        meta->csum_start = v.csum_start;
        meta->csum_field = v.csum_offset;
    }
    if ((v.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4) meta->gso_bytes = v.gso_size;
    return (int)(n - (ssize_t)sizeof v);
}

static void tap_close(struct uplink *u) {
    close(u->fd);
    free(CONTAINER_OF(u, struct tap, up));
}

static const struct uplink_ops tap_ops = {tap_send, tap_recv, tap_offload, tap_close};

struct uplink *uplink_tap_open(const struct uplink_params *p, char *why, size_t cap) {
    const char *name = p->url + strlen("tap://");
    if (!name[0] || strlen(name) >= IFNAMSIZ || strpbrk(name, "/ ")) {
        snprintf(why, cap, "%s: an interface name has 1 to %d characters", p->url, IFNAMSIZ - 1);
        return NULL;
    }
    struct tap *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->up.ops = &tap_ops;
    t->up.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->up.fd < 0) {
        snprintf(why, cap, "/dev/net/tun: %s", strerror(errno));
        free(t);
        return NULL;
    }
    struct ifreq r = request(name);
    r.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    int header = (int)sizeof(struct virtio_net_hdr);
    if (ioctl(t->up.fd, TUNSETIFF, &r) != 0 || ioctl(t->up.fd, TUNSETVNETHDRSZ, &header) != 0 ||
        !tap_offload(&t->up, true))
        snprintf(why, cap, "%s: %s", p->url, strerror(errno));
    else if (interface_up(name, p, why, cap))
        return &t->up;
    tap_close(&t->up);
    return NULL;
}
