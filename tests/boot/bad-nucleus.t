# Track 2: header 5, record 0 16, two directory blocks of 8+8+256, end of file 8, then the first block; its byte 8.
name nucleus without its mark: wait 018
patch 512+2*56832+5+16+272*2+8+8+8 00
ipl
psw 018
seen PLX012A
