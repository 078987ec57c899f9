#!/bin/sh
# displays.sh - the operator's side of XCF on real emulators: each display of PLEX1 says what is there; programs of several systems use a
# lock, a cache and a list structure (XESUSE), and hear of each other; and when an emulator is killed, an element of the Automatic
# Restart Manager is started again on another system, and the lock that it held stays until its connection is forced.
#
# Environment: PLEX390_HERCULES chooses the emulator.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP displays: no device modules are built"; exit 77; }
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
{
    echo '  STRUCTURE NAME(LOCK1) SIZE(256) PREFLIST(CF01,CF02)'
    echo '  STRUCTURE NAME(CACHE1) SIZE(256) PREFLIST(CF02,CF01)'
    echo '  STRUCTURE NAME(LIST1) SIZE(256) PREFLIST(CF01,CF02)'
    echo '  STRUCTURE NAME(LIST2) SIZE(256) PREFLIST(CF02,CF01)'
} >>"$tmp/configs/PLEX1/parmlib/CFRMPOL1"
# The messages of XCFBENCH have a transport class, and the class a path of its own.
couple=$tmp/configs/PLEX1/parmlib/COUPLE00
sed -i 's/^PATHOUT *STRNAME.*/PATHOUT  STRNAME(IXCSTR1)/' "$couple"
printf 'CLASSDEF CLASS(BENCH) CLASSLEN(61440) MAXMSG(700) GROUP(PLXBENCH)\nPATHOUT  STRNAME(IXCSTR2) CLASS(BENCH)\n' >>"$couple"

# command, what its answer must have (a basic regular expression)
shows() { ok "displays: $2: $3" answer_has "$1" "$2" "$3"; }
# The facilities are asked first: the answer stands in the log some moments later.
later() {
    from=$(wc -l <"$PLEX390_RUN/PLEX1/SYSA.log")
    cmd SYSA "$1" >/dev/null 2>&1
    ok "displays: $1: $2" within 5 log_has "$2"
}
log_has() { tail -n +$((from + 1)) "$PLEX390_RUN/PLEX1/SYSA.log" >"$tmp/answer"; grep -a -q -- "$1" "$tmp/answer" || { cat "$tmp/answer"; return 1; }; }
four() { cmd SYSA 'D XCF,S,ALL' >"$tmp/answer" 2>&1; [ "$(grep -c '  SYS[A-D] .* ACTIVE' "$tmp/answer")" = 4 ] || { cat "$tmp/answer"; return 1; }; }

ok "displays: four LPARs come up" "$plex390" up PLEX1 || exit 1
ok "displays: SYSA lists four" within 12 four || exit 1
shows SYSA 'D XCF' 'SYSPLEX PLEX1: '
shows SYSA 'D XCF,S,SYSB' 'SYSB .* ACTIVE'
shows SYSA 'D XCF,S' 'SYSPLEX PLEX1: '
shows SYSA 'D XCF,G' 'IXCARM(4)'
shows SYSA 'D XCF,G,IXCARM' 'GROUP IXCARM: '
shows SYSA 'D XCF,G,IXCARM,SYSB' 'SYSB  *SYSB  *ACTIVE'
shows SYSA 'D XCF,G,IXCARM,ALL' 'SYSD  *SYSD  *ACTIVE'
# Every system names both ends of every path: three devices and two structures to three systems.
ends() {
    cmd "$1" "D XCF,$2" >"$tmp/answer" 2>&1
    cat "$tmp/answer"
    [ "$(grep -c 'SYSNAME: SYS[A-D]' "$tmp/answer")" = 3 ] || return 1
    [ "$(grep -c "DEVICE (LOCAL/REMOTE): 0C0$3/0C0$4" "$tmp/answer")" = 3 ] || return 1
    [ "$(grep -c 'STRNAME: IXCSTR[12]  *IXCSTR[12]' "$tmp/answer")" = 3 ] && ! grep -q '?' "$tmp/answer"
}
for s in SYSA SYSB SYSC SYSD; do
    ok "displays: $s: D XCF,PI has both ends of its paths from three systems" within 10 ends "$s" PI '[024]' '[135]'
    ok "displays: $s: D XCF,PO has both ends of its paths to three systems" within 10 ends "$s" PO '[135]' '[024]'
done
shows SYSA 'D XCF,PO,DEVICE=0C01' '0C01 .*WORKING  *0C0[024] '
shows SYSA 'D XCF,PI,DEVICE=ALL' 'SYSB  *WORKING'
shows SYSA 'D XCF,PO,STRNAME=ALL' 'WORKING'
shows SYSA 'SETXCF STOP,PATHOUT,DEVICE=0C01' 'IXC307I'
path_is() { answer_has SYSA 'D XCF,PO,DEVICE=0C01' "0C01 .*$1"; }
ok "displays: the path stops" within 10 path_is STOPPED
shows SYSA 'SETXCF START,PATHOUT,DEVICE=0C01' 'IXC306I'
ok "displays: and works again" within 10 path_is WORKING
shows SYSA 'SETXCF STOP,PATHIN,DEVICE=0C00' 'IXC307I'
in_is() { answer_has SYSA 'D XCF,PI,DEVICE=0C00' "0C00 .*$1"; }
ok "displays: the inbound path stops" within 10 in_is STOPPED
shows SYSA 'SETXCF START,PATHIN,DEVICE=0C00' 'IXC306I'
ok "displays: and works again, too" within 15 in_is WORKING
# Messages of the largest size: there and back one by one, then as fast as XCF takes them.
cmd SYSB XCFBENCH >/dev/null
# How many signals the class's path to SYSB has carried.
carried() { cmd SYSA 'D XCF,PO,STRNAME=IXCSTR2' | awk '/SYSB/ {for (i = 1; i < NF; i++) if ($i == "WORKING" && $(i + 6) == "BENCH") print $(i + 5)}'; }
before=$(carried)
later 'XCFBENCH SYSB,61440,20' 'PLX0343I'
ok "displays: messages of 61,440 bytes arrive" within 20 log_has 'PLX0341I XCFBENCH SYSB 61440 BYTES: 256 MESSAGES'
after=$(carried)
ok "displays: by the path of their class ($before signals before, $after after)" test "$((${after:-0} - ${before:-0}))" -ge 276
shows SYSA 'D XCF,CD,CLASS=BENCH' 'BENCH  *61440  *700  *PLXBENCH'
shows SYSA 'D XCF,CD,CLASS=DEFAULT' 'DEFAULT TRANSPORT CLASS USAGE FOR SYSTEM SYSB'
shows SYSA 'D XCF,CPL' 'SYSPLEX COUPLE DATA SETS   IN USE'
later 'D XCF,STR' 'IXCSTR1 .*ALLOCATED'
later 'D XCF,STR,STRNAME=IXCSTR1' 'CONNECTION NAME  ID SYSNAME'
later 'D XCF,CF' 'CFNAME     COUPLING FACILITY'
later 'D XCF,CF,CFNAME=CF02' 'COUPLE DATA  *: ALTERNATE'
later 'D CF' 'NAMED CF02'
later 'D CF,CFNAME=CF01' 'DEVICE     STATUS'
shows SYSA 'D R,L' 'RM=0 '
shows SYSA 'V XCF,SYSD,OFFLINE' 'IXC371D'
shows SYSA 'D R,L' 'IXC371D'
number=$(sed -n 's/.*\*\([0-9][0-9]\) IXC371D.*/\1/p' "$tmp/answer" | head -1)
shows SYSA "R ${number:-1},WHAT" 'PLX0322E'
shows SYSA "R ${number:-1},C" 'IEE600I'
shows SYSA 'SETXCF COUPLE,CLEANUP=6,RETRY=8' 'IXC309I'
shows SYSA 'D XCF,CPL' ' 6  *9  *2000  *6  *8  *956'
shows SYSA 'SETXCF COUPLE,INTERVAL=2' 'IXC308I'
# COMMND00 has started these two on every system.
for s in SYSA SYSB SYSC SYSD; do
    shows "$s" 'D XCF,POL,TYPE=SFM' 'POLNAME:  *SFMPOL1'
    shows "$s" 'D XCF,POL,TYPE=ARM' 'POLNAME:  *ARMPOL1'
done
shows SYSA 'SETXCF STOP,POLICY,TYPE=SFM' 'IXC511I STOP'
shows SYSA 'SETXCF START,POLICY,TYPE=SFM,POLNAME=NONE' 'IXC514I'
shows SYSA 'SETXCF START,POLICY,TYPE=SFM,POLNAME=SFMPOL1' 'IXC511I START'

# ---- structures between programs ----

# What a system's console has said since the last command of use().
heard() { eval "n=\$from_$1"; tail -n +$((n + 1)) "$PLEX390_RUN/PLEX1/$1.log" >"$tmp/heard"; grep -a -q -- "$2" "$tmp/heard" || { grep -a 'XESUSE\|IXC\|IXL' "$tmp/heard"; return 1; }; }
hears() { ok "displays: $1 hears: $2" within 5 heard "$1" "$2"; }
marks() { for s in SYSA SYSB SYSC; do eval "from_$s=$(wc -l <"$PLEX390_RUN/PLEX1/$s.log")"; done; }
# A request of a system, and what must be answered.
use() {
    marks
    cmd "$1" "XESUSE $2" >"$tmp/answer" 2>&1
    ok "displays: $1: XESUSE $2: $3" within 5 heard "$1" "$3"
}
for s in SYSA SYSB SYSC; do use $s 'CONNECT,LOCK1,LOCK,KEEP' 'IXL014I .*LOCK1 WAS SUCCESSFUL.*CFNAME: CF01'; done
use SYSB 'OBTAIN,LOCK1,5,EXCLUSIVE' 'ENTRY 5: EXCLUSIVE 02 SHARED 00000000 WAITING 00000000'
use SYSA 'OBTAIN,LOCK1,5,SHARED,WAIT' 'CONTENTION, ENTRY 5: EXCLUSIVE 02'
hears SYSB 'ENTRY 5: .* WAITING 00000001: ANOTHER ONE WANTS IT'
use SYSB 'RELEASE,LOCK1,5' 'RELEASE: ENTRY 5: EXCLUSIVE 00'
hears SYSA 'ENTRY 5: .*TRY AGAIN'
use SYSA 'OBTAIN,LOCK1,5,SHARED' 'SHARED 00000001'
use SYSC 'OBTAIN,LOCK1,5,SHARED' 'SHARED 00000005'
use SYSB 'OBTAIN,LOCK1,5,EXCLUSIVE,WAIT' 'CONTENTION, ENTRY 5: EXCLUSIVE 00 SHARED 00000005 WAITING 00000002'
for s in SYSA SYSC; do hears $s 'ENTRY 5: .* WAITING 00000002: ANOTHER ONE WANTS IT'; done
use SYSB 'CANCEL,LOCK1,5' 'WAITING 00000000'
use SYSB "RECORD,LOCK1,ROW.2,'a whole change'" 'RECORD: DONE'
use SYSB 'RECORDEND,LOCK1,ROW.2' 'RECORDEND: DONE'
for s in SYSA SYSB; do use $s 'CONNECT,CACHE1,CACHE' 'IXL014I .*CACHE1 .*CFNAME: CF02'; done
use SYSA "READ,CACHE1,'PAGE ONE',3" 'READ: VERSION 0, NOT CHANGED'
use SYSA 'TEST,CACHE1,3' 'THE BIT IS ON'
use SYSB "WRITE,CACHE1,'PAGE ONE',7,'what SYSB made of it',CHANGED" 'WRITE: DONE'
hears SYSA 'BUFFER 3 IS NOT VALID'
use SYSA 'TEST,CACHE1,3' 'THE BIT IS OFF'
use SYSB 'TEST,CACHE1,7' 'THE BIT IS ON'
use SYSA "READ,CACHE1,'PAGE ONE',3" 'VERSION 1, CHANGED: what SYSB made of it'
use SYSA 'CLASS,CACHE1' 'CLASS: 1 CHANGED'
use SYSA "CASTOUT,CACHE1,'PAGE ONE'" 'what SYSB made of it'
use SYSB "CASTOUT,CACHE1,'PAGE ONE'" 'ANOTHER CONNECTION CASTS IT OUT'
use SYSA "CASTOUTEND,CACHE1,'PAGE ONE'" 'CASTOUTEND: DONE'
use SYSB "READ,CACHE1,'PAGE ONE',7" 'VERSION 1, NOT CHANGED'
use SYSB 'CLASS,CACHE1' 'CLASS: 0 CHANGED'
use SYSB "UNREGISTER,CACHE1,'PAGE ONE',7" 'UNREGISTER: DONE'
use SYSB "INVALIDATE,CACHE1,'PAGE ONE'" 'INVALIDATE: DONE'
hears SYSA 'BUFFER 3 IS NOT VALID'
for s in SYSA SYSB; do use $s 'CONNECT,LIST1,LIST' 'IXL014I .*LIST1 .*CFNAME: CF01'; done
use SYSA 'MONITOR,LIST1,4' 'IT IS EMPTY'
use SYSB "WRITE,LIST1,4,'a word from SYSB'" 'WRITE: DONE'
hears SYSA 'LIST 4 IS NOT EMPTY'
use SYSA 'READ,LIST1,4' 'READ: a word from SYSB'
# Several entries by the identifiers that SYSB has read; SYSA takes one of them meanwhile.
for n in one two three; do use SYSA "WRITE,LIST1,5,'$n'" 'WRITE: DONE'; done
use SYSB 'BROWSE,LIST1,5' 'BROWSE: 3 ENTRIES'
use SYSA 'MOVE,LIST1,5,6' 'MOVE: DONE'
use SYSB 'READMULT,LIST1' 'READMULT: 3 ENTRIES'
by_leid() { sed -n 's/.*LIST1 ENTRY: \([a-z]*\).*/\1/p' "$tmp/heard" | tr '\n' '.' | grep -q "^$1\$"; }
ok "displays: SYSB has read them where they are now" by_leid one.two.three.
use SYSA 'DELETE,LIST1,5' 'DELETE: two'
use SYSB 'READMULT,LIST1' 'READMULT: REFUSED, NO SUCH ENTRY, 1 ENTRIES'
use SYSB 'DELETEMULT,LIST1' 'DELETEMULT: REFUSED, NO SUCH ENTRY, 1 ENTRIES'
ok "displays: what came before the one that is gone was done" by_leid one.
use SYSA 'BROWSE,LIST1,6' 'BROWSE: 0 ENTRIES'
use SYSB 'BROWSE,LIST1,5' 'BROWSE: 1 ENTRIES'
use SYSB 'DELETEMULT,LIST1' 'DELETEMULT: 1 ENTRIES'
# A list's controls are everybody's.
use SYSA "SETCONTROLS,LIST1,5,1,'one at a time'" 'SETCONTROLS: DONE'
use SYSB "WRITE,LIST1,5,'four'" 'WRITE: DONE'
use SYSB "WRITE,LIST1,5,'five'" 'WRITE: REFUSED, THE LIST IS FULL'
use SYSB 'CONTROLS,LIST1,5' 'ENTRIES 1 LIMIT 1 ELEMENTS 1 MONITORS 00000000: one at a time'
use SYSB 'FILL,LIST1,2,5000' 'THE STRUCTURE IS FULL, [1-9][0-9]* ENTRIES WRITTEN'
hears SYSA 'LIST1: [0-9]* PERCENT ARE IN USE'
use SYSB 'CLEAR,LIST1,2' 'CLEAR: [1-9][0-9]* ENTRIES'
use SYSA 'LOCK,LIST1,7' 'LOCK: HOLDER 01'
use SYSB 'LOCK,LIST1,7' 'ANOTHER CONNECTION HAS THE LOCK'
use SYSA 'UNLOCK,LIST1,7' 'UNLOCK: HOLDER 00'
# Entries with keys and adjuncts, and an event queue that says which keys have come.
for s in SYSA SYSB; do use $s 'CONNECT,LIST2,LIST,KEYS' 'IXL014I .*LIST2 .*CFNAME: CF02'; done
use SYSA 'MONITOREVENTS,LIST2' 'IT IS EMPTY'
use SYSA 'MONITORKEY,LIST2,3,ORDERS' 'MONITORKEY: DONE'
use SYSB "WRITE,LIST2,3,'two',SPARES" 'WRITE: DONE'
use SYSB "WRITE,LIST2,3,'one',ORDERS" 'WRITE: DONE'
hears SYSA 'THE EVENT QUEUE IS NOT EMPTY'
use SYSA 'EVENTS,LIST2' 'EVENTS: 1 EVENTS'
ok "displays: of the key that was asked for" heard SYSA 'EVENT: LIST 3 KEY ORDERS'
use SYSA 'BROWSE,LIST2,3' 'BROWSE: 2 ENTRIES'
in_order() { sed -n 's/.*LIST2 ENTRY: \([A-Z]* (SYS[A-D]): [a-z]*\).*/\1/p' "$tmp/heard" | tr '\n' '.' | grep -q '^ORDERS (SYSB): one.SPARES (SYSB): two.$'; }
ok "displays: in the order of their keys, each with its adjunct" in_order
use SYSA 'DELETE,LIST2,3,SPARES' 'DELETE: SPARES (SYSB): two'
use SYSA 'MONITORKEY,LIST2,3,ORDERS,STOP' 'MONITORKEY: DONE'
use SYSA 'MONITOREVENTS,LIST2,STOP' 'IT IS EMPTY'
use SYSA 'MOVE,LIST2,3,4' 'MOVE: DONE'
use SYSB 'READ,LIST2,4' 'READ: ORDERS (SYSB): one'
later 'D XCF,STR,STRNAME=CACHE1' 'TYPE: CACHE'
for s in SYSA SYSC; do use $s 'RELEASE,LOCK1,5' 'RELEASE: ENTRY 5'; done
use SYSB 'OBTAIN,LOCK1,5,EXCLUSIVE' 'ENTRY 5: EXCLUSIVE 02 SHARED 00000000'
use SYSB "RECORD,LOCK1,ROW.1,'half a change'" 'RECORD: DONE'

# ---- a death ----

ok "displays: an element on SYSB" cmd SYSB "S BULKSRV,JOBNAME=MOVER,PARM='SOURCE=4019 SINK=4009',ARMELEM=MOVER"
moved() { for s in SYSA SYSC SYSD; do cmd "$s" 'D XCF,ARMS,DETAIL'; done >"$tmp/answer" 2>&1; grep -q "CURR SYS :SYS$1" "$tmp/answer" || { cat "$tmp/answer"; return 1; }; }
ok "displays: all know that it is on SYSB" within 8 moved B
marks
"$plex390" kill SYSB
hears SYSA 'CONNECTIONS 00000002 CAME, LEFT OR FAILED'
ok "displays: its emulator is killed: another system has it" within 10 moved '[ACD]'
later 'D XCF,STR,STRNAME=LOCK1' 'USE_SYSB .*FAILED-PERSISTENT'
use SYSA 'OBTAIN,LOCK1,5,EXCLUSIVE,WAIT' 'CONTENTION, .* FAILED 00000002'
use SYSA 'RECORDS,LOCK1,2' 'ROW.1: half a change'
later 'SETXCF FORCE,CON,STRNAME=LOCK1,CONNAME=USE_SYSA' 'IXC354I .*USE_SYSA .*REJECTED: ACTIVE'
later 'SETXCF FORCE,STR,STRNAME=LOCK1' 'IXC353I .*REJECTED'
marks
later 'SETXCF FORCE,CON,STRNAME=LOCK1,CONNAME=USE_SYSB' 'IXC354I .*USE_SYSB IN STRUCTURE LOCK1 WAS COMPLETED'
hears SYSA 'ENTRY 5: .*TRY AGAIN'
use SYSA 'OBTAIN,LOCK1,5,EXCLUSIVE' 'ENTRY 5: EXCLUSIVE 01'
# ---- an operator's removal ----
marks
shows SYSA 'V XCF,SYSD,OFFLINE' 'IXC371D'
shows SYSA 'D R,L' 'IXC371D'
number=$(sed -n 's/.*\*\([0-9][0-9]\) IXC371D.*/\1/p' "$tmp/answer" | head -1)
shows SYSA "R ${number:-1},SYSNAME=SYSD" 'IEE600I'
hears SYSA 'IXC101I .* SYSD .*OPERATOR VARY REQUEST'
waits() { grep -a -q 'IXC220W' "$PLEX390_RUN/PLEX1/SYSD.log" && grep -a -i -q 'disabled wait' "$PLEX390_RUN/PLEX1/SYSD.log"; }
ok "displays: SYSD loads wait 0A2" within 5 waits
[ "$failures" = 0 ]
