/* panel_paint.c - drawing for the panel, and its picture as a file. See panel_paint.h. */
#include "lab/panel_paint.h"

#include <SDL_ttf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FIRST ' '
#define LAST '~'
#define FONT "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf" /* of fonts-dejavu-core */

static const SDL_Color COLORS[PAINT_COLORS] = {
    [INK] = {220, 228, 236, 255},  [DIM] = {128, 140, 154, 255}, [GOOD] = {78, 190, 110, 255}, [WARN] = {224, 168, 60, 255},
    [BAD] = {236, 88, 80, 255},    [COLD] = {96, 160, 240, 255}, [EDGE] = {58, 70, 86, 255},   [BOX] = {26, 34, 46, 255},
    [GROUND] = {14, 18, 25, 255},  [HOT] = {250, 250, 250, 255},
};

/* Each character stands in a cell of the same size, so a text needs one texture and no measuring. */
static bool glyphs_make(struct paint *p, enum paint_size size, TTF_Font *font) {
    char all[LAST - FIRST + 2];
    for (int c = FIRST; c <= LAST; c++) all[c - FIRST] = (char)c;
    all[LAST - FIRST + 1] = '\0';
    SDL_Surface *s = TTF_RenderText_Blended(font, all, (SDL_Color){255, 255, 255, 255});
    if (!s) return false;
    p->w[size] = s->w / (LAST - FIRST + 1);
    p->h[size] = s->h;
    p->glyphs[size] = SDL_CreateTextureFromSurface(p->to, s);
    SDL_FreeSurface(s);
    return p->glyphs[size] != NULL;
}

bool paint_open(struct paint *p, SDL_Renderer *to, char *error, size_t cap) {
    static const int points[PAINT_SIZES] = {[PAINT_SMALL] = 11, [PAINT_LARGE] = 15};
    const char *path = getenv("PLEX390_FONT") ? getenv("PLEX390_FONT") : FONT;
    bool good = TTF_Init() == 0;
    *p = (struct paint){.to = to};
    for (int i = 0; i < PAINT_SIZES && good; i++) {
        TTF_Font *font = TTF_OpenFont(path, points[i]);
        good = font && glyphs_make(p, (enum paint_size)i, font);
        if (font) TTF_CloseFont(font);
    }
    if (!good) snprintf(error, cap, "font %s: %s", path, SDL_GetError());
    return good;
}

void paint_close(struct paint *p) {
    for (int i = 0; i < PAINT_SIZES; i++)
        if (p->glyphs[i]) SDL_DestroyTexture(p->glyphs[i]);
    TTF_Quit();
}

static void use(struct paint *p, enum paint_color c) { SDL_SetRenderDrawColor(p->to, COLORS[c].r, COLORS[c].g, COLORS[c].b, 255); }

void paint_clear(struct paint *p) {
    use(p, GROUND);
    SDL_RenderClear(p->to);
}

void paint_text(struct paint *p, int x, int y, enum paint_size size, enum paint_color color, const char *fmt, ...) {
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (p->list) fprintf(p->list, "%d %d %s\n", x, y, text);
    SDL_Rect to = {x, y, p->w[size], p->h[size]};
    SDL_SetTextureColorMod(p->glyphs[size], COLORS[color].r, COLORS[color].g, COLORS[color].b);
    for (const char *c = text; *c; c++, to.x += p->w[size]) {
        SDL_Rect from = {((*c >= FIRST && *c <= LAST ? *c : '?') - FIRST) * p->w[size], 0, p->w[size], p->h[size]};
        if (*c != ' ') SDL_RenderCopy(p->to, p->glyphs[size], &from, &to);
    }
}

void paint_box(struct paint *p, int x, int y, int w, int h, enum paint_color fill, enum paint_color edge) {
    SDL_Rect r = {x, y, w, h};
    use(p, fill);
    SDL_RenderFillRect(p->to, &r);
    use(p, edge);
    SDL_RenderDrawRect(p->to, &r);
}

void paint_bar(struct paint *p, int x, int y, int w, int h, double part, enum paint_color color) {
    SDL_Rect r = {x, y, (int)(w * (part < 0 ? 0 : part > 1 ? 1 : part)), h};
    paint_box(p, x, y, w, h, GROUND, EDGE);
    use(p, color);
    SDL_RenderFillRect(p->to, &r);
}

void paint_line(struct paint *p, int x1, int y1, int x2, int y2, int thick, enum paint_color color) {
    use(p, color);
    for (int i = 0; i < thick; i++) SDL_RenderDrawLine(p->to, x1 + i - thick / 2, y1, x2 + i - thick / 2, y2);
}

/* ---- PNG (ISO 15948): signature, IHDR, IDAT with stored blocks of deflate (RFC 1951, 3.2.4), IEND ---- */
#define STORED_MAX 65535u

struct png {
    FILE *f;
    Uint32 crc, a, b; /* of the chunk; the two sums of Adler-32 (RFC 1950, 9) */
};

static void put(struct png *g, const void *data, size_t n) {
    const Uint8 *d = data;
    fwrite(d, 1, n, g->f);
    for (size_t i = 0; i < n; i++) {
        g->crc ^= d[i];
        for (int k = 0; k < 8; k++) g->crc = g->crc >> 1 ^ (g->crc & 1 ? 0xEDB88320u : 0);
    }
}
static void put32(struct png *g, Uint32 v) {
    Uint8 four[4] = {(Uint8)(v >> 24), (Uint8)(v >> 16), (Uint8)(v >> 8), (Uint8)v};
    put(g, four, 4);
}
static void chunk(struct png *g, Uint32 len, const char *type) {
    put32(g, len);
    g->crc = 0xFFFFFFFFu;
    put(g, type, 4);
}
static void chunk_end(struct png *g) { put32(g, ~g->crc); }

/* One line of the picture: its filter (none), then red, green and blue of each point; a stored block of its own. */
static void scan_line(struct png *g, const Uint32 *points, int w, bool last) {
    Uint32 len = 1 + 3 * (Uint32)w;
    Uint8 head[5] = {last, (Uint8)len, (Uint8)(len >> 8), (Uint8)~len, (Uint8)(~len >> 8)}, line[STORED_MAX] = {0};
    for (int x = 0; x < w; x++) {
        line[1 + 3 * x] = (Uint8)(points[x] >> 16);
        line[2 + 3 * x] = (Uint8)(points[x] >> 8);
        line[3 + 3 * x] = (Uint8)points[x];
    }
    for (Uint32 i = 0; i < len; i++) {
        g->a = (g->a + line[i]) % 65521;
        g->b = (g->b + g->a) % 65521;
    }
    put(g, head, sizeof head);
    put(g, line, len);
}

bool paint_png(SDL_Surface *s, const char *path, char *error, size_t cap) {
    static const Uint8 signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'}, zlib[2] = {0x78, 0x01}, kind[5] = {8, 2, 0, 0, 0};
    struct png g = {.f = fopen(path, "wb"), .a = 1};
    Uint32 line = 5 + 1 + 3 * (Uint32)s->w;
    if (!g.f || line - 5 > STORED_MAX) {
        snprintf(error, cap, "%s: %s", path, g.f ? "the picture is too wide" : strerror(errno));
        if (g.f) fclose(g.f);
        return false;
    }
    put(&g, signature, sizeof signature);
    chunk(&g, 13, "IHDR");
    put32(&g, (Uint32)s->w);
    put32(&g, (Uint32)s->h);
    put(&g, kind, sizeof kind); /* eight bits a colour, no transparency */
    chunk_end(&g);
    chunk(&g, 2 + line * (Uint32)s->h + 4, "IDAT");
    put(&g, zlib, sizeof zlib);
    for (int y = 0; y < s->h; y++) scan_line(&g, (const Uint32 *)(const void *)((const Uint8 *)s->pixels + y * s->pitch), s->w, y == s->h - 1);
    put32(&g, g.b << 16 | g.a);
    chunk_end(&g);
    chunk(&g, 0, "IEND");
    chunk_end(&g);
    bool good = !ferror(g.f);
    if (fclose(g.f) != 0) good = false;
    if (!good) snprintf(error, cap, "%s: it could not be written", path);
    return good;
}
