/* embedded: a redis-server of our own: started in the state folder, watched, started again when it
 * dies, adopted when a daemon before us was killed and left it, stopped last. Never two on a
 * folder.
 *
 *     DOWN --start--> SEEKING --the lock is free--> RUNNING --it ended--> PAUSED --backoff-->
 * SEEKING |                             ^                     any --stop--> STOPPING
 *                        +--a server holds it, found --+
 *
 * Knows: statedir, io/child.  Must not know: links. */
#ifndef REDIS_EMBEDDED_H
#define REDIS_EMBEDDED_H

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/rand.h"
#include "io/addr.h"

struct embedded;
struct event_base;
struct redis_config;

struct embedded_events {
    void (*running)(void *arg); /* a server has just been started or found: dial it */
    /* It ended or cannot be had; why, for people. */
    void (*trouble)(void *arg, const char *why);
    void *arg;
};

/* The config is borrowed for life. */
struct embedded *embedded_new(struct event_base *base, const struct redis_config *config,
                              const struct clock *clock, struct rand *rand, struct log *log,
                              const struct embedded_events *events);
/* Stopped, or never started. */
void embedded_free(struct embedded *embedded);

/* Takes the folder and starts the server, or adopts the one that is there. False: cannot work. */
MUST_CHECK bool embedded_start(struct embedded *embedded, struct err *err);
/* SIGTERM, SIGKILL after timeout_ms. `stopped` runs once, from the loop. */
void embedded_stop(struct embedded *embedded, int64_t timeout_ms, void (*stopped)(void *arg),
                   void *arg);

/* Where it listens, once started. */
const struct addr *embedded_addr(const struct embedded *embedded);
int embedded_pid(const struct embedded *embedded); /* 0: none */
uint64_t embedded_restarts(const struct embedded *embedded);

#endif
