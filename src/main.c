/* main: argv, signals, and the order in which the parts start and stop. Knows all parts; nothing
 * includes it. Exit codes: 0 ended as asked, 1 a failure while starting or running, 2 wrong usage
 * or settings. */
#include "base/mem.h"
#include "commands/deadlocks.h"
#include "commands/dispatch.h"
#include "io/addr.h"
#include "io/dial.h"
#include "io/guarded.h"
#include "report/slowlog.h"
#include "run/run.h"
#include "server/clients.h"
#include "server/systemd.h"
#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_USAGE 2

#define BATCHES_TICK_MS   50
#define GC_TICK_MS        100
#define PROBES_TICK_MS    100
#define DEADLOCKS_TICK_MS 500
#define STEPS_TICK_MS     500
#define FORGET_TICK_MS    10000
#define DRAIN_TICK_MS     10
#define DRAIN_MAX_MS      1000 /* for what the last connections held, to be given back */
#define ANNOUNCE_TICK_MS  10
#define ANNOUNCE_MAX_MS   2000  /* a Redis that is away does not keep the daemon from being ready */
#define STOP_REDIS_MS     10000 /* for the embedded server to write what it has to disk */

extern char **environ;

/* The daemon and what only main has to do with. */
struct process {
    struct daemon daemon;
    struct systemd systemd;
    struct event *signals[4];
    struct event *wake, *gather, *alarm;
    struct ticker batches, gc, probes, sessions, deadlocks, steps, forget, announce, drain;
    int64_t drain_until_ms;
    char link_name[24]; /* as Redis' CLIENT LIST shows our links */
    bool has_pidfile;
};

/* --- settings ----------------------------------------------------------------------- */

static void apply_log(struct daemon *daemon)
{
    const struct log_config *config = &daemon->config.log;
    daemon->log.level = config->level;
    daemon->log.is_json = strcmp(config->format, "json") == 0;
    if (strcmp(config->target, "syslog") == 0 && !daemon->log.is_syslog)
        log_open_syslog(&daemon->log);
}

/* For the parts that keep copies of settings. */
static void apply_settings(struct daemon *daemon)
{
    const struct redis_config *redis = &daemon->config.redis;
    apply_log(daemon);
    daemon->batches.wait_ms = redis->wait_timeout_ms;
    daemon->batches.restart_grace_ms = redis->restart_grace_ms;
    daemon->steps.grace_max_ms = redis->step_grace_ms;
    daemon->batches.max_batch = (int)redis->batch;
    daemon->batches.max_queued = (int)redis->max_queued;
    daemon->sessions.time_ms = daemon->config.server.session_timeout_ms;
    daemon->waiters.max = daemon->config.server.max_waiters;
    pools_configure(&daemon->pools);
    sources_configure(&daemon->sources);
    tasks_configure(&daemon->tasks);
    clients_fit_limits(daemon->clients);
}

static void reload(struct process *process)
{
    struct daemon *daemon = &process->daemon;
    struct err err;
    systemd_tell(&process->systemd, "RELOADING=1\nMONOTONIC_USEC=%lld",
                 (long long)clock_us(&daemon->clock));
    if (config_reload(&daemon->config, &daemon->log, &err)) {
        apply_settings(daemon);
        clients_close_strangers(daemon->clients);
        log_line(&daemon->log, LOG_LEVEL_INFO, "reloaded", NULL);
    } else {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "reload-failed", "text", err.text, NULL);
    }
    systemd_tell(&process->systemd, "READY=1");
}

/* --- signals ------------------------------------------------------------------------ */

static void on_stop_signal(evutil_socket_t signal_number, short what, void *arg)
{
    struct process *process = arg;
    struct daemon *daemon = &process->daemon;
    (void)what;
    log_line(&daemon->log, LOG_LEVEL_INFO, daemon->is_shutting_down ? "stopping-now" : "stopping",
             "signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
    peers_shutdown(daemon, daemon->is_shutting_down);
}

static void on_reload_signal(evutil_socket_t signal_number, short what, void *arg)
{
    (void)signal_number;
    (void)what;
    reload(arg);
}

static void watch_signals(struct process *process)
{
    struct event_base *base = process->daemon.base;
    process->signals[0] = evsignal_new(base, SIGTERM, on_stop_signal, process);
    process->signals[1] = evsignal_new(base, SIGINT, on_stop_signal, process);
    process->signals[2] = evsignal_new(base, SIGHUP, on_reload_signal, process);
    for (int i = 0; process->signals[i] != NULL; i++)
        event_add(process->signals[i], NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* --- pid file ----------------------------------------------------------------------- */

static bool write_pidfile(struct process *process, struct err *err)
{
    const char *path = process->daemon.config.server.pidfile;
    if (path[0] == '\0')
        return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        err_set(err, ERR_GENERAL, "cannot write the pid file %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    process->has_pidfile = true;
    return true;
}

static void remove_pidfile(struct process *process)
{
    if (process->has_pidfile)
        unlink(process->daemon.config.server.pidfile);
    process->has_pidfile = false;
}

/* --- ready -------------------------------------------------------------------------- */

/* Ready is told when requests can be served; or, with a Redis that is away, when that is known. */
static void announce(void *arg)
{
    struct process *process = arg;
    struct daemon *daemon = &process->daemon;
    char where[1024];
    struct upstream_stats stats;
    bool is_served = upstream_away_ms(daemon->upstream) == 0;
    int64_t waited_ms = clock_ms(&daemon->clock) - daemon->started_ms;
    bool is_away = daemon->config.redis.where.scheme != URL_EMBEDDED &&
                   upstream_trouble(daemon->upstream)[0] != '\0';
    if (!is_served && !is_away && waited_ms < ANNOUNCE_MAX_MS)
        return;
    ticker_stop(&process->announce);
    clients_describe(daemon->clients, where, sizeof(where));
    upstream_stats(daemon->upstream, &stats);
    log_line(&daemon->log, LOG_LEVEL_INFO, "ready", "version", RALLOCD_VERSION, "listen", where,
             "redis", stats.where, "redis-version", stats.version, is_served ? NULL : "trouble",
             upstream_trouble(daemon->upstream), NULL);
    systemd_tell(&process->systemd, "READY=1\nMAINPID=%d\nSTATUS=%slistening on %s", (int)getpid(),
                 is_served ? "" : "Redis is away; ", where);
}

/* --- stop: clients first, then Redis, then the loop --------------------------------- */

static void on_upstream_stopped(void *arg)
{
    struct process *process = arg;
    event_base_loopexit(process->daemon.base, NULL);
}

static void on_clients_ending(void *arg)
{
    struct process *process = arg;
    systemd_tell(&process->systemd, "STOPPING=1");
    waiters_close(&process->daemon.waiters);
    ticker_stop(&process->announce);
    ticker_stop(&process->gc);
    ticker_stop(&process->probes);
    probes_stop(&process->daemon.probes);
    ticker_stop(&process->forget);
    tasks_stop(&process->daemon.tasks);
    execs_stop(process->daemon.execs);
    sources_stop(&process->daemon.sources);
    scale_stop(&process->daemon.scale);
    janitor_stop(&process->daemon.janitor);
}

static void drain(void *arg)
{
    struct process *process = arg;
    struct daemon *daemon = &process->daemon;
    if (daemon->batches.queued > 0 && clock_ms(&daemon->clock) < process->drain_until_ms &&
        upstream_away_ms(daemon->upstream) == 0)
        return;
    ticker_stop(&process->drain);
    upstream_stop(daemon->upstream, STOP_REDIS_MS, on_upstream_stopped, process);
}

static void on_clients_ended(void *arg)
{
    struct process *process = arg;
    process->drain_until_ms = clock_ms(&process->daemon.clock) + DRAIN_MAX_MS;
    ticker_start(&process->drain);
}

/* --- ticks -------------------------------------------------------------------------- */

static void tick_batches(void *arg)
{
    batches_tick(&((struct daemon *)arg)->batches);
}

static void tick_gc(void *arg)
{
    struct daemon *daemon = arg;
    gc_tick(&daemon->gc);
    sources_tick(&daemon->sources);
    scale_tick(&daemon->scale);
    janitor_tick(&daemon->janitor);
    log_flush(&daemon->log);
}

static void tick_probes(void *arg)
{
    probes_tick(&((struct daemon *)arg)->probes);
}

static struct check *start_check(void *arg, const struct check_spec *spec, check_done done,
                                 void *done_arg)
{
    struct daemon *daemon = arg;
    return check_start(daemon->base, daemon->dns, &daemon->clock, spec, done, done_arg);
}

static void tick_sessions(void *arg)
{
    sessions_tick(&((struct daemon *)arg)->sessions);
}

static void tick_deadlocks(void *arg)
{
    deadlocks_tick(arg);
}

static void tick_steps(void *arg)
{
    steps_tick(&((struct daemon *)arg)->steps);
}

static void tick_forget(void *arg)
{
    pools_forget_idle(&((struct daemon *)arg)->pools);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    tick_batches(arg);
}

static void wake_batches(void *arg)
{
    struct timeval at_once = {0, 0};
    evtimer_add(arg, &at_once);
}

static void on_gathered(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    batches_flush(&((struct daemon *)arg)->batches);
}

/* Behind all events that are ready in this turn of the loop, or behind those of the next one, which
 * then does not sleep: what they read shares a call. */
static void gather_batches(void *arg, bool in_next_turn)
{
    struct timeval at_once = {0, 0};
    if (in_next_turn)
        evtimer_add(arg, &at_once);
    else
        event_active(arg, EV_TIMEOUT, 0);
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *daemon = arg;
    (void)fd;
    (void)what;
    alarms_ring(&daemon->waiters.alarms, clock_ms(&daemon->clock));
}

static void schedule_alarm(void *arg, int64_t at_ms)
{
    struct process *process = arg;
    int64_t ms = at_ms - clock_ms(&process->daemon.clock);
    struct timeval wait = {0, 0};
    if (ms > 0)
        wait = (struct timeval){ms / 1000, ms % 1000 * 1000};
    evtimer_add(process->alarm, &wait);
}

static void start_tickers(struct process *process)
{
    struct daemon *daemon = &process->daemon;
    struct event_base *base = daemon->base;
    ticker_init(&process->batches, base, NULL, BATCHES_TICK_MS, 0, tick_batches, daemon);
    ticker_init(&process->gc, base, &daemon->rand, GC_TICK_MS, 10, tick_gc, daemon);
    ticker_init(&process->probes, base, &daemon->rand, PROBES_TICK_MS, 10, tick_probes, daemon);
    ticker_init(&process->forget, base, &daemon->rand, FORGET_TICK_MS, 10, tick_forget, daemon);
    ticker_init(&process->sessions, base, NULL, SESSIONS_TICK_MS, 0, tick_sessions, daemon);
    ticker_init(&process->steps, base, &daemon->rand, STEPS_TICK_MS, 10, tick_steps, daemon);
    ticker_init(&process->deadlocks, base, &daemon->rand, DEADLOCKS_TICK_MS, 10, tick_deadlocks,
                daemon);
    ticker_init(&process->drain, base, NULL, DRAIN_TICK_MS, 0, drain, process);
    ticker_init(&process->announce, base, NULL, ANNOUNCE_TICK_MS, 0, announce, process);
    process->wake = evtimer_new(base, on_wake, daemon);
    daemon->batches.wake = wake_batches;
    daemon->batches.wake_arg = process->wake;
    process->gather = evtimer_new(base, on_gathered, daemon);
    daemon->batches.gather = gather_batches;
    daemon->batches.gather_arg = process->gather;
    process->alarm = evtimer_new(base, on_alarm, daemon);
    daemon->waiters.alarms.schedule = schedule_alarm;
    daemon->waiters.alarms.arg = process;
    ticker_start(&process->batches);
    ticker_start(&process->gc);
    ticker_start(&process->probes);
    ticker_start(&process->forget);
    ticker_start(&process->sessions);
    ticker_start(&process->deadlocks);
    ticker_start(&process->steps);
    ticker_start(&process->announce);
}

/* --- the order ---------------------------------------------------------------------- */

static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

/* Everything that needs no other process. */
static void init_parts(struct process *process)
{
    struct daemon *daemon = &process->daemon;
    unsigned char seed[16];
    rand_token(&daemon->rand, daemon->id);
    daemon->id[RAND_TOKEN_LEN] = '\0';
    daemon->started_ms = clock_ms(&daemon->clock);
    daemon->started_wall_us = clock_wall_us(&daemon->clock);
    daemon->settings_changed = apply_settings;
    daemon->base = make_base();
    snprintf(process->link_name, sizeof(process->link_name), "rallocd-%.8s", daemon->id);
    daemon->dns = dial_resolver(daemon->base);
    daemon->upstream =
        upstream_new(daemon->base, daemon->dns, &daemon->config.redis, process->link_name,
                     &daemon->clock, &daemon->rand, &daemon->log);
    batches_init(&daemon->batches, daemon->upstream, &daemon->clock, &daemon->log,
                 str_of(daemon->id));
    steps_init(&daemon->steps, &daemon->batches);
    list_init(&daemon->waits);
    waiters_init(&daemon->waiters, &daemon->batches, &daemon->rand);
    pools_init(&daemon->pools, &daemon->batches, &daemon->waiters, &daemon->config, &daemon->clock,
               &daemon->rand, &daemon->log);
    locks_init(&daemon->locks, &daemon->batches, &daemon->waiters,
               str_of(daemon->config.server.namespace), &daemon->rand, &daemon->log);
    rand_bytes(&daemon->rand, seed, sizeof seed);
    sessions_init(&daemon->sessions, &daemon->clock, daemon->config.server.session_timeout_ms,
                  seed);
    tasks_init(&daemon->tasks, &daemon->batches, &daemon->waiters.alarms, &daemon->config,
               &daemon->rand, &daemon->log);
    daemon->execs = execs_new(&daemon->tasks, daemon->base);
    sources_init(&daemon->sources, &daemon->pools, daemon->base, daemon->dns);
    gc_init(&daemon->gc, &daemon->pools, &daemon->clock, &daemon->rand, &daemon->log);
    probes_init(&daemon->probes, &daemon->pools,
                (struct check_runner){.start = start_check, .stop = check_free, .arg = daemon},
                &daemon->clock, &daemon->rand, &daemon->log);
    scale_init(&daemon->scale, &daemon->pools, daemon->base, str_of(daemon->id), &daemon->rand);
    janitor_init(&daemon->janitor, &daemon->pools, daemon->base, daemon->dns, str_of(daemon->id),
                 &daemon->rand);
    daemon->slowlog = slowlog_new();
    daemon->command_stats = command_stats_new();
    daemon->clients = clients_new(daemon, on_clients_ending, on_clients_ended, process);
    apply_settings(daemon);
}

static bool start(struct process *process, struct err *err)
{
    struct daemon *daemon = &process->daemon;
    watch_signals(process);
    systemd_init(&process->systemd, daemon->base);
    start_tickers(process);
    if (!clients_listen(daemon->clients, err) || !write_pidfile(process, err))
        return false;
    if (!upstream_start(daemon->upstream, err))
        return false;
    tasks_start(&daemon->tasks);
    return true;
}

/* The reverse of the start; the loop has ended, so nothing is called back but the ends of what
 * still waited, by batches_clear(). */
static void clear_parts(struct process *process)
{
    struct daemon *daemon = &process->daemon;
    ticker_clear(&process->batches);
    ticker_clear(&process->gc);
    ticker_clear(&process->probes);
    ticker_clear(&process->forget);
    ticker_clear(&process->sessions);
    ticker_clear(&process->deadlocks);
    ticker_clear(&process->steps);
    ticker_clear(&process->drain);
    ticker_clear(&process->announce);
    waiters_close(&daemon->waiters);
    execs_stop(daemon->execs);
    probes_stop(&daemon->probes);
    sources_stop(&daemon->sources);
    scale_stop(&daemon->scale);
    janitor_stop(&daemon->janitor);
    batches_clear(&daemon->batches);
    clients_free(daemon->clients);
    sessions_clear(&daemon->sessions);
    probes_clear(&daemon->probes);
    pools_clear(&daemon->pools);
    locks_clear(&daemon->locks);
    tasks_clear(&daemon->tasks);
    execs_free(daemon->execs);
    scale_clear(&daemon->scale);
    janitor_clear(&daemon->janitor);
    waiters_clear(&daemon->waiters);
    upstream_free(daemon->upstream);
    slowlog_free(daemon->slowlog);
    mem_free(daemon->command_stats);
    remove_pidfile(process);
    systemd_clear(&process->systemd);
    for (int i = 0; process->signals[i] != NULL; i++)
        event_free(process->signals[i]);
    event_free(process->wake);
    event_free(process->gather);
    event_free(process->alarm);
    if (daemon->dns != NULL)
        evdns_base_free(daemon->dns, 0);
    event_base_free(daemon->base);
}

static int run(struct process *process)
{
    struct daemon *daemon = &process->daemon;
    struct err err;
    int code = EXIT_SUCCESS;
    init_parts(process);
    if (start(process, &err)) {
        if (event_base_dispatch(daemon->base) != 0)
            code = EXIT_FAILURE;
    } else {
        log_line(&daemon->log, LOG_LEVEL_ERROR, "cannot-start", "text", err.text, NULL);
        code = EXIT_FAILURE;
    }
    clear_parts(process);
    if (code == EXIT_SUCCESS)
        log_line(&daemon->log, LOG_LEVEL_INFO, "stopped", NULL);
    log_flush(&daemon->log);
    libevent_global_shutdown();
    return code;
}

/* Settings that config/ cannot judge, for it knows no sockets. */
static bool check_addresses(const struct config *config, struct err *err)
{
    for (int i = 0; i < config->server.listen.count; i++) {
        struct addr addr;
        struct sockaddr_storage bound;
        socklen_t len;
        if (!addr_parse(str_of(config->server.listen.items[i]), &addr, err) ||
            !addr_to_sockaddr(&addr, &bound, &len, err))
            return err_wrap(err, "%s: [server] listen", config_where(config, "server.listen"));
    }
    return true;
}

int main(int argc, char **argv)
{
    struct process process = {.systemd.fd = -1};
    struct daemon *daemon = &process.daemon;
    enum config_action action;
    struct err err;
    int code = EXIT_SUCCESS;
    if (argc > 1 && strcmp(argv[1], "run") == 0)
        return run_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "guarded") == 0)
        return guarded_main(argv + 1);
    event_set_mem_functions(mem_alloc, mem_realloc, mem_free); /* libevent never lacks memory */
    clock_init(&daemon->clock);
    rand_init(&daemon->rand);
    log_init(&daemon->log, &daemon->clock);
    if (!config_load(&daemon->config, argc, argv, environ, &daemon->log, &action, &err) ||
        !check_addresses(&daemon->config, &err)) {
        fprintf(stderr, "rallocd: %s\n", err.text);
        code = EXIT_USAGE;
    } else if (action == CONFIG_HELP) {
        config_print_help();
    } else if (action == CONFIG_VERSION) {
        puts("rallocd " RALLOCD_VERSION);
    } else if (action == CONFIG_CHECK) {
        puts("configuration ok");
    } else {
        daemon->config_file = mem_dup(str_of(config_path(&daemon->config)));
        code = run(&process);
        mem_free(daemon->config_file);
    }
    config_clear(&daemon->config);
    return code;
}
