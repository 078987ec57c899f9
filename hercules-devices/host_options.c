/* host_options.c - see host_options.h. */
#include "hercules-devices/host_options.h"

#include <stdio.h>
#include <string.h>

static const struct host_option *option_named(const struct host_option *options, u32 n, const char *arg,
                                              size_t name_len) {
    for (u32 i = 0; i < n; i++)
        if (strlen(options[i].name) == name_len && memcmp(options[i].name, arg, name_len) == 0) return &options[i];
    return NULL;
}

static bool option_take(const struct host_option *options, u32 n, const char *arg, char *error, size_t cap) {
    const char *value = strchr(arg, '=');
    const struct host_option *o = value ? option_named(options, n, arg, (size_t)(value - arg)) : NULL;
    if (!value || value[1] == '\0')
        snprintf(error, cap, "\"%.80s\": expected name=value", arg);
    else if (!o)
        snprintf(error, cap, "\"%.80s\": no such option", arg);
    else if (strlen(value + 1) >= o->cap)
        snprintf(error, cap, "%s= is longer than %zu characters", o->name, o->cap - 1);
    else
        return strcpy(o->out, value + 1) != NULL;
    return false;
}

bool host_options(const struct host_option *options, u32 n, int argc, char *const argv[], char *error, size_t cap) {
    for (int i = 0; i < argc; i++)
        if (!option_take(options, n, argv[i], error, cap)) return false;
    for (u32 i = 0; i < n; i++)
        if (options[i].required && options[i].out[0] == '\0') {
            snprintf(error, cap, "%s= is missing", options[i].name);
            return false;
        }
    return true;
}
