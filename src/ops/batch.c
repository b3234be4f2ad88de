/* batch: see batch.h. A lane has a call in flight, or two; it is in its turn (waiting), or put off
 * (later), or has nothing to send. */
#include "ops/batch.h"
#include "base/mem.h"
#include "base/num.h"
#include "ops/compose.h"
#include <inttypes.h>
#include <stdio.h>

#define RETRY_DELAY_MS 20
/* Looks at the sockets for more operations before those that are there are sent. */
#define MAX_TURNS 16

static void end_call(void *arg, enum call_fate fate, const struct answer *answer);

/* --- flights -------------------------------------------------------------------------------------
 */

#define each_flight(flight, lane) \
    for (struct flight *flight = (lane)->flights; flight < (lane)->flights + LANE_FLIGHTS; flight++)

static bool has_lost(const struct lane *lane)
{
    return lane->flights[0].lost != 0 || lane->flights[1].lost != 0;
}

static bool is_flying(const struct lane *lane)
{
    return lane->flights[0].is_flying || lane->flights[1].is_flying;
}

/* The one to be recalled next; NULL: none. Others that are lost have to land before. */
static struct flight *to_recall(struct lane *lane)
{
    each_flight (flight, lane) {
        if (flight->lost != 0 && !flight->is_flying)
            return flight;
    }
    return NULL;
}

/* As much as is in flight, or half of the largest call. */
static bool is_worth_it(const struct lane *lane, const struct flight *other)
{
    size_t half = (size_t)lane->batches->max_batch / 2;
    return lane->queue.count >= (other->ops.count < half ? other->ops.count : half);
}

/* The one that is free beside one in flight, when it is worth to use it; NULL: it is not. */
static struct flight *beside(struct lane *lane)
{
    bool is_second_free = !lane->flights[1].is_flying;
    struct flight *other = &lane->flights[is_second_free ? 0 : 1];
    struct flight *it = &lane->flights[is_second_free ? 1 : 0];
    if (it->is_flying || !other->is_flying || !other->is_packed || !other->is_sole ||
        lane->is_beside_vain || lane->alone_left > 0 || !is_worth_it(lane, other))
        return NULL;
    return compose_is_pointless(lane) ? NULL : it;
}

static bool can_send(struct lane *lane)
{
    if (lane->is_landing)
        return false;
    if (has_lost(lane))
        return to_recall(lane) != NULL;
    return !list_is_empty(&lane->queue) && (!is_flying(lane) || beside(lane) != NULL);
}

/* --- texts ---------------------------------------------------------------------------------------
 */

static void print_duration(int64_t ms, char *out, size_t size)
{
    if (ms < 1000)
        snprintf(out, size, "%" PRId64 " ms", ms);
    else
        snprintf(out, size, "%" PRId64 " s", ms / 1000);
}

static void say_away(const struct batches *batches, int64_t away_ms, struct err *err)
{
    const char *why = upstream_trouble(batches->upstream);
    char duration[32];
    print_duration(away_ms, duration, sizeof duration);
    if (why[0] == '\0')
        err_set(err, ERR_UPSTREAM, "Redis is away for %s: not done", duration);
    else
        err_set(err, ERR_UPSTREAM, "Redis is away for %s (%s): not done", duration, why);
}

/* Why an operation of this lane could not be sent in its time. */
static void say_expired(const struct lane *lane, int64_t waited_ms, struct err *err)
{
    const struct batches *batches = lane->batches;
    int64_t away_ms = upstream_away_ms(batches->upstream);
    char duration[32];
    if (away_ms > 0) {
        say_away(batches, away_ms, err);
        return;
    }
    print_duration(waited_ms, duration, sizeof duration);
    if (has_lost(lane))
        err_set(err, ERR_UPSTREAM, "an earlier call has not been settled for %s (%s): not done",
                duration, lane->trouble[0] != '\0' ? lane->trouble : "Redis did not answer");
    else if (lane->trouble[0] != '\0')
        err_set(err, ERR_UPSTREAM, "Redis refused: %s: not done", lane->trouble);
    else
        err_set(err, ERR_UPSTREAM, "Redis did not answer an earlier call for %s: not done",
                duration);
}

/* --- lists of lanes ------------------------------------------------------------------------------
 */

static void unlist(struct lane *lane)
{
    if (!list_has(&lane->node))
        return;
    list_remove(lane->is_later ? &lane->batches->later : &lane->batches->waiting, &lane->node);
    lane->is_later = false;
}

/* Puts a lane at the end of those that wait for their turn if it has something to send. */
static void enlist(struct lane *lane)
{
    struct batches *batches = lane->batches;
    if (list_has(&lane->node) || !can_send(lane))
        return;
    lane->is_later = lane->retry_at_ms > clock_ms(batches->clock);
    list_push(lane->is_later ? &batches->later : &batches->waiting, &lane->node);
}

static void mark_active(struct lane *lane)
{
    struct list *active = &lane->batches->active;
    bool is_active = !lane_is_idle(lane);
    if (is_active && !list_has(&lane->active_node))
        list_push(active, &lane->active_node);
    else if (!is_active && list_has(&lane->active_node))
        list_remove(active, &lane->active_node);
}

/* --- sending -------------------------------------------------------------------------------------
 */

static bool send(struct flight *flight, struct composed *composed)
{
    struct lane *lane = flight->lane;
    composed->call.done = end_call;
    composed->call.arg = flight;
    if (!upstream_call(lane->batches->upstream, &composed->call))
        return false;
    lane->batches->calls++;
    flight->is_flying = true;
    return true;
}

static bool send_recall(struct flight *flight)
{
    struct composed composed = compose_recall(flight);
    if (!send(flight, &composed))
        return false;
    flight->is_recalling = true;
    flight->is_packed = false;
    return true;
}

static void note_sent(struct flight *flight, const struct composed *composed)
{
    struct lane *lane = flight->lane;
    struct batches *batches = lane->batches;
    flight->is_packed = composed->is_packed;
    flight->is_sole = true;
    if (lane->alone_left > 0)
        lane->alone_left--;
    for (size_t i = 0; i < composed->count; i++) {
        list_remove(&lane->queue, &batches->picked[i]->node);
        list_push(&flight->ops, &batches->picked[i]->node);
        batches->picked[i]->is_flying = true;
        flight->is_sole = flight->is_sole && batches->picked[i]->is_sole;
    }
    if (composed->is_batch) {
        flight->sequence = ++batches->sequence;
        flight->weight = composed->call.weight;
        batches->batches++;
        batches->batched_ops += composed->count;
    }
}

static bool send_queued(struct lane *lane)
{
    bool is_beside = is_flying(lane);
    struct flight *flight = is_beside ? beside(lane) : &lane->flights[0];
    struct composed composed = compose_next(flight, is_beside);
    if (composed.count == 0) {
        lane->is_beside_vain = true;
        return true;
    }
    if (!send(flight, &composed))
        return false;
    note_sent(flight, &composed);
    return true;
}

/* False: Redis takes no more. */
static bool send_next(struct lane *lane)
{
    struct flight *lost = to_recall(lane);
    return lost != NULL ? send_recall(lost) : send_queued(lane);
}

/* --- times without grants ------------------------------------------------------------------------
 */

int64_t batches_held_ms(const struct batches *batches)
{
    int64_t left_ms = batches->no_grants_until_ms - clock_ms(batches->clock);
    return left_ms > 0 ? left_ms : 0;
}

void batches_hold_grants(struct batches *batches, int64_t ms, const char *why)
{
    if (ms <= batches_held_ms(batches))
        return;
    batches->no_grants_until_ms = clock_ms(batches->clock) + ms;
    batches->no_grants_why = why;
}

static bool may_be_granted(const struct batches *batches, const struct op *op, struct err *err)
{
    int64_t left_ms = batches_held_ms(batches);
    return left_ms == 0 || !op->may_grant ||
           err_set(err, ERR_UPSTREAM, "%s: nothing is granted for another %" PRId64 " ms: not done",
                   batches->no_grants_why, left_ms);
}

static void refuse_grants(struct lane *lane)
{
    struct err err;
    list_each (node, &lane->queue) {
        if (may_be_granted(lane->batches, op_at(node), &err))
            continue;
        list_remove(&lane->queue, node);
        lane->batches->queued--;
        batches_refuse(lane->batches, op_at(node), &err);
    }
}

/* What Redis had acknowledged last may be lost. */
static void notice_restart(struct batches *batches)
{
    uint64_t servers = upstream_servers(batches->upstream);
    if (batches->servers != 0 && servers != batches->servers && batches->restart_grace_ms > 0) {
        log_text(batches->log, LOG_LEVEL_WARNING, "redis-began-anew",
                 "Redis was restarted, or another one took its place: nothing is granted for "
                 "%" PRId64 " ms",
                 batches->restart_grace_ms);
        batches_hold_grants(batches, batches->restart_grace_ms, "Redis began anew");
    }
    batches->servers = servers;
}

/* One call a lane, in turn, until Redis takes no more. */
static void send_waiting(struct batches *batches)
{
    struct list_node *node;
    if (upstream_away_ms(batches->upstream) > 0)
        return;
    while ((node = list_first(&batches->waiting)) != NULL) {
        struct lane *lane = list_entry(node, struct lane, node);
        if (batches_held_ms(batches) > 0)
            refuse_grants(lane);
        if (!can_send(lane)) {
            unlist(lane);
            mark_active(lane);
            continue;
        }
        if (!send_next(lane))
            return;
        unlist(lane);
        enlist(lane); /* behind the others, if there is more */
    }
}

/* Clients that have just been answered ask again in a moment, one after the other: where there are
 * several, a call leaves when a look at the sockets has brought nothing more (the loop would go to
 * sleep), when it is full, or after MAX_TURNS looks. A client that is alone never waits for that.
 */
static bool is_worth_a_turn(const struct batches *batches)
{
    return batches->crowd > 1 && batches->taken != batches->seen && batches->turns < MAX_TURNS &&
           batches->taken - batches->flushed < (uint64_t)batches->max_batch;
}

static void gather(struct batches *batches, bool in_next_turn)
{
    batches->is_gathering = true;
    batches->seen = batches->taken;
    batches->turns += in_next_turn;
    batches->gather(batches->gather_arg, in_next_turn);
}

/* Now, or together with what else is there to be read. */
static void send_soon(struct batches *batches)
{
    if (batches->gather == NULL)
        send_waiting(batches);
    else if (!batches->is_gathering && !list_is_empty(&batches->waiting))
        gather(batches, is_worth_a_turn(batches));
}

void batches_flush(struct batches *batches)
{
    batches->is_gathering = false;
    if (is_worth_a_turn(batches)) {
        gather(batches, true);
        return;
    }
    batches->turns = 0;
    batches->crowd = batches->taken - batches->flushed;
    batches->flushed = batches->taken;
    send_waiting(batches);
}

/* --- what became of a call -----------------------------------------------------------------------
 */

static void end_op(struct lane *lane, struct op *op, const struct err *err,
                   const struct answer *answer)
{
    lane->batches->queued--;
    op->done(op, err, answer);
}

static void deliver(struct flight *flight, bool is_batch, const struct answer *answer)
{
    struct lane *lane = flight->lane;
    struct list_node *node;
    size_t i = 0;
    lane->progress_ms = clock_ms(lane->batches->clock);
    while ((node = list_pop(&flight->ops)) != NULL)
        end_op(lane, op_at(node), NULL,
               is_batch && answer_is_array(answer) ? answer_at(answer, i++) : answer);
}

static void fail_flying(struct flight *flight, const struct err *err)
{
    struct list_node *node;
    while ((node = list_pop(&flight->ops)) != NULL)
        end_op(flight->lane, op_at(node), err, answer_none());
}

static void lose(struct flight *flight, bool is_batch)
{
    struct batches *batches = flight->lane->batches;
    struct err err;
    if (is_batch) {
        flight->lost = flight->sequence;
        batches->recalls++;
        log_text(batches->log, LOG_LEVEL_WARNING, "batch-lost",
                 "Redis did not answer a call of %zu operations: it is recalled",
                 flight->ops.count);
    }
    list_each (node, &flight->ops)
        op_at(node)->is_lost = true;
    err_set(&err, ERR_UPSTREAM, "Redis did not answer: the operation may have happened");
    fail_flying(flight, &err);
}

/* Back to the head of the queue, in the old order, to be sent again. */
static void take_back(struct flight *flight)
{
    struct lane *lane = flight->lane;
    if (lane->alone_left > 0)
        lane->alone_left += flight->ops.count;
    while (!list_is_empty(&flight->ops)) {
        struct list_node *node = flight->ops.root.prev;
        list_remove(&flight->ops, node);
        list_push_front(&lane->queue, node);
        op_at(node)->is_flying = false;
    }
}

/* Redis' words without the place in the script that it adds: nothing there is at fault. */
static struct str words_of(const struct answer *refusal)
{
    struct str words = answer_str(refusal);
    long place = str_find(words, STR(" script: "));
    return place < 0 ? words : str_make(words.ptr, (size_t)place);
}

static void put_off(struct lane *lane, const struct answer *why)
{
    str_printable(words_of(why), lane->trouble, sizeof lane->trouble);
    lane->retry_at_ms = clock_ms(lane->batches->clock) + RETRY_DELAY_MS;
}

/* Whether the same call may well succeed a moment later. */
static bool is_passing(struct str error)
{
    return str_starts(error, STR("LOADING")) || str_starts(error, STR("BUSY ")) ||
           str_starts(error, STR("MASTERDOWN")) || str_starts(error, STR("CLUSTERDOWN")) ||
           str_starts(error, STR("TRYAGAIN"));
}

static void refuse(struct flight *flight, const struct answer *answer)
{
    struct lane *lane = flight->lane;
    size_t count = flight->ops.count;
    struct err err;
    char text[160];
    str_printable(words_of(answer), text, sizeof text);
    log_line(lane->batches->log, LOG_LEVEL_WARNING, "redis-refused", "answer", text, NULL);
    if (is_passing(answer_str(answer))) {
        lane->batches->retries++;
        take_back(flight);
        put_off(lane, answer);
        return;
    }
    lane->progress_ms = clock_ms(lane->batches->clock);
    if (count > 1) {
        lane->batches->retries++;
        take_back(flight);
        lane->alone_left = lane->alone_left > 0 ? lane->alone_left : count;
    } else {
        err_set(&err, ERR_UPSTREAM, "Redis refused: %s: not done", text);
        fail_flying(flight, &err);
    }
}

/* The cheaper script has changed nothing: the batch script has to do it. */
static void send_whole(struct flight *flight)
{
    struct batches *batches = flight->lane->batches;
    list_each (node, &flight->ops)
        op_at(node)->is_full = true;
    batches->batches--;
    batches->batched_ops -= flight->ops.count;
    take_back(flight);
}

static void settle_recall(struct flight *flight, enum call_fate fate, const struct answer *answer)
{
    struct lane *lane = flight->lane;
    flight->is_recalling = false;
    if (fate == CALL_ANSWERED && !answer_is_error(answer)) {
        flight->lost = 0;
        lane->progress_ms = clock_ms(lane->batches->clock);
        lane->rules->recalled(lane->owner, answer);
    } else {
        put_off(lane, answer);
    }
}

/* Has a cheaper script left it to the batch script? */
static bool is_full(const struct flight *flight, const struct answer *answer)
{
    struct lane *lane = flight->lane;
    if (!flight->is_packed)
        return false;
    if (!str_eq(answer_str(answer), STR("FULL"))) {
        lane->fulls = 0;
        return false;
    }
    lane->fulls++;
    lane->full_ms = clock_ms(lane->batches->clock);
    return true;
}

static void settle_call(struct flight *flight, enum call_fate fate, const struct answer *answer)
{
    bool is_batch = !list_is_empty(&flight->ops) &&
                    op_at(list_first(&flight->ops))->script == flight->lane->rules->batch_script;
    /* Only a recall can have made it stale, and none is sent while a batch of its journal is in
     * flight. */
    if (is_batch && fate == CALL_ANSWERED && answer_is_error(answer) &&
        str_starts(answer_str(answer), STR("STALE")))
        fate = CALL_LOST;
    if (fate == CALL_ANSWERED && is_full(flight, answer))
        send_whole(flight);
    else if (fate == CALL_ANSWERED)
        deliver(flight, is_batch, answer);
    else if (fate == CALL_REFUSED)
        refuse(flight, answer);
    else
        lose(flight, is_batch);
}

static void end_call(void *arg, enum call_fate fate, const struct answer *answer)
{
    struct flight *flight = arg;
    struct lane *lane = flight->lane;
    struct batches *batches = lane->batches;
    lane->trouble[0] = '\0';
    lane->retry_at_ms = 0;
    lane->is_beside_vain = false;
    lane->is_landing = true;
    if (flight->is_recalling)
        settle_recall(flight, fate, answer);
    else
        settle_call(flight, fate, answer);
    /* Only now: what the callbacks added shares the next call. */
    lane->is_landing = false;
    flight->is_flying = false;
    enlist(lane);
    mark_active(lane);
    send_soon(batches);
}

/* --- time ----------------------------------------------------------------------------------------
 */

static void expire_queued(struct lane *lane, int64_t now_ms)
{
    struct list_node *node;
    while ((node = list_first(&lane->queue)) != NULL) {
        struct op *op = op_at(node);
        int64_t since_ms = op->queued_ms > lane->progress_ms ? op->queued_ms : lane->progress_ms;
        struct err err;
        if (now_ms - since_ms < lane->batches->wait_ms)
            break;
        say_expired(lane, now_ms - since_ms, &err);
        list_remove(&lane->queue, node);
        if (lane->alone_left > 0)
            lane->alone_left--;
        end_op(lane, op, &err, answer_none());
    }
    if (!can_send(lane))
        unlist(lane);
    mark_active(lane);
}

static void wake_later(struct batches *batches, int64_t now_ms)
{
    list_each (node, &batches->later) {
        struct lane *lane = list_entry(node, struct lane, node);
        if (lane->retry_at_ms > now_ms)
            continue;
        unlist(lane);
        lane->retry_at_ms = 0;
        enlist(lane);
    }
}

static void end_refused(struct batches *batches)
{
    /* Those that a `done` adds have their turn at the next tick. */
    for (size_t left = batches->refused.count; left > 0; left--) {
        struct op *op = op_at(list_pop(&batches->refused));
        struct err err = *op->err;
        mem_free(op->err);
        op->err = NULL;
        op->done(op, &err, answer_none());
    }
}

void batches_tick(struct batches *batches)
{
    int64_t now_ms = clock_ms(batches->clock);
    end_refused(batches);
    wake_later(batches, now_ms);
    list_each (node, &batches->active)
        expire_queued(list_entry(node, struct lane, active_node), now_ms);
    send_waiting(batches);
}

static void become_ready(void *arg)
{
    notice_restart(arg);
    send_soon(arg);
}

void batches_init(struct batches *batches, struct upstream *upstream, const struct clock *clock,
                  struct log *log, struct str daemon)
{
    *batches = (struct batches){.upstream = upstream,
                                .clock = clock,
                                .log = log,
                                .daemon = daemon,
                                .wait_ms = 2000,
                                .max_batch = 128,
                                .max_queued = 65536};
    snprintf(batches->beside, sizeof batches->beside, "%.*s+", (int)daemon.len, daemon.ptr);
    list_init(&batches->waiting);
    list_init(&batches->later);
    list_init(&batches->active);
    list_init(&batches->refused);
    batches->listener.ready = become_ready;
    batches->listener.arg = batches;
    upstream_listen(upstream, &batches->listener);
}

void batches_clear(struct batches *batches)
{
    struct list_node *node;
    struct err err;
    batches->is_closed = true;
    upstream_forget(batches->upstream, &batches->listener);
    err_set(&err, ERR_UPSTREAM, "the daemon is stopping: not done");
    list_each (active, &batches->active) {
        struct lane *lane = list_entry(active, struct lane, active_node);
        while ((node = list_pop(&lane->queue)) != NULL)
            end_op(lane, op_at(node), &err, answer_none());
        each_flight (flight, lane)
            flight->lost = 0;
        unlist(lane);
        mark_active(lane);
    }
    while (!list_is_empty(&batches->refused))
        end_refused(batches);
    words_clear(&batches->args);
    words_clear(&batches->keys);
    mem_free(batches->picked);
    batches->picked = NULL;
    batches->max_picked = 0;
}

/* --- lanes ---------------------------------------------------------------------------------------
 */

void lane_init(struct lane *lane, struct batches *batches, const struct lane_rules *rules,
               void *owner)
{
    *lane = (struct lane){.rules = rules, .owner = owner, .batches = batches};
    list_init(&lane->queue);
    each_flight (flight, lane) {
        flight->lane = lane;
        list_init(&flight->ops);
    }
    lane->flights[0].journal = batches->daemon;
    lane->flights[1].journal = str_of(batches->beside);
}

void lane_clear(struct lane *lane)
{
    unlist(lane);
    if (list_has(&lane->active_node))
        list_remove(&lane->batches->active, &lane->active_node);
}

bool lane_is_idle(const struct lane *lane)
{
    return !is_flying(lane) && !has_lost(lane) && list_is_empty(&lane->queue);
}

static bool can_take(struct batches *batches, const struct op *op, struct err *err)
{
    int64_t away_ms = upstream_away_ms(batches->upstream);
    if (batches->is_closed)
        return err_set(err, ERR_UPSTREAM, "the daemon is stopping: not done");
    if (away_ms > 0 && away_ms >= batches->wait_ms) {
        say_away(batches, away_ms, err);
        return false;
    }
    return may_be_granted(batches, op, err);
}

static void take(struct lane *lane)
{
    lane->batches->queued++;
    lane->batches->taken++;
    enlist(lane);
    mark_active(lane);
    send_soon(lane->batches);
}

bool lane_add(struct lane *lane, struct op *op, struct err *err)
{
    struct batches *batches = lane->batches;
    if (!can_take(batches, op, err))
        return false;
    if (lane->queue.count >= (size_t)batches->max_queued) {
        batches->busy++;
        return err_set(err, ERR_BUSY,
                       "%zu operations wait for Redis already (max_queued): not done",
                       lane->queue.count);
    }
    op->queued_ms = clock_ms(batches->clock);
    list_push(&lane->queue, &op->node);
    take(lane);
    return true;
}

bool lane_add_first(struct lane *lane, struct op *op, struct err *err)
{
    struct batches *batches = lane->batches;
    struct list_node *first = list_first(&lane->queue);
    if (!can_take(batches, op, err))
        return false;
    /* The queue is ordered by time: expiring looks at its head alone. */
    op->queued_ms = first != NULL ? op_at(first)->queued_ms : clock_ms(batches->clock);
    list_push_front(&lane->queue, &op->node);
    if (lane->alone_left > 0)
        lane->alone_left++;
    take(lane);
    return true;
}

bool lane_withdraw(struct lane *lane, struct op *op)
{
    if (op->is_flying || op->err != NULL)
        return false;
    list_remove(&lane->queue, &op->node);
    lane->batches->queued--;
    if (!can_send(lane))
        unlist(lane);
    mark_active(lane);
    return true;
}

void batches_refuse(struct batches *batches, struct op *op, const struct err *err)
{
    op->err = mem_alloc(sizeof *op->err);
    *op->err = *err;
    list_push(&batches->refused, &op->node);
    if (batches->wake != NULL)
        batches->wake(batches->wake_arg);
}
