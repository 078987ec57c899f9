/* osa_internal.h - the state of one OSA engine, and what its files ask of one another.
 *
 *   osa_engine.c    life, CCW dispatch, sense, node descriptors, counters, log
 *   osa_mpc.c       IDX and MPC: the dialogue's state table, replies to the read device
 *   osa_ipa.c       IPA commands: table, replies, addresses, groups, routing
 *   osa_assist.c    SETASSPARMS
 *   osa_adapter.c   SETADAPTERPARMS
 *   osa_attach.c    the card: attach, requests and answers, events, registering again
 *   osa_qdio.c      establish, activate, SIGA
 *   osa_out.c       output queues
 *   osa_in.c        the input queue
 *
 * One guest session runs from IDX ACTIVATE to the halt of the data device. What it registered at the port
 * (struct osa_entry, router role, assists) is kept here as long as the session lives, so that a card that
 * comes back gets it again.
 *
 *   data device   DOWN --ESTABLISH--> ESTABLISHED --ACTIVATE--> ACTIVE --halt, reset--> DOWN
 *   card          DOWN --link up--> WAIT (ATTACH sent) --ATTACHED--> UP --link down--> DOWN
 *                 any --event FENCED, ATTACH refused--> FENCED --link down--> DOWN
 */
#ifndef HERCULES_DEVICES_OSA_INTERNAL_H
#define HERCULES_DEVICES_OSA_INTERNAL_H

#include "hercules-devices/engine.h"
#include "hercules-devices/osa_engine.h"
#include "hercules-devices/osa_msg.h"
#include "hercules-devices/osa_wire.h"
#include "wire/ipaddr.h"
#include "wire/osa.h"

/* Control frames that wait for a READ: as many as commands can be pending, and a few events. */
#define OSA_REPLIES_MAX 24
/* Requests on their way to the port. A driver sends one at a time or a handful. */
#define OSA_PENDING_MAX 16
/* Bytes of a command that are kept for its reply; commands that ask the port are shorter. */
#define OSA_PENDING_BYTES 128
/* Registrations of one session: home addresses, VIPAs, groups, MACs; as many as a stack has (link_osa.h, LINK_OSA_ADDRESSES_MAX).
 * An OSA-Express of the time had 512 to 2048. */
#define OSA_ENTRIES_MAX 1408
#define OSA_MTU_DEFAULT 1500

enum osa_mpc_state {
    MPC_S_DOWN,
    MPC_S_IDX,
    MPC_S_CM_ENABLED,
    MPC_S_CM_UP,
    MPC_S_ULP_ENABLED,
    MPC_S_ULP_UP,
    MPC_S_ACTIVE,
    MPC_STATES,
};
enum osa_mpc_event {
    MPC_E_CM_ENABLE,
    MPC_E_CM_SETUP,
    MPC_E_CM_TAKEDOWN,
    MPC_E_CM_DISABLE,
    MPC_E_ULP_ENABLE,
    MPC_E_ULP_SETUP,
    MPC_E_ULP_ACTIVE,
    MPC_E_ULP_TAKEDOWN,
    MPC_E_ULP_DISABLE,
    MPC_E_IPA,
    MPC_EVENTS,
};
#define MPC_REFUSED MPC_STATES /* an event that a state does not take */

enum osa_data_state { OSA_DATA_DOWN, OSA_DATA_ESTABLISHED, OSA_DATA_ACTIVE };
enum osa_card_state { OSA_CARD_DOWN, OSA_CARD_WAIT, OSA_CARD_UP, OSA_CARD_FENCED };

/* Name of the counter, and what it counts. Every drop is one of these. */
#define OSA_COUNTERS(X)                                                                                      \
    X(out_packets) /* packets given to the card */                                                           \
    X(out_bytes)                                                                                             \
    X(out_buffers)     /* output buffers taken */                                                            \
    X(out_stalled)     /* times the ring to the card was full */                                             \
    X(out_no_card)     /* dropped: no card, or not attached */                                               \
    X(out_no_lan)      /* dropped: before STARTLAN, after STOPLAN, cable pulled */                           \
    X(out_bad_header)  /* dropped: no or wrong packet header */                                              \
    X(out_bad_packet)  /* dropped: IP header or segmentation request makes no sense */                       \
    X(out_unsupported) /* dropped: IPv6 on layer 3 */                                                        \
    X(out_bad_address) /* dropped: SBAL or element outside storage, or short of data */                      \
    X(out_bad_queue)   /* SIGA for a queue that is not there */                                              \
    X(in_packets)                                                                                            \
    X(in_bytes)                                                                                              \
    X(in_buffers) /* input buffers filled */                                                                 \
    X(interrupts)                                                                                            \
    X(in_polled)      /* interrupts saved: the program was polling */                                        \
    X(in_deferred)    /* messages left in the ring: no empty input buffer */                                 \
    X(in_not_active)  /* dropped: queues not active or LAN stopped */                                        \
    X(in_too_big)     /* dropped: larger than an input buffer */                                             \
    X(in_wrong_form)  /* dropped: IP for layer 2, Ethernet for layer 3 */                                    \
    X(in_bad_address) /* input buffers refused: SBAL or element outside storage */                           \
    X(msg_malformed)  /* messages from the card that make no sense */                                        \
    X(msg_stale)      /* answers nobody waits for */                                                         \
    X(mpc_malformed)  /* control frames refused */                                                           \
    X(mpc_out_of_order)                                                                                      \
    X(mpc_sequence)  /* control frames with a gap in their sequence numbers */                               \
    X(reply_no_room) /* replies dropped: nobody reads them */                                                \
    X(ipa_commands)                                                                                          \
    X(ipa_refused)                                                                                           \
    X(ccw_rejected)                                                                                          \
    X(entries_full) /* registrations that will not survive a restart of the card */

struct osa_counters {
#define X(name) u64 name;
    OSA_COUNTERS(X)
#undef X
};

struct osa_unit {
    struct engine_ccw *waiting; /* outstanding CCW */
    struct engine_sense sense;
    u32 gathered; /* bytes of a WRITE with data chaining so far */
    u32 read_at;  /* bytes of the first reply already read by data chaining */
    u8 gather[OSA_CTL_BYTES];
};

struct osa_reply {
    u32 len;
    u8 bytes[OSA_CTL_BYTES];
};

struct osa_pending {
    u16 tag; /* 0 = free */
    u8 op;
    u32 mask; /* assists asked for: what holds when the answer is good */
    u32 ack;  /* sequence number of the command's frame */
    u32 len;
    u8 pdu[OSA_PENDING_BYTES];
};

/* One registration at the port. */
struct osa_entry {
    u8 op; /* OSA_OP_SETIP, SETIPM, SETVMAC, SETGMAC, ARP_ADD; 0 = free */
    u8 flags;
    u8 mac[6];
    u32 addr, mask;
};

struct osa_queue {
    u64 sl, slsb;
    u32 next;            /* buffer to look at */
    u32 element, offset; /* output: where in it the next packet begins */
};

/* The input buffer that is being filled. */
struct osa_filling {
    bool open;
    u32 elements;      /* usable ones */
    u32 element, used; /* where the next byte goes */
    u32 packets;
    u64 sbal_addr;
    u8 sbal[SBAL_BYTES];
};

struct osa_engine {
    struct engine base;
    struct osa_params params;
    struct osa_unit unit[OSA_UNITS];
    struct osa_counters count;

    /* dialogue */
    enum osa_mpc_state mpc;
    bool idx_up[2];
    bool idx_due; /* the write device's IDX reply */
    u8 idx_reply[IDX_BYTES];
    u32 token_issuer, token_cm, token_ulp; /* of the guest: where replies go */
    u32 th_seq_in, th_seq_out, cm_seq_out, ulp_seq_out;
    u32 reply_first, reply_count;
    struct osa_reply reply[OSA_REPLIES_MAX];
    u8 ipa_pdu[OSA_CTL_BYTES]; /* the command at hand, turned into its reply */

    /* card */
    enum osa_card_state card;
    bool link_up;
    bool attach_due, detach_due; /* could not be sent yet */
    bool lan_up;                 /* cable */
    bool lan_wanted;             /* the guest's STARTLAN, not STOPLAN since */
    bool lan_told;               /* what the guest was told last */
    bool port_used;              /* this attachment registered something */
    u8 mode;                     /* OSA_MODE_QDIO_L3 or _L2 */
    u8 router;
    u8 mac[6];
    bool promisc;
    u32 frame_max; /* 0 = never attached */
    u32 card_assists, assists;
    u32 ass_enabled;
    u16 tag;
    u32 replay; /* entries still to be registered again: index + 1; 0 = done */
    struct osa_pending pending[OSA_PENDING_MAX];
    struct osa_entry entry[OSA_ENTRIES_MAX];

    /* queues */
    enum osa_data_state data;
    u32 in_queues, out_queues;
    struct osa_queue in, out[QDIO_OUT_QUEUES_MAX];
    struct osa_filling fill;
    bool in_primed; /* buffers were filled since the last interrupt */
    u32 in_mark;    /* the buffer before the first of them, where a program that polls left its mark */
    bool flush_due, pci_due;
    u8 out_stall_mask;
};

static inline struct osa_engine *osa_of(struct engine *e) {
    return CONTAINER_OF(e, struct osa_engine, base);
}

/* ---- osa_engine.c ---- */
void osa_log(struct osa_engine *e, enum engine_severity sev, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* True at the 1st, 2nd, 4th, 8th ... call for a counter: a flood of bad input is one line a doubling. */
bool osa_count_drop(u64 *counter);
void osa_trace(struct osa_engine *e, u32 unit, const char *what, const u8 *bytes, u32 len);
/* Fills c for unit check with the sense byte; returns ENGINE_DONE. */
enum engine_rc osa_unit_check(struct osa_engine *e, u32 unit, struct engine_ccw *c, u8 sense0);
/* Channel end, device end. */
enum engine_rc osa_done(struct engine_ccw *c, u32 transferred);
void osa_complete(struct osa_engine *e, u32 unit);
/* Counter number i, 0 first; false past the last. For displays. */
bool osa_engine_counter(struct engine *e, u32 i, const char **name, u64 *value);

/* ---- osa_mpc.c ---- */
const char *osa_mpc_state_name(u32 state);
const char *osa_mpc_event_name(u32 event);
u32 osa_mpc_next(u32 state, u32 event); /* MPC_REFUSED */
/* What WRITE brought on the read or write device; READ of what is due there. */
enum engine_rc osa_mpc_write(struct osa_engine *e, u32 unit, struct engine_ccw *c, const u8 *frame, u32 len);
enum engine_rc osa_mpc_read(struct osa_engine *e, u32 unit, struct engine_ccw *c);
/* Room for a reply, NULL if there is none (counted); osa_reply_send() gives it to the guest. */
u8 *osa_reply_room(struct osa_engine *e);
void osa_reply_send(struct osa_engine *e, u32 len);
/* An IPA PDU towards the guest. */
void osa_ipa_send(struct osa_engine *e, const u8 *pdu, u32 len, u32 ack);
/* The WRITE that waits for the card to answer ATTACH is taken up again. */
void osa_mpc_resume(struct osa_engine *e);
void osa_session_reset(struct osa_engine *e);

/* ---- osa_ipa.c ---- */
#define IPA_RC_LATER 0x10000u /* the answer of the port makes the reply */
struct ipa_call {
    u8 *pdu;
    u32 len, ack;
};
void osa_ipa_command(struct osa_engine *e, const u8 *pdu, u32 len, u32 ack);
void osa_ipa_answer(struct osa_engine *e, struct osa_pending *p, u32 port_rc, const u8 *data, u32 len);
/* Unsolicited STARTLAN or STOPLAN. */
void osa_ipa_lan_event(struct osa_engine *e, bool up);
const char *osa_ipa_name(u8 command);
u32 osa_ipa_supported(const struct osa_engine *e);

/* ---- osa_assist.c, osa_adapter.c: an IPA return code each ---- */
u32 osa_assist_command(struct osa_engine *e, struct ipa_call *call);
void osa_assist_answer(struct osa_engine *e, struct osa_pending *p, u32 rc, const u8 *data, u32 len);
u32 osa_adapter_command(struct osa_engine *e, struct ipa_call *call);

/* ---- osa_attach.c ---- */
/* Sends a request whose answer makes the reply to call: IPA_RC_LATER, or the return code when it cannot be
 * sent. */
u32 osa_request(struct osa_engine *e, const struct ipa_call *call, const struct osa_request *r);
void osa_attach_link(struct osa_engine *e, bool up);
/* Leaves the port and attaches anew with a mode: what was registered there is gone. */
void osa_attach_again(struct osa_engine *e, u8 mode);
/* A message that is not a frame. */
void osa_attach_message(struct osa_engine *e, const u8 *msg, u32 len);
/* What could not be sent before. */
void osa_attach_pump(struct osa_engine *e);
void osa_entry_add(struct osa_engine *e, const struct osa_entry *entry);
void osa_entry_remove(struct osa_engine *e, const struct osa_entry *entry);

/* ---- osa_qdio.c, osa_out.c, osa_in.c ---- */
enum engine_rc osa_establish(struct osa_engine *e, struct engine_ccw *c, const u8 *qdr, u32 len);
enum engine_rc osa_activate(struct osa_engine *e, struct engine_ccw *c);
void osa_queues_down(struct osa_engine *e);
int osa_siga_write(struct engine *base, u32 unit, u32 qmask);
int osa_siga_read(struct engine *base, u32 unit, u32 qmask);
int osa_siga_sync(struct engine *base, u32 unit, u32 out_mask, u32 in_mask);
void osa_raise_pci(struct osa_engine *e);
u8 *osa_storage(const struct osa_engine *e, u64 addr, u32 len, bool will_write);
/* The SBAL of buffer q->next: its address and a copy; false if it is outside storage. */
bool osa_sbal_fetch(const struct osa_engine *e, const struct osa_queue *q, u64 *addr, u8 *copy);
u8 osa_slsb_get(const struct osa_engine *e, const struct osa_queue *q, u32 buffer);
void osa_slsb_set(const struct osa_engine *e, const struct osa_queue *q, u32 buffer, u8 state);

void osa_out_run(struct osa_engine *e, u32 qmask);
void osa_out_resume(struct osa_engine *e); /* queues that stalled on a full ring */
void osa_flush(struct osa_engine *e);
bool osa_in_frame(struct osa_engine *e, const u8 *msg, u32 len);
void osa_in_close(struct osa_engine *e);  /* ends the buffer that is being filled */
void osa_in_signal(struct osa_engine *e); /* one interrupt for what was filled since the last */

#endif
