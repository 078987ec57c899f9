/* tn3270e.h - the words of TN3270E (RFC 2355): the header of each message, the two negotiations, names of terminals.
 *
 *   header   0 data type   1 request flag   2 response flag   3..4 sequence number
 *   SB       40 SEND DEVICE-TYPE                                        (server)
 *            40 DEVICE-TYPE REQUEST type [CONNECT|ASSOCIATE name]       (client)
 *            40 DEVICE-TYPE IS type CONNECT name | DEVICE-TYPE REJECT REASON code
 *            40 FUNCTIONS REQUEST list | FUNCTIONS IS list              (both)
 *
 * Names of terminals (RFC 1091, 2355 7.1.4): IBM-327{8,9}-{2,3,4,5}[-E], IBM-DYNAMIC, and printers, which we have nothing for.
 *   model    2 24x80   3 32x80   4 43x80   5 27x132   the alternate screen; the default screen is always 24x80
 */
#ifndef APPS_TN3270E_H
#define APPS_TN3270E_H

#include "base/base.h"

#define TN3270E_HEADER 5u
enum tn3270e_data { TN_3270_DATA, TN_SCS_DATA, TN_RESPONSE, TN_BIND_IMAGE, TN_UNBIND, TN_NVT_DATA, TN_REQUEST, TN_SSCP_LU_DATA, TN_PRINT_EOJ };
enum tn3270e_response { TN_NO_RESPONSE, TN_ERROR_RESPONSE, TN_ALWAYS_RESPONSE }; /* server's; the client's: 0 positive, 1 negative */
enum tn3270e_function { TN_F_BIND_IMAGE, TN_F_DATA_STREAM_CTL, TN_F_RESPONSES, TN_F_SCS_CTL_CODES, TN_F_SYSREQ };
enum tn3270e_verb { TN_ASSOCIATE, TN_CONNECT, TN_DEVICE_TYPE, TN_FUNCTIONS, TN_IS, TN_REASON, TN_REJECT, TN_REQUEST_VERB, TN_SEND };
enum tn3270e_reason { TN_CONN_PARTNER, TN_DEVICE_IN_USE, TN_INV_ASSOCIATE, TN_INV_NAME, TN_INV_DEVICE_TYPE, TN_TYPE_NAME_ERROR, TN_UNKNOWN_ERROR, TN_UNSUPPORTED_REQ };

#define TN_NAME_MAX   8u  /* of an LU */
#define TN_DEVICE_MAX 40u /* of a terminal type, RFC 1091 */

struct tn3270e_header {
    u8 data, request, response;
    u16 seq;
};
void tn3270e_header_put(u8 out[TN3270E_HEADER], const struct tn3270e_header *h);
/* n >= TN3270E_HEADER */
void tn3270e_header_get(const u8 *in, struct tn3270e_header *h);

enum tn3270e_kind { TN_ASKS_DEVICE, TN_ASKS_FUNCTIONS, TN_AGREES_FUNCTIONS };
struct tn3270e_request {
    u8 kind;
    char device[TN_DEVICE_MAX + 1];
    char lu[TN_NAME_MAX + 1]; /* CONNECT name, "" if there was none */
    bool associate;           /* asked for a printer's partner */
    bool name_long;           /* a name that cannot be one of ours */
    u32 functions;            /* bits by enum tn3270e_function */
    bool others;              /* functions that we don't know */
};
/* sub: a subnegotiation, sub[0] == 40. -ERR_INVAL for anything else than the three above. */
int tn3270e_read(const u8 *sub, u32 n, struct tn3270e_request *out);

/* Each writes a whole IAC SB ... IAC SE and returns its length, at most TN3270E_SB_MAX. */
#define TN3270E_SB_MAX 64u
u32 tn3270e_send_device(u8 *out);
u32 tn3270e_device_is(u8 *out, const char *device, const char *lu);
u32 tn3270e_reject(u8 *out, u8 reason);
u32 tn3270e_functions(u8 *out, u8 verb, u32 functions); /* TN_IS or TN_REQUEST_VERB */
/* "BIND-IMAGE RESPONSES" for displays; returns out. */
const char *tn3270e_function_names(u32 functions, char *out, u32 cap);

struct terminal {
    u16 rows, cols; /* alternate screen */
    bool extended;  /* colours, highlighting, structured fields */
    bool dynamic;   /* the size is to be asked for */
};
/* false: no display that we know. */
bool terminal_find(const char *name, struct terminal *out);

/* A BIND image (SNA Formats, BIND RU; format 0) for a display with this alternate screen; returns its length. */
#define TN_BIND_MAX 48u
u32 tn3270e_bind(u8 *out, const struct terminal *t, const char *application);

#endif
