#!/bin/sh
# tidy.sh - the rules of the house that a script can check. One line a finding; exit 1 if there is any.
#
#   rooms     who may include whom (docs/ARCHITECTURE.md, "Rooms")
#   heads     each C file begins with a comment that names itself
#   size      no file past 700 lines, no function past 100 (the aim is 500 and 70)
#   state     no writable file-scope variable in a portable room or an engine
#   words     nothing that says of itself that it is unfinished; no path of a developer's machine
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0
say() { echo "tidy: $*"; bad=1; }

# Room-first includes of a folder, minus those allowed.
room() {
    dir=$1 allowed=$2
    for f in "$dir"/*.[ch]; do
        [ -f "$f" ] || continue
        for inc in $(sed -n 's/^# *include "\([^"]*\)".*/\1/p' "$f"); do
            case " $allowed " in *" ${inc%%/*} "* | *" $inc "*) ;; *) say "$f: may not include \"$inc\" (room table)" ;; esac
        done
    done
}
room guest-stack/base "base"
room guest-stack/wire "base wire"
room guest-stack/net "base wire net"
room guest-stack/chan "base chan"
room guest-stack/link "base wire net chan link"
room guest-stack/xcf "base wire chan xcf"
room guest-stack/sysplex "base wire net xcf sysplex"
room guest-stack/apps "base wire apps net/sock.h net/timer.h super/console.h super/dataset.h"
room guest-stack/super "base wire net xcf sysplex chan link apps super ipl"
room guest-stack/arch/s390 "base wire chan super arch ipl"

# Engines: pure. Libc headers that touch the outside are for adapters and processes only.
for f in hercules-devices/*.[ch]; do
    case $f in *_hdl.c | */host_* | */hdl.* | */peer*.[ch] | */ring.* | */uplink* | */capture* | *_card*.[ch] | *_main.c | */chsc*) continue ;; esac
    for inc in $(sed -n 's/^# *include <\([^>]*\)>.*/\1/p' "$f"); do
        case $inc in std*.h) ;; *) say "$f: an engine may not include <$inc>" ;; esac
    done
done

for f in $(git ls-files '*.c' '*.h' '*.S' 2>/dev/null); do
    [ -f "$f" ] || continue
    name=$(basename "$f")
    head -3 "$f" | grep -q "$name" || say "$f: the head does not name the file"
    lines=$(wc -l <"$f")
    [ "$lines" -le 700 ] || say "$f: $lines lines; past 700 it is usually two files"
    awk -v f="$f" '/^[a-zA-Z_].*\) *\{$/ {start=NR} /^}/ {if (start && NR-start > 100) print "tidy: " f ":" start ": function of " NR-start " lines"; start=0}' "$f"
done | { grep . && exit 1 || exit 0; } || bad=1

# nm knows what is writable: data (d, D), bss (b, B) and common (C) symbols of the portable rooms.
for o in $(find build/san/guest-stack/base build/san/guest-stack/wire build/san/guest-stack/net build/san/guest-stack/link build/san/guest-stack/xcf build/san/guest-stack/sysplex \
    build/san/guest-stack/super build/san/guest-stack/apps -name '*.o' 2>/dev/null); do
    nm -f sysv "$o" 2>/dev/null | awk -F'|' -v o="$o" '
        # Tables of pointers to constants stand in .data.rel.ro: the linker writes them once, nobody else.
        { gsub(/ /, "", $1); gsub(/ /, "", $3); gsub(/ /, "", $7) }
        $3 ~ /^[dDbBC]$/ && $7 !~ /^\.data\.rel\.ro/ && $1 !~ /^(__asan|__odr_asan|\.L|__ubsan|_?asan|__sanitizer)/ && $1 !~ /\.(data|bss)/ {print "tidy: " o ": writable file-scope " $1}'
done | sort -u | { grep . && exit 1 || exit 0; } || bad=1

git grep -nIiE '\b(TODO|FIXME|XXX)\b|not (yet )?implemented|placeholder' -- '*.c' '*.h' '*.S' '*.sh' '*.mk' 2>/dev/null |
    grep -vE '^tests/tidy.sh|501[ ,"]+Not Implemented' | sed 's/^/tidy: unfinished: /' | { grep . && exit 1 || exit 0; } || bad=1
git grep -nIE '/(wor[k]|hom[e])/' -- . 2>/dev/null | grep -v '^tests/tidy.sh' | sed 's/^/tidy: path of a machine: /' | { grep . && exit 1 || exit 0; } || bad=1
exit $bad
