/* lowcore.h - the prefix area: where the machine leaves old PSWs and codes and finds new PSWs.
 *
 * ESA/390 and z/Architecture Principles of Operation, "Assigned Storage Locations". Offsets, not a struct: the
 * assembler needs them too. SAVE is ours: an area that both architectures leave free below 4 KB.
 *
 *              ESA/390            z/Architecture
 *   PSW        8 bytes            16 bytes
 *   restart    new 0x000          new 0x1A0, old 0x120
 *   external   old 0x018 new 0x058  old 0x130 new 0x1B0     code 0x086, parameter 0x080
 *   SVC        old 0x020 new 0x060  old 0x140 new 0x1C0
 *   program    old 0x028 new 0x068  old 0x150 new 0x1D0     code 0x08E, ILC 0x08D
 *   machine    old 0x030 new 0x070  old 0x160 new 0x1E0
 *   I/O        old 0x038 new 0x078  old 0x170 new 0x1F0     SSID 0x0B8, interruption parameter 0x0BC
 */
#ifndef ARCH_LOWCORE_H
#define ARCH_LOWCORE_H

#define LC_EXT_PARM 0x080
#define LC_EXT_CODE 0x086
#define LC_PGM_ILC  0x08D /* length of the instruction: 2, 4, 6 */
#define LC_PGM_CODE 0x08E
#define LC_IO_SSID  0x0B8
#define LC_IO_PARM  0x0BC

#ifdef __s390x__
#define LC_PSW_BYTES   16
#define LC_RESTART_NEW 0x1A0
#define LC_RESTART_OLD 0x120
#define LC_EXT_NEW     0x1B0
#define LC_SVC_NEW     0x1C0
#define LC_SVC_OLD     0x140
#define LC_PGM_NEW     0x1D0
#define LC_PGM_OLD     0x150
#define LC_MCK_NEW     0x1E0
#define LC_MCK_OLD     0x160
#define LC_IO_NEW      0x1F0
#else
#define LC_PSW_BYTES   8
#define LC_RESTART_NEW 0x000
#define LC_RESTART_OLD 0x008
#define LC_EXT_NEW     0x058
#define LC_SVC_NEW     0x060
#define LC_SVC_OLD     0x020
#define LC_PGM_NEW     0x068
#define LC_PGM_OLD     0x028
#define LC_MCK_NEW     0x070
#define LC_MCK_OLD     0x030
#define LC_IO_NEW      0x078
#endif

#define LC_SAVE 0xE00 /* sixteen registers at the time of a trap: 64 or 128 bytes */

#endif
