/* panel_model.h - what the panel shows: the answer of `plex390 status --json --guests` as a value, and what changed since the
 * one before it. No drawing, no process, no clock: JSON text and the moment it came go in.
 *
 *   panel_read(&now, text, seconds, ...); panel_rates(&now, &before); show now; before = now
 *
 * Rates are per second, over the time between two answers. A counter that went back (a process was started anew) has rate 0
 * until the next answer. What does not fit is left out and counted in `left_out`.
 */
#ifndef LAB_PANEL_MODEL_H
#define LAB_PANEL_MODEL_H

#include "lab/plex.h"

#include <stddef.h>

#define PANEL_DVIPAS_MAX     64
#define PANEL_TARGETS_MAX    64
#define PANEL_STRUCTURES_MAX 16

enum panel_state { PANEL_ABSENT, PANEL_RUNNING, PANEL_FROZEN };

/* A counter and how fast it grows. */
struct panel_count {
    double total, rate;
};

struct panel_path { /* signalling out over a CTC */
    char device[5], to[9], status[12];
    struct panel_count signals;
};

struct panel_system {
    char name[9], address[16], status[12];
    enum panel_state state;
    double seconds;
    struct panel_count cpu_seconds, instructions; /* the first one's rate: of a processor */
    bool says_mips;
    double mips; /* what it says, or by its count of instructions */
    int paths;
    struct panel_path path[PLEX_SYSTEMS_MAX];
};

struct panel_port { /* a system's attachment to a card */
    char system[9], device[5], mode[16];
    bool started, fenced;
    struct panel_count bytes; /* both ways */
};

struct panel_card {
    char name[9];
    enum panel_state state;
    bool lan_up, uplink_up;
    struct panel_count bytes;
    int ports, addresses;
    struct panel_port port[PLEX_SYSTEMS_MAX];
};

struct panel_cflink {
    char system[9];
    bool up, pulled, isolated;
    struct panel_count commands, bytes;
};

struct panel_structure {
    char name[17], type[6];
    int connectors, percent; /* of its entries or elements, whichever is fuller */
};

struct panel_cf {
    char name[9];
    enum panel_state state;
    int storage_kb, free_kb;
    struct panel_count commands;
    int links, structures;
    struct panel_cflink link[PLEX_SYSTEMS_MAX]; /* one for each system of the plex, in its order */
    struct panel_structure structure[PANEL_STRUCTURES_MAX];
};

struct panel_dvipa {
    char address[16], owner[9], origin[16]; /* owner "" = nobody has it ACTIVE */
    bool distributed;
    int backups;
    char backup[PLEX_SYSTEMS_MAX][9]; /* the next to take it is first */
};

struct panel_target {
    char address[16], system[16], by[9]; /* system: its name, or the dynamic XCF address of one that is not known */
    int port, ready, weight, tsr, active; /* active: connections that are open */
    bool quiesced;
    struct panel_count connections;
};

struct panel_model {
    char plex[9], lan[12];
    double at; /* seconds, of the caller's clock */
    int systems, cards, cfs, dvipas, targets, left_out;
    struct panel_system system[PLEX_SYSTEMS_MAX];
    struct panel_card card[PLEX_CARDS_MAX];
    struct panel_cf cf[PLEX_CFS_MAX];
    struct panel_dvipa dvipa[PANEL_DVIPAS_MAX];
    struct panel_target target[PANEL_TARGETS_MAX];
};

/* false, with a sentence in error, if text is not a status; m is then empty. */
bool panel_read(struct panel_model *m, const char *text, double at, char *error, size_t cap);
void panel_rates(struct panel_model *m, const struct panel_model *before);

const char *panel_state_name(enum panel_state s);
/* Index of a system, or -1. */
int panel_system_at(const struct panel_model *m, const char *name);
/* "12", "3.4k", "1.2M": three digits for any rate. */
const char *panel_figure(double value, char out[16]);

#endif
