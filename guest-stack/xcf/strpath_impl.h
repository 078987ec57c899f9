/* strpath_impl.h - the inside of paths over structures, shared by
 *   strpath.c        structures: facilities, the operator, time
 *   strpath_move.c   one structure: connected, moved, lost; its own list made ready and read
 *   strpath_duplex.c a structure that is in two facilities
 *   strpath_percent.c partners that have lost it while this system has it: the policy's REBUILDPERCENT
 *   strpath_peer.c   partners: who is there, what is written to them, the lists of those who have left
 */
#ifndef XCF_STRPATH_IMPL_H
#define XCF_STRPATH_IMPL_H

#include "base/str.h"
#include "wire/xcfcds.h"
#include "wire/xcfmsg.h"
#include "xcf/cflinks.h"
#include "xcf/cfrm.h"
#include "xcf/duplex.h"
#include "xcf/pathbuf.h"
#include "xcf/rebuild.h"
#include "xcf/strpath.h"
#include "xcf/xes.h"

#define STRPATH_LISTS (CF_CONNECTORS + 1) /* by connection identifier, from 1 */
#define STRPATH_PEERS CF_CONNECTORS
/* In the connect data, behind rebuild.h's part: incarnation of the system. */
#define STRPATH_INCARNATION_AT 16u
#define STRPATH_LEAST_KB       512u

/* A list command with room in front of it (xcf/duplex.h). */
struct str_cmd {
    u8 front[CF_ORDERED_BYTES], cmd[CF_LIST_BYTES];
};

struct structure;
struct strpeer {
    struct structure *s;
    u8 id;            /* its list, in the structure that is in use now */
    bool here, found; /* connected; listed by CONNECTIONS that is being read */
    char name[9];     /* of its system; "" never used */
    u64 incarnation;
    bool gone;        /* rebuild has been told that this incarnation is out */
    u64 lost_at;      /* it was connected, and lives, and is not connected any more: since then; 0: no such thing */
    bool weighed;     /* and a rebuild was begun since */
    struct xcf_path *in, *out;
    u8 *cmd[2]; /* CF_LIST_BYTES in front of each buffer, and CF_ORDERED_BYTES in front of these */
    struct pathbuf buf;
    bool writing;
    u64 retry_at, wait_us;
    struct duplex_request write;
};
struct structure {
    struct strpaths *g;
    u32 index;
    char name[17];
    bool in, out; /* PATHIN, PATHOUT */
    struct couple_path def[2]; /* of in, of out */
    enum strpath_state state;
    struct rebuild *r;
    struct xes_connection *con;    /* in use, or being left; NULL: there is none */
    struct xes_connection *set[2]; /* whose own list is ready */
    struct xes_connection *setting; /* whose own list is being made ready */
    u8 setup_step;
    u32 outstanding;              /* requests of this structure that have no answer yet */
    bool quiescing, populating;   /* the rebuild waits for that; all is read when populating ends */
    bool known;                   /* partners' identifiers are those of con */
    bool by_operator, by_percent; /* why it moves */
    bool was_lost, drained_not;   /* since it was used last; the old list could not be read to its end */
    char facility[9];             /* where it is or was last; "" nowhere yet */
    bool reading, read_due, cleaning;
    u32 clean_ids; /* bit of each list that is nobody's any more */
    u64 search_at; /* 0: not waiting for links to settle */
    u64 retry_at;  /* the own list could not be made ready: again then */
    u64 lost_at;   /* 0: not lost */
    struct duplex_request setup, read, clean;
    struct str_cmd setup_cmd, read_cmd, clean_cmd;
    struct duplex dx;             /* OFF while the structure is, and was, in one facility */
    const char *why_simplex;      /* a pair ends: what its message says */
    u64 duplex_at;                /* the policy's next attempt to make a pair; 0: none is due */
    struct strpeer peer[STRPATH_PEERS];
};
struct strpaths {
    struct arena *arena;
    struct cflinks *links;
    const struct cfrm *cfrm;
    struct cflink_user user;
    struct xcf *x;
    struct xcf_sysid id;
    void (*say)(void *ctx, const char *line);
    void *ctx;
    u32 count;
    bool look; /* something is to be sent, or to be tried before due */
    u64 due;
    struct structure structure[STRPATH_STRUCTURES_MAX];
    struct strpath_counters counters;
};

/* A list command's header and zeros for operands. */
static inline void str_command(const struct xes_connection *con, u8 *cmd, u8 op, u32 list, u16 flags) {
    memset(cmd, 0, CF_LIST_BYTES);
    cf_command_put(cmd, op, 0, CF_LIST_BYTES, con->token, con->id);
    be32_put(cmd + 16, list);
    be16_put(cmd + 38, flags);
}

/* strpath_move.c */
extern const struct rebuild_ops structure_rebuild_ops; /* context: struct structure */
/* Submits a request about con; false: its link is down, and who lost it will be told. */
bool structure_submit(struct structure *s, struct xes_connection *con, struct duplex_request *q);
/* An answer came: true if nothing follows (lost, or to a structure that is not in use any more). */
bool structure_failed(struct structure *s, u32 rc, u64 now);
/* After each answer: what waited for the last one. */
void structure_rest(struct structure *s, u64 now);

/* A message about the structure: fmt has its name first. */
void structure_tell(const struct structure *s, const char *fmt, const char *a, const char *b);
/* What can be read is read. */
void structure_read(struct structure *s);

/* strpath_duplex.c: rebuild.h's operations for a pair, and what they cause. */
bool structure_duplex_create(struct structure *s);
void structure_pair(void *ctx, struct xes_connection *first, struct xes_connection *second, u32 epoch, u64 now);
void structure_hold(void *ctx, u64 now);
/* use() of one of a pair: true if that is what it was. */
bool structure_unpair(struct structure *s, struct xes_connection *con, u64 now);
u64 structure_duplex_poll(struct structure *s, u64 now);

/* strpath_percent.c */
u64 structure_percent_poll(struct structure *s, u64 now);
/* A rebuild begins, for whatever reason. */
void structure_percent_moves(struct structure *s);

/* strpath_peer.c */
/* CONNECTIONS' response: who is here now, under which identifier. */
void peers_listed(struct structure *s, const u8 *rsp, u32 len, u64 now);
void peers_away(struct structure *s, u64 now); /* the structure is lost: so are all partners */
/* A transfer was read from our list. */
void peer_transfer(struct structure *s, const u8 *transfer, u32 len, u64 now);
void peers_poll(struct structure *s, u64 now, u64 *next); /* sends what has come together, and again what met a full list */

#endif
