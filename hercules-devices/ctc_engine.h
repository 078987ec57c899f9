/* ctc_engine.h - one end of a channel-to-channel link: a group of units towards one partner system, as an engine
 * (engine.h). What a command does: ctc_cu.h. What the two ends say to each other: ctc_wire.h.
 *
 *   struct engine *e = ctc_engine_init(<ctc_engine_bytes() bytes>, &host, &params);
 *
 *   end    its control units are ...
 *   home   side 0 its own channel, side 1 the far end's
 *   far    used only while the home end is not there: side 0 its own channel, side 1 absent
 *
 * The units of a link come in pairs; unit i meets the partner's unit i ^ 1, so that the read device of each end meets
 * the other's write device; "straight" links have unit i meet unit i.
 *
 * A command of the far end costs one message each way. WRITE's data travel with the command and wait in the home end's
 * store; a READ is one copy from there, or from the writer's own data area, to the reader's.
 *
 *   connection          far end                                  home end
 *   up                  ATTACH                          <->      ATTACH
 *   views agree         commands go home                         side 1 attached
 *   views differ        a line on both ends; each behaves as if the other were absent
 *   down                outstanding: unit check, sense 41        side 1 detached
 *
 * A full ring: an end, a status, a command or a cancel that found no room is sent later, in order, from rx_end();
 * each unit has at most one of each.
 */
#ifndef HERCULES_DEVICES_CTC_ENGINE_H
#define HERCULES_DEVICES_CTC_ENGINE_H

#include "hercules-devices/engine.h"

#define CTC_UNITS_MAX 2 /* a pair: one read, one write device */

struct ctc_params {
    char lpar[9], partner[9]; /* system names, ASCII, up to 8 characters */
    u16 devnum, partner_devnum; /* of unit 0 */
    bool home;                  /* this end serves the connection */
    bool straight;
};

size_t ctc_engine_bytes(void);
/* NULL and a line in host->log if a parameter is wrong. The storage is zeroed first. */
struct engine *ctc_engine_init(void *storage, const struct engine_host *host, const struct ctc_params *params);

#endif
