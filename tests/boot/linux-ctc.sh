#!/bin/sh
# linux-ctc.sh - the test of truth for PLXCTC: Linux's own ctcm driver at both ends, and at one end with our guest at the other.
#
# The plex CTC (tests/boot/configs), in which two of the three systems are then replaced by Linux for s390x on an emulator of
# their own, with the same director's table. The client on the LAN reaches both through SYSA, so everything crosses a CTC:
#   SYSA ours, 10.8.1.1 and 10.8.2.1      SYSB Linux, 10.8.1.2 and 10.8.3.2      SYSC Linux, 10.8.2.3 and 10.8.3.3
# 8 MB each way with its sha256 between our guest and each Linux, and between the two; each Linux sets its device offline and
# online; a Linux's emulator is killed and another one comes. The kernel unpacks itself, which takes about a minute a time.
#
# PLX_CTCE=yes: a second pair between the two Linuxes is the emulator's own CTCE, and both are measured: figures at the end.
# PLX_LINUX_SECONDS: how long a Linux may take to come up (500). Needs build/linux, made by tests/boot/linux/kit.sh (it downloads Debian's packages for s390x). PLEX390_HERCULES chooses the
# emulator.
set -u
. "$(dirname "$0")/lib.sh"
skip() { echo "SKIP the whole test: $*"; exit 77; }
kit=$root/build/linux
have_modules || skip "no device module was built"
[ -f "$kit/initrd" ] || skip "no build/linux: tests/boot/linux/kit.sh makes it"
[ "$(cat "$kit/made-of" 2>/dev/null)" = "$(cd "$root/tests/boot/linux" && cat init sum cycle fetch | sha256sum)" ] ||
    skip "build/linux is older than tests/boot/linux: run kit.sh again"
emulator=${PLEX390_HERCULES:-hercules}
command -v "$emulator" >/dev/null || skip "$emulator is not installed"
if "$emulator" --version </dev/null 2>&1 | grep -q 'SDL\|Hyperion'; then
    architecture='ARCHLVL z/Arch' mode=-n
else
    mode=-d
    architecture=$(printf "%sPRIO $(nice)\n" HERC CPU DEV TOD; echo 'ARCHMODE z/Arch') # see emulator.sh
fi
lab_begin CTC "$root/tests/boot/configs"
ok 'three LPARs IPL' "$plex390" up CTC || exit 1
on_lan || skip "no LAN namespace here, and the client must reach the CTCs"
run=$PLEX390_RUN/CTC
client ip route replace 10.8.0.0/16 via 10.1.1.1 >/dev/null 2>&1

pid_SYSB= pid_SYSC=
linux_kill() {
    eval "p=\$pid_$1"
    [ -n "$p" ] || return 0
    for c in $(ps -o pid= --ppid "$p"); do kill -KILL "$c"; done
    wait "$p" 2>/dev/null
    eval "pid_$1="
}
trap 'rc=$?; linux_kill SYSB; linux_kill SYSC; (exit $rc); lab_end' EXIT
# A doubleword, big-endian, of a number below 2^32.
doubleword() {
    printf '\000\000\000\000'
    printf "\\$(printf %03o $(($1 >> 24 & 255)))\\$(printf %03o $(($1 >> 16 & 255)))"
    printf "\\$(printf %03o $(($1 >> 8 & 255)))\\$(printf %03o $(($1 & 255)))"
}
# system, plx.ctc=
linux_start() {
    dir=$tmp/$1
    mkdir -p "$dir"
    ln -f "$kit/image" "$kit/initrd" "$dir/" 2>/dev/null || cp "$kit/image" "$kit/initrd" "$dir/"
    { doubleword $((0x04000000)) && doubleword "$(wc -c <"$kit/initrd")"; } >"$dir/parm"
    printf 'console=ttyS0 conmode=3215 condev=0x0009 quiet plx.ctc=%s\000' "$2" >"$dir/line"
    printf '%s\n' 'image 0x00000000' 'parm 0x00010408' 'line 0x00010480' 'initrd 0x04000000' >"$dir/linux.ins"
    printf '%s\n' "$architecture" 'OSTAILOR LINUX' 'CPUMODEL 2097' 'CPUSERIAL 000390' 'MAINSIZE 512' 'NUMCPU 1' "LPARNAME $1" \
        "LDMOD $run/plex390.so" '0009 3215-C / noprompt' \
        "0C00.4 PLXCTC director=$run/ctc.director lpar=$1 fence=$run/fence ${PLX_TRACE:+trace=yes}" >"$dir/cnf"
    case ${PLX_CTCE:-}$1 in # a read device meets the other's write device
    yesSYSB) printf '0D00 CTCE 30880 127.0.0.1 30886\n0D01 CTCE 30882 127.0.0.1 30884\n' >>"$dir/cnf" ;;
    yesSYSC) printf '0D00 CTCE 30884 127.0.0.1 30882\n0D01 CTCE 30886 127.0.0.1 30880\n' >>"$dir/cnf" ;;
    esac
    [ -p "$dir/in" ] || mkfifo "$dir/in"
    echo "ipl $dir/linux.ins" >"$dir/rc"
    HERCULES_RC=$dir/rc timeout -k 1 1500 "$emulator" $mode -f "$dir/cnf" <>"$dir/in" >"$dir/log" 2>&1 &
    eval "pid_$1=$!"
}
both() { linux_start SYSB "c00:10.8.1.2:10.8.1.1,c02:10.8.3.2:10.8.3.3${PLX_CTCE:+,d00:10.8.4.2:10.8.4.3}"; linux_start SYSC "c00:10.8.2.3:10.8.2.1,c02:10.8.3.3:10.8.3.2${PLX_CTCE:+,d00:10.8.4.3:10.8.4.2}"; }

answers() { client ping -c 1 -W 2 "$1"; }
receive() {
    client curl -sS -m 120 -o "$tmp/data" "http://$1/data" -w 'from Linux: %{speed_download} bytes/s\n' | tee -a "$tmp/speed"
    sum=$(client curl -sS -m 20 "http://$1/data.sum") && [ "$(sha256sum <"$tmp/data")" = "$sum" ]
}
send() {
    sum=$(client curl -sS -m 120 -H 'Expect:' --data-binary "@$tmp/posted" "http://$1/cgi-bin/sum") && [ "$(sha256sum <"$tmp/posted")" = "$sum" ]
}
# Linux $1 fetches from the address $2 of the other one, which the client reaches as $3.
between() {
    got=$(client curl -sS -m 30 "http://$1/cgi-bin/fetch?$2") && sum=$(client curl -sS -m 20 "http://$3/data.sum") || return 1
    hundredths=${got##* }
    [ "${got% *}" = "$sum" ] && [ "$hundredths" -gt 0 ] && echo "$2 in $hundredths/100 s: $((838860800 / hundredths)) bytes/s"
}
cycle() { [ "$(client curl -sS -m 60 "http://$1/cgi-bin/cycle?$2&$3&2&$4")" = 2 ]; }

head -c 8388608 /dev/urandom >"$tmp/posted"
"$plex390" kill SYSB >/dev/null && "$plex390" kill SYSC >/dev/null
both
linux='10.8.1.2 10.8.2.3'
for a in $linux; do
    ok "ctcm in Linux and our guest: $a answers through a CTC" within "${PLX_LINUX_SECONDS:-500}" answers "$a" ||
        { tr -d '\000' <"$tmp/SYSB/log" | grep -a -v '^SYS=' | tail -n 30; exit 1; }
done
for a in $linux; do
    ok "$a: 8 MB to our guest and on, sha256" receive "$a"
    ok "$a: 8 MB from there, sha256" send "$a"
done
ok 'ctcm and ctcm: SYSB fetches 8 MB from SYSC, sha256' within 30 between 10.8.1.2 10.8.3.3 10.8.2.3
tail -n 2 "$tmp/out"
ok 'SYSC fetches 8 MB from SYSB' within 30 between 10.8.2.3 10.8.3.2 10.8.1.2
tail -n 2 "$tmp/out"
ok 'SYSC sets its device towards SYSB offline and online twice' cycle 10.8.2.3 0.0.0c02 10.8.3.3 10.8.3.2
ok 'and they speak again' within 40 between 10.8.1.2 10.8.3.3 10.8.2.3
if [ -n "${PLX_CTCE:-}" ]; then
    ok 'the emulators own CTCE joins them, too' within 60 between 10.8.1.2 10.8.4.3 10.8.2.3
    for round in 1 2 3; do
        for a in 10.8.3.3 10.8.4.3; do between 10.8.1.2 $a 10.8.2.3; done
    done
    for a in 10.8.3.3 10.8.4.3; do client curl -sS -m 60 "http://10.8.1.2/cgi-bin/fetch?ping&$a"; done
fi
linux_kill SYSB
ok 'SYSB dies: SYSC serves' receive 10.8.2.3
linux_start SYSB 'c00:10.8.1.2:10.8.1.1,c02:10.8.3.2:10.8.3.3'
ok 'another SYSB comes: it answers' within "${PLX_LINUX_SECONDS:-500}" answers 10.8.1.2
ok 'and fetches from SYSC' within 40 between 10.8.1.2 10.8.3.3 10.8.2.3
sed 's/^/   /' "$tmp/speed"
