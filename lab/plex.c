/* plex.c - reads configs/NAME/plex.conf. See plex.h. */
#include "lab/plex.h"

#include <ctype.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One mistake, one line; the line number is the setting's own. */
static bool complain(const config_setting_t *s, const char *expected) {
    fprintf(stderr, "plex390: %s:%u: %s: expected %s\n",
            config_setting_source_file(s) ? config_setting_source_file(s) : "plex.conf", config_setting_source_line(s),
            config_setting_name(s) ? config_setting_name(s) : "entry", expected);
    return false;
}

/* A name as MVS has it: 1-8 of A-Z 0-9 @ # $, not starting with a digit. */
static bool is_name(const char *s) {
    size_t n = strlen(s);
    if (n < 1 || n > 8 || isdigit((unsigned char)s[0])) return false;
    return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@#$") == n;
}

static bool is_address(const char *s) {
    unsigned a, b, c, d;
    return sscanf(s, "%u.%u.%u.%u", &a, &b, &c, &d) == 4 && (a | b | c | d) <= 255;
}

static bool get_name(const config_setting_t *group, const char *key, char out[9]) {
    const char *text;
    if (!config_setting_lookup_string(group, key, &text) || !is_name(text))
        return complain(group, "a name of 1-8 characters A-Z 0-9 @ # $");
    snprintf(out, 9, "%s", text);
    return true;
}

static bool get_text(const config_setting_t *group, const char *key, char *out, size_t cap, const char *otherwise) {
    const char *text = otherwise;
    const config_setting_t *s = config_setting_get_member(group, key);
    if (s && !(text = config_setting_get_string(s))) return complain(s, "a text in quotes");
    if (strlen(text) >= cap) return complain(s, "a shorter text");
    strcpy(out, text);
    return true;
}

static bool get_int(const config_setting_t *group, const char *key, int low, int high, int otherwise, int *out) {
    const config_setting_t *s = config_setting_get_member(group, key);
    *out = s ? config_setting_get_int(s) : otherwise;
    if (!s) return true;
    if (config_setting_type(s) == CONFIG_TYPE_INT && *out >= low && *out <= high) return true;
    char expected[64];
    snprintf(expected, sizeof expected, "a number from %d to %d", low, high);
    return complain(s, expected);
}

/* Every member of a group must be one of the words in known (blank separated): a typo is not ignored. */
static bool known_members(const config_setting_t *group, const char *known) {
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *m = config_setting_get_elem(group, (unsigned)i);
        char word[64];
        snprintf(word, sizeof word, " %.60s ", config_setting_name(m));
        if (!strstr(known, word)) {
            char expected[300];
            snprintf(expected, sizeof expected, "one of%.280s", known);
            return complain(m, expected);
        }
    }
    return true;
}

static bool read_card(const config_setting_t *g, struct plex *p) {
    struct plex_card *c = &p->card[p->cards];
    if (!config_setting_is_group(g)) return complain(g, "a group { name = ...; }");
    if (!known_members(g, " name mac chpid uplink mtu ") || !get_name(g, "name", c->name)) return false;
    if (plex_card(p, c->name)) return complain(g, "a card name that is not in use yet");
    if (!get_text(g, "mac", c->mac, sizeof c->mac, "") || !get_text(g, "chpid", c->chpid, sizeof c->chpid, "osd") ||
        !get_text(g, "uplink", c->uplink, sizeof c->uplink, "") || !get_int(g, "mtu", 576, 65535, 1500, &c->mtu))
        return false;
    unsigned b[6];
    int used = 0;
    if (sscanf(c->mac, "%2x:%2x:%2x:%2x:%2x:%2x%n", b, b + 1, b + 2, b + 3, b + 4, b + 5, &used) != 6 ||
        used != 17 || (b[0] & 1))
        return complain(g, "mac = a unicast MAC address like 02:00:5A:00:00:01");
    if (strcmp(c->chpid, "osd") != 0 && strcmp(c->chpid, "iqd") != 0) return complain(g, "chpid = osd or iqd");
    p->cards++;
    return true;
}

/* A facility is called by an operator, expected by the links, and has files of its name: it shares it with no card. */
static bool read_cf(const config_setting_t *g, struct plex *p) {
    struct plex_cf *f = &p->cf[p->cfs];
    if (!config_setting_is_group(g)) return complain(g, "a group { name = \"CF01\"; storage = 65536; }");
    if (!known_members(g, " name storage ") || !get_name(g, "name", f->name)) return false;
    if (plex_cf(p, f->name) || plex_card(p, f->name)) return complain(g, "a name that is not in use yet");
    if (!get_int(g, "storage", 1024, 1048576, 65536, &f->storage_kb)) return false;
    p->cfs++;
    return true;
}

/* The link to each further facility has the device number PLEX_CFLINK_STEP behind. */
static bool get_cflink(const config_setting_t *g, int otherwise, int *out) {
    if (!get_int(g, "cflink", 0, 0xFFFF - PLEX_CFLINK_STEP * PLEX_CFS_MAX, otherwise, out)) return false;
    if (*out % PLEX_CFLINK_STEP) return complain(g, "cflink = a device number that ends with 0, such as 0x0F00");
    return true;
}

static bool read_attach(const config_setting_t *g, struct plex *p, struct plex_system *s) {
    if (s->attaches == PLEX_ATTACH_MAX) return complain(g, "at most 8 OSA attachments a system");
    struct plex_attach *a = &s->attach[s->attaches];
    char card[9];
    int device;
    if (!config_setting_is_group(g)) return complain(g, "a group { device = 0x0E00; card = ...; }");
    if (!known_members(g, " device card mode ") || !get_int(g, "device", 0x0001, 0xFFFD, 0, &device) ||
        !get_name(g, "card", card) || !get_text(g, "mode", a->mode, sizeof a->mode, "qdio"))
        return false;
    if (device == 0 || (device & 1)) return complain(g, "device = an even device number such as 0x0E00");
    if (strcmp(a->mode, "qdio") != 0 && strcmp(a->mode, "lcs") != 0) return complain(g, "mode = qdio or lcs");
    for (int i = 0; i < s->attaches; i++)
        if ((unsigned)device < s->attach[i].device + 4 && (unsigned)device + 4 > s->attach[i].device)
            return complain(g, "device numbers that do not overlap another attachment's (three each)");
    const struct plex_card *c = plex_card(p, card);
    if (!c) return complain(g, "card = the name of an entry in cards");
    a->device = (unsigned)device;
    a->card = (int)(c - p->card);
    s->attaches++;
    return true;
}

/* LOADPARM, 8 characters: IODF device 4, LOADxx suffix 2, message suppression 1, nucleus 1. */
static bool build_loadparm(const config_setting_t *g, struct plex_system *s) {
    char device[9], suffix[9];
    if (!get_text(g, "loadparm", device, sizeof device, "0A80") || !get_text(g, "iplparm", suffix, sizeof suffix, ""))
        return false;
    if (strlen(device) < 4 || (suffix[0] && strlen(suffix) != 2))
        return complain(g, "loadparm = 4 to 8 characters, iplparm = 2 characters");
    if (suffix[0])
        snprintf(s->loadparm, sizeof s->loadparm, "%.4s%.2s", device, suffix);
    else
        snprintf(s->loadparm, sizeof s->loadparm, "%s", device);
    return true;
}

static bool read_system(const config_setting_t *g, struct plex *p) {
    struct plex_system *s = &p->system[p->systems];
    if (!config_setting_is_group(g)) return complain(g, "a group { name = ...; }");
    if (!known_members(g, " name loadparm iplparm address memory console osa cflink ") || !get_name(g, "name", s->name)) return false;
    if (plex_system(p, s->name) || plex_card(p, s->name) || plex_cf(p, s->name)) 
        return complain(g, "a system name that is not in use yet");
    if (!build_loadparm(g, s) || !get_int(g, "memory", 16, 2047, 96, &s->memory_mb) ||
        !get_int(g, "console", 1024, 65535, 0, &s->console_port))
        return false;
    if (!get_cflink(g, p->cflink, &s->cflink)) return false;
    if (!get_text(g, "address", s->address, sizeof s->address, "")) return false;
    if (s->address[0] && !is_address(s->address)) return complain(g, "address = an IPv4 address");
    p->systems++;
    const config_setting_t *osa = config_setting_get_member(g, "osa");
    for (int i = 0; osa && i < config_setting_length(osa); i++)
        if (!read_attach(config_setting_get_elem(osa, (unsigned)i), p, s)) return false;
    return true;
}

static bool read_forward(const config_setting_t *g, struct plex *p) {
    struct plex_forward *f = &p->forward[p->forwards];
    if (!config_setting_is_group(g)) return complain(g, "a group { host = 18080; guest = ...; port = 80; }");
    if (!known_members(g, " host guest port ") || !get_int(g, "host", 1024, 65535, 0, &f->host_port) ||
        !get_int(g, "port", 1, 65535, 0, &f->guest_port) || !get_text(g, "guest", f->guest, sizeof f->guest, ""))
        return false;
    if (!f->host_port || !f->guest_port || !is_address(f->guest))
        return complain(g, "host = a port, guest = an IPv4 address, port = a port");
    p->forwards++;
    return true;
}

static bool read_list(const config_t *cfg, struct plex *p, const char *key, int max,
                      bool (*one)(const config_setting_t *, struct plex *)) {
    const config_setting_t *list = config_lookup(cfg, key);
    if (!list) return true;
    if (!config_setting_is_list(list)) return complain(list, "a list ( {...}, {...} )");
    if (config_setting_length(list) > max) return complain(list, "fewer entries");
    for (int i = 0; i < config_setting_length(list); i++)
        if (!one(config_setting_get_elem(list, (unsigned)i), p)) return false;
    return true;
}

static bool read_all(const config_t *cfg, struct plex *p) {
    const config_setting_t *root = config_root_setting(cfg);
    unsigned a, b, c, d, bits;
    if (!known_members(root, " plex volser client ctc cf cflink capture cards systems forwards ") || !get_name(root, "plex", p->name) ||
        !get_text(root, "volser", p->volser, sizeof p->volser, "PLXRES") ||
        !get_text(root, "client", p->client, sizeof p->client, "10.1.1.254/24") ||
        !get_int(root, "ctc", 0, 0xFF00, 0, &p->ctc) || !get_int(root, "capture", 0, 1, 0, &p->capture) || !get_cflink(root, 0, &p->cflink))
        return false;
    if (p->ctc & 1) return complain(config_setting_get_member(root, "ctc"), "an even device number such as 0x0C00");
    if (sscanf(p->client, "%u.%u.%u.%u/%u", &a, &b, &c, &d, &bits) != 5 || (a | b | c | d) > 255 || bits > 30)
        return complain(config_setting_get_member(root, "client"), "an address with its prefix length, 10.1.1.254/24");
    if (!read_list(cfg, p, "cards", PLEX_CARDS_MAX, read_card) ||
        !read_list(cfg, p, "cf", PLEX_CFS_MAX, read_cf) ||
        !read_list(cfg, p, "systems", PLEX_SYSTEMS_MAX, read_system) ||
        !read_list(cfg, p, "forwards", PLEX_FORWARDS_MAX, read_forward))
        return false;
    return p->systems > 0 || complain(root, "systems = ( {...} ) with at least one system");
}

bool plex_load(struct plex *p, const char *configs, const char *name) {
    char file[PATH_MAX + 16];
    memset(p, 0, sizeof *p);
    if (strchr(name, '/') || name[0] == '.' || !name[0]) {
        fprintf(stderr, "plex390: '%s' is no plex name; configs/ has one folder a plex\n", name);
        return false;
    }
    if (snprintf(p->dir, sizeof p->dir, "%s/%s", configs, name) >= (int)sizeof p->dir) return false;
    snprintf(file, sizeof file, "%s/plex.conf", p->dir);
    config_t cfg;
    config_init(&cfg);
    bool ok = config_read_file(&cfg, file);
    if (!ok)
        fprintf(stderr, "plex390: %s:%d: %s\n", file, config_error_line(&cfg), config_error_text(&cfg));
    else
        ok = read_all(&cfg, p);
    config_destroy(&cfg);
    return ok;
}

const struct plex_system *plex_system(const struct plex *p, const char *name) {
    for (int i = 0; i < p->systems; i++)
        if (strcasecmp(p->system[i].name, name) == 0) return &p->system[i];
    return NULL;
}

const struct plex_card *plex_card(const struct plex *p, const char *name) {
    for (int i = 0; i < p->cards; i++)
        if (strcasecmp(p->card[i].name, name) == 0) return &p->card[i];
    return NULL;
}

const struct plex_cf *plex_cf(const struct plex *p, const char *name) {
    for (int i = 0; i < p->cfs; i++)
        if (strcasecmp(p->cf[i].name, name) == 0) return &p->cf[i];
    return NULL;
}
