/* test_parmlib.c - IPL up to the system's name: LOADxx and IEASYMxx, good and bad, and the wait each error ends in. */
#include "tests/unit/sysfix.h"

#include "super/parmlib.h"

/* LOADxx columns:   1-8     10                                                 */
#define LOAD_ALL                                                                                             \
    "* comment\n"                                                                                            \
    "IODF     ** SYS1     PLEX390  00\n"                                                                     \
    "SYSCAT   PLXRES113CCATALOG.PLEX390\n"                                                                   \
    "SYSPLEX  PLEX1\n"                                                                                       \
    "PARMLIB  SYS1.PARMLIB                                 PLXRES\n"                                         \
    "IEASYM   (00,L)\n"

static int setup(void **state) {
    (void)state;
    fix_begin();
    return 0;
}
static int teardown(void **state) {
    (void)state;
    fix_free();
    return 0;
}

/* ---- LOADxx ---- */

static void test_load_all(void **state) {
    struct loadxx l;
    struct parm_error err;
    const struct image_id id = {"CPC1", "SYSA", ""};
    (void)state;
    memset(&l, 0, sizeof l);
    assert_true(parmlib_loadxx(LOAD_ALL "NUCLEUS  1\nARCHLVL  2\nNUCLST   00\nINITSQA  0001K\nSYSPARM  (00,A1)\n", &id, &l, &err));
    assert_string_equal(l.sysplex, "PLEX1");
    assert_string_equal(l.parmlib[0], "SYS1.PARMLIB");
    assert_int_equal(l.parmlibs, 1);
    assert_int_equal(l.ieasyms, 1);
    assert_string_equal(l.ieasym[0], "00");
    assert_true(l.ieasym_list);
    assert_string_equal(l.iodf_suffix, "**");
    assert_string_equal(l.iodf_hlq, "SYS1");
    assert_string_equal(l.iodf_config, "PLEX390");
    assert_string_equal(l.syscat_volser, "PLXRES");
    assert_string_equal(l.syscat_dsname, "CATALOG.PLEX390");
    assert_int_equal(l.nucleus, '1');
    assert_int_equal(l.sysparms, 2);
    assert_string_equal(l.sysparm[1], "A1");
}

static const struct {
    const char *text, *lpar, *sysplex;
} filters[] = {
    {"SYSPLEX  ONE\n", "SYSA", "ONE"},
    {"SYSPLEX  ONE\nSYSPLEX  TWO\n", "SYSA", "TWO"},                                /* the last that applies */
    {"SYSPLEX  ONE\nLPARNAME SYSA\nSYSPLEX  TWO\n", "SYSA", "TWO"},
    {"SYSPLEX  ONE\nLPARNAME SYSA\nSYSPLEX  TWO\n", "SYSB", "ONE"},
    {"SYSPLEX  ONE\nLPARNAME SYSB\nSYSPLEX  TWO\nLPARNAME\nSYSPLEX  ALL\n", "SYSA", "ALL"},
    {"HWNAME   CPC2\nSYSPLEX  TWO\nHWNAME   CPC1\nSYSPLEX  ONE\n", "SYSA", "ONE"},
    {"HWNAME   CPC1\nLPARNAME SYSB\nSYSPLEX  X\nHWNAME   CPC1\nSYSPLEX  Y\n", "SYSA", "Y"}, /* HWNAME ends LPARNAME */
    {"VMUSERID SMITH\nSYSPLEX  X\nVMUSERID\nSYSPLEX  Y\nVMUSERID SMITH\nSYSPLEX  Z\n", "SYSA", "Y"},
    {"LPARNAME SYSB\nVMUSERID\nSYSPLEX  X\nLPARNAME SYSA\nSYSPLEX  Y\n", "SYSA", "Y"},
};

static void test_load_filters(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        struct loadxx l;
        struct parm_error err;
        const struct image_id id = {"CPC1", filters[i].lpar, ""};
        memset(&l, 0, sizeof l);
        assert_true(parmlib_loadxx(filters[i].text, &id, &l, &err));
        if (strcmp(l.sysplex, filters[i].sysplex) != 0) fail_msg("%s: %s", filters[i].text, l.sysplex);
    }
}

static const struct {
    const char *text;
    u32 line;
    const char *token;
} bad_loads[] = {
    {"SYSPLEX  P\nNONSENSE X\n", 2, "NONSENSE"},
    {"SYSPLEX\n", 1, "SYSPLEX"},
    {"IEASYM   0\n", 1, "IEASYM"},
    {"IEASYM   (00,\n", 1, "IEASYM"},
    {"IEASYM   (00\n", 1, "IEASYM"},
    {"IEASYM   (L)\n", 1, "IEASYM"},
    {"IEASYM   00,01\n", 1, "IEASYM"},
    {"SYSPARM  (00,L)X\n", 1, "SYSPARM"},
    {"\n\n NUCLEUS 1\n", 3, "NUCLEUS"}, /* keyword not in column 1: its eight columns say " NUCLEUS" */
    {"NUCLEUS  AB\n", 1, "NUCLEUS"},
    {"PARMLIB\n", 1, "PARMLIB"},
};

static void test_load_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_loads); i++) {
        struct loadxx l;
        struct parm_error err = {.line = 0};
        const struct image_id id = {"CPC1", "SYSA", ""};
        memset(&l, 0, sizeof l);
        if (parmlib_loadxx(bad_loads[i].text, &id, &l, &err)) fail_msg("%s was accepted", bad_loads[i].text);
        assert_int_equal(err.line, bad_loads[i].line);
        assert_non_null(strstr(err.token, bad_loads[i].token));
        assert_non_null(err.expected);
    }
}

/* ---- IEASYMxx through a whole IPL ---- */

static const struct {
    const char *text, *sysname, *sysclone, *name, *value;
} good_syms[] = {
    {"SYSDEF SYSNAME(MVS1)\n", "MVS1", "S1", NULL, NULL},
    {"SYSDEF SYSNAME(A)\n", "A", "A", NULL, NULL},
    {"", "SYSA", "SA", NULL, NULL}, /* the LPAR's name, its last two characters */
    {"SYSDEF SYSNAME(MVS165) SYSCLONE(&SYSNAME(5:2))\n", "MVS165", "65", NULL, NULL},
    /* the global SYSDEF first, as samples have it */
    {"SYSDEF SYSCLONE(&SYSNAME(3:2)) SYMDEF(&X='1')\nSYSDEF LPARNAME(SYSA) SYSNAME(MV0A)\n", "MV0A", "0A", "X", "1"},
    {"SYSDEF LPARNAME(SYSB) SYSNAME(NOTME)\nSYSDEF LPARNAME(SYSA) SYSNAME(ME)\n", "ME", "ME", NULL, NULL},
    {"SYSDEF HWNAME(CPC1) LPARNAME(SYSA) SYMDEF(&A='1')\nSYSDEF HWNAME(CPC2) SYMDEF(&A='2')\n", "SYSA", "SA", "A", "1"},
    {"SYSDEF LPARNAME() SYMDEF(&A='1')\nSYSDEF VMUSERID() SYMDEF(&A='2')\n", "SYSA", "SA", "A", "2"},
    {"SYSDEF SYMDEF(&A='1') SYMDEF(&A='2')\n", "SYSA", "SA", "A", "2"},
    {"/* a\n comment */ SYSDEF,\n SYMDEF(&A='1'),\n/* */ SYMDEF(&B='2')", "SYSA", "SA", "B", "2"},
    {"SYSDEF SYMDEF(&A.='1')\n", "SYSA", "SA", "A", "1"},
    {"SYSDEF SYMDEF(&A='''')\n", "SYSA", "SA", "A", "'"},
    {"SYSDEF SYMDEF(&A='')\n", "SYSA", "SA", "A", ""},
    {"SYSDEF SYMDEF(&ABC=')(,')\n", "SYSA", "SA", "ABC", ")(,"},
    {"SYSDEF SYMDEF(&LANNET='10.1.1')\n", "SYSA", "SA", "LANNET", "10.1.1"},
    {"SYSDEF SYMDEF(&NET='&LANNET(4:3)') SYMDEF(&LANNET='10.1.1')\n", "SYSA", "SA", "NET", "1.1"},
    {"SYSDEF SYMDEF(&CLN='&SYSCLONE.')\n", "SYSA", "SA", "CLN", "SA"},
    {"SYSDEF SYMDEF(&VOL='&SYSR1(1:4)') SYMDEF(&PX='&SYSPLEX(5:1)')\n", "SYSA", "SA", "VOL", "PLXR"},
    /* columns 72-80 are not read */
    {"SYSDEF SYMDEF(&A='1')                                                  SYSNAME(BAD)\n", "SYSA", "SA", "A", "1"},
};

static void test_ieasym_good(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good_syms); i++) {
        memds_set("SYS1.IPLPARM(LOAD00)", LOAD_ALL);
        memds_set("SYS1.PARMLIB(IEASYM00)", good_syms[i].text);
        u32 wait = fix_ipl();
        if (wait) fail_msg("%s: wait %03X\n%s", good_syms[i].text, wait, fix.text);
        assert_string_equal(system_name(&fix.sys), good_syms[i].sysname);
        assert_string_equal(symbols_find(&fix.sys.symbols, "SYSCLONE", 8), good_syms[i].sysclone);
        if (good_syms[i].name)
            assert_string_equal(symbols_find(&fix.sys.symbols, good_syms[i].name, strlen(good_syms[i].name)), good_syms[i].value);
    }
}

static const struct {
    const char *text, *said;
} bad_syms[] = {
    {"SYMDEF(&A='1')\n", "RSN=007 IEASYM00 LINE 1: SYMDEF WAS FOUND, SYSDEF WAS EXPECTED"},
    {"SYSDEF\nNONSENSE(X)\n", "RSN=007 IEASYM00 LINE 2: NONSENSE WAS FOUND"},
    {"SYSDEF NONSENSE\n", "RSN=007 IEASYM00 LINE 1: NONSENSE"},
    {"SYSDEF SYMDEF(&SYSNAME='1')\n", "RSN=002"},
    {"SYSDEF SYMDEF(&NINECHARS='1')\n", "RSN=003"},
    {"SYSDEF SYMDEF(&1A='1')\n", "RSN=004"},
    {"SYSDEF SYMDEF(&A='123')\n", "RSN=006"},
    {"SYSDEF SYMDEF(&AB='&LONG.') SYMDEF(&LONG='1234')\n", "RSN=006"},
    {"SYSDEF SYMDEF(A='1')\n", "RSN=008"},
    {"SYSDEF SYMDEF(&A=1)\n", "RSN=008"},
    {"SYSDEF SYMDEF(&A='1)\n", "RSN=008"},
    {"SYSDEF SYMDEF(&A='1'X)\n", "RSN=008"},
    {"SYSDEF SYSNAME()\n", "RSN=008"},
    {"SYSDEF SYSNAME(BAD.NAME)\n", "RSN=008"},
    {"SYSDEF SYSNAME(&UNKNOWN.)\n", "RSN=008 SYSNAME LINE 0: &UNKNOWN."}, /* stays as it is, so it is no name */
    {"SYSDEF SYSNAME(&NONE)\n", "RSN=008"},
    {"SYSDEF SYSCLONE(ABC)\n", "RSN=006"},
    {"SYSDEF SYSPARM(0)\n", "RSN=008"},
    {"SYSDEF SYSNAME(X\n", "RSN=008"},
    {"SYSDEF /* no end\n", "RSN=008 IEASYM00 LINE 1: /*"},
    {"SYSDEF SYSNAME(A) LPARNAME(SYSA)\n", "FILTERS FIRST"},
};

static void test_ieasym_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_syms); i++) {
        memds_set("SYS1.IPLPARM(LOAD00)", LOAD_ALL);
        memds_set("SYS1.PARMLIB(IEASYM00)", bad_syms[i].text);
        fix.mark = fix.len;
        if (fix_ipl() != WAIT_IEASYMXX) fail_msg("%s was accepted", bad_syms[i].text);
        FIX_SAID("IEA009I SYMBOLIC DEFINITION ERROR.");
        FIX_SAID(bad_syms[i].said);
    }
}

static void test_too_many_symbols(void **state) {
    static char text[8192];
    u32 len = 0;
    (void)state;
    for (u32 i = 0; i < SYMBOLS_MAX; i++) len += (u32)snprintf(text + len, sizeof text - len, "SYSDEF SYMDEF(&S%u='X')\n", i);
    memds_set("SYS1.IPLPARM(LOAD00)", LOAD_ALL);
    memds_set("SYS1.PARMLIB(IEASYM00)", text);
    assert_int_equal(fix_ipl(), WAIT_IEASYMXX);
    FIX_SAID("RSN=005");
}

/* ---- where members are looked for ---- */

static void test_search(void **state) {
    (void)state;
    assert_int_equal(fix_ipl(), WAIT_LOADXX);
    FIX_SAID("PLX0102E LOAD00 WAS NOT FOUND IN SYS0 TO SYS9.IPLPARM OR SYS1.PARMLIB");
    memds_set("SYS1.PARMLIB(LOAD00)", "SYSPLEX  FROMPARM\n");
    assert_int_equal(fix_ipl(), 0);
    FIX_SAID("IEA371I SYS1.PARMLIB ON DEVICE 0A80 SELECTED FOR IPL PARAMETERS");
    assert_string_equal(fix.sys.load.sysplex, "FROMPARM");
    memds_set("SYS3.IPLPARM(LOAD00)", "SYSPLEX  FROM3\n");
    assert_int_equal(fix_ipl(), 0);
    assert_string_equal(fix.sys.load.sysplex, "FROM3");
    memds_set("SYS0.IPLPARM(LOADA1)", "SYSPLEX  FROMA1\n");
    assert_int_equal(fix_ipl_as("0A80A1", "", ""), 0);
    FIX_SAID("IEA246I LOAD   ID A1 SELECTED");
    assert_string_equal(system_name(&fix.sys), "SYSTEM"); /* no LPAR, no machine name */
    assert_int_equal(fix_ipl_as("0B00", "SYSA", ""), 0);
    FIX_SAID("PLX0105W LOADPARM 0B00 NAMES A DEVICE THAT IS NOT READ, 0A80 IS USED");
}

static void test_concatenation(void **state) {
    (void)state;
    memds_set("SYS1.IPLPARM(LOAD00)", "PARMLIB  USER.PARMLIB\nPARMLIB  SYS1.PARMLIB\nIEASYM   (00,U1,L)\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYMDEF(&A='0')");
    memds_set("SYS1.PARMLIB(IEASYMU1)", "SYSDEF SYMDEF(&A='1')");
    memds_set("USER.PARMLIB(IEASYMU1)", "SYSDEF SYMDEF(&A='2')");
    assert_int_equal(fix_ipl(), 0);
    assert_string_equal(symbols_find(&fix.sys.symbols, "A", 1), "2"); /* first of the concatenation, last suffix */
    FIX_SAID("IEE252I MEMBER IEASYM00 FOUND IN SYS1.PARMLIB");
    FIX_SAID("IEE252I MEMBER IEASYMU1 FOUND IN USER.PARMLIB");
}

static void test_io_errors(void **state) {
    (void)state;
    memds_put("SYS1.IPLPARM(LOAD00)", "", 0, ERR_IO);
    assert_int_equal(fix_ipl(), WAIT_PARMLIB);
    FIX_SAID("PLX0103E LOAD00 COULD NOT BE READ");
    memds_set("SYS1.IPLPARM(LOAD00)", LOAD_ALL);
    assert_int_equal(fix_ipl(), WAIT_IEASYMXX);
    FIX_SAID("RSN=001 IEASYM00");
    memds_put("SYS1.PARMLIB(IEASYM00)", "", 0, ERR_IO);
    assert_int_equal(fix_ipl(), WAIT_IEASYMXX);
    FIX_SAID("RSN=009 IEASYM00");
    memds_set("SYS1.IPLPARM(LOAD00)", "SYSPLEX  X\nWHAT\n");
    assert_int_equal(fix_ipl(), WAIT_LOADXX);
    FIX_SAID("PLX0101E LOAD00 LINE 2: WHAT WAS FOUND AND A LOADXX STATEMENT IN COLUMNS 1-8 WAS EXPECTED");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_all),
        cmocka_unit_test(test_load_filters),
        cmocka_unit_test(test_load_bad),
        cmocka_unit_test_setup_teardown(test_ieasym_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ieasym_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_symbols, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search, setup, teardown),
        cmocka_unit_test_setup_teardown(test_concatenation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_io_errors, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
