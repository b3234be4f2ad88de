/* locks: see locks.h. */
#include "lock/locks.h"
#include "base/mem.h"
#include "base/name.h"
#include "lock/waits.h"
#include "lock/wish.h"
#include <inttypes.h>

static const struct str shared = {"#SHARED", 7}, permits = {"#PERMITS", 8};

/* The keys of scripts for one lock. */
static const enum lock_key holders_keys[] = {LOCK_KEY_LOCK, LOCK_KEY_HOLDERS, LOCK_KEY_SET};
static const enum lock_key compare_keys[] = {LOCK_KEY_LOCK, LOCK_KEY_CLAIM, LOCK_KEY_SET};

bool lock_owner_check(struct str owner, struct err *err)
{
    char shown[100];
    if (!name_check_bytes(owner, "owner", err))
        return false;
    if (!str_starts(owner, shared) && !str_starts(owner, permits))
        return true;
    str_printable(owner, shown, sizeof shown);
    return err_set(
        err, ERR_GENERAL,
        "invalid owner '%s': what begins with %s or %s is the mark of locks with several "
        "holders",
        shown, shared.ptr, permits.ptr);
}

/* --- what the lane asks ------------------------------------------------------------------------
 */

static void lane_keys(void *owner, const struct script *script, struct str *keys)
{
    const struct locks *locks = owner;
    for (int i = 0; i < script->key_count; i++) {
        enum lock_key which;
        if (lock_key_called(script->keys[i], &which) && which >= LOCK_KEY_COUNTER)
            keys[i] = locks->keys[which - LOCK_KEY_COUNTER];
    }
}

static bool is_of_waiting(const struct op *op)
{
    return strchr("WDB", op->args[0].ptr[0]) != NULL;
}

/* Plain LOCK and UNLOCK are most of what goes alone. As long as somebody waits here the cheaper
 * scripts would all answer FULL. */
static enum script_id lane_pack(void *owner, struct op *const *ops, size_t count,
                                struct words *args)
{
    const struct locks *locks = owner;
    const struct str *given = ops[0]->args; /* letter owner timeout_ms */
    char letter = given[0].ptr[0];
    if (!list_is_empty(&locks->line.waiters))
        return SCRIPT_NONE;
    if (count == 1 && (letter == 'L' || letter == 'F')) {
        words_put_all(args, given + 1, letter == 'L' ? 2 : 1);
        return letter == 'L' ? SCRIPT_LOCK_LOCK_ONE : SCRIPT_LOCK_UNLOCK_ONE;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_of_waiting(ops[i]))
            return SCRIPT_NONE;
        words_put_all(args, ops[i]->args, (size_t)ops[i]->arg_count);
    }
    return SCRIPT_LOCK_PLAIN;
}

static void lane_recalled(void *owner, const struct answer *answer)
{
    struct locks *locks = owner;
    int64_t count = answer_int(answer, 0);
    locks->counters.recalled += count > 0 ? (uint64_t)count : 0;
    log_text(locks->log, LOG_LEVEL_WARNING, "batch-recalled",
             "%" PRId64 " locks of an unanswered call were given back", count);
}

static const struct lane_rules rules = {
    .batch_script = SCRIPT_LOCK_BATCH,
    .cheap_script = SCRIPT_LOCK_PLAIN,
    .recall_script = SCRIPT_LOCK_RECALL,
    .keys = lane_keys,
    .pack = lane_pack,
    .recalled = lane_recalled,
};

void locks_init(struct locks *locks, struct batches *batches, struct waiters *waiters,
                struct str prefix, struct rand *rand, struct log *log)
{
    static const struct lock_name none;
    unsigned char seed[16];
    size_t len = 0;
    *locks = (struct locks){.batches = batches, .log = log};
    for (int i = 0; i < LOCK_COMMON_KEYS; i++)
        len += lock_key_len(LOCK_KEY_COUNTER + i, prefix, &none);
    char *at = locks->text = mem_alloc(len);
    for (int i = 0; i < LOCK_COMMON_KEYS; i++) {
        enum lock_key which = LOCK_KEY_COUNTER + i;
        locks->keys[i] = str_make(at, lock_key_len(which, prefix, &none));
        lock_key_write(which, prefix, &none, at);
        at += locks->keys[i].len;
    }
    locks->prefix = str_make(locks->text, prefix.len); /* every key begins with it */
    rand_bytes(rand, seed, sizeof seed);
    map_init(&locks->waited, seed);
    list_init(&locks->waited_in_turn);
    lane_init(&locks->lane, batches, &rules, locks);
    line_init(&locks->line, waiters, &lock_waits_rules);
}

void locks_clear(struct locks *locks)
{
    line_clear(&locks->line);
    map_clear(&locks->waited);
    lane_clear(&locks->lane);
    mem_free(locks->text);
}

/* --- operations of a batch ---------------------------------------------------------------------
 */

static void send(struct locks *locks, const struct step *step, lock_done done, void *arg)
{
    lock_call_send(step_pack(locks, step, done, arg));
}

/* --- taking ------------------------------------------------------------------------------------
 */

static void end_take(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct lock_call *call = (struct lock_call *)op;
    bool is_granted = wish_count(call->locks, failure, answer);
    if (is_granted && call->is_gone != NULL && call->is_gone(call->arg))
        wish_give_back(call, answer);
    lock_call_end(call, failure, answer);
}

void locks_take(struct locks *locks, const struct lock_request *request, lock_done done, void *arg)
{
    struct lock_call *call = wish_pack(locks, request, NULL, done, arg);
    call->op.done = end_take;
    call->is_gone = request->is_gone;
    lock_call_send(call);
}

void locks_set(struct locks *locks, const struct lock_name *name, struct str owner,
               int64_t timeout_ms, lock_done done, void *arg)
{
    struct span span;
    struct step step = {
        .name = *name, .letter = "U", .owner = owner, .third = span_of(timeout_ms, &span)};
    send(locks, &step, done, arg);
}

void locks_look(struct locks *locks, const struct lock_name *name, lock_done done, void *arg)
{
    struct step step = {.name = *name, .letter = "V"};
    send(locks, &step, done, arg);
}

/* --- ends and new deadlines: of one holder, or of several --------------------------------------
 */

/* KIND: the same again in terms of a lock with several holders. */
static void end_or_send_again(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct lock_call *call = (struct lock_call *)op;
    const struct str *args = step_args(call);
    if (failure != NULL || !str_eq(answer_str(answer), STR("KIND"))) {
        call->locks->counters.ended +=
            failure == NULL && args[0].ptr[0] != 'E' && answer_int(answer, 0) > 0;
        lock_call_end(call, failure, answer);
        return;
    }
    struct step step = {.name = call->name,
                        .letter = args[0].ptr[0] == 'E' ? "K" : "J",
                        .owner = args[1],
                        .third = args[2],
                        .is_many = true};
    lock_call_send_first(step_pack(call->locks, &step, call->done, call->arg));
    lock_call_free(call);
}

void locks_extend(struct locks *locks, const struct lock_name *name, struct str owner,
                  int64_t timeout_ms, lock_done done, void *arg)
{
    struct span span;
    struct step step = {
        .name = *name, .letter = "E", .owner = owner, .third = span_of(timeout_ms, &span)};
    struct lock_call *call = step_pack(locks, &step, done, arg);
    call->op.done = end_or_send_again;
    lock_call_send(call);
}

void locks_keep(struct locks *locks, const struct lock_hold *hold, int64_t timeout_ms,
                lock_done done, void *arg)
{
    struct span span;
    struct step step = {.name = hold->name,
                        .letter = "N",
                        .owner = hold->owner,
                        .third = span_of(timeout_ms, &span),
                        .is_many = true,
                        .more_args = 1,
                        .more_bytes = PACKING_INT};
    struct lock_call *call = step_pack(locks, &step, done, arg);
    packing_put_int(&call->packing, hold->fence);
    lock_call_send(call);
}

void locks_end(struct locks *locks, const struct lock_name *name, struct str owner, bool may_lead,
               lock_done done, void *arg)
{
    struct step step = {.name = *name, .letter = "F", .owner = owner};
    struct lock_call *call = step_pack(locks, &step, done, arg);
    call->op.may_lead = may_lead;
    call->op.done = end_or_send_again;
    lock_call_send(call);
}

/* --- calls of their own ------------------------------------------------------------------------
 */

void locks_holders(struct locks *locks, const struct lock_name *name, lock_done done, void *arg)
{
    struct lock_shape shape = {.script = SCRIPT_LOCK_HOLDERS,
                               .name = *name,
                               .prefix = locks->prefix,
                               .keys = holders_keys,
                               .key_count = 3};
    lock_call_send(lock_call_new(locks, &shape, done, arg));
}

static struct lock_call *pack_compare(struct locks *locks, enum script_id script,
                                      const struct lock_name *name, struct str op, struct str value,
                                      size_t more_bytes, lock_done done, void *arg)
{
    struct lock_shape shape = {.script = script,
                               .name = *name,
                               .prefix = locks->prefix,
                               .keys = compare_keys,
                               .key_count = 3,
                               .args = 4,
                               .bytes = op.len + value.len + more_bytes};
    struct lock_call *call = lock_call_new(locks, &shape, done, arg);
    packing_put(&call->packing, op);
    packing_put(&call->packing, value);
    return call;
}

void locks_set_if(struct locks *locks, const struct lock_name *name, struct str op,
                  struct str value, struct str new_value, int64_t timeout_ms, lock_done done,
                  void *arg)
{
    struct lock_call *call = pack_compare(locks, SCRIPT_LOCK_SETIF, name, op, value,
                                          new_value.len + PACKING_INT, done, arg);
    packing_put(&call->packing, new_value);
    packing_put_int(&call->packing, timeout_ms > 0 ? timeout_ms : 0);
    lock_call_send(call);
}

void locks_delete_if(struct locks *locks, const struct lock_name *name, struct str op,
                     struct str value, lock_done done, void *arg)
{
    lock_call_send(pack_compare(locks, SCRIPT_LOCK_DELIF, name, op, value, 0, done, arg));
}

void locks_exchange(struct locks *locks, struct str text, lock_done done, void *arg)
{
    struct str daemon = locks->batches->daemon;
    struct lock_shape shape = {.script = SCRIPT_LOCK_GRAPH,
                               .prefix = locks->prefix,
                               .args = 2,
                               .bytes = daemon.len + text.len};
    struct lock_call *call = lock_call_new(locks, &shape, done, arg);
    packing_put(&call->packing, daemon);
    packing_put(&call->packing, text);
    lock_call_send(call);
}
