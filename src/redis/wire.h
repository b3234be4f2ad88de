/* wire: how requests look on their way to Redis, written by plain copying into memory of the right
 * size: the hot path of a daemon.
 * Knows: calls, scripts, the protocol.  Must not know: links. */
#ifndef REDIS_WIRE_H
#define REDIS_WIRE_H

#include "redis/upstream.h"

/* The part of a script's call that is always the same: EVALSHA and its sha. */
struct wire_head {
    char text[72];
    size_t len;
};
void wire_head_init(struct wire_head *head, const struct script *script);

/* `head`: of the call's script; NULL for a plain command. */
size_t wire_call_size(const struct wire_head *head, const struct call *call);
/* Writes exactly that many bytes. */
void wire_call(char *out, const struct wire_head *head, const struct call *call);

#endif
