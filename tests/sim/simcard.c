/* simcard.c - see simcard.h. A LAN is a queue of frames: the port's uplink function must not call back into
 * a port. */
#include "tests/sim/simcard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARDS_MAX 8

struct lan_frame {
    struct lan_frame *next;
    struct sim_card *from; /* NULL = the test's station */
    u32 len;
    u8 bytes[];
};

struct sim_lan {
    struct sim_card *card[CARDS_MAX];
    u32 cards;
    struct lan_frame *first, **last;
    void (*tap)(void *ctx, const u8 *bytes, u32 len);
    void *tap_ctx;
    u32 loss_permille, random;
};

struct sim_card {
    struct sim_port *port;
    struct osa_port *osa;
    struct osa_port_params params;
    struct osa_port_host host;
    struct sim_lan *lan;
    struct sim_wire *wire[OSA_ATTACHMENTS];
    u8 scratch[OSA_FRAME_MAX];
    u32 scratch_for;
    u64 due, now;
    bool alive, cable;
};

/* ---- LAN ---- */

struct sim_lan *simlan_create(void) {
    struct sim_lan *lan = calloc(1, sizeof *lan);
    CHECK(lan);
    lan->last = &lan->first;
    return lan;
}

void simlan_destroy(struct sim_lan *lan) {
    for (struct lan_frame *f = lan->first, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    free(lan);
}

void simlan_tap(struct sim_lan *lan, void (*frame)(void *ctx, const u8 *bytes, u32 len), void *ctx) {
    lan->tap = frame;
    lan->tap_ctx = ctx;
}

void simlan_loss(struct sim_lan *lan, u32 loss_permille, u32 seed) {
    lan->loss_permille = loss_permille;
    lan->random = seed | 1;
}

static bool lan_loses(struct sim_lan *lan) {
    if (!lan->loss_permille) return false;
    lan->random ^= lan->random << 13;
    lan->random ^= lan->random >> 17;
    lan->random ^= lan->random << 5;
    return lan->random % 1000 < lan->loss_permille;
}

static void lan_put(struct sim_lan *lan, struct sim_card *from, const u8 *bytes, u32 len) {
    if (lan_loses(lan)) return;
    struct lan_frame *f = malloc(sizeof *f + len);
    CHECK(f);
    *f = (struct lan_frame){.from = from, .len = len};
    memcpy(f->bytes, bytes, len);
    *lan->last = f;
    lan->last = &f->next;
}

void simlan_send(struct sim_lan *lan, const u8 *bytes, u32 len) {
    lan_put(lan, NULL, bytes, len);
}

u32 simlan_run(struct sim_lan *lan, u64 now) {
    u32 n = 0;
    for (struct lan_frame *f; (f = lan->first); n++) {
        lan->first = f->next;
        if (!lan->first) lan->last = &lan->first;
        if (f->from && lan->tap) lan->tap(lan->tap_ctx, f->bytes, f->len);
        for (u32 i = 0; i < lan->cards; i++) {
            struct sim_card *c = lan->card[i];
            if (c == f->from || !c->alive || !c->cable) continue;
            osa_port_from_uplink(c->osa, f->bytes, f->len, NULL, now);
            c->due = now;
        }
        free(f);
    }
    return n;
}

/* ---- struct osa_port_host ---- */

static u8 *host_reserve(void *ctx, u32 n, u32 bytes) {
    struct sim_card *c = ctx;
    if (!c->wire[n] || bytes > sizeof c->scratch) return NULL;
    if (simport_room(c->wire[n]) < bytes) return NULL;
    c->scratch_for = n;
    return c->scratch;
}

static void host_commit(void *ctx, u32 n, u32 bytes) {
    struct sim_card *c = ctx;
    CHECK(n == c->scratch_for);
    simport_send(c->wire[n], c->scratch, bytes);
}

static void frame_to_lan(void *ctx, u8 *bytes, u32 len) {
    struct sim_card *c = ctx;
    lan_put(c->lan, c, bytes, len);
}

static bool host_uplink(void *ctx, const struct osa_frame *f) {
    struct sim_card *c = ctx;
    u8 stage[OSA_FRAME_MAX];
    return osa_frame_finish(f, 0, stage, sizeof stage, frame_to_lan, c) > 0;
}

static void host_log(void *ctx, enum engine_severity sev, const char *text) {
    struct sim_card *c = ctx;
    if (getenv("SIM_VERBOSE")) fprintf(stderr, "%s %c %s\n", c->params.name, "IWE"[sev], text);
}

/* ---- struct simport_ops ---- */

static void port_up(void *ctx, struct sim_wire *w, u64 now) {
    struct sim_card *c = ctx;
    UNUSED(now);
    int n = osa_port_link_up(c->osa, 1);
    CHECK(n >= 0);
    c->wire[n] = w;
    simport_wire_set(w, &c->wire[n]);
}

static u32 attachment_of(struct sim_card *c, struct sim_wire *w) {
    return (u32)((struct sim_wire **)simport_wire_get(w) - c->wire);
}

static void port_down(void *ctx, struct sim_wire *w, u64 now) {
    struct sim_card *c = ctx;
    u32 n = attachment_of(c, w);
    /* A process that died does not see its connections go. */
    if (c->wire[n] != w) return;
    osa_port_link_down(c->osa, n, now);
    c->wire[n] = NULL;
}

static void port_message(void *ctx, struct sim_wire *w, const u8 *msg, u32 len, u64 now) {
    struct sim_card *c = ctx;
    osa_port_message(c->osa, attachment_of(c, w), msg, len, now);
    c->due = now;
}

static const struct simport_ops CARD_OPS = {.up = port_up, .down = port_down, .message = port_message};

/* ---- life ---- */

static void card_init(struct sim_card *c) {
    memset(c->wire, 0, sizeof c->wire);
    CHECK(osa_port_init(c->osa, &c->params, &c->host) == 0);
    osa_port_lan(c->osa, c->cable, c->now);
    c->due = 0;
}

struct sim_card *simcard_create(const struct osa_port_params *params, struct sim_lan *lan) {
    struct sim_card *c = calloc(1, sizeof *c);
    CHECK(c && lan->cards < CARDS_MAX);
    c->osa = malloc(sizeof *c->osa);
    CHECK(c->osa);
    c->params = *params;
    c->host = (struct osa_port_host){
        .ctx = c, .reserve = host_reserve, .commit = host_commit, .uplink = host_uplink, .log = host_log};
    c->lan = lan;
    lan->card[lan->cards++] = c;
    c->alive = c->cable = true;
    c->port = simport_create(&CARD_OPS, c);
    card_init(c);
    return c;
}

void simcard_destroy(struct sim_card *c) {
    simport_destroy(c->port);
    free(c->osa);
    free(c);
}

struct sim_port *simcard_port(struct sim_card *c) {
    return c->port;
}
const struct osa_port *simcard_osa(const struct sim_card *c) {
    return c->osa;
}

void simcard_kill(struct sim_card *c) {
    c->alive = false;
    memset(c->wire, 0, sizeof c->wire);
    simport_kill(c->port);
}

void simcard_start(struct sim_card *c) {
    c->alive = true;
    card_init(c);
    simport_start(c->port);
}

void simcard_cable(struct sim_card *c, bool up, u64 now) {
    c->cable = up;
    if (c->alive) osa_port_lan(c->osa, up, now);
    c->due = now;
}

u32 simcard_run(struct sim_card *c, u64 now) {
    c->now = now;
    u32 n = simport_run(c->port, now);
    if (c->alive && c->due <= now) c->due = osa_port_tick(c->osa, now);
    return n;
}

u64 simcard_due(const struct sim_card *c) {
    return c->alive ? c->due : TIME_NEVER;
}
