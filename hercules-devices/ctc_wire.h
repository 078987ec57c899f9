/* ctc_wire.h - messages between the two ends of a channel-to-channel link. Each end holds both sides of the control units
 * (ctc_cu.h); it executes its own channel's commands at once and tells the other end what they were and what they did
 * (ctc_engine.h says why the two then agree). Big-endian bytes; every message begins with
 *
 *   off len
 *    0   1  type      enum ctc_msg
 *    1   1  version   CTC_MSG_VERSION
 *    2   1  unit      of the end that receives it          3  1  zero
 *    4   4  length    of the whole message, this header included
 *
 * CTC_MSG_ATTACH    both ways, the first message of each end; the end that connects answers with it
 *    8   8  own system   16  8  partner's system   ASCII, blank padded
 *   24   2  own device number of unit 0      26  2  partner's, as this end's director has it
 *   28   1  units       29  1  straight: unit i meets unit i, else the units of a pair are crossed
 *   30   2  zero
 *   32   4  one byte for each unit of the sender, CTC_UNIT_*
 *   Ends that do not mean the same link both see it here, and stay not ready until the next connection.
 * CTC_MSG_REFUSED   the version of a message is unknown: 8 1 CTC_REFUSED_VERSION, 9 3 zero. The link is over, as above.
 * CTC_MSG_COMMAND   a command of the sender's channel that waits, or has ended and did something to the receiver's side
 *    8   4  number    of the sender's messages about this unit, 1 is the first after ATTACH
 *   12   4  seen      highest number of the receiver's that the sender had taken when it executed the command
 *   16   4  matched   number of the receiver's command that ended by it, 0 = none
 *   20   1  code      21  1  flags of the CCW     22  1  CTC_TOLD_*
 *   23   1  ahead     of a READ or PREPARE: so many commands are chained to it (ctc_ahead.h); they have the numbers that follow this one
 *   24   4  count     of the CCW
 *   28      bytes of a WRITE: all count if it waits, what was moved if it has ended; if ahead is not 0: 4 count of each READ
 *             among those, and bit 0 (CTC_AHEAD_PREPARES) if a PREPARE stands between every two
 * CTC_MSG_RESET     the sender's side was reset
 *    8   4  number    as above       12  1  1 system reset, 0 selective reset       13  3  zero
 */
#ifndef HERCULES_DEVICES_CTC_WIRE_H
#define HERCULES_DEVICES_CTC_WIRE_H

#define CTC_MSG_VERSION 4
#define CTC_MSG_HEADER_BYTES 8
#define CTC_MSG_ATTACH_BYTES 36
#define CTC_MSG_REFUSED_BYTES 12
#define CTC_MSG_COMMAND_BYTES 28
#define CTC_MSG_AHEAD_BYTES 4
#define CTC_AHEAD_PREPARES 0x80000000u
#define CTC_MSG_RESET_BYTES 16

enum ctc_msg {
    CTC_MSG_ATTACH = 1,
    CTC_MSG_REFUSED,
    CTC_MSG_COMMAND,
    CTC_MSG_RESET,
};

enum { CTC_UNIT_READY = 1, CTC_UNIT_EXTENDED = 2 };
enum { CTC_REFUSED_VERSION = 1 };
enum { CTC_TOLD_DONE = 1, CTC_TOLD_ACCEPTED = 2, CTC_TOLD_BASIC = 4 };

#endif
