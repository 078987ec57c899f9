/* xcfcds.h - couple data as bytes: what each system writes about itself into the list structure IXCCDS_sysplex.
 *
 * One list (number 0), one entry a system, named by it; written anew each second. The entry's data, big-endian, names
 * ISO 646 padded with blanks:
 *    0  4 X'E7C3C4E2'    4  4 counter, one more each time       8  8 system       16  8 incarnation of the system (moment of IPL)
 *   24 16 name of its LPAR        40  8 incarnation of its LPAR, as the facility knows it: what ISOLATE is told
 *   48  4 weight of all systems it has signals with, itself included     56  8 sysplex
 *   52  4 generation of what follows; 0: as COUPLExx says     64  8 facility of the primary couple data     72  8 of the alternate, or blanks
 *
 * A note says that the couple data are not here any more: X'E7C3C4D5', generation and facilities of where they are, and the sysplex; all other
 * fields zero or blank. Its entry is called NOT IN USE. Of a note and records the highest generation counts.
 *
 * The connect data of a connection begin with 0 8 incarnation of the system; the connection's name is the system's.
 */
#ifndef WIRE_XCFCDS_H
#define WIRE_XCFCDS_H

#include "base/be.h"

#define XCFCDS_BYTES 80u
#define XCFCDS_MAGIC 0xE7C3C4E2u
#define XCFCDS_NOTE  0xE7C3C4D5u

struct xcfcds {
    u64 incarnation, lpar_incarnation;
    u32 counter, weight, generation;
    bool note;
    char system[9], lpar[17], sysplex[9], primary[9], alternate[9];
};

/* Cuts trailing blanks; out has len + 1 bytes. */
static inline void xcfcds_name_get(char *out, const u8 *p, u32 len) {
    while (len && (p[len - 1] == ' ' || p[len - 1] == 0)) len--;
    for (u32 i = 0; i < len; i++) out[i] = (char)p[i];
    out[len] = '\0';
}
static inline void xcfcds_name_put(u8 *p, const char *name, u32 len) {
    for (u32 i = 0; i < len; i++) p[i] = *name ? (u8)*name++ : ' ';
}

/* false: not a record of this kind. */
static inline bool xcfcds_parse(const u8 *p, u32 len, struct xcfcds *out) {
    if (len < XCFCDS_BYTES || (be32_get(p) != XCFCDS_MAGIC && be32_get(p) != XCFCDS_NOTE)) return false;
    out->note = be32_get(p) == XCFCDS_NOTE;
    out->counter = be32_get(p + 4);
    xcfcds_name_get(out->system, p + 8, 8);
    out->incarnation = be64_get(p + 16);
    xcfcds_name_get(out->lpar, p + 24, 16);
    out->lpar_incarnation = be64_get(p + 40);
    out->weight = be32_get(p + 48);
    out->generation = be32_get(p + 52);
    xcfcds_name_get(out->sysplex, p + 56, 8);
    xcfcds_name_get(out->primary, p + 64, 8);
    xcfcds_name_get(out->alternate, p + 72, 8);
    return out->note ? out->generation && out->primary[0] : out->system[0] && out->incarnation;
}
static inline void xcfcds_emit(u8 *p, const struct xcfcds *r) {
    be32_put(p, r->note ? XCFCDS_NOTE : XCFCDS_MAGIC);
    be32_put(p + 4, r->counter);
    xcfcds_name_put(p + 8, r->system, 8);
    be64_put(p + 16, r->incarnation);
    xcfcds_name_put(p + 24, r->lpar, 16);
    be64_put(p + 40, r->lpar_incarnation);
    be32_put(p + 48, r->weight);
    be32_put(p + 52, r->generation);
    xcfcds_name_put(p + 56, r->sysplex, 8);
    xcfcds_name_put(p + 64, r->primary, 8);
    xcfcds_name_put(p + 72, r->alternate, 8);
}

#endif
