#!/bin/sh
# rebuild.sh - signalling structures and couple data that move, on real emulators: numbered messages flow from system to system over structures alone while
# the operator moves the structure, while the facility that has it is killed, and while structures become duplexed, lose one of their two
# facilities, and are made simplex by command. XCFBENCH's receiver checks that each message comes once
# and in order (PLX0344E), its sender how many were counted (PLX0341I).
#
# Environment: PLEX390_HERCULES chooses the emulator; REBUILD_MESSAGES how many messages a row sends (40000).
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP rebuild: no device modules are built"; exit 77; }
messages=${REBUILD_MESSAGES:-40000}
lab_begin PLEX1
run=$PLEX390_RUN/PLEX1

lines() { wc -l <"$run/$1.log"; }
mark() { for s in SYSA SYSB SYSC SYSD; do eval "mark_$s=$(lines "$s")"; done; }
since() { eval "m=\$mark_$1"; tail -n +$((m + 1)) "$run/$1.log"; }
said() { since "$1" | grep -a -q -- "$2"; }
not() { if "$@"; then return 1; else return 0; fi; }
lists() { cmd "$1" 'D XCF,S,ALL' >"$tmp/answer" 2>&1; cat "$tmp/answer"; [ "$(grep -c '  SYS[A-D]  *[-9][-6].* ACTIVE' "$tmp/answer")" = "$2" ]; }
# The system $1 shows $3 of the structure $2. The display asks the facilities first, so its answer may come after the command's end.
shows() {
    from=$(lines "$1")
    cmd "$1" "D XCF,STR,STRNM=$2" >/dev/null 2>&1
    for n in 1 2 3 4 5; do
        tail -n +$((from + 1)) "$run/$1.log" >"$tmp/answer"
        grep -a -q "$3" "$tmp/answer" && return 0
        sleep 0.1
    done
    cat "$tmp/answer"
    return 1
}
# The structure $2 is in the facility $3, as the system $1 sees it.
is_in() { shows "$1" "$2" "CFNAME *: $3"; }
# As the system $1 sees it, the structure $2 is one in each of two facilities: the old one is in $3, the new one in $4.
is_pair() {
    from=$(lines "$1")
    cmd "$1" "D XCF,STR,STRNM=$2" >/dev/null 2>&1
    for n in 1 2 3 4 5; do
        tail -n +$((from + 1)) "$run/$1.log" >"$tmp/answer"
        [ "$(grep -a -A1 'DUPLEXING REBUILD [NO]' "$tmp/answer" | tr -d '\r' | sed -n 's/.*CFNAME *: //p' | tr '\n' ' ')" = "$4 $3 " ] && return 0
        sleep 0.1
    done
    cat "$tmp/answer"
    return 1
}
works() { cmd "$1" "D XCF,PO,STRNM=$2" >"$tmp/answer" 2>&1; cat "$tmp/answer"; [ "$(grep -c WORKING "$tmp/answer")" = "$3" ]; }
# Whoever is first says so; the others hear it from that one.
any_said() { for s in SYSA SYSB SYSC; do said $s "$1" && return 0; done; since SYSA | grep -a 'IX[CL]' | tail -12; return 1; }
both_duplexed() { said "$1" 'IXC578I .*IXCSTR1' && said "$1" 'IXC578I .*IXCSTR2'; }
# Messages from SYSA to SYSB until now: all were counted, none was out of order.
stream_begins() { mark; cmd SYSA "XCFBENCH SYSB,4000,$messages,STREAM" >"$tmp/answer" 2>&1; cat "$tmp/answer"; grep -q 'PLX0343I' "$tmp/answer"; }
row() {
    ok "rebuild: $1: $messages messages arrive" within 90 said SYSA "PLX0341I XCFBENCH SYSB 4000 BYTES: $messages MESSAGES"
    since SYSA | grep -a 'PLX0341I' | sed 's/^/   /'
    ok "rebuild: $1: each once and in order" not said SYSB 'PLX0344E'
    ok "rebuild: $1: nobody was asked about or gone" not said SYSA 'IXC101I\|IXC402D\|IXC409D'
}

ok "rebuild: four LPARs and two facilities come up" "$plex390" up PLEX1 || exit 1
ok "rebuild: each lists four" within 10 lists SYSA 4 || exit 1
ok "rebuild: IXCSTR1 is where its preference list says" is_in SYSA IXCSTR1 CF01
ok "rebuild: and IXCSTR2" is_in SYSB IXCSTR2 CF02
cmd SYSB XCFBENCH >/dev/null
for d in 0C00 0C02 0C04; do cmd SYSA "SETXCF STOP,PATHIN,DEVICE=$d" >/dev/null; done
for d in 0C01 0C03 0C05; do cmd SYSA "SETXCF STOP,PATHOUT,DEVICE=$d" >/dev/null; done
ok "rebuild: SYSA stays, over structures alone" lists SYSA 4

ok "rebuild: a stream of messages" stream_begins
for i in 1 2 3; do
    ok "rebuild: SETXCF START,REBUILD is accepted ($i)" answer_has SYSC 'SETXCF START,REBUILD,STRNAME=(IXCSTR1,IXCSTR2)' 'IXC367I.*IXCSTR2.*ACCEPTED'
    sleep 1
done
ok "rebuild: it is done, as every system says" within 5 said SYSA 'IXC465I .*IXCSTR1 WAS SUCCESSFUL'
ok "rebuild: by the operator of SYSC" said SYSC 'IXC465I .*IXCSTR1 .*OPERATOR'
ok "rebuild: IXCSTR1 is in the other facility" within 5 is_in SYSA IXCSTR1 CF02
ok "rebuild: IXCSTR2, too" is_in SYSD IXCSTR2 CF01
row "moved three times by the operator"
ok "rebuild: no path was restarted for it" not said SYSA 'IXC467I RESTARTING.*STRUCTURE'

ok "rebuild: a stream of messages" stream_begins
sleep 0.3
"$plex390" kill CF02
ok "rebuild: IXCSTR1 is made anew in the other facility" within 5 said SYSA 'IXC465I .*IXCSTR1 WAS SUCCESSFUL. WHY REBUILT: LOSS'
ok "rebuild: by all" within 5 said SYSD 'IXC465I .*IXCSTR1 WAS SUCCESSFUL. WHY REBUILT: LOSS'
row "its facility killed"
ok "rebuild: all its paths work" within 10 works SYSA IXCSTR1 3
ok "rebuild: a rebuild has nowhere to go" answer_has SYSA 'SETXCF START,REBUILD,STRNAME=IXCSTR1' 'REJECTED: NO OTHER COUPLING FACILITY'
mark
ok "rebuild: the facility is IPLed again" "$plex390" ipl CF02
for s in SYSA SYSB SYSC SYSD; do ok "rebuild: $s is linked to it" within 10 said $s 'IXC517I .*CF02'; done
ok "rebuild: and takes it" within 10 answer_has SYSB 'SETXCF START,REBUILD,STRNAME=IXCSTR2' 'IXCSTR2 WAS ACCEPTED'
ok "rebuild: IXCSTR2 is back" within 5 is_in SYSC IXCSTR2 CF02
ok "rebuild: all list four" lists SYSD 4
ok "rebuild: an unknown structure is no signalling structure" answer_has SYSA 'SETXCF START,REBUILD,STRNAME=IXCNONE' 'IXC367I.*REJECTED'

ok "rebuild: a stream of messages" stream_begins
ok "rebuild: SETXCF START,REBUILD,DUPLEX is accepted" answer_has SYSC 'SETXCF START,REBUILD,DUPLEX,STRNAME=(IXCSTR1,IXCSTR2)' 'IXC367I.*IXCSTR2 WAS ACCEPTED'
for s in SYSA SYSB SYSC SYSD; do
    ok "rebuild: $s has IXCSTR1 in both" within 10 said $s 'IXC578I .*IXCSTR1 IN CF01 AND CF02'
    ok "rebuild: $s has IXCSTR2 in both" within 10 said $s 'IXC578I .*IXCSTR2 IN CF02 AND CF01'
done
ok "rebuild: both instances are shown" within 5 is_pair SYSD IXCSTR1 CF01 CF02
ok "rebuild: a structure that is duplexed is not duplexed again" answer_has SYSB 'SETXCF START,REBUILD,DUPLEX,STRNAME=IXCSTR1' 'REJECTED: .*ALREADY'
"$plex390" kill CF02
for s in SYSA SYSB SYSC SYSD; do
    ok "rebuild: $s goes on with IXCSTR1 in CF01" within 10 said $s 'IXC522I .*IXCSTR1 .*FALL BACK TO THE OLD'
    ok "rebuild: $s goes on with IXCSTR2 in CF01" within 10 said $s 'IXC522I .*IXCSTR2 .*SWITCH TO THE NEW'
done
ok "rebuild: and somebody says why" any_said 'IXCSTR1: LOSS OF CONNECTIVITY TO THE NEW STRUCTURE'
row "duplexed, then a facility killed"
for s in SYSA SYSB SYSC SYSD; do ok "rebuild: no path of $s was restarted for it" not said $s 'IXC467I RESTARTING.*STRUCTURE'; done

mark
ok "rebuild: SYSB starts a policy with DUPLEX(ENABLED)" answer_has SYSB 'SETXCF START,POLICY,TYPE=CFRM,POLNAME=CFRMPOL2' 'IXC511I START .*CFRMPOL2'
ok "rebuild: the facility is IPLed again" "$plex390" ipl CF02
for s in SYSA SYSD; do ok "rebuild: $s has both structures duplexed again" within 25 both_duplexed $s; done
ok "rebuild: SYSB goes back to the policy with DUPLEX(ALLOWED)" answer_has SYSB 'SETXCF START,POLICY,TYPE=CFRM,POLNAME=CFRMPOL1' 'IXC511I START .*CFRMPOL1'
ok "rebuild: a stream of messages" stream_begins
ok "rebuild: SETXCF STOP,REBUILD,DUPLEX,KEEP=NEW" answer_has SYSD 'SETXCF STOP,REBUILD,DUPLEX,STRNAME=IXCSTR1,KEEP=NEW' 'IXC367I.*ACCEPTED'
ok "rebuild: SETXCF STOP,REBUILD,DUPLEX,KEEP=OLD" answer_has SYSB 'SETXCF STOP,REBUILD,DUPLEX,STRNAME=IXCSTR2,KEEP=OLD' 'IXC367I.*ACCEPTED'
ok "rebuild: IXCSTR1 is in the new one" within 10 said SYSA 'IXC522I .*IXCSTR1 .*SWITCH TO THE NEW'
ok "rebuild: at an operator's request" within 10 said SYSD 'IXCSTR1: REQUEST FROM AN OPERATOR'
ok "rebuild: IXCSTR2 is in the old one" within 10 said SYSC 'IXC522I .*IXCSTR2 .*FALL BACK TO THE OLD'
row "made simplex by command"
ok "rebuild: as a display says" is_in SYSC IXCSTR1 CF02

mark
ok "rebuild: SETXCF COUPLE,PSWITCH is accepted" answer_has SYSB 'SETXCF COUPLE,PSWITCH' 'IXC309I.*PSWITCH.*ACCEPTED'
for s in SYSA SYSB SYSC SYSD; do ok "rebuild: $s has the alternate as primary" within 5 said $s 'IXC257I PRIMARY COUPLE DATA SET CF01'; done
ok "rebuild: there is no alternate to switch to" answer_has SYSA 'SETXCF COUPLE,PSWITCH' 'IXC308I.*THERE IS NO ALTERNATE'
"$plex390" kill CF01
sleep 2
ok "rebuild: without the former primary all list four" lists SYSC 4
"$plex390" kill SYSD
ok "rebuild: a death is isolated through the new primary" within 5 any_said 'IXC101I .* SYSD'
ok "rebuild: and SYSA has heard it" within 15 said SYSA 'IXC105I .* SYSD'
ok "rebuild: CF01 is IPLed again" "$plex390" ipl CF01
ok "rebuild: SYSA is linked to it" within 10 said SYSA 'IXC517I .*CF01'
ok "rebuild: SETXCF COUPLE,ACOUPLE=CF01 is accepted" answer_has SYSA 'SETXCF COUPLE,ACOUPLE=CF01' 'IXC309I.*ACOUPLE.*ACCEPTED'
for s in SYSA SYSB SYSC; do ok "rebuild: $s has a new alternate" within 5 said $s 'IXC251I NEW ALTERNATE DATA SET CF01'; done
ok "rebuild: D XCF,COUPLE says so" answer_has SYSC 'D XCF,COUPLE' 'CF02'
ok "rebuild: SYSD, whose COUPLE00 names the former ones, is IPLed" "$plex390" ipl SYSD
ok "rebuild: it finds the present ones" within 10 answer_has SYSD 'D XCF,COUPLE' 'PRIMARY *CFNAME: CF02'
ok "rebuild: and is one of four" within 8 lists SYSA 4

# The end of a pair by policy, and REBUILDPERCENT: CFRMPOL3 says DUPLEX(DISABLED) and 50 of 100, CFRMPOL1 1.
mark
ok "rebuild: IXCSTR1 goes to CF01" answer_has SYSA 'SETXCF START,REBUILD,STRNAME=IXCSTR1' 'IXCSTR1 WAS ACCEPTED'
ok "rebuild: and is there" within 5 is_in SYSB IXCSTR1 CF01
ok "rebuild: it is duplexed" answer_has SYSC 'SETXCF START,REBUILD,DUPLEX,STRNAME=IXCSTR1' 'IXCSTR1 WAS ACCEPTED'
for s in SYSA SYSB SYSC SYSD; do ok "rebuild: as $s says" within 10 said $s 'IXC578I .*IXCSTR1 IN CF01 AND CF02'; done
ok "rebuild: SYSB starts a policy with DUPLEX(DISABLED)" answer_has SYSB 'SETXCF START,POLICY,TYPE=CFRM,POLNAME=CFRMPOL3' 'IXC511I START .*CFRMPOL3'
for s in SYSA SYSB SYSC SYSD; do ok "rebuild: $s goes back to IXCSTR1 in CF01" within 15 said $s 'IXC522I .*IXCSTR1 .*FALL BACK TO THE OLD'; done
ok "rebuild: it is not to be duplexed" answer_has SYSB 'SETXCF START,REBUILD,DUPLEX,STRNAME=IXCSTR1' 'IXCSTR1 WAS REJECTED'
ok "rebuild: because of the policy" within 5 any_said 'IXCSTR1: CHANGE OF THE CFRM POLICY'
for s in SYSA SYSB SYSC SYSD; do ok "rebuild: $s knows of REBUILDPERCENT(50)" within 15 shows $s IXCSTR1 'REBUILD PERCENT: 50'; done
mark
ok "rebuild: SYSD loses its link to CF01" "$plex390" cut CF01 SYSD
ok "rebuild: as it says" within 10 said SYSD 'IXC518I .*CF01'
sleep 5 # a system that has lost it counts after two seconds, and the last of four begins one and a half later
ok "rebuild: a fourth of the weights is below the percent: nothing moves" not any_said 'IXC526I .*IXCSTR1'
ok "rebuild: IXCSTR1 is in CF01 still" is_in SYSA IXCSTR1 CF01
ok "rebuild: and SYSD goes on by its other paths" lists SYSA 4
ok "rebuild: SYSB starts the policy with REBUILDPERCENT(1)" answer_has SYSB 'SETXCF START,POLICY,TYPE=CFRM,POLNAME=CFRMPOL1' 'IXC511I START .*CFRMPOL1'
ok "rebuild: IXCSTR1 moves for it" within 15 any_said 'IXC465I .*IXCSTR1 .*LOSS OF CONNECTIVITY BY OTHER SYSTEMS'
ok "rebuild: to CF02" within 5 is_in SYSA IXCSTR1 CF02
ok "rebuild: where SYSD has it again" within 10 works SYSD IXCSTR1 3
ok "rebuild: the link is healed" "$plex390" heal CF01 SYSD
