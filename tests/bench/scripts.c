/* scripts: the section about what one operation costs Redis: the scripts of a program without a
 * daemon beside ours, alone and in batches, turn by turn. CPU time as Redis itself counts it, of a
 * client that leaves nothing waiting, so that the load of the machine matters little.
 * Knows: stage, the requests of both sides. */
#include "base/mem.h"
#include "fill.h"
#include "ours.h"
#include "section.h"
#include "seed.h"
#include "spread.h"
#include <err.h>
#include <stdio.h>
#include <string.h>

#define RESOURCES  1024
#define LEASED     512 /* of a round; each is taken, renewed and given back so often: */
#define REPEATS    8
#define TIMEOUT_S  "60"
#define TIMEOUT_MS "60000"
#define BASE       "seed|pool"

enum kind { MALLOC, RENEW, FREE, KINDS };
enum way { SEED, LONE, BATCH_1, BATCH_4, BATCH_16, BATCH_64, WAYS };

static const char *const way_names[WAYS] = {"library's scripts", "our scripts, alone",
                                            "batch of 1",        "batch of 4",
                                            "batch of 16",       "batch of 64"};
static const int sizes[WAYS] = {1, 1, 1, 4, 16, 64};

struct costs {
    struct program *redis;
    struct words words;
    struct ours ours;
    struct seed seed;
    char sequence[24];
    long long calls;
    double us[WAYS][KINDS][SPREAD_MAX_ROUNDS];
};

/* --- calls -------------------------------------------------------------------------------------
 */

static void say_seed(struct costs *costs, enum kind kind, const char *resource)
{
    if (kind == MALLOC) {
        seed_malloc(&costs->seed, &costs->words, TIMEOUT_S, "");
    } else if (kind == FREE) {
        seed_free(&costs->seed, &costs->words, resource);
    } else { /* the library's update: no script */
        char *lease = mem_printf(BASE ":%s", resource);
        WORDS(&costs->words, "EXPIRE", lease, TIMEOUT_S);
        mem_free(lease);
    }
}

static void say_lone(struct costs *costs, enum kind kind, const char *resource)
{
    if (kind == MALLOC)
        ours_malloc(&costs->ours, &costs->words, TIMEOUT_MS);
    else if (kind == FREE)
        ours_free(&costs->ours, &costs->words, resource);
    else
        ours_renew(&costs->ours, &costs->words, resource, TIMEOUT_MS);
}

static void begin_run(struct costs *costs, enum kind kind, int size)
{
    if (kind == MALLOC)
        ours_run_malloc(&costs->ours, &costs->words, size, TIMEOUT_MS);
    else if (kind == FREE)
        ours_run_free(&costs->ours, &costs->words, size);
    else
        ours_run_renew(&costs->ours, &costs->words, size);
}

static void say_in_run(struct costs *costs, enum kind kind, const char *resource)
{
    if (kind == FREE)
        ours_free_in_run(&costs->words, resource);
    else if (kind == RENEW)
        ours_renew_in_run(&costs->words, resource, TIMEOUT_MS);
}

/* A call of `size` operations, on the resources from `first` on; sent with the next ones. */
static void send_call(struct costs *costs, enum way way, enum kind kind, int first, int size)
{
    snprintf(costs->sequence, sizeof(costs->sequence), "%lld", ++costs->calls);
    if (way >= BATCH_1)
        begin_run(costs, kind, size);
    for (int i = first; i < first + size; i++) {
        char resource[16];
        snprintf(resource, sizeof(resource), "r%d", i + 1);
        if (way == SEED)
            say_seed(costs, kind, resource);
        else if (way == LONE)
            say_lone(costs, kind, resource);
        else
            say_in_run(costs, kind, resource);
    }
    redisAppendCommandArgv(costs->redis->context, costs->words.count, costs->words.list, NULL);
    words_clear(&costs->words);
}

static bool is_expected(const redisReply *reply, enum way way, enum kind kind)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return false;
    if (way == SEED)
        return reply->type == (kind == MALLOC ? REDIS_REPLY_STRING : REDIS_REPLY_INTEGER);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != (size_t)sizes[way])
        return false;
    return kind == MALLOC ? reply->element[0]->type == REDIS_REPLY_STRING
                          : reply->element[0]->integer == 1;
}

static void hear(const struct costs *costs, enum way way, enum kind kind, int calls)
{
    for (; calls > 0; calls--) {
        redisReply *reply = NULL;
        if (redisGetReply(costs->redis->context, (void **)&reply) != REDIS_OK)
            errx(1, "%s: %s", way_names[way], costs->redis->context->errstr);
        if (!is_expected(reply, way, kind))
            errx(1, "%s: not the answer that was expected: %s", way_names[way],
                 reply->str != NULL ? reply->str : "of another form");
        freeReplyObject(reply);
    }
}

/* --- measuring ---------------------------------------------------------------------------------
 */

/* One operation on each of LEASED resources; returns CPU seconds. */
static double run(struct costs *costs, enum way way, enum kind kind, int first)
{
    int size = sizes[way];
    double before = proc_cpu(costs->redis->pid).total;
    for (int i = first; i < first + LEASED; i += size)
        send_call(costs, way, kind, i, size);
    hear(costs, way, kind, LEASED / size);
    return proc_cpu(costs->redis->pid).total - before;
}

/* The list's order returns to what it was after two halves. */
static void measure(struct costs *costs, enum way way, int round)
{
    double seconds[KINDS] = {0};
    for (int i = 0; i < REPEATS; i++)
        for (int kind = 0; kind < KINDS; kind++)
            seconds[kind] += run(costs, way, (enum kind)kind, i % 2 * LEASED);
    for (int kind = 0; kind < KINDS; kind++)
        costs->us[way][kind][round] = seconds[kind] * 1e6 / (LEASED * REPEATS);
}

static void print(const struct costs *costs, int rounds, FILE *report)
{
    fprintf(report,
            "\n## What one operation costs Redis\n\n"
            "CPU time of Redis in µs for one operation, its reading and writing included, %d "
            "operations a round, sent\nwithout waiting. (The library renews without a script: "
            "EXPIRE.)\n\n"
            "| | MALLOC | RENEW | FREE |\n| --- | ---: | ---: | ---: |\n",
            LEASED * REPEATS);
    for (int way = 0; way < WAYS; way++) {
        fprintf(report, "| %s |", way_names[way]);
        for (int kind = 0; kind < KINDS; kind++)
            fprintf(report, " %.2f |", spread_of(costs->us[way][kind], rounds).median);
        fputc('\n', report);
    }
}

void section_scripts(const struct options *options, FILE *report)
{
    struct costs *costs = mem_zalloc(sizeof(*costs));
    struct stage stage;
    struct stage_plan plan = {.folder = options->folder, .rallocd = options->rallocd};
    stage_start(&stage, &plan);
    costs->redis = &stage.redis;
    seed_load(&costs->seed, costs->redis, BASE, false);
    fill_pool(costs->redis, BASE, RESOURCES);
    ours_load(costs->redis);
    ours_init(&costs->ours, "ours", "pool", false);
    costs->ours.daemon = "daemon";
    costs->ours.sequence = costs->sequence;
    fill_pool(costs->redis, "ours|pool", RESOURCES);
    for (int round = 0; round < options->rounds; round++)
        for (int way = 0; way < WAYS; way++)
            measure(costs, (enum way)way, round);
    print(costs, options->rounds, report);
    ours_clear(&costs->ours);
    stage_stop(&stage);
    mem_free(costs);
}
