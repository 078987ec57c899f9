/* tn3270e.c - reading and writing TN3270E's words. See tn3270e.h. */
#include "apps/tn3270e.h"

#include "apps/telnet.h"
#include "base/be.h"
#include "base/ebcdic.h"
#include "base/str.h"

void tn3270e_header_put(u8 out[TN3270E_HEADER], const struct tn3270e_header *h) {
    out[0] = h->data;
    out[1] = h->request;
    out[2] = h->response;
    be16_put(out + 3, h->seq);
}

void tn3270e_header_get(const u8 *in, struct tn3270e_header *h) {
    *h = (struct tn3270e_header){.data = in[0], .request = in[1], .response = in[2], .seq = be16_get(in + 3)};
}

/* ---- what a client says ---- */

/* Upper case ASCII up to a verb byte or the end; returns how many bytes it took. */
static u32 take_name(const u8 *p, u32 n, char *out, u32 cap, bool *too_long) {
    u32 len = 0, at = 0;
    for (; at < n && p[at] > ' ' && p[at] < 0x7F; at++) {
        char c = (char)p[at];
        if (len + 1 == cap)
            *too_long = true;
        else
            out[len++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    out[len] = '\0';
    return at;
}

static int read_device(const u8 *p, u32 n, struct tn3270e_request *out) {
    out->kind = TN_ASKS_DEVICE;
    u32 at = take_name(p, n, out->device, sizeof out->device, &out->name_long);
    if (at == n) return 0;
    if (p[at] != TN_CONNECT && p[at] != TN_ASSOCIATE) return -ERR_INVAL;
    out->associate = p[at] == TN_ASSOCIATE;
    at++;
    at += take_name(p + at, n - at, out->lu, sizeof out->lu, &out->name_long);
    return at == n ? 0 : -ERR_INVAL;
}

static int read_functions(const u8 *p, u32 n, struct tn3270e_request *out) {
    for (u32 i = 0; i < n; i++) {
        if (p[i] <= TN_F_SYSREQ)
            out->functions |= 1u << p[i];
        else
            out->others = true;
    }
    return 0;
}

int tn3270e_read(const u8 *sub, u32 n, struct tn3270e_request *out) {
    memset(out, 0, sizeof *out);
    if (n < 3 || sub[0] != TELOPT_TN3270E) return -ERR_INVAL;
    if (sub[1] == TN_DEVICE_TYPE && sub[2] == TN_REQUEST_VERB) return read_device(sub + 3, n - 3, out);
    if (sub[1] != TN_FUNCTIONS || (sub[2] != TN_REQUEST_VERB && sub[2] != TN_IS)) return -ERR_INVAL;
    out->kind = sub[2] == TN_IS ? TN_AGREES_FUNCTIONS : TN_ASKS_FUNCTIONS;
    return read_functions(sub + 3, n - 3, out);
}

/* ---- what we say ---- */
static u32 sb_open(u8 *out, u8 verb, u8 object) {
    const u8 head[] = {TELNET_IAC, TELNET_SB, TELOPT_TN3270E, verb, object};
    memcpy(out, head, sizeof head);
    return sizeof head;
}
static u32 sb_close(u8 *out, u32 len) {
    out[len] = TELNET_IAC;
    out[len + 1] = TELNET_SE;
    return len + 2;
}
static u32 sb_text(u8 *out, const char *text, u32 max) {
    u32 n = u32_min((u32)strlen(text), max);
    memcpy(out, text, n);
    return n;
}

u32 tn3270e_send_device(u8 *out) { return sb_close(out, sb_open(out, TN_SEND, TN_DEVICE_TYPE)); }

u32 tn3270e_device_is(u8 *out, const char *device, const char *lu) {
    u32 n = sb_open(out, TN_DEVICE_TYPE, TN_IS);
    n += sb_text(out + n, device, TN_DEVICE_MAX);
    out[n++] = TN_CONNECT;
    n += sb_text(out + n, lu, TN_NAME_MAX);
    return sb_close(out, n);
}

u32 tn3270e_reject(u8 *out, u8 reason) {
    u32 n = sb_open(out, TN_DEVICE_TYPE, TN_REJECT);
    out[n++] = TN_REASON;
    out[n++] = reason;
    return sb_close(out, n);
}

u32 tn3270e_functions(u8 *out, u8 verb, u32 functions) {
    u32 n = sb_open(out, TN_FUNCTIONS, verb);
    for (u8 f = 0; f <= TN_F_SYSREQ; f++)
        if (functions >> f & 1) out[n++] = f;
    return sb_close(out, n);
}

const char *tn3270e_function_names(u32 functions, char *out, u32 cap) {
    static const char *const names[] = {"BIND-IMAGE", "DATA-STREAM-CTL", "RESPONSES", "SCS-CTL-CODES", "SYSREQ"};
    u32 n = 0;
    out[0] = '\0';
    for (u32 f = 0; f < ARRAY_LEN(names); f++)
        if (functions >> f & 1) n += str_fmt(out + n, cap - n, "%s%s", n ? " " : "", names[f]);
    return out;
}

/* ---- terminals ---- */
bool terminal_find(const char *name, struct terminal *out) {
    static const struct {
        u16 rows, cols;
    } models[] = {{24, 80}, {32, 80}, {43, 80}, {27, 132}};
    *out = (struct terminal){.rows = 24, .cols = 80, .extended = true, .dynamic = true};
    if (str_eq_ci(name, "IBM-DYNAMIC")) return true;
    out->dynamic = false;
    static const char shape[] = "IBM-327";
    if (strlen(name) < 10 || memcmp(name, shape, sizeof shape - 1) != 0 || (name[7] != '8' && name[7] != '9') ||
        name[8] != '-' || name[9] < '2' || name[9] > '5')
        return false;
    out->extended = str_eq_ci(name + 10, "-E");
    if (name[10] && !out->extended) return false;
    out->rows = models[name[9] - '2'].rows;
    out->cols = models[name[9] - '2'].cols;
    return true;
}

u32 tn3270e_bind(u8 *out, const struct terminal *t, const char *application) {
    enum { USAGE_SIZES = 20, SIZE_KIND = 24, PLU_NAME = 27 };
    /* LU type 2, one chain at a time: 0 BIND, 1 cold, 2 FM 3, 3 TS 3, 4 primary, 5 secondary, 6-7 common protocol. */
    static const u8 fixed[] = {0x31, 0x01, 0x03, 0x03, 0xB1, 0x90, 0x30, 0x80, 0x00, 0x00, 0x87, 0x87, 0x00, 0x00, 0x02};
    u32 name = u32_min((u32)strlen(application), TN_NAME_MAX);
    memset(out, 0, TN_BIND_MAX);
    memcpy(out, fixed, sizeof fixed);
    if (t->extended) out[15] = 0x80; /* Query may be asked */
    out[USAGE_SIZES] = 24;
    out[USAGE_SIZES + 1] = 80;
    out[USAGE_SIZES + 2] = (u8)t->rows;
    out[USAGE_SIZES + 3] = (u8)t->cols;
    out[SIZE_KIND] = t->dynamic ? 0x03 : 0x7F; /* the display knows its alternate size : both are given above */
    out[PLU_NAME] = (u8)name;
    ebcdic_put(out + PLU_NAME + 1, application, name);
    return PLU_NAME + 1 + name;
}
