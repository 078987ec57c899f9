#!/bin/sh
# vipa.sh - a connection to a static VIPA survives the loss and the return of either of two OSAs: 64 MB from the
# VIPA at a rate that lasts through both kills, its sha256, and no RST or bad packet on the wire.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP the whole test: no device module was built"; exit 0; }
lab_begin TWO "$root/tests/boot/configs"
ok 'IPL with two OSAs' "$plex390" up TWO || exit 1
ok 'its 48 MB hold fewer socket buffers' grep -a 'PLX0123I TCP/IP STACK TCPIP HAS [0-9]* KB' "$PLEX390_RUN/TWO/SYSA.log"
needs_lan 'the rest' || exit 0
url=$("$plex390" url SYSA)
size=67108864
"$root/build/pattern" $size >"$tmp/pattern"
sha256sum <"$tmp/pattern" | cut -d' ' -f1 >"$tmp/want.sha"

slow_download() { client curl -sS --max-time 60 --limit-rate 8M "${url}bulk/$size" | sha256sum | cut -d' ' -f1 >"$tmp/down.sha"; }
slow_upload() { client curl -sS --max-time 60 --limit-rate 8M -T "$tmp/pattern" "${url}sink" >"$tmp/sink"; }
upload_right() { wait "$upload" && cat "$tmp/sink" && grep -q "$size" "$tmp/sink" && grep -qi 'pattern.*\(ok\|yes\|match\)' "$tmp/sink"; }
drills() {
    for card in OSA1 OSA2; do
        sleep 1
        "$plex390" kill $card || return 1
        sleep 1.5
        "$plex390" ipl $card || return 1
    done
}
# An RST would have ended curl with an error; the client's own capture shows that there was none.
no_reset() {
    kill "$sniffer"
    wait "$sniffer"
    n=$(tshark -r "$tmp/client.pcapng" -Y tcp 2>/dev/null | wc -l)
    tshark -r "$tmp/client.pcapng" -Y 'tcp.flags.reset == 1 || _ws.malformed' >"$tmp/resets" 2>/dev/null
    echo "$n packets"
    cat "$tmp/resets"
    [ "$n" -gt 100 ] && [ ! -s "$tmp/resets" ]
}

ok 'the VIPA answers' client curl -sS --max-time 20 -o /dev/null "$url"
"$plex390" client dumpcap -q -s 128 -i plexlan -w "$tmp/client.pcapng" -f 'tcp port 80' >"$tmp/dumpcap.log" 2>&1 &
sniffer=$!
sleep 1
slow_download &
transfer=$!
slow_upload &
upload=$!
ok 'either OSA killed and restarted during the transfer' drills
ok 'the transfer ended' wait "$transfer"
ok '64 MB from the VIPA, sha256 right' cmp "$tmp/down.sha" "$tmp/want.sha"
ok '64 MB to the VIPA at the same time, pattern right' upload_right
ok 'no RST, no malformed packet at the client' no_reset
both_ready() { [ "$(cmd SYSA 'D TCPIP,,NETSTAT,DEVLINKS' | grep -A1 'DEVNAME: OSA' | grep -c 'DEVSTATUS: READY')" = 2 ]; }
ok 'both OSAs are READY again' within 10 both_ready
ok 'the VIPA answers' client curl -sS --max-time 20 -o /dev/null "$url"
ok 'down' "$plex390" down TWO
