/* wish: see wish.h. */
#include "lock/wish.h"

/* What is given back is tried so often: the link may be lost again. */
#define GIVE_BACK_TRIES 5

static const struct str shared = {"#SHARED", 7}, permits = {"#PERMITS", 8};

/* --- asking ------------------------------------------------------------------------------------
 */

static struct lock_call *pack_share(struct locks *locks, const struct lock_request *request,
                                    struct step *step, lock_done done, void *arg)
{
    bool is_shared = request->kind == LOCK_SHARED;
    step->letter = "H";
    step->is_many = true;
    step->more_args = 4;
    step->more_bytes = 2 * (size_t)PACKING_INT;
    struct lock_call *call = step_pack(locks, step, done, arg);
    packing_put_literal(&call->packing, is_shared ? shared : permits);
    packing_put_int(&call->packing, is_shared ? 1 : request->permits);
    packing_put_int(&call->packing, is_shared ? 0 : request->limit);
    packing_put_literal(&call->packing, request->is_again ? STR("1") : STR("0"));
    return call;
}

static struct lock_call *pack_all(struct locks *locks, const struct lock_request *request,
                                  struct step *step, lock_done done, void *arg)
{
    step->letter = "A";
    step->name.key = STR("");
    step->more_args = 1;
    step->more_keys = 2 * request->count;
    step->more_bytes = PACKING_INT;
    for (int i = 0; i < request->count; i++) {
        struct lock_name name = {request->set, request->keys[i]};
        step->more_bytes += lock_key_len(LOCK_KEY_LOCK, locks->prefix, &name) +
                            lock_key_len(LOCK_KEY_CLAIM, locks->prefix, &name);
    }
    struct lock_call *call = step_pack(locks, step, done, arg);
    packing_put_int(&call->packing, request->count);
    for (int i = 0; i < request->count; i++) {
        struct lock_name name = {request->set, request->keys[i]};
        lock_call_put_key(call, LOCK_KEY_LOCK, &name);
        lock_call_put_key(call, LOCK_KEY_CLAIM, &name);
    }
    call->op.weight = request->count;
    return call;
}

struct lock_call *wish_pack(struct locks *locks, const struct lock_request *request,
                            const struct lock_place *place, lock_done done, void *arg)
{
    struct span span;
    struct step step = {.name = {request->set, request->keys[0]},
                        .letter = request->is_again ? "R" : "L",
                        .owner = request->owner,
                        .third = span_of(request->timeout_ms, &span),
                        .reqid = request->reqid,
                        .session = request->session,
                        .place = place};
    struct lock_call *call = request->kind == LOCK_ALL ? pack_all(locks, request, &step, done, arg)
                             : request->kind == LOCK_EXCLUSIVE
                                 ? step_pack(locks, &step, done, arg)
                                 : pack_share(locks, request, &step, done, arg);
    call->op.may_grant = true;
    return call;
}

bool wish_count(struct locks *locks, const struct err *failure, const struct answer *answer)
{
    struct lock_counters *counters = &locks->counters;
    size_t fences = answer_is_array(answer) ? answer_count(answer) : answer_int(answer, 0) > 0;
    bool is_granted = failure == NULL && fences > 0;
    counters->asked++;
    counters->granted += is_granted ? fences : 0;
    counters->held += failure == NULL && answer_is_none(answer);
    return is_granted;
}

/* --- giving back -------------------------------------------------------------------------------
 */

static void end_give_back(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct lock_call *call = (struct lock_call *)op;
    struct err err;
    bool is_ok = lock_call_check(call, failure, answer, &err);
    /* With its fence the lock of nobody else can be hit, however often this is said. */
    if (!is_ok && err.kind == ERR_UPSTREAM && --call->tries > 0 &&
        lane_add_first(&call->locks->lane, op, &err))
        return;
    if (is_ok)
        call->locks->counters.ended += (uint64_t)answer_int(answer, 0);
    else if (err.kind != ERR_NOTOWNER)
        log_line(call->locks->log, LOG_LEVEL_WARNING, "give-back-failed", "why", err.text, NULL);
    lock_call_free(call);
}

static void send_give_back(struct lock_call *call)
{
    call->op.done = end_give_back;
    call->op.may_lead = true;
    call->tries = GIVE_BACK_TRIES;
    lock_call_send_first(call);
}

static void give_back(struct lock_call *granted, struct str key, int64_t fence)
{
    char text[NUM_INT_MAX];
    bool is_many = step_args(granted)[0].ptr[0] == 'H';
    struct step step = {.name = {granted->name.set, key},
                        .letter = is_many ? "J" : "G",
                        .owner = step_args(granted)[1],
                        .third = str_make(text, num_format_int(text, fence)),
                        .is_many = is_many};
    send_give_back(step_pack(granted->locks, &step, NULL, NULL));
}

void locks_give_back(struct locks *locks, const struct lock_hold *hold)
{
    struct step step = {.name = hold->name,
                        .letter = "X",
                        .owner = hold->owner,
                        .third = hold->session,
                        .is_many = true,
                        .more_args = 1,
                        .more_bytes = PACKING_INT};
    struct lock_call *call = step_pack(locks, &step, NULL, NULL);
    packing_put_int(&call->packing, hold->fence);
    send_give_back(call);
}

/* Which locks they were their keys tell, those of each side by side. */
void wish_give_back(struct lock_call *granted, const struct answer *fences)
{
    struct lock_name none = {.set = granted->name.set};
    size_t before = lock_key_len(LOCK_KEY_LOCK, granted->locks->prefix, &none);
    const struct str *keys = granted->op.keys + (none.set.len > 0);
    size_t count = answer_is_array(fences) ? answer_count(fences) : 1;
    for (size_t i = 0; i < count; i++) {
        struct str lock = keys[2 * i];
        const struct answer *fence = answer_is_array(fences) ? answer_at(fences, i) : fences;
        give_back(granted, str_make(lock.ptr + before, lock.len - before), answer_int(fence, 0));
    }
}
