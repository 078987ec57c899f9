/* osa_card.h - the process of one OSA card: what its files share.
 *
 *   osa_card.c       options, the loop, the port's surroundings (rings, uplink, impairment, capture)
 *   control_card.c   the commands of its control socket
 *   status_card.c    the answer to "status"
 *
 * One thread, one loop: connections of LPARs, uplink, control socket and time. Everything that one round produced is
 * flushed at its end, so a burst rings each doorbell once.
 */
#ifndef HERCULES_DEVICES_OSA_CARD_H
#define HERCULES_DEVICES_OSA_CARD_H

#include "hercules-devices/capture_card.h"
#include "hercules-devices/impair_card.h"
#include "hercules-devices/osa_port.h"
#include "hercules-devices/peer.h"
#include "hercules-devices/peer_control.h"
#include "hercules-devices/peer_fence.h"
#include "hercules-devices/uplink.h"

#define CARD_UPLINK_RETRY_USEC (1u * USEC_PER_SEC)
#define CARD_UPLINK_BATCH      64u

struct card;

/* The context of a connection; the server's own has number -1. */
struct card_slot {
    struct card *card;
    struct peer *peer;
    int n;
    u64 fence_seen; /* peer_fence_still_valid()'s */
};

struct card {
    struct osa_port_params params;
    struct uplink_params uplink_params;
    const char *socket, *control, *capture_option, *fence_file;
    struct osa_port *port;
    struct peer_fence *fence; /* NULL: only the control socket isolates */
    struct osa_port_host host;
    struct peer_server *server;
    struct card_slot self, slot[OSA_ATTACHMENTS];
    u64 dirty; /* attachments whose ring got something in this round */
    struct uplink *uplink;
    bool cable_out; /* pulled by the operator; the LAN is up when it is in and the uplink is there */
    u64 uplink_retry;
    u64 uplink_send_refused, uplink_losses;
    struct impair impair;
    struct capture *capture;
    int epoll, signals;
    struct control commands;
    u64 now, started;
    bool stop;
    u8 frame[UPLINK_FRAME_MAX];
};

/* ---- osa_card.c ---- */
void card_log(struct card *c, const char *text);
bool card_watch(struct card *c, int fd);
/* Decides anew who finishes frames: the uplink, or the port because the wire is impaired. */
void card_offload_update(struct card *c);
/* Tells the port whether the LAN is up: the cable is in and the uplink is there, or there is none to be had. */
void card_lan_update(struct card *c);
/* Ends the connections of isolated attachments; what they were told is still in their rings. */
void card_close_fenced(struct card *c);
bool card_capture_start(struct card *c, const char *file, const char *filter, char *why, size_t cap);
void card_capture_stop(struct card *c);

/* ---- control_card.c ---- */
extern const struct control_ops card_control_ops;

/* ---- status_card.c ---- */
/* One line of JSON; the caller frees it. NULL: no storage. */
char *card_status(const struct card *c);

#endif
