/* fuzz_pagentcf.c - a Policy Agent configuration of any text: what is taken holds together; what is not says where and why. */
#include "super/pagentcf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct policy p;
    struct pagentcf cf;
    const struct policy_moment m = {20001023, 43200, 1, 10};
    char *text = malloc(size + 1);
    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (pagentcf_read(text, &p, &cf)) {
        policy_number(&p, NULL);
        policy_tick(&p, &m);
        for (u32 i = 0; i < p.rules; i++) {
            const struct policy_rule *r = &p.rule[i];
            CHECK(r->action < p.actions && r->name[0] && r->source.low <= r->source.high && r->id);
            CHECK(r->destination_port.low <= r->destination_port.high && policy_rule_at(&p, r->id) == r);
        }
        policy_match(&p, ipaddr_v4(0x0A010101), 1025, ipaddr_v4(0x0A000050), 80);
    } else {
        CHECK(cf.errors);
        for (u32 i = 0; i < u32_min(cf.errors, PAGENTCF_ERRORS_MAX); i++) CHECK(cf.error[i].line && cf.error[i].expected);
    }
    free(text);
    return 0;
}
