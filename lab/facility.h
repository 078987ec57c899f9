/* facility.h - a coupling facility of a plex: its process, cf. It listens at DIR/NAME.sock, is asked at DIR/NAME.ctl (control.h) and
 * writes isolations into DIR/fence, the page that every card, CTC end and facility of the plex reads (docs/DEVICES.md, 8.4).
 */
#ifndef LAB_FACILITY_H
#define LAB_FACILITY_H

#include "lab/emul.h"

/* Starts the facility, empty, and waits until its control socket answers. false after a message. */
bool facility_start(const struct places *at, const struct plex_cf *f, const char *dir);

#endif
