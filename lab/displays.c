/* displays.c - rows of the guest's displays. See displays.h. */
#include "lab/displays.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 200
#define WORDS_MAX      12

/* A line cut into words; they point into it. */
struct row {
    char text[LINE_MAX_BYTES];
    char *word[WORDS_MAX];
    int words;
};

/* The next line of the text, or false at its end. What is longer than any line of a display is cut. */
static bool row_next(const char **at, struct row *r) {
    size_t len = strcspn(*at, "\n"), used = len < sizeof r->text ? len : sizeof r->text - 1;
    char *save;
    if (**at == '\0') return false;
    memcpy(r->text, *at, used);
    r->text[used] = '\0';
    *at += len + ((*at)[len] == '\n');
    r->words = 0;
    for (char *w = strtok_r(r->text, " \r", &save); w && r->words < WORDS_MAX; w = strtok_r(NULL, " \r", &save)) r->word[r->words++] = w;
    return true;
}

static bool all(const char *word, int (*is)(int)) {
    const char *c = word;
    while (*c && is((unsigned char)*c)) c++;
    return *word && !*c;
}

static bool is_address(const char *word) {
    unsigned a, b, c, d;
    char end;
    return sscanf(word, "%3u.%3u.%3u.%3u%c", &a, &b, &c, &d, &end) == 4 && a < 256 && b < 256 && c < 256 && d < 256;
}

static json_t *number(const char *word) {
    long long n = 0;
    sscanf(word, "%lld", &n);
    return json_integer(n);
}

/* 0C01  SYSB  WORKING [pathin]  0/10  2000  956  20  DEFAULT: the count of signals is the last but one. */
json_t *displays_pathout(const char *text) {
    json_t *rows = json_array();
    struct row r;
    while (row_next(&text, &r)) {
        if (r.words < 7 || strlen(r.word[0]) != 4 || !all(r.word[0], isxdigit) || !all(r.word[r.words - 2], isdigit)) continue;
        json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:o,s:s}", "device", r.word[0], "system", r.word[1], "status", r.word[2],
                                              "signals", number(r.word[r.words - 2]), "class", r.word[r.words - 1]));
    }
    return rows;
}

/* SYSA  9672 EMULATOR SYSA  11/22/2026 19:18:26  ACTIVE: what stands behind the time is the status. */
json_t *displays_systems(const char *text) {
    json_t *rows = json_array();
    struct row r;
    while (row_next(&text, &r)) {
        int at = 0;
        unsigned h, m, s;
        while (at < r.words && sscanf(r.word[at], "%2u:%2u:%2u", &h, &m, &s) != 3) at++;
        if (at < 2 || at + 1 >= r.words) continue;
        json_array_append_new(rows, json_pack("{s:s,s:s}", "system", r.word[0], "status", r.word[at + 1]));
    }
    return rows;
}

/* TCPIP  SYSA  ACTIVE [rank]  mask  prefix [DIST]: rank and network are left out where they have no meaning. */
static json_t *vipa_row(const struct row *r) {
    int at = 3;
    json_t *o = json_pack("{s:s,s:s,s:s}", "stack", r->word[0], "system", r->word[1], "status", r->word[2]);
    json_object_set_new(o, "rank", at < r->words && all(r->word[at], isdigit) ? number(r->word[at++]) : json_integer(0));
    while (at < r->words && is_address(r->word[at])) at++;
    json_object_set_new(o, "distribution", json_string(at < r->words ? r->word[at] : ""));
    return o;
}

json_t *displays_vipadyn(const char *text) {
    json_t *rows = json_array(), *vipa = NULL;
    struct row r;
    while (row_next(&text, &r)) {
        int at = 0;
        while (at + 1 < r.words && strcmp(r.word[at], "IPADDR:") != 0) at++;
        if (at + 1 < r.words && is_address(r.word[at + 1])) {
            vipa = json_pack("{s:s,s:s,s:[]}", "address", r.word[at + 1], "origin", "", "stacks");
            json_array_append_new(rows, vipa);
        } else if (vipa && r.words >= 2 && strcmp(r.word[0], "ORIGIN:") == 0) {
            char origin[40];
            snprintf(origin, sizeof origin, "%s%s%s", r.word[1], r.words > 2 ? " " : "", r.words > 2 ? r.word[2] : "");
            json_object_set_new(vipa, "origin", json_string(origin));
        } else if (vipa && r.words >= 3 && strchr("ABMQD", r.word[2][0]) && strcmp(r.word[0], "TCPNAME") != 0 && all(r.word[2], isupper)) {
            json_array_append_new(json_object_get(vipa, "stacks"), vipa_row(&r));
        }
    }
    return rows;
}

/* ACTIVECONN: 0000000003 [QUIESCED] ...: of DETAIL, behind the row that it belongs to. */
static void vdpt_detail(json_t *target, const struct row *r) {
    bool quiesced = false;
    for (int i = 2; i < r->words; i++) quiesced |= strcmp(r->word[i], "QUIESCED") == 0;
    json_object_set_new(target, "active", number(r->word[1]));
    json_object_set_new(target, "quiesced", json_boolean(quiesced));
}

/* 10.1.9.10  00080  193.9.200.1  001 0000000000 00  100 R */
json_t *displays_vdpt(const char *text) {
    json_t *rows = json_array();
    struct row r;
    while (row_next(&text, &r)) {
        if (r.words >= 2 && strcmp(r.word[0], "ACTIVECONN:") == 0 && json_array_size(rows) > 0)
            vdpt_detail(json_array_get(rows, json_array_size(rows) - 1), &r);
        if (r.words < 7 || !is_address(r.word[0]) || !all(r.word[1], isdigit) || !is_address(r.word[2])) continue;
        json_array_append_new(rows, json_pack("{s:s,s:o,s:s,s:o,s:o,s:o,s:o,s:s}", "address", r.word[0], "port", number(r.word[1]),
                                              "target", r.word[2], "ready", number(r.word[3]), "connections", number(r.word[4]),
                                              "weight", number(r.word[5]), "tsr", number(r.word[6]), "flags",
                                              r.words > 7 ? r.word[7] : ""));
    }
    return rows;
}

json_t *displays_xcf_address(const char *text) {
    struct row r;
    while (row_next(&text, &r))
        if (r.words >= 2 && is_address(r.word[0]) && (strcmp(r.word[1], "EZASAMEMVS") == 0 || strncmp(r.word[1], "EZAXCF", 6) == 0))
            return json_string(r.word[0]);
    return json_string("");
}
