/* ways: the ways to the same resources: what each asks, and where.
 * Knows: load, stage, the requests of all sides.  Must not know: what is measured. */
#ifndef BENCH_WAYS_H
#define BENCH_WAYS_H

#include "load.h"
#include "stage.h"

enum side {
    SIDE_SEED,   /* straight to Redis with scripts as the Python library has them */
    SIDE_OURS,   /* straight to Redis with our scripts, one operation a call */
    SIDE_DAEMON, /* through the daemons */
    SIDE_MIRROR, /* the same, of one that does nothing */
    SIDE_PLAIN,  /* straight to Redis with SET NX EX and DEL: no pool at all */
    SIDE_RECIPE, /* locks as Redis' documentation has them: SET NX EX, compare and delete by script
                  */
    SIDE_LOCKS,  /* LOCK and UNLOCK through the daemons */
};

/* One section's pool. Each side has it under a prefix of its own, made when a way is made. */
struct pool_plan {
    const char
        *name; /* "rotating": the daemon has it in shared mode, where nothing is given back */
    long long resources;
    bool is_named; /* each slot asks with a name of its own, so that it gets what it had */
};

struct way {
    struct load_target target;
    struct endpoint endpoints[STAGE_MAX_DAEMONS];
    struct program *daemons; /* those that take part; borrowed of the stage */
    int daemon_count;
    pid_t mirror; /* that takes part; 0: none does */
};

struct way_plan {
    enum side side;
    bool is_unix;
    struct pool_plan pool;
    int daemon_count; /* for SIDE_DAEMON: the clients are spread over so many */
};

void way_init(struct way *way, struct stage *stage, const struct way_plan *plan);
void way_clear(struct way *way);

#endif
