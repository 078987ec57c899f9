#!/bin/sh
# outage.sh - the outage that a client sees when a dynamic VIPA loses its owner: from the last answer to the next answer of a new
# connection. build/outage asks for /status every 5 ms, each time on a connection of its own, and stamps in microseconds. A third
# host listens to ARP. Every row is so many trials, each on a sysplex of four that has come to rest. The rows beside run at the same
# time as those of the sysplex, so that both kinds are measured on the same machine under the same load.
#
#   row            what happens to the owner, SYSA                     who answers then
#   stopped        P TCPIP                                             SYSB, the highest rank
#   left           V TCPIP,,SYSPLEX,LEAVEGROUP                         SYSB
#   killed         SIGKILL of its emulator                             SYSB, after SYSA is isolated
#   frozen         SIGSTOP of its emulator; woken when SYSB answers    SYSB, after INTERVAL; SYSA never again
#   card           SIGKILL of the OSA card that answers ARP for it     SYSA, through its other OSA
#   card back      that card restarted                                 SYSA
#   planned        it comes back (IPL, S TCPIP, JOINGROUP) and takes   SYSA; no connection is lost
#                  back what it defines
#   vrrp D ...     the same of two Linux hosts with keepalived beside it, advertisements every D seconds: SIGTERM, the host's
#                  cable pulled (killed), the host cut off without noticing (frozen; then joined again), and the preferred one back
#
#   tests/bench/outage.sh [TRIALS]        20 of each. Bars: killed <= 150 ms median; frozen <= INTERVAL + 150 ms in each trial; never two
#                                         owners in any row of the sysplex; planned: no connection lost. Exit 1 if one is missed.
#
# A trial of each row in turn, so that what else the machine does falls on all of them; none is begun after OUTAGE_SECONDS (840).
# Environment: OUTAGE_ROWS ("stopped left killed frozen card vrrp"; planned and card back come with them), OUTAGE_INTERVAL (as
# shipped), OUTAGE_BESIDE (trials of the rows beside), OUTAGE_STEPS=1 (under each trial who saw, decided, isolated, announced and
# answered first, in ms after the event), PLEX390_HERCULES, PLEX390_KEEP (logs of each trial are kept, with what the client's LAN
# carried). Columns "late" and "two" are the judge's (outage_main.c); "arp": trials in which the third host heard the former owner's
# MAC after the new one's, or does not have the new one's in its table at the end. "claim": from the event to the first ARP of the new
# owner's MAC; what is left of the gap is between the client and who answers it.
set -u
. "$(dirname "$0")/../boot/lib.sh"
have_modules || { echo "SKIP no device module was built"; exit 77; }
trials=${1:-20}
until=$(($(date +%s) + ${OUTAGE_SECONDS:-840}))
time_left() { [ "$(date +%s)" -lt "$until" ]; }
rows=${OUTAGE_ROWS:-stopped left killed frozen card vrrp}
outage=$root/build/outage
vip=10.1.1.80 # VIPADEFINE MOVEABLE IMMEDIATE on SYSA, VIPABACKUP on the others
lab_begin PLEX1
results=$tmp/rows
mkdir "$tmp/configs" "$results"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
c=$tmp/configs/PLEX1
[ -z "${OUTAGE_INTERVAL:-}" ] || sed -i "s/INTERVAL([0-9]*)/INTERVAL($OUTAGE_INTERVAL)/" "$c/parmlib/COUPLE00"
interval=$(sed -n 's/.*[^A-Z]INTERVAL(\([0-9]*\)).*/\1/p' "$c/parmlib/COUPLE00")
# A second card: SYSA has both, SYSB has that one only, so that a takeover shows in ARP tables.
mac1=02:00:5a:00:00:01 mac2=02:00:5a:00:00:02
second='{ device = 0x0E10; card = "OSA2"; mode = "qdio"; }'
sed -i "s|^  { name = \"OSA1\"; mac.*|&,\n  { name = \"OSA2\"; mac = \"$mac2\"; chpid = \"osd\"; mtu = 8992; }|
/name = \"SYSA\"/,/}/s|osa = ( \(.*\) );|osa = ( \1, $second );|
/name = \"SYSB\"/,/}/s|osa = (.*);|osa = ( $second );|" "$c/plex.conf"
cat >>"$c/vtamlst/OSATRL" <<'X'
OSA2T    TRLE  LNCTL=MPC,MPCLEVEL=QDIO,READ=(0E10),WRITE=(0E11),
               DATAPATH=(0E12),PORTNAME=OSA2
OSA2T    TRLE  LNCTL=MPC,MPCLEVEL=QDIO,READ=(0E10),WRITE=(0E11),
               DATAPATH=(0E12),PORTNAME=OSA2
X
cat >"$c/tcpparms/DEV0A" <<'X'
DEVICE OSA1    MPCIPA NONROUTER AUTORESTART
LINK   OSALNK1 IPAQENET OSA1
DEVICE OSA2    MPCIPA NONROUTER AUTORESTART
LINK   OSALNK2 IPAQENET OSA2
HOME
    10.1.1.1    OSALNK1
    10.1.1.11   OSALNK2
BEGINROUTES
    ROUTE 10.1.1.0  255.255.255.0  =   OSALNK1 MTU 8992
    ROUTE 10.1.1.0  255.255.255.0  =   OSALNK2 MTU 8992
ENDROUTES
START OSA2
X
sed -i 's/OSA1 /OSA2 /; s/OSA1$/OSA2/' "$c/tcpparms/DEV0B"
sed -i 's/^START OSA1$//' "$c/tcpparms/PROFILE"
for s in A C D; do echo 'START OSA1' >>"$c/tcpparms/DEV0$s"; done
echo 'START OSA2' >>"$c/tcpparms/DEV0B"

# ---- hosts beside the client: a network namespace each, on the plex's LAN ----

hosts=
# The exit status is what it was before: who has gone already cannot be ended.
end_hosts() {
    rc=$?
    for p in $hosts; do kill "$p" 2>/dev/null; done
    (exit $rc)
    lab_end
}
trap end_hosts EXIT
# What runs in the background here dies with this script, even if that is killed: the kernel's word, given behind `client`, whose
# change of namespaces would forget it.
bound() { exec "$plex390" client setpriv --pdeathsig KILL "$@"; }
# NAME ADDRESS: its number in $NAME. `client` becomes setpriv, that unshare, and that the sleeper, so $! is the host.
host() {
    bound unshare -n sleep infinity &
    eval "$1=$!"
    hosts="$hosts $!"
    sleep 0.3
    client ip link add "v$1" type veth peer name eth0 netns "$!" && client ip link set "v$1" master plexlan up &&
        inside "$!" ip addr add "$2/24" dev eth0 && inside "$!" ip link set eth0 up && inside "$!" ip link set lo up
}
inside() {
    p=$1
    shift
    "$plex390" client nsenter -n"/proc/$p/ns/net" "$@"
}
# Ends what runs in the background under the number $1, and waits until it has.
finish() { kill "$1" 2>/dev/null; wait "$1" 2>/dev/null; }

# ---- one trial ----

# Prober and witness run; answers before anything happens.
watch() {
    bound "$outage" probe "$1" 80 "$tmp/log" &
    prober=$!
    bound nsenter -n"/proc/$third/ns/net" "$outage" arp eth0 "$1" "$tmp/arp" &
    witness=$!
    hosts="$hosts $prober $witness"
    if [ -n "${OUTAGE_STEPS:-}" ]; then
        bound "$outage" lines "$tmp/lines" "$PLEX390_RUN"/PLEX1/*.log &
        stamper=$!
        hosts="$hosts $stamper"
    fi
    if [ -n "${PLEX390_KEEP:-}" ]; then
        bound dumpcap -q -s 96 -i plexlan -w "$tmp/pcap" -f 'arp or tcp port 80' 2>/dev/null &
        capture=$!
        hosts="$hosts $capture"
    fi
    sleep 0.4
    inside "$third" ping -c1 -W1 "$1" >/dev/null 2>&1
    since=$("$outage" now)
}
# An answer by $1 to a connection that was begun $2 us after the event.
answered_by() { awk -v s="$((since + $2))" -v w="$1" '$1 > s && $3 == w {f = 1} END {exit !f}' "$tmp/log"; }
unwatch() {
    finish "$prober"
    finish "$witness"
    [ -z "${capture:-}" ] || finish "$capture"
    [ -z "${stamper:-}" ] || finish "$stamper"
}
# Does the third host have the MAC $2 for $1, and has nobody else claimed it after that MAC did?
arp_right() {
    inside "$third" ip neigh show "$1" | grep -qi "lladdr $2" &&
        awk -v s="$since" -v m="$2" '$1 > s && $3 == m {n = 1} $1 > s && n && $3 != m {bad = 1} END {exit bad}' "$tmp/arp"
}
# From the event to the first claim of the MAC $1, in microseconds; 0 if it was the address's all the time.
claimed() { awk -v s="$since" -v m="$1" '$1 > s && $3 == m {print $1 - s; f = 1; exit} END {if (!f) print 0}' "$tmp/arp"; }
# MAC OLD: the steps of a move in the order of time, each once for each file that tells of it, in ms after the event.
steps() {
    {
        awk -v s="$since" '
            /IXC446I/ {w = "silent"} /IXC101I/ {w = "isolates"} /EZZ8301I/ {w = "takes over"} /IXC402D/ {w = "asks"}
            $2 !~ /^SYS/ && / isolated/ {w = "isolated"}
            $1 > s && w != "" && !seen[$2, w]++ {print $1 - s, $2, w}
            {w = ""}' "$tmp/lines"
        awk -v s="$since" -v m="$1" '$1 > s && $3 == m {print $1 - s, "ARP", "names it"; exit}' "$tmp/arp"
        awk -v s="$since" -v o="$2" '$1 > s && $3 != o && $3 !~ /^-/ {print $2 - s, $3, "answers"; exit}' "$tmp/log"
    } | sort -n | awk '{t = $1 / 1000; sub(/^[^ ]* /, ""); printf "%s%s %.1f", NR == 1 ? "      " : ", ", $0, t} END {print ""}'
}
# The connections that were lost, by the way they were.
losses() { awk -v s="$since" '$1 > s && $3 ~ /^-/ {n[$3]++} END {for (k in n) printf ", %d %s", n[k], substr(k, 2)}' "$tmp/log"; }
# ROW OLD ADDRESS MAC: takes down what the judge says.
verdict() {
    if line=$("$outage" judge "$tmp/log" "$since" "$2"); then
        arp_right "$3" "$4" && a=0 || a=1
        echo "$line $a $(claimed "$4")" >>"$results/$1"
        printf '   %-16s %s arp %s%s\n' "$1" \
            "$(echo "$line $(claimed "$4")" | awk '{printf "%9.1f ms %s -> %s claim %.1f late %d two %d lost %d slow %d of %d", $1 / 1000, $2, $3, $9 / 1000, $4, $5, $6, $7, $8}')" \
            "$a" "$(losses)"
        [ -z "${OUTAGE_STEPS:-}" ] || steps "$4" "$2"
        if [ -n "${PLEX390_KEEP:-}" ]; then
            n_kept=$(wc -l <"$results/$1")
            cp "$tmp/log" "$results/log.$1.$n_kept"
            cp "$tmp/arp" "$results/arp.$1.$n_kept"
            mv "$tmp/pcap" "$results/pcap.$1.$n_kept"
        fi
        return 0
    fi
    echo "   $1: nobody answered any more"
    failures=$((failures + 1))
    return 1
}
# ROW NEW AFTER_US COMMAND...: the event, until NEW answers, and half a second more. The prober ends when its last connection has.
trial() {
    row=$1 new=$2 after=$3
    shift 3
    "$@" >"$tmp/event" 2>&1 || { echo "   $row: '$*' failed:"; cat "$tmp/event"; }
    within $((interval + 15)) answered_by "$new" "$after"
    sleep 0.5
}
# The sysplex at rest: SYSA serves, the others back it up.
status_of() { client curl -sS --connect-timeout 0.3 --max-time 1 "http://$1/status" 2>/dev/null | sed -n 's/^SYSTEM //p' | tr -d '\r'; }
settled() {
    [ "$(status_of "$vip")" = SYSA ] || return 1
    cmd SYSC "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$vip" >"$tmp/group" 2>&1
    [ "$(grep -c 'SYSA *ACTIVE\|SYS[BCD] *BACKUP' "$tmp/group")" = 4 ]
}
rest() { within 30 settled || { echo "the sysplex did not come to rest:"; cat "$tmp/group"; exit 1; }; }
back() {
    watch "$vip"
    trial planned SYSA 0 "$@"
    unwatch
    verdict planned SYSB "$vip" $mac1
}
frozen() {
    "$plex390" freeze SYSA
    within $((interval + 15)) answered_by SYSB 0
    "$plex390" thaw SYSA
    sleep 1
}

sysplex_row() {
    rest
    watch "$vip"
    case $1 in
    stopped) trial stopped SYSB 0 cmd SYSA 'P TCPIP' ;;
    left) trial left SYSB 0 cmd SYSA 'V TCPIP,,SYSPLEX,LEAVEGROUP' ;;
    killed) trial killed SYSB 0 "$plex390" kill SYSA ;;
    frozen) trial frozen SYSB 0 frozen ;;
    card) trial card SYSA 1000000 "$plex390" kill OSA1 ;;
    esac
    unwatch
    verdict "$1" SYSA "$vip" $mac2 || return 1
    case $1 in
    stopped)
        within 15 grep -a -q EZZ4201I "$PLEX390_RUN/PLEX1/SYSA.log"
        back cmd SYSA 'S TCPIP'
        ;;
    left) back cmd SYSA 'V TCPIP,,SYSPLEX,JOINGROUP' ;;
    killed) back "$plex390" ipl SYSA ;;
    frozen)
        "$plex390" kill SYSA >/dev/null
        back "$plex390" ipl SYSA
        ;;
    card)
        watch "$vip"
        trial 'card back' SYSA 3000000 "$plex390" ipl OSA1
        unwatch
        verdict 'card back' SYSA "$vip" $mac1
        ;;
    esac
}

# ---- beside it: keepalived ----

# Each delay has hosts, an address and a router number of its own, and both are measured at the same time.
keepalived_conf() {
    cat <<X
global_defs {
    vrrp_version 3
    router_id $1
}
vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id $vrid
    priority $2
    advert_int $3
    virtual_ipaddress {
        $kvip/24
    }
}
X
}
# NAME PRIORITY: its process's number in $daemon_NAME.
keepalived_start() {
    eval "p=\$$1"
    keepalived_conf "$1" "$2" "$delay" >"$tmp/$1.conf"
    bound nsenter -n"/proc/$p/ns/net" keepalived -n -l -P -f "$tmp/$1.conf" -p "$tmp/$1.pid" -r "$tmp/$1.vrrp" \
        >"$tmp/$1.log" 2>&1 &
    eval "daemon_$1=$!"
    hosts="$hosts $!"
}
served_by() { [ "$(status_of $kvip)" = "$1" ]; }
vrrp_back() {
    watch $kvip
    trial "vrrp $delay planned" LNXA 0 "$@"
    unwatch
    verdict "vrrp $delay planned" LNXB $kvip "$maca"
}
vrrp_trial() {
    within 20 served_by LNXA || { echo "   keepalived did not come to rest"; cat "$tmp/$first.log"; return 1; }
    sleep "$delay"
    watch $kvip
    case $1 in
    stopped) trial "vrrp $delay stopped" LNXB 0 eval "finish \"\$daemon_$first\"" ;;
    killed) trial "vrrp $delay killed" LNXB 0 client ip link set "v$first" down ;;
    frozen)
        trial "vrrp $delay frozen" LNXB 0 client ip link set "v$first" nomaster
        client ip link set "v$first" master plexlan # awake it believes that it is the master still
        sleep 1
        ;;
    esac
    unwatch
    verdict "vrrp $delay $1" LNXA $kvip "$macb"
    case $1 in
    stopped) vrrp_back keepalived_start "$first" 150 ;;
    killed) vrrp_back client ip link set "v$first" up ;;
    frozen) within 20 served_by LNXA ;;
    esac
}
mac_of() { inside "$1" ip -o link show eth0 | sed -n 's|.*link/ether \([0-9a-f:]*\).*|\1|p'; }
# DELAY NUMBER
vrrp_rows() {
    delay=$1 vrid=5$2 kvip=10.1.1.9$2 first=ka$2 other=kb$2 tmp=$tmp/beside$2
    mkdir "$tmp"
    host "$first" "10.1.1.10$2" && host "$other" "10.1.1.11$2" || { echo "SKIP no namespaces for keepalived"; return 0; }
    eval "maca=\$(mac_of \"\$$first\") macb=\$(mac_of \"\$$other\")"
    for x in $first:LNXA $other:LNXB; do
        eval "p=\$${x%:*}"
        bound nsenter -n"/proc/$p/ns/net" "$outage" serve 0.0.0.0 80 "${x#*:}" &
        hosts="$hosts $!"
    done
    keepalived_start "$first" 150
    keepalived_start "$other" 100
    n=0
    while [ $n -lt "${OUTAGE_BESIDE:-$trials}" ] && time_left; do
        n=$((n + 1))
        for kind in stopped killed frozen; do
            vrrp_trial $kind || return 0
        done
    done
    eval "finish \"\$daemon_$first\"; finish \"\$daemon_$other\""
}

# ---- all rows ----

"$plex390" up PLEX1 >"$tmp/up" 2>&1 || { cat "$tmp/up"; exit 1; }
on_lan || { echo "SKIP no LAN namespace here"; exit 77; }
host third 10.1.1.253 || { echo "SKIP no namespace for a third host"; exit 77; }
echo "machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
beside=
case " $rows " in
*" vrrp "*)
    if command -v keepalived >/dev/null; then
        vrrp_rows 0.1 1 &
        beside=$!
        vrrp_rows 1 2 &
        beside="$beside $!"
        hosts="$hosts $beside"
    else
        echo "SKIP keepalived is not installed: no rows beside"
    fi
    ;;
esac
n=0
while [ $n -lt "$trials" ] && time_left; do
    n=$((n + 1))
    for r in $rows; do
        [ "$r" = vrrp ] || sysplex_row "$r"
    done
done
for p in $beside; do wait "$p"; done

# FILE: trials, median, p90 and maximum of the gap in ms, the sums of the other columns, and the median claim in ms.
sums() {
    claim=$(awk '{print $10}' "$1" | sort -n | awk '{c[NR] = $1} END {printf "%.1f", c[int((NR + 1) / 2)] / 1000}')
    sort -n "$1" | awk -v c="$claim" '{g[NR] = $1 / 1000; late += $4; two += $5; lost += $6; slow += $7; arp += $9}
        END {m = NR % 2 ? g[(NR + 1) / 2] : (g[NR / 2] + g[NR / 2 + 1]) / 2
             q = int(NR * 0.9 + 0.999); printf "%d %.1f %.1f %.1f %d %d %d %d %d %s", NR, m, g[q], g[NR], late, two, lost, slow, arp, c}'
}
echo
printf '%-18s %6s %10s %10s %10s %6s %5s %6s %6s %5s %9s\n' row trials 'median ms' 'p90 ms' 'max ms' late two lost slow arp 'claim ms'
for r in stopped left killed frozen card 'card back' planned 'vrrp 1 stopped' 'vrrp 1 killed' 'vrrp 1 frozen' 'vrrp 1 planned' \
    'vrrp 0.1 stopped' 'vrrp 0.1 killed' 'vrrp 0.1 frozen' 'vrrp 0.1 planned'; do
    [ -s "$results/$r" ] || continue
    # shellcheck disable=SC2046 # words are wanted
    set -- $(sums "$results/$r")
    printf '%-18s %6s %10s %10s %10s %6s %5s %6s %6s %5s %9s\n' "$r" "$@"
done
for r in stopped left killed frozen card 'card back' planned; do
    [ -s "$results/$r" ] || continue
    # shellcheck disable=SC2046 # words are wanted
    set -- $(sums "$results/$r")
    bar=$((interval * 1000 + 150))
    case $r in
    killed) ok "killed: median of $2 ms within 150 ms" awk -v m="$2" 'BEGIN {exit !(m <= 150)}' ;;
    frozen) ok "frozen: $4 ms at most, within $bar ms" awk -v m="$4" -v b="$bar" 'BEGIN {exit !(m <= b)}' ;;
    esac
    case $r in
    planned) ok "planned: $7 connections lost, $6 answers by two owners" test "$6$7" = 00 ;;
    frozen) ok "frozen: $5 answers of the former owner after the new one's, $9 trials with wrong ARP" test "$5$9" = 00 ;;
    *) ok "$r: $6 answers by two owners, $9 trials with wrong ARP" test "$6$9" = 00 ;;
    esac
done
