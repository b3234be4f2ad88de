/* packed: see packed.h. */
#include "pool/packed.h"
#include "base/mem.h"
#include "ops/refusal.h"
#include "pool/repair.h"
#include <limits.h>

/* How many things the operation may touch: what it names, and for some all that the pool has. */
static int weigh(const struct pool *pool, enum script_id script, int arg_count)
{
    bool is_whole = script == SCRIPT_POOL_ASSIGN || script == SCRIPT_POOL_CHECK ||
                    script == SCRIPT_POOL_FREELIST || script == SCRIPT_POOL_HEALTH ||
                    script == SCRIPT_POOL_REPAIR;
    int64_t weight = arg_count + (is_whole ? pool->total : 0);
    return weight < INT_MAX ? (int)weight : INT_MAX;
}

struct packed *packed_new(struct pool *pool, enum script_id script, op_done ended, int arg_count,
                          size_t bytes)
{
    struct packing packing;
    struct packing_room room = {.args = arg_count, .bytes = bytes};
    struct packed *packed = packing_new(&packing, sizeof *packed, room);
    packed->packing = packing;
    packed->pool = pool;
    packed->op.script = script;
    packed->op.weight = weigh(pool, script, arg_count);
    packed->op.done = ended;
    if (pool != NULL)
        pool->pending++;
    return packed;
}

void packed_free(struct packed *packed)
{
    if (packed->pool != NULL)
        packed->pool->pending--;
    mem_free(packed);
}

char *packed_put_space(struct packed *packed, size_t len)
{
    return packing_put_space(&packed->packing, len);
}

void packed_put(struct packed *packed, struct str text)
{
    packing_put(&packed->packing, text);
}

void packed_put_int(struct packed *packed, int64_t n)
{
    packing_put_int(&packed->packing, n);
}

void packed_put_literal(struct packed *packed, struct str text)
{
    packing_put_literal(&packed->packing, text);
}

size_t packed_bytes_of(const struct str *texts, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += texts[i].len;
    return bytes;
}

void packed_put_all(struct packed *packed, const struct str *texts, int count)
{
    for (int i = 0; i < count; i++)
        packed_put(packed, texts[i]);
}

void packed_send(struct packed *packed, struct lane *lane)
{
    struct err err;
    if (!lane_add(lane, &packed->op, &err))
        batches_refuse(lane->batches, &packed->op, &err);
}

static bool explain(struct packed *packed, struct str text, struct err *err)
{
    const char *name = packed->pool != NULL ? packed->pool->name : "";
    bool is_wrong_type = err_kind_of(text) == ERR_WRONGTYPE;
    char shown[300];
    if (str_starts(text, STR("BROKEN"))) {
        str_printable(refusal_text(text), shown, sizeof shown);
        repair_start(packed->pool, shown);
        return err_set(err, ERR_GENERAL,
                       "the list of pool '%s' is broken (%s): not done; it is being repaired", name,
                       shown);
    }
    if (is_wrong_type && packed->pool == NULL)
        return err_set(err, ERR_WRONGTYPE, "the key of the fences holds another type");
    if (is_wrong_type)
        return err_set(err, ERR_WRONGTYPE,
                       "a key of pool '%s' holds another type: is it a lock set? Else POOL REPAIR "
                       "%s mends it",
                       name, name);
    return refusal_explain(packed->op.script, text, err);
}

bool packed_check(struct packed *packed, const struct err *failure, const struct answer *answer,
                  struct err *err)
{
    if (failure != NULL) {
        *err = *failure;
        return false;
    }
    return !answer_is_error(answer) || explain(packed, answer_str(answer), err);
}

void packed_end_with_answer(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = (struct packed *)op;
    struct err err;
    if (packed_check(packed, failure, answer, &err))
        packed->done.answer(packed->arg, NULL, answer);
    else
        packed->done.answer(packed->arg, &err, answer_none());
    packed_free(packed);
}
