/* panel_draw.c - the picture of a sysplex. See panel_draw.h. */
#include "lab/panel_draw.h"

#include <string.h>

#define LINE       15
#define TABLE_Y    508
#define TABLE_ROWS 15
#define MATRIX_MAX 16 /* systems whose paths fit as a table */
#define VIPA_X     440
#define TARGET_X   820
#define HIGH_BOX   80 /* a box of this height has room for everything */

static enum paint_color state_color(enum panel_state s) { return s == PANEL_RUNNING ? GOOD : s == PANEL_FROZEN ? COLD : BAD; }

static bool same(const struct scene_item *a, const struct scene_item *b) {
    return a && b && a->kind == b->kind && a->index == b->index && (a->kind != SCENE_CFLINK || a->system == b->system);
}

static void title(struct paint *p, const struct panel_view *v) {
    const struct panel_model *m = v->model;
    int up = 0;
    for (int i = 0; i < m->systems; i++) up += m->system[i].state == PANEL_RUNNING;
    paint_text(p, 16, 12, PAINT_LARGE, INK, "%s", m->plex);
    paint_text(p, 110, 14, PAINT_SMALL, DIM, "%d OF %d SYSTEMS RUN   LAN %s", up, m->systems, m->lan);
    if (m->left_out) paint_text(p, 520, 14, PAINT_SMALL, WARN, "%d MORE THAN THERE IS ROOM FOR", m->left_out);
    if (v->age > 3)
        paint_text(p, 1080, 14, PAINT_SMALL, WARN, "SEEN %.0f SECONDS AGO", v->age);
    else
        paint_text(p, 1080, 14, PAINT_SMALL, DIM, "%s", v->clock);
}

/* ---- systems ---- */
static void owned(struct paint *p, const struct panel_model *m, const struct panel_system *s, int x, int y, int right) {
    for (int i = 0; i < m->dvipas; i++) {
        const struct panel_dvipa *d = &m->dvipa[i];
        int w = ((int)strlen(d->address) + 1) * p->w[PAINT_SMALL];
        if (strcmp(d->owner, s->name) != 0 || x + w > right) continue;
        paint_text(p, x, y, PAINT_SMALL, d->distributed ? WARN : GOOD, "%s", d->address);
        x += w;
    }
}

static void system_box(struct paint *p, const struct panel_view *v, const struct scene_item *it) {
    const struct panel_model *m = v->model;
    const struct panel_system *s = &m->system[it->index];
    char rate[16];
    double signals = 0;
    bool chosen = same(it, v->chosen), high = it->h >= HIGH_BOX;
    paint_box(p, it->x, it->y, it->w, it->h, BOX, chosen ? HOT : state_color(s->state));
    paint_text(p, it->x + 8, it->y + 5, PAINT_LARGE, INK, "%s", s->name);
    paint_text(p, it->x + 64, it->y + 8, PAINT_SMALL, state_color(s->state), "%s", panel_state_name(s->state));
    if (it->w > 200 && s->status[0]) paint_text(p, it->x + 130, it->y + 8, PAINT_SMALL, strcmp(s->status, "ACTIVE") ? WARN : DIM, "%s", s->status);
    if (s->state == PANEL_ABSENT) return;
    int y = it->y + 28;
    paint_text(p, it->x + 8, y, PAINT_SMALL, DIM, "%5.1f%% %6.2f MIPS", 100 * s->cpu_seconds.rate, s->mips);
    if (!high) return;
    paint_bar(p, it->x + 8, y + LINE + 2, it->w - 16, 6, s->cpu_seconds.rate, GOOD);
    for (int i = 0; i < s->paths; i++) signals += s->path[i].signals.rate;
    paint_text(p, it->x + 8, y + 2 * LINE, PAINT_SMALL, DIM, "%s  SIGNALS %s/S", s->address, panel_figure(signals, rate));
    owned(p, m, s, it->x + 8, y + 3 * LINE, it->x + it->w);
}

/* ---- facilities, cards and what leads to them ---- */
static int thickness(double bytes_a_second) { return bytes_a_second > 1e7 ? 5 : bytes_a_second > 1e5 ? 3 : bytes_a_second > 1e3 ? 2 : 1; }

static void wire(struct paint *p, const struct panel_view *v, enum scene_kind kind, int index, int system, double rate, enum paint_color color) {
    int end[4];
    if (scene_wire(v->scene, v->model, kind, index, system, end)) paint_line(p, end[0], end[1], end[2], end[3], thickness(rate), color);
}

static enum paint_color link_color(const struct panel_model *m, int f, int i) {
    const struct panel_cflink *l = &m->cf[f].link[i];
    if (l->pulled || l->isolated) return BAD;
    return l->up && m->cf[f].state == PANEL_RUNNING ? GOOD : EDGE;
}

static void wires(struct paint *p, const struct panel_view *v) {
    const struct panel_model *m = v->model;
    for (int c = 0; c < m->cards; c++)
        for (int i = 0; i < m->card[c].ports; i++) {
            const struct panel_port *port = &m->card[c].port[i];
            wire(p, v, SCENE_CARD, c, panel_system_at(m, port->system), port->bytes.rate, port->fenced ? BAD : port->started ? COLD : EDGE);
        }
    for (int f = 0; f < m->cfs; f++)
        for (int i = 0; i < m->cf[f].links; i++) wire(p, v, SCENE_CF, f, i, m->cf[f].link[i].bytes.rate, link_color(m, f, i));
}

static void link_label(struct paint *p, const struct panel_view *v, const struct scene_item *it) {
    const struct panel_cflink *l = &v->model->cf[it->index].link[it->system];
    char rate[16];
    enum paint_color color = link_color(v->model, it->index, it->system);
    paint_box(p, it->x, it->y, it->w, it->h, GROUND, same(it, v->chosen) ? HOT : color);
    paint_text(p, it->x + 4, it->y + 1, PAINT_SMALL, color == EDGE ? DIM : INK, "%s",
               l->pulled ? "CUT" : l->isolated ? "ISOL" : l->up ? panel_figure(l->commands.rate, rate) : "-");
}

static void cf_box(struct paint *p, const struct panel_view *v, const struct scene_item *it) {
    const struct panel_cf *f = &v->model->cf[it->index];
    char rate[16];
    paint_box(p, it->x, it->y, it->w, it->h, BOX, same(it, v->chosen) ? HOT : state_color(f->state));
    paint_text(p, it->x + 8, it->y + 5, PAINT_LARGE, INK, "%s", f->name);
    paint_text(p, it->x + 64, it->y + 8, PAINT_SMALL, state_color(f->state), "%s", panel_state_name(f->state));
    if (f->state != PANEL_RUNNING) return;
    paint_text(p, it->x + 130, it->y + 8, PAINT_SMALL, DIM, "%s CMD/S  %d KB", panel_figure(f->commands.rate, rate), f->storage_kb - f->free_kb);
    for (int i = 0; i < f->structures && i < 3; i++) {
        const struct panel_structure *s = &f->structure[i];
        paint_text(p, it->x + 8, it->y + 26 + i * LINE, PAINT_SMALL, DIM, "%-16s %-5s %2d CONN %3d%%", s->name, s->type, s->connectors, s->percent);
    }
    if (f->structures > 3) paint_text(p, it->x + 8, it->y + 26 + 3 * LINE, PAINT_SMALL, DIM, "AND %d MORE STRUCTURES", f->structures - 3);
}

static void card_box(struct paint *p, const struct panel_view *v, const struct scene_item *it) {
    const struct panel_card *c = &v->model->card[it->index];
    char rate[16];
    int started = 0;
    bool whole = c->lan_up && c->uplink_up;
    for (int i = 0; i < c->ports; i++) started += c->port[i].started;
    paint_box(p, it->x, it->y, it->w, it->h, BOX, same(it, v->chosen) ? HOT : state_color(c->state));
    paint_text(p, it->x + 8, it->y + 5, PAINT_LARGE, INK, "%s", c->name);
    paint_text(p, it->x + 64, it->y + 8, PAINT_SMALL, state_color(c->state), "%s", panel_state_name(c->state));
    if (c->state != PANEL_RUNNING) return;
    paint_text(p, it->x + 8, it->y + 28, PAINT_SMALL, whole ? DIM : BAD, "LAN %s", c->lan_up ? (c->uplink_up ? "UP" : "UP, UPLINK LOST") : "CUT");
    paint_text(p, it->x + 8, it->y + 28 + LINE, PAINT_SMALL, DIM, "%d OF %d PORTS STARTED  %d ADDRESSES", started, c->ports, c->addresses);
    paint_text(p, it->x + 8, it->y + 28 + 2 * LINE, PAINT_SMALL, DIM, "TRAFFIC %s B/S", panel_figure(c->bytes.rate, rate));
}

/* ---- tables ---- */
static void paths(struct paint *p, const struct panel_view *v) {
    const struct panel_model *m = v->model;
    int n = m->systems < MATRIX_MAX ? m->systems : MATRIX_MAX, w = n > 6 ? 22 : 52, h = n > 8 ? 13 : 22;
    paint_text(p, 16, TABLE_Y, PAINT_SMALL, INK, "CTC SIGNALLING: FROM (ROW) TO (COLUMN), SIGNALS A SECOND");
    for (int i = 0; i < n; i++) {
        int y = TABLE_Y + 38 + i * h;
        paint_text(p, 16, y, PAINT_SMALL, DIM, "%s", m->system[i].name);
        paint_text(p, 68 + i * w, TABLE_Y + 20, PAINT_SMALL, DIM, "%s", n > 6 ? m->system[i].name + strlen(m->system[i].name) - 1 : m->system[i].name);
        for (int k = 0; k < m->system[i].paths; k++) {
            const struct panel_path *path = &m->system[i].path[k];
            int to = panel_system_at(m, path->to);
            bool works = strcmp(path->status, "WORKING") == 0;
            char rate[16];
            if (to < 0 || to >= n) continue;
            paint_box(p, 66 + to * w, y - 2, w - 4, h - 3, BOX, works ? GOOD : BAD);
            /* In a narrow cell the colour says what there is room for. */
            if (n <= 6) paint_text(p, 69 + to * w, y, PAINT_SMALL, works ? INK : BAD, "%.6s", works ? panel_figure(path->signals.rate, rate) : path->status);
        }
    }
}

static void dvipas(struct paint *p, const struct panel_view *v) {
    const struct panel_model *m = v->model;
    paint_text(p, VIPA_X, TABLE_Y, PAINT_SMALL, INK, "DYNAMIC VIPAS   OWNER    NEXT");
    for (int i = 0; i < m->dvipas && i < TABLE_ROWS; i++) {
        const struct panel_dvipa *d = &m->dvipa[i];
        int y = TABLE_Y + 20 + i * LINE;
        paint_text(p, VIPA_X, y, PAINT_SMALL, DIM, "%s", d->address);
        paint_text(p, VIPA_X + 16 * p->w[PAINT_SMALL], y, PAINT_SMALL, d->owner[0] ? GOOD : BAD, "%s", d->owner[0] ? d->owner : "NOBODY");
        paint_text(p, VIPA_X + 25 * p->w[PAINT_SMALL], y, PAINT_SMALL, DIM, "%s %s %s%s", d->backups > 0 ? d->backup[0] : "",
                   d->backups > 1 ? d->backup[1] : "", d->backups > 2 ? d->backup[2] : "", d->distributed ? "  DIST" : "");
    }
    if (m->dvipas > TABLE_ROWS) paint_text(p, VIPA_X, TABLE_Y + 20 + TABLE_ROWS * LINE, PAINT_SMALL, DIM, "AND %d MORE", m->dvipas - TABLE_ROWS);
}

static void targets(struct paint *p, const struct panel_view *v) {
    const struct panel_model *m = v->model;
    double most = 1;
    for (int i = 0; i < m->targets; i++)
        if (m->target[i].connections.total > most) most = m->target[i].connections.total;
    paint_text(p, TARGET_X, TABLE_Y, PAINT_SMALL, INK, "DISTRIBUTED     PORT   TARGET    RDY  WLM  OPEN   CONN    /S");
    for (int i = 0; i < m->targets && i < TABLE_ROWS; i++) {
        const struct panel_target *t = &m->target[i];
        char ready[16], open[16], total[16], rate[16];
        int y = TABLE_Y + 20 + i * LINE;
        paint_text(p, TARGET_X, y, PAINT_SMALL, t->ready ? DIM : BAD, "%-15s %-5d  %-9.9s %-4s %-4d %-6s %-7s %s", t->address, t->port, t->system,
                   t->quiesced ? "QUI" : panel_figure(t->ready, ready), t->weight, panel_figure(t->active, open),
                   panel_figure(t->connections.total, total), panel_figure(t->connections.rate, rate));
        paint_bar(p, TARGET_X, y + LINE - 2, 430, 2, t->connections.total / most, t->ready ? GOOD : BAD);
    }
    if (m->targets > TABLE_ROWS) paint_text(p, TARGET_X, TABLE_Y + 20 + TABLE_ROWS * LINE, PAINT_SMALL, DIM, "AND %d MORE", m->targets - TABLE_ROWS);
}

static void console(struct paint *p, const struct panel_view *v) {
    int x = 40, y = 60, w = SCENE_WIDTH - 80, h = 690, rows = (h - 60) / LINE;
    paint_box(p, x, y, w, h, GROUND, HOT);
    paint_text(p, x + 10, y + 6, PAINT_LARGE, INK, "CONSOLE OF %s", v->console_of);
    paint_text(p, x + w - 180, y + 9, PAINT_SMALL, DIM, "ENTER SENDS, ESC CLOSES");
    for (int i = 0; i < rows && i < v->console_lines; i++) {
        const char *text = v->console_line(v->console_ctx, i);
        paint_text(p, x + 10, y + h - 44 - i * LINE, PAINT_SMALL, GOOD, "%.160s", text);
    }
    paint_text(p, x + 10, y + h - 24, PAINT_SMALL, HOT, "> %s_", v->typed);
}

void panel_draw(struct paint *p, const struct panel_view *v) {
    paint_clear(p);
    title(p, v);
    wires(p, v);
    for (int i = 0; i < v->scene->items; i++) {
        const struct scene_item *it = &v->scene->item[i];
        switch (it->kind) {
        case SCENE_SYSTEM: system_box(p, v, it); break;
        case SCENE_CF: cf_box(p, v, it); break;
        case SCENE_CARD: card_box(p, v, it); break;
        case SCENE_CFLINK: link_label(p, v, it); break;
        case SCENE_BUTTON:
            paint_box(p, it->x, it->y, it->w, it->h, BOX, EDGE);
            paint_text(p, it->x + 10, it->y + 5, PAINT_SMALL, INK, "%s", scene_action_name((enum scene_action)it->index));
            break;
        case SCENE_NOTHING: break;
        }
    }
    paths(p, v);
    dvipas(p, v);
    targets(p, v);
    paint_text(p, 810, 773, PAINT_SMALL, v->bad ? BAD : DIM, "%.62s", v->said);
    if (v->console_of) console(p, v);
}
