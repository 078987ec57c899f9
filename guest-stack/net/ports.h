/* ports.h - PORT and PORTRANGE: who may bind what; and the choice of ephemeral ports (RFC 6056).
 *
 * A bitmap of 65,536 bits a protocol says whether any rule names a port, so the common question costs one
 * load. Rules of one port stand in profile order; a bind is allowed if the job's name matches one of them:
 *   "*" and "OMVS" match every job; "WEB*" every job that begins with WEB; otherwise the whole name.
 */
#ifndef NET_PORTS_H
#define NET_PORTS_H

#include "base/arena.h"
#include "base/base.h"
#include "base/list.h"
#include "wire/ipaddr.h"

struct stack;

enum port_flags {
    PORT_RESERVED = 0x01, /* nobody may bind */
    PORT_NOAUTOLOG = 0x02,
    PORT_DELAYACKS = 0x04,
    PORT_NODELAYACKS = 0x08,
    PORT_SHAREPORT = 0x10,
    PORT_SHAREPORTWLM = 0x20,
    PORT_BIND = 0x40,  /* bind to any becomes bind to .bind (Server Bind Control) */
    PORT_RANGE = 0x80, /* from PORTRANGE */
};

struct port_rule {
    struct list node;
    u16 first, last;
    u8 proto; /* IP_PROTO_TCP, IP_PROTO_UDP */
    u8 flags;
    char jobname[9];
    struct ipaddr bind;
};

struct port_table {
    struct pool pool;
    struct list rules; /* profile order */
    u32 *ruled[2];     /* bitmap, TCP and UDP */
};

size_t port_bytes(u32 max_port_rules);
bool port_init(struct stack *stk, struct arena *a, u32 max_port_rules);

/* The rule's node is ignored, the rest copied. -ERR_EXIST: a PORT inside a PORTRANGE, or the reverse, or the
 * same port, job and BIND address again; -ERR_INVAL: port 0, first > last, BIND with RESERVED or a range,
 * SHAREPORT for UDP; -ERR_NOMEM. */
int port_rule_add(struct stack *stk, const struct port_rule *rule);
/* DELETE PORT/PORTRANGE: by first, last, proto and jobname. -ERR_NOENT. */
int port_rule_del(struct stack *stk, const struct port_rule *rule);
/* May this job bind this port? 0 with *out its rule (NULL: no rule names the port), or -ERR_ACCES. Ports
 * below 1024 without a rule are refused under RESTRICTLOWPORTS. */
int port_check(struct stack *stk, u8 proto, u16 port, const char *jobname, const struct port_rule **out);
bool port_jobname_matches(const char *rule, const char *jobname);
/* Is port in EPHEMERALPORTS and named by no rule? */
bool port_is_ephemeral(const struct stack *stk, u8 proto, u16 port);
/* A random port from EPHEMERALPORTS that no rule names and in_use() denies; -ERR_ADDRINUSE if there is none.
 */
int port_ephemeral(struct stack *stk, u8 proto, bool (*in_use)(void *ctx, u16 port), void *ctx, u16 *out);
/* NETSTAT PORTLIST and AUTOLOG: r = NULL starts, NULL ends. */
const struct port_rule *port_rule_next(const struct stack *stk, const struct port_rule *r);

#endif
