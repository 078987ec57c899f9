#!/bin/sh
# console.sh - the operator's consoles on the real emulator: input faster than anybody types at the integrated one, and a telnet
# 3215 that comes, goes without a word, and comes back.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP the whole test: no device module was built"; exit 77; }
command -v python3 >/dev/null 2>&1 || { echo "SKIP the whole test: no python3"; exit 77; }
lab_begin ONE
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$tmp/configs"
cp -R "$root/configs/ONE" "$tmp/configs/ONE"
sed "s/memory = 64;/memory = 64; console = $port;/" "$root/configs/ONE/plex.conf" >"$tmp/configs/ONE/plex.conf"
PLEX390_CONFIGS=$tmp/configs
ok 'IPL to EZAIN11I' "$plex390" up ONE || exit 1
log=$PLEX390_RUN/ONE/SYSA.log

answers() { grep -a -c 'LOCAL: TIME' "$log"; }
# No answer came for a while; before = their number.
settled() {
    before=-1
    until [ "$before" = "$(answers)" ]; do
        before=$(answers)
        sleep 0.4
    done
}
more_than() { [ "$(answers)" -gt "$1" ]; }
# Lines are lost when they come faster than the console takes them, but then one line has one answer, at once: a read
# that waits for a line that was read already would hold the answer back until the next line.
fast_input() {
    round=0
    exec 4>"$PLEX390_RUN/ONE/SYSA.in"
    while [ $round -lt 40 ]; do
        for pause in 0.001 0.004 0.002 0.006 0.003 0.005; do
            printf '/D T\n/D T\n' >&4
            sleep $pause
        done
        settled
        echo '/D T' >&4
        within 5 more_than "$before" || return 1
        sleep 0.2
        after=$(answers)
        [ $((after - before)) = 1 ] || { echo "round $round: $((after - before)) answers to one line"; return 1; }
        round=$((round + 1))
    done
    exec 4>&-
    [ "$after" -gt 80 ] # two a round at least, or the bursts were never taken
}
telnet() { timeout -k 2 60 python3 "$root/tests/boot/telnet3215.py" "$port" "$@"; }
comes_and_goes() {
    visit=0
    while [ $visit -lt 5 ]; do
        telnet 'D T' 'LOCAL: TIME' || return 1
        # While nobody is there, the other console works.
        answer_has SYSA 'D SYMBOLS' SYSNAME || return 1
        visit=$((visit + 1))
    done
}
mute_operator() {
    telnet --mute 6 &
    mute=$!
    for i in 1 2 3 4 5; do answer_has SYSA 'D TCPIP,,NETSTAT,CONN' LISTEN || return 1; done
    wait $mute
}

ok 'fast input at the integrated console: one line, one answer' fast_input
ok 'telnet 3215: commands in, answers out' telnet 'D T' 'LOCAL: TIME' 'D TCPIP,,NETSTAT,HOME' '10.1.1.1' 'D SYMBOLS' 'SYSNAME'
ok 'it is cut and comes back, five times' comes_and_goes
ok 'one that reads nothing does not hold the other up' mute_operator
ok 'and it is served afterwards' telnet 'D T' 'LOCAL: TIME'
ok 'down' "$plex390" down ONE
