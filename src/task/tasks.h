/* tasks: a task's life from QUERY to its result: who asks for it, who has taken it, and what all of
 * them share: one lane for the namespace, so that what many clients do at once shares calls, and
 * the channel on which Redis tells this daemon what its clients wait for.
 *
 *     QUERY ---> askers ---S---> Redis <---T--- workers <--- LISTEN
 *                  ^               |               ^
 *                  +------ R ------+------ W ------+      messages on the daemon's channel
 *
 * Knows: ops/, the tasks' keys and scripts.  Must not know: clients, RESP, command names. */
#ifndef TASK_TASKS_H
#define TASK_TASKS_H

#include "base/map.h"
#include "ops/packing.h"
#include "task/keys.h"

struct config;
struct hearing;
struct queue_config;

#define TASK_LISTEN_MS 5000 /* that somebody listens is believed for so long */

struct tasks {
    struct batches *batches;
    const struct clock *clock;
    struct log *log;
    const struct config *config;
    struct lane lane;
    char *texts[TASK_KEYS]; /* of the keys of the lane; owned */
    struct str keys[TASK_KEYS];
    struct str prefix, base, daemon;
    struct hearing *hearing; /* NULL until somebody waits */
    char session_text[NUM_INT_MAX];

    struct list askers;     /* all that wait for the end of a task */
    struct map asked;       /* id -> struct asked */
    struct list workers;    /* who has said LISTEN, and the exec handlers */
    struct list listens;    /* LISTENs that are not answered */
    struct map listening;   /* number -> struct listen */
    struct map queues;      /* name -> struct task_queue: those with workers here, ever */
    struct list unreturned; /* calls that give tasks back, which Redis did not answer */
    uint64_t last_number;
    bool is_stopping;

    int64_t tend_ms, look_ms; /* when these are due next */
    bool is_tending, is_leading;
    struct rand *rand;
    /* since start or CONFIG RESETSTAT */
    struct task_counters {
        uint64_t submitted, taken, done, failed, returned, recalled, tended;
    } counters;
};

void tasks_init(struct tasks *tasks, struct batches *batches, const struct config *config,
                const struct clock *clock, struct rand *rand, struct log *log);
/* Whoever waits is answered; nothing is waited for any more. */
void tasks_stop(struct tasks *tasks);
/* The lane is idle, and there are no workers but those whose owner has closed them. */
void tasks_clear(struct tasks *tasks);
/* To be called every 50 ms or so: times that are over, what is due, what may have been missed. */
void tasks_tick(struct tasks *tasks);
/* After the settings were read again. */
void tasks_configure(struct tasks *tasks);

/* What an operation comes to. err: kind NOTOWNER, TIMEOUT, TASKFAIL, NOWORKER, UPSTREAM, BUSY,
 * WRONGTYPE or ERR with a text for the client; the answer is as said below. Runs exactly once,
 * never before the call has returned. Arguments of calls are copied. */
typedef void (*task_done)(void *arg, const struct err *err, const struct answer *answer);
/* Asked with `arg`: is the asker gone? */
typedef bool (*task_is_gone)(void *arg);

enum task_policy { TASK_AUTO, TASK_LOCAL, TASK_REMOTE, TASK_LOCALFIRST, TASK_REMOTEFIRST };

struct task_request {
    struct str queue, id, params;
    enum task_policy policy;
    int64_t timeout_ms; /* of the asker's patience, of each attempt, of the kept result; <= 0: none
                         */
    int64_t delay_ms, retries, priority;
    bool waits; /* for the result; else OK comes at once */
    bool is_once;
    bool may_lead; /* see struct op */
    task_is_gone is_gone;
};
/* The result, or OK. */
void tasks_submit(struct tasks *tasks, const struct task_request *request, task_done done,
                  void *arg);
/* Names and values, "ttl" last; nil. */
void tasks_look(struct tasks *tasks, struct str id, bool is_once, task_done done, void *arg);
/* 1, 0. */
void tasks_has(struct tasks *tasks, struct str id, task_done done, void *arg);
void tasks_cancel(struct tasks *tasks, struct str id, task_done done, void *arg);

/* Somebody waits: from now on the daemon's channel is heard. */
void tasks_begin_to_hear(struct tasks *tasks);
/* A message on the daemon's channel; public for tests. */
void tasks_hear(struct tasks *tasks, struct str message);
/* From now on all messages are heard: what may have been missed is looked at. */
void tasks_look_over(struct tasks *tasks);

#endif
