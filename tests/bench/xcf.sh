#!/bin/sh
# xcf.sh - XCF messages between two guests on one emulator: over a channel-to-channel pair, over a structure in a coupling
# facility, and over both together. 64 bytes, 4 KB and 60 KB: time of a message there and back, messages a second, KB a second
# (1000 bytes), as the guest's command XCFBENCH measures them. Times are of a shared machine: compare figures of one run only.
#
# Environment: PLEX390_HERCULES chooses the emulator; ROUNDS messages of each size (500).
set -u
. "$(dirname "$0")/../boot/lib.sh"
have_modules || { echo "SKIP xcf bench: no device modules are built"; exit 0; }
lab_begin PLEX1
rounds=${ROUNDS:-500}
mkdir "$tmp/configs"
PLEX390_CONFIGS=$tmp/configs
couple=$tmp/configs/PLEX1/parmlib/COUPLE00

# Two of the four systems, so one pair of units each.
plex_of() {
    rm -rf "$tmp/configs/PLEX1"
    cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
    sed -i 's/DEVICE(0C00,[0-9A-F,]*)/DEVICE(0C00)/; s/DEVICE(0C01,[0-9A-F,]*)/DEVICE(0C01)/' "$couple"
    [ -z "$1" ] || sed -i "/$1/d" "$couple"
    awk '/^systems = /{n = 1} n && /name = "SYSC"/{skip = 1} n && /^\);/{if (skip) print ");"; else print; n = skip = 0; next}
         skip {next} n && /name = "SYSB"/{b = 1} b && /\} \); \},$/{sub(/,$/, ""); b = 0} {print}' \
        "$root/configs/PLEX1/plex.conf" >"$tmp/configs/PLEX1/plex.conf"
}
log() { cat "$PLEX390_RUN/PLEX1/SYSA.log"; }
measured() { [ "$(log | grep -a -c 'PLX0341I')" -ge "$1" ]; }

echo "machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r)"
echo "emulator: $(${PLEX390_HERCULES:-hercules} --version 2>&1 </dev/null | grep -i version | head -1)"
printf '%-12s %8s %16s %14s %14s\n' OVER BYTES 'US THERE+BACK' 'MESSAGES/S' 'KB/S'
# The second part is what is left out of COUPLE00.
for over in CTC:STRNAME STRUCTURE:DEVICE BOTH:; do
    plex_of "${over#*:}"
    "$plex390" up PLEX1 >"$tmp/up" 2>&1 || { cat "$tmp/up"; failures=1; exit 1; }
    within 10 answer_has SYSA 'D XCF' 'SYSB' >/dev/null || { echo "FAIL the two systems do not meet over ${over%:*}"; exit 1; }
    cmd SYSB XCFBENCH >/dev/null
    n=0
    for bytes in 64 4096 61440; do
        n=$((n + 1))
        within 5 answer_has SYSA 'D XCF,G,PLXBENCH' 'SYSB' >/dev/null
        cmd SYSA "XCFBENCH SYSB,$bytes,$rounds" >/dev/null
        within 60 measured $n || { echo "FAIL $bytes bytes over ${over%:*}: no end"; log | grep -a PLX034 | tail -3; failures=1; break; }
        trip=$(log | sed -n "s/.*PLX0340I XCFBENCH SYSB $bytes BYTES:.* US, \([0-9]*\) US EACH.*/\1/p" | tail -1)
        rates=$(log | sed -n "s/.*PLX0341I XCFBENCH SYSB $bytes BYTES:.* US, \([0-9]*\) A SECOND, \([0-9]*\) KB.*/\1 \2/p" | tail -1)
        printf '%-12s %8s %16s %14s %14s\n' "${over%:*}" "$bytes" "$trip" "${rates% *}" "${rates#* }"
    done
    "$plex390" down PLEX1 >/dev/null 2>&1
done
