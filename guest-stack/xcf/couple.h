/* couple.h - what COUPLExx and the SFM policy say, as values. super/couplexx.c reads the text; this decides.
 *
 *   COUPLE     SYSPLEX PCOUPLE ACOUPLE INTERVAL OPNOTIFY CLEANUP MAXMSG RETRY CLASSLEN
 *   CLASSDEF   CLASS CLASSLEN MAXMSG GROUP(...)      UNDESIG = groups that no class names
 *   PATHIN     DEVICE(...) | STRNAME(...)  MAXMSG RETRY      PATHOUT the same and CLASS
 *   LOCALMSG   MAXMSG CLASS
 *
 *   item      default          range            item      default   range
 *   INTERVAL  25 s             3..86400         MAXMSG    2000 KB   1..999999
 *   OPNOTIFY  INTERVAL + 3 s   not < INTERVAL   RETRY     10        3..255
 *   CLEANUP   15 s             5..86400         CLASSLEN  956       0..62464
 *
 * Class 0 is DEFAULT and always there. SFM: ISOLATETIME (0 if there is no policy) or PROMPT for each system,
 * WEIGHT, CONNFAIL. Pure values; touches nothing.
 */
#ifndef XCF_COUPLE_H
#define XCF_COUPLE_H

#include "base/base.h"

#define COUPLE_CLASSES_MAX 8
#define COUPLE_GROUPS_MAX  16 /* named by one CLASSDEF */
#define COUPLE_PATHS_MAX   128
#define COUPLE_SFM_MAX     32

struct couple_class {
    char name[9];
    u32 classlen_bytes, maxmsg_kb;
    char group[COUPLE_GROUPS_MAX][9]; /* none: for every group */
    u32 groups;
};
struct couple_path { /* one DEVICE number or one STRNAME of a PATHIN or PATHOUT */
    bool outbound, structure;
    char name[17]; /* "0C40" or "IXCSTR1" */
    u32 maxmsg_kb, retry;
    u32 class_index; /* outbound */
};
struct couple_sfm {
    bool active, connfail;
    struct couple_sfm_system {
        char name[9]; /* "*" for all that have no entry of their own */
        bool prompt;
        u32 isolate_s, weight;
    } system[COUPLE_SFM_MAX];
    u32 systems;
};
struct couple {
    char sysplex[9];
    char pcouple[45], acouple[45]; /* names of coupling facilities; "" pcouple = XCF-LOCAL */
    char cfrmpol[9]; /* CFRM policy to start if none is active; "" none */
    u32 interval_s, opnotify_s, cleanup_s, maxmsg_kb, retry, classlen_bytes;
    bool opnotify_relative; /* opnotify_s counts from INTERVAL */
    u32 localmsg_kb;
    u32 classes;
    struct couple_class class_def[COUPLE_CLASSES_MAX]; /* [0] is DEFAULT */
    struct couple_path path[COUPLE_PATHS_MAX];
    u32 paths;
    struct couple_sfm sfm;
};

/* The defaults above, sysplex LOCAL, no paths, no policy. */
void couple_default(struct couple *c);
/* What is out of its range: the keyword, or NULL if all is well. */
const char *couple_wrong(const struct couple *c);
/* Seconds from the last sign of life until the operator is told; never below INTERVAL. */
u32 couple_opnotify_s(const struct couple *c);
/* The smallest class that the group may use and that len fits in; else its largest; DEFAULT if it has none.
 */
u32 couple_class_choose(const struct couple *c, const char *group, u32 len);
static inline u32 couple_class_for(const struct couple *c, const char *group, u32 len) {
    return c->classes == 1 ? 0 : couple_class_choose(c, group, len);
}
/* The policy's entry for a system; the built-in one (ISOLATETIME(0) WEIGHT(1)) if there is none. */
const struct couple_sfm_system *couple_sfm_for(const struct couple *c, const char *system);

#endif
