/* panel_main.c - the panel: a sysplex in a window, from what `plex390 status --json --guests` says; keys and mouse are `plex390`
 * commands. It knows a plex by nothing else, so another display can be made of the same.
 *
 *   plex390 panel [PLEX] [--snapshot FILE.png [--list]] [--from STATUS.json] [--do KEYS] [--every MS]
 *
 *   --snapshot  no window: draws once, with the rates of a second, into FILE; --list prints every text of the picture and its place
 *   --from      shows a file instead of a plex (then nothing can be done to it)
 *   --do        presses these keys, two a second, and quits when what they began is done: '>' is the next thing, '$' ENTER, '^' ESC,
 *               the rest as below, or what is typed at a console
 *   --every     milliseconds from one look to the next (1000)
 *
 *   key                 does                                  key      does
 *   arrows, tab, mouse  choose a system, facility, link, card  i        ipl: start it, or start it again
 *   k f t               kill, freeze, thaw its process         c        console of a system; ESC closes it
 *   x h                 cut, heal its cable                    q        quit
 *
 * One thread: SDL's events, and the pipes of the commands that run, each 30 ms.
 */
#include "lab/panel_draw.h"
#include "lab/panel_job.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUND_MS      30
#define KEYS_MS       500
#define LOOK_MS       10000 /* a look that takes longer is given up */
#define JOBS_MAX      8
#define CONSOLE_LINES 300
#define CONSOLE_WIDTH 200

struct panel {
    char program[4096];
    const char *plex, *from, *snapshot, *keys;
    bool list;
    int every_ms;

    struct panel_model model, before;
    struct scene scene;
    struct scene_item chosen; /* kind SCENE_NOTHING: none */
    double seen;              /* when the model was read; 0 = never */
    struct job look, job[JOBS_MAX];
    double look_begun, key_due;
    char said[256], doing[JOBS_MAX][200], clock[16];
    bool bad, over;

    struct job console;
    char console_of[9], typed[128];
    double listens_at; /* the key that opened it comes as text, too: not taken before then */
    char line[CONSOLE_LINES][CONSOLE_WIDTH]; /* a ring */
    int lines, last;
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(struct panel *p, bool bad, const char *what, const char *text) {
    snprintf(p->said, sizeof p->said, "%s%.*s", what, (int)strcspn(text, "\n"), text);
    p->bad = bad;
}

/* ---- looking ---- */
static void take(struct panel *p, const char *text) {
    static struct panel_model next;
    char error[200];
    if (!panel_read(&next, text, seconds(), error, sizeof error)) {
        say(p, true, "", text[0] ? text : error);
        return;
    }
    if (p->seen > 0) panel_rates(&next, &p->model);
    p->before = p->model;
    p->model = next;
    p->seen = next.at;
    scene_lay_out(&p->scene, &p->model);
}

static void read_file(struct panel *p) {
    static char text[1 << 20];
    FILE *f = fopen(p->from, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = '\0';
    if (f) fclose(f);
    take(p, text);
}

static void look(struct panel *p) {
    const char *const words[] = {"-p", p->plex, "status", "--json", "--guests", NULL};
    double now = seconds();
    if (p->look.pid == 0) {
        if (p->look_begun > 0 && now < p->look_begun + p->every_ms / 1000.0) return;
        p->look_begun = now;
        if (p->from)
            read_file(p);
        else if (!job_start(&p->look, p->program, words, false))
            say(p, true, "cannot start ", p->program);
        return;
    }
    bool whole = job_read(&p->look);
    if (!whole && now < p->look_begun + LOOK_MS / 1000.0) return;
    if (whole) take(p, p->look.have ? p->look.text : "");
    job_end(&p->look);
}

/* ---- doing ---- */
static void run(struct panel *p, const char *command) {
    char text[200], *save;
    const char *words[8] = {"-p", p->plex};
    int n = 2, at = 0;
    while (at < JOBS_MAX && p->job[at].pid) at++;
    if (at == JOBS_MAX || p->from) {
        say(p, true, "", p->from ? "a file is shown: nothing can be done to it" : "too much at once");
        return;
    }
    snprintf(p->doing[at], sizeof p->doing[at], "%s", command);
    snprintf(text, sizeof text, "%s", command);
    for (char *w = strtok_r(text, " ", &save); w && n < 7; w = strtok_r(NULL, " ", &save)) words[n++] = w;
    if (job_start(&p->job[at], p->program, words, false))
        say(p, false, command, " ...");
    else
        say(p, true, "cannot start ", p->program);
}

static void gather(struct panel *p) {
    for (int i = 0; i < JOBS_MAX; i++) {
        struct job *j = &p->job[i];
        if (j->pid == 0 || !job_read(j)) continue;
        bool wrote = j->have > 0;
        job_end(j);
        if (j->status)
            say(p, true, "", wrote ? j->text : p->doing[i]);
        else
            say(p, false, p->doing[i], ": done");
    }
}

/* ---- the console ---- */
static const char *console_line(void *ctx, int back) {
    const struct panel *p = ctx;
    return p->line[(p->last + CONSOLE_LINES - 1 - back) % CONSOLE_LINES];
}

static void console_open(struct panel *p, const char *system) {
    const char *const words[] = {"-p", p->plex, "console", system, NULL};
    if (p->from || !job_start(&p->console, p->program, words, true)) {
        say(p, true, "no console of ", system);
        return;
    }
    snprintf(p->console_of, sizeof p->console_of, "%s", system);
    p->typed[0] = '\0';
    p->lines = p->last = 0;
    p->listens_at = seconds() + ROUND_MS / 1000.0;
}

static void console_close(struct panel *p) {
    job_end(&p->console);
    p->console_of[0] = '\0';
}

static void console_take(struct panel *p) {
    if (!p->console_of[0]) return;
    bool over = job_read(&p->console);
    size_t done = 0;
    for (char *end; (end = memchr(p->console.text + done, '\n', p->console.have - done)) != NULL;) {
        *end = '\0';
        snprintf(p->line[p->last], CONSOLE_WIDTH, "%s", p->console.text + done);
        p->last = (p->last + 1) % CONSOLE_LINES;
        if (p->lines < CONSOLE_LINES) p->lines++;
        done = (size_t)(end + 1 - p->console.text);
    }
    if (done) job_drop(&p->console, done);
    if (over) console_close(p);
}

static void console_key(struct panel *p, int key) {
    size_t n = strlen(p->typed);
    if (key == SDLK_ESCAPE) console_close(p);
    if (key == SDLK_BACKSPACE && n > 0) p->typed[n - 1] = '\0';
    if (key != SDLK_RETURN && key != SDLK_KP_ENTER) return;
    p->typed[n] = '\n';
    if (write(p->console.in, p->typed, n + 1) < 0) say(p, true, "", "the console is gone");
    p->typed[0] = '\0';
}

/* ---- keys and mouse ---- */
static void act(struct panel *p, enum scene_action a) {
    char command[200];
    const struct scene_item *it = p->chosen.kind == SCENE_NOTHING ? NULL : &p->chosen;
    if (a == SCENE_QUIT)
        p->over = true;
    else if (!scene_command(&p->model, it, a, command, sizeof command))
        say(p, true, "", command);
    else if (a == SCENE_CONSOLE)
        console_open(p, p->model.system[it->index].name);
    else
        run(p, command);
}

static void choose(struct panel *p, int step) {
    const struct scene_item *now = p->chosen.kind == SCENE_NOTHING ? NULL : scene_find(&p->scene, p->chosen.kind, p->chosen.index, p->chosen.system);
    const struct scene_item *it = scene_step(&p->scene, now, step);
    if (it) p->chosen = *it;
}

static void on_key(struct panel *p, int key) {
    if (p->console_of[0])
        console_key(p, key);
    else if (key == SDLK_RIGHT || key == SDLK_DOWN || key == SDLK_TAB)
        choose(p, 1);
    else if (key == SDLK_LEFT || key == SDLK_UP)
        choose(p, -1);
    else if (key < 128 && scene_key(key) != SCENE_ACTIONS)
        act(p, scene_key(key));
}

static void on_click(struct panel *p, int x, int y) {
    const struct scene_item *it = scene_at(&p->scene, x, y);
    if (!it || p->console_of[0]) return;
    if (it->kind == SCENE_BUTTON)
        act(p, (enum scene_action)it->index);
    else
        p->chosen = *it;
}

static void on_event(struct panel *p, const SDL_Event *e) {
    size_t n = strlen(p->typed);
    if (e->type == SDL_QUIT) p->over = true;
    if (e->type == SDL_KEYDOWN) on_key(p, e->key.keysym.sym);
    if (e->type == SDL_MOUSEBUTTONDOWN) on_click(p, e->button.x, e->button.y);
    if (e->type == SDL_TEXTINPUT && p->console_of[0] && seconds() > p->listens_at) snprintf(p->typed + n, sizeof p->typed - 1 - n, "%s", e->text.text);
}

/* --do: as if somebody pressed them. */
static void press_next(struct panel *p) {
    if (!p->keys || p->seen == 0 || seconds() < p->key_due) return;
    p->key_due = seconds() + KEYS_MS / 1000.0;
    for (int i = 0; i < JOBS_MAX; i++)
        if (!*p->keys && p->job[i].pid) return;
    int key = *p->keys;
    SDL_Event down = {.type = key ? SDL_KEYDOWN : SDL_QUIT}, text = {.type = SDL_TEXTINPUT};
    down.key.keysym.sym = key == '>' ? SDLK_RIGHT : key == '$' ? SDLK_RETURN : key == '^' ? SDLK_ESCAPE : key;
    SDL_PushEvent(&down);
    if (!key) return;
    p->keys++;
    text.text.text[0] = (char)key;
    if (!strchr("$^", key)) SDL_PushEvent(&text);
}

/* ---- life ---- */
static void draw(struct panel *p, struct paint *paint) {
    time_t t = time(NULL);
    struct tm tm;
    strftime(p->clock, sizeof p->clock, "%H:%M:%S", localtime_r(&t, &tm));
    struct panel_view v = {.model = &p->model, .scene = &p->scene, .chosen = p->chosen.kind == SCENE_NOTHING ? NULL : &p->chosen, .clock = p->clock,
                           .said = p->said, .bad = p->bad, .age = p->seen > 0 ? seconds() - p->seen : 0,
                           .console_of = p->console_of[0] ? p->console_of : NULL, .typed = p->typed, .console_lines = p->lines,
                           .console_line = console_line, .console_ctx = p};
    panel_draw(paint, &v);
}

static int fail(const char *what, const char *why) {
    fprintf(stderr, "plex390 panel: %s%s\n", what, why);
    return 1;
}

static int snapshot(struct panel *p) {
    struct paint paint;
    char error[200];
    double first = 0, end = seconds() + 2 * LOOK_MS / 1000.0;
    /* Two looks, a second apart: rates. A file has none. */
    while (seconds() < end && (first == 0 || (p->seen == first && !p->from))) {
        look(p);
        if (first == 0) first = p->seen;
        SDL_Delay(5);
    }
    if (p->seen == 0) return fail("nothing to show: ", p->said);
    SDL_Surface *s = SDL_CreateRGBSurfaceWithFormat(0, SCENE_WIDTH, SCENE_HEIGHT, 32, SDL_PIXELFORMAT_RGB888);
    SDL_Renderer *to = s ? SDL_CreateSoftwareRenderer(s) : NULL;
    if (!to) return fail("", SDL_GetError());
    if (!paint_open(&paint, to, error, sizeof error)) return fail("", error);
    if (p->list) paint.list = stdout;
    draw(p, &paint);
    SDL_RenderPresent(to);
    bool good = paint_png(s, p->snapshot, error, sizeof error);
    paint_close(&paint);
    SDL_DestroyRenderer(to);
    SDL_FreeSurface(s);
    return good ? 0 : fail("", error);
}

static int window(struct panel *p) {
    struct paint paint;
    char error[200], name[32];
    SDL_Event e;
    if (SDL_Init(SDL_INIT_VIDEO) != 0) return fail("no display: ", SDL_GetError());
    snprintf(name, sizeof name, "plex390 %s", p->plex);
    SDL_Window *w = SDL_CreateWindow(name, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, SCENE_WIDTH, SCENE_HEIGHT, SDL_WINDOW_RESIZABLE);
    SDL_Renderer *to = w ? SDL_CreateRenderer(w, -1, 0) : NULL;
    if (!to) return fail("no window: ", SDL_GetError());
    SDL_RenderSetLogicalSize(to, SCENE_WIDTH, SCENE_HEIGHT);
    if (!paint_open(&paint, to, error, sizeof error)) return fail("", error);
    SDL_StartTextInput();
    while (!p->over) {
        look(p);
        gather(p);
        console_take(p);
        press_next(p);
        if (SDL_WaitEventTimeout(&e, ROUND_MS)) do on_event(p, &e); while (SDL_PollEvent(&e));
        draw(p, &paint);
        SDL_RenderPresent(to);
    }
    paint_close(&paint);
    SDL_DestroyRenderer(to);
    SDL_DestroyWindow(w);
    SDL_Quit();
    return 0;
}

static int usage(void) {
    fputs("usage: plex390 panel [PLEX] [--snapshot FILE.png [--list]] [--from STATUS.json] [--do KEYS] [--every MS]\n", stderr);
    return 2;
}

static bool options(struct panel *p, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--list") == 0) {
            p->list = true;
            continue;
        }
        if (argv[i][0] != '-') {
            p->plex = argv[i];
            continue;
        }
        if (!value) return false;
        if (strcmp(argv[i], "--snapshot") == 0)
            p->snapshot = value;
        else if (strcmp(argv[i], "--from") == 0)
            p->from = value;
        else if (strcmp(argv[i], "--do") == 0)
            p->keys = value;
        else if (strcmp(argv[i], "--every") != 0 || (p->every_ms = atoi(value)) < 100)
            return false;
        i++;
    }
    return !p->list || p->snapshot;
}

int main(int argc, char **argv) {
    static struct panel p = {.every_ms = 1000, .chosen = {.kind = SCENE_NOTHING}};
    const char *root = getenv("PLEX390_ROOT");
    p.plex = getenv("PLEX390_PLEX") ? getenv("PLEX390_PLEX") : "ONE";
    if (!options(&p, argc, argv)) return usage();
    snprintf(p.program, sizeof p.program, "%s/build/plex390", root ? root : ".");
    signal(SIGPIPE, SIG_IGN); /* a console that ended is seen by its closed pipe */
    int rc = p.snapshot ? snapshot(&p) : window(&p);
    for (int i = 0; i < JOBS_MAX; i++) job_end(&p.job[i]);
    if (p.console_of[0]) console_close(&p);
    job_end(&p.look);
    return rc;
}
