/* docs_adapter.h - tables of the OSA's channel side, printed for test_docs.c, which cannot include osa_internal.h beside
 * osa_port.h: each half has a struct osa_pending of its own. */
#ifndef TESTS_UNIT_DOCS_ADAPTER_H
#define TESTS_UNIT_DOCS_ADAPTER_H

/* What the adapter takes in which state of the dialogue: state, event, next state. */
void docs_adapter_dialogue(void (*line)(void *ctx, const char *text), void *ctx);
/* Each IPA command that has a name: code, name. */
void docs_adapter_commands(void (*line)(void *ctx, const char *text), void *ctx);

#endif
