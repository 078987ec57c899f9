/* cfrm.c - the CFRM policy of the sysplex, and which facility has which. See cfrm.h; the inventory is cfrm_inventory.c. */
#include "xcf/cfrm_impl.h"

#include "base/be.h"
#include "base/str.h"

#define ROWS_AT          32u
#define IDENTIFIED_BYTES 64u

size_t cfrm_bytes(void) { return sizeof(struct cfrm) + 16; }
const struct cfrm_policy *cfrm_policy(const struct cfrm *c) { return &c->policy; }
const struct cfrm_counters *cfrm_counters(const struct cfrm *c) { return &c->count; }

struct cfrm *cfrm_create(struct arena *a, const struct cfrm_events *events, void *ctx) {
    struct cfrm *c = arena_take(a, sizeof *c, 16);
    if (!c) return NULL;
    memset(c, 0, sizeof *c);
    c->events = events;
    c->ctx = ctx;
    return c;
}

void cfrm_name_get(char *out, const u8 *padded, u32 bytes) {
    u32 n = bytes;
    while (n && (padded[n - 1] == ' ' || padded[n - 1] == 0)) n--;
    memcpy(out, padded, n);
    out[n] = '\0';
}

void cfrm_name_put(u8 *out, const char *name, u32 bytes) {
    memset(out, ' ', bytes);
    memcpy(out, name, u32_min((u32)strlen(name), bytes));
}

/* ---- the policy as bytes (wire/cfcmd.h, POLICY) ---- */

static void row_put(u8 *p, const struct cfrm_row *r) {
    memset(p, 0, CF_POLICY_ROW_BYTES);
    cfrm_name_put(p, r->name, CF_NAME_BYTES);
    be32_put(p + 16, r->size_kb);
    be32_put(p + 20, r->init_kb);
    p[24] = (u8)r->rebuild_percent;
    p[25] = (u8)r->preferences;
    p[26] = (u8)r->duplex;
    for (u32 i = 0; i < r->preferences; i++) cfrm_name_put(p + 32 + i * 8, r->preference[i], 8);
}

static void row_get(struct cfrm_row *r, const u8 *p) {
    cfrm_name_get(r->name, p, CF_NAME_BYTES);
    r->size_kb = be32_get(p + 16);
    r->init_kb = be32_get(p + 20);
    r->rebuild_percent = p[24];
    r->preferences = u32_min(p[25], CF_PREFLIST_MAX);
    r->duplex = p[26] <= CFRM_DUPLEX_ENABLED ? (enum cfrm_duplex)p[26] : CFRM_DUPLEX_DISABLED;
    for (u32 i = 0; i < r->preferences; i++) cfrm_name_get(r->preference[i], p + 32 + i * 8, 8);
}

const char *cfrm_policy_wrong(const struct cfrm_policy *policy) {
    if (policy->rows > CFRM_ROWS_MAX) return "MORE THAN 128 STRUCTURES";
    for (u32 i = 0; i < policy->rows; i++) {
        const struct cfrm_row *r = &policy->row[i];
        if (!r->size_kb) return "A STRUCTURE WITHOUT SIZE";
        if (r->init_kb > r->size_kb) return "INITSIZE LARGER THAN SIZE";
        if (r->rebuild_percent > 100) return "REBUILDPERCENT OVER 100";
        if (!r->preferences || r->preferences > CF_PREFLIST_MAX) return "A PREFLIST OF NONE, OR OF MORE THAN 8";
        for (u32 k = 0; k < i; k++)
            if (strcmp(policy->row[k].name, r->name) == 0) return "A STRUCTURE TWICE";
    }
    return NULL;
}

const struct cfrm_row *cfrm_policy_row(const struct cfrm *c, const char *structure) {
    for (u32 i = 0; i < c->policy.rows; i++)
        if (strcmp(c->policy.row[i].name, structure) == 0) return &c->policy.row[i];
    return NULL;
}

/* ---- between this system and a facility ---- */

static void told(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cfrm_part *f = ctx;
    UNUSED(r);
    UNUSED(rsp);
    UNUSED(len);
    f->policy_busy = false;
    if (rc == CF_OK) str_copy(f->seen, sizeof f->seen, f->telling);
    else if (rc != XES_LOST) f->all->count.refused++;
    if (f->policy_again && rc != XES_LOST) cfrm_tell_policy(f, now);
}

void cfrm_tell_policy(struct cfrm_part *f, u64 now) {
    struct cfrm *c = f->all;
    u32 len = ROWS_AT + c->policy.rows * CF_POLICY_ROW_BYTES;
    UNUSED(now);
    f->policy_again = f->policy_busy;
    if (f->policy_busy || !f->view.up) return;
    memset(f->policy_cmd, 0, ROWS_AT);
    cf_command_put(f->policy_cmd, CF_POLICY, 0, len, 0, 0);
    str_copy(f->telling, sizeof f->telling, c->policy.name);
    /* A name of zeros is no policy. */
    if (c->policy.name[0]) cfrm_name_put(f->policy_cmd + 16, c->policy.name, 8);
    be32_put(f->policy_cmd + 24, c->policy.rows);
    for (u32 i = 0; i < c->policy.rows; i++) row_put(f->policy_cmd + ROWS_AT + i * CF_POLICY_ROW_BYTES, &c->policy.row[i]);
    f->policy_request = (struct xes_request){.cmd = f->policy_cmd, .len = len, .done = told, .ctx = f};
    f->policy_busy = xes_submit(f->view.x, &f->policy_request) == 0;
    c->count.policies_sent += f->policy_busy;
}

/* The facility's policy becomes this system's, also if it is none. */
static void adopt(struct cfrm_part *f, const u8 *rsp, u64 now) {
    struct cfrm *c = f->all;
    cfrm_name_get(c->policy.name, rsp + 16, 8);
    str_copy(f->seen, sizeof f->seen, c->policy.name);
    c->policy.rows = be32_get(rsp + 24);
    for (u32 i = 0; i < c->policy.rows; i++) row_get(&c->policy.row[i], rsp + ROWS_AT + i * CF_POLICY_ROW_BYTES);
    c->count.policies_learnt++;
    if (c->events && c->events->policy) c->events->policy(c->ctx, now);
}

/* An answer to POLICY_QUERY that is whole, and that no START of this system has overtaken. */
static bool answer_holds(struct cfrm_part *f, u32 rc, const u8 *rsp, u32 len, u64 now) {
    f->policy_busy = false;
    if (rc == XES_LOST) return false;
    u32 rows = len >= ROWS_AT ? be32_get(rsp + 24) : CFRM_ROWS_MAX + 1;
    if (rc != CF_OK || rows > CFRM_ROWS_MAX || len < ROWS_AT + rows * CF_POLICY_ROW_BYTES) {
        f->all->count.drop_malformed++;
        return false;
    }
    if (f->policy_again) cfrm_tell_policy(f, now);
    return !f->policy_busy;
}

/* The facility has just come up: the table in cfrm.h. */
static void asked(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cfrm_part *f = ctx;
    const struct cfrm *c = f->all;
    UNUSED(r);
    if (!answer_holds(f, rc, rsp, len, now)) return;
    if (rsp[16]) adopt(f, rsp, now);
    else if (c->policy.name[0]) cfrm_tell_policy(f, now);
    else if (c->events && c->events->no_policy) c->events->no_policy(c->ctx, now);
}

static void learnt(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cfrm_part *f = ctx;
    UNUSED(r);
    if (answer_holds(f, rc, rsp, len, now)) adopt(f, rsp, now);
}

static void query(struct cfrm_part *f, u8 op, void (*done)(void *, struct xes_request *, u32, const u8 *, u32, u64)) {
    cf_command_put(f->policy_cmd, op, 0, CF_CMD_BYTES, 0, 0);
    f->policy_request = (struct xes_request){.cmd = f->policy_cmd, .len = CF_CMD_BYTES, .done = done, .ctx = f};
    f->policy_busy = xes_submit(f->view.x, &f->policy_request) == 0;
}

void cfrm_learn_policy(struct cfrm_part *f) {
    if (!f->policy_busy) query(f, CF_POLICY_QUERY, learnt);
}

static void checked(void *ctx, struct xes_request *r, u32 rc, const u8 *rsp, u32 len, u64 now) {
    struct cfrm_part *f = ctx;
    char name[9];
    UNUSED(r);
    f->policy_busy = false;
    if (rc == XES_LOST) return;
    if (f->policy_again) { /* this system's operator was faster */
        cfrm_tell_policy(f, now);
    } else if (rc != CF_OK || len < IDENTIFIED_BYTES) {
        f->all->count.drop_malformed++;
    } else {
        cfrm_name_get(name, rsp + 40, 8);
        if (strcmp(name, f->seen) != 0) cfrm_learn_policy(f);
    }
}

u64 cfrm_poll(struct cfrm *c, u64 now) {
    if (now < c->check_at) return c->check_at;
    c->check_at = now + CFRM_CHECK_US;
    for (u32 i = 0; i < c->facilities; i++)
        if (c->facility[i].view.up && !c->facility[i].policy_busy) query(&c->facility[i], CF_IDENTIFY, checked);
    return c->check_at;
}

static struct cfrm_part *part_of(struct cfrm *c, const char *name) {
    for (u32 i = 0; i < c->facilities; i++)
        if (strcmp(c->facility[i].view.name, name) == 0) return &c->facility[i];
    if (c->facilities == CFRM_FACILITIES_MAX) return NULL;
    struct cfrm_part *f = &c->facility[c->facilities++];
    f->all = c;
    str_copy(f->view.name, sizeof f->view.name, name);
    return f;
}

void cfrm_up(void *ctx, struct xes *x, const char *facility, u64 now) {
    struct cfrm_part *f = part_of(ctx, facility);
    UNUSED(now);
    if (!f) return;
    f->view.up = true;
    f->view.x = x;
    f->view.incarnation = xes_facility_incarnation(x);
    f->policy_again = false;
    f->seen[0] = '\0';
    query(f, CF_POLICY_QUERY, asked);
}

void cfrm_down(void *ctx, struct xes *x, const char *facility, bool isolated, u64 now) {
    struct cfrm_part *f = part_of(ctx, facility);
    UNUSED(isolated);
    UNUSED(now);
    if (f && f->view.x == x) f->view.up = false;
}

int cfrm_policy_start(struct cfrm *c, const struct cfrm_policy *policy, u64 now) {
    bool up = false;
    for (u32 i = 0; i < c->facilities; i++) up |= c->facility[i].view.up;
    if (cfrm_policy_wrong(policy)) return -ERR_INVAL;
    if (!up) return -ERR_NETDOWN;
    c->policy = *policy;
    for (u32 i = 0; i < c->facilities; i++) cfrm_tell_policy(&c->facility[i], now);
    return 0;
}

/* ---- where ---- */

/* The facility that comes behind name; all systems see the same order whatever their links are called. */
static const struct cfrm_facility *next_by_name(const struct cfrm *c, const char *name, bool up) {
    const struct cfrm_facility *best = NULL;
    for (u32 i = 0; i < c->facilities; i++) {
        const struct cfrm_facility *f = &c->facility[i].view;
        if ((f->up || !up) && strcmp(f->name, name) > 0 && (!best || strcmp(f->name, best->name) < 0)) best = f;
    }
    return best;
}

struct xes *cfrm_prefer(const struct cfrm *c, const char *structure, u32 i) {
    const struct cfrm_row *row = cfrm_policy_row(c, structure);
    const struct cfrm_facility *f = NULL;
    for (u32 k = 0; row && k < row->preferences; k++)
        for (u32 n = 0; n < c->facilities; n++) {
            f = &c->facility[n].view;
            if (f->up && strcmp(f->name, row->preference[k]) == 0 && i-- == 0) return f->x;
        }
    if (row) return NULL;
    f = next_by_name(c, "", true);
    while (f && i--) f = next_by_name(c, f->name, true);
    return f ? f->x : NULL;
}

const struct cfrm_facility *cfrm_facility(const struct cfrm *c, u32 i) {
    const struct cfrm_facility *f = next_by_name(c, "", false);
    while (f && i--) f = next_by_name(c, f->name, false);
    return f;
}
