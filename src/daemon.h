/* daemon: the one struct of all parts. Seen from here to the left (report, commands, server, http,
 * main), never below: parts get what they need handed in. */
#ifndef DAEMON_H
#define DAEMON_H

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "config/config.h"
#include "jobs/gc.h"
#include "jobs/janitor.h"
#include "jobs/probes.h"
#include "jobs/scale.h"
#include "jobs/sources.h"
#include "jobs/steps.h"
#include "lock/locks.h"
#include "ops/batch.h"
#include "ops/session.h"
#include "pool/pools.h"
#include "redis/upstream.h"
#include "task/exec.h"
#include "task/tasks.h"

struct event_base;
struct evdns_base;
struct slowlog;
struct clients; /* server/'s */

/* What the server and dispatch count; printed by report/fields. Since start or CONFIG RESETSTAT. */
struct daemon_stats {
    uint64_t connections_received, connections_rejected;
    uint64_t commands_processed;
    uint64_t errors_replied;
    uint64_t net_input_bytes, net_output_bytes;
    uint64_t protocol_errors;
    uint64_t output_limit_closes, idle_closes, write_timeout_closes;
};

/* What the server has now; a reset leaves it alone. */
struct daemon_gauges {
    size_t clients, monitors, open_turns; /* turns: requests that are not answered yet */
    size_t loss_listeners;                /* connections that have subscribed to __lost__ */
    size_t max_clients; /* maxclients, or fewer where the system's limit of descriptors is lower */
};

/* How a row's texts want its arguments counted; read once, for dispatch. */
struct command_shape {
    int names;     /* 2 for a subcommand */
    int arity;     /* as command_arity() */
    int fixed_min; /* fixed arguments at least */
    int fixed_max; /* and at most */
    int rest_min;  /* arguments behind the options at least */
};

/* Of one row of the table; index as command_stats_of() of commands/ counts. */
struct command_stats {
    struct command_shape shape;
    uint64_t calls, rejected,
        failed;    /* rejected: before the handler ran; failed: answered an error */
    uint64_t usec; /* from request to the whole reply */
};

/* Of commands/deadlocks. */
struct deadlocks {
    bool is_asking, has_told;
    uint64_t round;
    char victim[80]; /* who was to give way when it was looked last; "" = nobody */
    uint64_t count;  /* refused, since start or CONFIG RESETSTAT */
};

struct daemon {
    struct event_base *base;
    struct evdns_base *dns; /* of all that is dialled by name; may be NULL */
    struct clock clock;
    struct rand rand;
    struct log log;
    struct config config;
    struct upstream *upstream;
    struct batches batches;
    struct sessions sessions;
    struct waiters waiters;
    struct pools pools;
    struct locks locks;
    struct list waits; /* requests that wait (struct later), oldest first */
    struct deadlocks deadlocks;
    struct tasks tasks;
    struct execs *execs;
    struct gc gc;
    struct probes probes;
    struct scale scale;
    struct janitor janitor;
    struct steps steps;
    struct sources sources;
    struct slowlog *slowlog;
    struct clients *clients;
    char id[RAND_TOKEN_LEN + 1]; /* run id: new at each start */
    int64_t started_ms;          /* monotonic */
    int64_t started_wall_us;
    char *config_file; /* "" = none */
    struct daemon_stats stats;
    struct daemon_gauges gauges;
    struct command_stats *command_stats;
    bool is_shutting_down;
    /* Set by main: hands changed settings to the parts that keep copies (the log's level, bounds).
     * To be called after config_set(). */
    void (*settings_changed)(struct daemon *daemon);
};

#endif
