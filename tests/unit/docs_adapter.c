/* docs_adapter.c - see docs_adapter.h. */
#include "tests/unit/docs_adapter.h"

#include "base/str.h"
#include "hercules-devices/osa_internal.h"

void docs_adapter_dialogue(void (*line)(void *ctx, const char *text), void *ctx) {
    for (u32 s = 0; s < MPC_STATES; s++)
        for (u32 e = 0; e < MPC_EVENTS; e++) {
            char text[80];
            u32 next = osa_mpc_next(s, e);
            if (next == MPC_REFUSED) continue;
            str_fmt(text, sizeof text, "%-12s %-13s %s", osa_mpc_state_name(s), osa_mpc_event_name(e), osa_mpc_state_name(next));
            line(ctx, text);
        }
}

void docs_adapter_commands(void (*line)(void *ctx, const char *text), void *ctx) {
    for (u32 c = 0; c < 256; c++) {
        char text[80];
        const char *name = osa_ipa_name((u8)c);
        if (strcmp(name, "unknown command") == 0) continue;
        str_fmt(text, sizeof text, "%02X %s", c, name);
        line(ctx, text);
    }
}
