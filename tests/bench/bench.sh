#!/bin/sh
# bench.sh - figures of one member (the plex ONE), measured in one run, as a client on the LAN sees them; and what
# each costs the guest in instructions, from the emulator's own counter (which noise of the machine does not move).
#
#   tests/bench/bench.sh [MEGABYTES]      default 128 each way
# Times are of a shared machine: compare figures of one run only. Exit 1 if a step failed.
set -u
. "$(dirname "$0")/../boot/lib.sh"
have_modules || { echo "SKIP no device module was built"; exit 0; }
mb=${1:-128}
bytes=$((mb * 1048576))
lab_begin ONE
"$plex390" up ONE >"$tmp/up" 2>&1 || { cat "$tmp/up"; exit 1; }
url=$("$plex390" url SYSA)
address=${url#http://}
address=${address%/}

# Instructions executed since IPL, as the emulator's own command shows them.
instructions() {
    log=$PLEX390_RUN/ONE/SYSA.log
    from=$(($(wc -c <"$log") + 1))
    echo ipending >"$PLEX390_RUN/ONE/SYSA.in"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        n=$(tail -c "+$from" "$log" | sed -n 's/.*instcount \([0-9]*\).*/\1/p' | head -1)
        [ -z "$n" ] || break
        sleep 0.1
    done
    echo "${n:-0}"
}
per() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", b ? a / b : 0}'; }
row() { printf '%-46s %14s %s\n' "$1" "$2" "$3"; }

echo "machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r)"
echo "emulator: $(${PLEX390_HERCULES:-hercules} --version 2>&1 </dev/null | grep -i version | head -1)"
row WHAT FIGURE UNIT

before=$(instructions)
speed=$(client curl -sS --max-time 300 -o /dev/null -w '%{speed_download}' "${url}bulk/$bytes") || exit 1
after=$(instructions)
row "download, $mb MB" "$(per "$speed" 125000)" "Mbit/s"
row "  instructions per byte sent" "$(per $((after - before)) "$bytes")" "instructions"
row "  instructions per 1460 bytes" "$(per $((after - before)) $((bytes / 1460)))" "instructions"

head -c "$bytes" /dev/zero >"$tmp/zero"
before=$(instructions)
speed=$(client curl -sS --max-time 300 -T "$tmp/zero" -o /dev/null -w '%{speed_upload}' "${url}sink") || exit 1
after=$(instructions)
row "upload, $mb MB" "$(per "$speed" 125000)" "Mbit/s"
row "  instructions per byte received" "$(per $((after - before)) "$bytes")" "instructions"
row "  instructions per 1460 bytes" "$(per $((after - before)) $((bytes / 1460)))" "instructions"

# run WHAT COUNT PORT [PATH]: netbench's line and the guest's instructions for it
run() {
    before=$(instructions)
    client "$root/build/netbench" "$1" "$address" "$3" "$2" ${4:+"$4"} >"$tmp/nb" 2>&1 || { cat "$tmp/nb"; exit 1; }
    after=$(instructions)
    read -r _ count _ rate p50 p99 <"$tmp/nb"
    cost=$(per $((after - before)) "$count")
}
run rr 2000 7
row "1 byte there and back (echo), rate" "$rate" "/s"
row "  round trip p50 / p99" "$p50 / $p99" "us"
row "  instructions each" "$cost" "instructions"
run connect 1000 80
row "connect and close, one after the other" "$rate" "/s"
row "  instructions each" "$cost" "instructions"
run get 1000 80 /bulk/1024
row "HTTP/1.0 GET of 1 KB, one after the other" "$rate" "/s"
row "  instructions for the whole connection" "$cost" "instructions"
row "ping round trip min/avg/max (100)" "$(client ping -q -c 100 -i 0.01 "$address" | sed -n 's/.*= \([0-9.]*\/[0-9.]*\/[0-9.]*\)\/.*/\1/p')" "ms"

guest=$(cut -d' ' -f1 "$PLEX390_RUN/ONE/SYSA.pid")
before=$("$root/build/cputime" "$guest")
sleep 10
after=$("$root/build/cputime" "$guest")
row "idle LPAR, share of one processor over 10 s" "$(per $((after - before)) 100000000)" "%"
