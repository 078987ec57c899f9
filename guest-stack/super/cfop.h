/* cfop.h - coupling facilities for the operator: what cfrm (xcf/cfrm.h) knows, in the shape that displays take (super/dxcf.h), and CFRM
 * policies out of PARMLIB.
 *
 *   o = cfop_create(sys, links, &couple)     between cflinks_create() and cflinks_open()
 *   the rest are the operations of struct xcf_operator_ops for structures and facilities
 *
 * A structure of the policy is listed also while nobody has allocated it; one that two facilities hold is one row. The policy that
 * COUPLExx names (CFRMPOL) is started when a facility comes up and neither it nor this system has one.
 */
#ifndef SUPER_CFOP_H
#define SUPER_CFOP_H

#include "super/dxcf.h"

struct cflinks;
struct cfop;
struct cfrm;

/* NULL: no storage. */
struct cfop *cfop_create(struct system *sys, struct cflinks *links, const struct couple *couple);
struct cfrm *cfop_cfrm(struct cfop *o);

int cfop_inventory(struct cfop *o, u64 now);
int cfop_force(struct cfop *o, const char *structure, const char *connection, u64 now);
bool cfop_facility(const struct cfop *o, u32 i, struct xcf_operator_cf *out);
bool cfop_structure(const struct cfop *o, u32 i, struct xcf_operator_structure *out);
/* Member name of PARMLIB; "": no policy any more. 0, -ERR_NOENT, -ERR_INVAL after a message, -ERR_NETDOWN. */
int cfop_policy(struct cfop *o, const char *name, u64 now);

#endif
