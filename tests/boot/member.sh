#!/bin/sh
# member.sh - the plex ONE on the real emulator, judged from outside: curl, ping, tshark.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP the whole test: no device module was built"; exit 0; }
lab_begin ONE
ok 'IPL to EZAIN11I' "$plex390" up ONE || exit 1
url=$("$plex390" url SYSA)
size=67108864

fetch_page() {
    client curl -sS --max-time 20 -D "$tmp/head" -o "$tmp/page" "$url" && head -1 "$tmp/head" | grep -q ' 200 ' && grep -qi '<html' "$tmp/page"
}
status_names_us() { client curl -sS --max-time 20 "${url}status" >"$tmp/status" && grep -q SYSA "$tmp/status"; }
download() {
    client curl -sS --max-time 100 "${url}bulk/$size" | sha256sum | cut -d' ' -f1 >"$tmp/down.sha"
    cmp "$tmp/down.sha" "$tmp/want.sha"
}
upload() {
    client curl -sS --max-time 100 -T "$tmp/pattern" "${url}sink" >"$tmp/sink" && cat "$tmp/sink" && grep -q "$size" "$tmp/sink" && grep -qi 'pattern.*\(ok\|yes\|match\)' "$tmp/sink"
}
no_bad_packet() {
    kill "$capture"
    wait "$capture"
    capture=
    tshark -r "$tmp/all.pcapng" -o tcp.desegment_tcp_streams:FALSE -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields \
        -e frame.number -e _ws.expert.message -Y '_ws.malformed || tcp.checksum.status == "Bad" || ip.checksum.status == "Bad" || udp.checksum.status == "Bad"' >"$tmp/bad" 2>"$tmp/tshark.err"
    n=$(tshark -r "$tmp/all.pcapng" -Y tcp 2>/dev/null | wc -l)
    echo "$n TCP packets captured, $(wc -l <"$tmp/bad") bad"
    head "$tmp/bad"
    [ "$n" -gt 1000 ] && [ ! -s "$tmp/bad" ]
}
interfaces_named() {
    tshark -r "$tmp/all.pcapng" -c 2000 -T fields -e frame.interface_name 2>/dev/null | sort -u >"$tmp/names"
    cat "$tmp/names"
    grep -q SYSA "$tmp/names" && grep -q OSA1 "$tmp/names"
}

osa_ready() { cmd SYSA 'D TCPIP,,NETSTAT,DEVLINKS' | grep -A1 'DEVNAME: OSA1' | grep 'DEVSTATUS: READY'; }

"$root/build/pattern" $size >"$tmp/pattern"
sha256sum <"$tmp/pattern" | cut -d' ' -f1 >"$tmp/want.sha"

ok 'curl gets the page' fetch_page
ok '/status names the system' status_names_us
if needs_lan 'ping from the client'; then
    ok 'ping, 20 of 20' client ping -q -c 20 -i 0.05 -W 2 10.1.1.1
    ok 'ping of 8000 bytes' client ping -q -c 3 -i 0.2 -W 2 -s 8000 10.1.1.1
fi
"$plex390" capture OSA1 -w "$tmp/all.pcapng" &
capture=$!
sleep 0.5
ok '64 MB down, sha256 right' download
ok '64 MB up, pattern right' upload
ok 'tshark: no malformed packet, no bad checksum' no_bad_packet
ok 'capture has an interface for SYSA and one for the port' interfaces_named
ok 'D SYMBOLS' answer_has SYSA 'D SYMBOLS' 'SYSNAME. *= *"SYSA"'
ok 'NETSTAT HOME' answer_has SYSA 'D TCPIP,,NETSTAT,HOME' '10.1.1.1'
ok 'NETSTAT DEVLINKS: the OSA is READY' osa_ready
ok 'NETSTAT CONN: HTTPD listens' answer_has SYSA 'D TCPIP,,NETSTAT,CONN' '\.\.80 .*LISTEN'
ok 'PING of the client from the console' "$plex390" cmd -w 'EZZ' SYSA 'PING 10.1.1.254'
ok 'the cable is pulled' "$plex390" cut OSA1
ok 'the cable is plugged' "$plex390" heal OSA1
ok 'the page is back' within 10 fetch_page
ok 'the card is killed' "$plex390" kill OSA1
ok 'the card is restarted' "$plex390" ipl OSA1
ok 'the page is back' within 10 fetch_page
ok 'V TCPIP,,STOP,OSA1' "$plex390" cmd -w EZZ4315I SYSA 'V TCPIP,,STOP,OSA1'
ok 'V TCPIP,,START,OSA1' "$plex390" cmd -w EZZ4313I SYSA 'V TCPIP,,START,OSA1'
ok 'the page is back' within 10 fetch_page
ok 'down' "$plex390" down ONE
