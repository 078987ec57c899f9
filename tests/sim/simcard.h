/* simcard.h - a card process in the simulator: the real osa_port behind a sim_port, and a LAN that joins the
 * uplinks of several cards with a station of the test's own.
 *
 *   lan = simlan_create();  card = simcard_create(&params, lan);
 *   simport_join(simcard_port(card), group)              one attachment per engine
 *   simcard_run(card, now), simlan_run(lan, now)         until both return 0; simcard_due() when to come back
 *
 * simcard_kill/_start are a crash and a restart: the port's tables are gone. simcard_cable is the plug in
 * the back.
 */
#ifndef TESTS_SIM_SIMCARD_H
#define TESTS_SIM_SIMCARD_H

#include "base/base.h"
#include "hercules-devices/osa_port.h"
#include "tests/sim/simport.h"

struct sim_card;
struct sim_lan;

struct sim_lan *simlan_create(void);
void simlan_destroy(struct sim_lan *lan);
/* Sees every frame that a card sends; loss_permille of all frames vanish (seeded). */
void simlan_tap(struct sim_lan *lan, void (*frame)(void *ctx, const u8 *bytes, u32 len), void *ctx);
void simlan_loss(struct sim_lan *lan, u32 loss_permille, u32 seed);
/* A frame from the test's station to every card. */
void simlan_send(struct sim_lan *lan, const u8 *bytes, u32 len);
u32 simlan_run(struct sim_lan *lan, u64 now);

struct sim_card *simcard_create(const struct osa_port_params *params, struct sim_lan *lan);
void simcard_destroy(struct sim_card *c);
struct sim_port *simcard_port(struct sim_card *c);
const struct osa_port *simcard_osa(const struct sim_card *c);
void simcard_kill(struct sim_card *c);
void simcard_start(struct sim_card *c);
void simcard_cable(struct sim_card *c, bool up, u64 now);
u32 simcard_run(struct sim_card *c, u64 now);
u64 simcard_due(const struct sim_card *c);

#endif
