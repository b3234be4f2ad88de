/* args: the command line, split into what to do, the file, and settings.
 * Knows: base/.  Must not know: which settings there are. */
#ifndef CONFIG_ARGS_H
#define CONFIG_ARGS_H

#include "config/config.h"

struct args {
    enum config_action action;
    const char *path; /* of -c; "" without; borrowed from argv */
    char **settings;  /* those of the form --section.key...; ended by NULL; texts borrowed */
};

/* --help and --version win over everything, even over errors. args_clear() is due in both cases. */
MUST_CHECK bool args_parse(struct args *args, int argc, char **argv, struct err *err);
void args_clear(struct args *args);

#endif
