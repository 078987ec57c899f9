#!/bin/sh
# cross.sh - the simulator in an empty S/390 under a real emulator (tests/cross): the same seeds give the same digests there as on the
# host. So byte order, the width of a word and the compiler do not show in what the stack, XCF and the facility decide.
#
# Environment: PLEX390_HERCULES chooses the emulator; CROSS='KIND SEED SYSTEMS, ...' other seeds than the usual.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
skip() { echo "SKIP cross: $*"; exit 77; }
. "$root/tests/boot/emulator.sh"
image=$root/build/cross/cross.bin plexsim=$root/build/plexsim
[ -f "$image" ] && [ -x "$plexsim" ] || skip "no $image or no $plexsim was built"
runs=${CROSS:-"tcp 1 1, tcp 7 1, xcf 1 3, xcf 2 4, arm 4 3, dvipa 1 3, dist 1 4"}
dir=$(mktemp -d /tmp/cross.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
cp "$image" "$dir/cross.bin"
printf '%s ESA/390\nMAINSIZE 512\nNUMCPU 1\n0009 3215-C\n' "$arch" >"$dir/cnf"

kind_number() {
    case $1 in tcp) echo 0 ;; xcf) echo 1 ;; arm) echo 2 ;; dvipa) echo 3 ;; dist) echo 4 ;; esac
}
host_digest() {
    case $1 in
    tcp) "$plexsim" "$2" ;;
    dist) "$plexsim" dist "$2" 1 "$3" 60 ;;
    *) "$plexsim" "$1" "$2" 1 "$3" ;;
    esac | sed -n 's/.*digest \([0-9A-F]*\)$/\1/p'
}
rows() {
    at=8192
    echo "$runs" | tr ',' '\n' | while read -r kind seed systems; do
        printf 'r %X=%08X%08X%08X\n' $at "$(kind_number "$kind")" "$seed" "$systems"
        at=$((at + 16))
    done
}
{
    sleep 1
    echo "loadcore $dir/cross.bin 10000"
    sleep 0.3
    rows
    echo 'r 0=0008000080010000'
    echo 'restart'
    i=0
    until grep -a -q 'HHCCP011I\|HHC00809I' "$dir/log" || [ $i -ge 1200 ]; do
        sleep 0.1
        i=$((i + 1))
    done
    sleep 0.2
    echo 'gpr'
    sleep 0.2
    echo 'r 2000.100'
    echo 'r 28.8'
    echo 'r 3000.200'
    sleep 0.3
    echo 'quit'
    sleep 1
} | timeout -k 2 150 "$emulator" $mode -f "$dir/cnf" $external >"$dir/log" 2>&1
if ! grep -a -q '000A0000 80000F00' "$dir/log"; then
    echo "FAIL cross: wait F00 expected"
    tail -n 60 "$dir/log"
    exit 1
fi
# A line of storage: R:00002010:K:06=00000001 00000002 00000004 3A901C42 from 3.13, with blanks for the key from Hyperion.
sed 's/:K:..=/ /' "$dir/log" | awk '{for (i = 1; i < NF; i++) if ($i ~ /^R:000020.0$/) print substr($i, 7), $(i + 4)}' >"$dir/digests"
failures=0 at=8192
echo "$runs" | tr ',' '\n' >"$dir/runs"
while read -r kind seed systems; do
    there=$(sed -n "s/^$(printf %X $at) //p" "$dir/digests" | tail -n 1)
    here=$(host_digest "$kind" "$seed" "$systems")
    if [ -n "$here" ] && [ "$there" = "$here" ]; then
        echo "PASS cross: $kind, seed $seed: digest $here on the host and in the machine"
    else
        echo "FAIL cross: $kind, seed $seed: digest ${here:-missing} on the host, ${there:-missing} in the machine"
        failures=1
    fi
    at=$((at + 16))
done <"$dir/runs"
exit $failures
