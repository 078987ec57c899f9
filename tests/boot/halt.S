/* halt.S - a guest for halt.sh: starts a program on subchannel 0 and halts it after 0, 1, 2 ... 255 turns of a loop, four times
 * over, so that the halt meets each moment of the start. After every halt an end must come, and MSCH must be accepted again.
 * Then a READ that waits is ended by HSCH and by CSCH in turn, 512 times, and the subchannel disabled as soon as its status was
 * fetched: no more status may come to it then, for nobody could fetch that, and it could not be enabled again.
 * Loaded at 2000; loads a disabled wait: F00 all is well, BAD no end came, BAE the subchannel stays busy, BAF status came late;
 * GR5 counts down.
 */
    .org 0
    basr %r12,0
base: l %r1,sub-base(%r12)
    stsch sch-base(%r12)
    oi sch+5-base(%r12),0x80
    msch sch-base(%r12)
    lhi %r5,1024
next: ssch orb-base(%r12)
    lhi %r3,255
    nr %r3,%r5
    ahi %r3,1
pause: brct %r3,pause
    hsch
    l %r4,patience-base(%r12)
end: tsch irb-base(%r12)
    brc 8,ended
    brct %r4,end
    lpsw noend-base(%r12)
ended: l %r4,patience-base(%r12)
idle: tsch irb-base(%r12)
    stsch sch-base(%r12)
    msch sch-base(%r12)
    brc 8,again
    brct %r4,idle
    lpsw busy-base(%r12)
again: brct %r5,next
    lhi %r5,512
read: oi sch+5-base(%r12),0x80
    msch sch-base(%r12)
    ssch read_orb-base(%r12)
    lhi %r3,30000
begun: brct %r3,begun
    tml %r5,1
    brc 8,clear
    hsch
    j fetch
clear: csch
fetch: l %r4,patience-base(%r12)
fetched: tsch irb-base(%r12)
    brc 8,disable
    brct %r4,fetched
    lpsw noend-base(%r12)
disable: ni sch+5-base(%r12),0x7F
    l %r4,patience-base(%r12)
still: msch sch-base(%r12)
    brc 8,disabled
    tsch irb-base(%r12)
    brct %r4,still
    lpsw busy-base(%r12)
disabled: l %r3,later-base(%r12)
wait: brct %r3,wait
    stsch now-base(%r12)
    tm now+31-base(%r12),1
    brc 5,is_late
    brct %r5,read
    lpsw well-base(%r12)
is_late: lpsw late-base(%r12)
    .balign 8
well: .long 0x000A0000,0x80000F00
noend: .long 0x000A0000,0x80000BAD
busy: .long 0x000A0000,0x80000BAE
late: .long 0x000A0000,0x80000BAF
sub: .long 0x00010000
patience: .long 40000000
later: .long 100000
    .balign 8
orb: .long 0x12345678,0x0080FF00,0x2300
read_orb: .long 0x12345678,0x0080FF00,0x2308
    .balign 8
irb: .fill 96
sch: .fill 64
now: .fill 64
    .org 0x300
    .long 0x03200001,0x2400
    .long 0x02200100,0x2400
    .org 0x500
