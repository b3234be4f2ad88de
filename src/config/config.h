/* config: settings from their defaults, a file (INI), the environment and the command line, in this
 * order, the later one wins; and what a reload changes.
 * Knows: base/, inih.  Must not know: who uses a setting. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "config/url.h"
#include <stdint.h>

/* A list of texts, owned by the settings. */
struct text_list {
    char **items;
    int count;
};

struct server_config {
    struct text_list listen; /* "127.0.0.1:7777" "[::1]:7777" "unix:/run/rallocd/rallocd.sock" */
    int64_t unixsocketperm;  /* mode of Unix sockets, given in octal */
    char *namespace;
    char *requirepass; /* "" = no password */
    int64_t maxclients;
    int64_t timeout_ms; /* idle clients are closed after it; 0: never */
    int64_t tcp_keepalive_s;
    /* a client that takes no bytes of its replies for so long is closed */
    int64_t write_timeout_ms;
    int64_t max_request_bytes;
    int64_t max_args;
    int64_t max_inline_bytes;
    int64_t max_output_bytes;
    int64_t max_resources; /* of one call */
    /* when a command names no TIMEOUT; 0: for ever (lock_status: never UNAVAILABLE) */
    int64_t lock_timeout_ms, lock_status_timeout_ms, beat_timeout_ms;
    int64_t session_timeout_ms;
    int64_t max_waiters; /* requests with WAIT */
    int64_t max_pools;   /* known to this daemon; naming one more is an error */
    int64_t shutdown_timeout_ms;
    char *pidfile;                  /* "" = none */
    int64_t slowlog_slower_than_us; /* <0: off */
    int64_t slowlog_max_len;
};

struct redis_config {
    char *url;        /* as given; "embedded" by default */
    struct url where; /* parsed; see url.h */
    int64_t links;
    int64_t connect_timeout_ms;
    int64_t reply_timeout_ms;
    int64_t wait_timeout_ms; /* how long requests wait for a Redis that is away */
    int64_t backoff_min_ms, backoff_max_ms;
    int64_t step_grace_ms, restart_grace_ms; /* nothing is granted meanwhile; 0: never */
    int64_t max_queued;                      /* requests per link; and per pool */
    int64_t batch;                           /* requests in one script call */
    char *username, *password;
    char *state_dir;     /* embedded: 0700; holds its socket, config, append-only file */
    char *server_binary; /* embedded: "redis-server" */
    char *appendfsync;   /* embedded: always everysec no */
    char *maxmemory;     /* embedded: "0" = no limit */
};

struct log_config {
    enum log_level level;
    char *format; /* logfmt json */
    char *target; /* stderr syslog */
};

#define MOST_CAPACITY 1000 /* of a resource */

/* [pool:NAME]; what that section does not set is as in [pool:*], and else the default. */
struct pool_config {
    bool is_shared;             /* mode = exclusive | shared */
    char *prefix;               /* "" = the namespace */
    int64_t default_timeout_ms; /* of MALLOC and RENEW */
    int64_t max_lease_ms;       /* 0: none */
    int64_t max_per_owner;      /* likewise */
    int64_t fair_age_ms;        /* 0: first come, first served */
    char *shares;               /* "owner:weight,..."; "" = all are equal */
    int64_t binding_timeout_ms;
    int64_t gc_interval_ms;
    int64_t gc_count;             /* entries of one sweep; 0: grows with the pool */
    int64_t unhealthy_timeout_ms; /* of a quarantine */
    int64_t capacity;             /* leases of one resource at once */
    char *rate, *pool_rate;       /* grants of a resource, of the pool: "10/s"; "" = no limit */
    int64_t breaker;              /* failures in a row; 0: never */
    int64_t breaker_rest_ms, half_life_ms;
    int64_t rest_ms;  /* not handed out again for so long after a lease; 0: at once */
    char *tls_ca;     /* a file; "" = those of the system */
    bool is_trusting; /* tls_verify = no */
    unsigned probe;   /* none tcp http resp exec: enum check_kind of io/check.h */
    char *probe_target, *probe_send, *probe_expect;
    int64_t probe_interval_ms;
    int64_t probe_jitter; /* percent */
    int64_t probe_timeout_ms;
    int64_t probe_rise, probe_fall; /* results in a row */
    int64_t probe_concurrency;
    int64_t max_unhealthy;    /* percent of the pool */
    struct text_list sources; /* where its resources are listed; each as listing_parse() takes it */
    int64_t source_interval_ms, source_timeout_ms;
    int64_t source_expiry_ms; /* of what is listed; 0: it does not expire */
    bool source_shuffle;
    int64_t source_max, source_max_bytes; /* of one list */
    /* jobs/scale */
    int64_t min_free, max_free, max_size; /* resources; 0: off */
    char *scale_up, *scale_down;          /* "exec:PROGRAM ARGUMENTS"; "" = none */
    int64_t scale_cooldown_ms, scale_timeout_ms;
    /* jobs/janitor */
    char *on_free; /* "exec:PROGRAM ARGUMENTS", "http://...", "https://..."; "" = none */
    int64_t clean_timeout_ms, clean_retries, clean_concurrency;
    char *order; /* fifo lifo priority least-used score; fifo where shared */
};

/* [queue:NAME], likewise. */
struct queue_config {
    int64_t default_timeout_ms; /* of QUERY; 0: for ever */
    int64_t retries;
    int64_t retry_delay_ms, retry_max_delay_ms;
    bool is_exponential;           /* retry_backoff = fixed | exponential */
    int64_t retry_jitter;          /* percent */
    int64_t max_waiting, max_kept; /* tasks; ended ones */
    int64_t max_payload_bytes;     /* of parameters, of a result */
    int64_t compress_min_bytes;    /* 0: never */
    char *exec;                    /* program and arguments; "" = none */
    int64_t workers;               /* of exec */
};

/* [user:NAME], likewise: who may log in besides default, whose password is requirepass. */
struct user_config {
    char *password; /* never "" but in [user:*] */
};

struct config {
    struct server_config server;
    struct redis_config redis;
    struct log_config log;
    struct pool_config pool_default;
    struct map pools; /* name -> struct pool_config * */
    struct queue_config queue_default;
    struct map queues; /* name -> struct queue_config * */
    struct user_config user_default;
    struct map users; /* name -> struct user_config * */

    struct map given;             /* private: "section.key" -> struct given *; see layers.h */
    struct config_source *source; /* private: file, environment and arguments, kept for a reload */
};

/* What the command line asked for besides settings. */
enum config_action { CONFIG_RUN, CONFIG_CHECK, CONFIG_VERSION, CONFIG_HELP };

/* Reads everything. argv: as of main(); environ as of the process; warnings (RALLOCD_* that is no
 * setting) go to `log`. False: err has file and line, the key, its value and what is allowed.
 * config_clear() is due in both cases. With CONFIG_VERSION and CONFIG_HELP only the defaults are
 * there: no file was opened. */
MUST_CHECK bool config_load(struct config *config, int argc, char **argv, char **environment,
                            struct log *log, enum config_action *action, struct err *err);
void config_clear(struct config *config);

/* The file of -c; "" when there is none. Borrowed until config_clear(). */
const char *config_path(const struct config *config);

/* Where a setting ("server.listen") was given: "rallocd.conf:12" "RALLOCD_SERVER_LISTEN"
 * "--server.listen"; "" for the default. Borrowed until the next reload or CONFIG SET. */
const char *config_where(const struct config *config, const char *name);

/* SIGHUP: reads the file again. What can be reloaded is changed in place (strings are replaced, so
 * borrow them for no longer than a turn of the loop) and logged; what changed but needs a restart
 * is warned about. What CONFIG SET had changed is as in the file again. On error nothing changes.
 */
MUST_CHECK bool config_reload(struct config *config, struct log *log, struct err *err);

/* Settings of a pool; never NULL. Borrowed until the next reload or CONFIG SET; the values are
 * changed in place, the struct of a pool moves only when its section comes or goes. */
const struct pool_config *config_pool(const struct config *config, struct str name);

/* Likewise of a queue. */
const struct queue_config *config_queue(const struct config *config, struct str name);

/* A user; NULL when there is none of that name. */
const struct user_config *config_user(const struct config *config, struct str name);

/* CONFIG GET: calls `each` with "section.key" and the value for all that match the glob. Keys of
 * [server] match by their bare name, too, and are then given by it: Redis clients ask for
 * "maxclients". Passwords are shown as "". */
void config_get(const struct config *config, struct str pattern,
                void (*each)(void *arg, const char *name, const char *value), void *arg);
/* CONFIG SET of one setting that can be changed while running; `name` as config_get() gives it. */
MUST_CHECK bool config_set(struct config *config, struct str name, struct str value,
                           struct err *err);

/* --help: usage and exit codes. */
void config_print_help(void);

#endif
