/* tasks: the section about the task queue: how many tasks a second are submitted, taken and ended,
 * beside the bare commands of Redis that lose tasks when a worker dies, and beside beanstalkd,
 * which keeps no results; and how long a QUERY takes beside a PING of Redis. Knows: stage, crew. */
#include "base/mem.h"
#include "crew.h"
#include "section.h"
#include "spread.h"
#include "stage.h"
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PRODUCERS   50
#define WORKERS     50
#define ROUND_TRIPS 2000

enum way { DAEMON, REDIS, BEANSTALKD, WAYS };

/* --- throughput ----------------------------------------------------------------------------------
 */

static pid_t start_beanstalkd(const char *folder, struct endpoint *endpoint)
{
    char port[8], log[160], data[160];
    if (!proc_is_installed("beanstalkd"))
        return 0;
    *endpoint = endpoint_tcp();
    snprintf(port, sizeof port, "%u", endpoint->port);
    snprintf(log, sizeof log, "%s/beanstalkd.log", folder);
    snprintf(data, sizeof data, "%s", folder);
    const char *const argv[] = {"beanstalkd", "-l", "127.0.0.1", "-p",   port,
                                "-b",         data, "-f",        "1000", NULL};
    pid_t pid = proc_start(argv, log);
    proc_wait_for(endpoint, pid, log);
    return pid;
}

static void print_rates(FILE *report, double rates[WAYS][SPREAD_MAX_ROUNDS], int rounds, int ways)
{
    static const char *const names[WAYS] = {"rallocd", "bare Redis: RPUSH, BLPOP, SETEX",
                                            "beanstalkd: put, reserve, delete"};
    fprintf(
        report,
        "\n## Tasks\n\nTasks a second that %d producers submit (NOWAIT) and %d workers take and "
        "end, over TCP;\n64 bytes of parameters and of a result.\n\n"
        "| way | tasks/s | rallocd beside it, min / median / max |\n| --- | --- | --- |\n",
        PRODUCERS, WORKERS);
    for (int way = 0; way < ways; way++) {
        double ratios[SPREAD_MAX_ROUNDS];
        for (int i = 0; i < rounds; i++)
            ratios[i] = rates[DAEMON][i] / rates[way][i];
        struct spread ratio = spread_of(ratios, rounds);
        fprintf(report, "| %s | %.0f | %.2f / %.2f / %.2f |\n", names[way],
                spread_of(rates[way], rounds).median, ratio.min, ratio.median, ratio.max);
    }
    if (ways < WAYS)
        fprintf(report, "\nbeanstalkd is not installed.\n");
}

/* --- one QUERY at a time -----------------------------------------------------------------------
 */

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void ask(redisContext *context, const char *format, const char *id)
{
    redisReply *reply = redisCommand(context, format, id);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
        errx(1, "%s: %s", format, reply != NULL ? reply->str : context->errstr);
    freeReplyObject(reply);
}

/* A worker that ends each task at once; killed when it is no longer needed. */
static pid_t start_worker(const struct endpoint *endpoint)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    redisContext *context = redisConnect("127.0.0.1", endpoint->port);
    for (;;) {
        redisReply *task = redisCommand(context, "LISTEN bench WAIT 0");
        if (task == NULL || task->elements != 5)
            _exit(1);
        ask(context, "RESULT %s done", task->element[1]->str);
        freeReplyObject(task);
    }
}

static double median_us(const struct endpoint *endpoint, const char *format, const char *prefix)
{
    double *times = mem_array(ROUND_TRIPS, sizeof *times);
    redisContext *context = redisConnect("127.0.0.1", endpoint->port);
    for (int i = 0; i < ROUND_TRIPS; i++) {
        char id[40];
        snprintf(id, sizeof id, "%s%d", prefix, i);
        double began = now_us();
        ask(context, format, id);
        times[i] = now_us() - began;
    }
    redisFree(context);
    qsort(times, ROUND_TRIPS, sizeof *times, compare);
    double median = times[ROUND_TRIPS / 2];
    mem_free(times);
    return median;
}

static void measure_query(struct stage *stage, int rounds, FILE *report)
{
    double query[SPREAD_MAX_ROUNDS], ping[SPREAD_MAX_ROUNDS], ratio[SPREAD_MAX_ROUNDS];
    pid_t worker = start_worker(&stage->daemons[0].tcp);
    for (int i = 0; i < rounds; i++) {
        char prefix[20];
        snprintf(prefix, sizeof prefix, "r%d-", i);
        ping[i] = median_us(&stage->redis.tcp, "ECHO %s", prefix);
        query[i] = median_us(&stage->daemons[0].tcp, "QUERY bench %s params POLICY remote", prefix);
        ratio[i] = query[i] / ping[i];
    }
    proc_stop(worker);
    struct spread all = spread_of(ratio, rounds);
    fprintf(report,
            "\nOne QUERY at a time, with one worker: p50 %.0f us, which is %.1f / %.1f / %.1f "
            "round trips\nof Redis (ECHO: p50 %.0f us).\n",
            spread_of(query, rounds).median, all.min, all.median, all.max,
            spread_of(ping, rounds).median);
}

void section_tasks(const struct options *options, FILE *report)
{
    struct stage stage;
    struct stage_plan plan = {
        .folder = options->folder, .rallocd = options->rallocd, .daemon_count = 1};
    static const struct crew_tongue *const tongues[WAYS] = {&crew_daemon, &crew_redis,
                                                            &crew_beanstalkd};
    struct crew_plan crew = {PRODUCERS, WORKERS, options->seconds};
    double rates[WAYS][SPREAD_MAX_ROUNDS];
    struct endpoint endpoints[WAYS];
    stage_start(&stage, &plan);
    endpoints[DAEMON] = stage.daemons[0].tcp;
    endpoints[REDIS] = stage.redis.tcp;
    pid_t beanstalkd = start_beanstalkd(options->folder, &endpoints[BEANSTALKD]);
    int ways = beanstalkd > 0 ? WAYS : BEANSTALKD;
    for (int i = 0; i < options->rounds; i++) {
        for (int way = 0; way < ways; way++) {
            stage_rest(&stage);
            rates[way][i] = crew_run(tongues[way], &endpoints[way], &crew);
        }
    }
    print_rates(report, rates, options->rounds, ways);
    measure_query(&stage, options->rounds, report);
    if (beanstalkd > 0)
        proc_stop(beanstalkd);
    stage_stop(&stage);
}
