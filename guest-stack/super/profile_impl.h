/* profile_impl.h - between the files of the profile reader; others use profile.h. */
#ifndef SUPER_PROFILE_IMPL_H
#define SUPER_PROFILE_IMPL_H

#include "super/profile.h"

/* Opens a member as the new innermost source and says so; kind: "PROFILE", "OBEYFILE", "INCLUDE".
 * -ERR_EXIST it is open already, -ERR_INVAL bad name or nested too deep, and those of dataset_read(). */
int profile_open(struct profile *p, const char *dsn, const char *kind);
void profile_close_top(struct profile *p);

#endif
