name second IPL into storage that the first left
ipl
wait EZAIN11I
type Z EOD
psw CCC
mark x
emu ipl 0a80
wait EZAIN11I
type PING 127.0.0.1
wait EZZ3112I
gone PLX90
