/* source_list: what a source has answered, as resources. One resource a line, without the blanks
 * around it; empty lines and those that begin with # are left out. Behind a resource may stand
 * priority=N and weight=N. It is whole or refused: half a list would take the other half of the
 * pool away.
 * Knows: text, which names a pool takes.  Must not know: where the text came from. */
#ifndef JOBS_SOURCE_LIST_H
#define JOBS_SOURCE_LIST_H

#include "base/err.h"
#include "base/rand.h"
#include "pool/keys.h"
#include <stdint.h>

struct source_item {
    struct str resource; /* within the text */
    int64_t priority;    /* 0 when none is named */
    int64_t weight;      /* 1 likewise */
};

struct source_list {
    struct source_item *items; /* each resource once, in order */
    int count;
};

/* The text is borrowed for the life of the list. False: err says what is wrong, and in which line;
 * an empty list is wrong, too. source_list_clear() is due in both cases. */
MUST_CHECK bool source_list_parse(struct source_list *list, struct str text,
                                  const struct pool_keys *keys, int64_t max, struct rand *rand,
                                  struct err *err);
void source_list_shuffle(struct source_list *list, struct rand *rand);
void source_list_clear(struct source_list *list);

#endif
