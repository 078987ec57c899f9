/* couplexx.h - COUPLExx, the parmlib member that says which sysplex this is and over which paths it signals.
 *
 * Columns 1-71, free form, comments between slash-star and star-slash; blanks and commas separate. A
 * statement begins with its name and reaches to the next one; every parameter is KEYWORD(value[,value]...).
 *
 *   COUPLE    SYSPLEX PCOUPLE ACOUPLE INTERVAL OPNOTIFY (n or +n) CLEANUP MAXMSG RETRY CLASSLEN
 *             CFRMPOL(name); CTRACE VMCPUIDTOLERATION are accepted
 *   CLASSDEF  CLASS CLASSLEN MAXMSG GROUP(g,...)      CLASS(DEFAULT) changes the class that is always there
 *   PATHIN    DEVICE(n,...) | STRNAME(s,...)  MAXMSG RETRY
 *   PATHOUT   the same and CLASS, of a CLASSDEF before it
 *   LOCALMSG  MAXMSG CLASS           DATA  accepted: couple data lives in the coupling facilities of PCOUPLE,
 * ACOUPLE
 *
 * What a CLASSDEF or PATH leaves out it takes from COUPLE. System symbols have been resolved by whoever read
 * the text. Values out of range are errors (couple_wrong()); nothing is printed here.
 */
#ifndef SUPER_COUPLEXX_H
#define SUPER_COUPLEXX_H

#include "super/keyread.h"
#include "xcf/couple.h"

#define couplexx_error keyread_error /* what is wrong, and where */

/* text: the member's records, each ended by a newline. false: *err says where; *out is then not to be used.
 */
bool couplexx_parse(const char *text, struct couple *out, struct keyread_error *err);

#endif
