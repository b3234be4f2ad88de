/* waits: see waits.h. */
#include "pool/waits.h"
#include "base/mem.h"
#include "pool/grants.h"
#include "pool/more.h"
#include "pool/plain.h"

enum {
    WAIT_ARGS = 3 + MALLOC_ARGS, /* W id ticket ends_ms, then a MALLOC's without its letter */
    END_ARGS = 3,                /* E id how */
    ID_MAX = 64,
    BEAT_ARGS = 2,      /* B hears */
    MOST_PLACES = 1000, /* that are looked at in one call */
    REPORT_MS = 1000,
    QUEUED_FIELDS = 2 /* of the answer to who has a place: ticket epoch */
};

struct wait {
    struct waiter waiter; /* first */
    struct pool *pool;
    struct malloc_request request; /* its texts are behind this record */
    char random[RAND_TOKEN_LEN];
    struct packed *asking; /* while it does */
    leases_done done;
    void *arg;
    waits_moved moved; /* NULL: it does not want to know */
    int64_t told_place, told_ms;
};

static struct wait *wait_of(struct waiter *waiter)
{
    return (struct wait *)waiter;
}

static struct pool *pool_of(struct line *line)
{
    return list_entry(line, struct pool, line);
}

/* --- what its client gets ------------------------------------------------------------------------
 */

static void tell(struct wait *wait, const struct err *err, const struct leases *leases)
{
    struct pool *pool = wait->pool;
    pool->counters.mallocs++;
    pool->counters.grants += leases->count;
    pool->counters.misses += err == NULL && leases->count == 0;
    wait->done(wait->arg, err, err == NULL ? leases : NULL);
}

static void answer(struct waiter *waiter, const struct err *err)
{
    const struct leases none = {0};
    tell(wait_of(waiter), err, &none);
}

/* What has been granted, or nothing. Who is answered already gets no more. */
static void hand_over(struct wait *wait, const struct leases *leases)
{
    if (leases->count > 0)
        pool_mark_known(wait->pool);
    if (!wait->waiter.is_answered)
        tell(wait, NULL, leases);
    else if (!wait->waiter.will_return)
        leases_give_back(wait->pool, leases);
    else if (wait->request.holder.len > 0)
        leases_leave(wait->pool, leases, wait->request.holder, true);
}

/* --- asking --------------------------------------------------------------------------------------
 */

static bool read_given(const struct wait *wait, const struct answer *answer, struct leases *leases,
                       struct err *err)
{
    const struct malloc_request *request = &wait->request;
    return (answer_is_array(answer) &&
            grants_read(answer, request->timeout_ms, more_has(request->more, 'D'), leases)) ||
           err_set(err, ERR_GENERAL, "Redis gave an answer that was not expected");
}

static void end_ask(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = (struct packed *)op;
    struct wait *wait = packed->arg;
    bool is_lost = op->is_lost;
    wait->asking = NULL;
    int64_t asked_ms = op->queued_ms;
    struct leases leases = {0};
    struct err err;
    bool is_answer = packed_check(packed, failure, answer, &err);
    packed_free(packed);
    if (is_answer && answer_count(answer) == QUEUED_FIELDS) {
        waiter_queued(&wait->waiter, answer_int(answer_at(answer, 0), 0),
                      answer_int(answer_at(answer, 1), 0));
    } else if (is_answer && read_given(wait, answer, &leases, &err)) {
        leases.asked_ms = asked_ms;
        hand_over(wait, &leases);
        waiter_served(&wait->waiter);
    } else {
        waiter_failed(&wait->waiter, &err, is_lost);
    }
}

static void ask(struct waiter *waiter)
{
    struct wait *wait = wait_of(waiter);
    const struct malloc_request *request = &wait->request;
    char text[ID_MAX];
    struct str id = waiter_id(waiter, text);
    struct packed *packed =
        packed_new(wait->pool, SCRIPT_POOL_BATCH, end_ask, grants_before_args(request) + WAIT_ARGS,
                   id.len + 2 * PACKED_INT + grants_bytes(request));
    packed->arg = wait;
    packed->op.weight = grants_weight(request);
    grants_put_before(packed, request);
    wait->asking = packed;
    packed->op.may_grant = true;
    packed_put_literal(packed, STR("W"));
    packed_put(packed, id);
    if (waiter->ticket < 0)
        packed_put_literal(packed, STR(""));
    else
        packed_put_int(packed, waiter->ticket);
    packed_put_int(packed, request->longest_ms > 0 ? request->longest_ms : 0);
    grants_put(packed, request, wait->random);
    packed_send(packed, &wait->pool->lane);
}

static bool withdraw(struct waiter *waiter)
{
    struct wait *wait = wait_of(waiter);
    if (!lane_withdraw(&wait->pool->lane, &wait->asking->op))
        return false;
    packed_free(wait->asking);
    wait->asking = NULL;
    return true;
}

/* --- leaving -------------------------------------------------------------------------------------
 */

/* more: what it asked for besides, if it is to have what was granted to it. */
static struct packed *pack_leave(struct pool *pool, struct str id, struct str how, struct str more,
                                 op_done ended)
{
    int more_args = more.len > 0 ? MORE_ARGS : 0;
    struct packed *packed =
        packed_new(pool, SCRIPT_POOL_BATCH, ended, more_args + END_ARGS, more.len + id.len);
    if (more_args > 0) {
        packed_put_literal(packed, STR("X"));
        packed_put(packed, more);
    }
    packed_put_literal(packed, STR("E"));
    packed_put(packed, id);
    packed_put_literal(packed, how);
    return packed;
}

static void end_leave(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = (struct packed *)op;
    struct wait *wait = packed->arg;
    int64_t asked_ms = op->queued_ms;
    struct leases leases = {0};
    struct err err;
    bool is_ok = packed_check(packed, failure, answer, &err);
    packed_free(packed);
    if (is_ok && wait->waiter.leaving == LEAVING_LATE) {
        is_ok = read_given(wait, answer, &leases, &err);
        leases.asked_ms = asked_ms;
        if (is_ok)
            hand_over(wait, &leases);
    }
    waiter_left(&wait->waiter, is_ok ? NULL : &err);
}

static void leave(struct waiter *waiter, enum leaving how)
{
    struct wait *wait = wait_of(waiter);
    char text[ID_MAX];
    struct packed *packed =
        pack_leave(wait->pool, waiter_id(waiter, text),
                   how == LEAVING_LATE   ? STR("t")
                   : how == LEAVING_GONE ? STR("g")
                                         : STR("k"),
                   how == LEAVING_LATE ? wait->request.more : STR(""), end_leave);
    packed->arg = wait;
    packed_send(packed, &wait->pool->lane);
}

/* --- places --------------------------------------------------------------------------------------
 */

static void report(struct wait *wait, int64_t place, int64_t expected_ms)
{
    int64_t now_ms = clock_ms(wait->pool->pools->clock);
    bool is_soon = wait->told_place > 0 && now_ms - wait->told_ms < REPORT_MS;
    if (place == 0 || place == wait->told_place || is_soon || wait->waiter.is_answered)
        return;
    wait->told_place = place;
    wait->told_ms = now_ms;
    wait->moved(wait->arg, place, expected_ms);
}

static void end_places(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = (struct packed *)op;
    struct pool *pool = packed->pool;
    struct err err;
    bool is_ok = packed_check(packed, failure, answer, &err);
    for (int i = 0; is_ok && i < op->arg_count; i++) {
        struct waiter *waiter = waiters_find(pool->line.all, op->args[i]);
        if (waiter != NULL)
            report(wait_of(waiter), answer_int(answer_at(answer, 2 * (size_t)i), 0),
                   answer_int(answer_at(answer, 2 * (size_t)i + 1), -1));
    }
    packed_free(packed);
}

static void ask_places(struct pool *pool, struct wait *const *waits, int count)
{
    struct packed *packed =
        packed_new(pool, SCRIPT_POOL_PLACES, end_places, count, (size_t)count * ID_MAX);
    for (int i = 0; i < count; i++) {
        char text[ID_MAX];
        packed_put(packed, waiter_id(&waits[i]->waiter, text));
    }
    packed_send(packed, &pool->lane);
}

static void ask_all_places(struct pool *pool)
{
    struct wait *waits[MOST_PLACES];
    int count = 0;
    list_each (node, &pool->line.waiters) {
        struct wait *wait = wait_of(list_entry(node, struct waiter, node));
        if (wait->moved != NULL && wait->waiter.state == WAITER_WAITING && count < MOST_PLACES)
            waits[count++] = wait;
    }
    pool->reports_due_ms = clock_ms(pool->pools->clock) + REPORT_MS;
    if (count > 0)
        ask_places(pool, waits, count);
}

/* What it is told then counts from when it was told first. */
static void placed(struct waiter *waiter)
{
    struct wait *wait = wait_of(waiter);
    if (wait->moved != NULL && wait->told_place == 0)
        ask_places(wait->pool, &wait, 1);
}

void waits_report(struct waiter *waiter, waits_moved moved)
{
    wait_of(waiter)->moved = moved;
    wait_of(waiter)->pool->reporters++;
}

/* --- beats ---------------------------------------------------------------------------------------
 */

static void end_drop(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct err err;
    (void)!packed_check((struct packed *)op, failure, answer, &err);
    packed_free((struct packed *)op); /* what failed is told again by the next beat */
}

/* [epoch, next_ms, id...] */
static void end_beat(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = (struct packed *)op;
    struct pool *pool = packed->pool;
    struct err err;
    bool is_ok = packed_check(packed, failure, answer, &err);
    packed_free(packed);
    if (!is_ok) {
        line_failed(&pool->line, &err);
        return;
    }
    for (size_t i = 2; i < answer_count(answer); i++) {
        struct str id = answer_str(answer_at(answer, i));
        /* Granted to one that has been given up here. */
        if (waiters_wake(pool->line.all, id) == NULL)
            packed_send(pack_leave(pool, id, STR("g"), STR(""), end_drop), &pool->lane);
    }
    line_beaten(&pool->line, answer_int(answer_at(answer, 0), 0),
                answer_int(answer_at(answer, 1), -1));
}

static void beat(struct line *line)
{
    struct pool *pool = pool_of(line);
    if (pool->reporters > 0 && clock_ms(pool->pools->clock) >= pool->reports_due_ms)
        ask_all_places(pool);
    struct packed *packed = packed_new(pool, SCRIPT_POOL_BATCH, end_beat, BEAT_ARGS, 0);
    packed_put_literal(packed, STR("B"));
    packed_put_literal(packed,
                       upstream_hears(pool->pools->batches->upstream) ? STR("1") : STR("0"));
    packed_send(packed, &pool->lane);
}

/* -------------------------------------------------------------------------------------------------
 */

static void free_wait(struct waiter *waiter)
{
    struct wait *wait = wait_of(waiter);
    wait->pool->pending--;
    wait->pool->reporters -= wait->moved != NULL;
    mem_free(wait);
}

const struct line_rules waits_rules = {.ask = ask,
                                       .withdraw = withdraw,
                                       .leave = leave,
                                       .placed = placed,
                                       .beat = beat,
                                       .answer = answer,
                                       .free = free_wait};

struct waiter *waits_malloc(struct pool *pool, const struct malloc_request *request,
                            int64_t wait_ms, leases_done done, void *arg)
{
    struct str base = pool->keys.base;
    size_t texts = request->name.len + request->owner.len + request->reqid.len +
                   request->holder.len + request->more.len;
    struct wait *wait = mem_zalloc(sizeof *wait + texts);
    char *at = (char *)(wait + 1);
    wait->pool = pool;
    wait->request = *request;
    wait->request.name = str_put(&at, request->name);
    wait->request.owner = str_put(&at, request->owner);
    wait->request.reqid = str_put(&at, request->reqid);
    wait->request.holder = str_put(&at, request->holder);
    wait->request.more = str_put(&at, request->more);
    wait->waiter.will_return = request->reqid.len > 0;
    wait->done = done;
    wait->arg = arg;
    rand_token(pool->pools->rand, wait->random);
    pool->pending++;
    waiters_hear(pool->line.all, str_make(base.ptr, base.len - strlen(pool->name) - 1));
    waiter_start(&wait->waiter, &pool->line, wait_ms);
    return &wait->waiter;
}

const struct malloc_request *waits_request(const struct waiter *waiter)
{
    return &((const struct wait *)waiter)->request;
}
