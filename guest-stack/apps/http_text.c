/* http_text.c - the reader of apps/http_text.h. Values in, values out; no socket. */
#include "apps/http_text.h"

#include "base/str.h"

static const char *const methods[HTTP_METHODS] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"};
static const struct {
    u16 code;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {414, "URI Too Long"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {505, "HTTP Version Not Supported"},
};

const char *http_reason(u32 code) {
    for (u32 i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].code == code) return reasons[i].reason;
    return "Unknown";
}

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

/* Does text begin with word, case ignored; returns what follows it. */
static const char *skip_ci(const char *text, const char *word) {
    while (*word)
        if (upper(*text++) != *word++) return NULL;
    return text;
}

/* Digits to the end of the text, at most 18 of them; false otherwise. */
static bool number(const char *text, u64 *out) {
    u64 v = 0;
    u32 digits = 0;
    for (; *text >= '0' && *text <= '9'; text++, digits++) v = v * 10 + (u64)(*text - '0');
    while (*text == ' ') text++;
    if (digits == 0 || digits > 18 || *text) return false;
    *out = v;
    return true;
}

static bool name_char(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '$' || c == '#' || c == '@';
}

/* NAME or NAME.html up to one of the ending characters; empty if no member can be called so. */
static void member_name(const char *text, u32 len, char name[HTTP_NAME_MAX + 1]) {
    u32 n = 0;
    name[0] = '\0';
    while (n < len && n < HTTP_NAME_MAX && name_char(upper(text[n]))) name[n] = upper(text[n]), n++;
    name[n] = '\0';
    if (n == len || (len - n == 5 && skip_ci(text + n, ".HTML")) || (len - n == 4 && skip_ci(text + n, ".TXT"))) return;
    name[0] = '\0';
}

static void set_error(struct http_request *r, u16 code) {
    if (!r->error) r->error = code;
}

/* What the path asks for; a query is ignored. */
static void classify(struct http_request *r, const char *path) {
    u32 len = 0;
    const char *rest;
    while (path[len] && path[len] != '?') len++;
    if (len == 1)
        str_copy(r->name, sizeof r->name, "INDEX");
    else if (len == 7 && skip_ci(path, "/STATUS"))
        r->is_status = true;
    else if (len == 5 && skip_ci(path, "/SINK"))
        r->is_sink = true;
    else if ((rest = skip_ci(path, "/BULK/")) != NULL && number(rest, &r->bulk))
        r->is_bulk = true;
    else
        member_name(path + 1, len - 1, r->name);
}

/* METHOD SP target SP HTTP/1.x, cut in place. */
static void request_line(struct http_request *r) {
    char *target = r->line, *version;
    while (*target && *target != ' ') target++;
    if (*target) *target++ = '\0';
    version = target;
    while (*version && *version != ' ') version++;
    if (*version) *version++ = '\0';
    for (r->method = 0; r->method < HTTP_METHODS; r->method++)
        if (strcmp(r->line, methods[r->method]) == 0) break;
    if (strlen(version) != 8 || memcmp(version, "HTTP/", 5) != 0 || version[6] != '.') {
        set_error(r, 400);
        return;
    }
    if (version[5] != '1') {
        set_error(r, 505);
        return;
    }
    r->minor = version[7] == '0' ? 0 : 1;
    r->keep_alive = r->minor == 1;
    if (r->method == HTTP_METHODS) set_error(r, 501);
    /* The absolute form that proxies send: the authority is not ours to judge. */
    const char *absolute = skip_ci(target, "HTTP://");
    if (absolute) {
        while (*absolute && *absolute != '/') absolute++;
        target = (char *)(uintptr_t)(*absolute ? absolute : "/");
    }
    if (*target != '/')
        set_error(r, 400);
    else
        classify(r, target);
}

/* Is word one of the comma-separated tokens of value? */
static bool has_token(const char *value, const char *word) {
    while (*value) {
        while (*value == ' ' || *value == ',') value++;
        const char *end = skip_ci(value, word);
        if (end && (*end == '\0' || *end == ',' || *end == ' ')) return true;
        while (*value && *value != ',') value++;
    }
    return false;
}

static void header_line(struct http_request *r) {
    const char *v;
    if (r->line[0] == ' ' || r->line[0] == '\t') {
        set_error(r, 400); /* folded lines are obsolete (RFC 9112 5.2) */
    } else if ((v = skip_ci(r->line, "HOST:")) != NULL) {
        if (r->host) set_error(r, 400);
        r->host = true;
    } else if ((v = skip_ci(r->line, "CONTENT-LENGTH:")) != NULL) {
        u64 n = 0;
        while (*v == ' ') v++;
        if (!number(v, &n) || (r->has_length && n != r->length)) set_error(r, 400);
        r->has_length = true;
        r->length = n;
    } else if (skip_ci(r->line, "TRANSFER-ENCODING:")) {
        set_error(r, 501);
    } else if ((v = skip_ci(r->line, "CONNECTION:")) != NULL) {
        if (has_token(v, "CLOSE")) r->keep_alive = false;
        if (r->minor == 0 && has_token(v, "KEEP-ALIVE")) r->keep_alive = true;
    } else if ((v = skip_ci(r->line, "EXPECT:")) != NULL) {
        r->expect_continue = r->minor == 1 && has_token(v, "100-CONTINUE");
    } else {
        const char *c = r->line;
        while (*c && *c != ':' && *c != ' ') c++;
        if (*c != ':' || c == r->line) set_error(r, 400);
    }
}

/* One line without its end. true: it was the empty one. */
static bool take_line(struct http_request *r) {
    bool empty = r->line_len == 0 && !r->too_long;
    r->line[r->line_len] = '\0';
    if (!r->started) {
        if (empty) {
            if (++r->blank_lines <= HTTP_BLANK_LINES_MAX) return false;
            r->error = 400;
            r->keep_alive = false;
            return true;
        }
        r->started = true;
        if (r->too_long)
            set_error(r, 414);
        else
            request_line(r);
        /* What is not HTTP may never send an empty line: the answer must not wait for one. */
        if (r->error == 400 || r->error == 414) return true;
    } else if (empty) {
        if (r->minor == 1 && !r->host) set_error(r, 400);
        return true;
    } else if (!r->too_long) {
        header_line(r);
    }
    r->line_len = 0;
    r->too_long = false;
    return false;
}

void http_request_begin(struct http_request *r) {
    u32 line_at = (u32)offsetof(struct http_request, line);
    memset(r, 0, line_at);
}

/* Bytes up to the line's end or the input's join the line. */
static u32 take_piece(struct http_request *r, const u8 *in, u32 n) {
    u32 len = 0;
    bool nul = false;
    for (; len < n && in[len] != '\n'; len++) nul |= in[len] == 0;
    if (nul) set_error(r, 400);
    u32 room = HTTP_LINE_MAX - 1u - r->line_len, part = u32_min(len, room);
    memcpy(r->line + r->line_len, in, part);
    r->line_len = (u16)(r->line_len + part);
    if (part < len) r->too_long = true;
    return len;
}

u32 http_request_feed(struct http_request *r, const u8 *in, u32 n, bool *complete) {
    u32 at = 0;
    while (at < n) {
        at += take_piece(r, in + at, n - at);
        /* A request line without end would hold its connection for ever. */
        if (r->too_long && !r->started) {
            r->started = true;
            set_error(r, 414);
            *complete = true;
            return at;
        }
        if (at == n) return n;
        at++;
        if (r->line_len > 0 && r->line[r->line_len - 1] == '\r') r->line_len--;
        if (take_line(r)) {
            *complete = true;
            return at;
        }
    }
    return n;
}

bool http_next_reference(const char *text, u32 len, u32 *at, char name[HTTP_NAME_MAX + 1]) {
    for (u32 i = *at; i + 6 < len; i++) {
        /* The text ends in a NUL, so a comparison stops there. */
        const char *v = skip_ci(text + i, "HREF=\"");
        if (!v) v = skip_ci(text + i, "SRC=\"");
        if (!v) continue;
        if (*v == '/') v++;
        u32 n = 0;
        while ((u32)(v + n - text) < len && v[n] != '"' && v[n] != '#' && v[n] != '?') n++;
        member_name(v, n, name);
        *at = (u32)(v + n - text);
        if (name[0]) return true;
        i = *at;
    }
    *at = len;
    return false;
}
