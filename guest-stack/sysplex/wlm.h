/* wlm.h - workload figures: what a system could still do, and how well a target server takes what it is given.
 *
 * Capacity (each system about itself, once an interval). Idle time is what the dispatcher spent in an enabled wait; the LPAR
 * weight says how large this system is beside the others:
 *
 *   idle (0/00)  = idle time / elapsed time, smoothed: (new + 3 x old) / 4
 *   capacity     = LPAR weight x max(idle, 50)
 *
 * Below 5 % idle a system has no spare capacity worth comparing; what it offers then is work it could displace, which
 * stands in proportion to its weight (WLM's rule for IWMSRSRS: the first level where some system has 5 %).
 *
 * Weights (the distributor, from all reports): the largest capacity is WLM_WEIGHT_MAX, others in proportion, 1 at least.
 *
 * Target server responsiveness, per target and port, from counts of one interval:
 *
 *   TCSR  of the SYNs that the distributor sent, how many the target says it received
 *   CER   of those, how many became connections within the interval
 *   SEF   how much of the backlog is free; 0 when the server has accepted nothing of a full one
 *
 * Each is 0..100 and 100 where there is nothing to judge. One lost SYN of three must not halve a weight: with fewer
 * than WLM_FEW events a figure moves only half the way, unless WLM_SURE or more have all failed; a server that completes
 * nothing at all comes to 0 with however few events.
 * Pure: base only. Time and idle time are the caller's.
 */
#ifndef SYSPLEX_WLM_H
#define SYSPLEX_WLM_H

#include "base/base.h"

#define WLM_WEIGHT_MAX      64u
#define WLM_IDLE_FLOOR      50u /* 0/00 */
#define WLM_FEW             8u
#define WLM_SURE            4u
#define WLM_LPAR_WEIGHT_MAX 999u

struct wlm {
    u32 lpar_weight; /* 1..WLM_LPAR_WEIGHT_MAX */
    u32 idle;        /* 0/00, smoothed */
    u32 samples;
    u64 at, idle_us; /* of the latest sample */
};

void wlm_init(struct wlm *w, u32 lpar_weight, u64 idle_us, u64 now);
/* idle_us: idle time since IPL, never falling. A sample within a tick of the last is ignored. */
void wlm_sample(struct wlm *w, u64 idle_us, u64 now);
/* 0 until there has been a sample. */
u32 wlm_capacity(const struct wlm *w);
/* capacity[n] -> weight[n] of 0..WLM_WEIGHT_MAX; 0 where the capacity is 0. */
void wlm_weights(const u32 *capacity, u8 *weight, u32 n);

/* part of whole in percent, as a new figure after `old`. part may exceed whole (intervals of two systems do not
 * begin together). */
u8 wlm_success(u8 old, u32 part, u32 whole);
/* SEF from a listener: connections that wait to be accepted, its limit, and how many came while it was full. */
u8 wlm_accepting(u8 old, u32 waiting, u32 backlog, u32 turned_away);

#endif
