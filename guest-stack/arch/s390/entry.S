/* entry.S - the first instructions of the nucleus, its interruption entries, the enabled wait, the task switch.
 *
 * At NUCLEUS_ADDR stands the header of ipl/layout.h; the IPL text (or a list-directed IPL) enters it disabled, DAT
 * off, 31-bit. The z/Architecture build switches mode first.
 *
 * The nucleus runs disabled. I/O and external interruptions are taken only inside arch_wait(), whose registers are
 * intact when they come, so their entries just return to its caller. Program, machine, SVC and restart
 * interruptions save all registers at LC_SAVE and call arch_trap(kind), which does not return.
 */
#include "guest-stack/arch/s390/lowcore.h"
#include "ipl/layout.h"

#ifdef __s390x__
#define STM   stmg
#define LM    lmg
#define ST    stg
#define L     lg
#define LR    lgr
#define LHI   lghi
#define FRAME 160
#define REG6  48
#define LPSW  lpswe
#else
#define STM   stm
#define LM    lm
#define ST    st
#define L     l
#define LR    lr
#define LHI   lhi
#define FRAME 96
#define REG6  24
#define LPSW  lpsw
#endif

    .section .head, "ax"
    .globl _start
_start:
    j       start
    .balign 8
    .ascii  "PLXNUC01"
    .long   __image_bytes
    .long   0
start:
#ifdef __s390x__
    lhi     %r1, 1
    slr     %r0, %r0
    sigp    %r1, %r0, 0x12
    sam64
    lghi    %r0, 0
    lghi    %r1, 0
#endif
    larl    %r2, __bss_start
    larl    %r3, __bss_end
    slr     %r3, %r2
    slr     %r5, %r5
    LR      %r4, %r2
    mvcl    %r2, %r4
    jo      .
    larl    %r15, arch_stack_top - FRAME
    xc      0(FRAME, %r15), 0(%r15)
    brasl   %r14, arch_start
    j       .

    .text
/* u32 arch_wait(void): waits enabled for I/O and external; returns 1 for I/O, 2 for external. */
    .globl  arch_wait
    .type   arch_wait, @function
arch_wait:
    larl    %r1, wait_psw
    LPSW    0(%r1)
    .size   arch_wait, . - arch_wait

    .globl  arch_io_entry, arch_ext_entry
    .type   arch_io_entry, @function
arch_io_entry:
    LHI     %r2, 1
    br      %r14
    .type   arch_ext_entry, @function
arch_ext_entry:
    LHI     %r2, 2
    br      %r14

    .macro  TRAP name, kind
    .globl  \name
    .type   \name, @function
\name:
    STM     %r0, %r15, LC_SAVE(%r0)
    LHI     %r2, \kind
    j       trap
    .endm

    TRAP    arch_pgm_entry, 1
    TRAP    arch_mck_entry, 2
    TRAP    arch_svc_entry, 3
    TRAP    arch_restart_entry, 4
trap:
    larl    %r15, arch_trap_stack_top - FRAME
    xc      0(FRAME, %r15), 0(%r15)
    brasl   %r14, arch_trap
    j       .

/* void port_context_switch(from, to): callee-saved registers go to from's stack and come from to's. */
    .globl  port_context_switch
    .type   port_context_switch, @function
port_context_switch:
    STM     %r6, %r15, REG6(%r15)
    ST      %r15, 0(%r2)
    L       %r15, 0(%r3)
    LM      %r6, %r15, REG6(%r15)
    br      %r14
    .size   port_context_switch, . - port_context_switch

/* Where a new context begins: r6 = entry, r7 = its argument. */
    .globl  arch_context_start
    .type   arch_context_start, @function
arch_context_start:
    LR      %r2, %r7
    basr    %r14, %r6
    j       .
    .size   arch_context_start, . - arch_context_start

    .section .rodata
    .balign 16
wait_psw:
#ifdef __s390x__
    .quad   0x0302000180000000, 0
#else
    .long   0x030A0000, 0x80000000
#endif

    .section .bss.stacks, "aw", @nobits
    .balign 16
    .skip   65536
arch_stack_top:
    .skip   8192
arch_trap_stack_top:

    .section .note.GNU-stack, "", @progbits
