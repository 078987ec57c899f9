/* trl.c - looks a PORTNAME up in the active TRL major nodes; formats in trl.h.
 *
 * Members are read for each look-up: it happens once per DEVICE statement, and an OBEYFILE sees what was
 * edited since.
 */
#include "super/trl.h"

#include "base/str.h"
#include "super/dataset.h"
#include "super/symbols.h"
#include "super/system.h"

#define VTAMLST       "SYS1.VTAMLST"
#define START_LIST    "ATCCON00"
#define START_OPTIONS "ATCSTR00"
#define STATEMENT_MAX 512
#define LAST_COLUMN   71

/* Next line of a member, without columns 72-80, symbols resolved. false at the end. */
static bool line_next(const struct system *sys, const struct member *m, u32 *at,
                      char out[SYMBOL_LINE_MAX + 1]) {
    if (*at >= m->len) return false;
    const char *line = m->text + *at;
    u32 len = 0, left = m->len - *at;
    while (len < left && line[len] != '\n') len++;
    *at += len + (len < left);
    len = symbols_resolve(&sys->symbols, NULL, false, line, u32_min(len, LAST_COLUMN), out,
                          SYMBOL_LINE_MAX + 1);
    while (len && out[len - 1] == ' ') out[--len] = '\0';
    return true;
}

/* One statement: lines joined while the operands end with a comma, leading blanks of continuations dropped. */
static bool statement_next(const struct system *sys, const struct member *m, u32 *at,
                           char out[STATEMENT_MAX]) {
    char line[SYMBOL_LINE_MAX + 1];
    u32 len = 0;
    out[0] = '\0';
    while (line_next(sys, m, at, line)) {
        if (line[0] == '*' || line[0] == '\0') continue;
        const char *from = line;
        while (len && *from == ' ') from++;
        u32 add = (u32)strlen(from);
        if (add >= STATEMENT_MAX - len) return true; /* too long to be a TRLE; what is there will not match */
        memcpy(out + len, from, add + 1);
        len += add;
        if (out[len - 1] != ',') return true;
    }
    return len > 0;
}

static const char *skip_blanks(const char *s) {
    while (*s == ' ') s++;
    return s;
}

static bool word_is(const char *s, const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i < len; i++)
        if (s[i] != word[i]) return false;
    return s[len] == ' ';
}

/* "KEY=value" or "KEY=(value[,...])" among operands: the first value, to out. */
static bool operand(const char *operands, const char *key, char *out, u32 cap) {
    size_t key_len = strlen(key);
    for (const char *s = operands; *s;) {
        bool here = true;
        for (size_t i = 0; i < key_len && here; i++) here = s[i] == key[i];
        if (here && s[key_len] == '=') {
            s += key_len + 1;
            if (*s == '(') s++;
            u32 n = 0;
            for (; *s && *s != ',' && *s != ')' && *s != '-' && *s != ' ' && n + 1 < cap; s++) out[n++] = *s;
            out[n] = '\0';
            return true;
        }
        for (u32 depth = 0; *s && (*s != ',' || depth); s++)
            depth += (u32)(*s == '(') - (u32)(*s == ')' && depth);
        if (*s == ',') s++;
    }
    return false;
}

static bool operand_hex(const char *operands, const char *key, u32 *out) {
    char text[16];
    return operand(operands, key, text, sizeof text) && str_hex_u32(text, strlen(text), out) &&
           *out <= 0xFFFF;
}

/* true: this statement is the TRLE of portname; *why tells whether it can be used. */
static bool trle_matches(const char *statement, const char *portname, u16 *devnum, const char **why) {
    const char *op = statement;
    while (*op && *op != ' ') op++;
    op = skip_blanks(op);
    if (!word_is(op, "TRLE")) return false;
    const char *operands = skip_blanks(op + 4);
    char name[17];
    u32 read, write, data;
    if (!operand(operands, "PORTNAME", name, sizeof name) || !str_eq_ci(name, portname)) return false;
    *why = "ITS TRLE NAMES NO READ, WRITE AND DATAPATH DEVICES";
    if (!operand_hex(operands, "READ", &read) || !operand_hex(operands, "WRITE", &write) ||
        !operand_hex(operands, "DATAPATH", &data))
        return true;
    *why = "THE DEVICES OF ITS TRLE ARE NOT THREE IN A ROW, READ FIRST";
    if (write != read + 1 || data != read + 2) return true;
    *why = NULL;
    *devnum = (u16)read;
    return true;
}

static bool node_search(struct system *sys, const char *node, const char *portname, u16 *devnum,
                        const char **why) {
    struct member m;
    if (dataset_read(sys->env.ds, VTAMLST, node, &m)) return false;
    char statement[STATEMENT_MAX];
    bool found = false;
    for (u32 at = 0; !found && statement_next(sys, &m, &at, statement);)
        found = trle_matches(statement, portname, devnum, why);
    dataset_release(sys->env.ds, &m);
    return found;
}

bool trl_iqdchpid(struct system *sys) {
    struct member m;
    char line[SYMBOL_LINE_MAX + 1], value[9];
    bool any = true;
    if (dataset_read(sys->env.ds, VTAMLST, START_OPTIONS, &m)) return true;
    for (u32 at = 0; line_next(sys, &m, &at, line);)
        if (line[0] != '*' && operand(skip_blanks(line), "IQDCHPID", value, sizeof value)) any = !str_eq_ci(value, "NONE");
    dataset_release(sys->env.ds, &m);
    return any;
}

const char *trl_find(struct system *sys, const char *portname, u16 *devnum) {
    struct member list;
    if (dataset_read(sys->env.ds, VTAMLST, START_LIST, &list)) return "SYS1.VTAMLST(ATCCON00) CANNOT BE READ";
    const char *why = "NO ACTIVE TRLE HAS IT AS PORTNAME";
    char line[SYMBOL_LINE_MAX + 1];
    bool found = false;
    for (u32 at = 0; !found && line_next(sys, &list, &at, line);) {
        for (const char *s = line; line[0] != '*' && *s && !found;) {
            char node[9];
            u32 n = 0;
            while (*s == ' ' || *s == ',') s++;
            for (; *s && *s != ' ' && *s != ','; s++)
                if (n < 8) node[n++] = *s;
            node[n] = '\0';
            if (n) found = node_search(sys, node, portname, devnum, &why);
        }
    }
    dataset_release(sys->env.ds, &list);
    return why;
}
