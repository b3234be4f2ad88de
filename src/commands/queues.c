/* queues: QUEUE LIST INFO PEEK PURGE DEAD KICK PAUSE RESUME CRON UNCRON CRONS.
 * Knows: task/queues, task/crons. */
#include "task/queues.h"
#include "base/mem.h"
#include "base/name.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"
#include "commands/works.h"
#include "task/crons.h"

#define PEEK_COUNT  10
#define INFO_FIELDS 8

static struct tasks *tasks_of(const struct ask *ask)
{
    return &ask->daemon->tasks;
}

void cmd_queue_list(struct ask *ask)
{
    queues_list(tasks_of(ask), outcome_texts, later_new(ask, NULL));
}

static void end_info(void *arg, const struct err *err, const struct answer *answer)
{
    static const char *const names[INFO_FIELDS] = {"waiting",   "delayed",         "taken",
                                                   "dead",      "workers_waiting", "is_listened",
                                                   "is_paused", "waiting_local"};
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_map(later_reply(later), INFO_FIELDS);
    for (size_t i = 0; i < INFO_FIELDS; i++)
        outcome_put_int(later_reply(later), names[i], answer_int(answer_at(answer, i), 0));
    later_end(later);
}

void cmd_queue_info(struct ask *ask)
{
    if (check_queue(ask, ask->fixed[0]))
        queues_info(tasks_of(ask), ask->fixed[0], end_info, later_new(ask, NULL));
}

/* Rows of texts and numbers, as the scripts give them. */
static void end_rows(void *arg, const struct err *err, const struct answer *rows)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);

    if (outcome_failed(later, err))
        return;
    reply_array(reply, answer_count(rows));
    for (size_t i = 0; i < answer_count(rows); i++) {
        const struct answer *row = answer_at(rows, i);
        reply_array(reply, answer_count(row));
        for (size_t j = 0; j < answer_count(row); j++) {
            const struct answer *cell = answer_at(row, j);
            if (answer_is_int(cell))
                reply_int(reply, answer_int(cell, 0));
            else
                works_put_payload(reply, cell); /* other texts come out as they are */
        }
    }
    later_end(later);
}

/* COUNT, or what is usual. False: answered. */
static bool take_count(struct ask *ask, int64_t *count)
{
    *count = ask->options.given & OPT_COUNT ? ask->options.count : PEEK_COUNT;
    return check_queue(ask, ask->fixed[0]) && check_count(ask);
}

void cmd_queue_peek(struct ask *ask)
{
    int64_t count;

    if (take_count(ask, &count))
        queues_peek(tasks_of(ask), ask->fixed[0], count, end_rows, later_new(ask, NULL));
}

void cmd_queue_dead(struct ask *ask)
{
    int64_t count;

    if (take_count(ask, &count))
        queues_dead(tasks_of(ask), ask->fixed[0], count, end_rows, later_new(ask, NULL));
}

void cmd_queue_kick(struct ask *ask)
{
    int64_t count;

    if (take_count(ask, &count))
        queues_kick(tasks_of(ask), ask->fixed[0], count, outcome_int, later_new(ask, NULL));
}

/* A purge goes on, call by call, until nothing is left. */
struct purge {
    struct later *later;
    int64_t count;
    size_t len;
    char queue[NAME_MAX_LEN];
};

static void end_purge(void *arg, const struct err *err, const struct answer *answer)
{
    struct purge *purge = arg;
    struct later *later = purge->later;

    purge->count += answer_int(answer_at(answer, 0), 0);
    if (err == NULL && answer_int(answer_at(answer, 1), 0) == 1) {
        queues_purge(&later->daemon->tasks, str_make(purge->queue, purge->len), end_purge, purge);
        return;
    }
    if (!outcome_failed(later, err)) {
        reply_int(later_reply(later), purge->count);
        later_end(later);
    }
    mem_free(purge);
}

void cmd_queue_purge(struct ask *ask)
{
    struct str queue = ask->fixed[0];

    if (!check_queue(ask, queue))
        return;
    struct purge *purge = mem_zalloc(sizeof(*purge));
    purge->later = later_new(ask, NULL);
    purge->len = queue.len;
    memcpy(purge->queue, queue.ptr, queue.len);
    queues_purge(tasks_of(ask), queue, end_purge, purge);
}

void cmd_queue_pause(struct ask *ask)
{
    if (check_queue(ask, ask->fixed[0]))
        queues_pause(tasks_of(ask), ask->fixed[0], true, outcome_ok, later_new(ask, NULL));
}

void cmd_queue_resume(struct ask *ask)
{
    if (check_queue(ask, ask->fixed[0]))
        queues_pause(tasks_of(ask), ask->fixed[0], false, outcome_ok, later_new(ask, NULL));
}

/* The name of a cron, behind its queue's. */
static bool check_cron(struct ask *ask)
{
    if (!check_queue(ask, ask->fixed[0]) || !check_bytes(ask, ask->fixed[1], "name"))
        return false;
    if (ask->fixed[1].len > CRON_NAME_MAX)
        ask_error(ask, ERR_GENERAL, "name: %zu bytes, at most %d are allowed", ask->fixed[1].len,
                  CRON_NAME_MAX);
    return !ask->has_failed;
}

static bool check_schedule(struct ask *ask, struct str text)
{
    struct schedule schedule;
    struct err err;
    if (!schedule_parse(text, &schedule, &err))
        ask_fail(ask, &err);
    else if (schedule_next(&schedule, clock_us(&ask->daemon->clock) / 1000) < 0)
        ask_error(ask, ERR_GENERAL, "schedule: there is no such day");
    return !ask->has_failed;
}

void cmd_queue_cron(struct ask *ask)
{
    const struct options *options = &ask->options;
    const struct str *fixed = ask->fixed;

    if (!check_cron(ask) || !check_schedule(ask, fixed[2]) ||
        !check_payload(ask, fixed[0], fixed[3], "params"))
        return;
    const struct queue_config *config = config_queue(&ask->daemon->config, fixed[0]);
    struct cron cron = {.queue = fixed[0],
                        .name = fixed[1],
                        .schedule = fixed[2],
                        .params = fixed[3],
                        .timeout_ms = options->given & OPT_TIMEOUT ? options->timeout_ms
                                                                   : config->default_timeout_ms,
                        .retries =
                            options->given & OPT_RETRIES ? options->retries : config->retries,
                        .priority = options->priority,
                        .missed = options->missed};
    crons_set(tasks_of(ask), &cron, outcome_ok, later_new(ask, NULL));
}

void cmd_queue_uncron(struct ask *ask)
{
    if (check_cron(ask))
        crons_remove(tasks_of(ask), ask->fixed[0], ask->fixed[1], outcome_int,
                     later_new(ask, NULL));
}

void cmd_queue_crons(struct ask *ask)
{
    if (check_queue(ask, ask->fixed[0]))
        crons_list(tasks_of(ask), ask->fixed[0], end_rows, later_new(ask, NULL));
}
