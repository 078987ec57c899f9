/* gre.c - is it GRE around an IPv4 packet? See gre.h. */
#include "wire/gre.h"

#include "wire/cksum.h"

enum gre_fault gre_check(const u8 *p, u32 len, u32 *header) {
    if (len < GRE_HEADER_BYTES) return GRE_SHORT;
    u16 flags = be16_get(p);
    if (flags & (GRE_FLAGS_REFUSED | GRE_VERSION_MASK)) return GRE_FLAGS;
    *header = flags & GRE_FLAG_CKSUM ? GRE_HEADER_CKSUM : GRE_HEADER_BYTES;
    if (len < *header) return GRE_SHORT;
    if (be16_get(p + GRE_TYPE_AT) != GRE_TYPE_IP) return GRE_TYPE;
    /* The field is part of what it covers: a right one makes the sum come out as zero. */
    if ((flags & GRE_FLAG_CKSUM) && cksum_fold(cksum_add(0, p, len)) != 0) return GRE_CHECKSUM;
    return GRE_OK;
}
