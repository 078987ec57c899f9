/* fuzz_peer.c - what the other side of a connection writes: a handshake, and the shared memory of a ring. The first byte
 * chooses. The two pure files are compiled in here, because no library of the tests holds them.
 */
#include "hercules-devices/peer_hello.c"
#include "hercules-devices/ring.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hello(const u8 *data, size_t size) {
    u8 bytes[PEER_HELLO_BYTES] = {0}, again[PEER_HELLO_BYTES];
    char text[PEER_TEXT_MAX];
    struct peer_hello h;
    struct peer_identity self = {.kind = PEER_OSA, .name = "OSA1", .expected = "SYSA"};
    memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
    if (!peer_hello_parse(bytes, &h)) return;
    for (u16 refusal = 0; refusal < 9; refusal++)
        for (u32 ours = 0; ours < 2; ours++) peer_refusal_text(text, sizeof text, &self, &h, refusal, ours);
    if (peer_hello_check(&self, &h)) return;
    /* A hello that is accepted says what it would say if we emitted it. */
    struct peer_identity other = {.kind = PEER_OSA, .incarnation = h.incarnation};
    memcpy(other.name, h.name, sizeof h.name);
    memcpy(other.expected, h.expected, sizeof h.expected);
    peer_hello_emit(again, &other, (enum peer_role)h.role, h.refusal, h.ring_bytes);
    struct peer_hello h2;
    CHECK(peer_hello_parse(again, &h2) && strcmp(h.name, h2.name) == 0 && h.incarnation == h2.incarnation);
}

/* Steps of a hostile partner: 1 what | 2 offset | 1 value, between our own calls. */
static void rings(const u8 *data, size_t size) {
    enum { DATA = RING_DATA_MIN };
    u8 *memory = aligned_alloc(64, ring_bytes(DATA)), out[512];
    struct ring rd, wr;
    if (!memory) return;
    memset(memory, 0, ring_bytes(DATA));
    ring_init(&rd, memory, DATA);
    ring_init(&wr, memory, DATA);
    for (; size >= 4; data += 4, size -= 4) {
        u32 offset = ((u32)data[1] << 8 | data[2]) % ring_bytes(DATA);
        u8 *room;
        switch (data[0] & 3) {
        case 0: memory[offset] = data[3]; break;
        case 1:
            room = ring_reserve(&wr, offset + 1);
            if (room) memset(room, data[3], offset + 1);
            if (room) ring_commit(&wr, offset / 2 + 1);
            break;
        case 2: CHECK(ring_get(&rd, out, sizeof out) <= (int)sizeof out); break;
        default:
            ring_sleep(&rd, RING_BELL);
            ring_bell_needed(&wr);
            break;
        }
    }
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    if (data[0] & 1) hello(data + 1, size - 1);
    else
        rings(data + 1, size - 1);
    return 0;
}
