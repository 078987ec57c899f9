#!/bin/sh
# drill.sh - the sysplex distributor while systems are killed, frozen and brought back: what was served by a system that lived is whole,
# who was served by one that died hears of it at once, and the tables drain.
#
#   silent      clients that have sent everything and only read; the routing stack, which serves some of them, is killed, then frozen,
#               then killed together with the next owner in rank, which serves others
#   drill       rounds of four 64 MB transfers, one on each system; in each round a system is killed or frozen at random (sometimes two)
#               and returns while transfers are under way. A round takes about 20 s, most of it IPL.
#
# Judges: sha256 of each transfer; a capture of SYN, FIN, RST and ARP on the client's LAN, read by tshark: no RST for a transfer whose server
# lived; a RST within TOLD_MS of the moment when its death was known for one whose server died, and INTERVAL and some after the fault at the
# latest. That moment is the last of two that the logs are watched for: its partitioning begins (IXC101I), and, if it owned the address, the next one has it (EZZ8301I).
#
# Environment: PLEX390_HERCULES; DRILL_SECONDS (40) of rounds; DRILL_SEED; TOLD_MS (300).
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP drill: no device modules are built"; exit 77; }
for need in curl tshark dumpcap; do command -v $need >/dev/null || { echo "SKIP drill: no $need"; exit 77; }; done
seconds=${DRILL_SECONDS:-40} seed=${DRILL_SEED:-$$} told=${TOLD_MS:-300}
. "$(dirname "$0")/distplex.sh"
run=$PLEX390_RUN/PLEX1
DETECT_MS=6000 # INTERVAL is 4 s; a loaded machine takes some time more to see it over
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# ---- watching ----

# Helpers that run on, each ended by its own number, which it has left in a file.
helpers=
helper_end() { for h in $helpers; do [ ! -s "$tmp/$h.pid" ] || kill "$(cat "$tmp/$h.pid")"; done; helpers=; }
trap 'rc=$?; helper_end; (exit $rc); lab_end' EXIT
# When systems are gone and addresses move: "MS SYSTEM message" in $tmp/stamps.
watch_logs() {
    : >"$tmp/stamps"
    for s in SYSA SYSB SYSC SYSD; do
        # A log begins anew with each IPL of its system: tail -F follows.
        sh -c 'echo $$ >"$1"; exec tail -n 0 -F "$2" 2>/dev/null' sh "$tmp/log$s.pid" "$run/$s.log" |
            while IFS= read -r line; do
                case $line in *IXC101I* | *EZZ8301I*) echo "$(now_ms) $s $line" >>"$tmp/stamps" ;; esac
            done &
        helpers="$helpers log$s"
    done
}
sniff() {
    client sh -c 'echo $$ >"$1"; exec dumpcap -q -s 96 -i plexlan -w "$2" -f "arp or (tcp port 80 and tcp[13] & 7 != 0)"' sh \
        "$tmp/sniff.pid" "$tmp/client.pcapng" >"$tmp/dumpcap.log" 2>&1 &
    helpers="$helpers sniff"
    sleep 1
}
# Resets as the capture has them, sent to the client: "MS CLIENTPORT BEGUN", BEGUN being when the client's latest SYN left that port, for in
# ten minutes a port serves more than one connection.
resets() {
    tshark -r "$tmp/client.pcapng" -Y "(tcp.flags.reset == 1 && ip.src == $vip) || (tcp.flags.syn == 1 && ip.dst == $vip)" \
        -T fields -e frame.time_epoch -e tcp.flags.reset -e tcp.dstport -e tcp.srcport 2>/dev/null |
        awk '$2 ~ /^(1|True)$/ {printf "%.0f %s %.0f\n", $1 * 1000, $3, syn[$3]; next} {syn[$4] = $1 * 1000}'
}
# First stamp at or after $1 (ms) whose line matches $2 and $3; nothing if there is none.
stamp() { awk -v t="$1" -v a="$2" -v b="$3" '$1 >= t && index($0, a) && index($0, b) {print $1; exit}' "$tmp/stamps"; }
# When the death of $2 at or after $1 was known to who tells its clients, of whom that of transfer $3 heard at $4: IXC101I, and if SYSA,
# which routes, is a victim of the same round, too, the takeover; the later one. 0: never. A system that is being loaded says IXC101I, too,
# when it finds a record of an earlier life: of several the last one before the reset counts.
known() {
    gone=$(awk -v t="$1" -v a=" $2 " -v rst="$4" '$1 >= t && /IXC101I/ && index($0, a) && (!at || $1 <= rst) {at = $1} END {print at}' "$tmp/stamps")
    moved=0 fell=$(awk -v i="$3" '$1 == i && $2 == "SYSA" {print $4; exit}' "$tmp/harmed")
    [ -z "$fell" ] || moved=$(stamp "$fell" EZZ8301I "ON SYSA")
    [ -n "$gone" ] && [ -n "$moved" ] || { echo 0; return; }
    [ "$gone" -gt "$moved" ] && echo "$gone" || echo "$moved"
}

ok "drill: four LPARs come up" "$plex390" up PLEX1 || exit 1
needs_lan drill || exit 77
back() { ok "drill: $1" within 60 ready SYSA 80 4; }
ok "drill: SYSA owns $vip" within 15 owner_is SYSA || exit 1
back "four targets are ready" || exit 1
watch_logs
sniff

# ---- silent ----

# How long after each client of $1 ("SYSA SYSB") could be told it had its reset, and that all others stand. It could when the address had its last
# owner of those that took over, and that one knew that the client's server is gone.
silent_judged() {
    took=$(awk -v t="$begun" -v a="VIPA $vip " '$1 >= t && /EZZ8301I/ && index($0, a) {at = $1; sub(/^[0-9]* /, ""); print at, $0}' "$tmp/stamps")
    echo "takeovers:
$took"
    took=$(echo "$took" | awk '{at = $1} END {print at}')
    for s in $1; do echo "gone $s $(stamp "$begun" IXC101I " $s ")"; done >"$tmp/gone"
    cat "$tmp/gone" "$tmp/waiter"
    cat "$tmp/gone" "$tmp/waiter" | awk -v took="${took:-0}" -v told="$told" '
        $1 == "gone" {since[$2] = !$3 || !took ? 0 : $3 > took ? $3 : took; victims++; next}
        $1 == "open" && $3 in since {own[$3]++}
        $1 == "end" && $3 in since {if ($5 == 104 && since[$3] && $4 - since[$3] <= told) good[$3]++; print "   " $2, $3, $4 - since[$3], "ms"}
        $1 == "end" && !($3 in since) {bad++}
        END {for (s in since) if (own[s] < 2 || good[s] != own[s]) bad++; exit !victims || bad}'
}
# At the same moment, as far as two commands can be.
harm() { for s in $2; do "$plex390" "$1" "$s" >/dev/null & done; wait $!; }
silent() {
    client "$root/build/waiter" "$vip" 80 12 15 4 >"$tmp/waiter" 2>&1 &
    waiter=$!
    within 10 grep -q waiting "$tmp/waiter"
    sleep 0.5
    begun=$(now_ms)
    harm "$1" "$2"
    wait $waiter
    ok "drill: silent: $1 of $2, routing stack and server: their clients hear of it within $told ms, others stand" silent_judged "$2"
    sed 's/^/   /' "$tmp/out" | grep ' ms$'
    if [ "$1" = freeze ]; then "$plex390" thaw SYSA >/dev/null; sleep 1; "$plex390" kill SYSA >/dev/null; fi
    for s in $2; do "$plex390" ipl "$s" >/dev/null; done
    back "silent: SYSA routes to four again"
}
silent kill SYSA
silent freeze SYSA
silent kill "SYSA SYSB"

# ---- rounds ----

"$root/build/pattern" 67108864 >"$tmp/pattern" || exit 1
sum=$(sha256sum <"$tmp/pattern" | cut -d' ' -f1)
rm -f "$tmp/pattern"
# One transfer, as long as a round: "number client's-port server curl's-code right|wrong began ended".
transfer() {
    began=$(now_ms)
    client curl -s -m 150 -o "$tmp/who.$1" --limit-rate 6M "http://$vip/status" -o "$tmp/data.$1" "http://$vip/bulk/67108864" \
        -w '%{local_port}\n' >"$tmp/stat.$1" 2>"$tmp/err.$1"
    code=$?
    who=$(grep -a -o 'SYS[A-D]' "$tmp/who.$1" 2>/dev/null | head -n 1)
    got=$(sha256sum <"$tmp/data.$1" 2>/dev/null | cut -d' ' -f1)
    echo "$1 $(tail -n 1 "$tmp/stat.$1") ${who:-none} $code $([ "$got" = "$sum" ] && echo right || echo wrong) $began $(now_ms)" >>"$tmp/transfers"
    rm -f "$tmp/data.$1" "$tmp/who.$1" "$tmp/stat.$1" "$tmp/err.$1"
}
# Into $dice; no subshell, or the seed would not move.
rand() { seed=$(((seed * 1103515245 + 12345) % 2147483648)); dice=$(((seed / 65536) % $1)); }
pick() { rand 4; victim=SYS$(echo ABCD | cut -c$((dice + 1))); rand 2; if [ "$dice" = 0 ]; then act=kill; else act=freeze; fi; }
return_of() {
    if [ "$2" = freeze ]; then "$plex390" thaw "$1" >/dev/null; sleep 1; "$plex390" kill "$1" >/dev/null; fi
    "$plex390" ipl "$1" >/dev/null
}
: >"$tmp/transfers"
: >"$tmp/harmed"
echo "   rounds for $seconds s, seed $seed"
drill_end=$(($(date +%s) + seconds)) n=0 round=0
while [ "$(date +%s)" -lt "$drill_end" ]; do
    children= round=$((round + 1)) victims=
    for i in 1 2 3 4; do n=$((n + 1)); transfer $n & children="$children $!"; done
    rand 3
    sleep $((dice + 2))
    pick
    rand 4
    twice=$dice
    for k in 1 2; do
        [ $k = 1 ] || [ "$twice" = 0 ] || continue
        [ $k = 1 ] || pick
        case $victims in *"$victim"*) continue ;; esac
        victims="$victims $victim:$act"
        # Numbers of its transfers, who, how, when.
        for i in 0 1 2 3; do echo "$((n - i)) $victim $act $(now_ms)" >>"$tmp/harmed"; done
        "$plex390" "$act" "$victim" >/dev/null
    done
    echo "   transfers $((n - 3))-$n:$victims"
    sleep 6
    for v in $victims; do return_of "${v%:*}" "${v#*:}"; done
    # shellcheck disable=SC2086 # one number each
    wait $children
    back "round $round:$victims: four targets are ready again" || break
done
sleep 1
helper_end
sleep 1
resets >"$tmp/resets"

# "number server victim's-fate verdict" of each transfer; of those whose server was a victim of their round also the ms from when its
# death was known to the reset.
judge() {
    sort -n "$tmp/transfers" | while read -r i port who code right began ended; do
        rst=$(awk -v p="$port" -v b="$began" -v e="$ended" '$2 == p && $3 >= b && $3 <= e {print $1; exit}' "$tmp/resets")
        hit=$(awk -v i="$i" -v w="$who" '$1 == i && $2 == w {print $4, $3; exit}' "$tmp/harmed")
        if [ -n "$hit" ]; then
            at=$(known "${hit% *}" "$who" "$i" "${rst:-0}")
            if [ "$code" = 0 ] && [ "$right" = right ]; then verdict=over; after=
            elif [ -z "$rst" ] || [ "$at" = 0 ]; then verdict=UNTOLD after=
            elif [ $((rst - ${hit% *})) -gt $((DETECT_MS + told)) ]; then verdict=LATE after="$((rst - ${hit% *})) after the fault"
            else after=$((rst - at)); [ $after -le "$told" ] && verdict=told || verdict=LATE; fi
            echo "$i $who ${hit#* } $verdict $after"
        elif [ "$who" = none ]; then
            # It had no server yet when the fault came: refused or lost with whoever would have been it.
            grep -q "^$i " "$tmp/harmed" && echo "$i none - unserved" || echo "$i none - LOST"
        elif [ "$code" = 0 ] && [ "$right" = right ] && [ -z "$rst" ]; then
            echo "$i $who - whole"
        else
            echo "$i $who - BROKEN $code $right ${rst:+RST}"
        fi
    done
}
judge >"$tmp/judged"
sed 's/^/   /' "$tmp/judged"
none() { ! grep -E "$1" "$tmp/judged"; }
# What the capture has of those: when, who sent it (MAC), flags, numbers.
show_broken() {
    for i in $(awk '/BROKEN/ {print $1}' "$tmp/judged"); do
        port=$(awk -v i="$i" '$1 == i {print $2}' "$tmp/transfers")
        echo "   transfer $i: $(grep "^$i " "$tmp/transfers")"
        tshark -r "$tmp/client.pcapng" -Y "tcp.port == $port" -T fields -e frame.time_epoch -e eth.src -e tcp.srcport -e tcp.flags.str \
            -e tcp.seq_raw -e tcp.ack_raw -e tcp.len 2>/dev/null | sed 's/^/   /'
    done
}
ok "drill: each transfer whose server lived is whole and saw no RST" none 'BROKEN|LOST' || show_broken
ok "drill: each transfer whose server died was reset within $told ms of when that was known" none 'UNTOLD|LATE' ||
    { cat "$tmp/harmed" "$tmp/resets"; sed 's/^/   /' "$tmp/stamps"; }
echo "   $n transfers: $(awk '{c[$4]++} END {for (k in c) printf "%s %d  ", k, c[k]}' "$tmp/judged")"
ok "drill: some were whole, some were told" sh -c "grep -q whole '$tmp/judged' && grep -q told '$tmp/judged'"
for s in SYSA SYSB SYSC SYSD; do ok "drill: the VCRT of $s drains" within 40 drained $s; done
counted() { cmd SYSA "D TCPIP,,NETSTAT,VDPT,DETAIL,MAX=*" | grep -o 'ACTIVECONN: [0-9]*' >"$tmp/active"; sort "$tmp/active" | uniq -c; [ "$(wc -l <"$tmp/active")" = 8 ] && ! grep -v ': 0*$' "$tmp/active"; }
ok "drill: of no port and target a connection is counted any more" within 5 counted
