/* parmlib.h - LOADxx and IEASYMxx, the two parmlib members that decide what an image is called.
 *
 * LOADxx: one statement a record, fixed columns, '*' in column 1 is a comment.
 *   columns   statement
 *   1-8       keyword          10-       value
 *   IODF      10-11 suffix, 13-20 high-level qualifier, 22-29 configuration id
 *   SYSCAT    10-15 volume, 20-63 master catalog (kept for D IPLINFO only)
 *   SYSPARM   10-   xx or (xx,yy,...)        IEASYM   10-  xx or (xx,yy,...[,L])
 *   SYSPLEX   10-17 name                     PARMLIB  10-53 data set, 55-60 volume; up to 10, in order
 *   NUCLEUS   10    NUCLST 10-11   INITSQA 10-   ARCHLVL 10   accepted
 *   HWNAME LPARNAME VMUSERID  10-17: what follows holds only for this one, until the next of its kind.
 *             HWNAME ends an earlier LPARNAME and VMUSERID, LPARNAME ends VMUSERID; blank = for all.
 *   Of several that apply the last one wins.
 *
 * IEASYMxx: columns 1-71, free form, comments between slash-star and star-slash, blanks and commas separate.
 *   SYSDEF [HWNAME(x)] [LPARNAME(x)] [VMUSERID(x)] [SYSPARM(xx)] [SYSNAME(x)] [SYSCLONE(x)]
 *          [SYMDEF(&N='text')]...
 *   A SYSDEF reaches to the next SYSDEF. Its filters decide whether the rest of it applies. Definitions of
 *   all that apply add up, the last of a name wins; symbols inside texts are resolved at the end.
 *
 * parmlib_* read text that dataset.h delivered and report through struct parm_error; they print nothing.
 */
#ifndef SUPER_PARMLIB_H
#define SUPER_PARMLIB_H

#include "base/base.h"
#include "super/symbols.h"

#define PARMLIB_MAX  10
#define SUFFIXES_MAX 16

struct image_id { /* what filters compare with */
    const char *hwname, *lparname, *vmuserid;
};

struct loadxx {
    char suffix[3];
    char dsname[45]; /* where LOADxx was found */
    char sysplex[9];
    char iodf_suffix[3], iodf_hlq[9], iodf_config[9];
    char syscat_volser[7], syscat_dsname[45];
    char nucleus, archlvl;
    char ieasym[SUFFIXES_MAX][3], sysparm[SUFFIXES_MAX][3];
    u32 ieasyms, sysparms;
    bool ieasym_list; /* (..,L): list what is read */
    char parmlib[PARMLIB_MAX][45];
    u32 parmlibs;
};

struct parm_error {
    enum symbol_error reason;
    u32 line;
    char token[SYMBOL_RAW_MAX + 1];
    const char *expected;
};

/* text: the member's lines. false with *err filled: nothing further of the member was taken. */
bool parmlib_loadxx(const char *text, const struct image_id *id, struct loadxx *out, struct parm_error *err);

struct ieasym {
    char sysname[SYMBOL_RAW_MAX + 1], sysclone[SYMBOL_RAW_MAX + 1]; /* as written; "" = not given */
    char sysparm[SUFFIXES_MAX][3];
    u32 sysparms;
};
/* Adds one member's definitions to syms and into. */
bool parmlib_ieasym(const char *text, const struct image_id *id, struct symbols *syms, struct ieasym *into,
                    struct parm_error *err);

#endif
