/* prober: the probes of one pool; see probes.h.
 * Knows: pools, io/check.  Must not know: which daemon leads. */
#ifndef JOBS_PROBER_H
#define JOBS_PROBER_H

#include "jobs/probes.h"
#include "ops/alarms.h"
#include "pool/members.h"

struct tls_client;

enum health { HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_ILL };

/* One resource. */
struct target {
    struct alarm due;    /* not set while it is checked */
    struct check *check; /* while it goes on */
    struct prober *prober;
    int64_t reported_ms; /* when it was last told how it is */
    enum health health, reported;
    bool was_good;     /* the last result */
    unsigned in_a_row; /* results like it, up to what decides */
    unsigned pass;     /* of the SCAN that has last seen it */
    unsigned round;    /* in which it has last been checked */
    size_t name_len;
    char name[];
};

struct prober {
    struct list_node node; /* in probes->probers */
    struct probes *probes;
    struct pool *pool;
    struct map targets; /* by name */
    struct alarms due;
    size_t running, healthy, ill;
    bool is_held;
    char *settings; /* those that make earlier results void when they change */
    struct tls_client *tls;
    char trouble[200]; /* why nothing can be checked; "": it can */
    /* the SCAN */
    char cursor[24];
    bool is_scanning;
    unsigned pass;
    int64_t pass_started_ms, scan_due_ms;
    /* a round: each resource has been checked once */
    unsigned round;
    size_t round_left;
    int64_t round_started_ms, round_ms; /* when this one began; how long the last one took, -1 */
    /* what Redis is to be told */
    struct list reports;
    bool is_reporting;
    int64_t summary_due_ms;
    bool is_over; /* freed as soon as nothing is in flight */
};

struct prober *prober_new(struct probes *probes, struct pool *pool);
void prober_tick(struct prober *prober);
/* Gives up its checks and forgets all; it may still live until an answer has come. */
void prober_end(struct prober *prober);
/* Frees it, whatever is in flight. */
void prober_free(struct prober *prober);

#endif
