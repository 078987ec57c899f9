/* profile.h - the reader of PROFILE.TCPIP and OBEYFILE data sets: tokens, statement table, error rules.
 *
 * Text: blanks and line ends separate tokens; ';' at the beginning of a token is a comment to the end of the
 * line; system symbols are resolved in each line before it is cut into tokens; lower case is folded outside
 * quotes. INCLUDE dsname works wherever a token may stand: the other file's tokens come in its place.
 *
 * A statement takes its arguments until it has all of them, or, if it is a list, until the next token that is
 * the name of a statement; lists with an END keyword take everything up to that. On an error the reader says
 *   EZZ0318I token WAS FOUND ON LINE n AND text WAS EXPECTED
 *   PLX0201I IN member LINE n: the line as it was read
 * and goes on with the next statement; what the statement did before the error stays done.
 *
 *   statement        in OBEYFILE, when it is the first of its kind in the file
 *   HOME             replaces the static list; generated (dynamic) entries stay
 *   BEGINROUTES GATEWAY   replaces static routes
 *   BSDROUTINGPARMS  replaces the table
 *   AUTOLOG          replaces the list
 *   others           add to or change what they name; DELETE removes
 *
 * Files profile_*.c hold the statements by subject; profile_statements in profile.c is the table.
 */
#ifndef SUPER_PROFILE_H
#define SUPER_PROFILE_H

#include "base/base.h"
#include "super/dataset.h"
#include "super/symbols.h"
#include "wire/ipaddr.h"

struct tcpip;

#define PROFILE_NEST_MAX  8
#define PROFILE_TOKEN_MAX 128

struct profile_source {
    struct member member;
    char name[56]; /* DSN(MEMBER) */
    u32 at, line;  /* next character of member.text; number of the line in text[] */
    u32 column, len;
    char text[SYMBOL_LINE_MAX + 1]; /* the current line, resolved */
};

struct profile {
    struct tcpip *ip;
    u64 now;
    bool obeyfile;
    u32 depth; /* sources open */
    struct profile_source source[PROFILE_NEST_MAX];
    bool have_token;
    char token[PROFILE_TOKEN_MAX + 1]; /* folded to upper case outside quotes */
    char raw[PROFILE_TOKEN_MAX + 1];
    u32 token_line, token_source; /* where it stands: line, index into source[] */
    /* Where the last taken token stood: what a message about a whole statement shows. */
    u32 taken_line;
    char taken_name[56], taken_text[SYMBOL_LINE_MAX + 1];
    bool home_seen, routes_seen, bsd_seen, autolog_seen; /* first of its kind in this file? */
    bool gateway_seen, beginroutes_seen;
    u32 errors, statements;
};

enum profile_kind { PROFILE_INITIAL, PROFILE_OBEYFILE };

/* Reads the whole file and applies it. dsn: "DSN(MEMBER)" or "DSN". 0 (p->errors tells how it went), or
 * -ERR_NOENT, -ERR_IO, -ERR_NOMEM if it could not be opened. */
int profile_run(struct profile *p, struct tcpip *ip, const char *dsn, enum profile_kind kind, u64 now);

/* ---- for the statements ---- */
/* The next token without taking it; NULL at the end of the file. */
const char *profile_peek(struct profile *p);
void profile_take(struct profile *p);
/* True at the end of the file or in front of the name of a statement. */
bool profile_at_statement(struct profile *p);
/* Takes the token if it is keyword, written as the books do: "DATAGRamfwd" allows DATAGR to DATAGRAMFWD. */
bool profile_keyword(struct profile *p, const char *spec);
/* Each takes one token of its kind, or says EZZ0318I and returns false. */
bool profile_number(struct profile *p, u32 low, u32 high, u32 *out);
bool profile_hex(struct profile *p, u32 low, u32 high, u32 *out);
bool profile_address(struct profile *p, struct ipaddr *out);
bool profile_mask(struct profile *p, struct ipaddr *out);
bool profile_name(struct profile *p, char *out, u32 cap, const char *what);
/* Says EZZ0318I for the token in front; always false. */
bool profile_expected(struct profile *p, const char *what);
/* Says the location line PLX0201I of the last token that was taken; for messages of other shapes; always
 * false. */
bool profile_where(struct profile *p);
/* spec as profile_keyword(). */
bool keyword_matches(const char *spec, const char *token);

struct profile_statement {
    const char *name;               /* as profile_keyword() */
    bool (*run)(struct profile *p); /* false: skip to the next statement, or behind `end` */
    const char *end;                /* END keyword of a block, or NULL */
};

bool stmt_device(struct profile *p);
bool stmt_link(struct profile *p);
bool stmt_delete(struct profile *p);
bool stmt_start(struct profile *p);
bool stmt_stop(struct profile *p);
bool stmt_home(struct profile *p);
bool stmt_primaryinterface(struct profile *p);
bool stmt_bsdroutingparms(struct profile *p);
bool stmt_beginroutes(struct profile *p);
bool stmt_gateway(struct profile *p);
bool stmt_ipconfig(struct profile *p);
bool stmt_tcpconfig(struct profile *p);
bool stmt_udpconfig(struct profile *p);
bool stmt_globalconfig(struct profile *p);
bool stmt_keepaliveoptions(struct profile *p);
bool stmt_arpage(struct profile *p);
bool stmt_port(struct profile *p);
bool stmt_portrange(struct profile *p);
bool stmt_autolog(struct profile *p);
bool stmt_somaxconn(struct profile *p);
bool stmt_itrace(struct profile *p);
bool stmt_later(struct profile *p); /* known to OS/390, not supported at this level: said, passed over */

#endif
