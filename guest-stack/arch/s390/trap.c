/* trap.c - the last things a nucleus does: say what happened by name, load a registered disabled wait.
 *
 * A trap's report on the console:
 *   PLX901A PROGRAM CHECK 0004 PROTECTION, PSW 00080000 80012345
 *   PLX902I R0-R3   xxxxxxxx xxxxxxxx xxxxxxxx xxxxxxxx      (four lines)
 *   PLX903I AT      tcp_input+01A4
 *   PLX903I FROM    ip_input+0066                             (each frame of the back chain)
 *
 * The walk trusts nothing: a frame must lie in storage above the one before it, a return address in the text.
 * Program interruption codes: ESA/390 PoP chapter 6.
 */
#include "arch/s390/cpu.h"
#include "arch/s390/css.h"
#include "arch/s390/lowcore.h"
#include "arch/s390/symbols.h"
#include "base/be.h"
#include "base/ebcdic.h"
#include "base/str.h"
#include "super/port.h"

#define CONSOLE_DEVNUM 0x0009
#define TRACE_MAX      24
#define LAST_WORDS_MAX 160

extern char __image_start[], __text_end[];
_Noreturn void arch_trap(u32 kind);

static u32 console_ssid;
static void (*before_first)(void *ctx);
static void *before_ctx;
static bool in_trap;

static u8 *storage_at(uintptr_t at) {
    u8 *p = (u8 *)at;
    __asm__("" : "+a"(p));
    return p;
}

void port_last_words_to(u16 devnum, void (*before)(void *ctx), void *ctx) {
    console_ssid = css_find(devnum);
    before_first = before;
    before_ctx = ctx;
}

void port_last_words(const char *line) {
    static u8 ebcdic[LAST_WORDS_MAX];
    void (*before)(void *) = before_first;
    before_first = NULL; /* it speaks through this function */
    if (before) before(before_ctx);
    u32 len = u32_min((u32)strlen(line), LAST_WORDS_MAX);
    if (!console_ssid) console_ssid = css_find(CONSOLE_DEVNUM);
    if (!console_ssid) return;
    ebcdic_put(ebcdic, line, len);
    css_write_polled(console_ssid, ebcdic, len);
}

_Noreturn void port_disabled_wait(u32 wait) {
#ifdef __s390x__
    u64 psw[2] = {0x0002000180000000u, wait};
    __asm__ volatile("lpswe %0" : : "Q"(psw));
#else
    u32 psw[2] __attribute__((aligned(8))) = {0x000A0000u, wait};
    __asm__ volatile("lpsw %0" : : "Q"(psw));
#endif
    for (;;) {}
}

static const char *program_name(u32 code) {
    static const char *const name[] = {"",           "OPERATION",      "PRIVILEGED OPERATION", "EXECUTE",
                                       "PROTECTION", "ADDRESSING",     "SPECIFICATION",        "DATA",
                                       "FIXED OVERFLOW", "FIXED DIVIDE", "DECIMAL OVERFLOW",   "DECIMAL DIVIDE"};
    return code < ARRAY_LEN(name) ? name[code] : "SEE PRINCIPLES OF OPERATION";
}

/* "name+offset" of an address in the text; false if it is not there. */
static bool address_text(uintptr_t at, char *out, size_t cap) {
    if (at < (uintptr_t)__image_start || at >= (uintptr_t)__text_end) return false;
    u32 low = 0, high = arch_symbol_count;
    while (high - low > 1) {
        u32 mid = low + (high - low) / 2;
        if (arch_symbols[mid].address <= at)
            low = mid;
        else
            high = mid;
    }
    if (arch_symbol_count == 0 || arch_symbols[low].address > at) {
        str_fmt(out, cap, "%08X", (u32)at);
        return true;
    }
    str_fmt(out, cap, "%s+%04X", arch_symbol_names + arch_symbols[low].name, (u32)at - arch_symbols[low].address);
    return true;
}

static void say_address(const char *role, uintptr_t at) {
    char name[64], line[LAST_WORDS_MAX];
    if (!address_text(at, name, sizeof name)) str_fmt(name, sizeof name, "%08X", (u32)at);
    str_fmt(line, sizeof line, "PLX903I %-7s %s", role, name);
    port_last_words(line);
}

/* Return addresses along the back chain from stack pointer sp. */
static void say_trace(uintptr_t sp) {
    const uintptr_t save_r14 = sizeof(void *) == 8 ? 112 : 56;
    for (u32 i = 0; i < TRACE_MAX; i++) {
        uintptr_t next = *(uintptr_t *)(void *)storage_at(sp);
        if (next <= sp || next > 0x7FFFFF00u || (next & 3)) return;
        uintptr_t from = *(uintptr_t *)(void *)storage_at(next + save_r14) & 0x7FFFFFFFu;
        char name[64];
        if (!address_text(from, name, sizeof name)) return;
        say_address("FROM", from);
        sp = next;
    }
}

static void say_registers(const uintptr_t *r) {
    char line[LAST_WORDS_MAX];
    for (u32 i = 0; i < 16; i += 4) {
        str_fmt(line, sizeof line, "PLX902I R%u-R%u%s %08X %08X %08X %08X", i, i + 3, i < 8 ? "  " : i < 12 ? " " : "",
                (u32)r[i], (u32)r[i + 1], (u32)r[i + 2], (u32)r[i + 3]);
        port_last_words(line);
    }
}

struct trap_kind {
    const char *text;
    u32 old_psw, wait;
};

_Noreturn void arch_trap(u32 kind) {
    static const struct trap_kind kinds[] = {{"TRAP", LC_PGM_OLD, WAIT_BUG},
                                             {"PROGRAM CHECK", LC_PGM_OLD, WAIT_PROGRAM_CHECK},
                                             {"MACHINE CHECK", LC_MCK_OLD, WAIT_MACHINE_CHECK},
                                             {"SUPERVISOR CALL", LC_SVC_OLD, WAIT_SVC},
                                             {"RESTART", LC_RESTART_OLD, WAIT_RESTART}};
    const struct trap_kind *k = &kinds[kind < ARRAY_LEN(kinds) ? kind : 0];
    const u8 *psw = storage_at(k->old_psw);
    const uintptr_t *r = (const uintptr_t *)(void *)storage_at(LC_SAVE);
    char line[LAST_WORDS_MAX];
    /* A trap inside this report: the wait code alone still tells. */
    if (in_trap) port_disabled_wait(k->wait);
    in_trap = true;
    u32 code = k->old_psw == LC_PGM_OLD ? be16_get(storage_at(LC_PGM_CODE)) : 0;
    /* DAT is off, so no program interruption nullifies: the old PSW stands behind the instruction. */
    u32 ilc = k->old_psw == LC_PGM_OLD ? storage_at(LC_PGM_ILC)[0] & 6u : 0;
    uintptr_t at = sizeof(void *) == 8 ? (uintptr_t)be64_get(psw + LC_PSW_BYTES - 8) : be32_get(psw + 4) & 0x7FFFFFFFu;
    if (k->old_psw == LC_PGM_OLD)
        str_fmt(line, sizeof line, "PLX901A %s %04X %s, PSW %08X %08X", k->text, code, program_name(code), be32_get(psw),
                be32_get(psw + LC_PSW_BYTES - 4));
    else
        str_fmt(line, sizeof line, "PLX901A %s, PSW %08X %08X", k->text, be32_get(psw), be32_get(psw + LC_PSW_BYTES - 4));
    port_last_words(line);
    say_registers(r);
    say_address("AT", at - ilc);
    /* A function without a frame of its own is on the chain only through register 14. */
    char name[64];
    uintptr_t r14 = r[14] & 0x7FFFFFFFu;
    if (address_text(r14, name, sizeof name)) say_address("R14", r14);
    say_trace(r[15]);
    port_disabled_wait(k->wait);
}

_Noreturn void base_bug(const char *file, int line, const char *condition) {
    char text[LAST_WORDS_MAX];
    if (in_trap) port_disabled_wait(WAIT_BUG);
    in_trap = true;
    str_fmt(text, sizeof text, "PLX904A NUCLEUS CHECK %s:%d %s", file, line, condition);
    port_last_words(text);
    say_address("AT", (uintptr_t)__builtin_return_address(0) & 0x7FFFFFFFu);
    say_trace((uintptr_t)__builtin_frame_address(0));
    port_disabled_wait(WAIT_BUG);
}
