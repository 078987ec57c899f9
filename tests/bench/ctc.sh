#!/bin/sh
# ctc.sh - our channel-to-channel units beside the emulator's own (CTCE), in one run: blocks of raw data between two guests
# that do nothing else (ctcraw_guest.c), each measured by the clock of the guest that takes part.
#
#   tests/bench/ctc.sh [ROUNDS]        default 3; the median of the rounds stands in the table
#   tests/bench/ctc.sh resets TIMES    no measurement: HALT and CLEAR SUBCHANNEL with a PREPARE or READ outstanding, so many times,
#                                      and what the other side hears; tests/boot/ctc.sh runs it
# PLEX390_HERCULES chooses the emulator. Times are of a shared machine: compare figures of one run only. Exit 1 if a run failed.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
rounds=${1:-3}
resets=
[ "$rounds" != resets ] || resets=${2:-100}
skip() { echo "SKIP bench/ctc: $*"; exit 77; }
. "$root/tests/boot/emulator.sh"
[ -f "$root/build/ctcraw.bin" ] || skip "no s390x compiler made build/ctcraw.bin"
dir=$(mktemp -d /tmp/plxctc.XXXXXX) || exit 1
cp "$module" "$dir/plex390.so"
cp "$root/build/ctcraw.bin" "$dir/raw.bin"
pid_A= pid_B=
end_one() {
    eval "p=\$pid_$1"
    [ -n "$p" ] || return 0
    for c in $(ps -o pid= --ppid "$p"); do kill -KILL "$c" 2>/dev/null; done
    wait "$p" 2>/dev/null
    eval "pid_$1="
}
finish() {
    trap - EXIT
    end_one A
    end_one B
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

statements() { # kind, system
    case $1$2 in
    PLXCTCA) echo "0C00.2 PLXCTC lpar=SYSA partner=SYSB link=$dir/link" ;;
    PLXCTCB) echo "0C00.2 PLXCTC lpar=SYSB partner=SYSA link=$dir/link" ;;
    # A read device meets the other's write device.
    CTCEA) printf '0C00 CTCE 30880 127.0.0.1 30886\n0C01 CTCE 30882 127.0.0.1 30884\n' ;;
    CTCEB) printf '0C00 CTCE 30884 127.0.0.1 30882\n0C01 CTCE 30886 127.0.0.1 30880\n' ;;
    esac
}
start() { # kind, system
    printf '%s ESA/390\nMAINSIZE 16\nNUMCPU 1\nLDMOD %s\n%s\n' "$arch" "$dir/plex390.so" "$(statements "$1" "$2")" >"$dir/$2.cnf"
    rm -f "$dir/$2.in"
    mkfifo "$dir/$2.in"
    : >"$dir/$2.log"
    timeout -k 1 300 "$emulator" $mode -f "$dir/$2.cnf" $external <>"$dir/$2.in" >>"$dir/$2.log" 2>&1 &
    eval "pid_$2=$!"
}
say() { echo "$2" >"$dir/$1.in"; }
# Waits for pattern $2 in the log of $1 to be there $3 times, $4 seconds.
seen() {
    i=0
    while [ "$(grep -a -c "$2" "$dir/$1.log")" -lt "$3" ]; do
        [ $i -lt $(($4 * 20)) ] || return 1
        sleep 0.05
        i=$((i + 1))
    done
}
connected() {
    case $1 in
    PLXCTC) seen A PLX802I 1 10 && seen B PLX802I 1 10 ;;
    *) seen A '063I' 2 20 && seen B '063I' 2 20 && sleep 2 ;;
    esac
}
# Both emulators refuse to load for some milliseconds after their start, on a busy machine longer: the processor is not stopped yet.
load_core() {
    for _ in $(seq 20); do
        say "$1" "loadcore $dir/raw.bin 2000"
        if seen "$1" 'HHCPN113I\|HHC02250I' 1 1; then return 0; fi
    done
    return 1
}
# system mode blocks bytes shape
load() {
    load_core "$1" || echo "$1: the guest was not loaded" >&2
    say "$1" "$(printf 'r 1000=%08X%08X%08X%08X' "$2" "$3" "$4" "$5")"
    say "$1" 'r 0=0008000080002000'
}
hex() { printf '%d' "0x$1"; }
# Microseconds between the two clocks in system $1's storage; its log must show the good end. Only a line that is whole counts:
# the emulator may still be writing it, and half a clock once made a figure of 175 GB/s. $2: microseconds that have passed out here.
elapsed() {
    words='R:0*1010[: ].*[0-9A-F]\{8\} [0-9A-F]\{8\} [0-9A-F]\{8\} [0-9A-F]\{8\} '
    outside=$2
    say "$1" 'r 1010.10'
    seen "$1" "$words" 1 10 || return 1
    line=$(grep -a "$words" "$dir/$1.log" | tail -n 1)
    set -- $(echo "$line" | sed 's/.*R:0*1010[:=]*\(K:..=\)*//' | grep -o '[0-9A-F]\{8\}')
    inside=$((((0x$3 << 32 | 0x$4) >> 12) - ((0x$1 << 32 | 0x$2) >> 12)))
    # A clock of nonsense is refused. One of the emulator's may be some hundred milliseconds behind when its guest has just been started.
    [ "$inside" -gt 0 ] && [ "$inside" -le $((2 * outside + 1000000)) ] || { echo "the guest's clock says $inside us, ours $outside" >&2; return 1; }
    echo "$inside"
}
stopped() { grep -a -q "000A0000 80000$2" "$dir/$1.log"; }
# Both guests came to their good end. One that stopped otherwise is the end at once; two minutes are for a machine that many use.
ended() {
    bad='F\([1-9A-F]\|0[1-9A-F]\)'
    for _ in $(seq 2400); do
        if stopped A "$bad" || stopped B "$bad"; then return 1; fi
        if stopped A F00 && stopped B F00; then return 0; fi
        sleep 0.05
    done
    return 1
}

# kind mode-of-A mode-of-B blocks bytes shape: microseconds, into $us
run() {
    us=
    start "$1" A
    start "$1" B
    if connected "$1"; then
        load A "$2" "$4" "$5" "$6"
        load B "$3" "$4" "$5" "$6"
        sleep 0.2
        from=$(date +%s%N)
        say A restart
        say B restart
        if ended; then
            us=$(elapsed B $((($(date +%s%N) - from) / 1000)))
        else
            echo "$*: a guest did not end well" >&2
            grep -a -h 'PSW=000A\|PLX8' "$dir/A.log" "$dir/B.log" | tail -n 6 >&2
        fi
    else
        echo "$*: no connection" >&2
    fi
    end_one A
    end_one B
    [ -n "$us" ]
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
# The same: the median of the rounds, into $us. Not in a subshell: it starts processes that must be ended.
figure() {
    : >"$dir/rounds"
    for _ in $(seq "$rounds"); do
        run "$@" || return 1
        echo "$us" >>"$dir/rounds"
    done
    us=$(median <"$dir/rounds")
}
RECEIVE=0 SEND=1 PING=2 ECHO=3 HALTED=4 WATCH=5 NOPS=6
if [ -n "$resets" ]; then # each end in turn
    for shape in 0 1; do run PLXCTC $HALTED $WATCH "$resets" 64 $shape && run PLXCTC $WATCH $HALTED "$resets" 64 $shape || exit 1; done
    exit 0
fi
echo "machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), load $(cut -d' ' -f1 /proc/loadavg)"
echo "emulator: $("$emulator" --version 2>&1 </dev/null | grep -i version | head -1)"
printf '%-44s %10s %10s %8s\n' WHAT PLXCTC CTCE RATIO
throughput() { # words blocks bytes shape
    figure PLXCTC $SEND $RECEIVE "$2" "$3" "$4" || { echo "FAIL $1"; return 1; }
    ours=$us
    figure CTCE $SEND $RECEIVE "$(($2 / 4))" "$3" "$4" || { echo "FAIL $1"; return 1; }
    theirs=$us
    awk -v w="$1" -v n="$2" -v b="$3" -v o="$ours" -v t="$theirs" \
        'BEGIN {x = n * b / o; y = int(n / 4) * b / t; printf "%-44s %10.1f %10.1f %8.2f\n", w, x, y, x / y}'
}
latency() { # words blocks bytes shape mode-of-A mode-of-B
    figure PLXCTC "$5" "$6" "$2" "$3" "$4" || { echo "FAIL $1"; return 1; }
    ours=$us
    figure CTCE "$5" "$6" "$(($2 / 4))" "$3" "$4" || { echo "FAIL $1"; return 1; }
    theirs=$us
    awk -v w="$1" -v n="$2" -v o="$ours" -v t="$theirs" \
        'BEGIN {x = o / n; y = t / int(n / 4); printf "%-44s %10.1f %10.1f %8.2f\n", w, x, y, y / x}'
}
# Several blocks in each program; CTCE gets programs of one block, it does not serve the others.
chained() { # words programs bytes chain
    figure PLXCTC $SEND $RECEIVE "$2" "$3" "$4" || { echo "FAIL $1"; return 1; }
    ours=$us
    figure CTCE $SEND $RECEIVE "$2" "$3" 0 || { echo "FAIL $1"; return 1; }
    theirs=$us
    awk -v w="$1" -v n="$2" -v b="$3" -v c="$4" -v o="$ours" -v t="$theirs" \
        'BEGIN {x = n * c * b / o; y = n * b / t; printf "%-44s %10.1f %10.1f %8.2f\n", w, x, y, x / y}'
}
rc=0
throughput '32 KB blocks, PREPARE chains, MB/s' 4000 32768 0 || rc=1
throughput '4 KB blocks, PREPARE chains, MB/s' 8000 4096 0 || rc=1
latency '64 bytes there and back, PREPARE chains, us' 4000 64 0 $ECHO $PING || rc=1
# What the emulator takes of each program by itself: nothing moves, and nobody waits for the other system.
latency 'a program of one NOP, both systems, us' 20000 64 0 $NOPS $NOPS || rc=1
# The same program for both: a PREPARE before each READ and each WRITE.
pairs() { # words programs bytes chain
    figure PLXCTC $SEND $RECEIVE "$2" "$3" $((16 + $4)) || { echo "FAIL $1"; return 1; }
    ours=$us
    figure CTCE $SEND $RECEIVE "$(($2 / 4))" "$3" $((16 + $4)) || { echo "FAIL $1"; return 1; }
    theirs=$us
    awk -v w="$1" -v n="$2" -v b="$3" -v c="$4" -v o="$ours" -v t="$theirs" \
        'BEGIN {x = n * c * b / o; y = int(n / 4) * c * b / t; printf "%-44s %10.1f %10.1f %8.2f\n", w, x, y, x / y}'
}
alone() { # CTCE does not serve programs without PREPARE: nothing to compare with
    figure PLXCTC $SEND $RECEIVE 4000 32768 1 && awk -v o="$us" 'BEGIN {printf "%-44s %10.1f\n", "32 KB blocks, READ / WRITE alone, MB/s", 4000 * 32768 / o}'
    figure PLXCTC $ECHO $PING 4000 64 1 && awk -v o="$us" 'BEGIN {printf "%-44s %10.1f\n", "64 bytes there and back, READ / WRITE, us", o / 4000}'
}
chained '32 KB blocks, 16 in a program, MB/s' 1000 32768 16 || rc=1
chained '4 KB blocks, 16 in a program, MB/s' 1000 4096 16 || rc=1
pairs '32 KB blocks, 8 PREPARE and WRITE, MB/s' 2000 32768 8 || rc=1
pairs '4 KB blocks, 16 PREPARE and WRITE, MB/s' 2000 4096 16 || rc=1
alone || rc=1
exit $rc
