/* dynxcf.h - dynamic XCF (IPCONFIG DYNAMICXCF): links to every other stack of the sysplex, made and removed by themselves.
 *
 *   where the peer is    device          link        MTU
 *   (always)             IUTSAMEH        EZASAMEMVS  65535   holds the HOME entry; carries packets within the image
 *   another image        its system      EZAXCFnn    55296   nn: the peer's SYSCLONE
 *   on the same CPC      IUTIQDIO        IQDIOLNKxxxxxxxx    one link for all of them (iqdio.c), preferred while it is up
 *
 * The stacks of one other image share the link to it. The first two are DEVICE type MPCPTP, the third MPCIPA. A host route to the peer's dynamic XCF address goes with each. Every such link has the one
 * dynamic XCF address: link.address_of is EZASAMEMVS. If a device or link of that name is defined by the profile, that one
 * is used. A link that a static route names stays defined, not active, when its peer goes; so does one that the operator has
 * stopped (V TCPIP,,STOP,device), and it stays stopped when the peer returns.
 *
 * Packets go over XCF: each peer that they go to has a batch of its own, one message (PLEXMSG_DATA), sent at link_flush_all() or when it is
 * full. There are DYNXCF_BATCHES at once, most of them small: for one peer more the oldest goes early (counted). Packets are not queued: what XCF has no
 * buffer for is dropped and counted, as a card does, and XCF keeps a reserve for what is not a packet.
 */
#ifndef SYSPLEX_DYNXCF_H
#define SYSPLEX_DYNXCF_H

#include "base/base.h"
#include "wire/ipaddr.h"

struct link;
struct sysplex;

#define DYNXCF_MTU          55296
#define DYNXCF_SAMEHOST_MTU 65535

/* IPCONFIG DYNAMICXCF. -ERR_INVAL the address cannot be a host's; -ERR_EXIST it is in HOME already; -ERR_BUSY another one is
 * in use (it can be changed only when the stack is started anew); -ERR_NOMEM. */
int dynxcf_define(struct sysplex *sx, struct ipaddr addr, struct ipaddr mask, u8 metric, u64 now);
/* A link of that name for a ROUTE statement that comes before its peer; NULL: the name is not EZAXCFnn, or DYNAMICXCF is
 * not defined. */
struct link *dynxcf_link(struct sysplex *sx, const char *name, u64 now);

#endif
