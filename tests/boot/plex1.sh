#!/bin/sh
# plex1.sh - four LPARs and two coupling facilities on a real emulator: what each loss ends in, and how long it takes to be
# noticed. One row a loss; its expected end is a message on a survivor, and what must not happen beside it.
#
#   row                              expected end
#   all join                         each lists four
#   emulator killed                  isolated at once; a re-IPLed system is active again
#   emulator frozen                  isolated after INTERVAL and ISOLATETIME (2); woken, it loads wait 0A2
#   the same, PROMPT                 IXC402D after OPNOTIFY; woken, it goes on, and nobody is asked any more
#   primary facility lost            everybody stays
#   and one system's view of the     it stays, over the CTCs; a system that is killed meanwhile is isolated through the alternate,
#   other one                        by who can
#   one system's CTCs lost           it stays, over the structures
#   and one facility                 it stays, over the other one
#   and its link to that, too        isolated at once; when its cables are back it loads wait 0A2
#   all its signalling paths lost    IXC409D, if no SFM policy is active: RETRY waits another INTERVAL
#   the same, CONNFAIL(NO)           IXC409D; a name removes that system
#   the same, CONNFAIL(YES)          the lighter side is isolated, and nobody is asked
#   both facilities lost             everybody stays, over the CTCs
#   and an emulator killed           IXC402D; nobody declares it gone before the answer
#   one system sees no facility      it stays, and learns of a death from the others
#   the couple data have moved, and  IXC207A; it joins nobody, until its link is there
#   an IPL reaches the former alone
#   all CTCs of all systems lost     everybody stays, over structures
#   and one facility                 everybody stays, over the other one's structures
#   and the other one                each is alone: IXC402D about each other one; nobody is gone
#
# Environment: PLEX390_HERCULES chooses the emulator; PLEX1_INTERVAL seconds (4).
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP plex1: no device modules are built"; exit 77; }
interval=${PLEX1_INTERVAL:-4}
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
sed -i "s/INTERVAL([0-9]*)/INTERVAL($interval)/" "$tmp/configs/PLEX1/parmlib/COUPLE00"
echo '  SYSTEM NAME(SYSC) ISOLATETIME(2) WEIGHT(1)' >>"$tmp/configs/PLEX1/parmlib/SFMPOL1"
printf 'DATA TYPE(SFM)\nDEFINE POLICY NAME(SFMPOL2) CONNFAIL(NO)\n  SYSTEM NAME(*) PROMPT WEIGHT(1)\n' >"$tmp/configs/PLEX1/parmlib/SFMPOL2"
run=$PLEX390_RUN/PLEX1
table=$tmp/table
: >"$table"

now_ms() { echo $(($(date +%s%N) / 1000000)); }
lines() { wc -l <"$run/$1.log"; }
# What a system's console said since its mark.
since() { tail -n +$(($2 + 1)) "$run/$1.log"; }
mark() { for s in SYSA SYSB SYSC SYSD; do eval "mark_$s=$(lines "$s")"; done; begun=$(now_ms); }
said() { eval "m=\$mark_$1"; since "$1" "$m" | grep -a -q -- "$2"; }
not() { if "$@"; then return 1; else return 0; fi; }
# Waits up to $3 ms until one of the systems $1 says $2; leaves the time since the mark in $took.
hears() {
    while :; do
        took=$(($(now_ms) - begun))
        for s in $1; do said "$s" "$2" && return 0; done
        [ "$took" -lt "$3" ] || { for s in $1; do eval "m=\$mark_$s"; since "$s" "$m" | grep -a 'IX[CL]\|^\*' | tail -n 8; done; return 1; }
        sleep 0.02
    done
}
# A row of the table: what happened, what it ended in, after how long.
row() {
    ok "plex1: $1: $2" hears "$3" "$4" "$5" && printf '%-44s %-38s %6s ms\n' "$1" "$2" "$took" >>"$table"
}
lists() { cmd "$1" 'D XCF,S,ALL' >"$tmp/answer" 2>&1; [ "$(grep -c '  SYS[A-D]  *[-9][-6].* ACTIVE' "$tmp/answer")" = "$2" ] || { cat "$tmp/answer"; return 1; }; }
all_list() { for s in $1; do lists "$s" "$2" || return 1; done; }
# Nobody was taken out, asked about, or lost in the seconds $1.
quiet() {
    sleep "$1"
    for s in SYSA SYSB SYSC SYSD; do
        eval "m=\$mark_$s"
        since "$s" "$m" | grep -a 'IXC101I\|IXC105I\|IXC402D\|IXC409D\|IXC220W' && return 1
    done
    return 0
}
# One emulator lets its operator take a device away that is in use; under the other one the system stops its paths.
ctcs_lost() {
    for d in 0C00 0C01 0C02 0C03 0C04 0C05; do hmc "$1" "detach $d"; done
    sleep 0.5
    grep -a -q 'HHC02231E' "$run/$1.log" || return 0
    for d in 0C00 0C02 0C04; do cmd "$1" "SETXCF STOP,PATHIN,DEVICE=$d" >/dev/null; done
    for d in 0C01 0C03 0C05; do cmd "$1" "SETXCF STOP,PATHOUT,DEVICE=$d" >/dev/null; done
}
hmc() { printf '%s\n' "$2" >"$run/$1.in"; }
waits() { grep -a -q 'PSW=000A0000 000040A2\|IXC220W XCF IS UNABLE' "$run/$1.log" && grep -a -i -q 'disabled wait' "$run/$1.log"; }
back() {
    mark
    # The command returns when TCP/IP is up, which is long after XCF.
    "$plex390" ipl "$1" >"$tmp/ipl" 2>&1 &
    ipl=$!
    row "$1 IPLed" "active again on SYSA" SYSA "IXC418I SYSTEM $1" 8000
    ok "plex1: $1 is IPLed again" wait "$ipl"
    ok "plex1: and all list four" within 5 all_list "SYSA SYSB SYSC SYSD" 4
}

ok "plex1: four LPARs and two facilities come up" "$plex390" up PLEX1 || exit 1
ok "plex1: each lists four" within 8 all_list "SYSA SYSB SYSC SYSD" 4 || exit 1

mark
"$plex390" kill SYSD
row "emulator of SYSD killed" "isolated" "SYSA SYSB SYSC" "IXC101I .* SYSD" 1500
ok "plex1: all have heard it" within 8 all_list "SYSA SYSB SYSC" 3
row "emulator of SYSD killed" "partitioning complete (CLEANUP 5 s)" SYSA "IXC105I .* SYSD" 9000
back SYSD

mark
"$plex390" freeze SYSC
row "emulator of SYSC frozen (INTERVAL $interval s)" "isolated, ISOLATETIME(2)" "SYSA SYSB SYSD" "IXC101I .* SYSC" $((interval * 1000 + 6000))
ok "plex1: not before ISOLATETIME is over ($took ms)" test "$took" -ge $((interval * 1000 + 300))
ok "plex1: all have heard it" within 8 all_list "SYSA SYSB SYSD" 3
begun=$(now_ms)
"$plex390" thaw SYSC
row "SYSC woken" "IXC220W, wait 0A2" SYSC "IXC220W" 6000
ok "plex1: its processor is in a disabled wait" within 4 waits SYSC
back SYSC

mark
"$plex390" kill CF01
row "primary facility killed" "told" SYSA "IXC518I .*CF01" 1500
ok "plex1: everybody stays" quiet $((interval + 2))
mark
"$plex390" cut CF02 SYSB >/dev/null
row "and the link of SYSB to the other one cut" "told" SYSB "IXC518I .*CF02" 1500
ok "plex1: it stays, over the CTCs" quiet $((interval + 2))
mark
"$plex390" kill SYSD
row "and the emulator of SYSD" "isolated through the alternate" "SYSA SYSC" "IXC101I .* SYSD" 1500
row "and the emulator of SYSD" "gone (alternate waits 2 s)" "SYSA SYSB SYSC" "IXC105I .* SYSD" 9500
"$plex390" heal CF02 SYSB >/dev/null
"$plex390" ipl CF01 >/dev/null
back SYSD

mark
ctcs_lost SYSD
row "CTCs of SYSD lost" "told" SYSA "IXC467I RESTARTING .*DEVICE 0C0" 9000
ok "plex1: it stays, over structures" quiet $((interval + 2))
"$plex390" kill CF02
ok "plex1: one facility less: it stays, over the other" quiet $((interval + 2))
ok "plex1: all list four" all_list "SYSA SYSB SYSC SYSD" 4
mark
"$plex390" cut CF01 SYSD >/dev/null
row "its link to the last facility cut" "isolated" "SYSA SYSB SYSC" "IXC101I .* SYSD" 1500
ok "plex1: all have heard it" within 8 all_list "SYSA SYSB SYSC" 3
ok "plex1: it has not declared anybody gone" not said SYSD 'IXC105I'
begun=$(now_ms)
"$plex390" heal CF01 SYSD >/dev/null
"$plex390" ipl CF02 >/dev/null
row "its cables plugged again" "IXC220W, wait 0A2" SYSD "IXC220W" 6000
"$plex390" kill SYSD >/dev/null
back SYSD

# Its signalling paths are stopped, devices and structures, both ways; the couple data are there as ever.
deaf() {
    for way in PATHIN,DEVICE='(0C00,0C02,0C04)' PATHOUT,DEVICE='(0C01,0C03,0C05)' PATHIN,STRNAME='(IXCSTR1,IXCSTR2)' PATHOUT,STRNAME='(IXCSTR1,IXCSTR2)'; do
        cmd "$1" "SETXCF STOP,$way"
    done >/dev/null 2>&1
    mark
}
sfm() { for s in SYSA SYSB SYSC SYSD; do answer_has "$s" "SETXCF $1,POLICY,TYPE=SFM${2:-}" 'IXC511I' || return 1; done; }
# The number of the question that a system's operator has been asked.
asked() { eval "m=\$mark_$1"; number=$(since "$1" "$m" | sed -n "s/.*\*\([0-9][0-9]\) $2.*/\1/p" | tail -n 1); }
ok "plex1: an SFM policy with PROMPT" sfm START ,POLNAME=SFMPOL2
mark
"$plex390" freeze SYSC
row "emulator of SYSC frozen, PROMPT" "IXC402D (OPNOTIFY $((interval + 3)) s)" SYSA "IXC402D SYSC" $((interval * 1000 + 8000))
"$plex390" thaw SYSC
for s in SYSA SYSB SYSD; do ok "plex1: SYSC is back: $s asks no more" within 8 answer_has $s 'D R,L' 'RM=0 '; done
for s in SYSA SYSB SYSD; do ok "plex1: $s has kept it" not said $s 'IXC101I\|IXC105I'; done
ok "plex1: and all list four" within 8 all_list "SYSA SYSB SYSC SYSD" 4
ok "plex1: no SFM policy" sfm STOP
deaf SYSD
row "all signalling paths of SYSD lost" "IXC409D" SYSA "IXC409D SIGNAL PATHS BETWEEN SYSA AND SYSD" $((interval * 1000 + 4000))
ok "plex1: SYSD's operator is asked, too" within 4 said SYSD "IXC409D SIGNAL PATHS BETWEEN SYSD AND SYSA"
for s in SYSA SYSB SYSC; do ok "plex1: $s keeps it" not said $s 'IXC101I\|IXC105I'; done
asked SYSA "IXC409D SIGNAL PATHS BETWEEN SYSA AND SYSD"
ok "plex1: R $number,SYSNAME=SYSB is no answer" answer_has SYSA "R $number,SYSNAME=SYSB" 'PLX0322E'
mark # a question that was answered wrongly is shown once more
ok "plex1: R $number,RETRY" cmd SYSA "R $number,RETRY"
ok "plex1: an SFM policy with CONNFAIL(NO)" sfm START ,POLNAME=SFMPOL2
row "R nn,RETRY; CONNFAIL(NO)" "asked again after INTERVAL" SYSA "IXC409D SIGNAL PATHS BETWEEN SYSA AND SYSD" $((interval * 1000 + 4000))
asked SYSA "IXC409D SIGNAL PATHS BETWEEN SYSA AND SYSD"
mark
ok "plex1: R $number,SYSNAME=SYSD" cmd SYSA "R $number,SYSNAME=SYSD"
row "R nn,SYSNAME=SYSD" "isolated" SYSA "IXC101I .* SYSD .*LOSS OF CONNECTIVITY" 1500
row "R nn,SYSNAME=SYSD" "IXC220W, wait 0A2" SYSD "IXC220W" 6000
ok "plex1: all have heard it" within 8 all_list "SYSA SYSB SYSC" 3
for s in SYSB SYSC; do ok "plex1: $s asks no more" within 2 answer_has $s 'D R,L' 'RM=0 '; done
"$plex390" kill SYSD >/dev/null
back SYSD

ok "plex1: an SFM policy with CONNFAIL(YES)" sfm START ,POLNAME=SFMPOL1
deaf SYSD
row "all signalling paths of SYSD lost, CONNFAIL(YES)" "isolated, the lighter side" "SYSA SYSB SYSC" "IXC101I .* SYSD .*LOSS OF CONNECTIVITY" $((interval * 1000 + 4000))
row "and SYSD" "IXC220W, wait 0A2" SYSD "IXC220W" 6000
for s in SYSA SYSB SYSC SYSD; do ok "plex1: $s asked nobody" not said $s 'IXC409D\|IXC402D'; done
ok "plex1: all have heard it" within 8 all_list "SYSA SYSB SYSC" 3
"$plex390" kill SYSD >/dev/null
back SYSD

mark
"$plex390" kill CF01
"$plex390" kill CF02
row "both facilities killed" "told" SYSA "IXC518I .*CF02" 1500
ok "plex1: everybody stays, over the CTCs" quiet $((interval + 2))
mark
"$plex390" kill SYSD
row "and the emulator of SYSD" "IXC402D" SYSA "IXC402D SYSD" $((interval * 1000 + 4000))
sleep 2
for s in SYSA SYSB SYSC; do ok "plex1: $s keeps it" not said "$s" 'IXC105I'; done
eval "m=\$mark_SYSA"
number=$(since SYSA "$m" | sed -n 's/.*\*\([0-9][0-9]\) IXC402D SYSD.*/\1/p' | tail -n 1)
begun=$(now_ms)
ok "plex1: R $number,DOWN" cmd SYSA "R $number,DOWN"
row "R nn,DOWN" "gone, after CLEANUP (5 s)" SYSA "IXC105I .* SYSD" 9000
ok "plex1: the others have heard it" within 3 all_list "SYSB SYSC" 3
"$plex390" ipl CF01 >/dev/null
"$plex390" ipl CF02 >/dev/null
back SYSD

mark
"$plex390" cut CF01 SYSB >/dev/null
"$plex390" cut CF02 SYSB >/dev/null
row "SYSB sees no facility" "told" SYSB "IXC518I .*CF0" 1500
ok "plex1: everybody stays" quiet $((interval + 2))
mark
"$plex390" kill SYSD
row "and the emulator of SYSD" "isolated by who can" "SYSA SYSC" "IXC101I .* SYSD" 1500
row "and the emulator of SYSD" "SYSB learns it (CLEANUP 5 s)" SYSB "IXC105I .* SYSD" 9000
ok "plex1: SYSB asked nobody" not said SYSB 'IXC402D'
"$plex390" heal CF01 SYSB >/dev/null
"$plex390" heal CF02 SYSB >/dev/null
back SYSD

mark
ok "plex1: SETXCF COUPLE,PSWITCH" answer_has SYSA 'SETXCF COUPLE,PSWITCH' 'IXC309I.*PSWITCH'
for s in SYSA SYSB SYSC SYSD; do ok "plex1: $s has the alternate as primary" within 5 said $s 'IXC257I PRIMARY COUPLE DATA SET CF01'; done
"$plex390" kill SYSD
ok "plex1: SYSD is out" within 8 all_list "SYSA SYSB SYSC" 3
"$plex390" cut CF02 SYSD >/dev/null
mark
mark_SYSD=0
"$plex390" ipl SYSD >"$tmp/ipl" 2>&1 &
ipl=$!
row "SYSD IPLed, reaches only the former primary" "IXC207A" SYSD "IXC207A" 12000
ok "plex1: it says where they are" said SYSD 'IXC255I UNABLE TO USE DATA SET CF02 AS THE PRIMARY'
asked SYSD IXC207A
ok "plex1: R $number,COUPLE=00 names the same ones" cmd SYSD "R $number,COUPLE=00"
begun=$(now_ms)
again() { [ "$(since SYSD 0 | grep -a -c ' IXC207A')" -ge 2 ]; }
ok "plex1: it asks again" within 8 again
ok "plex1: it has joined nobody" not said SYSD 'IXC418I'
ok "plex1: nor have the others met it" all_list "SYSA SYSB SYSC" 3
mark
begun=$(now_ms)
"$plex390" heal CF02 SYSD >/dev/null
row "its link to the present primary plugged" "active on SYSA" SYSA "IXC418I SYSTEM SYSD" 8000
ok "plex1: SYSD is IPLed" wait "$ipl"
ok "plex1: and all list four" within 8 all_list "SYSA SYSB SYSC SYSD" 4
ok "plex1: SYSD asks no more" answer_has SYSD 'D R,L' 'RM=0 '

mark
for s in SYSA SYSB SYSC SYSD; do ctcs_lost $s; done
row "all CTCs of all systems lost" "told" SYSB "IXC467I RESTARTING .*DEVICE 0C0" 9000
ok "plex1: everybody stays, over structures" quiet $((interval + 2))
"$plex390" kill CF01
ok "plex1: one facility less: everybody stays, over the other one's structures" quiet $((interval + 2))
ok "plex1: all list four" all_list "SYSA SYSB SYSC SYSD" 4
mark
"$plex390" kill CF02
for s in SYSB SYSC SYSD; do row "and both facilities killed" "IXC402D about $s" SYSA "IXC402D $s" $((interval * 1000 + 6000)); done
ok "plex1: SYSD's operator is asked about SYSA" within 6 said SYSD "IXC402D SYSA"
sleep 3 # CLEANUP would be over since the first of them
for s in SYSA SYSB SYSC SYSD; do ok "plex1: $s has declared nobody gone" not said $s 'IXC105I'; done

echo "   detection times (INTERVAL $interval s):"
sed 's/^/   /' "$table"
