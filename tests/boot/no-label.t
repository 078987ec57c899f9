# Track 0: header 5, record 0 16, IPL1 8+4+24, IPL2 8+4+144, then VOL1's count 8 and key 4; its data says VOL1.
name volume without label: wait 01B
patch 512+5+16+36+156+12 40404040
ipl
psw 01B
seen PLX003A
