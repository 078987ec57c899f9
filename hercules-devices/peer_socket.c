/* peer_socket.c - addresses and sockets of peer connections; descriptors that travel over them.
 *
 *   "/path/osa1.sock"        Unix-domain stream socket
 *   "tcp:host:port"          TCP; "[v6]" brackets are allowed around host, "*" listens everywhere
 */
#include "hercules-devices/peer_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX   3u
#define BYTES_MAX 64u /* of a message with descriptors: a handshake */

bool peer_address_parse(const char *text, struct peer_address *a, char *why, size_t cap) {
    *a = (struct peer_address){0};
    if (strncmp(text, "tcp:", 4) != 0) {
        size_t len = strlen(text);
        if (len == 0 || len >= sizeof a->path) {
            snprintf(why, cap, "'%s': a socket path has 1 to %zu bytes", text, sizeof a->path - 1);
            return false;
        }
        memcpy(a->path, text, len);
        return true;
    }
    const char *host = text + 4, *colon = strrchr(host, ':');
    size_t host_len = colon ? (size_t)(colon - host) : 0;
    if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    }
    if (!colon || host_len == 0 || host_len >= sizeof a->host || !colon[1] || strlen(colon + 1) >= sizeof a->port) {
        snprintf(why, cap, "'%s' is not tcp:host:port", text);
        return false;
    }
    a->tcp = true;
    memcpy(a->host, host, host_len);
    strcpy(a->port, colon + 1);
    return true;
}

static void unix_address(const struct peer_address *a, struct sockaddr_un *sun) {
    *sun = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(sun->sun_path, a->path, strlen(a->path));
}

static struct addrinfo *resolve(const struct peer_address *a, bool passive) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0}, *found = NULL;
    const char *host = strcmp(a->host, "*") == 0 ? NULL : a->host;
    return getaddrinfo(host, a->port, &hints, &found) == 0 ? found : NULL;
}

void peer_socket_tune(int fd, const struct peer_address *a) {
    if (!a->tcp) return;
    int on = 1, idle = 2, interval = 1, probes = 3, timeout_ms = 5000;
    /* A host that vanishes without a word is noticed within five seconds, idle or not. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static int connect_to(int family, const struct sockaddr *sa, socklen_t len) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    if (connect(fd, sa, len) == 0 || errno == EINPROGRESS) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int peer_socket_connect(const struct peer_address *a) {
    if (!a->tcp) {
        struct sockaddr_un sun;
        unix_address(a, &sun);
        return connect_to(AF_UNIX, (const struct sockaddr *)&sun, sizeof sun);
    }
    struct addrinfo *found = resolve(a, false);
    if (!found) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = connect_to(found->ai_family, found->ai_addr, found->ai_addrlen);
    int error = errno;
    freeaddrinfo(found);
    errno = error;
    return fd;
}

/* A file left by a killed server refuses connections; one that answers, or is no socket, stays. */
static bool stale_socket_remove(const struct peer_address *a, const struct sockaddr_un *sun) {
    struct stat st;
    if (lstat(a->path, &st) != 0 || !S_ISSOCK(st.st_mode)) return false;
    int fd = connect_to(AF_UNIX, (const struct sockaddr *)sun, sizeof *sun);
    if (fd >= 0) {
        close(fd);
        return false;
    }
    return errno == ECONNREFUSED && unlink(a->path) == 0;
}

static int listen_unix(const struct peer_address *a) {
    struct sockaddr_un sun;
    unix_address(a, &sun);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    int error = bind(fd, (const struct sockaddr *)&sun, sizeof sun) == 0 ? 0 : errno;
    if (error == EADDRINUSE && stale_socket_remove(a, &sun))
        error = bind(fd, (const struct sockaddr *)&sun, sizeof sun) == 0 ? 0 : errno;
    if (!error && listen(fd, 64) == 0) return fd;
    if (!error) error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int listen_tcp(const struct peer_address *a) {
    struct addrinfo *found = resolve(a, true);
    if (!found) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int on = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 64) != 0) {
            int error = errno;
            close(fd);
            errno = error;
            fd = -1;
        }
    }
    int error = errno;
    freeaddrinfo(found);
    errno = error;
    return fd;
}

int peer_socket_listen(const struct peer_address *a, char *why, size_t cap) {
    int fd = a->tcp ? listen_tcp(a) : listen_unix(a);
    if (fd < 0 && a->tcp) snprintf(why, cap, "tcp:%s:%s: %s", a->host, a->port, strerror(errno));
    else if (fd < 0)
        snprintf(why, cap, "%s: %s", a->path,
                 errno == EADDRINUSE ? "in use, by another process or as an ordinary file" : strerror(errno));
    return fd;
}

bool peer_socket_send_fds(int fd, const u8 *bytes, size_t len, const int *fds, u32 count) {
    CHECK(count <= FDS_MAX);
    union {
        struct cmsghdr align;
        u8 space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control = {0};
    u8 copy[BYTES_MAX];
    CHECK(len <= sizeof copy);
    memcpy(copy, bytes, len);
    struct iovec iov = {copy, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count) {
        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    }
    return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

long peer_socket_recv_fds(int fd, u8 *bytes, size_t len, int *fds, u32 max) {
    CHECK(max <= FDS_MAX);
    union {
        struct cmsghdr align;
        u8 space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control = {0};
    struct iovec iov = {bytes, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space};
    /* Room for what is wanted and no more: the kernel closes descriptors that do not fit. */
    msg.msg_controllen = max ? CMSG_SPACE(sizeof(int) * max) : 0;
    ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0) return n;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int got;
            memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof got);
            if (i < max && fds[i] < 0) fds[i] = got;
            else close(got);
        }
    }
    return n;
}

void peer_fd_close(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}
