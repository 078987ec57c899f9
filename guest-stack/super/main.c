/* main.c - the nucleus as a table of contents: what is initialised in which order, and the loop that is the rest.
 *
 *   storage     heap for texts, the remainder one arena that everything sized at start is carved from
 *   console     every 3215 that answers
 *   volume      the IPL device: label, VTOC
 *   drivers     loopback, virtual, OSA, LCS, for each stack that may be started
 *   system      LOADxx, IEASYMxx, symbols; then COMMNDxx, TCP/IP and its programs (super/system.h)
 *
 *   loop        events -> tasks -> system -> consoles -> enabled wait until the next deadline or interruption
 *
 * Called by arch/s390 (or a test) with the machine's description. Returns never.
 */
#include "base/arena.h"
#include "base/be.h"
#include "base/str.h"
#include "super/consdev.h"
#include "super/console.h"
#include "super/port.h"
#include "super/task.h"
#include "super/volume.h"

#define HEAP_BYTES       0x100000u /* all members that are read at once: 1 MB is more than every parmlib */
#define CONSOLES_MAX     4u
#define CONSOLE_RING     0x10000u /* 64 KB: some 1,000 lines, the longest display several times */
#define TASKS            8u
#define TASK_STACK       16384u
#define SENSE_ID_BYTES   7
#define PROBE_TIMEOUT_US 500000u
#define DRAIN_LIMIT_US   2000000u
#define DEVICES_MAX      256u

struct nucleus {
    const struct port_machine *machine;
    struct arena arena;
    struct heap heap;
    struct console console;
    struct consdev consdev[CONSOLES_MAX];
    u32 consoles;
    struct dasd sysres;
    struct datasets datasets;
    struct tasks tasks;
};

/* ---- storage ---- */

static struct nucleus *start_storage(const struct port_machine *m) {
    struct arena arena;
    arena_init(&arena, m->storage, m->storage_bytes);
    struct nucleus *n = arena_take(&arena, sizeof *n, 16);
    void *heap = arena_take(&arena, HEAP_BYTES, 16);
    if (!n || !heap) port_disabled_wait(WAIT_NO_STORAGE);
    memset(n, 0, sizeof *n);
    n->machine = m;
    n->arena = arena;
    heap_init(&n->heap, heap, HEAP_BYTES);
    if (!tasks_init(&n->tasks, &n->arena, TASKS, TASK_STACK)) port_disabled_wait(WAIT_NO_STORAGE);
    return n;
}

/* ---- consoles ---- */

/* Device type of a subchannel's SENSE ID; 0 if it does not answer. Reply: FF, control unit type (2), model, device
 * type (2), model. */
static u16 device_type(struct nucleus *n, u16 devnum) {
    static const struct chan_events none = {0};
    struct chan *ch;
    struct chan_status st;
    u8 id[SENSE_ID_BYTES] = {0};
    if (chan_open(n->machine->channels, devnum, &none, n, &ch) != 0) return 0;
    const struct chan_cmd sense_id = {.op = CCW_SENSE_ID, .flags = CCW_SLI, .count = sizeof id, .data = id};
    int rc = port_io(ch, &sense_id, 1, &st, PROBE_TIMEOUT_US);
    chan_close(ch);
    if (rc || st.cc || (st.unit & US_UNIT_CHECK) || id[0] != 0xFF) return 0;
    return be16_get(id + 4) ? be16_get(id + 4) : be16_get(id + 1);
}

static void start_consoles(struct nucleus *n) {
    u16 devnum[DEVICES_MAX];
    u32 count = u32_min(chan_list(n->machine->channels, devnum, DEVICES_MAX), DEVICES_MAX);
    console_init(&n->console);
    for (u32 i = 0; i < count && n->consoles < CONSOLES_MAX; i++) {
        u16 type = device_type(n, devnum[i]);
        if (type != 0x3215 && type != 0x1052) continue;
        struct consdev *cd = &n->consdev[n->consoles];
        if (consdev_open(cd, &n->console, n->machine->channels, devnum[i], &n->arena, CONSOLE_RING) != 0) continue;
        if (n->consoles++ == 0) port_last_words_to(devnum[i]);
    }
    if (n->consoles == 0) port_disabled_wait(WAIT_NO_CONSOLE);
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
        port_events(now);
        poll_consoles(n, now);
        if (!consoles_drained(n)) port_wait(limit);
    }
    port_disabled_wait(wait);
}

/* ---- volume ---- */

static void start_volume(struct nucleus *n) {
    const struct port_machine *m = n->machine;
    int rc = dasd_open(&n->sysres, m->channels, m->ipl_devnum, &n->arena);
    if (rc == 0) rc = datasets_init(&n->datasets, &n->sysres, &n->heap);
    if (rc == 0) return;
    console_message(&n->console, "PLX100A IPL DEVICE %04X: %s", m->ipl_devnum,
                    rc == -ERR_NOENT ? "NOT A DISK" : "LABEL OR VTOC CANNOT BE READ");
    stop(n, rc == -ERR_NOMEM ? WAIT_NO_STORAGE : WAIT_IPL_VTOC);
}

static void announce(struct nucleus *n) {
    const struct port_machine *m = n->machine;
    console_message(&n->console, "PLX101I PLEX390 NUCLEUS %s, %s, CPU %s %s, %u MB, LPAR %s, HWNAME %s", m->nucleus,
                    m->arch, m->cpu_type, m->cpu_serial, (u32)(m->real_bytes >> 20), m->lparname, m->hwname);
}

static void on_command(void *ctx, const char *line, const struct reply *r, u64 now) {
    struct nucleus *n = ctx;
    UNUSED(now);
    if (str_eq_ci(line, "Z EOD")) stop(n, WAIT_QUIESCED);
    if (str_eq_ci(line, "BUG")) CHECK(line == NULL);
    struct member m;
    int rc = dataset_read(&n->datasets, "SYS1.PARMLIB", line, &m);
    reply_line(r, "READ %s: %d", line, rc);
    if (rc == 0) {
        reply_line(r, "%s", m.text);
        dataset_release(&n->datasets, &m);
    }
}

static _Noreturn void run(struct nucleus *n) {
    for (;;) {
        u64 now = port_now();
        while (port_events(now)) now = port_now();
        u64 next = tasks_run(&n->tasks, now);
        next = u64_min(next, poll_consoles(n, now));
        port_wait(next);
    }
}

_Noreturn void nucleus_main(const struct port_machine *machine) {
    struct nucleus *n = start_storage(machine);
    start_consoles(n);
    announce(n);
    start_volume(n);
    console_on_command(&n->console, on_command, n);
    on_command(n, "IEASYM00", &n->console.reply, 0);
    run(n);
}
