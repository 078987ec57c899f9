name LOADPARM names a LOADxx that is not there: wait 0B1
loadparm 0A80ZZ
ipl
psw 0B1
seen LOADZZ\|LOAD *ZZ
