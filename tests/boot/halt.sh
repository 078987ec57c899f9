#!/bin/sh
# halt.sh - HALT SUBCHANNEL in every moment of a start, on a real emulator and our module (halt.S): no end is lost and no device
# stays busy. Hercules 3.13 by itself loses a program that is halted before it began (hercules-devices/channel_hdl.c).
#
# Environment: PLEX390_HERCULES chooses the emulator; its module must be built.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
emulator=${PLEX390_HERCULES:-hercules}
skip() { echo "SKIP halt: $*"; exit 77; }
command -v "$emulator" >/dev/null 2>&1 || skip "no emulator"
command -v s390x-linux-gnu-as >/dev/null 2>&1 || skip "no s390x assembler"
module=$root/build/hercules-3.13/plex390.so options='-d' external=EXTERNALGUI arch='ARCHMODE ESA/390'
if "$emulator" --version 2>&1 </dev/null | grep -q 'version 4\|Hyperion'; then
    module=$root/build/hyperion-4/plex390.so options='-n' external= arch='ARCHLVL ESA/390'
fi
[ -f "$module" ] || skip "the module is not built"
dir=$(mktemp -d /tmp/halt.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
s390x-linux-gnu-as -m31 -mesa -march=z900 "$root/tests/boot/halt.S" -o "$dir/p.o" || exit 1
s390x-linux-gnu-objcopy -O binary "$dir/p.o" "$dir/p.bin" || exit 1
# The device needs no card to execute a NOP.
printf '%s\nMAINSIZE 16\nNUMCPU 1\nLDMOD %s\n0E20.2 PLXLCS card=%s/none lpar=SYSA\n' "$arch" "$module" "$dir" >"$dir/cnf"
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
} | timeout -k 2 60 "$emulator" $options -f "$dir/cnf" $external >"$dir/log" 2>&1
if grep -a -q '000A0000 80000F00' "$dir/log"; then
    echo "PASS halt: 1024 halts, each with an end, none leaves the device busy"
    exit 0
fi
echo "FAIL halt: wait F00 expected"
tail -n 30 "$dir/log"
exit 1
