name IEASYMxx is missing: wait 088
remove SYS1.PARMLIB(IEASYM00)
ipl
psw 088
seen IEASYM00
