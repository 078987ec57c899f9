/* plex.h - a plex as configs/NAME/plex.conf describes it: LPARs, OSA cards, coupling facilities, the client's side of the LAN.
 *
 * plex_load() reads it with libconfig; every mistake is one line "file:line: what was expected" on standard
 * error. All figures are checked here, so nothing after it needs to. Touches files only.
 */
#ifndef LAB_PLEX_H
#define LAB_PLEX_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define PLEX_CARDS_MAX 8
#define PLEX_CFS_MAX 8
#define PLEX_CFLINK_STEP 0x10 /* device numbers from one facility's link to the next one's */
#define PLEX_SYSTEMS_MAX 32
#define PLEX_ATTACH_MAX 8
#define PLEX_FORWARDS_MAX 32

struct plex_card {
    char name[9];
    char mac[18];
    char chpid[4];    /* "osd" or "iqd" */
    char uplink[256]; /* "" = the lab's LAN; else a vde URL */
    int mtu;
};

/* cf = ( { name = "CF01"; storage = 65536; }, ... ) */
struct plex_cf {
    char name[9];
    int storage_kb;
};

struct plex_attach {
    unsigned device; /* number of the read device */
    int card;        /* index into cards */
    char mode[8];    /* "qdio" or "lcs" */
};

struct plex_system {
    char name[9];
    char loadparm[9];
    char address[16]; /* where the lab's client looks for it (its profile decides), "" = none */
    int memory_mb;
    int console_port; /* telnet 3215; 0 = none */
    int cflink;       /* device number of the link to the first facility; 0 = none */
    int attaches;
    struct plex_attach attach[PLEX_ATTACH_MAX];
};

struct plex_forward {
    int host_port, guest_port;
    char guest[16];
};

struct plex {
    char name[9];
    char dir[PATH_MAX]; /* configs/NAME */
    char volser[7];
    char client[20]; /* "10.1.1.254/24" */
    int ctc; /* first device number of the channel-to-channel units, two for each other system; 0 = none */
    int cflink; /* what a system has that says nothing of its own */
    int capture; /* 1: what passes each system's CTCs and coupling facility links goes to RUN/PLEX/SYSTEM.signals.pcapng */
    int cards, cfs, systems, forwards;
    struct plex_card card[PLEX_CARDS_MAX];
    struct plex_cf cf[PLEX_CFS_MAX];
    struct plex_system system[PLEX_SYSTEMS_MAX];
    struct plex_forward forward[PLEX_FORWARDS_MAX];
};

/* configs: the folder that has one folder a plex. false after a message. */
bool plex_load(struct plex *p, const char *configs, const char *name);
const struct plex_system *plex_system(const struct plex *p, const char *name);
const struct plex_card *plex_card(const struct plex *p, const char *name);
const struct plex_cf *plex_cf(const struct plex *p, const char *name);

#endif
