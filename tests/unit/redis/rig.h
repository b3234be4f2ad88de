/* rig: what the tests of redis/ share: a temp folder, a redis-server in it, an upstream on a loop
 * of the test's, and what became of the calls. Servers die with their test. */
#ifndef TESTS_UNIT_REDIS_RIG_H
#define TESTS_UNIT_REDIS_RIG_H

#include "base/mem.h"
#include "config/config.h"
#include "redis/upstream.h"
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct rig {
    char folder[64], socket[100];
    pid_t server; /* 0: none */
    struct event_base *base;
    struct clock clock;
    struct rand rand;
    struct log log;
    int log_fd;
    struct redis_config config;
    struct upstream *upstream;
    struct upstream_listener listener;
    int ready_count; /* how often the listener was told */
    bool has_stopped;
};

/* What became of a call. */
struct seen {
    int count;
    enum call_fate fate;
    int64_t number;
    size_t len;
    char text[200];
};

static inline int64_t rig_deadline_ms(void)
{
    const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");
    return 20000 * (factor != NULL && atoi(factor) > 0 ? atoi(factor) : 1);
}

/* For deadlines that a test lets pass. */
static inline int64_t rig_short_ms(void)
{
    return rig_deadline_ms() / 66;
}

static inline void rig_ready(void *arg)
{
    ((struct rig *)arg)->ready_count++;
}

static inline char *rig_text(const char *text)
{
    return mem_dup(str_of(text));
}

static inline void rig_set(char **setting, const char *text)
{
    mem_free(*setting);
    *setting = rig_text(text);
}

/* A temp folder, a loop, settings with short times for a server on the folder's socket. */
static inline void rig_init(struct rig *rig)
{
    *rig = (struct rig){0};
    signal(SIGPIPE, SIG_IGN);
    const char *tmp = getenv("TMPDIR");
    snprintf(rig->folder, sizeof(rig->folder), "%s/rig-XXXXXX",
             tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(rig->folder));
    snprintf(rig->socket, sizeof(rig->socket), "%s/redis.sock", rig->folder);
    char log_path[96];
    snprintf(log_path, sizeof(log_path), "%s/log", rig->folder);
    rig->log_fd = open(log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    rig->base = event_base_new();
    clock_init(&rig->clock);
    rand_init(&rig->rand);
    log_init(&rig->log, &rig->clock);
    rig->log.fd = rig->log_fd;
    rig->log.level = LOG_LEVEL_DEBUG;
    rig->config = (struct redis_config){
        .where = {.scheme = URL_UNIX},
        .links = 4,
        .connect_timeout_ms = 1000,
        .reply_timeout_ms = 5000,
        .wait_timeout_ms = 1000,
        .backoff_min_ms = 5,
        .backoff_max_ms = 50,
        .max_queued = 65536,
        .batch = 128,
        .username = rig_text(""),
        .password = rig_text(""),
        .state_dir = rig_text(rig->folder),
        .server_binary = rig_text("redis-server"),
        .appendfsync = rig_text("everysec"),
        .maxmemory = rig_text("0"),
        .url = rig_text(""),
    };
    snprintf(rig->config.where.host, sizeof(rig->config.where.host), "%s", rig->socket);
}

static inline int rig_remove(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static inline void rig_stopped(void *arg)
{
    ((struct rig *)arg)->has_stopped = true;
}

static inline void rig_kill(struct rig *rig, int signal_number)
{
    if (rig->server == 0)
        return;
    kill(rig->server, signal_number);
    if (signal_number != SIGKILL && signal_number != SIGTERM)
        return;
    waitpid(rig->server, NULL, 0);
    rig->server = 0;
}

/* Turns the loop until the condition holds; fails the test when it never does. */
#define rig_until(rig, condition)                                                      \
    do {                                                                               \
        int64_t rig_end = clock_ms(&(rig)->clock) + rig_deadline_ms();                 \
        while (!(condition)) {                                                         \
            rig_turn(rig);                                                             \
            ck_assert_msg(clock_ms(&(rig)->clock) < rig_end, "never: %s", #condition); \
        }                                                                              \
    } while (0)

static inline void rig_turn(struct rig *rig)
{
    struct timeval tick = {.tv_usec = 2000};
    event_base_loopexit(rig->base, &tick);
    event_base_loop(rig->base, EVLOOP_ONCE);
}

static inline void rig_stop(struct rig *rig)
{
    if (rig->upstream == NULL)
        return;
    rig->has_stopped = false;
    upstream_stop(rig->upstream, 5000, rig_stopped, rig);
    rig_until(rig, rig->has_stopped);
    upstream_forget(rig->upstream, &rig->listener);
    upstream_free(rig->upstream);
    rig->upstream = NULL;
}

static inline void rig_clear(struct rig *rig)
{
    rig_stop(rig);
    rig_kill(rig, SIGKILL);
    event_base_free(rig->base);
    close(rig->log_fd);
    char **texts[] = {&rig->config.username,    &rig->config.password,
                      &rig->config.state_dir,   &rig->config.server_binary,
                      &rig->config.appendfsync, &rig->config.maxmemory,
                      &rig->config.url};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        mem_free(*texts[i]);
    nftw(rig->folder, rig_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static inline bool rig_log_has(const struct rig *rig, const char *text)
{
    static char bytes[256 * 1024];
    ssize_t len = pread(rig->log_fd, bytes, sizeof(bytes) - 1, 0);
    bytes[len > 0 ? len : 0] = '\0';
    return strstr(bytes, text) != NULL;
}

/* --- a redis-server ------------------------------------------------------------------------------
 */

/* A connection beside the upstream, to look and to set things up. */
static inline redisContext *rig_peek(const char *socket_path)
{
    struct timeval timeout = {.tv_sec = 10};
    redisContext *redis = redisConnectUnixWithTimeout(socket_path, timeout);
    if (redis != NULL && redis->err == 0) {
        redisSetTimeout(redis, timeout);
        return redis;
    }
    if (redis != NULL)
        redisFree(redis);
    return NULL;
}

/* Runs a command on a connection of its own; the reply's text is copied into `out`. */
__attribute__((format(printf, 3, 4))) static inline void
rig_do(const struct rig *rig, char out[200], const char *format, ...)
{
    va_list args;
    redisContext *redis = rig_peek(rig->socket);
    ck_assert_ptr_nonnull(redis);
    va_start(args, format);
    redisReply *reply = redisvCommand(redis, format, args);
    va_end(args);
    ck_assert_ptr_nonnull(reply);
    if (reply->type == REDIS_REPLY_INTEGER)
        snprintf(out, 200, "%lld", reply->integer);
    else
        snprintf(out, 200, "%s", reply->str == NULL ? "" : reply->str);
    freeReplyObject(reply);
    redisFree(redis);
}

/* INFO of that section holds the text. */
static inline bool rig_info_has(const struct rig *rig, const char *section, const char *text)
{
    redisContext *redis = rig_peek(rig->socket);
    ck_assert_ptr_nonnull(redis);
    redisReply *reply = redisCommand(redis, "INFO %s", section);
    ck_assert_ptr_nonnull(reply);
    bool found = reply->str != NULL && strstr(reply->str, text) != NULL;
    freeReplyObject(reply);
    redisFree(redis);
    return found;
}

static inline bool rig_answers(const struct rig *rig)
{
    redisContext *redis = rig_peek(rig->socket);
    if (redis == NULL)
        return false;
    redisReply *reply = redisCommand(redis, "PING");
    bool is_there = reply != NULL;
    freeReplyObject(reply);
    redisFree(redis);
    return is_there;
}

/* Starts redis-server on the rig's socket with more arguments, ended by NULL, and waits for it. */
static inline void rig_serve(struct rig *rig, ...)
{
    const char *argv[40] = {"redis-server",
                            "--port",
                            "0",
                            "--unixsocket",
                            rig->socket,
                            "--save",
                            "",
                            "--appendonly",
                            "no",
                            "--dir",
                            rig->folder,
                            "--logfile",
                            "server.log",
                            "--enable-debug-command",
                            "yes"};
    size_t count = 15;
    const char *more;
    va_list args;
    va_start(args, rig);
    while ((more = va_arg(args, const char *)) != NULL)
        argv[count++] = more;
    va_end(args);
    pid_t parent = getpid();
    rig->server = fork();
    if (rig->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    rig_until(rig, rig_answers(rig));
}

/* --- the upstream --------------------------------------------------------------------------------
 */

static inline void rig_make(struct rig *rig)
{
    rig->upstream =
        upstream_new(rig->base, NULL, &rig->config, "rig", &rig->clock, &rig->rand, &rig->log);
    rig->listener = (struct upstream_listener){.ready = rig_ready, .arg = rig};
    upstream_listen(rig->upstream, &rig->listener);
}

static inline void rig_start(struct rig *rig)
{
    struct err err;
    rig_make(rig);
    bool started = upstream_start(rig->upstream, &err);
    ck_assert_msg(started, "%s", started ? "" : err.text);
}

static inline struct upstream_stats rig_stats(const struct rig *rig)
{
    struct upstream_stats stats;
    upstream_stats(rig->upstream, &stats);
    return stats;
}

static inline void rig_all_ready(struct rig *rig)
{
    rig_until(rig, rig_stats(rig).links_ready == (int)rig->config.links);
}

static inline void rig_done(void *arg, enum call_fate fate, const struct answer *answer)
{
    struct seen *seen = arg;
    struct str text = answer_str(answer);
    seen->count++;
    seen->fate = fate;
    seen->number = answer_int(answer, -1);
    seen->len = text.len;
    snprintf(seen->text, sizeof(seen->text), "%.*s", PRSTR(text));
}

#define RIG_WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A plain command. False: not taken. */
static inline bool rig_call(struct rig *rig, struct seen *seen, const char *const *words)
{
    struct str args[32];
    struct call call = {.args = args, .done = rig_done, .arg = seen};
    while (words[call.arg_count] != NULL) {
        args[call.arg_count] = str_of(words[call.arg_count]);
        call.arg_count++;
    }
    return upstream_call(rig->upstream, &call);
}

#define rig_send(rig, seen, ...) ck_assert(rig_call(rig, seen, RIG_WORDS(__VA_ARGS__)))

/* POOL EXTEND's script puts one resource into a pool: the tests' script that writes. */
static inline bool rig_extend(struct rig *rig, struct seen *seen, const char *resource)
{
    const struct script *script = script_of(SCRIPT_POOL_EXTEND);
    char texts[SCRIPT_MAX_KEYS][64];
    struct str keys[SCRIPT_MAX_KEYS];
    for (int i = 0; i < script->key_count; i++) {
        snprintf(texts[i], sizeof(texts[i]), i == 0 ? "t|p|pool" : "t|p|pool|%s", script->keys[i]);
        keys[i] = str_of(texts[i]);
    }
    const struct str args[] = {STR("0"), str_of(resource)};
    const struct call call = {.script = SCRIPT_POOL_EXTEND,
                              .keys = keys,
                              .key_count = script->key_count,
                              .args = args,
                              .arg_count = 2,
                              .done = rig_done,
                              .arg = seen};
    return upstream_call(rig->upstream, &call);
}

/* Sends and waits for the answer. */
#define rig_ask(rig, to, ...)               \
    do {                                    \
        memset(to, 0, sizeof(struct seen)); \
        rig_send(rig, to, __VA_ARGS__);     \
        rig_until(rig, (to)->count > 0);    \
        ck_assert_int_eq((to)->count, 1);   \
    } while (0)

#endif
