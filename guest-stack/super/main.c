/* main.c - the nucleus as a table of contents: what is initialised in which order, and the loop that is the rest.
 *
 *   storage     heap for texts, the remainder one arena that everything sized at start is carved from
 *   console     every 3215 that answers, 0009 first
 *   volume      the IPL device: label, VTOC
 *   drivers     loopback, virtual, OSA, LCS
 *   system      LOADxx, IEASYMxx, symbols; then COMMNDxx, TCP/IP and its programs (super/system.h)
 *
 *   loop        events -> tasks -> system -> consoles -> enabled wait until the next deadline or interruption
 *
 * Called by arch/s390 (or a test) with the machine's description. Returns never.
 */
#include "base/arena.h"
#include "base/str.h"
#include "link/link_lcs.h"
#include "link/link_loop.h"
#include "link/link_osa.h"
#include "net/stack.h"
#include "super/command.h"
#include "super/consdev.h"
#include "super/console.h"
#include "super/port.h"
#include "super/system.h"
#include "super/task.h"
#include "super/volume.h"

#define HEAP_BYTES       0x100000u /* all members that are read at once: 1 MB is more than every parmlib */
#define CONSOLES_MAX     4u
#define CONSOLE_RING     0x10000u /* 64 KB: some 1,000 lines, the longest display several times */
#define TASKS            8u
#define TASK_STACK       16384u
#define STORAGE_MIN      0x800000u
#define EPOCH_1970_S     2208988800u /* seconds from 1900 to 1970 */
#define SENSE_ID_BYTES   7
#define PROBE_TIMEOUT_US 500000u
#define DRAIN_LIMIT_US   2000000u
#define DEVICES_MAX      8u

struct nucleus {
    const struct port_machine *machine;
    struct arena arena;
    struct heap heap;
    struct console console;
    struct consdev consdev[CONSOLES_MAX];
    u32 consoles;
    struct dasd sysres;
    struct datasets datasets;
    struct tasks tasks;
    struct driver drivers[SYSTEM_STACKS_MAX][DEV_TYPES];
    struct system system;
};
