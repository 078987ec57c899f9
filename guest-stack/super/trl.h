/* trl.h - VTAM's transport resource list: which devices belong to an MPCIPA device's name.
 *
 * SYS1.VTAMLST(ATCCON00) names the major nodes that are active, separated by commas or blanks. A major node
 * of TYPE=TRL holds one TRLE statement for each OSA in QDIO mode, in assembler format (label, operation,
 * operands; '*' in column 1 is a comment; columns 72-80 are not read; operands that end with a comma go on in
 * the next line):
 *
 *   OSATRL  VBUILD TYPE=TRL
 *   OSA1T   TRLE   LNCTL=MPC,MPCLEVEL=QDIO,READ=(0E00),WRITE=(0E01),
 *                  DATAPATH=(0E02),PORTNAME=OSA1
 *
 * DEVICE's name in PROFILE.TCPIP must equal PORTNAME. The driver takes three devices in a row, READ first.
 */
#ifndef SUPER_TRL_H
#define SUPER_TRL_H

#include "base/base.h"

struct system;

/* NULL and *devnum = READ's device, or why there is none (words for a message). */
const char *trl_find(struct system *sys, const char *portname, u16 *devnum);

/* IQDCHPID of the start options (SYS1.VTAMLST(ATCSTR00)): false for NONE. ANY, which is the default, and a CHPID mean: HiperSockets are
 * used between stacks if there is a device. */
bool trl_iqdchpid(struct system *sys);

#endif
