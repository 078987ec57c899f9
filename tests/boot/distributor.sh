#!/bin/sh
# distributor.sh - the sysplex distributor on four LPARs: one address, real clients on the LAN.
#
#   spread      connections are spread over four systems as VIPADISTRIBUTE ROUNDROBIN says, to within 2 %
#   displays    NETSTAT VDPT, VCRT, D TCPIP,,SYSPLEX,VIPADYN; tables drain
#   quiesce     by TARGET, PORT, JOBNAME and JOBNAME with ASID: it gets nothing new, what it serves goes on, other ports and jobs are not meant
#   listener    a server that stops and starts is known at the routing stack at once
#   changes     under 50 connections and four transfers: the routing stack itself is quiesced, the address goes and comes back (DEACTIVATE, REACTIVATE),
#               the distribution is deleted and defined again, a target's TCP/IP stops and starts: nobody notices but its clients
#   methods     HOTSTANDBY: to the preferred one, the backup of the highest rank, and back; by OBEYFILE
#   responsive  a target whose answers do not reach the clients loses its weight (CER), in the end all of it: only probes go there; it has it back
#   affinity    TIMEDAFFINITY: a client stays with its server, and has another one when it is over
#   begun here  OPTLOCAL, SYSPLEXPORTS, FTP's active and passive data
#   hold        a server that accepts late loses weight, one that accepts nothing gets no connection; it has both back when it recovers
#   refused     no ready target: RST at once
#   policy      the Policy Agent's rule sends the LAN's clients to SYSB and SYSC; a member with errors is refused; P PAGENT ends it;
#               rules by the time of day; losses of a target, and time-outs, take a fraction off its weight
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

# SHOP is a second HTTPD whose queue holds eight; weights are made every two seconds.
printf 'GLOBALCONFIG SYSPLEXWLMPOLL 2\nPORT 8081 TCP SHOP\n' >>"$parms/PROFILE"
sed -i "s/^ENDVIPA/  VIPADISTRIBUTE DEFINE DISTMETHOD BASEWLM $vip PORT 8081 DESTIP ALL\nENDVIPA/" "$parms/VIPA0A"

# The web servers bear clients that say nothing for as long as a busy machine takes.
sed -i "s/^    HTTPD\$/    HTTPD PARMSTRING 'IDLE=300'/" "$parms/PROFILE"
# HTTPD under another name, at the DVIPA alone; the first VIPADISTRIBUTE shares its ports. What OBEYFILE changes later:
printf 'PORT 8082 TCP PASV BIND %s\n' $vip >>"$parms/PROFILE"
sed -i "s/DISTMETHOD ROUNDROBIN $vip/DISTMETHOD ROUNDROBIN SYSPLEXPORTS\n    $vip/" "$parms/VIPA0A"
change() { printf 'VIPADYNAMIC\n  VIPADISTRIBUTE DEFINE DISTMETHOD %s\n    %s PORT %s DESTIP %s\nENDVIPADYNAMIC\n' "$2" $vip "$3" "$4" >"$parms/$1"; }
change DISTHOT HOTSTANDBY 80 '193.9.200.3 PREFERRED
    193.9.200.4 BACKUP 200 193.9.200.2 BACKUP 100'
change DISTALL 'ROUNDROBIN SYSPLEXPORTS' 80 ALL
change DISTAFF 'ROUNDROBIN TIMEDAFFINITY 1' 8081 ALL
change DISTLOC 'ROUNDROBIN SYSPLEXPORTS OPTLOCAL 0' 5001 ALL
printf 'VIPADYNAMIC\n  VIPADISTRIBUTE DELETE %s\nENDVIPADYNAMIC\n' $vip >"$parms/DISTNONE"
cat >"$parms/DISTLIST" <<END
VIPADYNAMIC
  VIPADISTRIBUTE DEFINE DISTMETHOD ROUNDROBIN SYSPLEXPORTS
    $vip PORT 80 5001
    DESTIP 193.9.200.1 193.9.200.2 193.9.200.3 193.9.200.4
  VIPADISTRIBUTE DEFINE DISTMETHOD BASEWLM $vip PORT 8081 DESTIP ALL
ENDVIPADYNAMIC
END
# One rule for this hour, one for a later one; what is lost takes 25 % for each full per cent.
hour() { date -u -d "$1 minutes" +%H:%M; }
cat >"$parms/PAGNOW" <<END
PolicyPerfMonitorForSDR Enable
{
  SamplingInterval 5
  LossRatioAndWeightFr 10 25
}
PolicyAction Bronze
{
  OutboundInterface 193.9.200.2
}
PolicyAction Gold
{
  OutboundInterface 193.9.200.3
}
PolicyRule Now
{
  PolicyActionReference Bronze
  ForLoadDistribution TRUE
  TimeOfDayRange $(hour -60)-$(hour +60)
}
PolicyRule Later
{
  PolicyActionReference Gold
  ForLoadDistribution TRUE
  PolicyRulePriority 10
  TimeOfDayRange $(hour +120)-$(hour +180)
}
END
# Of a target for which only time-outs count: 10 % for each full per mille.
printf 'PolicyPerfMonitorForSDR Enable\n{\n  SamplingInterval 5\n  TimeoutRatioAndWeightFr 1 10\n}\n' >"$parms/PAGTMO"

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
says() { answer_has "$1" "$2" "$3"; }
vary() { says SYSC "V TCPIP,,SYSPLEX,$1" "$2"; }
without() { for i in 1 2 3 4 5 6; do served; done >"$tmp/who"; cat "$tmp/who"; ! grep -q "$1" "$tmp/who" && [ "$(sort -u "$tmp/who" | wc -l)" = 3 ]; }
all_four() { for i in 1 2 3 4; do served; done >"$tmp/who"; cat "$tmp/who"; [ "$(sort -u "$tmp/who" | wc -l)" = 4 ]; }
# Four transfers, one on each system, stand while SYSC is quiesced: each goes on when its pipe has a reader.
slow_begin() {
    slow=
    for i in 1 2 3 4; do
        [ -p "$tmp/slow.$i" ] || mkfifo "$tmp/slow.$i"
        client curl -s -m 300 "http://$vip/bulk/8388608" -o "$tmp/slow.$i" -w '%{http_code} %{size_download}\n' >"$tmp/slowed.$i" &
        slow="$slow $!"
    done
    within 30 has_rows 4
}
has_rows() { [ "$(rows SYSA)" -ge "$1" ]; }
# shellcheck disable=SC2086 # one number each
slow_whole() { for i in 1 2 3 4; do timeout 60 cat "$tmp/slow.$i" >/dev/null & slow="$slow $!"; done; wait $slow; cat "$tmp"/slowed.?; [ "$(cat "$tmp"/slowed.? | grep -c '^200 8388608$')" = 4 ]; }
asid() { cmd SYSC "D A,$1" | sed -n 's/.* A=\([0-9A-F]*\) .*/\1/p' | tail -n 1; }
ok "distributor: four transfers are under way" slow_begin
for scope in TARGET PORT=80 JOBNAME=HTTPD "JOBNAME=HTTPD,ASID=$(asid HTTPD)"; do
    ok "distributor: QUIESCE,$scope on SYSC" vary "QUIESCE,$scope" EZD1198I
    ok "distributor: three targets of port 80 are ready" within 5 ready SYSA 80 3
    # Only TARGET means the server of port 5001, too.
    ok "distributor: of port 5001 those who are meant" within 5 ready SYSA 5001 "$([ "$scope" = TARGET ] && echo 3 || echo 4)"
    ok "distributor: SYSC gets nothing, the others do" without SYSC
    ok "distributor: VDPT says QUIESCED" says SYSA "D TCPIP,,NETSTAT,VDPT,DETAIL,PORT=80,MAX=*" "ACTIVECONN: .*  QUIESCED"
    ok "distributor: RESUME,$scope" vary "RESUME,$scope" EZD1199I
    ok "distributor: four are ready again" within 5 ready SYSA 80 4
done
ok "distributor: an ASID that HTTPD does not have is refused" vary QUIESCE,JOBNAME=HTTPD,ASID=FFFF "NO JOB OF THIS NAME"
ok "distributor: RESUME of what is not quiesced is refused" vary RESUME,PORT=80 "IT IS NOT QUIESCED"
ok "distributor: what SYSC served meanwhile is whole" slow_whole
ok "distributor: HTTPD of SYSD is stopped" cmd SYSD 'P HTTPD'
ok "distributor: the routing stack knows" within 3 ready SYSA 80 3
ok "distributor: and started" cmd SYSD 'S HTTPD'
ok "distributor: the routing stack knows" within 3 ready SYSA 80 4

# ---- changes under connections ----
obey() { answer_has SYSA "V TCPIP,,OBEYFILE,TCPIP.TCPPARMS($1)" EZZ0053I; }
only() { for i in 1 2 3 4 5 6; do served; done >"$tmp/who"; cat "$tmp/who"; [ "$(sort -u "$tmp/who")" = "$1" ]; }
waiting() {
    # By its own number, for the command that began it ends before it; and two minutes at most.
    client sh -c 'echo $$ >"$1/waiting"; exec "$2/build/waiter" "$3" 80 46 120' sh "$tmp" "$root" $vip >"$tmp/waiter" 2>&1 &
    within 20 grep -q waiting "$tmp/waiter" && within 10 has_rows 50
}
# What D TCPIP,,SYSPLEX,VIPADYN says SYSA and SYSB are to the address' distribution.
dist_is() {
    cmd SYSC "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$vip" >"$tmp/vipadyn"; cat "$tmp/vipadyn"
    for s in A B; do sed -n "s/.* SYS$s  *[A-Z].*\.0  *\([A-Z]*\) *\$/\1/p; s/.* SYS$s  *BACKUP [0-9]* *\([A-Z]*\) *\$/\1/p" "$tmp/vipadyn"; done | tr '\n' ' ' >"$tmp/dist"
    [ "$(cat "$tmp/dist")" = "$1 $2 " ]
}
# The sum of ACTIVECONN of port 80 is the number of clients that stand and are not SYSD's.
counted_again() {
    n=$(cmd SYSA "D TCPIP,,NETSTAT,VDPT,DETAIL,PORT=80,MAX=*" | awk '/ACTIVECONN:/ {n += $2} END {print n + 0}')
    stands=$(awk '$1 == "open" && $3 != "SYSD"' "$tmp/waiter" | wc -l)
    echo "$n are counted, $stands stand"
    [ "$n" = "$stands" ]
}
ended() { [ "$(grep -c '^end ' "$tmp/waiter")" = "$(grep -c '^open .*SYSD' "$tmp/waiter")" ]; }
ended_are_d() { cat "$tmp/waiter"; [ "$(grep -c '^end .*SYSD' "$tmp/waiter")" -ge 10 ] && ! grep '^end' "$tmp/waiter" | grep -v SYSD; }
ok "distributor: four transfers are under way" slow_begin
ok "distributor: and 46 clients wait" waiting
ok "distributor: QUIESCE,TARGET on the routing stack itself" says SYSA "V TCPIP,,SYSPLEX,QUIESCE,TARGET" EZD1198I
ok "distributor: SYSA gets nothing, and routes" without SYSA
ok "distributor: DEACTIVATE of the address" says SYSA "V TCPIP,,SYSPLEX,DEACTIVATE,DVIPA=$vip" EZD1197I
ok "distributor: SYSB owns it" within 10 owner_is SYSB
ok "distributor: and gives SYSA nothing, which is quiesced" within 10 ready SYSB 80 3
ok "distributor: NETSTAT VIPADCFG shows what SYSA would distribute" says SYSA "D TCPIP,,NETSTAT,VIPADCFG" "FLG: INACTIVE"
ok "distributor: RESUME,TARGET is known at SYSB" says SYSA "V TCPIP,,SYSPLEX,RESUME,TARGET" EZD1199I
ok "distributor: four targets are ready there" within 5 ready SYSB 80 4
ok "distributor: REACTIVATE" says SYSA "V TCPIP,,SYSPLEX,REACTIVATE,DVIPA=$vip" EZD1189I
ok "distributor: SYSA owns it" within 10 owner_is SYSA
ok "distributor: and routes to four" within 10 ready SYSA 80 4
ok "distributor: everybody serves" all_four
ok "distributor: DELETE of all distribution by OBEYFILE" obey DISTNONE
ok "distributor: SYSA distributes no more; who has connections is a target until they end" within 5 dist_is DEST DEST
ok "distributor: SYSA serves what comes" only SYSA
ok "distributor: what was served before is whole" slow_whole
ok "distributor: TCP/IP of SYSD stops" "$plex390" cmd -w EZZ4201I SYSD 'P TCPIP'
ok "distributor: its clients hear of it" within 10 ended
ok "distributor: DEFINE again, by names, one of which is not there" obey DISTLIST
ok "distributor: three targets are ready" within 10 ready SYSA 80 3
ok "distributor: SYSA distributes again" within 5 dist_is BOTH DEST
ok "distributor: who stood all the time is counted again" within 10 counted_again
ok "distributor: TCP/IP of SYSD starts" cmd SYSD 'S TCPIP'
ok "distributor: the target that was not there joins" within 30 ready SYSA 80 4
ok "distributor: and serves" within 10 all_four
ok "distributor: all others have noticed nothing" ended_are_d
kill "$(cat "$tmp/waiting")"
ok "distributor: the VCRT drains" within 30 drained SYSA

# ---- methods ----
ok "distributor: HOTSTANDBY by OBEYFILE" obey DISTHOT
ok "distributor: SYSC, the preferred one, gets everything" within 5 only SYSC
ok "distributor: its HTTPD is stopped" cmd SYSC 'P HTTPD'
ok "distributor: SYSD, of the higher rank, gets everything" within 5 only SYSD
ok "distributor: and started" cmd SYSC 'S HTTPD'
ok "distributor: SYSC gets everything again" within 5 only SYSC
ok "distributor: ROUNDROBIN by OBEYFILE" obey DISTALL
ok "distributor: everybody serves" within 5 all_four

# ---- hold ----
# "tcsr cer sef weight W/Q" of the SHOP of system $1 (4 is SYSD) as the routing stack shows them.
shop() {
    cmd SYSA "D TCPIP,,NETSTAT,VDPT,DETAIL,PORT=8081,MAX=*" | awk '/ 193\.9\.200\./ {c = / 193\.9\.200\.'"$1"' /; if (c) w = $(NF - 2)}
        c && /TCSR:/ {for (i = 1; i < NF; i++) {if ($i == "TCSR:") t = $(i + 1); if ($i == "CER:") e = $(i + 1); if ($i == "SEF:") s = $(i + 1)}}
        c && /W\/Q:/ && !q {for (i = 1; i < NF; i++) if ($i == "W/Q:") q = $(i + 1)} END {print t + 0, e + 0, s + 0, w + 0, q + 0}' >"$tmp/shop"
    cat "$tmp/shop"
}
shop_is() { shop "${2:-3}"; awk "{tcsr = \$1; cer = \$2; sef = \$3; wlm = \$4; wq = \$5} END {exit !($1)}" "$tmp/shop"; }
# $1 clients that wait for SHOP at $2; the last wait of all takes them in.
queue_up() {
    for i in $(seq "$1"); do client curl -s -m 40 -o /dev/null "http://$2:8081/status" & waiters="$waiters $!"; done
}
shops() { for i in $(seq "$1"); do client curl -s -m 5 "http://$vip:8081/status" | grep -a -o 'SYS[A-D]' | head -n 1; done >"$tmp/who"; cat "$tmp/who"; [ "$(wc -l <"$tmp/who")" = "$1" ]; }
shops_without_c() { shops 12 && ! grep -q SYSC "$tmp/who"; }
c_sells() { shops 4; grep -q SYSC "$tmp/who"; }
waiters=
for s in SYSA SYSB SYSC SYSD; do ok "distributor: SHOP starts on $s" within 5 cmd $s "S HTTPD,JOBNAME=SHOP,PARM='PORT=8081 BACKLOG=8'"; done
ok "distributor: four targets of port 8081 are ready" within 10 ready SYSA 8081 4
ok "distributor: SHOP of SYSC is responsive" within 10 shop_is "tcsr == 100 && cer == 100 && sef == 100 && wlm > 0 && wq > 0"
ok "distributor: F SHOP,HOLD" says SYSC "F SHOP,HOLD" PLX0407I
queue_up 6 10.1.1.3
ok "distributor: six of eight wait for it: SEF 50, half the weight" within 15 shop_is "sef == 50 && wq > 0 && wq <= wlm / 2 + 1"
queue_up 6 10.1.1.3
ok "distributor: its queue is full: SEF 0" within 15 shop_is "sef == 0"
ok "distributor: EZD1182I" within 5 grep -q "EZD1182I TARGET SERVER FOR $vip PORT 8081 AT TCPIP ON SYSC IS NOT RESPONSIVE" "$PLEX390_RUN/PLEX1/SYSA.log"
ok "distributor: it gets nothing, and nobody waits in vain" shops_without_c
ok "distributor: F SHOP,RELEASE" says SYSC "F SHOP,RELEASE" PLX0407I
ok "distributor: EZD1183I" within 15 grep -q "EZD1183I TARGET SERVER FOR $vip PORT 8081 AT TCPIP ON SYSC IS RESPONSIVE" "$PLEX390_RUN/PLEX1/SYSA.log"
ok "distributor: it has its weight back" within 15 shop_is "tcsr * cer * sef == 1000000 && wq >= wlm"
ok "distributor: and its customers" within 10 c_sells
# shellcheck disable=SC2086 # one number each
wait $waiters

# ---- responsiveness ----
# Clients at once, who wait for a second; so many that some of a report's are SYSD's.
knock() { for i in $(seq 40); do client curl -s -m 1 -o /dev/null "http://$vip:8081/status" & knocks="$knocks $!"; done; }
# shellcheck disable=SC2086 # one number each
knocking() { knocks=; knock; wait $knocks; }
knocked() { knocking; grep "$1 TARGET SERVER FOR $vip PORT 8081 AT TCPIP ON SYSD " "$PLEX390_RUN/PLEX1/SYSA.log"; }
nothing_comes() { knocking; shop_is 'cer == 0 && wq == 0' 4; }
# Connections that SYSD has had, probes that were ordered; of those one may have been waiting at first.
given() { totals SYSA 8081 | awk '$1 == "193.9.200.4" {print $2}'; cmd SYSA 'D TCPIP,,NETSTAT,STATS' | sed -n 's/^ *PROBES  *= \([0-9]*\)$/\1/p'; }
begin_given() { given >"$tmp/given"; [ "$(wc -l <"$tmp/given")" = 2 ]; }
only_probes() { knocking; given | paste -d ' ' "$tmp/given" - | awk '{print; d[NR] = $2 - $1} END {exit !(NR == 2 && d[1] >= 2 && d[1] <= d[2] + 1)}'; }
all_comes() { knocking; shop_is 'cer == 100 && wq >= wlm && wlm > 0' 4; }
ok "distributor: SYSD has no way to the clients" says SYSD "V TCPIP,,STOP,OSA1" EZZ
ok "distributor: its CER falls, EZD1182I" within 30 knocked EZD1182I
ok "distributor: to 0, and with it its weight, for nothing comes of what it is given" within 30 nothing_comes
ok "distributor: what the routing stack has given and ordered" begin_given
ok "distributor: it is given probes, at most one a report, and nothing else" within 30 only_probes
ok "distributor: SYSD has its way back" says SYSD "V TCPIP,,START,OSA1" EZZ
ok "distributor: a connection shows it, EZD1183I" within 60 knocked EZD1183I
ok "distributor: it has its weight back" within 60 all_comes

# ---- affinity ----
bound() { shops 6; bound=$(sort -u "$tmp/who"); [ "$(echo "$bound" | wc -l)" = 1 ]; }
ok "distributor: TIMEDAFFINITY by OBEYFILE" obey DISTAFF
ok "distributor: a client stays with its server" bound
affine=$(date +%s)

# ---- what targets begin ----
# job, system, BULKGET's parameters
get() { cmd "$2" "S BULKGET,JOBNAME=$1,PARM='$3'" >/dev/null; }
connected() { [ "$(grep -a -c "G[0-9] IS CONNECTED TO $2," "$PLEX390_RUN/PLEX1/$1.log")" = "$3" ]; }
each_one_more() { join "$tmp/t0" "$tmp/t1" | awk -v more="$1" '{print; n++; if ($3 - $2 != more) bad = 1} END {exit bad || n != 4}'; }
totals SYSA 5001 >"$tmp/t0"
for g in 1 2 3 4; do get G$g SYSB "HOST=$vip HOLD=60"; done
ok "distributor: NOOPTLOCAL: four connections of SYSB to the DVIPA" within 10 connected SYSB $vip 4
totals SYSA 5001 >"$tmp/t1"
ok "distributor: one on each system" each_one_more 1
ok "distributor: OPTLOCAL by OBEYFILE" obey DISTLOC
for g in 5 6; do get G$g SYSB "HOST=$vip"; done
ok "distributor: two more" within 10 connected SYSB $vip 6
totals SYSA 5001 >"$tmp/t0"
ok "distributor: stay on SYSB" says SYSB "D TCPIP,,NETSTAT,STATS" "^ *KEPT_LOCAL  *= 2"
ok "distributor: the routing stack knows nothing of them" each_one_more 0
whole() { grep -a "$1 READ 67108864 BYTES FROM $vip .* PATTERN OK" "$PLEX390_RUN/PLEX1/SYSB.log"; }
ok "distributor: 64 MB" within 30 whole G5
for g in 1 2 3 4 5 6; do cmd SYSB "P G$g" >/dev/null; done

# SYSPLEXPORTS, FTP's active data: four systems connect from the DVIPA to one server; what it answers finds each of them.
# By its own number, for the command that began it ends before it; and for a minute at most.
client sh -c 'echo $$ >"$1/server"; exec timeout 60 "$2/build/netbench" serve 10.1.1.254 5009 1' sh "$tmp" "$root" &
listens() { client cat /proc/net/tcp | grep -q ':1391 00000000:0000 0A'; }
within 5 listens
for s in A B C D; do get G7 SYS$s "HOST=10.1.1.254 PORT=5009 LOCAL=$vip HOLD=60"; done
all_connected() { for s in A B C D; do connected SYS$s 10.1.1.254 1 || { echo SYS$s; return 1; }; done; }
blocks() { for s in A B C D; do cmd SYS$s "D TCPIP,,NETSTAT,CONN,CLIENT=G7" | sed -n "s/.*$vip\.\.\([0-9]*\).*/\1/p" | head -n 1; done >"$tmp/ports"; cat "$tmp/ports"; [ "$(awk '{print int($1 / 64)}' "$tmp/ports" | sort -u | wc -l)" = 4 ]; }
ok "distributor: four systems connect from the DVIPA to one server" within 10 all_connected
ok "distributor: each from a port of a block of its own" blocks
shown_blocks() { cmd SYSA "D TCPIP,,SYSPLEX,PORTS,IPADDR=$vip" >"$tmp/ports"; cat "$tmp/ports"; [ "$(sed -n 's/.*TCPIP    \(SYS[A-D]\)  *0*[1-9][0-9]*-[0-9]*$/\1/p' "$tmp/ports" | sort -u | wc -l)" = 4 ]; }
ok "distributor: D TCPIP,,SYSPLEX,PORTS shows whose they are" within 5 shown_blocks
ok "distributor: the VCRT has those of targets" answer_has SYSA "D TCPIP,,NETSTAT,VCRT,MAX=*" "10.1.1.254 *0*5009 .*193\.9\.200\.4"
kill "$(cat "$tmp/server")"
for s in A B C D; do cmd SYS$s "P G7" >/dev/null; done

# FTP's passive data: a port of one target's own.
ok "distributor: a server of SYSC's own at the DVIPA" cmd SYSC "S HTTPD,JOBNAME=PASV,PARM='PORT=8082'"
passive() { client curl -s -m 5 "http://$vip:8082/status" | grep -a -o 'SYS[A-D]' | head -n 1 >"$tmp/who"; cat "$tmp/who"; [ "$(cat "$tmp/who")" = SYSC ]; }
ok "distributor: its clients are routed to it" within 5 passive
ok "distributor: it is stopped" cmd SYSC "P PASV"
refused() { client curl -s -m 5 -o /dev/null "http://$vip:$1/status"; rc=$?; echo "curl: $rc"; [ $rc = 7 ]; }
ok "distributor: and its port is refused" within 5 refused 8082

# ---- policy ----
only_b_and_c() { for i in 1 2 3 4 5 6; do served; done >"$tmp/who"; cat "$tmp/who"; [ "$(sort -u "$tmp/who" | tr -d '\n')" = SYSBSYSC ]; }
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
    mkfifo "$tmp/held"
    client curl -s -m 120 -o "$tmp/held" "http://$vip/bulk/8388608" & held=$!
    within 20 answer_has SYSA "D TCPIP,,NETSTAT,VCRT,DETAIL,MAX=*" "POLICYRULE:   Lan"; shown=$?
    timeout 60 cat "$tmp/held" >/dev/null
    wait "$held"
    return $shown
}
ok "distributor: NETSTAT VCRT shows who chose" held_by_rule
ok "distributor: P PAGENT" says SYSA "P PAGENT" "EZZ8773I PAGENT POLICIES PURGED FOR TCPIP: QOS"
ok "distributor: everybody serves again" all_four
ok "distributor: S PAGENT with rules by the hour" says SYSA "S PAGENT,PARM='CONFIG=TCPIP.TCPPARMS(PAGNOW)'" "EZZ8771I PAGENT CONFIG"
ok "distributor: NETSTAT SLAP: the later one is not active" says SYSA "D TCPIP,,NETSTAT,SLAP" "STATUS: INACTIVE"
ok "distributor: the present one sends everybody to SYSB" only SYSB
# "fraction" of SYSB's port 80 as the routing stack shows it.
fraction() { cmd SYSA "D TCPIP,,NETSTAT,VDPT,DETAIL,PORT=80,MAX=*" | awk '/ 193\.9\.200\./ {b = / 193\.9\.200\.2 /} b && /FRACTION:/ {print $NF + 0; exit}' >"$tmp/fraction"; cat "$tmp/fraction"; }
lossy() { client curl -s -m 2 -o /dev/null "http://$vip/bulk/4194304"; [ "$(fraction)" -gt 0 ]; }
no_loss() { [ "$(fraction)" = 0 ]; }
ok "distributor: S PAGENT on SYSB, whose losses count" says SYSB "S PAGENT,PARM='CONFIG=TCPIP.TCPPARMS(PAGNOW)'" "EZZ8771I PAGENT CONFIG"
ok "distributor: a bad wire" "$plex390" card OSA1 impair loss=5%
ok "distributor: what SYSB sends again takes a fraction off its weight" within 30 lossy
sed 's/^/   /' "$tmp/out"
ok "distributor: the wire is mended" "$plex390" card OSA1 impair off
ok "distributor: it has its weight back" within 30 no_loss

# A wire on which nothing gets through while a transfer stands: SYSB's time-outs, and no loss counts.
silence() {
    rm -f "$tmp/silent"
    client curl -s -m 3 --limit-rate 200k -o "$tmp/silent" "http://$vip/bulk/4194304" & held=$!
    within 2 test -s "$tmp/silent" && "$plex390" card OSA1 impair loss=100%
    wait "$held"
    "$plex390" card OSA1 impair off
}
late() { silence; within 8 fraction_counts; }
fraction_counts() { [ "$(fraction)" -gt 0 ]; }
ok "distributor: P PAGENT on SYSB" says SYSB "P PAGENT" EZZ8773I
ok "distributor: S PAGENT on SYSB, whose time-outs count" says SYSB "S PAGENT,PARM='CONFIG=TCPIP.TCPPARMS(PAGTMO)'" "EZZ8771I PAGENT CONFIG"
ok "distributor: time-outs take a fraction off its weight" within 30 late
sed 's/^/   /' "$tmp/out"
ok "distributor: it has its weight back" within 30 no_loss

# ---- no ready target; affinity is over ----
elsewhere() { [ $(($(date +%s) - affine)) -ge 8 ] && shops 1 && [ "$(cat "$tmp/who")" != "$bound" ]; }
ok "distributor: TIMEDAFFINITY is over: the client has another server" within 20 elsewhere
for s in SYSA SYSB SYSC SYSD; do ok "distributor: SHOP ends on $s" cmd $s "P SHOP"; done
ok "distributor: no target of port 8081 is ready" within 5 ready SYSA 8081 0
ok "distributor: nobody is ready: refused at once" refused 8081
