/* scaling: see scaling.h. */
#include "pool/scaling.h"
#include "pool/packed.h"

void scaling_begin(struct pool *pool, struct str run, const struct scaling_limits *limits,
                   answer_done done, void *arg)
{
    struct packed *packed = packed_new(pool, SCRIPT_POOL_SCALE_BEGIN, packed_end_with_answer, 6,
                                       run.len + 5 * PACKED_INT);
    packed->done.answer = done;
    packed->arg = arg;
    packed_put(packed, run);
    packed_put_int(packed, limits->time_ms);
    packed_put_int(packed, limits->min_free);
    packed_put_int(packed, limits->max_free);
    packed_put_int(packed, limits->max_size);
    packed_put_int(packed, limits->most);
    packed_send(packed, &pool->lane);
}

/* What has come is worth the collector's look at once. */
static void end_finish(struct op *op, const struct err *failure, const struct answer *answer)
{
    if (failure == NULL && !answer_is_error(answer))
        pool_mark_known(((struct packed *)op)->pool);
    packed_end_with_answer(op, failure, answer);
}

void scaling_finish(struct pool *pool, const struct scaling_end *end, answer_done done, void *arg)
{
    size_t bytes = end->run.len + end->error.len + 3 * PACKED_INT +
                   packed_bytes_of(end->resources, end->count);
    struct packed *packed =
        packed_new(pool, SCRIPT_POOL_SCALE_END, end_finish, 6 + end->count, bytes);
    packed->done.answer = done;
    packed->arg = arg;
    packed_put(packed, end->run);
    packed_put_literal(packed, end->is_up ? STR("u") : STR("d"));
    packed_put(packed, end->error);
    packed_put_int(packed, end->cooldown_ms);
    packed_put_int(packed, end->longest_ms);
    packed_put_int(packed, end->max_size);
    packed_put_all(packed, end->resources, end->count);
    packed_send(packed, &pool->lane);
}
