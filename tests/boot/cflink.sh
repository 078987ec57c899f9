#!/bin/sh
# cflink.sh - a real channel program on a real emulator, through PLXCFL to a coupling facility and back (cflink.S): IDENTIFY's
# response is in the guest's storage, and the device shows one command and one response.
#
# Environment: PLEX390_HERCULES chooses the emulator; its module must be built.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
skip() { echo "SKIP cflink: $*"; exit 77; }
. "$root/tests/boot/emulator.sh"
command -v s390x-linux-gnu-as >/dev/null 2>&1 || skip "no s390x assembler"
[ -x "$root/build/cf" ] || skip "build/cf is not built"
dir=$(mktemp -d /tmp/cflink.XXXXXX) || exit 1
cf=
end() {
    trap - EXIT
    [ -z "$cf" ] || kill "$cf" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT TERM HUP
bare "$root/tests/boot/cflink.S" "$dir/p.bin" || exit 1
# A Hercules configuration knows no blank in a path.
cp "$module" "$dir/plex390.so"
printf '%s ESA/390\nMAINSIZE 16\nNUMCPU 1\nLDMOD %s\n0F00 PLXCFL cf=%s lpar=SYSA expect=CF01\n' "$arch" "$dir/plex390.so" "$dir/cf1" >"$dir/cnf"
"$root/build/cf" --name CF01 --socket "$dir/cf1" >"$dir/cf.log" 2>&1 &
cf=$!
# Waits up to 20 seconds for a line of the emulator's log.
line() {
    i=0
    until grep -a -q "$1" "$dir/log" 2>/dev/null; do
        [ $i -lt 200 ] || return 1
        sleep 0.1
        i=$((i + 1))
    done
}
{
    line 'PLX802I' && sleep 0.5
    echo "loadcore $dir/p.bin 2000"
    sleep 0.3
    echo 'r 0=0008000080002000'
    echo 'restart'
    line 'HHCCP011I\|HHC00809I'
    echo 'r 3000.20'
    echo 'devlist'
    sleep 0.5
    echo 'quit'
    sleep 1
} | timeout -k 2 40 "$emulator" $mode -f "$dir/cnf" $external >"$dir/log" 2>&1
rc=0
for want in 'PLX802I 0F00 connected to CF01' '000A0000 80000F00' '01811234 00000040 00000000' '43463031 20202020' \
    'commands 1 responses 1 notices 0 dropped 0'; do
    if grep -a -q "$want" "$dir/log"; then echo "PASS cflink: $want"; else
        echo "FAIL cflink: no \"$want\" in the log"
        rc=1
    fi
done
[ $rc = 0 ] || tail -n 30 "$dir/log"
exit $rc
