/* fuzz.h - what every fuzz target shares: reading the input, and the rule that nothing stays outstanding.
 *
 * A target is LLVMFuzzerTestOneInput() in tests/fuzz/fuzz_X.c. It is built three ways (tests/fuzz/rules.mk):
 * with libFuzzer, with AFL++, and with replay.c, which runs the files of tests/fuzz/corpus/X as a test. Input
 * that runs out reads as zeros, so that every prefix of an input is an input.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/base.h"
#include "base/str.h"

struct fuzz {
    const u8 *at;
    size_t left;
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static inline u8 fuzz_u8(struct fuzz *z) {
    if (!z->left) return 0;
    z->left--;
    return *z->at++;
}
static inline u32 fuzz_u16(struct fuzz *z) {
    u32 high = fuzz_u8(z);
    return high << 8 | fuzz_u8(z);
}
/* Up to n bytes of the input, fewer at its end; *got says how many. */
static inline const u8 *fuzz_take(struct fuzz *z, u32 n, u32 *got) {
    const u8 *p = z->at;
    *got = z->left < n ? (u32)z->left : n;
    z->at += *got;
    z->left -= *got;
    return p;
}

#endif
