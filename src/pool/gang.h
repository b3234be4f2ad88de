/* gang: resources of several pools at once, all or none, without a script over several pools.
 * One pool's part after the other is taken, in the order of the pools' names, which is everybody's.
 * When a pool has not enough, everything goes back, and whoever waits stands in that pool's line;
 * with that part it begins again with the others:
 *
 *     TAKING --all are there--> KEEPING --each is still there--> done
 *      ^  | one has not enough     | one has ended
 *      |  v                        v
 *      +- all go back; in the line of that pool, if it waits; else none
 *
 * Nothing is held by who stands in a line, so no order of pools can deadlock. But where everything
 * that comes free is gone at once, it would never have two parts at a time. So after some rounds
 * with nothing it is patient: with what it has it stands in the lines of pools that come later in
 * the order, for half a second at first and twice as long each further round. As whoever holds and
 * waits goes up in one order, not even that is a circle.
 *
 * Parts have a short time, so that they come back soon when this daemon dies; when all are together
 * each is renewed to its whole time.
 *
 * Knows: leases, waits.  Must not know: clients, RESP, command names.  Owns: the parts, until
 * `done` takes them over. */
#ifndef POOL_GANG_H
#define POOL_GANG_H

#include "pool/waits.h"

enum {
    GANG_MOST_POOLS = 16,
    GANG_PART_MS = 5000,       /* a part's time, if it is not to be held for less than that ... */
    GANG_LEAST_PART_MS = 1000, /* ... but so long in any case; a longer patience wants more */
    GANG_PATIENCE_MS = 500,
    GANG_MOST_PATIENCE_MS = 60000
};

/* What is asked of one pool. */
struct gang_part {
    struct pool *pool; /* not shared, and named once */
    int64_t count;
    int64_t timeout_ms;   /* of its leases when all are together; <= 0: for ever */
    int64_t holding_ms;   /* how long all in all they may be held; <= 0: not known */
    struct leases leases; /* what it has; empty when it is asked for */
};

struct gang_request {
    const struct gang_part *parts;
    int count;
    struct str owner; /* "" = none */
    bool with_data;   /* what belongs to the resources is asked for, too */
    bool can_wait;
    int64_t wait_ms; /* for all of it; <= 0: without a limit */
};

/* All parts in the order in which they were asked for; none with an error, or when not all could be
 * had. Borrowed for the callback; what they hold is the caller's then. Runs exactly once, never
 * before gang_malloc() has returned. */
typedef void (*gang_done)(void *arg, const struct err *err, const struct gang_part *parts,
                          int count);

struct gang;
struct gang *gang_malloc(const struct gang_request *request, gang_done done, void *arg);
/* Nobody waits for it any more, and it is not done: everything goes back. */
void gang_gone(struct gang *gang);
/* Likewise, and it ends with this error. */
void gang_refuse(struct gang *gang, const struct err *err);

/* What stands in a line for it; NULL: it is just asking. */
const struct waiter *gang_waiter(const struct gang *gang);
/* What was asked for, without what it has. Borrowed. */
const struct gang_part *gang_parts(const struct gang *gang, int *count, struct str *owner);

#endif
