#!/bin/sh
# paths.sh - what lies between two stacks of the sysplex, on a real emulator: a second stack in the same image (EZASAMEMVS), dynamic
# XCF, HiperSockets, the LAN; each with a transfer inside the guests and SO_CLUSTERCONNTYPE as the program at its end sees it, and after a change.
#
# SYSA has a second stack, TCPIP2, with neither OSA nor CTC: the client reaches it through TCPIP. Environment: PLEX390_HERCULES.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP paths: no device modules are built"; exit 77; }
. "$(dirname "$0")/dvipalab.sh"
sed -i '/name = "SYSA"/s/memory = 96/memory = 224/' "$c/plex.conf"
# A HiperSockets LAN between SYSB and SYSC.
sed -i 's|^  { name = "OSA2"; mac.*|&,\n  { name = "IQD1"; mac = "02:00:5A:00:00:51"; chpid = "iqd"; mtu = 57344; }|; /name = "SYS[BC]"/,/}/s/mode = "qdio"; } )/mode = "qdio"; }, { device = 0x0E40; card = "IQD1"; mode = "qdio"; } )/' "$c/plex.conf"
cat >"$c/tcpparms/TCPIP2" <<'X'
; The second stack of SYSA: S TCPIP2.
IPCONFIG DYNAMICXCF 193.9.200.11 255.255.255.0 1
PORT
   80 TCP HTTPD
 5001 TCP BULKSRV
AUTOLOG 5
    HTTPD
    BULKSRV
ENDAUTOLOG
BEGINROUTES
    ROUTE DEFAULT 193.9.200.1 EZASAMEMVS MTU 8992
ENDROUTES
VIPADYNAMIC
    VIPABACKUP 250 10.1.1.80
ENDVIPADYNAMIC
X
# A DVIPA of SYSB whose connections SYSC serves.
dist=10.1.1.85
cat >>"$c/tcpparms/VIPA0B" <<X
VIPADYNAMIC
    VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 $dist
    VIPADISTRIBUTE DEFINE DISTMETHOD ROUNDROBIN $dist PORT 80
        DESTIP 193.9.200.3
ENDVIPADYNAMIC
X
# A HOME list of SYSB with one address more, and the former one.
cat >"$c/tcpparms/HOMEMORE" <<'X'
DEVICE VDEV9 VIRTUAL 0
LINK   VLNK9 VIRTUAL 0 VDEV9
HOME
    10.1.1.92  VLNK9
    10.1.1.2   OSALNK1
X
printf 'HOME\n    10.1.1.2   OSALNK1\n' >"$c/tcpparms/HOMELESS"
"$root/build/pattern" $size >"$tmp/pattern" || exit 1

ok 'paths: four systems join' "$plex390" up PLEX1 || exit 1
needs_lan 'paths: the rest' || exit 77
client ip route add 193.9.200.0/24 via 10.1.1.1 >/dev/null 2>&1
# job, system, stack, host, seconds to hold
get() { cmd "$2" "S BULKGET,JOBNAME=$1,STACK=$3,PARM='HOST=$4 HOLD=$5'" >/dev/null; }
says() { grep -a -q -- "$1 IS CONNECTED TO $2, CLUSTERCONNTYPE $3" "$run/$4.log"; }
whole() { grep -a -q -- "$1 READ 67108864 BYTES FROM .* PATTERN OK, CLUSTERCONNTYPE $2" "$run/$3.log"; }
all_has() { cmd "$1" "D TCPIP,$2,NETSTAT,ALL,CLIENT=$3" >"$tmp/answer"; cat "$tmp/answer"; grep -q "CLUSTERCONNTYPE: *$4" "$tmp/answer"; }

cmd SYSA 'S TCPIP2' >/dev/null
ok 'paths: SYSA has two stacks' within 10 answer_has SYSA 'D TCPIP' 'TCPIP2'
ok 'paths: the second one joins' within 10 logged SYSA 'EZD1176I TCPIP2 HAS SUCCESSFULLY JOINED'
ok 'paths: EZASAMEMVS' within 5 logged SYSA 'EZZ4324I CONNECTION TO 193.9.200.11 ACTIVE FOR DEVICE IUTSAMEH'
ok 'paths: SYSB reaches both over one EZAXCF0A' within 5 answer_has SYSB 'D TCPIP,,NETSTAT,ROUTE' '193.9.200.11 .*EZAXCF0A'
ok 'paths: the client reaches the second stack through the first' within 5 served_by SYSA 193.9.200.11
get SAME SYSA TCPIP2 193.9.200.1 0
ok 'paths: the same image' within 5 says SAME 193.9.200.1 'SAME_IMAGE INTERNAL' SYSA
ok 'paths: the same image: 64 MB' within 30 whole SAME 'SAME_IMAGE INTERNAL' SYSA
get XCF SYSB TCPIP 193.9.200.11 0
ok 'paths: dynamic XCF' within 5 says XCF 193.9.200.11 'SAME_CLUSTER INTERNAL' SYSB
ok 'paths: dynamic XCF: 64 MB' within 30 whole XCF 'SAME_CLUSTER INTERNAL' SYSB
# Judged by the card: what it has seen of a transfer.
seen() { tshark -r "$tmp/iqd.pcapng" -Y "tcp.srcport == 5001 && ip.src == 193.9.200.2 && ip.dst == 193.9.200.3" -T fields -e tcp.len 2>/dev/null | awk '{s += $1} END {print s + 0}'; }
all_seen() { n=$(seen); echo "the card has seen $n bytes"; [ "$n" -ge 67108864 ]; }
route_of() { answer_has "$1" 'D TCPIP,,NETSTAT,ROUTE' "$2 .*$3"; }
ok 'paths: HiperSockets: IUTIQDIO is active' within 5 logged SYSC 'EZZ4324I CONNECTION TO 193.9.200.2 ACTIVE FOR DEVICE IUTIQDIO'
ok 'paths: HiperSockets: preferred for the peer on the same LAN' within 3 route_of SYSC 193.9.200.2 IQDIOLNKC109C803
ok 'paths: HiperSockets: SYSD, which has none, goes over XCF' route_of SYSC 193.9.200.4 EZAXCF0D
"$plex390" card IQD1 capture start "$tmp/iqd.pcapng" tcp port 5001 >/dev/null
get IQD SYSC TCPIP 193.9.200.2 0
ok 'paths: HiperSockets: 64 MB' within 30 whole IQD 'SAME_CLUSTER INTERNAL' SYSC
"$plex390" card IQD1 capture stop >/dev/null
ok 'paths: HiperSockets: the card saw every byte' all_seen
get FALL SYSC TCPIP 193.9.200.2 4
ok 'paths: HiperSockets: a transfer is open' within 3 says FALL 193.9.200.2 'SAME_CLUSTER INTERNAL' SYSC
"$plex390" kill IQD1 >/dev/null
ok 'paths: HiperSockets: the card dies: the route is over XCF' within 5 route_of SYSC 193.9.200.2 EZAXCF0B
ok 'paths: HiperSockets: the card dies: at the other end, too' within 5 route_of SYSB 193.9.200.3 EZAXCF0C
ok 'paths: HiperSockets: the card dies: the open transfer goes on over XCF' within 40 whole FALL 'SAME_CLUSTER INTERNAL' SYSC
"$plex390" ipl IQD1 >/dev/null
ok 'paths: HiperSockets: the card is back: preferred again' within 20 route_of SYSC 193.9.200.2 IQDIOLNKC109C803
# An upload through the routing stack, $1 bytes a second; judged by what each link of SYSB has sent.
upload() { client curl -sS -m 40 --limit-rate "$1" -T "$tmp/pattern" "http://$dist/sink"; }
sunk() { upload 1000M | grep -a "LENGTH $size PATTERN OK"; }
sent() { cmd SYSB 'D TCPIP,,NETSTAT,DEVLINKS,MAX=*' | awk -v l="$1" '/LNKNAME:/ {for (i = 1; i < NF; i++) if ($i == "LNKNAME:") on = $(i + 1) == l} on && /BYTESOUT:/ {print $NF; exit}' | tr -d '\r'; }
mark() { iqd0=$(sent IQDIOLNKC109C802) xcf0=$(sent EZAXCF0C); }
since() { iqd=$(($(sent IQDIOLNKC109C802) - iqd0)) xcf=$(($(sent EZAXCF0C) - xcf0)); echo "HiperSockets $iqd bytes, XCF $xcf bytes"; }
by_iqd() { since; [ "$iqd" -ge $size ] && [ "$xcf" -lt $((size / 8)) ]; }
by_both() { since; [ "$iqd" -ge $((size / 16)) ] && [ "$xcf" -ge $((size / 8)) ]; }
some_by_iqd() { since; [ "$iqd" -ge $((size / 16)) ]; }
ok 'paths: distributed: SYSC serves it' within 10 served_by SYSC $dist
mark
ok 'paths: distributed: 64 MB to SYSC through SYSB' sunk
ok 'paths: distributed: over HiperSockets' by_iqd
mark
upload 12M >"$tmp/sunk" 2>&1 &
uploading=$!
ok 'paths: distributed: the upload is under way over HiperSockets' within 20 some_by_iqd
"$plex390" kill IQD1 >/dev/null
wait $uploading
ok 'paths: distributed: the card dies: the connection lives' grep -a "LENGTH $size PATTERN OK" "$tmp/sunk"
ok 'paths: distributed: and went on over XCF' by_both
"$plex390" ipl IQD1 >/dev/null
get LAN SYSC TCPIP 10.1.1.2 60
ok 'paths: the LAN' within 5 says LAN 10.1.1.2 SAME_CLUSTER SYSC
ok 'paths: NETSTAT ALL shows it at both ends' all_has SYSB TCPIP BULKSRV 'SAME_CLUSTER'
ok 'paths: and at the other' all_has SYSC TCPIP LAN 'SAME_CLUSTER'
cmd SYSB 'V TCPIP,,SYSPLEX,LEAVEGROUP' >/dev/null
ok 'paths: the partner leaves the group: NONE' within 3 all_has SYSC TCPIP LAN NONE
cmd SYSB 'V TCPIP,,SYSPLEX,JOINGROUP' >/dev/null
ok 'paths: it is back: SAME_CLUSTER' within 5 all_has SYSC TCPIP LAN SAME_CLUSTER
cmd SYSC 'P LAN' >/dev/null
obey() { answer_has "$1" "V TCPIP,,OBEYFILE,TCPIP.TCPPARMS($2)" EZZ0053I; }
ok 'paths: OBEYFILE: SYSB has an address more in HOME' obey SYSB HOMEMORE
get MORE SYSC TCPIP 10.1.1.92 60
ok 'paths: OBEYFILE: the partner knows whose it is' within 5 says MORE 10.1.1.92 SAME_CLUSTER SYSC
ok 'paths: OBEYFILE: SYSB has it no more' obey SYSB HOMELESS
ok 'paths: OBEYFILE: the partner hears that, too' within 5 all_has SYSC TCPIP MORE NONE
cmd SYSC 'P MORE' >/dev/null
client curl -sS -m 5 --limit-rate 1M -o "$tmp/stranger" "http://10.1.1.3/bulk/$size" >/dev/null 2>&1 & # ends by itself
ok 'paths: a host of the LAN that is no member: NONE' within 4 all_has SYSC TCPIP HTTPD NONE

ok 'paths: a stack dies: the other one of its image takes the DVIPA' cmd SYSA 'P TCPIP'
ok 'paths: EZZ8301I' within 5 logged SYSA "EZZ8301I VIPA $vip TAKEN OVER FROM TCPIP ON SYSA"
ok 'paths: EZASAMEMVS is cleared' within 5 logged SYSA 'EZZ4325I CONNECTION TO 193.9.200.1 CLEARED FOR DEVICE IUTSAMEH'
within 15 logged SYSA 'EZZ4201I TCP/IP TERMINATION COMPLETE FOR TCPIP'
cmd SYSA 'S TCPIP' >/dev/null
ok 'paths: it comes back and takes the DVIPA back' within 15 served_by SYSA "$vip"
ok 'paths: down' "$plex390" down PLEX1
