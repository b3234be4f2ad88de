/* replies: cuts replies out of what Redis sends, by hiredis' parser, within bounds that even a
 * Redis gone mad cannot make us pass. Knows: hiredis' reader, evbuffers.  Must not know: what a
 * reply is for. Protocol: https://redis.io/docs/reference/protocol-spec (RESP2). */
#ifndef REDIS_REPLIES_H
#define REDIS_REPLIES_H

#include "redis/answer.h"
#include <event2/buffer.h>

struct replies;

enum replies_state {
    REPLIES_GIVEN,   /* one reply has been given */
    REPLIES_PARTIAL, /* more bytes are needed */
    REPLIES_BROKEN   /* *why is set, borrowed until replies_free() */
};

typedef void (*replies_give)(void *arg, const struct answer *answer);

struct replies *replies_new(void);
void replies_free(struct replies *replies);

/* Takes what is in `in` and gives at most one reply, borrowed for the callback. The callback may
 * free the struct. */
enum replies_state replies_next(struct replies *replies, struct evbuffer *in, replies_give give,
                                void *arg, const char **why);

#endif
