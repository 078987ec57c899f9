/* tn3270.h - one TN3270 session's protocol, without its socket: bytes in, bytes out, and a display between.
 *
 * RFC 1576 (plain: TERMINAL-TYPE, BINARY, END-OF-RECORD) and RFC 2355 (TN3270E) with BIND-IMAGE, RESPONSES and SYSREQ.
 *
 *   state       we have sent                               leaves on                               to
 *   OFFER       DO TN3270E                                 WILL | WONT                             DEVICE | TTYPE_ASK
 *   DEVICE      SEND DEVICE-TYPE, or REJECT                a type and name that we have | WONT     FUNCTIONS | TTYPE_ASK
 *   FUNCTIONS   DEVICE-TYPE IS, perhaps our own list       a list within ours | his agreement      QUERY or READY
 *   TTYPE_ASK   DO TERMINAL-TYPE                           WILL | WONT                             TTYPE | OVER
 *   TTYPE       SEND                                       a display's name | the same name twice  PLAIN | OVER
 *   PLAIN       DO, WILL for EOR and BINARY                all four on | one refused               QUERY or READY | OVER
 *   QUERY       Read Partition (Query)                     the replies, or any other record        READY
 *   READY       screens                                    SYSREQ | the end                        SSCP | OVER
 *   SSCP        SSCP-LU-DATA                               SYSREQ | LOGOFF                         READY | OVER
 *   OVER        UNBIND; the owner closes when out is empty
 *
 * Output: the owner sends out[out_at..out_len) and calls tn3270_sent(). A screen is accepted only when out is empty and
 * no response to an earlier one is outstanding (tn3270_may_write), so a slow display gets fewer screens and never half
 * a one. What negotiation says is appended; if it does not fit, the client asks faster than it reads: OVER.
 *
 * Peer's errors are counted in struct tn3270_counts, which sessions share. Touches its arguments only.
 */
#ifndef APPS_TN3270_H
#define APPS_TN3270_H

#include "apps/telnet.h"
#include "apps/tn3270e.h"
#include "wire/ds3270.h"

#define TN3270_OUT_MAX 8192u /* a full 27x132 screen with a coloured field in each line, twice over what panels need */
#define TN3270_IN_MAX  1024u /* panels have short input fields; a query reply of any known display is below 600 */

enum tn3270_state {
    TN_OFFER, TN_DEVICE, TN_FUNCTIONS_STATE, TN_TTYPE_ASK, TN_TTYPE, TN_PLAIN, TN_QUERY, TN_READY, TN_SSCP, TN_OVER, TN_STATES
};

struct tn3270_counts {
    u32 records_in, records_out, positive, negative, timing_marks;
    u32 bad_records, long_records, bad_words, refused_types, refused_names, not_3270, floods, late_responses;
};

struct tn3270;
struct tn3270_ops {
    /* 0 and a name for the LU (wanted "" = any), -ERR_NOENT: none of ours, -ERR_BUSY: another session's. */
    int (*name)(struct tn3270 *t, const char *wanted, char lu[TN_NAME_MAX + 1]);
    void (*ready)(struct tn3270 *t, u64 now);                        /* the display is there */
    void (*input)(struct tn3270 *t, struct ds_inbound *in, u64 now); /* the user pressed a key */
    void (*attention)(struct tn3270 *t, u64 now);                    /* ATTN */
    void (*redraw)(struct tn3270 *t, u64 now);                       /* what the display shows is not what was sent */
};

struct tn3270 {
    const struct tn3270_ops *ops;
    struct tn3270_counts *counts;
    struct telnet telnet;
    u8 state;
    bool enhanced;           /* TN3270E */
    bool mark_asked;         /* a DO TIMING-MARK is out */
    bool record_long;
    bool alternate;          /* the display has its alternate screen on */
    u8 tries;                /* names of terminals asked for */
    struct terminal terminal;
    char device[TN_DEVICE_MAX + 1], lu[TN_NAME_MAX + 1];
    const char *application; /* of the BIND image */
    u32 functions;
    u16 seq, awaited;        /* sequence numbers: next one, and the one whose response is outstanding */
    bool awaiting;
    u64 written_at;
    u32 response_usec;       /* of the last response */
    u32 in_len, out_len, out_at;
    u8 in[TN3270_IN_MAX], out[TN3270_OUT_MAX];
};

void tn3270_open(struct tn3270 *t, const struct tn3270_ops *ops, struct tn3270_counts *counts, const char *application);
/* Takes all n bytes. */
void tn3270_input(struct tn3270 *t, const u8 *bytes, u32 n, u64 now);
static inline bool tn3270_may_write(const struct tn3270 *t) {
    return t->state == TN_READY && t->out_len == 0 && !t->awaiting;
}
/* One data stream, plain bytes. Only when tn3270_may_write(). false: it does not fit, nothing was sent.
 * unasked: no key of the user asked for it, so a response is to say that it has arrived before the next one goes. A screen that
 * a key asked for needs none: the next key is its response, and one on the way would hold that key back (RFC 896). */
bool tn3270_write(struct tn3270 *t, const u8 *stream, u32 n, bool unasked, u64 now);
/* n bytes of out are on their way. */
void tn3270_sent(struct tn3270 *t, u32 n);
/* DO TIMING-MARK: anything that comes afterwards is the sign of life. false: one is out already. */
bool tn3270_timing_mark(struct tn3270 *t);
/* UNBIND if there was a BIND, then OVER. */
void tn3270_end(struct tn3270 *t);
const char *tn3270_state_name(u32 state);
static inline u32 tn3270_cells(const struct tn3270 *t) {
    return t->alternate ? (u32)t->terminal.rows * t->terminal.cols : 24u * 80;
}

#endif
