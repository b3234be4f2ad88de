/* tasks: QUERY LISTEN PROGRESS RESULT FAIL, TASK HASTASK CANCEL.
 * Knows: task/tasks, task/workers.  Must not know: how an operation reaches Redis. */
#include "task/tasks.h"
#include "base/num.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"
#include "commands/works.h"
#include "task/workers.h"

/* --- asking ------------------------------------------------------------------------------------
 */

static void stop_asking(void *arg)
{
    asker_gone(arg);
}

void cmd_query(struct ask *ask)
{
    const struct options *options = &ask->options;
    const struct str *fixed = ask->fixed;

    if (!check_queue(ask, fixed[0]) || !check_bytes(ask, fixed[1], "id") ||
        !check_payload(ask, fixed[0], fixed[2], "params") ||
        (!(options->given & OPT_NOWAIT) && !check_patience(ask)))
        return;
    const struct queue_config *config = config_queue(&ask->daemon->config, fixed[0]);
    bool waits = !(options->given & OPT_NOWAIT);
    /* a task for which nobody waits may well wait for workers that are not there yet */
    enum task_policy usual = waits ? TASK_AUTO : TASK_REMOTE;
    struct task_request request = {
        .queue = fixed[0],
        .id = fixed[1],
        .params = fixed[2],
        .policy = options->given & OPT_POLICY ? options->policy : usual,
        .timeout_ms =
            options->given & OPT_TIMEOUT ? options->timeout_ms : config->default_timeout_ms,
        .delay_ms = options->delay_ms,
        .retries = options->given & OPT_RETRIES ? options->retries : config->retries,
        .priority = options->priority,
        .waits = waits,
        .is_once = (options->given & OPT_ONCE) != 0,
        .may_lead = turn_is_alone(ask->turn)};
    if (options->given & OPT_PUSH) {
        works_push(ask, &request);
        return;
    }
    struct later *later = later_new(ask, NULL);
    struct asker *asker =
        tasks_submit(&ask->daemon->tasks, &request, waits ? works_end_query : outcome_ok, later);
    later->is_patient = waits;
    if (asker != NULL)
        turn_watch(ask->turn, stop_asking, asker);
}

/* --- working -----------------------------------------------------------------------------------
 */

static void put_task(struct reply *reply, const struct answer *task)
{
    reply_array(reply, 5);
    for (size_t i = 0; i < 2; i++)
        reply_bulk(reply, answer_str(answer_at(task, i)));
    works_put_payload(reply, answer_at(task, 2));
    reply_int(reply, answer_int(answer_at(task, 3), 0));
    reply_int(reply, answer_int(answer_at(task, 4), -1));
}

static void end_listen(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);
    size_t count = answer_count(answer);

    if (outcome_failed(later, err))
        return;
    if (later->given & OPT_COUNT) {
        reply_array(reply, count);
        for (size_t i = 0; i < count; i++)
            put_task(reply, answer_at(answer, i));
    } else if (count == 0) {
        reply_null_array(reply);
    } else {
        put_task(reply, answer_at(answer, 0));
    }
    later_end(later);
}

/* Nobody could end what it takes: the connection has gone, or sends nothing more. */
static void stop_listening(void *arg)
{
    listen_gone(arg);
}

/* LISTEN queue queue WAIT 0: the options may stand behind the queues. */
static bool take_options_behind(struct ask *ask)
{
    struct options behind;
    struct err err;
    int used, at = 0;

    while (at < ask->rest_count && !str_eq_nocase(ask->rest[at], STR("WAIT")) &&
           !str_eq_nocase(ask->rest[at], STR("COUNT")))
        at++;
    if (!options_parse("LISTEN", OPT_WAIT | OPT_COUNT, false, ask->rest + at, ask->rest_count - at,
                       &behind, &used, &err)) {
        ask_fail(ask, &err);
        return false;
    }
    if (behind.given & ask->options.given) {
        ask_error(ask, ERR_GENERAL, "syntax error: an option of LISTEN is given twice");
        return false;
    }
    ask->rest_count = at;
    if (behind.given & OPT_WAIT)
        ask->options.wait_ms = behind.wait_ms;
    if (behind.given & OPT_COUNT)
        ask->options.count = behind.count;
    ask->options.given |= behind.given;
    return true;
}

static bool check_listen(struct ask *ask, struct worker *worker, struct str *queues)
{
    int64_t count = ask->options.given & OPT_COUNT ? ask->options.count : 1;

    if (ask->rest_count + 1 > WORKER_MAX_QUEUES) {
        ask_error(ask, ERR_GENERAL, "at most %d queues in one LISTEN, not %d", WORKER_MAX_QUEUES,
                  ask->rest_count + 1);
        return false;
    }
    queues[0] = ask->fixed[0];
    for (int i = 0; i < ask->rest_count; i++)
        queues[i + 1] = ask->rest[i];
    for (int i = 0; i <= ask->rest_count; i++) {
        if (!check_queue(ask, queues[i]))
            return false;
    }
    if (count > WORKER_MAX_TAKEN || (size_t)count + worker_taken(worker) > WORKER_MAX_TAKEN) {
        ask_error(ask, ERR_BUSY,
                  "a connection has at most %d tasks at a time, and this one has %zu",
                  WORKER_MAX_TAKEN, worker_taken(worker));
        return false;
    }
    return true;
}

void cmd_listen(struct ask *ask)
{
    struct peer_state *state = peer_state(ask->peer);
    struct str queues[WORKER_MAX_QUEUES] = {{NULL, 0}};

    if (!take_options_behind(ask) || !check_listen(ask, state->worker, queues) ||
        !check_patience(ask))
        return;
    if (state->worker == NULL)
        state->worker = worker_new(&ask->daemon->tasks);
    struct worker_listen listen = {
        .queues = queues,
        .queue_count = ask->rest_count + 1,
        .wait_ms = ask->options.given & OPT_WAIT ? ask->options.wait_ms : -1,
        .count = ask->options.given & OPT_COUNT ? (int)ask->options.count : 1};
    struct later *later = later_new(ask, NULL);
    later->given = ask->options.given;
    later->is_patient = listen.wait_ms >= 0;
    turn_watch(ask->turn, stop_listening, worker_listen(state->worker, &listen, end_listen, later));
}

/* The worker that this connection is, if it has this task. */
static struct worker *check_worker(struct ask *ask, struct str *queue)
{
    struct worker *worker = peer_state(ask->peer)->worker;

    if (!check_bytes(ask, ask->fixed[0], "id"))
        return NULL;
    if (worker == NULL || !worker_has(worker, ask->fixed[0], queue)) {
        ask_error(ask, ERR_NOTOWNER, "this connection has not taken the task, or has lost it");
        return NULL;
    }
    return worker;
}

void cmd_progress(struct ask *ask)
{
    struct str queue;
    struct worker *worker = check_worker(ask, &queue);
    int64_t current, total;

    if (worker == NULL)
        return;
    if (!num_parse_int(ask->fixed[1], &current) || !num_parse_int(ask->fixed[2], &total)) {
        ask_error(ask, ERR_GENERAL, "value is not an integer or out of range");
        return;
    }
    worker_progress(worker, ask->fixed[0], current, total, outcome_ok, later_new(ask, NULL));
}

void cmd_result(struct ask *ask)
{
    struct str queue;
    struct worker *worker = check_worker(ask, &queue);

    if (worker != NULL && check_payload(ask, queue, ask->fixed[1], "result"))
        worker_result(worker, ask->fixed[0], ask->fixed[1], turn_is_alone(ask->turn), outcome_ok,
                      later_new(ask, NULL));
}

void cmd_fail(struct ask *ask)
{
    struct str queue;
    struct worker *worker = check_worker(ask, &queue);
    int64_t retry_ms = ask->options.given & OPT_RETRY ? ask->options.retry_ms : -1;

    if (worker != NULL && check_payload(ask, queue, ask->fixed[1], "text"))
        worker_fail(worker, ask->fixed[0], ask->fixed[1], retry_ms, outcome_ok,
                    later_new(ask, NULL));
}

/* --- looking -----------------------------------------------------------------------------------
 */

/* The value that a field has among names and values. */
static const struct answer *value_of(const struct answer *fields, const char *name)
{
    for (size_t i = 0; i + 1 < answer_count(fields); i += 2) {
        if (str_eq(answer_str(answer_at(fields, i)), str_of(name)))
            return answer_at(fields, i + 1);
    }
    return answer_none();
}

static void put_value(struct reply *reply, const struct answer *fields, const char *name)
{
    const struct answer *value = value_of(fields, name);

    reply_text(reply, name);
    if (answer_is_none(value))
        reply_null(reply);
    else
        works_put_payload(reply, value);
}

static void end_task(void *arg, const struct err *err, const struct answer *fields)
{
    static const char *const texts[] = {"queue", "state", "params", "result", "error"};
    static const char *const numbers[] = {"attempts", "retries",   "priority", "current", "total",
                                          "timeout",  "submitted", "started",  "ended",   "ttl"};
    struct later *later = arg;
    struct reply *reply = later_reply(later);

    if (outcome_failed(later, err))
        return;
    if (answer_count(fields) == 0) {
        reply_null(reply);
        later_end(later);
        return;
    }
    size_t count = sizeof(texts) / sizeof(texts[0]), more = sizeof(numbers) / sizeof(numbers[0]);
    reply_map(reply, count + more);
    for (size_t i = 0; i < count; i++)
        put_value(reply, fields, texts[i]);
    for (size_t i = 0; i < more; i++)
        outcome_put_int(reply, numbers[i], answer_int(value_of(fields, numbers[i]), 0));
    later_end(later);
}

void cmd_task(struct ask *ask)
{
    if (check_bytes(ask, ask->fixed[0], "id"))
        tasks_look(&ask->daemon->tasks, ask->fixed[0], (ask->options.given & OPT_ONCE) != 0,
                   end_task, later_new(ask, NULL));
}

void cmd_hastask(struct ask *ask)
{
    if (check_bytes(ask, ask->fixed[0], "id"))
        tasks_has(&ask->daemon->tasks, ask->fixed[0], outcome_int, later_new(ask, NULL));
}

void cmd_cancel(struct ask *ask)
{
    if (check_bytes(ask, ask->fixed[0], "id"))
        tasks_cancel(&ask->daemon->tasks, ask->fixed[0], outcome_int, later_new(ask, NULL));
}
