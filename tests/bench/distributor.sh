#!/bin/sh
# distributor.sh - what the sysplex distributor costs, in one run: connections, downloads and uploads to a target's own address, through the
# routing stack to the same target, and spread over all four; instructions of the routing stack for each packet it routes, from the
# emulator's own counter; HAProxy between two Linux namespaces beside it, for scale.
#
#   tests/bench/distributor.sh [MEGABYTES [CONNECTIONS]]     default 64 each way, 2,000 connections a row
#
# SYSA owns both DVIPAs and serves neither: $one leads to SYSB alone, $all to SYSB, SYSC and SYSD. With two processors for four emulators,
# the card and the client, a rate through two systems is held by the processors: each row shows who used them.
# Times are of a shared machine: compare figures of one run only. Environment: PLEX390_HERCULES chooses the emulator. Exit 1 if a step failed.
set -u
. "$(dirname "$0")/../boot/lib.sh"
have_modules || { echo "SKIP distributor bench: no device modules are built"; exit 0; }
mb=${1:-64} connections=${2:-2000} target=10.1.1.2 one=10.1.1.80 all=10.1.1.90
bytes=$((mb * 1048576))
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
parms=$tmp/configs/PLEX1/tcpparms
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
"$plex390" up PLEX1 >"$tmp/up" 2>&1 || { cat "$tmp/up"; exit 1; }
needs_lan "distributor bench" || exit 0
ready() { cmd SYSA "D TCPIP,,NETSTAT,VDPT,PORT=80,MAX=*" >"$tmp/vdpt" && [ "$(grep -c ' 193\.9\.200\.[2-4]  *00[1-9] ' "$tmp/vdpt")" = 4 ]; }
within 30 ready || { cat "$tmp/vdpt"; exit 1; }

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
# Packets that SYSA has sent over its dynamic XCF links.
routed() { cmd SYSA 'D TCPIP,,NETSTAT,DEVLINKS' | awk '/LNKNAME:/{xcf = /EZAXCF/} xcf && /PKTSOUT:/{n += $NF} END {print n + 0}'; }
ticks() { awk '{print $14 + $15}' "/proc/$(cut -d' ' -f1 "$PLEX390_RUN/PLEX1/$1.pid")/stat" 2>/dev/null || echo 0; }
processes="SYSA SYSB SYSC SYSD OSA1"
all_ticks() { for p in $processes; do echo "$p $(ticks "$p")"; done; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# Shares of one processor between two all_ticks(), $3 ms apart.
shares() { paste -d' ' "$1" "$2" | awk -v ms="$3" -v hz="$(getconf CLK_TCK)" 'ms > 0 {printf "%s%s %.0f%%", sep, $1, ($4 - $2) * 100000 / hz / ms; sep = ", "}'; }
quotient() { awk -v a="$1" -v b="$2" -v p="${3:-2}" 'BEGIN {printf "%.*f", p, b ? a / b : 0}'; }
row() { printf '%-58s %10s %s\n' "$1" "$2" "$3"; }

# around COMMAND...: runs it; its output in $tmp/nb, SYSA's instructions beyond idling in $cost, packets in $packets, $used.
around() {
    r0=$(routed)
    i0=$(instructions)
    t0=$(now_ms)
    all_ticks >"$tmp/t0"
    "$@" >"$tmp/nb" 2>&1 || { cat "$tmp/nb"; failures=1; exit 1; }
    all_ticks >"$tmp/t1"
    i1=$(instructions)
    ms=$(($(now_ms) - t0))
    packets=$(($(routed) - r0))
    cost=$((i1 - i0 - idle_per_s * ms / 1000))
    used=$(shares "$tmp/t0" "$tmp/t1" "$ms")
}
idle_per_s=0
i=$(instructions)
t=$(now_ms)
sleep 5
idle_per_s=$((($(instructions) - i) * 1000 / ($(now_ms) - t)))

# nb WHAT ADDRESS PORT COUNT PATH CLIENTS: netbench; its rate in $rate
nb() {
    around client "$root/build/netbench" "$@"
    read -r _ _ _ rate p50 p99 <"$tmp/nb"
}
rate_row() {
    nb "$3" "$2" "$4" "$connections" "$5" "$6"
    row "$1" "$rate" "/s, p50 $p50 us, p99 $p99 us; $used"
}
packet_row() { row "  SYSA: instructions for each of $packets packets routed" "$(quotient "$cost" "$packets" 0)" "instructions"; }
# rates NAME WHAT PORT PATH CLIENTS: direct, to the same target through SYSA, to all three
rates() {
    rate_row "$1, to the target itself" $target "$2" "$3" "$4" "$5"
    direct=$rate
    rate_row "$1, through SYSA to the same" $one "$2" "$3" "$4" "$5"
    packet_row
    row "  beside direct" "$(quotient $((rate * 100)) "$direct" 0)" "%"
    rate_row "$1, through SYSA to three" $all "$2" "$3" "$4" "$5"
    packet_row
    row "  beside direct" "$(quotient $((rate * 100)) "$direct" 0)" "%"
}
speed() { awk '{printf "%.0f", $1 / 125000}' "$tmp/nb"; }
get_bytes() { client curl -sS --max-time 100 -o /dev/null -w '%{speed_download}\n' "http://$1/bulk/$bytes"; }
put_bytes() { client curl -sS --max-time 100 -T "$tmp/zero" -o /dev/null -w '%{speed_upload}\n' "http://$1/sink"; }
# bulk NAME FUNCTION
bulk() {
    around "$2" $target
    direct=$(speed)
    row "$1, to the target itself" "$direct" "Mbit/s; $used"
    around "$2" $one
    through=$(speed)
    row "$1, through SYSA to the same" "$through" "Mbit/s; $used"
    packet_row
    row "  SYSA: instructions per 1,460 bytes of it" "$(quotient "$cost" $((bytes / 1460)) 0)" "instructions"
    row "  beside direct" "$(quotient $((through * 100)) "$direct" 0)" "%"
}

echo "machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r), load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "emulator: $(${PLEX390_HERCULES:-hercules} --version 2>&1 </dev/null | grep -i version | head -1)"
row WHAT FIGURE "UNIT; share of one processor used by each process"
row "SYSA idle" $((idle_per_s / 1000)) "thousand instructions a second, taken off below"
rates "HTTP/1.0 GET of 1 KB, one at a time" get 80 /bulk/1024 1
rates "HTTP/1.0 GET of 1 KB, 16 at a time" get 80 /bulk/1024 16
rates "1 byte there and back, one at a time" rr 7 / 1
rates "1 byte there and back, 32 at a time" rr 7 / 32
head -c "$bytes" /dev/zero >"$tmp/zero"
bulk "download of $mb MB" get_bytes
bulk "upload of $mb MB" put_bytes
"$root/tests/bench/haproxy.sh" "$mb" "$connections"
