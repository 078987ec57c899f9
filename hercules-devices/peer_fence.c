/* peer_fence.c - the page of isolated incarnations. Layout and rules: peer_fence.h.
 */
#include "hercules-devices/peer_fence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct row {
    char name[PEER_NAME_MAX];
    u64 incarnation;
};
struct page {
    u64 magic, generation;
    struct row row[PEER_FENCE_ROWS];
};
_Static_assert(sizeof(struct page) <= PEER_FENCE_BYTES && sizeof(struct row) == 24, "the page's layout");

struct peer_fence {
    int fd, watch;
    struct page *page;
    u64 told; /* generation that peer_fence_news() has told of */
};

static u64 magic(void) {
    u64 m;
    memcpy(&m, "PLXFENCE", sizeof m);
    return m;
}

static u64 generation(const struct peer_fence *f) { return __atomic_load_n(&f->page->generation, __ATOMIC_SEQ_CST); }

struct peer_fence *peer_fence_open(const char *path, char *why, size_t cap) {
    struct stat st;
    struct peer_fence *f = malloc(sizeof *f);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    void *page = MAP_FAILED;
    if (f && fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0) {
        bool fresh = st.st_size == 0;
        if ((fresh && ftruncate(fd, PEER_FENCE_BYTES) == 0) || st.st_size == PEER_FENCE_BYTES)
            page = mmap(NULL, PEER_FENCE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (page != MAP_FAILED && fresh) ((struct page *)page)->magic = magic();
        flock(fd, LOCK_UN);
    }
    if (page == MAP_FAILED || ((struct page *)page)->magic != magic()) {
        snprintf(why, cap, "%s: %s", path, fd < 0 ? strerror(errno) : "no page of isolated incarnations");
        if (page != MAP_FAILED) munmap(page, PEER_FENCE_BYTES);
        if (fd >= 0) close(fd);
        free(f);
        return NULL;
    }
    *f = (struct peer_fence){.fd = fd, .watch = -1, .page = page};
    f->told = generation(f);
    return f;
}

void peer_fence_close(struct peer_fence *f) {
    if (!f) return;
    munmap(f->page, PEER_FENCE_BYTES);
    close(f->fd);
    if (f->watch >= 0) close(f->watch);
    free(f);
}

static void padded(char out[PEER_NAME_MAX], const char *name) {
    memset(out, 0, PEER_NAME_MAX);
    memcpy(out, name, strnlen(name, PEER_NAME_MAX));
}

bool peer_fence_put(struct peer_fence *f, const char *name, u64 incarnation) {
    char wanted[PEER_NAME_MAX];
    struct row *row = NULL;
    padded(wanted, name);
    if (flock(f->fd, LOCK_EX) != 0) return false;
    for (u32 i = 0; i < PEER_FENCE_ROWS && !row; i++) {
        struct row *r = &f->page->row[i];
        if (!r->incarnation || memcmp(r->name, wanted, sizeof wanted) == 0) row = r;
    }
    if (row && !row->incarnation) memcpy(row->name, wanted, sizeof wanted);
    if (row && incarnation > row->incarnation) {
        __atomic_store_n(&row->incarnation, incarnation, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&f->page->generation, 1, __ATOMIC_SEQ_CST);
        /* Stores into a mapping wake nobody; a new time of the file does. Who is not woken by it looks at its next wake-up. */
        (void)futimens(f->fd, NULL);
    }
    flock(f->fd, LOCK_UN);
    return row;
}

bool peer_fence_valid(const struct peer_fence *f, const char *name, u64 incarnation) {
    char wanted[PEER_NAME_MAX];
    padded(wanted, name);
    for (u32 i = 0; i < PEER_FENCE_ROWS; i++) {
        const struct row *r = &f->page->row[i];
        u64 refused = __atomic_load_n(&r->incarnation, __ATOMIC_SEQ_CST);
        if (!refused) return true;
        if (memcmp(r->name, wanted, sizeof wanted) == 0) return incarnation > refused;
    }
    return true;
}

bool peer_fence_still_valid(const struct peer_fence *f, u64 *seen, const char *name, u64 incarnation) {
    /* Read before the rows: what is isolated while we look at them is found by the next question. */
    u64 now = generation(f) + 1;
    if (__atomic_load_n(seen, __ATOMIC_RELAXED) == now) return true;
    if (!peer_fence_valid(f, name, incarnation)) return false;
    __atomic_store_n(seen, now, __ATOMIC_RELAXED);
    return true;
}

int peer_fence_watch(struct peer_fence *f) {
    char path[64];
    if (f->watch >= 0) return f->watch;
    snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
    f->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (f->watch >= 0 && inotify_add_watch(f->watch, path, IN_ATTRIB) < 0) {
        close(f->watch);
        f->watch = -1;
    }
    return f->watch;
}

bool peer_fence_news(struct peer_fence *f) {
    u64 now = generation(f);
    char events[1024];
    if (now == f->told) return false;
    while (f->watch >= 0 && read(f->watch, events, sizeof events) > 0) continue;
    f->told = now;
    return true;
}
