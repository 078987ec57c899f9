/* osa_out.c - output queues: from SBALs to messages for the card.
 *
 *   for each queue, from q->next on, while the buffer is SLSB_CU_OUTPUT_PRIMED, at most a round:
 *     for each packet in it: header -> struct out_packet -> reserve, copy once, finish the headers, commit
 *     state := SLSB_P_OUTPUT_EMPTY, or _ERROR if the buffer's structure is broken; PCI if SBALE 0 asks for it
 *
 * When the ring to the card is full the buffer stays primed, q->element and q->offset say where to go on,
 * and it is taken up at the next SIGA, message or rx_end. No card, or LAN stopped: packets are dropped and
 * counted, the buffers come back empty.
 *
 * A driver that asks for a checksum may leave anything in its field: the pseudo header's sum is put there
 * as the port expects it; the IP header's checksum is finished here. A driver that asks for segmentation
 * may leave the total length zero; it is filled in. Work is bounded by 128 buffers a queue.
 */
#include "hercules-devices/osa_internal.h"

#include "base/str.h"
#include "wire/cksum.h"

#define IP_HDR_MIN     20
#define ETH_HDR        14
#define ETHERTYPE_IP4  0x0800
#define ETHERTYPE_VLAN 0x8100
#define PROTO_TCP      6
#define PROTO_UDP      17
#define IP_BYTES_MAX   65535
#define ERROR_REASON   1 /* in the sflags of element 15 of a buffer in error */

enum out_result { OUT_DONE, OUT_STALLED, OUT_BROKEN };

/* A place in the data of a buffer. The end of a run of fragments is an end of data. */
struct cursor {
    const u8 *sbal;
    u32 element, offset;
};

/* What a packet header says. */
struct out_packet {
    u32 bytes;
    u16 flags; /* OSA_FRAME_* */
    u16 gso_bytes, vlan;
    u32 headers; /* of a packet to be segmented: bytes before the payload */
    u32 next_hop;
    u8 form, cast;
};

static const u8 *entry_at(const struct cursor *c) {
    return c->sbal + c->element * SBALE_BYTES;
}
static u32 entry_length(const struct cursor *c) {
    return be32_get(entry_at(c) + SBALE_LENGTH_AT);
}

static bool entry_ends_run(const struct cursor *c) {
    u8 eflags = entry_at(c)[SBALE_EFLAGS_AT], frag = eflags & SBAL_FRAG_MASK;
    return frag == 0 || frag == SBAL_FRAG_LAST || eflags & SBAL_LAST_ENTRY || c->element == QDIO_ELEMENTS - 1;
}

/* Copies n bytes from the cursor on and moves it; to NULL only moves. False if the run has fewer or an
 * element is outside storage. */
static bool copy_out(const struct osa_engine *e, struct cursor *c, u8 *to, u32 n) {
    while (n) {
        u32 left = entry_length(c) - u32_min(c->offset, entry_length(c)), k = u32_min(n, left);
        if (!left) {
            if (entry_ends_run(c)) return false;
            c->element++;
            c->offset = 0;
            continue;
        }
        if (to) {
            const u8 *from = osa_storage(e, be64_get(entry_at(c) + SBALE_ADDR_AT) + c->offset, k, false);
            if (!from) return false;
            memcpy(to, from, k);
            to += k;
        }
        n -= k;
        c->offset += k;
    }
    return true;
}

/* ---- packet headers ---- */

static void parse_l3(const u8 *h, struct out_packet *p) {
    static const u8 casts[8] = {OSA_CAST_UNI,   OSA_CAST_UNI,   OSA_CAST_UNI, OSA_CAST_UNI,
                                OSA_CAST_MULTI, OSA_CAST_BROAD, OSA_CAST_UNI, OSA_CAST_UNI};
    u8 ext = h[OSA_L3_EXT_AT];
    p->form = OSA_FORM_IP;
    p->cast = casts[h[OSA_L3_FLAGS_AT] & OSA_L3_CAST_MASK];
    p->next_hop = p->cast == OSA_CAST_UNI ? be32_get(h + OSA_L3_NEXT_HOP_AT) : 0;
    p->vlan = ext & OSA_EXT_VLAN_FRAME ? be16_get(h + OSA_L3_VLAN_AT) : 0;
    p->bytes = be16_get(h + OSA_L3_LENGTH_AT);
    if (ext & OSA_EXT_CSUM_HDR) p->flags |= OSA_FRAME_IP_CSUM_NEEDED;
    if (ext & OSA_EXT_CSUM_TRANSPORT) p->flags |= OSA_FRAME_CSUM_NEEDED;
}

static void parse_l2(const u8 *h, struct out_packet *p) {
    u8 ext = h[OSA_L2_EXT_AT];
    p->form = OSA_FORM_ETHER;
    p->cast = h[OSA_L2_FLAGS_AT] & OSA_L2_BROADCAST   ? OSA_CAST_BROAD
              : h[OSA_L2_FLAGS_AT] & OSA_L2_MULTICAST ? OSA_CAST_MULTI
                                                      : OSA_CAST_UNI;
    p->bytes = be16_get(h + OSA_L2_LENGTH_AT);
    if (ext & OSA_EXT_CSUM_HDR) p->flags |= OSA_FRAME_IP_CSUM_NEEDED;
    if (ext & OSA_EXT_CSUM_TRANSPORT) p->flags |= OSA_FRAME_CSUM_NEEDED;
}

static bool parse_tso(const u8 *ext, struct out_packet *p) {
    u32 payload = be32_get(ext + OSA_TSO_PAYLOAD_AT);
    p->headers = be16_get(ext + OSA_TSO_HEADERS_AT);
    p->gso_bytes = be16_get(ext + OSA_TSO_MSS_AT);
    if (!p->gso_bytes || payload > IP_BYTES_MAX || p->headers + payload > IP_BYTES_MAX + ETH_HDR + 4)
        return false;
    p->bytes = p->headers + payload;
    p->flags |= OSA_FRAME_CSUM_NEEDED | OSA_FRAME_IP_CSUM_NEEDED;
    return true;
}

enum header_result { HEADER_OK, HEADER_SKIP, HEADER_BROKEN };

/* The header of 32 or 64 bytes at the cursor. Counts what is wrong with it. */
static enum header_result read_header(struct osa_engine *e, struct cursor *c, struct out_packet *p) {
    u8 h[OSA_HDR_BYTES + OSA_TSO_EXT_BYTES];
    *p = (struct out_packet){0};
    if (!copy_out(e, c, h, OSA_HDR_BYTES)) return HEADER_BROKEN;
    bool tso = h[0] == OSA_HDR_L3_TSO || h[0] == OSA_HDR_L2_TSO,
         l2 = h[0] == OSA_HDR_L2 || h[0] == OSA_HDR_L2_TSO;
    bool ok = (l2 || h[0] == OSA_HDR_L3 || h[0] == OSA_HDR_L3_TSO) && l2 == (e->mode == OSA_MODE_QDIO_L2);
    if (ok && !l2 && h[OSA_L3_FLAGS_AT] & (OSA_L3_IPV6 | OSA_L3_PASSTHRU)) {
        e->count.out_unsupported++;
        return HEADER_SKIP;
    }
    if (l2)
        parse_l2(h, p);
    else
        parse_l3(h, p);
    if (ok && tso) {
        if (!copy_out(e, c, h + OSA_HDR_BYTES, OSA_TSO_EXT_BYTES)) return HEADER_BROKEN;
        ok = parse_tso(h + OSA_HDR_BYTES, p);
    }
    if (ok && p->bytes >= (l2 ? ETH_HDR : IP_HDR_MIN)) return HEADER_OK;
    if (osa_count_drop(&e->count.out_bad_header))
        osa_log(e, ENGINE_WARNING, "output: bad packet header, id %02X", h[0]);
    return HEADER_SKIP;
}

/* ---- the packet ---- */

/* Where the IPv4 header of a frame begins; bytes if it is none. */
static u32 ip_offset(const struct out_packet *p, const u8 *data) {
    if (p->form == OSA_FORM_IP) return 0;
    u32 at = 12;
    if (be16_get(data + at) == ETHERTYPE_VLAN && p->bytes >= ETH_HDR + 4) at += 4;
    return be16_get(data + at) == ETHERTYPE_IP4 ? at + 2 : p->bytes;
}

/* Checks the IP header against the length, fills in what the hardware owes the driver. False: malformed. */
static bool prepare(struct out_packet *p, u8 *data, u8 *msg) {
    u32 ip = ip_offset(p, data);
    if (p->bytes - ip < IP_HDR_MIN) {
        /* Not IPv4: an Ethernet frame goes as it is. */
        p->flags = 0;
        return p->form == OSA_FORM_ETHER && !p->gso_bytes;
    }
    u8 *h = data + ip;
    u32 ihl = (h[0] & 15u) * 4, room = p->bytes - ip;
    if (h[0] >> 4 != 4 || ihl < IP_HDR_MIN || ihl > room || room > IP_BYTES_MAX) return false;
    if (p->gso_bytes) be16_put(h + 2, (u16)room);
    u32 total = be16_get(h + 2);
    if (total < ihl || total > room) return false;
    if (p->form == OSA_FORM_IP) p->bytes = total;
    if (p->flags & OSA_FRAME_IP_CSUM_NEEDED) {
        /* Twenty bytes are summed here rather than described to the port. */
        be16_put(h + 10, 0);
        be16_put(h + 10, cksum_fold(cksum_add(0, h, ihl)));
        p->flags &= (u16)~OSA_FRAME_IP_CSUM_NEEDED;
    }
    if (!(p->flags & OSA_FRAME_CSUM_NEEDED)) return true;
    u32 field = h[9] == PROTO_TCP ? 16 : h[9] == PROTO_UDP ? 6 : 0;
    bool fragment = (be16_get(h + 6) & 0x3FFF) != 0;
    if (!field || fragment) {
        p->flags &= (u16)~OSA_FRAME_CSUM_NEEDED;
        return !p->gso_bytes;
    }
    u32 transport = total - ihl, tcp_bytes = transport > 12 ? (h[ihl + 12] >> 4) * 4u : 0;
    if (transport < field + 2) return false;
    if (p->gso_bytes &&
        (h[9] != PROTO_TCP || tcp_bytes < 20 || p->headers != ip + ihl + tcp_bytes || tcp_bytes > transport))
        return false;
    if (p->gso_bytes && transport - tcp_bytes <= p->gso_bytes) p->gso_bytes = 0;
    be16_put(h + ihl + field,
             cksum_partial(cksum_pseudo(ipaddr_get(h + 12), ipaddr_get(h + 16), h[9], transport)));
    be16_put(msg + 20, (u16)(ip + ihl));
    be16_put(msg + 22, (u16)field);
    return true;
}

/* Copies one packet into the ring. Whatever happens to it, the cursor is behind it, except when the ring is
 * full. */
static enum out_result send_packet(struct osa_engine *e, struct cursor *c, struct out_packet *p) {
    if (e->card != OSA_CARD_UP || !e->lan_wanted || !e->lan_up) {
        if (e->card == OSA_CARD_UP)
            e->count.out_no_lan++;
        else
            e->count.out_no_card++;
        return copy_out(e, c, NULL, p->bytes) ? OUT_DONE : OUT_BROKEN;
    }
    u8 *msg = e->base.host->tx_reserve(e->base.host->ctx, OSA_FRAME_DATA + p->bytes);
    if (!msg) return OUT_STALLED;
    osa_msg_frame(msg, p->form, p->cast, p->bytes);
    if (!copy_out(e, c, msg + OSA_FRAME_DATA, p->bytes)) return OUT_BROKEN;
    if (!prepare(p, msg + OSA_FRAME_DATA, msg)) {
        if (osa_count_drop(&e->count.out_bad_packet))
            osa_log(e, ENGINE_WARNING, "output: malformed packet of %u bytes", p->bytes);
        return OUT_DONE;
    }
    u32 len = OSA_FRAME_DATA + p->bytes; /* an IP packet may have become shorter: padding is cut off */
    be32_put(msg + 4, len);
    be16_put(msg + 10, p->flags);
    be16_put(msg + 12, p->gso_bytes);
    be16_put(msg + 14, p->vlan);
    be32_put(msg + 16, p->next_hop);
    e->base.host->tx_commit(e->base.host->ctx, len);
    e->flush_due = true;
    e->count.out_packets++;
    e->count.out_bytes += p->bytes;
    return OUT_DONE;
}

/* To the element after the run that the cursor is in; false if that was the last. */
static bool next_run(struct cursor *c) {
    while (!entry_ends_run(c)) c->element++;
    if (entry_at(c)[SBALE_EFLAGS_AT] & SBAL_LAST_ENTRY || c->element == QDIO_ELEMENTS - 1) return false;
    c->element++;
    c->offset = 0;
    return true;
}

/* The packets of one run of elements. */
static enum out_result send_run(struct osa_engine *e, struct osa_queue *q, struct cursor *c) {
    for (;;) {
        u32 left = entry_length(c) - u32_min(c->offset, entry_length(c));
        /* Fewer bytes than a header are filling; a run may go on in the next element. */
        if (left < OSA_HDR_BYTES) {
            if (entry_ends_run(c)) return OUT_DONE;
            c->element++;
            c->offset = 0;
            continue;
        }
        struct out_packet p;
        struct cursor before = *c;
        enum header_result h = read_header(e, c, &p);
        if (h == HEADER_SKIP) return OUT_DONE;
        enum out_result r = h == HEADER_OK ? send_packet(e, c, &p) : OUT_BROKEN;
        if (r == OUT_DONE) continue;
        q->element = before.element;
        q->offset = before.offset;
        return r;
    }
}

/* All packets of the buffer at q->next, from where it stopped the last time. */
static enum out_result send_buffer(struct osa_engine *e, struct osa_queue *q, const u8 *sbal) {
    struct cursor c = {.sbal = sbal, .element = q->element, .offset = q->offset};
    do {
        enum out_result r = send_run(e, q, &c);
        if (r != OUT_DONE) return r;
    } while (next_run(&c));
    return OUT_DONE;
}

static void mark_error(struct osa_engine *e, u64 sbal_addr) {
    u8 *sbal = osa_storage(e, sbal_addr, SBAL_BYTES, true);
    if (sbal) sbal[(QDIO_ELEMENTS - 1) * SBALE_BYTES + SBALE_SFLAGS_AT] = ERROR_REASON;
}

/* One buffer; false if the queue has to wait for the ring. */
static bool run_buffer(struct osa_engine *e, struct osa_queue *q) {
    u8 sbal[SBAL_BYTES], state = SLSB_P_OUTPUT_EMPTY;
    u64 addr;
    if (!osa_sbal_fetch(e, q, &addr, sbal)) {
        if (osa_count_drop(&e->count.out_bad_address))
            osa_log(e, ENGINE_WARNING, "output: SBAL of buffer %u is outside storage", q->next);
        state = SLSB_P_OUTPUT_ERROR;
    } else {
        enum out_result r = send_buffer(e, q, sbal);
        if (r == OUT_STALLED) return false;
        if (r == OUT_BROKEN) {
            if (osa_count_drop(&e->count.out_bad_address))
                osa_log(e, ENGINE_WARNING, "output: buffer %u, element %u: outside storage or cut short",
                        q->next, q->element);
            mark_error(e, addr);
            state = SLSB_P_OUTPUT_ERROR;
        }
        if (sbal[SBALE_SFLAGS_AT] & SBAL_PCI_REQ) e->pci_due = true;
    }
    e->count.out_buffers++;
    osa_slsb_set(e, q, q->next, state);
    q->next = (q->next + 1) % QDIO_BUFFERS;
    q->element = q->offset = 0;
    return true;
}

void osa_out_run(struct osa_engine *e, u32 qmask) {
    for (u32 i = 0; i < QDIO_OUT_QUEUES_MAX; i++) {
        u8 bit = (u8)(1u << (QDIO_OUT_QUEUES_MAX - 1 - i));
        if (!(qmask & bit)) continue;
        if (i >= e->out_queues) {
            e->count.out_bad_queue++;
            continue;
        }
        struct osa_queue *q = &e->out[i];
        e->out_stall_mask &= (u8)~bit;
        for (u32 n = 0; n < QDIO_BUFFERS && osa_slsb_get(e, q, q->next) == SLSB_CU_OUTPUT_PRIMED; n++) {
            if (run_buffer(e, q)) continue;
            e->out_stall_mask |= bit;
            e->count.out_stalled++;
            break;
        }
    }
}

void osa_out_resume(struct osa_engine *e) {
    if (!e->out_stall_mask || e->data != OSA_DATA_ACTIVE) return;
    osa_out_run(e, e->out_stall_mask);
    if (e->pci_due) osa_raise_pci(e);
}

void osa_flush(struct osa_engine *e) {
    if (!e->flush_due) return;
    e->flush_due = false;
    e->base.host->tx_flush(e->base.host->ctx);
}
