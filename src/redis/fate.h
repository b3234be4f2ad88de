/* fate: tells an answer to a call from a refusal: an error that Redis gave before anything was
 * done. Knows: the words of Redis' errors.  Must not know: links. */
#ifndef REDIS_FATE_H
#define REDIS_FATE_H

#include "redis/upstream.h"

/* CALL_ANSWERED or CALL_REFUSED. */
enum call_fate fate_of(const struct answer *answer);

/* The script is not known to this Redis (any more): nothing was done. */
bool fate_is_noscript(const struct answer *answer);

/* An error that passes by itself while the connection stays good: LOADING, BUSY, MASTERDOWN ... */
bool fate_is_passing(const struct answer *answer);

#endif
