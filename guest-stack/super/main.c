/* main.c - the nucleus as a table of contents: what is initialised in which order, and the loop that is the rest.
 *
 *   storage     heap for texts, the remainder one arena that everything sized at start is carved from
 *   devices     SENSE ID of every subchannel: which are consoles, how many OSAs, LAN stations and CTCs there are
 *   console     every 3215
 *   volume      the IPL device: label, VTOC
 *   drivers     loopback, virtual, OSA, LCS, CTC, one set for each stack that may be started
 *   system      LOADxx, IEASYMxx, symbols; XCF; then COMMNDxx, TCP/IP and its programs (super/system.h)
 *
 *   loop        events -> tasks -> system -> consoles -> enabled wait until the next deadline or interruption; events that are
 *               nobody's news (chan_no_news()), packets above all, are followed by system_flush() alone until somebody else is due, and
 *               those that leave nothing to do at all (chan_no_work()) by nothing
 *
 * Called by arch/s390 with the machine's description. Returns never.
 */
#include "base/arena.h"
#include "base/be.h"
#include "base/str.h"
#include "link/link_ctc.h"
#include "link/link_lcs.h"
#include "link/link_osa.h"
#include "super/armas.h"
#include "super/command.h"
#include "super/consdev.h"
#include "super/console.h"
#include "super/port.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "super/task.h"
#include "super/volume.h"
#include "super/xcfas.h"

#define HEAP_BYTES       0x100000u /* members that are read at once: 1 MB is more than every parmlib */
#define CONSOLES_MAX     4u
#define CONSOLE_RING     0x10000u /* 64 KB: some 1,000 lines, the longest display several times */
#define TASKS            8u
#define TASK_STACK       16384u
#define SENSE_ID_BYTES   7
#define PROBE_TIMEOUT_US 5000000u /* what does not answer is not there for this IPL, a console too: a busy host is given time */
#define DRAIN_LIMIT_US   2000000u
#define SUBCHANNELS_MAX  256u
#define OSA_SUBCHANNELS  3u          /* read, write, data */
#define LCS_SUBCHANNELS  2u          /* read, write */
#define CTC_SUBCHANNELS  2u          /* read, write */
#define MODEL_IQD        0x05        /* of a 1731: HiperSockets */
#define MODEL_CTC        0x08        /* of a 3088: channel to channel; others are LAN stations */
#define MODEL_ESCON_CTC  0x1E
#define XCF_RESERVE      (5u << 20)  /* what XCF and ARM take after the drivers */
#define EPOCH_1970       2208988800u /* seconds from 1900, where TOD begins, to 1970 */

struct nucleus {
    const struct port_machine *machine;
    struct arena arena;
    struct heap heap;
    struct console console;
    struct consdev consdev[CONSOLES_MAX];
    u16 console_devnum[CONSOLES_MAX];
    bool console_attention[CONSOLES_MAX]; /* the operator pressed a key before we had the console open */
    u32 consoles, osa_subchannels, lcs_subchannels, ctc_subchannels, iqd_subchannels;
    struct dasd sysres;
    struct datasets datasets;
    struct tasks tasks;
    struct driver drivers[SYSTEM_STACKS_MAX][DEV_TYPES];
    struct system_env env;
    struct system system;
    bool asking; /* which COUPLExx: the rest of IPL waits for the operator */
};

/* ---- storage ---- */

static struct nucleus *start_storage(const struct port_machine *m) {
    struct arena arena;
    arena_init(&arena, m->storage, m->storage_bytes);
    struct nucleus *n = arena_take(&arena, sizeof *n, 16);
    void *heap = arena_take(&arena, HEAP_BYTES, 16);
    if (!n || !heap) port_disabled_wait(WAIT_NO_STORAGE);
    memset(m->storage, 0, m->storage_bytes); /* an arena hands out zeros */
    n->machine = m;
    n->arena = arena;
    heap_init(&n->heap, heap, HEAP_BYTES);
    if (!tasks_init(&n->tasks, &n->arena, TASKS, TASK_STACK)) port_disabled_wait(WAIT_NO_STORAGE);
    return n;
}

/* ---- devices ---- */

struct sense_id {
    u16 control_unit, device;
    u8 model; /* of the control unit */
    bool attention; /* was pending when we came */
};

static void on_probe_attention(void *ctx, u8 unit_status, u64 now) {
    struct sense_id *id = ctx;
    UNUSED(now);
    id->attention = unit_status & US_ATTENTION;
}

/* SENSE ID: FF, control unit type (2), model, device type (2), model. false: no answer. */
static bool sense_id(struct nucleus *n, u16 devnum, struct sense_id *out) {
    static const struct chan_events events = {.attention = on_probe_attention};
    struct chan *ch;
    struct chan_status st;
    u8 id[SENSE_ID_BYTES] = {0};
    *out = (struct sense_id){0};
    if (chan_open(n->machine->channels, devnum, &events, out, &ch) != 0) return false;
    const struct chan_cmd command = {.op = CCW_SENSE_ID, .flags = CCW_SLI, .count = sizeof id, .data = id};
    int rc = port_io(ch, &command, 1, &st, PROBE_TIMEOUT_US);
    port_events(port_now());
    chan_close(ch);
    out->control_unit = be16_get(id + 1);
    out->model = id[3];
    out->device = be16_get(id + 4);
    return rc == 0 && st.cc == 0 && !(st.unit & US_UNIT_CHECK) && id[0] == 0xFF;
}

/* The k-th HiperSockets device is the k-th stack's. */
static void find_iqd(struct nucleus *n, u16 devnum) {
    u32 k = (n->iqd_subchannels - 1) / OSA_SUBCHANNELS;
    if (k < SYSTEM_STACKS_MAX) n->env.iqd[k] = devnum;
}

static void find_devices(struct nucleus *n) {
    u16 devnum[SUBCHANNELS_MAX];
    u32 count = u32_min(chan_list(n->machine->channels, devnum, SUBCHANNELS_MAX), SUBCHANNELS_MAX);
    for (u32 i = 0; i < count; i++) {
        struct sense_id id;
        if (!sense_id(n, devnum[i], &id)) continue;
        bool is_console = id.device == 0x3215 || id.device == 0x1052 || id.control_unit == 0x3215;
        if (is_console && n->consoles < CONSOLES_MAX) {
            n->console_attention[n->consoles] = id.attention;
            n->console_devnum[n->consoles++] = devnum[i];
        }
        if (id.control_unit == 0x1731) n->osa_subchannels++;
        if (id.control_unit == 0x1731 && id.model == MODEL_IQD && n->iqd_subchannels++ % OSA_SUBCHANNELS == 0)
            find_iqd(n, devnum[i]);
        if (id.control_unit == 0x9674 && n->env.cflinks < SYSTEM_CFLINKS_MAX) n->env.cflink[n->env.cflinks++] = devnum[i];
        bool ctc = id.model == MODEL_CTC || id.model == MODEL_ESCON_CTC;
        if (id.control_unit == 0x3088) (*(ctc ? &n->ctc_subchannels : &n->lcs_subchannels))++;
    }
}

/* ---- consoles ---- */

static void empty_console(void *ctx) {
    struct nucleus *n = ctx;
    consdev_empty(&n->consdev[0], port_last_words);
}

static void start_consoles(struct nucleus *n) {
    console_init(&n->console);
    if (n->consoles == 0) port_disabled_wait(WAIT_NO_CONSOLE);
    for (u32 i = 0; i < n->consoles; i++) {
        if (consdev_open(&n->consdev[i], &n->console, n->machine->channels, n->console_devnum[i], &n->arena,
                         CONSOLE_RING) != 0)
            port_disabled_wait(WAIT_NO_CONSOLE);
        n->consdev[i].attention = n->console_attention[i];
        n->consdev[i].sink.asides = i == 0; /* the emulator's own: its log is what the lab reads */
    }
    port_last_words_to(n->console_devnum[0], empty_console, n);
}

static u64 poll_consoles(struct nucleus *n, u64 now) {
    u64 next = TIME_NEVER;
    for (u32 i = 0; i < n->consoles; i++) next = u64_min(next, consdev_poll(&n->consdev[i], now));
    return next;
}

static bool consoles_drained(const struct nucleus *n) {
    for (u32 i = 0; i < n->consoles; i++)
        if (!consdev_is_drained(&n->consdev[i])) return false;
    return true;
}

/* The last messages reach the operator before the wait is loaded, if the consoles let them. */
static _Noreturn void stop(struct nucleus *n, u32 wait) {
    u64 limit = port_now() + DRAIN_LIMIT_US;
    for (u64 now = port_now(); now < limit && !consoles_drained(n); now = port_now()) {
        poll_consoles(n, now);
        port_wait(limit);
        port_events(port_now());
    }
    port_disabled_wait(wait);
}

/* ---- volume, drivers ---- */

static void start_volume(struct nucleus *n) {
    const struct port_machine *m = n->machine;
    int rc = dasd_open(&n->sysres, m->channels, m->ipl_devnum, &n->arena);
    if (rc == 0) rc = datasets_init(&n->datasets, &n->sysres, &n->heap);
    if (rc == 0) return;
    console_message(&n->console, "PLX100A IPL DEVICE %04X: %s", m->ipl_devnum,
                    rc == -ERR_NOENT ? "NOT A DISK" : "LABEL OR VTOC CANNOT BE READ");
    stop(n, rc == -ERR_NOMEM ? WAIT_NO_STORAGE : WAIT_IPL_VTOC);
}

/* One set of drivers. false: storage is exhausted. */
static bool start_driver_set(struct nucleus *n, struct driver *set) {
    struct chan_system *channels = n->machine->channels;
    u32 osas = n->osa_subchannels / OSA_SUBCHANNELS, stations = n->lcs_subchannels / LCS_SUBCHANNELS;
    u32 ctcs = n->ctc_subchannels / CTC_SUBCHANNELS;
    if (osas && link_osa_driver_init(&set[DEV_MPCIPA], channels, &n->arena, osas) != 0) return false;
    if (stations && link_lcs_driver_init(&set[DEV_LCS], channels, &n->arena, stations) != 0) return false;
    return !ctcs || link_ctc_driver_init(&set[DEV_CTC], channels, &n->arena, ctcs) == 0;
}

/* A further set of drivers is made only if the first stack still finds its storage. */
static void start_drivers(struct nucleus *n) {
    size_t reserve = tcpip_storage_max() + XCF_RESERVE;
    for (u32 i = 0; i < SYSTEM_STACKS_MAX; i++) {
        struct arena before = n->arena;
        bool ok = start_driver_set(n, n->drivers[i]);
        if (ok && (i == 0 || n->arena.size - n->arena.used >= reserve)) {
            n->env.drivers[i] = n->drivers[i];
            continue;
        }
        if (i == 0) {
            console_message(&n->console, "PLX102A %u MB OF STORAGE DO NOT HOLD THE DRIVERS OF %u OSA, %u LCS AND %u CTC DEVICES",
                            (u32)(n->machine->real_bytes >> 20), n->osa_subchannels / OSA_SUBCHANNELS,
                            n->lcs_subchannels / LCS_SUBCHANNELS, n->ctc_subchannels / CTC_SUBCHANNELS);
            stop(n, WAIT_NO_STORAGE);
        }
        n->arena = before;
    }
}

/* ---- system ---- */

static void on_command(void *ctx, const char *line, const struct reply *r, u64 now) {
    struct nucleus *n = ctx;
    command_run(&n->system, line, r, now);
}

static u32 env_random(void *ctx) {
    UNUSED(ctx);
    return port_random();
}

static u32 env_wall_seconds(void *ctx) {
    UNUSED(ctx);
    return (u32)(port_now() / USEC_PER_SEC - EPOCH_1970);
}

static void env_quiesced(void *ctx, enum wait_code wait, u64 now) {
    UNUSED(now);
    stop(ctx, wait);
}

/* Another system has this one's addresses by now: no event is delivered any more, not even to let the consoles drain. */
static void env_partitioned(void *ctx, u32 wait) {
    UNUSED(ctx);
    port_last_words("PLX103A THIS SYSTEM IS OUT OF THE SYSPLEX, IPL IT AGAIN");
    port_disabled_wait(wait);
}

static void announce(struct nucleus *n) {
    const struct port_machine *m = n->machine;
    console_message(&n->console, "PLX101I PLEX390 NUCLEUS %s, %s, CPU %s %s, %u MB, HWNAME %s, LPAR %s", m->nucleus,
                    m->arch, m->cpu_type, m->cpu_serial, (u32)(m->real_bytes >> 20), m->hwname, m->lparname);
}

/* wait: what xcfas_start() or xcfas_resumed() says. */
static void finish_ipl(struct nucleus *n, u32 wait) {
    n->asking = wait == XCFAS_ASKS;
    if (n->asking) return;
    if (wait == 0) {
        armas_create(&n->system, port_now());
        wait = system_start(&n->system, port_now());
    }
    if (wait) stop(n, wait);
}

static void start_system(struct nucleus *n) {
    const struct port_machine *m = n->machine;
    struct ipl_info info = {.device = m->ipl_devnum};
    str_copy(info.loadparm, sizeof info.loadparm, m->loadparm);
    str_copy(info.volser, sizeof info.volser, n->datasets.volser);
    str_copy(info.hwname, sizeof info.hwname, m->hwname);
    str_copy(info.lparname, sizeof info.lparname, m->lparname);
    n->env.ctx = n;
    n->env.arena = &n->arena;
    n->env.ds = &n->datasets;
    n->env.con = &n->console;
    n->env.random = env_random;
    n->env.wall_seconds = env_wall_seconds;
    n->env.quiesced = env_quiesced;
    n->env.channels = m->channels;
    n->env.partitioned = env_partitioned;
    u32 wait = system_ipl(&n->system, &info, &n->env, port_now());
    if (wait == 0) {
        console_on_command(&n->console, on_command, n);
        wait = xcfas_start(&n->system, port_now());
    }
    finish_ipl(n, wait);
}

/* ---- the loop ---- */

/* Everybody is asked. Returns when that has to be done again, whatever system_flush() says. */
static u64 turn(struct nucleus *n, u64 now) {
    u64 next = tasks_run(&n->tasks, now);
    next = u64_min(next, system_poll(&n->system, now));
    next = u64_min(next, poll_consoles(n, now));
    if (n->asking) finish_ipl(n, xcfas_resumed(&n->system));
    return next;
}

static _Noreturn void run(struct nucleus *n) {
    u64 whole = 0, next = 0, now = port_now(); /* whole: when turn() is due; next: when anything is */
    for (;;) {
        port_events(now); /* all that are pending, also of what these start and what ends at once */
        enum chan_heard heard = port_heard();
        if (heard == CHAN_NEWS)
            next = now;
        else if (heard == CHAN_WORK || next <= now)
            next = u64_min(whole, system_flush(&n->system, now));
        if (next <= now) {
            whole = turn(n, now);
            next = u64_min(whole, system_flush(&n->system, now));
        }
        u64 since = port_now();
        if (next > since) port_wait(next);
        now = port_now();
        n->system.idle_us += now - since;
    }
}

_Noreturn void nucleus_main(const struct port_machine *machine) {
    struct nucleus *n = start_storage(machine);
    find_devices(n);
    start_consoles(n);
    announce(n);
    start_volume(n);
    start_drivers(n);
    start_system(n);
    run(n);
}
