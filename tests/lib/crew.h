/* crew: processes that work at the daemons of a rig, each with a connection of its own, and the
 * harm that is done meanwhile to them, to the daemons and to Redis. Knows: rig.  Must not know:
 * what the work is. */
#ifndef TESTS_LIB_CREW_H
#define TESTS_LIB_CREW_H

#include "tests/lib/rig.h"

#define CREW_WORKERS 8

/* One process. */
struct worker {
    struct crew *crew;
    struct client *client;
    unsigned seed;
    char owner[24]; /* a name that no other process has had */
};

struct crew {
    struct rig *rig;
    void (*work)(struct worker *worker); /* once; done again and again */
    pid_t workers[CREW_WORKERS];
};

/* Two daemons that give up soon; `session_s`: how long a session's things live. */
void crew_daemons(struct rig *rig, int session_s);
/* Works for run_ms while `harm` is done again and again; in the end all workers are killed. */
void crew_run(struct crew *crew, int64_t run_ms, void (*harm)(struct crew *crew, unsigned *seed));

/* --- for workers --- */

/* To any daemon that answers: one may be dead just now. */
void worker_connect(struct worker *worker);
/* NULL: the connection ended; there is another one now. */
const char *worker_ask(struct worker *worker, const char *words);
/* For up to so long. */
void worker_pause(struct worker *worker, int most_us);
int worker_rand(struct worker *worker, int below);

/* --- harm --- */

void crew_harm_nobody(struct crew *crew, unsigned *seed);
/* A worker is killed, and another one begins. */
void crew_harm_workers(struct crew *crew, unsigned *seed);
void crew_harm_daemons(struct crew *crew, unsigned *seed);
void crew_harm_redis(struct crew *crew, unsigned *seed);
/* One is stopped for up to 600 ms. */
void crew_harm_a_daemons_time(struct crew *crew, unsigned *seed);

#endif
