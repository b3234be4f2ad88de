/* dispatch: from a request to its row in the table: login, arity, options, then the handler. One
 * request is answered exactly once, and when its reply is whole its time is counted (INFO
 * commandstats) and, where it was long, kept (SLOWLOG): from its arrival here to its whole reply,
 * waiting for Redis included.
 * Knows: table, options, peer.  Must not know: sockets. */
#ifndef COMMANDS_DISPATCH_H
#define COMMANDS_DISPATCH_H

#include "base/list.h"
#include "commands/options.h"
#include "commands/peer.h"
#include "commands/table.h"

struct command_stats;
struct gang;
struct hold;
struct later;
struct pool;
struct slowlog_args;
struct waiter;

/* One request on its way through its handler. Borrowed, as all that it points to, until the handler
 * returns; a handler that answers later makes a struct later. */
struct ask {
    struct daemon *daemon;
    struct peer *peer;
    struct turn *turn;
    struct reply *reply; /* of the turn, for handlers that answer at once */
    const struct command *command;
    const struct str *argv; /* the request as it came, argv[0] the command's name */
    int argc;
    const struct str *fixed; /* the fixed arguments */
    int fixed_count;         /* fewer than the row names when those in brackets are left out */
    struct options options;
    const struct str *rest; /* what follows the options: resources, keys ... */
    int rest_count;
    int64_t started_us;
    bool has_failed; /* an error was answered; set by the ask_ functions below */
    bool is_later;   /* a struct later answers it */
};

/* Answers the request: at once, or later by its handler's operation. */
void dispatch(struct daemon *daemon, struct peer *peer, struct turn *turn, const struct str *argv,
              int argc);

/* daemon->command_stats: one for each row; the caller's to free by mem_free(). */
struct command_stats *command_stats_new(void);
/* CONFIG RESETSTAT: counts from 0 again. */
void command_stats_reset(struct daemon *daemon);
struct command_stats *command_stats_of(struct daemon *daemon, const struct command *command);

/* --- for handlers ---------------------------------------------------------------------------- */

/* Errors of handlers go through these two, so that they are counted. */
void ask_fail(struct ask *ask, const struct err *err);
void ask_error(struct ask *ask, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "wrong number of arguments for 'x' command" */
void ask_wrong_arity(struct ask *ask);
/* "syntax error" */
void ask_syntax_error(struct ask *ask);

/* A request that is answered when its operation is done: what its handler keeps until then. */
struct later {
    struct daemon *daemon;
    struct turn *turn;
    const struct command *command;
    struct pool *pool;     /* that it is about, or NULL: its operation keeps it */
    unsigned given;        /* options */
    uint64_t asker;        /* its connection's id */
    unsigned resets;       /* of that, when it came */
    int64_t limit_ms;      /* of a holding with SESSION; <= 0: none */
    struct hold *holds;    /* locks that will be held so, if they are granted */
    bool is_joint;         /* with SESSION and REQID: others may get the same */
    int64_t timeout_ms;    /* the handler's own */
    bool is_shared;        /* the pool was shared when the request came */
    struct waiter *waiter; /* that it waits by; NULL: it does not ... */
    struct gang *gang;     /* ... or by this */
    struct list_node node; /* then: in daemon->waits */
    bool is_patient;       /* it may wait for long: its time says nothing, and is not counted */
    bool has_failed;       /* private, as the rest */
    int64_t started_us;
    struct slowlog_args *args; /* a copy for the slow log, behind the struct; NULL: it is off */
};

/* To be called before the operation is begun, which later_end() or later_fail() must end. */
struct later *later_new(struct ask *ask, struct pool *pool);
struct reply *later_reply(struct later *later);
/* The reply is whole. `later` is gone. */
void later_end(struct later *later);
/* The reply is an error. `later` is gone. */
void later_fail(struct later *later, const struct err *err);

#endif
