/* profile_port.h - the part of PORT and PORTRANGE that DELETE needs; see profile_port.c. */
#ifndef SUPER_PROFILE_PORT_H
#define SUPER_PROFILE_PORT_H

#include "super/profile.h"

/* After DELETE PORT or DELETE PORTRANGE. */
bool delete_port(struct profile *p, bool range);

#endif
