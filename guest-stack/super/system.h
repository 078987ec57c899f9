/* system.h - one OS/390 image: what IPL found, its symbols, its TCP/IP stacks, its started programs.
 *
 * How to use it, in this order (the guest's main.c, the unit tests and the simulator all do the same):
 *   system_ipl()     LOADxx -> IEASYMxx -> system symbols; a bad parmlib ends in a wait code
 *   xcfas_start()    (super/xcfas.h) COUPLExx -> XCF; left out, there is none
 *   system_start()   COMMNDxx: its COM='S TCPIP' starts the stack, runs PROFILE.TCPIP and AUTOLOG
 *   next = system_poll(now)      after every batch of events, and not later than next
 *   command_run()    (super/command.h) for each line the operator types
 *
 * LOADPARM (8 characters):  1-4 device with the IODF and LOADxx (blank: the IPL device)
 *                           5-6 suffix of LOADxx (blank: 00)   7 message level (IMSI)   8 nucleus id
 *
 * Everything is portable: storage, data sets, clock, messages and drivers come in through struct system_env.
 * struct system is storage of the caller; it holds no pointer into itself and is zeroed by system_ipl().
 */
#ifndef SUPER_SYSTEM_H
#define SUPER_SYSTEM_H

#include "base/arena.h"
#include "base/base.h"
#include "ipl/layout.h"
#include "net/stack.h"
#include "super/console.h"
#include "super/dataset.h"
#include "super/parmlib.h"
#include "super/symbols.h"
#include "super/wtor.h"

#define SYSTEM_STACKS_MAX  2
#define SYSTEM_CFLINKS_MAX 8
#define SYSTEM_TOKEN_MAX   15
#define SYSTEM_COMMAND_MAX 126 /* characters of one operator command, as MVS has it */

struct chan_system;
struct xcf_operator; /* super/dxcf.h */
struct armas;        /* super/armas.h */
struct xcfas;        /* super/xcfas.h */
struct xcfbench;     /* super/xcfbench.h */
struct xesuse;       /* super/xesuse.h */
struct tcpip; /* a stack with its profile, AUTOLOG list and programs: super/tcpip.h */

/* What the machine told IPL. Names are upper case without trailing blanks; empty = not known. */
struct ipl_info {
    char loadparm[9];
    u16 device; /* IPL device number */
    char volser[7];
    char hwname[9], lparname[9], vmuserid[9];
};

struct system_env {
    void *ctx;
    struct arena *arena; /* storage for stacks and programs, taken at system_start() and S TCPIP */
    struct datasets *ds;
    struct console *con; /* messages; also handed on to programs */
    const struct driver
        *drivers[SYSTEM_STACKS_MAX];         /* each [DEV_TYPES]; NULL: that stack cannot be started */
    const struct stack_config *stack_config; /* NULL: stack_config_default() */
    u32 (*random)(void *ctx);
    u32 (*wall_seconds)(void *ctx); /* UTC, since 1970-01-01 00:00; shown only, never used for timing */
    struct chan_system *channels;         /* for XCF's paths and facilities; NULL: XCF-LOCAL */
    u16 cflink[SYSTEM_CFLINKS_MAX];       /* device numbers of links to coupling facilities */
    u32 cflinks;
    u16 iqd[SYSTEM_STACKS_MAX];           /* first device numbers of HiperSockets devices, one a stack; 0: none */
    /* This system was partitioned out of the sysplex: load this wait (reason << 12 | code) at once, deliver nothing before. */
    void (*partitioned)(void *ctx, u32 wait);
    /* Z EOD is complete: load this wait. May be NULL. Called from system_poll(). */
    void (*quiesced)(void *ctx, enum wait_code wait, u64 now);
};

struct system {
    struct system_env env;
    struct ipl_info ipl;
    struct loadxx load;
    struct symbols symbols;
    u32 ipl_seconds; /* wall clock at IPL */
    u64 ipl_now;
    u32 display_number; /* of multi-line displays, 1..999 */
    u16 last_asid;      /* given to a stack or a program: system_asid() */
    char last_token[SYSTEM_TOKEN_MAX + 1]; /* of the last '#token command' */
    struct wtors wtors; /* questions to the operator */
    struct armas *armas; /* NULL: there is no Automatic Restart Manager */
    struct xcf_operator *xcf_operator; /* commands about XCF act on it; NULL: there is no XCF */
    struct xcfas *xcfas;               /* NULL: there is no XCF */
    struct xcfas *xcfas_asking;        /* its COUPLExx is the operator's to name (IXC207A); NULL: it is not */
    struct xcfbench *xcfbench;         /* NULL until the command XCFBENCH */
    struct xesuse *xesuse;             /* NULL until the command XESUSE */
    u32 lpar_weight;    /* IEAOPTxx, 1..999: how large this LPAR is beside the others */
    u64 idle_us;        /* spent in enabled waits since IPL: what WLM measures */
    bool stopping;      /* Z EOD accepted */
    bool quiesced;
    struct tcpip *stacks[SYSTEM_STACKS_MAX]; /* by start order; NULL = free */
};

/* 0, or the code of the wait to load: WAIT_LOADXX, WAIT_IEASYMXX, WAIT_PARMLIB. Its message is already out. */
u32 system_ipl(struct system *sys, const struct ipl_info *ipl, const struct system_env *env, u64 now);
/* 0 or WAIT_NO_STORAGE. A COMMNDxx that is missing or a PROFILE with errors is a message, not a wait. */
u32 system_start(struct system *sys, u64 now);
u64 system_poll(struct system *sys, u64 now);
/* The short way, after events that are nobody's news (chan/chan.h), and after each system_poll(): stacks that are due, and what XCF has put
 * into its paths. Returns when somebody is due; what system_poll() has said holds beside it. */
u64 system_flush(struct system *sys, u64 now);

/* Reads a member along the PARMLIB concatenation; *where = the data set it came from. As dataset_read(). */
int system_parmlib_read(struct system *sys, const char *member, struct member *out, const char **where);
/* The moment for dynamic symbols and for displays. */
void system_moment(const struct system *sys, struct moment *out);
/* &SYSNAME, 1-8 characters; lives as long as the system. */
const char *system_name(const struct system *sys);
/* An address space identifier for a stack or program that starts. None is used twice before 32,735 others were. */
u16 system_asid(struct system *sys);
/* name "" or NULL: the only stack; NULL if there is none, or if there are two and no name. */
struct tcpip *system_stack(struct system *sys, const char *name);

#endif
