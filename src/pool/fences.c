/* fences: the part of members.h that belongs to no pool. */
#include "pool/members.h"
#include "pool/packed.h"

void fences_check(struct pools *pools, struct str name, int64_t n, answer_done done, void *arg)
{
    struct packed *packed =
        packed_new(NULL, SCRIPT_POOL_FENCE_CHECK, packed_end_with_answer, 2, name.len + PACKED_INT);
    packed->done.answer = done;
    packed->arg = arg;
    packed_put(packed, name);
    packed_put_int(packed, n);
    packed_send(packed, &pools->lane);
}
