/* card.c - starts OSA cards. See card.h. */
#include "lab/card.h"

#include "lab/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 5000

bool card_start(const struct places *at, const struct plex *p, int card, const char *dir) {
    const struct plex_card *c = &p->card[card];
    char tool[PATH_MAX + 16], sock[PATH_MAX], ctl[PATH_MAX], fence[PATH_MAX], uplink[2048], mtu[16];
    pid_t holder;
    enum lan_mode mode = lan_find(dir, &holder);
    const char *other = getenv("PLEX390_OSA_CARD"); /* a card built with sanitizers, for tests/soak.sh */
    if (other)
        snprintf(tool, sizeof tool, "%s", other);
    else
        snprintf(tool, sizeof tool, "%s/osa-card", at->build);
    snprintf(sock, sizeof sock, "%s/%s.sock", dir, c->name);
    snprintf(ctl, sizeof ctl, "%s/%s.ctl", dir, c->name);
    snprintf(fence, sizeof fence, "%s/fence", dir);
    snprintf(mtu, sizeof mtu, "%d", c->mtu);
    lan_uplink(mode, p, card, uplink, sizeof uplink);
    const char *argv[20] = {tool,    "--name",   c->name,  "--socket",  sock,     "--mac", c->mac, "--chpid",
                            c->chpid, "--control", ctl, "--uplink", uplink, "--mtu", mtu, "--fence", fence};
    if (strncmp(uplink, "tap://", 6) == 0) {
        argv[17] = "--tap-bridge";
        argv[18] = LAN_BRIDGE;
    }
    struct spawn sp = {.name = c->name, .argv = argv, .join = mode == LAN_NAMESPACE ? holder : 0};
    if (proc_spawn(dir, &sp) < 0) return false;
    if (control_wait(dir, c->name, START_MS)) return true;
    fprintf(stderr, "plex390: card %s did not start; %s/%s.log says why\n", c->name, dir, c->name);
    return false;
}
