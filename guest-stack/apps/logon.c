/* logon.c - users, passwords and what they may. See logon.h. */
#include "apps/logon.h"

#include "apps/app.h"
#include "base/str.h"
#include "super/console.h"
#include "super/dataset.h"

#define DSNAME "TCPIP.TCPPARMS"
#define MEMBER "USERS"

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* The next word of the line in upper case; false if it is missing or too long. */
static bool word(const char **at, const char *end, char out[LOGON_NAME_MAX + 1]) {
    u32 n = 0;
    const char *s = *at;
    while (s < end && is_blank(*s)) s++;
    for (; s < end && !is_blank(*s); s++) {
        if (n == LOGON_NAME_MAX) return false;
        out[n++] = *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s;
    }
    out[n] = '\0';
    *at = s;
    return n > 0;
}

static bool user_parse(const char *line, const char *end, struct logon_user *out) {
    char right[LOGON_NAME_MAX + 1];
    if (!word(&line, end, out->name) || !word(&line, end, out->password) || !word(&line, end, right)) return false;
    out->may_command = str_eq_ci(right, "OPERATOR");
    return out->may_command || str_eq_ci(right, "READ");
}

static void users_parse(struct logon_users *u, const char *text, u32 len) {
    for (u32 at = 0; at < len;) {
        u32 end = at;
        struct logon_user one;
        while (end < len && text[end] != '\n') end++;
        bool blank = true;
        for (u32 i = at; i < end; i++) blank &= is_blank(text[i]);
        bool comment = blank || text[at] == ';' || text[at] == '*';
        if (!comment && u->count < LOGON_USERS_MAX && user_parse(text + at, text + end, &one))
            u->user[u->count++] = one;
        else if (!comment)
            u->bad_records++;
        at = end + 1;
    }
}

void logon_read(struct logon_users *u, struct app_env *env, const char *jobname) {
    struct member m;
    memset(u, 0, sizeof *u);
    if (env->ds && dataset_read(env->ds, DSNAME, MEMBER, &m) == 0) {
        users_parse(u, m.text, m.len);
        dataset_release(env->ds, &m);
        if (u->bad_records)
            console_message(env->con, "PLX0410W %s PASSES OVER %u RECORDS OF %s(%s)", jobname, u->bad_records, DSNAME, MEMBER);
        return;
    }
    u->user[u->count++] = (struct logon_user){.name = "IBMUSER", .password = "SYS1", .may_command = true};
    console_message(env->con, "PLX0411W %s FOUND NO %s(%s), IBMUSER MAY LOG ON WITH THE PASSWORD OF A NEW SYSTEM", jobname,
                    DSNAME, MEMBER);
}

const struct logon_user *logon_find(const struct logon_users *u, const char *name) {
    for (u32 i = 0; i < u->count; i++)
        if (str_eq_ci(u->user[i].name, name)) return &u->user[i];
    return NULL;
}

const struct logon_user *logon_check(const struct logon_users *u, const char *name, const char *password) {
    const struct logon_user *who = logon_find(u, name);
    return who && str_eq_ci(who->password, password) ? who : NULL;
}

bool logon_may(const struct logon_user *who, const char *line) {
    static const char display[] = "DISPLAY";
    char verb[sizeof display];
    u32 n = 0;
    if (who->may_command) return true;
    while (is_blank(*line)) line++;
    /* Letters only: a symbol, a token or a quote could make another command of it. */
    for (; *line && !is_blank(*line); line++) {
        if (n + 1 == sizeof verb) return false;
        verb[n++] = *line;
    }
    verb[n] = '\0';
    return str_eq_ci(verb, "D") || str_eq_ci(verb, display);
}
