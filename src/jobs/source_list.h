/* source_list: what a source has answered, as resources. One resource a line, without the blanks
 * around it; empty lines and those that begin with # are left out. Behind a resource may stand
 * priority=N and weight=N: its priority and its capacity. It is whole or refused: half a list would
 * take the other half of the pool away.
 * Knows: text, which names a pool takes.  Must not know: where the text came from. */
#ifndef JOBS_SOURCE_LIST_H
#define JOBS_SOURCE_LIST_H

#include "base/err.h"
#include "base/rand.h"
#include "pool/members.h"

struct source_item {
    struct str resource; /* within the text */
    struct member_words words;
};

struct source_list {
    struct source_item *items; /* each resource once, in order */
    int count;
    bool has_words; /* of any of them */
};

/* What a list may be. */
struct source_bounds {
    const struct pool_keys *keys;
    int64_t max;      /* units of all its resources */
    int64_t capacity; /* of those without a weight */
    bool is_shared;   /* the pool: one unit each */
};

/* The text is borrowed for the life of the list. False: err says what is wrong, and in which line;
 * an empty list is wrong, too. source_list_clear() is due in both cases. */
MUST_CHECK bool source_list_parse(struct source_list *list, struct str text,
                                  const struct source_bounds *bounds, struct rand *rand,
                                  struct err *err);
void source_list_shuffle(struct source_list *list, struct rand *rand);
void source_list_clear(struct source_list *list);

#endif
