#!/bin/sh
# run.sh - runs all tests and closes with "N passed, N failed, N skipped".
#
# A test is a cmocka program of build/unit, the replay of the fuzz corpora, the rules of the house (tidy.sh), the
# catalogues of messages (messages.sh), a run of the simulator, or a boot test (tests/boot/*.sh, each prints PASS,
# FAIL or SKIP lines of its own). Every one has a time limit; what a test started is ended with it, also when this script is killed.
#   tests/run.sh [-k WORD]     only tests whose name contains WORD
set -u
cd "$(dirname "$0")/.." || exit 2
only=
[ "${1:-}" = -k ] && only=$2
passed=0 failed=0 skipped=0 child=
log=$(mktemp)
finish() {
    # The test runs in a session of its own: its whole process group goes with it.
    [ -z "$child" ] || kill -KILL -- "-$child" 2>/dev/null
    rm -f "$log"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# name seconds command...: output in $log, status in rc
bounded() {
    limit=$1
    shift
    setsid timeout -k 5 "$limit" "$@" >"$log" 2>&1 </dev/null &
    child=$!
    wait "$child"
    rc=$?
    kill -KILL -- "-$child" 2>/dev/null
    child=
}
wanted() { case $1 in *"$only"*) return 0 ;; esac; return 1; }
verdict() {
    if [ "$rc" = 0 ]; then echo "PASS $1"; passed=$((passed + 1)); else
        echo "FAIL $1 (status $rc)"; sed 's/^/    /' "$log" | tail -40; failed=$((failed + 1)); fi
}

for t in build/unit/test_*; do
    [ -x "$t" ] || continue
    case $t in *.d) continue ;; esac
    name=$(basename "$t")
    wanted "$name" || continue
    bounded 300 "$t"
    n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | awk '{s += $1} END {print s + 0}')
    bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log" | awk '{s += $1} END {print s + 0}')
    if [ "$rc" = 0 ] && [ "$n" -gt 0 ]; then echo "PASS $name: $n cases"; passed=$((passed + n)); else
        echo "FAIL $name (status $rc)"; sed 's/^/    /' "$log" | grep -v 'OK \]' | tail -40
        failed=$((failed + (bad > 0 ? bad : 1))); passed=$((passed + n)); fi
done
if wanted tidy; then bounded 60 tests/tidy.sh; verdict "tidy: rules of the house"; fi
if wanted messages; then bounded 60 tests/messages.sh; verdict "messages: catalogues, docs/MESSAGES.md"; fi
if wanted fuzz-replay && [ -d tests/fuzz/corpus ]; then bounded 300 make -s fuzz-replay; verdict "fuzz-replay: every corpus"; fi
if wanted plexsim && [ -x build/plexsim ]; then
    for seed in 1 2 3 4 5 6 7 8; do bounded 120 build/plexsim "$seed"; verdict "plexsim seed $seed"; done
    bounded 240 build/plexsim xcf 1 250; verdict "plexsim xcf: 250 seeds, 2 to 6 systems under faults"
    bounded 240 build/plexsim cf 1 60; verdict "plexsim cf: 60 seeds, a structure moves while facilities and links fail"
    bounded 240 build/plexsim arm 1 60; verdict "plexsim arm: 60 seeds, elements restarted once"
    bounded 240 build/plexsim dvipa 1 40; verdict "plexsim dvipa: 40 seeds, dynamic VIPAs on 2 to 6 systems under faults"
    bounded 240 build/plexsim dvipa 1 1 32; verdict "plexsim dvipa: a seed, 32 systems under faults"
    bounded 240 build/plexsim xcf 1 4 32; verdict "plexsim xcf: 4 seeds, 32 systems under faults"
    bounded 240 build/plexsim dist 1 12; verdict "plexsim dist: 12 seeds, the distributor under faults"
fi
for t in tests/boot/*.sh; do
    name=boot/$(basename "$t" .sh)
    [ -x "$t" ] && wanted "$name" || continue
    bounded 600 "$t"
    n=$(grep -c '^PASS' "$log") bad=$(grep -c '^FAIL' "$log") skip=$(grep -c '^SKIP' "$log")
    grep -E '^(PASS|FAIL|SKIP)' "$log" | sed "s|^\([A-Z]*\) |\1 $name: |"
    [ "$rc" != 77 ] || rc=0 # the whole test says SKIP
    if [ "$rc" != 0 ] && [ "$bad" = 0 ]; then echo "FAIL $name (status $rc)"; bad=1; fi
    if [ $((n + bad + skip)) = 0 ]; then echo "FAIL $name: it said nothing"; bad=1; fi
    [ "$bad" = 0 ] || sed 's/^/    /' "$log" | tail -60
    passed=$((passed + n)) failed=$((failed + bad)) skipped=$((skipped + skip))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
