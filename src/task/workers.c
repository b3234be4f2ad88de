/* workers: see workers.h. Taking is here; what is taken is in taken.c. */
#include "task/workers.h"
#include "base/mem.h"
#include "task/call.h"
#include "task/taken.h"

static const enum task_key take_keys[] = {TASK_KEY_LIST, TASK_KEY_RANKED, TASK_KEY_META,
                                          TASK_KEY_WAITING};
static const enum task_key waiting_key[] = {TASK_KEY_WAITING};
static const enum task_key keep_keys[] = {TASK_KEY_LIST, TASK_KEY_RANKED, TASK_KEY_META,
                                          TASK_KEY_WAITING, TASK_KEY_LISTEN};

/* A LISTEN that is not answered yet. */
struct listen {
    struct list_node node;   /* in tasks->listens */
    struct list_node beside; /* in worker->listens */
    struct worker *worker;
    char number[NUM_INT_MAX];
    int count, queue_count;
    bool waits;
    bool is_waiting;    /* Redis has its number */
    bool is_taking;     /* a call is on its way */
    bool has_news;      /* and a wake for our own workers came meanwhile */
    bool is_late;       /* its WAIT is over: what the call brings is its answer */
    bool is_over;       /* answered while a call was on its way; ends with that */
    struct alarm alarm; /* its WAIT is over; not set: it has no end */
    task_done done;
    void *arg;
    struct task_queue *queues[];
};

static struct listen *listen_at(struct list_node *node)
{
    return list_entry(node, struct listen, node);
}

/* --- queues that have workers here ---------------------------------------------------------------
 */

static struct task_queue *get_queue(struct tasks *tasks, struct str name)
{
    struct task_queue *queue = map_get(&tasks->queues, name);
    if (queue != NULL)
        return queue;
    queue = mem_zalloc(sizeof *queue + name.len);
    memcpy(queue->bytes, name.ptr, name.len);
    queue->name = str_make(queue->bytes, name.len);
    map_put(&tasks->queues, queue->name, queue);
    return queue;
}

bool workers_are_there(const struct tasks *tasks, struct str queue)
{
    const struct task_queue *known = map_get(&tasks->queues, queue);
    return known != NULL && known->workers > 0;
}

void workers_expect_own(struct tasks *tasks, struct str queue)
{
    get_queue(tasks, queue)->has_own = true;
}

/* --- somebody listens ----------------------------------------------------------------------------
 */

static bool is_for(const struct listen *listen, const struct task_queue *queue)
{
    for (int i = 0; i < listen->queue_count; i++) {
        if (listen->queues[i] == queue)
            return true;
    }
    return false;
}

static void take_again(struct listen *listen);

static void retry_all(struct tasks *tasks, const struct task_queue *queue)
{
    list_each (node, &tasks->listens) {
        struct listen *listen = listen_at(node);
        if (listen->waits && !listen->is_taking && (queue == NULL || is_for(listen, queue)))
            take_again(listen);
    }
}

static bool has_waiting(const struct tasks *tasks, const struct task_queue *queue)
{
    list_each (node, &tasks->listens) {
        const struct listen *listen = listen_at(node);
        if (listen->is_waiting && !listen->is_taking && is_for(listen, queue))
            return true;
    }
    return false;
}

static void end_keep(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct task_queue *queue = map_get(&call->tasks->queues, op->args[1]);
    /* Redis has forgotten who waits: its data was lost, or a wake found our channel closed. */
    if (failure == NULL && answer_is_int(answer) && answer_int(answer, 1) == 0 && queue != NULL &&
        has_waiting(call->tasks, queue))
        retry_all(call->tasks, queue);
    task_call_free(call);
}

static void keep(struct tasks *tasks, struct str queue)
{
    bool is_served = workers_are_there(tasks, queue);
    struct task_name name = {.queue = queue};
    struct packing_room room = {.args = 3, .bytes = queue.len + PACKING_INT};
    task_call_room(tasks, &room, keep_keys, 5, &name);
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    packing_put_literal(&call->packing, STR("K"));
    packing_put(&call->packing, queue);
    packing_put_int(&call->packing, is_served ? TASK_LISTEN_MS : 0);
    task_call_put_keys(call, keep_keys, 5, &name);
    call->op.done = end_keep;
    task_call_send(call);
}

/* Some of the queues that nobody works for any more. */
static void forget_idle(struct tasks *tasks)
{
    struct task_queue *idle[100];
    struct str name;
    void *value;
    size_t count = 0;
    for (size_t at = 0; count < 100 && map_next(&tasks->queues, &at, &name, &value);) {
        struct task_queue *queue = value;
        if (queue->workers == 0 && queue->listens == 0 && !queue->has_own)
            idle[count++] = queue;
    }
    while (count > 0) {
        map_remove(&tasks->queues, idle[--count]->name);
        mem_free(idle[count]);
    }
}

void workers_keep(struct tasks *tasks)
{
    struct str name;
    void *value;
    forget_idle(tasks);
    for (size_t at = 0; map_next(&tasks->queues, &at, &name, &value);) {
        const struct task_queue *queue = value;
        if (queue->workers > 0)
            keep(tasks, queue->name);
        if (queue->has_own)
            workers_wake_own(tasks, queue->name);
    }
}

static bool works_for(const struct worker *worker, const struct task_queue *queue)
{
    for (int i = 0; i < worker->queue_count; i++) {
        if (worker->queues[i] == queue)
            return true;
    }
    return false;
}

static void leave_queues(struct worker *worker)
{
    for (int i = 0; i < worker->queue_count; i++)
        worker->queues[i]->workers--;
    worker->queue_count = 0;
}

/* It works for the queues of its newest LISTEN. */
static void work_for(struct worker *worker, const struct worker_listen *listen)
{
    struct tasks *tasks = worker->tasks;
    struct task_queue *queues[WORKER_MAX_QUEUES] = {NULL};
    int count = 0;
    for (int i = 0; i < listen->queue_count; i++) {
        struct task_queue *queue = get_queue(tasks, listen->queues[i]);
        bool is_known = false;
        for (int j = 0; j < count; j++)
            is_known = is_known || queues[j] == queue;
        if (!is_known)
            queues[count++] = queue;
    }
    for (int i = 0; i < count; i++) {
        queues[i]->workers++;
        if (queues[i]->workers == 1 && !works_for(worker, queues[i]))
            keep(tasks, queues[i]->name);
    }
    leave_queues(worker);
    worker->queues = mem_realloc(worker->queues, (size_t)count * sizeof(struct task_queue *));
    memcpy(worker->queues, queues, (size_t)count * sizeof(struct task_queue *));
    worker->queue_count = count;
}

/* --- a LISTEN's life -----------------------------------------------------------------------------
 */

static void drop(struct listen *listen)
{
    struct tasks *tasks = listen->worker->tasks;
    alarm_stop(tasks->alarms, &listen->alarm);
    for (int i = 0; i < listen->queue_count; i++)
        listen->queues[i]->listens--;
    map_remove(&tasks->listening, str_of(listen->number));
    list_remove(&tasks->listens, &listen->node);
    list_remove(&listen->worker->listens, &listen->beside);
    mem_free(listen);
}

/* Redis forgets its number. */
static void unregister(const struct listen *listen)
{
    struct tasks *tasks = listen->worker->tasks;
    struct packing_room room = {.args = 3, .bytes = 2 * PACKING_INT};
    for (int i = 0; i < listen->queue_count; i++)
        task_call_room(tasks, &room, waiting_key, 1,
                       &(struct task_name){.queue = listen->queues[i]->name});
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    packing_put_literal(&call->packing, STR("U"));
    packing_put(&call->packing, str_of(listen->number));
    packing_put_int(&call->packing, listen->queue_count);
    for (int i = 0; i < listen->queue_count; i++)
        task_call_put_keys(call, waiting_key, 1,
                           &(struct task_name){.queue = listen->queues[i]->name});
    task_call_send(call);
}

/* Answers it; what a call that is on its way still takes goes back. */
static void end(struct listen *listen, const struct err *err, const struct answer *answer)
{
    task_done done = listen->done;
    void *arg = listen->arg;
    if (listen->is_taking) {
        listen->is_over = true;
    } else {
        if (listen->is_waiting)
            unregister(listen);
        drop(listen);
    }
    done(arg, err, answer);
}

static void end_take(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct listen *listen = call->about;
    struct worker *worker = listen->worker;
    struct err err;
    bool is_good = task_call_check(call, failure, answer, &err);
    bool has_some = is_good && answer_count(answer) > 0;
    bool has_news = listen->has_news;
    listen->is_taking = listen->has_news = false;
    listen->is_waiting = is_good ? listen->waits && !has_some : listen->is_waiting;
    if (has_some && !listen->is_over)
        taken_note(worker, answer);
    else if (has_some)
        taken_undo(worker->tasks, answer);
    if (listen->is_over) {
        if (listen->is_waiting)
            unregister(listen);
        drop(listen);
    } else if (has_some || (is_good && (!listen->waits || listen->is_late))) {
        end(listen, NULL, answer);
    } else if (!is_good && (!listen->is_waiting || listen->is_late)) {
        end(listen, &err, answer_none());
    } else if (has_news) {
        take_again(listen);
    }
    task_call_free(call);
    worker_settle(worker);
}

static void put_queue(struct task_call *call, const struct task_queue *queue, struct str daemon)
{
    packing_put(&call->packing, queue->name);
    packing_put_literal(&call->packing, daemon);
    task_call_put_keys(call, take_keys, 4,
                       &(struct task_name){.queue = queue->name, .daemon = daemon});
}

static void send_take(struct listen *listen, const char *wait)
{
    struct tasks *tasks = listen->worker->tasks;
    struct packing_room room = {.args = 5, .bytes = 3 * (size_t)PACKING_INT};
    int places = 0;
    for (int i = 0; i < listen->queue_count; i++) {
        const struct task_queue *queue = listen->queues[i];
        for (int own = queue->has_own ? 1 : 0; own >= 0; own--, places++) {
            room.args += 2;
            room.bytes += queue->name.len;
            task_call_room(
                tasks, &room, take_keys, 4,
                &(struct task_name){.queue = queue->name, .daemon = own ? tasks->daemon : STR("")});
        }
    }
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    packing_put_literal(&call->packing, STR("T"));
    packing_put(&call->packing, str_of(listen->number));
    packing_put_literal(&call->packing, str_of(wait));
    packing_put_int(&call->packing, listen->count);
    packing_put_int(&call->packing, places);
    for (int i = 0; i < listen->queue_count; i++) {
        if (listen->queues[i]->has_own)
            put_queue(call, listen->queues[i], tasks->daemon);
        put_queue(call, listen->queues[i], STR(""));
    }
    call->op.weight = listen->count;
    call->about = listen;
    call->op.done = end_take;
    listen->is_taking = true;
    task_call_send(call);
}

static void take_again(struct listen *listen)
{
    send_take(listen, "2");
}

static void ring(struct alarm *alarm)
{
    struct listen *listen = (struct listen *)((char *)alarm - offsetof(struct listen, alarm));
    if (listen->is_taking)
        listen->is_late = true;
    else
        end(listen, NULL, answer_none());
}

void listen_gone(struct listen *listen)
{
    end(listen, NULL, answer_none());
}

struct listen *worker_listen(struct worker *worker, const struct worker_listen *asked,
                             task_done done, void *arg)
{
    struct tasks *tasks = worker->tasks;
    work_for(worker, asked);
    struct listen *listen =
        mem_zalloc(sizeof *listen + (size_t)worker->queue_count * sizeof(struct task_queue *));
    memcpy(listen->queues, worker->queues, (size_t)worker->queue_count * sizeof(*worker->queues));
    listen->queue_count = worker->queue_count;
    for (int i = 0; i < listen->queue_count; i++)
        listen->queues[i]->listens++;
    listen->worker = worker;
    listen->count = asked->count;
    listen->waits = asked->wait_ms >= 0 && !tasks->is_stopping;
    listen->alarm.ring = ring;
    if (asked->wait_ms > 0)
        alarm_set(tasks->alarms, &listen->alarm, clock_ms(tasks->clock) + asked->wait_ms);
    listen->done = done;
    listen->arg = arg;
    num_format_int(listen->number, (int64_t)++tasks->last_number);
    map_put(&tasks->listening, str_of(listen->number), listen);
    list_push(&tasks->listens, &listen->node);
    list_push(&worker->listens, &listen->beside);
    send_take(listen, listen->waits ? "1" : "0");
    return listen;
}

/* --- being woken ---------------------------------------------------------------------------------
 */

void workers_wake(struct tasks *tasks, struct str number, struct str queue)
{
    struct listen *listen = map_get(&tasks->listening, number);
    if (listen != NULL && listen->waits && !listen->is_taking && !listen->is_over)
        take_again(listen);
    else
        keep(tasks, queue); /* somebody else may take it */
}

void workers_offer(struct tasks *tasks, struct str queue)
{
    const struct task_queue *known = map_get(&tasks->queues, queue);
    size_t left = known != NULL && known->listens > 0 ? tasks->listens.count : 0;
    for (struct list_node *node = list_first(&tasks->listens); left > 0; left--) {
        struct listen *listen = listen_at(node);
        node = node->next;
        if (!listen->waits || listen->is_over || listen->is_taking || !is_for(listen, known))
            continue;
        list_remove(&tasks->listens, &listen->node); /* those that could take stand in front */
        list_push(&tasks->listens, &listen->node);
        take_again(listen);
        return;
    }
}

void workers_wake_own(struct tasks *tasks, struct str queue)
{
    const struct task_queue *known = map_get(&tasks->queues, queue);
    struct listen *busy = NULL;
    list_each (node, &tasks->listens) {
        struct listen *listen = listen_at(node);
        if (known == NULL || !listen->waits || listen->is_over || !is_for(listen, known))
            continue;
        if (!listen->is_taking) {
            take_again(listen);
            return;
        }
        busy = listen;
    }
    if (busy != NULL)
        busy->has_news = true;
}

void workers_look_over(struct tasks *tasks)
{
    retry_all(tasks, NULL);
}

/* --- workers -------------------------------------------------------------------------------------
 */

struct worker *worker_new(struct tasks *tasks)
{
    struct worker *worker = mem_zalloc(sizeof *worker);
    worker->tasks = tasks;
    list_init(&worker->listens);
    list_init(&worker->taken);
    list_push(&tasks->workers, &worker->node);
    tasks_look_on(tasks);
    return worker;
}

void worker_settle(struct worker *worker)
{
    if (!worker->is_closed || !list_is_empty(&worker->listens) || !list_is_empty(&worker->taken))
        return;
    list_remove(&worker->tasks->workers, &worker->node);
    mem_free(worker->queues);
    mem_free(worker);
}

static void end_listens(struct worker *worker)
{
    list_each (node, &worker->listens) {
        struct listen *listen = list_entry(node, struct listen, beside);
        if (!listen->is_over)
            end(listen, NULL, answer_none());
    }
}

void worker_close(struct worker *worker)
{
    if (worker == NULL)
        return;
    leave_queues(worker);
    end_listens(worker);
    worker->is_closed = true;
    taken_give_back(worker);
    worker_settle(worker);
}

void workers_stop(struct tasks *tasks)
{
    list_each (node, &tasks->workers)
        end_listens(list_entry(node, struct worker, node));
}

void workers_clear(struct tasks *tasks)
{
    struct str name;
    void *value;
    for (size_t at = 0; map_next(&tasks->queues, &at, &name, &value);)
        mem_free(value);
}
