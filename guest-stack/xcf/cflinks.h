/* cflinks.h - the links of this system to coupling facilities, and who uses them.
 *
 * A link is opened by device number; which facility is behind it shows when it answers. Users are told of each facility by its
 * name: up() when it can be used, down() when it no longer can, and again if it then shows that this system has been isolated.
 * What they had there (requests, connections) has been told lost by xes before down() comes.
 *
 *   l = cflinks_create(arena, channels, devnums, n, say, ctx); cflinks_user(l, &user) ...; cflinks_open(l)
 *
 * Messages: IXC517I, IXC518I. A facility whose name another link has already is not used: two views of one facility help nobody.
 */
#ifndef XCF_CFLINKS_H
#define XCF_CFLINKS_H

#include "base/arena.h"
#include "base/base.h"
#include "xcf/xes.h"

#define CFLINKS_MAX 8

struct cflinks;

struct cflink_user {
    void (*up)(void *ctx, struct xes *x, const char *facility, u64 now);
    void (*down)(void *ctx, struct xes *x, const char *facility, bool isolated, u64 now);
    void *ctx;
    struct list node; /* cflinks's */
};

/* NULL: the arena is too small. say: a message for the operator that begins with its id. */
struct cflinks *cflinks_create(struct arena *a, struct chan_system *sys, const u16 *devnum, u32 n, const char *system,
                               void (*say)(void *ctx, const char *line), void *ctx);
size_t cflinks_bytes(u32 n);
/* Users are called in the order in which they were added. */
void cflinks_user(struct cflinks *l, struct cflink_user *u);
/* Opens the links. Those that do not open (-ERR_NOENT, -ERR_BUSY) are left out. */
void cflinks_open(struct cflinks *l);
void cflinks_close(struct cflinks *l, u64 now);

/* The link to a facility that is UP; NULL if there is none. */
struct xes *cflinks_find(const struct cflinks *l, const char *facility);
/* The i-th; NULL past the last. */
struct xes *cflinks_at(const struct cflinks *l, u32 i);
u16 cflinks_devnum(const struct cflinks *l, u32 i);

#endif
