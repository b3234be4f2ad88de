#include "redis/embedded.h"
#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "io/child.h"
#include "redis/statedir.h"
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SEEK_MS = 50,         /* between two looks at a folder whose server is not to be found */
    SEEK_WARN_MS = 5000,  /* and after which it is told, and told again */
    BACKOFF_MIN_MS = 100, /* before a server that died is started again */
    BACKOFF_MAX_MS = 5000,
    STEADY_MS = 10000, /* a server that lived so long begins with the shortest backoff */
    KILLED_MS = 2000   /* after SIGKILL the end is waited for so long */
};

enum state {
    EMBEDDED_DOWN,    /* not started, or stopped */
    EMBEDDED_SEEKING, /* a server may live: its lock is held, but it is not found yet */
    EMBEDDED_RUNNING, /* the server is there; its end will be told */
    EMBEDDED_PAUSED,  /* it died; the timer starts another */
    EMBEDDED_STOPPING /* it was told to end; the timer kills it */
};

struct embedded {
    struct event_base *base;
    const struct redis_config *config;
    const struct clock *clock;
    struct rand *rand;
    struct log *log;
    struct embedded_events events;
    struct statedir dir;
    enum state state;
    struct child *child;
    struct event *timer;
    int64_t since_ms; /* of this state */
    int64_t warned_ms;
    int failures; /* ends in a row of servers that did not live long */
    uint64_t restarts;
    bool has_started; /* a server has been there before */
    bool is_killed;
    int64_t stop_ms; /* how long a server that was told to end may take */
    void (*stopped)(void *arg);
    void *stopped_arg;
};

static void on_ended(void *arg, int status);

static void set_timer(struct embedded *embedded, int64_t after_ms)
{
    struct timeval tv = {.tv_sec = after_ms / 1000, .tv_usec = after_ms % 1000 * 1000};
    evtimer_add(embedded->timer, &tv);
}

static void become(struct embedded *embedded, enum state state)
{
    embedded->state = state;
    embedded->since_ms = clock_ms(embedded->clock);
    evtimer_del(embedded->timer);
}

static void run(struct embedded *embedded, const char *event)
{
    char pid[NUM_INT_MAX];
    num_format_int(pid, child_pid(embedded->child));
    log_line(embedded->log, LOG_LEVEL_INFO, event, "pid", pid, "folder", embedded->dir.path, NULL);
    if (embedded->has_started)
        embedded->restarts++;
    embedded->has_started = true;
    become(embedded, EMBEDDED_RUNNING);
    embedded->events.running(embedded->events.arg);
}

/* The lock is ours: no other server lives. */
static bool spawn(struct embedded *embedded, struct err *err)
{
    char config_path[sizeof(embedded->dir.path) + 16];
    const char *argv[] = {embedded->config->server_binary, config_path, NULL};
    snprintf(config_path, sizeof(config_path), "%s/redis.conf", embedded->dir.path);
    if (!statedir_write_config(&embedded->dir, embedded->config, err))
        return false;
    int log_fd = statedir_open_log(&embedded->dir, err);
    if (log_fd < 0)
        return false;
    const struct child_spec spec = {
        .argv = argv,
        .workdir = embedded->dir.path,
        .output_fd = log_fd,
        .inherited_fd = embedded->dir.redis_lock,
    };
    embedded->child = child_start(embedded->base, &spec, on_ended, embedded, err);
    close(log_fd);
    if (embedded->child == NULL)
        return err_wrap(err, "cannot start our own Redis (install the package redis-server, or set "
                             "[redis] url or server_binary)");
    run(embedded, "redis-started");
    return true;
}

/* Watches the server that listens, when there is one. */
static bool find_child(struct embedded *embedded)
{
    struct err err;
    int pid = statedir_listener(&embedded->dir);
    if (pid <= 0)
        return false;
    embedded->child = child_adopt(embedded->base, pid, on_ended, embedded, &err);
    if (embedded->child == NULL)
        return false;
    /* The id was of the listener before it was watched: make sure that it still is. */
    if (statedir_listener(&embedded->dir) != pid) {
        child_free(embedded->child);
        embedded->child = NULL;
        return false;
    }
    return true;
}

static void pause_after(struct embedded *embedded, const char *why)
{
    int doublings = embedded->failures < 10 ? embedded->failures : 10;
    int64_t range = (int64_t)BACKOFF_MIN_MS << doublings;
    if (range > BACKOFF_MAX_MS - BACKOFF_MIN_MS)
        range = BACKOFF_MAX_MS - BACKOFF_MIN_MS;
    embedded->failures++;
    embedded->events.trouble(embedded->events.arg, why);
    become(embedded, EMBEDDED_PAUSED);
    set_timer(embedded, BACKOFF_MIN_MS + (int64_t)rand_below(embedded->rand, (uint64_t)range + 1));
}

/* Starts a server, or finds the one that lives; else tries again soon. False: cannot be started. */
static bool seek(struct embedded *embedded, struct err *err)
{
    if (statedir_lock_redis(&embedded->dir))
        return spawn(embedded, err);
    if (find_child(embedded)) {
        run(embedded, "redis-adopted");
        return true;
    }
    int64_t now_ms = clock_ms(embedded->clock);
    if (embedded->state != EMBEDDED_SEEKING)
        become(embedded, EMBEDDED_SEEKING);
    if (now_ms - embedded->since_ms >= SEEK_WARN_MS &&
        now_ms - embedded->warned_ms >= SEEK_WARN_MS) {
        char why[400];
        snprintf(why, sizeof(why),
                 "%s/redis.lock is held by a process that does not listen on redis.sock",
                 embedded->dir.path);
        log_line(embedded->log, LOG_LEVEL_WARNING, "redis-sought", "why", why, NULL);
        embedded->events.trouble(embedded->events.arg, why);
        embedded->warned_ms = now_ms;
    }
    set_timer(embedded, SEEK_MS);
    return true;
}

static void seek_again(struct embedded *embedded)
{
    struct err err;
    if (seek(embedded, &err))
        return;
    log_line(embedded->log, LOG_LEVEL_ERROR, "redis-failed", "error", err.text, NULL);
    pause_after(embedded, err.text);
}

static void describe_end(const struct embedded *embedded, int status, char *out, size_t size)
{
    char last[400];
    int len;
    if (status == -1)
        len = snprintf(out, size, "redis-server ended");
    else if (WIFSIGNALED(status))
        len = snprintf(out, size, "redis-server was killed by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    else
        len = snprintf(out, size, "redis-server exited with status %d", WEXITSTATUS(status));
    statedir_last_words(&embedded->dir, last, sizeof(last));
    if (last[0] != '\0' && len > 0 && (size_t)len < size)
        snprintf(out + len, size - (size_t)len, "; its log ends: %s", last);
}

static void finish_stop(struct embedded *embedded)
{
    become(embedded, EMBEDDED_DOWN);
    statedir_clear(&embedded->dir);
    embedded->stopped(embedded->stopped_arg); /* may free us */
}

static void on_ended(void *arg, int status)
{
    struct embedded *embedded = arg;
    char why[600];
    child_free(embedded->child);
    embedded->child = NULL;
    if (embedded->state == EMBEDDED_STOPPING) {
        log_line(embedded->log, LOG_LEVEL_INFO, "redis-stopped", NULL);
        finish_stop(embedded);
        return;
    }
    if (clock_ms(embedded->clock) - embedded->since_ms >= STEADY_MS)
        embedded->failures = 0;
    describe_end(embedded, status, why, sizeof(why));
    log_line(embedded->log, LOG_LEVEL_ERROR, "redis-died", "why", why, NULL);
    pause_after(embedded, why);
}

/* Told to stop while a server was being sought: stops that one as soon as it is found. */
static void stop_unfound(struct embedded *embedded)
{
    bool in_time = clock_ms(embedded->clock) - embedded->since_ms < embedded->stop_ms;
    bool was_started = embedded->dir.fd >= 0;
    if (!was_started || !in_time || statedir_lock_redis(&embedded->dir)) {
        finish_stop(embedded);
        return;
    }
    if (find_child(embedded))
        child_signal(embedded->child, SIGTERM);
    set_timer(embedded, embedded->child != NULL ? embedded->stop_ms : SEEK_MS);
}

static void kill_late(struct embedded *embedded)
{
    if (embedded->is_killed) {
        log_text(embedded->log, LOG_LEVEL_ERROR, "redis-stuck",
                 "redis-server (process %d) does not end, even by SIGKILL",
                 (int)child_pid(embedded->child));
        finish_stop(embedded);
        return;
    }
    log_text(embedded->log, LOG_LEVEL_WARNING, "redis-killed",
             "redis-server (process %d) did not end in time", (int)child_pid(embedded->child));
    embedded->is_killed = true;
    child_signal(embedded->child, SIGKILL);
    set_timer(embedded, KILLED_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct embedded *embedded = arg;
    (void)fd;
    (void)what;
    if (embedded->state == EMBEDDED_STOPPING && embedded->child == NULL)
        stop_unfound(embedded);
    else if (embedded->state == EMBEDDED_STOPPING)
        kill_late(embedded);
    else
        seek_again(embedded);
}

struct embedded *embedded_new(struct event_base *base, const struct redis_config *config,
                              const struct clock *clock, struct rand *rand, struct log *log,
                              const struct embedded_events *events)
{
    struct embedded *embedded = mem_zalloc(sizeof(*embedded));
    embedded->base = base;
    embedded->config = config;
    embedded->clock = clock;
    embedded->rand = rand;
    embedded->log = log;
    embedded->events = *events;
    embedded->timer = evtimer_new(base, on_timer, embedded);
    statedir_init(&embedded->dir);
    return embedded;
}

void embedded_free(struct embedded *embedded)
{
    if (embedded == NULL)
        return;
    child_free(embedded->child);
    event_free(embedded->timer);
    statedir_clear(&embedded->dir);
    mem_free(embedded);
}

bool embedded_start(struct embedded *embedded, struct err *err)
{
    if (statedir_open(&embedded->dir, embedded->config->state_dir, err) && seek(embedded, err))
        return true;
    statedir_clear(&embedded->dir);
    return false;
}

void embedded_stop(struct embedded *embedded, int64_t timeout_ms, void (*stopped)(void *arg),
                   void *arg)
{
    embedded->stopped = stopped;
    embedded->stopped_arg = arg;
    embedded->stop_ms = timeout_ms;
    become(embedded, EMBEDDED_STOPPING);
    if (embedded->child != NULL)
        child_signal(embedded->child, SIGTERM);
    set_timer(embedded, embedded->child != NULL ? timeout_ms : 0);
}

const struct addr *embedded_addr(const struct embedded *embedded)
{
    return &embedded->dir.socket;
}

int embedded_pid(const struct embedded *embedded)
{
    return embedded->child == NULL ? 0 : (int)child_pid(embedded->child);
}

uint64_t embedded_restarts(const struct embedded *embedded)
{
    return embedded->restarts;
}
