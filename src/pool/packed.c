/* packed: see packed.h. */
#include "pool/packed.h"
#include "base/mem.h"
#include "pool/repair.h"
#include <assert.h>
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
    size_t head = sizeof(struct packed) + (size_t)arg_count * sizeof(struct str);
    struct packed *packed = mem_alloc(head + bytes);
    *packed = (struct packed){.pool = pool, .room = arg_count};
    packed->op.script = script;
    packed->op.weight = weigh(pool, script, arg_count);
    packed->op.args = packed->args;
    packed->op.done = ended;
    packed->next_arg = packed->args;
    packed->next_byte = (char *)packed + head;
    packed->end = packed->next_byte + bytes;
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

static void add(struct packed *packed, struct str text)
{
    assert(packed->op.arg_count < packed->room);
    *packed->next_arg++ = text;
    packed->op.arg_count++;
}

char *packed_put_space(struct packed *packed, size_t len)
{
    char *at = packed->next_byte;
    assert((size_t)(packed->end - at) >= len);
    packed->next_byte += len;
    add(packed, str_make(at, len));
    return at;
}

void packed_put(struct packed *packed, struct str text)
{
    char *at = packed_put_space(packed, text.len);
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
}

void packed_put_int(struct packed *packed, int64_t n)
{
    char number[NUM_INT_MAX];
    size_t len = num_format_int(number, n);
    packed_put(packed, str_make(number, len));
}

void packed_put_literal(struct packed *packed, struct str text)
{
    add(packed, text);
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

static bool is_refusal(struct str text)
{
    return str_starts(text, STR("OOM ")) || str_starts(text, STR("READONLY ")) ||
           str_starts(text, STR("MISCONF ")) || str_starts(text, STR("NOREPLICAS "));
}

/* The text after its first word. */
static struct str after_word(struct str text)
{
    long at = str_find(text, STR(" "));
    return at < 0 ? text : str_make(text.ptr + at + 1, text.len - (size_t)at - 1);
}

static bool explain(struct packed *packed, struct str text, struct err *err)
{
    const char *name = packed->pool != NULL ? packed->pool->name : "";
    enum err_kind kind = err_kind_of(text);
    char shown[300];
    str_printable(after_word(text), shown, sizeof shown);
    if (str_starts(text, STR("BROKEN"))) {
        repair_start(packed->pool, shown);
        return err_set(err, ERR_GENERAL,
                       "the list of pool '%s' is broken (%s): not done; it is being repaired", name,
                       shown);
    }
    if (kind == ERR_WRONGTYPE && packed->pool == NULL)
        return err_set(err, ERR_WRONGTYPE, "the key of the fences holds another type");
    if (kind == ERR_WRONGTYPE)
        return err_set(err, ERR_WRONGTYPE,
                       "a key of pool '%s' holds another type: is it a lock set? Else POOL REPAIR "
                       "%s mends it",
                       name, name);
    if (kind == ERR_NOTOWNER)
        return err_set(err, ERR_NOTOWNER, "%s", shown);
    if (is_refusal(text)) {
        str_printable(text, shown, sizeof shown);
        return err_set(err, ERR_UPSTREAM, "Redis refused: %s: not done", shown);
    }
    if (str_starts(text, STR("ERR ")))
        text = after_word(text);
    if (packed->op.script != SCRIPT_NONE)
        script_explain(script_of(packed->op.script), text, shown, sizeof shown);
    else
        str_printable(text, shown, sizeof shown);
    return err_set(err, ERR_GENERAL, "%s", shown);
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
