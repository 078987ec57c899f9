#!/bin/sh
# dvipa.sh - dynamic XCF and dynamic VIPAs on a real emulator, judged from outside: by curl, by the ARP table and a capture of a
# client that knows nothing of it. SYSA defines 10.1.1.80 (MOVEABLE IMMEDIATE) and 10.1.1.81 (WHENIDLE), SYSB (rank 200) and SYSC
# back them up. SYSB has an OSA of its own, so that a takeover shows in the client's ARP table. SYSD has no OSA at all.
#
# Each scenario has a name, which -k of tests/run.sh does not see but the PASS lines show. Environment: PLEX390_HERCULES.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP dvipa: no device modules are built"; exit 77; }
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
c=$tmp/configs/PLEX1
run=$PLEX390_RUN/PLEX1
sed -i 's/INTERVAL([0-9]*)/INTERVAL(4)/' "$c/parmlib/COUPLE00"
# SYSB's own card; SYSD without one.
sed -i 's|^  { name = "OSA1"; mac.*|&,\n  { name = "OSA2"; mac = "02:00:5A:00:00:02"; chpid = "osd"; mtu = 8992; }|; /name = "SYSB"/,/}/s/0x0E00; card = "OSA1"/0x0E10; card = "OSA2"/' "$c/plex.conf"
cat >>"$c/vtamlst/OSATRL" <<'X'
OSA2T    TRLE  LNCTL=MPC,MPCLEVEL=QDIO,READ=(0E10),WRITE=(0E11),
               DATAPATH=(0E12),PORTNAME=OSA2
X
sed -i 's/OSA1 /OSA2 /; s/OSA1$/OSA2/' "$c/tcpparms/DEV0B"
sed -i '/name = "SYSD"/,/}/s|osa = (.*);|osa = ( );|' "$c/plex.conf"
echo '; SYSD has no devices of its own.' >"$c/tcpparms/DEV0D"
sed -i 's/^START OSA1$//' "$c/tcpparms/PROFILE"
for s in A C; do echo 'START OSA1' >>"$c/tcpparms/DEV0$s"; done
echo 'START OSA2' >>"$c/tcpparms/DEV0B"
# Packets for it go through SYSA: the card passes to PRIROUTER what nobody has registered.
sed -i 's/NONROUTER/PRIROUTER/' "$c/tcpparms/DEV0A"
cat >"$c/tcpparms/VIPA0D" <<'X'
BEGINROUTES
    ROUTE DEFAULT 193.9.200.1 EZAXCF0A MTU 8992
ENDROUTES
X
# A second HTTPD per system whose bind takes a DVIPA of its range.
sed -i 's/^   80 TCP HTTPD NODELAYACKS/&\n 8066 TCP WEBN BIND 10.1.1.66\n 8077 TCP WEBD BIND 10.1.1.77/' "$c/tcpparms/PROFILE"

ok 'dvipa: four systems join' "$plex390" up PLEX1 || exit 1
needs_lan 'dvipa: the rest' || exit 77
vip=10.1.1.80 idle=10.1.1.81
size=67108864
"$root/build/pattern" $size | sha256sum | cut -d' ' -f1 >"$tmp/want.sha"

# Which system answers a new connection to $1 (and port $2).
who() { client curl -sS --connect-timeout 0.5 --max-time 2 "http://$1:${2:-80}/status" 2>/dev/null | sed -n 's/^SYSTEM //p' | tr -d '\r'; }
served_by() { w=$(who "$2" "${3:-80}"); echo "$2 is served by '$w', not $1"; [ "$w" = "$1" ]; }
# SDL-Hyperion's log has the time before each line.
status() { cmd "$1" "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$2" | awk -v s="$3" '{sub(/^[0-9:]* *\//, "")} $2 == s {print $3}'; }
is() { st=$(status "$1" "$2" "$1"); echo "$2 at $1 is '$st', not $3"; [ "$st" = "$3" ]; }
logged() { grep -a -q -- "$2" "$run/$1.log"; }
neighbour() { client ip neigh show "$vip"; client ip neigh show "$vip" | grep -qi "lladdr $1"; }
# Its own number, as `plex390 client` waits for it; 90 s bound it if nobody ends it.
sniff() {
    rm -f "$tmp/sniffer"
    client sh -c 'echo $$ >"$1/sniffer"; exec timeout 90 dumpcap -q -s 128 -i plexlan -w "$1/client.pcapng" -f "tcp port 80"' sh "$tmp" \
        >"$tmp/dumpcap.log" 2>&1 &
    sniffer=$!
    sleep 0.7
}
no_reset() {
    kill "$(cat "$tmp/sniffer")"; wait "$sniffer"
    tshark -r "$tmp/client.pcapng" -Y 'tcp.flags.reset == 1' >"$tmp/resets" 2>/dev/null
    n=$(tshark -r "$tmp/client.pcapng" -Y tcp 2>/dev/null | wc -l)
    echo "$n packets"; cat "$tmp/resets"
    [ "$n" -gt 100 ] && [ ! -s "$tmp/resets" ]
}
# 64 MB from $1 at 8 MB/s in the background.
transfer() { client curl -sS --max-time 60 --limit-rate 8M "http://$1/bulk/$size" | sha256sum | cut -d' ' -f1 >"$tmp/got.sha" & moving=$!; sleep 1; }
transferred() { wait "$moving"; cmp "$tmp/got.sha" "$tmp/want.sha"; }
back() { "$plex390" ipl SYSA >/dev/null 2>&1; within 20 served_by SYSA "$vip"; }

ok 'dvipa: the owner answers' within 5 served_by SYSA "$vip"
ok 'dvipa: D TCPIP,,SYSPLEX,VIPADYN lists owner and backups' answer_has SYSC "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$vip" 'SYSB     BACKUP 200'
ok 'dvipa: dynamic XCF links to each system' answer_has SYSA 'D TCPIP,,NETSTAT,HOME' EZAXCF0D
client ip route add 193.9.200.0/24 via 10.1.1.1 >/dev/null 2>&1
ok 'dvipa: a stack without OSA is reachable through a peer' served_by SYSD 193.9.200.4

client ping -c1 -W1 "$vip" >/dev/null 2>&1
sleep 1.1 # Linux believes a change of an entry only when it is a second old
"$plex390" kill SYSA >/dev/null
ok 'dvipa: death of image: the highest rank answers' within 3 served_by SYSB "$vip"
ok 'dvipa: death of image: EZZ8301I' logged SYSB "EZZ8301I VIPA $vip TAKEN OVER FROM TCPIP ON SYSA"
ok 'dvipa: death of image: the ARP table of a third host follows' within 3 neighbour 02:00:5a:00:00:02

sniff
transfer "$vip"
"$plex390" ipl SYSA >/dev/null 2>&1
ok 'dvipa: take-back IMMEDIATE: new connections reach the restored owner' within 8 served_by SYSA "$vip"
ok 'dvipa: take-back IMMEDIATE: the former owner is MOVING' is SYSB "$vip" MOVING
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
ok 'dvipa: MODDVIPA -c takes it all the same' answer_has SYSC 'MODDVIPA -p TCPIP -c 10.1.1.77' 'RETURN CODE 0'
ok 'dvipa: MODDVIPA -c: active on SYSC' within 3 is SYSC 10.1.1.77 ACTIVE
ok 'dvipa: MODDVIPA -d' answer_has SYSC 'MODDVIPA -p TCPIP -d 10.1.1.77' 'RETURN CODE 0'

"$plex390" freeze SYSA >/dev/null
ok 'dvipa: freeze: the backup answers after INTERVAL' within 12 served_by SYSB "$vip"
"$plex390" thaw SYSA >/dev/null
ok 'dvipa: freeze: woken, the zombie owns nothing' within 5 served_by SYSB "$vip"
ok 'dvipa: freeze: it was partitioned out' within 8 logged SYSA 'PLX103A\|IXC220W'
"$plex390" kill SYSA >/dev/null
ok 'dvipa: freeze: IPLed again, it has its address back' back
ok 'dvipa: down' "$plex390" down PLEX1
