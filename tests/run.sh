#!/bin/sh
# run.sh - runs all tests and closes with "N passed, N failed, N skipped", before it the failed ones once more by name.
#
# A test is a cmocka program of build/unit, the replay of the fuzz corpora, the rules of the house (tidy.sh), the
# catalogues of messages (messages.sh), a run of the simulator, or a boot test (tests/boot/*.sh, each prints PASS,
# FAIL or SKIP lines of its own). Every one has a time limit; what a test started is ended with it, also when this script is killed.
#
# There are three lanes. Boot tests mostly wait for emulators: two lanes take them, each the next one that the other has not
# taken. What only computes runs beside them, politely (nice), and is told when all have ended.
#   tests/run.sh [-k WORD]     only tests whose name contains WORD
set -u
cd "$(dirname "$0")/.." || exit 2
only=
[ "${1:-}" = -k ] && only=$2
passed=0 failed=0 skipped=0 child='' lanes=''
dir=$(mktemp -d)
: >"$dir/booted"
# A test runs in a session of its own; it is its lane's child. It takes down what it has up, then its whole process group goes.
end_child() {
    [ -n "$child" ] || return 0
    kill -s TERM -- "-$child" 2>/dev/null
    i=0
    while kill -s 0 -- "-$child" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
    kill -s KILL -- "-$child" 2>/dev/null
}
finish() {
    for l in $lanes; do kill "$l" 2>/dev/null && wait "$l"; done
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# seconds command...: output in $log, status in rc
bounded() {
    limit=$1
    shift
    setsid timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null &
    child=$!
    wait "$child"
    rc=$?
    kill -s KILL -- "-$child" 2>/dev/null
    child=
}
wanted() { case $1 in *"$only"*) return 0 ;; esac; return 1; }
# How one lane stands, for the other shell that adds up.
tally() { echo "$passed $failed $skipped" >"$log.sum"; }

# ---- what computes ----

verdict() {
    if [ "$rc" = 0 ]; then echo "PASS $1"; passed=$((passed + 1)); else
        echo "FAIL $1 (status $rc)"; sed 's/^/    /' "$log" | tail -40; failed=$((failed + 1)); fi
}
unit_test() {
    bounded 300 "$1"
    n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | awk '{s += $1} END {print s + 0}')
    bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log" | awk '{s += $1} END {print s + 0}')
    if [ "$rc" = 0 ] && [ "$n" -gt 0 ]; then echo "PASS $name: $n cases"; passed=$((passed + n)); else
        echo "FAIL $name (status $rc)"; sed 's/^/    /' "$log" | grep -v 'OK \]' | tail -40
        failed=$((failed + (bad > 0 ? bad : 1))); passed=$((passed + n)); fi
}
simulate() { what=$1; shift; bounded 600 build/plexsim "$@"; verdict "plexsim $what"; }
simulations() {
    for seed in 1 2 3 4 5 6 7 8; do simulate "seed $seed" "$seed"; done
    simulate "xcf: 250 seeds, 2 to 6 systems under faults" xcf 1 250
    simulate "cf: 60 seeds, a structure moves while facilities and links fail" cf 1 60
    simulate "duplex: 40 seeds, a duplexed structure while facilities, links and systems fail" duplex 1 40
    simulate "arm: 60 seeds, elements restarted once" arm 1 60
    simulate "dvipa: 40 seeds, dynamic VIPAs on 2 to 6 systems under faults" dvipa 1 40
    simulate "dvipa: a seed, 32 systems under faults" dvipa 1 1 32
    simulate "xcf: 4 seeds, 32 systems under faults" xcf 1 4 32
    simulate "dist: 12 seeds, the distributor under faults" dist 1 12
}
computing() {
    log=$dir/computing
    for t in build/unit/test_*; do
        [ -x "$t" ] || continue
        case $t in *.d) continue ;; esac
        name=$(basename "$t")
        wanted "$name" && unit_test "$t"
    done
    if wanted tidy; then bounded 300 tests/tidy.sh; verdict "tidy: rules of the house"; fi
    if wanted messages; then bounded 300 tests/messages.sh; verdict "messages: catalogues, docs/MESSAGES.md"; fi
    if wanted fuzz-replay && [ -d tests/fuzz/corpus ]; then bounded 600 make -s fuzz-replay; verdict "fuzz-replay: every corpus"; fi
    if wanted plexsim && [ -x build/plexsim ]; then simulations; fi
    tally
}

# ---- what boots ----

boot_test() {
    bounded 600 "$1"
    n=$(grep -c '^PASS' "$log") bad=$(grep -c '^FAIL' "$log") skip=$(grep -c '^SKIP' "$log")
    judged >"$log.lines"
    cat "$log.lines"
    cat "$log.lines" >>"$dir/booted"
    passed=$((passed + n)) failed=$((failed + bad)) skipped=$((skipped + skip))
}
judged() {
    grep -E '^(PASS|FAIL|SKIP)' "$log" | sed "s|^\([A-Z]*\) |\1 $name: |"
    [ "$rc" != 77 ] || rc=0 # the whole test says SKIP
    if [ "$rc" != 0 ] && [ "$bad" = 0 ]; then echo "FAIL $name (status $rc)"; bad=1; fi
    if [ $((n + bad + skip)) = 0 ]; then echo "FAIL $name: it said nothing"; bad=1; fi
    [ "$bad" = 0 ] || sed 's/^/    /' "$log" | tail -60
}
# 1|2
booting() {
    log=$dir/booting$1
    for t in tests/boot/*.sh; do
        name=boot/$(basename "$t" .sh)
        [ -x "$t" ] && wanted "$name" && mkdir "$dir/$(basename "$t" .sh).taken" 2>/dev/null || continue
        boot_test "$t"
    done
    tally
}

# lane FUNCTION ARG... &: in a shell of its own, beside the others.
lane() {
    trap end_child EXIT
    trap 'exit 130' INT TERM HUP
    "$@"
}
lane computing >"$dir/computed" 2>&1 &
lanes=$!
renice -n 10 -p "$lanes" >/dev/null 2>&1
for l in 1 2; do
    lane booting $l &
    lanes="$lanes $!"
done
for l in $lanes; do wait "$l"; done
lanes=
cat "$dir/computed"
for l in computing booting1 booting2; do
    read -r p f s <"$dir/$l.sum" || { echo "FAIL the lane $l did not end"; p=0 f=1 s=0; }
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
[ "$failed" = 0 ] || { echo "failed:"; cat "$dir/computed" "$dir/booted" | sed -n 's/^FAIL /   /p'; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
