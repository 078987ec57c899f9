/* test_command.c - the operator's commands: reading of a line, MVS answers, START and STOP, VARY TCPIP, AUTOLOG, PING,
 * packet trace, EZACFSM1, Z EOD. */
#include "tests/unit/sysfix.h"

#include "net/ip.h"
#include "net/tcp.h"
#include "super/messages.h"

#define PROFILE                                                                                              \
    "DEVICE OSA1 LCS 0E00\nLINK L1 ETHERNET 0 OSA1\nDEVICE V1 VIRTUAL 0\nLINK VL1 VIRTUAL 0 V1\n"             \
    "HOME 10.1.9.1 VL1 10.1.1.1 L1\n"                                                                        \
    "BSDROUTINGPARMS TRUE L1 1500 0 255.255.255.0 0 ENDBSDROUTINGPARMS\n"                                    \
    "PORT 80 TCP HTTPD 7 TCP MISCSERV 7 UDP MISCSERV 9 TCP MISCSERV NOAUTOLOG\n"                             \
    "AUTOLOG HTTPD MISCSERV ENDAUTOLOG\nSTART OSA1\n"

static struct tcpip *ip;

static int setup(void **state) {
    (void)state;
    fix_begin();
    memds_set("SYS1.IPLPARM(LOAD00)", "SYSPLEX  PLEX1\nIEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSNAME(SYSA) SYSCLONE(0A) SYMDEF(&LANNET='10.1.1')\n");
    memds_set("SYS1.PARMLIB(COMMND00)", "/* start */\n  COM='S TCPIP'\nNONSENSE\nCOM='D T\n\nCOM='D &SYSNAME.''S'\n");
    memds_set("TCPIP.TCPPARMS(PROFILE)", PROFILE);
    memds_set("TCPIP.TCPPARMS(TCPDATA)", "HOSTNAME &SYSNAME.\nDOMAIN &SYSPLEX..X\n\nUNKNOWN &WHAT.\n");
    memds_set("TCPIP.HTTPD.WEB(INDEX)", "<html></html>\n");
    assert_int_equal(fix_ipl(), 0);
    fix.mark = fix.len;
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    ip = system_stack(&fix.sys, "");
    return ip ? 0 : -1;
}
static int teardown(void **state) {
    (void)state;
    fix_end();
    return 0;
}

static void test_commnd(void **state) {
    (void)state;
    FIX_SAID("EZAIN11I");
    FIX_SAID("PLX0107E COMMND00 LINE 3: COM='COMMAND' WAS EXPECTED");
    FIX_SAID("PLX0107E COMMND00 LINE 4");
    FIX_SAID("IEE309I DISPLAY UNIDENTIFIABLE KEYWORD SYSA'S");
    FIX_SAID("IEF403I HTTPD - STARTED - TIME=15.37.51");
    FIX_SAID("IEF403I MISCSERV - STARTED");
}

static const struct {
    const char *command;
    bool good;
    const char *said;
} lines[] = {
    {"D T", true, "IEE136I LOCAL: TIME=15.37.51 DATE=2000.297  UTC: TIME=15.37.51 DATE=2000.297"},
    {"  d   t  comment", true, "IEE136I"},
    {"/DISPLAY T", true, "IEE136I"},
    {"D SYMBOLS", true,
     "IEA007I STATIC SYSTEM SYMBOL VALUES\n        &LANNET.   = \"10.1.1\"\n        &SYSALVL.  = \"1\"\n        &SYSCLONE. = \"0A\"\n"
     "        &SYSNAME.  = \"SYSA\"\n        &SYSPLEX.  = \"PLEX1\"\n        &SYSR1.    = \"PLXRES\"\n"},
    {"D IPLINFO", true, " USED LOAD00 IN SYS1.IPLPARM ON 0A80\n"},
    {"D IPLINFO", true, " SYSTEM IPLED AT 15.37.51 ON 10/23/2000\n"},
    {"D IPLINFO", true, " IPL DEVICE 0A80 VOLUME PLXRES\n"},
    {"D A,L", true, "  HTTPD    HTTPD    TCPIP    NSW  SO\n"},
    {"D A,LIST", true, " 00000    00003 "},
    {"D TCPIP", true, "    1   TCPIP        CS V2R10   ACTIVE\n*** END TCPIP STATUS REPORT ***  1 STACKS\n"},
    {"D TCPIP,TCPIP,N,HOME", true, "EZZ2500I NETSTAT CS V2R10 TCPIP\n"},
    {"D TCPIP,NONE,N,HOME", false, "IEE341I NONE NOT ACTIVE"},
    {"D TCPIP,,FROB,GROUP", false, "IEE309I DISPLAY TCPIP UNIDENTIFIABLE KEYWORD FROB"},
    {"D TCPIP,,NETSTAT,WHAT", false, "IEE309I DISPLAY TCPIP,,NETSTAT UNIDENTIFIABLE KEYWORD WHAT"},
    {"D TCPIP,,NETSTAT", false, "IEE309I DISPLAY TCPIP,,NETSTAT UNIDENTIFIABLE KEYWORD"},
    {"D TCPIP,,NETSTAT,HOME,MAX=0", false, "PLX0301E 0 IS NOT VALID: A NUMBER FROM 1 TO 65535 OR *"},
    {"D TCPIP,,NETSTAT,CONN,PORT=70000", false, "A PORT NUMBER WAS EXPECTED"},
    {"D TCPIP,,NETSTAT,CONN,IPADDR=X", false, "AN IP ADDRESS WAS EXPECTED"},
    {"D TCPIP,,NETSTAT,CONN,COLOR=RED", false, "IPADDR=, PORT=, CLIENT=, DETAIL OR MAX="},
    {"D U", false, "IEE309I DISPLAY UNIDENTIFIABLE KEYWORD U"},
    {"D", false, "IEE309I"},
    {"NONSENSE X", false, "IEE305I NONSENSE COMMAND INVALID"},
    {"DT", false, "IEE305I DT COMMAND INVALID"},
    {"THISVERBISMUCHTOOLONGTOBEONE", false, "IEE305I THISVERBISMUCHTO COMMAND INVALID"},
    {"F MISCSERV,HELLO", false, "IEE342I MODIFY REJECTED-TASK BUSY"},
    {"F NOSUCH,HELLO", false, "IEE341I NOSUCH NOT ACTIVE"},
    {"F HTTPD,REFRESH", true, "PLX0404I HTTPD READ 0 PAGES OF TCPIP.HTTPD.WEB"},
    {"MODIFY HTTPD,NONSENSE", false, "PLX0301E NONSENSE IS NOT VALID: REFRESH, DISPLAY, HOLD OR RELEASE WAS EXPECTED"},
    {"F HTTPD,DISPLAY", true, "PLX0405I HTTPD: 0 OF 256 CONNECTIONS, 0 REQUESTS, 0 PAGES"},
    {"V WHAT", false, "IEE309I VARY UNIDENTIFIABLE KEYWORD WHAT"},
    {"V TCPIP,,WHAT", false, "IEE309I VARY TCPIP UNIDENTIFIABLE KEYWORD WHAT"},
    {"V TCPIP", false, "IEE309I VARY TCPIP"},
    {"V TCPIP,,STOP,OSA1", true,
     "EZZ0060I PROCESSING COMMAND: VARY TCPIP,,STOP,OSA1\nEZZ4315I DEACTIVATION COMPLETE FOR DEVICE OSA1\n"
     "EZZ0053I COMMAND VARY STOP COMPLETED SUCCESSFULLY\n"},
    {"v tcpip,tcpip,start,osa1", true,
     "EZZ0060I PROCESSING COMMAND: VARY TCPIP,TCPIP,START,OSA1\nEZZ4313I INITIALIZATION COMPLETE FOR DEVICE OSA1\n"
     "EZZ0053I COMMAND VARY START COMPLETED SUCCESSFULLY\n"},
    {"V TCPIP,,START,NONE", false, "PLX0303E DEVICE NONE: IT IS NOT DEFINED\nEZZ0059I VARY START COMMAND FAILED: SEE PREVIOUS MESSAGES"},
    {"V TCPIP,,START,V1", false, "IT IS ALWAYS ACTIVE"},
    {"V TCPIP,,DROP,ZZ", false, "PLX0301E ZZ IS NOT VALID: A CONNECTION NUMBER"},
    {"V TCPIP,,DROP,7FFFFFFF", false, "PLX0303E CONNECTION 7FFFFFFF: THERE IS NONE"},
    {"V TCPIP,,PURGECACHE,L1", true, "EZZ0053I COMMAND VARY PURGECACHE COMPLETED SUCCESSFULLY"},
    {"V TCPIP,,PURGECACHE,NONE", false, "PLX0303E LINK NONE: IT IS NOT DEFINED"},
    {"V TCPIP,,PKTTRACE,ON,LINKNAME=NONE", false, "PLX0303E LINK NONE: IT IS NOT DEFINED"},
    {"V TCPIP,,PKTTRACE,ON,PORTNUM=0", false, "A PORT NUMBER OR *"},
    {"V TCPIP,,PKTTRACE,ABBREV=0", false, "A NUMBER FROM 1 TO 65535"},
    {"V TCPIP,,PKTTRACE,WHAT", false, "ON, OFF, LINKNAME=, IP=, PORTNUM=, FULL OR ABBREV="},
    {"S", false, "A PROCEDURE NAME WAS EXPECTED"},
    {"S NINECHARS", false, "PLX0301E NINECHARS IS NOT VALID"},
    {"S NOPROC", false, "PLX0121E PROCEDURE NOPROC CANNOT BE STARTED AS NOPROC: THERE IS NO SUCH PROCEDURE"},
    {"S HTTPD", false, "PLX0121E PROCEDURE HTTPD CANNOT BE STARTED AS HTTPD: THE JOB NAME IS ACTIVE"},
    {"S HTTPD,COLOR=RED", false, "JOBNAME=, PARM='TEXT', STACK= OR ARMELEM="},
    {"S TCPIP", false, "PLX0120E TCP/IP STACK TCPIP CANNOT BE STARTED: IT IS ACTIVE"},
    {"P", false, "IEE341I JOB NOT ACTIVE"},
    {"P NONE", false, "IEE341I NONE NOT ACTIVE"},
    {"Z", false, "IEE309I HALT"},
    {"PING", false, "AN IP ADDRESS WAS EXPECTED"},
    {"PING www.example", false, "PLX0301E WWW.EXAMPLE IS NOT VALID"},
    {"PING 10.1.1.9 (COUNT 0", false, "PLX0301E 0 IS NOT VALID: A NUMBER FROM 1 TO 100 WAS EXPECTED"},
    {"PING 10.1.1.9 (COUNT", false, "PLX0301E COUNT IS NOT VALID"},
    {"PING 10.1.1.9 (WHAT 1)", false, "COUNT, LENGTH, TIMEOUT OR TCP"},
    {"PING 10.1.1.9 (TCP NONE)", false, "IEE341I NONE NOT ACTIVE"},
    {"TRACERTE 10.1.1.9 (COUNT 1)", false, "MAX, TRY, TIMEOUT OR TCP"},
    {"EZACFSM1 'TCPIP.TCPPARMS(TCPDATA)'", true,
     "HOSTNAME SYSA\nDOMAIN PLEX1.X\n\nUNKNOWN &WHAT.\nPLX0305I EZACFSM1 'TCPIP.TCPPARMS(TCPDATA)': 4 RECORDS\n"},
    {"EZACFSM1 TCPIP.NONE", false, "PLX0303E EZACFSM1 TCPIP.NONE: IT DOES NOT EXIST"},
    {"EZACFSM1 1", false, "'DSN(MEMBER)' WAS EXPECTED"},
    {"PING &LANNET..1 (COUNT", false, "PLX0301E COUNT"}, /* symbols are resolved in commands */
    {"", true, ""},
    {"   ", true, ""},
};

static void test_lines(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        bool good = fix_cmd(lines[i].command);
        FIX_SAID(lines[i].said);
        if (good != lines[i].good) fail_msg("%s: %d", lines[i].command, good);
    }
}

/* As many operands and characters as one likes: cut, never past the end. */
static void program_line(void *ctx, const char *text) {
    strcat(ctx, text);
    strcat(ctx, "\n");
}

/* '#?token': its answer is for the program that asked, each line with the token, once however often it is repeated. */
static void test_asides(void **state) {
    (void)state;
    static char heard[4000];
    struct console_sink program = {.line = program_line, .ctx = heard, .asides = true};
    heard[0] = '\0';
    console_attach(&fix.con, &program);
    assert_true(fix_cmd("/#?12.7 D SYMBOLS"));
    assert_string_equal(fix.text + fix.mark, "");
    static const char first[] = "?12.7 IEA007I STATIC SYSTEM SYMBOL VALUES\n?12.7 ";
    assert_memory_equal(heard, first, sizeof first - 1);
    const char *end = strstr(heard, "?12.7 PLX0310I ?12.7\n");
    assert_non_null(end);
    assert_int_equal(strlen(end), 21);
    heard[0] = '\0';
    assert_true(fix_cmd("#?12.7 D SYMBOLS"));
    assert_string_equal(heard, "?12.7 PLX0310I ?12.7\n");
    fix_cmd("#12.8 D T");
    FIX_SAID("PLX0310I 12.8");
    assert_null(strstr(heard, "?12.7 IEE136I"));
    console_detach(&program);
}

static void test_long_lines(void **state) {
    char text[400];
    (void)state;
    for (u32 n = 1; n < sizeof text; n += 7) {
        memset(text, ',', n);
        text[n] = '\0';
        memcpy(text, n > 8 ? "D TCPIP," : "", n > 8 ? 8 : 0);
        fix_cmd(text);
        memset(text, 'A', n);
        fix_cmd(text);
        memset(text, '\'', n);
        memcpy(text, n > 8 ? "S HTTPD," : "", n > 8 ? 8 : 0);
        fix_cmd(text);
    }
}

static void test_programs(void **state) {
    (void)state;
    assert_non_null(program_find(ip, "HTTPD"));
    assert_true(tcp_listening(ip->stk, 80, "HTTPD"));
    assert_true(fix_cmd("P HTTPD"));
    FIX_SAID("IEF404I HTTPD - ENDED - TIME=15.37.51");
    assert_false(tcp_listening(ip->stk, 80, NULL));
    assert_true(fix_cmd("S HTTPD"));
    assert_true(tcp_listening(ip->stk, 80, "HTTPD"));
    assert_true(fix_cmd("S HTTPD,JOBNAME=WEB2,PARM='PORT=8080'"));
    assert_true(tcp_listening(ip->stk, 8080, "WEB2"));
    assert_true(fix_cmd("S HTTPD.WEB3,PARM='PORT=8081"));
    assert_true(tcp_listening(ip->stk, 8081, "WEB3"));
    /* a port that PORT reserves for another job */
    assert_false(fix_cmd("S HTTPD,JOBNAME=THIEF,PARM='PORT=7'"));
    FIX_SAID("A PORT IS RESERVED FOR ANOTHER JOB");
    assert_false(fix_cmd("S HTTPD,JOBNAME=BAD,PARM='PORT=0'"));
    FIX_SAID("ITS PARAMETERS ARE NOT VALID");
    assert_true(fix_cmd("P WEB2"));
    assert_true(fix_cmd("P WEB3"));
}

/* The stack itself: down and up again for ever, from the same storage. */
static void test_stack_cycles(void **state) {
    (void)state;
    size_t used = fix.arena.used;
    for (u32 i = 0; i < 20; i++) {
        assert_true(fix_cmd("P TCPIP"));
        fix_poll(USEC_PER_SEC);
        FIX_SAID("EZZ4315I DEACTIVATION COMPLETE FOR DEVICE OSA1");
        FIX_SAID("IEF404I HTTPD - ENDED");
        FIX_SAID("EZZ4201I TCP/IP TERMINATION COMPLETE FOR TCPIP");
        assert_null(system_stack(&fix.sys, ""));
        assert_int_equal(fix.attached, 0);
        assert_false(fix_cmd("D TCPIP,,NETSTAT,HOME"));
        FIX_SAID("IEE341I TCPIP NOT ACTIVE");
        assert_false(fix_cmd("PING 10.1.1.1"));
        assert_true(fix_cmd("S TCPIP"));
        FIX_SAID("EZAIN11I");
        FIX_SAID("EZZ4313I INITIALIZATION COMPLETE FOR DEVICE OSA1");
        ip = system_stack(&fix.sys, "TCPIP");
        fix.len = fix.mark;
    }
    assert_int_equal(fix.arena.used, used);
}

static void test_two_stacks(void **state) {
    (void)state;
    memds_set("TCPIP2.TCPPARMS(PROFILE)", "DEVICE V9 VIRTUAL 0 LINK VL9 VIRTUAL 0 V9 HOME 10.9.9.9 VL9");
    assert_true(fix_cmd("S TCPIP2"));
    assert_false(fix_cmd("D TCPIP,,NETSTAT,HOME"));
    FIX_SAID("PLX0302E MORE THAN ONE STACK IS ACTIVE, NAME ONE");
    assert_true(fix_cmd("D TCPIP,TCPIP2,NETSTAT,HOME"));
    FIX_SAID("10.9.9.9");
    FIX_NOT_SAID("10.1.9.1");
    assert_false(fix_cmd("S TCPIP3"));
    FIX_SAID("THERE ARE NO DRIVERS FOR A FURTHER STACK");
    assert_true(fix_cmd("D TCPIP"));
    FIX_SAID("    2   TCPIP2 ");
    assert_true(fix_cmd("P TCPIP2"));
    fix_poll(USEC_PER_SEC);
    assert_true(fix_cmd("D TCPIP,,NETSTAT,HOME"));
}

static void test_autolog_monitor(void **state) {
    (void)state;
    assert_true(fix_cmd("P HTTPD"));
    fix.mark = fix.len;
    fix_poll(4 * 60 * (u64)USEC_PER_SEC);
    assert_null(program_find(ip, "HTTPD"));
    fix_poll(60 * (u64)USEC_PER_SEC);
    FIX_SAID("PLX0250I AUTOLOG RESTARTS HTTPD, PORT 80 HAS NO SERVER");
    assert_true(tcp_listening(ip->stk, 80, "HTTPD"));
    FIX_NOT_SAID("AUTOLOG RESTARTS MISCSERV"); /* its ports are there; 9 is NOAUTOLOG */
    assert_int_equal(ip->autolog.restarts, 1);
    fix.mark = fix.len;
    fix_poll(5 * 60 * (u64)USEC_PER_SEC);
    FIX_NOT_SAID("AUTOLOG RESTARTS");
    /* the deadline is told, so that an idle system wakes for it and not before */
    assert_true(system_poll(&fix.sys, fix.now) <= ip->autolog.next_check);
}

static void test_autolog_obeyfile(void **state) {
    (void)state;
    memds_set("TCPIP.TCPPARMS(OBEY)", "AUTOLOG BULKSRV HTTPD ENDAUTOLOG");
    assert_true(fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(OBEY)"));
    FIX_SAID("IEF403I BULKSRV - STARTED");
    FIX_NOT_SAID("HTTPD"); /* active already: left alone */
    assert_non_null(program_find(ip, "MISCSERV")); /* no longer in the list, but nobody stopped it */
    assert_true(fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(OBEY)"));
    FIX_NOT_SAID("STARTED");
}

static void test_ping(void **state) {
    (void)state;
    assert_true(fix_cmd("PING 10.1.9.1 (COUNT 3 LENGTH 1000"));
    assert_false(fix_cmd("PING 10.1.1.1"));
    FIX_SAID("PLX0303E PING 10.1.1.1: ANOTHER ONE IS RUNNING");
    fix.mark = 0;
    fix_poll(0);
    FIX_SAID("EZZ3111I PINGING HOST 10.1.9.1 WITH 1000 BYTES");
    FIX_SAID("EZZ3112I PING #1 RESPONSE TOOK 0.");
    FIX_SAID("EZZ3112I PING #3 RESPONSE TOOK 0.");
    FIX_SAID("PLX0270I PING 10.1.9.1: 3 SENT, 3 RECEIVED");
    assert_null(ip->ping.s);
    /* nobody there */
    assert_true(fix_cmd("PING 10.1.1.77 (COUNT 2 TIMEOUT 30"));
    for (u32 i = 0; i < 70; i++) fix_poll(USEC_PER_SEC);
    FIX_SAID("PLX0270I PING 10.1.1.77: 2 SENT, 0 RECEIVED");
    /* no way */
    assert_true(fix_cmd("PING 192.0.2.1"));
    fix_poll(0);
    FIX_SAID("EZZ3114I PING #1 WAS NOT SENT: NETWORK UNREACHABLE");
    /* to ourselves in one hop */
    assert_true(fix_cmd("TRACERTE 10.1.1.1"));
    fix_poll(0);
    FIX_SAID("EZZ3119I TRACE ROUTE TO 10.1.1.1");
    FIX_SAID("EZZ3120I  1  10.1.1.1  ");
    FIX_SAID("PLX0271I TRACE ROUTE TO 10.1.1.1 COMPLETE");
    assert_true(fix_cmd("TRACERTE 10.1.1.77 (MAX 2 TRY 1 TIMEOUT 1"));
    for (u32 i = 0; i < 10; i++) fix_poll(USEC_PER_SEC);
    FIX_SAID("EZZ3120I  2  *");
    FIX_SAID("ENDED WITHOUT AN ANSWER FROM THE HOST");
    /* P TCPIP in the middle of one */
    assert_true(fix_cmd("PING 10.1.1.77"));
}

static bool sysplex_ready;
static int bind_absent(void *ctx, struct sock *s, struct ipaddr addr, u64 now) {
    UNUSED(ctx);
    UNUSED(s);
    UNUSED(now);
    assert_int_equal(addr.v4, 0x0A010707);
    return sysplex_ready ? 0 : -ERR_AGAIN;
}

/* A program whose dynamic VIPA cannot be activated yet is started when it can. */
static void test_autolog_waits(void **state) {
    (void)state;
    sysplex_ready = false;
    stack_hooks(ip->stk)->bind_absent = bind_absent;
    memds_set("TCPIP.TCPPARMS(OBEY)", "PORT 2323 TCP OTELNETD BIND 10.1.7.7\nAUTOLOG OTELNETD PARMSTRING 'PORT=2323' ENDAUTOLOG\n");
    fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(OBEY)");
    FIX_SAID("PLX0251I AUTOLOG WAITS WITH OTELNETD");
    assert_false(fix_cmd("S OTELNETD,JOBNAME=OTELNETD,PARM='PORT=2323'"));
    FIX_SAID("THE SYSPLEX IS NOT READY FOR ITS ADDRESS, TRY AGAIN");
    fix.mark = fix.len;
    for (u32 i = 0; i < 5; i++) fix_poll(USEC_PER_SEC);
    assert_int_equal(fix.len, fix.mark); /* said once */
    sysplex_ready = true;
    fix_poll(USEC_PER_SEC);
    FIX_SAID("IEF403I OTELNETD - STARTED");
    fix_poll(6 * AUTOLOG_MONITOR_US);
    FIX_NOT_SAID("PLX0250I");
    stack_hooks(ip->stk)->bind_absent = NULL;
}

/* TELNETPARMS and BEGINVTAM make the server; an OBEYFILE leaves the one that runs alone. */
static void test_telnetparms(void **state) {
    (void)state;
    memds_set("TCPIP.TCPPARMS(TN)", "TELNETPARMS PORT 2023 INACTIVE 600 TIMEMARK 60 SCANINTERVAL 30 TESTMODE ENDTELNETPARMS\n"
                                    "BEGINVTAM PORT 2023 DEFAULTLUS LU01..LU09 ENDDEFAULTLUS DEFAULTAPPL TSO ENDVTAM\n");
    fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(TN)");
    FIX_SAID("IEF403I INTCLIEN - STARTED");
    FIX_SAID("PLX0204I DEFAULTAPPL HAS NO EFFECT HERE");
    fix_cmd("F INTCLIEN,DISPLAY");
    FIX_SAID("PLX0426I INTCLIEN: 0 OF 9 SESSIONS");
    fix_cmd("D TCPIP,,NETSTAT,CONN,PORT=2023");
    FIX_SAID("INTCLIEN");
    fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(TN)");
    FIX_SAID("PLX0432I NEW TELNETPARMS TAKE EFFECT WHEN INTCLIEN IS STARTED AGAIN");
    static const char *const bad[] = {"TELNETPARMS PORT 0 ENDTELNETPARMS", "TELNETPARMS COLOR ENDTELNETPARMS", "TELNETPARMS PORT 23",
                                      "BEGINVTAM DEFAULTLUS A1..A5 ENDDEFAULTLUS ENDVTAM", "BEGINVTAM DEFAULTLUS LU05..LU01 ENDDEFAULTLUS ENDVTAM",
                                      "BEGINVTAM DEFAULTLUS LU0001..LU9999 ENDDEFAULTLUS ENDVTAM", "BEGINVTAM DEFAULTLUS LU01"};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        memds_set("TCPIP.TCPPARMS(TN)", bad[i]);
        fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(TN)");
        FIX_SAID("WAS EXPECTED");
    }
}

static void test_pkttrace(void **state) {
    (void)state;
    assert_true(fix_cmd("V TCPIP,,PKTTRACE,ON,IP=10.1.9.1,ABBREV=40"));
    fix_cmd("PING 10.1.9.1");
    fix_poll(0);
    FIX_SAID("PLX0260I LOOPBACK ");
    FIX_SAID(" ICMP 10.1.9.1..0 10.1.9.1..0 LENGTH 284 TYPE 8 CODE 0");
    FIX_SAID("PLX0261I   +0000 4500011C");
    FIX_SAID("PLX0261I   +0020 ");
    fix.mark = fix.len;
    fix_cmd("PING 10.1.1.1");
    fix_poll(0);
    FIX_NOT_SAID("PLX0260I"); /* the filter */
    /* no more lines a second than the console bears, and the rest is counted */
    assert_true(fix_cmd("V TCPIP,,PKTTRACE,ON,FULL"));
    fix_poll(2 * USEC_PER_SEC);
    fix_cmd("PING 10.1.9.1 (COUNT 100 LENGTH 1000");
    fix_poll(0);
    u32 n = 0;
    for (const char *at = fix.text + fix.mark; (at = strstr(at, "PLX026")); at++) n++;
    assert_int_equal(n, PKTTRACE_LINES_MAX);
    fix_poll(2 * USEC_PER_SEC);
    FIX_SAID("PLX0262I PACKET TRACE LEFT OUT ");
    assert_true(fix_cmd("V TCPIP,,PKTTRACE,OFF"));
    FIX_SAID("PLX0263I PACKET TRACE ENDED: ");
    fix_cmd("PING 10.1.9.1");
    fix_poll(0);
    fix.mark = fix.len;
    FIX_NOT_SAID("PLX0260I");
}

static void test_drop(void **state) {
    u32 conn = 0;
    char text[60];
    (void)state;
    struct sock *s;
    assert_int_equal(sock_open(ip->stk, SOCK_TCP, "TEST", &s), 0);
    assert_int_equal(sock_connect(s, ipaddr_v4(0x0A010901u), 80, fix.now), -ERR_INPROGRESS);
    fix_poll(1000);
    conn = sock_conn_id(s);
    snprintf(text, sizeof text, "V TCPIP,,CMD=DROP,CONNECTION=%08X", conn);
    assert_true(fix_cmd(text));
    snprintf(text, sizeof text, "PLX0304I CONNECTION %08X WAS DROPPED", conn);
    FIX_SAID(text);
    fix_poll(1000);
    assert_int_equal(sock_error(s), ERR_CONNABORTED);
    sock_close(s, fix.now);
}

static void test_halt(void **state) {
    (void)state;
    assert_true(fix_cmd("Z EOD"));
    assert_false(fix_cmd("Z EOD"));
    FIX_SAID("PLX0306I THE SYSTEM IS ALREADY STOPPING");
    assert_false(fix_cmd("S TCPIP"));
    assert_int_equal(fix.wait, 0);
    fix_poll(USEC_PER_SEC);
    FIX_SAID("EZZ4201I TCP/IP TERMINATION COMPLETE FOR TCPIP");
    FIX_SAID("IEE334I HALT     EOD SUCCESSFUL");
    assert_int_equal(fix.wait, WAIT_QUIESCED);
}

/* A device that never stops does not hold Z EOD for ever. */
static void test_halt_with_stuck_device(void **state) {
    (void)state;
    device_find(ip->stk, "OSA1")->status = DEVST_STARTING;
    fix.lazy = true;
    struct driver *d = &fix.drivers[0][DEV_LCS];
    struct device_ops stuck = *d->device;
    stuck.stop = fix_dev_start; /* with fix.lazy: answers nothing */
    struct driver other = {.device = &stuck, .link = d->link};
    device_find(ip->stk, "OSA1")->driver = &other;
    assert_true(fix_cmd("Z EOD"));
    fix_poll(USEC_PER_SEC);
    assert_int_equal(fix.wait, 0);
    fix_poll(TCPIP_STOP_WAIT_US);
    FIX_SAID("PLX0122E DEVICE OSA1 DID NOT STOP");
    assert_int_equal(fix.wait, WAIT_QUIESCED);
    fix.attached = 0; /* it is still the driver's, as the message says */
}

/* The catalogue: in order of id, none twice, text and explanation for each, and a readable template. */
static void test_catalogue(void **state) {
    const struct message *m, *before = NULL;
    (void)state;
    for (u32 i = 0; (m = message_at(i)); i++) {
        char text[256];
        size_t len = strlen(m->id);
        if (before && strcmp(before->id, m->id) >= 0) fail_msg("%s after %s", m->id, before->id);
        assert_true(strchr("IWEAD", m->id[len - 1]) != NULL);
        assert_true(strlen(m->explanation) > 10);
        message_template(m->text, text, sizeof text);
        assert_null(strchr(text, '%'));
        before = m;
    }
    char text[64];
    assert_string_equal(message_template("A %04X B %.*s C %llu D", text, sizeof text), "A ... B ... C ... D");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commnd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asides, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_programs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stack_cycles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_stacks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_autolog_monitor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_autolog_obeyfile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ping, setup, teardown),
        cmocka_unit_test_setup_teardown(test_autolog_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_telnetparms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pkttrace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_halt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_halt_with_stuck_device, setup, teardown),
        cmocka_unit_test(test_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
