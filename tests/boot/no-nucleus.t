name volume without SYS1.NUCLEUS: wait 018
mkvol --no-nucleus
ipl
psw 018
seen PLX006A
