name IPL of the 64-bit check build
arch 64
ipl
wait EZAIN11I
seen z/Arch
type Z EOD
psw CCC
gone PLX90
