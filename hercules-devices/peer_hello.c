/* peer_hello.c - the handshake's bytes (layout in peer.h): emit, parse, check, and the one sentence an operator
 * reads when two ends do not belong together.
 */
#include "base/be.h"
#include "hercules-devices/peer_impl.h"

#include <stdio.h>
#include <string.h>

static const u8 magic[6] = {'P', 'L', 'X', '3', '9', '0'};

void peer_hello_emit(u8 out[PEER_HELLO_BYTES], const struct peer_identity *self, enum peer_role role, u16 refusal,
                     u32 ring_bytes) {
    memset(out, 0, PEER_HELLO_BYTES);
    memcpy(out, magic, sizeof magic);
    be16_put(out + 6, PEER_PROTOCOL);
    out[8] = (u8)self->kind;
    out[9] = (u8)role;
    be16_put(out + 10, refusal);
    be32_put(out + 12, ring_bytes);
    be64_put(out + 16, self->incarnation);
    memcpy(out + 24, self->name, strnlen(self->name, PEER_NAME_MAX));
    memcpy(out + 40, self->expected, strnlen(self->expected, PEER_NAME_MAX));
}

/* A name goes into log lines, so only printable characters come in. */
static bool name_get(const u8 *in, char *out) {
    memcpy(out, in, PEER_NAME_MAX);
    out[PEER_NAME_MAX] = 0;
    for (const char *c = out; *c; c++)
        if (*c <= ' ' || *c > '~') return false;
    return true;
}

bool peer_hello_parse(const u8 in[PEER_HELLO_BYTES], struct peer_hello *h) {
    if (memcmp(in, magic, sizeof magic) != 0) return false;
    h->protocol = be16_get(in + 6);
    h->kind = in[8];
    h->role = in[9];
    h->refusal = be16_get(in + 10);
    h->ring_bytes = be32_get(in + 12);
    h->incarnation = be64_get(in + 16);
    return name_get(in + 24, h->name) && name_get(in + 40, h->expected);
}

u16 peer_hello_check(const struct peer_identity *self, const struct peer_hello *h) {
    if (h->protocol != PEER_PROTOCOL) return PEER_REFUSED_VERSION;
    if (h->kind != (u8)self->kind) return PEER_REFUSED_KIND;
    if (h->expected[0] && strcmp(h->expected, self->name) != 0) return PEER_REFUSED_NAME;
    if (self->expected[0] && strcmp(self->expected, h->name) != 0) return PEER_REFUSED_UNEXPECTED;
    return 0;
}

static const char *kind_name(u32 kind) {
    static const char *const names[] = {"an unknown device", "an OSA", "a CTC", "a coupling facility"};
    return names[kind < ARRAY_LEN(names) ? kind : 0];
}

void peer_refusal_text(char *out, size_t cap, const struct peer_identity *self, const struct peer_hello *h,
                       u16 refusal, bool ours) {
    /* The end that was asked, and the end that asked: the sentence reads the same on both sides. */
    const char *asked = ours ? self->name : h->name, *asker = ours ? h->name : self->name;
    char why[128];
    switch (refusal) {
    case PEER_REFUSED_VERSION:
        snprintf(why, sizeof why, "protocol %u here, %u there: the two ends are of different releases",
                 (u32)PEER_PROTOCOL, (u32)h->protocol);
        break;
    case PEER_REFUSED_KIND:
        snprintf(why, sizeof why, "%s is %s, not %s", asked, kind_name(ours ? (u32)self->kind : h->kind),
                 kind_name(ours ? h->kind : (u32)self->kind));
        break;
    case PEER_REFUSED_NAME:
        snprintf(why, sizeof why, "%s wants %s, but this is %s", asker, ours ? h->expected : self->expected, asked);
        break;
    case PEER_REFUSED_UNEXPECTED:
        snprintf(why, sizeof why, "%s serves only %s", asked, ours ? self->expected : h->expected);
        break;
    case PEER_REFUSED_INCARNATION:
        snprintf(why, sizeof why, "incarnation %llu of %s has been isolated",
                 (unsigned long long)(ours ? h->incarnation : self->incarnation), asker);
        break;
    case PEER_REFUSED_FULL: snprintf(why, sizeof why, "%s has no free connection", asked); break;
    case PEER_REFUSED_CABLE: snprintf(why, sizeof why, "the cable between them is pulled"); break;
    default: snprintf(why, sizeof why, "reason %u", (u32)refusal); break;
    }
    snprintf(out, cap, "%s refused by %s: %s", asker, asked, why);
}
