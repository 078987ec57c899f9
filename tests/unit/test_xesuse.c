/* test_xesuse.c - XESUSE and SETXCF FORCE's other half between three systems and two facilities: what each says on its console when
 * another one takes a lock, changes a buffer, writes to a list, fills a structure, or dies with a lock in its hands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/str.h"
#include "super/command_impl.h"
#include "super/console.h"
#include "super/xesuse.h"
#include "tests/sim/simcf.h"
#include "tests/unit/memds.h" /* the command processor is linked, and wants data sets */
#include "xcf/cfrm.h"

#define SYSTEMS 3u

struct side {
    struct simcf *z;
    struct cfrm *c;
    struct xesuse *u;
    struct console con;
    struct console_sink sink;
    char said[16384];
    u32 len, forced, rc;
};
struct rig {
    struct simcf *z;
    struct side s[SYSTEMS];
};
static struct rig rig;

static void on_line(void *ctx, const char *text) {
    struct side *s = ctx;
    s->len += str_fmt(s->said + s->len, sizeof s->said - s->len, "%s\n", text);
}
static void on_forced(void *ctx, const char *structure, const char *connection, u32 rc, u64 now) {
    struct side *s = ctx;
    UNUSED(structure);
    UNUSED(connection);
    UNUSED(now);
    s->forced++;
    s->rc = rc;
}
static const struct cfrm_events events = {.forced = on_forced};
static const struct simcf_user user = {.up = cfrm_up, .down = cfrm_down};

static int setup(void **state) {
    static const char *const names[SYSTEMS] = {"SYSA", "SYSB", "SYSC"};
    memset(&rig, 0, sizeof rig);
    rig.z = simcf_create(SYSTEMS, 2, 7);
    for (u32 i = 0; i < SYSTEMS; i++) {
        struct side *s = &rig.s[i];
        s->z = rig.z;
        console_init(&s->con);
        s->sink = (struct console_sink){.line = on_line, .ctx = s};
        console_attach(&s->con, &s->sink);
        s->c = cfrm_create(simcf_arena(rig.z, i), &events, s);
        s->u = xesuse_create(&(struct xesuse_config){
            .arena = simcf_arena(rig.z, i), .cfrm = s->c, .con = &s->con, .system = names[i], .asid = 0x21});
        assert_true(s->c && s->u);
        simcf_attach(rig.z, i, &user, s->c);
    }
    simcf_settle(rig.z);
    *state = &rig;
    return 0;
}
static int teardown(void **state) {
    simcf_destroy(((struct rig *)*state)->z);
    return 0;
}

static void forget(void) {
    for (u32 i = 0; i < SYSTEMS; i++) rig.s[i].said[rig.s[i].len = 0] = '\0';
}

/* An operator's command; what systems say from then on is looked at by said(), silent(); says() and fails() are both at once. */
static bool use(u32 system, const char *text) {
    struct side *s = &rig.s[system];
    struct command c = {.r = &s->con.reply, .now = simcf_now(rig.z)};
    bool quoted = false;
    str_copy(c.cut, sizeof c.cut, text);
    c.op[c.ops++] = c.cut;
    for (char *p = c.cut; *p; p++) {
        if (*p == '\'') quoted = !quoted;
        if (*p != ',' || quoted) continue;
        *p = '\0';
        c.op[c.ops++] = p + 1;
    }
    forget();
    bool good = xesuse_run(s->u, &c);
    simcf_settle(rig.z);
    return good;
}

static void said(u32 system, const char *text) {
    if (!strstr(rig.s[system].said, text)) fail_msg("SYS%c has not said \"%s\" but:\n%s", 'A' + (int)system, text, rig.s[system].said);
}
static void says(u32 system, const char *command, const char *text) {
    assert_true(use(system, command));
    said(system, text);
}
static void fails(u32 system, const char *command, const char *text) {
    assert_false(use(system, command));
    said(system, text);
}
static void silent(u32 system) {
    if (rig.s[system].len) fail_msg("SYS%c has said:\n%s", 'A' + (int)system, rig.s[system].said);
}
static void all_connect(const char *what) {
    char text[64];
    for (u32 i = 0; i < SYSTEMS; i++) {
        str_fmt(text, sizeof text, "CONNECT,%s", what);
        says(i, text, "WAS SUCCESSFUL. JOBNAME: XESUSE ASID: 0021");
    }
}

/* ---- lock ---- */

static void test_contention(void **state) {
    UNUSED(state);
    all_connect("LOCK1,LOCK");
    says(0, "OBTAIN,LOCK1,5,EXCLUSIVE", "PLX0350I XESUSE LOCK1 OBTAIN: ENTRY 5: EXCLUSIVE 01 SHARED 00000000 WAITING 00000000");
    says(1, "OBTAIN,LOCK1,5,SHARED,WAIT", "PLX0351E XESUSE LOCK1 OBTAIN: REFUSED, CONTENTION, ENTRY 5: EXCLUSIVE 01 SHARED 00000000 WAITING 00000002");
    said(0, "PLX0352I XESUSE LOCK1: ENTRY 5: EXCLUSIVE 01 SHARED 00000000 WAITING 00000002: ANOTHER ONE WANTS IT");
    silent(2);
    assert_true(use(0, "RELEASE,LOCK1,5"));
    said(1, "ENTRY 5: EXCLUSIVE 00 SHARED 00000000 WAITING 00000002: TRY AGAIN");
    assert_true(use(1, "OBTAIN,LOCK1,5,SHARED"));
    says(2, "OBTAIN,LOCK1,5,SHARED", "PLX0350I XESUSE LOCK1 OBTAIN: ENTRY 5: EXCLUSIVE 00 SHARED 00000006");
    says(0, "OBTAIN,LOCK1,5,EXCLUSIVE", "REFUSED, CONTENTION");
    said(1, "ANOTHER ONE WANTS IT");
    said(2, "ANOTHER ONE WANTS IT");
    says(0, "RELEASE,LOCK1,5", "REFUSED, NOT HELD");
}

/* Who waits no longer is not told. */
static void test_cancel(void **state) {
    UNUSED(state);
    all_connect("LOCK1,LOCK");
    assert_true(use(0, "OBTAIN,LOCK1,6,EXCLUSIVE") && use(1, "OBTAIN,LOCK1,6,EXCLUSIVE,WAIT"));
    says(1, "CANCEL,LOCK1,6", "CANCEL: ENTRY 6: EXCLUSIVE 01 SHARED 00000000 WAITING 00000000");
    assert_true(use(0, "RELEASE,LOCK1,6"));
    silent(1);
    assert_true(use(0, "RECORD,LOCK1,ROW.1,'half a change'") && use(0, "RECORDEND,LOCK1,ROW.1"));
    says(1, "RECORDS,LOCK1,1", "RECORDS: 0 RECORDS");
    says(0, "RECORDEND,LOCK1,ROW.1", "REFUSED, NO SUCH ENTRY");
}

/* ---- cache ---- */

static void test_cross_invalidate(void **state) {
    UNUSED(state);
    all_connect("CACHE1,CACHE");
    says(0, "READ,CACHE1,'PAGE ONE',3", "VERSION 0, NOT CHANGED: ");
    says(0, "TEST,CACHE1,3", "THE BIT IS ON");
    assert_true(use(1, "WRITE,CACHE1,'PAGE ONE',40,'Of SYSB',CHANGED"));
    said(0, "PLX0352I XESUSE CACHE1: BUFFER 3 IS NOT VALID");
    silent(2);
    says(0, "TEST,CACHE1,3", "THE BIT IS OFF");
    says(1, "TEST,CACHE1,40", "THE BIT IS ON");
    says(2, "READ,CACHE1,'PAGE ONE',0", "VERSION 1, CHANGED: Of SYSB");
    says(2, "CASTOUT,CACHE1,'PAGE ONE'", "PLX0350I XESUSE CACHE1 CASTOUT: VERSION 1, CHANGED: Of SYSB"); /* as it was until then */
    says(1, "CASTOUT,CACHE1,'PAGE ONE'", "REFUSED, ANOTHER CONNECTION CASTS IT OUT");
    assert_true(use(2, "CASTOUTEND,CACHE1,'PAGE ONE'"));
    says(0, "READ,CACHE1,'PAGE ONE',63", "VERSION 1, NOT CHANGED: Of SYSB");
    assert_true(use(2, "INVALIDATE,CACHE1,'PAGE ONE'"));
    said(0, "BUFFER 63 IS NOT VALID");
    said(1, "BUFFER 40 IS NOT VALID");
}

/* What is changed is in its class until somebody casts it out; who has unregistered is not told. */
static void test_castout_class(void **state) {
    UNUSED(state);
    all_connect("CACHE1,CACHE");
    assert_true(use(0, "WRITE,CACHE1,'PAGE TWO',9,'of SYSA',CHANGED") && use(0, "WRITE,CACHE1,'PAGE ONE',8,'of SYSA',CHANGED"));
    says(1, "CLASS,CACHE1", "CHANGED: PAGE TWO\nPLX0350I XESUSE CACHE1 CHANGED: PAGE ONE\nPLX0350I XESUSE CACHE1 CLASS: 2 CHANGED\n");
    assert_true(use(1, "CASTOUT,CACHE1,'PAGE TWO'") && use(2, "CLASS,CACHE1,0"));
    said(2, "CLASS: 1 CHANGED");
    assert_true(use(1, "CASTOUTEND,CACHE1,'PAGE TWO'") && use(0, "UNREGISTER,CACHE1,'PAGE TWO',9"));
    says(0, "TEST,CACHE1,9", "THE BIT IS OFF");
    assert_true(use(1, "WRITE,CACHE1,'PAGE TWO',1,'of SYSB'"));
    silent(0);
    says(0, "UNREGISTER,CACHE1,'PAGE TWO',9", "NO SUCH ENTRY");
    says(0, "CLASS,CACHE1,4", "NO SUCH LIST, ENTRY OR BIT");
}

/* ---- list ---- */

static void test_monitored_list(void **state) {
    UNUSED(state);
    all_connect("LIST1,LIST");
    says(0, "MONITOR,LIST1,4", "IT IS EMPTY");
    assert_true(use(1, "WRITE,LIST1,4,'first'"));
    said(0, "PLX0352I XESUSE LIST1: LIST 4 IS NOT EMPTY");
    silent(2);
    says(2, "MONITOR,LIST1,4", "IT IS NOT EMPTY");
    says(2, "TEST,LIST1,4", "THE BIT IS ON");
    says(0, "READ,LIST1,4", "PLX0350I XESUSE LIST1 READ: first");
    said(2, "LIST 4 IS EMPTY");
    says(0, "READ,LIST1,4", "REFUSED, NO SUCH ENTRY");
    says(1, "FILL,LIST1,2,10", "FILL: 10 ENTRIES WRITTEN");
    says(1, "FILL,LIST1,2,5000", "PLX0351E XESUSE LIST1 FILL: REFUSED, THE STRUCTURE IS FULL, ");
    said(0, "PERCENT ARE IN USE");
    said(2, "PERCENT ARE IN USE");
}

/* Keys in order, adjuncts, several entries at once, and a queue of events that names the keys that have come. */
static void test_keyed_list(void **state) {
    UNUSED(state);
    all_connect("LIST2,LIST,KEYS");
    says(0, "MONITOREVENTS,LIST2", "IT IS EMPTY");
    assert_true(use(0, "MONITORKEY,LIST2,3,ORDERS"));
    assert_true(use(1, "WRITE,LIST2,3,'two',SPARES"));
    silent(0);
    assert_true(use(2, "WRITE,LIST2,3,'one',ORDERS"));
    said(0, "PLX0352I XESUSE LIST2: THE EVENT QUEUE IS NOT EMPTY");
    says(0, "TEST,LIST2,63", "THE BIT IS ON");
    says(0, "EVENTS,LIST2", "EVENT: LIST 3 KEY ORDERS\n");
    said(0, "EVENTS: 1 EVENTS\n");
    said(0, "THE EVENT QUEUE IS EMPTY");
    says(0, "BROWSE,LIST2,3", "ENTRY: ORDERS (SYSC): one\nPLX0350I XESUSE LIST2 ENTRY: SPARES (SYSB): two\nPLX0350I XESUSE LIST2 BROWSE: 2 ENTRIES\n");
    assert_true(use(1, "MOVE,LIST2,3,4"));
    says(1, "READ,LIST2,4", "READ: ORDERS (SYSC): one");
    says(1, "CLEAR,LIST2,3", "CLEAR: 1 ENTRIES");
    says(1, "BROWSE,LIST2,3", "BROWSE: 0 ENTRIES");
    fails(1, "WRITE,LIST2,3,'x'", "A NAME");
}

/* Entries by LEID: what another system has taken meanwhile ends the request, and what came before is done. */
static void test_several_by_leid(void **state) {
    UNUSED(state);
    all_connect("LIST1,LIST");
    says(0, "READMULT,LIST1", "NOT A COMMAND OF THIS FACILITY"); /* about no entry */
    assert_true(use(0, "WRITE,LIST1,5,'one'") && use(0, "WRITE,LIST1,5,'two'") && use(0, "WRITE,LIST1,5,'three'"));
    assert_true(use(1, "BROWSE,LIST1,5"));
    assert_true(use(2, "MOVE,LIST1,5,6"));
    says(1, "READMULT,LIST1", "ENTRY: one\nPLX0350I XESUSE LIST1 ENTRY: two\nPLX0350I XESUSE LIST1 ENTRY: three\nPLX0350I XESUSE LIST1 READMULT: 3 ENTRIES\n");
    says(2, "READ,LIST1,5", "READ: two");
    says(1, "READMULT,LIST1", "ENTRY: one\nPLX0351E XESUSE LIST1 READMULT: REFUSED, NO SUCH ENTRY, 1 ENTRIES\n");
    says(1, "DELETEMULT,LIST1", "ENTRY: one\nPLX0351E XESUSE LIST1 DELETEMULT: REFUSED, NO SUCH ENTRY, 1 ENTRIES\n");
    says(1, "BROWSE,LIST1,6", "BROWSE: 0 ENTRIES");
    assert_true(use(1, "BROWSE,LIST1,5") && use(1, "DELETEMULT,LIST1"));
    said(1, "ENTRY: three\nPLX0350I XESUSE LIST1 DELETEMULT: 1 ENTRIES\n");
    says(0, "READ,LIST1,5", "NO SUCH ENTRY");
}

/* A list's limit and its text are everybody's; a key's entries go by their key. */
static void test_list_controls(void **state) {
    UNUSED(state);
    all_connect("LIST2,LIST,KEYS");
    assert_true(use(0, "SETCONTROLS,LIST2,3,2,'orders of today'"));
    assert_true(use(1, "MONITOR,LIST2,3"));
    assert_true(use(1, "WRITE,LIST2,3,'one',ORDERS") && use(2, "WRITE,LIST2,3,'two',SPARES"));
    says(2, "WRITE,LIST2,3,'three',SPARES", "REFUSED, THE LIST IS FULL");
    says(1, "CONTROLS,LIST2,3", "CONTROLS: ENTRIES 2 LIMIT 2 ELEMENTS 2 MONITORS 00000002: orders of today");
    says(0, "DELETE,LIST2,3,SPARES", "DELETE: SPARES (SYSC): two");
    says(0, "DELETE,LIST2,3,SPARES", "NO SUCH ENTRY");
    assert_true(use(1, "MONITOR,LIST2,3,STOP"));
    says(1, "TEST,LIST2,3", "THE BIT IS OFF");
    assert_true(use(0, "DELETE,LIST2,3"));
    silent(1);
    said(0, "DELETE: ORDERS (SYSB): one");
    assert_true(use(0, "SETCONTROLS,LIST2,3,0"));
    says(2, "CONTROLS,LIST2,3", "CONTROLS: ENTRIES 0 LIMIT 0 ELEMENTS 0 MONITORS 00000000: \n");
    /* Events of a key that nobody asks about any more. */
    assert_true(use(1, "MONITOREVENTS,LIST2") && use(1, "MONITORKEY,LIST2,3,ORDERS") && use(1, "MONITORKEY,LIST2,3,ORDERS,STOP"));
    assert_true(use(0, "WRITE,LIST2,3,'four',ORDERS"));
    silent(1);
    says(1, "MONITORKEY,LIST2,3,ORDERS,STOP", "NO SUCH ENTRY");
}

/* The lock table of a serialized list: one holder, and none when its system dies. */
static void test_list_locks(void **state) {
    UNUSED(state);
    all_connect("LIST1,LIST");
    says(0, "LOCK,LIST1,7", "LOCK: HOLDER 01");
    says(1, "LOCK,LIST1,7", "REFUSED, ANOTHER CONNECTION HAS THE LOCK");
    says(1, "UNLOCK,LIST1,7", "REFUSED, NOT HELD");
    simcf_stop(rig.z, 0);
    simcf_settle(rig.z);
    says(1, "LOCK,LIST1,7", "LOCK: HOLDER 02");
    says(1, "UNLOCK,LIST1,7", "UNLOCK: HOLDER 00");
}

/* ---- who dies ---- */

/* What SETXCF FORCE goes by. */
static void inventory(struct side *s) {
    assert_int_equal(cfrm_inventory(s->c, simcf_now(rig.z)), 0);
    simcf_settle(rig.z);
}

static int force(struct side *s, const char *structure, const char *connection) { return cfrm_force(s->c, structure, connection, simcf_now(rig.z)); }

/* SYSA, which holds a lock, stops: its lock and its record stay until somebody forces its connection. */
static void test_failed_persistent(void **state) {
    UNUSED(state);
    all_connect("LOCK1,LOCK,KEEP");
    assert_true(use(0, "OBTAIN,LOCK1,5,EXCLUSIVE") && use(0, "RECORD,LOCK1,ROW.1,'half a change'"));
    says(1, "OBTAIN,LOCK1,5,EXCLUSIVE,WAIT", "CONTENTION");
    forget();
    simcf_stop(rig.z, 0);
    simcf_settle(rig.z);
    said(1, "CONNECTIONS 00000001 CAME, LEFT OR FAILED");
    says(1, "OBTAIN,LOCK1,5,EXCLUSIVE,WAIT", "EXCLUSIVE 01 SHARED 00000000 WAITING 00000002 FAILED 00000001");
    says(1, "RECORDS,LOCK1,1", "RECORD: ROW.1: half a change");
    said(1, "RECORDS: 1 RECORDS");
    struct side *s = &rig.s[1];
    inventory(s);
    assert_int_equal(force(s, "LOCK1", "USE_SYSC"), -ERR_BUSY);
    assert_int_equal(force(s, "LOCK1", ""), -ERR_BUSY);
    assert_int_equal(force(s, "LOCK1", "USE_SYSX"), -ERR_NOENT);
    assert_int_equal(force(s, "LOCK2", ""), -ERR_NOENT);
    assert_int_equal(force(s, "LOCK1", "USE_SYSA"), 0);
    assert_int_equal(force(s, "LOCK1", "USE_SYSA"), -ERR_ALREADY);
    forget();
    simcf_settle(rig.z);
    assert_true(s->forced == 1 && s->rc == CF_OK);
    said(1, "TRY AGAIN");
    says(1, "OBTAIN,LOCK1,5,EXCLUSIVE", "PLX0350I XESUSE LOCK1 OBTAIN: ENTRY 5: EXCLUSIVE 02");
    /* The inventory is old by now: the facility knows better. */
    assert_int_equal(force(s, "LOCK1", "USE_SYSA"), 0);
    simcf_settle(rig.z);
    assert_true(s->forced == 2 && s->rc == CF_RC_IN_USE);
}

/* Structures without connections go when they are forced, and not before; a connection that failed comes back. */
static void test_failing_and_back(void **state) {
    UNUSED(state);
    says(0, "CONNECT,LOCK1,LOCK,KEEP", "THE STRUCTURE IS NEW");
    assert_true(use(0, "OBTAIN,LOCK1,9,EXCLUSIVE") && use(0, "DISCONNECT,LOCK1,FAILING"));
    fails(0, "OBTAIN,LOCK1,9,SHARED", "NOT CONNECTED");
    says(0, "CONNECT,LOCK1,LOCK,KEEP", "CONNECTION HAS BEEN REESTABLISHED");
    says(0, "OBTAIN,LOCK1,9,SHARED", "SHARED 00000001");
    assert_true(use(0, "DISCONNECT,LOCK1,FAILING"));
    inventory(&rig.s[0]);
    assert_int_equal(force(&rig.s[0], "LOCK1", ""), 0);
    simcf_settle(rig.z);
    assert_true(rig.s[0].forced == 1 && rig.s[0].rc == CF_OK);
    inventory(&rig.s[0]);
    assert_null(cfrm_structure(rig.s[0].c, 0));
}

static void test_the_facility_dies(void **state) {
    UNUSED(state);
    all_connect("LIST1,LIST");
    forget();
    simcf_kill(rig.z, 0);
    simcf_settle(rig.z);
    for (u32 i = 0; i < SYSTEMS; i++) said(i, "THE CONNECTION IS LOST");
    fails(0, "READ,LIST1,1", "NOT CONNECTED");
    says(0, "CONNECT,LIST1,LIST", "CFNAME: CF02");
}

static void test_wrong_commands(void **state) {
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "NOT CONNECTED"},
        {"CONNECT,L1", "LIST, LOCK OR CACHE"},
        {"CONNECT,L1,TREE", "LIST, LOCK OR CACHE"},
        {"CONNECT,L1,LIST,STAY", "KEEP OR KEYS"},
        {"CONNECT,L1,LOCK,KEYS", "KEEP WAS EXPECTED"},
        {"LOCK,LIST1,16", "0 TO 15"},
        {"MOVE,LIST1,1", "0 TO 15"},
        {"MOVE,LIST1,1,2", "NO SUCH ENTRY"},
        {"CONNECT,,LIST", "THE NAME OF A STRUCTURE"},
        {"CONNECT,SEVENTEEN_LETTERS,LIST", "THE NAME OF A STRUCTURE"},
        {"CONNECT,LIST1,LIST", "IT IS CONNECTED"},
        {"OBTAIN,LIST1,5,SHARED", "A REQUEST OF THIS TYPE"},
        {"REMOVE,LIST1,5", "A REQUEST OF THIS TYPE"},
        {"DELETE,LIST1,5,KEY", "FOR THIS STRUCTURE HAS NONE"},
        {"SETCONTROLS,LIST1,5,MANY", "0 TO 99999"},
        {"MONITOR,LIST1,5,HALT", "STOP"},
        {"UNREGISTER,CACHE1,A,64", "0 TO 63"},
        {"CLASS,CACHE1,65536", "0 TO 65535"},
        {"READ,LIST1,16", "0 TO 15"},
        {"READ,LIST1", "0 TO 15"},
        {"FILL,LIST1,1,100000", "0 TO 99999"},
        {"TEST,LIST1,64", "0 TO 63"},
        {"DISCONNECT,LIST1,NOW", "FAILING"},
        {"OBTAIN,LOCK1,1024,SHARED", "0 TO 1023"},
        {"OBTAIN,LOCK1,1,MINE", "SHARED OR EXCLUSIVE"},
        {"OBTAIN,LOCK1,1,SHARED,LONG", "WAIT"},
        {"RECORD,LOCK1,,X", "A NAME"},
        {"RECORDS,LOCK1,33", "0 TO 32"},
        {"RECORDS,LOCK1,0", "NOT A COMMAND OF THIS FACILITY"},
        {"READ,CACHE1,SEVENTEEN_LETTERS,1", "A NAME"},
        {"WRITE,CACHE1,A,1,X,DIRTY", "CHANGED"},
        {"CASTOUT,CACHE1,A", "NO SUCH ENTRY"},
        {"CONNECT,MORE,LIST", "WAS SUCCESSFUL"},
        {"CONNECT,TOO_MANY,LIST", "FOUR STRUCTURES ARE IN USE"},
        {"DISCONNECT,MORE", "DONE"},
        {"CONNECT,LOCK2,LIST", "REFUSED, THE STRUCTURE IS OF ANOTHER TYPE"},
    };
    UNUSED(state);
    assert_true(use(0, "CONNECT,LIST1,LIST") && use(0, "CONNECT,LOCK1,LOCK") && use(0, "CONNECT,CACHE1,CACHE"));
    assert_true(use(1, "CONNECT,LOCK2,LOCK"));
    for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
        use(0, rows[i].text);
        said(0, rows[i].says);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_contention),        TEST(test_cross_invalidate),  TEST(test_monitored_list), TEST(test_failed_persistent),
        TEST(test_keyed_list),        TEST(test_list_locks),        TEST(test_several_by_leid), TEST(test_list_controls),
        TEST(test_cancel),            TEST(test_castout_class),
        TEST(test_failing_and_back),  TEST(test_the_facility_dies), TEST(test_wrong_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
