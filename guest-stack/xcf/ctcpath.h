/* ctcpath.h - XCF's signalling paths over channel-to-channel adapters: PATHIN DEVICE(n), PATHOUT DEVICE(n).
 *
 * A path is one subchannel and one direction: what one system has as PATHOUT the other has as PATHIN. Transfers: pathbuf.h;
 * channel programs: chan/ctcprog.h.
 *
 * An inbound path's program has several READs, so that the emulator's channel goes on by itself: a PCI says that the next one has
 * begun, but not how long the transfer before it was; so each ends with PATHBUF_END.
 *
 *   state    OK       ABSENT   ERROR   AGAIN
 *   IDLE     -        -        -       SENSE      not operational, or no such device: tried each second
 *   SENSE    MODE     -        IDLE    -          SENSE ID
 *   MODE     UP       AWAIT    IDLE    -          SET EXTENDED MODE
 *   AWAIT    -        -        -       MODE       the partner is not there: each second, and at its attention
 *   UP       -        AWAIT    IDLE    -          ready; an inbound one always has READs outstanding
 *   FOREIGN  -        -        -       -          another kind of device
 * Entering UP is xcf_path_ready(), leaving it xcf_path_down(). An outbound subchannel that is idle hears nothing of its
 * partner's end; so when an inbound one does, each idle outbound one is probed with a NOP: a dead partner is out in one go.
 *
 *   g = ctcpaths_create(arena, channels, xcf, n); ctcpaths_add(g, &couple_path, now) ...; ctcpaths_poll(g, now) after each batch
 */
#ifndef XCF_CTCPATH_H
#define XCF_CTCPATH_H

#include "base/arena.h"
#include "base/base.h"
#include "xcf/couple.h"

struct chan_system;
struct xcf;
struct ctcpaths;

enum ctcpath_state { CTCPATH_IDLE, CTCPATH_SENSE, CTCPATH_MODE, CTCPATH_AWAIT, CTCPATH_UP, CTCPATH_FOREIGN, CTCPATH_STATES };
enum ctcpath_event { CTCPATH_OK, CTCPATH_ABSENT, CTCPATH_ERROR, CTCPATH_AGAIN, CTCPATH_EVENTS };

struct ctcpath_counters {
    u64 transfers_in, transfers_out, bytes_in, bytes_out;
    u64 blocks_in;
    u64 drop_rest;      /* transfers that did not end behind a whole block */
    u64 partner_losses, errors, probes;
};

/* NULL: the arena is too small. max: paths, both directions. Each takes its buffers from the arena when it is added, an inbound one half a megabyte. */
struct ctcpaths *ctcpaths_create(struct arena *a, struct chan_system *sys, struct xcf *x, u32 max);
/* 0, -ERR_NOMEM. A device that is not there is no error: the path stays STARTING until it is. */
int ctcpaths_add(struct ctcpaths *g, const struct couple_path *def, u64 now);
u64 ctcpaths_poll(struct ctcpaths *g, u64 now);
/* Ends the programs; each subchannel is closed when its own has ended. */
void ctcpaths_close(struct ctcpaths *g);

const struct ctcpath_counters *ctcpaths_counters(const struct ctcpaths *g);
/* State of the i-th that was added; CTCPATH_STATES past the last. */
enum ctcpath_state ctcpaths_state(const struct ctcpaths *g, u32 i);
enum ctcpath_state ctcpath_next(enum ctcpath_state s, enum ctcpath_event e); /* the table */
const char *ctcpath_state_name(enum ctcpath_state s);

#endif
