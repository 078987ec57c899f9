/* ieaoptxx.h - IEAOPTxx, what the installation tells WLM. Its suffix is OPT=xx of IEASYSxx (00).
 *
 *   LPARWGT=n    1..999, 100 if it is not said: how large this LPAR is beside the others of its machine. The value may be a symbol.
 *
 * OS/390 asks PR/SM (DIAGNOSE 204) for the weight. The emulators' DIAGNOSE 204 answers 100 for every partition, and each of them knows one
 * partition only, its own; so here the installation says it. Rules of the text as in super/ieasysxx.h.
 */
#ifndef SUPER_IEAOPTXX_H
#define SUPER_IEAOPTXX_H

#include "base/base.h"

#define IEAOPT_WEIGHT_DEFAULT 100u
#define IEAOPT_WEIGHT_MAX     999u

struct system;

/* Value of a keyword from the IEASYSxx members of this IPL (IEASYS00 if it named none): the last that has it; out stays if none has. */
void ieasys_value(struct system *sys, const char *keyword, char *out, size_t cap);
/* Sets sys->lpar_weight, at the beginning of system_start(). What is wrong is said, and the default holds. */
void ieaopt_read(struct system *sys);

#endif
