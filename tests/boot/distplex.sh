# distplex.sh - PLEX1 as the tests of the sysplex distributor want it, and how they ask it. Sourced behind lib.sh; makes the configuration
# at once: SYSA defines and distributes $vip (ROUNDROBIN, ports 80 and 5001, all four systems), the others back it up in their order.
#
#   ready A PORT N       N targets of the port are ready at the routing stack A        totals A PORT    target and connections
#   rows A; drained A    rows of its VCRT; there are none                              owner_is A       who has the address
#   served               the system that answers a new connection
lab_begin PLEX1
vip=10.1.1.80
mkdir "$tmp/configs"
cp -R "$root/configs/PLEX1" "$tmp/configs/PLEX1"
PLEX390_CONFIGS=$tmp/configs
parms=$tmp/configs/PLEX1/tcpparms
sed -i 's/INTERVAL([0-9]*)/INTERVAL(4)/' "$tmp/configs/PLEX1/parmlib/COUPLE00"
printf 'SOMAXCONN 256\n' >>"$parms/PROFILE"
cat >"$parms/VIPA0A" <<END
VIPADYNAMIC
  VIPADEFINE MOVEABLE IMMEDIATE 255.255.255.0 $vip
  VIPADISTRIBUTE DEFINE DISTMETHOD ROUNDROBIN $vip PORT 80 5001 DESTIP ALL
ENDVIPADYNAMIC
END
rank=200
for s in B C D; do
    printf 'VIPADYNAMIC\n  VIPABACKUP %s MOVEABLE IMMEDIATE 255.255.255.0 %s\nENDVIPADYNAMIC\n' $rank $vip >"$parms/VIPA0$s"
    rank=$((rank - 50))
done

vdpt() { cmd "$1" "D TCPIP,,NETSTAT,VDPT,PORT=$2,MAX=*"; }
# Targets of port $2 that $1 routes to and that are ready.
ready() { vdpt "$1" "$2" >"$tmp/vdpt"; [ "$(grep -c " 193\.9\.200\.[1-4]  *00[1-9] " "$tmp/vdpt")" = "$3" ] || { cat "$tmp/vdpt"; return 1; }; }
totals() { vdpt "$1" "$2" | sed -n 's/.* \(193\.9\.200\.[1-4]\)  *[0-9]\{3\} 0*\([0-9]*\) .*/\1 \2/p' | awk '{print $1, $2 + 0}'; }
rows() { cmd "$1" 'D TCPIP,,NETSTAT,VCRT' | sed -n 's/.* OF \([0-9]*\) RECORDS.*/\1/p' | tail -n 1; }
drained() { n=$(rows "$1"); [ "${n:-x}" = 0 ] || { echo "$n rows"; return 1; }; }
owner_is() { cmd SYSA "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$vip" >"$tmp/vipadyn"; grep -q "$1  *ACTIVE" "$tmp/vipadyn" || { cat "$tmp/vipadyn"; return 1; }; }
served() { client curl -s -m 5 "http://$vip/status" | grep -a -o 'SYS[A-D]' | head -n 1; }
