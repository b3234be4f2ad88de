/* keys: the only place where the names of the tasks' keys are made.
 *
 *   base      <prefix>|task-queue
 *   task      <base>|task-result:<id>   hash   one task; see lua/task/batch.lua
 *   list      <base>|task-queue|<place> list   ids of tasks of priority 0 that wait
 *   ranked    <base>|ranked|<place>     zset   <arrival><id> of all others -> -priority
 *   meta      <base>|queue|<queue>      hash   taken, paused, arrivals
 *   delayed   <base>|delayed|<queue>    zset   id -> when it shall wait, in ms
 *   kept      <base>|kept|<queue>       list   ids that have ended; made by scripts alone
 *   dead      <base>|dead|<queue>       zset   id -> when it was given up
 *   waiting   <base>|waiting|<queue>    zset   "<number> <daemon>" of LISTENs -> since when
 *   listen    <base>|task-listen|<queue>  string, EX   somebody listens
 *   queues    <base>|queues             set    names of all queues
 *   due       <base>|due                zset   id -> when its delay or its attempt is over
 *   daemons   <base>|daemons            zset   daemon -> when it is taken for dead
 *   held      <base>|held:<daemon>      set    ids that its connections have taken, and those that
 *                                              wait for its own workers
 *   journal   <base>|journal            hash   daemon -> what its last batch took
 *   leader    <base>|leader             string, EX   who does what is due
 *   awake     <base>|awake              string   no daemon is at rest
 *   crons     <base>|crons              zset   "<queue> <name>" -> when it is due, in ms; < 0: new
 *   cron      <base>|cron|<queue> <name>  hash   schedule and what its tasks are like
 *   channel   <base>|channel:<daemon>   where a daemon hears
 *   all       <base>|channel            where all of them do
 *
 * A place is <queue>, or <queue>@<daemon> for tasks of that daemon's own workers. No name of a
 * queue holds '|' or '@', so that no two of these names can be the same.
 * Knows: names.  Must not know: Redis. */
#ifndef TASK_KEYS_H
#define TASK_KEYS_H

#include "base/str.h"

enum task_key {
    TASK_KEY_TASK,
    TASK_KEY_LIST,
    TASK_KEY_RANKED,
    TASK_KEY_META,
    TASK_KEY_DELAYED,
    TASK_KEY_DEAD,
    TASK_KEY_WAITING,
    TASK_KEY_LISTEN,
    TASK_KEY_QUEUES,
    TASK_KEY_DUE,
    TASK_KEY_DAEMONS,
    TASK_KEY_HELD,
    TASK_KEY_JOURNAL,
    TASK_KEY_LEADER,
    TASK_KEY_AWAKE,
    TASK_KEY_CRONS,
    TASK_KEY_CRON,
    TASK_KEY_CHANNEL,
    TASK_KEY_ALL
};
#define TASK_KEYS (TASK_KEY_ALL + 1)

/* What a key is about, as far as it wants to know. Borrowed. */
struct task_name {
    struct str id;
    struct str queue;
    struct str daemon; /* of a place: "" for everybody's */
};

size_t task_key_len(enum task_key which, struct str prefix, const struct task_name *name);
/* Writes that many bytes. */
void task_key_write(enum task_key which, struct str prefix, const struct task_name *name,
                    char *out);
/* The key that a script's header calls so; false when it is none of these. */
bool task_key_called(const char *name, enum task_key *out);
/* One of those that the whole namespace has once, or this daemon. */
bool task_key_is_of_lane(enum task_key which);

#endif
