#!/bin/sh
# uplink.sh - each kind of uplink that libvdeplug knows and two cards can share: an LPAR on one card reaches an LPAR on the other.
# No emulator. tap:// and slirp:// are in card.sh. vxlan:// is for cards on different hosts: two on one host would
# share one UDP port, and the kernel gives what comes for it to one of them.
set -u
test_name=uplink
. "$(dirname "$0")/procs.sh"
card=${PLEX390_OSA_CARD:-$root/build/osa-card}
[ -x "$card" ] && [ -x "$root/build/tunlpar" ] || skip "build/osa-card and build/tunlpar are not built"
need_namespaces "$@"
procs_begin

# Both cards stand in one namespace, whose TAP is there only to be where multicast goes to.
namespace; lan=$ns
namespace; a=$ns
namespace; b=$ns
in_ns "$lan" ip link set lo up
in_ns "$lan" ip tuntap add mcast mode tap
in_ns "$lan" ip addr add 10.9.9.1/24 dev mcast
in_ns "$lan" ip link set mcast up
in_ns "$lan" ip route add 239.0.0.0/8 dev mcast

# start_card NUMBER UPLINK; its process in $card_pid
start_card() {
    nsenter -t "$lan" -n timeout -k 5 100 "$card" --name "OSA$1" --socket "$tmp/osa$1" --mac "02:00:00:00:00:0$1" --uplink "$2" \
        --control "$tmp/ctl$1" >>"$tmp/card$1.log" 2>&1 &
    card_pid=$!
    pids="$pids $card_pid"
    soon test -S "$tmp/osa$1"
}
finish() {
    kill "$@" 2>/dev/null
    wait "$@" 2>/dev/null
}
# Frames up to the MTU, many at once, both ways.
flood() { in_ns "$a" ping -q -c 300 -i 0.002 -s 1400 -W 2 10.1.1.2 | grep ' 0% packet loss'; }

# pair UPLINK-OF-OSA1 UPLINK-OF-OSA2
pair() {
    kind=${1%%:*}
    ok "$kind: the first card starts" start_card 1 "$1"
    first=$card_pid
    ok "$kind: the second card starts" start_card 2 "$2"
    second=$card_pid
    lpar "$a" l3 "$tmp/osa1" SYSA 0E00 10.1.1.1
    first="$first $lpar_pid"
    lpar "$b" l3 "$tmp/osa2" SYSB 0E00 10.1.1.2
    second="$second $lpar_pid"
    ok "$kind: LPAR to LPAR" soon ping_to "$a" 10.1.1.2
    ok "$kind: 300 packets of 1400 bytes" flood
    finish $first $second
    rm -f "$tmp/osa1" "$tmp/osa2"
}

pair "udp://9001->127.0.0.1:9002" "udp://9002->127.0.0.1:9001"
pair "ptp://$tmp/ptp" "ptp://$tmp/ptp"
pair "switch://$tmp/switch" "vde://$tmp/switch"
pair "hub://$tmp/hub" "vde://$tmp/hub"
pair "multi://$tmp/multi" "vde://$tmp/multi"
pair "vxvde://239.0.0.1" "vxvde://239.0.0.1"
not start_card 1 "nosuch://x" 2>/dev/null
ok "an unknown kind is refused, in one line" grep -q 'nosuch://x: ' "$tmp/card1.log"
