# distlab.sh - a PLEX1 of its own for tests and benches of the sysplex distributor, and how they ask it. Sourced behind lib.sh; the copy of the
# configuration is made at once, TCPPARMS in $parms.
#
#   vdpt A PORT          the routing stack A's table of a port
#   ready A PORT N       N targets of the port, of all DVIPAs together, are ready at A     totals A PORT    target and connections
#   rows A; drained A    rows of its VCRT; there are none
lab_begin PLEX1
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
parms=$tmp/configs/PLEX1/tcpparms

vdpt() { cmd "$1" "D TCPIP,,NETSTAT,VDPT,PORT=$2,MAX=*"; }
ready() { vdpt "$1" "$2" >"$tmp/vdpt"; [ "$(grep -c " 193\.9\.200\.[1-4]  *00[1-9] " "$tmp/vdpt")" = "$3" ] || { cat "$tmp/vdpt"; return 1; }; }
totals() { vdpt "$1" "$2" | sed -n 's/.* \(193\.9\.200\.[1-4]\)  *[0-9]\{3\} 0*\([0-9]*\) .*/\1 \2/p' | awk '{print $1, $2 + 0}'; }
rows() { cmd "$1" 'D TCPIP,,NETSTAT,VCRT' | sed -n 's/.* OF \([0-9]*\) RECORDS.*/\1/p' | tail -n 1; }
drained() { n=$(rows "$1"); [ "${n:-x}" = 0 ] || { echo "$n rows"; return 1; }; }
