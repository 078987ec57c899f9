/* capture_card.h - what passes a card's interfaces, as a pcapng file or into a FIFO, while it happens.
 *
 * One interface for the port ("OSA1 port", Ethernet) and one for each attachment ("SYSA 0E00": IP packets for layer 3,
 * Ethernet for the others); an interface appears in the file when its first packet does. Frames are written as they
 * are on a wire: large packets cut, checksums finished, so a reader sees none that is wrong by our doing.
 * The filter is one in libpcap's language; for IP interfaces it is compiled for packets without link header, and where
 * it makes no sense there ("arp") nothing matches.
 *
 * A FIFO without a reader is waited for; when the reader leaves, the next one gets a section of its own. What a slow
 * reader does not take in time is dropped whole and counted: the card never waits for a capture.
 */
#ifndef HERCULES_DEVICES_CAPTURE_CARD_H
#define HERCULES_DEVICES_CAPTURE_CARD_H

#include "hercules-devices/osa_port.h"

#define CAPTURE_RETRY_USEC (100u * USEC_PER_MSEC)

struct capture;

/* NULL and one sentence in why. */
struct capture *capture_start(const char *file, const char *filter, char *why, size_t cap);
void capture_stop(struct capture *c);
/* A frame at interface n (an attachment or OSA_FROM_LAN), whose display name is name. */
void capture_frame(struct capture *c, u32 n, const char *name, bool ether, bool to_card, const struct osa_frame *f);
/* The attachment is another one from now on. */
void capture_forget(struct capture *c, u32 n);
/* End of a batch: hands what was captured to the file. When to call it again, TIME_NEVER: at the next batch. */
u64 capture_flush(struct capture *c, u64 now);

struct capture_status {
    const char *file, *filter;
    bool waiting; /* for a reader of the FIFO */
    u64 packets, dropped;
};
struct capture_status capture_status(const struct capture *c);

#endif
