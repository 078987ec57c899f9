name symbol whose text is longer than its name: wait 088
member SYS1.PARMLIB(IEASYM00) SYSDEF SYMDEF(&AB='TOOLONG')
ipl
psw 088
seen IEA009I.*RSN=00[36]
