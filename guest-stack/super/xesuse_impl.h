/* xesuse_impl.h - what the files of XESUSE share. Private to them.
 *
 *   xesuse.c  connections, notices, lock and cache structures, the command    xesuse_list.c  requests for list structures
 */
#ifndef SUPER_XESUSE_IMPL_H
#define SUPER_XESUSE_IMPL_H

#include "base/be.h"
#include "base/str.h"
#include "super/command_impl.h"
#include "super/messages.h"
#include "super/xesuse.h"
#include "xcf/xes.h"

#define XESUSE_BITS       64u
#define XESUSE_EVENTS_BIT 63u /* of a connection to a list structure: its event queue is not empty */
#define XESUSE_LISTS      16u /* the bit of a list is its number */
#define XESUSE_FILL_BYTES 1024u
#define XESUSE_LINE       120u
#define XESUSE_PICKED     16u /* entries of the last BROWSE that READMULT and DELETEMULT name */

struct use;
/* A request: for which type of structure, how its operands become a command, how a response becomes a line. */
struct use_request {
    const char *name;
    enum cf_type type;
    u8 op;
    u32 len; /* of the command; a text may follow */
    bool (*put)(struct use *s, struct command *c);
    /* The line about an answer, also one of CONTENTION. NULL: it says enough that it was done. */
    void (*show)(struct use *s, const u8 *rsp, u32 len, char *line);
    bool partly; /* what was refused may have been done in part: show says how far */
    /* After an answer: the request is under way once more. NULL: it never is. */
    bool (*again)(struct use *s, u32 rc);
};

/* A structure that is used, or that its last request still names. */
struct use {
    struct xesuse *all;
    char name[CF_NAME_BYTES + 1];
    enum cf_type type;
    bool keys; /* entries of the list have keys and adjuncts */
    struct xes_connection con;
    u32 vector[XESUSE_BITS / 32];
    struct xes_request r;
    const struct use_request *request; /* outstanding; NULL: none */
    u32 bit;                           /* that the request is about; XESUSE_BITS: none */
    u32 left, written;                 /* of FILL */
    u32 picked;
    u8 leid[XESUSE_PICKED][CF_LEID_BYTES];
    u8 cmd[CF_LIST_BYTES + XESUSE_FILL_BYTES];
};
#define XESUSE_MAX 4u
struct xesuse {
    struct xesuse_config c;
    struct use use[XESUSE_MAX];
};

/* Operand i as a number below limit (as a word of the command: four bytes), or as a name padded with blanks; false after a message. */
bool xesuse_number(struct command *c, u32 i, u32 limit, u32 *out);
bool xesuse_word(struct command *c, u32 i, u32 limit, u8 *out);
bool xesuse_name(struct command *c, u32 i, u8 *out, u32 bytes);
/* Data behind the operands of the command. */
void xesuse_data_put(struct use *s, const char *operand);
/* So many bytes as text; blanks and zeros at the end are left out. */
void xesuse_data_show(char *out, u32 cap, const u8 *p, u32 bytes);
/* A line of an answer that has several. */
void xesuse_line(struct use *s, const char *what, const char *line);

/* NULL: there is none of this name. */
const struct use_request *xesuse_list_request(const char *name);

#endif
