/* fuzz_tn3270.c - a session of the TN3270 server, protocol and panel, against any client. Input: steps of
 *
 *   0..199  so many client bytes follow      200..229  the out buffer is taken      230..239  seconds pass
 *   240     the rest is one record from a user who is logged on: header if TN3270E, AID, ...
 *
 * Checked: what the server says is Telnet; each 3270 record is one that a display takes (display3270.h); the out buffer
 * never overflows; a session that is over stays over; readers of data streams and query replies stay within their bytes.
 */
#include "apps/app.h"
#include "apps/panel.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/display3270.h"
#include "tests/unit/memds.h"

static struct {
    struct console con;
    struct app_env env;
    struct panel_host host;
    struct panel panel;
    struct tn3270 tn;
    struct tn3270_counts counts;
    struct telnet decoder;
    struct display display;
    u8 rec[32768];
    u32 rec_len, lines;
    bool logged;
} world;

static int name(struct tn3270 *t, const char *wanted, char lu[TN_NAME_MAX + 1]) {
    (void)t;
    str_copy(lu, TN_NAME_MAX + 1, wanted[0] ? wanted : "TCP00001");
    return wanted[0] == 'X' ? -ERR_BUSY : wanted[0] == 'Y' ? -ERR_NOENT : 0;
}
static void ready(struct tn3270 *t, u64 now) {
    display_init(&world.display, t->terminal.rows, t->terminal.cols);
    panel_ready(&world.panel, now);
}
static void input(struct tn3270 *t, struct ds_inbound *in, u64 now) {
    (void)t;
    panel_input(&world.panel, in, now);
}
static void redraw(struct tn3270 *t, u64 now) {
    (void)t;
    panel_redraw(&world.panel, now);
}
static const struct tn3270_ops ops = {.name = name, .ready = ready, .input = input, .attention = redraw, .redraw = redraw};

static void command(void *ctx, const char *line, const struct reply *r, u64 now) {
    (void)ctx;
    (void)now;
    for (u32 i = 0; i < world.lines; i++) reply_line(r, "%u %s \xFF\x01", i, line);
}
static void wrote(struct panel *p, u64 now) {
    (void)p;
    (void)now;
}

static void record(void) {
    const u8 *p = world.rec;
    u32 n = world.rec_len;
    world.rec_len = 0;
    if (world.tn.enhanced) {
        CHECK(n >= TN3270E_HEADER);
        if (p[0] != TN_3270_DATA) return;
        p += TN3270E_HEADER;
        n -= TN3270E_HEADER;
    }
    if (world.tn.terminal.rows * (u32)world.tn.terminal.cols > DISPLAY_CELLS) return;
    CHECK(display_record(&world.display, p, n));
}

static void drain(void) {
    struct tn3270 *t = &world.tn;
    while (t->out_at < t->out_len) {
        struct telnet_token k;
        u32 used = telnet_feed(&world.decoder, t->out + t->out_at, t->out_len - t->out_at, &k);
        if (k.kind == TELNET_DATA) {
            CHECK(world.rec_len + k.len <= sizeof world.rec);
            memcpy(world.rec + world.rec_len, k.data, k.len);
            world.rec_len += k.len;
        } else if (k.kind == TELNET_COMMAND && k.code == TELNET_EOR) {
            record();
        }
        tn3270_sent(t, used);
    }
}

static void begin(const struct fuzz *z) {
    memset(&world, 0, sizeof world);
    console_init(&world.con);
    console_on_command(&world.con, command, NULL);
    world.env = (struct app_env){.con = &world.con, .sysname = "SYSA", .stackname = "TCPIP"};
    world.lines = (u32)z->left % 90;
    panel_host_init(&world.host, &world.env, "INTCLIEN", wrote);
    display_init(&world.display, 24, 80);
    telnet_init(&world.decoder);
    tn3270_open(&world.tn, &ops, &world.counts, "PLEX390");
    panel_open(&world.panel, &world.host, &world.tn);
}

/* The bytes as readers take them, without a session around. */
static void readers(const u8 *p, u32 n) {
    struct ds_inbound in;
    struct ds_device d;
    char text[20];
    u32 address, fields = 0;
    if (ds_read(p, n, 1920, &in) == 0 && in.aid != DS_AID_STRUCTURED)
        while (ds_next_field(&in, &address, text, sizeof text)) {
            CHECK(address == UINT32_MAX || address < 1920);
            CHECK(strlen(text) < sizeof text && ++fields <= n);
        }
    ds_read_query(p, n, &d);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size) {
    struct fuzz z = {data, size};
    u64 now = USEC_PER_SEC;
    readers(data, (u32)size);
    begin(&z);
    while (z.left) {
        u8 what = fuzz_u8(&z);
        bool was_over = world.tn.state == TN_OVER;
        if (what < 200 || what > 240) {
            u32 n;
            const u8 *p = fuzz_take(&z, what, &n);
            tn3270_input(&world.tn, p, n, now);
        } else if (what < 230) {
            drain();
        } else if (what < 240) {
            now += (u64)(what - 229) * USEC_PER_SEC;
            tn3270_timing_mark(&world.tn);
        } else {
            if (world.panel.screen == PANEL_LOGON) {
                world.panel.user = &world.host.users.user[0];
                world.panel.screen = PANEL_VIEW;
                world.panel.whole = world.panel.dirty = true;
            }
        }
        panel_pump(&world.panel, now);
        console_poll(&world.con, now);
        CHECK(world.tn.out_len <= TN3270_OUT_MAX && world.tn.out_at <= world.tn.out_len);
        CHECK(!was_over || world.tn.state == TN_OVER);
        if (world.panel.over) tn3270_end(&world.tn);
    }
    drain();
    panel_close(&world.panel);
    panel_host_end(&world.host);
    return 0;
}
