#!/bin/sh
# fence.sh - an LPAR that was frozen in the middle of a transfer is isolated through a coupling facility and thawed: from then on
# no frame of it is on the wire, neither what it had left in its rings nor what it says when it is awake. Judge: a capture of the
# client's LAN.
#
# Environment: PLEX390_HERCULES chooses the emulator.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP fence: no device modules are built"; exit 77; }
lab_begin ONE
mkdir "$tmp/configs"
cp -R "$root/configs/ONE" "$tmp/configs/ONE"
PLEX390_CONFIGS=$tmp/configs
printf 'cf = ( { name = "CF01"; }, { name = "CF02"; } );\ncflink = 0x0F00;\n' >>"$tmp/configs/ONE/plex.conf"
run=$PLEX390_RUN/ONE
mac=02:00:5a:00:00:01

not() { if "$@"; then return 1; else return 0; fi; }
card() { "$plex390" card OSA1 status; }
logged() { [ "$(grep -a -c -- "$1" "$run/SYSA.log")" -ge "$2" ]; }
thrown_away() { card | sed 's/.*"thrown_away":\([0-9]*\).*/\1/'; }
# Frames of the card after the moment $1.
frames_since() {
    tshark -r "$tmp/lan.pcapng" -Y "eth.src == $mac && frame.time_epoch > $1" >"$tmp/frames" 2>/dev/null
    wc -l <"$tmp/frames"
}
silent_since() {
    total=$(tshark -r "$tmp/lan.pcapng" -Y "eth.src == $mac" 2>/dev/null | wc -l)
    echo "$total frames of the card in all, $(frames_since "$1") since it was isolated"
    head "$tmp/frames"
    [ "$total" -gt 100 ] && [ ! -s "$tmp/frames" ]
}
restarted() { client curl -sS --max-time 10 -o /dev/null "$url"; }

ok 'fence: IPL with two facilities' "$plex390" up ONE || exit 1
needs_lan 'the rest' || exit 0
url=$("$plex390" url SYSA)
ok 'fence: the page' within 10 client curl -sS --max-time 20 -o /dev/null "$url"
"$plex390" client dumpcap -q -s 128 -i plexlan -w "$tmp/lan.pcapng" >"$tmp/dumpcap.log" 2>&1 &
sniffer=$!
sleep 1
client curl -sS --max-time 30 --limit-rate 8M "${url}bulk/67108864" >"$tmp/got" 2>"$tmp/curl.err" &
transfer=$!
sleep 1
# The card is stopped first, so that the frozen LPAR leaves something in its rings.
"$plex390" freeze OSA1
cmd SYSA "PING 10.1.1.254" >"$tmp/ping" 2>&1
sleep 0.3
ok 'fence: the LPAR is frozen in a transfer' "$plex390" freeze SYSA
ok 'fence: it is isolated through CF01' "$plex390" card CF01 isolate SYSA
since=$(date +%s.%N)
"$plex390" thaw OSA1
sleep 0.5
ok 'fence: the card has let go of it' sh -c "'$plex390' card OSA1 status | grep -q '\"attachments\":\[\]'"
ok 'fence: no address of it is in the OAT' sh -c "'$plex390' card OSA1 status | grep -q '\"oat\":\[\]'"
ok 'fence: what it had left was thrown away' test "$(thrown_away)" -gt 0
ok 'fence: CF02 has let go of it, too' sh -c "'$plex390' card CF02 status | grep -q '\"systems\":\[\]'"
ok 'fence: nobody answers for its address' not client ping -q -c 2 -W 1 10.1.1.1
"$plex390" thaw SYSA
ok 'fence: awake, its three links tell it' within 5 logged 'has been isolated' 3
ok 'fence: its operator asks it to start its OSA again' "$plex390" cmd SYSA 'V TCPIP,,START,OSA1'
sleep 2
ok 'fence: it is refused' logged 'PLX805E 0E00' 1
kill "$sniffer"
wait "$sniffer" 2>/dev/null
ok 'fence: no frame of it on the wire' silent_since "$since"
kill "$transfer" 2>/dev/null
wait "$transfer" 2>/dev/null
ok 'fence: its next activation is let in' "$plex390" ipl SYSA
ok 'fence: and serves the page' within 10 restarted
ok 'fence: down' "$plex390" down ONE
