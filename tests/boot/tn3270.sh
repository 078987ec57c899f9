#!/bin/sh
# tn3270.sh - the servers of port 23 on the real emulator, judged by terminals that people use: s3270 with every model, with
# and without TN3270E, c3270 in a tmux, telnet and nc; hundreds of sessions; two servers on one port under two addresses; UDP
# answers; HTTPD's REFRESH; MODIFY and STOP.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP the whole test: no device module was built"; exit 77; }
command -v s3270 >/dev/null || { echo "SKIP the whole test: s3270 is not installed"; exit 77; }
lab_begin TN "$root/tests/boot/configs"
ok 'IPL to EZAIN11I' "$plex390" up TN || exit 1
needs_lan 'the rest' || exit 77
py="python3 $root/tests/boot/tn3270.py"

# s3270 ARGS... HOST <script: its output, one action a line; unlockDelay is the terminal's own pause of 350 ms.
terminal() { client timeout -k 5 60 s3270 -utf8 -xrm 's3270.unlockDelay: false' "$@" >"$tmp/screens" 2>&1; }
logon='Wait(10,InputField)
Ascii()
String("ibmuser")
Tab()
String("sys1")
Enter()
Wait(10,Unlock)
Ascii()'
shows() { sed 's/[[:space:]]*$//' "$tmp/screens" | grep -q -- "$1" || { cat "$tmp/screens"; return 1; }; }
# Size of the screen and number of colours on it, from the status line and ReadBuffer.
size_is() { grep -qE "^U F U C\(.*\) I [2-5] $1 $2 " "$tmp/screens" || { grep '^U ' "$tmp/screens"; return 1; }; }
colours() { grep -o '42=f[1-7]' "$tmp/screens" | sort -u | wc -l; }

# MODEL ROWS COLS HOST: logon screen, panels on the alternate screen, a view that scrolls, the end.
model() {
    printf '%s\nReadBuffer(Ascii)\nString("STATS")\nEnter()\nWait(10,Unlock)\nPF(8)\nWait(10,Unlock)\nAscii()\nPF(3)\nWait(10,Unlock)\nAscii()\nPF(3)\nWait(5,Disconnect)\nQuit()\n' "$logon" |
        terminal -model "$1" "$4"
    shows 'USER ID AND PASSWORD' && shows 'PRIMARY MENU' && size_is "$2" "$3" && shows "LINE $(($2 - 4)) TO $((2 * ($2 - 5))) OF"
}
enhanced() { model "$@" && shows 'TN3270E BIND-IMAGE RESPONSES SYSREQ' && [ "$(colours)" -ge 4 ]; }
plain() { model "$1" "$2" "$3" "N:$4" && shows '  TN3270$' && [ "$(colours)" -ge 4 ]; }
bare() { model "$1" "$2" "$3" "$4" && [ "$(colours)" = 0 ]; }

for m in 2:24:80 3:32:80 4:43:80 5:27:132; do
    IFS=: read -r n rows cols <<EOT
$m
EOT
    ok "s3270, model $n, TN3270E" enhanced "3279-$n-E" "$rows" "$cols" 10.1.1.1
    ok "s3270, model $n, TN3270" plain "3279-$n-E" "$rows" "$cols" 10.1.1.1
done
ok 's3270, model 2 without extended attributes' bare 3278-2 24 80 "S:10.1.1.1"
oversize() {
    printf '%s\nAscii()\nQuit()\n' "$logon" | terminal -model 3279-2-E -oversize 150x60 10.1.1.1
    size_is 60 150 && shows 'PRIMARY MENU'
}
ok 's3270, a size of its own' oversize
keys() {
    printf '%s\nAttn()\nWait(10,Unlock)\nClear()\nWait(10,Unlock)\nAscii()\nPA(1)\nWait(10,Unlock)\nSysReq()\nWait(1,Seconds)\nString("what")\nEnter()\nWait(1,Seconds)\nAscii()\nSysReq()\nWait(10,InputField)\nPF(16)\nWait(10,Unlock)\nAscii()\nSysReq()\nWait(1,Seconds)\nString("logoff")\nEnter()\nWait(5,Disconnect)\nQuery(ConnectionState)\nQuit()\n' "$logon" |
        terminal -model 3279-2-E 10.1.1.1
    shows 'COMMAND UNRECOGNIZED' && shows 'MESSAGES' && shows 'not-connected'
}
ok 'ATTN, CLEAR, PA1, SYSREQ and its LOGOFF' keys
lu_name() {
    printf '%s\nQuit()\n' "$logon" | terminal -model 3279-2-E "TCP00042@10.1.1.1"
    shows 'LU     TCP00042'
}
ok 'an LU of its choice' lu_name
commands() {
    printf '%s\nString("D IPLINFO")\nEnter()\nWait(10,Unlock)\nAscii()\nString("V TCPIP,,PKTTRACE,ON")\nEnter()\nWait(10,Unlock)\nAscii()\nString("V TCPIP,,PKTTRACE,OFF")\nEnter()\nWait(10,Unlock)\nString("TELNET")\nEnter()\nWait(10,Unlock)\nAscii()\nQuit()\n' "$logon" |
        terminal -model 3279-4-E 10.1.1.1
    shows 'IEE254I' && shows 'EZZ0053I' && shows 'TCP00.* IBM-3278-4-E'
}
ok 'commands of the operator from the panel' commands
# AUTO refreshes while s3270 only looks; what is half typed stays.
auto() {
    printf '%s\nString("CONN")\nEnter()\nWait(10,Unlock)\nString("AUTO 1")\nEnter()\nWait(10,Unlock)\nAscii(0,0,1,80)\nString("half")\nWait(3,Seconds)\nAscii(0,0,2,80)\nQuit()\n' "$logon" |
        terminal -model 3279-2-E 10.1.1.1
    [ "$(grep -o 'UP [0-9:]*' "$tmp/screens" | sort -u | wc -l)" -ge 3 ] && shows 'COMMAND ===> half'
}
ok 'AUTO: the screen lives, the command line is left alone' auto
wrong() {
    printf 'Wait(10,InputField)\nString("ibmuser")\nTab()\nString("x")\nEnter()\nWait(10,Unlock)\nAscii()\nString("ibmuser")\nTab()\nString("x")\nEnter()\nWait(10,Unlock)\nString("ibmuser")\nTab()\nString("x")\nEnter()\nWait(10,Disconnect)\nQuery(ConnectionState)\nQuit()\n' |
        terminal -model 3279-2-E 10.1.1.1
    shows PLX0423E && shows 'not-connected'
}
ok 'three wrong passwords end the session' wrong

# c3270 as a person sees it.
in_tmux() { client tmux -L "plx$$" -f /dev/null "$@"; }
pane_has() { in_tmux capture-pane -p -t t >"$tmp/pane" && cat "$tmp/pane" && grep -q -- "$1" "$tmp/pane"; }
c3270_session() {
    in_tmux new-session -d -s t -x 100 -y 50 "c3270 -model 3279-4-E 10.1.1.1" || return 1
    within 15 pane_has 'USER ID AND PASSWORD' || return 1
    in_tmux send-keys -t t ibmuser Tab sys1 Enter
    within 15 pane_has 'PRIMARY MENU' || return 1
    in_tmux send-keys -t t DEVLINKS Enter
    within 15 pane_has 'DEVNAME: OSA1' || return 1
    in_tmux send-keys -t t F3
    within 15 pane_has 'PRIMARY MENU'
}
if command -v c3270 >/dev/null && command -v tmux >/dev/null; then
    ok 'c3270' c3270_session
    in_tmux kill-server 2>/dev/null
else
    echo 'SKIP c3270: it or tmux is not installed'
fi

many_s3270() {
    n=0
    while [ $n -lt 40 ]; do
        n=$((n + 1))
        printf '%s\nString("HOME")\nEnter()\nWait(20,Unlock)\nAscii()\nWait(4,Seconds)\nQuit()\n' "$logon" |
            client timeout -k 5 90 s3270 -utf8 -model 3279-2-E 10.1.1.1 >"$tmp/many.$n" 2>&1 &
        eval "pid$n=$!"
    done
    while [ $n -gt 0 ]; do
        eval "wait \$pid$n"
        n=$((n - 1))
    done
    good=$(grep -l 'HOME ADDRESSES' "$tmp"/many.* | wc -l)
    echo "$good of 40"
    [ "$good" = 40 ]
}
ok '40 s3270 at once' many_s3270
ok '300 sessions at once' client $py mass 10.1.1.1 300
sed 's/^/   /' "$tmp/out"
ok 'sessions beside deaf ones, and those hear the last word' client $py slow 10.1.1.1 20
sed 's/^/   /' "$tmp/out"
no_loss() { cmd SYSA 'F INTCLIEN,DISPLAY' | tee "$tmp/counts" | head -6 && grep -q 'BAD RECORDS 0 LONG 0 WORDS 0' "$tmp/counts" && grep -q 'FLOODS 0' "$tmp/counts" && grep -q 'LINES LOST 0' "$tmp/counts"; }
ok 'nothing malformed, nothing lost' no_loss

ok 'OTELNETD on the same port of the other address' client $py telnet 10.1.1.2
with_nc() { printf 'ibmuser\r\nsys1\r\nD SYMBOLS\r\nLOGOFF\r\n' | client timeout 20 nc -q 5 10.1.1.2 23 >"$tmp/nc"; cat "$tmp/nc"; grep -aq 'IEA007I' "$tmp/nc"; }
if command -v nc >/dev/null; then ok 'nc' with_nc; else echo 'SKIP nc: it is not installed'; fi
with_telnet() {
    in_tmux new-session -d -s t -x 100 -y 40 "telnet 10.1.1.2" || return 1
    within 15 pane_has 'login:' || return 1
    in_tmux send-keys -t t ibmuser Enter
    within 15 pane_has 'Password:' || return 1
    in_tmux send-keys -t t sys1 Enter
    within 15 pane_has 'PLX0440I' || return 1
    pane_has sys1 && return 1
    in_tmux send-keys -t t 'D A,L' Enter
    within 15 pane_has 'OTELNETD TCPIP' || return 1
    in_tmux send-keys -t t 'LOGOFF' Enter
    sleep 1
}
if command -v telnet >/dev/null && command -v tmux >/dev/null; then
    ok 'telnet' with_telnet
    in_tmux kill-server 2>/dev/null
else
    echo 'SKIP telnet: it or tmux is not installed'
fi
ok 'NETSTAT: each listens on its own address' sh -c '"$0" cmd SYSA "D TCPIP,,NETSTAT,CONN,PORT=23" | tee "$1" && grep -q "INTCLIEN .*10.1.1.1\.\.23.*LISTEN" "$1" && grep -q "OTELNETD .*10.1.1.2\.\.23.*LISTEN" "$1"' "$plex390" "$tmp/conn"
ok 'UDP: answered from the address that was asked' client $py udp 7 10.1.1.1 10.1.1.2 10.1.1.1
ok 'UDP with BIND: its address answers' client $py udp 19 10.1.1.2
ok 'UDP with BIND: the other one does not' sh -c '! "$0" client python3 "$1" udp 19 10.1.1.1' "$plex390" "$root/tests/boot/tn3270.py"
ok 'MODIFY: HTTPD reads its pages again' answer_has SYSA 'F HTTPD,REFRESH' 'PLX0404I HTTPD READ 1 PAGES'
ok 'STOP of OTELNETD' answer_has SYSA 'P OTELNETD' 'IEF404I OTELNETD'
ok 'the displays of INTCLIEN stay' client $py mass 10.1.1.1 5
ok 'START of OTELNETD' answer_has SYSA 'S OTELNETD' 'IEF403I OTELNETD'
ok 'OTELNETD is back' client $py telnet 10.1.1.2
ok 'P TCPIP with sessions open' "$plex390" cmd -w EZZ4201I SYSA 'P TCPIP'
ok 'down' "$plex390" down TN
