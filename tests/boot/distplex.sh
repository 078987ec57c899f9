# distplex.sh - distlab.sh's PLEX1 with a distributed DVIPA. Sourced behind lib.sh; makes the configuration
# at once: SYSA defines and distributes $vip (ROUNDROBIN, ports 80 and 5001, all four systems), the others back it up in their order.
#
#   owner_is A   has the address     served   the system that answers a new connection
. "$(dirname "$0")/distlab.sh"
vip=10.1.1.80
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

owner_is() { cmd SYSA "D TCPIP,,SYSPLEX,VIPADYN,IPADDR=$vip" >"$tmp/vipadyn"; grep -q "$1  *ACTIVE" "$tmp/vipadyn" || { cat "$tmp/vipadyn"; return 1; }; }
served() { client curl -s -m 5 "http://$vip/status" | grep -a -o 'SYS[A-D]' | head -n 1; }
