#!/bin/sh
# thousand.sh - 1,024 dynamic VIPAs on eight LPARs, each with an OSA card of its own: how long they take to move, on real emulators.
# A host of the LAN listens to ARP; the time is from the SIGKILL of the owner's emulator to the gratuitous ARP by which a survivor's card
# says that it has the address. Then each address is asked for /status, and who answers must be who said so.
#
#   row         who owns the addresses            what happens                              how many move, and to whom
#   one owner   SYSA all 1,024                    SYSA killed                               1,024, to seven survivors
#   taken back  the seven                         SYSA IPLed; from its first to its last    1,024, to SYSA
#   one heir    SYSA all, SYSB alone backs up     SYSA killed                               1,024, to SYSB
#   eight       each 128                          SYSA killed                               128, to seven survivors
#   half        each 128                          SYSA to SYSD killed at once               512, to four survivors
#
# But for "one heir" every other system backs every address up. The ranks turn from address to address (1 + (k + system) mod 7 for the k-th), so
# that each survivor is the highest of its share.
#
#   tests/bench/thousand.sh [ROUNDS]      rounds of every row (1). Exit 1 if one of them has an address that did not move, was said by
#                                         two, answers elsewhere, or moved later than a second after the kill. "taken back": two
#                                         seconds after the first of them (an IPL is no part of it), for so long do the former
#                                         owners' cards deliver what comes for them, and nothing is lost. "one heir": the
#                                         time is a figure only, as a stack tells its card of one address after the other.
#
# Environment: PLEX390_HERCULES, PLEX390_KEEP, THOUSAND_ROWS ("one heir eight": the first two rows, the third, the last two).
set -u
. "$(dirname "$0")/../boot/lib.sh"
have_modules || { echo "SKIP thousand: no device modules are built"; exit 77; }
rounds=${1:-1}
rows=${THOUSAND_ROWS:-one heir eight}
lab_begin PLEX1
mkdir "$tmp/configs"
PLEX390_CONFIGS=$tmp/configs
letters='A B C D E F G H'

# ---- PLEX1 with eight systems and eight cards ----

# PLEX1 has four of everything; what is said of a system is said eight times.
eight_systems() {
    c=$tmp/configs/PLEX1
    rm -rf "$c"
    cp -R "$root/configs/PLEX1" "$c"
    rm "$c"/tcpparms/DEV0? "$c"/tcpparms/VIPA0?
    sed -i '/^cards = /,$d' "$c/plex.conf"
    sed -i '/^SYSDEF   LPARNAME/,$d' "$c/parmlib/IEASYM00"
    sed -i 's/DEVICE(0C00.*/DEVICE(0C00,0C02,0C04,0C06,0C08,0C0A,0C0C)/; s/DEVICE(0C01.*/DEVICE(0C01,0C03,0C05,0C07,0C09,0C0B,0C0D)/' \
        "$c/parmlib/COUPLE00"
    sed -i '/^START OSA1/d' "$c/tcpparms/PROFILE"
    echo 'OSATRL   VBUILD TYPE=TRL' >"$c/vtamlst/OSATRL"
    n=0
    for s in $letters; do
        n=$((n + 1)) u=$((n - 1))
        cards="${cards:-}${cards:+,}{ name = \"OSA$n\"; mac = \"02:00:5A:00:00:0$n\"; chpid = \"osd\"; mtu = 8992; }"
        systems="${systems:-}${systems:+,}{ name = \"SYS$s\"; loadparm = \"0A80\"; iplparm = \"00\"; address = \"10.1.1.$n\"; memory = 96;
            osa = ( { device = 0x0E${u}0; card = \"OSA$n\"; mode = \"qdio\"; } ); }"
        cat >>"$c/vtamlst/OSATRL" <<X
OSA${n}T    TRLE  LNCTL=MPC,MPCLEVEL=QDIO,READ=(0E${u}0),WRITE=(0E${u}1),
               DATAPATH=(0E${u}2),PORTNAME=OSA$n
X
        cat >>"$c/parmlib/IEASYM00" <<X
SYSDEF   LPARNAME(SYS$s)
         SYSNAME(SYS$s)
         SYSCLONE(0$s)
         SYMDEF(&HOST='$n')
X
        cat >"$c/tcpparms/DEV0$s" <<X
DEVICE OSA$n    MPCIPA NONROUTER AUTORESTART
LINK   OSALNK1 IPAQENET OSA$n
HOME
    &LANNET..&HOST.   OSALNK1
BEGINROUTES
    ROUTE &LANNET..0  255.255.255.0  =                    OSALNK1 MTU 8992
    ROUTE DEFAULT                    &LANNET..&CLIENTS.   OSALNK1 MTU 1500
ENDROUTES
START OSA$n
X
    done
    echo "cards = ( $cards );" >>"$c/plex.conf"
    echo "systems = ( $systems );" >>"$c/plex.conf"
    unset cards systems
}
# OWNERS HEIRS: the k-th address, 10.1.(4 + k / 256).(k mod 256), is defined by system k mod OWNERS and backed up by the next HEIRS.
definitions() {
    n=0
    for s in $letters; do
        awk -v me="$n" -v owners="$1" -v heirs="$2" '
            function statement(head, list) { if (list != "") printf "    %s\n%s\n", head, list }
            BEGIN {
                print "VIPADYNAMIC"
                for (k = 0; k < 1024; k++) {
                    if ((me - k % owners + 8) % 8 > heirs) continue
                    # Seven others have seven ranks: the eighth system has the one that would be the owner'\''s.
                    rank = k % owners == me ? 255 : 1 + (k + (me == 7 ? k % owners : me)) % 7
                    list[rank] = list[rank] sprintf("%s10.1.%d.%d", count[rank]++ % 4 ? " " : "\n        ", 4 + int(k / 256), k % 256)
                }
                statement("VIPADEFINE MOVEABLE IMMEDIATE 255.255.0.0", list[255])
                for (r = 1; r <= 7; r++) statement("VIPABACKUP " r, list[r])
                print "ENDVIPADYNAMIC"
            }' | sed '/^$/d' >"$tmp/configs/PLEX1/tcpparms/VIPA0$s"
        n=$((n + 1))
    done
}

# ---- what the LAN sees ----

listen() {
    rm -f "$tmp/listener" "$tmp/arp.pcapng"
    client sh -c 'echo $$ >"$1/listener"; exec timeout 120 dumpcap -q -s 64 -i plexlan -w "$1/arp.pcapng" -f arp' sh "$tmp" >"$tmp/dumpcap.log" 2>&1 &
    listener=$!
    within 5 test -s "$tmp/arp.pcapng"
}
unlisten() { kill "$(cat "$tmp/listener")"; wait "$listener"; }
# "ms MAC's last byte address" for each gratuitous ARP after the event. To all, that is: a former owner's card that has not been told yet
# answers the new one's, but to that card alone.
claims() {
    tshark -r "$tmp/arp.pcapng" -Y 'arp.isgratuitous && arp.opcode == 1' -T fields -e frame.time_epoch -e eth.src -e arp.src.proto_ipv4 2>/dev/null |
        awk -v b="$begun" '$1 >= b && $3 ~ /^10\.1\.[4-7]\./ {printf "%.1f %d %s\n", ($1 - b) * 1000, substr($2, 17), $3}' >"$tmp/claims"
}
# Who answers on each of the 1,024: "number address". In four parts: a Linux has room for 1,024 neighbours, and that for all of its
# namespaces together.
answers() {
    : >"$tmp/answers"
    for k in 4 5 6 7; do
        client ip neigh flush dev plexlan
        client curl -sS --connect-timeout 2 --max-time 4 "http://10.1.$k.[0-255]/status" 2>"$tmp/curl" | tr -d '\r' |
            awk '/^SYSTEM SYS/ {who = index("ABCDEFGH", substr($2, 4))} /^LOCAL SOCKET/ {sub(/\.\..*/, "", $3); print who, $3}' >>"$tmp/answers"
        [ ! -s "$tmp/curl" ] || return 0
    done
}
owned_by() { # a system's number, how many
    answers
    n=$(awk -v w="$1" '$1 == w' "$tmp/answers" | wc -l)
    echo "system $1 answers on $n of $2"; sed 3q "$tmp/curl"
    [ "$n" = "$2" ]
}
heard() { # at least so many addresses
    tshark -r "$tmp/arp.pcapng" -Y 'arp.isgratuitous && arp.opcode == 1' -T fields -e frame.time_epoch -e arp.src.proto_ipv4 2>/dev/null |
        awk -v b="$begun" -v w="$1" '$1 >= b && $2 ~ /^10\.1\.[4-7]\./ && !a[$2]++ {n++} END {exit n < w}'
}
# ROW COUNT FROM BAR [DEAD]: judges what was heard and asked. FROM "first": the time counts from the first announcement. DEAD: numbers
# of systems that were killed; no kill hits four processes in one instant, and whom it hits last may take over from the first.
verdict() {
    bar=$4
    within 15 heard "$2"
    sleep 1
    unlisten
    claims
    answers
    line=$(awk -v from="$3" -v dead="${5:-}" '
        FILENAME ~ /claims$/ {
            if (index(dead, $2)) next
            if (!($3 in who)) { who[$3] = $2; n++; if (n == 1) first = $1; last = $1; if (!share[$2]++) from_ms[$2] = $1; to_ms[$2] = $1 }
            else if (who[$3] != $2) two++
            next
        }
        ($2 in who) { if ($1 == who[$2]) right++ }
        $1 > 0 { served++ }
        END {
            for (s = 1; s <= 8; s++) if (share[s]) shares = shares sprintf("%s%d:%.0f-%.0f", shares == "" ? "" : ",", share[s], from_ms[s], to_ms[s])
            printf "%d %.1f %.1f %d %d %d %s", n, first, from == "first" ? last - first : last, two, right, served, shares
        }' "$tmp/claims" "$tmp/answers")
    # shellcheck disable=SC2086 # words are wanted
    set -- "$1" "$2" $line
    printf '%-12s %6d %9.1f %9.1f   %s\n' "$1" "$3" "$4" "$5" "$9"
    ok "thousand: $1: $2 moved within $bar ms ($5), each said by one and answered there, all 1,024 served" \
        sh -c 'echo "$1 moved, $3 said by two, $4 answer there, $5 served"; head -3 "$8"; [ "$1" = "$2" ] && [ "$3" = 0 ] && [ "$4" = "$2" ] && [ "$5" = 1024 ] && awk -v l="$6" -v b="$7" "BEGIN {exit !(l <= b)}"' \
        sh "$3" "$2" "$6" "$7" "$8" "$5" "$bar" "$tmp/curl"
}
event() {
    begun=$(date +%s.%N)
    "$@" >"$tmp/event" 2>&1 || cat "$tmp/event"
}
# As good as in one instant: one that dies later takes over from one that died before.
kill_all() {
    pids=
    for s in "$@"; do
        read -r p _ <"$PLEX390_RUN/PLEX1/SYS$s.pid" || return 1
        pids="$pids $p"
    done
    # shellcheck disable=SC2086 # words are wanted
    kill -s KILL $pids
}
up() {
    eight_systems
    definitions "$1" "$2"
    if ! "$plex390" up PLEX1 >"$tmp/up" 2>&1; then
        cat "$tmp/up"
        for s in $(sed -n 's/^plex390: \(SYS.\) is not ready.*/\1/p' "$tmp/up"); do grep -a -v '^DEV' "$PLEX390_RUN/PLEX1/$s.log" | tail -20; done
        failures=1
        exit 1
    fi
    on_lan || { echo "SKIP thousand: no LAN namespace here"; exit 77; }
    client ip route add 10.1.4.0/22 dev plexlan
}

echo "machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
echo "emulator: $(${PLEX390_HERCULES:-hercules} --version 2>&1 </dev/null | grep -i version | head -1)"
printf '%-12s %6s %9s %9s   %s\n' ROW MOVED 'FIRST MS' 'LAST MS' 'EACH SURVIVOR: HOW MANY, FIRST TO LAST'
wanted() { case " $rows " in *" $1 "*) return 0 ;; esac; return 1; }
one_owner() {
    up 1 7
    ok 'thousand: SYSA owns 1,024' within 40 owned_by 1 1024 || exit 1
    listen
    event "$plex390" kill SYSA
    verdict 'one owner' 1024 kill 1000 1
    listen
    event "$plex390" ipl SYSA
    verdict 'taken back' 1024 first 2000
    "$plex390" down PLEX1 >/dev/null 2>&1
}
one_heir() {
    up 1 1
    ok 'thousand: SYSA owns 1,024, SYSB backs them up' within 40 owned_by 1 1024 || exit 1
    listen
    event "$plex390" kill SYSA
    verdict 'one heir' 1024 kill 15000 1
    "$plex390" down PLEX1 >/dev/null 2>&1
}
eight_owners() {
    up 8 7
    ok 'thousand: SYSH owns 128' within 40 owned_by 8 128 || exit 1
    listen
    event "$plex390" kill SYSA
    verdict eight 128 kill 1000 1
    event "$plex390" ipl SYSA
    ok 'thousand: SYSA owns its 128 again' within 40 owned_by 1 128
    listen
    event kill_all A B C D
    verdict half 512 kill 1000 1234
    "$plex390" down PLEX1 >/dev/null 2>&1
}
round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    ! wanted one || one_owner
    ! wanted heir || one_heir
    ! wanted eight || eight_owners
done
