/* test_profile.c - PROFILE.TCPIP: each statement, good and bad; the error rules; each row of the OBEYFILE table. */
#include "tests/unit/sysfix.h"

#include "net/ip.h"
#include "net/tcp.h"

#define PROFILE_DSN "TCPIP.TCPPARMS(PROFILE)"
#define TRL                                                                                                  \
    "* comment\nOSATRL   VBUILD TYPE=TRL\n"                                                                  \
    "OSA1T    TRLE  LNCTL=MPC,MPCLEVEL=QDIO,READ=(0E00),WRITE=(0E01),\n"                                     \
    "               DATAPATH=(0E02),PORTNAME=OSA1\n"                                                         \
    "OSA2T    TRLE  LNCTL=MPC,READ=(E10),WRITE=(E11),DATAPATH=(E12-E14),      X\n   PORTNAME=OSA2\n"         \
    "BADT     TRLE  LNCTL=MPC,READ=(0E20),WRITE=(0E22),DATAPATH=(0E23),\n  PORTNAME=OSABAD\n"                \
    "NODATA   TRLE  LNCTL=MPC,READ=(0E30),WRITE=(0E31),PORTNAME=OSANODAT\n"
#define BASE                                                                                                 \
    "DEVICE OSA1 MPCIPA AUTORESTART\nLINK L1 IPAQENET OSA1\n"                                                \
    "DEVICE V1 VIRTUAL 0\nLINK VL1 VIRTUAL 0 V1\n"                                                           \
    "DEVICE LCS1 LCS 0F00\nLINK L2 ETHERNET 0 LCS1\n"                                                        \
    "HOME 10.1.9.1 VL1\n 10.1.1.1 L1\n 10.1.2.1 L2\n"

static struct tcpip *ip;

/* IPL and S TCPIP with this profile; the marks stand before S TCPIP. */
static void start(const char *profile) {
    fix_begin();
    memds_set("SYS1.IPLPARM(LOAD00)", "SYSPLEX  PLEX1\nIEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSNAME(SYSA) SYSCLONE(0A) SYMDEF(&HOST='1')\nSYSDEF SYMDEF(&LANNET='10.1.1')");
    memds_set("SYS1.PARMLIB(COMMND00)", "COM='S TCPIP'\n");
    memds_set("SYS1.VTAMLST(ATCCON00)", "* comment\nMISSING,OSATRL\n");
    memds_set("SYS1.VTAMLST(OSATRL)", TRL);
    memds_set(PROFILE_DSN, profile);
    assert_int_equal(fix_ipl(), 0);
    fix.mark = fix.len;
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    ip = system_stack(&fix.sys, "TCPIP");
    assert_non_null(ip);
}
static void again(const char *profile) {
    fix_end();
    start(profile);
}

static u32 homes(void) {
    u32 n = 0;
    for (struct home_entry *e = NULL; (e = home_next(ip->stk, e));) n += !(e->flags & HOME_GENERATED);
    return n;
}
static bool is_home(const char *text) {
    struct ipaddr a;
    assert_true(ipaddr_parse(text, strlen(text), &a));
    return home_find(ip->stk, a) != NULL;
}
static u32 statics(void) {
    u32 n = 0;
    for (const struct route *r = NULL; (r = route_next(ip->stk, r));) n += r->def.kind == ROUTE_STATIC;
    return n;
}
static const struct route *static_to(const char *text, u32 bits) {
    struct ipaddr a;
    assert_true(ipaddr_parse(text, strlen(text), &a));
    for (const struct route *r = NULL; (r = route_next(ip->stk, r));)
        if (r->def.kind == ROUTE_STATIC && ipaddr_eq(r->def.dest, a) && r->def.prefix_bits == bits) return r;
    return NULL;
}
static u32 rules(void) {
    u32 n = 0;
    for (const struct port_rule *r = NULL; (r = port_rule_next(ip->stk, r));) n++;
    return n;
}
static bool obey(const char *text) {
    memds_set("TCPIP.TCPPARMS(OBEY)", text);
    return fix_cmd("V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(OBEY)");
}

/* ---- the file as a whole ---- */

static void test_messages_in_order(void **state) {
    static const char *const lines[] = {
        "IEF403I TCPIP - STARTED - TIME=15.37.51\n",
        "EZZ0300I OPENED PROFILE FILE 'TCPIP.TCPPARMS(PROFILE)'\n",
        "EZZ0309I PROFILE PROCESSING BEGINNING FOR TCPIP.TCPPARMS(PROFILE)\n",
        "EZZ0300I OPENED INCLUDE FILE 'TCPIP.TCPPARMS(DEV0A)'\n",
        "EZZ0309I PROFILE PROCESSING BEGINNING FOR TCPIP.TCPPARMS(DEV0A)\n",
        "EZZ0316I PROFILE PROCESSING COMPLETE FOR FILE TCPIP.TCPPARMS(DEV0A)\n",
        "EZZ0304I RESUMING PROCESSING OF FILE TCPIP.TCPPARMS(PROFILE)\n",
        "EZZ4313I INITIALIZATION COMPLETE FOR DEVICE OSA1\n",
        "EZZ0316I PROFILE PROCESSING COMPLETE FOR FILE TCPIP.TCPPARMS(PROFILE)\n",
        "EZZ0641I IP FORWARDING NOFWDMULTIPATH SUPPORT IS ENABLED\n",
        "EZZ0351I SOURCEVIPA SUPPORT IS ENABLED\n",
        "EZZ0338I TCP PORTS 1 THRU 1023 ARE RESERVED\n",
        "EZZ0338I UDP PORTS 1 THRU 1023 ARE RESERVED\n",
        "EZZ4202I ",
        "EZB6473I TCP/IP STACK FUNCTIONS INITIALIZATION COMPLETE.\n",
        "EZAIN11I ALL TCPIP SERVICES FOR PROC TCPIP ARE AVAILABLE.\n",
    };
    (void)state;
    start("");
    fix_end();
    fix_begin();
    memds_set("TCPIP.TCPPARMS(DEV0A)", BASE);
    memds_set("SYS1.IPLPARM(LOAD00)", "IEASYM   00\n");
    memds_set("SYS1.PARMLIB(IEASYM00)", "SYSDEF SYSNAME(SYSA) SYSCLONE(0A)");
    memds_set("SYS1.VTAMLST(ATCCON00)", "OSATRL");
    memds_set("SYS1.VTAMLST(OSATRL)", TRL);
    memds_set(PROFILE_DSN, "INCLUDE TCPIP.TCPPARMS(DEV&SYSCLONE.)\nSTART OSA1\nIPCONFIG DATAGRAMFWD SOURCEVIPA\n"
                           "TCPCONFIG RESTRICTLOWPORTS UDPCONFIG RESTRICTLOWPORTS");
    assert_int_equal(fix_ipl(), 0);
    fix.mark = fix.len;
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    ip = system_stack(&fix.sys, "");
    FIX_SAID("PLX0108W COMMND00");
    const char *at = fix.text + fix.mark;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        const char *hit = strstr(at, lines[i]);
        if (!hit) fail_msg("%s is missing or out of order in:\n%s", lines[i], fix.text + fix.mark);
        at = hit + 1;
    }
    assert_int_equal(ip->profile.errors, 0);
    assert_int_equal(homes(), 3);
    fix_end();
}

static void test_lexical(void **state) {
    (void)state;
    start("; comment\n  home ; nothing here\n   10.1.1.1\n\n L1 ; after\nDEVICE OSA1 MPCIPA\n");
    FIX_SAID("EZZ0318I L1 WAS FOUND ON LINE 5 AND THE NAME OF A LINK DEFINED EARLIER WAS EXPECTED");
    FIX_SAID("PLX0201I IN TCPIP.TCPPARMS(PROFILE) LINE 5:  L1 ; after");
    assert_non_null(device_find(ip->stk, "OSA1")); /* the next statement is read */
    /* lower case is folded; a statement spans lines; ';' without a blank is part of the token */
    again("device osa1\n mpcipa\n link l1 ipaqenet osa1 home &LANNET..&HOST. l1");
    assert_int_equal(ip->profile.errors, 0);
    assert_true(is_home("10.1.1.1"));
    again("DEVICE OSA1 MPCIPA;x\n");
    FIX_SAID("EZZ0318I MPCIPA;X WAS FOUND ON LINE 1 AND A DEVICE TYPE");
    again("HOME 10.1.1.&UNKNOWN. L1\n");
    FIX_SAID("EZZ0318I 10.1.1.&UNKNOWN. WAS FOUND ON LINE 1 AND AN IP ADDRESS WAS EXPECTED");
    again("NONSENSE 1 2 3\nSTOP X\nARPAGE 5");
    FIX_SAID("EZZ0324I UNRECOGNIZED STATEMENT NONSENSE FOUND ON LINE 1");
    assert_int_equal(net_config(ip->stk)->ip.arp_timeout_sec, 300);
    assert_int_equal(ip->profile.errors, 2);
    again("DEVICE");
    FIX_SAID("EZZ0318I END OF FILE WAS FOUND ON LINE 1 AND A DEVICE NAME");
    FIX_SAID("PLX0203I AT THE END OF THE FILE");
    fix_end();
}

static void test_include(void **state) {
    (void)state;
    start("INCLUDE 'TCPIP.TCPPARMS(NONE)'\nARPAGE 2");
    FIX_SAID("PLX0202E INCLUDE FILE 'TCPIP.TCPPARMS(NONE)' IS PASSED OVER: IT DOES NOT EXIST");
    assert_int_equal(net_config(ip->stk)->ip.arp_timeout_sec, 120);
    again("INCLUDE TCPIP.TCPPARMS(PROFILE)\n");
    FIX_SAID("IT IS BEING READ ALREADY");
    again("INCLUDE");
    FIX_SAID("A DATA SET NAME WAS EXPECTED");
    again("INCLUDE 1BAD");
    FIX_SAID("ITS NAME IS NOT VALID");
    /* nine deep: the ninth is refused, the others are read */
    fix_end();
    fix_begin();
    char name[PROFILE_NEST_MAX + 2][40], text[PROFILE_NEST_MAX + 2][64];
    for (u32 i = 0; i < PROFILE_NEST_MAX + 2; i++) {
        snprintf(name[i], sizeof name[i], "TCPIP.TCPPARMS(N%u)", i);
        snprintf(text[i], sizeof text[i], "INCLUDE TCPIP.TCPPARMS(N%u)\nARPAGE %u", i + 1, i + 1);
        memds_set(name[i], text[i]);
    }
    memds_set("SYS1.PARMLIB(LOAD00)", "");
    memds_set(PROFILE_DSN, "INCLUDE TCPIP.TCPPARMS(N0)");
    assert_int_equal(fix_ipl(), 0);
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    ip = system_stack(&fix.sys, "");
    FIX_SAID("NESTED TOO DEEP");
    assert_int_equal(ip->profile.errors, 1);
    assert_int_equal(net_config(ip->stk)->ip.arp_timeout_sec, 60); /* the outermost is the last to be read */
    fix_end();
}

static void test_search_order(void **state) {
    static const char *const order[] = {"TCPIP.PROFILE.TCPIP", "TCPIP.SYSA.TCPIP", PROFILE_DSN};
    (void)state;
    fix_begin();
    memds_set("SYS1.PARMLIB(LOAD00)", "");
    assert_int_equal(fix_ipl(), 0);
    assert_int_equal(system_start(&fix.sys, fix.now), 0);
    FIX_SAID("EZZ0303I INITIAL PROFILE COULD NOT BE FOUND");
    FIX_SAID("EZAIN11I");
    for (u32 i = 0; i < ARRAY_LEN(order); i++) {
        char said[80];
        fix_cmd("P TCPIP");
        fix_poll(USEC_PER_SEC);
        memds_set(order[i], "");
        fix_cmd("S TCPIP");
        snprintf(said, sizeof said, "EZZ0300I OPENED PROFILE FILE '%s'", order[i]);
        FIX_SAID(said);
    }
    fix_end();
}

/* ---- statements that are right ---- */

static void test_devices(void **state) {
    (void)state;
    start(BASE "DEVICE OSA2 MPCIPA PRIROUTER\nLINK L3 IPAQENET OSA2 IPBCAST\n"
               "DEVICE C1 CTC 0500 IOBUFFERSIZE 65535 AUTORESTART LINK C1L CTC 1 C1\n"
               "DEVICE LCS2 LCS F02 NETMAN NOAUTORESTART LINK L4 ETHEROR802.3 1 LCS2\nSTART OSA1 START LCS1 STOP LCS1");
    if (ip->profile.errors) fail_msg("%s", fix.text + fix.mark);
    struct device *d = device_find(ip->stk, "OSA1");
    assert_int_equal(d->type, DEV_MPCIPA);
    assert_int_equal(d->devnum, 0x0E00);
    assert_true(d->autorestart);
    assert_int_equal(d->status, DEVST_READY);
    d = device_find(ip->stk, "OSA2");
    assert_int_equal(d->devnum, 0x0E10);
    assert_int_equal(d->role, ROUTER_PRIMARY);
    assert_true(d->lnk->ipbcast);
    d = device_find(ip->stk, "C1");
    assert_int_equal(d->devnum, 0x0500);
    assert_int_equal(d->iobuffer_bytes, 65535);
    assert_int_equal(d->lnk->adapter, 1);
    d = device_find(ip->stk, "LCS2");
    assert_int_equal(d->devnum, 0x0F02);
    assert_int_equal(d->lnk->adapter, 1);
    assert_false(d->autorestart);
    assert_int_equal(device_find(ip->stk, "LCS1")->status, DEVST_NOT_ACTIVE);
    assert_int_equal(homes(), 3);
    assert_true(is_home("10.1.9.1"));
    fix_end();
}

static void test_routes(void **state) {
    (void)state;
    start(BASE "BEGINROUTES\n ROUTE 10.1.1.0 255.255.255.0 = L1 MTU 8992\n ROUTE 10.2.0.0/16 10.1.1.254 L1 MTU DEFAULTSIZE "
               "MAXI 60 MINI .5 ROUNDTRIPG 0.125 VARIANCEG .25 VARIANCEM 2.0 NODELAYA NOREPL\n"
               " ROUTE 10.3.3.3 HOST 10.1.1.253 L1 MTU 1500\n ROUTE DEFAULT 10.1.2.254 L2 MTU 1500\nENDROUTES\n"
               "PRIMARYINTERFACE L1\n"
               "BSDROUTINGPARMS TRUE\n L1 1500 0 255.255.255.0 0\n L2 DEFAULTSIZE 1 255.255.0.0 10.1.2.9\nENDBSDROUTINGPARMS");
    if (ip->profile.errors) fail_msg("%s", fix.text + fix.mark);
    assert_int_equal(statics(), 4);
    assert_int_equal(static_to("10.1.1.0", 24)->def.mtu_bytes, 8992);
    assert_true(ipaddr_is_any(static_to("10.1.1.0", 24)->def.gateway));
    const struct route_def *d = &static_to("10.2.0.0", 16)->def;
    assert_int_equal(d->mtu_bytes, 0);
    assert_int_equal(d->max_rto_msec, 60000);
    assert_int_equal(d->min_rto_msec, 500);
    assert_int_equal(d->rtt_gain, 125);
    assert_int_equal(d->var_gain, 250);
    assert_int_equal(d->var_multiplier, 2000);
    assert_int_equal(d->ack, ROUTE_ACK_NODELAY);
    assert_non_null(static_to("10.3.3.3", 32));
    assert_string_equal(static_to("0.0.0.0", 0)->def.lnk->name, "L2");
    assert_string_equal(home_primary(ip->stk)->lnk->name, "L1");
    struct link *l = link_find(ip->stk, "L2");
    assert_int_equal(l->bsd_mtu_bytes, 0);
    assert_int_equal(l->bsd_metric, 1);
    assert_int_equal(l->bsd_mask.v4, 0xFFFF0000u);
    assert_int_equal(l->bsd_dest.v4, 0x0A010209u);
    fix_end();
}

static void test_gateway(void **state) {
    (void)state;
    start(BASE "GATEWAY\n 192.005 = L1 2000 0.0.255.0 0.0.58.0\n 9 10.1.1.2 L1 DEFAULTSIZE 0\n 172.16.5.9 = L2 1500 HOST\n"
               " 192.168.7 10.1.1.3 L1 1500 0\n DEFAULTNET 10.1.1.254 L1 1500 0\n");
    if (ip->profile.errors) fail_msg("%s", fix.text + fix.mark);
    assert_int_equal(statics(), 5);
    assert_non_null(static_to("192.5.58.0", 24));
    assert_non_null(static_to("9.0.0.0", 8));
    assert_non_null(static_to("172.16.5.9", 32));
    assert_non_null(static_to("192.168.7.0", 24));
    assert_non_null(static_to("0.0.0.0", 0));
    fix_end();
}

static void test_config(void **state) {
    (void)state;
    start("IPCONF ARPTO 600 DATAGR FWDMULTIPATH PERPACKET DEVRETRYDUR 0 IGNOREREDIRECT MULTIPATH PERPACKET PATHMTUDISC "
          "REASSEMBLYTIMEOUT 30 TTL 200 SOURCEVIPA NOVARSUBNETTING\n"
          "TCPCONFIG INTERVAL 5 FINWAIT2TIME 90 NODELAYACKS RESTRICTLOW SENDGARBAGE TRUE NOTCPTIMESTAMP TCPSENDBFRSIZE 64K "
          "TCPRCVBUFRSIZE 32768 TCPMAXRCVBUFRSIZE 512K EPHEMERALPORTS 5000 6000 TIMEWAITINTERVAL 1\n"
          "UDPCONFIG NOUDPCHKSUM UDPSENDBFRSIZE 1000 UDPRCVBUFRSIZE 2000 NOUDPQUEUELIMIT UNRESTRICTL\n"
          "GLOBALCONFIG MAXRECS 7\nSOMAXCONN 33\nKEEPALIVEOPTIONS INTERVAL 9 ENDKEEPALIVEOPTIONS ITRACE ON CONFIG 1\n");
    if (ip->profile.errors) fail_msg("%s", fix.text + fix.mark);
    const struct net_config *c = net_config(ip->stk);
    assert_int_equal(c->ip.arp_timeout_sec, 600);
    assert_true(c->ip.forwarding && c->ip.forward_per_packet && c->ip.ignore_redirect && c->ip.path_mtu_discovery);
    assert_true(c->ip.source_vipa && !c->ip.variable_subnetting);
    assert_int_equal(c->ip.device_retry_sec, 0);
    assert_int_equal(c->ip.multipath, MULTIPATH_PER_PACKET);
    assert_int_equal(c->ip.reassembly_timeout_sec, 30);
    assert_int_equal(c->ip.ttl, 200);
    assert_int_equal(c->tcp.keepalive_min, 9);
    assert_int_equal(c->tcp.finwait2_sec, 90);
    assert_true(!c->tcp.delay_acks && c->tcp.restrict_low_ports && c->tcp.send_garbage && !c->tcp.timestamps);
    assert_int_equal(c->tcp.send_buffer_bytes, 65536);
    assert_int_equal(c->tcp.recv_buffer_bytes, 32768);
    assert_int_equal(c->tcp.max_recv_bytes, 524288);
    assert_int_equal(c->tcp.ephemeral_first, 5000);
    assert_int_equal(c->tcp.ephemeral_last, 6000);
    assert_int_equal(c->tcp.max_backlog, 33);
    assert_true(!c->udp.checksum && !c->udp.queue_limit && !c->udp.restrict_low_ports);
    assert_int_equal(c->udp.recv_buffer_bytes, 2000);
    assert_int_equal(ip->max_records, 7);
    FIX_SAID("PLX0204I ITRACE HAS NO EFFECT HERE");
    /* what needs a sysplex is said, its numbers are passed over, the list goes on */
    again("IPCONFIG DYNAMICXCF 193.9.200.1 255.255.255.0 1 SYSPLEXROUTING NODATAGRAMFWD TTL 9\nVIPADYNAMIC\nVIPADEFINE 1 2 3\n"
          "ENDVIPADYNAMIC ARPAGE 3");
    FIX_SAID("PLX0503E DYNAMICXCF NEEDS XCF, AND THERE IS NONE");
    FIX_SAID("PLX0503E VIPADYNAMIC NEEDS XCF, AND THERE IS NONE");
    FIX_SAID("EZZ0334I IP FORWARDING IS DISABLED");
    assert_int_equal(net_config(ip->stk)->ip.ttl, 9);
    assert_int_equal(net_config(ip->stk)->ip.arp_timeout_sec, 180);
    fix_end();
}

static void test_ports(void **state) {
    const struct port_rule *r;
    (void)state;
    start("PORT 7 TCP MISCSERV NOAUTOLOG NODELAYACKS SHAREPORT\n 7 UDP MISCSERV\n 80 TCP WEB* BIND 10.1.9.3\n 23 TCP RESERVED\n"
          " 25 TCP A DELAYACKS SAF RES\nPORTRANGE 4000 100 TCP OMVS 65530 100 UDP RESERVED");
    if (ip->profile.errors) fail_msg("%s", fix.text + fix.mark);
    assert_int_equal(rules(), 7);
    r = port_rule_next(ip->stk, NULL);
    assert_int_equal(r->flags, PORT_NOAUTOLOG | PORT_NODELAYACKS | PORT_SHAREPORT);
    assert_int_equal(port_check(ip->stk, IP_PROTO_TCP, 80, "WEBSRV1", &r), 0);
    assert_int_equal(r->bind.v4, 0x0A010903u);
    assert_int_equal(port_check(ip->stk, IP_PROTO_TCP, 23, "ANY", &r), -ERR_ACCES);
    assert_int_equal(port_check(ip->stk, IP_PROTO_TCP, 4099, "ANY", &r), 0);
    assert_int_equal(port_check(ip->stk, IP_PROTO_UDP, 65535, "ANY", &r), -ERR_ACCES); /* the range ends at 65535 */
    /* a PORT in a PORTRANGE is ignored, the list goes on */
    again("PORTRANGE 4000 10 TCP A\nPORT 4005 TCP B\n 4100 TCP C\n");
    FIX_SAID("PLX0220E PORT 4005 ON LINE 2 WAS IGNORED: IT OVERLAPS AN EARLIER PORT OR PORTRANGE");
    assert_int_equal(rules(), 2);
    fix_end();
}

static void test_autolog(void **state) {
    (void)state;
    start("AUTOLOG 7 NOPROC1 JOBNAME JOB1 PARMSTRING 'Port=80 x'\n NOPROC2\nENDAUTOLOG");
    assert_int_equal(ip->profile.errors, 0);
    assert_int_equal(ip->autolog.count, 2);
    assert_int_equal(ip->autolog.wait_minutes, 7);
    assert_string_equal(ip->autolog.entry[0].jobname, "JOB1");
    assert_string_equal(ip->autolog.entry[0].parm, "Port=80 x"); /* quotes keep the case */
    FIX_SAID("PLX0121E PROCEDURE NOPROC1 CANNOT BE STARTED AS JOB1: THERE IS NO SUCH PROCEDURE");
    again("AUTOLOG A A ENDAUTOLOG");
    FIX_SAID("PLX0210E AUTOLOG A WAS REFUSED: IT IS IN THE LIST ALREADY");
    /* without its END the list swallows what follows, and says so */
    again("AUTOLOG A\nARPAGE 3\nARPAGE 4\n");
    FIX_SAID("EZZ0318I ARPAGE WAS FOUND ON LINE 2 AND A PROCEDURE NAME OR ENDAUTOLOG WAS EXPECTED");
    assert_int_equal(net_config(ip->stk)->ip.arp_timeout_sec, 1200);
    fix_end();
}

/* ---- statements that are wrong: what is said, and that the next statement is read ---- */

static const struct {
    const char *text, *said;
} bad[] = {
    {"DEVICE 12345678901234567 MPCIPA", "A DEVICE NAME OF 1-16 CHARACTERS"},
    {"DEVICE D CLAW 500", "EZZ0318I CLAW WAS FOUND ON LINE 1 AND A DEVICE TYPE"},
    {"DEVICE D LCS ZZZ", "EZZ0318I ZZZ WAS FOUND ON LINE 1 AND A HEXADECIMAL NUMBER FROM 0 TO FFFF"},
    {"DEVICE D LCS 12345", "A HEXADECIMAL NUMBER"},
    {"DEVICE C CTC 500 IOBUFFERSIZE 7", "32K OR 65535"},
    {"DEVICE OSA9 MPCIPA", "PLX0211E DEVICE OSA9 ON LINE 1 CANNOT BE DEFINED: NO ACTIVE TRLE HAS IT AS PORTNAME"},
    {"DEVICE OSABAD MPCIPA", "THE DEVICES OF ITS TRLE ARE NOT THREE IN A ROW"},
    {"DEVICE OSANODAT MPCIPA", "ITS TRLE NAMES NO READ, WRITE AND DATAPATH DEVICES"},
    {"DEVICE D LCS 500 DEVICE D LCS 502", "PLX0210E DEVICE D WAS REFUSED: THE NAME IS IN USE"},
    {"DEVICE D LCS 500 MPCIPA", "EZZ0324I UNRECOGNIZED STATEMENT MPCIPA"},
    {"LINK L IPAQENET NONE", "EZZ0318I NONE WAS FOUND ON LINE 1 AND THE NAME OF A DEVICE DEFINED EARLIER"},
    {"DEVICE D LCS 500 LINK L IPAQENET D", "A DEVICE OF THE LINK'S TYPE"},
    {"DEVICE D LCS 500 LINK L IBMTR 0 D", "EZZ0318I IBMTR WAS FOUND ON LINE 1 AND A LINK TYPE"},
    {"DEVICE D LCS 500 LINK L ETHERNET D", "EZZ0318I D WAS FOUND ON LINE 1 AND A NUMBER FROM 0 TO 255"},
    {"DEVICE D CTC 500 LINK L CTC 2 D", "A NUMBER FROM 0 TO 1"},
    {"DEVICE D LCS 500 LINK L ETHERNET 0 D LINK M ETHERNET 0 D", "PLX0210E LINK M WAS REFUSED: ITS DEVICE HAS A LINK ALREADY"},
    {"DEVICE D LCS 500 LINK L ETHERNET 0 D DEVICE E LCS 502 LINK L ETHERNET 0 E", "PLX0210E LINK L WAS REFUSED: THE NAME IS IN USE"},
    {"HOME 10.1.1.300 L", "EZZ0318I 10.1.1.300 WAS FOUND ON LINE 1 AND AN IP ADDRESS"},
    {BASE "HOME 127.0.0.1 LOOPBACK", "EZZ0344I LOOPBACK 127.0.0.1 ON LINE 10 CANNOT BE ADDED TO THE HOME LIST"},
    {BASE "HOME 10.1.1.1 VL1", "PLX0230E HOME ADDRESS 10.1.1.1 ON LINE 10 WAS REFUSED: IT IS IN THE LIST ALREADY"},
    {BASE "HOME 10.7.7.7 L1", "ITS LINK HAS AN ADDRESS ALREADY"},
    {BASE "HOME 224.0.0.1 VL1", "IT CANNOT BE A HOST'S ADDRESS"},
    {"PRIMARYINTERFACE NONE", "THE NAME OF A LINK DEFINED EARLIER"},
    {"START NONE", "EZZ0318I NONE WAS FOUND ON LINE 1 AND THE NAME OF A DEVICE DEFINED EARLIER"},
    {BASE "START V1", "A DEVICE THAT IS NOT VIRTUAL"},
    {"DEVICE D LCS 500 START D", "PLX0210E START D WAS REFUSED: IT HAS NO LINK"},
    {"DELETE LINK NONE", "PLX0210E DELETE LINK NONE WAS REFUSED: IT IS NOT DEFINED"},
    {"DELETE ROUTE X", "DEVICE, LINK, PORT OR PORTRANGE"},
    {BASE "DELETE LINK L1", "PLX0210E DELETE LINK L1 WAS REFUSED: IT IS STILL IN USE"},
    {BASE "DELETE DEVICE OSA1", "PLX0210E DELETE DEVICE OSA1 WAS REFUSED: IT IS STILL IN USE"},
    {"DELETE PORT 80 TCP", "PLX0220E PORT 80 ON LINE 1 WAS IGNORED: THERE IS NO SUCH RESERVATION"},
    {BASE "BSDROUTINGPARMS L1 1500 0 255.255.255.0 0 ENDBSDROUTINGPARMS", "TRUE OR FALSE"},
    {BASE "BSDROUTINGPARMS TRUE NONE ENDBSDROUTINGPARMS", "THE NAME OF A LINK DEFINED EARLIER"},
    {BASE "BSDROUTINGPARMS TRUE L1 1500 15 ENDBSDROUTINGPARMS", "A NUMBER FROM 0 TO 14"},
    {BASE "BSDROUTINGPARMS TRUE L1 1500 0 255.0.255.0 0 ENDBSDROUTINGPARMS", "A SUBNET MASK"},
    {BASE "BEGINROUTES ROUTE 10.0.0.0 255.0.255.0 = L1 MTU 1 ENDROUTES", "A SUBNET MASK"},
    {BASE "BEGINROUTES ROUTE 10.0.0.0/33 = L1 MTU 1500 ENDROUTES", "AN IP ADDRESS"},
    {BASE "BEGINROUTES ROUTE DEFAULT 10.1.1.9 VL1 MTU 1500 ENDROUTES", "NOT VIRTUAL"},
    {BASE "BEGINROUTES ROUTE DEFAULT 10.1.1.9 L1 1500 ENDROUTES", "EZZ0318I 1500 WAS FOUND ON LINE 10 AND MTU WAS EXPECTED"},
    {BASE "BEGINROUTES ROUTE DEFAULT 10.1.1.9 L1 MTU 100 ENDROUTES", "A NUMBER FROM 576 TO 65535"},
    {BASE "BEGINROUTES ROUTE DEFAULT 0.0.0.0 L1 MTU 1500 ENDROUTES", "THE ADDRESS OF THE FIRST HOP OR ="},
    {BASE "BEGINROUTES ROUTE 10.1.1.5/24 = L1 MTU 1500 ENDROUTES", "PLX0241E ROUTE TO 10.1.1.5/24 ON LINE 10 WAS REFUSED: IT HAS BITS"},
    {BASE "BEGINROUTES ROUTE 10.5.0.0/16 = L1 MTU 1500 ROUTE 10.5.0.0/16 = L1 MTU 1500 ENDROUTES", "IT IS DEFINED ALREADY"},
    {BASE "BEGINROUTES ROUTE DEFAULT 10.1.1.9 L1 MTU 1500 MAXI x ENDROUTES", "A NUMBER SUCH AS"},
    {BASE "BEGINROUTES 10.0.0.0 ENDROUTES", "ROUTE OR ENDROUTES"},
    {BASE "GATEWAY 9 = L1 1500 0 BEGINROUTES ROUTE DEFAULT 10.1.1.9 L1 MTU 1500 ENDROUTES", "PLX0240E GATEWAY AND BEGINROUTES ARE NOT MIXED"},
    {BASE "GATEWAY 1.2.3.4.5 = L1 1500 0", "A NETWORK NUMBER OR DEFAULTNET"},
    {BASE "GATEWAY 9 = L1 1500 0.255.0.255 0.1.0.0", "A SUBNET MASK WITHOUT HOLES"},
    {BASE "GATEWAY DEFAULTNET 10.1.1.9 L1 1500 HOST", "EZZ0318I HOST WAS FOUND ON LINE 10 AND 0 WAS EXPECTED"},
    {"IPCONFIG TTL 256", "EZZ0318I 256 WAS FOUND ON LINE 1 AND A NUMBER FROM 1 TO 255"},
    {"IPCONFIG TTL", "EZZ0318I ARPAGE WAS FOUND ON LINE 2 AND A NUMBER FROM 1 TO 255"},
    {"IPCONFIG NONSENSE", "EZZ0318I NONSENSE WAS FOUND ON LINE 1 AND AN IPCONFIG PARAMETER"},
    {"IPCONFIG DATAGRAMFWD FWDMULTIPATH X", "PERPACKET"},
    {"IPCONFIG ARPTO 59", "A NUMBER FROM 60 TO 86400"},
    {"TCPCONFIG SENDGARBAGE MAYBE", "TRUE OR FALSE"},
    {"TCPCONFIG TCPRCVBUFRSIZE 999999", "A NUMBER FROM 256 TO 262144"},
    {"TCPCONFIG TCPSENDBFRSIZE 999K", "EZZ0318I 999K WAS FOUND"},
    {"TCPCONFIG EPHEMERALPORTS 6000 5000", "A NUMBER FROM 6000 TO 65535"},
    {"UDPCONFIG X", "A UDPCONFIG PARAMETER"},
    {"GLOBALCONFIG X", "A GLOBALCONFIG PARAMETER"},
    {"SOMAXCONN 0", "A NUMBER FROM 1 TO 65535"},
    {"PORT 0 TCP X", "A NUMBER FROM 1 TO 65535"},
    {"PORT 80 SCTP X", "TCP OR UDP"},
    {"PORT 80 TCP NINECHARS", "RESERVED OR A JOB NAME OF 1-8 CHARACTERS"},
    {"PORT 80 TCP A SHAREPORT NOAUTOLOG", "EZZ0318I NOAUTOLOG WAS FOUND ON LINE 1 AND A PORT NUMBER OR A STATEMENT"},
    {"PORT 80 UDP A SHAREPORT", "EZZ0318I SHAREPORT WAS FOUND"},
    {"PORT 80 TCP A BIND X", "AN IP ADDRESS"},
    {"PORTRANGE 80 TCP A", "EZZ0318I TCP WAS FOUND ON LINE 1 AND A NUMBER FROM 1 TO 65535"},
    {"AUTOLOG A JOBNAME ENDAUTOLOGX ENDAUTOLOG", "A JOB NAME OF 1-8 CHARACTERS"},
    {"AUTOLOG A PARMSTRING X ENDAUTOLOG", "A QUOTED STRING"},
};

static void test_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s\nARPAGE 11\n", bad[i].text);
        start(text);
        FIX_SAID(bad[i].said);
        FIX_SAID("EZAIN11I");
        FIX_SAID("PLX020"); /* where: the line, or the end of the file */
        assert_true(ip->profile.errors > 0);
        if (net_config(ip->stk)->ip.arp_timeout_sec != 660) fail_msg("%s: what follows was not read", bad[i].text);
        fix_end();
    }
}

/* An error in a list: what stood before it is kept, what follows in the list is ignored. */
static void test_list_rules(void **state) {
    (void)state;
    start("DEVICE OSA1 MPCIPA LINK L1 IPAQENET OSA1 DEVICE V1 VIRTUAL 0 LINK VL1 VIRTUAL 0 V1\n"
          "HOME 10.1.1.1 L1\n 10.1.9.1 NONE\n 10.1.9.2 VL1\nPRIMARYINTERFACE L1");
    assert_int_equal(homes(), 1);
    assert_true(is_home("10.1.1.1"));
    again(BASE "BEGINROUTES ROUTE 10.1.1.0/24 = L1 MTU 1500\n ROUTE 10.1.2.0/24 = NONE MTU 1500\n ROUTE 10.1.3.0/24 = L1 MTU 1500 ENDROUTES\n");
    FIX_SAID("EZZ0312I BYPASSED ALL INPUT UNTIL THE END OF THE BLOCK");
    assert_int_equal(statics(), 1);
    fix_end();
}

/* ---- OBEYFILE: each row of the table ---- */

static void test_obeyfile(void **state) {
    (void)state;
    start(BASE "BEGINROUTES ROUTE 10.1.1.0/24 = L1 MTU 1500 ROUTE DEFAULT 10.1.1.254 L1 MTU 1500 ENDROUTES\n"
               "IPCONFIG SOURCEVIPA DATAGRAMFWD TTL 99\nPORT 80 TCP A\nAUTOLOG X Y ENDAUTOLOG\n"
               "BSDROUTINGPARMS TRUE L1 1500 0 255.255.255.0 0 L2 1500 0 255.255.255.0 0 ENDBSDROUTINGPARMS");
    assert_int_equal(ip->profile.errors, 0);
    /* the dialogue */
    assert_true(obey("; nothing\n"));
    FIX_SAID("EZZ0060I PROCESSING COMMAND: VARY TCPIP,,OBEYFILE,TCPIP.TCPPARMS(OBEY)\n"
             "EZZ0300I OPENED OBEYFILE FILE 'TCPIP.TCPPARMS(OBEY)'\n"
             "EZZ0309I PROFILE PROCESSING BEGINNING FOR TCPIP.TCPPARMS(OBEY)\n"
             "EZZ0316I PROFILE PROCESSING COMPLETE FOR FILE TCPIP.TCPPARMS(OBEY)\n"
             "EZZ0053I COMMAND VARY OBEY COMPLETED SUCCESSFULLY\n");
    FIX_NOT_SAID("EZZ0641I");
    assert_int_equal(homes(), 3);
    /* IPCONFIG: only what is named */
    assert_true(obey("IPCONFIG NOSOURCEVIPA"));
    assert_false(net_config(ip->stk)->ip.source_vipa);
    assert_true(net_config(ip->stk)->ip.forwarding);
    assert_int_equal(net_config(ip->stk)->ip.ttl, 99);
    /* DEVICE, LINK: new ones; an old name is an error; DELETE */
    assert_true(obey("DEVICE OSA2 MPCIPA LINK L3 IPAQENET OSA2"));
    assert_non_null(link_find(ip->stk, "L3"));
    assert_false(obey("DEVICE OSA2 MPCIPA"));
    FIX_SAID("EZZ0059I VARY OBEY COMMAND FAILED: SEE PREVIOUS MESSAGES");
    assert_true(obey("DELETE LINK L3 DELETE DEVICE OSA2"));
    assert_null(device_find(ip->stk, "OSA2"));
    assert_int_equal(homes(), 3); /* a file without HOME leaves HOME alone */
    /* HOME: the first replaces, a further one in the same file adds; generated entries stay */
    assert_true(obey("HOME 10.1.1.2 L1 PRIMARYINTERFACE L1 HOME 10.1.9.9 VL1"));
    assert_int_equal(homes(), 2);
    assert_false(is_home("10.1.1.1"));
    assert_true(is_home("10.1.1.2") && is_home("10.1.9.9") && is_home("127.0.0.1"));
    /* BEGINROUTES: replaces all static routes */
    assert_true(obey("BEGINROUTES ROUTE 10.7.0.0/16 10.1.1.253 L1 MTU 1500 ENDROUTES"));
    assert_int_equal(statics(), 1);
    assert_non_null(static_to("10.7.0.0", 16));
    assert_true(obey("GATEWAY 9 = L1 1500 0"));
    assert_int_equal(statics(), 1);
    assert_non_null(static_to("9.0.0.0", 8));
    /* BSDROUTINGPARMS: replaces the table */
    assert_true(obey("BSDROUTINGPARMS TRUE L2 576 1 255.255.0.0 0 ENDBSDROUTINGPARMS"));
    assert_int_equal(link_find(ip->stk, "L1")->bsd_mask.v4, 0);
    assert_int_equal(link_find(ip->stk, "L2")->bsd_mtu_bytes, 576);
    /* PORT: additive; DELETE PORT */
    assert_true(obey("PORT 81 TCP B PORTRANGE 100 5 UDP C"));
    assert_int_equal(rules(), 3);
    assert_true(obey("DELETE PORT 80 TCP A DELETE PORTRANGE 100 5 UDP"));
    assert_int_equal(rules(), 1);
    /* AUTOLOG: the first replaces */
    assert_true(obey("AUTOLOG Z ENDAUTOLOG"));
    assert_int_equal(ip->autolog.count, 1);
    /* INCLUDE and symbols */
    memds_set("TCPIP.TCPPARMS(INC0A)", "ARPAGE &HOST.0");
    assert_true(obey("INCLUDE TCPIP.TCPPARMS(INC&SYSCLONE.)"));
    assert_int_equal(net_config(ip->stk)->ip.arp_timeout_sec, 600);
    /* START and STOP */
    assert_true(obey("START OSA1"));
    FIX_SAID("EZZ4313I INITIALIZATION COMPLETE FOR DEVICE OSA1");
    assert_true(obey("STOP OSA1"));
    FIX_SAID("EZZ4315I DEACTIVATION COMPLETE FOR DEVICE OSA1");
    /* a file that is not there */
    assert_false(fix_cmd("V TCPIP,,O,TCPIP.TCPPARMS(NONE)"));
    FIX_SAID("PLX0303E OBEYFILE TCPIP.TCPPARMS(NONE): IT DOES NOT EXIST");
    FIX_SAID("EZZ0059I");
    assert_true(fix_cmd("V TCPIP,,CMD=OBEYFILE,DSN='TCPIP.TCPPARMS(OBEY)'"));
    fix_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_in_order), cmocka_unit_test(test_lexical), cmocka_unit_test(test_include),
        cmocka_unit_test(test_search_order),      cmocka_unit_test(test_devices), cmocka_unit_test(test_routes),
        cmocka_unit_test(test_gateway),           cmocka_unit_test(test_config),  cmocka_unit_test(test_ports),
        cmocka_unit_test(test_autolog),           cmocka_unit_test(test_bad),     cmocka_unit_test(test_list_rules),
        cmocka_unit_test(test_obeyfile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
