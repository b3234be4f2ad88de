/* queues: see queues.h. */
#include "task/queues.h"
#include "task/call.h"

#define PURGE_LIMIT 2000 /* tasks of one call: each blocks Redis for some ms */
#define LIST_LIMIT  1000 /* names that one QUEUE LIST looks at: 5 ms of Redis */

static const enum task_key info_keys[] = {TASK_KEY_LIST,    TASK_KEY_RANKED, TASK_KEY_META,
                                          TASK_KEY_WAITING, TASK_KEY_LISTEN, TASK_KEY_DELAYED,
                                          TASK_KEY_DEAD};
static const enum task_key purge_keys[] = {TASK_KEY_LIST, TASK_KEY_RANKED, TASK_KEY_DELAYED};
static const enum task_key dead_key[] = {TASK_KEY_DEAD};

/* A call about one queue: its keys; args: base [queue] [number]. */
struct question {
    enum script_id script;
    const enum task_key *keys;
    int key_count;
    bool names_base, names_queue, has_number;
    int64_t number, weight;
};

static void ask(struct tasks *tasks, struct str queue, const struct question *question,
                task_done done, void *arg)
{
    struct task_name name = {.queue = queue};
    struct packing_room room = {.args = 3, .bytes = queue.len + PACKING_INT};
    task_call_room(tasks, &room, question->keys, question->key_count, &name);
    struct task_call *call = task_call_new(tasks, question->script, room, done, arg);
    if (question->names_base)
        packing_put_literal(&call->packing, tasks->base);
    if (question->names_queue)
        packing_put(&call->packing, queue);
    if (question->has_number)
        packing_put_int(&call->packing, question->number);
    task_call_put_keys(call, question->keys, question->key_count, &name);
    call->op.weight = question->weight > 0 ? (int)question->weight : 1;
    task_call_send(call);
}

void queues_list(struct tasks *tasks, task_done done, void *arg)
{
    struct question question = {.script = SCRIPT_TASK_QUEUE_LIST,
                                .names_base = true,
                                .has_number = true,
                                .number = LIST_LIMIT,
                                .weight = LIST_LIMIT};
    ask(tasks, STR(""), &question, done, arg);
}

void queues_info(struct tasks *tasks, struct str queue, task_done done, void *arg)
{
    struct question question = {
        .script = SCRIPT_TASK_QUEUE_INFO, .keys = info_keys, .key_count = 7};
    ask(tasks, queue, &question, done, arg);
}

void queues_peek(struct tasks *tasks, struct str queue, int64_t count, task_done done, void *arg)
{
    struct question question = {.script = SCRIPT_TASK_QUEUE_PEEK,
                                .keys = info_keys,
                                .key_count = 2,
                                .names_base = true,
                                .has_number = true,
                                .number = count,
                                .weight = count};
    ask(tasks, queue, &question, done, arg);
}

void queues_dead(struct tasks *tasks, struct str queue, int64_t count, task_done done, void *arg)
{
    struct question question = {.script = SCRIPT_TASK_QUEUE_DEAD,
                                .keys = dead_key,
                                .key_count = 1,
                                .names_base = true,
                                .has_number = true,
                                .number = count,
                                .weight = count};
    ask(tasks, queue, &question, done, arg);
}

void queues_kick(struct tasks *tasks, struct str queue, int64_t count, task_done done, void *arg)
{
    struct question question = {.script = SCRIPT_TASK_QUEUE_KICK,
                                .keys = dead_key,
                                .key_count = 1,
                                .names_base = true,
                                .names_queue = true,
                                .has_number = true,
                                .number = count,
                                .weight = count};
    ask(tasks, queue, &question, done, arg);
}

void queues_purge(struct tasks *tasks, struct str queue, task_done done, void *arg)
{
    struct question question = {.script = SCRIPT_TASK_QUEUE_PURGE,
                                .keys = purge_keys,
                                .key_count = 3,
                                .names_base = true,
                                .has_number = true,
                                .number = PURGE_LIMIT,
                                .weight = PURGE_LIMIT};
    ask(tasks, queue, &question, done, arg);
}

void queues_pause(struct tasks *tasks, struct str queue, bool is_paused, task_done done, void *arg)
{
    struct question question = {.script = SCRIPT_TASK_QUEUE_PAUSE,
                                .keys = info_keys,
                                .key_count = 4,
                                .names_base = true,
                                .names_queue = true,
                                .has_number = true,
                                .number = is_paused};
    ask(tasks, queue, &question, done, arg);
}
