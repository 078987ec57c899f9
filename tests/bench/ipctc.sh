#!/bin/sh
# ipctc.sh - IP over channel-to-channel units, guest to guest (the plex CTC): BULKGET in SYSA reads 64 MB from BULKSRV in SYSB over
# the pair that joins them; and what a client on the LAN gets from SYSB, through SYSA's OSA and that pair.
#
#   tests/bench/ipctc.sh [ROUNDS]      default 3; the median
# The pattern is checked by the guest as it comes. Times are of a shared machine: compare figures of one run only. Exit 1 if a step failed.
set -u
. "$(dirname "$0")/../boot/lib.sh"
have_modules || { echo "SKIP no device module was built"; exit 77; }
rounds=${1:-3}
lab_begin CTC "$root/tests/boot/configs"
"$plex390" up CTC >"$tmp/up" 2>&1 || { cat "$tmp/up"; exit 1; }
row() { printf '%-56s %10s %s\n' "$1" "$2" "$3"; }
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
pings() { "$plex390" cmd -w '3 RECEIVED' SYSA 'PING 10.8.1.2 (COUNT 3)'; }
log=$PLEX390_RUN/CTC/SYSA.log
ms_of() { sed -n "s/.*PLX0451I $1 READ 67108864 BYTES FROM .* IN \([0-9]*\) MS, PATTERN OK.*/\1/p" "$log" | head -n 1; }
has_read() { [ -n "$(ms_of "$1")" ]; }

echo "machine: $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg); emulator: $(${PLEX390_HERCULES:-hercules} --version 2>&1 </dev/null | grep -i version | head -1)"
within 15 pings >/dev/null || { echo "FAIL SYSB does not answer over the CTC"; exit 1; }
for i in $(seq "$rounds"); do
    cmd SYSA "S BULKGET,JOBNAME=GET$i,PARM='HOST=10.8.1.2'" >/dev/null
    within 120 has_read "GET$i" || { echo "FAIL GET$i did not end"; exit 1; }
    ms_of "GET$i" >>"$tmp/ms"
done
row 'IP over CTC, guest to guest, 64 MB' "$(median <"$tmp/ms" | awk '{printf "%.0f", 536871 / $1}')" Mbit/s
client ip route replace 10.8.0.0/16 via 10.1.1.1 >/dev/null 2>&1
if client ip route show 10.8.0.0/16 | grep -q 10.1.1.1; then
    for i in $(seq "$rounds"); do client curl -sS --max-time 120 -o /dev/null -w '%{speed_download}\n' http://10.8.1.2/bulk/33554432 || exit 1; done >"$tmp/speed"
    row '  32 MB to the LAN, through another guest and its OSA' "$(median <"$tmp/speed" | awk '{printf "%.0f", $1 / 125000}')" Mbit/s
    client "$root/build/netbench" rr 10.8.1.2 7 1000 >"$tmp/nb" 2>&1 || { cat "$tmp/nb"; exit 1; }
    read -r _ _ _ _ p50 p99 <"$tmp/nb"
    row '  1 byte from the LAN there and back, p50 / p99' "$p50 / $p99" us
fi
