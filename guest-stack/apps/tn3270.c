/* tn3270.c - negotiation, records, responses and the two SNA sessions of a TN3270 client. See tn3270.h. */
#include "apps/tn3270.h"

#include "base/ebcdic.h"
#include "base/str.h"

#define OUR_FUNCTIONS (1u << TN_F_BIND_IMAGE | 1u << TN_F_RESPONSES | 1u << TN_F_SYSREQ)
#define TRIES_MAX     8 /* names a client may offer, RFC 1091; more is a game */

enum event {
    EV_ENHANCED_ON, EV_ENHANCED_OFF, EV_DEVICE, EV_FUNCTIONS, EV_FUNCTIONS_AGREED, EV_TTYPE_ON, EV_TTYPE_OFF, EV_TTYPE_NAME,
    EV_PLAIN, EVENTS
};

const char *tn3270_state_name(u32 state) {
    static const char *const names[TN_STATES] = {"OFFER", "DEVICE", "FUNCTIONS", "TTYPE_ASK", "TTYPE",
                                                 "PLAIN", "QUERY",  "READY",     "SSCP",      "OVER"};
    return state < TN_STATES ? names[state] : "?";
}

static bool has(const struct tn3270 *t, enum tn3270e_function f) { return t->functions >> f & 1; }

/* ---- output ---- */
static void say(struct tn3270 *t, const u8 *bytes, u32 n) {
    if (TN3270_OUT_MAX - t->out_len < n) {
        t->counts->floods++;
        t->state = TN_OVER;
        return;
    }
    memcpy(t->out + t->out_len, bytes, n);
    t->out_len += n;
}

static void say_text(struct tn3270 *t, const char *text) { say(t, (const u8 *)text, (u32)strlen(text)); }

static void ask(struct tn3270 *t, u8 verb, u8 option) {
    u8 three[3];
    say(t, three, telnet_ask(&t->telnet, verb, option, three));
}

/* A record: header if the client speaks TN3270E, the data with each IAC doubled, IAC EOR. */
static bool record(struct tn3270 *t, u8 data, u8 response, const u8 *bytes, u32 n) {
    struct tn3270e_header h = {.data = data, .response = response, .seq = t->seq};
    u8 head[TN3270E_HEADER];
    u8 *at = t->out + t->out_len;
    u32 room = TN3270_OUT_MAX - t->out_len, len = 0;
    tn3270e_header_put(head, &h);
    if (t->enhanced) len = telnet_escape(at, room, head, sizeof head);
    u32 body = telnet_escape(at + len, room - len, bytes, n);
    if ((n && !body) || room - len - body < 2) return false;
    len += body;
    at[len++] = TELNET_IAC;
    at[len++] = TELNET_EOR;
    t->out_len += len;
    t->counts->records_out++;
    if (has(t, TN_F_RESPONSES)) t->seq = (u16)((t->seq + 1) & 0x7FFF);
    return true;
}

bool tn3270_write(struct tn3270 *t, const u8 *stream, u32 n, bool unasked, u64 now) {
    bool asks = unasked && has(t, TN_F_RESPONSES);
    CHECK(tn3270_may_write(t));
    t->awaited = t->seq;
    if (!record(t, TN_3270_DATA, asks ? TN_ALWAYS_RESPONSE : has(t, TN_F_RESPONSES) ? TN_ERROR_RESPONSE : TN_NO_RESPONSE, stream, n)) return false;
    t->awaiting = asks;
    t->written_at = now;
    if (n && (stream[0] == DS_ERASE_WRITE || stream[0] == DS_ERASE_WRITE_ALTERNATE))
        t->alternate = stream[0] == DS_ERASE_WRITE_ALTERNATE;
    return true;
}

void tn3270_sent(struct tn3270 *t, u32 n) {
    t->out_at += n;
    CHECK(t->out_at <= t->out_len);
    if (t->out_at == t->out_len) t->out_at = t->out_len = 0;
}

bool tn3270_timing_mark(struct tn3270 *t) {
    if (t->mark_asked) return false;
    t->mark_asked = true;
    t->counts->timing_marks++;
    t->telnet.him[TELOPT_TIMING_MARK] = TELNET_OFF; /* a question each time, never a state */
    ask(t, TELNET_DO, TELOPT_TIMING_MARK);
    return true;
}

void tn3270_end(struct tn3270 *t) {
    static const u8 normal = 0x01;
    if ((t->state == TN_READY || t->state == TN_SSCP) && has(t, TN_F_BIND_IMAGE)) record(t, TN_UNBIND, 0, &normal, 1);
    t->state = TN_OVER;
}

/* ---- negotiation ---- */
static void ready(struct tn3270 *t, u64 now) {
    t->state = TN_READY;
    t->ops->ready(t, now);
}

/* Both ends agree on how records look; what is left is the size of a display that did not say it in its name. */
static void bound(struct tn3270 *t, u64 now) {
    u8 image[TN_BIND_MAX], query[16];
    struct ds_writer w;
    if (t->enhanced && has(t, TN_F_BIND_IMAGE))
        record(t, TN_BIND_IMAGE, 0, image, tn3270e_bind(image, &t->terminal, t->application));
    if (!t->terminal.dynamic) {
        ready(t, now);
        return;
    }
    ds_begin(&w, query, sizeof query, 24 * 80, true);
    ds_query(&w);
    record(t, TN_3270_DATA, TN_NO_RESPONSE, query, ds_length(&w));
    t->state = TN_QUERY;
}

static void not_3270(struct tn3270 *t) {
    t->counts->not_3270++;
    say_text(t, "\r\nPLX0420E THIS PORT IS FOR TN3270 CLIENTS\r\n");
    t->state = TN_OVER;
}

static void go_enhanced(struct tn3270 *t, u64 now) {
    u8 sb[TN3270E_SB_MAX];
    UNUSED(now);
    t->enhanced = true;
    say(t, sb, tn3270e_send_device(sb));
    t->state = TN_DEVICE;
}

static void go_plain(struct tn3270 *t, u64 now) {
    UNUSED(now);
    t->enhanced = false;
    t->functions = 0;
    t->state = TN_TTYPE_ASK;
    ask(t, TELNET_DO, TELOPT_TTYPE);
    /* The client may have offered it before it was asked. */
    if (t->telnet.him[TELOPT_TTYPE] == TELNET_ON) t->state = TN_TTYPE;
}

static void device_asked(struct tn3270 *t, const struct tn3270e_request *q, u64 now) {
    u8 sb[TN3270E_SB_MAX];
    int rc = 0;
    UNUSED(now);
    u8 reason = q->associate ? TN_INV_ASSOCIATE : q->name_long ? TN_INV_NAME : TN_INV_DEVICE_TYPE;
    if (q->associate || q->name_long || !terminal_find(q->device, &t->terminal)) {
        t->counts->refused_types++;
        rc = -ERR_INVAL;
    } else if ((rc = t->ops->name(t, q->lu, t->lu)) != 0) {
        reason = rc == -ERR_BUSY ? TN_DEVICE_IN_USE : TN_INV_NAME;
        t->counts->refused_names++;
    }
    if (rc == 0) {
        str_copy(t->device, sizeof t->device, q->device);
        say(t, sb, tn3270e_device_is(sb, t->device, t->lu));
        t->state = TN_FUNCTIONS_STATE;
    } else {
        say(t, sb, tn3270e_reject(sb, reason));
        if (++t->tries == TRIES_MAX) t->state = TN_OVER;
    }
}

static void functions_asked(struct tn3270 *t, const struct tn3270e_request *q, u64 now) {
    u8 sb[TN3270E_SB_MAX];
    t->functions = q->functions & OUR_FUNCTIONS;
    bool all = !q->others && t->functions == q->functions;
    say(t, sb, tn3270e_functions(sb, all ? TN_IS : TN_REQUEST_VERB, t->functions));
    if (all)
        bound(t, now);
    else if (++t->tries == TRIES_MAX)
        t->state = TN_OVER;
}

static void functions_agreed(struct tn3270 *t, const struct tn3270e_request *q, u64 now) {
    /* He may agree to what we asked for, not to more. */
    if (q->others || (q->functions & ~t->functions)) {
        t->counts->bad_words++;
        t->state = TN_OVER;
        return;
    }
    t->functions = q->functions;
    bound(t, now);
}

static void ttype_send(struct tn3270 *t, u64 now) {
    static const u8 send[] = {TELNET_IAC, TELNET_SB, TELOPT_TTYPE, TELNET_TTYPE_SEND, TELNET_IAC, TELNET_SE};
    UNUSED(now);
    say(t, send, sizeof send);
    t->state = TN_TTYPE;
}

/* Clients with several names offer the next at each SEND and repeat the last one at the end (RFC 1091). */
static void ttype_named(struct tn3270 *t, const char *name, u64 now) {
    if (terminal_find(name, &t->terminal)) {
        str_copy(t->device, sizeof t->device, name);
        if (t->ops->name(t, "", t->lu) != 0) t->lu[0] = '\0';
        t->state = TN_PLAIN;
        ask(t, TELNET_DO, TELOPT_EOR);
        ask(t, TELNET_WILL, TELOPT_EOR);
        ask(t, TELNET_DO, TELOPT_BINARY);
        ask(t, TELNET_WILL, TELOPT_BINARY);
        return;
    }
    t->counts->refused_types++;
    if (++t->tries == TRIES_MAX || str_eq_ci(name, t->device)) {
        not_3270(t);
        return;
    }
    str_copy(t->device, sizeof t->device, name);
    ttype_send(t, now);
}

static void plain_changed(struct tn3270 *t, u64 now) {
    static const u8 need[] = {TELOPT_EOR, TELOPT_BINARY};
    for (u32 i = 0; i < ARRAY_LEN(need); i++) {
        u8 us = t->telnet.us[need[i]], him = t->telnet.him[need[i]];
        if (us == TELNET_OFF || him == TELNET_OFF) {
            not_3270(t);
            return;
        }
        if (us == TELNET_WANT || him == TELNET_WANT) return;
    }
    bound(t, now);
}

static void client_gave_up(struct tn3270 *t, u64 now) {
    UNUSED(now);
    not_3270(t);
}
static void close_session(struct tn3270 *t, u64 now) {
    UNUSED(now);
    t->state = TN_OVER;
}

/* What a change of options does; NULL: nothing in this state. Words in subnegotiations are the second table. */
static void (*const on_option[TN_STATES][EVENTS])(struct tn3270 *t, u64 now) = {
    [TN_OFFER] = {[EV_ENHANCED_ON] = go_enhanced, [EV_ENHANCED_OFF] = go_plain},
    [TN_DEVICE] = {[EV_ENHANCED_OFF] = go_plain},
    [TN_FUNCTIONS_STATE] = {[EV_ENHANCED_OFF] = go_plain},
    [TN_TTYPE_ASK] = {[EV_TTYPE_ON] = ttype_send, [EV_TTYPE_OFF] = client_gave_up},
    [TN_TTYPE] = {[EV_TTYPE_OFF] = client_gave_up},
    [TN_PLAIN] = {[EV_PLAIN] = plain_changed},
    /* Who takes back what the session stands on ends it. */
    [TN_QUERY] = {[EV_ENHANCED_OFF] = close_session, [EV_PLAIN] = close_session},
    [TN_READY] = {[EV_ENHANCED_OFF] = close_session, [EV_PLAIN] = close_session},
    [TN_SSCP] = {[EV_ENHANCED_OFF] = close_session},
};

static void (*const on_words[TN_STATES][3])(struct tn3270 *t, const struct tn3270e_request *q, u64 now) = {
    [TN_DEVICE] = {[TN_ASKS_DEVICE] = device_asked},
    [TN_FUNCTIONS_STATE] = {[TN_ASKS_FUNCTIONS] = functions_asked, [TN_AGREES_FUNCTIONS] = functions_agreed},
};

static void option_event(struct tn3270 *t, enum event e, u64 now) {
    if (on_option[t->state][e]) on_option[t->state][e](t, now);
}

/* What we would have on if the client asked first: what the session needs on both sides, and no echo. */
static bool is_allowed(const struct tn3270 *t, u8 verb, u8 option) {
    bool his = verb == TELNET_WILL || verb == TELNET_WONT;
    if (option == TELOPT_BINARY || option == TELOPT_EOR) return !t->enhanced;
    if (option == TELOPT_SGA) return true;
    return his && (option == TELOPT_TTYPE || option == TELOPT_TN3270E);
}

static void option(struct tn3270 *t, const struct telnet_token *tok, u64 now) {
    u8 three[3];
    enum telnet_change change;
    if (tok->option == TELOPT_TIMING_MARK && (tok->code == TELNET_WILL || tok->code == TELNET_WONT)) {
        t->mark_asked = false;
        return;
    }
    bool allowed = is_allowed(t, tok->code, tok->option);
    say(t, three, telnet_answer(&t->telnet, tok->code, tok->option, allowed, three, &change));
    if (change == TELNET_SAME) return;
    bool on = change == TELNET_NOW_ON;
    switch (tok->option) {
    case TELOPT_TN3270E: option_event(t, on ? EV_ENHANCED_ON : EV_ENHANCED_OFF, now); break;
    case TELOPT_TTYPE: option_event(t, on ? EV_TTYPE_ON : EV_TTYPE_OFF, now); break;
    case TELOPT_EOR:
    case TELOPT_BINARY:
        if (!t->enhanced) option_event(t, EV_PLAIN, now);
        break;
    default: break;
    }
}

static void subnegotiation(struct tn3270 *t, u64 now) {
    struct tn3270e_request q;
    const u8 *sub = t->telnet.sub;
    u32 n = t->telnet.sub_len;
    if (t->state == TN_TTYPE && n > 2 && sub[0] == TELOPT_TTYPE && sub[1] == TELNET_TTYPE_IS) {
        char name[TN_DEVICE_MAX + 1];
        u32 len = u32_min(n - 2, TN_DEVICE_MAX);
        for (u32 i = 0; i < len; i++) name[i] = (char)(sub[2 + i] >= 'a' && sub[2 + i] <= 'z' ? sub[2 + i] - 32 : sub[2 + i]);
        name[len] = '\0';
        ttype_named(t, name, now);
        return;
    }
    if (tn3270e_read(sub, n, &q) == 0 && on_words[t->state][q.kind])
        on_words[t->state][q.kind](t, &q, now);
    else
        t->counts->bad_words++;
}

/* ---- records ---- */
static void data_3270(struct tn3270 *t, const u8 *p, u32 n, u64 now) {
    struct ds_inbound in;
    struct ds_device d;
    t->counts->records_in++;
    if (t->state == TN_QUERY) {
        if (ds_read_query(p, n, &d) == 0 && d.rows >= 24 && d.cols >= 80 && d.rows <= 255 && d.cols <= 255) {
            t->terminal.rows = (u16)d.rows;
            t->terminal.cols = (u16)d.cols;
        }
        ready(t, now);
        return;
    }
    if (t->state != TN_READY || ds_read(p, n, tn3270_cells(t), &in) < 0 || in.aid == DS_AID_STRUCTURED) {
        t->counts->bad_records++;
        return;
    }
    t->awaiting = false; /* who presses keys has seen the screen */
    t->ops->input(t, &in, now);
}

static void response(struct tn3270 *t, const struct tn3270e_header *h, u64 now) {
    if (h->response != 0) {
        /* The display could not show it. The same again would fail again: it is counted and left to the user. */
        t->counts->negative++;
    } else if (!t->awaiting || h->seq != t->awaited) {
        t->counts->late_responses++;
    } else {
        t->counts->positive++;
        t->response_usec = (u32)(now - t->written_at);
    }
    t->awaiting &= h->seq != t->awaited;
}

/* SYSREQ gives the keyboard to the control program's session, which knows one word. */
static void sscp_data(struct tn3270 *t, const u8 *p, u32 n) {
    char text[16];
    static const char unknown[] = "COMMAND UNRECOGNIZED";
    u8 answer[sizeof unknown];
    u32 skip = 0;
    while (skip < n && p[skip] == EBCDIC_BLANK) skip++;
    u32 len = ebcdic_trim(text, p + skip, u32_min(n - skip, sizeof text - 1));
    if (str_eq_ci(text, "LOGOFF")) {
        tn3270_end(t);
    } else if (len) {
        ebcdic_put(answer, unknown, sizeof unknown - 1);
        record(t, TN_SSCP_LU_DATA, 0, answer, sizeof unknown - 1);
    }
}

static void record_end(struct tn3270 *t, u64 now) {
    struct tn3270e_header h = {.data = TN_3270_DATA};
    u32 n = t->in_len, skip = t->enhanced ? TN3270E_HEADER : 0;
    bool too_long = t->record_long;
    t->in_len = 0;
    t->record_long = false;
    if (too_long) {
        t->counts->long_records++;
        return;
    }
    if (t->state < TN_QUERY || n < skip) {
        t->counts->bad_records++;
        return;
    }
    if (skip) tn3270e_header_get(t->in, &h);
    if (h.data == TN_3270_DATA)
        data_3270(t, t->in + skip, n - skip, now);
    else if (h.data == TN_RESPONSE)
        response(t, &h, now);
    else if (h.data == TN_SSCP_LU_DATA && t->state == TN_SSCP)
        sscp_data(t, t->in + skip, n - skip);
    else
        t->counts->bad_records++;
}

static void sysreq(struct tn3270 *t, u64 now) {
    static const u8 nothing = 0;
    if (!has(t, TN_F_SYSREQ)) return;
    if (t->state == TN_READY) {
        t->state = TN_SSCP;
        record(t, TN_SSCP_LU_DATA, 0, &nothing, 0);
    } else if (t->state == TN_SSCP) {
        t->state = TN_READY;
        t->ops->redraw(t, now);
    }
}

static void command(struct tn3270 *t, u8 code, u64 now) {
    static const u8 alive[] = {TELNET_IAC, TELNET_NOP};
    switch (code) {
    case TELNET_EOR: record_end(t, now); break;
    case TELNET_AO: sysreq(t, now); break;
    /* RFC 1576 has BREAK for ATTN, RFC 2355 IP; clients send one or the other in either mode. */
    case TELNET_BREAK:
    case TELNET_IP:
        if (t->state == TN_READY) t->ops->attention(t, now);
        break;
    case TELNET_AYT: say(t, alive, sizeof alive); break; /* text would be taken for a data stream */
    default: break;
    }
}

static void data(struct tn3270 *t, const u8 *p, u32 n) {
    if (TN3270_IN_MAX - t->in_len < n) {
        t->record_long = true;
        return;
    }
    memcpy(t->in + t->in_len, p, n);
    t->in_len += n;
}

void tn3270_open(struct tn3270 *t, const struct tn3270_ops *ops, struct tn3270_counts *counts, const char *application) {
    /* Not out[] and in[]: they are large, and nothing is read from them that was not written. */
    memset(t, 0, offsetof(struct tn3270, in));
    t->ops = ops;
    t->counts = counts;
    t->application = application;
    t->state = TN_OFFER;
    telnet_init(&t->telnet);
    ask(t, TELNET_DO, TELOPT_TN3270E);
}

void tn3270_input(struct tn3270 *t, const u8 *bytes, u32 n, u64 now) {
    while (n && t->state != TN_OVER) {
        struct telnet_token tok;
        u32 used = telnet_feed(&t->telnet, bytes, n, &tok);
        bytes += used;
        n -= used;
        switch (tok.kind) {
        case TELNET_DATA: data(t, tok.data, tok.len); break;
        case TELNET_COMMAND: command(t, tok.code, now); break;
        case TELNET_OPTION: option(t, &tok, now); break;
        case TELNET_SUB: subnegotiation(t, now); break;
        default: break;
        }
    }
}
