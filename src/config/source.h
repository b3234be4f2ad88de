/* source: where the settings of this process come from, kept so that a reload can read it again.
 * Knows: args.  Must not know: which settings there are. */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "config/args.h"

struct config_source {
    char *path;         /* "" without -c */
    char **arguments;   /* the settings among them, ended by NULL */
    char **environment; /* RALLOCD_*, ended by NULL */
    char *state_dir;    /* the default of this process; "" when there is none */
};

/* Copies what is needed; `args` NULL: nothing was given. `environment` ends with NULL. */
struct config_source *source_new(const struct args *args, char *const *environment);
/* NULL is allowed. */
void source_free(struct config_source *source);

#endif
