#!/bin/sh
# cf.sh - a coupling facility as a process, with systems that are processes too (cfclient). No emulator.
#
#   queue      60,000 small and 2,000 large messages over a list, in order; a round trip's rate
#   death      a system that holds a lock is killed: the lock is retained, its peer recovers and takes it
#   frozen     a system that holds a lock is stopped, isolated and woken: it finds itself cut off, and is not let in again
#   power      the facility is killed: who waits is told; a new one lets all in
set -u
test_name=cf
. "$(dirname "$0")/procs.sh"
cf=${PLEX390_CF:-$root/build/cf}
client=$root/build/cfclient
[ -x "$cf" ] && [ -x "$client" ] || skip "build/cf and build/cfclient are not built"
procs_begin

facility() {
    "$cf" --name CF01 --socket "$tmp/cf1" --fence "$tmp/fence" >>"$tmp/cf.log" 2>&1 &
    cfpid=$!
    pids="$pids $cfpid"
    soon test -S "$tmp/cf1"
}
# run LOG SYSTEM INCARNATION COMMAND...: in the background, its process in $last
run() {
    log=$1
    shift
    timeout -k 1 100 "$client" "$tmp/cf1" "$@" >"$tmp/$log.log" 2>&1 &
    last=$!
    pids="$pids $last"
}
direct() {
    log=$1
    shift
    "$client" "$tmp/cf1" "$@" >"$tmp/$log.log" 2>&1 &
    last=$!
    pids="$pids $last"
}
said() { grep -q "$2" "$tmp/$1.log"; }

facility
ok "a system is let in" timeout 20 "$client" "$tmp/cf1" SYSA 1 info

# ---- queue ----
run receive SYSB 1 receive 60000
receiver=$last
ok "60000 messages of 64 bytes leave" timeout 100 "$client" "$tmp/cf1" SYSA 1 send 60000 64
wait "$receiver"
ok "and arrive in order" said receive 'receive 60000 in order'
run receive2 SYSB 1 receive 2000
receiver=$last
ok "2000 messages of 61440 bytes leave, more than the structure holds" \
    timeout 100 "$client" "$tmp/cf1" SYSA 1 send 2000 61440
wait "$receiver"
ok "and arrive whole and in order" said receive2 'receive 2000 in order'
run reflect SYSB 1 reflect 3000
receiver=$last
run echo SYSA 1 echo 3000 64
wait "$last" "$receiver"
ok "3000 round trips" said echo 'echo 3000 in order'
sed 's/^/     /' "$tmp/receive.log" "$tmp/receive2.log" "$tmp/echo.log" | grep second

# ---- death ----
direct hold SYSA 2 hold
holder=$last
ok "SYSA holds a lock" soon said hold holding
run take SYSB 2 take
taker=$last
ok "SYSB waits for it" soon said take contention
kill -KILL "$holder"
wait "$taker"
ok "SYSA is killed: SYSB recovers what it did and takes the lock" said take taken
ok "its record was there" said take 'recovered RESOURCE FIVE'

# ---- frozen ----
direct hold2 SYSC 7 hold
holder=$last
ok "SYSC holds the lock" soon said hold2 holding
run take2 SYSB 3 take
taker=$last
ok "SYSB waits again" soon said take2 contention
kill -STOP "$holder"
sleep 0.3
ok "SYSC is stopped, and still has it" not said take2 taken
ok "SYSD isolates SYSC" timeout 20 "$client" "$tmp/cf1" SYSD 1 isolate SYSC 7
wait "$taker"
ok "then SYSB takes the lock" said take2 taken
kill -CONT "$holder"
wait "$holder"
ok "SYSC wakes up and finds itself out" grep -qE 'isolated|lost' "$tmp/hold2.log"
ok "it is not let in again" not timeout 2 "$client" "$tmp/cf1" SYSC 7 info
ok "its next start is" timeout 20 "$client" "$tmp/cf1" SYSC 8 info
ok "the fence names it" grep -q SYSC "$tmp/fence"

# ---- power ----
direct wait SYSA 3 receive 1
waiter=$last
sleep 0.5
kill -KILL "$cfpid"
wait "$cfpid" 2>/dev/null
wait "$waiter"
ok "the facility is killed: who waits is told at once" said wait lost
facility
ok "a new one lets all in" soon timeout 20 "$client" "$tmp/cf1" SYSA 4 info
ok "but still not whom the fence names" not timeout 2 "$client" "$tmp/cf1" SYSC 7 info
kill -TERM "$cfpid"
wait "$cfpid"
ok "it ends cleanly when it is asked to" test ! -S "$tmp/cf1"
