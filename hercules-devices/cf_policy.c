/* cf_policy.c - the CFRM policy as a facility knows it: which structures may be allocated here, and how large. Layout of
 * POLICY: wire/cfcmd.h. Without an active policy every structure may be allocated, in the size that CONNECT names.
 *
 * The order of a PREFLIST is the connector's business: it asks the facilities in that order. A facility only refuses what
 * does not name it.
 */
#include "hercules-devices/cf_internal.h"

#define ROWS_AT 32u
#define ROW_SIZE 16u
#define ROW_INIT 20u
#define ROW_NAMES 25u
#define ROW_LIST 32u
#define COUPLE_DATA "IXCCDS_" /* begins the names of structures that no policy speaks of */

enum cf_rc cf_do_policy(struct cf_call *c) {
    u32 rows = be32_get(c->cmd + 24);
    if (rows > CF_POLICY_ROWS_MAX || c->len < ROWS_AT + rows * CF_POLICY_ROW_BYTES) return CF_RC_MALFORMED;
    for (u32 i = 0; i < rows; i++) {
        const u8 *row = c->cmd + ROWS_AT + i * CF_POLICY_ROW_BYTES;
        u32 size = be32_get(row + ROW_SIZE);
        if (!size || be32_get(row + ROW_INIT) > size || row[ROW_NAMES] > CF_PREFLIST_MAX) return CF_RC_MALFORMED;
    }
    memcpy(c->cf->policy_name, c->cmd + 16, sizeof c->cf->policy_name);
    c->cf->policy_rows = rows;
    memcpy(c->cf->policy, c->cmd + ROWS_AT, (size_t)rows * CF_POLICY_ROW_BYTES);
    cf_log(c->cf, ENGINE_INFO, "policy %.8s active, %u structures", (const char *)c->cf->policy_name, rows);
    return CF_OK;
}

enum cf_rc cf_do_policy_query(struct cf_call *c) {
    const struct cf *cf = c->cf;
    u8 *p = cf_out(c, ROWS_AT - CF_RSP_BYTES);
    memcpy(p, cf->policy_name, sizeof cf->policy_name);
    be32_put(p + 8, cf->policy_rows);
    for (u32 i = 0; i < cf->policy_rows; i++) {
        u8 *row = cf_out(c, CF_POLICY_ROW_BYTES);
        if (!row) return CF_RC_MORE;
        memcpy(row, cf->policy[i], CF_POLICY_ROW_BYTES);
        c->count++;
    }
    return CF_OK;
}

static bool names_us(const struct cf *cf, const u8 *row) {
    u8 own[CF_FACILITY_NAME_MAX];
    memset(own, ' ', sizeof own);
    memcpy(own, cf->params.name, strlen(cf->params.name));
    for (u32 i = 0; i < row[ROW_NAMES]; i++)
        if (memcmp(row + ROW_LIST + i * 8, own, sizeof own) == 0) return true;
    return false;
}

enum cf_rc cf_policy_size(const struct cf *cf, const u8 *connect, u32 *kb) {
    *kb = be32_get(connect + 64);
    /* The sysplex must be able to keep its couple data wherever COUPLExx says, whatever policy somebody has started. */
    if (!cf->policy_name[0] || memcmp(connect + 16, COUPLE_DATA, sizeof COUPLE_DATA - 1) == 0) return *kb ? CF_OK : CF_RC_POLICY;
    for (u32 i = 0; i < cf->policy_rows; i++) {
        const u8 *row = cf->policy[i];
        if (memcmp(row, connect + 16, CF_NAME_BYTES) != 0) continue;
        u32 initial = be32_get(row + ROW_INIT);
        *kb = initial ? initial : be32_get(row + ROW_SIZE);
        return names_us(cf, row) ? CF_OK : CF_RC_POLICY;
    }
    return CF_RC_POLICY;
}
