/* test_docs.c - the tables of docs/DEVICES.md that the code can print are what it prints.
 *
 *   build/unit/test_docs print       prints them all; paste what has changed
 *
 * In the document a table is an indented block behind a line "<!-- code: NAME -->" and an empty line; it ends at the next
 * line that is not indented. The test runs in the checkout's top directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "hercules-devices/ctc_cu.h"
#include "hercules-devices/osa_port.h"
#include "link/link_lcs.h"
#include "link/link_osa.h"
#include "tests/unit/docs_adapter.h"

#define TEXT_MAX 65536
#define INDENT   "    "
#define WIDTH    110

struct text {
    char bytes[TEXT_MAX];
    u32 len;
};

static void add_line(void *ctx, const char *line) {
    struct text *t = ctx;
    int n = snprintf(t->bytes + t->len, sizeof t->bytes - t->len, INDENT "%s\n", line);
    assert_true(n > 0 && (size_t)n < sizeof t->bytes - t->len);
    t->len += (u32)n;
}

/* A driver's state table comes as one line a cell: state, event, what happens. It is read better as a square. */
#define STATES_MAX 24
#define EVENTS_MAX 12
#define CELL_MAX   12
struct square {
    u32 states, events;
    char state[STATES_MAX][CELL_MAX], event[EVENTS_MAX][CELL_MAX], cell[STATES_MAX][EVENTS_MAX][CELL_MAX];
};

/* Where name stands in the list; a new one goes to its end. */
static u32 index_of(char (*list)[CELL_MAX], u32 *n, u32 max, const char *name) {
    for (u32 i = 0; i < *n; i++)
        if (strcmp(list[i], name) == 0) return i;
    assert_true(*n < max);
    str_copy(list[*n], CELL_MAX, name);
    return (*n)++;
}

static void add_cell(void *ctx, const char *line) {
    static const char forgive[] = "forgive, then ";
    struct square *q = ctx;
    char state[CELL_MAX], event[CELL_MAX];
    int rest = 0;
    assert_int_equal(sscanf(line, "%11s %11s %n", state, event, &rest), 2);
    bool forgiven = strncmp(line + rest, forgive, sizeof forgive - 1) == 0;
    if (forgiven) rest += (int)sizeof forgive - 1;
    u32 s = index_of(q->state, &q->states, STATES_MAX, state), e = index_of(q->event, &q->events, EVENTS_MAX, event);
    u32 n = str_fmt(q->cell[s][e], CELL_MAX, "%s%s", line + rest, forgiven ? " *" : "");
    assert_int_equal(n, strlen(line + rest) + (forgiven ? 2 : 0)); /* nothing was cut off */
}

static void print_square(struct text *t, struct square *q) {
    for (int s = -1; s < (int)q->states; s++) {
        char line[200];
        u32 n = str_fmt(line, sizeof line, "%-12s", s < 0 ? "" : q->state[s]);
        for (u32 e = 0; e < q->events; e++) {
            const char *cell = s < 0 ? q->event[e] : q->cell[s][e];
            n += str_fmt(line + n, sizeof line - n, "%-11s", *cell ? cell : "-");
        }
        while (line[n - 1] == ' ') line[--n] = 0;
        add_line(t, line);
    }
}

static void osa_driver(struct text *t) {
    static struct square q;
    memset(&q, 0, sizeof q);
    link_osa_print_fsm(add_cell, &q);
    print_square(t, &q);
}
static void lcs_driver(struct text *t) {
    static struct square q;
    memset(&q, 0, sizeof q);
    link_lcs_print_fsm(add_cell, &q);
    print_square(t, &q);
}
static void adapter_dialogue(struct text *t) { docs_adapter_dialogue(add_line, t); }
static void ipa_commands(struct text *t) { docs_adapter_commands(add_line, t); }

/* Words of a list, as many a line as fit. */
struct words {
    struct text *t;
    char line[WIDTH + 1];
};

static void add_word(struct words *w, const char *word) {
    size_t have = strlen(w->line);
    if (have && have + 1 + strlen(word) > WIDTH - strlen(INDENT)) {
        add_line(w->t, w->line);
        have = 0;
    }
    snprintf(w->line + have, sizeof w->line - have, "%s%s", have ? " " : "", word);
}

static void attachment_counters(struct text *t) {
    struct words w = {.t = t};
    for (u32 i = 0; i < OSA_AC_COUNT; i++) add_word(&w, osa_attachment_counter_name(i));
    add_line(t, w.line);
}

static void port_counters(struct text *t) {
    struct words w = {.t = t};
    for (u32 i = 0; i < OSA_PC_COUNT; i++) add_word(&w, osa_port_counter_name(i));
    add_line(t, w.line);
}

/* A cell in a word: docs/DEVICES.md 9.2 says what each means. */
static const char *ctc_word(const struct ctc_cell *c) {
    if (c->unit_status & US_BUSY) return "busy";
    if (c->actions & CTC_CHECK) return "check";
    if (!(c->actions & CTC_WAIT)) return c->actions & CTC_MATCH ? "ends" : "done";
    if (c->actions & CTC_MATCH) return "frees";
    return c->actions & CTC_ATTENTION ? "calls" : "waits";
}

static void ctc_commands(struct text *t) {
    static const enum ctc_state columns[] = {CTC_PREPARED, CTC_IN_CONTROL, CTC_IN_READ, CTC_IN_WRITE, CTC_AVAILABLE, CTC_NOT_READY};
    for (int c = -1; c < CTC_COMMANDS; c++) {
        char line[WIDTH];
        u32 n = str_fmt(line, sizeof line, "%-20s", c < 0 ? "" : ctc_command_name((enum ctc_command)c));
        for (u32 i = 0; i < ARRAY_LEN(columns); i++)
            n += str_fmt(line + n, sizeof line - n, "%-11s",
                         c < 0 ? ctc_state_name(columns[i]) : ctc_word(ctc_table((enum ctc_command)c, columns[i])));
        while (line[n - 1] == ' ') line[--n] = 0;
        add_line(t, line);
    }
}

static const struct {
    const char *name;
    void (*print)(struct text *t);
} tables[] = {
    {"adapter dialogue", adapter_dialogue}, {"IPA commands", ipa_commands},       {"attachment counters", attachment_counters},
    {"port counters", port_counters},       {"QDIO driver", osa_driver},       {"LCS driver", lcs_driver},
    {"CTC commands", ctc_commands},
};

static char *document(void) {
    FILE *f = fopen("docs/DEVICES.md", "r");
    static char bytes[4 * TEXT_MAX];
    if (!f) fail_msg("no docs/DEVICES.md here: run this in the checkout's top directory");
    size_t n = fread(bytes, 1, sizeof bytes - 1, f);
    fclose(f);
    assert_true(n < sizeof bytes - 1);
    bytes[n] = 0;
    return bytes;
}

static void block_is_what_the_code_prints(void **state) {
    const char *doc = document();
    UNUSED(state);
    for (u32 i = 0; i < ARRAY_LEN(tables); i++) {
        static struct text want;
        char mark[80];
        want.len = 0;
        tables[i].print(&want);
        snprintf(mark, sizeof mark, "<!-- code: %s -->\n\n", tables[i].name);
        const char *at = strstr(doc, mark), *end;
        if (!at) fail_msg("docs/DEVICES.md has no table \"%s\"", tables[i].name);
        at += strlen(mark);
        for (end = at; strncmp(end, INDENT, strlen(INDENT)) == 0; end += strcspn(end, "\n") + 1) continue;
        if ((size_t)(end - at) != want.len || memcmp(at, want.bytes, want.len) != 0)
            fail_msg("docs/DEVICES.md, table \"%s\": the code prints\n%s", tables[i].name, want.bytes);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(block_is_what_the_code_prints)};
    if (argc != 2 || strcmp(argv[1], "print") != 0) return cmocka_run_group_tests(tests, NULL, NULL);
    for (u32 i = 0; i < ARRAY_LEN(tables); i++) {
        static struct text t;
        t.len = 0;
        tables[i].print(&t);
        printf("<!-- code: %s -->\n\n%s\n", tables[i].name, t.bytes);
    }
    return 0;
}
