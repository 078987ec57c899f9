/* link_osa.h - the driver of an OSA-Express in QDIO mode, layer 3: DEVICE MPCIPA, LINK IPAQENET; and of a
 * HiperSockets device (CHPID type IQD), LINK IPAQIDIO.
 *
 * A device owns three subchannels: devnum (read control), devnum + 1 (write control), devnum + 2 (data, the
 * queues). START walks the dialogue that OS/390 and Linux walk: sense id, IDX activation of both control
 * subchannels, MPC connection, establish and activate queues, then IPA commands. The steps and what each
 * event does in them are the table in mpcipa_fsm.c; link_osa_print_fsm() prints it. Layouts: wire/osa.h.
 *
 * How to use it: link_osa_driver_init() once per stack and put *out at env.drivers[DEV_MPCIPA]; DEVICE calls
 * attach(). One driver serves one stack. All storage is taken from the arena at init: link_osa_bytes(), of
 * which most is buffers (below): about 4.3 MB a device.
 *
 * What the card offers decides the link's capabilities: always LINK_CAP_ARP; LINK_CAP_CSUM_IN/OUT, _MCAST,
 * _BCAST and _GSO when QIPASSIST announces them and the card accepts their START and ENABLE. With inbound
 * TSO a run of TCP segments arrives as one packet, pkt.gso_bytes saying what each of them was on the wire.
 *
 * Failure codes given to device_failed(): OSA_FAIL_* << 24 | state in which it happened << 16 | detail (an
 * IPA return code, or unit status << 8 | subchannel status).
 */
#ifndef LINK_LINK_OSA_H
#define LINK_LINK_OSA_H

#include "base/arena.h"
#include "base/base.h"
#include "net/link.h"

struct chan_system;

#define LINK_OSA_INPUT_BUFFERS  32  /* of 64 KB, given to the card at once */
#define LINK_OSA_OUTPUT_BUFFERS 32  /* of 64 KB, owned by the card at once */
#define LINK_OSA_ADDRESSES_MAX  1408 /* registered per device: 1,152 dynamic VIPAs, HOME's 128 others, groups */

enum osa_fail {
    OSA_FAIL_NONE,
    OSA_FAIL_NO_DEVICE,  /* a subchannel does not exist or is not operational */
    OSA_FAIL_WRONG_TYPE, /* sense id is not 1731/1732 */
    OSA_FAIL_IO,         /* a channel program ended with an error */
    OSA_FAIL_REFUSED,    /* IDX or MPC: the card said no */
    OSA_FAIL_BAD_REPLY,  /* an answer that no card may give */
    OSA_FAIL_TIMEOUT,    /* no answer in the time of that step */
    OSA_FAIL_COMMAND,    /* an IPA command without which the device is useless failed */
    OSA_FAIL_TERMINATED, /* the card ended the connection while it was running */
    OSA_FAIL_QUEUE,      /* the card put a queue into error state */
    OSA_FAILS
};

/* Every drop and every stop of the data path by its cause; NETSTAT DEVLINKS and the tests show them. */
#define LINK_OSA_COUNTERS(X)                                                                                 \
    X(siga_read)                                                                                             \
    X(siga_write)                                                                                            \
    X(pci_events)                                                                                            \
    X(input_buffers)                                                                                         \
    X(output_buffers)                                                                                        \
    X(packets_per_input_buffer_max)                                                                          \
    X(drops_in_header)    /* qeth header of an unknown kind, or longer than its buffer */                    \
    X(drops_in_length)    /* packet longer than what the buffer holds */                                     \
    X(buffers_in_error)   /* input buffer handed over in error state */                                      \
    X(drops_out_full)     /* all output buffers are with the card */                                         \
    X(drops_out_size)     /* packet larger than a buffer */                                                  \
    X(buffers_out_error)  /* output buffer came back in error state */                                       \
    X(replies_stray)      /* IPA answer that nobody waits for */                                             \
    X(replies_malformed)  /* frame on the control subchannel that fails its check */                         \
    X(address_refused)    /* SETIP or SETIPM answered with a return code */                                  \
    X(routing_refused)    /* SETRTG: another LPAR of the card is that router */                              \
    X(address_table_full) /* LINK_OSA_ADDRESSES_MAX reached */                                               \
    X(starts)                                                                                                \
    X(stops)                                                                                                 \
    X(failures)                                                                                              \
    X(lan_losses)

struct link_osa_counters {
#define X(name) u64 name;
    LINK_OSA_COUNTERS(X)
#undef X
};

/* 0, or -ERR_NOMEM if the arena is too small. */
int link_osa_driver_init(struct driver *out, struct chan_system *sys, struct arena *a, u32 max_devices);
/* Storage that link_osa_driver_init() takes, alignment losses included. */
size_t link_osa_bytes(u32 max_devices);

const struct link_osa_counters *link_osa_counters(const struct device *dev);
/* Name of the step the device is in: "CM_ENABLE", "READY" ... */
const char *link_osa_state_name(const struct device *dev);
/* "TIMEOUT IN ULP_SETUP, DETAIL 0000" for a code given to device_failed(). Returns out. */
const char *link_osa_fail_text(u32 code, char *out, size_t cap);
/* The state table, one line per cell that is not "ignored", to line(). */
void link_osa_print_fsm(void (*line)(void *ctx, const char *text), void *ctx);

#endif
