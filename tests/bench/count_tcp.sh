#!/bin/sh
# count_tcp.sh - instructions of the stack per segment and per connection: bench_tcp run with two numbers of rounds,
# the difference divided by the rounds. With qemu-s390x each executed S/390 instruction is logged and counted
# (64-bit code, as the user-mode emulator has no other; the guest's 31-bit code differs by a few per cent).
set -u
cd "$(dirname "$0")/../.." || exit 2
B=${B:-build}
count_s390() { qemu-s390x -singlestep -d exec,nochain -D /dev/stderr "$B/bench_tcp.s390x" "$1" "$2" 2>&1 >/dev/null | wc -l; }
count_host() { perf stat -x, -e instructions:u "$B/bench_tcp" "$1" "$2" 2>&1 >/dev/null | sed -n 's/^\([0-9]*\),.*instructions.*/\1/p'; }
for kind in recv send gso http; do
    few=320 many=960
    [ $kind = http ] && few=20 many=60
    for what in s390 host; do
        case $what in
        s390) command -v qemu-s390x >/dev/null && [ -x "$B/bench_tcp.s390x" ] || continue ;;
        host) command -v perf >/dev/null && [ -n "$(count_host idle 0)" ] || continue ;;
        esac
        a=$("count_$what" $kind $few)
        b=$("count_$what" $kind $many)
        echo "$kind: $(((b - a) / (many - few))) instructions each ($what)"
    done
done
