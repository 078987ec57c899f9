#!/bin/sh
# dvipa.sh - dynamic XCF and dynamic VIPAs on a real emulator, judged from outside: by curl, by the ARP table and a capture of a
# client that knows nothing of it. SYSA defines 10.1.1.80 (MOVEABLE IMMEDIATE) and 10.1.1.81 (WHENIDLE), SYSB (rank 200) and SYSC
# back them up. SYSB has an OSA of its own, so that a takeover shows in the client's ARP table. SYSD has no OSA at all.
#
# Each scenario has a name, which -k of tests/run.sh does not see but the PASS lines show. Environment: PLEX390_HERCULES.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP dvipa: no device modules are built"; exit 77; }
. "$(dirname "$0")/dvipalab.sh"
# More HTTPDs per system whose bind takes a DVIPA of its range; 10.1.1.67 has a range of its own within the NONDISRUPTIVE one.
sed -i 's/^   80 TCP HTTPD NODELAYACKS/&\n 8068 TCP WEBARM BIND 10.1.1.68\n 8066 TCP WEBN BIND 10.1.1.66\n 8067 TCP WEBS BIND 10.1.1.67\n 8077 TCP WEBD BIND 10.1.1.77/' "$c/tcpparms/PROFILE"
sed -i 's/^    VIPARANGE DEFINE MOVEABLE DISRUPTIVE .*/&\n    VIPARANGE DEFINE MOVEABLE DISRUPTIVE 255.255.255.255 10.1.1.67/' "$c/tcpparms/PROFILE"

# One that ARM starts again, on SYSC if its system dies: SYSD, which has no OSA, could not be reached.
cat >"$c/parmlib/ARMPOLV" <<'X'
DATA TYPE(ARM)
DEFINE POLICY NAME(ARMPOLV)
  RESTART_GROUP(WEB) TARGET_SYSTEM(SYSC,SYSA)
  ELEMENT(WEBARM) RESTART_ATTEMPTS(3,300)
X

ok 'dvipa: four systems join' "$plex390" up PLEX1 || exit 1
needs_lan 'dvipa: the rest' || exit 77
"$root/build/pattern" $size | sha256sum | cut -d' ' -f1 >"$tmp/want.sha"

# The operator's panel of system address $1, view $2, as s3270 shows it: it has each of the patterns that follow.
panel() {
    where=$1 view=$2
    shift 2
    printf 'Wait(10,InputField)\nString("ibmuser")\nTab()\nString("sys1")\nEnter()\nWait(10,Unlock)\nString("%s")\nEnter()\nWait(10,Unlock)\nAscii()\nPF(3)\nWait(10,Unlock)\nPF(3)\nWait(5,Disconnect)\nQuit()\n' "$view" |
        client timeout -k 5 60 s3270 -utf8 -xrm 's3270.unlockDelay: false' -model 3279-4-E "$where" >"$tmp/screens" 2>&1
    sed 's/[[:space:]]*$//' "$tmp/screens"
    for p in "$@"; do grep -q -- "$p" "$tmp/screens" || { echo "not there: $p"; return 1; }; done
}
panels() {
    command -v s3270 >/dev/null || { echo "SKIP dvipa: the panel: s3270 is not installed"; return; }
    ok "dvipa: the panel of $1: $2" panel "$@"
}
silent() { answer_has "$1" 'D T' "$2"; }
back() { "$plex390" ipl SYSA >/dev/null 2>&1; within 20 served_by SYSA "$vip"; }

# Nothing of an emulator may yield to what else runs on the host: 3.13 by itself gives a processor nice 15 (its watchdog is 1 lower).
even() {
    for s in SYSA SYSB SYSC SYSD; do
        for t in /proc/"$(cut -d' ' -f1 "$run/$s.pid")"/task/*/stat; do sed 's/.*) //' "$t" | cut -d' ' -f17; done
    done | sort -n | uniq -c >"$tmp/nices"
    cat "$tmp/nices"
    awk -v own="$(nice)" '$2 > own + 1 {exit 1} END {if (NR == 0) exit 1}' "$tmp/nices"
}
ok 'dvipa: every thread of an emulator has the priority of who started it' even
ok 'dvipa: the owner answers' within 5 served_by SYSA "$vip"
ok 'dvipa: D TCPIP,,SYSPLEX,VIPADYN lists owner and backups' answer_has SYSC "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$vip" 'SYSB     BACKUP 200'
ok 'dvipa: D TCPIP,,SYSPLEX,GROUP' answer_has SYSC 'D TCPIP,,SYSPLEX,GROUP' 'EZZ8270I SYSPLEX GROUP FOR TCPIP AT SYSC IS EZBTCPCS'
ok 'dvipa: NETSTAT VIPADYN' answer_has SYSA 'D TCPIP,,NETSTAT,VIPADYN' "$vip .*ACTIVE *VIPADEFINE"
ok 'dvipa: NETSTAT VIPADCFG' answer_has SYSB 'D TCPIP,,NETSTAT,VIPADCFG' 'RANK: 000200'
ok 'dvipa: NETSTAT HOME has it under its generated name' answer_has SYSA 'D TCPIP,,NETSTAT,HOME' "$vip .*VIPL0A010150"
ok 'dvipa: dynamic XCF links to each system' answer_has SYSA 'D TCPIP,,NETSTAT,HOME' EZAXCF0D
client ip route add 193.9.200.0/24 via 10.1.1.1 >/dev/null 2>&1
ok 'dvipa: a stack without OSA is reachable through a peer' served_by SYSD 193.9.200.4

panels 10.1.1.2 VIPADYN 'DYNAMIC VIPAS OF THE SYSPLEX' "IPADDR: $vip" 'TCPIP *SYSA *ACTIVE' 'TCPIP *SYSB *BACKUP 200' 'TCPIP *SYSC *BACKUP 100'
panels 10.1.1.2 XCF 'SYSTEMS OF THE SYSPLEX' 'SYSA .* ACTIVE' 'SYSB .* ACTIVE' 'SYSC .* ACTIVE' 'SYSD .* ACTIVE'

client ping -c1 -W1 "$vip" >/dev/null 2>&1
sleep 1.1 # Linux believes a change of an entry only when it is a second old
"$plex390" kill SYSA >/dev/null
ok 'dvipa: death of image: the highest rank answers' within 3 served_by SYSB "$vip"
ok 'dvipa: death of image: EZZ8301I' logged SYSB "EZZ8301I VIPA $vip TAKEN OVER FROM TCPIP ON SYSA"
panels 10.1.1.2 VIPADYN "IPADDR: $vip" 'TCPIP *SYSB *ACTIVE'
panels "$vip" XCF 'SYSTEM SYSB' 'SYSC .* ACTIVE'
ok 'dvipa: death of image: the ARP table of a third host follows' within 3 neighbour 02:00:5a:00:00:02

sniff
transfer "$vip"
"$plex390" ipl SYSA >/dev/null 2>&1
ok 'dvipa: take-back IMMEDIATE: new connections reach the restored owner' within 8 served_by SYSA "$vip"
ok 'dvipa: take-back IMMEDIATE: the former owner is MOVING' is SYSB "$vip" MOVING
ok 'dvipa: take-back IMMEDIATE: it stays in HOME there, flag I' answer_has SYSB 'D TCPIP,,NETSTAT,HOME' "$vip *VIPL0A010150 *I"
ok 'dvipa: take-back IMMEDIATE: 64 MB opened on the backup end there, sha256 right' transferred
ok 'dvipa: take-back IMMEDIATE: no RST' no_reset
ok 'dvipa: take-back IMMEDIATE: MOVING ends in BACKUP' within 8 is SYSB "$vip" BACKUP

sniff
transfer "$vip"
ok 'dvipa: DEACTIVATE' answer_has SYSA "V TCPIP,,SYSPLEX,DEACTIVATE,DVIPA=$vip" EZD1197I
ok 'dvipa: DEACTIVATE: the backup answers' within 2 served_by SYSB "$vip"
ok 'dvipa: DEACTIVATE: 64 MB that were under way, sha256 right' transferred
ok 'dvipa: DEACTIVATE: no RST' no_reset
ok 'dvipa: REACTIVATE' answer_has SYSA "V TCPIP,,SYSPLEX,REACTIVATE,DVIPA=$vip" EZD1189I
ok 'dvipa: REACTIVATE: back' within 2 served_by SYSA "$vip"

cmd SYSA 'V TCPIP,,SYSPLEX,LEAVEGROUP' >/dev/null
ok 'dvipa: LEAVEGROUP: the backup answers' within 2 served_by SYSB "$vip"
cmd SYSA 'V TCPIP,,SYSPLEX,JOINGROUP' >/dev/null
ok 'dvipa: JOINGROUP: back' within 5 served_by SYSA "$vip"

cmd SYSA 'P TCPIP' >/dev/null
ok 'dvipa: death of stack: the backup answers' within 3 served_by SYSB "$vip"
within 15 logged SYSA 'EZZ4201I'
transfer "$idle"
cmd SYSA 'S TCPIP' >/dev/null
ok 'dvipa: death of stack: back after S TCPIP' within 10 served_by SYSA "$vip"
ok 'dvipa: WHENIDLE: the busy owner keeps it' served_by SYSB "$idle"
ok 'dvipa: WHENIDLE: 64 MB, sha256 right' transferred
ok 'dvipa: WHENIDLE: then it moves' within 10 served_by SYSA "$idle"

cmd SYSA "S HTTPD,JOBNAME=WEBN,PARM='PORT=8066'" >/dev/null
ok 'dvipa: VIPARANGE NONDISRUPTIVE: bound on SYSA' within 3 served_by SYSA 10.1.1.66 8066
cmd SYSB "S HTTPD,JOBNAME=WEBN,PARM='PORT=8066'" >/dev/null
ok 'dvipa: VIPARANGE NONDISRUPTIVE: moves to the later bind' within 3 served_by SYSB 10.1.1.66 8066
ok 'dvipa: VIPARANGE NONDISRUPTIVE: the first is MOVING' is SYSA 10.1.1.66 MOVING
cmd SYSA "S HTTPD,JOBNAME=WEBD,PARM='PORT=8077'" >/dev/null
ok 'dvipa: VIPARANGE DISRUPTIVE: bound on SYSA' within 3 served_by SYSA 10.1.1.77 8077
ok 'dvipa: VIPARANGE DISRUPTIVE: the later bind is refused' answer_has SYSB "S HTTPD,JOBNAME=WEBD,PARM='PORT=8077'" PLX0121E
cmd SYSA "S HTTPD,JOBNAME=WEBS,PARM='PORT=8067'" >/dev/null
ok 'dvipa: VIPARANGE, the most specific: bound on SYSA' within 3 served_by SYSA 10.1.1.67 8067
ok 'dvipa: VIPARANGE, the most specific is DISRUPTIVE: the later bind is refused' answer_has SYSB "S HTTPD,JOBNAME=WEBS,PARM='PORT=8067'" PLX0121E
ok 'dvipa: MODDVIPA -c takes it all the same' answer_has SYSC 'MODDVIPA -p TCPIP -c 10.1.1.77' 'RETURN CODE 0'
ok 'dvipa: MODDVIPA -c: active on SYSC' within 3 is SYSC 10.1.1.77 ACTIVE
ok 'dvipa: MODDVIPA -d' answer_has SYSC 'MODDVIPA -p TCPIP -d 10.1.1.77' 'RETURN CODE 0'

for s in SYSA SYSB SYSC SYSD; do cmd "$s" 'SETXCF START,POLICY,TYPE=ARM,POLNAME=ARMPOLV' >/dev/null; done
cmd SYSB "S HTTPD,JOBNAME=WEBARM,PARM='PORT=8068',ARMELEM=WEBARM" >/dev/null
ok 'dvipa: ARM: the server and its DVIPA are on SYSB' within 4 served_by SYSB 10.1.1.68 8068
cmd SYSB 'C WEBARM,ARMRESTART' >/dev/null
ok 'dvipa: ARM: the server dies alone: started again in place' within 4 served_by SYSB 10.1.1.68 8068
ok 'dvipa: ARM: the server dies alone: IXC812I' logged SYSB 'IXC812I JOBNAME WEBARM, ELEMENT WEBARM FAILED'
"$plex390" kill SYSB >/dev/null
ok 'dvipa: ARM: death of image: the server is on SYSC, and its DVIPA has followed' within 6 served_by SYSC 10.1.1.68 8068
ok 'dvipa: ARM: death of image: all know where' answer_has SYSA 'D XCF,ARMS,ELEMENT=WEBARM' 'CURR SYS :SYSC .*'
"$plex390" ipl SYSB >/dev/null 2>&1
ok 'dvipa: ARM: the return of SYSB moves nothing' served_by SYSC 10.1.1.68 8068
ok 'dvipa: SYSB is a backup again' within 10 is SYSB "$vip" BACKUP

"$plex390" freeze SYSA >/dev/null
ok 'dvipa: freeze: the backup answers after INTERVAL' within 12 served_by SYSB "$vip"
"$plex390" thaw SYSA >/dev/null
ok 'dvipa: freeze: woken, the zombie owns nothing' within 5 served_by SYSB "$vip"
ok 'dvipa: freeze: it was partitioned out' within 8 logged SYSA 'PLX103A\|IXC220W'
ok 'dvipa: freeze: it answers no command, and which wait it is in is said' silent SYSA 'in a disabled wait, PSW .*; it said last: PLX103A'
listed() { "$plex390" status; "$plex390" status | grep -q "^LPAR *$1 .*$2"; }
ok 'dvipa: freeze: status says it, too' listed SYSA 'in a disabled wait'
"$plex390" kill SYSA >/dev/null
ok 'dvipa: freeze: IPLed again, it has its address back' back
ok 'dvipa: down' "$plex390" down PLEX1
