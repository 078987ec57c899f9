/* ipl.c - the IPL text: loads member IEANUC01 of SYS1.NUCLEUS from the volume that was IPLed and enters it.
 *
 *   label (record 3: VOL1, VTOC address)  ->  format 4 DSCB (extent of the VTOC)  ->  format 1 DSCB with key
 *   SYS1.NUCLEUS (first extent)  ->  directory blocks (member, TTR)  ->  blocks to NUCLEUS_ADDR until end of file
 *
 * It runs disabled and waits enabled for the end of each channel program. Whatever is wrong ends in one message on console 0009 and a
 * disabled wait of layout.h's registry. Storage use is layout.h's map. ESA/390 PoP chapters 14-17; DSCB and directory
 * layouts: DFSMSdfp Advanced Services, "Using the VTOC".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipl/layout.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;

#define STRING(x)  #x
#define NUMBER(x)  STRING(x)
__asm__(".section .head,\"ax\"\n"
        ".globl _start\n"
        "_start: basr %r13,0\n"
        "0: l %r15,1f-0b(%r13)\n"
        "   xc 0(96,%r15),0(%r15)\n"
        "   brasl %r14,ipl_main\n"
        "   .balign 4\n"
        "1: .long " NUMBER(IPL_STACK_TOP) "-96\n"
        ".previous\n");

_Noreturn void ipl_main(void);

#define CONSOLE_DEVNUM 0x0009
#define PSA_PGM_NEW    0x68
#define PSA_IO_NEW     0x78
#define PSA_IPL_SSID   0xB8
#define HEADS          15u

struct at {
    u16 cyl, head;
    u8 record;
};

static u32 ipl_ssid;
static u8 ccw[6][8] __attribute__((aligned(8)));
static u8 seek[8], count_field[8];

static u8 *storage(u32 at) {
    u8 *p = (u8 *)at;
    __asm__("" : "+a"(p));
    return p;
}
static u32 get16(const u8 *p) { return (u32)p[0] << 8 | p[1]; }
static u32 get32(const u8 *p) { return get16(p) << 16 | get16(p + 2); }
static void put16(u8 *p, u32 v) {
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}
static void put32(u8 *p, u32 v) {
    put16(p, v >> 16);
    put16(p + 2, v);
}
static bool same(const u8 *a, const u8 *b, u32 n) {
    for (u32 i = 0; i < n; i++)
        if (a[i] != b[i]) return false;
    return true;
}

/* ---- one channel program at a time ---- */

static int stsch(u32 ssid, u8 *schib) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("stsch 0(%2)\n ipm %0\n srl %0,28" : "=d"(cc) : "d"(r1), "a"(schib) : "cc", "memory");
    return cc;
}
static int msch(u32 ssid, const u8 *schib) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("msch 0(%2)\n ipm %0\n srl %0,28" : "=d"(cc) : "d"(r1), "a"(schib) : "cc", "memory");
    return cc;
}
static int ssch(u32 ssid, const u32 *orb) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("ssch 0(%2)\n ipm %0\n srl %0,28" : "=d"(cc) : "d"(r1), "a"(orb) : "cc", "memory");
    return cc;
}
static int tsch(u32 ssid, u8 *irb) {
    register u32 r1 __asm__("1") = ssid;
    int cc;
    __asm__ volatile("tsch 0(%2)\n ipm %0\n srl %0,28" : "=d"(cc) : "d"(r1), "a"(irb) : "cc", "memory");
    return cc;
}

static void put_ccw(u32 i, u8 op, u8 flags, u32 count, const void *data) {
    ccw[i][0] = op;
    ccw[i][1] = flags;
    put16(ccw[i] + 2, count);
    put32(ccw[i] + 4, (u32)data);
}

#define IO_OK        0
#define IO_NO_RECORD 1 /* sense byte 1: no record found */
#define IO_ERROR     2

#define AC_BUSY 0x000007C0u

/* Enabled wait; goes on behind it when an I/O interruption comes. */
static void wait_io(void) {
    static const u32 wait_psw[2] __attribute__((aligned(8))) = {0x020A0000u, 0x80000000u};
    put32(storage(PSA_IO_NEW), 0x00080000u);
    __asm__ volatile("larl 1,1f\n st 1,%1\n oi %1,0x80\n lpsw %0\n1:"
                     :
                     : "Q"(wait_psw), "Q"(*(u32 *)storage(PSA_IO_NEW + 4))
                     : "1", "cc", "memory");
}

/* Runs the program at ccw[first]; unit status other than channel and device end is looked at by run(). */
static u32 start_and_wait(u32 ssid, u32 first, u8 *irb) {
    u32 orb[8] __attribute__((aligned(4))) = {0, 0x00C0FF00u, (u32)ccw[first]};
    if (ssch(ssid, orb) != 0) return IO_ERROR;
    do {
        do wait_io();
        while (tsch(ssid, irb) != 0);
    } while (get32(irb) & AC_BUSY);
    return irb[8] == 0x0C && irb[9] == 0 ? IO_OK : IO_ERROR;
}

static u32 run(void) {
    static u8 sense[32];
    u8 irb[96] __attribute__((aligned(4)));
    if (start_and_wait(ipl_ssid, 0, irb) == IO_OK) return IO_OK;
    if (!(irb[8] & 0x02)) return IO_ERROR;
    put_ccw(5, 0x04, 0x20, sizeof sense, sense);
    sense[1] = 0;
    start_and_wait(ipl_ssid, 5, irb);
    return sense[1] & 0x08 ? IO_NO_RECORD : IO_ERROR;
}

/* ---- last words ---- */

static void put_ebcdic(u8 *out, const char *text, u32 n) {
    static const char from[] = " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-/()";
    static const u8 to[] = {0x40, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5,
                            0xD6, 0xD7, 0xD8, 0xD9, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xF0, 0xF1, 0xF2,
                            0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x4B, 0x6B, 0x60, 0x61, 0x4D, 0x5D};
    for (u32 i = 0; i < n; i++) {
        u32 k = 0;
        while (from[k] && from[k] != text[i]) k++;
        out[i] = from[k] ? to[k] : 0x6F;
    }
}

static void say(const char *text) {
    static u8 line[80];
    u8 schib[52] __attribute__((aligned(4))), irb[96] __attribute__((aligned(4)));
    u32 n = 0;
    while (text[n] && n < sizeof line) n++;
    put_ebcdic(line, text, n);
    for (u32 ssid = 0x10000; stsch(ssid, schib) == 0; ssid++) {
        if (!(schib[5] & 1) || get16(schib + 6) != CONSOLE_DEVNUM) continue;
        schib[5] |= 0x80;
        put_ccw(4, 0x09, 0x20, n, line);
        if (msch(ssid, schib) == 0) start_and_wait(ssid, 4, irb);
        return;
    }
}

static _Noreturn void stop(u32 wait, const char *text) {
    u32 psw[2] __attribute__((aligned(8))) = {0x000A0000u, wait};
    say(text);
    __asm__ volatile("lpsw 0(%0)" : : "a"(psw), "m"(psw));
    for (;;) {}
}

/* ---- records ---- */

static void set_position(struct at at) {
    put16(seek, 0);
    put16(seek + 2, at.cyl);
    put16(seek + 4, at.head);
    seek[6] = at.record;
    put_ccw(0, 0x07, 0x40, 6, seek);
}

/* Data of the record at "at". */
static u32 read_at(struct at at, void *data, u32 n) {
    set_position(at);
    put_ccw(1, 0x31, 0x40, 5, seek + 2);
    put_ccw(2, 0x08, 0, 0, ccw[1]);
    put_ccw(3, 0x06, 0x20, n, data);
    return run();
}

/* Data and count field of the record after *at on its track; *at moves there. */
static u32 read_next(struct at *at, void *data, u32 n, u32 *data_len) {
    set_position(*at);
    put_ccw(1, 0x31, 0x40, 5, seek + 2);
    put_ccw(2, 0x08, 0, 0, ccw[1]);
    put_ccw(3, 0x12, 0x40, 8, count_field);
    put_ccw(4, 0x06, 0x20, n, data);
    count_field[4] = 0;
    u32 rc = run();
    /* The data read of an end-of-file record ends with unit exception; its count field is here all the same. */
    if (rc == IO_NO_RECORD) return rc;
    if (count_field[4] <= at->record || get32(count_field) != ((u32)at->cyl << 16 | at->head)) return IO_NO_RECORD;
    *data_len = get16(count_field + 6);
    if (rc != IO_OK && *data_len != 0) return rc;
    at->record = count_field[4];
    return IO_OK;
}

/* Data of the record with this key on the tracks of an extent. */
static u32 read_key(struct at from, struct at to, const u8 *key, u32 key_len, void *data, u32 n) {
    for (struct at at = {from.cyl, from.head, 0};; at.head++) {
        if (at.head == HEADS) {
            at.head = 0;
            at.cyl++;
        }
        if (at.cyl > to.cyl || (at.cyl == to.cyl && at.head > to.head)) return IO_NO_RECORD;
        set_position(at);
        put_ccw(1, 0x29, 0x40, key_len, key);
        put_ccw(2, 0x08, 0, 0, ccw[1]);
        put_ccw(3, 0x06, 0x20, n, data);
        u32 rc = run();
        if (rc != IO_NO_RECORD) return rc;
    }
}

static struct at address(const u8 *cchh) { return (struct at){(u16)get16(cchh), (u16)get16(cchh + 2), 0}; }

static bool before(struct at a, struct at b) { return a.cyl < b.cyl || (a.cyl == b.cyl && a.head <= b.head); }

/* ---- the steps ---- */

#define F4_VTOC_EXTENT 61 /* offsets in a DSCB's data, its 44-byte key not counted */
#define F1_EXTENTS     15
#define F1_FIRST       61

/* Finds SYS1.NUCLEUS: its first extent. */
static void find_data_set(u8 *buffer, struct at *from, struct at *to) {
    static const u8 vol1[4] = {0xE5, 0xD6, 0xD3, 0xF1};
    static u8 key[44];
    u32 rc = read_at((struct at){0, 0, 3}, buffer, 80);
    if (rc == IO_ERROR) stop(WAIT_IPL_IO, "PLX002A IPL VOLUME, I/O ERROR READING THE LABEL");
    if (rc != IO_OK || !same(buffer, vol1, 4)) stop(WAIT_IPL_VTOC, "PLX003A IPL VOLUME HAS NO LABEL");
    for (u32 i = 0; i < 6; i++) storage(HANDOVER_ADDR + HANDOVER_VOLSER_AT)[i] = buffer[4 + i];
    struct at vtoc = address(buffer + 11);
    vtoc.record = buffer[15];
    rc = read_at(vtoc, buffer, 96);
    if (rc == IO_ERROR) stop(WAIT_IPL_IO, "PLX004A IPL VOLUME, I/O ERROR READING THE VTOC");
    if (rc != IO_OK || buffer[0] != 0xF4) stop(WAIT_IPL_VTOC, "PLX005A IPL VOLUME, VTOC IS DAMAGED");
    struct at vtoc_from = address(buffer + F4_VTOC_EXTENT + 2), vtoc_to = address(buffer + F4_VTOC_EXTENT + 6);
    put_ebcdic(key, "SYS1.NUCLEUS                                ", 44);
    rc = read_key(vtoc_from, vtoc_to, key, 44, buffer, 96);
    if (rc == IO_ERROR) stop(WAIT_IPL_IO, "PLX004A IPL VOLUME, I/O ERROR READING THE VTOC");
    if (rc != IO_OK) stop(WAIT_IPL_NUCLEUS, "PLX006A SYS1.NUCLEUS NOT FOUND");
    *from = address(buffer + F1_FIRST + 2);
    *to = address(buffer + F1_FIRST + 6);
    if (buffer[0] != 0xF1 || buffer[F1_EXTENTS] == 0 || !before(*from, *to))
        stop(WAIT_IPL_VTOC, "PLX005A IPL VOLUME, VTOC IS DAMAGED");
}

/* The next track of a data set; false past its extent. */
static bool next_track(struct at *at, struct at to) {
    at->record = 0;
    if (++at->head == HEADS) {
        at->head = 0;
        at->cyl++;
    }
    return before(*at, to);
}

/* Reads the record after *at, on this track or a later one of the extent. */
static void read_sequential(struct at *at, struct at to, void *data, u32 n, u32 *len) {
    for (;;) {
        u32 rc = read_next(at, data, n, len);
        if (rc == IO_OK) return;
        if (rc == IO_ERROR) stop(WAIT_IPL_IO, "PLX007A SYS1.NUCLEUS, I/O ERROR");
        if (!next_track(at, to)) stop(WAIT_IPL_NUCLEUS, "PLX008A SYS1.NUCLEUS ENDS WITHOUT END OF FILE");
    }
}

/* Looks the member up in the directory: relative track and record. */
static u32 find_member(u8 *buffer, struct at from, struct at to, const u8 *name) {
    struct at at = {from.cyl, from.head, 0};
    for (;;) {
        u32 len;
        read_sequential(&at, to, buffer, 256, &len);
        if (len == 0) stop(WAIT_IPL_NUCLEUS, "PLX009A IEANUC01 IS NOT IN SYS1.NUCLEUS");
        u32 used = get16(buffer);
        if (len != 256 || used > 256) stop(WAIT_IPL_NUCLEUS, "PLX010A SYS1.NUCLEUS, DIRECTORY IS DAMAGED");
        for (u32 i = 2; i + 12 <= used; i += 12 + 2u * (buffer[i + 11] & 0x1F)) {
            if (same(buffer + i, name, 8)) return get32(buffer + i + 8) >> 8;
            if (buffer[i] == 0xFF) stop(WAIT_IPL_NUCLEUS, "PLX009A IEANUC01 IS NOT IN SYS1.NUCLEUS");
        }
    }
}

/* Loads the member's blocks one behind the other; returns how many bytes that were. */
static u32 load(struct at from, struct at to, u32 ttr) {
    u32 track = from.cyl * HEADS + from.head + (ttr >> 8), at_byte = 0, len;
    struct at at = {(u16)(track / HEADS), (u16)(track % HEADS), (u8)((ttr & 0xFF) - 1)};
    for (;;) {
        read_sequential(&at, to, storage(NUCLEUS_ADDR + at_byte), 0xFFFF, &len);
        if (len == 0) return at_byte;
        at_byte += len;
        if (at_byte > NUCLEUS_MAX - 0x10000) stop(WAIT_IPL_NUCLEUS, "PLX011A IEANUC01 IS TOO LARGE");
    }
}

_Noreturn void ipl_main(void) {
    static const u8 magic[8] = {0x50, 0x4C, 0x58, 0x4E, 0x55, 0x43, 0x30, 0x31}; /* PLXNUC01 in ASCII */
    static u8 name[8];
    u8 *buffer = storage(IPL_BUFFER_ADDR), *nucleus = storage(NUCLEUS_ADDR), *over = storage(HANDOVER_ADDR);
    u8 schib[52] __attribute__((aligned(4)));
    struct at from, to;
    put32(storage(PSA_PGM_NEW), 0x000A0000u);
    put32(storage(PSA_PGM_NEW + 4), WAIT_IPL_PROGRAM);
    static const u32 every_subclass = 0xFF000000u;
    __asm__ volatile("lctl %%c6,%%c6,%0" : : "Q"(every_subclass));
    ipl_ssid = get32(storage(PSA_IPL_SSID));
    if (stsch(ipl_ssid, schib) != 0) stop(WAIT_IPL_IO, "PLX001A IPL DEVICE IS NOT OPERATIONAL");
    find_data_set(buffer, &from, &to);
    put_ebcdic(name, "IEANUC01", 8);
    u32 bytes = load(from, to, find_member(buffer, from, to, name));
    if (bytes < 24 || !same(nucleus + 8, magic, 8) || get32(nucleus + 16) != bytes)
        stop(WAIT_IPL_NUCLEUS, "PLX012A IEANUC01 IS DAMAGED");
    put32(over + HANDOVER_SSID_AT, ipl_ssid);
    put32(over + HANDOVER_DEVNUM_AT, get16(schib + 6));
    for (u32 i = 0; i < 8; i++) over[HANDOVER_NUCLEUS_AT + i] = name[i];
    put32(over + HANDOVER_MAGIC_AT, HANDOVER_MAGIC);
    ((void (*)(void))(NUCLEUS_ADDR))();
    for (;;) {}
}
