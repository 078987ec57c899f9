/* peer_socket.h - addresses and sockets of a plex's processes, descriptors that travel over them. For peer and for
 * control sockets.
 */
#ifndef HERCULES_DEVICES_PEER_SOCKET_H
#define HERCULES_DEVICES_PEER_SOCKET_H

#include "base/base.h"

struct peer_address {
    bool tcp;
    char path[108]; /* of a Unix socket */
    char host[128], port[16];
};
bool peer_address_parse(const char *text, struct peer_address *a, char *why, size_t cap);
/* A connected or connecting non-blocking socket, or -1 with errno. */
int peer_socket_connect(const struct peer_address *a);
/* A listening non-blocking socket, or -1 and why. A socket file that nobody listens on is replaced. */
int peer_socket_listen(const struct peer_address *a, char *why, size_t cap);
void peer_socket_tune(int fd, const struct peer_address *a);
bool peer_socket_send_fds(int fd, const u8 *bytes, size_t len, const int *fds, u32 count);
/* As recv(2); descriptors that came along go to fds[0..max), unused ones are -1. */
long peer_socket_recv_fds(int fd, u8 *bytes, size_t len, int *fds, u32 max);
void peer_fd_close(int *fd); /* and makes it -1 */

#endif
