/* waits: see waits.h. */
#include "lock/waits.h"
#include "base/mem.h"
#include "lock/wish.h"
#include "redis/notify.h"

enum {
    ID_MAX = 64,
    LEAVE_ARGS = 2,     /* D id */
    BEAT_ARGS = 3,      /* B hears n */
    BEAT_KEYS = 4,      /* of each lock */
    MOST_WATCHED = 256, /* locks that one beat looks after */
    MORE_MS = 50        /* until the next beat looks after others */
};

/* A lock that is waited for here; its name behind it. */
struct waited {
    struct list_node node; /* in locks->waited_in_turn */
    struct lock_name name;
    size_t waiters;
    struct str id; /* set NUL key: its key in locks->waited */
};

/* Its keys and texts are behind it. */
struct lock_wait {
    struct waiter waiter; /* first */
    struct locks *locks;
    struct lock_request request;
    struct waited **waited;   /* of each of its locks; owned */
    struct lock_call *asking; /* while it does */
    lock_done done;
    void *arg;
};

static struct lock_wait *wait_of(struct waiter *waiter)
{
    return (struct lock_wait *)waiter;
}

static struct locks *locks_of(struct line *line)
{
    return list_entry(line, struct locks, line);
}

/* --- what is waited for --------------------------------------------------------------------------
 */

static struct waited *watch(struct locks *locks, struct str set, struct str key)
{
    struct waited *made = mem_zalloc(sizeof *made + set.len + 1 + key.len);
    char *at = (char *)(made + 1);
    made->id = str_make(at, set.len + 1 + key.len);
    made->name.set = str_put(&at, set);
    *at++ = '\0';
    made->name.key = str_put(&at, key);
    struct waited *known = map_get(&locks->waited, made->id);
    if (known != NULL) {
        mem_free(made);
        known->waiters++;
        return known;
    }
    made->waiters = 1;
    map_put(&locks->waited, made->id, made);
    list_push_front(&locks->waited_in_turn, &made->node);
    return made;
}

static void unwatch(struct locks *locks, struct waited *waited)
{
    if (--waited->waiters > 0)
        return;
    map_remove(&locks->waited, waited->id);
    list_remove(&locks->waited_in_turn, &waited->node);
    mem_free(waited);
}

/* --- what its client gets ------------------------------------------------------------------------
 */

static void tell(struct lock_wait *wait, const struct err *err, const struct answer *answer)
{
    wish_count(wait->locks, err, answer);
    wait->done(wait->arg, err, answer);
}

static void answer(struct waiter *waiter, const struct err *err)
{
    tell(wait_of(waiter), err, answer_none());
}

/* --- asking --------------------------------------------------------------------------------------
 */

/* [1, what was granted], or [0, ticket, epoch] */
static void end_ask(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct lock_call *call = (struct lock_call *)op;
    struct lock_wait *wait = call->arg;
    struct waiter *waiter = &wait->waiter;
    struct err err;
    wait->asking = NULL;
    if (!lock_call_check(call, failure, answer, &err)) {
        waiter_failed(waiter, &err, op->is_lost);
    } else if (answer_int(answer_at(answer, 0), 0) == 0) {
        waiter_queued(waiter, answer_int(answer_at(answer, 1), 0),
                      answer_int(answer_at(answer, 2), 0));
    } else {
        const struct answer *fences = answer_at(answer, 1);
        if (!waiter->is_answered)
            tell(wait, NULL, fences);
        else if (!waiter->will_return)
            wish_give_back(call, fences);
        waiter_served(waiter);
    }
    lock_call_free(call);
}

static void ask(struct waiter *waiter)
{
    struct lock_wait *wait = wait_of(waiter);
    char text[ID_MAX];
    struct lock_place place = {waiter_id(waiter, text), waiter->ticket};
    struct lock_call *call = wish_pack(wait->locks, &wait->request, &place, NULL, wait);
    call->op.done = end_ask;
    wait->asking = call;
    lock_call_send(call);
}

static bool withdraw(struct waiter *waiter)
{
    struct lock_wait *wait = wait_of(waiter);
    if (!lane_withdraw(&wait->locks->lane, &wait->asking->op))
        return false;
    lock_call_free(wait->asking);
    wait->asking = NULL;
    return true;
}

/* --- leaving -------------------------------------------------------------------------------------
 */

static void end_leave(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct lock_call *call = (struct lock_call *)op;
    struct waiter *waiter = call->arg;
    struct err err;
    bool is_ok = lock_call_check(call, failure, answer, &err);
    if (is_ok && waiter->leaving == LEAVING_LATE && !waiter->is_answered)
        tell(wait_of(waiter), NULL, answer_none());
    waiter_left(waiter, is_ok ? NULL : &err);
    lock_call_free(call);
}

static void leave(struct waiter *waiter, enum leaving how)
{
    char text[ID_MAX];
    struct str id = waiter_id(waiter, text);
    struct locks *locks = wait_of(waiter)->locks;
    struct lock_shape shape = {
        .script = SCRIPT_LOCK_BATCH, .prefix = locks->prefix, .args = LEAVE_ARGS, .bytes = id.len};
    struct lock_call *call = lock_call_new(locks, &shape, NULL, waiter);
    (void)how; /* nothing is granted before it is asked for again */
    packing_put_literal(&call->packing, STR("D"));
    packing_put(&call->packing, id);
    call->op.done = end_leave;
    lock_call_send(call);
}

/* --- beats ---------------------------------------------------------------------------------------
 */

/* [epoch, next_ms, id...] */
static void end_beat(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct lock_call *call = (struct lock_call *)op;
    struct locks *locks = call->locks;
    struct line *line = &locks->line;
    struct err err;
    bool is_ok = lock_call_check(call, failure, answer, &err);
    lock_call_free(call);
    if (!is_ok) {
        line_failed(line, &err);
        return;
    }
    for (size_t i = 2; i < answer_count(answer); i++)
        (void)waiters_wake(line->all, answer_str(answer_at(answer, i)));
    int64_t next_ms = answer_int(answer_at(answer, 1), -1);
    bool has_more = locks->waited_in_turn.count > MOST_WATCHED;
    line_beaten(line, answer_int(answer_at(answer, 0), 0),
                has_more && (next_ms < 0 || next_ms > MORE_MS) ? MORE_MS : next_ms);
}

static void put_watched(struct lock_call *call, int count)
{
    static const enum lock_key keys[BEAT_KEYS] = {LOCK_KEY_LOCK, LOCK_KEY_CLAIM, LOCK_KEY_HOLDERS,
                                                  LOCK_KEY_SHARES};
    struct list *turns = &call->locks->waited_in_turn;
    for (int i = 0; i < count; i++) {
        struct waited *waited = list_entry(list_pop(turns), struct waited, node);
        for (int k = 0; k < BEAT_KEYS; k++)
            lock_call_put_key(call, keys[k], &waited->name);
        list_push(turns, &waited->node);
    }
}

static size_t bytes_of_watched(struct locks *locks, int count)
{
    size_t bytes = 0;
    list_each (node, &locks->waited_in_turn) {
        const struct lock_name *name = &list_entry(node, struct waited, node)->name;
        if (count-- == 0)
            break;
        for (enum lock_key key = LOCK_KEY_LOCK; key <= LOCK_KEY_SHARES; key++)
            bytes += lock_key_len(key, locks->prefix, name);
    }
    return bytes;
}

static void beat(struct line *line)
{
    struct locks *locks = locks_of(line);
    size_t all = locks->waited_in_turn.count;
    int count = all < MOST_WATCHED ? (int)all : MOST_WATCHED;
    struct lock_shape shape = {.script = SCRIPT_LOCK_BATCH,
                               .prefix = locks->prefix,
                               .more_keys = BEAT_KEYS * count,
                               .args = BEAT_ARGS,
                               .bytes = PACKING_INT + bytes_of_watched(locks, count)};
    struct lock_call *call = lock_call_new(locks, &shape, NULL, NULL);
    packing_put_literal(&call->packing, STR("B"));
    packing_put_literal(&call->packing,
                        upstream_hears(locks->batches->upstream) ? STR("1") : STR("0"));
    packing_put_int(&call->packing, count);
    put_watched(call, count);
    call->op.weight = count > 0 ? count : 1;
    call->op.done = end_beat;
    lock_call_send(call);
}

/* -------------------------------------------------------------------------------------------------
 */

static void free_wait(struct waiter *waiter)
{
    struct lock_wait *wait = wait_of(waiter);
    for (int i = 0; i < wait->request.count; i++)
        unwatch(wait->locks, wait->waited[i]);
    mem_free(wait->waited);
    mem_free(wait);
}

const struct line_rules lock_waits_rules = {.ask = ask,
                                            .withdraw = withdraw,
                                            .leave = leave,
                                            .beat = beat,
                                            .answer = answer,
                                            .free = free_wait};

static struct lock_wait *wait_new(struct locks *locks, const struct lock_request *request)
{
    size_t count = (size_t)request->count;
    size_t texts =
        request->set.len + request->owner.len + request->reqid.len + request->session.len;
    for (size_t i = 0; i < count; i++)
        texts += request->keys[i].len;
    struct lock_wait *wait = mem_zalloc(sizeof *wait + count * sizeof(struct str) + texts);
    struct str *keys = (struct str *)(wait + 1);
    char *at = (char *)(keys + count);
    wait->locks = locks;
    wait->request = *request;
    wait->request.set = str_put(&at, request->set);
    wait->request.owner = str_put(&at, request->owner);
    wait->request.reqid = str_put(&at, request->reqid);
    wait->request.session = str_put(&at, request->session);
    wait->request.keys = keys;
    wait->waited = mem_alloc(count * sizeof *wait->waited);
    for (size_t i = 0; i < count; i++) {
        keys[i] = str_put(&at, request->keys[i]);
        wait->waited[i] = watch(locks, request->set, keys[i]);
    }
    return wait;
}

struct waiter *lock_waits_take(struct locks *locks, const struct lock_request *request,
                               int64_t wait_ms, lock_done done, void *arg)
{
    struct lock_wait *wait = wait_new(locks, request);
    wait->waiter.will_return = request->reqid.len > 0;
    wait->done = done;
    wait->arg = arg;
    waiters_hear(locks->line.all, locks->prefix);
    waiter_start(&wait->waiter, &locks->line, wait_ms);
    return &wait->waiter;
}

const struct lock_request *lock_waits_request(const struct waiter *waiter)
{
    return &((const struct lock_wait *)waiter)->request;
}
