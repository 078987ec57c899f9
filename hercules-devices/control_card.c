/* control_card.c - the commands of a card's control socket (peer_control.h).
 *
 *   status                            the state as JSON (status_card.c)
 *   cable pull|plug                   LAN down or up, for every attachment
 *   impair KEY=VALUE...|off           a bad wire (impair_card.h)
 *   capture start FILE [FILTER...]    FILE may stand in double quotes      capture stop
 *   isolate LPAR|all                  the LPAR's present incarnations are refused from now on
 *   quit
 */
#include "hercules-devices/osa_card.h"

#include <stdio.h>
#include <string.h>

static const char *do_cable(struct card *c, char *args, char *why, size_t cap) {
    UNUSED(why);
    UNUSED(cap);
    bool pull = strcmp(args, "pull") == 0;
    if (!pull && strcmp(args, "plug") != 0) return "cable pull or cable plug";
    c->cable_out = pull;
    card_lan_update(c);
    return NULL;
}

static const char *do_impair(struct card *c, char *args, char *why, size_t cap) {
    if (!*args) return "impair KEY=VALUE... or impair off";
    if (!impair_configure(&c->impair, args, why, cap)) return why;
    card_offload_update(c);
    return NULL;
}

static const char *do_capture(struct card *c, char *args, char *why, size_t cap) {
    const char *usage = "capture start FILE [FILTER] or capture stop";
    if (strcmp(args, "stop") == 0) {
        if (!c->capture) return "no capture is running";
        card_capture_stop(c);
        return NULL;
    }
    if (strncmp(args, "start ", 6) != 0) return usage;
    char *file = args + 6 + strspn(args + 6, " "), *end;
    if (*file == '"') end = strchr(++file, '"');
    else
        end = file + strcspn(file, " ");
    if (!end || end == file) return usage;
    if (*end) *end++ = 0;
    return card_capture_start(c, file, end + strspn(end, " "), why, cap) ? NULL : why;
}

static const char *do_isolate(struct card *c, char *args, char *why, size_t cap) {
    if (!*args) return "isolate LPAR or isolate all";
    u32 n = osa_port_fence(c->port, strcmp(args, "all") == 0 ? "" : args, c->now);
    card_close_fenced(c);
    if (n) return NULL;
    snprintf(why, cap, "%s has no attachment here", args);
    return why;
}

static const char *do_quit(struct card *c, char *args, char *why, size_t cap) {
    UNUSED(args);
    UNUSED(why);
    UNUSED(cap);
    c->stop = true;
    return NULL;
}

static const struct {
    const char *verb;
    const char *(*run)(struct card *c, char *args, char *why, size_t cap); /* NULL: done, else what is wrong */
} commands[] = {
    {"cable", do_cable}, {"impair", do_impair}, {"capture", do_capture}, {"isolate", do_isolate}, {"quit", do_quit},
};

static char *answer(void *ctx, const char *verb, char *args) {
    struct card *c = ctx;
    char why[512];
    if (strcmp(verb, "status") == 0) return card_status(c);
    for (u32 i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(verb, commands[i].verb) == 0) return control_result(commands[i].run(c, args, why, sizeof why));
    return control_result("commands are status, cable, impair, capture, isolate, quit");
}

static bool watch(void *ctx, int fd) { return card_watch(ctx, fd); }

const struct control_ops card_control_ops = {.watch = watch, .answer = answer};
