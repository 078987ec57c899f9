/* telnet.h - the Telnet protocol (RFC 854, 855) as a server sees it: bytes become tokens, options are agreed on.
 *
 * Reading: telnet_feed() takes bytes as they come, in any pieces, and says one token at a time:
 *   NOTHING   only a part of one came         DATA     text; IAC IAC has become one 255
 *   COMMAND   IAC code (EOR, AO, IP, ...)     OPTION   IAC WILL|WONT|DO|DONT option
 *   SUB       IAC SB option ... IAC SE: sub[0..sub_len), the option first. One longer than TELNET_SUB_MAX is dropped and counted.
 *
 * Options, each side on its own, by RFC 1143 without its queue (we never change our mind), as telnet_cells in telnet.c:
 *   NO     it is off          WANT   we asked            YES    it is on
 * A request that changes nothing gets no answer, so two peers can't set each other in a loop.
 */
#ifndef APPS_TELNET_H
#define APPS_TELNET_H

#include "base/base.h"

enum telnet_code {
    TELNET_EOR = 239,
    TELNET_SE = 240,
    TELNET_NOP = 241,
    TELNET_BREAK = 243,
    TELNET_IP = 244,
    TELNET_AO = 245,
    TELNET_AYT = 246,
    TELNET_EC = 247,
    TELNET_EL = 248,
    TELNET_SB = 250,
    TELNET_WILL = 251,
    TELNET_WONT = 252,
    TELNET_DO = 253,
    TELNET_DONT = 254,
    TELNET_IAC = 255,
};
enum telnet_option { TELOPT_BINARY = 0, TELOPT_ECHO = 1, TELOPT_SGA = 3, TELOPT_TIMING_MARK = 6, TELOPT_TTYPE = 24, TELOPT_EOR = 25, TELOPT_TN3270E = 40 };
enum telnet_ttype { TELNET_TTYPE_IS = 0, TELNET_TTYPE_SEND = 1 };

#define TELNET_SUB_MAX 80u
#define TELNET_OPTIONS 41u /* 0..40; others are always refused */

enum telnet_kind { TELNET_NOTHING, TELNET_DATA, TELNET_COMMAND, TELNET_OPTION, TELNET_SUB };
struct telnet_token {
    u8 kind;
    u8 code, option; /* of COMMAND and OPTION */
    const u8 *data;  /* DATA: within what was fed, or one byte of the decoder's */
    u32 len;
};

enum telnet_state { TELNET_OFF, TELNET_WANT, TELNET_ON, TELNET_STATES };
enum telnet_change { TELNET_SAME, TELNET_NOW_ON, TELNET_NOW_OFF, TELNET_REFUSED };

struct telnet {
    u8 state, verb;
    bool sub_long;
    u8 us[TELNET_OPTIONS], him[TELNET_OPTIONS]; /* enum telnet_state */
    u32 sub_len, subs_dropped;
    u8 sub[TELNET_SUB_MAX];
};

void telnet_init(struct telnet *t);
/* Takes at least one of n > 0 bytes and returns how many. */
u32 telnet_feed(struct telnet *t, const u8 *bytes, u32 n, struct telnet_token *out);

/* Each writes an answer of 0 or 3 bytes to out and returns its length.
 * ask: verb WILL (for us) or DO (for him); nothing if it is on or was asked. */
u32 telnet_ask(struct telnet *t, u8 verb, u8 option, u8 out[3]);
/* An OPTION token came; allowed: would we have it on, on that side? */
u32 telnet_answer(struct telnet *t, u8 verb, u8 option, bool allowed, u8 out[3], enum telnet_change *change);

/* Doubles each IAC. Returns the length, or 0 if it does not fit in cap. */
u32 telnet_escape(u8 *out, u32 cap, const u8 *in, u32 n);

/* The cells of the option machine, for its unit test: [state][asks for on][allowed]. */
struct telnet_cell {
    u8 next, change;
    bool answer; /* WILL/DO if next is ON, else WONT/DONT */
};
extern const struct telnet_cell telnet_cells[TELNET_STATES][2][2];

#endif
