/* tasks: see tasks.h. */
#include "task/tasks.h"
#include "base/mem.h"
#include "config/config.h"
#include "redis/notify.h"
#include "task/askers.h"
#include "task/call.h"
#include "task/crons.h"
#include "task/workers.h"
#include <inttypes.h>
#include <stdio.h>

#define LOOK_EACH_MS  1000
#define TEND_EACH_MS  1000 /* that this daemon lives, and whether there is something to lead */
#define REST_AFTER_MS 5000 /* so that what is used now and then does not wake all each time */
#define TEND_LIMIT    "500"
#define FORGET_COUNT \
    "20" /* queues that are looked at each second whether anything is left of them */
#define LEADER_MS "3000"

static const enum task_key task_key[] = {TASK_KEY_TASK};

/* --- what the lane asks --------------------------------------------------------------------------
 */

static void lane_keys(void *owner, const struct script *script, struct str *keys)
{
    const struct tasks *tasks = owner;
    for (int i = 0; i < script->key_count; i++) {
        enum task_key which;
        if (task_key_called(script->keys[i], &which) && task_key_is_of_lane(which))
            keys[i] = tasks->keys[which];
    }
}

static void lane_head(void *owner, struct words *args)
{
    const struct tasks *tasks = owner;
    words_put(args, tasks->base);
    words_put(args, str_of(tasks->session_text));
}

static void lane_recalled(void *owner, const struct answer *answer)
{
    struct tasks *tasks = owner;
    int64_t count = answer_int(answer, 0);
    tasks->counters.recalled += count > 0 ? (uint64_t)count : 0;
    log_text(tasks->log, LOG_LEVEL_WARNING, "batch-recalled",
             "%" PRId64 " tasks of an unanswered call were given back", count);
}

static const struct lane_rules rules = {
    .batch_script = SCRIPT_TASK_BATCH,
    .recall_script = SCRIPT_TASK_RECALL,
    .keys = lane_keys,
    .head = lane_head,
    .recalled = lane_recalled,
};

/* --- life ----------------------------------------------------------------------------------------
 */

static void init_keys(struct tasks *tasks)
{
    struct str prefix = str_of(tasks->config->server.namespace);
    struct task_name name = {.daemon = tasks->daemon};
    for (unsigned i = 0; i < TASK_KEYS; i++) {
        enum task_key which = (enum task_key)i;
        if (!task_key_is_of_lane(which) && which != TASK_KEY_CHANNEL)
            continue;
        size_t len = task_key_len(which, prefix, &name);
        tasks->texts[which] = mem_zalloc(len + 1);
        task_key_write(which, prefix, &name, tasks->texts[which]);
        tasks->keys[which] = str_make(tasks->texts[which], len);
    }
    struct str due = tasks->keys[TASK_KEY_DUE]; /* it begins with both */
    tasks->prefix = str_make(due.ptr, prefix.len);
    tasks->base = str_make(due.ptr, due.len - STR("|due").len);
}

static void ring_tend(struct alarm *alarm);
static void ring_look(struct alarm *alarm);

void tasks_init(struct tasks *tasks, struct batches *batches, struct alarms *alarms,
                const struct config *config, struct rand *rand, struct log *log)
{
    unsigned char seed[16];
    *tasks = (struct tasks){.batches = batches,
                            .config = config,
                            .clock = batches->clock,
                            .alarms = alarms,
                            .tend = {.ring = ring_tend},
                            .look = {.ring = ring_look},
                            .used_ms = -REST_AFTER_MS,
                            .rand = rand,
                            .log = log,
                            .daemon = batches->daemon};
    rand_bytes(rand, seed, sizeof seed);
    map_init(&tasks->asked, seed);
    map_init(&tasks->listening, seed);
    map_init(&tasks->queues, seed);
    list_init(&tasks->askers);
    list_init(&tasks->workers);
    list_init(&tasks->listens);
    list_init(&tasks->unreturned);
    init_keys(tasks);
    num_format_int(tasks->session_text, config->server.session_timeout_ms);
    lane_init(&tasks->lane, batches, &rules, tasks);
}

void tasks_configure(struct tasks *tasks)
{
    num_format_int(tasks->session_text, tasks->config->server.session_timeout_ms);
}

void tasks_stop(struct tasks *tasks)
{
    tasks->is_stopping = true;
    alarm_stop(tasks->alarms, &tasks->tend);
    alarm_stop(tasks->alarms, &tasks->look);
    workers_stop(tasks);
    askers_stop(tasks);
}

static void unhear(struct tasks *tasks, struct hearing *hearing)
{
    if (hearing != NULL)
        upstream_unhear(tasks->batches->upstream, hearing);
    mem_free(hearing);
}

void tasks_clear(struct tasks *tasks)
{
    unhear(tasks, tasks->own);
    unhear(tasks, tasks->all);
    lane_clear(&tasks->lane);
    taken_clear(tasks);
    workers_clear(tasks);
    map_clear(&tasks->asked);
    map_clear(&tasks->listening);
    map_clear(&tasks->queues);
    for (unsigned i = 0; i < TASK_KEYS; i++)
        mem_free(tasks->texts[i]);
}

/* --- what is due ---------------------------------------------------------------------------------
 * While there is anything that a daemon's death would leave undone, or that has its time, each
 * daemon tends: it tells each second that it lives. One of them leads: it does what is due, is told
 * when the next is, and by D items of what comes before that. When there is nothing, all go to
 * rest, and whoever begins something anew wakes them all by a T item. */

static void tend(struct tasks *tasks);

static void tend_within(struct tasks *tasks, int64_t ms)
{
    int64_t at_ms = clock_ms(tasks->clock) + ms;
    if (tasks->is_stopping)
        return;
    if (tasks->is_tending) {
        if (at_ms < tasks->again_ms)
            tasks->again_ms = at_ms;
    } else if (tasks->tend.place == 0 || at_ms < tasks->tend.at_ms) {
        alarm_set(tasks->alarms, &tasks->tend, at_ms);
    }
}

static void wake_up(struct tasks *tasks)
{
    tasks->used_ms = clock_ms(tasks->clock);
    tend_within(tasks, 0);
}

void tasks_stay_awake(struct tasks *tasks)
{
    tasks->used_ms = clock_ms(tasks->clock);
    tend_within(tasks, TEND_EACH_MS);
}

static void end_tend(void *arg, const struct err *err, const struct answer *answer)
{
    struct tasks *tasks = arg;
    int64_t wait_ms = answer_int(answer_at(answer, 2), -1);
    bool rests = err == NULL && answer_int(answer_at(answer, 3), 0) == 1;
    tasks->is_tending = false;
    tasks->is_leading = err == NULL && answer_int(answer_at(answer, 0), 0) == 1;
    if (tasks->is_leading) {
        int64_t count = answer_int(answer_at(answer, 1), 0);
        tasks->counters.tended += count > 0 ? (uint64_t)count : 0;
        crons_fire(tasks, answer_at(answer, 5), answer_int(answer_at(answer, 4), 0));
    }
    if (!rests)
        tend_within(tasks, wait_ms >= 0 && wait_ms < TEND_EACH_MS ? wait_ms : TEND_EACH_MS);
    if (tasks->again_ms != INT64_MAX)
        tend_within(tasks, tasks->again_ms - clock_ms(tasks->clock));
}

static void tend(struct tasks *tasks)
{
    int64_t now_ms = clock_ms(tasks->clock);
    bool may_rest = now_ms >= tasks->used_ms + REST_AFTER_MS;
    bool may_forget = now_ms >= tasks->forget_ms;
    struct task_call *call =
        task_call_new(tasks, SCRIPT_TASK_TEND, (struct packing_room){.args = 7}, end_tend, tasks);
    packing_put_literal(&call->packing, tasks->daemon);
    packing_put_literal(&call->packing, tasks->base);
    packing_put_literal(&call->packing, str_of(tasks->session_text));
    packing_put_literal(&call->packing, STR(LEADER_MS));
    packing_put_literal(&call->packing, STR(TEND_LIMIT));
    packing_put_literal(&call->packing, may_rest ? STR("1") : STR("0"));
    packing_put_literal(&call->packing, may_forget ? STR(FORGET_COUNT) : STR("0"));
    if (may_forget)
        tasks->forget_ms = now_ms + TEND_EACH_MS;
    tasks->is_tending = true;
    tasks->again_ms = INT64_MAX;
    task_call_send(call);
}

static void ring_tend(struct alarm *alarm)
{
    tend((struct tasks *)((char *)alarm - offsetof(struct tasks, tend)));
}

/* --- what may have been missed -------------------------------------------------------------------
 */

static void ring_look(struct alarm *alarm)
{
    struct tasks *tasks = (struct tasks *)((char *)alarm - offsetof(struct tasks, look));
    taken_return(tasks);
    workers_keep(tasks);
    askers_look_over(tasks);
    tasks_look_on(tasks);
}

void tasks_look_on(struct tasks *tasks)
{
    bool is_used = tasks->workers.count > 0 || tasks->queues.count > 0 || tasks->askers.count > 0 ||
                   tasks->unreturned.count > 0;
    if (is_used && !tasks->is_stopping && tasks->look.place == 0)
        alarm_set(tasks->alarms, &tasks->look, clock_ms(tasks->clock) + LOOK_EACH_MS);
}

/* --- hearing -------------------------------------------------------------------------------------
 */

/* See lua/task/ready.lua. */
static void hear_item(struct tasks *tasks, struct str item)
{
    struct str rest = str_make(item.ptr + 1, item.len - 1), number;
    int64_t ms;
    if (item.ptr[0] == 'R')
        askers_hear(tasks, rest);
    else if (item.ptr[0] == 'P')
        askers_hear_progress(tasks, rest);
    else if (item.ptr[0] == 'L')
        workers_wake_own(tasks, rest);
    else if (item.ptr[0] == 'W' && str_split(&rest, ' ', &number) && rest.ptr != NULL)
        workers_wake(tasks, number, rest);
    else if (item.ptr[0] == 'D' && num_parse_int(rest, &ms))
        tend_within(tasks, ms);
    else if (item.ptr[0] == 'T')
        wake_up(tasks);
}

void tasks_hear(struct tasks *tasks, struct str message)
{
    struct str item;
    while (str_split(&message, '\0', &item)) {
        if (item.len > 0)
            hear_item(tasks, item);
    }
}

static void on_heard(void *arg, struct str message)
{
    tasks_hear(arg, message);
}

/* What was said before may have been missed. */
static void on_begun(void *arg)
{
    struct tasks *tasks = arg;
    workers_look_over(tasks);
    askers_look_over(tasks);
    tend_within(tasks, 0);
}

static struct hearing *hear(struct tasks *tasks, enum task_key channel)
{
    struct hearing *hearing = mem_zalloc(sizeof *hearing);
    *hearing = (struct hearing){
        .channel = tasks->texts[channel], .heard = on_heard, .begun = on_begun, .arg = tasks};
    upstream_hear(tasks->batches->upstream, hearing);
    return hearing;
}

void tasks_start(struct tasks *tasks)
{
    tasks->own = hear(tasks, TASK_KEY_CHANNEL);
    tasks->all = hear(tasks, TASK_KEY_ALL);
    tend_within(tasks, 0);
}

/* --- calls of their own --------------------------------------------------------------------------
 */

void tasks_look(struct tasks *tasks, struct str id, bool is_once, task_done done, void *arg)
{
    struct task_name name = {.id = id};
    struct packing_room room = {.args = 1};
    task_call_room(tasks, &room, task_key, 1, &name);
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_LOOK, room, done, arg);
    packing_put_literal(&call->packing, is_once ? STR("1") : STR("0"));
    task_call_put_keys(call, task_key, 1, &name);
    task_call_send(call);
}

void tasks_has(struct tasks *tasks, struct str id, task_done done, void *arg)
{
    struct task_name name = {.id = id};
    size_t len = task_key_len(TASK_KEY_TASK, tasks->prefix, &name);
    struct task_call *call = task_call_new(
        tasks, SCRIPT_NONE, (struct packing_room){.args = 2, .bytes = len}, done, arg);
    packing_put_literal(&call->packing, STR("EXISTS"));
    task_key_write(TASK_KEY_TASK, tasks->prefix, &name, packing_put_space(&call->packing, len));
    task_call_send(call);
}

void tasks_cancel(struct tasks *tasks, struct str id, task_done done, void *arg)
{
    struct task_name name = {.id = id};
    struct packing_room room = {.args = 2, .bytes = id.len};
    task_call_room(tasks, &room, task_key, 1, &name);
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_CANCEL, room, done, arg);
    packing_put(&call->packing, id);
    packing_put_literal(&call->packing, tasks->base);
    task_call_put_keys(call, task_key, 1, &name);
    task_call_send(call);
}
