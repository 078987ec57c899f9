#!/bin/sh
# halt.sh - HALT SUBCHANNEL in every moment of a start, on a real emulator and our module (halt.S): no end is lost, no device
# stays busy, and none has more to say when its subchannel is disabled. hercules-devices/channel_hdl.c says what the emulators do by themselves.
#
# Environment: PLEX390_HERCULES chooses the emulator; its module must be built.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
skip() { echo "SKIP halt: $*"; exit 77; }
. "$root/tests/boot/emulator.sh"
command -v s390x-linux-gnu-as >/dev/null 2>&1 || skip "no s390x assembler"
dir=$(mktemp -d /tmp/halt.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
bare "$root/tests/boot/halt.S" "$dir/p.bin" || exit 1
# A Hercules configuration knows no blank in a path.
cp "$module" "$dir/plex390.so"
# The device needs no card to execute a NOP.
printf '%s ESA/390\nMAINSIZE 16\nNUMCPU 1\nLDMOD %s\n0E20.2 PLXLCS card=%s/none lpar=SYSA\n' "$arch" "$dir/plex390.so" "$dir" >"$dir/cnf"
{
    sleep 1
    echo "loadcore $dir/p.bin 2000"
    sleep 0.3
    echo 'r 0=0008000080002000'
    echo 'restart'
    i=0
    until grep -a -q 'HHCCP011I\|HHC00809I' "$dir/log" || [ $i -ge 300 ]; do
        sleep 0.1
        i=$((i + 1))
    done
    sleep 0.2
    echo 'gpr'
    sleep 0.3
    echo 'quit'
    sleep 1
} | timeout -k 2 60 "$emulator" $mode -f "$dir/cnf" $external >"$dir/log" 2>&1
if grep -a -q '000A0000 80000F00' "$dir/log"; then
    echo "PASS halt: 1024 halts, each with an end, none leaves the device busy; 512 waiting READs ended, no status after the last"
    exit 0
fi
echo "FAIL halt: wait F00 expected"
tail -n 30 "$dir/log"
exit 1
