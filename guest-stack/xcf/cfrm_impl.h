/* cfrm_impl.h - what cfrm.c and cfrm_inventory.c share. Private to them.
 *
 * Each facility has two requests of its own, one for its policy and one that walks through its inventory; an answer decides the
 * next question, so nothing is queued.
 */
#ifndef XCF_CFRM_IMPL_H
#define XCF_CFRM_IMPL_H

#include "xcf/cfrm.h"

struct cfrm_part {
    struct cfrm *all;
    struct cfrm_facility view;
    struct xes_request policy_request, request;
    char telling[9], seen[9];       /* policy that is on its way; policy that it had when this system last knew */
    bool policy_busy, policy_again; /* a policy was started while one was being told */
    bool busy;                      /* the inventory is not through with it */
    u32 listed;                     /* structures that STRUCTURES has named so far */
    u32 at;                         /* the structure whose connections are asked for */
    u8 cmd[CF_CMD_BYTES + CF_NAME_BYTES];
    u8 policy_cmd[32 + CFRM_ROWS_MAX * CF_POLICY_ROW_BYTES];
};

struct cfrm {
    const struct cfrm_events *events;
    void *ctx;
    struct cfrm_policy policy;
    u32 facilities, structures;
    struct cfrm_part facility[CFRM_FACILITIES_MAX];
    struct cfrm_structure structure[CFRM_STRUCTURES_MAX];
    bool collecting;
    struct xes_request force_request;
    u8 force_cmd[CF_CMD_BYTES + 2 * CF_NAME_BYTES];
    bool force_busy;
    char force_structure[CF_NAME_BYTES + 1], force_connection[CF_NAME_BYTES + 1];
    u64 check_at; /* the names of the facilities' policies are asked for */
    struct cfrm_counters count;
};

void cfrm_name_get(char *out, const u8 *padded, u32 bytes); /* out: bytes + 1 */
void cfrm_name_put(u8 *out, const char *name, u32 bytes);
void cfrm_tell_policy(struct cfrm_part *f, u64 now);
void cfrm_learn_policy(struct cfrm_part *f); /* somebody has started or stopped one there */

#endif
