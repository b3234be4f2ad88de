/* locks: see locks.h. */
#include "lock/locks.h"
#include "base/mem.h"
#include "base/name.h"
#include "lock/call.h"
#include <inttypes.h>

/* What is given back is tried so often: the link may be lost again. */
#define GIVE_BACK_TRIES 5

static const struct str shared = {"#SHARED", 7}, permits = {"#PERMITS", 8};

/* The keys of operations, as lua/lock/batch.lua and the other scripts want them. */
static const enum lock_key one_keys[] = {LOCK_KEY_LOCK, LOCK_KEY_CLAIM};
static const enum lock_key many_keys[] = {LOCK_KEY_LOCK, LOCK_KEY_CLAIM, LOCK_KEY_HOLDERS,
                                          LOCK_KEY_SHARES};
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
        bool is_counter = strcmp(script->keys[i], "counter") == 0;
        bool is_journal = strcmp(script->keys[i], "journal") == 0;
        if (is_counter || is_journal)
            keys[i] = is_counter ? locks->counter : locks->journal;
    }
}

/* Plain LOCK and UNLOCK: most of what goes alone. */
static enum script_id lane_pack(void *owner, struct op *const *ops, size_t count,
                                struct words *args)
{
    const struct str *given = ops[0]->args; /* letter owner timeout_ms */
    char letter = given[0].ptr[0];
    (void)owner;
    if (count > 1 || (letter != 'L' && letter != 'F'))
        return SCRIPT_NONE;
    words_put_all(args, given + 1, letter == 'L' ? 2 : 1);
    return letter == 'L' ? SCRIPT_LOCK_LOCK_ONE : SCRIPT_LOCK_UNLOCK_ONE;
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
    .recall_script = SCRIPT_LOCK_RECALL,
    .keys = lane_keys,
    .pack = lane_pack,
    .recalled = lane_recalled,
};

void locks_init(struct locks *locks, struct batches *batches, struct str prefix, struct log *log)
{
    static const struct lock_name none;
    size_t counter_len = lock_key_len(LOCK_KEY_COUNTER, prefix, &none);
    size_t journal_len = lock_key_len(LOCK_KEY_JOURNAL, prefix, &none);
    *locks = (struct locks){.batches = batches, .log = log};
    locks->text = mem_alloc(counter_len + journal_len);
    lock_key_write(LOCK_KEY_COUNTER, prefix, &none, locks->text);
    lock_key_write(LOCK_KEY_JOURNAL, prefix, &none, locks->text + counter_len);
    locks->prefix = str_make(locks->text, prefix.len); /* the counter's key begins with it */
    locks->counter = str_make(locks->text, counter_len);
    locks->journal = str_make(locks->text + counter_len, journal_len);
    lane_init(&locks->lane, batches, &rules, locks);
}

void locks_clear(struct locks *locks)
{
    lane_clear(&locks->lane);
    mem_free(locks->text);
}

/* --- operations of a batch ---------------------------------------------------------------------
 */

/* One operation up to its third argument; see lua/lock/batch.lua. */
struct step {
    struct lock_name name;
    const char *letter;
    struct str owner;
    struct str third; /* mostly a time */
    bool is_many;     /* of a lock with several holders */
    int more_args, more_keys;
    size_t more_bytes;
};

/* A time as the scripts want it: 0 is for ever. */
struct span {
    char text[NUM_INT_MAX];
};

static struct str span_of(int64_t ms, struct span *span)
{
    return str_make(span->text, num_format_int(span->text, ms > 0 ? ms : 0));
}

static struct lock_call *pack(struct locks *locks, const struct step *step, lock_done done,
                              void *arg)
{
    enum lock_key keys[1 + 4] = {LOCK_KEY_SET};
    bool is_in_set = step->name.set.len > 0, is_all = step->more_keys > 0;
    int count = is_all ? 0 : step->is_many ? 4 : 2;
    memcpy(keys + is_in_set, step->is_many ? many_keys : one_keys, (size_t)count * sizeof *keys);
    struct lock_shape shape = {.script = SCRIPT_LOCK_BATCH,
                               .name = step->name,
                               .prefix = locks->prefix,
                               .keys = keys,
                               .key_count = is_in_set + count,
                               .more_keys = step->more_keys,
                               .args = is_in_set + 3 + step->more_args,
                               .bytes = step->owner.len + step->third.len + step->more_bytes};
    struct lock_call *call = lock_call_new(locks, &shape, done, arg);
    if (is_in_set)
        packing_put_literal(&call->packing, STR("S"));
    packing_put_literal(&call->packing, str_of(step->letter));
    packing_put(&call->packing, step->owner);
    packing_put(&call->packing, step->third);
    return call;
}

static void send(struct locks *locks, const struct step *step, lock_done done, void *arg)
{
    lock_call_send(pack(locks, step, done, arg));
}

static struct lock_call *call_of(struct op *op)
{
    return (struct lock_call *)op;
}

/* The args behind the mark of a set: letter, owner, third. */
static const struct str *args_of(const struct lock_call *call)
{
    return call->op.args + (call->name.set.len > 0);
}

/* --- nobody waits for these --------------------------------------------------------------------
 */

static void end_give_back(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct lock_call *call = call_of(op);
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

static void give_back(struct lock_call *granted, struct str key, int64_t fence)
{
    char text[NUM_INT_MAX];
    bool is_many = args_of(granted)[0].ptr[0] == 'H';
    struct step step = {.name = {granted->name.set, key},
                        .letter = is_many ? "J" : "G",
                        .owner = args_of(granted)[1],
                        .third = str_make(text, num_format_int(text, fence)),
                        .is_many = is_many};
    struct lock_call *call = pack(granted->locks, &step, NULL, NULL);
    call->op.done = end_give_back;
    call->tries = GIVE_BACK_TRIES;
    lock_call_send_first(call);
}

/* The keys of LOCKALL are told by those of its locks. */
static void give_all_back(struct lock_call *granted, const struct answer *fences)
{
    struct lock_name none = {.set = granted->name.set};
    size_t before = lock_key_len(LOCK_KEY_LOCK, granted->locks->prefix, &none);
    const struct str *keys = granted->op.keys + (none.set.len > 0);
    for (size_t i = 0; i < answer_count(fences); i++) {
        struct str lock = keys[2 * i];
        give_back(granted, str_make(lock.ptr + before, lock.len - before),
                  answer_int(answer_at(fences, i), 0));
    }
}

/* --- taking ------------------------------------------------------------------------------------
 */

static void end_take(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct lock_call *call = call_of(op);
    struct lock_counters *counters = &call->locks->counters;
    size_t fences = answer_is_array(answer) ? answer_count(answer) : answer_int(answer, 0) > 0;
    bool is_granted = failure == NULL && fences > 0;
    counters->asked++;
    counters->granted += is_granted ? fences : 0;
    counters->held += failure == NULL && answer_is_none(answer);
    if (is_granted && call->is_gone != NULL && call->is_gone(call->arg)) {
        if (answer_is_array(answer))
            give_all_back(call, answer);
        else
            give_back(call, call->name.key, answer_int(answer, 0));
    }
    lock_call_end(call, failure, answer);
}

static struct lock_call *pack_share(struct locks *locks, const struct lock_request *request,
                                    struct step *step, lock_done done, void *arg)
{
    bool is_shared = request->kind == LOCK_SHARED;
    step->letter = "H";
    step->is_many = true;
    step->more_args = 4;
    step->more_bytes = 2 * (size_t)PACKING_INT;
    struct lock_call *call = pack(locks, step, done, arg);
    packing_put_literal(&call->packing, is_shared ? shared : permits);
    packing_put_int(&call->packing, is_shared ? 1 : request->permits);
    packing_put_int(&call->packing, is_shared ? 0 : request->limit);
    packing_put_literal(&call->packing, request->is_again ? STR("1") : STR("0"));
    return call;
}

void locks_take(struct locks *locks, const struct lock_request *request, lock_done done, void *arg)
{
    struct span span;
    struct step step = {.name = request->name,
                        .letter = request->is_again ? "R" : "L",
                        .owner = request->owner,
                        .third = span_of(request->timeout_ms, &span)};
    struct lock_call *call = request->kind == LOCK_EXCLUSIVE
                                 ? pack(locks, &step, done, arg)
                                 : pack_share(locks, request, &step, done, arg);
    call->op.done = end_take;
    call->is_gone = request->is_gone;
    lock_call_send(call);
}

void locks_take_all(struct locks *locks, const struct lock_all_request *request, lock_done done,
                    void *arg)
{
    struct span span;
    struct step step = {.name = {.set = request->set},
                        .letter = "A",
                        .owner = request->owner,
                        .third = span_of(request->timeout_ms, &span),
                        .more_args = 1,
                        .more_keys = 2 * request->count,
                        .more_bytes = PACKING_INT};
    for (int i = 0; i < request->count; i++) {
        struct lock_name name = {request->set, request->keys[i]};
        step.more_bytes += lock_key_len(LOCK_KEY_LOCK, locks->prefix, &name) +
                           lock_key_len(LOCK_KEY_CLAIM, locks->prefix, &name);
    }
    struct lock_call *call = pack(locks, &step, done, arg);
    packing_put_int(&call->packing, request->count);
    for (int i = 0; i < request->count; i++) {
        struct lock_name name = {request->set, request->keys[i]};
        lock_call_put_key(call, LOCK_KEY_LOCK, &name);
        lock_call_put_key(call, LOCK_KEY_CLAIM, &name);
    }
    call->op.weight = request->count;
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
    struct lock_call *call = call_of(op);
    const struct str *args = args_of(call);
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
    lock_call_send_first(pack(call->locks, &step, call->done, call->arg));
    lock_call_free(call);
}

void locks_extend(struct locks *locks, const struct lock_name *name, struct str owner,
                  int64_t timeout_ms, lock_done done, void *arg)
{
    struct span span;
    struct step step = {
        .name = *name, .letter = "E", .owner = owner, .third = span_of(timeout_ms, &span)};
    struct lock_call *call = pack(locks, &step, done, arg);
    call->op.done = end_or_send_again;
    lock_call_send(call);
}

void locks_end(struct locks *locks, const struct lock_name *name, struct str owner, bool may_lead,
               lock_done done, void *arg)
{
    struct step step = {.name = *name, .letter = "F", .owner = owner};
    struct lock_call *call = pack(locks, &step, done, arg);
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
