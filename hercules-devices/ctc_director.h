/* ctc_director.h - the director's table: which pair of channel-to-channel units of one system meets which of another.
 * One text file for all systems; each system needs one device statement (ctc_hdl.c), whatever their number.
 *
 *   * comment                                              also behind a statement
 *   LINK system devno system devno [STRAIGHT] [AT address]  the units devno, devno+1 of both systems
 *   MESH devno system system [system ...]                   every system with every other
 *
 *   devno     hexadecimal, even: of the first unit of a pair
 *   STRAIGHT  first unit meets first unit; without it the pair is crossed: the read device of each system is its first
 *             unit, the write device its second
 *   address   where the ends meet, see peer.h; without it a socket beside the director's file
 *   MESH      in each system the pair towards the k-th of the OTHER systems, in the order of the statement, is
 *             devno + 2*k; so n systems have n-1 pairs each, and need one statement with that many units each
 *
 * The end of a link that serves the address is the system whose name is lower; the socket's name says both ends.
 * A damaged table is refused whole, with the line's number: a link that is missing for a typo would look like a dead partner.
 */
#ifndef HERCULES_DEVICES_CTC_DIRECTOR_H
#define HERCULES_DEVICES_CTC_DIRECTOR_H

#include "base/base.h"

#define CTC_MESH_MAX 32 /* systems of a sysplex */
#define CTC_ADDRESS_MAX 200

struct ctc_route {
    char partner[9];
    u16 devnum, partner_devnum;
    bool home, straight;
    char address[CTC_ADDRESS_MAX]; /* as in the table, or the name of a socket (no directory) */
};

/* The route of one pair of units. false: error says why, a damaged line or no such pair. */
bool ctc_director_find(const char *table, u32 len, const char *system, u16 devnum, struct ctc_route *out, char *error,
                       size_t cap);

#endif
