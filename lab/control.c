/* control.c - asks the processes of a plex. See control.h. */
#include "lab/control.h"

#include "lab/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_SECONDS 5

static int control_connect(const char *dir, const char *name) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/%s.ctl", dir, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = ANSWER_SECONDS}, sizeof(struct timeval));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
    close(fd);
    return -1;
}

bool control_ask(const char *dir, const char *name, const char *command, char *out, size_t cap) {
    char line[1024];
    size_t have = 0;
    int fd = control_connect(dir, name);
    out[0] = 0;
    if (fd < 0) {
        snprintf(out, cap, "error: %s does not answer: %s", name, strerror(errno));
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

bool control_wait(const char *dir, const char *name, int ms) {
    static char answer[1 << 20];
    long long end = now_ms() + ms;
    while (!control_ask(dir, name, "status", answer, sizeof answer)) {
        if (!proc_find(dir, name, NULL) || now_ms() > end) return false;
        sleep_ms(10);
    }
    return true;
}
