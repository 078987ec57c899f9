#!/bin/sh
# dvipafault.sh - dynamic VIPAs when more than one thing happens at a time, and what operators and programs do to them by command;
# on a real emulator, judged from outside. The plex is dvipalab.sh's; dvipa.sh has the scenarios of one event.
#
#   row                  what happens                                              expected
#   bind                 AUTOLOG starts OTELNETD before the stack has joined       bound, its DVIPA ACTIVE
#   UDP                  an echo server of all addresses is asked on a DVIPA       answers from the DVIPA
#   MODDVIPA             twice, in no range, not there, no address                 return codes 4, 8, 8, 12
#   conflict             a program's DVIPA, then another's, a statement; and   the cells of docs/TCPIP-SYSPLEX.md, "What a second
#                        a statement's, then a program's, another statement    definition does"
#   OBEYFILE             VIPADEFINE on SYSC, VIPABACKUP on SYSB                    SYSC serves, SYSB backs up
#   both forms           VIPABACKUP of what nobody defines: basic; can create   BACKUP, nobody serves; ACTIVE, it serves
#   VIPADELETE           by OBEYFILE on SYSC, during 64 MB                         SYSB serves; the 64 MB end on SYSC
#   lost connection      its server's system is killed                             the client, which sends, is reset at once
#   two deaths           owner and first backup killed in one instant              the second backup serves, in ARP tables too
#   frozen giver         SYSA waits for an idle SYSB (WHENIDLE), SYSB freezes      SYSA serves after INTERVAL; woken, SYSB nothing
#   frozen at joining    SYSB freezes when SYSA joins to take back (IMMEDIATE)     the same
#   256                  SYSA defines 256 more, SYSB backs them up, SYSA killed    SYSB answers on each; the time until the last ARP
#   card while MOVING    SYSA's OSA card killed and restarted, 64 MB at SYSB       they end there, sha256 right, no RST
#   no OSA, again        SYSD killed and IPLed                                     reachable through SYSA as before
#
# Environment: PLEX390_HERCULES.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP dvipafault: no device modules are built"; exit 77; }
. "$(dirname "$0")/dvipalab.sh"
extra=10.1.1.85
cat >"$c/tcpparms/OBEYDEF" <<'X'
VIPADYNAMIC
    VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 10.1.1.85
ENDVIPADYNAMIC
X
cat >"$c/tcpparms/OBEYBAK" <<'X'
VIPADYNAMIC
    VIPABACKUP 10 10.1.1.85
ENDVIPADYNAMIC
X
cat >"$c/tcpparms/OBEYDEL" <<'X'
VIPADYNAMIC
    VIPADELETE 10.1.1.85
ENDVIPADYNAMIC
X
cat >"$c/tcpparms/OBEYTWO" <<'X'
VIPADYNAMIC
    VIPABACKUP 10 10.1.1.86
    VIPABACKUP 20 MOVEABLE IMMEDIATE 255.255.255.0 10.1.1.87
ENDVIPADYNAMIC
X
# In a VIPARANGE, so that only the conflict can be what refuses it.
for a in 69 70; do
    cat >"$c/tcpparms/OBEYD$a" <<X
VIPADYNAMIC
    VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 10.1.1.$a
ENDVIPADYNAMIC
X
done
sed -i 's/^   80 TCP HTTPD NODELAYACKS/&\n 8069 TCP WEBX BIND 10.1.1.69\n 8070 TCP WEBY BIND 10.1.1.70/' "$c/tcpparms/PROFILE"
# 10.1.3.0 to 10.1.3.255, four to a line.
many() { awk 'BEGIN {for (i = 0; i < 256; i += 4) printf "        10.1.3.%d 10.1.3.%d 10.1.3.%d 10.1.3.%d\n", i, i + 1, i + 2, i + 3}'; }
{ echo VIPADYNAMIC; echo '    VIPADEFINE MOVEABLE IMMEDIATE 255.255.0.0'; many; echo ENDVIPADYNAMIC; } >"$c/tcpparms/MANYDEF"
{ echo VIPADYNAMIC; echo '    VIPABACKUP 200'; many; echo ENDVIPADYNAMIC; } >"$c/tcpparms/MANYBAK"

ok 'dvipafault: four systems join' "$plex390" up PLEX1 || exit 1
needs_lan 'dvipafault: the rest' || exit 77
"$root/build/pattern" $size | sha256sum | cut -d' ' -f1 >"$tmp/want.sha"
return_code() { answer_has "$1" "MODDVIPA $2" "RETURN CODE $3"; }
obey() { cmd "$1" "V TCPIP,,OBEYFILE,TCPIP.TCPPARMS($2)" >"$tmp/obey" 2>&1; }
ipl() { "$plex390" ipl "$1" >"$tmp/ipl" 2>&1 || { cat "$tmp/ipl"; return 1; }; }
nobody() { w=$(who "$1"); echo "$1 is served by '$w'"; [ -z "$w" ]; }
never() { # SECONDS COMMAND...: the command fails each time
    end=$(($(date +%s) + $1))
    shift
    while [ "$(date +%s)" -lt "$end" ]; do
        if "$@"; then return 1; fi
        sleep 0.2
    done
}
partitioned() { logged "$1" 'PLX103A\|IXC220W'; }

ok 'dvipafault: the owner answers' within 10 served_by SYSA "$vip"
ok 'dvipafault: bind before the stack has joined: AUTOLOG waits, the DVIPA is ACTIVE' within 15 is SYSA 10.1.1.71 ACTIVE
ok 'dvipafault: bind: the server listens there' answer_has SYSA 'D TCPIP,,NETSTAT,CONN' '10.1.1.71\.\.23'
ok 'dvipafault: UDP: answered from the DVIPA that was asked' client python3 "$root/tests/boot/tn3270.py" udp 7 "$vip"

ok 'dvipafault: MODDVIPA -c: 0' return_code SYSC '-p TCPIP -c 10.1.1.69' 0
ok 'dvipafault: MODDVIPA -c where it is active: 4' within 3 return_code SYSC '-p TCPIP -c 10.1.1.69' 4
ok 'dvipafault: MODDVIPA -d: 0' return_code SYSC '-p TCPIP -d 10.1.1.69' 0
ok 'dvipafault: MODDVIPA -d of what is not there: 8' return_code SYSC '-p TCPIP -d 10.1.1.69' 8
ok 'dvipafault: MODDVIPA -c of an address in no range: 8' return_code SYSC '-p TCPIP -c 10.1.1.99' 8
ok 'dvipafault: MODDVIPA without an address: 12' return_code SYSC '-p TCPIP -c' 12

# ioctl() by -c, bind() by the start of a server.
bind() { answer_has "$1" "S HTTPD,JOBNAME=$2,PARM='PORT=$3'" "$4"; }
refused() { answer_has "$1" "V TCPIP,,OBEYFILE,TCPIP.TCPPARMS($2)" 'IN USE HERE OR AS A PROGRAM'; }
return_code SYSC '-p TCPIP -c 10.1.1.69' 0 >/dev/null
within 3 is SYSC 10.1.1.69 ACTIVE
ok 'dvipafault: conflict: ioctl, then bind elsewhere: fails' bind SYSB WEBX 8069 PLX0121E
ok 'dvipafault: conflict: ioctl, then VIPADEFINE elsewhere: fails' refused SYSB OBEYD69
ok 'dvipafault: conflict: ioctl, then VIPADEFINE here: fails' refused SYSC OBEYD69
ok 'dvipafault: conflict: ioctl, then ioctl elsewhere' return_code SYSB '-p TCPIP -c 10.1.1.69' 0
ok 'dvipafault: conflict: ioctl, then ioctl elsewhere: moves' within 3 is SYSB 10.1.1.69 ACTIVE
bind SYSB WEBX 8069 EZZ >/dev/null
ok 'dvipafault: conflict: ioctl, then bind here: shared' within 3 served_by SYSB 10.1.1.69 8069
obey SYSC OBEYD70
within 3 is SYSC 10.1.1.70 ACTIVE
ok 'dvipafault: conflict: VIPADEFINE, then ioctl here: fails' return_code SYSC '-p TCPIP -c 10.1.1.70' 8
ok 'dvipafault: conflict: VIPADEFINE, then ioctl elsewhere: fails' return_code SYSB '-p TCPIP -c 10.1.1.70' 8
ok 'dvipafault: conflict: VIPADEFINE, then bind elsewhere: fails' bind SYSB WEBY 8070 PLX0121E
bind SYSC WEBY 8070 EZZ >/dev/null
ok 'dvipafault: conflict: VIPADEFINE, then bind here: shared' within 3 served_by SYSC 10.1.1.70 8070
obey SYSB OBEYD70
ok 'dvipafault: conflict: VIPADEFINE, then VIPADEFINE elsewhere: moves' within 3 is SYSB 10.1.1.70 ACTIVE

obey SYSC OBEYDEF
obey SYSB OBEYBAK
ok 'dvipafault: OBEYFILE: VIPADEFINE takes effect' within 5 served_by SYSC $extra
ok 'dvipafault: OBEYFILE: VIPABACKUP, too' within 3 is SYSB $extra BACKUP
obey SYSC OBEYTWO
ok 'dvipafault: both forms: the one that can create serves' within 5 served_by SYSC 10.1.1.87
ok 'dvipafault: both forms: the basic one waits for an owner' is SYSC 10.1.1.86 BACKUP
ok 'dvipafault: both forms: and nobody serves it' nobody 10.1.1.86
sniff
transfer $extra 16M
obey SYSC OBEYDEL
ok 'dvipafault: VIPADELETE: the backup serves' within 3 served_by SYSB $extra
ok 'dvipafault: VIPADELETE: 64 MB that were under way, sha256 right' transferred
ok 'dvipafault: VIPADELETE: no RST' no_reset
obey SYSB OBEYDEL
ok 'dvipafault: VIPADELETE by the last: nobody serves' never 2 served_by SYSB $extra

# It sends: a client that only reads has no segment to be reset.
"$root/build/pattern" $size >"$tmp/pattern"
client curl -sS --max-time 30 --limit-rate 4M -T "$tmp/pattern" "http://$vip/sink" >"$tmp/curl" 2>&1 &
lost=$!
sleep 1
"$plex390" kill SYSA >/dev/null
"$plex390" kill SYSB >/dev/null
begun=$(date +%s%N)
wait "$lost"
rc=$?
took=$((($(date +%s%N) - begun) / 1000000))
ok "dvipafault: lost connection: reset ($took ms)" sh -c 'cat "$3"; grep -q reset "$3" && [ "$1" -ne 28 ] && [ "$2" -lt 2000 ]' sh "$rc" "$took" "$tmp/curl"
ok 'dvipafault: two deaths: the second backup serves' within 3 served_by SYSC "$vip"
ok 'dvipafault: two deaths: and WHENIDLE, too' within 3 served_by SYSC "$idle"
ok 'dvipafault: two deaths: the ARP table of a third host' within 3 neighbour 02:00:5a:00:00:01
ok 'dvipafault: two deaths: SYSB is IPLed' ipl SYSB
ok 'dvipafault: two deaths: a backup that returns takes nothing' served_by SYSC "$vip"
ok 'dvipafault: two deaths: SYSA is IPLed' ipl SYSA
ok 'dvipafault: two deaths: who defines it takes it back' within 10 served_by SYSA "$vip"
ok 'dvipafault: two deaths: WHENIDLE is idle and goes back' within 10 served_by SYSA "$idle"

"$plex390" kill SYSA >/dev/null
within 5 served_by SYSB "$idle"
client curl -sS --max-time 50 --limit-rate 1M -o "$tmp/lost" "http://$idle/bulk/$size" >"$tmp/curl" 2>&1 &
busy=$!
ok 'dvipafault: frozen giver: SYSA is IPLed' ipl SYSA
ok 'dvipafault: frozen giver: it has what is not busy' within 10 served_by SYSA "$vip"
ok 'dvipafault: frozen giver: and waits for the other' served_by SYSB "$idle"
"$plex390" freeze SYSB >/dev/null
ok 'dvipafault: frozen giver: nobody serves before INTERVAL' never 2 served_by SYSA "$idle"
ok 'dvipafault: frozen giver: SYSA serves' within 12 served_by SYSA "$idle"
"$plex390" thaw SYSB >/dev/null
ok 'dvipafault: frozen giver: woken, it answers nobody' never 3 served_by SYSB "$idle"
ok 'dvipafault: frozen giver: it was partitioned out' within 8 partitioned SYSB
"$plex390" kill SYSB >/dev/null
ok 'dvipafault: frozen giver: it is IPLed' ipl SYSB
ok 'dvipafault: frozen giver: and a backup' within 10 is SYSB "$vip" BACKUP
wait "$busy" # lost with its server, which its client does not hear: it only reads

"$plex390" kill SYSA >/dev/null
within 5 served_by SYSB "$vip"
"$plex390" ipl SYSA >"$tmp/ipl" 2>&1 &
joining=$!
within 15 logged SYSA EZD1176I
"$plex390" freeze SYSB >/dev/null
ok 'dvipafault: frozen at joining: SYSA serves' within 14 served_by SYSA "$vip"
"$plex390" thaw SYSB >/dev/null
ok 'dvipafault: frozen at joining: woken, it answers nobody' never 3 served_by SYSB "$vip"
ok 'dvipafault: frozen at joining: it was partitioned out' within 8 partitioned SYSB
wait "$joining"
"$plex390" kill SYSB >/dev/null
ok 'dvipafault: frozen at joining: it is IPLed' ipl SYSB
ok 'dvipafault: frozen at joining: and a backup' within 10 is SYSB "$vip" BACKUP

# How many of the 256 a system answers on; each is asked once.
answers_on() {
    n=$(client curl -sS --connect-timeout 1 --max-time 2 "http://10.1.3.[0-255]/status" 2>"$tmp/curl" | tr -d '\r' | grep -c "^SYSTEM $1")
    echo "$1 answers on $n of 256"; sed 3q "$tmp/curl"
    [ "$n" = 256 ]
}
client ip route add 10.1.3.0/24 dev plexlan
obey SYSA MANYDEF
obey SYSB MANYBAK
ok 'dvipafault: 256: SYSA answers on each' within 10 answers_on SYSA
client sh -c 'echo $$ >"$1/listener"; exec timeout 60 dumpcap -q -s 64 -i plexlan -w "$1/arp.pcapng" -f arp' sh "$tmp" >"$tmp/dumpcap.log" 2>&1 &
listener=$!
within 5 test -s "$tmp/arp.pcapng"
begun=$(date +%s.%N)
"$plex390" kill SYSA >/dev/null
ok 'dvipafault: 256: SYSB answers on the last' within 5 served_by SYSB 10.1.3.255
ok 'dvipafault: 256: SYSB answers on each' within 10 answers_on SYSB
# How many the card of the new owner has announced, and the milliseconds until the last.
announced() {
    tshark -r "$tmp/arp.pcapng" -Y 'arp.isgratuitous && eth.src == 02:00:5a:00:00:02' -T fields -e frame.time_epoch \
        -e arp.src.proto_ipv4 2>/dev/null |
        awk -v b="$begun" '$2 ~ /^10\.1\.3\./ && !a[$2]++ {n++; t = $1} END {printf "%d in %.0f", n, (t - b) * 1000}'
}
# The capture is some 250 ms behind the wire, and what it has not read when it is ended is lost.
all_announced() { moved=$(announced); [ "${moved%% *}" = 256 ]; }
within 5 all_announced
kill "$(cat "$tmp/listener")"; wait "$listener"
ok "dvipafault: 256: announced by ARP: $moved ms after the kill" test "${moved%% *}" = 256
within 5 served_by SYSB "$vip"
sniff
transfer "$vip" 4M
ok 'dvipafault: card while MOVING: SYSA is IPLed' ipl SYSA
ok 'dvipafault: card while MOVING: SYSB is MOVING' within 8 is SYSB "$vip" MOVING
"$plex390" kill OSA1 >/dev/null
sleep 1
"$plex390" ipl OSA1 >/dev/null
ok 'dvipafault: card while MOVING: SYSA serves' within 10 served_by SYSA "$vip"
ok 'dvipafault: card while MOVING: 64 MB end on SYSB, sha256 right' transferred
ok 'dvipafault: card while MOVING: no RST' no_reset
ok 'dvipafault: card while MOVING: MOVING ends in BACKUP' within 8 is SYSB "$vip" BACKUP

"$plex390" kill SYSD >/dev/null
client ip route add 193.9.200.0/24 via 10.1.1.1 >/dev/null 2>&1
ok 'dvipafault: no OSA, again: SYSD is IPLed' ipl SYSD
ok 'dvipafault: no OSA, again: reachable through a peer' within 8 served_by SYSD 193.9.200.4
ok 'dvipafault: down' "$plex390" down PLEX1
