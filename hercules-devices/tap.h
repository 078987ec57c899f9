/* tap.h - what the connections of one emulator say, as a pcapng file that grows while they say it: the messages of channel-to-channel
 * links (ctc_wire.h) and of coupling facility links (wire/cfcmd.h), each with its time and direction. lab/plex390.lua reads it in
 * Wireshark: commands, IP packets, XCF messages.
 *
 * One file for each name, however many devices give it; each device is an interface of the file, with the name that it gives.
 * Link types are LINKTYPE_USER0 (CTC) and LINKTYPE_USER1 (CF). A message is one write(), so a reader of the growing file meets no
 * half block but at its end. A write that fails (a full disk) ends the capture with the count of what was not written.
 *
 * Any thread may call tap_message; the file has a lock of its own, inside which nothing else is locked.
 */
#ifndef HERCULES_DEVICES_TAP_H
#define HERCULES_DEVICES_TAP_H

#include "hercules-devices/pcapng.h"

#define TAP_LINK_CTC 147u /* LINKTYPE_USER0 */
#define TAP_LINK_CF  148u /* LINKTYPE_USER1 */

struct tap;

/* The file, made anew if this process does not write it yet. NULL and a line in error. */
struct tap *tap_open(const char *path, char *error, size_t cap);
void tap_close(struct tap *t);
u32 tap_interface(struct tap *t, u16 link_type, const char *name);
void tap_message(struct tap *t, u32 interface, enum pcapng_direction direction, const u8 *bytes, u32 len);
u64 tap_dropped(struct tap *t);

#endif
