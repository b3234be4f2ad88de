/* plain: which operations of a batch are plain, as most are, and the cheaper scripts that do them:
 * pool/plain for many, pool/malloc_one, free_one and renew_one for one; and what these answer.
 * Knows: the operations' args and the scripts'.  Must not know: lanes, what becomes of answers. */
#ifndef POOL_PLAIN_H
#define POOL_PLAIN_H

#include "base/rand.h"
#include "ops/batch.h"

/* Places in the args of an operation; each begins with its letter. */
enum {
    ARG_LETTER,
    /* M */
    MALLOC_HOW = 1,
    MALLOC_COUNT,
    MALLOC_TIMEOUT,
    MALLOC_RANDOM, /* RAND_TOKEN_LEN bytes */
    MALLOC_NAME,
    MALLOC_BINDING,
    MALLOC_OWNER,
    MALLOC_REQID,
    MALLOC_ARGS,
    /* F; resources follow */
    FREE_TOKEN = 1,
    FREE_EXPIRY,
    FREE_COUNT,
    FREE_ARGS,
    /* R, K */
    RENEW_RESOURCE = 1,
    RENEW_TOKEN,
    RENEW_TIMEOUT,
    RENEW_ARGS,
    /* G: as F of one resource, then holder and will_return */
    LEAVE_ARGS = FREE_ARGS + 1 + 2,
    /* H, before M and W; X, before M, W and F */
    HOLDER_ARGS = 2,
    MORE_ARGS = 2
};

/* The script for all of these operations of an exclusive pool, and its args after daemon and
 * sequence; SCRIPT_NONE when one of them is not plain. As struct lane_rules' pack. */
enum script_id plain_pack(struct op *const *ops, size_t count, struct words *args);

/* What such a script answers to a MALLOC: a token and behind it the resource. False: no such text.
 */
bool plain_split(struct str granted, struct str *token, struct str *resource, int64_t *fence);

#endif
