/* cleaning: see cleaning.h. */
#include "pool/cleaning.h"
#include "pool/packed.h"

#define PAUSE_MS   1000 /* before the first try after a failure */
#define LONGEST_MS 60000

void cleaning_claim(struct pool *pool, struct str mark, int64_t most, int64_t time_ms,
                    answer_done done, void *arg)
{
    struct packed *packed = packed_new(pool, SCRIPT_POOL_CLEAN_CLAIM, packed_end_with_answer, 3,
                                       mark.len + 2 * PACKED_INT);
    packed->done.answer = done;
    packed->arg = arg;
    packed_put(packed, mark);
    packed_put_int(packed, most);
    packed_put_int(packed, time_ms);
    packed_send(packed, &pool->lane);
}

void cleaning_end(struct pool *pool, struct str mark, struct str resource, enum cleaning_how how,
                  struct str error, answer_done done, void *arg)
{
    static const struct str words[] = {
        [CLEANING_CLEAN] = {"clean", 5},
        [CLEANING_FAILED] = {"failed", 6},
        [CLEANING_UNDONE] = {"undone", 6},
    };
    struct packed *packed = packed_new(pool, SCRIPT_POOL_CLEAN_END, packed_end_with_answer, 8,
                                       mark.len + resource.len + error.len + 4 * PACKED_INT);
    packed->done.answer = done;
    packed->arg = arg;
    packed_put(packed, mark);
    packed_put(packed, resource);
    packed_put_literal(packed, words[how]);
    packed_put(packed, error);
    packed_put_int(packed, pool->config->clean_retries);
    packed_put_int(packed, PAUSE_MS);
    packed_put_int(packed, LONGEST_MS);
    packed_put_int(packed, pool->config->unhealthy_timeout_ms);
    packed_send(packed, &pool->lane);
}
