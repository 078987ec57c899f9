/* panel_draw.h - the picture of a sysplex: a model, where things stand, what is chosen; onto any SDL renderer.
 *
 * Colours: green works, blue stands still (a frozen process; a system's port of a card), red is dead, cut, isolated or failing, amber
 * wants a look: a distributed address, a status that is not ACTIVE. A line is thicker from 1 KB, 100 KB and 10 MB a second on.
 */
#ifndef LAB_PANEL_DRAW_H
#define LAB_PANEL_DRAW_H

#include "lab/panel_paint.h"
#include "lab/panel_scene.h"

struct panel_view {
    const struct panel_model *model;
    const struct scene *scene;
    const struct scene_item *chosen; /* NULL = nothing; compared by what it stands for, so it may be of an older scene */
    const char *clock, *said;        /* time of day; the last message, bad: an error */
    bool bad;
    double age; /* seconds since the model was read */

    const char *console_of; /* NULL = it is not open */
    const char *typed;
    int console_lines;
    const char *(*console_line)(void *ctx, int back); /* the last one is 0 */
    void *console_ctx;
};

void panel_draw(struct paint *p, const struct panel_view *v);

#endif
