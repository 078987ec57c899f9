/* cfrmpol.h - CFRM policy: which structures there may be, how large and in which coupling facilities. Read from a member of PARMLIB
 * that has the policy's name, in the language of IXCMIAPU.
 *
 *   DATA TYPE(CFRM)                                      accepted; REPORT() too
 *   DEFINE POLICY NAME(name) [REPLACE(YES)]
 *     CF NAME(cf) [TYPE() MFG() PLANT() SEQUENCE() PARTITION() CPCID() SIDE() DUMPSPACE()]     only the name counts
 *     STRUCTURE NAME(name) SIZE(KB) [INITSIZE(KB)] PREFLIST(cf,...) [REBUILDPERCENT(0..100)] [EXCLLIST(name,...)]
 *               [DUPLEX(ENABLED|ALLOWED|DISABLED)]
 * Left out: INITSIZE as SIZE, REBUILDPERCENT(1), DUPLEX(DISABLED). Of PREFLIST each name is a CF of this policy. EXCLLIST, MINSIZE, FULLTHRESHOLD and
 * ALLOWAUTOALT are accepted and have no effect.
 *
 * The language's words are those of super/keyread.h. Pure.
 */
#ifndef SUPER_CFRMPOL_H
#define SUPER_CFRMPOL_H

#include "super/keyread.h"
#include "xcf/cfrm.h"

/* false: *err says where; *out is then not to be used. */
bool cfrmpol_parse(const char *text, struct cfrm_policy *out, struct keyread_error *err);

#endif
