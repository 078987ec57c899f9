# Records 1 and 2 of the VTOC are 8+140 bytes each; in the third, SYS1.NUCLEUS, the extent ends before it begins.
name extent that ends before it begins: wait 01B
patch 512+56832+5+16+148+148+8+44+67 00000000
ipl
psw 01B
seen PLX005A
