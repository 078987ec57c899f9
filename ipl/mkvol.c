/* mkvol.c - builds the IPL volume from plain text files, lists it, prints a member of it.
 *
 *   mkvol -o FILE [--volser NAME] [--nucleus IMAGE] [--cyls N] [--no-ipl-text] DSN=DIRECTORY ...
 *   mkvol --list FILE
 *   mkvol --print 'DSN(MEMBER)' FILE
 *
 * Each file of a directory is a member; its name in upper case is the member's name. Each line is a record of 80
 * EBCDIC bytes (code page 1047). A complaint is one line with file and line number; exit status 1.
 */
#include "ipl/mkvol.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(FILE *f, int status) {
    fputs("usage: mkvol -o FILE [--volser NAME] [--nucleus IMAGE] [--cyls N] [--no-ipl-text] DSN=DIRECTORY ...\n"
          "       mkvol --list FILE\n"
          "       mkvol --print 'DSN(MEMBER)' FILE\n",
          f);
    return status;
}

static bool add_set(struct mkvol_job *job, char *arg) {
    char *eq = strchr(arg, '=');
    if (!eq || eq == arg || !eq[1]) {
        mkvol_complain("%s: expected DSN=DIRECTORY", arg);
        return false;
    }
    if (job->sets == MKVOL_SETS_MAX) {
        mkvol_complain("%s: more than %d data sets", arg, MKVOL_SETS_MAX);
        return false;
    }
    *eq = 0;
    job->set[job->sets++] = (struct mkvol_set){.dsname = arg, .dir = eq + 1};
    return true;
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},  {"volser", required_argument, NULL, 'v'},
        {"nucleus", required_argument, NULL, 'n'}, {"cyls", required_argument, NULL, 'c'},
        {"no-ipl-text", no_argument, NULL, 'x'},   {"list", no_argument, NULL, 'l'},
        {"print", required_argument, NULL, 'p'},   {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    struct mkvol_job job = {.volser = "PLXRES"};
    const char *print = NULL;
    bool list = false;
    for (int c; (c = getopt_long(argc, argv, "o:v:n:c:lp:h", options, NULL)) != -1;) {
        char *end;
        switch (c) {
        case 'o': job.output = optarg; break;
        case 'v': job.volser = optarg; break;
        case 'n': job.nucleus = optarg; break;
        case 'x': job.no_ipl_text = true; break;
        case 'l': list = true; break;
        case 'p': print = optarg; break;
        case 'c':
            job.cyls = (u32)strtoul(optarg, &end, 10);
            if (*end || job.cyls == 0 || job.cyls > 3339) {
                mkvol_complain("--cyls %s: expected 1 to 3339", optarg);
                return 1;
            }
            break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 1);
        }
    }
    if (list || print) {
        if (optind + 1 != argc) return usage(stderr, 1);
        return print ? mkvol_print(argv[optind], print) : mkvol_list(argv[optind]);
    }
    if (!job.output) return usage(stderr, 1);
    for (int i = optind; i < argc; i++)
        if (!add_set(&job, argv[i])) return 1;
    return mkvol_build(&job);
}
