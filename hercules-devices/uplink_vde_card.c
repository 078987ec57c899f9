/* uplink_vde_card.c - an uplink through libvdeplug, and the choice between the kinds of uplink. */
#include "hercules-devices/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <libvdeplug.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VDE_ONE_WAY 1 /* what vde_recv() answers for a packet that is not ours to see */

struct vde {
    struct uplink up;
    VDECONN *conn;
    bool ask; /* vde_recv() waits for ever when there is nothing: poll first */
    u8 stage[UPLINK_FRAME_MAX];
};

static bool vde_uplink_send(struct uplink *u, const struct osa_frame *f) {
    struct vde *v = CONTAINER_OF(u, struct vde, up);
    u32 len = osa_frame_len(f);
    if (len > sizeof v->stage) return false;
    memcpy(v->stage, f->head, f->head_len);
    memcpy(v->stage + f->head_len, f->body, f->body_len);
    return vde_send(v->conn, v->stage, len, 0) >= 0;
}

static int vde_uplink_recv(struct uplink *u, u8 *buf, u32 cap, struct osa_uplink_meta *meta) {
    struct vde *v = CONTAINER_OF(u, struct vde, up);
    *meta = (struct osa_uplink_meta){0};
    for (u32 tries = 0; tries < 16; tries++) {
        struct pollfd input = {.fd = u->fd, .events = POLLIN};
        if (v->ask && poll(&input, 1, 0) == 0) return 0;
        ssize_t n = vde_recv(v->conn, buf, cap, 0);
        if (n > VDE_ONE_WAY) return (int)n;
        if (n == 0) return -1;
        if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    return 0;
}

static bool vde_uplink_offload(struct uplink *u, bool on) {
    UNUSED(u);
    return !on;
}

static void vde_uplink_close(struct uplink *u) {
    struct vde *v = CONTAINER_OF(u, struct vde, up);
    vde_close(v->conn);
    free(v);
}

static const struct uplink_ops vde_ops = {vde_uplink_send, vde_uplink_recv, vde_uplink_offload, vde_uplink_close};

/* Plugs that gather several sockets (switch, hub, multi, bonding, vxvde) hand out an epoll descriptor and wait on it without a
 * limit; O_NONBLOCK means nothing there. Sockets, pipes and devices heed it and save the extra call. */
static bool waits_by_itself(int fd) {
    struct stat st;
    if (fstat(fd, &st) != 0) return true;
    return !S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode);
}

struct uplink *uplink_vde_open(const struct uplink_params *p, char *why, size_t cap) {
    char url[2048], description[64];
    struct vde *v = calloc(1, sizeof *v);
    if (!v) return NULL;
    snprintf(url, sizeof url, "%s", p->url);
    snprintf(description, sizeof description, "osa-card %s", p->card);
    errno = 0;
    v->conn = vde_open(url, description, NULL);
    int fd = v->conn ? vde_datafd(v->conn) : -1;
    if (fd < 0) {
        snprintf(why, cap, "%s: %s", p->url, errno ? strerror(errno) : "libvdeplug has no such plug");
        if (v->conn) vde_close(v->conn);
        free(v);
        return NULL;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    v->ask = waits_by_itself(fd);
    v->up = (struct uplink){.ops = &vde_ops, .fd = fd};
    return &v->up;
}

struct uplink *uplink_open(const struct uplink_params *p, char *why, size_t cap) {
    bool tap = strncmp(p->url, "tap://", 6) == 0;
    if (!tap && (p->tap_addr || p->tap_bridge)) {
        snprintf(why, cap, "--tap-addr and --tap-bridge need an uplink tap://NAME, not %s", p->url);
        return NULL;
    }
    return tap ? uplink_tap_open(p, why, cap) : uplink_vde_open(p, why, cap);
}
