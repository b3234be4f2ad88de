/* askers: see askers.h. */
#include "task/askers.h"
#include "base/mem.h"
#include "task/call.h"
#include "task/workers.h"

#define LOOK_MAX 500 /* tasks of one look */

static const enum task_key task_key[] = {TASK_KEY_TASK};

/* A task that somebody waits for. */
struct asked {
    struct str id; /* in the map's key */
    struct list askers;
    bool is_looking; /* a look is on its way */
    bool has_news;   /* and something was heard meanwhile */
    char bytes[];
};

struct asker {
    struct list_node node;   /* in tasks->askers */
    struct list_node beside; /* in asked->askers */
    struct tasks *tasks;
    struct asked *asked;
    struct task_call *call; /* that submits it, or moves it, until answered; else NULL */
    struct str queue;
    struct alarm alarm; /* its time is over; not set: as long as it takes */
    int64_t timeout_ms;
    bool is_once;
    bool has_second_try; /* when its time is over it is given to our own workers */
    task_done done;
    void (*accepted)(void *arg);
    void (*progress)(void *arg, int64_t current, int64_t total);
    void *arg;
    char queue_bytes[];
};

static struct asker *asker_at(struct list_node *node)
{
    return list_entry(node, struct asker, node);
}

static struct asker *asker_beside(struct list_node *node)
{
    return list_entry(node, struct asker, beside);
}

/* --- the end of one ------------------------------------------------------------------------------
 */

static void drop(struct asker *asker)
{
    struct asked *asked = asker->asked;
    if (asker->call != NULL)
        asker->call->about = NULL;
    alarm_stop(asker->tasks->alarms, &asker->alarm);
    list_remove(&asker->tasks->askers, &asker->node);
    list_remove(&asked->askers, &asker->beside);
    if (list_is_empty(&asked->askers) && !asked->is_looking) {
        map_remove(&asker->tasks->asked, asked->id);
        mem_free(asked);
    }
    mem_free(asker);
}

static void end(struct asker *asker, const struct err *err, const struct answer *answer)
{
    task_done done = asker->done;
    void *arg = asker->arg;
    drop(asker);
    done(arg, err, answer);
}

static void fail(struct asker *asker, enum err_kind kind, const char *text)
{
    struct err err;
    err_set(&err, kind, "%s", text);
    end(asker, &err, answer_none());
}

static void end_done(struct asker *asker, const struct answer *result)
{
    end(asker, NULL, result);
}

static void end_failed(struct asker *asker, struct str text)
{
    struct err err;
    char shown[sizeof err.text];
    str_printable(text, shown, sizeof shown);
    err_set(&err, ERR_TASKFAIL, "%s", shown);
    end(asker, &err, answer_none());
}

/* False: it has not ended. */
static bool end_by(struct asker *asker, const struct answer *answer)
{
    struct str word = answer_str(answer_at(answer, 0)), text = answer_str(answer_at(answer, 1));
    if (str_eq(word, STR("D"))) {
        end_done(asker, answer_at(answer, 1));
    } else if (str_eq(word, STR("F"))) {
        end_failed(asker, text);
    } else if (str_eq(word, STR("N"))) {
        fail(asker, ERR_TASKFAIL, "the task is gone: cancelled, or its result was given ONCE");
    } else {
        return false;
    }
    return true;
}

/* --- looking for it ------------------------------------------------------------------------------
 */

static void look(struct tasks *tasks, struct asked *asked);

static void end_look(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct tasks *tasks = call->tasks;
    struct asked *asked = call->about;
    struct list_node *node;
    struct err err;
    bool is_good = task_call_check(call, failure, answer, &err);
    bool has_ended = is_good && answer_is_array(answer);
    while (has_ended && (node = list_first(&asked->askers)) != NULL) {
        if (!end_by(asker_beside(node), answer))
            break;
    }
    task_call_free(call);
    asked->is_looking = false;
    if (list_is_empty(&asked->askers)) {
        map_remove(&tasks->asked, asked->id);
        mem_free(asked);
    } else if (asked->has_news && is_good) {
        look(tasks, asked);
    }
}

static void look(struct tasks *tasks, struct asked *asked)
{
    struct task_name name = {.id = asked->id};
    struct packing_room room = {.args = 3, .bytes = asked->id.len};
    bool is_once = false;
    asked->has_news = asked->is_looking;
    if (asked->is_looking)
        return;
    list_each (node, &asked->askers)
        is_once = is_once || asker_beside(node)->is_once;
    asked->is_looking = true;
    task_call_room(tasks, &room, task_key, 1, &name);
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    packing_put_literal(&call->packing, STR("G"));
    packing_put(&call->packing, asked->id);
    packing_put_literal(&call->packing, is_once ? STR("1") : STR("0"));
    task_call_put_keys(call, task_key, 1, &name);
    call->about = asked;
    call->op.done = end_look;
    task_call_send(call);
}

void askers_hear(struct tasks *tasks, struct str id)
{
    struct asked *asked = map_get(&tasks->asked, id);
    if (asked != NULL)
        look(tasks, asked);
}

/* Whoever wants it ONCE has to have it dropped; whoever's QUERY is on its way may ask for the same
 * id anew: they hear from Redis. */
static bool is_simple(const struct asked *asked)
{
    list_each (node, &asked->askers) {
        const struct asker *asker = list_entry(node, struct asker, beside);
        if (asker->is_once || asker->call != NULL)
            return false;
    }
    return true;
}

void askers_end(struct tasks *tasks, struct str id, bool is_done, struct str text)
{
    struct asked *asked = map_get(&tasks->asked, id);
    if (asked == NULL)
        return;
    if (!is_simple(asked) || asked->is_looking) {
        look(tasks, asked);
        return;
    }
    struct answer *result = answer_new_text(text);
    for (size_t left = asked->askers.count; left > 0; left--) { /* the last one takes it along */
        struct asker *asker = asker_beside(list_first(&asked->askers));
        if (is_done)
            end_done(asker, result);
        else
            end_failed(asker, text);
    }
    mem_free(result);
}

void askers_hear_progress(struct tasks *tasks, struct str news)
{
    struct str current_text, total_text;
    int64_t current, total;
    if (!str_split(&news, ' ', &current_text) || !str_split(&news, ' ', &total_text) ||
        news.ptr == NULL || !num_parse_int(current_text, &current) ||
        !num_parse_int(total_text, &total))
        return;
    struct asked *asked = map_get(&tasks->asked, news);
    if (asked == NULL)
        return;
    list_each (node, &asked->askers) {
        struct asker *asker = asker_beside(node);
        if (asker->progress != NULL)
            asker->progress(asker->arg, current, total);
    }
}

/* --- messages that were lost ---------------------------------------------------------------------
 */

static void end_look_over(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    size_t before = task_key_len(TASK_KEY_TASK, call->tasks->prefix, &(struct task_name){0});
    for (size_t i = 0; failure == NULL && i < answer_count(answer); i++) {
        int64_t place = answer_int(answer_at(answer, i), 0);
        if (place < 1 || place > op->key_count)
            continue;
        struct str key = op->keys[place - 1];
        askers_hear(call->tasks, str_make(key.ptr + before, key.len - before));
    }
    task_call_free(call);
}

static void send_look_over(struct tasks *tasks, struct asked *const *some, int count)
{
    struct packing_room room = {.args = 2, .bytes = PACKING_INT};
    for (int i = 0; i < count; i++)
        task_call_room(tasks, &room, task_key, 1, &(struct task_name){.id = some[i]->id});
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    packing_put_literal(&call->packing, STR("O"));
    packing_put_int(&call->packing, count);
    for (int i = 0; i < count; i++)
        task_call_put_keys(call, task_key, 1, &(struct task_name){.id = some[i]->id});
    call->op.weight = count;
    call->op.done = end_look_over;
    task_call_send(call);
}

void askers_look_over(struct tasks *tasks)
{
    struct asked *some[LOOK_MAX];
    struct str id;
    void *value;
    int count = 0;
    for (size_t at = 0; map_next(&tasks->asked, &at, &id, &value);) {
        some[count++] = value;
        if (count == LOOK_MAX) {
            send_look_over(tasks, some, count);
            count = 0;
        }
    }
    if (count > 0)
        send_look_over(tasks, some, count);
}

/* --- time ----------------------------------------------------------------------------------------
 */

static void move(struct asker *asker);

static void give_up(struct asker *asker)
{
    fail(asker, ERR_TIMEOUT, "the task has not ended in time; it goes on");
}

static void ring(struct alarm *alarm)
{
    struct asker *asker = (struct asker *)((char *)alarm - offsetof(struct asker, alarm));
    if (asker->has_second_try && asker->call == NULL &&
        workers_are_there(asker->tasks, asker->queue))
        move(asker);
    else
        give_up(asker);
}

static void start_clock(struct asker *asker)
{
    struct tasks *tasks = asker->tasks;
    if (asker->timeout_ms > 0)
        alarm_set(tasks->alarms, &asker->alarm, clock_ms(tasks->clock) + asker->timeout_ms);
}

/* --- submitting and moving -----------------------------------------------------------------------
 */

static void end_submit(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct asker *asker = call->about;
    struct err err;
    bool is_good = task_call_check(call, failure, answer, &err);
    call->tasks->counters.submitted += is_good;
    if (asker != NULL) {
        asker->call = NULL;
        call->about = NULL;
        if (is_good && asker->accepted != NULL)
            asker->accepted(asker->arg);
        if (!is_good)
            end(asker, &err, answer_none());
        else
            (void)end_by(asker, answer);
    }
    task_call_free(call);
}

static struct asked *get_asked(struct tasks *tasks, struct str id)
{
    struct asked *asked = map_get(&tasks->asked, id);
    if (asked != NULL)
        return asked;
    asked = mem_zalloc(sizeof *asked + id.len);
    memcpy(asked->bytes, id.ptr, id.len);
    asked->id = str_make(asked->bytes, id.len);
    list_init(&asked->askers);
    map_put(&tasks->asked, asked->id, asked);
    return asked;
}

struct asker *askers_add(struct tasks *tasks, const struct task_request *request,
                         struct task_call *call, task_done done, void *arg)
{
    struct asker *asker = mem_zalloc(sizeof *asker + request->queue.len);
    memcpy(asker->queue_bytes, request->queue.ptr, request->queue.len);
    asker->queue = str_make(asker->queue_bytes, request->queue.len);
    asker->tasks = tasks;
    asker->asked = get_asked(tasks, request->id);
    asker->call = call;
    asker->timeout_ms = request->timeout_ms;
    asker->alarm.ring = ring;
    start_clock(asker);
    asker->is_once = request->is_once;
    asker->has_second_try = request->policy == TASK_REMOTEFIRST;
    asker->done = done;
    asker->accepted = request->accepted;
    asker->progress = request->progress;
    asker->arg = arg;
    list_push(&tasks->askers, &asker->node);
    list_push(&asker->asked->askers, &asker->beside);
    call->about = asker;
    call->op.done = end_submit;
    return asker;
}

static void end_move(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct asker *asker = call->about;
    struct err err;
    bool is_moved = task_call_check(call, failure, answer, &err) && answer_int(answer, 0) == 1;
    if (asker != NULL) {
        asker->call = NULL;
        call->about = NULL;
        if (is_moved)
            start_clock(asker);
        else
            give_up(asker);
    }
    task_call_free(call);
}

static void move(struct asker *asker)
{
    struct tasks *tasks = asker->tasks;
    struct task_name name = {.id = asker->asked->id};
    struct packing_room room = {.args = 2, .bytes = name.id.len};
    task_call_room(tasks, &room, task_key, 1, &name);
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    packing_put_literal(&call->packing, STR("M"));
    packing_put(&call->packing, name.id);
    task_call_put_keys(call, task_key, 1, &name);
    workers_expect_own(tasks, asker->queue);
    asker->has_second_try = false;
    asker->call = call;
    call->about = asker;
    call->op.done = end_move;
    task_call_send(call);
}

void asker_gone(struct asker *asker)
{
    fail(asker, ERR_TIMEOUT, "the asker is gone; the task goes on");
}

void askers_stop(struct tasks *tasks)
{
    struct list_node *node;
    while ((node = list_first(&tasks->askers)) != NULL)
        fail(asker_at(node), ERR_UPSTREAM,
             "the daemon is stopping; the task goes on: ask again with the same id");
}
