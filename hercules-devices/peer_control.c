/* peer_control.c - the control socket. See peer_control.h.
 */
#include "hercules-devices/peer_control.h"

#include "hercules-devices/peer_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_US 100000

char *control_result(const char *wrong) {
    char *text = NULL;
    if (!wrong) return strdup("ok");
    return asprintf(&text, "error: %s", wrong) < 0 ? NULL : text;
}

static void client_close(struct control_client *cl) {
    close(cl->fd);
    cl->fd = -1;
}

static bool send_all(int fd, const char *text, size_t len) {
    while (len) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

static bool run_line(struct control *c, struct control_client *cl, char *line) {
    size_t end = strlen(line);
    while (end && strchr(" \r\t", line[end - 1])) line[--end] = 0;
    char *args = line + strcspn(line, " ");
    if (*args) *args++ = 0;
    char *text = c->ops->answer(c->ctx, line, args + strspn(args, " "));
    bool good = text && send_all(cl->fd, text, strlen(text)) && send_all(cl->fd, "\n", 1);
    free(text);
    return good;
}

static void client_read(struct control *c, struct control_client *cl) {
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

static void client_accept(struct control *c) {
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    struct timeval patience = {.tv_usec = PATIENCE_US};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    for (u32 i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *cl = &c->client[i];
        if (cl->fd >= 0) continue;
        cl->fd = fd;
        cl->used = 0;
        if (!c->ops->watch(c->ctx, fd)) client_close(cl);
        return;
    }
    send_all(fd, "error: too many control connections\n", 36);
    close(fd);
}

void control_event(struct control *c, int fd) {
    if (fd < 0) return;
    if (fd == c->listener) client_accept(c);
    for (u32 i = 0; i < CONTROL_CLIENTS; i++)
        if (c->client[i].fd == fd) client_read(c, &c->client[i]);
}

bool control_open(struct control *c, const char *path, const struct control_ops *ops, void *ctx, char *why, size_t cap) {
    struct peer_address a;
    for (u32 i = 0; i < CONTROL_CLIENTS; i++) c->client[i].fd = -1;
    c->ops = ops;
    c->ctx = ctx;
    c->path = path;
    c->listener = -1;
    if (!path) return true;
    if (!peer_address_parse(path, &a, why, cap)) return false;
    if (a.tcp) {
        snprintf(why, cap, "--control %s: a control socket is a path", path);
        return false;
    }
    c->listener = peer_socket_listen(&a, why, cap);
    return c->listener >= 0 && ops->watch(ctx, c->listener);
}

void control_close(struct control *c) {
    for (u32 i = 0; i < CONTROL_CLIENTS; i++)
        if (c->client[i].fd >= 0) client_close(&c->client[i]);
    if (c->listener < 0) return;
    close(c->listener);
    c->listener = -1;
    unlink(c->path);
}
