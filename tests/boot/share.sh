#!/bin/sh
# share.sh - three LPARs share one OSA card from one set of members: two by QDIO, one by LCS. Each is reached from
# the LAN; each reaches the others through the card, with no frame of it on the LAN; one dies and the others don't care.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP the whole test: no device module was built"; exit 0; }
lab_begin SHARE "$root/tests/boot/configs"
ok 'three LPARs IPL' "$plex390" up SHARE || exit 1
needs_lan 'the rest' || exit 0

page_of() { client curl -sS --max-time 20 "http://$1/status" >"$tmp/page" && cat "$tmp/page" && grep -q "$2" "$tmp/page"; }
all_pages() { page_of 10.1.1.1 SYSA && page_of 10.1.1.2 SYSB && page_of 10.1.1.3 SYSC; }
# PING's closing message counts what came back.
pings() { "$plex390" cmd -w RECEIVED "$1" "PING $2 (COUNT 3 TIMEOUT 3)" >"$tmp/pings"; cat "$tmp/pings"; grep -q '3 RECEIVED' "$tmp/pings"; }
port_frames() { "$plex390" client cat /proc/net/dev | awk '$1 == "OSA1:" {print $3 + $11}'; }
inside_only() {
    pings SYSA 10.1.1.2 || return 1
    before=$(port_frames)
    pings SYSA 10.1.1.2 || return 1
    after=$(port_frames)
    echo "frames on the LAN: $before before, $after after"
    [ $((after - before)) -le 3 ]
}

ok 'each LPAR serves its page' all_pages
ok 'QDIO to QDIO through the card, nothing on the LAN' inside_only
ok 'LCS to QDIO' pings SYSC 10.1.1.1
ok 'QDIO to LCS' pings SYSB 10.1.1.3
ok 'one card, one MAC' test "$("$plex390" client sh -c 'ping -q -c 1 10.1.1.1; ping -q -c 1 10.1.1.2; ip neigh' | grep -c '02:00:5a:00:00:01')" -ge 2
ok 'SYSA dies' "$plex390" kill SYSA
ok 'the others serve on' page_of 10.1.1.2 SYSB
ok 'the LCS one too' page_of 10.1.1.3 SYSC
ok 'SYSA comes back' "$plex390" ipl SYSA
ok 'each LPAR serves its page' within 10 all_pages
ok 'SYSB is frozen: SYSA answers' sh -c '"$0" freeze SYSB && "$0" client curl -sS --max-time 5 -o /dev/null http://10.1.1.1/ && "$0" thaw SYSB' "$plex390"
ok 'SYSB answers after the thaw' within 10 page_of 10.1.1.2 SYSB
ok 'down' "$plex390" down SHARE
