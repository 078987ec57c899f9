/* pcapng.c - see pcapng.h. */
#include "hercules-devices/pcapng.h"

#include "base/str.h"

#define BLOCK_SECTION   0x0A0D0D0Au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET    6u
#define MAGIC           0x1A2B3C4Du
#define OPT_END         0u
#define OPT_IF_NAME     2u
#define OPT_TSRESOL     9u
#define OPT_USERAPPL    4u
#define OPT_EPB_FLAGS   2u

/* A block under construction; overrun: it does not fit, and nothing more is written. */
struct block {
    u8 *out;
    u32 cap, len;
    bool overrun;
};

static void put(struct block *b, const void *bytes, u32 len) {
    static const u8 zeros[4] = {0};
    u32 pad = (4 - (len & 3u)) & 3u;
    if (b->overrun || len + pad > b->cap - b->len) {
        b->overrun = true;
        return;
    }
    memcpy(b->out + b->len, bytes, len);
    memcpy(b->out + b->len + len, zeros, pad);
    b->len += len + pad;
}

static void put32(struct block *b, u32 v) { put(b, &v, sizeof v); }

static void put_option(struct block *b, u16 code, const void *value, u16 len) {
    u16 head[2] = {code, len};
    put(b, head, sizeof head);
    if (len) put(b, value, len);
}

static struct block begin(u8 *out, u32 cap, u32 type) {
    struct block b = {.out = out, .cap = cap};
    put32(&b, type);
    put32(&b, 0); /* the length, known at the end */
    return b;
}

static u32 end(struct block *b) {
    put32(b, b->len + 4);
    if (b->overrun) return 0;
    memcpy(b->out + 4, &b->len, sizeof b->len);
    return b->len;
}

u32 pcapng_section(u8 *out, u32 cap, const char *application) {
    struct block b = begin(out, cap, BLOCK_SECTION);
    u16 version[2] = {1, 0};
    u64 unknown = UINT64_MAX;
    put32(&b, MAGIC);
    put(&b, version, sizeof version);
    put(&b, &unknown, sizeof unknown);
    put_option(&b, OPT_USERAPPL, application, (u16)strlen(application));
    put_option(&b, OPT_END, NULL, 0);
    return end(&b);
}

u32 pcapng_interface(u8 *out, u32 cap, u16 link_type, const char *name) {
    struct block b = begin(out, cap, BLOCK_INTERFACE);
    u16 link[2] = {link_type, 0};
    u8 nanoseconds = 9;
    put(&b, link, sizeof link);
    put32(&b, 0); /* no snap length */
    put_option(&b, OPT_IF_NAME, name, (u16)strlen(name));
    put_option(&b, OPT_TSRESOL, &nanoseconds, 1);
    put_option(&b, OPT_END, NULL, 0);
    return end(&b);
}

u32 pcapng_packet(u8 *out, u32 cap, u32 interface, u64 time_ns, enum pcapng_direction direction, const u8 *bytes,
                  u32 len) {
    struct block b = begin(out, cap, BLOCK_PACKET);
    u32 flags = direction;
    put32(&b, interface);
    put32(&b, (u32)(time_ns >> 32));
    put32(&b, (u32)time_ns);
    put32(&b, len);
    put32(&b, len);
    put(&b, bytes, len);
    put_option(&b, OPT_EPB_FLAGS, &flags, sizeof flags);
    put_option(&b, OPT_END, NULL, 0);
    return end(&b);
}
