#!/bin/sh
# pmtu.sh - a client of a distributed DVIPA behind a narrow hop, on four LPARs: what IP does to packets on the way must not tear a connection
# from its target.
#
#   far --- mid --- narrow, MTU 600 --- the LAN's client, as a router --- OSA1 --- SYSA (routing stack) --- SYSB, SYSC, SYSD (targets)
#
#   too big     targets send full segments with DF; the router's ICMP "fragmentation needed" is for the DVIPA, so it comes to SYSA, and has
#               to be sent on to the target of the connection that it quotes, or the download stands still
#   in GRE      VIPAROUTE to SYSB, by a way of MTU 1000: the client of the LAN is told to send segments that fit with what goes around them; the
#               far client's, which may be cut, are sent in fragments of GRE, and joined at SYSB
#   fragments   the far client does not set DF: mid cuts its full segments, and only the first fragment of each has ports, so SYSA
#               has to join them before it knows the target
#
# Environment: PLEX390_HERCULES chooses the emulator.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP pmtu: no device modules are built"; exit 77; }
command -v curl >/dev/null || { echo "SKIP pmtu: no curl"; exit 77; }
vip=10.1.1.80 bytes=4194304
. "$(dirname "$0")/distlab.sh"
cat >"$parms/VIPA0A" <<END
VIPADYNAMIC
  VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 $vip
  VIPADISTRIBUTE DEFINE DISTM ROUNDROBIN $vip PORT 80
    DESTIP 193.9.200.2 193.9.200.3 193.9.200.4
  VIPAROUTE DEFINE 193.9.200.2 10.1.1.2
  VIPAROUTE DEFINE 193.9.200.3 10.1.1.99 ; not an address of SYSC
ENDVIPADYNAMIC
END
for s in B C D; do printf 'VIPADYNAMIC\nENDVIPADYNAMIC\n' >"$parms/VIPA0$s"; done
sed -i 's/^BEGINROUTES/&\n    ROUTE 10.1.1.2 HOST = OSALNK1 MTU 1000/' "$parms/DEV0A"

ok "pmtu: four LPARs come up" "$plex390" up PLEX1 || exit 1
needs_lan pmtu || exit 77
ok "pmtu: three targets are ready" within 30 ready SYSA 80 3 || exit 1

# ---- two namespaces behind the LAN's client; they go with the processes that hold them ----
"$plex390" client unshare -n sleep 170 &
mid=$!
"$plex390" client unshare -n sleep 170 &
far=$!
trap 'rc=$?; trap - EXIT; kill "$mid" "$far" 2>/dev/null; (exit $rc); lab_end' EXIT
in_mid() { client nsenter -t "$mid" -n "$@"; }
in_far() { client nsenter -t "$far" -n "$@"; }
apart() { [ "$(client readlink "/proc/$1/ns/net")" != "$(client readlink /proc/self/ns/net)" ] && client nsenter -t "$1" -n true; }
# "$2" of IPv4 is on in the namespace that $1 enters. sysctl is not on every user's path.
setting() { "$1" sh -c "echo 1 >/proc/sys/net/ipv4/$2"; }
wire() {
    client ip link add narrow0 mtu 600 type veth peer name narrow1 mtu 600 netns "$mid" &&
        in_mid ip link add wide0 type veth peer name wide1 netns "$far" &&
        client ip addr add 10.2.1.1/24 dev narrow0 && client ip link set narrow0 up &&
        in_mid ip addr add 10.2.1.2/24 dev narrow1 && in_mid ip link set narrow1 up &&
        in_mid ip addr add 10.2.2.1/24 dev wide0 && in_mid ip link set wide0 up &&
        in_far ip addr add 10.2.2.2/24 dev wide1 && in_far ip link set wide1 up &&
        in_mid ip route add default via 10.2.1.1 && in_far ip route add default via 10.2.2.1 &&
        client ip route add 10.2.2.0/24 via 10.2.1.2 &&
        setting client ip_forward && setting in_mid ip_forward &&
        setting in_far ip_no_pmtu_disc # what it sends may be cut
}
within 5 apart "$mid" && within 5 apart "$far" || { echo "SKIP pmtu: no namespaces within the LAN's"; exit 77; }
ok "pmtu: a narrow hop between the far client and the LAN" wire || exit 1
ok "pmtu: SYSA answers the far client" in_far ping -q -c 1 -W 3 10.1.1.1

# "$2" of protocol $1 in the namespace that the words after it enter: one of /proc/net/snmp's counters.
snmp() {
    proto=$1 name=$2
    shift 2
    "$@" cat /proc/net/snmp | awk -v p="$proto:" -v n="$name" '$1 == p && !h {split($0, k); h = 1; next} $1 == p {for (i in k) if (k[i] == n) print $i}'
}
"$root/build/pattern" $bytes >"$tmp/pattern" || exit 1
sum=$(sha256sum <"$tmp/pattern" | cut -d' ' -f1)
whole() { [ "$(in_far curl -sS -m 20 "http://$vip/bulk/$bytes" | sha256sum | cut -d' ' -f1)" = "$sum" ]; }
sunk() { in_far curl -sS -m 20 -T "$tmp/pattern" "http://$vip/sink" | grep -a "LENGTH $bytes PATTERN OK"; }

"$plex390" card OSA1 capture start "$tmp/gre.pcapng" host 10.1.1.2 and host 10.1.1.1 and ip >/dev/null
# First, for a target that knows the narrow hop tells the client to send short segments.
before=$(snmp Ip FragCreates in_mid)
for i in 1 2 3; do ok "pmtu: upload $i of $bytes bytes" sunk; done
cut=$(($(snmp Ip FragCreates in_mid) - before))
ok "pmtu: its segments came in fragments ($cut)" test "$cut" -ge 1000
before=$(snmp Icmp OutDestUnreachs client)
for i in 1 2 3 4 5 6; do ok "pmtu: download $i of $bytes bytes in segments that fit the narrow hop" whole; done
told=$(($(snmp Icmp OutDestUnreachs client) - before))
ok "pmtu: the router had to say so ($told times), at least once to each target" test "$told" -ge 3

# ---- VIPAROUTE: what SYSA sends to SYSB, and nothing else, is in GRE; tshark is the judge ----
lan_sunk() { client curl -sS -m 20 -T "$tmp/pattern" "http://$vip/sink" | grep -a "LENGTH $bytes PATTERN OK"; }
before=$(snmp Icmp InDestUnreachs client)
for i in 1 2 3; do ok "pmtu: upload $i from the LAN" lan_sunk; done
told=$(($(snmp Icmp InDestUnreachs client) - before))
ok "pmtu: SYSA says that 976 bytes fit into GRE of 1000 ($told times)" test "$told" -ge 1
"$plex390" card OSA1 capture stop >/dev/null
# One pass: protocols, more-fragments, states of the checksums (0: wrong), GRE's flags, malformed; inner values behind outer ones.
# (47,1,6 is an ICMP error: what it quotes has the checksum that its router saw, perhaps one that a card was still to finish.)
# Where a sum is 0 Linux writes FFFF into a packet that it cuts into fragments (skb_checksum_help), one of 65,536: each receiver takes it (RFC 1071), tshark
# calls it wrong (RFC 1624). So the far client's are compared by value.
tshark -r "$tmp/gre.pcapng" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -Y 'ip.src == 10.1.1.1 && ip.dst == 10.1.1.2 && ip.proto == 47' -T fields \
    -e ip.proto -e ip.flags.mf -e ip.checksum.status -e tcp.checksum.status -e gre.flags_and_version -e _ws.malformed \
    -e ip.src -e tcp.checksum -e tcp.checksum_calculated >"$tmp/gre.fields" 2>/dev/null
seen() { n=$(awk -F'\t' "$1 {n++} END {print n + 0}" "$tmp/gre.fields"); echo "$n of $(wc -l <"$tmp/gre.fields") packets"; awk -F'\t' "$1" "$tmp/gre.fields" | head -3; [ "$n" "$2" "$3" ]; }
ok 'pmtu: segments to SYSB are in GRE' seen '$1 == "47,6"' -ge 2000
ok 'pmtu: with right checksums' seen '$3 ~ /0/ || ($1 == "47,6" && $4 ~ /0/ && !($7 ~ /,10\.2\.2\.2$/ && $8 == "0xffff" && $9 == "0x0000")) || ($5 != "" && $5 != "0x0000") || $6 != ""' -eq 0
ok 'pmtu: those that may be cut in fragments of GRE' seen '$2 ~ /^(1|True)/' -ge 100
ok 'pmtu: a VIPAROUTE to what is not an address of SYSC is said' grep -a -q 'PLX0508W VIPAROUTE 193.9.200.3 10.1.1.99 IS NOT USED: IT IS NOT IN THE HOME LIST OF THAT STACK' "$PLEX390_RUN/PLEX1/SYSA.log"
ok 'pmtu: NETSTAT VIPADCFG shows both' answer_has SYSA 'D TCPIP,,NETSTAT,VIPADCFG' 'TARGETIP: 10.1.1.2 .*ACTIVE'
ok "pmtu: the VCRT is empty again" within 40 drained SYSA
