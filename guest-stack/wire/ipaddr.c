/* ipaddr.c - addresses as text: dotted decimal (RFC 1166), nothing shorter, nothing octal. See ipaddr.h. */
#include "wire/ipaddr.h"

#include "base/str.h"

const char *ipaddr_text(struct ipaddr a, char *out) {
    str_fmt(out, IPADDR_TEXT_MAX, "%u.%u.%u.%u", a.v4 >> 24, a.v4 >> 16 & 255, a.v4 >> 8 & 255, a.v4 & 255);
    return out;
}

/* One number 0..255 from text[*at]; leading zeros are refused, since some read them as octal. */
static bool octet_parse(const char *text, size_t len, size_t *at, u32 *out) {
    size_t from = *at;
    u32 v = 0;
    while (*at < len && text[*at] >= '0' && text[*at] <= '9' && *at - from < 3)
        v = v * 10 + (u32)(text[(*at)++] - '0');
    *out = v;
    return *at > from && v <= 255 && (text[from] != '0' || *at - from == 1);
}

bool ipaddr_parse(const char *text, size_t len, struct ipaddr *out) {
    size_t at = 0;
    u32 v = 0, octet;
    for (int i = 0; i < 4; i++) {
        if (i && (at >= len || text[at++] != '.')) return false;
        if (!octet_parse(text, len, &at, &octet)) return false;
        v = v << 8 | octet;
    }
    if (at != len) return false;
    out->v4 = v;
    return true;
}

int ipaddr_mask_bits(struct ipaddr mask) {
    u32 rest = ~mask.v4; /* ones from the right exactly when rest + 1 is a power of two */
    int bits = 32;
    if (rest & (rest + 1)) return -1;
    for (; rest; rest >>= 1) bits--;
    return bits;
}
