/* ezacfsm1_main.c - EZACFSM1 on the host: resolves a text's system symbols as a system of a plex would see them.
 *
 *   ezacfsm1 [-l LPARNAME] [-w HWNAME] [-m VMUSERID] [-p LOADPARM] [-v VOLSER] [-j JOBNAME] CONFIGDIR [FILE]
 *
 * CONFIGDIR holds iplparm/ and parmlib/, as configs/ONE does. FILE or standard input is copied to standard
 * output, resolved. The image is found as at IPL, by the guest's own code (super/sysipl.c): LOADxx, IEASYMxx
 * and their filters; what it says goes to standard error. Exit 1 if the IPL would end in a wait or a file
 * cannot be read, 2 for wrong usage.
 */
#include "base/str.h"
#include "super/console.h"
#include "super/ezacfsm1.h"
#include "super/system.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct datasets {
    const char *dir;
};

_Noreturn void base_bug(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, condition);
    abort();
}

/* The whole of a stream with a NUL behind it; false on an error. */
static bool slurp(FILE *f, struct member *out) {
    size_t cap = 4096, len = 0, n;
    char *text = malloc(cap);
    while (text && (n = fread(text + len, 1, cap - len - 1, f)) > 0) {
        len += n;
        if (cap - len < 2) {
            char *more = realloc(text, cap *= 2);
            if (!more) free(text);
            text = more;
        }
    }
    if (!text || ferror(f)) {
        free(text);
        return false;
    }
    text[len] = '\0';
    *out = (struct member){text, (u32)len};
    return true;
}

int dataset_read(struct datasets *ds, const char *dsname, const char *member, struct member *out) {
    static const char *const folders[][2] = {{"SYS1.IPLPARM", "iplparm"}, {"SYS1.PARMLIB", "parmlib"}};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char path[PATH_MAX];
        if (strcmp(dsname, folders[i][0]) != 0) continue;
        snprintf(path, sizeof path, "%s/%s/%s", ds->dir, folders[i][1], member);
        FILE *f = fopen(path, "r");
        if (!f) return errno == ENOENT ? -ERR_NOENT : -ERR_IO;
        bool good = slurp(f, out);
        fclose(f);
        return good ? 0 : -ERR_IO;
    }
    return -ERR_NOENT;
}

void dataset_release(struct datasets *ds, struct member *m) {
    UNUSED(ds);
    free(m->text);
}

static void to_stderr(void *ctx, const char *text) {
    UNUSED(ctx);
    fprintf(stderr, "%s\n", text);
}
static void to_stdout(void *ctx, const char *text) {
    UNUSED(ctx);
    puts(text);
}
static u32 wall_seconds(void *ctx) {
    UNUSED(ctx);
    return (u32)time(NULL);
}

static int resolve(struct system *sys, const char *path, const char *jobname) {
    FILE *f = path ? fopen(path, "r") : stdin;
    struct member m;
    if (!f || !slurp(f, &m)) {
        fprintf(stderr, "ezacfsm1: %s: %s\n", path ? path : "standard input", strerror(errno));
        return 1;
    }
    struct moment when;
    u32 cut = 0;
    system_moment(sys, &when);
    when.jobname = jobname;
    ezacfsm1_run(&sys->symbols, &when, m.text, m.len, to_stdout, NULL, &cut);
    free(m.text);
    if (f != stdin) fclose(f);
    if (cut)
        fprintf(stderr, "ezacfsm1: %u records were longer than %d characters and were cut\n", cut,
                SYMBOL_LINE_MAX);
    return fflush(stdout) != 0 || cut ? 1 : 0;
}

int main(int argc, char **argv) {
    struct datasets ds;
    struct console con;
    struct console_sink sink = {.line = to_stderr};
    struct ipl_info ipl = {.device = 0x0A80, .volser = "PLXRES"};
    const struct system_env env = {.ds = &ds, .con = &con, .wall_seconds = wall_seconds};
    const char *jobname = "EZACFSM1";
    for (int c; (c = getopt(argc, argv, "l:w:m:p:v:j:")) != -1;) {
        switch (c) {
        case 'l': str_copy(ipl.lparname, sizeof ipl.lparname, optarg); break;
        case 'w': str_copy(ipl.hwname, sizeof ipl.hwname, optarg); break;
        case 'm': str_copy(ipl.vmuserid, sizeof ipl.vmuserid, optarg); break;
        case 'p': str_copy(ipl.loadparm, sizeof ipl.loadparm, optarg); break;
        case 'v': str_copy(ipl.volser, sizeof ipl.volser, optarg); break;
        case 'j': jobname = optarg; break;
        default: argc = 0; break;
        }
    }
    if (argc < optind + 1 || argc > optind + 2) {
        fprintf(stderr, "usage: ezacfsm1 [-l LPARNAME] [-w HWNAME] [-m VMUSERID] [-p LOADPARM] [-v VOLSER] "
                        "[-j JOBNAME] CONFIGDIR [FILE]\n");
        return 2;
    }
    static struct system sys;
    ds.dir = argv[optind];
    console_init(&con);
    console_attach(&con, &sink);
    u32 wait = system_ipl(&sys, &ipl, &env, 0);
    if (wait) {
        fprintf(stderr, "ezacfsm1: the IPL would end in wait %03X\n", wait);
        return 1;
    }
    return resolve(&sys, argv[optind + 1], jobname);
}
