# Track 1: header 5, record 0 16, count 8, key 44; the format 4 DSCB's data says F4.
name VTOC without its format 4 DSCB: wait 01B
patch 512+56832+5+16+8+44 00
ipl
psw 01B
seen PLX005A
