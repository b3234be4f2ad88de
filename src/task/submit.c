/* submit: see submit.h. */
#include "task/submit.h"
#include "config/config.h"
#include "task/askers.h"
#include "task/payload.h"
#include "task/workers.h"
#include <inttypes.h>
#include <stdio.h>

static const enum task_key submit_keys[] = {TASK_KEY_TASK,  TASK_KEY_META,   TASK_KEY_DELAYED,
                                            TASK_KEY_LIST,  TASK_KEY_RANKED, TASK_KEY_WAITING,
                                            TASK_KEY_LISTEN};
static const enum task_key own_keys[] = {TASK_KEY_LIST, TASK_KEY_RANKED};

/* Where a task shall go, as lua/task/batch.lua wants it. */
struct route {
    const char *letter;
    bool is_own; /* to our own workers alone */
    struct str last;
};

static struct route route_of(struct tasks *tasks, const struct task_request *request)
{
    bool are_there = workers_are_there(tasks, request->queue);
    bool wants_own = request->policy == TASK_LOCAL || request->policy == TASK_LOCALFIRST;
    if (wants_own && are_there)
        return (struct route){"S", true, tasks->daemon};
    if (request->policy == TASK_LOCAL)
        return (struct route){"A", false, STR("-")};
    if (request->policy == TASK_AUTO)
        return (struct route){"A", false, are_there ? STR("1") : STR("0")};
    return (struct route){"S", false, STR("")};
}

static const struct queue_config *config_of(const struct tasks *tasks, struct str queue)
{
    return config_queue(tasks->config, queue);
}

/* "<ms> <most ms> <jitter in percent> <fixed(0)|exponential(1)>" */
static struct str backoff_text(const struct queue_config *config, char *out, size_t size)
{
    int len = snprintf(out, size, "%" PRId64 " %" PRId64 " %" PRId64 " %d", config->retry_delay_ms,
                       config->retry_max_delay_ms, config->retry_jitter, config->is_exponential);
    return str_make(out, (size_t)len);
}

static struct task_call *pack(struct tasks *tasks, const struct task_request *request,
                              const struct route *route, const struct firing *firing)
{
    const struct queue_config *config = config_of(tasks, request->queue);
    bool is_auto = route->letter[0] == 'A';
    char text[4 * NUM_INT_MAX];
    struct payload params;
    payload_pack(&params, request->params, config->compress_min_bytes);
    struct str backoff = backoff_text(config, text, sizeof text);
    struct task_name name = {request->id, request->queue, route->is_own ? tasks->daemon : STR("")};
    struct task_name own = {request->id, request->queue, tasks->daemon};
    struct packing_room room = {.args = 13,
                                .bytes = request->id.len + request->queue.len + params.text.len +
                                         backoff.len + 5 * (size_t)PACKING_INT};
    firing_room(tasks, &room, firing);
    task_call_room(tasks, &room, submit_keys, is_auto ? 7 : 6, &name);
    task_call_room(tasks, &room, own_keys, is_auto ? 2 : 0, &own);
    struct task_call *call = task_call_new(tasks, SCRIPT_TASK_BATCH, room, NULL, NULL);
    struct packing *packing = &call->packing;
    firing_put(call, firing);
    packing_put_literal(packing, str_of(route->letter));
    packing_put(packing, request->id);
    packing_put(packing, request->queue);
    packing_put(packing, params.text);
    payload_clear(&params);
    packing_put_int(packing, request->timeout_ms > 0 ? request->timeout_ms : 0);
    packing_put_int(packing, request->retries);
    packing_put(packing, backoff);
    packing_put_int(packing, request->priority);
    packing_put_int(packing, request->delay_ms > 0 ? request->delay_ms : 0);
    packing_put_literal(packing, request->progress != NULL ? STR("2")
                                 : request->waits          ? STR("1")
                                                           : STR("0"));
    packing_put_literal(packing, request->is_once ? STR("1") : STR("0"));
    packing_put_int(packing, config->max_waiting);
    packing_put_literal(packing, route->last);
    task_call_put_keys(call, submit_keys, is_auto ? 7 : 6, &name);
    task_call_put_keys(call, own_keys, is_auto ? 2 : 0, &own);
    call->op.may_lead = request->may_lead;
    return call;
}

struct task_call *submit_firing(struct tasks *tasks, const struct task_request *request,
                                const struct firing *firing)
{
    static const struct route route = {"S", false, {"", 0}};
    return pack(tasks, request, &route, firing);
}

static void end_submit(struct op *op, const struct err *failure, const struct answer *answer)
{
    struct task_call *call = (struct task_call *)op;
    struct err err;
    call->tasks->counters.submitted += task_call_check(call, failure, answer, &err);
    task_call_end(call, failure, answer);
}

struct asker *tasks_submit(struct tasks *tasks, const struct task_request *request, task_done done,
                           void *arg)
{
    struct asker *asker = NULL;
    struct route route = route_of(tasks, request);
    if (route.is_own || str_eq(route.last, STR("1")))
        workers_expect_own(tasks, request->queue);
    struct task_call *call = pack(tasks, request, &route, NULL);
    if (request->waits) {
        asker = askers_add(tasks, request, call, done, arg);
        tasks_look_on(tasks);
    } else {
        call->done = done;
        call->arg = arg;
        call->op.done = end_submit;
    }
    if (route.is_own || str_eq(route.last, STR("1")) || request->delay_ms > 0)
        tasks_stay_awake(tasks);
    task_call_send(call);
    if (request->delay_ms <= 0)
        workers_offer(tasks, request->queue);
    return asker;
}
