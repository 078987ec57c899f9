/* xcfas.h - XCFAS, the address space of cross-system coupling: joins the portable core (xcf/xcf.h) to this image's devices.
 *
 *   xcfas_start()   after system_ipl(), before anything that signals. IEASYSxx says COUPLE=xx (default 00); COUPLExx says which
 *                   sysplex, where its couple data are and which paths there are. Each PATHIN and PATHOUT becomes a path:
 *                     DEVICE    a channel-to-channel subchannel         xcf/ctcpath.h
 *                     STRNAME   a list structure in a coupling facility xcf/strpath.h
 *                   PCOUPLE and ACOUPLE name the facilities that hold the couple data, the arbiter: xcf/cds.h
 *   xcfas_poll()    system_poll() calls it; others need not
 *
 * Without COUPLExx, or with one that names no PCOUPLE, this is XCF-LOCAL: there is a struct xcf, so groups and members work, but no
 * path and no arbiter. Else the system is called what IPL called it, and its incarnation is the moment of IPL.
 *
 * Who wants to be a member of a group:  xcf_join(xcfas_xcf(sys), ...) at any time after xcfas_start(). Exits are called from
 * xcfas_poll() or while channel events are delivered, never from inside xcf_send() or xcf_join(); what they cause is sent at once.
 * A system that is told that it was partitioned out loads wait 0A2 through env.partitioned: nothing runs after it.
 *
 * Touches parmlib, console, channels through the rooms above. One for each struct system.
 */
#ifndef SUPER_XCFAS_H
#define SUPER_XCFAS_H

#include "base/base.h"
#include "xcf/xcf.h"

struct cfrm;
struct system;
struct xcfas;
struct xes;

/* No wait code: the operator has been asked for another COUPLExx (IXC207A). Until xcfas_resumed() says how that ended, nothing that needs
 * XCF may begin; consoles and commands work. */
#define XCFAS_ASKS 0x10000u

/* 0, XCFAS_ASKS, or the code of the wait to load; its message is out. Without XCF the image runs in XCF-LOCAL mode, so a COUPLExx that
 * is not there is no error; one that is wrong is asked for, as the sysplex would be the wrong one. */
u32 xcfas_start(struct system *sys, u64 now);
/* After XCFAS_ASKS, when the loop has given the operator a chance: as xcfas_start(). */
u32 xcfas_resumed(const struct system *sys);
/* When it wants to be called again. */
u64 xcfas_poll(struct system *sys, u64 now);
/* Only if its time has come. */
void xcfas_poll_due(struct system *sys, u64 now);
/* Between two turns of the loop: what events have put into the buffers of signalling paths goes out. Returns when the loop has to turn. */
u64 xcfas_flush(struct system *sys, u64 now);

/* NULL before xcfas_start() and when there was no storage for it. */
struct xcf *xcfas_xcf(const struct system *sys);
bool xcfas_is_local(const struct system *sys); /* XCF-LOCAL */
const char *xcfas_member(const struct system *sys); /* "COUPLE00", "" if there was none */
/* The i-th link to a coupling facility, for displays (xcf/xes.h); NULL past the last. */
struct xes *xcfas_link(const struct system *sys, u32 i);
/* What is known of facilities and policies (xcf/cfrm.h); NULL if there is none. */
struct cfrm *xcfas_cfrm(const struct system *sys);

#endif
