/* start.S - the simulator's machine. RESTART enters at 10000; the rows of cross.h stand at CROSS_RUNS. It ends in a disabled wait: F00,
 * the digests are in the rows; BAD, the simulator gave up, its last words are at CROSS_WORDS; BAE, a program check, its PSW at 28.
 */
#include "tests/cross/cross.h"

    .section .head, "ax"
    .globl  _start
_start:
    larl    %r1, check
    mvc     0x68(8), 0(%r1)
    larl    %r15, stack_top - 96
    xc      0(96, %r15), 0(%r15)
    brasl   %r14, cross_main
    larl    %r1, well
    lpsw    0(%r1)
    .globl  cross_stop
cross_stop:
    larl    %r1, bad
    lpsw    0(%r1)
    .balign 8
well: .long 0x000A0000, 0x80000F00
bad:  .long 0x000A0000, 0x80000BAD
check: .long 0x000A0000, 0x80000BAE

    .section .bss, "aw", @nobits
    .balign 8
    .skip 0x1000000 /* the simulator keeps whole worlds there */
stack_top:
    .section .note.GNU-stack, "", @progbits
