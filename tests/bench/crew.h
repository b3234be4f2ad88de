/* crew: producers and workers of a queue on one thread, a connection each. A producer submits as
 * soon as its last task was accepted, while not too many wait; a worker takes, ends, takes again.
 * Knows: sockets, epoll.  Must not know: who answers. */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include "endpoint.h"
#include <stddef.h>

#define CREW_TEXT 512 /* bytes of a request or of an answer */

/* How one kind of server is spoken to. Each writes a request and returns its length. */
struct crew_tongue {
    const char *name;
    size_t (*submit)(char *out, unsigned long long id);
    size_t (*take)(char *out); /* waits for a task */
    size_t (*end)(char *out, const char *id, size_t len);
    /* Bytes of the answer at the head, 0: it is not whole yet; ends the process when it is an
     * error. Of a take: the task's id within it. */
    size_t (*answer)(const char *bytes, size_t len, const char **id, size_t *id_len);
};
extern const struct crew_tongue crew_daemon, crew_redis, crew_beanstalkd;

struct crew_plan {
    int producers, workers;
    double seconds; /* that count, after a fifth of it that does not */
};

/* Tasks per second that were submitted, taken and ended. */
double crew_run(const struct crew_tongue *tongue, const struct endpoint *endpoint,
                const struct crew_plan *plan);

#endif
