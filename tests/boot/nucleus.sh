#!/bin/sh
# nucleus.sh - boot tests of the nucleus as data: runs every *.t of this directory on an emulator, one line a test.
#
#   tests/boot/nucleus.sh [NAME...]      names of tests without ".t"; all of them by default
#
# Environment: HERCULES (or PLEX390_HERCULES) names the emulator, "hercules" by default; MODULE a device module that is
# loaded too (none is needed). A test has 40 seconds; what it started ends with it, also when this script is killed.
#
# A test is a script of one command a line; what follows the first word goes to the command as it stands.
#   name TEXT          what the PASS line says
#   arch 31|64         which nucleus (31 by default)
#   loadparm TEXT      0A80 by default
#   member DSN(M) TEXT replaces a member of configs/ONE by one line (several: one more line each)
#   remove DSN(M)      takes a member out
#   mkvol OPTIONS      more options for mkvol; --no-nucleus leaves the nucleus out
#   zap SYMBOL         zeros the first instruction of a function in the nucleus
#   patch OFFSET HEX   overwrites bytes of the finished volume
#   ipl                builds the volume, starts the emulator, IPLs
#   type TEXT          a line on the operator's console        emu TEXT     a command for the emulator
#   wait REGEX         until the log has a line like it, 10 s  gone REGEX   no line of the log may be like it
#   mark x             from here on, wait looks at new lines only
#   seen REGEX         the log must have such a line           psw CODE     the disabled wait that ends the run
#   idle SECONDS PCT   the emulator may use that much of a processor
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
emulator=${HERCULES:-${PLEX390_HERCULES:-hercules}}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/plxboot.XXXXXX") || exit 2
pid=
failures=0

stop_emulator() {
    [ -n "$pid" ] || return 0
    echo quit >&4 2>/dev/null
    i=0
    while kill -0 "$pid" 2>/dev/null && [ $i -lt 30 ]; do sleep 0.1; i=$((i + 1)); done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    pid=
    exec 4>&-
}
trap 'stop_emulator; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

command -v "$emulator" >/dev/null 2>&1 || { echo "SKIP every nucleus test: no emulator $emulator"; exit 0; }
case $("$emulator" --version </dev/null 2>&1) in *SDL* | *Hyperion*) family=hyperion ;; *) family=3.13 ;; esac

fail() { [ -n "$why" ] || why=$*; }

# "DSN(MEMBER)" -> the file that becomes it.
member_file() {
    dsn=${1%%(*} member=${1#*(}
    case $dsn in
    SYS1.IPLPARM) echo "$dir/iplparm/${member%)}" ;;
    SYS1.PARMLIB) echo "$dir/parmlib/${member%)}" ;;
    SYS1.VTAMLST) echo "$dir/vtamlst/${member%)}" ;;
    TCPIP.TCPPARMS) echo "$dir/tcpparms/${member%)}" ;;
    TCPIP.HTTPD.WEB) echo "$dir/web/${member%)}" ;;
    esac
}

# Zeros the first two bytes of a function in the copy of the nucleus.
zap() {
    at=$("${CROSS:-s390x-linux-gnu-}nm" "$root/build/guest$bits/guest.elf" | awk -v s="$1" '$3 == s {print $1}')
    [ -n "$at" ] || { fail "no function $1 in the nucleus"; return; }
    printf '\000\000' | dd of="$dir/guest.bin" bs=1 seek=$((0x$at - 0x10000)) conv=notrunc 2>/dev/null
}

build_volume() {
    nucleus="--nucleus $dir/guest.bin"
    case $mkvol in *--no-nucleus*) nucleus= mkvol=$(printf '%s' "$mkvol" | sed 's/--no-nucleus//') ;; esac
    # shellcheck disable=SC2086
    "$root/build/mkvol" -o "$dir/sysres.3390" $nucleus $mkvol SYS1.IPLPARM="$dir/iplparm" SYS1.PARMLIB="$dir/parmlib" \
        SYS1.VTAMLST="$dir/vtamlst" TCPIP.TCPPARMS="$dir/tcpparms" TCPIP.HTTPD.WEB="$dir/web" || fail 'mkvol failed'
    [ -z "$patches" ] || printf '%s' "$patches" | while read -r offset hex; do
        printf '%s' "$hex" | sed 's/../&\n/g' | while read -r b; do
            [ -z "$b" ] || printf '%b' "\\0$(printf '%o' "0x$b")"
        done >"$dir/bytes"
        dd if="$dir/bytes" of="$dir/sysres.3390" bs=1 seek=$(($offset)) conv=notrunc 2>/dev/null
    done
}

start() {
    build_volume
    mode=ESA/390
    [ "$bits" = 31 ] || mode=z/Arch
    { [ $family = hyperion ] && echo "ARCHLVL $mode" || printf '%s\n' "ARCHMODE $mode" "CPUPRIO $(nice)" "DEVPRIO $(nice)"
        printf 'CPUMODEL 9672\nCPUSERIAL 012345\nMAINSIZE 64\nNUMCPU 1\nTIMERINT 10000\nLPARNAME SYSA\nLOADPARM %s\n' "$loadparm"
        [ -z "${MODULE:-}" ] || echo "LDMOD $MODULE"
        printf '0009 3215-C / noprompt\n0A80 3390 %s\n' "$dir/sysres.3390"; } >"$dir/cnf"
    rm -f "$dir/in"
    mkfifo "$dir/in"
    exec 4<>"$dir/in"
    if [ $family = hyperion ]; then
        timeout -k 2 40 "$emulator" -n -f "$dir/cnf" <&4 >"$dir/log" 2>&1 4>&- &
    else
        timeout -k 2 40 "$emulator" -d -f "$dir/cnf" EXTERNALGUI <&4 >"$dir/log" 2>&1 4>&- &
    fi
    pid=$!
    until_line 'HHC00100I.*console\|HHC01603I\|dyngui.dll initiated\|HHC02204I\|HHC00811I' 50
    echo 'ipl 0a80' >&4
}

# regex tenths: waits for a line of the log; status 1 after that time or when the emulator has gone.
until_line() {
    i=0
    until tail -n "+$mark" "$dir/log" | grep -a -q -e "$1"; do
        [ $i -lt "$2" ] && kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.1
        i=$((i + 1))
    done
}

# The address half of the PSW of the last disabled wait.
wait_code() {
    if [ $family = hyperion ]; then
        sed -n 's/.*HHC00809I.*wait state [0-9A-F]* *\([0-9A-F ]*\).*/\1/p' "$dir/log"
    else
        grep -a -A6 HHCCP011I "$dir/log" | sed -n 's/^ *PSW=[0-9A-F]* *\([0-9A-F ]*\).*/\1/p'
    fi | tail -1 | awk '{print $NF}'
}

check_psw() {
    until_line 'HHCCP011I\|HHC00809I' 100 || { fail 'no disabled wait came'; return; }
    sleep 0.1
    got=$(wait_code)
    case $got in *"$1") ;; *) fail "disabled wait $got, expected $1" ;; esac
}

check_idle() {
    self=$(pgrep -P "$pid" | head -1)
    before=$("$root/build/cputime" "${self:-$pid}")
    sleep "$1"
    after=$("$root/build/cputime" "${self:-$pid}")
    hundredths=$(((after - before) / ($1 * 100000)))
    used=$((hundredths / 100)).$(printf %02d $((hundredths % 100)))
    note="$note, $used % of a processor over $1 s"
    [ "$hundredths" -lt $(($2 * 100)) ] || fail "idle: $used % of a processor"
}

step() {
    verb=${1%% *} rest=${1#* }
    case $verb in
    name) title=$rest ;;
    arch) bits=$rest; cp "$root/build/guest$bits/guest.bin" "$dir/guest.bin" ;;
    loadparm) loadparm=$rest ;;
    mkvol) mkvol=$rest ;;
    member) f=$(member_file "${rest%% *}"); case " $fresh " in *" $f "*) ;; *) : >"$f"; fresh="$fresh $f" ;; esac
        printf '%s\n' "${rest#* }" >>"$f" ;;
    remove) rm -f "$(member_file "$rest")" ;;
    zap) zap "$rest" ;;
    patch) patches="$patches$rest
" ;;
    ipl) start ;;
    type) echo "/$rest" >&4 ;;
    emu) echo "$rest" >&4 ;;
    mark) mark=$(($(wc -l <"$dir/log") + 1)) ;;
    wait) until_line "$rest" 100 || fail "no line like: $rest" ;;
    seen) grep -a -q -e "$rest" "$dir/log" || fail "no line like: $rest" ;;
    gone) if grep -a -q -e "$rest" "$dir/log"; then fail "there is a line like: $rest"; fi ;;
    psw) check_psw "$rest" ;;
    idle) check_idle ${rest} ;;
    *) fail "unknown command: $verb" ;;
    esac
}

run_test() {
    dir=$tmp/$1 title=$1 bits=31 loadparm=0A80 mkvol='' patches='' fresh='' why='' note='' mark=1
    mkdir "$dir"
    cp -R "$root/configs/ONE/." "$dir"
    cp "$root/build/guest31/guest.bin" "$dir/guest.bin"
    : >"$dir/log"
    while IFS= read -r line; do
        case $line in '' | '#'*) continue ;; esac
        [ -z "$why" ] && step "$line"
    done <"$here/$1.t"
    stop_emulator
    if [ -z "$why" ]; then echo "PASS $title ($family$note)"; return; fi
    echo "FAIL $title ($family): $why"
    grep -a -v '^\(STATUS\|DEV\|SYS=\|MIPS\|SIOS\)' "$dir/log" | tail -40 | sed 's/^/    /'
    failures=$((failures + 1))
}

[ $# -gt 0 ] || set -- $(cd "$here" && ls ./*.t | sed 's|^\./||; s/\.t$//')
for t in "$@"; do run_test "$t"; done
[ "$failures" = 0 ]
