/* card.h - an OSA card of a plex: its process, osa-card. What it is asked goes to its control socket (control.h). */
#ifndef LAB_CARD_H
#define LAB_CARD_H

#include "lab/emul.h"
#include "lab/lan.h"

/* Starts the card in the LAN of the plex and waits until its control socket answers. */
bool card_start(const struct places *at, const struct plex *p, int card, const char *dir);

#endif
