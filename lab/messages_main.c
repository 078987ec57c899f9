/* messages_main.c - prints docs/MESSAGES.md: the catalogues of messages and the registry of disabled waits.
 *
 *   build/messages > docs/MESSAGES.md        tests/messages.sh shows that the file is what this prints
 */
#include "ipl/layout.h"
#include "super/messages.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void base_bug(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, condition);
    abort();
}

static const struct message of_modules[] = {
#define MSG(id, text, explanation) {#id, #id " " text, explanation},
#include "hercules-devices/messages.def"
#undef MSG
};

static void print_row(const struct message *m) {
    char text[256];
    const char *rest = message_template(m->text, text, sizeof text);
    while (*rest && *rest != ' ') rest++;
    while (*rest == ' ') rest++;
    printf("| %s | `%s` | %s |\n", m->id, rest, m->explanation);
}

int main(void) {
    puts("# Messages\n");
    puts("Printed by `build/messages` from `guest-stack/super/messages.def`, `hercules-devices/messages.def` and "
         "`ipl/layout.h`; edit those.");
    puts("Ids of OS/390 are used where its message is known and means the same; ours begin with PLX. The last "
         "letter: I information, W warning,");
    puts("E something asked for was not done, A the system cannot go on without the operator. `...` stands for what "
         "varies.\n");
    puts("| id | text | meaning |\n|---|---|---|");
    const struct message *m;
    for (u32 i = 0; (m = message_at(i)); i++) print_row(m);
    puts("\n# The modules, in the emulator's log\n\n| id | text | meaning |\n|---|---|---|");
    for (u32 i = 0; i < ARRAY_LEN(of_modules); i++) print_row(&of_modules[i]);
    puts("\n# Disabled waits\n");
    puts("The PSW is 000A0000 00000ccc.\n\n| code | name | meaning |\n|---|---|---|");
#define WAIT_ROW(name, code, meaning) printf("| %03X | %s | %s |\n", (unsigned)(code), #name, meaning);
    WAIT_CODES(WAIT_ROW)
    return fflush(stdout) == 0 ? 0 : 1;
}
