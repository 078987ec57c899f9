/* http_text.h - the text of HTTP/1.0 and HTTP/1.1 requests (RFC 9112), taken line by line as it arrives.
 *
 *   http_request_begin(&r);
 *   used = http_request_feed(&r, bytes, n, &complete);      until complete; what is left over is body or next request
 *
 * Only a line is kept, never the whole header: a header may be as long as it likes and costs nothing. A target of
 * more than HTTP_LINE_MAX ends in error 414; a header field that long is skipped. Everything comes from a peer:
 * what is wrong sets `error` to the status code, and reading goes on to the empty line so that the answer fits.
 */
#ifndef APPS_HTTP_TEXT_H
#define APPS_HTTP_TEXT_H

#include "base/base.h"

#define HTTP_LINE_MAX 512
#define HTTP_NAME_MAX 8 /* of a member */
#define HTTP_BLANK_LINES_MAX 4 /* before a request line (RFC 9112 2.2 asks for one) */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_TRACE, HTTP_METHODS };

struct http_request {
    u8 method; /* enum http_method; HTTP_METHODS: unknown */
    u8 minor;  /* HTTP/1.minor */
    u8 blank_lines;
    bool started, too_long, keep_alive, expect_continue, host, has_length;
    bool is_sink, is_status, is_bulk; /* else a member */
    char name[HTTP_NAME_MAX + 1];     /* upper case; empty: no member can have this name */
    u16 error;                        /* status code, 0 = none */
    u16 line_len;
    u64 length, bulk;
    char line[HTTP_LINE_MAX];
};

void http_request_begin(struct http_request *r);
/* Bytes taken. *complete: the empty line has come. */
u32 http_request_feed(struct http_request *r, const u8 *in, u32 n, bool *complete);
const char *http_reason(u32 code);
/* The next member named by href="..." or src="..." from *at on; name in upper case. */
bool http_next_reference(const char *text, u32 len, u32 *at, char name[HTTP_NAME_MAX + 1]);

#endif
