#!/bin/sh
# linux.sh - the test of truth: Linux's own drivers bring our devices online, on an unmodified emulator.
#
# One Linux for s390x with three interfaces on one card, judged from the host through a TAP:
#   10.9.1.1 qeth layer 3 (0E00)    10.9.2.1 qeth layer 2 (0E10)    10.9.3.1 lcs (0E20)    host: .254 of each
# For each: ping, 8 MB each way with its sha256, the card killed and restarted five times, offline and online again three
# times. The kernel unpacks itself under the emulator, which takes about a minute.
#
# Needs build/linux, made by tests/boot/linux/kit.sh (it downloads Debian's packages for s390x), and a TAP; without
# either the test is skipped. PLEX390_HERCULES chooses the emulator. PLEX390_TRACE=yes logs the channel dialogues.
set -u
. "$(dirname "$0")/lib.sh"
kit=$root/build/linux
skip() { echo "SKIP the whole test: $*"; exit 0; }
[ -f "$kit/initrd" ] || skip "no build/linux: tests/boot/linux/kit.sh makes it"
[ "$(cat "$kit/made-of" 2>/dev/null)" = "$(cd "$root/tests/boot/linux" && cat init sum cycle fetch | sha256sum)" ] ||
    skip "build/linux is older than tests/boot/linux: run kit.sh again"
[ -x "$root/build/osa-card" ] || skip "no osa-card was built"
command -v curl >/dev/null || skip "curl is not installed"
. "$root/tests/boot/emulator.sh"

# The TAP lives in a network of our own.
if [ -z "${PLEX390_LINUX_NET:-}" ]; then
    PLEX390_LINUX_NET=1
    export PLEX390_LINUX_NET
    if [ "$(id -u)" = 0 ]; then exec unshare -n "$0" "$@"; fi
    unshare -Urn true 2>/dev/null || skip "no network namespace is to be had"
    exec unshare -Urn "$0" "$@"
fi
[ -w /dev/net/tun ] || skip "/dev/net/tun is closed to this user"
ip link set lo up

dir=$(mktemp -d /tmp/plxlinux.XXXXXX)
tmp=$dir
card= running=
finish() {
    rc=$?
    trap - EXIT
    [ -z "$running" ] || { echo quit >&3; sleep 1; kill -KILL "$running"; } 2>/dev/null
    [ -z "$card" ] || kill "$card" 2>/dev/null
    wait
    if [ -n "${PLEX390_KEEP:-}" ]; then echo "kept: $dir"; else rm -rf "$dir"; fi
    [ "$failures" = 0 ] || rc=1
    exit "$rc"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

card_start() {
    "$root/build/osa-card" --name OSA1 --socket "$dir/osa1.sock" --mac 02:00:5e:00:53:01 --uplink tap://plxlnx \
        --control "$dir/osa1.ctl" >>"$dir/card.log" 2>&1 &
    card=$!
    for i in 1 2 3 4 5 6 7 8 9 10; do
        ip link show plxlnx >/dev/null 2>&1 && break
        sleep 0.2
    done
    ip link set plxlnx up || return
    for net in 1 2 3; do ip addr replace "10.9.$net.254/24" dev plxlnx || return; done
}

# A doubleword, big-endian, of a number below 2^32.
doubleword() {
    printf '\000\000\000\000'
    printf "\\$(printf %03o $(($1 >> 24 & 255)))\\$(printf %03o $(($1 >> 16 & 255)))"
    printf "\\$(printf %03o $(($1 >> 8 & 255)))\\$(printf %03o $(($1 & 255)))"
}

emulator_start() {
    # Neither a list of files to load nor a Hercules configuration knows a blank in a path.
    cp "$module" "$dir/plex390.so" && ln "$kit/image" "$kit/initrd" "$dir/" 2>/dev/null || cp "$kit/image" "$kit/initrd" "$dir/"
    { doubleword $((0x04000000)) && doubleword "$(wc -c <"$kit/initrd")"; } >"$dir/parm"
    printf 'console=ttyS0 conmode=3215 condev=0x0009 quiet\000' >"$dir/line"
    printf '%s\n' 'image 0x00000000' 'parm 0x00010408' 'line 0x00010480' 'initrd 0x04000000' >"$dir/linux.ins"
    trace=${PLEX390_TRACE:+trace=yes}
    cat >"$dir/cnf" <<CNF
$arch z/Arch
OSTAILOR LINUX
CPUMODEL 2097
CPUSERIAL 000390
MAINSIZE 512
NUMCPU 1
LPARNAME SYSL
LDMOD $dir/plex390.so
0009 3215-C / noprompt
0E00.3 PLXOSA card=$dir/osa1.sock lpar=SYSL expect=OSA1 mode=l3 $trace
0E10.3 PLXOSA card=$dir/osa1.sock lpar=SYSL expect=OSA1 mode=l2 $trace
0E20.2 PLXLCS card=$dir/osa1.sock lpar=SYSL expect=OSA1 $trace
CNF
    mkfifo "$dir/in"
    exec 3<>"$dir/in"
    echo "ipl $dir/linux.ins" >"$dir/rc"
    HERCULES_RC=$dir/rc "$emulator" $mode -f "$dir/cnf" <&3 >"$dir/log" 2>&1 &
    running=$!
}

answers() { ping -c 1 -W 2 "$1"; }
receive() {
    curl -sS -m 120 -o "$dir/data" "http://$1/data" -w 'from the guest: %{speed_download} bytes/s\n' | tee -a "$dir/speed"
    sum=$(curl -sS -m 20 "http://$1/data.sum") && [ "$(sha256sum <"$dir/data")" = "$sum" ]
}
send() {
    sum=$(curl -sS -m 120 -H 'Expect:' --data-binary "@$dir/posted" "http://$1/cgi-bin/sum") && [ "$(sha256sum <"$dir/posted")" = "$sum" ]
}
cycle() {
    other=10.9.1.1
    [ "$2" != 10.9.1.1 ] || other=10.9.2.1
    [ "$(curl -sS -m 60 "http://$other/cgi-bin/cycle?$1&$2&3")" = 3 ]
}

head -c 8388608 /dev/urandom >"$dir/posted"
ok 'card with a TAP' card_start || exit 1
emulator_start
ok 'Linux boots and its qeth driver brings layer 3 online' within 240 answers 10.9.1.1 ||
    { tr -d '\000' <"$dir/log" | grep -v '^SYS=' | tail -n 30; exit 1; }
ok 'qeth layer 2 online' within 30 answers 10.9.2.1
ok 'lcs online' within 30 answers 10.9.3.1
kinds='qeth-layer-3 0.0.0e00 10.9.1.1
qeth-layer-2 0.0.0e10 10.9.2.1
lcs 0.0.0e20 10.9.3.1'
# each WHAT...: runs it for every interface with its name, device and address
each() { echo "$kinds" >"$dir/kinds"; while read -r name device address; do "$@" </dev/null; done <"$dir/kinds"; }
both_ways() {
    ok "$name: 8 MB from the guest, sha256" receive "$address"
    ok "$name: 8 MB to the guest, sha256" send "$address"
}
heals() { ok "$name: kill $round heals by itself" within 20 answers "$address"; }
switched() {
    ok "$name: offline and online three times" cycle "$device" "$address"
    ok "$name: answers after that" within 10 answers "$address"
}

each both_ways
# The kills come before offline and online: an lcs that has been offline with its interface up may keep its thread that
# registers groups, and its next recovery loses a buffer to it (docs/DEVICES.md, section 2).
for round in 1 2 3 4 5; do
    kill -KILL "$card"
    wait "$card" 2>/dev/null
    ok "the card is killed and restarted, round $round" card_start
    each heals
done
each switched
sed 's/^/   /' "$dir/speed"
