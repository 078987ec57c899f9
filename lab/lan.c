/* lan.c - makes and finds the plex's LAN. See lan.h. Uses ip(8) for what the namespace needs. */
#include "lab/lan.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool put_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

/* A plain user becomes root of a user namespace; root needs only the network namespace. */
static bool enter_new_namespace(void) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    char map[64];
    if (uid == 0) return unshare(CLONE_NEWNET) == 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
    if (!put_text("/proc/self/uid_map", map) || !put_text("/proc/self/setgroups", "deny")) return false;
    snprintf(map, sizeof map, "0 %u 1", (unsigned)gid);
    return put_text("/proc/self/gid_map", map);
}

static bool build_bridge(const struct plex *p) {
    const char *const steps[][10] = {
        {"ip", "link", "set", "lo", "up", NULL},
        {"ip", "link", "add", LAN_BRIDGE, "type", "bridge", NULL},
        {"ip", "addr", "add", p->client, "dev", LAN_BRIDGE, NULL},
        {"ip", "link", "set", LAN_BRIDGE, "up", NULL},
        {"ip", "route", "add", "224.0.0.0/4", "dev", LAN_BRIDGE, NULL}, /* vxvde:// and the client's multicast */
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (proc_run(steps[i], false) != 0) {
            fprintf(stderr, "plex390: 'ip %s %s' failed in the LAN namespace\n", steps[i][1], steps[i][2]);
            return false;
        }
    return true;
}

/* What the holder tells its maker, in one write. */
struct report {
    pid_t pid;
    char reached; /* 'n' no namespace, 't' no TUN device, 'b' no bridge, 'k' all is well */
};

/* The holder: says how far it came, then keeps the namespace alive until it is ended. */
static _Noreturn void hold(const struct plex *p, int pipe_fd) {
    struct report r = {.pid = getpid(), .reached = 'n'};
    setsid();
    if (enter_new_namespace()) {
        int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        r.reached = tun < 0 ? 't' : build_bridge(p) ? 'k' : 'b';
        if (tun >= 0) close(tun);
    }
    if (write(pipe_fd, &r, sizeof r) != sizeof r || r.reached != 'k') _exit(1);
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++) dup2(null, i);
    closefrom(3);
    prctl(PR_SET_NAME, "plex390-lan");
    for (;;) pause();
}

/* Two forks, so that the holder belongs to nobody. */
static struct report start_holder(const struct plex *p) {
    struct report r = {0};
    int fds[2];
    fflush(NULL);
    if (pipe2(fds, O_CLOEXEC) != 0) return r;
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) hold(p, fds[1]);
        _exit(0);
    }
    close(fds[1]);
    if (child > 0) waitpid(child, NULL, 0);
    if (read(fds[0], &r, sizeof r) != sizeof r) r.reached = 0;
    close(fds[0]);
    return r;
}

static void slirp_marker(const char *dir, char out[PATH_MAX]) { snprintf(out, PATH_MAX, "%s/slirp", dir); }

enum lan_mode lan_create(const char *dir, const struct plex *p) {
    char marker[PATH_MAX];
    struct report r = start_holder(p);
    slirp_marker(dir, marker);
    unlink(marker);
    if (r.reached == 'k') return proc_record(dir, "lan", r.pid) ? LAN_NAMESPACE : LAN_NONE;
    if (r.reached != 'n' && r.reached != 't') return LAN_NONE;
    printf("LAN: %s on this machine, so the cards use slirp and its port forwarding\n",
           r.reached == 'n' ? "a plain user gets no network namespace" : "/dev/net/tun is closed to users");
    int fd = open(marker, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) return LAN_NONE;
    close(fd);
    return LAN_SLIRP;
}

enum lan_mode lan_find(const char *dir, pid_t *holder) {
    char marker[PATH_MAX];
    *holder = proc_find(dir, "lan", NULL);
    if (*holder) return LAN_NAMESPACE;
    slirp_marker(dir, marker);
    return access(marker, F_OK) == 0 ? LAN_SLIRP : LAN_NONE;
}

/* slirp:///v4/addr='CLIENT'/tcpfwd=127.0.0.1:HOST:GUEST:PORT,...: the first card serves the forwards. */
static void slirp_url(const struct plex *p, int card, char *out, size_t cap) {
    size_t n = (size_t)snprintf(out, cap, "slirp:///v4/addr='%s'", p->client);
    for (int i = 0; card == 0 && i < p->forwards && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s127.0.0.1:%d:%s:%d", i ? "," : "/tcpfwd=", p->forward[i].host_port,
                              p->forward[i].guest, p->forward[i].guest_port);
}

void lan_uplink(enum lan_mode mode, const struct plex *p, int card, char *out, size_t cap) {
    const struct plex_card *c = &p->card[card];
    if (strcmp(c->chpid, "iqd") == 0)
        snprintf(out, cap, "none");
    else if (c->uplink[0])
        snprintf(out, cap, "%s", c->uplink);
    else if (mode == LAN_SLIRP)
        slirp_url(p, card, out, cap);
    else
        snprintf(out, cap, "tap://%s", c->name);
}
