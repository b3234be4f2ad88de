/* leases: see leases.h. */
#include "pool/leases.h"
#include "base/rand.h"
#include "pool/grants.h"
#include "pool/plain.h"

/* A lease that is given back is tried so often: the link may be lost again. */
#define GIVE_BACK_TRIES 5

static struct packed *packed_of(struct op *op)
{
    return (struct packed *)op;
}

static bool is_expected(bool is_right, struct err *err)
{
    return is_right || err_set(err, ERR_GENERAL, "Redis gave an answer that was not expected");
}

/* --- leases as answers ---------------------------------------------------------------------------
 */

static void end_with_leases(struct packed *packed, const struct err *err,
                            const struct leases *leases)
{
    packed->done.leases(packed->arg, err, err == NULL ? leases : NULL);
    packed_free(packed);
}

static void end_malloc(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = packed_of(op);
    struct pool *pool = packed->pool;
    struct leases leases;
    struct err err;
    pool->counters.mallocs++;
    if (!packed_check(packed, failure, answer, &err) ||
        !is_expected(grants_read(answer, packed->asked, grants_want_data(op), &leases), &err)) {
        end_with_leases(packed, &err, NULL);
        return;
    }
    leases.asked_ms = op->queued_ms;
    pool->counters.grants += leases.count;
    if (leases.count > 0)
        pool_mark_known(pool);
    else
        pool->counters.misses++;
    end_with_leases(packed, NULL, &leases);
}

static void end_held(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = packed_of(op);
    struct leases leases;
    struct err err;
    bool is_ok =
        packed_check(packed, failure, answer, &err) &&
        is_expected(answer_is_array(answer) && grants_read(answer, 0, false, &leases), &err);
    end_with_leases(packed, is_ok ? NULL : &err, &leases);
}

void leases_malloc(struct pool *pool, const struct malloc_request *request, leases_done done,
                   void *arg)
{
    char random[RAND_TOKEN_LEN];
    struct packed *packed =
        packed_new(pool, SCRIPT_POOL_BATCH, end_malloc, grants_before_args(request) + MALLOC_ARGS,
                   grants_bytes(request));
    packed->done.leases = done;
    packed->arg = arg;
    packed->asked = request->timeout_ms;
    packed->op.weight = grants_weight(request);
    rand_token(pool->pools->rand, random);
    grants_put_before(packed, request);
    packed->op.may_grant = true;
    packed->op.is_sole = request->is_sole;
    packed_put_literal(packed, STR("M"));
    grants_put(packed, request, random);
    packed_send(packed, &pool->lane);
}

void leases_held(struct pool *pool, struct str owner, leases_done done, void *arg)
{
    struct packed *packed = packed_new(pool, SCRIPT_POOL_HELD, end_held, 1, owner.len);
    packed->done.leases = done;
    packed->arg = arg;
    packed_put(packed, owner);
    packed_send(packed, &pool->lane);
}

/* --- counts as answers ---------------------------------------------------------------------------
 */

static void end_with_count(struct packed *packed, const struct err *failure,
                           const struct answer *answer,
                           void (*note)(struct pool *pool, int64_t count))
{
    int64_t count = answer_int(answer, 0);
    struct err err;
    if (packed_check(packed, failure, answer, &err) && is_expected(answer_is_int(answer), &err)) {
        note(packed->pool, count);
        packed->done.count(packed->arg, NULL, count);
    } else {
        packed->done.count(packed->arg, &err, 0);
    }
    packed_free(packed);
}

static void end_free(struct op *op, const struct err *failure, const struct answer *answer)
{
    end_with_count(packed_of(op), failure, answer, pool_note_freed);
}

static void note_renewed(struct pool *pool, int64_t count)
{
    pool->counters.renewals += count > 0;
}

static void end_renew(struct op *op, const struct err *failure, const struct answer *answer)
{
    end_with_count(packed_of(op), failure, answer, note_renewed);
}

static struct packed *pack_free(struct pool *pool, const struct free_request *request,
                                op_done ended)
{
    size_t bytes =
        request->token.len + 2 * PACKED_INT + packed_bytes_of(request->resources, request->count);
    int more_args = request->more.len > 0 ? MORE_ARGS : 0;
    struct packed *packed =
        packed_new(pool, SCRIPT_POOL_BATCH, ended, more_args + FREE_ARGS + request->count,
                   request->more.len + bytes);
    packed->op.weight = request->count;
    packed->op.may_lead = packed->op.is_sole = request->is_sole;
    if (more_args > 0) {
        packed_put_literal(packed, STR("X"));
        packed_put(packed, request->more);
    }
    packed_put_literal(packed, STR("F"));
    packed_put(packed, request->token);
    if (request->has_expiry)
        packed_put_int(packed, request->expiry_ms);
    else
        packed_put_literal(packed, STR(""));
    packed_put_int(packed, request->count);
    packed_put_all(packed, request->resources, request->count);
    return packed;
}

void leases_free(struct pool *pool, const struct free_request *request, count_done done, void *arg)
{
    struct packed *packed = pack_free(pool, request, end_free);
    packed->done.count = done;
    packed->arg = arg;
    packed_send(packed, &pool->lane);
}

static void send_renewal(struct pool *pool, struct str letter, struct str resource,
                         struct str token, int64_t timeout_ms, bool is_sole, count_done done,
                         void *arg)
{
    struct packed *packed = packed_new(pool, SCRIPT_POOL_BATCH, end_renew, RENEW_ARGS,
                                       resource.len + token.len + PACKED_INT);
    packed->done.count = done;
    packed->arg = arg;
    packed->op.is_sole = is_sole;
    packed_put_literal(packed, letter);
    packed_put(packed, resource);
    packed_put(packed, token);
    packed_put_int(packed, timeout_ms);
    packed_send(packed, &pool->lane);
}

void leases_renew(struct pool *pool, struct str resource, struct str token, int64_t timeout_ms,
                  bool is_sole, count_done done, void *arg)
{
    send_renewal(pool, STR("R"), resource, token, timeout_ms, is_sole, done, arg);
}

void leases_keep(struct pool *pool, struct str resource, struct str token, int64_t timeout_ms,
                 count_done done, void *arg)
{
    send_renewal(pool, STR("K"), resource, token, timeout_ms, false, done, arg);
}

/* --- nobody waits for these ----------------------------------------------------------------------
 */

static void end_give_back(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct packed *packed = packed_of(op);
    struct err err;
    bool is_ok = packed_check(packed, failure, answer, &err);
    /* With its token the lease of nobody else can be hit, however often this is said. */
    if (!is_ok && err.kind == ERR_UPSTREAM && --packed->asked > 0 &&
        lane_add_first(&packed->pool->lane, op, &err))
        return;
    if (is_ok)
        pool_note_freed(packed->pool, answer_int(answer, 0));
    else if (err.kind != ERR_NOTOWNER)
        log_line(packed->pool->pools->log, LOG_LEVEL_WARNING, "give-back-failed", "pool",
                 packed->pool->name, "why", err.text, NULL);
    packed_free(packed);
}

static void send_give_back(struct packed *packed)
{
    struct err err;
    packed->asked = GIVE_BACK_TRIES;
    if (!lane_add_first(&packed->pool->lane, &packed->op, &err))
        batches_refuse(packed->pool->pools->batches, &packed->op, &err);
}

void leases_give_back(struct pool *pool, const struct leases *leases)
{
    for (size_t i = leases->count; i-- > 0;) { /* each comes before the last one */
        struct lease lease = leases_at(leases, i);
        struct free_request request = {
            .token = lease.token, .resources = &lease.resource, .count = 1};
        if (lease.token.len == 0) /* a shared pool: nothing was taken */
            continue;
        struct packed *packed = pack_free(pool, &request, end_give_back);
        packed->op.may_lead = true;
        send_give_back(packed);
    }
}

void leases_leave(struct pool *pool, const struct leases *leases, struct str holder,
                  bool will_return)
{
    for (size_t i = 0; i < leases->count; i++) {
        struct lease lease = leases_at(leases, i);
        struct packed *packed = packed_new(pool, SCRIPT_POOL_BATCH, end_give_back, LEAVE_ARGS,
                                           lease.token.len + lease.resource.len + holder.len);
        packed->op.may_lead = !will_return;
        packed_put_literal(packed, STR("G"));
        packed_put(packed, lease.token);
        packed_put_literal(packed, STR(""));
        packed_put_literal(packed, STR("1"));
        packed_put(packed, lease.resource);
        packed_put(packed, holder);
        packed_put_literal(packed, will_return ? STR("1") : STR("0"));
        send_give_back(packed);
    }
}
