/* mpcipa.h - one QDIO device laid open for the files of this driver; other rooms use link_osa.h.
 *
 *   link_osa.c    tables of operations, attach and detach, storage
 *   mpcipa_fsm.c     states, events, the step timer, subchannels opened and closed
 *   mpcipa_mpc.c     IDX and MPC frames, the read that is always outstanding
 *   mpcipa_ipa.c     IPA commands of the start-up, their answers, unsolicited ones
 *   mpcipa_addr.c    registered addresses and groups, the neighbours' table of the card
 *   mpcipa_queue.c   queues in storage, input and output
 */
#ifndef LINK_MPCIPA_H
#define LINK_MPCIPA_H

#include "base/list.h"
#include "link/chandev.h"
#include "link/link_osa.h"
#include "wire/osa.h"

enum mpcipa_state {
    OSA_DOWN,
    OSA_SENSE,
    OSA_IDX_READ,
    OSA_IDX_WRITE,
    OSA_CM_ENABLE,
    OSA_CM_SETUP,
    OSA_ULP_ENABLE,
    OSA_ULP_SETUP,
    OSA_ESTABLISH,
    OSA_ACTIVATE,
    OSA_DM_ACT,
    OSA_STARTLAN,
    OSA_QIPASSIST,
    OSA_ADAPTER,
    OSA_MAC,
    OSA_ASSIST,
    OSA_ROUTING,
    OSA_READY,
    OSA_STOPLAN,
    OSA_HALT,
    OSA_STATES
};

enum mpcipa_event {
    OSA_EV_START,
    OSA_EV_STOP,
    OSA_EV_OK,      /* the step succeeded */
    OSA_EV_MORE,    /* the step succeeded and has a next part */
    OSA_EV_REFUSED, /* the card answered with a return code */
    OSA_EV_ERROR,   /* a channel program ended badly */
    OSA_EV_TIMEOUT, /* the step's time is over */
    OSA_EV_LOST,    /* the card ended the connection, or a queue */
    OSA_EV_LAN,     /* the LAN is there again, and the card may have forgotten us */
    OSA_EV_QUIET,   /* no subchannel has a program left */
    OSA_EVENTS
};

/* An address that the card is to answer for, or a group it is to deliver. */
struct mpcipa_addr {
    struct mpcipa_addr *next; /* in the hash chain */
    struct list due;          /* in mpcipa.due while something is to be told to the card */
    struct ipaddr addr;
    bool group;
    u8 flags;        /* IPA_IP_..., IPA_DELIP_... of what is to be told */
    bool wanted;     /* the stack wants it */
    bool registered; /* the card has it */
};

#define OSA_ADDR_BUCKETS 512
#define OSA_ARP_ROWS     128 /* of the card's neighbours, kept for NETSTAT ARP */

struct mpcipa_neighbour {
    struct ipaddr ip;
    u8 mac[MAC_LEN];
};

/* One direction's queue of 128 buffers; buffer i owns SBAL i and shares storage slot i % slots. */
struct mpcipa_queue {
    u8 *slib, *sl, *slsb, *sbals;
    u8 *storage;
    u32 slots;   /* a power of two; buffers that have storage at once */
    u32 next;    /* input: buffer to look at; output: buffer being filled */
    u32 element; /* output: SBALEs used in it, 0 = none is open */
    u32 rung;    /* output: first buffer that was closed after the last SIGA */
};

struct mpcipa {
    struct chandev m; /* parts: of SENSE, ACTIVATE and ASSIST */
    struct timer stall, refresh;
    bool announced; /* device_ready() was called */
    bool lan_due;   /* came while a command was outstanding */
    u8 held_event;  /* answer that came before the end of its write; OSA_EVENTS = none */
    enum osa_fail held_why;
    u32 held_detail;

    /* control frames */
    u8 *write_buf, *read_buf, *bounce; /* OSA_CTL_BYTES; bounce: an input packet that is not contiguous */
    u32 th_seq, seq, ack;
    u16 ipa_seq;
    u8 ipa_command;                                                       /* outstanding, 0 = none */
    u32 token_rm, token_cm_filter, token_cm, token_ulp_filter, token_ulp; /* the card's */

    /* what the card is */
    u32 mtu_bytes;
    u32 assists;          /* offered by QIPASSIST */
    u32 adapter_commands; /* offered by SETADAPTERPARMS QUERY */
    u32 csum_in_offered, csum_out_offered, tso_offered, lro_offered;
    u16 caps;
    u8 mac[MAC_LEN];
    bool lan_up;

    /* registration */
    struct pool addr_pool;
    struct mpcipa_addr *bucket[OSA_ADDR_BUCKETS];
    struct list due;
    struct mpcipa_addr *in_flight;
    bool in_flight_add;
    bool hold; /* nothing is told to the card for the moment */
    bool flush_due, query_due;
    u64 refreshed_at; /* siga_write when the neighbours were last asked for */
    u32 neighbours, neighbours_new;
    struct mpcipa_neighbour neighbour[OSA_ARP_ROWS];

    /* data */
    u8 *qdr, *qib;
    struct mpcipa_queue in, out;
    bool data_up;   /* the queues are active */
    u32 stall_usec; /* until the card is rung again for output that it kept */
    struct link_osa_counters count;
};

struct mpcipa_driver {
    u32 max_devices;
    struct mpcipa *devices;
};

/* A TSO packet: 64 bytes of header, and at most 15 pages of packet as Linux's driver limits itself too. */
#define OSA_GSO_BYTES (15u * 4096)

/* A HiperSockets device speaks another level of IDX, says its frame size instead of an MTU, and has another queue format. */
static inline bool mpcipa_is_iqd(const struct mpcipa *d) {
    return d->m.dev->lnk && d->m.dev->lnk->type == LNK_IPAQIDIO;
}

/* ---- mpcipa_fsm.c ---- */
extern const struct chandev_kind mpcipa_kind;
void mpcipa_event(struct mpcipa *d, enum mpcipa_event ev, enum osa_fail why, u32 detail, u64 now);
void mpcipa_fsm_init(struct mpcipa *d);

/* ---- mpcipa_mpc.c ---- */
void mpcipa_idx_send(struct mpcipa *d, u64 now);
/* The reply of an IDX activation is in the read buffer. */
void mpcipa_idx_done(struct mpcipa *d, const struct chan_status *st, u64 now);
void mpcipa_mpc_send(struct mpcipa *d, u64 now);
void mpcipa_read_start(struct mpcipa *d, u64 now);
void mpcipa_read_done(struct mpcipa *d, const struct chan_status *st, u64 now);
/* The answer to what was written: an event, now or when the write has ended. */
void mpcipa_answered(struct mpcipa *d, enum mpcipa_event ev, enum osa_fail why, u32 detail, u64 now);
/* Sends a PDU of len bytes that stands at mpcipa_pdu() already. */
u8 *mpcipa_pdu(struct mpcipa *d);
void mpcipa_pdu_send(struct mpcipa *d, u8 type, u8 proto, u32 token, u32 len, u64 now);

/* ---- mpcipa_ipa.c ---- */
void mpcipa_ipa_step(struct mpcipa *d, u64 now); /* sends the command of the current state */
void mpcipa_ipa_input(struct mpcipa *d, const u8 *pdu, u32 len, u64 now);
/* Begins a command at the PDU: header filled, data_len bytes of data zeroed. Returns the data. */
u8 *mpcipa_ipa_begin(struct mpcipa *d, u8 command, u32 data_len);
u8 *mpcipa_ipa_assist(struct mpcipa *d, u32 assist, u16 command, u32 data_len);
void mpcipa_ipa_send(struct mpcipa *d, u32 data_len, u64 now);

/* ---- mpcipa_addr.c ---- */
int mpcipa_addr_want(struct mpcipa *d, struct ipaddr a, bool group, u8 flags, bool wanted, u64 now);
void mpcipa_addr_next(struct mpcipa *d, u64 now); /* READY: sends what is due if nothing is outstanding */
void mpcipa_addr_answer(struct mpcipa *d, const u8 *ipa, u32 len, u64 now);
void mpcipa_addr_forget(struct mpcipa *d);
void mpcipa_addr_stale(struct mpcipa *d); /* every entry is unwanted until the stack wants it again */
#define NEIGHBOURS_USEC (10u * USEC_PER_SEC)
int mpcipa_arp_purge(struct mpcipa *d, u64 now);
int mpcipa_arp_query(struct mpcipa *d, void (*row)(void *ctx, struct ipaddr ip, const u8 *mac), void *ctx);
void mpcipa_arp_refresh(struct mpcipa *d, u64 now);

/* ---- mpcipa_queue.c ---- */
size_t mpcipa_queue_bytes(void);
bool mpcipa_queue_storage(struct mpcipa *d, struct arena *a);
void mpcipa_queue_build(struct mpcipa *d); /* writes QDR .. SLSB anew */
void mpcipa_queue_prime(struct mpcipa *d); /* gives the input buffers to the card */
void mpcipa_queue_input(struct mpcipa *d, u64 now);
int mpcipa_queue_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now);
void mpcipa_queue_flush(struct mpcipa *d, u64 now);
void mpcipa_queue_stall(struct mpcipa *d, u64 now); /* the stall timer */

#endif
