/* wtor.c - the table of questions to the operator. See wtor.h. */
#include "super/wtor.h"

#include "base/str.h"
#include "super/messages.h"

static struct wtor *by_id(struct wtors *t, u32 id) {
    for (u32 i = 0; i < WTOR_MAX && id; i++)
        if (t->row[i].id == id) return &t->row[i];
    return NULL;
}

static struct wtor *by_token(struct wtors *t, const struct wtor_owner *owner, u32 token) {
    for (u32 i = 0; i < WTOR_MAX; i++)
        if (t->row[i].id && t->row[i].owner == owner && t->row[i].token == token) return &t->row[i];
    return NULL;
}

static void show(struct wtors *t, const struct wtor *w) {
    console_message(t->con, "*%02u %s", w->id, w->text);
}

u32 wtor_ask(struct wtors *t, const struct wtor_owner *owner, u32 token, const char *line) {
    struct wtor *w = NULL;
    for (u32 i = 0; i < WTOR_MAX && !w; i++)
        if (!t->row[i].id) w = &t->row[i];
    if (!w) {
        t->drop_full++;
        console_message(t->con, "%s", line);
        return 0;
    }
    /* There are three times as many numbers as rows: one is free. */
    do {
        t->last_id = t->last_id % WTOR_ID_MAX + 1;
    } while (by_id(t, t->last_id));
    *w = (struct wtor){.id = t->last_id, .token = token, .order = ++t->order, .owner = owner};
    str_copy(w->text, sizeof w->text, line);
    t->asked++;
    show(t, w);
    return w->id;
}

void wtor_delete(struct wtors *t, const struct wtor_owner *owner, u32 token) {
    struct wtor *w = by_token(t, owner, token);
    if (!w) return;
    w->id = 0;
    t->deleted++;
}

bool wtor_reply(struct wtors *t, const struct reply *r, u32 id, const char *text, u64 now) {
    struct wtor *w = by_id(t, id);
    if (!w) {
        reply_line(r, PLX0323E, id);
        return false;
    }
    /* The answer may withdraw this question and ask another in its row: only its order tells. */
    u32 order = w->order;
    reply_line(r, IEE600I, id, text);
    int rc = w->owner->answer(w->owner->ctx, w->token, text, now);
    if (rc == 0) t->answered++;
    bool waits = w->id && w->order == order;
    if (waits && (rc == 0 || rc == -ERR_NOENT)) w->id = 0;
    if (rc == 0) return true;
    t->refused++;
    if (rc == -ERR_AGAIN)
        reply_line(r, PLX0320E, id);
    else if (rc == -ERR_NOENT)
        reply_line(r, PLX0321I, id);
    else
        reply_line(r, PLX0322E, id);
    if (waits && rc != -ERR_NOENT) show(t, w);
    return false;
}

const struct wtor *wtor_at(const struct wtors *t, u32 i) {
    u32 after = 0;
    for (;;) {
        const struct wtor *next = NULL;
        for (u32 k = 0; k < WTOR_MAX; k++) {
            const struct wtor *w = &t->row[k];
            if (w->id && w->order > after && (!next || w->order < next->order)) next = w;
        }
        if (!next || i-- == 0) return next;
        after = next->order;
    }
}
