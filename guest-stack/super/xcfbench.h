/* xcfbench.h - XCFBENCH: how fast XCF messages are between two systems. A member of the group PLXBENCH on each.
 *
 *   XCFBENCH                        joins the group, so that others can measure towards this system
 *   XCFBENCH system[,bytes[,n]]     n messages of so many bytes there and back, one after the other; then n (at least 256) there
 *                                   as fast as XCF takes them, the last one answered. Defaults: 64 bytes, 1000. PLX0340I, PLX0341I
 *   XCFBENCH system,bytes,n,STREAM  only the latter
 *
 * Messages say in their control information what they are: E to be returned, D to be counted, F to be counted and answered.
 * The receiver sees that none is lost or out of order (PLX0344E). One measurement at a time. Touches XCF, console, storage taken once.
 */
#ifndef SUPER_XCFBENCH_H
#define SUPER_XCFBENCH_H

#include "base/base.h"

struct command;
struct xcfbench;

bool command_xcfbench(struct command *c);

#endif
