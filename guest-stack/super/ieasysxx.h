/* ieasysxx.h - IEASYSxx, the system parameters. Read for the few that this system has a use for; the others are passed over.
 *
 *   KEYWORD=value,KEYWORD=(value,value),...     columns 1-71; a record that ends in a comma and a blank is continued; comments as
 *                                               in PARMLIB between slash-star and star-slash
 * Of several members the last one that names a keyword wins. Pure.
 */
#ifndef SUPER_IEASYSXX_H
#define SUPER_IEASYSXX_H

#include "base/base.h"

/* The value of a keyword, upper case, without parentheses; false: the text does not have it. cap includes the NUL. */
bool ieasysxx_value(const char *text, const char *keyword, char *out, size_t cap);

#endif
