/* osa_hdl.c - the module: device types PLXOSA (OSA-Express, QDIO) and PLXLCS (OSA in LCS mode).
 *
 *   dddd.3 PLXOSA card=ADDRESS lpar=NAME [mode=l3|l2] [portname=NAME] [chpid=osd|iqd] [router=pri|sec] [expect=CARD] [fence=FILE] [trace=yes]
 *   dddd.2 PLXLCS card=ADDRESS lpar=NAME [port=0..15] [expect=CARD] [fence=FILE] [trace=yes]
 *
 *   card      socket path of the card process, or tcp:host:port
 *   lpar      name of this LPAR, up to 8 characters; the card knows the attachment by it
 *   mode      layer that the driver may use; without it, the one the driver asks for
 *   portname  a driver that names another port is refused
 *   expect    name that the card must have
 *   fence     the plex's page of isolated incarnations (peer_fence.h): a system that stands in it is silent
 *   trace     yes: each step of the channel dialogue goes to the log
 *
 * LDMOD with the absolute path of the module; see hdl.h for messages.
 */
#include "hercules-devices/hdl.h"

#include <stdio.h>
#include <stdlib.h>

#include "hercules-devices/lcs_engine.h"
#include "hercules-devices/osa_engine.h"
#include "hercules-devices/osa_wire.h"

#define CCW_ACTIVATE_QUEUES 0x1F

/* A word of a device statement and what it stands for. */
struct word {
    const char *text;
    u8 value;
};

static bool word_value(const struct word *words, u32 n, const char *name, const char *text, u8 *value, char *error,
                       size_t cap) {
    for (u32 i = 0; i < n; i++)
        if (strcmp(words[i].text, text) == 0) {
            *value = words[i].value;
            return true;
        }
    snprintf(error, cap, "%s=%s: not one of its values", name, text);
    return false;
}

/* Options that all devices with a card have. */
struct card_options {
    char lpar[9], trace[4], fence[256];
};

static bool take_card_options(struct hdl_group *g, const struct card_options *o, const struct host_port *port,
                              char *error, size_t cap) {
    static const struct word yes_no[] = {{"yes", 1}, {"no", 0}, {"", 0}};
    u8 trace;
    if (!word_value(yes_no, ARRAY_LEN(yes_no), "trace", o->trace, &trace, error, cap) || !hdl_fence(g, o->fence, error, cap))
        return false;
    snprintf(g->lpar, sizeof g->lpar, "%s", o->lpar);
    group_init(&g->host, port, g, trace);
    return true;
}

static void engine_free(struct engine *e) { free(e); }

/* ---- PLXOSA ---- */

static struct engine *osa_create(struct hdl_group *g, const struct host_port *port, int argc, char *const argv[],
                                 char *error, size_t cap) {
    static const struct word modes[] = {{"", 0}, {"l3", OSA_MODE_QDIO_L3}, {"l2", OSA_MODE_QDIO_L2}};
    static const struct word types[] = {{"", OSA_CHPID_OSD}, {"osd", OSA_CHPID_OSD}, {"iqd", OSA_CHPID_IQD}};
    static const struct word roles[] = {{"", 0}, {"pri", 1}, {"sec", 2}};
    struct card_options card = {0};
    struct osa_params p = {.devnum = hdl_devnum(g), .chpid = g->dev[0]->pmcw.chpid[0]};
    char mode[4] = "", type[4] = "", router[4] = "";
    const struct host_option options[] = {
        {"card", g->address, sizeof g->address, true},
        {"lpar", card.lpar, sizeof card.lpar, true},
        {"mode", mode, sizeof mode, false},
        {"portname", p.port_name, sizeof p.port_name, false},
        {"chpid", type, sizeof type, false},
        {"router", router, sizeof router, false},
        {"expect", g->self.expected, sizeof g->self.expected, false},
        {"fence", card.fence, sizeof card.fence, false},
        {"trace", card.trace, sizeof card.trace, false},
    };
    if (!host_options(options, ARRAY_LEN(options), argc, argv, error, cap) ||
        !word_value(modes, ARRAY_LEN(modes), "mode", mode, &p.mode, error, cap) ||
        !word_value(types, ARRAY_LEN(types), "chpid", type, &p.chpid_type, error, cap) ||
        !word_value(roles, ARRAY_LEN(roles), "router", router, &p.router, error, cap) ||
        !take_card_options(g, &card, port, error, cap))
        return NULL;
    memcpy(p.lpar, card.lpar, sizeof p.lpar);
    void *storage = calloc(1, osa_engine_bytes());
    struct engine *e = storage ? osa_engine_init(storage, &g->host.host, &p) : NULL;
    if (!e) {
        snprintf(error, cap, "the engine refused its parameters");
        free(storage);
    }
    return e;
}

static const struct hdl_type osa_type = {
    .name = "PLXOSA",
    .devtype = 0x1731,
    .units = 3,
    .chpid_type = OSA_CHPID_OSD,
    .peer = PEER_OSA,
    .queues = osa_engine_queues,
    .activate = CCW_ACTIVATE_QUEUES,
    .create = osa_create,
    .destroy = engine_free,
};

static int osa_init(DEVBLK *dev, int argc, char *argv[]) { return hdl_dev_init(dev, &osa_type, argc, argv); }

/* ACTIVATE QUEUES moves no data, whatever count its CCW has. */
static BYTE osa_immediate[256] = {[CCW_ACTIVATE_QUEUES] = 1};

static DEVHND osa_handlers = {.init = osa_init, HDL_HANDLERS.immed = osa_immediate};

/* ---- PLXLCS ---- */

static struct engine *lcs_create(struct hdl_group *g, const struct host_port *port, int argc, char *const argv[],
                                 char *error, size_t cap) {
    struct card_options card = {0};
    struct lcs_params p = {.devnum = hdl_devnum(g)};
    char number[3] = "";
    const struct host_option options[] = {
        {"card", g->address, sizeof g->address, true},
        {"lpar", card.lpar, sizeof card.lpar, true},
        {"port", number, sizeof number, false},
        {"expect", g->self.expected, sizeof g->self.expected, false},
        {"fence", card.fence, sizeof card.fence, false},
        {"trace", card.trace, sizeof card.trace, false},
    };
    if (!host_options(options, ARRAY_LEN(options), argc, argv, error, cap)) return NULL;
    char *end;
    unsigned long value = strtoul(number, &end, 10);
    if (*end || value > 15) {
        snprintf(error, cap, "port=%s: expected 0 to 15", number);
        return NULL;
    }
    p.port = (u8)value;
    if (!take_card_options(g, &card, port, error, cap)) return NULL;
    memcpy(p.lpar, card.lpar, sizeof p.lpar);
    void *storage = calloc(1, lcs_engine_bytes());
    struct engine *e = storage ? lcs_engine_init(storage, &g->host.host, &p) : NULL;
    if (!e) {
        snprintf(error, cap, "the engine refused its parameters");
        free(storage);
    }
    return e;
}

static const struct hdl_type lcs_type = {
    .name = "PLXLCS",
    .devtype = 0x3088,
    .units = 2,
    .peer = PEER_OSA,
    .create = lcs_create,
    .destroy = engine_free,
};

static int lcs_init(DEVBLK *dev, int argc, char *argv[]) { return hdl_dev_init(dev, &lcs_type, argc, argv); }

static DEVHND lcs_handlers = {.init = lcs_init, HDL_HANDLERS};

/* ---- the module ---- */

HDL_DEPENDENCY_SECTION;
{
    HDL_DEPENDENCY(HERCULES);
    HDL_DEPENDENCY(REGS);
    HDL_DEPENDENCY(SYSBLK);
    HDL_DEPENDENCY(DEVBLK);
}
END_DEPENDENCY_SECTION

HDL_REGISTER_SECTION;
{ HDL_REGISTER(debug_chsc_unknown_request, hdl_chsc); }
END_REGISTER_SECTION

HDL_DEVICE_SECTION;
{
    HDL_DEVICE(PLXOSA, osa_handlers);
    HDL_DEVICE(PLXLCS, lcs_handlers);
    HDL_DEVICE(PLXCFL, cfl_handlers);
    HDL_DEVICE(PLXCTC, ctc_handlers);
}
END_DEVICE_SECTION
