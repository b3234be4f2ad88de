/* stage: a Redis with nothing in it, and daemons on it, for one section of the bench.
 * Knows: proc, the settings of Redis and of the daemon.  Must not know: what is measured. */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include "endpoint.h"
#include "proc.h"
#include <hiredis/hiredis.h>

#define STAGE_MAX_DAEMONS 4
#define STAGE_NAMESPACE   "bench"

/* Either of the two kinds. */
struct program {
    pid_t pid;
    char log[96];
    struct endpoint tcp, local;
    redisContext *context; /* over the Unix socket */
};

struct stage {
    char folder[64];
    struct program redis;
    struct endpoint link; /* where the daemons reach Redis */
    pid_t distance;       /* 0: Redis is near */
    struct program daemons[STAGE_MAX_DAEMONS];
    int daemon_count;
    struct program mirror; /* has no context; pid 0: there is none */
};

struct stage_plan {
    const char *folder; /* it gets one of its own in there, for sockets, logs and Redis' data */
    const char *rallocd;
    int daemon_count;
    bool has_mirror;
    int distance_us;            /* to Redis, each way */
    const char *const *wrapper; /* words before each daemon's command line; NULL: none */
};

void stage_start(struct stage *stage, const struct stage_plan *plan);
void stage_stop(struct stage *stage);

/* Asks and waits, as redisCommand() does; ends the process when the reply is an error. */
redisReply *program_ask(struct program *program, const char *format, ...);
long long program_ask_number(struct program *program, const char *format, ...);
/* The number that a line "name:number" of INFO holds. */
long long program_info(struct program *program, const char *section, const char *name);

/* Makes Redis' append-only file short again when it has grown long, and waits for that, so that
 * Redis never does it while something is measured. */
void stage_rest(struct stage *stage);

#endif
