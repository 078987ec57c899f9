/* mkvol.h - the two halves of mkvol: building a volume, looking at one. */
#ifndef IPL_MKVOL_H
#define IPL_MKVOL_H

#include "base/base.h"

#define MKVOL_SETS_MAX 40 /* format 1 DSCBs: the VTOC is one track */

struct mkvol_set {
    const char *dsname, *dir;
};

struct mkvol_job {
    const char *output, *volser, *nucleus; /* nucleus: the image that becomes SYS1.NUCLEUS(IEANUC01), or NULL */
    u32 cyls;                              /* 0: as many as are needed, and one */
    bool no_ipl_text;
    struct mkvol_set set[MKVOL_SETS_MAX];
    u32 sets;
};

/* All print one line on stderr for what is wrong, and return the program's exit status: 0, 1. */
int mkvol_build(const struct mkvol_job *job);
int mkvol_list(const char *path);
int mkvol_print(const char *path, const char *what);
void mkvol_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The IPL text and its records, built into the program. */
extern const u8 ipl_record[], ipl_text[];
extern const u32 ipl_record_bytes, ipl_text_bytes;

#endif
