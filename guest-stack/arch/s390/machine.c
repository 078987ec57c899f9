/* machine.c - from the first C instruction to nucleus_main(): PSWs, control registers, what the machine says of itself.
 *
 *   arch_start      new PSWs -> CR0, CR6 -> storage size and LOADPARM (SCLP READ SCP INFO) -> names (STSI) -> IPL
 *                   device (hand-over block, else the subsystem id that IPL left) -> nucleus_main()
 *
 * SCLP: service call 0x00020001; SCCB offsets 8 increments, 10 their size in MB, 24 LOADPARM. If there is no
 * service processor, storage is sized by TEST PROTECTION.
 * STSI 1.1.1: 48 type (4), 64 model capacity identifier (16), 80 sequence code (16); 2.2.2: 44 LPAR name (8).
 * Texts are EBCDIC. The sequence code is right justified; its last six digits are the CPU's serial number.
 */
#include "arch/s390/clock.h"
#include "arch/s390/cpu.h"
#include "arch/s390/css.h"
#include "arch/s390/lowcore.h"
#include "base/be.h"
#include "base/ebcdic.h"
#include "base/str.h"
#include "super/port.h"

#define SCLP_READ_SCP_INFO     0x00020001u
#define SCLP_READ_SCP_FORCED   0x00120001u
#define SCCB_RESPONSE          6
#define SCCB_INCREMENTS        8
#define SCCB_INCREMENT_MB      10
#define SCCB_LOADPARM          24
#define SCCB_OK                0x0010
#define SERVICE_SIGNAL         0x2401
#define SYSIB111_TYPE          48
#define SYSIB111_MODEL         64
#define SYSIB111_SEQUENCE      80
#define SYSIB222_LPAR_NAME     44
#define STORAGE_MAX            0x7FFFF000u
#define MEGABYTE               0x100000u

extern char arch_pgm_entry[], arch_mck_entry[], arch_svc_entry[], arch_restart_entry[], arch_io_entry[],
    arch_ext_entry[], __bss_end[];

static u8 page[4096] __attribute__((aligned(4096))); /* SCCB, then SYSIB */
static struct port_machine machine;

_Noreturn void arch_start(void);

static u8 *storage_at(uintptr_t at) {
    u8 *p = (u8 *)at;
    __asm__("" : "+a"(p)); /* address zero is an address here */
    return p;
}

static void set_new_psw(u32 at, const char *entry) {
    u8 *p = storage_at(at);
#ifdef __s390x__
    be64_put(p, 0x0000000180000000u);
    be64_put(p + 8, (u64)(uintptr_t)entry);
#else
    be32_put(p, 0x00080000u);
    be32_put(p + 4, 0x80000000u | (u32)(uintptr_t)entry);
#endif
}

static void set_new_psws(void) {
    set_new_psw(LC_RESTART_NEW, arch_restart_entry);
    set_new_psw(LC_EXT_NEW, arch_ext_entry);
    set_new_psw(LC_SVC_NEW, arch_svc_entry);
    set_new_psw(LC_PGM_NEW, arch_pgm_entry);
    set_new_psw(LC_MCK_NEW, arch_mck_entry);
    set_new_psw(LC_IO_NEW, arch_io_entry);
}

static bool sclp_read(u32 command) {
    memset(page, 0, sizeof page);
    be16_put(page, sizeof page);
    if (servc(command, page) != 0) return false;
    /* A second is many times what a service processor takes. */
    u64 deadline = port_now() + USEC_PER_SEC;
    while (port_now() < deadline)
        if (clock_wait(deadline) == SERVICE_SIGNAL) return be16_get(page + SCCB_RESPONSE) == SCCB_OK;
    return false;
}

static bool storage_exists(uintptr_t at) {
    int cc;
    __asm__ volatile("tprot 0(%1),0\n" IPM_CC(0) : "=d"(cc) : "a"(at) : "cc");
    return cc != 3;
}

static void find_storage_and_loadparm(void) {
    size_t bytes = 0;
    unsigned long cr0 = stctl0();
    lctl0((cr0 & ~CR0_MASKS) | CR0_CLOCK_COMPARATOR | CR0_SERVICE_SIGNAL);
    if (sclp_read(SCLP_READ_SCP_FORCED) || sclp_read(SCLP_READ_SCP_INFO)) {
        u32 mb = be16_get(page + SCCB_INCREMENTS) * (u32)page[SCCB_INCREMENT_MB];
        bytes = mb < 2048 ? (size_t)mb * MEGABYTE : STORAGE_MAX;
        ebcdic_trim(machine.loadparm, page + SCCB_LOADPARM, 8);
    } else {
        while (bytes < STORAGE_MAX - MEGABYTE && storage_exists(bytes)) bytes += MEGABYTE;
    }
    lctl0((cr0 & ~CR0_MASKS) | CR0_CLOCK_COMPARATOR);
    machine.real_bytes = bytes;
}

static void find_names(void) {
    if (stsi(1, 1, 1, page) == 0) {
        ebcdic_trim(machine.cpu_type, page + SYSIB111_TYPE, 4);
        ebcdic_trim(machine.hwname, page + SYSIB111_MODEL, 8);
        ebcdic_trim(machine.cpu_serial, page + SYSIB111_SEQUENCE + 10, 6);
    } else {
        u64 id = stidp();
        str_fmt(machine.cpu_type, sizeof machine.cpu_type, "%04X", (u32)(id >> 16) & 0xFFFF);
        str_fmt(machine.cpu_serial, sizeof machine.cpu_serial, "%06X", (u32)(id >> 32) & 0xFFFFFF);
    }
    if (stsi(2, 2, 2, page) == 0) ebcdic_trim(machine.lparname, page + SYSIB222_LPAR_NAME, 8);
}

static void find_ipl_device(void) {
    const u8 *handover = storage_at(HANDOVER_ADDR);
    u8 schib[52] __attribute__((aligned(4)));
    if (be32_get(handover + HANDOVER_MAGIC_AT) == HANDOVER_MAGIC) {
        machine.ipl_devnum = (u16)be32_get(handover + HANDOVER_DEVNUM_AT);
        ebcdic_trim(machine.ipl_volser, handover + HANDOVER_VOLSER_AT, 6);
        ebcdic_trim(machine.nucleus, handover + HANDOVER_NUCLEUS_AT, 8);
    } else if (stsch(be32_get(storage_at(LC_IO_SSID)), schib) == 0) {
        machine.ipl_devnum = be16_get(schib + 6);
    }
}

_Noreturn void arch_start(void) {
    find_ipl_device(); /* before anything overwrites what IPL left */
    set_new_psws();
    lctl6(CR6_ALL);
    find_storage_and_loadparm();
    find_names();
    machine.storage = (u8 *)__bss_end;
    machine.storage_bytes = machine.real_bytes - (size_t)(uintptr_t)__bss_end;
    machine.channels = css_init();
    str_copy(machine.arch, sizeof machine.arch, sizeof(void *) == 8 ? "z/Arch" : "ESA/390");
    nucleus_main(&machine);
}

#define CONTEXT_FRAME  (sizeof(void *) == 8 ? 160 : 96)
#define CONTEXT_REG(n) ((sizeof(void *) == 8 ? 48 : 24) / sizeof(void *) + (n) - 6)

extern char arch_context_start[];

void port_context_make(struct port_context *c, void *stack, size_t bytes, void (*entry)(void *), void *arg) {
    uintptr_t top = ((uintptr_t)stack + bytes) / 16 * 16 - CONTEXT_FRAME;
    void **frame = (void **)top;
    memset(frame, 0, CONTEXT_FRAME);
    frame[CONTEXT_REG(6)] = (void *)(uintptr_t)entry;
    frame[CONTEXT_REG(7)] = arg;
    frame[CONTEXT_REG(14)] = arch_context_start;
    frame[CONTEXT_REG(15)] = frame;
    c->sp = frame;
}
