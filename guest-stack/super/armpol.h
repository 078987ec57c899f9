/* armpol.h - ARM policy: where and how elements are started again. Read from a member of PARMLIB that has the policy's name.
 *
 *   DATA TYPE(ARM)                                        accepted
 *   DEFINE POLICY NAME(name) [REPLACE(..)]
 *     RESTART_ORDER
 *       LEVEL(0..65535) {ELEMENT_NAME(name,...) | ELEMENT_TYPE(type,...)}...
 *     RESTART_GROUP(name)                                 group DEFAULT is always there and may be named
 *       TARGET_SYSTEM(system,...|*)  RESTART_PACING(seconds)  FREE_CSA(..) accepted
 *       ELEMENT(name)                                     a last * stands for any ending; options behind it are its own
 *         RESTART_ATTEMPTS(n[,seconds])   default 3,300   RESTART_TIMEOUT(s) 300   READY_TIMEOUT(s) 300
 *         TERMTYPE(ALLTERM|ELEMTERM)      default ALLTERM
 *         RESTART_METHOD({ELEMTERM|SYSTERM|BOTH},{PERSIST|STC,'command'})   default BOTH,PERSIST
 *   ELEMENT(*) is a default for elements that are not named: names that are longer say more.
 *
 * The language is that of super/keyread.h. Pure.
 */
#ifndef SUPER_ARMPOL_H
#define SUPER_ARMPOL_H

#include "super/keyread.h"
#include "xcf/arm.h"

/* false: *err says where; *out is then not to be used. */
bool armpol_parse(const char *text, struct arm_policy *out, struct keyread_error *err);

#endif
