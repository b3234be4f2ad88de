/* grants: what a MALLOC asks for, as arguments of an operation, and what it was granted, read from
 * an answer. Knows: leases, the args' places.  Must not know: lanes, who waits. */
#ifndef POOL_GRANTS_H
#define POOL_GRANTS_H

#include "pool/packed.h"

/* Room for the texts of its arguments. */
size_t grants_bytes(const struct malloc_request *request);
/* How many words its holder takes, before the operation's letter; puts them. */
int grants_before_args(const struct malloc_request *request);
void grants_put_before(struct packed *packed, const struct malloc_request *request);
/* Those behind the letter: MALLOC_ARGS - 1. `random`: RAND_TOKEN_LEN bytes for its tokens. */
void grants_put(struct packed *packed, const struct malloc_request *request, const char *random);
/* False: it is no answer that holds leases. asked_ms: the timeout that was asked for. */
bool grants_read(const struct answer *answer, int64_t asked_ms, bool with_data,
                 struct leases *leases);
/* Did the operation ask for what belongs to resources? */
bool grants_want_data(const struct op *op);
/* What it may touch, for the operation's weight. */
int grants_weight(const struct malloc_request *request);

#endif
