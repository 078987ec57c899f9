#!/bin/sh
# distributor.sh - the sysplex distributor on four LPARs: one address, real clients on the LAN.
#
#   spread      connections are spread over four systems as VIPADISTRIBUTE ROUNDROBIN says, to within 2 %
#   displays    NETSTAT VDPT, VCRT, D TCPIP,,SYSPLEX,VIPADYN; tables drain
#   quiesce     a target that is QUIESCEd gets nothing new
#   listener    a server that stops and starts is known at the routing stack at once
#   policy      the Policy Agent's rule sends the LAN's clients to SYSB and SYSC; a member with errors is refused; P PAGENT ends it
#
# The drill is drill.sh. Environment: PLEX390_HERCULES chooses the emulator; DIST_CONNECTIONS (1000).
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP distributor: no device modules are built"; exit 77; }
command -v curl >/dev/null || { echo "SKIP distributor: no curl"; exit 77; }
connections=${DIST_CONNECTIONS:-1000}
. "$(dirname "$0")/distplex.sh"
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

# Before and after in $tmp/t0 and $tmp/t1: each of four targets within 2 % of all of a quarter.
even() {
    join "$tmp/t0" "$tmp/t1" | awk '{d = $3 - $2; n++; sum += d; c[n] = d; print $1, d}
        END {bad = n != 4 || sum < '"$1"'; for (i in c) {off = c[i] - sum / 4; if (off < 0) off = -off; if (off > sum * 0.02) bad = 1}; exit bad}'
}

no_drops() {
    cmd SYSA "D TCPIP,,NETSTAT,STATS" >"$tmp/stats"
    grep -A99 "DISTRIBUTOR STATISTICS" "$tmp/stats" | grep -E "DROP_NO_TARGET|DROP_NO_ROW|DROP_NO_OWNER|VCRT_FULL" >"$tmp/drops"
    cat "$tmp/drops"
    [ "$(wc -l <"$tmp/drops")" = 4 ] && ! grep -v "= 0$" "$tmp/drops"
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
ok "distributor: NETSTAT STATS counts what was routed" answer_has SYSA "D TCPIP,,NETSTAT,STATS" "^ *ROUTED  *= [1-9]"
ok "distributor: and that nothing was lost for want of a target or a row" no_drops
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
