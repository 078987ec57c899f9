name volume without IPL text: wait 00F
mkvol --no-ipl-text
ipl
psw 00F
