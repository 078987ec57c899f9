/* armmsg.c - messages of the Automatic Restart Manager. See armmsg.h. */
#include "wire/armmsg.h"

#include "base/str.h"

bool armmsg_name_good(const char *name, u32 max) {
    u32 n = 0;
    for (; name[n]; n++) {
        char c = name[n];
        bool good = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '$' || c == '#' || c == '@' || c == '_';
        if (!good || n == max) return false;
    }
    return n > 0;
}

/* Blanks at the end are cut; empty is allowed where it says so. */
static bool name_get(const u8 *p, u32 max, bool empty, char *out) {
    u32 n = max;
    while (n && p[n - 1] == ' ') n--;
    memcpy(out, p, n);
    out[n] = '\0';
    return (empty && n == 0) || (strlen(out) == n && armmsg_name_good(out, max));
}
static void name_put(u8 *p, u32 max, const char *name) {
    u32 n = u32_min((u32)strlen(name), max);
    memset(p, ' ', max);
    memcpy(p, name, n);
}

bool armmsg_parse(const u8 *p, u32 len, struct armmsg *out) {
    if (len != ARMMSG_BYTES || p[1] != ARMMSG_VERSION || p[0] < ARMMSG_RECORD || p[0] > ARMMSG_SYNC) return false;
    *out = (struct armmsg){.kind = p[0], .state = p[2], .flags = p[3], .generation = be32_get(p + 4)};
    out->owner_incarnation = be64_get(p + 56);
    if (p[64 + ARMMSG_TEXT]) return false;
    memcpy(out->text, p + 64, ARMMSG_TEXT);
    return name_get(p + 8, 16, false, out->element) && name_get(p + 24, 8, true, out->type) &&
           name_get(p + 32, 8, true, out->job) && name_get(p + 40, 8, false, out->initial) &&
           name_get(p + 48, 8, false, out->owner);
}

void armmsg_emit(u8 p[ARMMSG_BYTES], const struct armmsg *m) {
    memset(p, 0, ARMMSG_BYTES);
    p[0] = m->kind;
    p[1] = ARMMSG_VERSION;
    p[2] = m->state;
    p[3] = m->flags;
    be32_put(p + 4, m->generation);
    name_put(p + 8, 16, m->element);
    name_put(p + 24, 8, m->type);
    name_put(p + 32, 8, m->job);
    name_put(p + 40, 8, m->initial);
    name_put(p + 48, 8, m->owner);
    be64_put(p + 56, m->owner_incarnation);
    memcpy(p + 64, m->text, u32_min((u32)strlen(m->text), ARMMSG_TEXT));
}
