/* card.c - starts OSA cards and speaks with their control sockets. See card.h. */
#include "lab/card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define START_MS 5000
#define ANSWER_SECONDS 5

static int control_connect(const char *dir, const char *card) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/%s.ctl", dir, card);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = ANSWER_SECONDS}, sizeof(struct timeval));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
    close(fd);
    return -1;
}

bool card_control(const char *dir, const char *card, const char *command, char *out, size_t cap) {
    char line[1024];
    size_t have = 0;
    int fd = control_connect(dir, card);
    out[0] = 0;
    if (fd < 0) {
        snprintf(out, cap, "error: card %s does not answer: %s", card, strerror(errno));
        return false;
    }
    int n = snprintf(line, sizeof line, "%s\n", command);
    if (n < (int)sizeof line && write(fd, line, (size_t)n) == n)
        for (ssize_t got; have < cap - 1 && (got = read(fd, out + have, cap - 1 - have)) > 0;) {
            have += (size_t)got;
            if (out[have - 1] == '\n') break; /* every answer is one line */
        }
    close(fd);
    out[have] = 0;
    out[strcspn(out, "\n")] = 0;
    return have > 0 && strncmp(out, "error", 5) != 0;
}

bool card_start(const struct places *at, const struct plex *p, int card, const char *dir) {
    const struct plex_card *c = &p->card[card];
    char tool[PATH_MAX + 16], sock[PATH_MAX], ctl[PATH_MAX], uplink[2048], mtu[16], answer[4096];
    pid_t holder;
    enum lan_mode mode = lan_find(dir, &holder);
    const char *other = getenv("PLEX390_OSA_CARD"); /* a card built with sanitizers, for tests/soak.sh */
    if (other)
        snprintf(tool, sizeof tool, "%s", other);
    else
        snprintf(tool, sizeof tool, "%s/osa-card", at->build);
    snprintf(sock, sizeof sock, "%s/%s.sock", dir, c->name);
    snprintf(ctl, sizeof ctl, "%s/%s.ctl", dir, c->name);
    snprintf(mtu, sizeof mtu, "%d", c->mtu);
    lan_uplink(mode, p, card, uplink, sizeof uplink);
    const char *argv[20] = {tool,    "--name",   c->name,  "--socket",  sock,     "--mac", c->mac, "--chpid",
                            c->chpid, "--control", ctl, "--uplink", uplink, "--mtu", mtu};
    if (strncmp(uplink, "tap://", 6) == 0) {
        argv[15] = "--tap-bridge";
        argv[16] = LAN_BRIDGE;
    }
    struct spawn sp = {.name = c->name, .argv = argv, .join = mode == LAN_NAMESPACE ? holder : 0};
    if (proc_spawn(dir, &sp) < 0) return false;
    long long end = now_ms() + START_MS;
    while (!card_control(dir, c->name, "status", answer, sizeof answer)) {
        if (!proc_find(dir, c->name, NULL) || now_ms() > end) {
            fprintf(stderr, "plex390: card %s did not start; %s/%s.log says why\n", c->name, dir, c->name);
            return false;
        }
        sleep_ms(10);
    }
    return true;
}
