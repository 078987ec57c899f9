#!/bin/sh
# messages.sh - docs/MESSAGES.md is what the catalogues print; every message that a source of the guest says with a text of its
# own stands in the catalogue with that text, and every one of the modules in theirs; EZACFSM1 resolves the shipped TCPDATA for
# each system.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

build/messages >"$tmp/MESSAGES.md"
cmp -s "$tmp/MESSAGES.md" docs/MESSAGES.md || { echo "messages: docs/MESSAGES.md is not what build/messages prints"; bad=1; }

# MSG(ID, "text" -> "ID text"; a literal in a source must begin as its entry does, up to the first conversion.
sed -n 's/^MSG(\([A-Z0-9]*\), "\([^"]*\)".*/\1 \2/p' guest-stack/super/messages.def >"$tmp/catalogue"
grep -rhoE '"(EZ[ABDZ]|EZAIN|EZAOP|IE[AEF]|IXC|PLX)[0-9]+[IWEA] [^"]*"' guest-stack ipl --include='*.c' | tr -d '"' | sort -u >"$tmp/said"
while IFS= read -r line; do
    id=${line%% *}
    fixed=$(printf '%s' "$line" | sed 's/%.*//')
    grep -F -q -- "$fixed" "$tmp/catalogue" || grep -q "^$id %s" "$tmp/catalogue" || { echo "messages: not in the catalogue: $line"; bad=1; }
done <"$tmp/said"

# The modules: each text that hdl.c writes fits its entry, whose conversions stand for anything; each entry is said.
sed -n 's/^MSG(\([A-Z0-9]*\), "\([^"]*\)".*/\1 \2/p' hercules-devices/messages.def | sed 's/%[-0-9.]*l*[a-zA-Z]/*/g' >"$tmp/modules"
grep -rhoE '"PLX8[0-9]{2}([IWE]|%c) [^"]*"' hercules-devices --include='*.c' | tr -d '"' | sed 's/\\n$//; s/%c/I/' | sort -u >"$tmp/logged"
while IFS= read -r line; do
    pattern=$(grep "^${line%% *} " "$tmp/modules")
    # shellcheck disable=SC2254 # the entry is a pattern
    case $line in $pattern) ;; *) echo "messages: not in the modules' catalogue: $line"; bad=1 ;; esac
done <"$tmp/logged"
while IFS= read -r entry; do
    grep -q "^${entry%% *} " "$tmp/logged" || { echo "messages: no module says $entry"; bad=1; }
done <"$tmp/modules"
[ "$(wc -l <"$tmp/modules")" = "$(grep -c '^MSG' hercules-devices/messages.def)" ] || { echo "messages: the modules' catalogue is not read whole"; bad=1; }

for s in A B C; do
    build/ezacfsm1 -l SYS$s configs/ONE configs/ONE/tcpparms/TCPDATA >"$tmp/data" 2>"$tmp/err" || { cat "$tmp/err"; bad=1; }
    grep -q "^HOSTNAME *SYS$s\$" "$tmp/data" && ! grep -v '^;' "$tmp/data" | grep -q '&' || { echo "ezacfsm1: SYS$s:"; cat "$tmp/data"; bad=1; }
done
printf 'SYSPLEX\n' >"$tmp/LOAD00" && mkdir "$tmp/iplparm" && mv "$tmp/LOAD00" "$tmp/iplparm"
if build/ezacfsm1 "$tmp" </dev/null 2>"$tmp/err" || ! grep -q 'wait 0B1' "$tmp/err"; then echo "ezacfsm1: a bad LOAD00 was accepted"; bad=1; fi

[ "$bad" = 0 ] && echo "messages: $(wc -l <"$tmp/catalogue") in the catalogue, $(wc -l <"$tmp/said") said elsewhere"
exit "$bad"
