/* test_panel_model.c - from the answers of displays to what the panel shows: rows, rates, what is absent, what does not fit; and where it
 * stands, what can be chosen, what a key then does. */
#include "lab/displays.h"
#include "lab/panel_model.h"
#include "lab/panel_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAME(json, expected)                                                                                 \
    do {                                                                                                     \
        json_t *got_ = json;                                                                                 \
        char *text_ = json_dumps(got_, JSON_COMPACT | JSON_ENCODE_ANY);                                      \
        assert_string_equal(text_, expected);                                                                \
        free(text_);                                                                                         \
        json_decref(got_);                                                                                   \
    } while (0)

/* ---- displays ---- */
static void pathout(void **state) {
    (void)state;
    SAME(displays_pathout("IXC356I 19.18.26 DISPLAY XCF 2\n"
                          "LOCAL DEVICE     REMOTE   PATHOUT      REMOTE                         BUFFER    SIGNL    TRANSPORT\n"
                          "PATHOUT          SYSTEM   STATUS       PATHIN           RETRY MAXMSG  LENGTH    NUMBR    CLASS\n"
                          "0C01             SYSB     WORKING                        0/10   2000     956       20    DEFAULT\n"
                          "0C03             SYSC     RESTARTING   0C01              3/10   2000     956    12345    BIG\n"
                          "0C05             SYSD     WORK"),
         "[{\"device\":\"0C01\",\"system\":\"SYSB\",\"status\":\"WORKING\",\"signals\":20,\"class\":\"DEFAULT\"},"
         "{\"device\":\"0C03\",\"system\":\"SYSC\",\"status\":\"RESTARTING\",\"signals\":12345,\"class\":\"BIG\"}]");
    SAME(displays_pathout(""), "[]");
}

static void systems(void **state) {
    (void)state;
    SAME(displays_systems("IXC335I 19.18.26 DISPLAY XCF 3\n"
                          "  SYSTEM    TYPE SERIAL LPAR      STATUS TIME          SYSTEM STATUS\n"
                          "  SYSA      9672 EMULATOR SYSA      11/22/2026 19:18:26  ACTIVE\n"
                          "  SYSB      ---- ----   ----      11/22/2026 19:18:26  MONITOR-DETECTED STOP\n"),
         "[{\"system\":\"SYSA\",\"status\":\"ACTIVE\"},{\"system\":\"SYSB\",\"status\":\"MONITOR-DETECTED\"}]");
}

static void vipadyn(void **state) {
    (void)state;
    SAME(displays_vipadyn("EZZ8260I SYSPLEX CS V2R10\nVIPA DYNAMIC DISPLAY FROM TCPIP    AT SYSA\n"
                          "LINKNAME: VIPL0A010147  IPADDR: 10.1.1.71\n  ORIGIN: VIPARANGE BIND\n"
                          "  TCPNAME  MVSNAME  STATUS RANK ADDRESS MASK    NETWORK PREFIX  DIST\n"
                          "  -------- -------- ------ ---- --------------- --------------- ----\n"
                          "  TCPIP    SYSA     ACTIVE      255.255.255.248 10.1.1.64       BOTH\n"
                          "IPADDR: 10.1.1.80\n"
                          "  TCPIP    SYSB     BACKUP 200                                  DEST\n"
                          "  TCPIP    SYSC     BACKUP                                      \n2 OF 2 RECORDS DISPLAYED\n"),
         "[{\"address\":\"10.1.1.71\",\"origin\":\"VIPARANGE BIND\",\"stacks\":[{\"stack\":\"TCPIP\",\"system\":\"SYSA\","
         "\"status\":\"ACTIVE\",\"rank\":0,\"distribution\":\"BOTH\"}]},"
         "{\"address\":\"10.1.1.80\",\"origin\":\"\",\"stacks\":[{\"stack\":\"TCPIP\",\"system\":\"SYSB\",\"status\":\"BACKUP\","
         "\"rank\":200,\"distribution\":\"DEST\"},{\"stack\":\"TCPIP\",\"system\":\"SYSC\",\"status\":\"BACKUP\",\"rank\":0,"
         "\"distribution\":\"\"}]}]");
}

static void vdpt_and_home(void **state) {
    (void)state;
    SAME(displays_vdpt("DEST IPADDR     DPORT DESTXCF ADDR    RDY TOTALCONN  WLM TSR FLG\n"
                       "10.1.1.80       00080 193.9.200.2     001 0000000007 20  100 W\n1 OF 1 RECORDS DISPLAYED\n"),
         "[{\"address\":\"10.1.1.80\",\"port\":80,\"target\":\"193.9.200.2\",\"ready\":1,\"connections\":7,\"weight\":20,"
         "\"tsr\":100,\"flags\":\"W\"}]");
    SAME(displays_vdpt("  ACTIVECONN: 0000000009\n"
                       "10.1.1.80       00080 193.9.200.2     001 0000000007 20  100 W\n"
                       "  TCSR: 100  CER: 100  SEF: 100\n  ACTIVECONN: 0000000003\n  QOSPLCACT: *DEFAULT*\n    W/Q: 20  FRACTION: 000\n"
                       "10.1.1.80       00080 193.9.200.3     000 0000000007 20  100 W\n  ACTIVECONN: 0000000001  QUIESCED  DYNAMIC\n"),
         "[{\"address\":\"10.1.1.80\",\"port\":80,\"target\":\"193.9.200.2\",\"ready\":1,\"connections\":7,\"weight\":20,"
         "\"tsr\":100,\"flags\":\"W\",\"active\":3,\"quiesced\":false},"
         "{\"address\":\"10.1.1.80\",\"port\":80,\"target\":\"193.9.200.3\",\"ready\":0,\"connections\":7,\"weight\":20,"
         "\"tsr\":100,\"flags\":\"W\",\"active\":1,\"quiesced\":true}]");
    SAME(displays_xcf_address("ADDRESS          LINK\n10.1.1.1         L1\n193.9.200.1      EZASAMEMVS\n"), "\"193.9.200.1\"");
    SAME(displays_xcf_address("10.1.1.1         L1\n"), "\"\"");
}

/* Whatever an answer that broke off leaves, and lines of any length, are rows or none. */
static void cut_anywhere(void **state) {
    (void)state;
    char text[600];
    snprintf(text, sizeof text, "IPADDR: 10.1.1.80\n  TCPIP SYSA ACTIVE 255.255.255.0 10.1.1.0 BOTH\n10.1.1.80 00080 193.9.200.2 001 7 20 100 W\n%0300d\n", 7);
    for (size_t n = strlen(text); n > 0; n--) {
        text[n] = '\0';
        json_t *(*const each[])(const char *) = {displays_pathout, displays_systems, displays_vipadyn, displays_vdpt, displays_xcf_address};
        for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) json_decref(each[i](text));
    }
}

/* ---- the model ---- */
#define STATUS(cpu, instructions, signals, out, commands, connections)                                                               \
    "{\"plex\":\"PLEX1\",\"lan\":\"namespace\",\"systems\":["                                                                        \
    "{\"name\":\"SYSA\",\"state\":\"running\",\"seconds\":9.5,\"cpu_seconds\":" cpu ",\"instructions\":" instructions                \
    ",\"address\":\"10.1.1.1\",\"status\":\"ACTIVE\",\"paths\":[{\"device\":\"0C01\",\"system\":\"SYSB\",\"status\":\"WORKING\","    \
    "\"signals\":" signals "}]},{\"name\":\"SYSB\",\"state\":\"frozen\",\"mips\":1.5},{\"name\":\"SYSC\",\"state\":\"absent\"}],"                 \
    "\"cards\":[{\"name\":\"OSA1\",\"state\":\"running\",\"card\":{\"lan\":\"down\",\"uplink\":{\"state\":\"up\"},\"oat\":[{},{}],"  \
    "\"counters\":{\"bytes_in\":100,\"bytes_out\":" out "},\"attachments\":[{\"lpar\":\"SYSA\",\"device\":\"0E00\",\"mode\":"        \
    "\"QDIO layer 3\",\"started\":true,\"fenced\":false,\"counters\":{\"bytes_in\":0,\"bytes_out\":" out "}}]}}],"                   \
    "\"cfs\":[{\"name\":\"CF01\",\"state\":\"running\",\"facility\":{\"storage_kb\":65536,\"free_kb\":57088,\"systems\":"            \
    "[{\"name\":\"SYSA\",\"commands\":" commands ",\"bytes\":1}],\"pulled\":[\"SYSB\"],\"isolated\":[{\"name\":\"SYSC\"},"           \
    "{\"name\":\"SYSA\"}],\"structures\":[{\"name\":\"IXCSTR1\",\"type\":\"list\",\"entries_used\":1,\"entries\":10,"                \
    "\"elements_used\":3,\"elements\":10,\"connectors\":[{},{}]}],\"counters\":{\"commands\":" commands "}}},"                       \
    "{\"name\":\"CF02\",\"state\":\"absent\",\"facility\":null}],"                                                                   \
    "\"dvipas\":[{\"address\":\"10.1.1.80\",\"origin\":\"VIPADEFINE\",\"stacks\":["                                                  \
    "{\"system\":\"SYSB\",\"status\":\"BACKUP\",\"rank\":50,\"distribution\":\"DEST\"},"                                             \
    "{\"system\":\"SYSA\",\"status\":\"ACTIVE\",\"rank\":0,\"distribution\":\"BOTH\"},"                                              \
    "{\"system\":\"SYSC\",\"status\":\"BACKUP\",\"rank\":200,\"distribution\":\"\"},"                                                \
    "{\"system\":\"SYSD\",\"status\":\"BACKUP\",\"rank\":0,\"distribution\":\"DEST\"}]},"                                            \
    "{\"address\":\"10.1.1.81\",\"stacks\":[]}],"                                                                                    \
    "\"targets\":[{\"address\":\"10.1.1.80\",\"port\":80,\"target\":\"193.9.200.2\",\"system\":\"\",\"by\":\"SYSA\",\"ready\":1,"    \
    "\"weight\":20,\"tsr\":100,\"active\":3,\"quiesced\":true,\"connections\":" connections "}]}"

static struct panel_model before, now;
static char error[200];

static void shown(void **state) {
    (void)state;
    assert_true(panel_read(&now, STATUS("1.5", "1000000", "20", "500", "40", "7"), 10, error, sizeof error));
    assert_string_equal(now.plex, "PLEX1");
    assert_int_equal(now.systems, 3);
    assert_int_equal(now.system[0].state, PANEL_RUNNING);
    assert_int_equal(now.system[1].state, PANEL_FROZEN);
    assert_int_equal(now.system[2].state, PANEL_ABSENT);
    assert_string_equal(now.system[0].path[0].to, "SYSB");
    assert_false(now.card[0].lan_up);
    assert_true(now.card[0].uplink_up);
    assert_int_equal(now.card[0].addresses, 2);
    assert_true(now.card[0].port[0].started);
    assert_true(now.cf[0].link[0].up && !now.cf[0].link[0].isolated); /* an older incarnation is isolated, not this one */
    assert_true(!now.cf[0].link[1].up && now.cf[0].link[1].pulled);
    assert_true(now.cf[0].link[2].isolated && !now.cf[0].link[2].pulled);
    assert_int_equal(now.cf[0].structure[0].percent, 30);
    assert_int_equal(now.cf[0].structure[0].connectors, 2);
    assert_int_equal(now.cf[1].links, 3);
    assert_false(now.cf[1].link[0].up);
    assert_string_equal(now.dvipa[0].owner, "SYSA");
    assert_true(now.dvipa[0].distributed);
    assert_int_equal(now.dvipa[0].backups, 2);
    assert_string_equal(now.dvipa[0].backup[0], "SYSC");
    assert_string_equal(now.dvipa[0].backup[1], "SYSB");
    assert_string_equal(now.dvipa[1].owner, "");
    assert_string_equal(now.target[0].system, "193.9.200.2");
    assert_int_equal(now.target[0].weight, 20);
    assert_int_equal(now.target[0].active, 3);
    assert_true(now.target[0].quiesced);
    assert_int_equal(panel_system_at(&now, "SYSC"), 2);
    assert_int_equal(panel_system_at(&now, "SYSX"), -1);
}

static void rates(void **state) {
    (void)state;
    assert_true(panel_read(&before, STATUS("1.5", "1000000", "20", "500", "40", "7"), 10, error, sizeof error));
    assert_true(panel_read(&now, STATUS("2.0", "5000000", "30", "1500", "60", "17"), 12, error, sizeof error));
    panel_rates(&now, &before);
    assert_true(now.system[0].cpu_seconds.rate == 0.25);
    assert_true(now.system[0].mips == 2);
    assert_true(now.system[0].path[0].signals.rate == 5);
    assert_true(now.card[0].bytes.rate == 500 && now.card[0].port[0].bytes.rate == 500);
    assert_true(now.cf[0].commands.rate == 10 && now.cf[0].link[0].commands.rate == 10);
    assert_true(now.target[0].connections.rate == 5);
    /* A process that was started anew counts from nothing; an emulator that did not answer has no count. */
    assert_true(panel_read(&before, STATUS("9.5", "0", "20", "500", "40", "7"), 10, error, sizeof error));
    panel_rates(&now, &before);
    assert_true(now.system[0].cpu_seconds.rate == 0 && now.system[0].mips == 0);
    assert_true(now.system[1].mips == 1.5);
    before.at = 12; /* two answers at one moment */
    panel_rates(&now, &before);
    assert_true(now.card[0].bytes.rate == 0);
}

static void not_a_status(void **state) {
    (void)state;
    static const char *const bad[] = {"", "{", "[]", "{}", "{\"systems\":1}", "plex390: no such plex"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error[0] = '\0';
        assert_false(panel_read(&now, bad[i], 0, error, sizeof error));
        assert_true(error[0] != '\0');
        assert_int_equal(now.systems, 0);
    }
    /* Fields of other types than they should have are empty. */
    assert_true(panel_read(&now, "{\"systems\":[1,{\"name\":7,\"state\":[],\"paths\":{}}],\"cards\":7,\"cfs\":[null],\"dvipas\":[[]],\"targets\":[{\"port\":1e99}]}", 0,
                           error, sizeof error));
    assert_int_equal(now.systems, 2);
    assert_string_equal(now.system[1].name, "");
}

/* More of everything than there is room for. */
static void too_many(void **state) {
    (void)state;
    json_t *o = json_pack("{s:[],s:[],s:[],s:[]}", "systems", "cards", "dvipas", "targets");
    for (int i = 0; i < 100; i++) {
        json_array_append_new(json_object_get(o, "systems"), json_pack("{s:s}", "name", "A NAME THAT IS TOO LONG"));
        json_array_append_new(json_object_get(o, "dvipas"), json_pack("{s:s}", "address", "100.100.100.100.100"));
    }
    char *text = json_dumps(o, 0);
    assert_true(panel_read(&now, text, 0, error, sizeof error));
    assert_int_equal(now.systems, PLEX_SYSTEMS_MAX);
    assert_int_equal(now.dvipas, PANEL_DVIPAS_MAX);
    assert_int_equal(now.left_out, 100 - PLEX_SYSTEMS_MAX + 100 - PANEL_DVIPAS_MAX);
    assert_string_equal(now.system[0].name, "A NAME T");
    free(text);
    json_decref(o);
}

static void figures(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0"}, {7, "7"}, {0.5, "0.50"}, {12.34, "12.3"}, {999.4, "999"}, {1000, "1.00k"}, {123456, "123k"}, {2.5e9, "2.50G"}};
    char out[16];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) assert_string_equal(panel_figure(rows[i].value, out), rows[i].text);
}

/* ---- the scene ---- */
static struct scene scene;

static void plex_of(int systems, int cfs, int cards) {
    now = (struct panel_model){.systems = systems, .cfs = cfs, .cards = cards};
    for (int i = 0; i < systems; i++) snprintf(now.system[i].name, sizeof now.system[i].name, "SYS%d", i);
    for (int f = 0; f < cfs; f++) {
        snprintf(now.cf[f].name, sizeof now.cf[f].name, "CF0%d", f + 1);
        now.cf[f].links = systems;
    }
    for (int c = 0; c < cards; c++) snprintf(now.card[c].name, sizeof now.card[c].name, "OSA%d", c + 1);
    scene_lay_out(&scene, &now);
}

/* Any size of plex: all is inside of the picture, boxes do not cover each other, and each can be pointed at. */
static void laid_out(void **state) {
    (void)state;
    for (int systems = 0; systems <= PLEX_SYSTEMS_MAX; systems++) {
        int cfs = systems % (PLEX_CFS_MAX + 1), cards = (systems + 3) % (PLEX_CARDS_MAX + 1);
        plex_of(systems, cfs, cards);
        assert_int_equal(scene.items, systems + cfs + cards + cfs * systems + SCENE_ACTIONS);
        for (int i = 0; i < scene.items; i++) {
            const struct scene_item *a = &scene.item[i];
            assert_true(a->w > 20 && a->h > 10 && a->x >= 0 && a->y >= 40 && a->x + a->w <= SCENE_WIDTH && a->y + a->h <= SCENE_HEIGHT);
            if (a->kind == SCENE_CFLINK) continue;
            assert_ptr_equal(scene_at(&scene, a->x, a->y), a);
            for (int k = i + 1; k < scene.items; k++) {
                const struct scene_item *b = &scene.item[k];
                if (b->kind == SCENE_CFLINK) continue;
                assert_true(a->x + a->w <= b->x || b->x + b->w <= a->x || a->y + a->h <= b->y || b->y + b->h <= a->y);
            }
        }
    }
    plex_of(4, 2, 1); /* of a usual one, no label covers another */
    for (int f = 0; f < 2; f++)
        for (int i = 0; i < 4; i++) {
            const struct scene_item *l = scene_find(&scene, SCENE_CFLINK, f, i);
            assert_ptr_equal(scene_at(&scene, l->x + 1, l->y + 1), l);
            assert_ptr_equal(scene_at(&scene, l->x + l->w - 1, l->y + l->h - 1), l);
        }
    assert_null(scene_at(&scene, 1, 1));
}

static void stepped(void **state) {
    (void)state;
    plex_of(4, 2, 1);
    const struct scene_item *it = scene_step(&scene, NULL, 1), *first = it;
    assert_true(it->kind == SCENE_SYSTEM && it->index == 0);
    int n = 0;
    do {
        assert_int_not_equal(it->kind, SCENE_BUTTON);
        it = scene_step(&scene, it, 1);
        n++;
    } while (it != first);
    assert_int_equal(n, 4 + 2 + 1 + 8);
    assert_int_equal(scene_step(&scene, first, -1)->kind, SCENE_CFLINK);
    plex_of(0, 0, 0);
    assert_null(scene_step(&scene, NULL, 1));
}

static void commands(void **state) {
    (void)state;
    static const struct {
        enum scene_kind kind;
        int index, system;
        int key;
        const char *does; /* NULL: nothing, and says why */
    } rows[] = {
        {SCENE_SYSTEM, 1, 0, 'k', "kill SYS1"},     {SCENE_SYSTEM, 1, 0, 'F', "freeze SYS1"}, {SCENE_SYSTEM, 1, 0, 't', "thaw SYS1"},
        {SCENE_SYSTEM, 1, 0, 'i', "ipl SYS1"},      {SCENE_SYSTEM, 1, 0, 'x', NULL},          {SCENE_SYSTEM, 1, 0, 'c', "console SYS1"},
        {SCENE_CARD, 0, 0, 'x', "cut OSA1"},        {SCENE_CARD, 0, 0, 'h', "heal OSA1"},     {SCENE_CARD, 0, 0, 'c', NULL},
        {SCENE_CF, 1, 0, 'x', "cut CF02 all"},      {SCENE_CF, 1, 0, 'k', "kill CF02"},       {SCENE_CFLINK, 1, 3, 'h', "heal CF02 SYS3"},
        {SCENE_CFLINK, 1, 3, 'k', NULL},
    };
    char out[200];
    plex_of(4, 2, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool does = scene_command(&now, scene_find(&scene, rows[i].kind, rows[i].index, rows[i].system), scene_key(rows[i].key), out, sizeof out);
        assert_int_equal(does, rows[i].does != NULL);
        if (does) assert_string_equal(out, rows[i].does);
        assert_true(out[0] != '\0');
    }
    assert_false(scene_command(&now, NULL, SCENE_KILL, out, sizeof out));
    assert_int_equal(scene_key('z'), SCENE_ACTIONS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pathout), cmocka_unit_test(systems),      cmocka_unit_test(vipadyn),  cmocka_unit_test(vdpt_and_home), cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(shown),   cmocka_unit_test(rates), cmocka_unit_test(not_a_status), cmocka_unit_test(too_many), cmocka_unit_test(figures),
        cmocka_unit_test(laid_out), cmocka_unit_test(stepped), cmocka_unit_test(commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
