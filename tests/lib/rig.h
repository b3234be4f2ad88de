/* rig: what most tests stand on: a temp folder, a redis-server in it, and daemons, all on Unix
 * sockets there, so that tests run side by side. Knows: guard, server, node, client.  Owns: all of
 * them, from rig_start() to rig_end(). */
#ifndef TESTS_LIB_RIG_H
#define TESTS_LIB_RIG_H

#include "tests/lib/guard.h"
#include "tests/lib/node.h"
#include "tests/lib/server.h"
#include "tests/lib/until.h"

#define RIG_MAX_NODES 4

struct rig {
    struct guard guard;
    struct server redis;
    struct client *redis_client; /* see rig_redis() */
    struct node nodes[RIG_MAX_NODES];
    int node_count;
};

/* A folder and a running redis-server (with AOF, so that it can be killed and come back). */
void rig_start(struct rig *rig);
/* The folder alone. */
void rig_start_bare(struct rig *rig);
/* The test has passed: asks each daemon that runs whether its pools are whole, and that it ends
 * with exit status 0; then stops everything. */
void rig_end(struct rig *rig);
/* As rig_end, when pools have been broken on purpose. */
void rig_end_unchecked(struct rig *rig);

/* A daemon that uses the rig's Redis; not started, so that options can be added. */
struct node *rig_node(struct rig *rig);
/* Likewise, started. */
struct node *rig_daemon(struct rig *rig);

/* A client of Redis itself; a new one after a restart. */
struct client *rig_redis(struct rig *rig);

/* All pools in the rig's Redis: lists are whole, and free + allocated = total. */
void rig_check_pools(struct rig *rig);
/* The value that a reply of pairs (POOL INFO, CONFIG GET ...) has for a name; "" when it has none.
 * In a buffer of the caller's. */
const char *rig_value(const char *reply, const char *name, char *out, size_t size);
int64_t rig_number(const char *reply, const char *name);

/* Runs tests, each in a process of its own between set_up and tear_down (NULL: none); returns the
 * exit status for main(). */
int rig_run(const char *name, const TTest *const *tests, size_t count, void (*set_up)(void),
            void (*tear_down)(void));
#define RIG_RUN(name, set_up, tear_down, ...)                                            \
    rig_run(name, (const TTest *const[]){__VA_ARGS__},                                   \
            sizeof((const TTest *const[]){__VA_ARGS__}) / sizeof(const TTest *), set_up, \
            tear_down)

#endif
