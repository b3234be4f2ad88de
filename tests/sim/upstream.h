/* upstream: redis/upstream.h as the simulation has it: one little Redis for all daemons, and a
 * network between them that delays, loses, refuses and repeats nothing but may deliver a request
 * long after its sender has given it up.
 * Knows: the world, the keyspace.  Must not know: pools. */
#ifndef SIM_UPSTREAM_H
#define SIM_UPSTREAM_H

#include "redis/upstream.h"
#include "tests/sim/world.h"

struct network;

/* In 1/1000 of the calls each. */
struct weather {
    int lost_request; /* never arrives */
    int lost_reply;   /* is done, its sender never hears */
    int late;         /* arrives after its sender has given it up */
    int refused;      /* LOADING, BUSY, OOM */
    int slow;         /* takes up to a second */
    int cut;          /* the daemon's links end, with all calls in flight */
};

/* A script that Redis has just done, before its answer travels. `key` is its first one. */
typedef void (*network_watch)(void *arg, enum script_id script, struct str key,
                              const redisReply *reply);

struct network *network_new(struct world *world);
void network_free(struct network *network);
void network_set_weather(struct network *network, const struct weather *weather);
void network_watch_with(struct network *network, network_watch watch, void *arg);
/* When Redis did the call whose done() runs now. */
int64_t network_done_us(const struct network *network);
/* Calls that have not arrived at Redis yet and may. */
size_t network_count_travelling(const struct network *network);
uint64_t network_count_calls(const struct network *network);

/* A daemon's side of it; lives as long as the network. */
struct upstream *network_attach(struct network *network);
/* The daemon's host is gone: what is in flight is lost to it, but may still arrive at Redis. */
void network_detach(struct upstream *upstream);
/* Its links end now, for so long. */
void network_cut(struct upstream *upstream, int64_t us);

#endif
