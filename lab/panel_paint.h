/* panel_paint.h - lines, boxes and words on an SDL renderer, in one font of two sizes. What was written can be listed, so that a
 * test reads the picture instead of its pixels.
 */
#ifndef LAB_PANEL_PAINT_H
#define LAB_PANEL_PAINT_H

#include <SDL.h>
#include <stdbool.h>
#include <stdio.h>

enum paint_size { PAINT_SMALL, PAINT_LARGE, PAINT_SIZES };
enum paint_color { INK, DIM, GOOD, WARN, BAD, COLD, EDGE, BOX, GROUND, HOT, PAINT_COLORS };

struct paint {
    SDL_Renderer *to;
    SDL_Texture *glyphs[PAINT_SIZES]; /* the printable characters of ASCII side by side */
    int w[PAINT_SIZES], h[PAINT_SIZES];
    FILE *list; /* every text goes here, too, a line each; NULL = nowhere */
};

/* false with a sentence in error. */
bool paint_open(struct paint *p, SDL_Renderer *to, char *error, size_t cap);
void paint_close(struct paint *p);

void paint_clear(struct paint *p);
void paint_text(struct paint *p, int x, int y, enum paint_size size, enum paint_color color, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void paint_box(struct paint *p, int x, int y, int w, int h, enum paint_color fill, enum paint_color edge);
void paint_bar(struct paint *p, int x, int y, int w, int h, double part, enum paint_color color);
void paint_line(struct paint *p, int x1, int y1, int x2, int y2, int thick, enum paint_color color);

/* The picture as a PNG file; false with a sentence in error. */
bool paint_png(SDL_Surface *s, const char *path, char *error, size_t cap);

#endif
