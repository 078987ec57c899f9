/* peer_fence.c - the page of isolated incarnations. Layout and rules: peer_fence.h.
 */
#include "hercules-devices/peer_fence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct row {
    char name[PEER_NAME_MAX];
    u64 incarnation;
};
struct page {
    u64 magic, zero;
    struct row row[PEER_FENCE_ROWS];
};
_Static_assert(sizeof(struct page) <= PEER_FENCE_BYTES && sizeof(struct row) == 24, "the page's layout");

struct peer_fence {
    int fd;
    struct page *page;
};

static u64 magic(void) {
    u64 m;
    memcpy(&m, "PLXFENCE", sizeof m);
    return m;
}

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
    *f = (struct peer_fence){fd, page};
    return f;
}

void peer_fence_close(struct peer_fence *f) {
    if (!f) return;
    munmap(f->page, PEER_FENCE_BYTES);
    close(f->fd);
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
    if (row && incarnation > row->incarnation) __atomic_store_n(&row->incarnation, incarnation, __ATOMIC_SEQ_CST);
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
