/* load: closed-loop clients on one thread. Each has a connection of its own and some slots (its
 * pipelining); a slot takes something, then gives it back, and asks as soon as its last answer is
 * here. A client writes once for all answers that one read has brought.
 * Knows: sockets, epoll, requests, RESP.  Must not know: who answers. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "endpoint.h"
#include "words.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_target {
    const char *name;
    const struct endpoint *endpoints; /* the clients are spread over them */
    int endpoint_count;
    struct words take;      /* their holes: see request.h */
    struct words give;      /* no words: nothing is given back, a take is the unit */
    bool takes_number;      /* a take is answered by a number: what was taken is known anyway */
    size_t before_resource; /* bytes of a take's answer before the resource */
    const char *refusal;    /* what a take is answered that could not be done; NULL: nothing is */
};

struct load_plan {
    int clients;
    int depth;      /* slots of a client */
    double seconds; /* that count, after a tenth of it that does not */
    uint64_t units; /* 0: as many as come; else so many, all of which count, whatever the time */
    /* Optional: runs at the start and at the end of what counts. */
    void (*edge)(void *arg, bool is_end);
    void *arg;
};

struct load_result {
    uint64_t units;        /* that ended within what counts: pairs of a take and a give */
    double seconds;        /* that counted */
    double p50_us, p99_us; /* of a request, from the write to its answer, both kinds together */
};

/* Ends the process with a message when the target answers with an error, with nothing to take, or
 * not at all: figures of a broken run would be worse than none. All is given back at the end. */
void load_run(const struct load_target *target, const struct load_plan *plan,
              struct load_result *result);

#endif
