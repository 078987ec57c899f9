#!/bin/sh
# haproxy.sh - for scale beside the distributor: HAProxy as a TCP proxy between two Linux namespaces on this machine, with the same
# client (netbench, curl). One namespace is the client's, the other has HAProxy and, behind it on loopback, the server (netbench serve).
#
#   tests/bench/haproxy.sh [MEGABYTES [CONNECTIONS]]      SKIP line and exit 0 where HAProxy or namespaces are missing
#
# The processes are Linux's own, at full speed: what compares is the column "beside direct", not the rates.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
command -v haproxy >/dev/null || { echo "SKIP haproxy: not installed"; exit 0; }
if [ -z "${HAPROXY_INSIDE:-}" ]; then
    unshare -rn true 2>/dev/null || { echo "SKIP haproxy: no namespaces here"; exit 0; }
    HAPROXY_INSIDE=1 exec unshare -rn "$0" "$@"
fi
mb=${1:-64} connections=${2:-2000} pids=
bytes=$((mb * 1048576))
tmp=$(mktemp -d)
end() {
    trap - EXIT
    # shellcheck disable=SC2086 # remembered pids
    kill $pids 2>/dev/null
    wait
    rm -rf "$tmp"
}
trap end EXIT
trap 'exit 130' INT TERM HUP
unshare -n sleep 300 &
there=$!
pids=$there
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(readlink /proc/$there/ns/net)" = "$(readlink /proc/self/ns/net)" ] || break
    sleep 0.1
done
inside() { nsenter -t "$there" -n "$@"; }
ip link add v0 type veth peer name v1 netns "$there" && ip addr add 10.77.0.1/24 dev v0 && ip link set v0 up &&
    inside ip addr add 10.77.0.2/24 dev v1 && inside ip link set v1 up && inside ip link set lo up || exit 1
cat >"$tmp/cfg" <<END
global
    maxconn 4000
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen pages
    bind 10.77.0.2:80
    server s 127.0.0.1:8080
listen bulk
    bind 10.77.0.2:81
    server s 127.0.0.1:8081
END
nsenter -t "$there" -n "$root/build/netbench" serve 0.0.0.0 8080 1024 &
pids="$pids $!"
nsenter -t "$there" -n "$root/build/netbench" serve 0.0.0.0 8081 "$bytes" &
pids="$pids $!"
nsenter -t "$there" -n haproxy -db -q -f "$tmp/cfg" &
pids="$pids $!"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    "$root/build/netbench" get 10.77.0.2 80 1 / >/dev/null 2>&1 && break
    sleep 0.1
done
row() { printf '%-58s %10s %s\n' "$1" "$2" "$3"; }
percent() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.0f", b ? a * 100 / b : 0}'; }
rate() { "$root/build/netbench" get 10.77.0.2 "$1" "$connections" / "$2" | awk '{print $4}'; }
get() { curl -sS --max-time 60 -o /dev/null -w '%{speed_download}' "http://10.77.0.2:$1/" | awk '{printf "%.0f", $1 / 125000}'; }
put() { curl -sS --max-time 60 -T "$tmp/zero" -o /dev/null -w '%{speed_upload}' "http://10.77.0.2:$1/" | awk '{printf "%.0f", $1 / 125000}'; }
# both NAME UNIT FUNCTION DIRECT-PORT PROXY-PORT [MORE]
both() {
    direct=$("$3" "$4" ${6:+"$6"})
    through=$("$3" "$5" ${6:+"$6"})
    row "HAProxy: $1, direct / through it" "$direct / $through" "$2"
    row "  beside direct" "$(percent "$through" "$direct")" "%"
}
both "GET of 1 KB, one at a time" /s rate 8080 80 1
both "GET of 1 KB, 16 at a time" /s rate 8080 80 16
head -c "$bytes" /dev/zero >"$tmp/zero"
both "download of $mb MB" Mbit/s get 8081 81
both "upload of $mb MB" Mbit/s put 8081 81
