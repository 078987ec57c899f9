/* app.c - the table of programs, their storage and their parameters. */
#include "apps/app_impl.h"

#include "base/str.h"

static const struct app *const apps[] = {&httpd_app, &miscserv_app, &bulksrv_app, &bulkget_app, &tn3270d_app, &otelnetd_app};

const struct app *app_at(u32 i) { return i < ARRAY_LEN(apps) ? apps[i] : NULL; }

const struct app *app_find(const char *name) {
    for (u32 i = 0; i < ARRAY_LEN(apps); i++)
        if (str_eq_ci(apps[i]->name, name)) return apps[i];
    return NULL;
}

/* ---- storage: an arena only grows, so what a stopped program had is kept for the next one that fits ---- */
struct app_block {
    struct app_block *next;
    u32 bytes;
    u32 pad; /* the storage behind begins on 16 bytes */
};
#define BLOCK_HEAD ((sizeof(struct app_block) + 15) / 16 * 16)

void *app_take(struct app_env *env, u32 bytes) {
    struct app_block *b = NULL;
    for (struct app_block **at = &env->spare; *at; at = &(*at)->next) {
        if ((*at)->bytes < bytes) continue;
        b = *at;
        *at = b->next;
        break;
    }
    if (!b) {
        b = arena_take(env->arena, BLOCK_HEAD + bytes, 16);
        if (!b) return NULL;
        b->bytes = bytes;
    }
    void *storage = (u8 *)b + BLOCK_HEAD;
    memset(storage, 0, bytes);
    return storage;
}

void app_give_back(struct app_env *env, void *storage) {
    struct app_block *b = (struct app_block *)(void *)((u8 *)storage - BLOCK_HEAD);
    b->next = env->spare;
    env->spare = b;
}

/* ---- parameters ---- */
static bool is_separator(char c) { return c == ' ' || c == ',' || c == '\0'; }
static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

/* The value of KEY= in parm, or NULL. */
static const char *find_value(const char *parm, const char *key, u32 *len) {
    if (!parm) return NULL;
    for (const char *p = parm; *p;) {
        const char *k = key;
        while (*k && upper(*p) == *k) p++, k++;
        if (!*k && *p == '=') {
            const char *value = ++p;
            while (!is_separator(*p)) p++;
            *len = (u32)(p - value);
            return value;
        }
        while (!is_separator(*p)) p++;
        while (*p && is_separator(*p)) p++;
    }
    return NULL;
}

bool app_parm_number(const char *parm, const char *key, u32 low, u32 high, u32 *out) {
    u32 len, n;
    const char *value = find_value(parm, key, &len);
    if (!value) return true;
    if (!str_u32(value, len, &n) || n < low || n > high) return false;
    *out = n;
    return true;
}

bool app_parm_text(const char *parm, const char *key, char *out, u32 cap) {
    u32 len;
    const char *value = find_value(parm, key, &len);
    if (!value || len >= cap) return false;
    for (u32 i = 0; i < len; i++) out[i] = upper(value[i]);
    out[len] = '\0';
    return true;
}

/* ---- servers ---- */
int app_listen(struct app_env *env, const char *jobname, u16 port, u32 backlog, sock_event_fn *fn, void *ctx, u64 now,
               struct sock **out) {
    struct sock *s;
    int rc = sock_open(env->stk, SOCK_TCP, jobname, &s);
    if (rc < 0) return rc;
    sock_setopt(s, SO_REUSEADDR_OPT, 1, now);
    sock_setopt(s, SO_KEEPALIVE_OPT, 1, now);
    sock_setopt(s, SO_RCVBUF_OPT, APP_BUFFER_BYTES, now);
    sock_setopt(s, SO_SNDBUF_OPT, APP_BUFFER_BYTES, now);
    rc = sock_bind(s, IPADDR_ANY, port, now);
    if (rc == 0) rc = sock_listen(s, backlog, now);
    if (rc < 0) {
        sock_close(s, now);
        return rc;
    }
    sock_on_event(s, fn, ctx);
    *out = s;
    return 0;
}

int app_bind_udp(struct app_env *env, const char *jobname, u16 port, sock_event_fn *fn, void *ctx, u64 now,
                 struct sock **out) {
    struct sock *s;
    int rc = sock_open(env->stk, SOCK_UDP, jobname, &s);
    if (rc < 0) return rc;
    rc = sock_bind(s, IPADDR_ANY, port, now);
    if (rc < 0) {
        sock_close(s, now);
        return rc;
    }
    sock_on_event(s, fn, ctx);
    *out = s;
    return 0;
}
