/* host_options.h - the options of a device statement: words of the form name=value, in any order.
 *
 *   host_options(table, rows, argc, argv, error, sizeof error)
 *
 * A row says where a value goes, how much fits, and whether it must be there; a later word overrides an earlier one. All that can be wrong is one line
 * that names the word: an unknown name, no value, a value that is too long, a required one missing. What a value means is for the caller.
 */
#ifndef HERCULES_DEVICES_HOST_OPTIONS_H
#define HERCULES_DEVICES_HOST_OPTIONS_H

#include "base/base.h"

struct host_option {
    const char *name;
    char *out; /* the value goes here; what is there before is the default */
    size_t cap;
    bool required;
};
/* false and the line in error. */
bool host_options(const struct host_option *options, u32 n, int argc, char *const argv[], char *error, size_t cap);

#endif
