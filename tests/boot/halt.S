/* halt.S - a guest for halt.sh: starts a program on subchannel 0 and halts it after 0, 1, 2 ... 255 turns of a loop, four times
 * over, so that the halt meets each moment of the start. After every halt an end must come, and MSCH must be accepted again.
 * Loaded at 2000; loads a disabled wait: F00 all is well, BAD no end came, BAE the subchannel stays busy; GR5 counts down.
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
    lpsw well-base(%r12)
    .balign 8
well: .long 0x000A0000,0x80000F00
noend: .long 0x000A0000,0x80000BAD
busy: .long 0x000A0000,0x80000BAE
sub: .long 0x00010000
patience: .long 40000000
    .balign 8
orb: .long 0x12345678,0x0080FF00,0x2200
    .balign 8
irb: .fill 96
sch: .fill 64
    .org 0x200
    .long 0x03200001,0x2200
    .org 0x300
