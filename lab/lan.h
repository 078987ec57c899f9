/* lan.h - the LAN that the cards' uplinks join and the client lives on.
 *
 *   LAN_NAMESPACE  a network namespace (inside a user namespace of its own for a plain user) with a bridge that
 *                  carries the client's address; each card adds a TAP to the bridge. Held by the process "lan".
 *   LAN_SLIRP      /dev/net/tun can't be opened: each card's uplink is slirp:// (libvdeplug), and the plex.conf's
 *                  forwards make the guest's ports reachable on the host's loopback.
 */
#ifndef LAB_LAN_H
#define LAB_LAN_H

#include "lab/plex.h"
#include "lab/proc.h"

#define LAN_BRIDGE "plexlan"

enum lan_mode { LAN_NONE, LAN_NAMESPACE, LAN_SLIRP };

/* Makes the LAN; says on standard output which kind and why. LAN_NONE after a message. */
enum lan_mode lan_create(const char *dir, const struct plex *p);
enum lan_mode lan_find(const char *dir, pid_t *holder);
/* The uplink of a card in this mode, as osa-card's --uplink takes it. */
void lan_uplink(enum lan_mode mode, const struct plex *p, int card, char *out, size_t cap);

#endif
