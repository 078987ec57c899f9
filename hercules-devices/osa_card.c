/* osa_card.c - the process of one OSA card: options, loop, and what the port asks of its surroundings.
 *
 *   osa-card --name OSA1 --socket PATH|tcp:HOST:PORT --mac 02:00:00:00:00:01 [--uplink URL|none] [--chpid osd|ose|iqd]
 *            [--mtu BYTES] [--tap-addr A.B.C.D/N] [--tap-bridge NAME] [--control PATH] [--capture FILE[,FILTER]]
 *            [--fence FILE]
 *
 * A wrong option is one line and exit 2. SIGTERM, SIGINT and "quit" end it cleanly: attachments see the connection go,
 * both sockets are removed. An uplink that goes away (its switch was restarted) is a LAN failure to the LPARs; it is
 * opened again every second.
 */
#include "hercules-devices/osa_card.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static u64 now_usec(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * USEC_PER_SEC + (u64)t.tv_nsec / 1000u;
}

void card_log(struct card *c, const char *text) {
    UNUSED(c);
    struct timespec t;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &t);
    localtime_r(&t.tv_sec, &tm);
    fprintf(stderr, "%02d:%02d:%02d.%03ld %s\n", tm.tm_hour, tm.tm_min, tm.tm_sec, t.tv_nsec / 1000000, text);
}

bool card_watch(struct card *c, int fd) {
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

/* ---- what the port asks for ---- */

static u8 *host_reserve(void *ctx, u32 n, u32 bytes) {
    struct card *c = ctx;
    return c->slot[n].peer ? peer_reserve(c->slot[n].peer, bytes) : NULL;
}

static void host_commit(void *ctx, u32 n, u32 bytes) {
    struct card *c = ctx;
    peer_commit(c->slot[n].peer, bytes);
    c->dirty |= (u64)1 << n;
}

static bool host_uplink(void *ctx, const struct osa_frame *f) {
    struct card *c = ctx;
    if (c->impair.on) {
        impair_put(&c->impair, IMPAIR_OUT, f->head, f->head_len, f->body, f->body_len, c->now);
        return true;
    }
    if (c->uplink && uplink_send(c->uplink, f)) return true;
    c->uplink_send_refused++;
    return false;
}

static void host_capture(void *ctx, u32 n, bool to_card, const struct osa_frame *f) {
    struct card *c = ctx;
    char name[48];
    if (n < OSA_ATTACHMENTS) {
        const struct osa_attachment *a = &c->port->att[n];
        snprintf(name, sizeof name, "%s %04X", a->lpar, a->device);
        capture_frame(c->capture, n, name, a->mode != OSA_MODE_QDIO_L3, to_card, f);
    } else {
        snprintf(name, sizeof name, "%s port", c->params.name);
        capture_frame(c->capture, n, name, true, to_card, f);
    }
}

static void host_log(void *ctx, enum engine_severity sev, const char *text) {
    UNUSED(sev);
    card_log(ctx, text);
}

void card_offload_update(struct card *c) {
    bool on = c->uplink && !c->impair.on && uplink_offload(c->uplink, true);
    if (c->uplink && !on) uplink_offload(c->uplink, false);
    osa_port_uplink_offload(c->port, on);
}

bool card_capture_start(struct card *c, const char *file, const char *filter, char *why, size_t cap) {
    struct capture *fresh = capture_start(file, filter, why, cap);
    if (!fresh) return false;
    card_capture_stop(c);
    c->capture = fresh;
    c->host.capture = host_capture;
    return true;
}

void card_capture_stop(struct card *c) {
    if (c->capture) capture_stop(c->capture);
    c->capture = NULL;
    c->host.capture = NULL;
}

/* ---- connections ---- */

static void peer_up(void *ctx, struct peer *p, const struct peer_identity *other) {
    struct card *c = ((struct card_slot *)ctx)->card;
    int n = osa_port_link_up(c->port, other->incarnation);
    if (n < 0) { /* the server has as many connections as the port has attachments */
        peer_close(p);
        return;
    }
    c->slot[n].peer = p;
    c->slot[n].fence_seen = 0;
    peer_set_context(p, &c->slot[n]);
}

static bool peer_message(void *ctx, struct peer *p, const u8 *msg, u32 len) {
    struct card_slot *s = ctx;
    UNUSED(p);
    /* The port may have taken the attachment's name for another one: its packets are named anew in a capture. */
    if (msg[0] == OSA_MSG_ATTACH && s->card->capture) capture_forget(s->card->capture, (u32)s->n);
    osa_port_message(s->card->port, (u32)s->n, msg, len, s->card->now);
    return true;
}

static void peer_down(void *ctx, struct peer *p) {
    struct card_slot *s = ctx;
    UNUSED(p);
    s->peer = NULL;
    osa_port_link_down(s->card->port, (u32)s->n, s->card->now);
    if (s->card->capture) capture_forget(s->card->capture, (u32)s->n);
}

void card_close_fenced(struct card *c) {
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) {
        struct peer *p = c->slot[n].peer;
        if (!p || !c->port->att[n].fenced) continue;
        peer_flush(p);
        peer_close(p);
        peer_down(&c->slot[n], p);
    }
}

/* Somebody has been isolated. His addresses leave the OAT before anything else is done, so that nothing on the LAN is answered
 * for him any more; the server then ends his connections and throws away what he left in them. */
static void fence_news(struct card *c) {
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) {
        struct peer *p = c->slot[n].peer;
        const struct peer_identity *other = p ? peer_other(p) : NULL;
        if (!p || peer_fence_valid(c->fence, other->name, other->incarnation) || !osa_port_fence_one(c->port, n)) continue;
        peer_flush(p); /* he may not be frozen at all: then he reads why */
    }
}

static void peer_log(void *ctx, const char *text) { card_log(((struct card_slot *)ctx)->card, text); }

static bool peer_valid(void *ctx, const struct peer_identity *other) {
    struct card_slot *s = ctx;
    const struct card *c = s->card;
    u64 asked_once = 0; /* the server's own slot is asked about whoever knocks */
    u64 *seen = s->n < 0 ? &asked_once : &s->fence_seen;
    if (c->fence && !peer_fence_still_valid(c->fence, seen, other->name, other->incarnation)) return false;
    return !osa_port_fenced(c->port, other->name, other->incarnation);
}

static const struct peer_ops peer_callbacks = {
    .up = peer_up, .message = peer_message, .down = peer_down, .log = peer_log, .incarnation_valid = peer_valid};

/* ---- the LAN ---- */

void card_lan_update(struct card *c) {
    osa_port_lan(c->port, !c->cable_out && (c->uplink || !c->params.uplink), c->now);
}

static void uplink_lost(struct card *c) {
    card_log(c, "the uplink is gone");
    epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->uplink->fd, NULL);
    uplink_close(c->uplink);
    c->uplink = NULL;
    c->uplink_losses++;
    c->uplink_retry = c->now + CARD_UPLINK_RETRY_USEC;
    card_lan_update(c);
}

static void uplink_again(struct card *c) {
    char why[512];
    c->uplink_retry = c->now + CARD_UPLINK_RETRY_USEC;
    c->uplink = uplink_open(&c->uplink_params, why, sizeof why);
    if (!c->uplink) return;
    card_log(c, "the uplink is back");
    card_watch(c, c->uplink->fd);
    card_offload_update(c);
    card_lan_update(c);
}

static void uplink_readable(struct card *c) {
    struct osa_uplink_meta meta;
    for (u32 i = 0; i < CARD_UPLINK_BATCH; i++) {
        int n = uplink_recv(c->uplink, c->frame, sizeof c->frame, &meta);
        if (n == 0) return;
        if (n < 0) {
            uplink_lost(c);
            return;
        }
        if (c->impair.on) impair_put(&c->impair, IMPAIR_IN, c->frame, 0, c->frame, (u32)n, c->now);
        else
            osa_port_from_uplink(c->port, c->frame, (u32)n, &meta, c->now);
    }
}

/* Frames whose time has come go on their way. */
static void impair_run(struct card *c) {
    const struct impair_slot *s;
    while ((s = impair_take(&c->impair, c->now))) {
        struct osa_frame f = {.body = s->bytes, .body_len = s->len, .link_len = 14};
        if (s->direction == IMPAIR_IN) osa_port_from_uplink(c->port, s->bytes, s->len, NULL, c->now);
        else if (!c->uplink || !uplink_send(c->uplink, &f))
            c->uplink_send_refused++;
    }
}

/* ---- the loop ---- */

static void wait_for(struct card *c, u64 deadline, bool more) {
    struct epoll_event events[16];
    u64 wait = more || deadline <= c->now ? 0 : u64_min(deadline - c->now, USEC_PER_SEC);
    struct timespec t = {.tv_sec = (time_t)(wait / USEC_PER_SEC), .tv_nsec = (long)(wait % USEC_PER_SEC) * 1000};
    int n = epoll_pwait2(c->epoll, events, (int)ARRAY_LEN(events), &t, NULL);
    c->now = now_usec();
    if (c->fence && peer_fence_news(c->fence)) fence_news(c);
    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;
        if (fd == c->signals) c->stop = true;
        else if (c->uplink && fd == c->uplink->fd)
            uplink_readable(c);
        else
            control_event(&c->commands, fd); /* it knows its own */
    }
}

static void flush(struct card *c) {
    for (; c->dirty; c->dirty &= c->dirty - 1) {
        struct peer *p = c->slot[__builtin_ctzll(c->dirty)].peer;
        if (p) peer_flush(p);
    }
}

static void run(struct card *c) {
    bool more = false;
    c->now = c->started = now_usec();
    while (!c->stop) {
        if (c->params.uplink && !c->uplink && c->now >= c->uplink_retry) uplink_again(c);
        impair_run(c);
        u64 deadline = u64_min(osa_port_tick(c->port, c->now), impair_deadline(&c->impair));
        if (c->params.uplink && !c->uplink) deadline = u64_min(deadline, c->uplink_retry);
        flush(c);
        if (c->capture) deadline = u64_min(deadline, capture_flush(c->capture, c->now));
        wait_for(c, deadline, more);
        more = peer_server_poll(c->server);
    }
}

/* ---- start ---- */

static _Noreturn void wrong(const char *text) {
    fprintf(stderr, "osa-card: %s\n", text);
    exit(2);
}

static void option_mac(struct card *c, const char *text) {
    unsigned m[6];
    char junk;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5], &junk) != 6 || (m[0] & 1))
        wrong("--mac: six bytes in hex, the first one even: 02:00:00:00:00:01");
    for (u32 i = 0; i < 6; i++) c->params.mac[i] = (u8)m[i];
}

static void option_chpid(struct card *c, const char *text) {
    if (strcasecmp(text, "osd") == 0) c->params.chpid = OSA_CHPID_OSD;
    else if (strcasecmp(text, "ose") == 0)
        c->params.chpid = OSA_CHPID_OSE;
    else if (strcasecmp(text, "iqd") == 0)
        c->params.chpid = OSA_CHPID_IQD;
    else
        wrong("--chpid: osd, ose or iqd");
}

static void option_mtu(struct card *c, const char *text) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*end || end == text || v > 65535) wrong("--mtu: a number of bytes");
    c->params.mtu_bytes = (u32)v;
}

static void option_name(struct card *c, const char *text) {
    if (!*text || strlen(text) > PEER_NAME_MAX || strpbrk(text, " \t")) wrong("--name: 1 to 16 characters");
    strcpy(c->params.name, text);
}

enum { OPT_NAME = 1, OPT_SOCKET, OPT_MAC, OPT_UPLINK, OPT_CHPID, OPT_MTU, OPT_CONTROL, OPT_CAPTURE, OPT_ADDR, OPT_BRIDGE, OPT_FENCE };

static void options(struct card *c, int argc, char **argv) {
    static const struct option names[] = {
        {"name", 1, NULL, OPT_NAME},         {"socket", 1, NULL, OPT_SOCKET},   {"mac", 1, NULL, OPT_MAC},
        {"uplink", 1, NULL, OPT_UPLINK},     {"chpid", 1, NULL, OPT_CHPID},     {"mtu", 1, NULL, OPT_MTU},
        {"control", 1, NULL, OPT_CONTROL},   {"capture", 1, NULL, OPT_CAPTURE}, {"tap-addr", 1, NULL, OPT_ADDR},
        {"tap-bridge", 1, NULL, OPT_BRIDGE}, {"fence", 1, NULL, OPT_FENCE},     {NULL, 0, NULL, 0},
    };
    bool mac = false;
    c->params.chpid = OSA_CHPID_OSD;
    c->params.mtu_bytes = 1492;
    c->uplink_params.url = "none";
    for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (o) {
        case OPT_NAME: option_name(c, optarg); break;
        case OPT_SOCKET: c->socket = optarg; break;
        case OPT_MAC: option_mac(c, optarg); mac = true; break;
        case OPT_UPLINK: c->uplink_params.url = optarg; break;
        case OPT_CHPID: option_chpid(c, optarg); break;
        case OPT_MTU: option_mtu(c, optarg); break;
        case OPT_CONTROL: c->control = optarg; break;
        case OPT_CAPTURE: c->capture_option = optarg; break;
        case OPT_ADDR: c->uplink_params.tap_addr = optarg; break;
        case OPT_FENCE: c->fence_file = optarg; break;
        case OPT_BRIDGE: c->uplink_params.tap_bridge = optarg; break;
        default: exit(2); /* getopt has said what is wrong */
        }
    if (optind < argc) wrong("there are no arguments beside the options");
    if (!c->params.name[0] || !c->socket || !mac) wrong("--name, --socket and --mac are needed");
    c->params.uplink = strcmp(c->uplink_params.url, "none") != 0;
    c->uplink_params.card = c->params.name;
    c->uplink_params.mtu_bytes = c->params.mtu_bytes;
    if (c->params.uplink && c->params.chpid == OSA_CHPID_IQD) wrong("--chpid iqd is a LAN inside the machine: no --uplink");
}

static void start_capture_option(struct card *c) {
    char why[512];
    char *file = strdup(c->capture_option ? c->capture_option : "");
    if (!file) wrong("no storage");
    char *comma = strchr(file, ',');
    if (comma) *comma++ = 0;
    if (*file && !card_capture_start(c, file, comma ? comma : "", why, sizeof why)) wrong(why);
    free(file);
}

static void block_signals(struct card *c) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* the reader of a FIFO may leave at any time */
    c->signals = signalfd(-1, &set, SFD_CLOEXEC);
}

static void start(struct card *c) {
    char why[512];
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    block_signals(c);
    c->port = calloc(1, sizeof *c->port);
    if (c->epoll < 0 || c->signals < 0 || !c->port || !card_watch(c, c->signals)) wrong(strerror(errno));
    c->host = (struct osa_port_host){c, host_reserve, host_commit, host_uplink, NULL, host_log};
    c->self = (struct card_slot){.card = c, .n = -1};
    for (u32 n = 0; n < OSA_ATTACHMENTS; n++) c->slot[n] = (struct card_slot){.card = c, .n = (int)n};
    if (osa_port_init(c->port, &c->params, &c->host) != 0) {
        snprintf(why, sizeof why, "--mtu %u: %u to %u, or to 57344 with --chpid iqd", c->params.mtu_bytes, OSA_MTU_MIN,
                 OSA_MTU_MAX);
        wrong(why);
    }
    if (c->params.uplink) {
        c->uplink = uplink_open(&c->uplink_params, why, sizeof why);
        if (!c->uplink) wrong(why);
        if (!card_watch(c, c->uplink->fd)) wrong(strerror(errno));
        card_offload_update(c);
    }
    start_capture_option(c);
    if (c->fence_file && !(c->fence = peer_fence_open(c->fence_file, why, sizeof why))) wrong(why);
    if (c->fence && peer_fence_watch(c->fence) >= 0 && !card_watch(c, peer_fence_watch(c->fence))) wrong(strerror(errno));
    struct peer_identity id = {.kind = PEER_OSA, .incarnation = now_usec()};
    memcpy(id.name, c->params.name, sizeof id.name);
    c->server = peer_serve(c->socket, &id, &peer_callbacks, &c->self);
    if (!c->server) exit(2); /* its line is in the log */
    if (!card_watch(c, peer_server_fd(c->server)) ||
        !control_open(&c->commands, c->control, &card_control_ops, c, why, sizeof why)) {
        peer_server_close(c->server);
        wrong(why);
    }
}

int main(int argc, char **argv) {
    static struct card c;
    options(&c, argc, argv);
    start(&c);
    card_log(&c, "ready");
    run(&c);
    control_close(&c.commands);
    peer_server_close(c.server);
    card_capture_stop(&c);
    if (c.uplink) uplink_close(c.uplink);
    peer_fence_close(c.fence);
    impair_close(&c.impair);
    free(c.port);
    close(c.epoll);
    close(c.signals);
    return 0;
}
