/* scene: what a test of the scripts stands on: a folder, a redis-server, one pool "p|x", ourselves
 * and a Python program at it.  Knows: guard, server, script, seedpeer. */
#ifndef TESTS_LIB_SCENE_H
#define TESTS_LIB_SCENE_H

#include "tests/lib/guard.h"
#include "tests/lib/peek.h"
#include "tests/lib/script.h"
#include "tests/lib/seedpeer.h"
#include "tests/lib/server.h"
#include <check.h>

struct scene {
    struct guard guard;
    struct server server;
    struct pool_at at;
    struct seedpeer peer;
};

/* option: a line of Redis' configuration, or NULL. */
void scene_open(struct scene *scene, const char *option);
/* Checks the pool's list, then takes everything down. */
void scene_close(struct scene *scene);
/* Without the check: for a test that leaves a broken list. */
void scene_close_broken(struct scene *scene);

/* A redis-cli line; "..." as in script_say(). Fails the test when the answer is an error. */
void scene_do(struct scene *scene, const char *words);
/* The same; the answer as text must be this. */
#define expect_redis(scene, words, expected) \
    script_expect(scene_ask(scene, words), expected, __FILE__, __LINE__)
redisReply *scene_ask(struct scene *scene, const char *words);

/* A hash over all keys and values of Redis: the same when nothing has changed. free() it. */
char *scene_digest(struct scene *scene);

/* Runs the tests of a file; NULL ends the list. The exit status. */
int scene_run(const char *name, const TTest *const *tests);

/* One malloc: without a name, owner or reqid, for a minute. */
#define M1(random) "M 1 1 60000 " random " \"\" 0 \"\" \"\" "

#endif
