/* symbols.c - the symbol table and substitution; rules and limits in symbols.h.
 *
 * The table keeps the system's own five symbols first, so that they exist (empty) before IEASYMxx is read and
 * are resolved before the installation's. Look-up is linear: it runs for records of parmlib and profile
 * members and for operator commands, never for packets.
 */
#include "super/symbols.h"

#include "base/str.h"

#define SETTLE_PASSES 8 /* how deep symbols inside symbols may nest */

static const char *const system_names[] = {"SYSPLEX", "SYSR1", "SYSALVL", "SYSNAME", "SYSCLONE"};
/* Names that IEASYMxx may not define: the system's own, and the dynamic ones. */
static const char *const dynamic_names[] = {"YYMMDD", "HHMMSS", "YR4", "YR2", "MON", "DAY",    "JDAY",
                                            "WDAY",   "HR",     "MIN", "SEC", "SEQ", "JOBNAME"};

static char fold_char(char c, bool fold) { return fold && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }
static bool name_first(char c) { return (c >= 'A' && c <= 'Z') || c == '@' || c == '#' || c == '$'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool name_char(char c) { return name_first(c) || is_digit(c); }

static bool name_is(const char *a, const char *name, size_t len) {
    return strlen(a) == len && memcmp(a, name, len) == 0;
}

static struct symbol *symbol_of(struct symbols *s, const char *name, size_t len) {
    for (u32 i = 0; i < s->count; i++)
        if (name_is(s->table[i].name, name, len)) return &s->table[i];
    return NULL;
}

void symbols_init(struct symbols *s) {
    memset(s, 0, sizeof *s);
    for (u32 i = 0; i < ARRAY_LEN(system_names); i++) str_copy(s->table[s->count++].name, 9, system_names[i]);
}

void symbols_set_system(struct symbols *s, const char *name, const char *text) {
    struct symbol *sym = symbol_of(s, name, strlen(name));
    CHECK(sym && sym - s->table < (ptrdiff_t)ARRAY_LEN(system_names));
    str_copy(sym->text, sizeof sym->text, text);
}

static bool name_reserved(const char *name) {
    for (u32 i = 0; i < ARRAY_LEN(system_names); i++)
        if (name_is(name, system_names[i], strlen(system_names[i]))) return true;
    for (u32 i = 0; i < ARRAY_LEN(dynamic_names); i++) {
        size_t len = strlen(dynamic_names[i]);
        if (name_is(name, dynamic_names[i], len)) return true;
        if (name[0] == 'L' && name_is(name + 1, dynamic_names[i], len)) return true;
    }
    return false;
}

enum symbol_error symbols_define(struct symbols *s, const char *name, const char *text, u32 line) {
    size_t len = strlen(name);
    if (len == 0 || len > SYMBOL_NAME_MAX) return SYMERR_NAME_LEN;
    if (!name_first(name[0])) return SYMERR_NAME;
    for (size_t i = 1; i < len; i++)
        if (!name_char(name[i])) return SYMERR_NAME;
    if (name_reserved(name)) return SYMERR_RESERVED;
    if (strlen(text) > SYMBOL_RAW_MAX) return SYMERR_TEXT_LEN;
    struct symbol *sym = symbol_of(s, name, len);
    if (!sym) {
        if (s->count == SYMBOLS_MAX) return SYMERR_TOO_MANY;
        sym = &s->table[s->count++];
        str_copy(sym->name, sizeof sym->name, name);
    }
    str_copy(sym->text, sizeof sym->text, text);
    sym->line = (u16)line;
    return SYMERR_NONE;
}

const char *symbols_find(const struct symbols *s, const char *name, size_t len) {
    for (u32 i = 0; i < s->count; i++)
        if (name_is(s->table[i].name, name, len)) return s->table[i].text;
    return NULL;
}

/* ---- substitution ---- */

struct output {
    char *text;
    u32 len, cap;
    bool overflow;
};

static void output_add(struct output *o, const char *text, u32 len) {
    if (len >= o->cap - o->len) {
        o->overflow = true;
        return;
    }
    memcpy(o->text + o->len, text, len);
    o->len += len;
}

struct reference {
    char name[SYMBOL_NAME_MAX + 1];
    u32 name_len;
    bool substring;
    i32 start;
    u32 length;
    u32 consumed; /* characters of the input, '&' to the optional '.' */
};

/* "number:number)" at in[0..len); the count of characters it takes, 0 if it is something else. */
static u32 substring_parse(const char *in, u32 len, struct reference *ref) {
    u32 at = 0;
    u32 number[2] = {0, 0};
    bool negative = at < len && in[at] == '-';
    if (negative) at++;
    for (u32 part = 0; part < 2; part++) {
        u32 from = at;
        while (at < len && is_digit(in[at]) && at - from < 3)
            number[part] = number[part] * 10 + (u32)(in[at++] - '0');
        if (at == from || at == len || in[at] != (part ? ')' : ':')) return 0;
        at++;
    }
    ref->substring = true;
    ref->start = negative ? -(i32)number[0] : (i32)number[0];
    ref->length = number[1];
    return at;
}

/* in[0] is '&'. false: not the beginning of a reference. */
static bool reference_parse(const char *in, u32 len, bool fold, struct reference *ref) {
    *ref = (struct reference){.consumed = 1};
    if (len < 2 || !name_first(fold_char(in[1], fold))) return false;
    u32 at = 1;
    while (at < len && name_char(fold_char(in[at], fold))) {
        if (ref->name_len == SYMBOL_NAME_MAX) return false;
        ref->name[ref->name_len++] = fold_char(in[at++], fold);
    }
    if (at < len && in[at] == '(') {
        u32 taken = substring_parse(in + at + 1, len - at - 1, ref);
        if (taken) at += 1 + taken;
    }
    if (at < len && in[at] == '.') at++;
    ref->consumed = at;
    return true;
}

/* Dynamic symbols; out of at least 9 bytes. false: no such name. */
static bool dynamic_text(const struct moment *when, const char *name, char *out) {
    static const char weekdays[] = "SUNMONTUEWEDTHUFRISAT";
    if (str_eq_ci(name, "JOBNAME") && when->jobname) return str_copy(out, 9, when->jobname) > 0;
    bool local = name[0] == 'L' && name[1] != '\0';
    struct calendar c;
    calendar_of(local ? when->utc_seconds + (u32)when->local_offset_seconds : when->utc_seconds, &c);
    const char *n = local ? name + 1 : name;
    u32 yy = c.year % 100u;
    if (str_eq_ci(n, "YYMMDD")) return str_fmt(out, 9, "%02u%02u%02u", yy, c.month, c.day) > 0;
    if (str_eq_ci(n, "HHMMSS")) return str_fmt(out, 9, "%02u%02u%02u", c.hour, c.minute, c.second) > 0;
    if (str_eq_ci(n, "WDAY")) return str_fmt(out, 9, "%.*s", 3, weekdays + 3u * c.wday) > 0;
    if (str_eq_ci(n, "JDAY")) return str_fmt(out, 9, "%03u", c.yday) > 0;
    if (str_eq_ci(n, "YR4")) return str_fmt(out, 9, "%04u", c.year) > 0;
    const struct {
        const char *name;
        u32 value;
    } two[] = {{"YR2", yy},    {"MON", c.month},  {"DAY", c.day},
               {"HR", c.hour}, {"MIN", c.minute}, {"SEC", c.second}};
    for (u32 i = 0; i < ARRAY_LEN(two); i++)
        if (str_eq_ci(n, two[i].name)) return str_fmt(out, 9, "%02u", two[i].value) > 0;
    return false;
}

/* Writes what ref stands for; false leaves the reference as it is. */
static bool reference_resolve(const struct symbols *s, const struct moment *when, const struct reference *ref,
                              struct output *o) {
    char dynamic[9];
    const char *text = symbols_find(s, ref->name, ref->name_len);
    if (!text && when && dynamic_text(when, ref->name, dynamic)) text = dynamic;
    if (!text) return false;
    u32 len = (u32)strlen(text);
    u32 from = 0, take = len;
    if (ref->substring) {
        /* Part of a text whose own symbols are not resolved would be part of a symbol's name. */
        for (u32 i = 0; i < len; i++)
            if (text[i] == '&') return false;
        i32 first = ref->start > 0 ? ref->start - 1 : (i32)len + ref->start;
        if (ref->start == 0 || first < 0 || ref->length == 0 || (u32)first + ref->length > len) return false;
        from = (u32)first;
        take = ref->length;
    }
    output_add(o, text + from, take);
    return true;
}

static void resolve_into(const struct symbols *s, const struct moment *when, bool fold, const char *in,
                         u32 len, struct output *o) {
    for (u32 at = 0; at < len;) {
        struct reference ref;
        if (in[at] != '&') {
            output_add(o, in + at++, 1);
        } else if (!reference_parse(in + at, len - at, fold, &ref)) {
            /* A name that is too long is skipped whole, lest its tail be taken for text after a symbol. */
            u32 run = 1;
            while (at + run < len && name_char(fold_char(in[at + run], fold))) run++;
            output_add(o, in + at, run);
            at += run;
        } else {
            if (!reference_resolve(s, when, &ref, o)) output_add(o, in + at, ref.consumed);
            at += ref.consumed;
        }
    }
    o->text[o->len] = '\0';
}

u32 symbols_resolve(const struct symbols *s, const struct moment *when, bool fold, const char *in, u32 len,
                    char *out, u32 cap) {
    CHECK(cap > len);
    struct output o = {.text = out, .cap = cap};
    resolve_into(s, when, fold, in, len, &o);
    return o.len;
}

static u32 text_limit(const struct symbol *sym) {
    return str_eq_ci(sym->name, "SYSCLONE") ? 2 : (u32)strlen(sym->name) + 1;
}

enum symbol_error symbols_settle(struct symbols *s, const struct symbol **bad) {
    bool changed = true;
    for (u32 pass = 0; changed && pass < SETTLE_PASSES; pass++) {
        changed = false;
        for (u32 i = 0; i < s->count; i++) {
            struct symbol *sym = &s->table[i];
            char text[SYMBOL_RAW_MAX + 1];
            struct output o = {.text = text, .cap = sizeof text};
            resolve_into(s, NULL, false, sym->text, (u32)strlen(sym->text), &o);
            *bad = sym;
            if (o.overflow) return SYMERR_TEXT_LEN;
            if (!name_is(sym->text, text, o.len)) changed = true;
            str_copy(sym->text, sizeof sym->text, text);
        }
    }
    for (u32 i = 0; i < s->count; i++) {
        *bad = &s->table[i];
        if (strlen(s->table[i].text) > text_limit(*bad)) return SYMERR_TEXT_LEN;
    }
    *bad = NULL;
    return SYMERR_NONE;
}

/* Days since 1970-01-01 to a date: years are counted from March, so that the leap day is the last one. */
void calendar_of(u32 seconds, struct calendar *out) {
    u32 days = seconds / 86400, rest = seconds % 86400;
    out->hour = (u8)(rest / 3600);
    out->minute = (u8)(rest / 60 % 60);
    out->second = (u8)(rest % 60);
    out->wday = (u8)((days + 4) % 7);
    u32 z = days + 719468; /* days since 0000-03-01 */
    u32 era = z / 146097, day_of_era = z % 146097;
    u32 year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    u32 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    u32 shifted = (5 * day_of_year + 2) / 153; /* 0 = March */
    u32 month = shifted < 10 ? shifted + 3 : shifted - 9;
    u32 year = year_of_era + era * 400 + (month <= 2);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    out->day = (u8)(day_of_year - (153 * shifted + 2) / 5 + 1);
    out->month = (u8)month;
    out->year = (u16)year;
    out->yday = (u16)(month > 2 ? day_of_year + 60 + leap : day_of_year - 305);
}
