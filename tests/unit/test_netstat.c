/* test_netstat.c - each NETSTAT report of a small stack, line by line, and each filter. */
#include "tests/unit/sysfix.h"

#include "net/ip.h"
#include "net/tcp.h"

#define PROFILE                                                                                              \
    "IPCONFIG SOURCEVIPA DATAGRAMFWD\n"                                                                      \
    "DEVICE OSA1 MPCIPA AUTORESTART\nLINK OSALNK1 IPAQENET OSA1\n"                                           \
    "DEVICE VDEV1 VIRTUAL 0\nLINK VLINK1 VIRTUAL 0 VDEV1\n"                                                  \
    "HOME 10.1.9.1 VLINK1\n 10.1.1.1 OSALNK1\nPRIMARYINTERFACE OSALNK1\n"                                    \
    "BEGINROUTES\n ROUTE 10.1.1.0 255.255.255.0 = OSALNK1 MTU 8992\n ROUTE DEFAULT 10.1.1.254 OSALNK1 MTU 1500\n" \
    " ROUTE 10.7.7.7 HOST 10.1.1.253 OSALNK1 MTU DEFAULTSIZE\nENDROUTES\n"                                   \
    "BSDROUTINGPARMS TRUE OSALNK1 1492 3 255.255.255.0 0 ENDBSDROUTINGPARMS\n"                               \
    "PORT 7 TCP MISCSERV NOAUTOLOG\n 80 TCP HTTPD BIND 10.1.9.1\n 7 UDP MISCSERV\n 23 TCP RESERVED\n 25 TCP A SHAREPORT\n" \
    "PORTRANGE 4000 10 UDP OMVS\nSTART OSA1\n"

static struct tcpip *ip;
static struct sock *listener, *client, *server, *udp;

static int setup(void **state) {
    (void)state;
    fix_begin();
    memds_set("SYS1.PARMLIB(LOAD00)", "");
    memds_set("SYS1.PARMLIB(COMMND00)", "COM='S TCPIP'\n");
    memds_set("SYS1.VTAMLST(ATCCON00)", "OSATRL");
    memds_set("SYS1.VTAMLST(OSATRL)", "OSA1T TRLE READ=(0E00),WRITE=(0E01),DATAPATH=(0E02),PORTNAME=OSA1\n");
    memds_set("TCPIP.TCPPARMS(PROFILE)", PROFILE);
    assert_int_equal(fix_ipl(), 0);
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    ip = system_stack(&fix.sys, "");
    assert_int_equal(ip->profile.errors, 0);
    struct stack *stk = ip->stk;
    const struct ipaddr vipa = ipaddr_v4(0x0A010901u);
    assert_int_equal(sock_open(stk, SOCK_TCP, "HTTPD", &listener), 0);
    assert_int_equal(sock_bind(listener, IPADDR_ANY, 80, fix.now), 0);
    assert_int_equal(sock_listen(listener, 10, fix.now), 0);
    assert_int_equal(sock_open(stk, SOCK_TCP, "TESTJOB", &client), 0);
    assert_int_equal(sock_bind(client, vipa, 5000, fix.now), 0);
    assert_int_equal(sock_connect(client, vipa, 80, fix.now), -ERR_INPROGRESS);
    fix_poll(1000);
    assert_int_equal(sock_accept(listener, &server, NULL, fix.now), 0);
    assert_int_equal(sock_send(client, "0123456789", 10, fix.now), 10);
    assert_int_equal(sock_open(stk, SOCK_UDP, "MISCSERV", &udp), 0);
    assert_int_equal(sock_bind(udp, IPADDR_ANY, 7, fix.now), 0);
    fix_poll(1000000);
    fix.mark = fix.len;
    return 0;
}
static int teardown(void **state) {
    (void)state;
    sock_close(udp, fix.now);
    sock_close(client, fix.now);
    sock_close(server, fix.now);
    sock_close(listener, fix.now);
    fix_end();
    return 0;
}

/* The whole answer, compared line by line. */
static void answer(const char *command, const char *const *want, size_t n) {
    if (!fix_cmd(command)) fail_msg("%s: %s", command, fix.text + fix.mark);
    const char *at = fix.text + fix.mark;
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(at, "\n");
        if (strlen(want[i]) != len || strncmp(at, want[i], len) != 0)
            fail_msg("%s, line %zu:\n got  [%.*s]\n want [%s]\nwhole answer:\n%s", command, i + 1, (int)len, at, want[i], fix.text + fix.mark);
        at += len + (at[len] == '\n');
    }
    if (*at) fail_msg("%s: more lines: %s", command, at);
}
#define ANSWER(command, ...)                                                                                 \
    do {                                                                                                     \
        static const char *const want_[] = {"EZZ2500I NETSTAT CS V2R10 TCPIP", __VA_ARGS__};                 \
        answer(command, want_, ARRAY_LEN(want_));                                                            \
    } while (0)

static void test_home(void **state) {
    (void)state;
    ANSWER("D TCPIP,,NETSTAT,HOME",
           "HOME ADDRESS LIST:",
           "ADDRESS          LINK             FLG",
           "10.1.9.1         VLINK1           ",
           "10.1.1.1         OSALNK1          P",
           "127.0.0.1        LOOPBACK         ",
           "3 OF 3 RECORDS DISPLAYED");
    ANSWER("D TCPIP,,N,HO,IPADDR=10.1.1.1",
           "HOME ADDRESS LIST:",
           "ADDRESS          LINK             FLG",
           "10.1.1.1         OSALNK1          P",
           "1 OF 1 RECORDS DISPLAYED");
    ANSWER("D TCPIP,,NETSTAT,HOME,MAX=2",
           "HOME ADDRESS LIST:",
           "ADDRESS          LINK             FLG",
           "10.1.9.1         VLINK1           ",
           "10.1.1.1         OSALNK1          P",
           "2 OF 3 RECORDS DISPLAYED");
}

static void test_route(void **state) {
    (void)state;
    ANSWER("D TCPIP,,NETSTAT,ROUTE,MAX=*",
           "DESTINATION        GATEWAY          FLAGS    REFCNT     INTERFACE",
           "127.0.0.1          0.0.0.0          UH       000000     LOOPBACK",
           "10.1.9.1           0.0.0.0          UH       000000     VLINK1",
           "10.1.1.1           0.0.0.0          UH       000000     OSALNK1",
           "10.7.7.7           10.1.1.253       UGHS     000000     OSALNK1",
           "10.1.1.0/24        0.0.0.0          US       000000     OSALNK1",
           "10.1.1.0/24        0.0.0.0          U        000000     OSALNK1",
           "DEFAULT            10.1.1.254       UGS      000000     OSALNK1",
           "7 OF 7 RECORDS DISPLAYED");
    ANSWER("D TCPIP,,NETSTAT,GATE,IPADDR=10.7.7.7",
           "NET ADDRESS        FIRST HOP        LINK             PKT SZ  SUBNET MASK",
           "10.7.7.7           10.1.1.253       OSALNK1            1492  HOST",
           "1 OF 1 RECORDS DISPLAYED");
    fix_cmd("V TCPIP,,STOP,OSA1");
    assert_true(fix_cmd("D TCPIP,,NETSTAT,ROUTE,IPADDR=10.1.1.254"));
    FIX_SAID("DEFAULT            10.1.1.254       GS  ");
}

static void test_devlinks(void **state) {
    (void)state;
    assert_true(fix_cmd("D TCPIP,,NETSTAT,DEVLINKS"));
    FIX_SAID("DEVNAME: LOOPBACK         DEVTYPE: LOOPBACK\n  DEVSTATUS: READY\n  LNKNAME: LOOPBACK ");
    FIX_SAID("DEVNAME: OSA1             DEVTYPE: MPCIPA DEVNUM: 0E00\n  DEVSTATUS: READY\n  CFGROUTER: NON  AUTORESTART: YES\n"
             "  LNKNAME: OSALNK1          LNKTYPE: IPAQENET   LNKSTATUS: READY\n     NETNUM: 0     QUESIZE: 0     ACTMTU: 1500\n");
    FIX_SAID("       MTU SIZE: 01492       METRIC: 03\n       DESTADDR: 0.0.0.0         SUBNETMASK: 255.255.255.0\n");
    FIX_SAID("       MULTICAST CAPABILITY: NO\n     DRIVER:\n"
             "       SIGA WRITE 12345678901234            DROPS IN HEADER 2\n       NAME LENGTH 7\n");
    FIX_SAID("DEVNAME: VDEV1            DEVTYPE: VIPA\n  DEVSTATUS: READY\n"
             "  LNKNAME: VLINK1           LNKTYPE: VIPA       LNKSTATUS: READY\n");
    FIX_SAID("3 OF 3 RECORDS DISPLAYED");
    fix_cmd("V TCPIP,,STOP,OSA1");
    assert_true(fix_cmd("D TCPIP,,NETSTAT,DEVLINKS"));
    FIX_SAID("DEVSTATUS: NOT ACTIVE");
    FIX_SAID("LNKSTATUS: NOT ACTIVE");
}

static void test_portlist(void **state) {
    (void)state;
    ANSWER("D TCPIP,,NETSTAT,PORTLIST",
           "PORT# PROT USER     FLAGS    RANGE       IP ADDRESS",
           "00007 TCP  MISCSERV N                    ",
           "00080 TCP  HTTPD    B                    10.1.9.1",
           "00007 UDP  MISCSERV                      ",
           "00023 TCP  RESERVED                      ",
           "00025 TCP  A        S                    ",
           "04000 UDP  OMVS     R        04000-04009 ",
           "6 OF 6 RECORDS DISPLAYED");
    ANSWER("D TCPIP,,NETSTAT,PORTLIST,PORT=4005",
           "PORT# PROT USER     FLAGS    RANGE       IP ADDRESS",
           "04000 UDP  OMVS     R        04000-04009 ",
           "1 OF 1 RECORDS DISPLAYED");
}

static void test_conn(void **state) {
    char line[120];
    (void)state;
    assert_true(fix_cmd("D TCPIP,,NETSTAT,CONN"));
    FIX_SAID("EZZ2500I NETSTAT CS V2R10 TCPIP\nUSER ID  CONN     LOCAL SOCKET           FOREIGN SOCKET         STATE\n");
    /* PORT 80 ... BIND: the bind to any became one to the VIPA */
    snprintf(line, sizeof line, "HTTPD    %08X 10.1.9.1..80           0.0.0.0..0             LISTEN\n", sock_conn_id(listener));
    FIX_SAID(line);
    snprintf(line, sizeof line, "HTTPD    %08X 10.1.9.1..80           10.1.9.1..5000         ESTABLSH\n", sock_conn_id(server));
    FIX_SAID(line);
    snprintf(line, sizeof line, "TESTJOB  %08X 10.1.9.1..5000         10.1.9.1..80           ESTABLSH\n", sock_conn_id(client));
    FIX_SAID(line);
    snprintf(line, sizeof line, "MISCSERV %08X 0.0.0.0..7             *..*                   UDP\n", sock_conn_id(udp));
    FIX_SAID(line);
    FIX_SAID("4 OF 4 RECORDS DISPLAYED");
}

static const struct {
    const char *filter, *last;
} filters[] = {
    {"", "4 OF 4 RECORDS"},
    {",PORT=80", "3 OF 3 RECORDS"},
    {",PORT=5000", "2 OF 2 RECORDS"},
    {",PORT=7", "1 OF 1 RECORDS"},
    {",PORT=9", "0 OF 0 RECORDS"},
    {",CLIENT=HTTPD", "2 OF 2 RECORDS"},
    {",CLI=HTT*", "2 OF 2 RECORDS"},
    {",CLIENT=MISCSERV", "1 OF 1 RECORDS"},
    {",IPADDR=10.1.9.1", "3 OF 3 RECORDS"},
    {",IPA=10.1.9.1,CLIENT=TESTJOB,PORT=80", "1 OF 1 RECORDS"},
    {",IPADDR=10.9.9.9", "0 OF 0 RECORDS"},
    {",MAX=1", "1 OF 4 RECORDS"},
    {",MAX=*", "4 OF 4 RECORDS"},
};

static void test_filters(void **state) {
    static const char *const reports[] = {"CONN", "BYTEINFO", "ALL", "SOCKETS"};
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(reports); k++) {
        for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
            char text[80];
            snprintf(text, sizeof text, "D TCPIP,,NETSTAT,%s%s", reports[k], filters[i].filter);
            assert_true(fix_cmd(text));
            FIX_SAID(filters[i].last);
        }
    }
}

static void test_byteinfo_sockets_all(void **state) {
    char line[160];
    (void)state;
    assert_true(fix_cmd("D TCPIP,,NETSTAT,BYTEINFO"));
    snprintf(line, sizeof line, "HTTPD    %08X           10            0 10.1.9.1..80           10.1.9.1..5000\n", sock_conn_id(server));
    FIX_SAID(line);
    assert_true(fix_cmd("D TCPIP,,NETSTAT,SOCKETS,CLIENT=TESTJOB"));
    snprintf(line, sizeof line, "NAME: TESTJOB  SUBTASK: %08X\nSTREAM 10.1.9.1..5000         10.1.9.1..80           ESTABLSH %08X\n",
             sock_conn_id(client), sock_conn_id(client));
    FIX_SAID(line);
    assert_true(fix_cmd("D TCPIP,,NETSTAT,ALL,CLIENT=TESTJOB"));
    FIX_SAID("CLIENT NAME: TESTJOB  CLIENT ID: ");
    FIX_SAID("  BYTESIN:           0            BYTESOUT:          10\n");
    FIX_SAID("  STATE:             ESTABLSH\n");
    FIX_SAID("  ROUNDTRIPTIME:     ");
    assert_true(fix_cmd("D TCPIP,,NETSTAT,ALL,PORT=7"));
    FIX_SAID("  DATAGRAMSIN:       0            DATAGRAMSOUT:      0\n");
    assert_true(fix_cmd("D TCPIP,,NETSTAT,ALL,CLIENT=HTTPD"));
    FIX_SAID("  MAXIMUMBACKLOG:    10           CURRENTBACKLOG:    0\n");
}

static void test_config(void **state) {
    (void)state;
    ANSWER("D TCPIP,,NETSTAT,CONFIG",
           "TCP CONFIGURATION TABLE:",
           "DEFAULTRCVBUFSIZE:  00016384  DEFAULTSNDBUFSIZE: 00016384",
           "DEFLTMAXRCVBUFSIZE: 00262144  SOMAXCONN:         00000010",
           "MAXRETRANSMITTIME:   120.000  MINRETRANSMITTIME:    0.500",
           "ROUNDTRIPGAIN:         0.125  VARIANCEGAIN:         0.250",
           "VARIANCEMULTIPLIER:    2.000  MAXSEGLIFETIME:      60.000",
           "DEFAULTKEEPALIVE:      120  FINWAIT2TIME:           600",
           "CONNECTTIMEOUT:         75  TIMEWAITINTERVAL:        60",
           "DELAYACK: YES RESTRICTLOWPORT: NO  SENDGARBAGE: NO  TCPTIMESTAMP: YES",
           "EPHEMERALPORTS: 1024-65535",
           "UDP CONFIGURATION TABLE:",
           "DEFAULTRCVBUFSIZE:  00065535  DEFAULTSNDBUFSIZE: 00065535",
           "CHECKSUM: YES RESTRICTLOWPORT: NO  UDPQUEUELIMIT: YES",
           "IP CONFIGURATION TABLE:",
           "FORWARDING: YES    TIMETOLIVE: 00064  RSMTIMEOUT:  00060",
           "FIREWALL:   NO     ARPTIMEOUT: 01200  MAXRSMSIZE:  65535",
           "IGREDIRECT: NO     SYSPLXROUT: NO     DOUBLENOP:   NO",
           "STOPCLAWER: NO     SOURCEVIPA: YES    VARSUBNET:   YES",
           "MULTIPATH:  NO     PATHMTUDSC: NO     DEVRTRYDUR:  0000000090",
           "DYNAMICXCF: NO",
           "GLOBAL CONFIGURATION INFORMATION:",
           "MAXRECS: 00100  AUTOLOG: 0 ENTRIES, 0 RESTARTS",
           "4 OF 4 RECORDS DISPLAYED");
}

static void test_stats(void **state) {
    (void)state;
    assert_true(fix_cmd("D TCPIP,,NETSTAT,STATS"));
    FIX_SAID("IP STATISTICS\n  IN_RECEIVES              = ");
    FIX_SAID("TCP STATISTICS\n  ACTIVE_OPENS             = 1\n  PASSIVE_OPENS            = 1\n");
    FIX_SAID("STORAGE POOLS\n");
    FIX_SAID(" IN USE, HIGH ");
    FIX_NOT_SAID("(NULL)");
}

static void row_add(void *ctx, const struct arp_row *row) {
    UNUSED(row);
    ++*(u32 *)ctx;
}

static void test_arp(void **state) {
    u32 rows = 0;
    (void)state;
    ANSWER("D TCPIP,,NETSTAT,ARP", "QUERYING ARP CACHE", "0 OF 0 RECORDS DISPLAYED");
    /* an LCS link on which nobody answers: one incomplete row */
    memds_set("TCPIP.TCPPARMS(LCS)", "DEVICE LCS1 LCS F00 LINK LL ETHERNET 0 LCS1 HOME 10.1.1.1 OSALNK1 10.5.5.1 LL START LCS1\n"
                                     "BEGINROUTES ROUTE 10.5.5.0/24 = LL MTU 1500 ENDROUTES");
    assert_true(fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(LCS)"));
    fix_cmd("PING 10.5.5.9");
    arp_for_each(ip->stk, row_add, &rows);
    assert_int_equal(rows, 1);
    ANSWER("D TCPIP,,NETSTAT,ARP,IPADDR=10.5.5.9", "QUERYING ARP CACHE",
           "LINK LL               ETHERNET: 10.5.5.9         MACADDR: (NONE) INCOMPLETE", "1 OF 1 RECORDS DISPLAYED");
}

int main(void) {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_home),    T(test_route),   T(test_devlinks),
                                       T(test_portlist), T(test_conn),   T(test_filters),
                                       T(test_byteinfo_sockets_all),     T(test_config),
                                       T(test_stats),   T(test_arp)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
