/* plain: see plain.h. */
#include "pool/plain.h"
#include "base/num.h"

/* The kinds of runs that pool/plain knows. */
enum run { RUN_NONE, RUN_MALLOC, RUN_FREE, RUN_FREE_BY_TOKEN, RUN_RENEW, RUN_KEEP };

static enum run run_of(const struct op *op)
{
    const struct str *args = op->args;
    switch (args[ARG_LETTER].ptr[0]) {
    case 'M':
        return str_eq(args[MALLOC_HOW], STR("1")) && args[MALLOC_NAME].len == 0 &&
                       args[MALLOC_OWNER].len == 0 && args[MALLOC_REQID].len == 0
                   ? RUN_MALLOC
                   : RUN_NONE;
    case 'F':
        if (op->arg_count != FREE_ARGS + 1 || args[FREE_EXPIRY].len > 0)
            return RUN_NONE;
        return args[FREE_TOKEN].len > 0 ? RUN_FREE_BY_TOKEN : RUN_FREE;
    case 'R':
        return RUN_RENEW;
    case 'K':
        return RUN_KEEP;
    default:
        return RUN_NONE;
    }
}

/* --- one ---------------------------------------------------------------------------------------
 */

static enum script_id pack_one(const struct op *op, struct words *args)
{
    const struct str *given = op->args;
    switch (run_of(op)) {
    case RUN_MALLOC:
        words_put(args, given[MALLOC_TIMEOUT]);
        words_put(args, given[MALLOC_RANDOM]);
        return SCRIPT_POOL_MALLOC_ONE;
    case RUN_FREE:
    case RUN_FREE_BY_TOKEN:
        words_put(args, given[FREE_ARGS]);
        words_put(args, given[FREE_TOKEN]);
        return SCRIPT_POOL_FREE_ONE;
    case RUN_RENEW:
    case RUN_KEEP:
        words_put_all(args, given, RENEW_ARGS);
        return SCRIPT_POOL_RENEW_ONE;
    case RUN_NONE:
        break;
    }
    return SCRIPT_NONE;
}

/* --- many --------------------------------------------------------------------------------------
 */

/* All random parts of tokens in one word. */
static void put_randoms(struct op *const *ops, size_t count, size_t mallocs, struct words *args)
{
    char *at = words_put_space(args, mallocs * RAND_TOKEN_LEN);
    for (size_t i = 0; i < count; i++) {
        if (run_of(ops[i]) != RUN_MALLOC)
            continue;
        memcpy(at, ops[i]->args[MALLOC_RANDOM].ptr, RAND_TOKEN_LEN);
        at += RAND_TOKEN_LEN;
    }
}

static bool shares_run(const struct op *first, enum run run, const struct op *op)
{
    return run_of(op) == run &&
           (run != RUN_MALLOC || str_eq(first->args[MALLOC_TIMEOUT], op->args[MALLOC_TIMEOUT]));
}

static void put_run(struct op *const *ops, size_t count, enum run run, struct words *args)
{
    static const struct str letters[] = {
        [RUN_NONE] = {"", 0},           [RUN_MALLOC] = {"M", 1}, [RUN_FREE] = {"F", 1},
        [RUN_FREE_BY_TOKEN] = {"T", 1}, [RUN_RENEW] = {"R", 1},  [RUN_KEEP] = {"K", 1}};
    words_put(args, letters[run]);
    words_put_int(args, (int64_t)count);
    if (run == RUN_MALLOC)
        words_put(args, ops[0]->args[MALLOC_TIMEOUT]);
    for (size_t i = 0; i < count && run != RUN_MALLOC; i++) {
        const struct str *given = ops[i]->args;
        if (run == RUN_RENEW || run == RUN_KEEP) {
            words_put_all(args, given + RENEW_RESOURCE, RENEW_ARGS - RENEW_RESOURCE);
            continue;
        }
        words_put(args, given[FREE_ARGS]);
        if (run == RUN_FREE_BY_TOKEN)
            words_put(args, given[FREE_TOKEN]);
    }
}

enum script_id plain_pack(struct op *const *ops, size_t count, struct words *args)
{
    size_t mallocs = 0;
    if (count == 1)
        return pack_one(ops[0], args);
    for (size_t i = 0; i < count; i++) {
        enum run run = run_of(ops[i]);
        if (run == RUN_NONE)
            return SCRIPT_NONE;
        mallocs += run == RUN_MALLOC;
    }
    put_randoms(ops, count, mallocs, args);
    for (size_t from = 0, to; from < count; from = to) {
        enum run run = run_of(ops[from]);
        for (to = from + 1; to < count && shares_run(ops[from], run, ops[to]); to++)
            ;
        put_run(ops + from, to - from, run, args);
    }
    return SCRIPT_POOL_PLAIN;
}

/* --- answers -----------------------------------------------------------------------------------
 */

bool plain_split(struct str granted, struct str *token, struct str *resource, int64_t *fence)
{
    long mark = str_find(granted, STR("-"));
    size_t len = (size_t)mark + 1 + RAND_TOKEN_LEN;
    if (mark < 0 || len >= granted.len ||
        !num_parse_int(str_make(granted.ptr, (size_t)mark), fence))
        return false;
    *token = str_make(granted.ptr, len);
    *resource = str_make(granted.ptr + len, granted.len - len);
    return true;
}
