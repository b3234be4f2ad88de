/* compose: what the next call of a lane consists of: which of its operations, in which order, by
 * which script, with which keys and args. Sends nothing and changes no lane.
 * Knows: lanes and their rules.  Must not know: links, what becomes of a call. */
#ifndef OPS_COMPOSE_H
#define OPS_COMPOSE_H

#include "ops/batch.h"

/* Things that one merged call may touch, so that it stays short for everybody else's sake. */
#define COMPOSE_MAX_WEIGHT 10000

struct composed {
    struct call call; /* without done and arg; its keys and args are the batches' until the next */
    size_t count;     /* operations: batches->picked has them in their order */
    bool is_batch;    /* of the lane's batch script, or of a cheaper one in its place */
    bool is_packed;   /* of a cheaper one */
};

/* Have the cheaper scripts answered FULL and nothing else, a moment ago? */
bool compose_is_pointless(const struct lane *lane);
/* Of a lane that has operations in its queue. is_beside: another call of the lane is in flight;
 * then its count is 0 when nothing at the head of the queue may be sent beside that. */
struct composed compose_next(const struct flight *flight, bool is_beside);
/* The recall of the batch that was lost. */
struct composed compose_recall(const struct flight *flight);

#endif
