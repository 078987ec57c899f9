/* fuzz_keyread.c - COUPLExx and the policies of SFM and ARM: any text is taken or refused with a line of it, and what is taken is within
 * its ranges. The first byte says which reader. */
#include <stdlib.h>
#include <string.h>

#include "super/armpol.h"
#include "super/couplexx.h"
#include "super/sfmpol.h"
#include "tests/fuzz/fuzz.h"

static void couple(const char *text, struct keyread_error *e) {
    static struct couple c;
    if (!couplexx_parse(text, &c, e)) return;
    e->line = 1;
    if (couple_wrong(&c)) abort();
    couple_class_for(&c, "GROUP", 1000);
}
static void sfm(const char *text, struct keyread_error *e) {
    static struct couple c;
    char name[9];
    couple_default(&c);
    if (!sfmpol_parse(text, &c.sfm, name, e)) return;
    e->line = 1;
    if (couple_wrong(&c) || !name[0] || strlen(name) > 8) abort();
}
static void arm(const char *text, struct keyread_error *e) {
    static struct arm_policy p;
    if (!armpol_parse(text, &p, e)) return;
    e->line = 1;
    if (!p.name[0] || !p.groups || p.groups > ARM_GROUPS_MAX) abort();
    for (u32 i = 0; i < p.elements; i++)
        if (p.element[i].group >= p.groups || arm_policy_for(&p, p.element[i].name)->attempts > 16) abort();
    arm_policy_level(&p, "ELEMENT", "SYSLVL1");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct keyread_error e = {0};
    if (size == 0) return 0;
    char *text = malloc(size);
    if (!text) return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] % 3 == 0) couple(text, &e);
    if (data[0] % 3 == 1) sfm(text, &e);
    if (data[0] % 3 == 2) arm(text, &e);
    /* The whole text has size lines at most. */
    if (e.line == 0 || e.line > size + 1) abort();
    free(text);
    return 0;
}
