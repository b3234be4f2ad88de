/* seed: how a program without a daemon would do it: two scripts on Redis, one call a request. They
 * ask Redis the same things in the same order as the Python library redis-allocator does for
 * malloc_key() and free_keys(), helper functions included, for making these is part of a call's
 * cost.
 * Knows: the library's layout and habits.  Must not know: lua/. */
#ifndef BENCH_SEED_H
#define BENCH_SEED_H

#include "stage.h"
#include "words.h"

#define SEED_SHA_BYTES 48

struct seed {
    char malloc_sha[SEED_SHA_BYTES], free_sha[SEED_SHA_BYTES];
};

/* Loads the scripts of one pool. base: "<prefix>|<pool>" */
void seed_load(struct seed *seed, struct program *redis, const char *base, bool is_shared);
/* The calls as words. name "": no binding. */
void seed_malloc(const struct seed *seed, struct words *words, const char *timeout_s,
                 const char *name);
void seed_free(const struct seed *seed, struct words *words, const char *resource);

#endif
