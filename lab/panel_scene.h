/* panel_scene.h - where things stand in the panel, what is under the mouse, and what a key means there. Pure.
 *
 *   y     what
 *   0     title
 *   48    systems, eight a row: one row of high boxes, up to four of low ones
 *   ...   links to facilities and cards, each with its traffic in a label that can be chosen
 *   404   facilities on the left, cards on the right
 *   508   signalling paths over CTCs as a table | dynamic VIPAs | the distributor's targets
 *   768   buttons, and the last thing that was said
 *
 * The picture is SCENE_WIDTH x SCENE_HEIGHT; a window of another size scales it.
 */
#ifndef LAB_PANEL_SCENE_H
#define LAB_PANEL_SCENE_H

#include "lab/panel_model.h"

#define SCENE_WIDTH  1280
#define SCENE_HEIGHT 800
#define SCENE_ITEMS  (PLEX_SYSTEMS_MAX * (1 + PLEX_CFS_MAX) + PLEX_CFS_MAX + PLEX_CARDS_MAX + 16)

enum scene_kind { SCENE_SYSTEM, SCENE_CF, SCENE_CARD, SCENE_CFLINK, SCENE_BUTTON, SCENE_NOTHING };
enum scene_action { SCENE_KILL, SCENE_FREEZE, SCENE_THAW, SCENE_CUT, SCENE_HEAL, SCENE_IPL, SCENE_CONSOLE, SCENE_QUIT, SCENE_ACTIONS };

struct scene_item {
    enum scene_kind kind;
    int index, system; /* of its table (an action of a button); of a facility's link: the system */
    int x, y, w, h;
};

struct scene {
    int items;
    struct scene_item item[SCENE_ITEMS];
};

void scene_lay_out(struct scene *s, const struct panel_model *m);
/* Both ends of the line from a system down to a facility (SCENE_CF) or card: x, y above, x, y below. Each line of a box has an end of
 * its own. false: one of them is not in the picture. */
bool scene_wire(const struct scene *s, const struct panel_model *m, enum scene_kind kind, int index, int system, int end[4]);
/* The item under a point, or NULL. */
const struct scene_item *scene_at(const struct scene *s, int x, int y);
/* The item of this kind, or NULL; system only matters for links. */
const struct scene_item *scene_find(const struct scene *s, enum scene_kind kind, int index, int system);
/* What the step'th item before or behind this one is, buttons left out; the first if it is NULL. NULL: there is none. */
const struct scene_item *scene_step(const struct scene *s, const struct scene_item *from, int step);

const char *scene_action_name(enum scene_action a);
/* The key of an action; SCENE_ACTIONS: it has none. */
enum scene_action scene_key(int letter);
/* The words of `plex390` that do an action with an item: "freeze SYSB", "cut CF01 SYSA". false: why not stands in out. */
bool scene_command(const struct panel_model *m, const struct scene_item *it, enum scene_action a, char *out, size_t cap);

#endif
