#!/bin/sh
# demo.sh - the tour: a plex of one LPAR from IPL to a page, its displays, its traffic. Each step with its time.
#
#   lab/demo.sh [-k]      -k keeps the plex up at the end
# Exit 0 only if every step did what it says. Run through ./plex390 demo, which installs and builds first.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
PLEX390_ROOT=$root
export PLEX390_ROOT
plex="$root/build/plex390"
keep=
[ "${1:-}" = -k ] && keep=1
tmp=$(mktemp -d)
capture=
finish() {
    rc=$?
    trap - EXIT
    [ -z "$capture" ] || kill "$capture" 2>/dev/null || true
    if [ -z "$keep" ]; then "$plex" down ONE >/dev/null 2>&1 || true; fi
    rm -rf "$tmp"
    exit $rc
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

began=$(date +%s%N)
seconds() { echo $((($(date +%s%N) - $1) / 10000000)) | sed 's/\(..\)$/.\1/; s/^\./0./; s/^\(.\)$/0.0\1/'; }
# step "what" command...: runs it, says how long it took, ends the demo if it fails.
step() {
    what=$1
    shift
    start=$(date +%s%N)
    if "$@" >"$tmp/out" 2>&1; then
        printf '== %-58s %6s s\n' "$what" "$(seconds "$start")"
        sed 's/^/   /' "$tmp/out" | head -"${show:-6}"
    else
        printf '== %-58s FAILED\n' "$what"
        sed 's/^/   /' "$tmp/out" | tail -20
        exit 1
    fi
}

fetch() { "$plex" client curl -sS --max-time 20 "$@"; }
page() { fetch -o "$tmp/page" -w 'HTTP %{http_code}, %{size_download} bytes\n' "$url" && grep -i '<h1' "$tmp/page"; }
bulk() {
    fetch -o "$tmp/bulk" -w '%{size_download} bytes, %{speed_download} bytes/s\n' "${url}bulk/16777216"
    [ "$(wc -c <"$tmp/bulk")" = 16777216 ]
}
# tshark is the judge: requests seen, and not one malformed packet or bad checksum.
judge() {
    kill "$capture"
    wait "$capture" 2>/dev/null || true
    capture=
    n=$(tshark -r "$tmp/demo.pcapng" -o tcp.desegment_tcp_streams:FALSE -Y 'tcp contains "GET /"' 2>/dev/null | wc -l)
    bad=$(tshark -r "$tmp/demo.pcapng" -o tcp.desegment_tcp_streams:FALSE -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -Y '_ws.malformed || tcp.checksum.status == "Bad" || ip.checksum.status == "Bad"' 2>/dev/null | wc -l)
    echo "$n HTTP request packets, $bad malformed or with a bad checksum"
    [ "$n" -gt 0 ] && [ "$bad" = 0 ]
}

echo "plex390: one sysplex member, from IPL to a web page"
step 'IPL 0A80 on SYSA, TCP/IP up' "$plex" up ONE
url=$("$plex" url SYSA)
echo "   SYSA is at $url"
"$plex" capture OSA1 -w "$tmp/demo.pcapng" &
capture=$!
sleep 0.5
step 'curl fetches the page' page
step '16 MB through the OSA' bulk
show=20 step 'D SYMBOLS' "$plex" cmd SYSA 'D SYMBOLS'
show=20 step 'D TCPIP,,NETSTAT,HOME' "$plex" cmd SYSA 'D TCPIP,,NETSTAT,HOME'
show=20 step 'D TCPIP,,NETSTAT,CONN' "$plex" cmd SYSA 'D TCPIP,,NETSTAT,CONN'
step "the card's capture, read by tshark" judge
step 'status' "$plex" status
[ -n "$keep" ] || step 'the plex goes down' "$plex" down ONE
echo "== done in $(seconds "$began") s"
