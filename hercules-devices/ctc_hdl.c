/* ctc_hdl.c - device type PLXCTC: channel-to-channel units (3088), in pairs.
 *
 *   dddd.n PLXCTC director=FILE lpar=NAME [run=DIRECTORY] [fence=FILE] [capture=FILE] [trace=yes]
 *   dddd.2 PLXCTC lpar=NAME partner=NAME link=ADDRESS [straight=yes] [fence=FILE] [capture=FILE] [trace=yes]
 *
 *   director  the table of all links (ctc_director.h); each pair dddd, dddd+1 from the first on is looked up in it
 *   lpar      name of this LPAR, up to 8 characters
 *   run       where the links' sockets are; without it the directory of the director's file
 *   partner   name of the system at the other end of the one pair, which has the same device numbers there
 *   link      socket path, or tcp:host:port, the same in both statements
 *   straight  yes: unit i meets unit i; else the units of a pair are crossed
 *   fence     the plex's page of isolated incarnations (peer_fence.h): who stands in it is not spoken to, and is silent itself
 *   capture   file to which the link's messages go (tap.h)
 *   trace     yes: each step goes to the log
 *
 * The system whose name is lower serves the link, the other one connects, and again until it is there; both check
 * each other's name and device numbers. In the module plex390.so, registered in osa_hdl.c; see hdl.h for messages.
 */
#include "hercules-devices/hdl.h"

#include <stdio.h>
#include <stdlib.h>

#include "hercules-devices/ctc_director.h"
#include "hercules-devices/ctc_engine.h"

#define DIRECTOR_MAX 65536

struct options {
    char director[256], run[256], lpar[9], partner[9], link[256], straight[4], fence[256], capture[256], trace[4];
};

static bool yes(const char *name, const char *text, bool *out, char *error, size_t cap) {
    *out = strcmp(text, "yes") == 0;
    if (*out || text[0] == '\0' || strcmp(text, "no") == 0) return true;
    snprintf(error, cap, "%s=%s: expected yes or no", name, text);
    return false;
}

/* The whole table; NULL and a line in error. */
static char *director_read(const char *path, u32 *len, char *error, size_t cap) {
    FILE *f = fopen(path, "rb");
    char *text = malloc(DIRECTOR_MAX + 1);
    size_t n = f && text ? fread(text, 1, DIRECTOR_MAX + 1, f) : 0;
    bool good = f && text && !ferror(f) && n <= DIRECTOR_MAX;
    if (!good) snprintf(error, cap, "director=%s: %s", path, n > DIRECTOR_MAX ? "is longer than 64 KB" : strerror(errno));
    if (f) fclose(f);
    if (!good) {
        free(text);
        return NULL;
    }
    *len = (u32)n;
    return text;
}

/* A socket of the table is a name: it stands in run, or beside the table. */
static bool place_socket(const struct options *o, const char *name, char *out, size_t max, char *error, size_t cap) {
    const char *slash = strrchr(o->director, '/');
    int n;
    if (strncmp(name, "tcp:", 4) == 0 || name[0] == '/')
        n = snprintf(out, max, "%s", name);
    else if (o->run[0])
        n = snprintf(out, max, "%s/%s", o->run, name);
    else
        n = snprintf(out, max, "%.*s%s", slash ? (int)(slash - o->director) + 1 : 0, o->director, name);
    if (n >= 0 && (size_t)n < max) return true;
    snprintf(error, cap, "the path of the link's socket is too long");
    return false;
}

static bool by_director(struct hdl_group *g, const struct options *o, struct ctc_params *p, char *error, size_t cap) {
    struct ctc_route r;
    u32 len;
    char *table = director_read(o->director, &len, error, cap);
    if (!table) return false;
    bool found = ctc_director_find(table, len, o->lpar, p->devnum, &r, error, cap);
    free(table);
    if (!found) return false;
    memcpy(p->partner, r.partner, sizeof p->partner);
    p->partner_devnum = r.partner_devnum;
    p->straight = r.straight;
    return place_socket(o, r.address, g->address, sizeof g->address, error, cap);
}

static bool by_statement(struct hdl_group *g, const struct options *o, struct ctc_params *p, char *error, size_t cap) {
    if (!o->partner[0] || !o->link[0]) {
        snprintf(error, cap, "expected director=, or partner= and link=");
        return false;
    }
    memcpy(p->partner, o->partner, sizeof p->partner);
    p->partner_devnum = p->devnum;
    snprintf(g->address, sizeof g->address, "%s", o->link);
    return yes("straight", o->straight, &p->straight, error, cap);
}

static struct engine *ctc_create(struct hdl_group *g, const struct host_port *port, int argc, char *const argv[],
                                 char *error, size_t cap) {
    struct options o = {0};
    struct ctc_params p = {.devnum = hdl_devnum(g)};
    bool trace;
    const struct host_option options[] = {
        {"director", o.director, sizeof o.director, false}, {"run", o.run, sizeof o.run, false},
        {"lpar", o.lpar, sizeof o.lpar, true},              {"partner", o.partner, sizeof o.partner, false},
        {"link", o.link, sizeof o.link, false},             {"straight", o.straight, sizeof o.straight, false},
        {"fence", o.fence, sizeof o.fence, false},          {"capture", o.capture, sizeof o.capture, false},
        {"trace", o.trace, sizeof o.trace, false},
    };
    if (!host_options(options, ARRAY_LEN(options), argc, argv, error, cap) || !yes("trace", o.trace, &trace, error, cap))
        return NULL;
    if (!(o.director[0] ? by_director : by_statement)(g, &o, &p, error, cap)) return NULL;
    if (!hdl_fence(g, o.fence, error, cap) || !hdl_capture(g, o.capture, TAP_LINK_CTC, o.lpar, p.partner, error, cap)) return NULL;
    memcpy(p.lpar, o.lpar, sizeof p.lpar);
    p.home = strcmp(p.lpar, p.partner) < 0;
    snprintf(g->lpar, sizeof g->lpar, "%s", o.lpar);
    snprintf(g->self.expected, sizeof g->self.expected, "%s", p.partner);
    g->serves = p.home;
    group_init(&g->host, port, g, trace);
    void *storage = malloc(ctc_engine_bytes());
    struct engine *e = storage ? ctc_engine_init(storage, &g->host.host, &p) : NULL;
    if (!e) {
        snprintf(error, cap, "a link is between two systems");
        free(storage);
    }
    return e;
}

static void ctc_destroy(struct engine *e) { free(e); }

static char ctc_class[] = "CTCA";

static const struct hdl_type ctc_type = {
    .name = "PLXCTC",
    .class = ctc_class,
    .devtype = 0x3088,
    .units = CTC_UNITS_MAX,
    .peer = PEER_CTC,
    .create = ctc_create,
    .destroy = ctc_destroy,
};

/* Commands that move no data, whatever count their CCW has: all that end in 11. */
#define FOUR(n) [(n) + 3] = 1, [(n) + 7] = 1, [(n) + 11] = 1, [(n) + 15] = 1
static BYTE ctc_immediate[256] = {FOUR(0x00), FOUR(0x10), FOUR(0x20), FOUR(0x30), FOUR(0x40), FOUR(0x50),
                                  FOUR(0x60), FOUR(0x70), FOUR(0x80), FOUR(0x90), FOUR(0xA0), FOUR(0xB0),
                                  FOUR(0xC0), FOUR(0xD0), FOUR(0xE0), FOUR(0xF0)};

static int ctc_init(DEVBLK *dev, int argc, char *argv[]) { return hdl_dev_init(dev, &ctc_type, argc, argv); }

DEVHND ctc_handlers = {.init = ctc_init, HDL_HANDLERS.immed = ctc_immediate};
