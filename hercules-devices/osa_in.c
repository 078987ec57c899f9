/* osa_in.c - the input queue: messages of the card into the program's buffers.
 *
 *   osa_in_frame   opens the buffer at in.next if none is open and it is SLSB_CU_INPUT_EMPTY; appends header
 *                  and packet; one that does not fit any more goes to the next buffer. No empty buffer:
 *                  false, the message stays in the ring. A packet with gso bytes (the program switched
 *                  inbound TSO on) has the TSO header, whose extension is laid out as the beginning of
 *                  the packet.
 *   osa_in_close   end of a batch: lengths and flags into the SBAL, state := SLSB_P_INPUT_PRIMED
 *   osa_in_signal  one PCI for all buffers of the batch, unless the program polls (wire/osa.h, "ack")
 *
 * The packet is copied once, from the ring into the program's storage. SBALs are copied when a buffer is
 * opened and believed from then on; each element is checked again when bytes go into it. A buffer with a
 * bad SBAL is given back in error.
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"

#define PROTO_TCP 6
#define PROTO_UDP 17

static u32 element_length(const struct osa_filling *f, u32 i) {
    return be32_get(f->sbal + i * SBALE_BYTES + SBALE_LENGTH_AT);
}
static u64 element_addr(const struct osa_filling *f, u32 i) {
    return be64_get(f->sbal + i * SBALE_BYTES + SBALE_ADDR_AT);
}

/* Usable elements at the front of the SBAL: with a length, and there. 0 if an element is outside storage. */
static u32 check_elements(const struct osa_engine *e, const struct osa_filling *f) {
    u32 n = 0;
    while (n < QDIO_ELEMENTS && element_length(f, n)) {
        if (element_length(f, n) > 65536 || !osa_storage(e, element_addr(f, n), element_length(f, n), true))
            return 0;
        n++;
    }
    return n;
}

static void advance(struct osa_engine *e, u8 state) {
    if (!e->in_primed) e->in_mark = (e->in.next + QDIO_BUFFERS - 1) % QDIO_BUFFERS;
    e->in_primed = true;
    osa_slsb_set(e, &e->in, e->in.next, state);
    e->in.next = (e->in.next + 1) % QDIO_BUFFERS;
    e->fill.open = false;
}

/* False: the program has no empty buffer there. */
static bool open_buffer(struct osa_engine *e) {
    struct osa_filling *f = &e->fill;
    for (u32 tries = 0; tries < QDIO_BUFFERS; tries++) {
        if (osa_slsb_get(e, &e->in, e->in.next) != SLSB_CU_INPUT_EMPTY) return false;
        memset(f, 0, offsetof(struct osa_filling, sbal));
        if (osa_sbal_fetch(e, &e->in, &f->sbal_addr, f->sbal)) f->elements = check_elements(e, f);
        if (f->elements) {
            f->open = true;
            return true;
        }
        if (osa_count_drop(&e->count.in_bad_address))
            osa_log(e, ENGINE_WARNING, "input: buffer %u has no storage behind it", e->in.next);
        advance(e, SLSB_P_INPUT_ERROR);
    }
    return false;
}

/* Finds room for a header in one element and for the packet behind it; moves to that place. */
static bool find_room(struct osa_filling *f, u32 bytes) {
    u32 element = f->element, used = f->used;
    while (element < f->elements && element_length(f, element) - used < OSA_HDR_BYTES) {
        element++;
        used = 0;
    }
    if (element == f->elements) return false;
    u32 room = element_length(f, element) - used;
    for (u32 i = element + 1; i < f->elements && room < OSA_HDR_BYTES + bytes; i++)
        room += element_length(f, i);
    if (room < OSA_HDR_BYTES + bytes) return false;
    /* What was filled so far keeps its length; elements behind it are still as the program made them. */
    if (element != f->element) be32_put(f->sbal + f->element * SBALE_BYTES + SBALE_LENGTH_AT, f->used);
    f->element = element;
    f->used = used;
    return true;
}

static void append(struct osa_engine *e, const u8 *from, u32 n) {
    struct osa_filling *f = &e->fill;
    while (n) {
        u32 left = element_length(f, f->element) - f->used;
        if (!left) {
            f->element++;
            f->used = 0;
            continue;
        }
        u32 k = u32_min(n, left);
        u8 *to = osa_storage(e, element_addr(f, f->element) + f->used, k, true);
        if (to) memcpy(to, from, k);
        from += k;
        n -= k;
        f->used += k;
    }
}

void osa_in_close(struct osa_engine *e) {
    struct osa_filling *f = &e->fill;
    if (!f->open || !f->packets) return;
    u8 *sbal = osa_storage(e, f->sbal_addr, SBAL_BYTES, true);
    be32_put(f->sbal + f->element * SBALE_BYTES + SBALE_LENGTH_AT, f->used);
    for (u32 i = 0; sbal && i <= f->element; i++) {
        u8 *entry = sbal + i * SBALE_BYTES;
        memcpy(entry + SBALE_LENGTH_AT, f->sbal + i * SBALE_BYTES + SBALE_LENGTH_AT, 4);
        entry[SBALE_EFLAGS_AT] = i == f->element ? SBAL_LAST_ENTRY : 0;
        entry[SBALE_SFLAGS_AT] = 0;
    }
    e->count.in_buffers++;
    advance(e, sbal ? SLSB_P_INPUT_PRIMED : SLSB_P_INPUT_ERROR);
}

void osa_in_signal(struct osa_engine *e) {
    if (!e->in_primed || e->data != OSA_DATA_ACTIVE) return;
    e->in_primed = false;
    /* A program that goes to sleep clears its mark and then looks at the states; we set the states and then
     * look at the mark. One of the two sees the other, given this fence. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (osa_slsb_get(e, &e->in, e->in_mark) == SLSB_P_INPUT_ACK)
        e->count.in_polled++;
    else
        osa_raise_pci(e);
}

/* The header that goes before a packet. */
static void make_header(const struct osa_engine *e, const u8 *msg, u32 bytes, u8 *h) {
    static const u8 l3_casts[] = {OSA_L3_UNICAST, OSA_L3_MULTICAST, OSA_L3_BROADCAST};
    static const u8 l2_casts[] = {OSA_L2_UNICAST, OSA_L2_MULTICAST, OSA_L2_BROADCAST};
    const u8 *data = msg + OSA_FRAME_DATA;
    u8 cast = msg[9] <= OSA_CAST_BROAD ? msg[9] : OSA_CAST_UNI, ext = 0;
    bool verified = be16_get(msg + 10) & OSA_FRAME_CSUM_OK && e->assists & OSA_ASSIST_CSUM_IN;
    if (verified) ext = OSA_EXT_CSUM_HDR | OSA_EXT_CSUM_TRANSPORT;
    memset(h, 0, OSA_HDR_BYTES);
    if (e->mode == OSA_MODE_QDIO_L2) {
        h[0] = OSA_HDR_L2;
        h[OSA_L2_EXT_AT] = ext;
        h[OSA_L2_FLAGS_AT] = l2_casts[cast];
        h[OSA_L2_HDRLEN_AT] = OSA_HDR_BYTES;
        be16_put(h + OSA_L2_LENGTH_AT, (u16)bytes);
        return;
    }
    u16 vlan = be16_get(msg + 14);
    if (verified && bytes > 9 && data[9] == PROTO_UDP) ext |= OSA_EXT_UDP;
    if (vlan) {
        ext |= OSA_EXT_VLAN_FRAME;
        be16_put(h + OSA_L3_VLAN_AT, vlan);
    }
    h[0] = OSA_HDR_L3;
    h[OSA_L3_FLAGS_AT] = l3_casts[cast];
    be16_put(h + OSA_L3_LENGTH_AT, (u16)bytes);
    h[OSA_L3_EXT_AT] = ext;
}

/* The extension of a packet that stands for several segments; returns its length, 0 for any other packet. */
static u32 make_extension(const u8 *msg, u32 bytes, u8 *h) {
    const u8 *ip = msg + OSA_FRAME_DATA;
    u32 mss = be16_get(msg + 12), header = (ip[0] & 15u) * 4;
    if (!mss || h[0] != OSA_HDR_L3 || bytes < header + 20 || ip[9] != PROTO_TCP) return 0;
    u32 headers = header + (u32)(ip[header + 12] >> 4) * 4;
    if (headers >= bytes) return 0;
    u8 *x = h + OSA_HDR_BYTES;
    h[0] = OSA_HDR_L3_TSO;
    memset(x, 0, OSA_TSO_EXT_BYTES);
    be16_put(x + OSA_TSO_TOTAL_AT, OSA_TSO_EXT_BYTES);
    x[OSA_TSO_COUNT_AT] = x[OSA_TSO_TYPE_AT] = x[OSA_TSO_VERSION_AT] = 1;
    be16_put(x + OSA_TSO_LENGTH_AT, OSA_TSO_EXT_BYTES - 4);
    be32_put(x + OSA_TSO_PAYLOAD_AT, bytes - headers);
    be16_put(x + OSA_TSO_MSS_AT, (u16)mss);
    be16_put(x + OSA_TSO_HEADERS_AT, (u16)headers);
    return OSA_TSO_EXT_BYTES;
}

bool osa_in_frame(struct osa_engine *e, const u8 *msg, u32 len) {
    if (len < OSA_FRAME_DATA) {
        e->count.msg_malformed++;
        return true;
    }
    u32 bytes = len - OSA_FRAME_DATA, smallest = e->mode == OSA_MODE_QDIO_L2 ? 14 : 20;
    if (e->data != OSA_DATA_ACTIVE || !e->lan_wanted || e->card != OSA_CARD_UP) {
        e->count.in_not_active++;
        return true;
    }
    if (msg[8] != (e->mode == OSA_MODE_QDIO_L2 ? OSA_FORM_ETHER : OSA_FORM_IP) || bytes < smallest ||
        bytes > 65535) {
        e->count.in_wrong_form++;
        return true;
    }
    u8 h[OSA_HDR_BYTES + OSA_TSO_EXT_BYTES];
    make_header(e, msg, bytes, h);
    u32 extension = make_extension(msg, bytes, h);
    struct osa_filling *f = &e->fill;
    /* A packet may need a fresh buffer; one that does not fit a fresh one fits none. */
    for (;;) {
        if (!f->open && !open_buffer(e)) {
            if (osa_count_drop(&e->count.in_deferred))
                osa_log(e, ENGINE_INFO, "input: the program has no empty buffer");
            return false;
        }
        if (find_room(f, extension + bytes)) break;
        if (!f->packets) {
            if (osa_count_drop(&e->count.in_too_big))
                osa_log(e, ENGINE_WARNING, "input: a packet of %u bytes fits no buffer", bytes);
            return true;
        }
        osa_in_close(e);
    }
    append(e, h, OSA_HDR_BYTES + extension);
    append(e, msg + OSA_FRAME_DATA, bytes);
    f->packets++;
    e->count.in_packets++;
    e->count.in_bytes += bytes;
    return true;
}
