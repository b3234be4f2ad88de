/* distance: makes a Redis on this machine as far away as one on another host: a process of its own
 * between the two, which passes everything on that much later.
 * Knows: sockets, poll.  Must not know: RESP, who speaks. */
#ifndef BENCH_DISTANCE_H
#define BENCH_DISTANCE_H

#include "endpoint.h"
#include <sys/types.h>

/* Accepts at `here` once this has returned and passes on to `there`, `us` later each way, until it
 * is ended by proc_stop(). Both are Unix sockets. */
pid_t distance_start(const struct endpoint *here, const struct endpoint *there, int us);

#endif
