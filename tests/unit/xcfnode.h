/* xcfnode.h - XCF of one system for a test with real engines under it: links to facilities, couple data, CFRM policy, paths over a
 * structure, and what it tells the operator.
 *
 *   xcfnode_create(n, &c, now); xcfnode_structure(n, "IXCSTR1", kb, now); xcfnode_poll(n, now) ...; cflinks_close(n->links, now)
 */
#ifndef TESTS_UNIT_XCFNODE_H
#define TESTS_UNIT_XCFNODE_H

#include "base/arena.h"
#include "xcf/cds.h"
#include "xcf/cflinks.h"
#include "xcf/cfrm.h"
#include "xcf/strpath.h"
#include "xcf/xcf.h"

struct chan_system;

struct xcfnode {
    struct xcf_sysid id;
    struct cflinks *links;
    struct cds *cds;
    struct cfrm *cfrm;
    struct cflink_user cfrm_user;
    struct xcf *x;
    struct strpaths *str;
    struct xcf_member *member;
    u32 questions;    /* to the operator */
    u32 wait_code, wait_reason; /* it was isolated, and stopped; 0: it was not */
    char said[65536]; /* the operator's lines; begins anew when it is full */
    u32 said_len;
};
struct xcfnode_config {
    struct arena *arena;
    struct chan_system *sys;
    const u16 *devices; /* of the links */
    u32 devices_count, index; /* SYSA is 0 */
    const char *acouple; /* "" none; the primary is CF01 */
    u32 interval_s;
};

/* Links open; CHECK: the arena is too small. */
void xcfnode_create(struct xcfnode *n, const struct xcfnode_config *c, u64 now);
/* PATHIN and PATHOUT of that name. */
void xcfnode_structure(struct xcfnode *n, const char *name, u32 maxmsg_kb, u64 now);
/* Joins the group TEST under the system's name. */
void xcfnode_join(struct xcfnode *n, const struct xcf_exits *exits, void *ctx, u64 now);
u64 xcfnode_poll(struct xcfnode *n, u64 now); /* when it wants to be called again */
/* A line for the operator: for adapters that the test makes itself. */
void xcfnode_line(void *ctx, const char *line);

#endif
