/* dataset.h - text members of partitioned data sets, as parmlib, profile and HTTPD read them.
 *
 * The guest implements it over the IPL volume's VTOC and PDS directories (super/dataset.c on chan.h), tests
 * over host files. Text arrives as lines in ASCII: EBCDIC translated (code page 1047), trailing blanks of each
 * 80-byte record cut, '\n' after each.
 */
#ifndef SUPER_DATASET_H
#define SUPER_DATASET_H

#include "base/base.h"

struct datasets;

struct member {
    char *text; /* len bytes and a NUL after them */
    u32 len;
};

/* dsname "TCPIP.TCPPARMS", member "PROFILE" (NULL or "" for a sequential data set). Called at start and by
 * commands, never in the data path. The text is the caller's until dataset_release().
 * -ERR_NOENT no data set or no member, -ERR_IO, -ERR_NOMEM. */
int dataset_read(struct datasets *ds, const char *dsname, const char *member, struct member *out);
void dataset_release(struct datasets *ds, struct member *m);
/* Splits "DSN(MEMBER)" or "DSN"; quotes around it are dropped. false if malformed. */
bool dataset_name_split(const char *text, char dsname[45], char member[9]);

#endif
