/* cflab.h - a coupling facility with systems around it, in a page of test code. A system's last response and the events that it
 * was sent are kept; each response is checked for its shape, and the whole facility after each command.
 *
 *   cflab_start(&lab, kb); n = cflab_system(&lab, "SYSA", 1);
 *   cflab_begin(&lab, CF_WRITE, &con, CF_LIST_BYTES); ... fill in lab.cmd ...; rc = cflab_run(&lab, n)
 */
#ifndef TESTS_UNIT_CFLAB_H
#define TESTS_UNIT_CFLAB_H

#include "hercules-devices/cf_internal.h"

struct cflab_conn {
    u32 system, token;
    u8 id;
};

struct cflab {
    struct cf_host host;
    struct cf *cf;
    u8 cmd[CF_MESSAGE_MAX], rsp[CF_MESSAGE_MAX];
    u32 len, rsp_len;
    u8 ring[CF_MESSAGE_MAX];
    u32 reserved, reserved_for;
    bool full[CF_SYSTEMS];     /* the ring to this system has no room */
    u32 pending[CF_SYSTEMS], isolated[CF_SYSTEMS];
    u32 isolations, logs;
    bool isolate_fails;
    u16 tag;
};

void cflab_start(struct cflab *lab, u32 kb);
void cflab_end(struct cflab *lab);
u32 cflab_system(struct cflab *lab, const char *name, u64 incarnation);
/* A command with its header; operands are zeros. */
void cflab_begin(struct cflab *lab, u8 op, const struct cflab_conn *con, u32 len);
u32 cflab_run(struct cflab *lab, u32 system);

/* The operands of CONNECT for a structure of this type; change lab.cmd before cflab_connect. */
void cflab_connect_begin(struct cflab *lab, const char *structure, const char *name, u8 type, u8 flags);
u32 cflab_connect(struct cflab *lab, u32 system, struct cflab_conn *con);
/* A list operation: by, flags; the caller fills the rest. */
void cflab_list(struct cflab *lab, u8 op, const struct cflab_conn *con, u32 list, u8 by, u16 flags);
void cflab_data(struct cflab *lab, const void *data, u32 len); /* behind the operands */
/* Drains; true if there was a notice of this kind for index: its row in *row. Others are lost. */
bool cflab_drain(struct cflab *lab, u32 system, u8 kind, u32 index, u8 *row);
/* Response: entry number i of a list of entries. */
const u8 *cflab_entry(const struct cflab *lab, u32 i);

#endif
