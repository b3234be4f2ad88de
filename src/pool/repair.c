/* repair: see repair.h. */
#include "pool/repair.h"
#include "pool/packed.h"

static void end_repair(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = (struct packed *)op;
    struct pool *pool = packed->pool;
    struct log *log = pool->pools->log;
    char changed[NUM_INT_MAX], total[NUM_INT_MAX];

    pool->is_repairing = false;
    if (failure != NULL || answer_is_error(answer)) {
        char text[200];
        str_printable(failure != NULL ? str_of(failure->text) : answer_str(answer), text,
                      sizeof text);
        log_line(log, LOG_LEVEL_ERROR, "repair-failed", "pool", pool->name, "why", text, NULL);
    } else {
        int64_t count = answer_int(answer_at(answer, 3), 0);
        num_format_int(total, answer_int(answer_at(answer, 0), 0));
        num_format_int(changed, count);
        pool->counters.repaired += count > 0 ? (uint64_t)count : 0;
        log_line(log, LOG_LEVEL_WARNING, "repair-done", "pool", pool->name, "total", total,
                 "changed", changed, NULL);
    }
    packed_free(packed);
}

void repair_start(struct pool *pool, const char *why)
{
    struct packed *packed;
    struct err err;
    if (pool == NULL || pool->is_repairing)
        return;
    pool->is_repairing = true;
    log_line(pool->pools->log, LOG_LEVEL_WARNING, "repair-start", "pool", pool->name, "broken", why,
             NULL);
    packed = packed_new(pool, SCRIPT_POOL_REPAIR, end_repair, 0, 0);
    if (!lane_add_first(&pool->lane, &packed->op, &err))
        end_repair(&packed->op, &err, answer_none());
}
