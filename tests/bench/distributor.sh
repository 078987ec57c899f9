#!/bin/sh
# distributor.sh - what the sysplex distributor costs, in one run: connections, downloads and uploads to a target's own address, through the
# routing stack to the same target, and spread over all four; instructions of the routing stack for each packet it routes, from the
# emulator's own counter; downloads and uploads once more over HiperSockets; HAProxy between two Linux namespaces beside it, for scale.
#
#   tests/bench/distributor.sh [MEGABYTES [CONNECTIONS]]     default 64 each way and round, 2,000 connections a row, five rounds
#
# SYSA owns both DVIPAs and serves neither: $one leads to SYSB alone, $all to SYSB, SYSC and SYSD. With two processors for four emulators,
# the card and the client, a rate through two systems is held by the processors: each row shows who used them.
# Times are of a shared machine: compare figures of one run only. Environment: PLEX390_HERCULES chooses the emulator. Exit 1 if a step failed.
set -u
. "$(dirname "$0")/../boot/lib.sh"
have_modules || { echo "SKIP distributor bench: no device modules are built"; exit 0; }
mb=${1:-64} connections=${2:-2000} rounds="1 2 3 4 5" target=10.1.1.2 one=10.1.1.80 all=10.1.1.90
bytes=$((mb * 1048576))
. "$root/tests/boot/distlab.sh"
printf 'SOMAXCONN 1024\n' >>"$parms/PROFILE"
cat >"$parms/VIPA0A" <<END
VIPADYNAMIC
  VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 $one $all
  VIPADISTRIBUTE DEFINE DISTM ROUNDROBIN $one PORT 7 80
    DESTIP 193.9.200.2
  VIPADISTRIBUTE DEFINE DISTM ROUNDROBIN $all PORT 7 80
    DESTIP 193.9.200.2 193.9.200.3 193.9.200.4
ENDVIPADYNAMIC
END
for s in B C D; do printf 'VIPADYNAMIC\nENDVIPADYNAMIC\n' >"$parms/VIPA0$s"; done
# A HiperSockets LAN for all four. Its card is down until XCF's links have been measured.
iqd='{ name = "IQD1"; mac = "02:00:5A:00:00:51"; chpid = "iqd"; mtu = 57344; }'
sed -i "s|^  { name = \"OSA1\"; mac.*|&,\n  $iqd|; s|card = \"OSA1\"; mode = \"qdio\"; } )|card = \"OSA1\"; mode = \"qdio\"; }, { device = 0x0E40; card = \"IQD1\"; mode = \"qdio\"; } )|" \
    "$tmp/configs/PLEX1/plex.conf"
"$plex390" up PLEX1 >"$tmp/up" 2>&1 || { cat "$tmp/up"; exit 1; }
needs_lan "distributor bench" || exit 0
within 30 ready SYSA 80 4 || exit 1
# way LINK: SYSA's routes to the three lead over links of that name.
way() { [ "$(cmd SYSA 'D TCPIP,,NETSTAT,ROUTE' | grep -c "193\.9\.200\.[234] .*$1")" = 3 ]; }
"$plex390" kill IQD1 >"$tmp/kill" 2>&1
within 10 way EZAXCF0 || exit 1

# Instructions that SYSA has executed since IPL, as the emulator's own command shows them.
instructions() {
    log=$PLEX390_RUN/PLEX1/SYSA.log
    from=$(($(wc -c <"$log") + 1))
    echo ipending >"$PLEX390_RUN/PLEX1/SYSA.in"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        n=$(tail -c "+$from" "$log" | sed -n 's/.*instcount \([0-9,]*\).*/\1/p' | head -1 | tr -d ,)
        [ -z "$n" ] || break
        sleep 0.1
    done
    echo "${n:-0}"
}
# Packets that SYSA has sent over its dynamic XCF links and HiperSockets.
routed() { cmd SYSA 'D TCPIP,,NETSTAT,DEVLINKS' | awk '/LNKNAME:/{xcf = /EZAXCF|IQDIO/} xcf && /PKTSOUT:/{n += $NF} END {print n + 0}'; }
processes="SYSA SYSB SYSC SYSD OSA1"
# Nanoseconds of each process, and of all that runs on the machine, the client too.
all_ns() {
    for p in $processes; do echo "$p $("$root/build/cputime" "$(cut -d' ' -f1 "$PLEX390_RUN/PLEX1/$p.pid")")"; done
    awk -v hz="$(getconf CLK_TCK)" '/^cpu /{printf "all %.0f\n", ($2 + $3 + $4 + $7 + $8) * 1e9 / hz}' /proc/stat
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
row() { printf '%-58s %10s %s\n' "$1" "$2" "$3"; }

# around KIND COMMAND...: runs it; its output in $tmp/nb; what it took is a line in $tmp/KIND.sum: milliseconds from reading to reading
# of processor time, SYSA's instructions beyond idling, packets that SYSA routed, processor time of each process and of the machine.
around() {
    kind=$1
    shift
    r0=$(routed)
    i0=$(instructions)
    begun=$(now_ms)
    all_ns >"$tmp/t0"
    "$@" >"$tmp/nb" 2>&1 || { cat "$tmp/nb"; failures=1; exit 1; }
    ms=$(($(now_ms) - begun))
    all_ns >"$tmp/t1"
    i1=$(instructions)
    idle=$((idle_per_s * ($(now_ms) - begun) / 1000))
    r1=$(routed)
    echo "$ms $((i1 - i0 - idle)) $((r1 - r0)) $(paste -d' ' "$tmp/t0" "$tmp/t1" | awk '{printf "%.0f ", $4 - $2}')" >>"$tmp/$kind.sum"
}
idle_per_s=0
i=$(instructions)
t=$(now_ms)
sleep 5
idle_per_s=$((($(instructions) - i) * 1000 / ($(now_ms) - t)))

# Each figure is the median of some rounds, and each round asks all ways one after the other: what else runs on the machine meets all alike.
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
column() { awk -v f="$2" '{print $f}' "$tmp/$1.rate" | median; }
used() {
    awk -v names="$processes all" '{ms += $1; for (i = 4; i <= NF; i++) t[i] += $i}
        END {n = split(names, name, " "); for (i = 1; i <= n; i++) printf "%s%s %.0f%%", (i > 1 ? ", " : ""), name[i], t[i + 3] / 10000 / ms}' "$tmp/$1.sum"
}
beside() { paste -d' ' "$tmp/direct.rate" "$tmp/$1.rate" | awk -v f="$2" '{print 100 * $f / $1}' | median | awk '{printf "%.0f", $1}'; }
fresh() { rm -f "$tmp"/*.rate "$tmp"/*.sum; }
# A round's instructions by its packets, and the median of the rounds: Hercules 3.13 counts a second twice now and then, when its timer thread empties the
# counter that the CPU's thread adds to.
packet_row() {
    each=$(awk '$3 {printf "%.0f\n", $2 / $3}' "$tmp/$1.sum" | median)
    row "  SYSA: instructions for each of $(awk '{p += $3} END {printf "%d", p}' "$tmp/$1.sum") packets routed" "$each" "instructions"
}

# nb KIND WHAT ADDRESS PORT COUNT PATH CLIENTS: netbench; rate, p50 and p99 go to $tmp/KIND.rate
nb() {
    k=$1
    shift
    around "$k" client "$root/build/netbench" "$@"
    awk '{print $4, $5, $6}' "$tmp/nb" >>"$tmp/$k.rate"
}
rate_row() { row "$2" "$(column "$1" 1)" "/s, p50 $(column "$1" 2) us, p99 $(column "$1" 3) us; $(used "$1")"; }
# rates NAME WHAT PORT COUNT PATH CLIENTS: to the target itself, to the same target through SYSA, to all three
rates() {
    fresh
    for _ in $rounds; do
        nb direct "$2" $target "$3" "$4" "$5" "$6"
        nb same "$2" $one "$3" "$4" "$5" "$6"
        nb three "$2" $all "$3" "$4" "$5" "$6"
    done
    rate_row direct "$1, to the target itself"
    for k in same three; do
        [ $k = same ] && to="the same" || to=three
        rate_row $k "$1, through SYSA to $to"
        packet_row $k
        row "  beside direct" "$(beside $k 4)" "%"
    done
}
get_bytes() { client curl -sS --max-time 100 -o /dev/null -w '%{speed_download}\n' "http://$1/bulk/$bytes"; }
put_bytes() { client curl -sS --max-time 100 -T "$tmp/zero" -o /dev/null -w '%{speed_upload}\n' "http://$1/sink"; }
# bulk NAME FUNCTION
bulk() {
    fresh
    for _ in $rounds; do
        for k in direct same; do
            [ $k = same ] && to=$one || to=$target
            around $k "$2" $to
            awk '{printf "%.0f\n", $1 / 125000}' "$tmp/nb" >>"$tmp/$k.rate"
        done
    done
    row "${1%,*}, to the target itself" "$(column direct 1)" "Mbit/s; $(used direct)"
    row "$1, through SYSA to the same" "$(column same 1)" "Mbit/s; $(used same)"
    packet_row same
    row "  SYSA: instructions per 1,460 bytes of it" "$(awk -v b="$bytes" '{printf "%.0f\n", $2 * 1460 / b}' "$tmp/same.sum" | median)" instructions
    row "  beside direct" "$(beside same 2)" "%"
}

echo "machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r), load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "emulator: $(${PLEX390_HERCULES:-hercules} --version 2>&1 </dev/null | grep -i version | head -1)"
row WHAT FIGURE "UNIT; share of one processor used by each process, and by all on the machine"
row "SYSA idle" $((idle_per_s / 1000)) "thousand instructions a second, taken off below"
rates "HTTP/1.0 GET of 1 KB, one at a time" get 80 $((connections / 5)) /bulk/1024 1
rates "HTTP/1.0 GET of 1 KB, 16 at a time" get 80 "$connections" /bulk/1024 16
rates "HTTP/1.0 GET of 1 KB, 64 at a time" get 80 "$connections" /bulk/1024 64
rates "1 byte there and back, one at a time" rr 7 $((connections / 2)) / 1
rates "1 byte there and back, 32 at a time" rr 7 $((connections * 5)) / 32
head -c "$bytes" /dev/zero >"$tmp/zero"
bulk "download of $mb MB" get_bytes
bulk "upload of $mb MB" put_bytes
"$plex390" ipl IQD1 >"$tmp/ipl" 2>&1
within 30 way IQDIOLNK || exit 1
bulk "download of $mb MB, over HiperSockets" get_bytes
bulk "upload of $mb MB, over HiperSockets" put_bytes
"$root/tests/bench/haproxy.sh" "$mb" "$connections"
