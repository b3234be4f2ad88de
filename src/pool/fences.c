/* fences: the part of members.h that belongs to no pool. */
#include "pool/members.h"
#include "pool/packed.h"

static void end_check(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = (struct packed *)op;
    struct err err;
    if (packed_check(packed, failure, answer, &err))
        packed->done.answer(packed->arg, NULL, answer);
    else
        packed->done.answer(packed->arg, &err, answer_none());
    packed_free(packed);
}

void fences_check(struct pools *pools, struct str name, int64_t n, answer_done done, void *arg)
{
    struct packed *packed =
        packed_new(NULL, SCRIPT_POOL_FENCE_CHECK, end_check, 2, name.len + PACKED_INT);
    packed->done.answer = done;
    packed->arg = arg;
    packed_put(packed, name);
    packed_put_int(packed, n);
    packed_send(packed, &pools->lane);
}
