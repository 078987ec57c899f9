/* ctc_cu.c - see ctc_cu.h: the table, and what its cells do. */
#include "hercules-devices/ctc_cu.h"

#include "base/str.h"

#define CE_DE (US_CHANNEL_END | US_DEVICE_END)
#define ACCEPTED_KEEPS_EOF(command) ((command) == CTC_READ || (command) == CTC_READ_BACKWARD)

/* Status and actions of the cells:
 *   END     done at once                          WAITS   outstanding until the other side's fits
 *   CALLS   the same, and attention to the other  MEETS   it fits: both end
 *   FREES   outstanding, and the other side's PREPARE ends
 *   BUSY_   the other side waits for something else: busy with its attention
 *   OWN     busy: this side has a command outstanding
 *   CHECK_  not ready or no command
 * A channel of an emulator knows no initial status, so unit check comes with channel end and device end. */
#define END(s)     {s, CE_DE, 0}
#define WAITS(s)   {s, 0, CTC_WAIT}
#define CALLS(s)   {s, 0, CTC_WAIT | CTC_ATTENTION}
#define FREES(s)   {s, 0, CTC_WAIT | CTC_MATCH}
#define MEETS      {CTC_AVAILABLE, CE_DE, CTC_MATCH}
#define BUSY_      {CTC_SELF, US_BUSY | US_ATTENTION, 0}
#define OWN        {CTC_SELF, US_BUSY, 0}
#define CHECK_(s)  {s, CE_DE | US_UNIT_CHECK, CTC_CHECK}
#define UNREADY    CHECK_(CTC_AVAILABLE)
#define NO_COMMAND CHECK_(CTC_SELF)
#define P CTC_PREPARED
#define C CTC_IN_CONTROL
#define R CTC_IN_READ
#define W CTC_IN_WRITE
#define A CTC_AVAILABLE
#define U CTC_SELF

/* clang-format off */
static const struct ctc_cell TABLE[CTC_COMMANDS][CTC_COLUMNS] = {
    /* the other side:    P            C            R            W            A            N           own */
    [CTC_PREPARE]       = {MEETS,      END(U),      END(U),      END(U),      WAITS(P),    UNREADY,    OWN},
    [CTC_CONTROL]       = {FREES(C),   BUSY_,       BUSY_,       BUSY_,       CALLS(C),    UNREADY,    OWN},
    [CTC_READ]          = {FREES(R),   BUSY_,       BUSY_,       MEETS,       CALLS(R),    UNREADY,    OWN},
    [CTC_WRITE]         = {FREES(W),   BUSY_,       MEETS,       BUSY_,       CALLS(W),    UNREADY,    OWN},
    [CTC_SENSE_COMMAND] = {END(U),     MEETS,       END(U),      END(U),      END(U),      UNREADY,    OWN},
    [CTC_READ_BACKWARD] = {FREES(R),   BUSY_,       BUSY_,       MEETS,       CALLS(R),    UNREADY,    OWN},
    [CTC_WEOF]          = {END(U),     BUSY_,       MEETS,       BUSY_,       END(U),      UNREADY,    OWN},
    [CTC_NOP]           = {END(U),     END(U),      END(U),      END(U),      END(A),      UNREADY,    OWN},
    [CTC_SET_EXTENDED]  = {END(U),     END(U),      END(U),      END(U),      END(A),      UNREADY,    OWN},
    [CTC_SET_BASIC]     = {END(U),     END(U),      END(U),      END(U),      END(A),      UNREADY,    OWN},
    [CTC_INVALID]       = {NO_COMMAND, NO_COMMAND,  NO_COMMAND,  NO_COMMAND,  NO_COMMAND,  NO_COMMAND, OWN},
};
/* clang-format on */

#undef P
#undef C
#undef R
#undef W
#undef A
#undef U

static const char *const STATE_NAMES[CTC_COLUMNS] = {"PREPARE", "CONTROL", "READ", "WRITE", "AVAILABLE", "NOT READY", "OWN"};
static const char *const COMMAND_NAMES[CTC_COMMANDS] = {
    "PREPARE", "CONTROL", "READ", "WRITE", "SENSE COMMAND BYTE", "READ BACKWARD", "WEOF", "NOP", "SET EXTENDED", "SET BASIC",
    "INVALID"};

const char *ctc_state_name(enum ctc_state s) { return s < CTC_COLUMNS ? STATE_NAMES[s] : "?"; }
const char *ctc_command_name(enum ctc_command c) { return c < CTC_COMMANDS ? COMMAND_NAMES[c] : "?"; }
const struct ctc_cell *ctc_table(enum ctc_command command, enum ctc_state other) { return &TABLE[command][other]; }

enum ctc_command ctc_decode(u8 code, bool extended) {
    switch (code & 3) {
    case 1: return (code & 0x80) && extended ? CTC_WEOF : CTC_WRITE;
    case 2: return CTC_READ;
    case 3:
        if (code & 4) return CTC_CONTROL;
        if (code == CCW_CTC_PREPARE) return CTC_PREPARE;
        if (code == CCW_CTC_SET_EXTENDED) return CTC_SET_EXTENDED;
        if (!(code & 0x40)) return CTC_NOP;
        return code & 0x80 ? CTC_INVALID : CTC_SET_BASIC;
    default: break;
    }
    if ((code & 0x0F) == 0x0C) return CTC_READ_BACKWARD;
    return (code & 0x1F) == 0x14 ? CTC_SENSE_COMMAND : CTC_INVALID;
}

static bool waits(enum ctc_state s) { return s < CTC_AVAILABLE; }
static bool calls(enum ctc_state s) { return s == CTC_IN_CONTROL || s == CTC_IN_READ || s == CTC_IN_WRITE; }

bool ctc_cu_waiting(const struct ctc_cu *cu, u32 side) { return waits(cu->side[side].state); }

/* ---- ends ---- */

/* A chain goes on only from CE+DE and a length that fits; then attention waits for what the next command will be. */
static bool chain_goes_on(const struct ctc_command_in *op, const struct ctc_end *e) {
    bool has_length = !(op->code & 1) || (op->code & 3) == 1; /* control commands move nothing */
    bool fits = (e->moved == op->count && !e->more) || (op->flags & CCW_SLI) || !has_length;
    return e->unit_status == CE_DE && (op->flags & CCW_CC) && fits;
}

static void present(struct ctc_cu *cu, u32 side, u8 unit_status) {
    cu->side[side].unsolicited |= unit_status;
    cu->ops->present(cu->ctx, side, unit_status);
}

/* The side has heard, or will hear, that the other one waits. */
static void attend(struct ctc_cu *cu, u32 side) {
    struct ctc_side *s = &cu->side[side];
    if (!s->attention_due || s->chaining || s->state != CTC_AVAILABLE) return;
    s->attention_due = false;
    cu->count.attentions++;
    present(cu, side, US_ATTENTION);
}

static void withdraw(struct ctc_cu *cu, u32 side) {
    struct ctc_side *s = &cu->side[side];
    s->attention_due = false;
    if (!s->unsolicited) return;
    s->unsolicited = 0;
    cu->ops->present(cu->ctx, side, 0);
}

static void finish(struct ctc_cu *cu, u32 side, const struct ctc_command_in *op, const struct ctc_end *e) {
    struct ctc_side *s = &cu->side[side];
    s->chaining = chain_goes_on(op, e);
    if (e->unit_status & US_BUSY) cu->count.busy++;
    cu->ops->end(cu->ctx, side, e);
    attend(cu, side);
}

/* Ends the command in which a side waits. */
static void finish_waiting(struct ctc_cu *cu, u32 side, struct ctc_end *e, enum ctc_state next) {
    struct ctc_side *s = &cu->side[side];
    struct ctc_command_in op = s->op;
    CHECK(waits(s->state));
    s->state = next;
    s->op.data = NULL;
    finish(cu, side, &op, e);
}

/* ---- meetings ---- */

struct meeting {
    struct ctc_end mine, theirs;
    u8 byte;
};

static void transfer(struct ctc_cu *cu, const struct ctc_command_in *writer, u32 capacity, struct ctc_end *w, struct ctc_end *r) {
    u32 n = u32_min(writer->count, capacity);
    w->moved = r->moved = n;
    r->data = writer->data;
    r->more = writer->count > capacity;
    cu->count.bytes += n;
}

/* What both ends are when command meets what the other side waits in. */
static void meet(struct ctc_cu *cu, enum ctc_command command, const struct ctc_command_in *in, const struct ctc_side *other,
                 struct meeting *m) {
    switch (command) {
    case CTC_READ:
    case CTC_READ_BACKWARD: transfer(cu, &other->op, in->count, &m->theirs, &m->mine); break;
    case CTC_WRITE: transfer(cu, in, other->op.count, &m->mine, &m->theirs); break;
    case CTC_WEOF: m->theirs.unit_status |= US_UNIT_EXCEPTION; break;
    default: break; /* PREPARE, and SENSE COMMAND BYTE whose byte is given to every one */
    }
    m->mine.backward = command == CTC_READ_BACKWARD;
    m->theirs.backward = ctc_decode(other->op.code, true) == CTC_READ_BACKWARD;
}

static void give_command_byte(const struct ctc_command_in *in, const struct ctc_side *other, struct meeting *m) {
    m->byte = waits(other->state) ? other->command_byte : 0;
    m->mine.moved = u32_min(in->count, 1);
    m->mine.more = in->count < 1;
    m->mine.data = &m->byte;
}

/* ---- not ready ---- */

static u8 not_ready_sense(struct ctc_side *s, const struct ctc_side *other) {
    u8 sense = CTC_SENSE_INTREQ;
    if (other->present || s->lost_untold) sense |= CTC_SENSE_RESET;
    s->lost_untold = false;
    s->ready_owed = true;
    return sense;
}

/* A side has become available: the other one may be owed a device end for it. */
static void tell_ready(struct ctc_cu *cu, u32 ready) {
    struct ctc_side *s = &cu->side[!ready];
    if (!s->ready_owed) return;
    s->ready_owed = s->lost_untold = false;
    if (s->present && s->state == CTC_AVAILABLE && !s->chaining) present(cu, !ready, US_DEVICE_END);
}

/* A side has become not ready: what the other one waits in cannot be met any more. */
static void tell_not_ready(struct ctc_cu *cu, u32 gone) {
    struct ctc_side *s = &cu->side[!gone];
    s->eof = false;
    withdraw(cu, !gone);
    if (!waits(s->state)) {
        s->lost_untold = true;
        return;
    }
    struct ctc_end e = {.unit_status = CE_DE | US_UNIT_CHECK, .sense = CTC_SENSE_INTREQ | CTC_SENSE_RESET};
    s->lost_untold = false;
    s->ready_owed = true;
    cu->count.checks++;
    finish_waiting(cu, !gone, &e, CTC_AVAILABLE);
}

/* ---- commands ---- */

static enum ctc_state column(const struct ctc_cu *cu, u32 side, enum ctc_command command, bool told) {
    const struct ctc_side *s = &cu->side[side], *other = &cu->side[!side];
    if (waits(s->state)) return CTC_SELF;
    bool refuses = s->extended || other->extended || command == CTC_SET_EXTENDED;
    if (other->state == CTC_NOT_READY && (told || (other->present && !refuses))) return CTC_AVAILABLE;
    return other->state;
}

static u8 mode_of(const struct ctc_cu *cu, const struct ctc_command_in *in) {
    if (in->mode != CTC_MODE_NOW) return in->mode;
    return cu->side[0].extended || cu->side[1].extended ? CTC_MODE_EXTENDED : CTC_MODE_BASIC;
}

static enum ctc_command decode(const struct ctc_cu *cu, const struct ctc_command_in *in) {
    return ctc_decode(in->code, mode_of(cu, in) == CTC_MODE_EXTENDED);
}

bool ctc_cu_would_wait(const struct ctc_cu *cu, u32 side, const struct ctc_command_in *in) {
    enum ctc_command command = decode(cu, in);
    return TABLE[command][column(cu, side, command, false)].actions & CTC_WAIT;
}

static bool takes_eof(struct ctc_cu *cu, u32 side, enum ctc_command command, const struct ctc_command_in *in) {
    struct ctc_side *s = &cu->side[side];
    bool was = s->eof;
    s->eof = false;
    if (!was || !ACCEPTED_KEEPS_EOF(command)) return false;
    struct ctc_end e = {.unit_status = CE_DE | US_UNIT_EXCEPTION};
    s->state = CTC_AVAILABLE;
    finish(cu, side, in, &e);
    return true;
}

static void set_modes(struct ctc_cu *cu, u32 side, enum ctc_command command) {
    struct ctc_side *s = &cu->side[side], *other = &cu->side[!side];
    if (command == CTC_SET_EXTENDED) s->extended = true;
    if (command == CTC_SET_BASIC) s->extended = false;
    bool left = command == CTC_WEOF && !calls(other->state);
    if (left) other->eof = cu->effect.left_eof = true;
    if (left || command == CTC_SET_EXTENDED || command == CTC_SET_BASIC) cu->effect.changed = true;
}

/* The other side's part of a cell: its command ends, or it is called. */
static void move_other(struct ctc_cu *cu, u32 side, const struct ctc_cell *cell, struct meeting *m) {
    u32 other = !side;
    if (cell->actions & CTC_MATCH) {
        if (!(cell->actions & CTC_WAIT)) cu->count.matches++;
        m->theirs.unit_status |= CE_DE;
        finish_waiting(cu, other, &m->theirs, CTC_AVAILABLE);
    }
    if (cell->actions & CTC_ATTENTION) {
        cu->side[other].attention_due = true;
        attend(cu, other);
    }
}

static bool execute(struct ctc_cu *cu, u32 side, const struct ctc_command_in *in, bool told) {
    struct ctc_side *s = &cu->side[side], *other = &cu->side[!side];
    enum ctc_command command = decode(cu, in);
    enum ctc_state col = column(cu, side, command, told);
    const struct ctc_cell *cell = &TABLE[command][col];
    struct meeting m = {0};
    bool was_unready = s->state == CTC_NOT_READY;
    cu->count.commands++;
    cu->effect = (struct ctc_effect){.mode = mode_of(cu, in), .changed = was_unready, .matched = cell->actions & CTC_MATCH};
    if (col == CTC_SELF) {
        m.mine.unit_status = cell->unit_status;
        cu->ops->end(cu->ctx, side, &m.mine);
        return true;
    }
    /* SENSE COMMAND BYTE and PREPARE leave the other side calling: then the attention stands. */
    if (!calls(other->state) || cell->actions & CTC_MATCH || cell->unit_status & US_BUSY) withdraw(cu, side);
    s->chaining = false;
    if (was_unready) s->state = CTC_AVAILABLE;
    m.mine.unit_status = cell->unit_status;
    if (cell->actions & CTC_CHECK) {
        cu->count.checks++;
        m.mine.sense = command == CTC_INVALID ? CTC_SENSE_REJECT : not_ready_sense(s, other);
    } else if (!(cell->unit_status & US_BUSY)) {
        cu->effect.accepted = true;
        if (takes_eof(cu, side, command, in)) {
            cu->effect.matched = false;
            return true;
        }
        set_modes(cu, side, command);
        if (command == CTC_SENSE_COMMAND) give_command_byte(in, other, &m);
        if (cell->actions & CTC_MATCH) meet(cu, command, in, other, &m);
        if (command == CTC_WRITE) cu->effect.moved = m.mine.moved;
        s->command_byte = in->code;
    }
    if (cell->next != CTC_SELF) s->state = (enum ctc_state)cell->next;
    s->op = *in;
    s->op.mode = cu->effect.mode;
    /* The other side's end first: a READ's data are still in the writer's hands. */
    if (was_unready) tell_ready(cu, side);
    bool done = !(cell->actions & CTC_WAIT);
    move_other(cu, side, cell, &m);
    if (done) finish(cu, side, in, &m.mine);
    return done;
}

bool ctc_cu_command(struct ctc_cu *cu, u32 side, const struct ctc_command_in *in) { return execute(cu, side, in, false); }
bool ctc_cu_told_waiting(struct ctc_cu *cu, u32 side, const struct ctc_command_in *in) { return execute(cu, side, in, true); }

void ctc_cu_told_done(struct ctc_cu *cu, u32 side, const struct ctc_command_in *in, bool accepted) {
    struct ctc_side *s = &cu->side[side];
    bool was_unready = s->state == CTC_NOT_READY;
    s->state = CTC_AVAILABLE;
    s->op.data = NULL;
    if (accepted) set_modes(cu, side, decode(cu, in));
    if (was_unready) tell_ready(cu, side);
}

struct ctc_command_in ctc_cu_recall(struct ctc_cu *cu, u32 side) {
    struct ctc_side *s = &cu->side[side];
    CHECK(waits(s->state));
    s->state = CTC_AVAILABLE;
    s->chaining = true; /* no attention in between: the command follows at once */
    return s->op;
}

/* ---- resets ---- */

void ctc_cu_init(struct ctc_cu *cu, const struct ctc_cu_ops *ops, void *ctx) {
    *cu = (struct ctc_cu){.ops = ops, .ctx = ctx};
    for (u32 i = 0; i < 2; i++) cu->side[i].state = CTC_NOT_READY;
}

/* The side has no command, and nothing to hear of what was. */
static void forget(struct ctc_cu *cu, u32 side, bool extended) {
    struct ctc_side *s = &cu->side[side];
    bool there = s->present, was = s->state != CTC_NOT_READY;
    /* Whoever was called for its command need not come. */
    if (calls(s->state)) withdraw(cu, !side);
    withdraw(cu, side);
    *s = (struct ctc_side){.state = CTC_NOT_READY, .present = there, .extended = extended};
    if (was || !there) tell_not_ready(cu, side);
}

void ctc_cu_selective_reset(struct ctc_cu *cu, u32 side) {
    cu->count.resets++;
    forget(cu, side, cu->side[side].extended);
}

void ctc_cu_reset(struct ctc_cu *cu, u32 side) {
    cu->count.resets++;
    forget(cu, side, false);
}

void ctc_cu_attach(struct ctc_cu *cu, u32 side, const struct ctc_attach *as) {
    struct ctc_side *s = &cu->side[side];
    *s = (struct ctc_side){.state = as->ready ? CTC_AVAILABLE : CTC_NOT_READY,
                           .present = true,
                           .extended = as->extended};
    if (as->ready) tell_ready(cu, side);
    if (cu->side[!side].present && cu->side[!side].state != CTC_NOT_READY) tell_ready(cu, !side);
}

void ctc_cu_detach(struct ctc_cu *cu, u32 side) {
    cu->side[side].present = false;
    forget(cu, side, false);
}
