/* client3270.h - a TN3270(E) client for tests, written from RFC 1576 and 2355: answers negotiation, shows records on a display
 * (display3270.h), sends responses. It knows nothing of the server's sources.
 *
 *   client_init(c, enhanced, type, rows, cols)   then change what is special: lu, functions, answers
 *   c_feed(c, bytes, n)                          what came from the server; answers go to out[0..out_len)
 *   c_record(c, type, response, seq, p, n)       a record of its own; c_say: bytes as they are
 */
#ifndef TESTS_UNIT_CLIENT3270_H
#define TESTS_UNIT_CLIENT3270_H

#include "tests/unit/display3270.h"

struct client {
    struct display d;
    bool enhanced;           /* does it speak TN3270E? */
    const char *type, *lu;   /* name of its terminal; LU it asks for, or "" */
    u8 functions[8], count;  /* that it asks for; 99 ends nothing: sent as it is */
    bool answers;            /* sends responses */
    /* what came */
    bool on_enhanced, bound, unbound, sscp;
    char got_lu[16], sscp_text[64], nvt[200];
    u8 rejected, agreed[8], agreed_count;
    u32 records, marks;
    /* decoder */
    u8 st, verb, sub[128], rec[20000];
    u32 sub_len, rec_len;
    u8 out[8192];
    u32 out_len;
};

void client_init(struct client *c, bool enhanced, const char *type, u32 rows, u32 cols);
void c_feed(struct client *c, const u8 *p, u32 n);
void c_record(struct client *c, u8 type, u8 response, u32 seq, const u8 *p, u32 n);
void c_say(struct client *c, const void *p, u32 n);

#endif
