/* tcpip.c - the life of one TCPIP procedure and of the programs that run under it; states in tcpip.h. */
#include "super/tcpip.h"

#include "base/str.h"
#include "net/cbuf.h"
#include "net/home.h"
#include "net/stack_impl.h"
#include "super/console.h"
#include "super/display.h"
#include "super/messages.h"
#include "super/pagent.h"
#include "super/plexip.h"
#include "super/system.h"
#include "sysplex/distributor.h"

#define DEFAULT_MAX_RECORDS 100
#define FLUSH_ROUNDS        4u /* what programs of this stack say to each other takes a few; then others have their turn */
#define CHUNKS_MIN          1024u /* 8 MB of socket buffers, the fewest of a small machine */

static void say(void *ctx, const char *text) {
    struct tcpip *ip = ctx;
    console_message(ip->sys->env.con, "%s", text);
}

static u32 random_bits(void *ctx) {
    struct tcpip *ip = ctx;
    return ip->sys->env.random(ip->sys->env.ctx);
}

/* A small machine has fewer socket buffers. Returns the bytes that a stack of that configuration takes. */
static size_t fit(struct stack_config *cfg, size_t plex_bytes, size_t room) {
    for (;;) {
        size_t bytes = plex_bytes + stack_bytes(cfg) + TCPIP_PROGRAM_BYTES;
        if (bytes <= room || cfg->buffer_chunks <= CHUNKS_MIN) return bytes;
        u32 fewer = (u32)((bytes - room) / CHUNK_BYTES) + 1;
        cfg->buffer_chunks = cfg->buffer_chunks - CHUNKS_MIN > fewer ? cfg->buffer_chunks - fewer : CHUNKS_MIN;
    }
}

/* A row of sys->stacks: the one that had this name before, else one that is not running, else a new one with
 * storage of its own. */
static int slot_take(struct system *sys, const char *name, struct stack_config *cfg, size_t plex_bytes, struct tcpip **out) {
    u32 slot = SYSTEM_STACKS_MAX;
    for (u32 i = SYSTEM_STACKS_MAX; i-- > 0;) {
        struct tcpip *ip = sys->stacks[i];
        if (ip && str_eq_ci(ip->name, name)) {
            fit(cfg, plex_bytes, ip->arena.size);
            *out = ip;
            return ip->stk ? -ERR_EXIST : 0;
        }
        if (!ip || !ip->stk) slot = i;
    }
    if (slot == SYSTEM_STACKS_MAX || !sys->env.drivers[slot]) return -ERR_NOSYS;
    if (sys->stacks[slot]) {
        fit(cfg, plex_bytes, sys->stacks[slot]->arena.size);
    } else {
        struct tcpip *ip = arena_take(sys->env.arena, sizeof *ip, 16);
        size_t left = sys->env.arena->size - sys->env.arena->used;
        size_t bytes = fit(cfg, plex_bytes, left > 16 ? left - 16 : 0);
        void *region = ip ? arena_take(sys->env.arena, bytes, 16) : NULL;
        if (!region) return -ERR_NOMEM;
        memset(ip, 0, sizeof *ip);
        arena_init(&ip->arena, region, bytes);
        sys->stacks[slot] = ip;
    }
    *out = sys->stacks[slot];
    (*out)->slot = slot;
    return 0;
}

/* Everything but the region itself begins anew, so nothing of an earlier life remains. */
static bool life_begin(struct tcpip *ip, struct system *sys, const char *name, const struct stack_config *cfg,
                       u64 now) {
    u8 *base = ip->arena.base;
    size_t size = ip->arena.size;
    u32 slot = ip->slot;
    memset(ip, 0, sizeof *ip);
    memset(base, 0, size);
    arena_init(&ip->arena, base, size);
    ip->sys = sys;
    ip->slot = slot;
    ip->max_records = DEFAULT_MAX_RECORDS;
    str_copy(ip->name, sizeof ip->name, name);
    autolog_clear(&ip->autolog);
    telnet_parms_default(&ip->telnet);
    ip->env = (struct stack_env){
        .ctx = ip, .message = say, .random = random_bits, .trace = pkttrace_packet, .drivers = ip->drivers};
    if (!plexip_create(ip, now)) return false;
    ip->stk = stack_create(&ip->arena, ip->name, cfg, &ip->env, now);
    if (!ip->stk) return false;
    plexip_attach(ip, now);
    stack_pkttrace(ip->stk, false);
    ip->app_env = (struct app_env){.stk = ip->stk,
                                   .ds = sys->env.ds,
                                   .con = sys->env.con,
                                   .sysname = system_name(sys),
                                   .stackname = ip->name,
                                   .arena = &ip->arena,
                                   .ipl_time = sys->ipl_now};
    return true;
}

/* Search order of the profile: //PROFILE DD of the procedure, which is a member of a data set of its own or, of a further stack in the
 * image, the member of its name in TCPIP's; then the data set names by job and node. */
static int profile_find_and_run(struct tcpip *ip, u64 now) {
    char dsn[60];
    const char *node = system_name(ip->sys);
    for (u32 i = 0; i < 6; i++) {
        switch (i) {
        case 0: str_fmt(dsn, sizeof dsn, "%s.TCPPARMS(PROFILE)", ip->name); break;
        case 1: str_fmt(dsn, sizeof dsn, "TCPIP.TCPPARMS(%s)", ip->name); break;
        case 2: str_fmt(dsn, sizeof dsn, "%s.%s.TCPIP", ip->name, node); break;
        case 3: str_fmt(dsn, sizeof dsn, "TCPIP.%s.TCPIP", node); break;
        case 4: str_fmt(dsn, sizeof dsn, "%s.PROFILE.TCPIP", ip->name); break;
        default: str_copy(dsn, sizeof dsn, "TCPIP.PROFILE.TCPIP"); break;
        }
        int rc = profile_run(&ip->profile, ip, dsn, PROFILE_INITIAL, now);
        if (rc != -ERR_NOENT) return rc;
    }
    return -ERR_NOENT;
}

/* The end of the start: the servers of dynamic VIPAs, as soon as what they bind to can be known. */
static void start_ends(struct tcpip *ip, u64 now) {
    if (!ip->starting || plexip_pending(ip, now)) return;
    ip->starting = false;
    telnet_start(ip, now);
    autolog_ready(ip, now);
    console_message(ip->sys->env.con, EZAIN11I, ip->name);
}

size_t tcpip_storage_max(void) {
    struct stack_config cfg;
    stack_config_default(&cfg);
    size_t plex_bytes = plexip_bytes_max(&cfg);
    return sizeof(struct tcpip) + plex_bytes + stack_bytes(&cfg) + TCPIP_PROGRAM_BYTES + 64;
}

int tcpip_start(struct system *sys, const char *name, u64 now) {
    struct stack_config cfg;
    if (sys->env.stack_config)
        cfg = *sys->env.stack_config;
    else
        stack_config_default(&cfg);
    struct tcpip *ip;
    u32 chunks = cfg.buffer_chunks;
    size_t plex_bytes = plexip_bytes(sys, &cfg);
    int rc = slot_take(sys, name, &cfg, plex_bytes, &ip);
    if (rc == 0 && !life_begin(ip, sys, name, &cfg, now)) rc = -ERR_NOMEM;
    if (rc) {
        console_message(sys->env.con, PLX0120E, name,
                        rc == -ERR_EXIST   ? "IT IS ACTIVE"
                        : rc == -ERR_NOMEM ? "STORAGE IS TOO SMALL"
                                           : "THERE ARE NO DRIVERS FOR A FURTHER STACK");
        return rc;
    }
    if (cfg.buffer_chunks < chunks)
        console_message(sys->env.con, PLX0123I, name, cfg.buffer_chunks * (CHUNK_BYTES >> 10), chunks * (CHUNK_BYTES >> 10));
    ip->asid = system_asid(sys);
    display_started(sys, ip->name);
    rc = profile_find_and_run(ip, now);
    if (rc == -ERR_NOENT)
        console_message(sys->env.con, EZZ0303I);
    else if (rc)
        console_message(sys->env.con, PLX0103E, "PROFILE.TCPIP");
    console_message(sys->env.con, EZZ4202I, ip->name);
    console_message(sys->env.con, EZB6473I);
    plexip_join(ip, now);
    ip->starting = true;
    autolog_start(ip, now);
    start_ends(ip, now);
    return 0;
}

/* ---- programs ---- */

struct program *program_find(struct tcpip *ip, const char *jobname) {
    for (u32 i = 0; i < TCPIP_PROGRAMS_MAX; i++)
        if (ip->programs[i].app && str_eq_ci(ip->programs[i].jobname, jobname)) return &ip->programs[i];
    return NULL;
}

static const char *program_refusal(int rc) {
    switch (-rc) {
    case ERR_NOENT: return "THERE IS NO SUCH PROCEDURE";
    case ERR_EXIST: return "THE JOB NAME IS ACTIVE";
    case ERR_NOMEM: return "STORAGE OR TABLES ARE FULL";
    case ERR_INVAL: return "ITS PARAMETERS ARE NOT VALID";
    case ERR_ACCES: return "A PORT IS RESERVED FOR ANOTHER JOB";
    case ERR_ADDRINUSE: return "A PORT IS IN USE";
    default: return "IT ENDED AT ONCE";
    }
}

int program_start(struct tcpip *ip, const char *proc, const char *jobname, const char *parm, u64 now) {
    /* The Policy Agent is the one program that is closer to the stack than its sockets. */
    const struct app *app = str_eq_ci(proc, pagent_app.name) ? &pagent_app : app_find(proc);
    struct program *row = NULL;
    int rc = app ? 0 : -ERR_NOENT;
    if (rc == 0 && program_find(ip, jobname)) rc = -ERR_EXIST;
    for (u32 i = 0; i < TCPIP_PROGRAMS_MAX && !row; i++)
        if (!ip->programs[i].app) row = &ip->programs[i];
    if (rc == 0 && !row) rc = -ERR_NOMEM;
    if (rc == 0) {
        str_copy(row->proc, sizeof row->proc, proc);
        str_copy(row->jobname, sizeof row->jobname, jobname);
        rc = app->start(&ip->app_env, row->jobname, parm, now, &row->inst);
    }
    if (rc) {
        /* Whoever can try again says so himself. */
        if (rc != -ERR_AGAIN) console_message(ip->sys->env.con, PLX0121E, proc, jobname, program_refusal(rc));
        return rc;
    }
    row->app = app;
    row->asid = system_asid(ip->sys);
    display_started(ip->sys, row->jobname);
    return 0;
}

int program_stop(struct tcpip *ip, const char *jobname, u64 now) {
    struct program *row = program_find(ip, jobname);
    if (!row) return -ERR_NOENT;
    const struct app *app = row->app;
    row->app = NULL;
    app->stop(row->inst, now);
    /* What was quiesced by address space was this start of the job; the next one has another. */
    if (ip->dist) distributor_job_ended(ip->dist, row->jobname);
    display_ended(ip->sys, row->jobname);
    return 0;
}

/* ---- running and stopping ---- */

void tcpip_stop(struct tcpip *ip, u64 now) {
    if (!ip->stk || ip->stopping) return;
    ip->stopping = true;
    ip->stop_deadline = now + TCPIP_STOP_WAIT_US;
    ping_stop(ip, now);
    for (u32 i = 0; i < TCPIP_PROGRAMS_MAX; i++)
        if (ip->programs[i].app) program_stop(ip, ip->programs[i].jobname, now);
    ip->starting = false;
    plexip_stop(ip, now);
    stack_stop(ip->stk, now);
}

static bool devices_active(const struct tcpip *ip) {
    LIST_FOR_EACH(it, &ip->stk->devices) {
        const struct device *dev = LIST_ENTRY(it, struct device, node);
        bool real = dev->type != DEV_LOOPBACK && dev->type != DEV_VIRTUAL;
        if (real && dev->status != DEVST_NOT_ACTIVE) return true;
    }
    return false;
}

/* Gives every device back to its driver, whose storage outlives the stack. A device that would not stop
 * keeps its driver's row: its card may still write there. */
static void devices_detach(struct tcpip *ip, u64 now) {
    struct stack *stk = ip->stk;
    home_clear(stk, now);
    LIST_FOR_EACH_SAFE(it, next, &stk->devices) {
        struct device *dev = LIST_ENTRY(it, struct device, node);
        if (dev->type == DEV_LOOPBACK) continue;
        char name[NAME_MAX_LEN + 1];
        str_copy(name, sizeof name, dev->name);
        if (dev->lnk) {
            route_clear_link(stk, dev->lnk, now);
            link_delete(stk, dev->lnk->name);
        }
        if (device_delete(stk, name)) console_message(ip->sys->env.con, PLX0122E, name);
    }
}

static u64 stop_poll(struct tcpip *ip, u64 now) {
    u64 next = stack_poll(ip->stk, now);
    if (devices_active(ip) && now < ip->stop_deadline) return u64_min(next, ip->stop_deadline);
    devices_detach(ip, now);
    console_message(ip->sys->env.con, EZZ4201I, ip->name);
    display_ended(ip->sys, ip->name);
    ip->stk = NULL;
    ip->stopping = false;
    return TIME_NEVER;
}

u64 tcpip_poll(struct tcpip *ip, u64 now) {
    if (!ip->stk) return TIME_NEVER;
    if (ip->stopping) return stop_poll(ip, now);
    u64 next = plexip_poll(ip, now);
    if (ip->starting) {
        start_ends(ip, now);
        if (ip->starting) next = u64_min(next, now + 100 * USEC_PER_MSEC);
    }
    next = u64_min(next, autolog_poll(ip, now));
    next = u64_min(next, ping_poll(ip, now));
    next = u64_min(next, pkttrace_poll(ip, now));
    /* Last, for what the others did may have queued work in the stack. When it is due again tcpip_flush() says. */
    stack_poll(ip->stk, now);
    ip->polled_at = now;
    ip->stirred = stack_stirred(ip->stk);
    return next;
}

u64 tcpip_flush(struct tcpip *ip, u64 now) {
    if (!ip->stk) return TIME_NEVER;
    u64 stack = stack_due(ip->stk);
    for (u32 i = 0; i < FLUSH_ROUNDS && stack <= now; i++) stack = stack_poll(ip->stk, now);
    u64 others = plexip_due(ip);
    if (stack_stirred(ip->stk) != ip->stirred) others = u64_min(others, ip->polled_at + TCPIP_ROUND_US);
    return u64_min(others, stack);
}
