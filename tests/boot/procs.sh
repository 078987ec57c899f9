# procs.sh - for boot tests that run our processes without an emulator: a directory, PASS and FAIL lines, network namespaces,
# and an end that leaves nothing behind. Sourced with the test's name in $test_name:
#
#   procs_begin                  tmp=directory; pids=processes that end with the test
#   ok "what" command...         PASS or FAIL line; the command's output follows a FAIL, and every $tmp/*.log at the end
#   not command...               true if the command fails
#   soon command...              tries for about five seconds; patience=tries before it for another number than 25
#   need_namespaces "$@"         runs the script again inside a user namespace if it must; SKIP if there are none
#   namespace                    a network namespace that lives as long as its sleeper, whose process id is then $ns
#   in_ns PID command...         runs a command there
#
# What runs in the background is started by nsenter itself and not by in_ns: so $! is a process and no subshell.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
skip() { echo "SKIP $test_name: $*"; exit 77; }

procs_begin() {
    tmp=$(mktemp -d "/tmp/$test_name.XXXXXX") || exit 1
    pids= failures=0
    trap procs_end EXIT
    trap 'exit 130' INT TERM HUP
}
procs_end() {
    trap - EXIT
    for p in $pids; do kill "$p" 2>/dev/null; kill -CONT "$p" 2>/dev/null; done
    wait 2>/dev/null
    [ "$failures" = 0 ] || tail -n 40 "$tmp"/*.log
    rm -rf "$tmp"
    exit $((failures > 0))
}

ok() {
    what=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then echo "PASS $test_name: $what"
    else
        echo "FAIL $test_name: $what"
        sed 's/^/    /' "$tmp/out" | tail -15
        failures=$((failures + 1))
    fi
}
not() { if "$@"; then return 1; else return 0; fi; }
soon() {
    tries=${patience:-25}
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.2
    done
}

need_namespaces() {
    [ -w /dev/net/tun ] || skip "/dev/net/tun is closed to this user"
    if [ "$(id -u)" != 0 ]; then
        unshare -Ur true 2>/dev/null || skip "no user namespaces on this machine"
        exec unshare -Ur "$0" "$@"
    fi
    unshare -n true 2>/dev/null || skip "no network namespaces on this machine"
}
ns_ready() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
namespace() {
    unshare -n sleep 600 &
    ns=$!
    pids="$pids $ns"
    soon ns_ready "$ns"
}
in_ns() {
    target=$1
    shift
    nsenter -t "$target" -n "$@"
}
ping_to() { in_ns "$1" ping -q -c 2 -i 0.2 -W 2 "$2"; }

# lpar NS MODE SOCKET NAME DEVICE IPS [FLAGS]: an LPAR made of the kernel's stack (tunlpar) in a namespace; $lpar_pid
lpar() {
    lpar_ns=$1 lpar_name=$4 lpar_ips=$6
    nsenter -t "$lpar_ns" -n timeout 600 "$root/build/tunlpar" "$2" "$3" "$lpar_name" "$5" lpar0 "$lpar_ips" "${7:-0}" \
        >"$tmp/$lpar_name.log" 2>&1 &
    lpar_pid=$!
    pids="$pids $lpar_pid"
    soon in_ns "$lpar_ns" ip link show lpar0 >/dev/null 2>&1
    soon grep -q attached "$tmp/$lpar_name.log" # the MAC is set by then
    in_ns "$lpar_ns" ip addr add "${lpar_ips%%,*}/24" dev lpar0
    in_ns "$lpar_ns" ip link set lpar0 mtu 1492 up
    in_ns "$lpar_ns" ip link set lo up
}
