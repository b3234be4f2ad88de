/* stage: see stage.h. */
#include "stage.h"
#include "distance.h"
#include "mirror.h"
#include <err.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS     32
#define ANSWER_S      30 /* to fill a part of a pool takes far less */
#define AOF_MAX_BYTES (256LL << 20)

/* --- asking ------------------------------------------------------------------------------------
 */

static redisReply *ask(struct program *program, const char *format, va_list args)
{
    int word = (int)strcspn(format, " ");
    redisReply *reply = redisvCommand(program->context, format, args);
    if (reply == NULL)
        errx(1, "%.*s: no answer: %s", word, format, program->context->errstr);
    if (reply->type == REDIS_REPLY_ERROR)
        errx(1, "%.*s: %s", word, format, reply->str);
    return reply;
}

redisReply *program_ask(struct program *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(program, format, args);
    va_end(args);
    return reply;
}

long long program_ask_number(struct program *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(program, format, args);
    va_end(args);
    long long number = reply->integer;
    if (reply->type != REDIS_REPLY_INTEGER)
        errx(1, "%.*s: the answer is no number", (int)strcspn(format, " "), format);
    freeReplyObject(reply);
    return number;
}

long long program_info(struct program *program, const char *section, const char *name)
{
    redisReply *reply = program_ask(program, "INFO %s", section);
    size_t len = strlen(name);
    const char *line = reply->str;
    while (line != NULL && (strncmp(line, name, len) != 0 || line[len] != ':')) {
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    if (line == NULL)
        errx(1, "INFO %s names no %s", section, name);
    long long number = strtoll(line + len + 1, NULL, 10);
    freeReplyObject(reply);
    return number;
}

void stage_rest(struct stage *stage)
{
    struct program *redis = &stage->redis;
    if (program_info(redis, "persistence", "aof_current_size") < AOF_MAX_BYTES)
        return;
    freeReplyObject(program_ask(redis, "BGREWRITEAOF"));
    while (program_info(redis, "persistence", "aof_rewrite_in_progress") != 0 ||
           program_info(redis, "persistence", "aof_rewrite_scheduled") != 0)
        poll(NULL, 0, 5);
}

/* --- programs ----------------------------------------------------------------------------------
 */

static void run(struct program *program, const struct stage *stage, const char *name,
                const char *const *argv)
{
    snprintf(program->log, sizeof(program->log), "%s/%s.log", stage->folder, name);
    program->pid = proc_start(argv, program->log);
    proc_wait_for(&program->local, program->pid, program->log);
    program->context = redisConnectUnix(program->local.unix_path);
    if (program->context == NULL || program->context->err != 0 ||
        redisSetTimeout(program->context, (struct timeval){.tv_sec = ANSWER_S}) != REDIS_OK)
        errx(1, "%s: no connection", program->local.unix_path);
}

static void place(struct program *program, const struct stage *stage, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s.sock", stage->folder, name);
    program->local = endpoint_unix(path);
    program->tcp = endpoint_tcp();
}

static void start_redis(struct stage *stage)
{
    struct program *redis = &stage->redis;
    char port[16];
    place(redis, stage, "redis");
    snprintf(port, sizeof(port), "%u", redis->tcp.port);
    run(redis, stage, "redis",
        (const char *const[]){"redis-server",
                              "--port",
                              port,
                              "--bind",
                              "127.0.0.1",
                              "--unixsocket",
                              redis->local.unix_path,
                              "--dir",
                              stage->folder,
                              "--appendonly",
                              "yes",
                              "--appendfsync",
                              "everysec",
                              "--auto-aof-rewrite-percentage",
                              "0",
                              "--save",
                              "",
                              "--maxclients",
                              "19000",
                              NULL});
}

static void start_daemon(struct stage *stage, const struct stage_plan *plan, int index)
{
    struct program *daemon = &stage->daemons[index];
    char name[32], listen[256], url[256], namespace[64];
    const char *argv[MAX_WORDS];
    int argc = 0;
    snprintf(name, sizeof(name), "rallocd-%d", index);
    place(daemon, stage, name);
    snprintf(listen, sizeof(listen), "--server.listen=127.0.0.1:%u,unix:%s", daemon->tcp.port,
             daemon->local.unix_path);
    snprintf(url, sizeof(url), "--redis.url=unix://%s", stage->link.unix_path);
    snprintf(namespace, sizeof(namespace), "--server.namespace=%s", STAGE_NAMESPACE);
    const char *const command[] = {plan->rallocd,
                                   listen,
                                   url,
                                   namespace,
                                   "--server.maxclients=20000",
                                   "--pool:rotating.mode=shared",
                                   "--log.level=warning"};
    for (int i = 0; plan->wrapper != NULL && plan->wrapper[i] != NULL; i++)
        argv[argc++] = plan->wrapper[i];
    for (size_t i = 0; i < sizeof(command) / sizeof(command[0]); i++)
        argv[argc++] = command[i];
    argv[argc] = NULL;
    run(daemon, stage, name, argv);
}

static void start_distance(struct stage *stage, int us)
{
    struct program far;
    stage->link = stage->redis.local;
    if (us == 0)
        return;
    place(&far, stage, "far");
    stage->link = far.local;
    stage->distance = distance_start(&stage->link, &stage->redis.local, us);
}

void stage_start(struct stage *stage, const struct stage_plan *plan)
{
    *stage = (struct stage){.daemon_count = plan->daemon_count};
    snprintf(stage->folder, sizeof(stage->folder), "%s/XXXXXX", plan->folder);
    if (mkdtemp(stage->folder) == NULL)
        err(1, "%s", stage->folder);
    start_redis(stage);
    start_distance(stage, plan->distance_us);
    for (int i = 0; i < plan->daemon_count; i++)
        start_daemon(stage, plan, i);
    if (plan->has_mirror) {
        place(&stage->mirror, stage, "mirror");
        stage->mirror.pid = mirror_start(&stage->mirror.tcp, &stage->mirror.local);
    }
}

static void stop(struct program *program)
{
    redisFree(program->context);
    proc_stop(program->pid);
}

void stage_stop(struct stage *stage)
{
    for (int i = 0; i < stage->daemon_count; i++)
        stop(&stage->daemons[i]);
    if (stage->distance > 0)
        proc_stop(stage->distance);
    if (stage->mirror.pid > 0)
        proc_stop(stage->mirror.pid);
    stop(&stage->redis);
}
