/* sfmpol.h - SFM policy: what to do about a system that is silent or cut off. Read from a member of PARMLIB that has the policy's name.
 *
 *   DATA TYPE(SFM)                                      accepted
 *   DEFINE POLICY NAME(name) [CONNFAIL(YES|NO)]         default NO; REPLACE() is accepted
 *     SYSTEM NAME(system|*) [ISOLATETIME(0..86400) | PROMPT | DEACTTIME(n) | RESETTIME(n)] [WEIGHT(1..9999)]
 *   Isolation is the only automatic action here, so DEACTTIME and RESETTIME act as ISOLATETIME.
 *   SYSTEM NAME(*) holds for all that have no entry of their own. Left out: ISOLATETIME(0) WEIGHT(1).
 *
 * The language is that of super/keyread.h. Pure.
 */
#ifndef SUPER_SFMPOL_H
#define SUPER_SFMPOL_H

#include "super/keyread.h"
#include "xcf/couple.h"

/* false: *err says where; *out is then not to be used. name: 8 characters and a NUL, what DEFINE says. out->active is set. */
bool sfmpol_parse(const char *text, struct couple_sfm *out, char name[9], struct keyread_error *err);

#endif
