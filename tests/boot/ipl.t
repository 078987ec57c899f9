# The whole way: symbols, displays, orderly end.
name IPL, D SYMBOLS, D IPLINFO, Z EOD
ipl
wait EZAIN11I
type D SYMBOLS
wait &SYSNAME\. *= *"SYSA"
type D IPLINFO
wait IPL DEVICE 0A80 VOLUME PLXRES
seen SYSTEM SYSA .*LPARNAME SYSA
type NONSENSE
wait IEE305I NONSENSE
type Z EOD
psw CCC
gone PLX90
gone LINES LOST
