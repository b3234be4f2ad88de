/* exec: see exec.h. A slot is one program at a time: it listens, runs, tells, listens again. */
#include "task/exec.h"
#include "base/mem.h"
#include "config/config.h"
#include "io/program.h"
#include "task/payload.h"
#include "task/workers.h"
#include <stdio.h>

#define LISTEN_EACH_S 1 /* after a LISTEN that failed */

struct execs {
    struct list slots;
};

struct slot {
    struct list_node node;
    struct tasks *tasks;
    struct event_base *base;
    struct worker *worker; /* NULL: stopped */
    char *queue, *command;
    struct event *timer;     /* the next LISTEN */
    struct program *program; /* NULL: none runs */
    char *id;
    size_t id_len;
};

static void wait_for_task(struct slot *slot);

static struct str id_of(const struct slot *slot)
{
    return str_make(slot->id, slot->id_len);
}

static size_t max_output(const struct slot *slot)
{
    return (size_t)config_queue(slot->tasks->config, str_of(slot->queue))->max_payload_bytes;
}

/* --- the end of a program ----------------------------------------------------------------------
 */

static void end_told(void *arg, const struct err *err, const struct answer *answer)
{
    struct slot *slot = arg;
    (void)answer;
    if (err != NULL)
        log_line(slot->tasks->log, LOG_LEVEL_WARNING, "exec-not-told", "queue", slot->queue, "why",
                 err->text, NULL);
    if (slot->worker == NULL)
        return;
    if (err != NULL) /* what Redis did not hear of is tried anew */
        worker_give_back(slot->worker, id_of(slot), err->text);
    wait_for_task(slot);
}

static void fail(struct slot *slot, const char *text)
{
    worker_fail(slot->worker, id_of(slot), str_of(text), -1, end_told, slot);
}

static void give_back(struct slot *slot, const char *why)
{
    worker_give_back(slot->worker, id_of(slot), why);
    wait_for_task(slot);
}

static void fail_by_status(struct slot *slot, const struct program_outcome *outcome)
{
    char text[80];
    snprintf(text, sizeof text, "exit status %d of its program", outcome->code);
    fail(slot, outcome->said[0] != '\0' ? outcome->said : text);
}

static void on_program_end(void *arg, const struct program_outcome *outcome)
{
    struct slot *slot = arg;
    char text[80];
    slot->program = NULL;
    switch (outcome->end) {
    case PROGRAM_TIMEOUT:
        give_back(slot, "its program did not end in time");
        return;
    case PROGRAM_TOO_LONG:
        snprintf(text, sizeof text, "its program printed more than %zu bytes (max_payload)",
                 max_output(slot));
        fail(slot, text);
        return;
    case PROGRAM_SIGNALLED:
        snprintf(text, sizeof text, "its program was ended by signal %d", outcome->code);
        give_back(slot, text);
        return;
    case PROGRAM_NOT_STARTED:
        log_line(slot->tasks->log, LOG_LEVEL_ERROR, "exec-failed", "queue", slot->queue, "why",
                 outcome->said, NULL);
        fail(slot, outcome->said);
        return;
    case PROGRAM_EXITED:
        if (outcome->code != 0)
            fail_by_status(slot, outcome);
        else
            worker_result(slot->worker, id_of(slot), outcome->output, false, end_told, slot);
    }
}

/* --- its start ---------------------------------------------------------------------------------
 */

static void set_timer(struct slot *slot, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(slot->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    wait_for_task(arg);
}

static void start(struct slot *slot, struct str input, int64_t attempt, int64_t ttl_ms)
{
    char *environment[] = {mem_printf("TASK_QUEUE=%s", slot->queue),
                           mem_printf("TASK_ID=%s", slot->id),
                           mem_printf("TASK_ATTEMPT=%lld", (long long)attempt), NULL};
    const struct program_spec spec = {.command = slot->command,
                                      .input = input,
                                      .max_output = max_output(slot),
                                      .timeout_ms = ttl_ms,
                                      .environment = (const char *const *)environment};
    slot->program = program_run(slot->base, &spec, on_program_end, slot);
    for (size_t i = 0; environment[i] != NULL; i++)
        mem_free(environment[i]);
}

static void run(struct slot *slot, const struct answer *task)
{
    struct str id = answer_str(answer_at(task, 1)), params = answer_str(answer_at(task, 2));
    struct payload payload;
    mem_free(slot->id);
    slot->id = mem_dup(id);
    slot->id_len = id.len;
    payload_unpack(&payload, params);
    start(slot, payload.text, answer_int(answer_at(task, 3), 0),
          answer_int(answer_at(task, 4), -1));
    payload_clear(&payload);
}

static void end_listen(void *arg, const struct err *err, const struct answer *answer)
{
    struct slot *slot = arg;
    if (slot->worker == NULL)
        return;
    if (err == NULL && answer_count(answer) == 1)
        run(slot, answer_at(answer, 0));
    else
        set_timer(slot, INT64_C(1000) * LISTEN_EACH_S);
}

static void wait_for_task(struct slot *slot)
{
    struct str queue = str_of(slot->queue);
    const struct worker_listen listen = {.queues = &queue, .queue_count = 1, .count = 1};
    if (slot->worker != NULL)
        worker_listen(slot->worker, &listen, end_listen, slot);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void add_slot(struct execs *execs, struct tasks *tasks, struct event_base *base,
                     struct str queue, const char *command)
{
    struct slot *slot = mem_zalloc(sizeof *slot);
    slot->tasks = tasks;
    slot->base = base;
    slot->queue = mem_dup(queue);
    slot->command = mem_dup(str_of(command));
    slot->timer = evtimer_new(base, on_timer, slot);
    slot->worker = worker_new(tasks);
    list_push(&execs->slots, &slot->node);
    set_timer(slot, 0);
}

struct execs *execs_new(struct tasks *tasks, struct event_base *base)
{
    struct execs *execs = mem_zalloc(sizeof *execs);
    struct str name;
    void *value;
    list_init(&execs->slots);
    for (size_t at = 0; map_next(&tasks->config->queues, &at, &name, &value);) {
        const struct queue_config *config = value;
        if (str_trim(str_of(config->exec)).len == 0)
            continue;
        for (int64_t i = 0; i < config->workers; i++)
            add_slot(execs, tasks, base, name, config->exec);
    }
    return execs;
}

void execs_stop(struct execs *execs)
{
    list_each (node, &execs->slots) {
        struct slot *slot = list_entry(node, struct slot, node);
        struct worker *worker = slot->worker;
        slot->worker = NULL;
        evtimer_del(slot->timer);
        program_cancel(slot->program);
        slot->program = NULL;
        worker_close(worker);
    }
}

void execs_free(struct execs *execs)
{
    struct list_node *node;
    while ((node = list_pop(&execs->slots)) != NULL) {
        struct slot *slot = list_entry(node, struct slot, node);
        event_free(slot->timer);
        mem_free(slot->queue);
        mem_free(slot->command);
        mem_free(slot->id);
        mem_free(slot);
    }
    mem_free(execs);
}
