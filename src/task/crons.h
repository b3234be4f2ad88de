/* crons: tasks that are submitted again and again, by a schedule. When one is due, whoever leads
 * works out when it is due next and moves it on, in the same script that submits its task: each
 * firing comes once in the whole fleet, whatever dies. Knows: ops/, tasks, schedules.  Must not
 * know: clients, RESP, command names. */
#ifndef TASK_CRONS_H
#define TASK_CRONS_H

#include "task/call.h"
#include "task/schedule.h"

#define CRON_NAME_MAX 256
#define CRON_LATE_MS  5000 /* a firing that is later than that has been missed */

/* What becomes of firings that nobody was there for. */
enum task_missed { MISSED_ONCE, MISSED_SKIP, MISSED_ALL };

extern const char *const task_missed_words[3]; /* by enum task_missed */

struct cron {
    struct str queue, name, schedule, params;
    int64_t timeout_ms, retries, priority;
    enum task_missed missed;
};

/* Makes it, or changes it: OK. Its schedule is one that can be parsed. */
void crons_set(struct tasks *tasks, const struct cron *cron, task_done done, void *arg);
/* 1; 0 when there is none. */
void crons_remove(struct tasks *tasks, struct str queue, struct str name, task_done done,
                  void *arg);
/* An array of [name schedule params missed next_ms(-1: not planned yet)] by name. */
void crons_list(struct tasks *tasks, struct str queue, task_done done, void *arg);

/* --- for tasks.c and submit.c ----------------------------------------------------------------- */

/* Those that a TEND has found due: an array of arrays, and Redis' time. */
void crons_fire(struct tasks *tasks, const struct answer *due, int64_t now_ms);

/* One step of a cron's time. */
struct firing {
    struct str member; /* "<queue> <name>" */
    int64_t at_ms, next_ms;
    bool is_real; /* its task is submitted */
};
/* NULL: none. */
void firing_room(const struct tasks *tasks, struct packing_room *room, const struct firing *firing);
void firing_put(struct task_call *call, const struct firing *firing);
/* What is due at `at_ms` (<= 0: it has not been planned yet), seen at now_ms. Public for tests. */
void firing_plan(struct firing *firing, const struct schedule *schedule, enum task_missed missed,
                 int64_t now_ms);

#endif
