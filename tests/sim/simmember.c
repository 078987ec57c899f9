/* simmember.c - a system with a structure that moves. See simmember.h. */
#include "tests/sim/simmember.h"

#include <stdio.h>
#include <string.h>

#include "base/be.h"
#include "hercules-devices/cf_internal.h"

#define LEAST_ELEMENTS 4u

void simmember_connect_put(u8 connect[CF_CONNECT_BYTES], u32 index, const char *structure, u8 flags, u32 lists, u32 kb) {
    memset(connect + 16, ' ', 2 * CF_NAME_BYTES);
    memcpy(connect + 16, structure, strlen(structure));
    memcpy(connect + 32, "CON", 3);
    connect[35] = (u8)('A' + index);
    connect[48] = CF_TYPE_LIST;
    connect[49] = flags;
    connect[51] = LEAST_ELEMENTS;
    be32_put(connect + 52, lists);
    be32_put(connect + 64, kb);
}

struct xes *simmember_prefer(void *ctx, u32 i) {
    struct simmember *m = ctx;
    for (u32 k = 0; k < SIMCF_FACILITIES; k++)
        if (m->link[k] && i-- == 0) return m->link[k];
    return NULL;
}

static u32 number_of(const char *facility) { return (u32)(facility[3] - '1'); }

static void on_up(void *ctx, struct xes *x, const char *facility, u64 now) {
    struct simmember *m = ctx;
    m->link[number_of(facility)] = x;
    for (u32 k = 0; m->settles && k < SIMCF_FACILITIES; k++)
        if (!m->link[k] && simcf_alive(m->z, k)) return;
    m->settles = false;
    rebuild_up(m->r, now);
}
static void on_down(void *ctx, struct xes *x, const char *facility, bool isolated, u64 now) {
    struct simmember *m = ctx;
    UNUSED(x);
    UNUSED(isolated);
    m->link[number_of(facility)] = NULL;
    rebuild_down(m->r, now);
}
static const struct simcf_user user = {.up = on_up, .down = on_down};

void simmember_begin(struct simmember *m, struct simcf *z, u32 index, const struct rebuild_config *c) {
    m->z = z;
    m->index = index;
    m->r = rebuild_create(c);
    CHECK(m->r);
    m->loaded = true;
    simcf_attach(z, index, &user, m);
}

void simmember_stop(struct simmember *m) {
    m->stopped = true;
    simcf_stop(m->z, m->index);
}

u32 simmember_facility(const struct simmember *m) { return number_of(xes_facility_name(rebuild_connection(m->r)->x)); }

static struct simmember *at(void *members, u32 i, size_t stride) { return (struct simmember *)(void *)((u8 *)members + i * stride); }

void simmember_tell_gone(void *members, u32 n, size_t stride) {
    char name[5] = "SYSA";
    for (u32 i = 0; i < n; i++) {
        struct simmember *gone = at(members, i, stride);
        if (!gone->stopped || gone->told_gone) continue;
        gone->told_gone = true;
        name[3] = (char)('A' + i);
        for (u32 k = 0; k < n; k++)
            if (simmember_lives(at(members, k, stride))) rebuild_gone(at(members, k, stride)->r, name, simcf_now(gone->z));
    }
}

void simmember_complain(const struct simmember *m) {
    if (m->loaded)
        fprintf(stderr, "SYS%c %s%s\n", (int)('A' + m->index), rebuild_state_name(rebuild_state(m->r)), m->stopped ? ", stopped" : "");
}

const struct cf_structure *simmember_structure(struct simcf *z, u32 facility, const char *structure) {
    u8 name[CF_NAME_BYTES];
    memset(name, ' ', sizeof name);
    memcpy(name, structure, strlen(structure));
    return simcf_alive(z, facility) ? cf_structure_by_name(simcf_engine(z, facility), name) : NULL;
}
