/* taken: see taken.h. */
#include "task/taken.h"
#include "base/mem.h"
#include "config/config.h"
#include "task/askers.h"
#include "task/call.h"
#include "task/payload.h"

static const enum task_key task_key[] = {TASK_KEY_TASK};
static const enum task_key finish_keys[] = {TASK_KEY_TASK, TASK_KEY_META};

/* How long a task is remembered after its attempt's time: until then its worker may be told what
 * became of it. */
#define REMEMBER_MS 60000

struct taken {
    struct list_node node; /* in worker->taken */
    struct worker *worker;
    struct str id, queue, ticket;
    int64_t until_ms; /* 0: as long as the worker lives */
    int calls;        /* RESULT, FAIL, PROGRESS on their way */
    bool is_ended;    /* Redis has said so, or that it is another's */
    bool is_lost;     /* to be given back when the last call has ended */
    char bytes[];
};

static struct taken *taken_at(struct list_node *node)
{
    return list_entry(node, struct taken, node);
}

static void forget_old(struct worker *worker)
{
    int64_t now_ms = clock_ms(worker->tasks->clock);
    list_each (node, &worker->taken) {
        struct taken *taken = taken_at(node);
        if (taken->calls > 0 || taken->until_ms == 0 || taken->until_ms > now_ms)
            continue;
        list_remove(&worker->taken, node);
        mem_free(taken);
    }
}

static struct taken *find(const struct worker *worker, struct str id)
{
    if (worker == NULL)
        return NULL;
    list_each (node, &worker->taken) {
        struct taken *taken = taken_at(node);
        if (!taken->is_ended && str_eq(taken->id, id))
            return taken;
    }
    return NULL;
}

void taken_note(struct worker *worker, const struct answer *tasks)
{
    forget_old(worker);
    tasks_stay_awake(worker->tasks);
    for (size_t i = 0; i < answer_count(tasks); i++) {
        const struct answer *task = answer_at(tasks, i);
        struct str queue = answer_str(answer_at(task, 0)), id = answer_str(answer_at(task, 1));
        struct str ticket = answer_str(answer_at(task, 5));
        int64_t ttl_ms = answer_int(answer_at(task, 4), -1);
        struct taken *old = find(worker, id);
        if (old != NULL)
            old->is_ended = true; /* an attempt that it lost */
        struct taken *taken = mem_zalloc(sizeof *taken + queue.len + id.len + ticket.len);
        char *at = taken->bytes;
        taken->worker = worker;
        taken->queue = str_put(&at, queue);
        taken->id = str_put(&at, id);
        taken->ticket = str_put(&at, ticket);
        if (ttl_ms > 0)
            taken->until_ms = clock_ms(worker->tasks->clock) + ttl_ms + REMEMBER_MS;
        list_push(&worker->taken, &taken->node);
        worker->tasks->counters.taken++;
    }
}

bool worker_has(const struct worker *worker, struct str id, struct str *queue)
{
    const struct taken *taken = find(worker, id);
    if (taken != NULL)
        *queue = taken->queue;
    return taken != NULL;
}

size_t worker_taken(const struct worker *worker)
{
    return worker == NULL ? 0 : worker->taken.count;
}

/* --- giving back ---------------------------------------------------------------------------------
 */

static void end_give_back(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct err err;
    if (task_call_check(call, failure, answer, &err)) {
        call->tasks->counters.returned += answer_int(answer, 0) > 0;
    } else if (err.kind == ERR_UPSTREAM && !call->tasks->is_stopping) {
        list_push(&call->tasks->unreturned, &op->node);
        tasks_look_on(call->tasks);
        return;
    } else { /* its deadline, or the end of this daemon, will do it */
        log_line(call->tasks->log, LOG_LEVEL_WARNING, "give-back-failed", "why", err.text, NULL);
    }
    task_call_free(call);
}

/* With its ticket nobody else's attempt can be hit, however often this is said. */
void taken_return(struct tasks *tasks)
{
    for (size_t left = tasks->unreturned.count; left > 0; left--)
        task_call_send(list_entry(list_pop(&tasks->unreturned), struct task_call, op.node));
}

void taken_clear(struct tasks *tasks)
{
    struct list_node *node;
    while ((node = list_pop(&tasks->unreturned)) != NULL)
        task_call_free(list_entry(node, struct task_call, op.node));
}

static void give_back(struct tasks *tasks, struct str id, struct str ticket, const char *why)
{
    struct task_name name = {.id = id};
    struct packing_room room = {.args = 4, .bytes = id.len + ticket.len + strlen(why)};
    task_call_room(tasks, &room, task_key, 1, &name);
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    packing_put_literal(&call->packing, STR("B"));
    packing_put(&call->packing, id);
    packing_put(&call->packing, ticket);
    packing_put(&call->packing, str_of(why));
    task_call_put_keys(call, task_key, 1, &name);
    call->op.done = end_give_back;
    task_call_send(call);
}

void taken_undo(struct tasks *tasks, const struct answer *answer)
{
    for (size_t i = 0; i < answer_count(answer); i++) {
        const struct answer *task = answer_at(answer, i);
        give_back(tasks, answer_str(answer_at(task, 1)), answer_str(answer_at(task, 5)), "");
    }
}

static void drop(struct taken *taken)
{
    list_remove(&taken->worker->taken, &taken->node);
    mem_free(taken);
}

static void lose(struct taken *taken, const char *why)
{
    if (!taken->is_ended)
        give_back(taken->worker->tasks, taken->id, taken->ticket, why);
    drop(taken);
}

void taken_give_back(struct worker *worker)
{
    list_each (node, &worker->taken) {
        struct taken *taken = taken_at(node);
        if (taken->calls > 0)
            taken->is_lost = true;
        else
            lose(taken, "its worker left");
    }
}

void worker_give_back(struct worker *worker, struct str id, const char *why)
{
    struct taken *taken = find(worker, id);
    if (taken != NULL)
        lose(taken, why);
}

/* --- ending --------------------------------------------------------------------------------------
 */

static void settle(struct taken *taken)
{
    struct worker *worker = taken->worker;
    if (taken->calls > 0)
        return;
    if (taken->is_ended)
        drop(taken);
    else if (taken->is_lost)
        lose(taken, "its worker left");
    worker_settle(worker);
}

/* RESULT and FAIL: whatever Redis says, but that it is away, the task is not this attempt's any
 * more. */
static void end_finish(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct taken *taken = call->about;
    struct err err;
    bool is_good = task_call_check(call, failure, answer, &err);
    bool is_result = op->args[0].ptr[0] == 'E';
    taken->calls--;
    taken->is_ended = taken->is_ended || is_good || err.kind == ERR_NOTOWNER;
    call->tasks->counters.done += is_good && is_result;
    call->tasks->counters.failed += is_good && !is_result;
    if (is_good && str_eq(answer_str(answer), STR("W")))
        askers_end(call->tasks, op->args[1], is_result, op->args[3]);
    task_call_end(call, failure, answer);
    settle(taken);
}

static void end_progress(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct taken *taken = call->about;
    taken->calls--;
    task_call_end(call, failure, answer);
    settle(taken);
}

/* letter id ticket, then what the caller puts. NULL: this worker has not taken it; its asker is
 * told so at the next tick. */
static struct task_call *start(struct worker *worker, const char *letter, struct str id,
                               const enum task_key *keys, int key_count, struct packing_room more)
{
    struct taken *taken = find(worker, id);
    struct str ticket = taken != NULL ? taken->ticket : STR("-");
    struct task_name name = {.id = id, .queue = taken != NULL ? taken->queue : STR("-")};
    struct packing_room room = {.args = 3 + more.args, .bytes = id.len + ticket.len + more.bytes};
    task_call_room(worker->tasks, &room, keys, key_count, &name);
    struct task_call *call = task_call_new(worker->tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    packing_put_literal(&call->packing, str_of(letter));
    packing_put(&call->packing, id);
    packing_put(&call->packing, ticket);
    task_call_put_keys(call, keys, key_count, &name);
    call->about = taken;
    return call;
}

static void send(struct task_call *call,
                 void (*end)(struct op *, const struct err *, const struct answer *),
                 task_done done, void *arg)
{
    struct taken *taken = call->about;
    struct err err;
    call->done = done;
    call->arg = arg;
    if (taken == NULL) {
        err_set(&err, ERR_NOTOWNER, "this connection has not taken the task, or has lost it");
        batches_refuse(call->tasks->batches, &call->op, &err);
        return;
    }
    taken->calls++;
    call->op.done = end;
    task_call_send(call);
}

/* Of the queue that the task is of. */
static const struct queue_config *config_of(const struct worker *worker, struct str id)
{
    const struct taken *taken = find(worker, id);
    return config_queue(worker->tasks->config, taken != NULL ? taken->queue : STR("-"));
}

void worker_result(struct worker *worker, struct str id, struct str result, bool may_lead,
                   task_done done, void *arg)
{
    const struct queue_config *config = config_of(worker, id);
    struct payload payload;
    payload_pack(&payload, result, config->compress_min_bytes);
    struct task_call *call =
        start(worker, "E", id, finish_keys, 2,
              (struct packing_room){.args = 2, .bytes = payload.text.len + PACKING_INT});
    packing_put(&call->packing, payload.text);
    packing_put_int(&call->packing, config->max_kept);
    payload_clear(&payload);
    call->op.may_lead = may_lead;
    send(call, end_finish, done, arg);
}

void worker_fail(struct worker *worker, struct str id, struct str text, int64_t retry_ms,
                 task_done done, void *arg)
{
    struct task_call *call =
        start(worker, "F", id, task_key, 1,
              (struct packing_room){.args = 3, .bytes = text.len + 2 * (size_t)PACKING_INT});
    packing_put(&call->packing, text);
    packing_put_int(&call->packing, retry_ms < 0 ? -1 : retry_ms);
    packing_put_int(&call->packing, config_of(worker, id)->max_kept);
    send(call, end_finish, done, arg);
}

void worker_progress(struct worker *worker, struct str id, int64_t current, int64_t total,
                     task_done done, void *arg)
{
    struct task_call *call =
        start(worker, "P", id, task_key, 1,
              (struct packing_room){.args = 2, .bytes = 2 * (size_t)PACKING_INT});
    packing_put_int(&call->packing, current);
    packing_put_int(&call->packing, total);
    send(call, end_progress, done, arg);
}
