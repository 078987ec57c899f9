/* ctc_wire.h - messages between the two ends of a channel-to-channel link. One end, the HOME, holds the control
 * units (ctc_cu.h), one for each unit of the group; the other, the FAR end, sends its channel's commands there and
 * gets their ends. Which is which: the end that serves the connection, that is the lower of the two system names.
 * Big-endian bytes; every message begins with
 *
 *   off len
 *    0   1  type      enum ctc_msg
 *    1   1  version   CTC_MSG_VERSION
 *    2   1  unit      of the far end          3  1  zero
 *    4   4  length    of the whole message, this header included
 *
 * CTC_MSG_ATTACH    both ways, the first message of each end
 *    8   8  own system   16  8  partner's system   ASCII, blank padded
 *   24   2  own device number of unit 0      26  2  partner's, as this end's director has it
 *   28   1  units       29  1  straight: unit i meets unit i, else the units of a pair are crossed
 *   30   2  zero
 *   32   4  one byte for each unit, CTC_UNIT_*
 *   Ends that do not mean the same link both see it here, and stay not ready until the next connection.
 * CTC_MSG_REFUSED   the version of a message is unknown: 8 1 CTC_REFUSED_VERSION, 9 3 zero. The link is over, as above.
 * CTC_MSG_COMMAND   far to home
 *    8   4  tag       returned in the end
 *   12   1  code      13  1  flags of the CCW     14  2  zero     16  4  count
 *   20      data of a WRITE, count bytes
 * CTC_MSG_CANCEL    far to home: the outstanding command was ended by a halt     8  4  tag
 * CTC_MSG_RESET     far to home: system reset of all units
 * CTC_MSG_END       home to far
 *    8   4  tag       12  1  unit status    13  1  sense byte 0    14  1  CTC_END_*    15  1  zero
 *   16   4  bytes moved
 *   20      data of a READ, in the order in which they were written
 * CTC_MSG_STATUS    home to far: unsolicited status, 0 withdraws     8  1  unit status     9  3  zero
 */
#ifndef HERCULES_DEVICES_CTC_WIRE_H
#define HERCULES_DEVICES_CTC_WIRE_H

#define CTC_MSG_VERSION 1
#define CTC_MSG_HEADER_BYTES 8
#define CTC_MSG_ATTACH_BYTES 36
#define CTC_MSG_REFUSED_BYTES 12
#define CTC_MSG_DATA 20 /* of COMMAND and END */
#define CTC_MSG_CANCEL_BYTES 12
#define CTC_MSG_STATUS_BYTES 12

enum ctc_msg {
    CTC_MSG_ATTACH = 1,
    CTC_MSG_REFUSED,
    CTC_MSG_COMMAND,
    CTC_MSG_CANCEL,
    CTC_MSG_RESET,
    CTC_MSG_END,
    CTC_MSG_STATUS,
};

enum { CTC_UNIT_READY = 1, CTC_UNIT_EXTENDED = 2, CTC_UNIT_OWED = 4 };
enum { CTC_REFUSED_VERSION = 1 };
enum { CTC_END_MORE = 1, CTC_END_BACKWARD = 2 };

#endif
