/* strpath_impl.h - the inside of paths over structures, shared by strpath.c (structures: where, connected, read) and
 * strpath_peer.c (partners: who, written). */
#ifndef XCF_STRPATH_IMPL_H
#define XCF_STRPATH_IMPL_H

#include "base/str.h"
#include "wire/xcfcds.h"
#include "wire/xcfmsg.h"
#include "xcf/cflinks.h"
#include "xcf/pathbuf.h"
#include "xcf/strpath.h"
#include "xcf/xes.h"

#define STRPATH_PEERS (CF_CONNECTORS + 1) /* by connection identifier, from 1 */

struct structure;
struct strpeer {
    struct structure *s;
    u8 id;
    bool here, found; /* connected; found by the question under way */
    char name[9];     /* of its system */
    u64 incarnation;
    struct xcf_path *in, *out;
    u8 *cmd[2]; /* CF_LIST_BYTES in front of each buffer */
    struct pathbuf buf;
    bool writing;
    u64 retry_at, wait_us;
    struct xes_request write;
};
struct structure {
    struct strpaths *g;
    u32 index;
    char name[17];
    bool in, out; /* PATHIN, PATHOUT */
    struct couple_path def[2]; /* of in, of out */
    enum strpath_state state;
    u64 retry_at;
    bool refused[2]; /* by facility of the preference: its policy does not have the structure, or no room */
    u32 kb;
    char facility[9];
    struct xes *x;
    struct xes_connection con[2]; /* one may still be disconnecting while the other connects */
    u8 which, setup_step;
    u32 vector;
    bool reading, read_due, querying, query_due, setting, cleaning;
    u32 clean_ids; /* bit of each list that is nobody's any more */
    struct xes_request setup, query, read, clean;
    u8 setup_cmd[CF_LIST_BYTES], query_cmd[CF_CMD_BYTES + CF_NAME_BYTES], read_cmd[CF_LIST_BYTES], clean_cmd[CF_LIST_BYTES];
    struct strpeer peer[STRPATH_PEERS];
};
struct strpaths {
    struct arena *arena;
    struct cflinks *links;
    struct cflink_user user;
    struct xcf *x;
    struct xcf_sysid id;
    char prefer[2][9];
    u32 count;
    bool look; /* something is to be sent, or to be tried before due */
    u64 due;
    struct structure structure[STRPATH_STRUCTURES_MAX];
    struct strpath_counters counters;
};

static inline struct xes_connection *str_con(struct structure *s) { return &s->con[s->which]; }
/* A list command's header and zeros for operands. */
static inline void str_command(struct structure *s, u8 *cmd, u8 op, u32 list, u16 flags) {
    memset(cmd, 0, CF_LIST_BYTES);
    cf_command_put(cmd, op, 0, CF_LIST_BYTES, str_con(s)->token, str_con(s)->id);
    be32_put(cmd + 16, list);
    be16_put(cmd + 38, flags);
}

/* strpath.c */
/* The response code of a request: true if nothing follows (lost; or the connection is given up). */
bool structure_failed(struct structure *s, u32 rc, u64 now);

/* strpath_peer.c */
void peers_query(struct structure *s);      /* asks who is connected */
void peers_away(struct structure *s, u64 now); /* the connection is gone: so are all partners */
/* A transfer was read from our list. */
void peer_transfer(struct structure *s, const u8 *transfer, u32 len, u64 now);
void peers_poll(struct structure *s, u64 now, u64 *next); /* sends what has come together, and again what met a full list */

#endif
