/* fuzz_profile.c - a whole system started from any PROFILE.TCPIP, then any OBEYFILE and operator commands.
 *
 * Lines of "---" part the input: the profile, an OBEYFILE (which the profile may also INCLUDE as DEV0A), then
 * commands, one a line. Devices become READY at once and swallow packets. Checked by the code's own CHECKs,
 * the sanitizers, and that every member read was released and every device was given back when the stack is
 * down.
 */
#include "tests/unit/memds.h"

#include "base/str.h"
#include "net/stack_impl.h"
#include "super/command.h"
#include "super/console.h"
#include "super/system.h"
#include "super/tcpip.h"
#include "super/xcfas.h"

#define ARENA_BYTES (32u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int attached;

static int dev_attach(struct device *dev, void *ctx) {
    UNUSED(dev);
    UNUSED(ctx);
    attached++;
    return 0;
}
static void dev_detach(struct device *dev) {
    UNUSED(dev);
    attached--;
}
static int dev_start(struct device *dev, u64 now) {
    if (dev->type != DEV_LCS) dev->lnk->caps |= LINK_CAP_ARP;
    device_ready(dev, now);
    return 0;
}
static int dev_stop(struct device *dev, u64 now) {
    device_stopped(dev, now);
    return 0;
}
static int lnk_output(struct link *lnk, struct pkt *p, struct ipaddr next_hop, u64 now) {
    UNUSED(lnk);
    UNUSED(p);
    UNUSED(next_hop);
    UNUSED(now);
    return 0;
}
static void sink_line(void *ctx, const char *text) { *(size_t *)ctx += strlen(text); }
static u32 env_random(void *ctx) {
    UNUSED(ctx);
    return 4;
}
static u32 env_wall(void *ctx) {
    UNUSED(ctx);
    return 972315471u;
}

static const struct device_ops device_ops = {
    .type_name = "FUZZ", .attach = dev_attach, .detach = dev_detach, .start = dev_start, .stop = dev_stop};
static const struct link_ops link_ops = {.output = lnk_output};
static const struct stack_config limits = {.max_sockets = 16,
                                           .max_timewait = 8,
                                           .buffer_chunks = 16,
                                           .small_pbufs = 16,
                                           .large_pbufs = 4,
                                           .huge_pbufs = 2,
                                           .max_datagram_sockets = 8,
                                           .max_groups = 4,
                                           .max_links = 6,
                                           .max_home = 6,
                                           .max_routes = 8,
                                           .max_arp = 8,
                                           .max_port_rules = 8,
                                           .max_reassembly = 2};

/* Cuts the next part out of *at; returns its length. */
static u32 part(const char **at, const char *end) {
    const char *from = *at, *p = from;
    while (p < end && !(end - p >= 4 && memcmp(p, "---\n", 4) == 0)) p++;
    *at = end - p >= 4 ? p + 4 : end;
    return (u32)(p - from);
}

static void commands(struct system *sys, struct console *con, const char *text, u32 len, u64 now) {
    char line[200];
    for (u32 at = 0, lines = 0; at < len && lines < 20; lines++) {
        u32 n = 0;
        for (; at < len && text[at] != '\n'; at++)
            if (n < sizeof line - 1) line[n++] = text[at];
        at++;
        line[n] = '\0';
        command_run(sys, line, &con->reply, now);
        for (u32 i = 0; i < 4; i++) system_poll(sys, now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static u8 *storage;
    static struct system sys;
    size_t said = 0;
    struct console con;
    struct console_sink sink = {.line = sink_line, .ctx = &said};
    struct arena arena;
    struct driver drivers[DEV_TYPES] = {{0}};
    struct system_env env = {.arena = &arena,
                             .con = &con,
                             .stack_config = &limits,
                             .random = env_random,
                             .wall_seconds = env_wall};
    const struct ipl_info ipl = {.device = 0x0A80, .volser = "PLXRES", .lparname = "SYSA"};
    const char *at = (const char *)data, *end = at + size;
    u64 now = 1000000;
    if (!storage) storage = aligned_alloc(16, ARENA_BYTES);
    arena_init(&arena, storage, ARENA_BYTES);
    console_init(&con);
    console_attach(&con, &sink);
    for (u32 t = DEV_MPCIPA; t <= DEV_CTC; t++) drivers[t] = (struct driver){&device_ops, &link_ops, NULL};
    env.drivers[0] = drivers;
    memds_clear();
    memds_set("SYS1.PARMLIB(LOAD00)", "IEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSCLONE(0A) SYMDEF(&HOST='1') SYMDEF(&LANNET='10.1.1')");
    memds_set("SYS1.VTAMLST(ATCCON00)", "OSATRL");
    memds_set("SYS1.VTAMLST(OSATRL)", "T TRLE READ=(E00),WRITE=(E01),DATAPATH=(E02),PORTNAME=OSA1\n");
    const char *text = at;
    memds_put("TCPIP.TCPPARMS(PROFILE)", text, part(&at, end), 0);
    text = at;
    memds_put("TCPIP.TCPPARMS(DEV0A)", text, part(&at, end), 0);
    CHECK(system_ipl(&sys, &ipl, &env, now) == 0);
    CHECK(xcfas_start(&sys, now) == 0); /* XCF-LOCAL: the statements of the sysplex are read, too */
    CHECK(system_start(&sys, now) == 0);
    command_run(&sys, "V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(DEV0A)", &con.reply, now);
    commands(&sys, &con, at, (u32)(end - at), now);
    command_run(&sys, "Z EOD", &con.reply, now);
    for (u32 i = 0; i < 10 && !sys.quiesced; i++) system_poll(&sys, now += TCPIP_STOP_WAIT_US);
    CHECK(sys.quiesced && attached == 0 && memds_open == 0);
    return 0;
}
