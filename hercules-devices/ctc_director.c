/* ctc_director.c - see ctc_director.h: the whole table is read for each question; it is asked once for each pair. */
#include "hercules-devices/ctc_director.h"

#include "base/str.h"

#define SYSTEM_MAX 8
#define WORD_MAX CTC_ADDRESS_MAX

struct end {
    char system[SYSTEM_MAX + 1];
    u16 devnum;
};

struct reader {
    const char *at, *end;
    u32 line;
    const char *wrong; /* what is wrong with the line, NULL = nothing */
    /* the question, and what was found */
    const char *system;
    u16 devnum;
    u32 found;
    struct ctc_route *out;
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The line's next word; false at its end. A word that is too long is wrong whatever it says. */
static bool word(struct reader *r, char *out, size_t cap) {
    while (r->at < r->end && is_blank(*r->at)) r->at++;
    if (r->at == r->end || *r->at == '\n' || *r->at == '*') return false;
    size_t n = 0;
    for (; r->at < r->end && !is_blank(*r->at) && *r->at != '\n'; r->at++)
        if (n + 1 < cap)
            out[n++] = *r->at;
        else
            r->wrong = "a word is too long";
    out[n] = 0;
    return true;
}

static bool devnum(struct reader *r, u16 *out) {
    char text[WORD_MAX];
    u32 value;
    if (!word(r, text, sizeof text) || !str_hex_u32(text, strlen(text), &value) || value > 0xFFFE || value & 1) {
        r->wrong = "expected an even device number";
        return false;
    }
    *out = (u16)value;
    return true;
}

static bool system_name(struct reader *r, char *out) {
    if (word(r, out, SYSTEM_MAX + 1)) return !r->wrong;
    r->wrong = "expected a system's name";
    return false;
}

/* One link of the table: is it asked for? */
static void offer(struct reader *r, const struct end *a, const struct end *b, bool straight, const char *address) {
    const struct end *own = a, *partner = b;
    if (strcmp(r->system, own->system) != 0 || r->devnum != own->devnum) {
        own = b;
        partner = a;
    }
    if (strcmp(r->system, own->system) != 0 || r->devnum != own->devnum) return;
    bool home = strcmp(own->system, partner->system) < 0;
    const struct end *low = home ? own : partner, *high = home ? partner : own;
    *r->out = (struct ctc_route){
        .devnum = own->devnum, .partner_devnum = partner->devnum, .home = home, .straight = straight};
    str_copy(r->out->partner, sizeof r->out->partner, partner->system);
    if (address[0])
        str_copy(r->out->address, sizeof r->out->address, address);
    else
        str_fmt(r->out->address, sizeof r->out->address, "ctc.%s.%04X.%s.%04X", low->system, low->devnum, high->system,
                high->devnum);
    r->found++;
}

static void link_statement(struct reader *r) {
    struct end a, b;
    char text[WORD_MAX], address[CTC_ADDRESS_MAX] = "";
    bool straight = false;
    if (!system_name(r, a.system) || !devnum(r, &a.devnum) || !system_name(r, b.system) || !devnum(r, &b.devnum)) return;
    if (strcmp(a.system, b.system) == 0) r->wrong = "a link is between two systems";
    while (!r->wrong && word(r, text, sizeof text)) {
        if (str_eq_ci(text, "STRAIGHT"))
            straight = true;
        else if (!str_eq_ci(text, "AT") || !word(r, address, sizeof address))
            r->wrong = "expected STRAIGHT, or AT and an address";
    }
    if (!r->wrong) offer(r, &a, &b, straight, address);
}

static void mesh_statement(struct reader *r) {
    char system[CTC_MESH_MAX][SYSTEM_MAX + 1], text[WORD_MAX];
    u16 first;
    u32 n = 0;
    if (!devnum(r, &first)) return;
    while (!r->wrong && word(r, text, sizeof text)) {
        if (n == CTC_MESH_MAX) r->wrong = "more than 32 systems";
        if (strlen(text) > SYSTEM_MAX) r->wrong = "a system's name has up to 8 characters";
        for (u32 i = 0; i < n; i++)
            if (strcmp(system[i], text) == 0) r->wrong = "a system is named twice";
        if (!r->wrong) str_copy(system[n++], sizeof system[0], text);
    }
    if (n < 2 && !r->wrong) r->wrong = "expected two systems or more";
    if (first + 2 * n > 0x10000 && !r->wrong) r->wrong = "device numbers go past FFFF";
    for (u32 i = 0; !r->wrong && i < n; i++)
        for (u32 j = i + 1; j < n; j++) {
            /* j is the (j-1)th of i's others, i is the ith of j's. */
            struct end a = {.devnum = (u16)(first + 2 * (j - 1))}, b = {.devnum = (u16)(first + 2 * i)};
            str_copy(a.system, sizeof a.system, system[i]);
            str_copy(b.system, sizeof b.system, system[j]);
            offer(r, &a, &b, false, "");
        }
}

static void statement(struct reader *r) {
    char verb[WORD_MAX];
    if (!word(r, verb, sizeof verb)) return;
    if (str_eq_ci(verb, "LINK"))
        link_statement(r);
    else if (str_eq_ci(verb, "MESH"))
        mesh_statement(r);
    else
        r->wrong = "expected LINK or MESH";
}

bool ctc_director_find(const char *table, u32 len, const char *system, u16 device, struct ctc_route *out, char *error,
                       size_t cap) {
    struct reader r = {.at = table, .end = table + len, .system = system, .devnum = device, .out = out};
    while (r.at < r.end) {
        r.line++;
        statement(&r);
        if (r.wrong) {
            str_fmt(error, cap, "director line %u: %s", r.line, r.wrong);
            return false;
        }
        while (r.at < r.end && *r.at != '\n') r.at++;
        if (r.at < r.end) r.at++;
    }
    if (r.found != 1)
        str_fmt(error, cap, "the director has %s link of %s at %04X", r.found ? "more than one" : "no", system, device);
    return r.found == 1;
}
