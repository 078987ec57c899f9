#!/bin/sh
# soak.sh - the long drills on the real emulator, not part of the tests: run by hand (make soak).
#
#   STARTS=1000  V TCPIP,,STOP / START cycles of the OSA, each waited for by its message
#   KILLS=100    the card killed (SIGKILL) and restarted, the page fetched after each
# The card is the one built with ASan and UBSan; what they report is a failure. Prints one line a hundred cycles.
set -u
. "$(dirname "$0")/boot/lib.sh"
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
PLEX390_ROOT=$root plex390="$root/build/plex390"
PLEX390_OSA_CARD="$root/build/san/osa-card"
export PLEX390_ROOT PLEX390_OSA_CARD
starts=${STARTS:-1000} kills=${KILLS:-100}
[ -x "$PLEX390_OSA_CARD" ] || { echo "SKIP no sanitized card: make soak builds it"; exit 77; }
lab_begin ONE
ok 'IPL to EZAIN11I' "$plex390" up ONE || exit 1
url=$("$plex390" url SYSA)
page() { client curl -sS --max-time 20 -o /dev/null "$url"; }

cycles() {
    i=0
    while [ $i -lt "$starts" ]; do
        "$plex390" cmd -w EZZ4315I SYSA 'V TCPIP,,STOP,OSA1' || return 1
        "$plex390" cmd -w EZZ4313I SYSA 'V TCPIP,,START,OSA1' || return 1
        i=$((i + 1))
        echo "$i"
    done
    echo "$i cycles"
}
killing() {
    i=0
    while [ $i -lt "$kills" ]; do
        "$plex390" kill OSA1 && "$plex390" ipl OSA1 && within 10 page || return 1
        i=$((i + 1))
    done
    echo "$i kills"
}
osa_ready() { cmd SYSA 'D TCPIP,,NETSTAT,DEVLINKS' | grep -A1 'DEVNAME: OSA1' | grep 'DEVSTATUS: READY'; }
clean_log() { ! grep -E 'ERROR: (Address|Leak)Sanitizer|runtime error' "$PLEX390_RUN"/ONE/*.log; }

ok 'the page' within 10 page
ok "$starts STOP and START cycles" cycles
ok 'the page' within 10 page
ok "$kills kills of the card" killing
ok 'NETSTAT DEVLINKS: the OSA is READY' osa_ready
ok 'down' "$plex390" down ONE
ok 'nothing from the sanitizers' clean_log
