#!/bin/sh
# signals.sh - the capture of a sysplex's signalling, judged by tshark with lab/plex390.lua: the systems of PLEX1, which find each other
# over their CTCs and over structures in both coupling facilities; each kind of XCF message is seen on both kinds of path, and
# nothing is malformed.
set -u
. "$(dirname "$0")/lib.sh"
skip() { echo "SKIP the whole test: $*"; exit 77; }
have_modules || skip "no device module was built"
command -v tshark >/dev/null || skip "tshark is not installed"
lab_begin PLEX1
PLEX390_CONFIGS=$tmp/configs
mkdir "$PLEX390_CONFIGS"
cp -r "$root/configs/PLEX1" "$PLEX390_CONFIGS/"
sed -i 's/^ctc = .*/&\ncapture = 1;/' "$PLEX390_CONFIGS/PLEX1/plex.conf"
"$plex390" up PLEX1 >"$tmp/up" 2>&1
shown() { tshark -X "lua_script:$root/lab/plex390.lua" -r "$PLEX390_RUN/PLEX1/$1.signals.pcapng" -Y "$2" 2>/dev/null; }
matches() { shown "$1" "$2" | grep -q .; }
nothing() { shown "$1" "$2" >"$tmp/shown"; cat "$tmp/shown"; [ ! -s "$tmp/shown" ]; }
# XCF sends by devices as long as it has some: without them, what a stack that leaves its group and joins it again says goes by structures.
by_structures() {
    for d in 0C01 0C03 0C05; do cmd "$1" "SETXCF STOP,PATHOUT,DEVICE=$d"; done
    cmd "$1" 'V TCPIP,,SYSPLEX,LEAVEGROUP' && cmd "$1" 'V TCPIP,,SYSPLEX,JOINGROUP'
}
for system in SYSA SYSB; do
    ok "$system: a CTC says who it is" within 20 matches $system 'plexctc.type == 1'
    for path in plexctc plexcf; do
        [ $path = plexctc ] || by_structures $system >/dev/null
        ok "$system: XCF HELLO on $path" within 20 matches $system "$path && xcf.type == 1"
        ok "$system: XCF DATA on $path" within 40 matches $system "$path && xcf.type == 2 && xcf.seq"
    done
    ok "$system: its structures" matches $system 'plexcf.structure contains "IXC"'
    ok "$system: nothing is malformed" nothing $system '_ws.malformed || _ws.lua.error'
done
