name program check: PSW, registers, trace by name, wait F01
zap system_ipl
ipl
psw F01
seen PLX901A PROGRAM CHECK 0001 OPERATION
seen PLX902I R0-R3
seen PLX902I R12-R15
seen PLX903I AT .*system_ipl+0000
seen PLX903I \(FROM\|R14\) .*nucleus_main+
seen PLX903I FROM .*arch_start+
# What was queued for the console is not lost.
seen PLX101I
