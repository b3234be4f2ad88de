/* walker: what random walks over a pool's scripts are made of: a seeded choice, arguments, a log of
 * what was done.  Knows: model, script, seedpeer, server. */
#ifndef TESTS_LIB_WALKER_H
#define TESTS_LIB_WALKER_H

#include "tests/lib/model.h"
#include "tests/lib/seedpeer.h"
#include "tests/lib/server.h"
#include <check.h>
#include <stdio.h>

struct walk {
    struct guard guard;
    struct server server;
    struct pool_at at;
    struct seedpeer peer;
    struct model model;
    FILE *log;
    uint64_t seed, random;
};

/* Of one call; not to be copied: the list points into the bytes. */
struct args {
    struct str list[256];
    int count;
    char bytes[4096];
    size_t used;
};

/* 0 to n-1. */
int walk_below(struct walk *walk, int n);
/* One of n, or MODEL_NONE in most cases. */
int walk_maybe(struct walk *walk, int n);
/* Different items; how many. */
int walk_items(struct walk *walk, int least, int most, int *items);
void walk_names(const struct walk *walk, int count, const int *items, const char **names);
/* A time span in ms for an expiry, and what the model has for it. */
const char *walk_expiry(struct walk *walk, long *expiry);
/* The text is copied. */
void args_add(struct args *args, const char *text);
void args_add_int(struct args *args, long n);
void args_add_items(struct walk *walk, struct args *args, int count, const int *items);
/* Calls the script and logs it. The caller frees the reply. */
redisReply *walk_run(struct walk *walk, enum script_id id, const struct args *args);
/* Both free the reply. */
void walk_expect_ints(redisReply *reply, int count, const long *expected);
void walk_expect_int(redisReply *reply, long expected);

#endif
