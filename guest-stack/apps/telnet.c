/* telnet.c - Telnet's bytes and options. See telnet.h. */
#include "apps/telnet.h"

#include "base/str.h"

enum { ST_DATA, ST_IAC, ST_VERB, ST_SUB, ST_SUB_IAC };

void telnet_init(struct telnet *t) { memset(t, 0, sizeof *t); }

static void sub_put(struct telnet *t, u8 byte) {
    if (t->sub_len == TELNET_SUB_MAX)
        t->sub_long = true;
    else
        t->sub[t->sub_len++] = byte;
}

/* A whole subnegotiation has come. */
static void sub_end(struct telnet *t, struct telnet_token *out) {
    t->state = ST_DATA;
    if (t->sub_long)
        t->subs_dropped++;
    else if (t->sub_len)
        out->kind = TELNET_SUB;
}

static void after_iac(struct telnet *t, const u8 *byte, struct telnet_token *out) {
    t->state = ST_DATA;
    switch (*byte) {
    case TELNET_IAC: *out = (struct telnet_token){.kind = TELNET_DATA, .data = byte, .len = 1}; break;
    case TELNET_WILL:
    case TELNET_WONT:
    case TELNET_DO:
    case TELNET_DONT:
        t->verb = *byte;
        t->state = ST_VERB;
        break;
    case TELNET_SB:
        t->state = ST_SUB;
        t->sub_len = 0;
        t->sub_long = false;
        break;
    default: *out = (struct telnet_token){.kind = TELNET_COMMAND, .code = *byte}; break;
    }
}

/* Inside a subnegotiation, behind an IAC. */
static void after_sub_iac(struct telnet *t, const u8 *byte, struct telnet_token *out) {
    t->state = ST_SUB;
    if (*byte == TELNET_IAC)
        sub_put(t, TELNET_IAC);
    else if (*byte == TELNET_SE)
        sub_end(t, out);
    else
        after_iac(t, byte, out); /* the SE was lost: what follows is more likely a command than data (RFC 855) */
}

u32 telnet_feed(struct telnet *t, const u8 *bytes, u32 n, struct telnet_token *out) {
    *out = (struct telnet_token){.kind = TELNET_NOTHING};
    for (u32 at = 0; at < n;) {
        if (t->state == ST_DATA && bytes[at] != TELNET_IAC) {
            u32 len = 1;
            while (at + len < n && bytes[at + len] != TELNET_IAC) len++;
            *out = (struct telnet_token){.kind = TELNET_DATA, .data = bytes + at, .len = len};
            return at + len;
        }
        const u8 *byte = &bytes[at++];
        switch (t->state) {
        case ST_DATA: t->state = ST_IAC; break;
        case ST_IAC: after_iac(t, byte, out); break;
        case ST_VERB:
            *out = (struct telnet_token){.kind = TELNET_OPTION, .code = t->verb, .option = *byte};
            t->state = ST_DATA;
            break;
        case ST_SUB:
            if (*byte == TELNET_IAC)
                t->state = ST_SUB_IAC;
            else
                sub_put(t, *byte);
            break;
        default: after_sub_iac(t, byte, out); break;
        }
        if (out->kind != TELNET_NOTHING) return at;
    }
    return n;
}

/* ---- options ---- */
const struct telnet_cell telnet_cells[TELNET_STATES][2][2] = {
    /*                     he refuses, or wants it off                he agrees, or wants it on; not allowed | allowed */
    [TELNET_OFF] = {{{TELNET_OFF, TELNET_SAME, false}, {TELNET_OFF, TELNET_SAME, false}},
                    {{TELNET_OFF, TELNET_SAME, true}, {TELNET_ON, TELNET_NOW_ON, true}}},
    [TELNET_WANT] = {{{TELNET_OFF, TELNET_REFUSED, false}, {TELNET_OFF, TELNET_REFUSED, false}},
                     {{TELNET_ON, TELNET_NOW_ON, false}, {TELNET_ON, TELNET_NOW_ON, false}}},
    [TELNET_ON] = {{{TELNET_OFF, TELNET_NOW_OFF, true}, {TELNET_OFF, TELNET_NOW_OFF, true}},
                   {{TELNET_ON, TELNET_SAME, false}, {TELNET_ON, TELNET_SAME, false}}},
};

static u32 verb_out(u8 verb, u8 option, u8 out[3]) {
    out[0] = TELNET_IAC;
    out[1] = verb;
    out[2] = option;
    return 3;
}

u32 telnet_ask(struct telnet *t, u8 verb, u8 option, u8 out[3]) {
    u8 *side = verb == TELNET_WILL ? t->us : t->him;
    CHECK(option < TELNET_OPTIONS && (verb == TELNET_WILL || verb == TELNET_DO));
    if (side[option] != TELNET_OFF) return 0;
    side[option] = TELNET_WANT;
    return verb_out(verb, option, out);
}

u32 telnet_answer(struct telnet *t, u8 verb, u8 option, bool allowed, u8 out[3], enum telnet_change *change) {
    bool his = verb == TELNET_WILL || verb == TELNET_WONT; /* he speaks of his side */
    bool on = verb == TELNET_WILL || verb == TELNET_DO;
    u8 off_state = TELNET_OFF, *side = &off_state;
    if (option < TELNET_OPTIONS)
        side = his ? &t->him[option] : &t->us[option];
    else
        allowed = false;
    const struct telnet_cell *c = &telnet_cells[*side][on][allowed];
    *side = c->next;
    *change = (enum telnet_change)c->change;
    if (!c->answer) return 0;
    if (c->next == TELNET_ON) return verb_out(his ? TELNET_DO : TELNET_WILL, option, out);
    return verb_out(his ? TELNET_DONT : TELNET_WONT, option, out);
}

u32 telnet_escape(u8 *out, u32 cap, const u8 *in, u32 n) {
    u32 len = 0;
    for (u32 i = 0; i < n; i++) {
        u32 need = in[i] == TELNET_IAC ? 2 : 1;
        if (cap - len < need) return 0;
        out[len++] = in[i];
        if (need == 2) out[len++] = TELNET_IAC;
    }
    return len;
}
