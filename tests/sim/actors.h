/* actors: those who use the pools: clients that ask, hold, renew, give back and vanish; an
 * administrator; peers that work on Redis directly, as the Python library does; a vandal.
 * Knows: sidecars, history.  Must not know: how time passes between what they do. */
#ifndef SIM_ACTORS_H
#define SIM_ACTORS_H

#include "pool/leases.h"
#include "pool/members.h"
#include "pool/waits.h"
#include "tests/sim/history.h"
#include "tests/sim/sidecar.h"

enum {
    MAX_SIDECARS = 4,
    MAX_ACTORS = 12,
    MAX_HELD = 6,
    MAX_POOLS = 3,
    RESOURCES = 8,
    MAX_TIMEOUT_MS = 5000,
    MAX_WAIT_MS = 3000
};

/* What may happen in a run; drawn from its seed. */
struct plan {
    int sidecars, clients, pools;
    bool has_permanent; /* leases without a deadline */
    bool has_gone;      /* clients that vanish while they wait */
    bool has_waits;     /* clients that wait in line */
    bool has_expiry;    /* resources that expire */
    bool has_members;   /* resources come and go */
    bool has_peers;
    bool has_vandal;
    bool has_kills;
    bool has_leaps;
    bool has_sweep; /* the collector looks at entries, not only at the index */
    bool has_loss;  /* Redis loses its data */
    bool is_shared[MAX_POOLS];
    int hurry_ms; /* between what an actor does */
    int64_t length_us;
};

struct held {
    struct hold *hold;
    int pool;
    bool is_permanent;
};

struct actor {
    struct scene *scene;
    int number;
    bool is_waiting; /* for an answer */
    struct held held[MAX_HELD];
    int held_count;
};

struct scene {
    struct world *world;
    struct history history;
    struct network *network;
    struct config *config;
    struct plan plan;
    struct sidecar *sidecars[MAX_SIDECARS]; /* those that live; NULL: place of a dead one */
    struct actor actors[MAX_ACTORS];
    struct pool_keys keys[MAX_POOLS];
    bool is_over; /* no new wishes */
    uint64_t asked, answered;
    uint64_t next_reqid;
    struct map tokens; /* that Redis has granted */
};

extern const char *const pool_names[MAX_POOLS];
extern const char *const resource_names[RESOURCES];

/* A client's next deed, now. */
void client_act(struct actor *actor);
/* An administrator's deed. */
void admin_act(struct scene *scene);
/* A Python peer's deed. */
void peer_act(struct scene *scene);
/* Somebody writes nonsense into the pool's keys. */
void vandal_act(struct scene *scene);

/* The living sidecar that an actor gets; NULL when there is none. */
struct sidecar *scene_sidecar(struct scene *scene);
struct pool *scene_pool(struct sidecar *sidecar, int pool);
/* The error of an answer that is no fault of the network ends the run. */
void scene_check_error(struct scene *scene, const struct err *err, const char *what);

#endif
