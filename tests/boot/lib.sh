# lib.sh - for boot tests that run a whole plex: a run directory and configurations of their own, PASS and FAIL
# lines, and an end that leaves nothing behind. Sourced, with the test's name in $0; every test sets what it needs:
#
#   lab_begin PLEX [CONFIGS]     CONFIGS defaults to configs/ of the project
#   ok "what" command...         PASS or FAIL line; the command's output goes to the log on failure
#   cmd SYS 'COMMAND'            the operator's command and its answer
#   client CMD...                a command on the client's host
#
# Environment: PLEX390_HERCULES chooses the emulator. A plex needs the device modules: without them SKIP.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
PLEX390_ROOT=$root
export PLEX390_ROOT
plex390="$root/build/plex390"
failures=0

lab_begin() {
    plex=$1
    PLEX390_CONFIGS=${2:-$root/configs}
    PLEX390_RUN=$(mktemp -d /tmp/plx.XXXXXX)
    PLEX390_PLEX=$plex
    export PLEX390_CONFIGS PLEX390_RUN PLEX390_PLEX
    tmp=$PLEX390_RUN/tmp
    mkdir "$tmp"
    trap lab_end EXIT
    trap 'exit 130' INT TERM HUP
}
lab_end() {
    rc=$?
    trap - EXIT
    "$plex390" down "$plex" >/dev/null 2>&1
    if [ -n "${PLEX390_KEEP:-}" ]; then echo "kept: $PLEX390_RUN"; else rm -rf "$PLEX390_RUN"; fi
    [ "$failures" = 0 ] || rc=1
    exit "$rc"
}

ok() {
    what=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then
        echo "PASS $what"
        return 0
    fi
    echo "FAIL $what"
    sed 's/^/   /' "$tmp/out" | tail -25
    # A system that cannot answer fails many rows, and none of them would say that there is one cause.
    "$plex390" status 2>/dev/null | grep '^LPAR.* \(absent\|frozen\|.*disabled wait\)' | sed 's/^/   /'
    failures=$((failures + 1))
    return 1
}
cmd() { "$plex390" cmd "$@"; }
client() { "$plex390" client "$@"; }
answer_has() {
    system=$1 command=$2 text=$3
    cmd "$system" "$command" >"$tmp/answer" 2>&1
    cat "$tmp/answer"
    grep -q -- "$text" "$tmp/answer"
}
# Waits up to $1 seconds for a command to succeed.
within() {
    end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || { "$@"; return; }
        sleep 0.1
    done
}
# A test whose client must stand on the plex's LAN can't run where the LAN is slirp's.
on_lan() { "$plex390" status --json | grep -q '"lan": "namespace"'; }
needs_lan() {
    on_lan && return 0
    echo "SKIP $1: no LAN namespace here (/dev/net/tun is closed to users), only slirp's forwarding"
    return 1
}
have_modules() {
    [ -f "$root/build/hercules-3.13/plex390.so" ] || [ -n "${PLEX390_HERCULES:-}" ]
}
