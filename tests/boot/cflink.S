/* cflink.S - a guest of thirty bytes of code for cflink.sh: enables subchannel 0, gives WRITE (IDENTIFY) chained to READ, waits for
 * the end, loads a disabled wait F00. Loaded at 2000; the response is read to 3000. Without that end it loops.
 */
    .org 0
    basr %r12,0
base: l %r1,sub-base(%r12)
    stsch sch-base(%r12)
    oi sch+5-base(%r12),0x80
    msch sch-base(%r12)
    ssch orb-base(%r12)
w:  tsch irb-base(%r12)
    brc 7,w
    lpsw dpsw-base(%r12)
    .balign 8
dpsw: .long 0x000A0000,0x80000F00
sub: .long 0x00010000
    .balign 8
orb: .long 0x12345678,0x0080FF00,0x2100
    .balign 8
irb: .fill 96
sch: .fill 64
    .org 0x100
    .long 0x01600010,0x2140
    .long 0x0220FE00,0x3000
    .org 0x140
    .byte 1,1,0x12,0x34
    .long 16,0,0
    .org 0x200
