#!/bin/sh
# monitor.sh - GLOBALCONFIG SYSPLEXMONITOR on a real emulator: a stack that cannot do its work makes room for one that can.
#
#   fault                                            expected
#   SYSB owns the DVIPA, its OSA card is killed      EZD1209E, out of the group; SYSC serves; the card is back: SYSB joins again
#   SYSA's dynamic XCF devices are stopped           EZZ9673E, out of the group; SYSB serves; started again: SYSA joins, and serves
#   SYSA frozen for longer than TIMERSECS, not as    woken, EZZ9674E, out of the group: one owner, and SYSA waits for JOINGROUP
#   long as XCF's INTERVAL
#
# TIMERSECS is 10 s. Environment: PLEX390_HERCULES.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP monitor: no device modules are built"; exit 77; }
. "$(dirname "$0")/dvipalab.sh"
sed -i 's/INTERVAL([0-9]*)/INTERVAL(40)/' "$c/parmlib/COUPLE00"
echo 'GLOBALCONFIG SYSPLEXMONITOR TIMERSECS 10 RECOVERY AUTOREJOIN MONINTERFACE' >>"$c/tcpparms/PROFILE"
sed -i 's/^LINK .*OSA[12]$/& MONSYSPLEX/' "$c/tcpparms/DEV0A" "$c/tcpparms/DEV0B" "$c/tcpparms/DEV0C"

ok 'monitor: four systems join' "$plex390" up PLEX1 || exit 1
needs_lan 'monitor: the rest' || exit 77
xcf_devices() { for s in SYSB SYSC SYSD; do cmd SYSA "V TCPIP,,$1,$s" >/dev/null; done; }

ok 'monitor: the owner answers' within 5 served_by SYSA "$vip"
ok 'monitor: NETSTAT CONFIG says what is monitored' answer_has SYSB 'D TCPIP,,NETSTAT,CONFIG' 'TIMERSECS: 0010  RECOVERY: YES  DELAYJOIN: NO   AUTOREJOIN: YES  MONINTF: YES'
cmd SYSA "V TCPIP,,SYSPLEX,DEACTIVATE,DVIPA=$vip" >/dev/null
ok 'monitor: SYSB owns the DVIPA' within 3 served_by SYSB "$vip"
"$plex390" kill OSA2 >/dev/null
ok 'monitor: card dead: EZD1209E' within 20 logged SYSB 'EZD1209E TCPIP DETERMINED THAT ALL MONITORED INTERFACES'
ok 'monitor: card dead: EZZ9676E' within 3 logged SYSB EZZ9676E
ok 'monitor: card dead: the next in rank answers' within 3 served_by SYSC "$vip"
ok 'monitor: card dead: SYSB is no member' within 3 answer_has SYSB 'D TCPIP,,SYSPLEX,GROUP' EZZ8269I
"$plex390" ipl OSA2 >/dev/null
ok 'monitor: card back: SYSB joins again' within 20 logged SYSB EZD1192I
ok 'monitor: card back: SYSB is a backup' within 5 is SYSB "$vip" BACKUP
cmd SYSA "V TCPIP,,SYSPLEX,REACTIVATE,DVIPA=$vip" >/dev/null
ok 'monitor: SYSA owns it again' within 3 served_by SYSA "$vip"

xcf_devices STOP
ok 'monitor: XCF links stopped: EZZ9673E' within 20 logged SYSA 'EZZ9673E TCPIP DETERMINED THAT DYNAMIC XCF CONNECTIVITY'
ok 'monitor: XCF links stopped: the backup answers' within 3 served_by SYSB "$vip"
ok 'monitor: XCF links stopped: SYSA is no member' within 3 answer_has SYSA 'D TCPIP,,SYSPLEX,GROUP' EZZ8269I
sleep 6
ok 'monitor: XCF links stopped: it stays out' answer_has SYSA 'D TCPIP,,SYSPLEX,GROUP' EZZ8269I
xcf_devices START
ok 'monitor: XCF links started: SYSA joins and serves' within 12 served_by SYSA "$vip"

"$plex390" freeze SYSA >/dev/null
sleep 12
"$plex390" thaw SYSA >/dev/null
ok 'monitor: stood still: EZZ9674E' within 10 logged SYSA 'EZZ9674E TCPIP SYSPLEX PROCESSING WAS NOT RESPONSIVE'
ok 'monitor: stood still: the backup answers' within 3 served_by SYSB "$vip"
sleep 6
ok 'monitor: stood still: it does not join by itself' answer_has SYSA 'D TCPIP,,SYSPLEX,GROUP' EZZ8269I
ok 'monitor: stood still: JOINGROUP' answer_has SYSA 'V TCPIP,,SYSPLEX,JOINGROUP' EZD1178I
ok 'monitor: stood still: back' within 5 served_by SYSA "$vip"
ok 'monitor: down' "$plex390" down PLEX1
