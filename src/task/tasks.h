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
#include "ops/alarms.h"
#include "ops/packing.h"
#include "task/keys.h"

struct config;
struct hearing;
struct queue_config;
struct asker;

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
    struct hearing *own, *all; /* channels: this daemon's, that of all; NULL before the start */
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

    struct alarms *alarms;
    struct alarm tend, look; /* not set: there is nothing to do */
    int64_t again_ms;        /* while it tends: when it should be done again at the latest */
    int64_t used_ms;         /* when something of tasks was last done here, or heard of */
    int64_t forget_ms;       /* when the next TEND may forget queues of which nothing is left */
    bool is_tending, is_leading;
    struct rand *rand;
    /* since start or CONFIG RESETSTAT */
    struct task_counters {
        uint64_t submitted, taken, done, failed, returned, recalled, tended;
    } counters;
};

/* The alarms are monotonic, and rung by the caller. */
void tasks_init(struct tasks *tasks, struct batches *batches, struct alarms *alarms,
                const struct config *config, struct rand *rand, struct log *log);
/* Hears, and looks whether a daemon has left something to do. */
void tasks_start(struct tasks *tasks);
/* Whoever waits is answered; nothing is waited for any more. */
void tasks_stop(struct tasks *tasks);
/* The lane is idle, and there are no workers but those whose owner has closed them. */
void tasks_clear(struct tasks *tasks);
/* After the settings were read again. */
void tasks_configure(struct tasks *tasks);

/* What an operation comes to. err: kind NOTOWNER, TIMEOUT, TASKFAIL, NOWORKER, UPSTREAM, BUSY,
 * WRONGTYPE or ERR with a text for the client; the answer is as said below. Runs exactly once,
 * never before the call has returned. Arguments of calls are copied. */
typedef void (*task_done)(void *arg, const struct err *err, const struct answer *answer);

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
    /* Optional, while it waits; with the arg of `done`. */
    void (*accepted)(void *arg); /* Redis has the task; once, before `done` */
    void (*progress)(void *arg, int64_t current, int64_t total);
};
/* The result, or OK. NULL unless it waits; else until `done` has run. */
struct asker *tasks_submit(struct tasks *tasks, const struct task_request *request, task_done done,
                           void *arg);
/* Whoever asked is gone; `done` runs. */
void asker_gone(struct asker *asker);
/* Names and values, "ttl" last; nil. */
void tasks_look(struct tasks *tasks, struct str id, bool is_once, task_done done, void *arg);
/* 1, 0. */
void tasks_has(struct tasks *tasks, struct str id, task_done done, void *arg);
void tasks_cancel(struct tasks *tasks, struct str id, task_done done, void *arg);

/* Something was begun here that others would have to end if this daemon died: it tells Redis each
 * second that it lives. */
void tasks_stay_awake(struct tasks *tasks);
/* Somebody here asks or works: each second what may have been missed is looked at. */
void tasks_look_on(struct tasks *tasks);
/* A message on one of the channels; public for tests. */
void tasks_hear(struct tasks *tasks, struct str message);

#endif
