/* ctc_cu.h - the control unit of one channel-to-channel connection: two sides, one table.
 *
 * Each side is a device as its channel sees it (3088). A command of one side is answered by the state that the
 * OTHER side is in; the table in ctc_cu.c, [command][state of the other side], is the whole behaviour.
 *
 *   state        a side is ...
 *   A available  ready, without a command of its own
 *   P prepare    waiting in PREPARE
 *   C control    waiting in CONTROL: channel end was given, device end comes with the other side's SENSE COMMAND BYTE
 *   R read       waiting in READ or READ BACKWARD
 *   W write      waiting in WRITE
 *   N not ready  reset since its last command, or not there at all
 *   own          a seventh column: the side that gives the command has one outstanding itself
 *
 *   command        code          (extended mode)             code bits as in the ESCON CTC's table
 *   WRITE          01            0xxxxx01, in basic mode xxxxxx01
 *   WEOF           81            1xxxxx01, extended mode only
 *   READ           02            xxxxxx10    READ BACKWARD  0C  xxxx1100
 *   CONTROL        07            xxxxx111    PREPARE        E3
 *   NOP            03            x0xxx011    SET EXTENDED   C3    SET BASIC      43 (01xxx011)
 *   SENSE CB       14            xxx10100    SENSE, SENSE ID: engine.h, the adapter's
 *
 * Basic mode (a side after reset, or after SET BASIC MODE): WEOF is a WRITE; a not ready other side counts as
 * available, unless it is not there. Extended mode holds as soon as either side is in it. SET EXTENDED MODE always
 * sees a not ready side as not ready: who gives it is about to leave basic mode.
 *
 * End of file: WEOF meets a READ, which ends with unit exception; without a READ it is remembered, and the other
 * side's next command, if a READ, ends with unit exception at once (any other command that is accepted forgets it).
 *
 * Not ready: unit check, sense byte 0 = CTC_SENSE_INTREQ, with CTC_SENSE_RESET if the other side was reset or lost
 * and this side is told so for the first time, or is there but has given no command since its reset.
 * The first command after its reset makes a side available, whatever its outcome. A side that was told "not
 * ready" is owed a device end, which is presented when the other side becomes available.
 *
 * Attention goes to an available side when the other one starts to wait in CONTROL, READ or WRITE. While the side is
 * between two commands of one chain it is held back: the next command may be the one that is waited for.
 *
 * In the manuals NOP and the SET MODE commands are busy, too, while the other side waits in CONTROL, READ or WRITE. Here they end
 * at once: they do nothing to the other side, and a system that comes up gives them (path verification, start of a driver) when the
 * other one's READ may stand already. A channel repeats what met busy; the emulators' do not, and the device would stay offline.
 *
 * Pure: no ring, no channel. A command ends by ops->end, in ctc_cu_command() itself or later.
 * Sources of facts: SA22-7203 2.13, SA22-7091 2.13 and 3.15.
 */
#ifndef HERCULES_DEVICES_CTC_CU_H
#define HERCULES_DEVICES_CTC_CU_H

#include "hercules-devices/engine.h"

#define CCW_CTC_PREPARE 0xE3
#define CCW_CTC_SET_EXTENDED 0xC3
#define CCW_CTC_SET_BASIC 0x43
#define CCW_CTC_SENSE_COMMAND 0x14
#define CCW_CTC_CONTROL 0x07
#define CCW_CTC_READ_BACKWARD 0x0C
#define CCW_CTC_WEOF 0x81

#define CTC_SENSE_REJECT 0x80
#define CTC_SENSE_INTREQ 0x40
#define CTC_SENSE_RESET 0x01

#define CTC_DATA_MAX 65535 /* of one WRITE: what a CCW's count can say */

enum ctc_state { CTC_PREPARED, CTC_IN_CONTROL, CTC_IN_READ, CTC_IN_WRITE, CTC_AVAILABLE, CTC_NOT_READY, CTC_SELF, CTC_COLUMNS };
#define CTC_STATES CTC_SELF

enum ctc_command {
    CTC_PREPARE,
    CTC_CONTROL,
    CTC_READ,
    CTC_WRITE,
    CTC_SENSE_COMMAND,
    CTC_READ_BACKWARD,
    CTC_WEOF,
    CTC_NOP,
    CTC_SET_EXTENDED,
    CTC_SET_BASIC,
    CTC_INVALID,
    CTC_COMMANDS
};

enum ctc_actions {
    CTC_WAIT = 1,     /* the command stays outstanding */
    CTC_ATTENTION = 2, /* the other side is to hear of it */
    CTC_MATCH = 4,    /* the other side's command ends too */
    CTC_CHECK = 8,    /* unit check: not ready, or a command that does not exist */
};

/* One cell of the table. */
struct ctc_cell {
    u8 next; /* state of the side that gave the command; CTC_SELF = unchanged */
    u8 unit_status;
    u8 actions;
};

enum ctc_mode { CTC_MODE_NOW, CTC_MODE_EXTENDED, CTC_MODE_BASIC };

struct ctc_command_in {
    u8 code, flags; /* of the CCW */
    u8 mode;        /* enum ctc_mode: in which it was given, if not in that of the sides now */
    u32 count;
    const u8 *data; /* WRITE: count bytes, valid until the command ends */
};

struct ctc_end {
    u8 unit_status, sense;
    u32 moved;      /* bytes transferred */
    bool more;      /* there were more than count */
    const u8 *data; /* READ, SENSE COMMAND BYTE: the moved bytes, in the order in which they were written */
    bool backward;  /* they go to the data area's end, first byte last */
};

struct ctc_cu_ops {
    void (*end)(void *ctx, u32 side, const struct ctc_end *end);
    /* Unsolicited status; 0: what was not presented yet is withdrawn. */
    void (*present)(void *ctx, u32 side, u8 unit_status);
};

struct ctc_side {
    enum ctc_state state;
    bool present;  /* somebody is there: else not ready for good */
    bool extended; /* mode */
    bool eof;      /* the other side's WEOF waits for a READ */
    bool lost_untold; /* the other side was reset or lost, and no unit check has said so yet */
    bool ready_owed;  /* it was told "not ready": device end when that is over */
    bool chaining;    /* between two commands of a chain */
    bool attention_due;
    u8 unsolicited;   /* status presented since the side's last command */
    u8 command_byte; /* last command, for the other side's SENSE COMMAND BYTE */
    struct ctc_command_in op; /* valid while waiting */
};

/* What a command did, beyond its own end. */
struct ctc_effect {
    bool accepted; /* neither busy nor unit check */
    bool matched;  /* the other side's command ended by it */
    bool changed;  /* it made its side ready, set a mode, or left an end of file */
    bool left_eof;
    u8 mode;   /* in which the command was executed */
    u32 moved; /* bytes of a WRITE that ended */
};

struct ctc_counters {
    u64 commands, matches, bytes, busy, checks, attentions, resets;
};

struct ctc_cu {
    struct ctc_side side[2];
    const struct ctc_cu_ops *ops;
    void *ctx;
    struct ctc_effect effect; /* of the last ctc_cu_command() */
    struct ctc_counters count;
};

/* Both sides absent and not ready. */
void ctc_cu_init(struct ctc_cu *cu, const struct ctc_cu_ops *ops, void *ctx);
/* What a side brings along that was on its own until now. */
struct ctc_attach {
    bool extended, ready; /* its mode; a command since its reset */
};
/* The side's system came or went; what a side that goes left outstanding is forgotten, not ended. */
void ctc_cu_attach(struct ctc_cu *cu, u32 side, const struct ctc_attach *as);
void ctc_cu_detach(struct ctc_cu *cu, u32 side);
/* true: it has ended (ops->end was called); false: it waits. A side that waits gets the busy of column "own". */
bool ctc_cu_command(struct ctc_cu *cu, u32 side, const struct ctc_command_in *in);
/* Would it wait? Nothing is changed. */
bool ctc_cu_would_wait(const struct ctc_cu *cu, u32 side, const struct ctc_command_in *in);

/* Two control units may stand for one connection, one at each end of a link (ctc_engine.h); then a side's commands have been
 * decided elsewhere before they are told here.
 * It waits: as ctc_cu_command(), but a side that is not ready does not refuse it. */
bool ctc_cu_told_waiting(struct ctc_cu *cu, u32 side, const struct ctc_command_in *in);
/* It has ended, and concerned no command that is outstanding here: what it leaves behind. */
void ctc_cu_told_done(struct ctc_cu *cu, u32 side, const struct ctc_command_in *in, bool accepted);
/* Takes back the outstanding command as if it had not been given yet; ctc_cu_command() with the same one must follow. */
struct ctc_command_in ctc_cu_recall(struct ctc_cu *cu, u32 side);

/* Selective reset (HSCH, CSCH of a subchannel with a command outstanding): the command is withdrawn, ops->end is not called for
 * it; the side is not ready until its next command, but keeps its mode; the other side's outstanding command ends with unit check. */
void ctc_cu_selective_reset(struct ctc_cu *cu, u32 side);
/* System reset: the same, and the side is in basic mode. */
void ctc_cu_reset(struct ctc_cu *cu, u32 side);
bool ctc_cu_waiting(const struct ctc_cu *cu, u32 side);

enum ctc_command ctc_decode(u8 code, bool extended);
const struct ctc_cell *ctc_table(enum ctc_command command, enum ctc_state other);
const char *ctc_state_name(enum ctc_state s);
const char *ctc_command_name(enum ctc_command c);

#endif
