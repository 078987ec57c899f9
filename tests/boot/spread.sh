#!/bin/sh
# spread.sh - ten thousand connections by each method that has weights, on four LPARs: who got them, as the targets count and as the client
# sees it, to within 2 % of all; and every table is empty again afterwards.
#
#   ROUNDROBIN       four targets, equal
#   BASEWLM          four targets, one of which is busy while the weights are measured, and one whose LPAR has half the weight of the
#                    others (LPARWGT of IEAOPTxx); the weights then stand still (SYSPLEXWLMPOLL)
#   WEIGHTEDACTIVE   three targets of weight 1, 2 and 3: connections are held open, 300 at a time, for open ones are what it weighs
#
# The client counts the pages by the system that each names; a target counts the requests that its HTTPD has answered.
# Environment: PLEX390_HERCULES chooses the emulator; SPREAD_CONNECTIONS (10000).
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP spread: no device modules are built"; exit 77; }
command -v curl >/dev/null || { echo "SKIP spread: no curl"; exit 77; }
connections=${SPREAD_CONNECTIONS:-10000}
robin=10.1.1.80 wlm=10.1.1.82 active=10.1.1.84
. "$(dirname "$0")/distlab.sh"
printf 'SOMAXCONN 1024\nGLOBALCONFIG SYSPLEXWLMPOLL 2\n' >>"$parms/PROFILE"
printf 'GLOBALCONFIG SYSPLEXWLMPOLL 180\n' >"$parms/STILL"
cat >"$parms/VIPA0A" <<END
VIPADYNAMIC
  VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 $robin $wlm $active
  VIPADISTRIBUTE DEFINE DISTM ROUNDROBIN $robin PORT 80 DESTIP ALL
  VIPADISTRIBUTE DEFINE DISTM BASEWLM $wlm PORT 80 DESTIP ALL
  VIPADISTRIBUTE DEFINE DISTM WEIGHTEDACTIVE $active PORT 80 DESTIP
    193.9.200.2 WEIGHT 1 193.9.200.3 WEIGHT 2 193.9.200.4 WEIGHT 3
ENDVIPADYNAMIC
END
# The weight is a symbol, 50 on SYSD.
sed -i "s/^\( *SYMDEF(&HOST='\([1-4]\)')\).*/\1\n         SYMDEF(\&WGT='100#\2')/; " "$tmp/configs/PLEX1/parmlib/IEASYM00"
sed -i "s/100#4/50/; s/100#[123]/100/" "$tmp/configs/PLEX1/parmlib/IEASYM00"
echo 'OPT=01' >>"$tmp/configs/PLEX1/parmlib/IEASYS00"
echo 'LPARWGT=&WGT.' >"$tmp/configs/PLEX1/parmlib/IEAOPT01"
for s in B C D; do
    printf 'VIPADYNAMIC\n  VIPABACKUP 10 MOVEABLE IMMEDIATE 255.255.255.0 %s\nENDVIPADYNAMIC\n' "$robin" >"$parms/VIPA0$s"
done

# "SYSx weight" of each target of DVIPA $1, as the routing stack shows it.
weights() {
    vdpt SYSA 80 | sed -n "s/.*$1  *00080  *193\.9\.200\.\([1-4]\)  *[0-9]*  *[0-9]*  *\([0-9]*\) .*/\1 \2/p" |
        awk '{print "SYS" substr("ABCD", $1, 1), $2 + 0}' | sort
}
equal() { printf 'SYSA 1\nSYSB 1\nSYSC 1\nSYSD 1\n'; }
# Requests that each target has answered, asked at its own address (which is one more).
requests() {
    for i in 1 2 3 4; do
        printf 'SYS%s %s\n' "$(echo ABCD | cut -c$i)" "$(client curl -s -m 5 "http://10.1.1.$i/status" | sed -n 's/^REQUESTS //p')"
    done
}
# as_weighed SEEN WEIGHTS: counts by system are what the weights say, to within 2 % of all, and all are there.
as_weighed() {
    awk -v all="$connections" 'NR == FNR {w[$1] = $2; sum += $2; next} {n[$1] = $2; seen += $2}
        END {for (s in w) {want = all * w[s] / sum; off = n[s] - want; if (off < 0) off = -off; if (off > all * 0.02) bad = 1
                           printf "%s weight %d: %d of %.0f\n", s, w[s], n[s], want}
             for (s in n) if (!(s in w)) bad = 1
             exit bad || seen != all}' "$2" "$1"
}
at_targets() { join "$tmp/r0" "$tmp/r1" | awk '{n = $3 - $2 - 1; if (n > 0) print $1, n}' >"$tmp/there"; as_weighed "$tmp/there" "$1"; }
# method NAME DVIPA WHAT AT-ONCE; the weights are in $tmp/w
method() {
    requests >"$tmp/r0"
    ok "spread: $1: $connections connections" client "$root/build/netbench" "$3" "$2" 80 "$connections" /status "$4" || return 1
    sed 's/^/   /' "$tmp/out"
    grep SYS "$tmp/out" >"$tmp/here"
    requests >"$tmp/r1"
    ok "spread: $1: the client was served as the weights say" as_weighed "$tmp/here" "$tmp/w"
    sed 's/^/   /' "$tmp/out" | sort
    ok "spread: $1: the targets have counted the same" at_targets "$tmp/w"
}

ok "spread: four LPARs come up" "$plex390" up PLEX1 || exit 1
needs_lan spread || exit 77
ok "spread: eleven targets are ready" within 30 ready SYSA 80 11 || exit 1

# ---- weights that differ: SYSC is busy while they are measured, then they stand ----
busy_over=$(($(date +%s) + 12))
while [ "$(date +%s)" -lt "$busy_over" ]; do client curl -s -m 4 -o /dev/null "http://10.1.1.3/bulk/268435456"; done &
busy=$!
sleep 10
for s in SYSA SYSB SYSC SYSD; do
    ok "spread: $s reports no more" within 10 answer_has $s 'V TCPIP,,OBEYFILE,TCPIP.TCPPARMS(STILL)' 'EZZ0053I'
done
kill "$busy" 2>/dev/null
wait "$busy" 2>/dev/null
weights $wlm >"$tmp/w"
sed 's/^/   WLM /' "$tmp/w"
ok "spread: four WLM weights are known" test "$(grep -c 'SYS[A-D] [1-9]' "$tmp/w")" = 4
ok "spread: SYSD has said its LPAR weight" grep -q 'PLX0110I LPAR WEIGHT 50 OF IEAOPT01' "$PLEX390_RUN/PLEX1/SYSD.log"
# 32 if all were equally idle: a loaded machine takes from each what it will.
ok "spread: half the LPAR weight is about half the weight" awk '$1 == "SYSD" {d = $2} $1 == "SYSB" {b = $2} END {exit !(d * 100 >= b * 30 && d * 100 <= b * 75)}' "$tmp/w"
method BASEWLM $wlm spread 16
weights $wlm >"$tmp/w2"
ok "spread: the weights stood still meanwhile" cmp "$tmp/w" "$tmp/w2"

equal >"$tmp/w"
method ROUNDROBIN $robin spread 16
weights $active >"$tmp/w"
ok "spread: WEIGHTEDACTIVE has its weights" test "$(tr '\n' ' ' <"$tmp/w")" = "SYSB 1 SYSC 2 SYSD 3 "
method WEIGHTEDACTIVE $active hold 300

for s in SYSA SYSB SYSC SYSD; do ok "spread: the VCRT of $s is empty again" within 40 drained $s; done
