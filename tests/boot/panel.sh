#!/bin/sh
# panel.sh - the panel shows a running sysplex and does what its keys say: read from the texts of its picture (--list), not from its
# points; without a display (SDL's dummy driver, and a picture into a file).
#
# Environment: PLEX390_HERCULES chooses the emulator.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP panel: no device modules are built"; exit 77; }
panel="$root/build/plex390-panel"
[ -x "$panel" ] || { echo "SKIP panel: libsdl2-dev and libsdl2-ttf-dev are not here, so it is not built"; exit 77; }
command -v python3 >/dev/null || { echo "SKIP panel: no python3"; exit 77; }
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
sed -i 's/INTERVAL([0-9]*)/INTERVAL(4)/' "$tmp/configs/PLEX1/parmlib/COUPLE00"
cat >"$tmp/configs/PLEX1/tcpparms/VIPA0A" <<END
VIPADYNAMIC
  VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 10.1.1.80
  VIPADISTRIBUTE DEFINE DISTMETHOD ROUNDROBIN 10.1.1.80 PORT 80 DESTIP ALL
ENDVIPADYNAMIC
END
SDL_VIDEODRIVER=dummy
export SDL_VIDEODRIVER

look() { timeout -k 5 40 "$panel" PLEX1 --snapshot "$tmp/p.png" --list >"$tmp/list"; }
# The texts of the picture, as one line each without their places, have these extended regular expressions, one a line.
shows() {
    look || return 1
    sed 's/^[0-9]* [0-9]* //' "$tmp/list" >"$tmp/texts"
    for text in "$@"; do grep -Eqx -- "$text" "$tmp/texts" || { echo "no '$text' in:"; cat "$tmp/texts"; return 1; }; done
}
# A text beside another one: on the same line of the picture, to its right.
beside() {
    look && awk -v a="$1" -v b="$2" '
        { at = $2; text = $0; sub(/^[0-9]+ [0-9]+ /, "", text) }
        text == a { for (y = at - 4; y <= at + 4; y++) row[y] = 1 }
        row[at] && text == b { found = 1 }
        END { exit !found }' "$tmp/list"
}
whole() { look && ! grep -q ' CUT$' "$tmp/list"; }
keys() { timeout -k 5 60 "$panel" PLEX1 --do "$1"; }
is_picture() {
    python3 - "$tmp/p.png" <<'END'
import struct, sys, zlib
d = open(sys.argv[1], "rb").read()
assert d[:8] == b"\x89PNG\r\n\x1a\n"
at, body = 8, b""
while at < len(d):
    n, kind = struct.unpack(">I4s", d[at:at + 8])
    assert zlib.crc32(d[at + 4:at + 8 + n]) == struct.unpack(">I", d[at + 8 + n:at + 12 + n])[0]
    if kind == b"IHDR": w, h = struct.unpack(">II", d[at + 8:at + 16])
    if kind == b"IDAT": body += d[at + 8:at + 8 + n]
    at += 12 + n
raw = zlib.decompress(body)
assert (w, h) == (1280, 800) and len(raw) == h * (1 + 3 * w)
colors = {raw[y * (1 + 3 * w) + 1 + 3 * x:][:3] for y in range(0, h, 3) for x in range(0, w, 2)}
assert len(colors) > 20, len(colors)
END
}

ok "panel: the plex comes up" "$plex390" up PLEX1 || exit 1
ok "panel: systems, facilities, card, dynamic VIPA and its targets are in the picture" within 10 shows \
    '4 OF 4 SYSTEMS RUN.*' SYSA SYSB SYSC SYSD CF01 CF02 OSA1 'LAN UP' '4 OF 4 PORTS STARTED.*' 'IXCSTR1 .*4 CONN.*' '10\.1\.1\.80' \
    '10\.1\.1\.80 +80 +SYSA +1 .*' '10\.1\.1\.80 +80 +SYSD +1 .*' 'SYSB SYSC SYSD.*DIST'
ok "panel: the file is a picture" is_picture
ok "panel: f freezes the system that was chosen" keys '>>>>f'
ok "panel: and it is shown so" beside SYSD FROZEN
ok "panel: t thaws it" keys '>>>>t'
ok "panel: and it is shown so" beside SYSD RUNNING
ok "panel: x cuts the link between CF01 and SYSA" keys '>>>>>>>>x'
ok "panel: and it is shown so" shows CUT
ok "panel: h heals it" keys '>>>>>>>>h'
ok "panel: and it is shown so" within 5 whole
ok "panel: k kills a system" keys '>k'
ok "panel: its dynamic VIPA is the next one's" within 10 beside 10.1.1.80 SYSB
ok "panel: i starts it again" keys '>i'
ok "panel: and it runs" within 10 beside SYSA RUNNING
ok "panel: a command typed at the console of a system" keys '>>cD IPLINFO$^'
ok "panel: reaches it" within 5 sh -c "'$plex390' console SYSB </dev/null | grep -q IEE254I"
