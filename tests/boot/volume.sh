#!/bin/sh
# volume.sh - mkvol's volume as the emulator's own tools see it, and mkvol's own --list and --print.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/plxvol.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
failures=0
ok() {
    what=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then echo "PASS $what"; else echo "FAIL $what"; sed 's/^/   /' "$tmp/out"; failures=$((failures + 1)); fi
}
mkvol() { "$root/build/mkvol" "$@"; }

one=$root/configs/ONE
build() {
    mkvol -o "$tmp/v.3390" --volser TEST01 --nucleus "$root/build/guest31/guest.bin" SYS1.PARMLIB="$one/parmlib" \
        TCPIP.TCPPARMS="$one/tcpparms" TCPIP.HTTPD.WEB="$one/web"
}
quick() {
    start=$(date +%s%N)
    build || return 1
    ms=$((($(date +%s%N) - start) / 1000000))
    echo "$ms ms"
    [ $ms -lt 1000 ]
}
sets_listed() {
    dasdls "$tmp/v.3390" 2>&1 | tee "$tmp/ls"
    grep -q 'VOLSER=TEST01' "$tmp/ls" && grep -q '^SYS1.NUCLEUS' "$tmp/ls" && grep -q '^TCPIP.HTTPD.WEB' "$tmp/ls"
}
members_unloaded() {
    mkdir "$tmp/pds" && (cd "$tmp/pds" && dasdpdsu "$tmp/v.3390" TCPIP.TCPPARMS ascii) || return 1
    for m in "$one"/tcpparms/*; do
        lower=$(basename "$m" | tr 'A-Z' 'a-z')
        # dasdpdsu leaves out columns 73 to 80, as an assembler would.
        cut -c1-72 "$m" | sed 's/[ \r]*$//' >"$tmp/want"
        sed 's/[ \r]*$//' "$tmp/pds/$lower.mac" >"$tmp/have"
        cmp "$tmp/want" "$tmp/have" || return 1
    done
}
printed() {
    for m in "$one"/parmlib/*; do
        mkvol --print "SYS1.PARMLIB($(basename "$m"))" "$tmp/v.3390" >"$tmp/have" || return 1
        sed 's/[ \r]*$//' "$m" | cmp - "$tmp/have" || return 1
    done
}
long_line() {
    mkdir "$tmp/bad" && printf 'fine\n%081d\n' 1 >"$tmp/bad/LONG"
    mkvol -o "$tmp/w.3390" A.B="$tmp/bad" 2>"$tmp/err" && return 1
    cat "$tmp/err"
    grep -q 'LONG:2: record longer than 80 (81)' "$tmp/err"
}
ok 'a volume in less than a second' quick
ok 'mkvol --print gives back every member of PARMLIB' printed
ok 'record longer than 80: file and line' long_line
if command -v dasdls >/dev/null 2>&1 && command -v dasdpdsu >/dev/null 2>&1; then
    ok 'dasdls sees label and data sets' sets_listed
    ok 'dasdpdsu unloads the members as they were' members_unloaded
else
    echo "SKIP dasdls, dasdpdsu: the emulator's tools are not here"
fi
[ "$failures" = 0 ]
