/* show.h - what the operator sees: status of a plex as a table or as JSON, answers of the guest. */
#ifndef LAB_SHOW_H
#define LAB_SHOW_H

#include "lab/plex.h"

#include <stddef.h>

/* Table on standard output, or one JSON object; guests: with what the systems say (guests.h), of which the table has dynamic VIPAs and the
 * distributor's targets. false if nothing could be shown. */
bool show_status(const struct plex *p, const char *dir, bool json, bool guests);
/* Prints the console lines of SYS.log from offset on: the answer up to the line with mark, which is not shown; and
 * if until is given, what follows, up to and with the line that contains it. */
void show_answer(const char *dir, const char *system, long from, const char *mark, const char *until);
/* "address" or "address:port" under which the client reaches a port of a system; with slirp the forwarded one.
 * false after a message. */
bool show_address(const struct plex *p, const struct plex_system *s, bool slirp, int port, char *out, size_t cap);

#endif
