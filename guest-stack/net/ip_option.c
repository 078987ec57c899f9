/* ip_option.c - IP options of received packets (RFC 791 3.1, 1122 3.2.1.8, 1812 5.2.4): checked once, then
 * recorded into.
 *
 *   record route   type len pointer, then addresses of 4 bytes; pointer counts from 1 and begins at 4
 *   timestamp      type len pointer overflow*16+flag, then by flag: 0 times, 1 addresses and times, 3 the
 *                  same with the addresses given
 *   source route   as record route; a packet whose pointer is not past the end still has hops to make
 *
 * Times are ours, not midnight's: the high-order bit says so (RFC 791: "non-standard value").
 */
#include "base/str.h"
#include "net/ip_impl.h"
#include "net/stack_impl.h"
#include "wire/ip4.h"

#define OPT_LEN      1
#define OPT_POINTER  2
#define TS_FLAGS     3
#define TS_ONLY      0
#define TS_ADDRESS   1
#define TS_PREFILLED 3

/* 0, or the offset within the option of what is wrong. */
static u32 option_fault(int type, const u8 *opt, u32 len) {
    switch (type) {
    case IP4_OPT_RECORD_ROUTE:
    case IP4_OPT_LOOSE_ROUTE:
    case IP4_OPT_STRICT_ROUTE:
        if (len < 3) return OPT_LEN;
        return opt[OPT_POINTER] < 4 ? OPT_POINTER : 0;
    case IP4_OPT_TIMESTAMP:
        if (len < 4) return OPT_LEN;
        return opt[OPT_POINTER] < 5 ? OPT_POINTER : 0;
    default: return 0;
    }
}

enum ip_option_verdict ip_options_check(const u8 *header, u32 *pointer) {
    u32 at = IP4_HEADER_MIN, len;
    const u8 *opt;
    for (int type; (type = ip4_option_next(header, &at, &opt, &len)) != IP4_OPT_END;) {
        if (type < 0) {
            *pointer = at;
            return IP_OPTIONS_BAD;
        }
        u32 fault = option_fault(type, opt, len);
        if (fault) {
            *pointer = (u32)(opt - header) + fault;
            return IP_OPTIONS_BAD;
        }
        if (type == IP4_OPT_LOOSE_ROUTE || type == IP4_OPT_STRICT_ROUTE) {
            /* A finished source route is history and does no harm. */
            if (opt[OPT_POINTER] + 3u <= len) return IP_OPTIONS_SOURCE_ROUTE;
        }
    }
    return IP_OPTIONS_OK;
}

static bool record_address(u8 *opt, u32 len, struct ipaddr addr) {
    u32 at = opt[OPT_POINTER];
    if (at + 3 > len) return false; /* full: forwarded as it is */
    ipaddr_put(opt + at - 1, addr);
    opt[OPT_POINTER] = (u8)(at + 4);
    return true;
}

static bool record_time(struct stack *stk, u8 *opt, u32 len, struct ipaddr addr, u32 stamp) {
    u32 at = opt[OPT_POINTER], flag = opt[TS_FLAGS] & 15;
    u32 need = flag == TS_ONLY ? 4 : 8;
    if (at + need - 1 > len) {
        if (opt[TS_FLAGS] >> 4 < 15) opt[TS_FLAGS] = (u8)(opt[TS_FLAGS] + 16);
        return true;
    }
    u8 *row = opt + at - 1;
    if (flag == TS_PREFILLED && !home_find(stk, ipaddr_get(row))) return false; /* meant for another */
    if (flag == TS_ADDRESS) ipaddr_put(row, addr);
    be32_put(row + need - 4, stamp);
    opt[OPT_POINTER] = (u8)(at + need);
    return true;
}

void ip_options_record(struct stack *stk, u8 *h, struct ipaddr this_hop, u64 now) {
    u32 at = IP4_HEADER_MIN, len;
    const u8 *found;
    bool changed = false;
    u32 stamp = 0x80000000u | (u32)(now >> WHEEL_TICK_SHIFT);
    for (int type; (type = ip4_option_next(h, &at, &found, &len)) > IP4_OPT_END;) {
        u8 *opt = h + (found - h);
        if (type == IP4_OPT_RECORD_ROUTE) changed |= record_address(opt, len, this_hop);
        if (type == IP4_OPT_TIMESTAMP) changed |= record_time(stk, opt, len, this_hop, stamp);
    }
    if (changed) ip4_sign(h);
}

u32 ip_options_reply(const u8 *header, u8 *out) {
    u32 at = IP4_HEADER_MIN, len, used = 0;
    const u8 *opt;
    for (int type; (type = ip4_option_next(header, &at, &opt, &len)) > IP4_OPT_END;) {
        if (type != IP4_OPT_RECORD_ROUTE && type != IP4_OPT_TIMESTAMP) continue;
        memcpy(out + used, opt, len);
        used += len;
    }
    while (used % 4) out[used++] = IP4_OPT_END;
    return used;
}
