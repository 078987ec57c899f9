/* card.h - an OSA card of a plex: its process (osa-card) and its control socket (one line in, one answer out,
 * then the card closes; a JSON object where the answer is data, "ok" or "error: why" otherwise).
 */
#ifndef LAB_CARD_H
#define LAB_CARD_H

#include "lab/emul.h"
#include "lab/lan.h"

/* Starts the card in the LAN of the plex and waits until its control socket answers. */
bool card_start(const struct places *at, const struct plex *p, int card, const char *dir);
/* Sends a command; the answer without its newline goes to out. false: no answer, or "error: ...". */
bool card_control(const char *dir, const char *card, const char *command, char *out, size_t cap);

#endif
