/* show.h - what the operator sees: status of a plex as a table or as JSON, answers of the guest. */
#ifndef LAB_SHOW_H
#define LAB_SHOW_H

#include "lab/plex.h"

#include <stdbool.h>
#include <stddef.h>

/* Table on standard output, or one JSON object with --json. false if nothing could be shown. */
bool show_status(const struct plex *p, const char *dir, bool json);
/* Prints the console lines of SYS.log from offset on, without the echo of command, up to the line that contains
 * end (or the end of the log); that line too if inclusive. */
void show_answer(const char *dir, const char *system, long from, const char *command, const char *end,
                 bool inclusive);
/* "address" or "address:port" under which the client reaches a port of a system; with slirp the forwarded one.
 * false after a message. */
bool show_address(const struct plex *p, const struct plex_system *s, bool slirp, int port, char *out, size_t cap);

#endif
