/* ctc_engine.h - one end of a channel-to-channel link: a group of units towards one partner system, as an engine
 * (engine.h). What a command does: ctc_cu.h. What the two ends say to each other: ctc_wire.h.
 *
 *   struct engine *e = ctc_engine_init(<ctc_engine_bytes() bytes>, &host, &params);
 *
 * The units of a link come in pairs; unit i meets the partner's unit i ^ 1, so that the read device of each end meets
 * the other's write device; "straight" links have unit i meet unit i.
 *
 * Each end holds the whole control unit of a pair of sides: side 0 is its own channel's, side 1 the other end's. A command is
 * executed at its own end, against what is known of the other side, and told to the other end only if it waits there or did
 * something to it. So what can end at once does: no command waits for an answer, and a block is one message.
 *
 * Why both ends keep the same view. A side that waits can only be ended by a command of the other side, or by its own reset;
 * each message carries the number of what it ended, and of the last message that its sender had seen. Left over are commands
 * that cross on the way:
 *
 *   mine       the other's, given before it saw mine   both ends take it that
 *   waits      waits                                    the HOME end's was first: home executes the other's against its own; the
 *                                                       far end takes its own back, executes home's, then its own again
 *   waits      has ended                                it was first, and did not meet mine. WEOF meets a READ all the same
 *   was reset  waits                                    the reset ends it: its own end will see that, too
 *   was reset  has ended mine                           too late: what it moved is lost, as behind any halt
 *
 *   connection          far end (connects)                       home end (serves)
 *   up                  ATTACH                          <->      ATTACH
 *   views agree         each side is attached at the other end, with its mode and whether it is ready
 *   views differ        a line on both ends; each behaves as if the other were absent
 *   down                side 1 is detached at both: what is outstanding ends with unit check, sense 41
 *
 * A command whose message finds no room in the ring is not executed until it does (rx_end()); so is one behind a reset
 * that was not told yet. A READ or WRITE that ends by halt or clear is a selective reset of its side.
 */
#ifndef HERCULES_DEVICES_CTC_ENGINE_H
#define HERCULES_DEVICES_CTC_ENGINE_H

#include "hercules-devices/engine.h"

#define CTC_UNITS_MAX 2 /* a pair: one read, one write device */

struct ctc_params {
    char lpar[9], partner[9]; /* system names, ASCII, up to 8 characters */
    u16 devnum, partner_devnum; /* of unit 0 */
    bool home;                  /* this end serves the connection, and its commands come first */
    bool straight;
};

size_t ctc_engine_bytes(void);
/* NULL and a line in host->log if a parameter is wrong. The storage is zeroed first. */
struct engine *ctc_engine_init(void *storage, const struct engine_host *host, const struct ctc_params *params);

#endif
