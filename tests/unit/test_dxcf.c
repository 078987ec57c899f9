/* test_dxcf.c - the operator's side of XCF: whole screens, VARY, SETXCF, and what is wrong in a command.
 *
 * The system is SYS01 of a simulated sysplex of three (tests/sim/simxcf), seen through a whole struct system.
 */
#include "tests/sim/simxcf.h"
#include "tests/unit/sysfix.h"

#include "super/dxcf.h"

static struct simxcf *plex;
static struct xcf_operator side;
static struct couple couple;
static struct {
    struct couple_path opened;
    u32 opens, switches, rebuilds, inventories;
    char acouple[45], rebuilt[17], cfrm[9];
    bool other, later;
    int rc;
    const char *type; /* of the structures; NULL: LIST */
} did;

/* ---- what XCF stands on ---- */

static bool facility(void *ctx, u32 i, struct xcf_operator_cf *out) {
    UNUSED(ctx);
    if (i > 1) return false;
    *out = (struct xcf_operator_cf){.connected = i == 0, .devnum = (u16)(0x0F00 + 16 * i), .level = 1, .primary = i == 0,
                                    .alternate = i == 1, .total_kb = 65536, .free_kb = 60000};
    str_fmt(out->name, sizeof out->name, "CF0%u", i + 1);
    str_fmt(out->identity, sizeof out->identity, "PLX390.CF.%016X", i + 1);
    return true;
}
static bool structure(void *ctx, u32 i, struct xcf_operator_structure *out) {
    UNUSED(ctx);
    if (i > 2) return false;
    *out = (struct xcf_operator_structure){.in_policy = true, .policy_kb = 4096, .init_kb = 2048, .rebuild_percent = 34, .duplex = "ALLOWED",
                                           .preferences = 2, .preference = {"CF01", "CF02"}};
    str_fmt(out->name, sizeof out->name, "IXCSTR%u", i + 1);
    if (i == 1) return true;
    out->type = did.type ? did.type : "LIST";
    out->instances = i ? 2 : 1;
    out->duplexed = i == 2;
    out->phase = i ? "DUPLEX ESTABLISHED" : NULL;
    for (u32 k = 0; k < out->instances; k++) {
        out->instance[k] = (struct xcf_operator_instance){
            .actual_kb = 4096, .entries = 100, .entries_used = 3, .elements = 1600, .elements_used = 20, .connections = 1};
        str_fmt(out->instance[k].cf, sizeof out->instance[k].cf, "CF0%u", k + 1);
        out->instance[k].connection[0].id = 1;
        str_copy(out->instance[k].connection[0].name, 17, "SIGPATH_SYS01");
        str_copy(out->instance[k].connection[0].system, 9, "SYS01");
        out->instance[k].connection[0].state = "ACTIVE";
    }
    return true;
}
static int path_new(void *ctx, const struct couple_path *path, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    did.opened = *path;
    did.opens++;
    return did.rc;
}
static int acouple(void *ctx, const char *name, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    str_copy(did.acouple, sizeof did.acouple, name);
    return did.rc;
}
static int pswitch(void *ctx, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    did.switches++;
    return did.rc;
}
static int rebuild(void *ctx, const char *name, bool other, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    did.rebuilds++;
    did.other = other;
    str_copy(did.rebuilt, sizeof did.rebuilt, name);
    return did.rc;
}
static int duplex(void *ctx, const char *name, bool start, bool keep_new, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    str_fmt(did.rebuilt, sizeof did.rebuilt, "%s%c%c", name, start ? '+' : '-', keep_new ? 'N' : 'O');
    return did.rc;
}
static int cfrm_policy(void *ctx, const char *name, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    str_copy(did.cfrm, sizeof did.cfrm, name);
    return did.rc;
}
static int inventory(void *ctx, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    did.inventories++;
    return did.later ? 0 : -ERR_NETDOWN;
}
static int force(void *ctx, const char *structure, const char *connection, u64 now) {
    UNUSED(ctx);
    UNUSED(now);
    str_fmt(did.rebuilt, sizeof did.rebuilt, "%s/%s", structure, connection);
    return did.rc;
}
static const struct xcf_operator_ops ops = {.inventory = inventory, .facility = facility, .structure = structure,
                                            .path_new = path_new, .acouple = acouple, .pswitch = pswitch, .rebuild = rebuild, .duplex = duplex, .force = force,
                                            .cfrm_policy = cfrm_policy};

static int setup(void **state) {
    UNUSED(state);
    fix_begin();
    memds_set("SYS1.IPLPARM(LOAD00)", "SYSPLEX  PLEX1\nIEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSNAME(SYS01) SYSCLONE(01)\n");
    memds_set("SYS1.PARMLIB(SFMPOL1)", "DATA TYPE(SFM)\nDEFINE POLICY NAME(SFMPOL1) CONNFAIL(YES)\n"
                                       "SYSTEM NAME(*) ISOLATETIME(5) WEIGHT(7)\nSYSTEM NAME(SYS01) PROMPT WEIGHT(9)\n");
    memds_set("SYS1.PARMLIB(SFMBAD)", "DEFINE POLICY NAME(SFMBAD)\nSYSTEM NAME(*) WEIGHT(0)\n");
    assert_int_equal(fix_ipl(), 0);
    memset(&did, 0, sizeof did);
    couple_default(&couple);
    str_copy(couple.sysplex, sizeof couple.sysplex, "PLEX1");
    str_copy(couple.pcouple, sizeof couple.pcouple, "CF01");
    str_copy(couple.acouple, sizeof couple.acouple, "CF02");
    couple.interval_s = couple.cleanup_s = 5;
    couple.classes = 2;
    couple.class_def[1] = (struct couple_class){.name = "BIG", .classlen_bytes = 62464, .maxmsg_kb = 500, .group = {"GROUP0"}, .groups = 1};
    struct simxcf_params p = {.seed = 3, .systems = 3, .arbiter = true, .couple = &couple};
    plex = simxcf_create(&p);
    simxcf_run(plex, 4 * (u64)USEC_PER_SEC);
    side = (struct xcf_operator){.x = simxcf_xcf(plex, 0), .ops = &ops};
    fix.sys.xcf_operator = &side;
    fix.now = simxcf_local(plex, 0);
    return 0;
}
static int teardown(void **state) {
    UNUSED(state);
    simxcf_destroy(plex);
    fix_free();
    return 0;
}
static void pass(u64 seconds) {
    simxcf_run(plex, seconds * USEC_PER_SEC);
    fix.now = simxcf_local(plex, 0);
}

/* The whole answer to a command, line by line. */
static void screen(const char *command, bool good, const char *expected) {
    fix.sys.display_number = 0;
    bool rc = fix_cmd(command);
    if (strcmp(fix.text + fix.mark, expected) != 0)
        fail_msg("%s:\n--- was\n%s--- expected\n%s", command, fix.text + fix.mark, expected);
    if (rc != good) fail_msg("%s: %d", command, rc);
}

/* ---- screens ---- */

static void systems(void **state) {
    UNUSED(state);
    screen("D XCF", true, "IXC334I 15.37.51 DISPLAY XCF 1\n  SYSPLEX PLEX1:   SYS01             SYS02             SYS03\n");
    screen("D XCF,S", true, "IXC334I 15.37.51 DISPLAY XCF 1\n  SYSPLEX PLEX1:   SYS01             SYS02             SYS03\n");
    screen("D XCF,SYSPLEX,ALL", true,
           "IXC335I 15.37.51 DISPLAY XCF 1\n"
           "  SYSTEM    TYPE SERIAL LPAR      STATUS TIME          SYSTEM STATUS\n"
           "  SYS01     9672 CPC1   SYSA      10/23/2000 15:37:51  ACTIVE\n"
           "  SYS02     ---- ----   ----      10/23/2000 15:37:51  ACTIVE\n"
           "  SYS03     ---- ----   ----      10/23/2000 15:37:51  ACTIVE\n");
    screen("D XCF,S,SYS09", false,
           "IXC335I 15.37.51 DISPLAY XCF 1\n"
           "  SYSTEM    TYPE SERIAL LPAR      STATUS TIME          SYSTEM STATUS\n"
           "  SYSTEM SYS09 IS NOT ACTIVE IN SYSPLEX PLEX1\n");
    simxcf_kill(plex, 2, true);
    pass(1);
    assert_true(fix_cmd("D XCF,S,SYS03"));
    FIX_SAID("BEING REMOVED - CLEANUP IN PROGRESS\n");
    FIX_NOT_SAID("SYS02");
    screen("D XCF", true, "IXC334I 15.37.51 DISPLAY XCF 1\n  SYSPLEX PLEX1:   SYS01             SYS02\n");
}

static void groups(void **state) {
    UNUSED(state);
    screen("D XCF,G", true, "IXC331I 15.37.51 DISPLAY XCF 1\n  GROUPS(SIZE):  GROUP0(3)        GROUP1(3)        GROUP2(3)\n");
    screen("D XCF,GROUP,GROUP1", true, "IXC332I 15.37.51 DISPLAY XCF 1\n  GROUP GROUP1:  SYS01_1           SYS02_1           SYS03_1\n");
    screen("D XCF,G,GROUP1,ALL", true,
           "IXC333I 15.37.51 DISPLAY XCF 1\n  INFORMATION FOR GROUP GROUP1\n"
           "  MEMBER NAME:      SYSTEM:   STATUS:\n"
           "  SYS01_1           SYS01     ACTIVE\n  SYS02_1           SYS02     ACTIVE\n  SYS03_1           SYS03     ACTIVE\n");
    struct xcf_member *m = simxcf_member(plex, 0, 0);
    u8 ustate[XCF_USTATE_BYTES] = {0xAB, 1};
    char expected[512];
    xcf_set_ustate(m, ustate, fix.now);
    str_fmt(expected, sizeof expected,
            "IXC333I 15.37.51 DISPLAY XCF 1\n  INFORMATION FOR GROUP GROUP0\n"
            "  MEMBER NAME:      SYSTEM:   STATUS:\n"
            "  SYS01_0           SYS01     ACTIVE\n"
            "    TOKEN: %08X  USER STATE: AB010000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n",
            xcf_member_token(m));
    screen("D XCF,G,GROUP0,SYS01_0", true, expected);
    xcf_quiesce(m, fix.now);
    fix_cmd("D XCF,G,GROUP0,ALL");
    FIX_SAID("  SYS01_0           SYS01     QUIESCED\n");
    screen("D XCF,G,NONE", false, "PLX0301E NONE IS NOT VALID: A GROUP OF THIS SYSPLEX WAS EXPECTED\n");
    screen("D XCF,G,GROUP0,NONE", false, "PLX0301E NONE IS NOT VALID: A MEMBER OF THE GROUP WAS EXPECTED\n");
}

static void paths(void **state) {
    UNUSED(state);
    screen("D XCF,PI", true,
           "IXC355I 15.37.51 DISPLAY XCF 1\n"
           "PATHIN FROM SYSNAME: SYS02\nDEVICE (LOCAL/REMOTE): 4010/4001 5010/5001\n"
           "PATHIN FROM SYSNAME: SYS03\nDEVICE (LOCAL/REMOTE): 4020/4002 5020/5002\n");
    simxcf_path(plex, 0, 2, 1, SIMXCF_DOWN);
    simxcf_path(plex, 2, 0, 1, SIMXCF_DOWN);
    pass(1);
    screen("D XCF,PATHOUT", true,
           "IXC355I 15.37.51 DISPLAY XCF 1\n"
           "PATHOUT TO SYSNAME: SYS02\nDEVICE (LOCAL/REMOTE): 4010/4001 5010/5001\n"
           "PATHOUT TO SYSNAME: SYS03\nDEVICE (LOCAL/REMOTE): 4020/4002\n"
           "PATHOUT TO SYSNAME: ???????? - PATHS NOT CONNECTED TO OTHER SYSTEMS\nDEVICE (LOCAL/REMOTE): 5020/????\n");
    assert_true(fix_cmd("D XCF,PO,DEVICE=(4020,5020)"));
    FIX_SAID("LOCAL DEVICE     REMOTE   PATHOUT      REMOTE                         BUFFER    SIGNL    TRANSPORT\n"
             "PATHOUT          SYSTEM   STATUS       PATHIN           RETRY MAXMSG  LENGTH    NUMBR    CLASS\n"
             "4020             SYS03    WORKING      4002              0/10      0     956 ");
    FIX_SAID("5020             ???????? RESTARTING                     1/10      0     956 ");
    screen("D XCF,PI,DEV=9999", false, "IXC356I 15.37.51 DISPLAY XCF 1\nNO SIGNALLING PATHS MATCH THE SPECIFIED CRITERIA\n");
    screen("D XCF,PI,STRNAME=ALL", false, "IXC356I 15.37.51 DISPLAY XCF 1\nNO SIGNALLING PATHS MATCH THE SPECIFIED CRITERIA\n");
    screen("D XCF,PI,WHAT", false, "PLX0301E WHAT IS NOT VALID: DEVICE= OR STRNAME= WAS EXPECTED\n");
}

static void classes(void **state) {
    UNUSED(state);
    screen("D XCF,CD", true, "IXC343I 15.37.51 DISPLAY XCF 1\n  TRANSPORT CLASSES: DEFAULT   BIG\n");
    screen("D XCF,CLASSDEF,CLASS=BIG", true,
           "IXC344I 15.37.51 DISPLAY XCF 1\n"
           "  TRANSPORT   CLASS  DEFAULT  ASSIGNED\n  CLASS      LENGTH   MAXMSG  GROUPS\n"
           "  BIG         62464      500  GROUP0\n"
           "  BIG TRANSPORT CLASS USAGE FOR SYSTEM SYS01\n    SUM: MAXMSG:     2000 IN USE:        0 NOBUFF:        0\n"
           "  BIG TRANSPORT CLASS USAGE FOR SYSTEM SYS02\n    SUM: MAXMSG:      500 IN USE:        0 NOBUFF:        0\n"
           "  BIG TRANSPORT CLASS USAGE FOR SYSTEM SYS03\n    SUM: MAXMSG:      500 IN USE:        0 NOBUFF:        0\n");
    screen("D XCF,CD,CLASS=NONE", false, "IXC344I 15.37.51 DISPLAY XCF 1\n  TRANSPORT CLASSES REQUESTED ARE NOT DEFINED\n");
    screen("D XCF,CD,GROUP=X", false, "PLX0301E GROUP=X IS NOT VALID: CLASS= WAS EXPECTED\n");
}

static void couple_data(void **state) {
    UNUSED(state);
    screen("D XCF,CPL", true,
           "IXC357I 15.37.51 DISPLAY XCF 1\nSYSTEM SYS01 DATA\n"
           "  INTERVAL   OPNOTIFY     MAXMSG    CLEANUP      RETRY   CLASSLEN\n"
           "         5          8       2000          5         10        956\n \n"
           "  SSUM ACTION   SSUM INTERVAL   WEIGHT   CONNFAIL\n"
           "      ISOLATE               0        1         NO\n \n"
           "SYSPLEX COUPLE DATA SETS   IN USE\n"
           "PRIMARY   CFNAME: CF01\n          DEVN: 0F00   CONNECTED\n"
           "ALTERNATE CFNAME: CF02\n          DEVN: 0F10   NOT CONNECTED\n");
}

#define STRUCTURE_POLICY                                                                                                                \
    "POLICY INFORMATION:\n  POLICY SIZE    : 4096 K\n  POLICY INITSIZE: 2048 K\n  REBUILD PERCENT: 34\n  DUPLEX         : ALLOWED\n"  \
    "  PREFERENCE LIST: CF01     CF02\n"
#define STRUCTURE_USE                                                                                                                   \
    "ACTUAL SIZE    : 4096 K\nENTRIES        : IN-USE 3 TOTAL 100\nELEMENTS       : IN-USE 20 TOTAL 1600\n# CONNECTIONS  : 1\n \n"    \
    "CONNECTION NAME  ID SYSNAME  STATE\n---------------- -- -------- ----------------\nSIGPATH_SYS01    01 SYS01    ACTIVE\n"

static void facilities(void **state) {
    UNUSED(state);
    screen("D XCF,STR", true,
           "IXC359I 15.37.51 DISPLAY XCF 1\n"
           "STRNAME           CFNAME    STATUS         TYPE\n"
           "IXCSTR1           CF01      ALLOCATED      LIST\n"
           "IXCSTR2           -- --     NOT ALLOCATED  \n"
           "IXCSTR3           CF01      DUPLEXED       LIST\n"
           "IXCSTR3           CF02      DUPLEXED       LIST\n");
    screen("D XCF,STR,STRNAME=IXCSTR1", true,
           "IXC360I 15.37.51 DISPLAY XCF 1\nSTRNAME: IXCSTR1\nSTATUS: ALLOCATED\nTYPE: LIST\n"
           STRUCTURE_POLICY " \nCFNAME         : CF01\n" STRUCTURE_USE);
    screen("D XCF,STR,STRNAME=IXCSTR3", true,
           "IXC360I 15.37.51 DISPLAY XCF 1\nSTRNAME: IXCSTR3\nSTATUS: DUPLEXED  REBUILD PHASE: DUPLEX ESTABLISHED\n"
           "METHOD: SYSTEM-MANAGED\nTYPE: LIST\n" STRUCTURE_POLICY
           " \nDUPLEXING REBUILD NEW STRUCTURE\nCFNAME         : CF02\n" STRUCTURE_USE
           " \nDUPLEXING REBUILD OLD STRUCTURE\nCFNAME         : CF01\n" STRUCTURE_USE);
    screen("D XCF,STR,STRNM=NONE", false, "IXC360I 15.37.51 DISPLAY XCF 1\nNO STRUCTURES MATCH THE SPECIFIED CRITERIA\n");
    screen("D XCF,CF", true,
           "IXC361I 15.37.51 DISPLAY XCF 1\nCFNAME     COUPLING FACILITY\n"
           "CF01       PLX390.CF.0000000000000001\nCF02       PLX390.CF.0000000000000002   NOT CONNECTED\n");
    screen("D XCF,CF,CFNAME=CF01", true,
           "IXC362I 15.37.51 DISPLAY XCF 1\nCFNAME: CF01\n  COUPLING FACILITY      : PLX390.CF.0000000000000001\n"
           "  COUPLE DATA            : PRIMARY\n  CONNECTED              : YES\n  STRUCTURES:\n    IXCSTR1           IXCSTR3\n");
    screen("D CF,CFNAME=CF02", true,
           "IXL150I 15.37.51 DISPLAY CF 1\nCOUPLING FACILITY PLX390.CF.0000000000000002\n"
           "                  CONTROL UNIT ID: 0F10\nNAMED CF02\nCOUPLING FACILITY SUBCHANNEL STATUS\n"
           " TOTAL:   1  IN USE:   0  NOT USING:   0  NOT USABLE:   1\n DEVICE     STATUS\n  0F10      NOT OPERATIONAL\n");
    fix_cmd("D CF");
    FIX_SAID("  STRUCTURES:       5536 K\n FREE SPACE:       60000 K\n TOTAL SPACE:      65536 K\n VOLATILE:     YES        CFLEVEL:      1\n");
    screen("D CF,WHAT", false, "PLX0301E WHAT IS NOT VALID: CFNAME= WAS EXPECTED\n");
}

/* The facilities are asked first; the display comes with their answers; a second one is told to wait. */
static void inventory_first(void **state) {
    UNUSED(state);
    did.later = true;
    screen("D XCF,CF", true, "");
    screen("D XCF,STR", false, "PLX0303E DISPLAY XCF,STR: ANOTHER COMMAND WAITS FOR THE COUPLING FACILITIES\n");
    assert_int_equal(did.inventories, 1);
    fix.mark = fix.len;
    dxcf_inventory_ready(&fix.sys, fix.now);
    FIX_SAID("CF01       PLX390.CF.0000000000000001\n");
    fix.mark = fix.len;
    dxcf_inventory_ready(&fix.sys, fix.now); /* nobody waits */
    assert_int_equal(fix.mark, fix.len);
    screen("D XCF,CF", true, "");
    assert_int_equal(did.inventories, 2);
}

/* ---- commands ---- */

static void policy(void **state) {
    UNUSED(state);
    screen("D XCF,POLICY", true,
           "IXC364I 15.37.51 DISPLAY XCF 1\nTYPE: ARM\n     POLICY NOT STARTED\nTYPE: CFRM\n     POLICY NOT STARTED\nTYPE: SFM\n     POLICY NOT STARTED\n");
    screen("SETXCF START,POLICY,TYPE=SFM,POLNAME=SFMPOL1", true, "IXC511I START ADMINISTRATIVE POLICY SFMPOL1 FOR SFM ACCEPTED\n");
    screen("D XCF,POL,TYPE=SFM", true, "IXC364I 15.37.51 DISPLAY XCF 1\nTYPE: SFM\n     POLNAME:       SFMPOL1\n");
    fix_cmd("D XCF,CPL");
    FIX_SAID("       PROMPT             N/A        9        YES\n");
    screen("SETXCF START,POLICY,TYPE=SFM,POLNAME=SFMBAD", false,
           "PLX0101E SFMBAD LINE 2: 0 WAS FOUND AND A NUMBER FROM 1 TO 9999 WAS EXPECTED\n"
           "IXC514I POLICY SFMBAD FOR SFM WAS NOT STARTED: IT HAS ERRORS\n");
    screen("SETXCF START,POLICY,TYPE=SFM,POLNAME=NONE", false, "IXC514I POLICY NONE FOR SFM WAS NOT STARTED: IT IS NOT IN PARMLIB\n");
    fix_cmd("D XCF,CPL"); /* the one before holds */
    FIX_SAID("       PROMPT             N/A        9        YES\n");
    screen("SETXCF STOP,POLICY,TYPE=SFM", true, "IXC511I STOP ADMINISTRATIVE POLICY SFMPOL1 FOR SFM ACCEPTED\n");
    fix_cmd("D XCF,CPL");
    FIX_SAID("      ISOLATE               0        1         NO\n");
    screen("SETXCF START,POLICY,TYPE=CFRM,POLNAME=CFRM01", true, "IXC511I START ADMINISTRATIVE POLICY CFRM01 FOR CFRM ACCEPTED\n");
    assert_string_equal(did.cfrm, "CFRM01");
    screen("D XCF,POL,TYPE=(CFRM)", true, "IXC364I 15.37.51 DISPLAY XCF 1\nTYPE: CFRM\n     POLNAME:       CFRM01\n");
    screen("SETXCF START,POLICY,TYPE=WLM,POLNAME=X", false, "PLX0301E WLM IS NOT VALID: ARM, SFM OR CFRM WAS EXPECTED\n");
    screen("SETXCF START,POLICY,TYPE=SFM", false, "PLX0301E THE COMMAND IS NOT VALID: POLNAME=NAME WAS EXPECTED\n");
}

static void options(void **state) {
    UNUSED(state);
    screen("SETXCF COUPLE,INTERVAL=20,OPNOTIFY=+5", true,
           "IXC309I SETXCF COUPLE,INTERVAL REQUEST WAS ACCEPTED\nIXC309I SETXCF COUPLE,OPNOTIFY REQUEST WAS ACCEPTED\n");
    screen("SETXCF CPL,CLEANUP=30", true, "IXC309I SETXCF COUPLE,CLEANUP REQUEST WAS ACCEPTED\n");
    screen("SETXCF COUPLE,RETRY=20,INTERVAL=2", false, "IXC308I SETXCF COUPLE,INTERVAL REQUEST WAS REJECTED: IT IS OUT OF ITS RANGE\n");
    fix_cmd("D XCF,CPL");
    FIX_SAID("        20         25       2000         30         10        956\n");
    screen("SETXCF COUPLE,OPNOTIFY=60", true, "IXC309I SETXCF COUPLE,OPNOTIFY REQUEST WAS ACCEPTED\n");
    fix_cmd("D XCF,CPL");
    FIX_SAID("        20         60       2000         30");
    screen("SETXCF COUPLE,INTERVAL=X", false, "PLX0301E X IS NOT VALID: A NUMBER WAS EXPECTED\n");
    screen("SETXCF COUPLE,COLOR=RED", false,
           "PLX0301E COLOR=RED IS NOT VALID: INTERVAL=, OPNOTIFY=, CLEANUP=, MAXMSG=, RETRY= OR CLASSLEN= WAS EXPECTED\n");
    screen("SETXCF COUPLE,PSWITCH", true, "IXC309I SETXCF COUPLE,PSWITCH REQUEST WAS ACCEPTED\n");
    assert_int_equal(did.switches, 1);
    screen("SETXCF COUPLE,ACOUPLE=(CF03,VOL)", true, "IXC309I SETXCF COUPLE,ACOUPLE REQUEST WAS ACCEPTED\n");
    assert_string_equal(did.acouple, "CF03");
    did.rc = -ERR_NOENT;
    screen("SETXCF COUPLE,ACOUPLE=CF09", false, "IXC308I SETXCF COUPLE,ACOUPLE REQUEST WAS REJECTED: THERE IS NO SUCH COUPLING FACILITY\n");
    side.ops = NULL;
    screen("SETXCF COUPLE,PSWITCH", false, "PLX0303E SETXCF COUPLE,PSWITCH: NOT AVAILABLE ON THIS SYSTEM\n");
    screen("SETXCF WHAT", false, "IEE309I SETXCF UNIDENTIFIABLE KEYWORD WHAT\n");
    screen("SETXCF START,WHAT", false, "IEE309I SETXCF START UNIDENTIFIABLE KEYWORD WHAT\n");
}

static void set_paths(void **state) {
    UNUSED(state);
    screen("SETXCF STOP,PATHOUT,DEVICE=(4010,4020)", true,
           "IXC307I SETXCF STOP PATHOUT REQUEST FOR DEVICE 4010 COMPLETED SUCCESSFULLY: NO LONGER IN USE\n"
           "IXC307I SETXCF STOP PATHOUT REQUEST FOR DEVICE 4020 COMPLETED SUCCESSFULLY: NO LONGER IN USE\n");
    pass(1);
    fix_cmd("D XCF,PO,DEVICE=4010");
    FIX_SAID("STOPPED");
    screen("SETXCF STOP,PO,DEV=4010", false, "IXC302I SETXCF STOP PATHOUT REQUEST FOR DEVICE 4010 REJECTED: PATH IS ALREADY STOPPED\n");
    screen("SETXCF START,PO,DEVICE=4010", true, "IXC306I SETXCF START PATHOUT REQUEST FOR DEVICE 4010 COMPLETED SUCCESSFULLY: NOW DEFINED TO XCF\n");
    screen("SETXCF START,PO,DEVICE=5010", false, "IXC301I SETXCF START PATHOUT REQUEST FOR DEVICE 5010 REJECTED: PATH ALREADY STARTED AS OUTBOUND\n");
    pass(3);
    fix_cmd("D XCF,PO,DEVICE=4010");
    FIX_SAID("WORKING");
    screen("SETXCF START,PI,DEVICE=/C40,RETRY=20", true,
           "IXC306I SETXCF START PATHIN REQUEST FOR DEVICE 0C40 COMPLETED SUCCESSFULLY: NOW DEFINED TO XCF\n");
    assert_string_equal(did.opened.name, "0C40");
    assert_int_equal(did.opened.retry, 20);
    assert_int_equal(did.opened.maxmsg_kb, 2000);
    screen("SETXCF START,PO,STRNAME=IXCSTR1,CLASS=BIG", true,
           "IXC306I SETXCF START PATHOUT REQUEST FOR STRUCTURE IXCSTR1 COMPLETED SUCCESSFULLY: NOW DEFINED TO XCF\n");
    assert_true(did.opened.structure && did.opened.outbound && did.opened.class_index == 1);
    did.rc = -ERR_NOENT;
    screen("SETXCF START,PI,DEVICE=0C42", false, "IXC301I SETXCF START PATHIN REQUEST FOR DEVICE 0C42 REJECTED: DEVICE NOT DEFINED\n");
    screen("SETXCF STOP,PI,DEVICE=0C42", false, "IXC302I SETXCF STOP PATHIN REQUEST FOR DEVICE 0C42 REJECTED: NOT DEFINED TO XCF AS INBOUND\n");
    screen("SETXCF START,PI,DEVICE=ZZ", false, "PLX0301E ZZ IS NOT VALID: A DEVICE NUMBER WAS EXPECTED\n");
    screen("SETXCF START,PI,DEVICE=()", false, "PLX0301E THE COMMAND IS NOT VALID: A NAME WAS EXPECTED\n");
    screen("SETXCF START,PI,DEVICE=0C40,RETRY=1", false, "PLX0301E 1 IS NOT VALID: A NUMBER FROM 3 TO 255 WAS EXPECTED\n");
    screen("SETXCF START,PI,DEVICE=0C40,CLASS=BIG", false, "PLX0301E BIG IS NOT VALID: NO CLASS, THE PATH IS INBOUND WAS EXPECTED\n");
    screen("SETXCF START,PI", false, "PLX0301E THE COMMAND IS NOT VALID: DEVICE= OR STRNAME= WAS EXPECTED\n");
}

static void rebuilds(void **state) {
    UNUSED(state);
    screen("SETXCF START,REBUILD,STRNAME=IXCSTR1,LOC=OTHER", true, "IXC367I THE SETXCF START REBUILD REQUEST FOR STRUCTURE IXCSTR1 WAS ACCEPTED.\n");
    assert_true(did.other);
    did.rc = -ERR_NOENT;
    screen("SETXCF START,RB,STRNM=(A,B)", false,
           "IXC367I THE SETXCF START REBUILD REQUEST FOR STRUCTURE A WAS REJECTED: STRUCTURE NOT ALLOCATED\n"
           "IXC367I THE SETXCF START REBUILD REQUEST FOR STRUCTURE B WAS REJECTED: STRUCTURE NOT ALLOCATED\n");
    assert_int_equal(did.rebuilds, 3);
    did.rc = -ERR_ACCES;
    screen("SETXCF START,REBUILD,DUPLEX,STRNAME=A", false,
           "IXC367I THE SETXCF START REBUILD REQUEST FOR STRUCTURE A WAS REJECTED: THE CFRM ACTIVE POLICY DOES NOT ALLOW DUPLEXING\n");
    assert_string_equal(did.rebuilt, "A+O");
    did.rc = -ERR_NOTCONN;
    did.type = "LOCK";
    screen("SETXCF START,REBUILD,DUPLEX,STRNAME=IXCSTR1", false,
           "IXC367I THE SETXCF START REBUILD REQUEST FOR STRUCTURE IXCSTR1 WAS REJECTED: NO CONNECTION SUPPORTS DUPLEXING OF A LOCK STRUCTURE\n");
    did.type = "CACHE";
    screen("SETXCF START,REBUILD,DUPLEX,STRNAME=(A,IXCSTR3)", false,
           "IXC367I THE SETXCF START REBUILD REQUEST FOR STRUCTURE A WAS REJECTED: NO CONNECTION TO THE STRUCTURE ALLOWS IT\n"
           "IXC367I THE SETXCF START REBUILD REQUEST FOR STRUCTURE IXCSTR3 WAS REJECTED: NO CONNECTION SUPPORTS DUPLEXING OF A CACHE STRUCTURE\n");
    did.rc = 0;
    screen("SETXCF STOP,REBUILD,DUPLEX,STRNAME=A,KEEP=NEW", true, "IXC367I THE SETXCF STOP REBUILD REQUEST FOR STRUCTURE A WAS ACCEPTED.\n");
    assert_string_equal(did.rebuilt, "A-N");
    screen("SETXCF STOP,REBUILD,DUPLEX,STRNAME=A", false, "PLX0301E THE COMMAND IS NOT VALID: KEEP=OLD OR KEEP=NEW WAS EXPECTED\n");
    screen("SETXCF STOP,REBUILD,STRNAME=A", false, "PLX0303E SETXCF REBUILD: NOT AVAILABLE ON THIS SYSTEM\n");
    screen("SETXCF START,REBUILD", false, "PLX0301E THE COMMAND IS NOT VALID: STRNAME= WAS EXPECTED\n");
}

static void forces(void **state) {
    UNUSED(state);
    screen("SETXCF FORCE,CON,STRNAME=LOCK1,CONNAME=USE_SYSA", true, "");
    assert_string_equal(did.rebuilt, "LOCK1/USE_SYSA");
    fix.mark = fix.len;
    dxcf_forced(&fix.sys, "LOCK1", "USE_SYSA", NULL);
    FIX_SAID("IXC354I THE SETXCF FORCE REQUEST FOR CONNECTION USE_SYSA IN STRUCTURE LOCK1 WAS COMPLETED: CONNECTION WAS DELETED\n");
    screen("SETXCF FORCE,STRUCTURE,STRNM=LOCK1", true, "");
    assert_string_equal(did.rebuilt, "LOCK1/");
    fix.mark = fix.len;
    dxcf_forced(&fix.sys, "LOCK1", "", "IT IS ACTIVE");
    FIX_SAID("IXC353I THE SETXCF FORCE REQUEST FOR STRUCTURE LOCK1 WAS REJECTED: IT IS ACTIVE\n");
    did.rc = -ERR_BUSY;
    screen("SETXCF FORCE,STR,STRNAME=LOCK1", false,
           "IXC353I THE SETXCF FORCE REQUEST FOR STRUCTURE LOCK1 WAS REJECTED: STRUCTURE CONTAINS ACTIVE CONNECTIONS\n");
    did.rc = -ERR_NOENT;
    screen("SETXCF FORCE,CONNECTION,STRNAME=LOCK1,CONNM=X", false,
           "IXC354I THE SETXCF FORCE REQUEST FOR CONNECTION X IN STRUCTURE LOCK1 WAS REJECTED: CONNECTION NOT DEFINED\n");
    screen("SETXCF FORCE,CON,STRNAME=LOCK1", false, "PLX0301E THE COMMAND IS NOT VALID: CONNAME= WAS EXPECTED\n");
    screen("SETXCF FORCE,STR,STRNAME=LOCK1,CONNAME=X", false, "PLX0301E X IS NOT VALID: NO CONNAME= WAS EXPECTED\n");
    screen("SETXCF FORCE,STR", false, "PLX0301E THE COMMAND IS NOT VALID: STRNAME= WAS EXPECTED\n");
    screen("SETXCF FORCE,ARM", false, "PLX0301E ARM IS NOT VALID: CONNECTION OR STRUCTURE WAS EXPECTED\n");
}

static void vary(void **state) {
    UNUSED(state);
    screen("V XCF,SYS09,OFFLINE", false, "PLX0303E VARY XCF SYS09: NO SUCH SYSTEM IS IN THE SYSPLEX\n");
    screen("V XCF,SYS03,WHAT", false, "IEE309I VARY XCF UNIDENTIFIABLE KEYWORD WHAT\n");
    screen("V XCF,SYS03,OFFLINE", true, "");
    screen("V XCF,SYS03,OFF", false, "PLX0303E VARY XCF SYS03: ANOTHER QUESTION ABOUT IT WAITS\n");
    assert_int_equal(simxcf_reply(plex, 0, "SYSNAME=SYS03"), 0);
    pass(2);
    assert_true(simxcf_waiting(plex, 2));
}

static void without(void **state) {
    UNUSED(state);
    side.x = NULL;
    screen("D XCF", false, "IEE341I XCFAS NOT ACTIVE\n");
    fix.sys.xcf_operator = NULL;
    screen("D XCF", false, "IEE341I XCFAS NOT ACTIVE\n");
    screen("SETXCF COUPLE,PSWITCH", false, "IEE341I XCFAS NOT ACTIVE\n");
    screen("V XCF,SYS03,OFFLINE", false, "IEE341I XCFAS NOT ACTIVE\n");
    screen("D CF", false, "IEE341I XCFAS NOT ACTIVE\n");
}

/* Operands of every length and form: an answer or a refusal, nothing else. */
static void nonsense(void **state) {
    static const char *const begins[] = {"D XCF,", "SETXCF ", "SETXCF START,PI,DEVICE=", "D XCF,G,", "D XCF,STR,STRNAME=", "V XCF,",
                                         "SETXCF COUPLE,", "SETXCF START,REBUILD,STRNAME=", "D XCF,PI,DEVICE=(", "D XCF,CD,CLASS="};
    char text[160];
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(begins); i++)
        for (u32 n = 0; n < 120; n += 7)
            for (u32 k = 0; k < 4; k++) {
                u32 at = str_fmt(text, sizeof text, "%s", begins[i]);
                for (u32 j = 0; j < n; j++) text[at++] = ",A(="[k];
                text[at] = '\0';
                fix_cmd(text);
                fix.len = fix.mark;
            }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(systems), T(groups),          T(paths),  T(classes), T(couple_data), T(facilities),
                                       T(inventory_first), T(policy),  T(options), T(set_paths), T(rebuilds), T(forces), T(vary),
                                       T(without),  T(nonsense)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
