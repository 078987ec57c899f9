name restart key: where the nucleus was, wait F03
ipl
wait EZAIN11I
emu restart
psw F03
seen PLX901A RESTART, PSW
