#!/bin/sh
# facility.sh - coupling facilities as the operator has them: up, status, kill, ipl, freeze, cut, heal, down; the links of a
# running LPAR follow. One LPAR, two facilities.
#
# Environment: PLEX390_HERCULES chooses the emulator.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP facility: no device modules are built"; exit 77; }
lab_begin ONE
mkdir "$tmp/configs"
cp -R "$root/configs/ONE" "$tmp/configs/ONE"
PLEX390_CONFIGS=$tmp/configs
{
    echo 'cf = ( { name = "CF01"; storage = 4096; }, { name = "CF02"; storage = 2048; } );'
    echo 'cflink = 0x0F00;'
} >>"$tmp/configs/ONE/plex.conf"
run=$PLEX390_RUN/ONE

says() { "$plex390" card "$1" status | grep -q -- "$2"; }
logged() { grep -a -q -- "$1" "$run/SYSA.log"; }
# The emulator counts its connections to a facility.
links() { [ "$(grep -a -c "PLX802I $1 connected" "$run/SYSA.log")" -ge "$2" ]; }
lost() { [ "$(grep -a -c "PLX803W $1" "$run/SYSA.log")" -ge "$2" ]; }
# What status has of a facility.
shows() { "$plex390" status | grep "^CF  *$1 " | tee "$tmp/row" | grep -q " $2 " || { cat "$tmp/row"; return 1; }; }
not() { if "$@"; then return 1; else return 0; fi; }

ok "facility: the plex comes up with two facilities" "$plex390" up ONE || exit 1
ok "facility: status lists them" sh -c "'$plex390' status | grep -c '^CF .*running' | grep -qx 2"
ok "facility: status --json has what they say" sh -c "'$plex390' status --json | grep -q '\"storage_kb\": 4096'"
ok "facility: both links are connected" within 5 links '0F[01]0' 2
ok "facility: CF01 knows the system" says CF01 '"name":"SYSA"'
ok "facility: its cable is pulled" "$plex390" cut CF01 SYSA
ok "facility: the link is lost" within 5 lost 0F00 1
ok "facility: and refused with its reason" within 5 logged 'the cable between them is pulled'
ok "facility: CF02's is not" says CF02 '"name":"SYSA"'
ok "facility: the cable is plugged" "$plex390" heal CF01 SYSA
ok "facility: the link is back" within 5 links 0F00 2
ok "facility: CF02 is killed" "$plex390" kill CF02
ok "facility: its link is lost at once" within 2 lost 0F10 1
ok "facility: status says so" shows CF02 absent
ok "facility: it is started again" "$plex390" ipl CF02
ok "facility: and is linked again" within 5 links 0F10 2
ok "facility: CF02 is frozen" "$plex390" freeze CF02
ok "facility: and shown as frozen" shows CF02 frozen
ok "facility: it is thawed" "$plex390" thaw CF02
ok "facility: and shown as running" shows CF02 running
ok "facility: a wrong command is one line" sh -c "! '$plex390' card CF01 nonsense 2>&1 | grep -qv 'error: commands are'"
ok "facility: isolation of SYSA through CF01" "$plex390" card CF01 isolate SYSA
ok "facility: and the fence holds it" grep -q SYSA "$run/fence"
ok "facility: all ends" "$plex390" down ONE
ok "facility: nothing is left" sh -c "! ls '$run' | grep -qE 'pid|sock|ctl'"
