/* layout.h - what the IPL text and the nucleus agree on: where things stand in storage, the hand-over, the wait codes.
 *
 *   0x00000  PSA (4 KB in ESA/390, 8 KB in z/Architecture)
 *   0x02000  IPL record 2: CCWs that read the IPL text from cylinder 0 track 0
 *   0x03000  hand-over block, written by the IPL text, read once by the nucleus
 *   0x04000  IPL text (at most IPL_TEXT_MAX)
 *   0x0A000  IPL text's stack, grows down to 0x09000; above it its I/O buffers, to 0x0FFFF
 *   0x10000  nucleus (IEANUC0x) as linked by arch/s390/guest.lds: text, data, symbols, then bss and the arena
 *
 * The nucleus image begins with a header that the IPL text checks before it gives control:
 *   +0  branch to the entry      +8   "PLXNUC01" in ASCII     +16  bytes of the image
 * A list-directed IPL (.ins) enters the nucleus without an IPL text; the hand-over magic is then absent and the
 * nucleus finds the IPL device by itself.
 *
 * The wait codes are the registry: each disabled wait of the project stands here once, docs are printed from it.
 * Where OS/390 has a code for the cause, it is used (System Codes, wait state codes). The PSW is 000A0000 00rrrccc,
 * where rrr is a reason that distinguishes causes of one code (0 = none).
 * Assembler and C include this file; it depends on nothing.
 */
#ifndef IPL_LAYOUT_H
#define IPL_LAYOUT_H

#define IPL_REC2_ADDR    0x2000
#define HANDOVER_ADDR    0x3000
#define IPL_TEXT_ADDR    0x4000
#define IPL_TEXT_MAX     0x5000
#define IPL_STACK_TOP    0xA000
#define IPL_BUFFER_ADDR  0xA000
#define IPL_BUFFER_BYTES 0x6000
#define NUCLEUS_ADDR     0x10000
#define NUCLEUS_MAX      0x400000 /* the IPL text refuses a larger one */

/* Fields of the hand-over block: 32-bit words at HANDOVER_ADDR. */
#define HANDOVER_MAGIC      0x504C5831 /* "PLX1" */
#define HANDOVER_MAGIC_AT   0
#define HANDOVER_SSID_AT    4  /* subsystem identification word of the IPL device */
#define HANDOVER_DEVNUM_AT  8  /* its device number */
#define HANDOVER_VOLSER_AT  12 /* six EBCDIC bytes */
#define HANDOVER_NUCLEUS_AT 20 /* eight EBCDIC bytes: member that was loaded */

/* IPL text on track 0 of cylinder 0: records 1-3 are IPL1, IPL2, VOL1; the text follows as one record. */
#define IPL_TEXT_RECORD 4

/* X(name, code, meaning) */
#define WAIT_CODES(X)                                                                                        \
    X(WAIT_NO_IPL_TEXT, 0x00F, "the volume that was IPLed has no IPL text")                                  \
    X(WAIT_IPL_IO, 0x017, "I/O error on the IPL volume while the IPL text ran")                              \
    X(WAIT_IPL_NUCLEUS, 0x018, "SYS1.NUCLEUS or its member was not found, or is damaged")                    \
    X(WAIT_IPL_PROGRAM, 0x019, "program check while the IPL text ran")                                       \
    X(WAIT_IPL_VTOC, 0x01B, "the label or the VTOC of the IPL volume is damaged")                            \
    X(WAIT_NO_CONSOLE, 0x007, "no operator console was found")                                               \
    X(WAIT_NO_STORAGE, 0x03C, "real storage is too small for what was configured")                           \
    X(WAIT_LOADXX, 0x0B1, "LOADxx was not found or is not usable")                                           \
    X(WAIT_IEASYMXX, 0x088, "IEASYMxx was not found or a system symbol in it is wrong")                      \
    X(WAIT_PARMLIB, 0x03A, "a parmlib data set or member could not be read")                                 \
    X(WAIT_XCF_PARTITIONED, 0x0A2, "this system was partitioned out of the sysplex")                         \
    X(WAIT_QUIESCED, 0xCCC, "the operator stopped the system (Z EOD)")                                       \
    X(WAIT_PROGRAM_CHECK, 0xF01, "program check in the nucleus; the console shows PSW, registers and trace") \
    X(WAIT_MACHINE_CHECK, 0xF02, "machine check")                                                            \
    X(WAIT_RESTART, 0xF03, "the operator pressed restart; the console shows where the nucleus was")          \
    X(WAIT_BUG, 0xF04, "an invariant of the nucleus is broken; the console shows file and line")             \
    X(WAIT_SVC, 0xF05, "supervisor call: the nucleus has none")

#ifndef __ASSEMBLER__
#define WAIT_CODE_ENUM(name, code, meaning) name = code,
enum wait_code { WAIT_CODES(WAIT_CODE_ENUM) };
#undef WAIT_CODE_ENUM
#endif

#endif
