/* tap_hdl.c - see tap.h. */
#include "hercules-devices/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hercules-devices/peer.h"

#define BLOCK_MAX (PEER_MESSAGE_MAX + PCAPNG_PACKET_EXTRA)

struct tap {
    struct tap *next;
    char path[1024];
    int fd; /* -1: a write has failed */
    u32 users, interfaces;
    u64 dropped;
    pthread_mutex_t lock;
    u8 block[BLOCK_MAX];
};

static struct {
    pthread_mutex_t lock;
    struct tap *first;
} taps = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A block that is written in part would make the rest of the file unreadable: then the file ends before it. */
static void put(struct tap *t, u32 len) {
    ssize_t n = len && t->fd >= 0 ? write(t->fd, t->block, len) : -1;
    if (n == (ssize_t)len) return;
    t->dropped++;
    if (t->fd < 0) return;
    off_t end = lseek(t->fd, 0, SEEK_CUR);
    if (n > 0 && end >= n && ftruncate(t->fd, end - n) != 0) t->dropped++;
    close(t->fd);
    t->fd = -1;
}

static struct tap *make(const char *path, char *error, size_t cap) {
    struct tap *t = calloc(1, sizeof *t);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (!t || fd < 0 || strlen(path) >= sizeof t->path) {
        snprintf(error, cap, "capture=%s: %s", path, fd < 0 ? strerror(errno) : "no storage, or the name is too long");
        if (fd >= 0) close(fd);
        free(t);
        return NULL;
    }
    t->fd = fd;
    snprintf(t->path, sizeof t->path, "%s", path);
    pthread_mutex_init(&t->lock, NULL);
    put(t, pcapng_section(t->block, BLOCK_MAX, "plex390"));
    t->next = taps.first;
    taps.first = t;
    return t;
}

struct tap *tap_open(const char *path, char *error, size_t cap) {
    pthread_mutex_lock(&taps.lock);
    struct tap *t = taps.first;
    while (t && strcmp(t->path, path) != 0) t = t->next;
    if (!t) t = make(path, error, cap);
    if (t) t->users++;
    pthread_mutex_unlock(&taps.lock);
    return t;
}

void tap_close(struct tap *t) {
    if (!t) return;
    pthread_mutex_lock(&taps.lock);
    if (--t->users == 0) {
        struct tap **at = &taps.first;
        while (*at != t) at = &(*at)->next;
        *at = t->next;
        if (t->fd >= 0) close(t->fd);
        pthread_mutex_destroy(&t->lock);
        free(t);
    }
    pthread_mutex_unlock(&taps.lock);
}

u32 tap_interface(struct tap *t, u16 link_type, const char *name) {
    pthread_mutex_lock(&t->lock);
    put(t, pcapng_interface(t->block, BLOCK_MAX, link_type, name));
    u32 number = t->interfaces++;
    pthread_mutex_unlock(&t->lock);
    return number;
}

void tap_message(struct tap *t, u32 interface, enum pcapng_direction direction, const u8 *bytes, u32 len) {
    struct timespec now;
    pthread_mutex_lock(&t->lock);
    /* The time is taken inside the lock: the file's messages are in the order of their times. */
    clock_gettime(CLOCK_REALTIME, &now);
    u64 ns = (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
    put(t, pcapng_packet(t->block, BLOCK_MAX, interface, ns, direction, bytes, len));
    pthread_mutex_unlock(&t->lock);
}

u64 tap_dropped(struct tap *t) {
    pthread_mutex_lock(&t->lock);
    u64 n = t->dropped;
    pthread_mutex_unlock(&t->lock);
    return n;
}
