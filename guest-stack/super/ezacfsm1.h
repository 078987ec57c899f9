/* ezacfsm1.h - EZACFSM1's job: a text's system symbols replaced, record by record, for this image.
 *
 * For members that their reader does not resolve by itself (TCPDATA in V2R7 to V2R10). In the guest it is an
 * operator's command; on the host build/ezacfsm1 does the same with the same code.
 */
#ifndef SUPER_EZACFSM1_H
#define SUPER_EZACFSM1_H

#include "base/base.h"
#include "super/symbols.h"

/* Gives each record, resolved, to line(); returns how many there were. Records longer than SYMBOL_LINE_MAX
 * are given unresolved up to that length and counted in *cut (may be NULL). */
u32 ezacfsm1_run(const struct symbols *s, const struct moment *when, const char *text, u32 len,
                 void (*line)(void *ctx, const char *text), void *ctx, u32 *cut);

#endif
