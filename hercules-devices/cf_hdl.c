/* cf_hdl.c - device type PLXCFL: a link to a coupling facility.
 *
 *   dddd PLXCFL cf=ADDRESS lpar=NAME [expect=CF] [fence=FILE] [capture=FILE] [trace=yes]
 *
 *   cf       socket path of the facility's process, or tcp:host:port
 *   lpar     name of this LPAR, up to 8 characters; with the emulator's incarnation it is what the facility knows the system by
 *   expect   name that the facility must have
 *   fence    the plex's page of isolated incarnations (peer_fence.h): a system that stands in it is silent
 *   capture  file to which the link's messages go (tap.h)
 *   trace    yes: the beginning of each command and response goes to the log
 *
 * It is registered with the module's other types in osa_hdl.c.
 */
#include "hercules-devices/hdl.h"

#include <stdio.h>
#include <stdlib.h>

#include "hercules-devices/cf_link.h"

static struct engine *cfl_create(struct hdl_group *g, const struct host_port *port, int argc, char *const argv[], char *error,
                                 size_t cap) {
    struct cf_link_params p = {.devnum = hdl_devnum(g)};
    char trace[4] = "no", fence[256] = "", capture[256] = "";
    const struct host_option options[] = {
        {"cf", g->address, sizeof g->address, true},
        {"lpar", p.lpar, sizeof p.lpar, true},
        {"expect", g->self.expected, sizeof g->self.expected, false},
        {"fence", fence, sizeof fence, false},
        {"capture", capture, sizeof capture, false},
        {"trace", trace, sizeof trace, false},
    };
    if (!host_options(options, ARRAY_LEN(options), argc, argv, error, cap)) return NULL;
    if (!hdl_fence(g, fence, error, cap)) return NULL;
    if (!hdl_capture(g, capture, TAP_LINK_CF, p.lpar, g->self.expected[0] ? g->self.expected : g->address, error, cap)) return NULL;
    if (strcmp(trace, "yes") != 0 && strcmp(trace, "no") != 0) {
        snprintf(error, cap, "trace=%s: not one of its values", trace);
        return NULL;
    }
    snprintf(g->lpar, sizeof g->lpar, "%s", p.lpar);
    group_init(&g->host, port, g, strcmp(trace, "yes") == 0);
    void *storage = calloc(1, cf_link_bytes());
    struct engine *e = storage ? cf_link_init(storage, &g->host.host, &p) : NULL;
    if (!e) {
        snprintf(error, cap, "the engine refused its parameters");
        free(storage);
    }
    return e;
}

static void cfl_destroy(struct engine *e) { free(e); }

static const struct hdl_type cfl_type = {
    .name = "PLXCFL",
    .devtype = CF_LINK_TYPE,
    .units = 1,
    .peer = PEER_CF,
    .create = cfl_create,
    .destroy = cfl_destroy,
};

static int cfl_init(DEVBLK *dev, int argc, char *argv[]) { return hdl_dev_init(dev, &cfl_type, argc, argv); }

DEVHND cfl_handlers = {.init = cfl_init, HDL_HANDLERS};
