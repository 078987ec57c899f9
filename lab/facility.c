/* facility.c - starts coupling facilities. See facility.h. */
#include "lab/facility.h"

#include "lab/control.h"

#include <stdio.h>
#include <stdlib.h>

#define START_MS 5000

bool facility_start(const struct places *at, const struct plex_cf *f, const char *dir) {
    char tool[PATH_MAX + 16], sock[PATH_MAX], ctl[PATH_MAX], fence[PATH_MAX], storage[16];
    const char *other = getenv("PLEX390_CF"); /* one built with sanitizers, for tests */
    if (other) snprintf(tool, sizeof tool, "%s", other);
    else snprintf(tool, sizeof tool, "%s/cf", at->build);
    snprintf(sock, sizeof sock, "%s/%s.sock", dir, f->name);
    snprintf(ctl, sizeof ctl, "%s/%s.ctl", dir, f->name);
    snprintf(fence, sizeof fence, "%s/fence", dir);
    snprintf(storage, sizeof storage, "%d", f->storage_kb);
    const char *argv[] = {tool,      "--name", f->name,     "--socket", sock,  "--control", ctl,
                          "--fence", fence,    "--storage", storage,    NULL};
    struct spawn sp = {.name = f->name, .argv = argv};
    if (proc_spawn(dir, &sp) < 0) return false;
    if (control_wait(dir, f->name, START_MS)) return true;
    fprintf(stderr, "plex390: coupling facility %s did not start; %s/%s.log says why\n", f->name, dir, f->name);
    return false;
}
