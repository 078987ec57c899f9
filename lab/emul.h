/* emul.h - one LPAR: its IPL volume, its Hercules configuration, its process, its operator console.
 *
 * The emulator runs unmodified, with our module loaded by LDMOD. Its standard input is the FIFO SYS.in (kept
 * open by the emulator itself, so it never sees an end of file); its log SYS.log holds the console of the guest.
 * PLEX390_HERCULES names another emulator binary than "hercules"; which of the two families it is decides the
 * module and a few words of the configuration.
 */
#ifndef LAB_EMUL_H
#define LAB_EMUL_H

#include "lab/plex.h"
#include "lab/proc.h"

/* Where the project's own files are: the checkout, or what make install laid down. */
struct places {
    const char *build; /* programs, guest, modules */
};

/* Builds the IPL volume of a plex in dir from configs/NAME. false after a message. */
bool emul_volume(const struct places *at, const struct plex *p, const char *dir);
/* Starts the emulator and IPLs. */
bool emul_start(const struct places *at, const struct plex *p, const struct plex_system *s, const char *dir);
/* IPLs a running emulator (again). */
bool emul_ipl(const struct plex_system *s, const char *dir);
/* Gives the emulator one command line (an operator's line to the guest begins with '/'). */
bool emul_command(const char *dir, const char *name, const char *line);
/* Waits until a line with text stands in the log at or after offset from; false after ms, when the emulator
 * has ended, or when its guest has loaded a disabled wait. found may be NULL. */
bool emul_wait(const char *dir, const char *name, const char *text, long from, int ms, char *found, size_t cap);
/* Why a system does not answer, and the last line of its console. true: nor will it until it is IPLed again. */
bool emul_silence(const char *dir, const char *name, char *why, size_t cap);
/* Lines with text at or after offset from. */
int emul_count(const char *dir, const char *name, const char *text, long from);
long emul_log_size(const char *dir, const char *name);
/* Orderly end: Z EOD to the guest, quit to the emulator, then signals. */
void emul_stop(const char *dir, const char *name);
/* A line of the log without the time that SDL-Hyperion may write in front of it, and without its mark of a console's line. */
const char *emul_log_text(const char *line);
/* One line of the log as the operator should see it, or NULL if it is the emulator's own chatter. */
const char *emul_console_line(const char *line);

#endif
