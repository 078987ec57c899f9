/* dvipa_impl.h - struct dvipa, shared by dvipa*.c.
 *
 *   dvipa.c        the state table, the rows of the peers, the part's exits     dvipa_claim.c  CLAIM, GRANT, DENY
 *   dvipa_conf.c   statements, bind, ioctl, conflicts                           dvipa_home.c   HOME, connections
 *   dvipa_show.c   what displays ask
 *
 * A DVIPA is known as long as this stack configures it, has it in HOME, or a peer has a row for it.
 */
#ifndef SYSPLEX_DVIPA_IMPL_H
#define SYSPLEX_DVIPA_IMPL_H

#include "sysplex/sysplex_impl.h"

#define DVIPA_RETRY_US     (50 * USEC_PER_MSEC) /* a denied claim is looked at again */
#define DVIPA_HALFOPEN_US  (3 * (u64)USEC_PER_SEC) /* how long a given DVIPA is kept for handshakes that were under way */
#define DVIPA_FORMER_US    (2 * (u64)USEC_PER_SEC) /* how long the former owner is asked first: he keeps the address longer */
#define DVIPA_RANK_DEFINE  255
#define DVIPA_LIST_ROWS    (PLEXMSG_DATA_MAX / PLEXMSG_CONN_ROW)

enum dvipa_config_bits {
    CFG_DEFINE = 0x01,
    CFG_BACKUP = 0x02,
    CFG_CREATE = 0x04, /* VIPABACKUP with MOVEABLE and mask */
    CFG_BIND = 0x08,
    CFG_IOCTL = 0x10,
    CFG_STATEMENT = CFG_DEFINE | CFG_BACKUP,
    CFG_ANY = CFG_DEFINE | CFG_BACKUP | CFG_BIND | CFG_IOCTL,
};

/* What a peer says of a DVIPA. */
struct dvipa_row {
    struct list of_dvipa, of_peer;
    struct dvipa *d;
    u8 peer, status, origin, moveable, rank, flags;
    u32 epoch;
};

struct dvipa {
    struct hash_row hash; /* first member */
    struct list node, due;
    struct list rows; /* struct dvipa_row.of_dvipa */
    struct ipaddr addr, mask;
    /* ownership, as far as this stack knows */
    u32 epoch;           /* highest heard, granted or claimed */
    u8 owner, claimant;  /* index of a peer, SX_SELF, SX_NOBODY */
    char last_tcp[9], last_sys[9]; /* the latest owner that was not this stack */
    bool last_died;      /* it did not give the DVIPA up */
    /* this stack */
    u8 status; /* enum dvipa_status */
    u8 config; /* enum dvipa_config_bits */
    u8 rank, moveable, dist;
    bool want;      /* claims it from whoever owns it: VIPADEFINE, bind, ioctl */
    bool yields, deactivated, target, listing;
    bool tell, claim_due; /* to be sent in the next poll */
    bool list_due;        /* likewise: news of a connection found no room, so all that are here are said again */
    u32 conns, refs;      /* connections of this stack with this local address; sockets that were bound to it */
    u64 keep_until;       /* half-open connections may still become whole */
    u8 former;            /* who gave it to this stack and may know what its list did not say, SX_NOBODY */
    u64 former_until;
    u64 active_since;
    /* its own claim */
    u32 claim_epoch;
    u8 priority, claim_flags;
    u64 awaiting; /* set of peers */
    /* a claim that waits: for idleness, or for room to send the list */
    u8 grant_to;
    u8 grant_flags;
    u32 grant_epoch;
    char jobname[9]; /* who bound it or made it */
    struct link *lnk; /* VIPLxxxxxxxx, NULL while not in HOME */
};

/* dvipa.c */
struct dvipa *dvipa_find(struct sysplex *sx, struct ipaddr addr);
/* Finds or makes it; NULL: the table is full. */
struct dvipa *dvipa_get(struct sysplex *sx, struct ipaddr addr);
struct dvipa_row *dvipa_row_of(const struct dvipa *d, u8 peer);
/* Looks at it in the next poll: tells the others, claims, ends. */
void dvipa_touch(struct sysplex *sx, struct dvipa *d, bool tell);
void dvipa_step(struct sysplex *sx, struct dvipa *d, enum dvipa_event e, u64 now);
/* Somebody or nobody owns it now. */
void dvipa_set_owner(struct sysplex *sx, struct dvipa *d, u8 owner, u64 now);
const char *dvipa_text(const struct dvipa *d, char *out);
enum dvipa_origin dvipa_origin_of(const struct dvipa *d);
void dvipa_view(struct sysplex *sx, const struct dvipa *d, struct sysplex_dvipa *out);

/* dvipa_claim.c */
void dvipa_evaluate(struct sysplex *sx, struct dvipa *d, u64 now);
/* Sends the claims that are due. */
bool dvipa_claims_send(struct sysplex *sx, const struct list *batch, u64 now);
void dvipa_claim_message(struct sysplex *sx, struct sysplex_peer *from, const u8 *data, u32 len, u64 now);
void dvipa_answer_message(struct sysplex *sx, struct sysplex_peer *from, u8 kind, const u8 *data, u32 len, u64 now);
void dvipa_awaited_gone(struct sysplex *sx, struct dvipa *d, u8 peer, u64 now);
/* A claim that waited, for idleness or for room: grants it if it can be. */
void dvipa_waiting_grant(struct sysplex *sx, struct dvipa *d, u64 now);
/* Two are ACTIVE: this stack is the one that gives way. */
void dvipa_surrender(struct sysplex *sx, struct dvipa *d, struct sysplex_peer *to, u64 now);
bool dvipa_next_in_rank(struct sysplex *sx, const struct dvipa *d); /* somebody else could take it */

/* dvipa_home.c */
/* Makes HOME what the state demands. -ERR_NOMEM, -ERR_EXIST. */
int dvipa_home_sync(struct sysplex *sx, struct dvipa *d, u64 now);
void dvipa_break(struct sysplex *sx, struct dvipa *d, u64 now); /* resets every connection */
/* Sends the connections of each DVIPA whose `listing` is set to p, and what parts have to say to it. false: no room, to be done again whole. */
bool dvipa_list_connections(struct sysplex *sx, struct sysplex_peer *p, u64 now);
void dvipa_conn_message(struct sysplex *sx, struct sysplex_peer *from, const u8 *data, u32 len, u64 now);
/* What is list_due, as far as there is room. */
void dvipa_list_again(struct sysplex *sx, struct dvipa *d, u64 now);
/* A connection or half-open connection of this stack is there, or is not: whoever owns the address now forwards its packets. */
void dvipa_conn_tell(struct sysplex *sx, const struct tcp_key *key, bool there, u64 now);
void dvipa_conn_change(struct sysplex *sx, const struct tcp_key *key, bool opened, u64 now);

/* A segment of no connection and no handshake of this stack; a SYN only if syn_too. */
bool dvipa_unknown(struct sysplex *sx, const struct pkt *p, bool syn_too);
/* The same, where another connection from that port is in TIME_WAIT. */
bool dvipa_beyond(struct sysplex *sx, const struct pkt *p);

/* dvipa_conf.c */
void dvipa_config_end(struct sysplex *sx, struct dvipa *d, u64 now); /* what keeps it here may have ended */
/* After joining: what the group has may forbid what the profile said. */
void dvipa_config_check(struct sysplex *sx, struct dvipa *d);

#endif
