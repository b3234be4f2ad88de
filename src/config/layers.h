/* layers: where settings come from: the file, the environment, the command line. Each layer checks
 * what it is given and notes it; a later layer replaces what an earlier one noted.
 * Knows: rows, inih.  Must not know: the values in use. */
#ifndef CONFIG_LAYERS_H
#define CONFIG_LAYERS_H

#include "config/keys.h"

enum layer { LAYER_FILE, LAYER_ENVIRONMENT, LAYER_ARGUMENTS, LAYER_SET };

/* A value that was given, and by what. */
struct given {
    enum layer layer;
    char *where; /* "rallocd.conf:12" "RALLOCD_REDIS_URL" "--redis.url" "CONFIG SET" */
    char *value;
};

/* What was given, and the pools, queues and users that were named. */
struct layers {
    struct map given;  /* "redis.url", "pool:gpu.mode" -> struct given * */
    struct map pools;  /* name -> struct pool_config *, zeroed: sections may be empty */
    struct map queues; /* name -> struct queue_config *, likewise */
    struct map users;  /* name -> struct user_config *, likewise */
};

void layers_init(struct layers *layers, const unsigned char seed[16]);
void layers_clear(struct layers *layers);

/* Notes one value. `section` as in the file ("pool:gpu"). False: no such section or key, a value
 * that is not allowed, or one given before in the same layer;
 * err begins with `where`. */
MUST_CHECK bool layers_give(struct layers *layers, enum layer layer, const char *where,
                            struct str section, struct str key, struct str value, struct err *err);
/* Notes that a pool, queue or user has a section; "*" has none of its own. */
void layers_name(struct layers *layers, enum key_section section, struct str name);
/* Notes a value that was checked; `name`: a name or "*" for rows of named sections. */
void layers_note(struct layers *layers, enum layer layer, const char *where, const struct key *key,
                 struct str name, struct str value);
/* The last layer's value of a row (`name`: as above), NULL if none. */
const struct given *layers_find(const struct map *given, const struct key *key, struct str name);

MUST_CHECK bool layers_read_file(struct layers *layers, const char *path, struct err *err);
/* RALLOCD_* that is no setting is warned about in `log` (NULL: not). RALLOCD_POOL_KEY is for
 * [pool:*], RALLOCD_QUEUE_KEY for [queue:*], RALLOCD_USER_KEY for [user:*]. `environment` ends with
 * NULL. */
MUST_CHECK bool layers_read_environment(struct layers *layers, char *const *environment,
                                        struct log *log, struct err *err);
/* "--section.key=value"; `arguments` ends with NULL and holds nothing else. */
MUST_CHECK bool layers_read_arguments(struct layers *layers, char *const *arguments,
                                      struct err *err);

#endif
