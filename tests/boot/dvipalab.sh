# dvipalab.sh - PLEX1 as the tests of dynamic VIPAs want it, and how they look at it from outside. Sourced behind lib.sh; makes the
# configuration at once. Which cards and VIPADYNAMIC statements: SYSA defines 10.1.1.80 (IMMEDIATE) and 10.1.1.81 (WHENIDLE), SYSB
# (rank 200) and SYSC (100) back them up; SYSB has a card of its own (OSA2), so that a takeover shows in a client's ARP table; SYSD
# has no OSA at all.
#
#   $c $run $tmp                members of the plex, its run directory, a place for files
#   who A [PORT]                the system that answers a new connection;  served_by SYS A [PORT]: it is SYS
#   is SYS A STATE              what D TCPIP,,SYSPLEX,VIPADYN says of A at SYS
#   transfer A; transferred     64 MB in the background, of which the client reads one and then no more until transferred(); they arrived
#                               with the right sha256. So it is open however long what is between takes on a busy machine
#   transfer A RATE             it reads on at that rate
#   sniff; no_reset             a capture on the client's side of port 80; in it the latest transfer, which is over, has no RST of either end,
#                               and the address that it was from has sent none to anybody. (Of another connection the client's may be: who asks
#                               who() gives up after half a second, and the client's kernel resets what is answered later.)
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
c=$tmp/configs/PLEX1
run=$PLEX390_RUN/PLEX1
sed -i 's/INTERVAL([0-9]*)/INTERVAL(4)/' "$c/parmlib/COUPLE00"
# SYSB's own card; SYSD without one.
sed -i 's|^  { name = "OSA1"; mac.*|&,\n  { name = "OSA2"; mac = "02:00:5A:00:00:02"; chpid = "osd"; mtu = 8992; }|; /name = "SYSB"/,/}/s/0x0E00; card = "OSA1"/0x0E10; card = "OSA2"/' "$c/plex.conf"
cat >>"$c/vtamlst/OSATRL" <<'X'
OSA2T    TRLE  LNCTL=MPC,MPCLEVEL=QDIO,READ=(0E10),WRITE=(0E11),
               DATAPATH=(0E12),PORTNAME=OSA2
X
sed -i 's/OSA1 /OSA2 /; s/OSA1$/OSA2/' "$c/tcpparms/DEV0B"
sed -i '/name = "SYSD"/,/}/s|osa = (.*);|osa = ( );|' "$c/plex.conf"
echo '; SYSD has no devices of its own.' >"$c/tcpparms/DEV0D"
sed -i 's/^START OSA1$//' "$c/tcpparms/PROFILE"
for s in A C; do echo 'START OSA1' >>"$c/tcpparms/DEV0$s"; done
echo 'START OSA2' >>"$c/tcpparms/DEV0B"
# Packets for it go through SYSA: the card passes to PRIROUTER what nobody has registered.
sed -i 's/NONROUTER/PRIROUTER/' "$c/tcpparms/DEV0A"
cat >"$c/tcpparms/VIPA0D" <<'X'
BEGINROUTES
    ROUTE DEFAULT 193.9.200.1 EZAXCF0A MTU 8992
ENDROUTES
X

vip=10.1.1.80 idle=10.1.1.81
size=67108864
# Which system answers a new connection to $1 (and port $2).
who() { client curl -sS --connect-timeout 0.5 --max-time 2 "http://$1:${2:-80}/status" 2>/dev/null | sed -n 's/^SYSTEM //p' | tr -d '\r'; }
served_by() { w=$(who "$2" "${3:-80}"); echo "$2 is served by '$w', not $1"; [ "$w" = "$1" ]; }
# SDL-Hyperion's log has the time before each line.
status() { cmd "$1" "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$2" | awk -v s="$3" '{sub(/^[0-9:]* *\//, "")} $2 == s {print $3}'; }
is() { st=$(status "$1" "$2" "$1"); echo "$2 at $1 is '$st', not $3"; [ "$st" = "$3" ]; }
logged() { grep -a -q -- "$2" "$run/$1.log"; }
neighbour() { client ip neigh show "$vip"; client ip neigh show "$vip" | grep -qi "lladdr $1"; }
# Its own number, as `plex390 client` waits for it; 90 s bound it if nobody ends it.
sniff() {
    rm -f "$tmp/sniffer"
    client sh -c 'echo $$ >"$1/sniffer"; exec timeout 90 dumpcap -q -s 128 -i plexlan -w "$1/client.pcapng" -f "tcp port 80"' sh "$tmp" \
        >"$tmp/dumpcap.log" 2>&1 &
    sniffer=$!
    sleep 0.7
}
captured() { tshark -r "$tmp/client.pcapng" -Y "$1" 2>"$tmp/tshark.log"; }
# The kernel hands packets over in blocks: when the capture has a connection that was begun later, it has all of the transfer.
marked() {
    mark=$(client curl -sS --connect-timeout 0.5 --max-time 2 -o /dev/null -w '%{local_port}' "http://$source/status")
    [ "${mark:-0}" -gt 0 ]
}
has_mark() { captured "tcp.port == $mark" | grep -q .; }
no_reset() {
    within 5 marked && within 5 has_mark || { echo 'the capture is not known to have the end'; return 1; }
    kill "$(cat "$tmp/sniffer")"; wait "$sniffer"
    port=$(sed -n 's/^port //p' "$tmp/transfer.log")
    [ "${port:-0}" -gt 0 ] || { echo "the transfer's port is not known"; return 1; }
    captured "tcp.flags.reset == 1 && (ip.src == $source || tcp.port == $port)" >"$tmp/resets" || { cat "$tmp/tshark.log"; return 1; }
    n=$(captured "ip.addr == $source && tcp.port == $port" | wc -l)
    echo "$n packets from and to $source, port $port"; cat "$tmp/resets"
    [ "$n" -gt 100 ] && [ ! -s "$tmp/resets" ]
}
transfer() {
    rm -f "$tmp/gate" "$tmp/opened"
    mkfifo "$tmp/gate"
    source=$1
    client curl -sS --max-time 100 ${2:+--limit-rate "$2"} -w '%{stderr}port %{local_port}\n' "http://$1/bulk/$size" 2>"$tmp/transfer.log" | {
        dd bs=65536 count=16 iflag=fullblock 2>/dev/null
        : >"$tmp/opened"
        [ -n "${2:-}" ] || read -r _ <"$tmp/gate"
        cat
    } | sha256sum | cut -d' ' -f1 >"$tmp/got.sha" &
    moving=$!
    gate=${2:+open}
    within 10 test -e "$tmp/opened"
}
transferred() {
    [ -n "$gate" ] || timeout 5 sh -c 'echo >"$1"' sh "$tmp/gate"
    wait "$moving"
    cat "$tmp/transfer.log"
    cmp "$tmp/got.sha" "$tmp/want.sha"
}
