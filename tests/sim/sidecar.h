/* sidecar: one daemon of the simulation: the production code of ops/, pool/ and jobs/, its timers
 * driven by the world, its Redis reached through the network.
 * Knows: the domain, the world, the network.  Must not know: what its clients want. */
#ifndef SIM_SIDECAR_H
#define SIM_SIDECAR_H

#include "jobs/gc.h"
#include "ops/batch.h"
#include "pool/pools.h"
#include "tests/sim/upstream.h"

struct sidecar {
    struct world *world;
    int number; /* of the start: 0, 1, 2 ... */
    char id[RAND_TOKEN_LEN];
    struct upstream *upstream;
    struct batches batches;
    struct waiters waiters;
    int64_t next_alarm_ms; /* the world will ring it then */
    struct pools pools;
    struct gc gc;
    bool is_alive;
    bool is_dying; /* its clients' connections are gone: what they hear now, they do not hear */
};

/* Lives in memory until sidecar_free(), as timers may still know it. */
struct sidecar *sidecar_new(struct world *world, struct network *network,
                            const struct config *config, int number);
/* Every operation ends, unheard; what is in flight may still arrive. */
void sidecar_kill(struct sidecar *sidecar);
void sidecar_free(struct sidecar *sidecar);

#endif
