#!/bin/sh
# displays.sh - the operator's side of XCF on real emulators: each display of PLEX1 says what is there, and an element of the Automatic
# Restart Manager is started again on another system when the emulator of its own is killed.
#
# Environment: PLEX390_HERCULES chooses the emulator.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP displays: no device modules are built"; exit 77; }
lab_begin PLEX1

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
shows SYSA 'D XCF,G' 'IXCARM(4)'
shows SYSA 'D XCF,G,IXCARM' 'GROUP IXCARM: '
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
shows SYSA 'D XCF,CD,CLASS=DEFAULT' 'DEFAULT TRANSPORT CLASS USAGE FOR SYSTEM SYSB'
shows SYSA 'D XCF,CPL' 'SYSPLEX COUPLE DATA SETS   IN USE'
later 'D XCF,STR' 'IXCSTR1 .*ALLOCATED'
later 'D XCF,STR,STRNAME=IXCSTR1' 'CONNECTION NAME  ID SYSNAME'
later 'D XCF,CF' 'CFNAME     COUPLING FACILITY'
later 'D CF' 'NAMED CF02'
shows SYSA 'D R,L' 'RM=0 '
shows SYSA 'V XCF,SYSD,OFFLINE' 'IXC371D'
shows SYSA 'D R,L' 'IXC371D'
number=$(sed -n 's/.*\*\([0-9][0-9]\) IXC371D.*/\1/p' "$tmp/answer" | head -1)
shows SYSA "R ${number:-1},WHAT" 'PLX0322E'
shows SYSA "R ${number:-1},C" 'IEE600I'
shows SYSA 'SETXCF COUPLE,CLEANUP=6' 'IXC309I'
# COMMND00 has started these two on every system.
for s in SYSA SYSB SYSC SYSD; do
    shows "$s" 'D XCF,POL,TYPE=SFM' 'POLNAME:  *SFMPOL1'
    shows "$s" 'D XCF,POL,TYPE=ARM' 'POLNAME:  *ARMPOL1'
done
shows SYSA 'SETXCF STOP,POLICY,TYPE=SFM' 'IXC511I STOP'
shows SYSA 'SETXCF START,POLICY,TYPE=SFM,POLNAME=NONE' 'IXC514I'
shows SYSA 'SETXCF START,POLICY,TYPE=SFM,POLNAME=SFMPOL1' 'IXC511I START'

ok "displays: an element on SYSB" cmd SYSB "S BULKSRV,JOBNAME=MOVER,PARM='SOURCE=4019 SINK=4009',ARMELEM=MOVER"
moved() { for s in SYSA SYSC SYSD; do cmd "$s" 'D XCF,ARMS,DETAIL'; done >"$tmp/answer" 2>&1; grep -q "CURR SYS :SYS$1" "$tmp/answer" || { cat "$tmp/answer"; return 1; }; }
ok "displays: all know that it is on SYSB" within 8 moved B
"$plex390" kill SYSB
ok "displays: its emulator is killed: another system has it" within 10 moved '[ACD]'
[ "$failures" = 0 ]
