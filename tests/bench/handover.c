/* handover: the section about what passes from one program to another that waits for it: from the
 * FREE at one daemon to the answer at another one, and from QUERY over its worker to its result,
 * beside a round trip to Redis in the same rounds; and what it costs Redis when few and many wait.
 * Knows: stage, latency. */
#include "base/mem.h"
#include "latency.h"
#include "section.h"
#include "spread.h"
#include "stage.h"
#include <err.h>
#include <string.h>
#include <time.h>

enum { PING, EVALSHA, ASK, HANDOVER, QUERY_HERE, QUERY_ACROSS, KINDS };
enum { LINES = 3, MOST_CLIENTS = 100, FAR_US = 500 };

static const char *const kind_names[KINDS] = {
    "PING to Redis",
    "EVALSHA of `return 1` to Redis",
    "a request through a daemon that reads one thing (POOL LEN)",
    "hand-over: FREE at one daemon, the waiter's answer at the other",
    "QUERY, its worker and its result at one daemon",
    "QUERY whose worker is at the other daemon"};
static const int line_lengths[LINES] = {10, 1000, 10000};

/* So many wait for the one resource of a pool, always in the same order: each client's next request
 * stands behind all others'. */
struct line {
    char pool[16];
    redisContext *clients[MOST_CLIENTS];
    int client_count, length;
    int next; /* the client whose turn it is */
    double us[SPREAD_MAX_ROUNDS], redis_us[SPREAD_MAX_ROUNDS];
};

/* Two daemons at one Redis. */
struct place {
    struct stage stage;
    redisContext *redis; /* as the daemons reach it */
    redisContext *giver; /* at the daemon where nobody waits */
    redisContext *asker; /* of QUERY, where its worker is */
    redisContext *worker;
    unsigned long queries;
    char sha[41];
    struct line lines[LINES];
    int line_count;
    double p50[KINDS][SPREAD_MAX_ROUNDS], p99[KINDS][SPREAD_MAX_ROUNDS];
};

static struct program *daemon_of_waiters(struct place *place)
{
    return &place->stage.daemons[0];
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- asking ------------------------------------------------------------------------------------
 */

static redisContext *dial(const struct endpoint *endpoint)
{
    redisContext *context = redisConnectUnix(endpoint->unix_path);
    if (context == NULL || context->err != 0)
        errx(1, "%s: no connection", endpoint->unix_path);
    return context;
}

static void send_all(redisContext *context)
{
    int is_done = 0;
    while (!is_done) {
        if (redisBufferWrite(context, &is_done) != REDIS_OK)
            errx(1, "a request cannot be sent: %s", context->errstr);
    }
}

static void hear(redisContext *context, int type)
{
    redisReply *reply = NULL;
    if (redisGetReply(context, (void **)&reply) != REDIS_OK)
        errx(1, "no answer: %s", context->errstr);
    if (reply->type != type)
        errx(1, "not the answer that was expected: %s",
             reply->str != NULL ? reply->str : "of another type");
    freeReplyObject(reply);
}

/* --- lines -------------------------------------------------------------------------------------
 */

/* One more at the end. */
static void stand_in_line(struct line *line, int client)
{
    redisAppendCommand(line->clients[client], "MALLOC %s WAIT 0 TIMEOUT 0", line->pool);
}

static void open_line(struct place *place, struct line *line, int length)
{
    struct program *daemon = daemon_of_waiters(place);
    line->length = length;
    line->client_count = length < MOST_CLIENTS ? length : MOST_CLIENTS;
    snprintf(line->pool, sizeof(line->pool), "line-%d", length);
    program_ask_number(daemon, "POOL EXTEND %s r", line->pool);
    freeReplyObject(program_ask(daemon, "MALLOC %s TIMEOUT 0", line->pool));
    for (int i = 0; i < line->client_count; i++)
        line->clients[i] = dial(&daemon->local);
    for (int i = 0; i < length; i++) {
        stand_in_line(line, i % line->client_count);
        send_all(line->clients[i % line->client_count]);
        program_ask_number(daemon, "POOL LEN %s", line->pool); /* in its lane behind it */
    }
}

static void close_line(struct line *line)
{
    for (int i = 0; i < line->client_count; i++)
        redisFree(line->clients[i]);
}

/* Gives the resource to the first of the line, who stands in it again then; returns what that took,
 * up to the answer. */
static uint64_t hand_over(struct place *place, struct line *line)
{
    redisContext *waiter = line->clients[line->next];
    redisAppendCommand(place->giver, "FREE %s r", line->pool);
    uint64_t began_ns = now_ns();
    send_all(place->giver);
    hear(waiter, REDIS_REPLY_STRING);
    uint64_t took_ns = now_ns() - began_ns;
    hear(place->giver, REDIS_REPLY_INTEGER);
    stand_in_line(line, line->next);
    send_all(waiter);
    line->next = (line->next + 1) % line->client_count;
    return took_ns;
}

/* --- tasks -------------------------------------------------------------------------------------
 */

static void listen_for_task(struct place *place)
{
    redisAppendCommand(place->worker, "LISTEN tasks WAIT 0");
    send_all(place->worker);
}

/* The task's id comes back as its result. */
static void work_on_task(struct place *place)
{
    redisReply *task = NULL;
    if (redisGetReply(place->worker, (void **)&task) != REDIS_OK ||
        task->type != REDIS_REPLY_ARRAY || task->elements < 2)
        errx(1, "no task: %s", place->worker->errstr);
    redisAppendCommand(place->worker, "RESULT %s %s", task->element[1]->str, task->element[1]->str);
    send_all(place->worker);
    freeReplyObject(task);
}

/* Submitted, taken by who listens for it, answered. */
static uint64_t query(struct place *place, redisContext *asker)
{
    redisAppendCommand(asker, "QUERY tasks t-%lu params POLICY remote TIMEOUT 30 ONCE",
                       place->queries++);
    uint64_t began_ns = now_ns();
    send_all(asker);
    work_on_task(place);
    hear(asker, REDIS_REPLY_STRING);
    uint64_t took_ns = now_ns() - began_ns;
    hear(place->worker, REDIS_REPLY_STATUS);
    listen_for_task(place);
    return took_ns;
}

/* --- measuring ---------------------------------------------------------------------------------
 */

static uint64_t ask_once(struct place *place, int kind)
{
    struct line *line = &place->lines[0];
    uint64_t began_ns = now_ns();
    if (kind == HANDOVER)
        return hand_over(place, line);
    if (kind == QUERY_HERE || kind == QUERY_ACROSS)
        return query(place, kind == QUERY_HERE ? place->asker : place->giver);
    if (kind == ASK) {
        program_ask_number(daemon_of_waiters(place), "POOL LEN %s", line->pool);
    } else {
        if (kind == PING)
            redisAppendCommand(place->redis, "PING");
        else
            redisAppendCommand(place->redis, "EVALSHA %s 0", place->sha);
        hear(place->redis, kind == PING ? REDIS_REPLY_STATUS : REDIS_REPLY_INTEGER);
    }
    return now_ns() - began_ns;
}

/* All kinds right behind each other, when who has come last stands in line. */
static void measure_times(struct place *place, int round, double seconds)
{
    struct latency *latencies = mem_array(KINDS, sizeof(*latencies));
    uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9);
    while (now_ns() < end_ns) {
        ask_once(place, ASK); /* in the lane behind it */
        for (int kind = 0; kind < KINDS; kind++)
            latency_add(&latencies[kind], ask_once(place, kind) / 1000);
    }
    for (int kind = 0; kind < KINDS; kind++) {
        place->p50[kind][round] = latency_quantile(&latencies[kind], 0.5);
        place->p99[kind][round] = latency_quantile(&latencies[kind], 0.99);
    }
    mem_free(latencies);
}

static void measure_line(struct place *place, struct line *line, int round, double seconds)
{
    struct latency *latency = mem_zalloc(sizeof(*latency));
    pid_t redis = place->stage.redis.pid;
    double before_s = proc_cpu(redis).total;
    uint64_t end_ns = now_ns() + (uint64_t)(seconds * 1e9);
    while (now_ns() < end_ns)
        latency_add(latency, hand_over(place, line) / 1000);
    line->us[round] = latency_quantile(latency, 0.5);
    line->redis_us[round] = (proc_cpu(redis).total - before_s) * 1e6 / (double)latency->count;
    mem_free(latency);
}

/* --- the report --------------------------------------------------------------------------------
 */

static void print_ratio(const struct place *place, int kind, int rounds, FILE *report)
{
    double ratios[SPREAD_MAX_ROUNDS];
    for (int i = 0; i < rounds; i++)
        ratios[i] = place->p50[kind][i] / place->p50[PING][i];
    struct spread ratio = spread_of(ratios, rounds);
    fprintf(report, " %.2f / %.2f / %.2f |", ratio.min, ratio.median, ratio.max);
}

static void print_times(const struct place places[2], int rounds, FILE *report)
{
    fprintf(report,
            "\n## Hand-over\n\n"
            "Who waits at one daemon gets what is freed at another one: from the FREE that is "
            "written to the answer that is\nread, over Unix sockets; 10 wait. Near: Redis on this "
            "machine; far: each byte between a daemon and Redis is %d µs\non its way. In µs:\n\n"
            "| | near, p50 | p99 | far, p50 | p99 |\n| --- | ---: | ---: | ---: | ---: |\n",
            FAR_US);
    for (int kind = 0; kind < KINDS; kind++) {
        fprintf(report, "| %s |", kind_names[kind]);
        for (int i = 0; i < 2; i++)
            fprintf(report, " %.0f | %.0f |", spread_of(places[i].p50[kind], rounds).median,
                    spread_of(places[i].p99[kind], rounds).median);
        fputc('\n', report);
    }
    fputs("\nSo many PINGs that takes (p50):\n\n| | near | far |\n| --- | ---: | ---: |\n", report);
    for (int kind = ASK; kind < KINDS; kind++) {
        fprintf(report, "| %s |", kind_names[kind]);
        for (int i = 0; i < 2; i++)
            print_ratio(&places[i], kind, rounds, report);
        fputc('\n', report);
    }
}

static void print_lines(const struct place *place, int rounds, FILE *report)
{
    fputs("\nWhat it costs a near Redis: FREE, what its waiter fetches, and another one who stands "
          "in "
          "line again, in µs of CPU time:\n\n"
          "| who wait for the pool | Redis' time | p50 |\n| ---: | ---: | ---: |\n",
          report);
    for (int i = 0; i < place->line_count; i++) {
        const struct line *line = &place->lines[i];
        fprintf(report, "| %d | %.0f | %.0f |\n", line->length,
                spread_of(line->redis_us, rounds).median, spread_of(line->us, rounds).median);
    }
}

/* --- places ------------------------------------------------------------------------------------
 */

static void open_place(struct place *place, const struct options *options, int distance_us,
                       int line_count)
{
    struct stage_plan plan = {.folder = options->folder,
                              .rallocd = options->rallocd,
                              .daemon_count = 2,
                              .distance_us = distance_us};
    stage_start(&place->stage, &plan);
    place->redis = dial(&place->stage.link);
    place->giver = dial(&place->stage.daemons[1].local);
    place->asker = dial(&place->stage.daemons[0].local);
    place->worker = dial(&place->stage.daemons[0].local);
    listen_for_task(place);
    redisReply *sha = program_ask(&place->stage.redis, "SCRIPT LOAD %s", "return 1");
    snprintf(place->sha, sizeof(place->sha), "%s", sha->str);
    freeReplyObject(sha);
    place->line_count = line_count;
    for (int i = 0; i < line_count; i++)
        open_line(place, &place->lines[i], line_lengths[i]);
}

static void close_place(struct place *place)
{
    for (int i = 0; i < place->line_count; i++)
        close_line(&place->lines[i]);
    redisFree(place->redis);
    redisFree(place->giver);
    redisFree(place->asker);
    redisFree(place->worker);
    stage_stop(&place->stage);
}

void section_handover(const struct options *options, FILE *report)
{
    struct place *places = mem_array(2, sizeof(*places)), *near = &places[0], *far = &places[1];
    open_place(near, options, 0, LINES);
    open_place(far, options, FAR_US, 1);
    for (int round = 0; round < options->rounds; round++) {
        measure_times(near, round, options->seconds);
        measure_times(far, round, options->seconds);
        for (int i = 0; i < LINES; i++)
            measure_line(near, &near->lines[i], round, options->seconds);
    }
    print_times(places, options->rounds, report);
    print_lines(near, options->rounds, report);
    close_place(near);
    close_place(far);
    mem_free(places);
}
