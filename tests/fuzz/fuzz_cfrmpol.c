/* fuzz_cfrmpol.c - a CFRM policy of any text: what is taken holds together and survives the way to a facility and back. */
#include "super/cfrmpol.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct cfrm_policy p;
    struct keyread_error err = {0};
    char *text = malloc(size + 1);
    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (cfrmpol_parse(text, &p, &err)) CHECK(p.name[0] && !cfrm_policy_wrong(&p));
    else CHECK(err.line && err.expected);
    free(text);
    return 0;
}
