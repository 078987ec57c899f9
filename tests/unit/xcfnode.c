/* xcfnode.c - XCF of one system for a test. See xcfnode.h. */
#include "tests/unit/xcfnode.h"

#include "base/str.h"

#define LINE_MAX 200u

void xcfnode_line(void *ctx, const char *line) {
    struct xcfnode *n = ctx;
    if (n->said_len + LINE_MAX > sizeof n->said) n->said_len = 0;
    n->said_len += str_fmt(n->said + n->said_len, sizeof n->said - n->said_len, "%s\n", line);
}
static void on_question(void *ctx, u32 reply, const char *line) {
    UNUSED(reply);
    ((struct xcfnode *)ctx)->questions++;
    xcfnode_line(ctx, line);
}
static void on_dom(void *ctx, u32 reply) {
    UNUSED(ctx);
    UNUSED(reply);
}
static void on_wait(void *ctx, u32 code, u32 reason) {
    struct xcfnode *n = ctx;
    n->wait_code = code;
    n->wait_reason = reason;
}

void xcfnode_create(struct xcfnode *n, const struct xcfnode_config *c, u64 now) {
    struct xcf_env env = {.ctx = n, .message = xcfnode_line, .wtor = on_question, .dom = on_dom, .wait_state = on_wait};
    struct couple couple;
    couple_default(&couple);
    str_copy(couple.sysplex, sizeof couple.sysplex, "PLEX1");
    str_copy(couple.pcouple, sizeof couple.pcouple, "CF01");
    str_copy(couple.acouple, sizeof couple.acouple, c->acouple);
    couple.interval_s = c->interval_s;
    couple.cleanup_s = 5;
    n->id = (struct xcf_sysid){.incarnation = 1000 + c->index};
    str_fmt(n->id.name, sizeof n->id.name, "SYS%c", 'A' + (int)c->index);
    n->links = cflinks_create(c->arena, c->sys, c->devices, c->devices_count, n->id.name, xcfnode_line, n);
    n->cfrm = cfrm_create(c->arena, NULL, NULL);
    n->cds = cds_create(
        &(struct cds_config){.arena = c->arena, .links = n->links, .couple = &couple, .id = n->id, .say = xcfnode_line, .ctx = n});
    CHECK(n->links && n->cfrm && n->cds);
    struct xcf_config xc = {.arena = c->arena, .couple = &couple, .id = n->id, .env = &env, .systems = 4, .members = 32, .groups = 8};
    xc.arbiter = &cds_arbiter_ops;
    xc.arbiter_ctx = n->cds;
    n->x = xcf_create(&xc, now);
    CHECK(n->x);
    n->cfrm_user = (struct cflink_user){.up = cfrm_up, .down = cfrm_down, .ctx = n->cfrm};
    cflinks_user(n->links, &n->cfrm_user);
    n->str = strpaths_create(&(struct strpaths_config){
        .arena = c->arena, .links = n->links, .cfrm = n->cfrm, .say = xcfnode_line, .ctx = n, .id = n->id, .x = n->x});
    CHECK(n->str);
    cds_begin(n->cds, n->x);
    cflinks_open(n->links);
}

void xcfnode_structure(struct xcfnode *n, const char *name, u32 maxmsg_kb, u64 now) {
    for (u32 out = 0; out < 2; out++) {
        struct couple_path p = {.outbound = out, .structure = true, .retry = 10, .maxmsg_kb = maxmsg_kb};
        str_copy(p.name, sizeof p.name, name);
        CHECK(strpaths_add(n->str, &p, now) == 0);
    }
}

void xcfnode_join(struct xcfnode *n, const struct xcf_exits *exits, void *ctx, u64 now) {
    struct xcf_join join = {.group = "TEST", .member = n->id.name, .exits = exits, .ctx = ctx};
    CHECK(xcf_join(n->x, &join, &n->member, now) == 0);
}

u64 xcfnode_poll(struct xcfnode *n, u64 now) {
    u64 due = xcf_poll(n->x, now);
    due = u64_min(due, strpaths_poll(n->str, now));
    return u64_min(due, cds_poll(n->cds, now));
}
