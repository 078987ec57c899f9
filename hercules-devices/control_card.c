/* control_card.c - the control socket of a card: a Unix socket, one command a line, one line of answer each: JSON where
 * it is data, "ok", or "error: " and a sentence.
 *
 *   status                            the state as JSON (status_card.c)
 *   cable pull|plug                   LAN down or up, for every attachment
 *   impair KEY=VALUE...|off           a bad wire (impair_card.h)
 *   capture start FILE [FILTER...]    FILE may stand in double quotes      capture stop
 *   isolate LPAR|all                  the LPAR's present incarnations are refused from now on
 *   quit
 */
#include "hercules-devices/osa_card.h"
#include "hercules-devices/peer_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char *do_cable(struct card *c, char *args, char *why, size_t cap) {
    UNUSED(why);
    UNUSED(cap);
    bool pull = strcmp(args, "pull") == 0;
    if (!pull && strcmp(args, "plug") != 0) return "cable pull or cable plug";
    c->cable_out = pull;
    card_lan_update(c);
    return NULL;
}

static const char *do_impair(struct card *c, char *args, char *why, size_t cap) {
    if (!*args) return "impair KEY=VALUE... or impair off";
    if (!impair_configure(&c->impair, args, why, cap)) return why;
    card_offload_update(c);
    return NULL;
}

static const char *do_capture(struct card *c, char *args, char *why, size_t cap) {
    const char *usage = "capture start FILE [FILTER] or capture stop";
    if (strcmp(args, "stop") == 0) {
        if (!c->capture) return "no capture is running";
        card_capture_stop(c);
        return NULL;
    }
    if (strncmp(args, "start ", 6) != 0) return usage;
    char *file = args + 6 + strspn(args + 6, " "), *end;
    if (*file == '"') end = strchr(++file, '"');
    else
        end = file + strcspn(file, " ");
    if (!end || end == file) return usage;
    if (*end) *end++ = 0;
    return card_capture_start(c, file, end + strspn(end, " "), why, cap) ? NULL : why;
}

static const char *do_isolate(struct card *c, char *args, char *why, size_t cap) {
    if (!*args) return "isolate LPAR or isolate all";
    u32 n = osa_port_fence(c->port, strcmp(args, "all") == 0 ? "" : args, c->now);
    card_close_fenced(c);
    if (n) return NULL;
    snprintf(why, cap, "%s has no attachment here", args);
    return why;
}

static const char *do_quit(struct card *c, char *args, char *why, size_t cap) {
    UNUSED(args);
    UNUSED(why);
    UNUSED(cap);
    c->stop = true;
    return NULL;
}

static const struct {
    const char *verb;
    const char *(*run)(struct card *c, char *args, char *why, size_t cap); /* NULL: done, else what is wrong */
} commands[] = {
    {"cable", do_cable}, {"impair", do_impair}, {"capture", do_capture}, {"isolate", do_isolate}, {"quit", do_quit},
};

/* The answer to a command, without its newline; the caller frees it. */
static char *answer(struct card *c, char *line) {
    char why[512], *text = NULL;
    size_t end = strlen(line);
    while (end && strchr(" \r\t", line[end - 1])) line[--end] = 0;
    char *args = line + strcspn(line, " ");
    if (*args) *args++ = 0;
    args += strspn(args, " ");
    if (strcmp(line, "status") == 0) return card_status(c);
    const char *wrong = "commands are status, cable, impair, capture, isolate, quit";
    for (u32 i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(line, commands[i].verb) == 0) wrong = commands[i].run(c, args, why, sizeof why);
    if (!wrong) return strdup("ok");
    return asprintf(&text, "error: %s", wrong) < 0 ? NULL : text;
}

static void client_close(struct card_control *cl) {
    close(cl->fd);
    cl->fd = -1;
}

/* A status of many attachments is larger than a socket's buffer: the client gets a moment to read, the card's packets
 * wait no longer than that. */
static bool send_all(int fd, const char *text, size_t len) {
    while (len) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

static bool run_line(struct card *c, struct card_control *cl, char *line) {
    char *text = answer(c, line);
    bool good = text && send_all(cl->fd, text, strlen(text)) && send_all(cl->fd, "\n", 1);
    free(text);
    return good;
}

static void client_read(struct card *c, struct card_control *cl) {
    ssize_t n = recv(cl->fd, cl->line + cl->used, sizeof cl->line - 1 - cl->used, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    bool good = n > 0;
    if (good) cl->used += (u32)n;
    for (char *newline; good && (newline = memchr(cl->line, '\n', cl->used));) {
        u32 taken = (u32)(newline - cl->line) + 1;
        *newline = 0;
        good = run_line(c, cl, cl->line);
        cl->used -= taken;
        memmove(cl->line, cl->line + taken, cl->used);
    }
    if (good && cl->used == sizeof cl->line - 1) {
        send_all(cl->fd, "error: the line is too long\n", 28);
        good = false;
    }
    if (!good) client_close(cl);
}

static void client_accept(struct card *c) {
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    struct timeval patience = {.tv_usec = 100000};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    for (u32 i = 0; i < CARD_CONTROLS; i++) {
        struct card_control *cl = &c->client[i];
        if (cl->fd >= 0) continue;
        cl->fd = fd;
        cl->used = 0;
        if (!card_watch(c, fd)) client_close(cl);
        return;
    }
    send_all(fd, "error: too many control connections\n", 36);
    close(fd);
}

void card_control_event(struct card *c, int fd) {
    if (fd == c->listener) client_accept(c);
    for (u32 i = 0; i < CARD_CONTROLS; i++)
        if (c->client[i].fd == fd && fd >= 0) client_read(c, &c->client[i]);
}

bool card_control_open(struct card *c, char *why, size_t cap) {
    struct peer_address a;
    for (u32 i = 0; i < CARD_CONTROLS; i++) c->client[i].fd = -1;
    c->listener = -1;
    if (!c->control) return true;
    if (!peer_address_parse(c->control, &a, why, cap)) return false;
    if (a.tcp) {
        snprintf(why, cap, "--control %s: a control socket is a path", c->control);
        return false;
    }
    c->listener = peer_socket_listen(&a, why, cap);
    return c->listener >= 0 && card_watch(c, c->listener);
}

void card_control_close(struct card *c) {
    for (u32 i = 0; i < CARD_CONTROLS; i++)
        if (c->client[i].fd >= 0) client_close(&c->client[i]);
    if (c->listener < 0) return;
    close(c->listener);
    unlink(c->control);
}
