/* held: what `rallocd run` holds, in the words of the protocol: how it is asked for, kept and given
 * back, and what the answers mean.
 * Knows: commands of the daemon, RESP.  Must not know: connections, processes. */
#ifndef RUN_HELD_H
#define RUN_HELD_H

#include "base/rand.h"
#include "redis/answer.h"
#include "run/plan.h"
#include <event2/buffer.h>

enum { HELD_NAME_MAX = 512, HELD_TOKEN_MAX = 128 };

struct held {
    const struct plan *plan;
    char resource[HELD_NAME_MAX + 1]; /* of a lock its key */
    char token[HELD_TOKEN_MAX];       /* of a lock its owner, which nobody can guess */
    int64_t fence;
    int64_t wait_ms; /* that the daemon is to let it wait: of a pool; < 0: not, 0: without limit */
};

void held_init(struct held *held, const struct plan *plan, struct rand *rand);

/* Each writes one request. */
void held_ask(const struct held *held, struct evbuffer *out);
void held_renew(const struct held *held, struct evbuffer *out);
void held_give_back(const struct held *held, struct evbuffer *out);

/* The answer to held_ask(): true and held is filled; false when nothing was free in time. An error
 * or another answer: false and err. */
MUST_CHECK bool held_take(struct held *held, const struct answer *answer, struct err *err);

#endif
