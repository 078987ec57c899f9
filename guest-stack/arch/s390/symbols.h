/* symbols.h - the names of the nucleus' functions, built into it by a second link (guest-stack/symbols.awk).
 *
 * arch_symbols: addresses ascending, each with the offset of its name in arch_symbol_names. The first link has an
 * empty table; the table stands behind text and data, so the second link moves neither.
 */
#ifndef ARCH_SYMBOLS_H
#define ARCH_SYMBOLS_H

#include "base/base.h"

struct arch_symbol {
    u32 address, name;
};

extern const struct arch_symbol arch_symbols[];
extern const u32 arch_symbol_count;
extern const char arch_symbol_names[];

#endif
