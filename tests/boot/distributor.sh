#!/bin/sh
# distributor.sh - the sysplex distributor on four LPARs: one address, real clients on the LAN.
#
#   spread      connections are spread over four systems as VIPADISTRIBUTE ROUNDROBIN says, to within 2 %
#   displays    NETSTAT VDPT, VCRT, D TCPIP,,SYSPLEX,VIPADYN; tables drain
#   quiesce     a target that is QUIESCEd gets nothing new
#   listener    a server that stops and starts is known at the routing stack at once
#   policy      the Policy Agent's rule sends the LAN's clients to SYSB and SYSC; a member with errors is refused; P PAGENT ends it
#   drill       transfers of 64 MB on every system while routing stack, backup and targets are killed, frozen and brought
#               back at random: what was served by a system that lived has every byte right and saw no RST
#
# Environment: PLEX390_HERCULES chooses the emulator; DIST_CONNECTIONS (1000) and DIST_SECONDS of drill (40); DIST_SEED.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP distributor: no device modules are built"; exit 77; }
command -v curl >/dev/null || { echo "SKIP distributor: no curl"; exit 77; }
connections=${DIST_CONNECTIONS:-1000} seconds=${DIST_SECONDS:-40} seed=${DIST_SEED:-$$}
vip=10.1.1.80
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
parms=$tmp/configs/PLEX1/tcpparms
sed -i 's/INTERVAL([0-9]*)/INTERVAL(4)/' "$tmp/configs/PLEX1/parmlib/COUPLE00"
printf 'SOMAXCONN 256\n' >>"$parms/PROFILE"
cat >"$parms/VIPA0A" <<END
VIPADYNAMIC
  VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 $vip
  VIPADISTRIBUTE DEFINE DISTMETHOD ROUNDROBIN $vip PORT 80 5001 DESTIP ALL
ENDVIPADYNAMIC
END
rank=200
for s in B C D; do
    printf 'VIPADYNAMIC\n  VIPABACKUP %s MOVEABLE IMMEDIATE 255.255.255.0 %s\nENDVIPADYNAMIC\n' $rank $vip >"$parms/VIPA0$s"
    rank=$((rank - 50))
done

# The LAN's clients may use SYSB and SYSC for the web; in the other member each line but the braces is wrong.
cat >"$parms/PAGENT" <<END
PolicyPerfMonitorForSDR Enable
{
  SamplingInterval 5
}
PolicyAction Silver
{
  OutboundInterface 193.9.200.2
  OutboundInterface 193.9.200.3
}
PolicyRule Lan
{
  PolicyActionReference Silver
  ForLoadDistribution TRUE
  SourceAddressRange 10.1.1.0/24
  DestinationPortRange 80
}
END
printf 'PolicyRule Lan\n{\n  PolicyActionReference Gold\n  TimeOfDayRange 8-17\n}\n' >"$parms/PAGBAD"

vdpt() { cmd "$1" "D TCPIP,,NETSTAT,VDPT,PORT=$2,MAX=*"; }
# Targets of port $2 that $1 routes to and that are ready.
ready() { vdpt "$1" "$2" >"$tmp/vdpt"; [ "$(grep -c " 193\.9\.200\.[1-4]  *00[1-9] " "$tmp/vdpt")" = "$3" ] || { cat "$tmp/vdpt"; return 1; }; }
totals() { vdpt "$1" "$2" | sed -n 's/.* \(193\.9\.200\.[1-4]\)  *[0-9]\{3\} 0*\([0-9]*\) .*/\1 \2/p' | awk '{print $1, $2 + 0}'; }
rows() { cmd "$1" 'D TCPIP,,NETSTAT,VCRT' | sed -n 's/.* OF \([0-9]*\) RECORDS.*/\1/p' | tail -n 1; }
drained() { n=$(rows "$1"); [ "${n:-x}" = 0 ] || { echo "$n rows"; return 1; }; }
owner_is() { cmd SYSA "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$vip" >"$tmp/vipadyn"; grep -q "$1  *ACTIVE" "$tmp/vipadyn" || { cat "$tmp/vipadyn"; return 1; }; }
served() { client curl -s -m 5 "http://$vip/status" | grep -a -o 'SYS[A-D]' | head -n 1; }
# Before and after in $tmp/t0 and $tmp/t1: each of four targets within 2 % of all of a quarter.
even() {
    join "$tmp/t0" "$tmp/t1" | awk '{d = $3 - $2; n++; sum += d; c[n] = d; print $1, d}
        END {bad = n != 4 || sum < '"$1"'; for (i in c) {off = c[i] - sum / 4; if (off < 0) off = -off; if (off > sum * 0.02) bad = 1}; exit bad}'
}

ok "distributor: four LPARs come up" "$plex390" up PLEX1 || exit 1
needs_lan distributor || exit 77
ok "distributor: SYSA owns $vip" within 15 owner_is SYSA || exit 1
ok "distributor: four targets of port 80 are ready" within 15 ready SYSA 80 4 || exit 1
ok "distributor: four targets of port 5001 are ready" within 5 ready SYSA 5001 4
ok "distributor: every image shows who distributes" answer_has SYSC "D TCPIP,,SYSPLEX,VIPADYN" "SYSA  *ACTIVE.*BOTH"
ok "distributor: a target has the address hidden" answer_has SYSB "D TCPIP,,NETSTAT,HOME" "$vip.*I"

# ---- spread ----
totals SYSA 80 >"$tmp/t0"
ok "distributor: $connections connections of one client" client "$root/build/netbench" get "$vip" 80 "$connections" /status
sed 's/^/   /' "$tmp/out"
totals SYSA 80 >"$tmp/t1"
ok "distributor: spread within 2 % of equal" even "$connections"
sed 's/^/   /' "$tmp/out"
ok "distributor: the VCRT drains" within 20 drained SYSA
# Rates of one run: to a target's own address, and through the routing stack.
for to in 10.1.1.2 $vip; do
    echo "   to $to: $(client "$root/build/netbench" get "$to" 80 300 /status)"
    echo "   from $to: $(client curl -s -m 60 -o /dev/null -w '%{speed_download}' "http://$to/bulk/33554432") bytes/s"
done

# ---- quiesce, listener ----
ok "distributor: SYSC is quiesced" cmd SYSC 'V TCPIP,,SYSPLEX,QUIESCE,TARGET'
ok "distributor: three targets are ready" within 3 ready SYSA 80 3
quiet_one() { for i in 1 2 3 4 5 6; do served; done >"$tmp/who"; not_c=$(grep -c SYSC "$tmp/who"); cat "$tmp/who"; [ "$not_c" = 0 ] && [ "$(sort -u "$tmp/who" | wc -l)" = 3 ]; }
ok "distributor: it gets nothing, the others do" quiet_one
ok "distributor: SYSC is resumed" cmd SYSC 'V TCPIP,,SYSPLEX,RESUME,TARGET'
ok "distributor: four are ready again" within 3 ready SYSA 80 4
ok "distributor: HTTPD of SYSD is stopped" cmd SYSD 'P HTTPD'
ok "distributor: the routing stack knows" within 3 ready SYSA 80 3
ok "distributor: and started" cmd SYSD 'S HTTPD'
ok "distributor: the routing stack knows" within 3 ready SYSA 80 4

# ---- policy ----
says() { answer_has "$1" "$2" "$3"; }
only_b_and_c() { for i in 1 2 3 4 5 6; do served; done >"$tmp/who"; cat "$tmp/who"; [ "$(sort -u "$tmp/who" | tr -d '\n')" = SYSBSYSC ]; }
all_four() { for i in 1 2 3 4; do served; done >"$tmp/who"; cat "$tmp/who"; [ "$(sort -u "$tmp/who" | wc -l)" = 4 ]; }
ok "distributor: S PAGENT, a member with errors: what was expected, by line" says SYSA "S PAGENT,PARM='CONFIG=TCPIP.TCPPARMS(PAGBAD)'" \
    "PLX0540E TCPIP.TCPPARMS(PAGBAD) LINE 4: 8-17 WAS FOUND AND HH:MM-HH:MM WAS EXPECTED"
ok "distributor: nothing of it is in force" all_four
ok "distributor: P PAGENT" says SYSA "P PAGENT" EZZ8433I
ok "distributor: S PAGENT" says SYSA "S PAGENT" "EZZ8771I PAGENT CONFIG POLICY PROCESSING COMPLETE FOR TCPIP : QOS"
ok "distributor: F PAGENT,REFRESH" says SYSA "F PAGENT,REFRESH" EZZ8771I
ok "distributor: its clients are served by SYSB and SYSC" only_b_and_c
ok "distributor: NETSTAT SLAP shows rule and action" says SYSA "D TCPIP,,NETSTAT,SLAP" "ACCEPTCONN: 0000000006  DENIEDCONN: 0000000000"
ok "distributor: NETSTAT VDPT shows the action" says SYSA "D TCPIP,,NETSTAT,VDPT,DETAIL,MAX=*" "QOSPLCACT: Silver"
held_by_rule() {
    client curl -s -m 20 --limit-rate 1M -o /dev/null "http://$vip/bulk/4194304" & held=$!
    sleep 1
    answer_has SYSA "D TCPIP,,NETSTAT,VCRT,DETAIL,MAX=*" "POLICYRULE:   Lan"; shown=$?
    wait "$held"
    return $shown
}
ok "distributor: NETSTAT VCRT shows who chose" held_by_rule
ok "distributor: P PAGENT" says SYSA "P PAGENT" "EZZ8773I PAGENT POLICIES PURGED FOR TCPIP: QOS"
ok "distributor: everybody serves again" all_four

# ---- drill ----
"$root/build/pattern" 67108864 >"$tmp/pattern" || exit 1
sum=$(sha256sum <"$tmp/pattern" | cut -d' ' -f1)
# One transfer: who serves it is what curl's first bytes do not say, so each asks /status on the same connection first.
transfer() {
    client curl -s -m 120 -o "$tmp/who.$1" -o "$tmp/data.$1" "http://$vip/status" "http://$vip/bulk/67108864" \
        -w '%{local_port} %{http_code} %{size_download} %{exitcode}\n' >"$tmp/stat.$1" 2>"$tmp/err.$1"
    code=$? ended=$(now_ms)
    who=$(grep -a -o 'SYS[A-D]' "$tmp/who.$1" 2>/dev/null | head -n 1)
    got=$(sha256sum <"$tmp/data.$1" 2>/dev/null | cut -d' ' -f1)
    rm -f "$tmp/data.$1"
    echo "$1 ${who:-none} $code $([ "$got" = "$sum" ] && echo right || echo wrong) $ended" >>"$tmp/transfers"
}
# Into $dice; no subshell, or the seed would not move.
rand() { seed=$(((seed * 1103515245 + 12345) % 2147483648)); dice=$(((seed / 65536) % $1)); }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
: >"$tmp/transfers"
: >"$tmp/harmed"
echo "   drill of $seconds s, seed $seed"
drill_end=$(($(date +%s) + seconds)) n=0 children=
while [ "$(date +%s)" -lt "$drill_end" ]; do
    children=
    for i in 1 2 3 4; do n=$((n + 1)); transfer $n & children="$children $!"; done
    sleep 2
    rand 4
    victim=SYS$(echo ABCD | cut -c$((dice + 1)))
    rand 2
    if [ "$dice" = 0 ]; then act=kill; else act=freeze; fi
    echo "   transfers $((n - 3))-$n: $act $victim"
    for i in 0 1 2 3; do echo "$((n - i)) $victim $act $(now_ms)" >>"$tmp/harmed"; done
    "$plex390" $act "$victim" >/dev/null
    # shellcheck disable=SC2086 # the transfers that live end by themselves
    wait $children
    [ $act = freeze ] && "$plex390" thaw "$victim" >/dev/null && sleep 1 && "$plex390" kill "$victim" >/dev/null
    "$plex390" ipl "$victim" >/dev/null
    ok "distributor: after $act $victim SYSA routes to four" within 40 ready SYSA 80 4
done
# Number, server, curl's exit code, bytes, victim of its round, end in ms after the fault.
sort "$tmp/transfers" >"$tmp/a"
sort "$tmp/harmed" >"$tmp/b"
join "$tmp/a" "$tmp/b" | awk '{print $1, $2, $3, $4, $7, $6, $5 - $8}' | sort -n | sed 's/^/   /'
# Whose server was not the victim of its round must be right.
lived_are_right() {
    sort -n "$tmp/harmed" | while read -r i victim act at; do
        awk -v i="$i" -v victim="$victim" '$1 == i && $2 != victim && ($3 != 0 || $4 != "right") {print; exit 1}' "$tmp/transfers" || return 1
    done
}
ok "distributor: each transfer whose server lived is whole" lived_are_right
whole=$(grep -c ' 0 right ' "$tmp/transfers")
echo "   $n transfers, $whole whole"
ok "distributor: some were whole" test "$whole" -ge $((n / 3))
ok "distributor: the VCRT drains after the drill" within 30 drained SYSA
