/* panel_scene.c - the panel's layout and its keys. See panel_scene.h. */
#include "lab/panel_scene.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MARGIN    16
#define GAP       12
#define COLUMNS   8
#define TOP_Y     48
#define TOP_H     196 /* of all rows of systems */
#define LOWER_Y   404
#define LOWER_H   88
#define BUTTON_Y  768
#define BUTTON_W  92
#define LABEL_W   58
#define LABEL_H   16
#define BOX_W_MAX 300

static const struct {
    const char *name;
    int key;
} ACTIONS[SCENE_ACTIONS] = {
    [SCENE_KILL] = {"kill", 'k'},   [SCENE_FREEZE] = {"freeze", 'f'}, [SCENE_THAW] = {"thaw", 't'},       [SCENE_CUT] = {"cut", 'x'},
    [SCENE_HEAL] = {"heal", 'h'},   [SCENE_IPL] = {"ipl", 'i'},       [SCENE_CONSOLE] = {"console", 'c'}, [SCENE_QUIT] = {"quit", 'q'},
};

static struct scene_item *add(struct scene *s, enum scene_kind kind, int index, int x, int y, int w, int h) {
    struct scene_item *it = &s->item[s->items++];
    *it = (struct scene_item){.kind = kind, .index = index, .x = x, .y = y, .w = w, .h = h};
    return it;
}

/* n boxes from x on, side by side in width. */
static void row_of(struct scene *s, enum scene_kind kind, int first, int n, int x, int y, int width, int h) {
    if (n <= 0) return;
    int w = (width - (n - 1) * GAP) / n;
    if (w > BOX_W_MAX) w = BOX_W_MAX;
    for (int i = 0; i < n; i++) add(s, kind, first + i, x + i * (w + GAP), y, w, h);
}

static int least(int a, int b) { return a < b ? a : b; }

bool scene_wire(const struct scene *s, const struct panel_model *m, enum scene_kind kind, int index, int system, int end[4]) {
    const struct scene_item *a = scene_find(s, SCENE_SYSTEM, system, 0), *b = scene_find(s, kind, index, 0);
    if (!a || !b) return false;
    int below = m->cfs + m->cards, place = kind == SCENE_CF ? index : m->cfs + index;
    end[0] = a->x + a->w * (place + 1) / (below + 1);
    end[1] = a->y + a->h;
    end[2] = b->x + b->w * (system + 1) / (m->systems + 1);
    end[3] = b->y;
    return true;
}

/* A link's label stands on its line, below all systems, and further down the further right its system is: neighbours' labels do not
 * cover each other. */
static void link_labels(struct scene *s, const struct panel_model *m, int bottom) {
    int end[4], n = least(m->systems, COLUMNS);
    for (int f = 0; f < m->cfs; f++)
        for (int i = 0; i < m->cf[f].links; i++) {
            if (!scene_wire(s, m, SCENE_CF, f, i, end)) continue;
            int y = bottom + (LOWER_Y - bottom) * (16 + 68 * (i % COLUMNS + 1) / (n + 1)) / 100;
            int x = end[0] + (end[2] - end[0]) * (y - end[1]) / (end[3] - end[1]) - LABEL_W / 2;
            if (x < MARGIN) x = MARGIN;
            struct scene_item *l = add(s, SCENE_CFLINK, f, least(x, SCENE_WIDTH - MARGIN - LABEL_W), y - LABEL_H / 2, LABEL_W, LABEL_H);
            l->system = i;
        }
}

void scene_lay_out(struct scene *s, const struct panel_model *m) {
    int rows = (m->systems + COLUMNS - 1) / COLUMNS, width = SCENE_WIDTH - 2 * MARGIN;
    s->items = 0;
    int h = rows > 0 ? (TOP_H - (rows - 1) * GAP) / rows : 0;
    if (h > 150) h = 150;
    for (int r = 0; r < rows; r++) {
        int n = least(COLUMNS, m->systems - r * COLUMNS);
        /* Rows behind a full one have its columns. */
        int w = rows > 1 ? (width - (COLUMNS - 1) * GAP) / COLUMNS * n + (n - 1) * GAP : width;
        row_of(s, SCENE_SYSTEM, r * COLUMNS, n, MARGIN, TOP_Y + r * (h + GAP), w, h);
    }
    row_of(s, SCENE_CF, 0, m->cfs, MARGIN, LOWER_Y, (width - GAP) / 2, LOWER_H);
    row_of(s, SCENE_CARD, 0, m->cards, MARGIN + (width + GAP) / 2, LOWER_Y, (width - GAP) / 2, LOWER_H);
    link_labels(s, m, TOP_Y + rows * (h + GAP) - GAP);
    for (int a = 0; a < SCENE_ACTIONS; a++) add(s, SCENE_BUTTON, a, MARGIN + a * (BUTTON_W + 6), BUTTON_Y, BUTTON_W, 24);
}

const struct scene_item *scene_at(const struct scene *s, int x, int y) {
    /* What was laid out last lies on top. */
    for (int i = s->items - 1; i >= 0; i--) {
        const struct scene_item *it = &s->item[i];
        if (x >= it->x && x < it->x + it->w && y >= it->y && y < it->y + it->h) return it;
    }
    return NULL;
}

const struct scene_item *scene_find(const struct scene *s, enum scene_kind kind, int index, int system) {
    for (int i = 0; i < s->items; i++) {
        const struct scene_item *it = &s->item[i];
        if (it->kind == kind && it->index == index && (kind != SCENE_CFLINK || it->system == system)) return it;
    }
    return NULL;
}

const struct scene_item *scene_step(const struct scene *s, const struct scene_item *from, int step) {
    int n = s->items - SCENE_ACTIONS; /* buttons come last */
    if (n <= 0) return NULL;
    if (!from) return &s->item[0];
    int at = ((int)(from - s->item) + step) % n;
    return &s->item[at < 0 ? at + n : at];
}

const char *scene_action_name(enum scene_action a) { return ACTIONS[a].name; }

enum scene_action scene_key(int letter) {
    for (int a = 0; a < SCENE_ACTIONS; a++)
        if (ACTIONS[a].key == tolower(letter)) return (enum scene_action)a;
    return SCENE_ACTIONS;
}

bool scene_command(const struct panel_model *m, const struct scene_item *it, enum scene_action a, char *out, size_t cap) {
    const char *name = !it ? "" : it->kind == SCENE_SYSTEM ? m->system[it->index].name : it->kind == SCENE_CARD ? m->card[it->index].name : m->cf[it->index].name;
    bool cable = a == SCENE_CUT || a == SCENE_HEAL;
    if (!it)
        snprintf(out, cap, "choose a system, a facility, its link or a card first");
    else if (cable && it->kind == SCENE_SYSTEM)
        snprintf(out, cap, "%s has no cable of its own: choose a card, a facility, or the link between them", name);
    else if (a == SCENE_CONSOLE && it->kind != SCENE_SYSTEM)
        snprintf(out, cap, "%s has no console: choose a system", name);
    else if (!cable && it->kind == SCENE_CFLINK)
        snprintf(out, cap, "a link is cut and healed, nothing else");
    else {
        const char *other = it->kind == SCENE_CFLINK ? m->system[it->system].name : cable && it->kind == SCENE_CF ? "all" : "";
        snprintf(out, cap, "%s %s%s%s", ACTIONS[a].name, name, *other ? " " : "", other);
        return true;
    }
    return false;
}
