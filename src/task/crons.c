/* crons: see crons.h. */
#include "task/crons.h"
#include "base/name.h"
#include "config/config.h"
#include "task/submit.h"
#include <stdio.h>

#define MOST "10000" /* crons of a namespace: each look at one queue's goes over all */

static const enum task_key cron_key[] = {TASK_KEY_CRON};
static const enum task_key crons_key[] = {TASK_KEY_CRONS};

const char *const task_missed_words[3] = {
    [MISSED_ONCE] = "once", [MISSED_SKIP] = "skip", [MISSED_ALL] = "all"};

/* --- by hand -----------------------------------------------------------------------------------
 */

/* Its script's first args are base, queue and name. */
static struct task_call *new_call(struct tasks *tasks, enum script_id script, int key_count,
                                  struct str queue, struct str name, struct packing_room room)
{
    struct task_name cron = {.id = name, .queue = queue};
    room.args += 3;
    room.bytes += queue.len + name.len;
    task_call_room(tasks, &room, cron_key, key_count, &cron);
    struct task_call *call = task_call_new(tasks, script, room, NULL, NULL);
    packing_put_literal(&call->packing, tasks->base);
    packing_put(&call->packing, queue);
    packing_put(&call->packing, name);
    task_call_put_keys(call, cron_key, key_count, &cron);
    return call;
}

static void send(struct task_call *call, task_done done, void *arg)
{
    call->done = done;
    call->arg = arg;
    task_call_send(call);
}

void crons_set(struct tasks *tasks, const struct cron *cron, task_done done, void *arg)
{
    struct packing_room room = {
        .args = 7, .bytes = cron->schedule.len + cron->params.len + 3 * (size_t)PACKING_INT};
    struct task_call *call = new_call(tasks, SCRIPT_TASK_CRON, 1, cron->queue, cron->name, room);
    packing_put(&call->packing, cron->schedule);
    packing_put(&call->packing, cron->params);
    packing_put_literal(&call->packing, str_of(task_missed_words[cron->missed]));
    packing_put_int(&call->packing, cron->timeout_ms > 0 ? cron->timeout_ms : 0);
    packing_put_int(&call->packing, cron->retries);
    packing_put_int(&call->packing, cron->priority);
    packing_put_literal(&call->packing, STR(MOST));
    tasks_stay_awake(tasks);
    send(call, done, arg);
}

void crons_remove(struct tasks *tasks, struct str queue, struct str name, task_done done, void *arg)
{
    send(new_call(tasks, SCRIPT_TASK_UNCRON, 1, queue, name, (struct packing_room){0}), done, arg);
}

void crons_list(struct tasks *tasks, struct str queue, task_done done, void *arg)
{
    send(new_call(tasks, SCRIPT_TASK_CRONS, 0, queue, STR(""), (struct packing_room){0}), done,
         arg);
}

/* --- by time -----------------------------------------------------------------------------------
 */

void firing_room(const struct tasks *tasks, struct packing_room *room, const struct firing *firing)
{
    if (firing == NULL)
        return;
    room->args += 5;
    room->bytes += firing->member.len + 2 * (size_t)PACKING_INT;
    task_call_room(tasks, room, crons_key, 1, &(struct task_name){0});
}

void firing_put(struct task_call *call, const struct firing *firing)
{
    if (firing == NULL)
        return;
    packing_put_literal(&call->packing, STR("C"));
    packing_put(&call->packing, firing->member);
    packing_put_int(&call->packing, firing->at_ms);
    packing_put_int(&call->packing, firing->next_ms);
    packing_put_literal(&call->packing, firing->is_real ? STR("1") : STR("0"));
    task_call_put_keys(call, crons_key, 1, &(struct task_name){0});
}

void firing_plan(struct firing *firing, const struct schedule *schedule, enum task_missed missed,
                 int64_t now_ms)
{
    bool is_late = now_ms - firing->at_ms > CRON_LATE_MS;
    int64_t from_ms = firing->at_ms;
    firing->is_real = firing->at_ms > 0 && (!is_late || missed != MISSED_SKIP);
    if (firing->at_ms <= 0 || (is_late && missed == MISSED_ONCE))
        from_ms = now_ms;
    else if (is_late && missed == MISSED_SKIP)
        from_ms = now_ms - CRON_LATE_MS - 1;
    firing->next_ms = schedule_next(schedule, from_ms);
}

/* Nothing but the time moves on. */
static struct task_call *new_step(struct tasks *tasks, const struct firing *firing)
{
    struct packing_room room = {0};
    firing_room(tasks, &room, firing);
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    firing_put(call, firing);
    return call;
}

static void end_firing(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct err err;
    if (!task_call_check(call, failure, answer, &err) && err.kind != ERR_UPSTREAM)
        log_line(call->tasks->log, LOG_LEVEL_WARNING, "cron-failed", "why", err.text, NULL);
    task_call_free(call); /* what was not heard of is found due again */
}

/* [member at_ms schedule params missed timeout_ms retries priority] */
enum { MEMBER, AT, SCHEDULE, PARAMS, MISSED, TIMEOUT, RETRIES, PRIORITY };

static int64_t number_at(const struct answer *row, size_t place)
{
    int64_t n = 0;
    return num_parse_int(answer_str(answer_at(row, place)), &n) ? n : 0;
}

static enum task_missed missed_of(struct str word)
{
    for (unsigned i = 0; i < 3; i++) {
        if (str_eq(word, str_of(task_missed_words[i])))
            return (enum task_missed)i;
    }
    return MISSED_ONCE;
}

static void fire(struct tasks *tasks, const struct answer *row, int64_t now_ms)
{
    struct firing firing = {.member = answer_str(answer_at(row, MEMBER)),
                            .at_ms = number_at(row, AT)};
    struct str name = firing.member, queue;
    struct schedule schedule;
    struct err err;
    char id[NAME_MAX_LEN + CRON_NAME_MAX + 40];
    if (!str_split(&name, ' ', &queue) || name.ptr == NULL ||
        !schedule_parse(answer_str(answer_at(row, SCHEDULE)), &schedule, &err))
        return; /* nobody has made it by a command */
    firing_plan(&firing, &schedule, missed_of(answer_str(answer_at(row, MISSED))), now_ms);
    int len = snprintf(id, sizeof id, "cron:%.*s:%.*s:%lld", PRSTR(queue), PRSTR(name),
                       (long long)firing.at_ms);
    struct task_request request = {.queue = queue,
                                   .id = str_make(id, (size_t)len),
                                   .params = answer_str(answer_at(row, PARAMS)),
                                   .timeout_ms = number_at(row, TIMEOUT),
                                   .retries = number_at(row, RETRIES),
                                   .priority = number_at(row, PRIORITY)};
    struct task_call *call =
        firing.is_real ? submit_firing(tasks, &request, &firing) : new_step(tasks, &firing);
    call->op.done = end_firing;
    task_call_send(call);
}

void crons_fire(struct tasks *tasks, const struct answer *due, int64_t now_ms)
{
    for (size_t i = 0; i < answer_count(due); i++)
        fire(tasks, answer_at(due, i), now_ms);
}
