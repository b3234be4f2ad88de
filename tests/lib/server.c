/* server: a real redis-server for tests; see server.h. */
#include "tests/lib/server.h"
#include "base/mem.h"
#include "tests/lib/until.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void server_init(struct server *server, const char *dir, const char *name)
{
    memset(server, 0, sizeof *server);
    snprintf(server->dir, sizeof server->dir, "%.60s/%.20s", dir, name);
    snprintf(server->path, sizeof server->path, "%s/redis.sock", server->dir);
    snprintf(server->log, sizeof server->log, "%.60s/%.20s.log", dir, name);
    ck_assert_msg(mkdir(server->dir, 0700) == 0, "%s: %s", server->dir, strerror(errno));
}

void server_clear(struct server *server)
{
    if (server->pid != 0)
        server_kill(server);
    for (int i = 0; i < server->option_count; i++)
        mem_free(server->options[i]);
    server->option_count = 0;
}

void server_option(struct server *server, const char *format, ...)
{
    char line[400];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    ck_assert_int_lt(server->option_count, SERVER_MAX_OPTIONS);
    server->options[server->option_count++] = mem_dup(str_of(line));
}

static void write_config(const struct server *server, const char *path)
{
    FILE *file = fopen(path, "w");
    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    fprintf(file, "port 0\nunixsocket %s\nunixsocketperm 700\ndir %s\n", server->path, server->dir);
    fprintf(file, "save \"\"\nappendonly no\ndaemonize no\n");
    for (int i = 0; i < server->option_count; i++)
        fprintf(file, "%s\n", server->options[i]);
    ck_assert_int_eq(fclose(file), 0);
}

/* LOADING is no answer yet. */
static bool answers(struct server *server)
{
    int status;
    bool is_ready = false;
    ck_assert_msg(!guard_has_ended(server->pid, &status), "redis-server has ended: see %s",
                  server->log);
    redisContext *redis = redisConnectUnix(server->path);
    if (redis != NULL && redis->err == 0) {
        redisReply *reply = redisCommand(redis, "PING");
        is_ready = reply != NULL && reply->type == REDIS_REPLY_STATUS;
        freeReplyObject(reply);
    }
    if (redis != NULL)
        redisFree(redis);
    return is_ready;
}

/* Where what is built for tests lies. */
static const char *out_folder(void)
{
    const char *out = getenv("OUT");
    return out != NULL ? out : "build/release";
}

void server_set_clock(struct server *server, int64_t offset_ms)
{
    int64_t offset_us = offset_ms * 1000;
    int fd = open(server->clock, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0, "%s: %s", server->clock, strerror(errno));
    ck_assert_int_eq(write(fd, &offset_us, sizeof offset_us), sizeof offset_us);
    ck_assert_int_eq(close(fd), 0);
}

void server_own_clock(struct server *server)
{
    snprintf(server->clock, sizeof server->clock, "%s/clock", server->dir);
    server_set_clock(server, 0);
}

void server_start(struct server *server)
{
    char path[128];
    char *argv[] = {"redis-server", path, NULL};
    char preload[256], clock[160];
    char *environment[] = {"LC_ALL=C", NULL, NULL, NULL}; /* Lua's order of names: of the bytes */
    if (server->clock[0] != '\0') {
        snprintf(preload, sizeof preload, "LD_PRELOAD=%s/tests/preload/stepclock.so", out_folder());
        snprintf(clock, sizeof clock, "STEPCLOCK=%s", server->clock);
        environment[1] = preload;
        environment[2] = clock;
    }
    snprintf(path, sizeof path, "%s/redis.conf", server->dir);
    ck_assert_int_eq(server->pid, 0);
    write_config(server, path);
    server->pid = guard_run(server->log, argv, environment);
    until(answers(server));
}

static void end(struct server *server, int signal_number)
{
    ck_assert_int_ne(server->pid, 0);
    kill(server->pid, signal_number);
    guard_wait(server->pid);
    server->pid = 0;
}

void server_kill(struct server *server)
{
    end(server, SIGKILL);
}

void server_stop(struct server *server)
{
    end(server, SIGTERM);
}

void server_freeze(struct server *server)
{
    ck_assert_int_eq(kill(server->pid, SIGSTOP), 0);
}

void server_thaw(struct server *server)
{
    ck_assert_int_eq(kill(server->pid, SIGCONT), 0);
}

redisContext *server_connect(const struct server *server)
{
    redisContext *redis = redisConnectUnix(server->path);
    ck_assert_msg(redis != NULL && redis->err == 0, "%s: %s", server->path,
                  redis != NULL ? redis->errstr : "no memory");
    return redis;
}
