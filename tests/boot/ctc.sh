#!/bin/sh
# ctc.sh - channel-to-channel adapters on a real emulator. Three LPARs, each joined with each other: IP over the CTCs,
# through SYSA from the LAN, directly between the other two; a partner dies, freezes and comes back. Then two
# emulators without a guest: one end is killed and restarted CTC_KILLS times (20), each end in turn, and the link is back
# within a second each time; the line that each end says of a director's table that does not fit; and a frozen system that
# a coupling facility isolates: its link is over at once, and stays so when it wakes up, until a new emulator comes.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP the whole test: no device module was built"; exit 0; }
lab_begin CTC "$root/tests/boot/configs"
ok 'three LPARs IPL' "$plex390" up CTC || exit 1

pings() { "$plex390" cmd -w "$3" "$1" "PING $2 (COUNT 3)"; }
page_of() { client curl -sS --max-time 20 "http://$1/status" >"$tmp/page" && cat "$tmp/page" && grep -q "$2" "$tmp/page"; }
capture_of() { tshark -X "lua_script:$root/lab/plex390.lua" -r "$PLEX390_RUN/CTC/$1.signals.pcapng" -Y "$2" 2>/dev/null; }
captured() {
    for filter in "$2" "$3"; do
        capture_of "$1" "$filter" | grep -q . || { echo "nothing matches $filter"; return 1; }
    done
}
nothing_malformed() { capture_of "$1" '_ws.malformed || _ws.lua.error' >"$tmp/malformed"; cat "$tmp/malformed"; [ ! -s "$tmp/malformed" ]; }
active() { answer_has "$1" 'D TCPIP,,NETSTAT,DEVLINKS' "$2"; }
ok 'SYSA to SYSB' within 10 pings SYSA 10.8.1.2 '3 RECEIVED'
ok 'SYSA to SYSC' pings SYSA 10.8.2.3 '3 RECEIVED'
ok 'SYSB to SYSC' pings SYSB 10.8.3.3 '3 RECEIVED'
client ip route replace 10.8.0.0/16 via 10.1.1.1 >/dev/null 2>&1
if client ip route show 10.8.0.0/16 | grep -q 10.1.1.1; then
    ok 'SYSB serves its page over a CTC' page_of 10.8.1.2 SYSB
    ok 'SYSC too' page_of 10.8.2.3 SYSC
    if command -v tshark >/dev/null; then
        ok 'the capture of SYSB shows the request, and the answer, inside CTC blocks' within 10 captured SYSB 'http.request.uri == "/status"' 'http.response.code == 200'
        ok 'nothing in it is malformed' nothing_malformed SYSB
    else
        echo 'SKIP the capture: tshark is not installed'
    fi
    ok 'SYSB dies' "$plex390" kill SYSB
    ok 'SYSC serves on' page_of 10.8.2.3 SYSC
    ok 'SYSB comes back' "$plex390" ipl SYSB
    ok 'SYSB serves its page' within 10 page_of 10.8.1.2 SYSB
    ok 'SYSC is frozen: SYSB serves' sh -c '"$0" freeze SYSC && "$0" client curl -sS --max-time 5 -o /dev/null http://10.8.1.2/status && "$0" thaw SYSC' "$plex390"
    ok 'SYSC answers after the thaw' within 10 page_of 10.8.2.3 SYSC
else
    echo "SKIP from the LAN: no network of the client's own (slirp)"
fi
ok 'down' "$plex390" down CTC

# ---- two emulators, no guest ----
emulator=${PLEX390_HERCULES:-hercules}
if "$emulator" --version </dev/null 2>&1 | grep -q 'SDL\|Hyperion'; then
    module=$root/build/hyperion-4/plex390.so architecture='ARCHLVL ESA/390' mode=-n
else
    module=$root/build/hercules-3.13/plex390.so mode=-d
    architecture=$(printf "%sPRIO $(nice)\n" HERC CPU DEV TOD; echo 'ARCHMODE ESA/390') # see emulator.sh
fi
cp "$module" "$tmp/plex390.so"
pid_SYSA= pid_SYSB=
# timeout stands between us and the emulator, which is its child.
end_signal() {
    eval "p=\$pid_$1"
    for c in $(ps -o pid= --ppid "$p"); do kill "-$2" "$c"; done
}
end_kill() {
    eval "p=\$pid_$1"
    [ -n "$p" ] || return 0
    end_signal "$1" KILL
    wait "$p" 2>/dev/null
    eval "pid_$1="
}
facility=
end_both() {
    end_kill SYSA
    end_kill SYSB
    [ -z "$facility" ] || kill "$facility" 2>/dev/null
}
trap 'rc=$?; end_both; (exit $rc); lab_end' EXIT
# system, director's table
end_start() {
    printf '%s\n' "$architecture" 'MAINSIZE 16' 'NUMCPU 1' "LDMOD $tmp/plex390.so" \
        "${3:-0C00}.2 PLXCTC director=$tmp/$2 lpar=$1 fence=$tmp/fence" >"$tmp/$1.cnf"
    [ -p "$tmp/$1.in" ] || mkfifo "$tmp/$1.in"
    : >"$tmp/$1.log"
    timeout -k 1 600 "$emulator" $mode -f "$tmp/$1.cnf" <>"$tmp/$1.in" >>"$tmp/$1.log" 2>&1 &
    eval "pid_$1=$!"
}
said() { grep -a -c "$2" "$tmp/$1.log"; }
# Waits until the log of $1 has more than $3 lines with $2; fails after $4 ms. It looks once more when they are over, for it may have
# stood still meanwhile.
until_said() {
    start=$(date +%s%N)
    while ms=$((($(date +%s%N) - start) / 1000000)) && [ "$(said "$1" "$2")" -le "$3" ]; do
        [ "$ms" -lt "$4" ] || return 1
        sleep 0.02
    done
}
# The one that was not killed says when the link is there again.
kills() {
    for i in $(seq "$2"); do
        before=$(said "$3" 'connected to')
        end_kill "$1"
        end_start "$1" table
        if until_said "$1" 'connected to' 0 5000 && until_said "$3" 'connected to' "$before" 1000; then continue; fi
        echo "round $i: no link"
        tail -n 5 "$tmp/$1.log" "$tmp/$3.log"
        return 1
    done
}
one_line() { [ "$(said "$1" 'PLX800E')" = 1 ] && grep -a 'PLX800E' "$tmp/$1.log" | grep -q "$2"; }

echo 'LINK SYSA 0C00 SYSB 0C00' >"$tmp/table"
end_start SYSA table
end_start SYSB table
ok 'two ends meet' until_said SYSB 'connected to' 0 5000
n=${CTC_KILLS:-20}
ok "the connecting end is killed and restarted $n times" kills SYSB "$n" SYSA
ok "the serving end is killed and restarted $n times" kills SYSA "$n" SYSB

# ---- isolation: the home end is frozen first, then the far end ----
isolated() {
    n=$(sed -n "s/.*connected to $1 (incarnation \([0-9A-F]*\)).*/\1/p" "$tmp/$2.log" | tail -1)
    timeout 20 "$root/build/cfclient" "$tmp/cf1" SYSX 1 isolate "$1" $((0x$n))
}
"$root/build/cf" --name CF01 --socket "$tmp/cf1" --fence "$tmp/fence" >"$tmp/cf.log" 2>&1 &
facility=$!
within 5 test -S "$tmp/cf1"
for pair in 'SYSA SYSB' 'SYSB SYSA'; do
    set -- $pair
    lost=$(said "$2" 'PLX803W') up=$(said "$2" 'connected to')
    end_signal "$1" STOP
    ok "$1 is frozen and isolated" isolated "$1" "$2"
    ok "$2 drops the link at once" until_said "$2" PLX803W "$lost" 1000
    end_signal "$1" CONT
    ok "$1 wakes up and says that it is out" until_said "$1" PLX805E 0 3000
    sleep 1
    ok "it is not let in again" [ "$(said "$2" 'connected to')" = "$up" ]
    end_kill "$1"
    end_start "$1" table
    ok "its next start is" until_said "$2" 'connected to' "$up" 5000
done
end_kill SYSA
end_kill SYSB
ok 'HALT and CLEAR of a READ or PREPARE, 100 times at each end: the other side hears 41, then device end' "$root/tests/bench/ctc.sh" resets 100
# One end's table has another device number for it than the other end's.
printf 'LINK SYSA 0C00 SYSB 0C00\n' >"$tmp/table"
printf 'LINK SYSA 0C00 SYSB 0C10 AT %s\n' "$tmp/ctc.SYSA.0C00.SYSB.0C00" >"$tmp/typo"
end_start SYSA table
end_start SYSB typo 0C10
within 5 one_line SYSA 0C10
ok 'a typo is one line here' one_line SYSA 0C10
ok 'and one line there' one_line SYSB 0C10
grep -a -h 'PLX800E' "$tmp/SYSA.log" "$tmp/SYSB.log" | sed 's/^/   /'
