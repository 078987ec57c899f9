/* dxcf_impl.h - what the files of the XCF displays and of SETXCF share.
 *
 *   dxcf.c  systems, groups, couple data, policies    dxcf_path.c  signalling paths and transport classes
 *   dxcf_cf.c  structures and coupling facilities     setxcf.c     SETXCF
 */
#ifndef SUPER_DXCF_IMPL_H
#define SUPER_DXCF_IMPL_H

#include "base/str.h"
#include "super/command_impl.h"
#include "super/display.h"
#include "super/dxcf.h"
#include "super/messages.h"
#include "super/profile.h"

static inline struct xcf *dxcf_xcf(const struct command *c) { return c->sys->xcf_operator->x; }
/* Is the operand one of the two names of a display? */
static inline bool dxcf_is(const char *operand, const char *shorter, const char *longer) {
    return strcmp(operand, shorter) == 0 || strcmp(operand, longer) == 0;
}

/* Does "*", "ALL", a name, or a list (a,b,...) name this one? Blanks do not count. */
bool dxcf_names(const char *list, const char *name);

bool dxcf_paths(struct command *c, bool outbound);
bool dxcf_classes(struct command *c);
bool dxcf_structures(struct command *c);
bool dxcf_facilities(struct command *c);
/* false: the command is carried out once more when the facilities have answered, or (*good is false) a message has said why not. */
bool dxcf_inventory_fresh(struct command *c, bool *good);

/* Several short texts a line, in columns of width; the first line begins with title, the others are indented by its length. */
struct dxcf_list {
    struct command *c;
    const char *title;
    u32 width, per_line, n, at;
    char line[CONSOLE_LINE_MAX + 1];
};
void dxcf_list_add(struct dxcf_list *l, const char *text);
void dxcf_list_end(struct dxcf_list *l);

#endif
