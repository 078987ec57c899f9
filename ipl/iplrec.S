/* iplrec.S - records 1 and 2 of cylinder 0 track 0: what the channel reads when IPL is pressed.
 *
 *   IPL1, 24 bytes   IPL PSW, a CCW that reads IPL2, a TIC to it
 *   IPL2, 144 bytes  CCWs: seek cylinder 0 head 0, search for the IPL text's record, read it to IPL_TEXT_ADDR
 *
 * The channel reads IPL1 to location 0 with an implied CCW that chains to location 8 (format 0 CCWs). When the chain
 * has ended the PSW at location 0 is loaded and the IPL text runs.
 */
#include "ipl/layout.h"

#define CC  0x40
#define SLI 0x20

    .macro  CCW op, address, flags, count
    .long   \op << 24 | (\address)
    .byte   \flags, 0
    .short  \count
    .endm

    .section .text
    .globl  _start
_start:
    .long   0x00080000, 0x80000000 + IPL_TEXT_ADDR
    CCW     0x06, IPL_REC2_ADDR, CC | SLI, 144
    CCW     0x08, IPL_REC2_ADDR, 0, 1

    CCW     0x07, IPL_REC2_ADDR + 64, CC, 6
    CCW     0x31, IPL_REC2_ADDR + 66, CC, 5
    CCW     0x08, IPL_REC2_ADDR + 8, 0, 1
    CCW     0x06, IPL_TEXT_ADDR, SLI, IPL_TEXT_MAX
    .skip   32
    .byte   0, 0, 0, 0, 0, 0, IPL_TEXT_RECORD
    .org    24 + 144
