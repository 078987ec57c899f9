/* xes.h - the guest's coupling facility services: a link (docs/DEVICES.md section 8), requests, connections, their vectors.
 *
 *   link state   IDENTIFY answered   sense 40   sense 10         isolated    attention      xes_close
 *   CLOSED       -                   -          -                -           -              CLOSED
 *   STARTING     UP                  DOWN       DOWN, STARTING   ISOLATED    STARTING       CLOSED
 *   UP           -                   DOWN       DOWN, STARTING   ISOLATED    UP, drains     CLOSED
 *   DOWN         -                   -          -                -           STARTING       CLOSED
 *   ISOLATED     -                   -          -                -           ISOLATED       CLOSED
 * When UP ends, each request that was accepted ends with XES_LOST, in order; then each connection is told lost(); then the facility
 * event. Connections are made anew by their owners after the next XES_UP.
 *
 * A request is the caller's: a command in contiguous storage (channel programs address it, so it comes from the driver's arena), a
 * function, a context. Requests of one link are executed one after the other in the order of xes_submit, and done() comes in that
 * order; up to XES_BATCH of them are on their way at once. The response lies in the link's buffer and is valid until done()
 * returns. done() may submit more, the same request included; what it submits goes out when all that are on their way are done.
 *
 * Notices are drained by themselves, on attention and whenever a response says that there are some, before the next requests go
 * out. So what is submitted by done() of a request, or later, finds told by its own done() all that the facility had to tell
 * before it executed the first one.
 *
 * How to use it: xes_attach(); on XES_UP fill a struct xes_connection and a CONNECT command (wire/cfcmd.h) and xes_connect(); on
 * connected() xes_submit() commands with con->token and con->id; xes_disconnect(). Touches chan.h and what it is given.
 */
#ifndef XCF_XES_H
#define XCF_XES_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "wire/cfcmd.h"

struct chan_system;
struct xes;

#define XES_BATCH 8 /* 64 KB of storage each; a longer program would make those wait that come behind it */

enum xes_state { XES_CLOSED, XES_STARTING, XES_UP, XES_DOWN, XES_ISOLATED, XES_STATES };

/* The response code of a request that has no response; beyond every enum cf_rc. */
enum { XES_LOST = 0x100 };

struct xes_request {
    struct list order; /* the link's, while it is outstanding */
    u8 *cmd;
    u32 len;
    /* rsp is NULL and len 0 if rc is XES_LOST. NULL: nobody wants to know. */
    void (*done)(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now);
    void *ctx;
};

struct xes_connection;
/* A member that is NULL is of no interest. */
struct xes_connection_ops {
    /* rc of CONNECT, or XES_LOST; flags: CF_NEW_STRUCTURE, CF_RECONNECTED; rsp: the whole response. */
    void (*connected)(struct xes_connection *con, u32 rc, u8 flags, const u8 *rsp, u64 now);
    void (*lost)(struct xes_connection *con, u64 now);
    void (*vector)(struct xes_connection *con, u32 index, bool value, u64 now); /* a bit of the vector was told */
    void (*lock)(struct xes_connection *con, u32 index, u8 exclusive, u32 shared, u32 waiting, u64 now);
    void (*connections)(struct xes_connection *con, u32 changed, u64 now);
    void (*full)(struct xes_connection *con, u32 percent, u64 now);
};
/* Filled by its owner up to ctx; from the driver's arena. */
struct xes_connection {
    const struct xes_connection_ops *ops;
    u32 *vector; /* (vector_bits + 31) / 32 words */
    u32 vector_bits;
    void *ctx;
    /* from here on xes's */
    struct xes *x;
    struct list order;
    u32 token;
    u8 id;
    bool connected;
    bool busy; /* its CONNECT or DISCONNECT is outstanding: it must not be used for another one */
    struct xes_request request;
    u8 cmd[CF_CONNECT_BYTES];
};

struct xes_counters {
    u64 programs, requests, responses, lost, drains, notices, attentions;
    u64 drop_notice;    /* of a connection that is not ours any more, or of no known kind */
    u64 drop_malformed; /* responses of no shape, or of another command */
    u64 channel_errors; /* programs that ended without unit check in an unexpected way */
};

struct xes_events {
    /* XES_UP, DOWN, ISOLATED or CLOSED, each when it is news. In XES_UP the facility's name and incarnation are valid. */
    void (*facility)(void *ctx, struct xes *x, enum xes_state state, u64 now);
};

/* Bytes of arena that one link takes. */
size_t xes_bytes(void);
/* Opens the link and begins: XES_UP follows, or XES_DOWN. -ERR_NOMEM, -ERR_NOENT no such device, -ERR_BUSY. */
int xes_attach(struct arena *a, struct chan_system *sys, u16 devnum, const struct xes_events *events, void *ctx,
               struct xes **out);
/* Everything outstanding is lost, and told so. */
void xes_close(struct xes *x, u64 now);

/* One command, header and operands in r->cmd, r->len bytes; its length field and tag are put in here, token and identifier are the caller's.
 * 0: done() comes, once. -ERR_NETDOWN the link is not UP; -ERR_MSGSIZE shorter than a header or longer than CF_MESSAGE_MAX; done() does not
 * come then. r must not be outstanding. What done() gets as rc is the reason code, in place of IXL's return and reason codes:
 *   CF_OK                        done
 *   CF_RC_MORE                   done in part, as far as the response goes: ask again from there
 *   CF_RC_NO_ENTRY of *_MULT     done in part: cf_count_get(rsp) identifiers
 *   any other enum cf_rc         nothing was changed; wire/cfcmd.h names those of each command, super/xesuse.h has them beside IBM's requests
 *   XES_LOST                     the link went: whether it was executed is not known, but the connection has failed with it */
int xes_submit(struct xes *x, struct xes_request *r);
/* CONNECT's operands are taken from cmd, CF_CONNECT_BYTES; its vector length from con, which may be shorter afterwards. Errors as xes_submit; then
 * connected() is told one of these reason codes:
 *   CF_OK               token, id and vector_bits are set; flags say whether the structure is new, or the connection was failed-persistent
 *   CF_RC_TYPE          there is a structure of this name and of another type
 *   CF_RC_POLICY        the active CFRM policy does not have it in this facility; CF_RC_SPACE: there is no room for it; the next facility may do
 *   CF_RC_CONNECTIONS   the connection's name, the identifier that was wanted (or is beyond 32), or each of the 32 is in use
 *   CF_RC_MALFORMED     counts or sizes that no structure can have, no name
 *   XES_LOST            the link went */
int xes_connect(struct xes *x, struct xes_connection *con, const u8 *cmd);
/* failing: as if this system had failed, so that CF_CONN_KEEP keeps what the connection holds. It gets no notice from now on, its bits stay as
 * they are; con->busy ends when the facility has answered, whatever that is. -ERR_NOTCONN, or as xes_submit. */
int xes_disconnect(struct xes_connection *con, bool failing);
/* What the vector says without asking the facility: a list or event queue is not empty, a buffer is valid. false for an index beyond it. It is
 * as new as the last DRAIN, which every response with CF_RSP_PENDING causes before the next request goes out. */
bool xes_vector_test(const struct xes_connection *con, u32 index);

enum xes_state xes_state(const struct xes *x);
const char *xes_state_name(enum xes_state state);
const char *xes_facility_name(const struct xes *x); /* up to 8 characters */
u64 xes_facility_incarnation(const struct xes *x);
const struct xes_counters *xes_counters(const struct xes *x);

#endif
