#!/bin/sh
# card.sh - an OSA card as a process, between this kernel's own stacks: a client behind its TAP, two LPARs made by tunlpar
# (layer 3 and LCS) and a third at layer 2, each in a network namespace. No emulator.
#
#   reach      ping between all four        bulk    64 MB each way, sha256
#   capture    no wrong checksum, names of the interfaces, a FIFO read live
#   drills     cable, kill and restart, takeover of a VIPA, impairment, isolation
#
# Needs root of a network namespace (run as root, or through unshare -Ur) and /dev/net/tun; else SKIP, exit 77.
set -u
test_name=card
. "$(dirname "$0")/procs.sh"
card=${PLEX390_OSA_CARD:-$root/build/osa-card}
tunlpar=$root/build/tunlpar
[ -x "$card" ] && [ -x "$tunlpar" ] || skip "build/osa-card and build/tunlpar are not built"
need_namespaces "$@"
procs_begin

ctl() {
    printf '%s\n' "$*" | python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
answer = b""
while not answer.endswith(b"\n"):
    part = s.recv(65536)
    if not part: break
    answer += part
print(answer.decode(), end="")
sys.exit(answer.startswith(b"error"))' "$tmp/osa1.ctl"
}
start_card() {
    nsenter -t "$client" -n timeout -k 5 600 "$card" --name OSA1 --socket "$tmp/osa1.sock" --mac 02:00:00:00:00:01 \
        --uplink tap://osa1 --tap-addr 10.1.1.254/24 --control "$tmp/osa1.ctl" "$@" >>"$tmp/card.log" 2>&1 &
    card_pid=$!
    pids="$pids $card_pid"
    soon test -S "$tmp/osa1.ctl"
}
# start_lpar NS MODE NAME DEVICE IPS [FLAGS]
start_lpar() { lpar "$1" "$2" "$tmp/osa1.sock" "$3" "$4" "$5" "${6:-0}"; }
finish() {
    kill "$1"
    wait "$1" 2>/dev/null
}

cat >"$tmp/bulk.py" <<'PY'
"""bulk.py serve | get ADDRESS | put ADDRESS: 64 MB of a known pattern over TCP, checked by SHA-256."""
import hashlib, socket, sys
SIZE = 64 << 20
def blocks():
    state = hashlib.sha256(b"plex390").digest() * 2048
    for i in range(SIZE // len(state)):
        yield i.to_bytes(8, "big") + state[8:]
def digest(s):
    h, n = hashlib.sha256(), 0
    while n < SIZE:
        part = s.recv(1 << 18)
        if not part: break
        h.update(part); n += len(part)
    return h.digest()
want = hashlib.sha256()
for b in blocks(): want.update(b)
want = want.digest()
if sys.argv[1] == "serve":
    l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    l.bind(("0.0.0.0", 5001)); l.listen()
    while True:
        s, _ = l.accept()
        try:
            if s.recv(1) == b"p": s.sendall(digest(s))
            else:
                for b in blocks(): s.sendall(b)
        except OSError: pass
        s.close()
s = socket.create_connection((sys.argv[2], 5001), timeout=60)
if sys.argv[1] == "get":
    s.sendall(b"g"); sys.exit(digest(s) != want)
s.sendall(b"p")
for b in blocks(): s.sendall(b)
sys.exit(s.recv(32) != want)
PY

namespace; client=$ns
namespace; a=$ns
namespace; b=$ns
namespace; c=$ns
in_ns "$client" ip link set lo up

# ---- reach ----
ok "the card starts" start_card --capture "$tmp/all.pcapng"
start_lpar "$a" l3 SYSA 0E00 10.1.1.1,10.1.1.100 1
a_lpar=$lpar_pid
start_lpar "$b" lcs SYSB 0E20 10.1.1.2
start_lpar "$c" l2 SYSC 0E10 10.1.1.3
ok "client to layer 3" soon ping_to "$client" 10.1.1.1
ok "client to LCS" soon ping_to "$client" 10.1.1.2
ok "client to layer 2" soon ping_to "$client" 10.1.1.3
ok "layer 3 to LCS" ping_to "$a" 10.1.1.2
ok "layer 3 to layer 2" ping_to "$a" 10.1.1.3
ok "layer 2 to LCS" ping_to "$c" 10.1.1.2
ok "layer 2 to client" ping_to "$c" 10.1.1.254

# ---- bulk ----
for n in $a $b $c; do
    nsenter -t "$n" -n timeout 600 python3 "$tmp/bulk.py" serve >/dev/null 2>&1 &
    pids="$pids $!"
done
sleep 0.5
ctl capture stop >/dev/null
for lpar in 1 2 3; do
    ok "64 MB from 10.1.1.$lpar" in_ns "$client" python3 "$tmp/bulk.py" get "10.1.1.$lpar"
    ok "64 MB to 10.1.1.$lpar" in_ns "$client" python3 "$tmp/bulk.py" put "10.1.1.$lpar"
done
ok "64 MB between two LPARs" in_ns "$a" python3 "$tmp/bulk.py" get 10.1.1.2

# ---- capture ----
if command -v tshark >/dev/null; then
    read_capture() {
        tshark -r "$1" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE \
            -Y "$2" -T fields -e frame.interface_name 2>/dev/null
    }
    quiet() { ! read_capture "$1" "$2" | grep -q .; }
    ok "capture to a file" ctl capture start "$tmp/bulk.pcapng" tcp port 5001
    ok "64 MB while capturing" in_ns "$client" python3 "$tmp/bulk.py" get 10.1.1.1
    ok "capture stops" ctl capture stop
    ok "no wrong checksum, nothing malformed" quiet "$tmp/bulk.pcapng" \
        'ip.checksum.status==0 || tcp.checksum.status==0 || _ws.malformed || frame.len > 1506'
    read_capture "$tmp/all.pcapng" icmp | sort -u >"$tmp/names"
    for name in "OSA1 port" "SYSA 0E00" "SYSB 0E20" "SYSC 0E10"; do ok "interface '$name'" grep -qx "$name" "$tmp/names"; done
    rm -f "$tmp/bulk.pcapng"
    mkfifo "$tmp/fifo"
    ctl capture start "$tmp/fifo" icmp >/dev/null
    timeout 60 tshark -i "$tmp/fifo" -c 2 -T fields -e icmp.seq >"$tmp/live" 2>/dev/null &
    live=$!
    patience=120 # tshark takes its time to start on a busy machine
    ok "a FIFO is read live" soon sh -c "nsenter -t $client -n ping -q -c 1 -W 1 10.1.1.1 >/dev/null; [ \$(wc -l <'$tmp/live') -ge 2 ]"
    patience=
    wait "$live"
    ok "the reader's end leaves the card alive" ping_to "$client" 10.1.1.1
    ctl capture stop >/dev/null
fi

# ---- drills ----
ok "cable pull" ctl cable pull
ok "the LPAR is told" soon grep -q '^event 2' "$tmp/SYSA.log"
ok "nothing passes" not ping_to "$client" 10.1.1.1
ok "cable plug" ctl cable plug
ok "the LPAR is told again" soon grep -q '^event 1' "$tmp/SYSA.log"
ok "everything passes" soon ping_to "$client" 10.1.1.1

ok "a bad wire" ctl impair loss=20% delay=5ms seed=3
ok "it loses some and not all" sh -c "nsenter -t $client -n ping -q -c 20 -i 0.05 -W 1 10.1.1.1 | grep -E ' (1[0-9]|[1-9])% packet loss| [2-7][0-9]% packet loss'"
ok "the wire is mended" ctl impair off
ok "no loss" ping_to "$client" 10.1.1.1

nsenter -t "$b" -n timeout 20 "$tunlpar" l3 "$tmp/osa1.sock" SYSB 0E00 lpar1 10.1.1.100 1 >"$tmp/SYSB2.log" 2>&1 &
taker=$!
ok "a VIPA is taken over" soon grep -q '^answer 1 0000' "$tmp/SYSB2.log"
ok "its owner is told" soon grep -q '^event 3 10.1.1.100' "$tmp/SYSA.log"
finish "$taker"
nsenter -t "$b" -n timeout 20 "$tunlpar" l3 "$tmp/osa1.sock" SYSB 0E00 lpar1 10.1.1.1 0 >"$tmp/SYSB3.log" 2>&1 &
taker=$!
ok "a duplicate is refused" soon grep -q '^answer 1 E00A' "$tmp/SYSB3.log"
finish "$taker"
nsenter -t "$b" -n timeout 20 "$tunlpar" l3 "$tmp/osa1.sock" SYSB 0E00 lpar1 10.1.1.254 0 >"$tmp/SYSB4.log" 2>&1 &
taker=$!
ok "an address of the LAN is refused" soon grep -q '^answer 1 E00A' "$tmp/SYSB4.log"
finish "$taker"

for how in KILL TERM KILL; do
    kill -s "$how" "$(pgrep -P "$card_pid")"
    wait "$card_pid" 2>/dev/null
    ok "the card starts again after SIG$how" start_card
    ok "its LPARs come back" soon ping_to "$client" 10.1.1.1
done
ok "isolate" ctl isolate SYSA
ok "the isolated LPAR is told" soon grep -q '^event 4' "$tmp/SYSA.log"
ok "and refused, in one line" soon grep -q 'incarnation [0-9]* of SYSA has been isolated' "$tmp/SYSA.log"
ok "its packets stay outside" not ping_to "$client" 10.1.1.1
kill "$a_lpar"
ok "quit" ctl quit
ok "the sockets are gone" soon sh -c "! test -e '$tmp/osa1.sock' && ! test -e '$tmp/osa1.ctl'"

# ---- an uplink of libvdeplug, for users without a TAP ----
if [ -e /usr/lib/x86_64-linux-gnu/vdeplug/libvdeplug_slirp.so ]; then
    nsenter -t "$client" -n timeout -k 5 60 "$card" --name OSA1 --socket "$tmp/osa1.sock" --mac 02:00:00:00:00:01 \
        --uplink "slirp:///v4/addr='10.1.1.254/24'/tcpfwd=127.0.0.1:5080:10.1.1.2:5001" --control "$tmp/osa1.ctl" \
        >>"$tmp/card.log" 2>&1 &
    card_pid=$!
    pids="$pids $card_pid"
    ok "slirp: the card starts" soon test -S "$tmp/osa1.ctl"
    ok "slirp: the LPAR comes back" soon sh -c "[ \$(grep -c attached '$tmp/SYSB.log') -ge 5 ]"
    ok "slirp: a forwarded port" soon in_ns "$client" timeout 20 python3 -c '
import socket
s = socket.create_connection(("127.0.0.1", 5080), timeout=5)
s.sendall(b"g")
n = 0
while n < 1 << 20: n += len(s.recv(65536)) or 1 << 30
raise SystemExit(n >= 1 << 30)'
    ctl quit >/dev/null
    wait "$card_pid" 2>/dev/null
fi
ok "no word from a sanitizer" not grep -q 'Sanitizer\|runtime error' "$tmp/card.log"
