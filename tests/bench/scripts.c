/* scripts: what one operation costs Redis: the scripts of a program without a daemon beside ours,
 * alone and in batches, turn by turn in one run. CPU time as Redis itself counts it, so that the
 * load of the machine matters little. usage: scripts [--rounds N]
 * Knows: proc, seed, the compiled-in scripts.  Must not know: the daemon. */
#include "proc.h"
#include "redis/script.h"
#include "seed.h"
#include <err.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESOURCES  1024
#define LEASED     512 /* of a round; each is taken, renewed and given back so often: */
#define REPEATS    8
#define MAX_ROUNDS 99
#define MAX_WORDS  2048
#define BASE       "bench|ours"

enum kind { MALLOC, RENEW, FREE, KINDS };
enum way { PYTHON, LONE, BATCH_1, BATCH_4, BATCH_16, BATCH_64, WAYS };

static const char *const way_names[WAYS] = {"Python-style", "alone",       "batch of 1",
                                            "batch of 4",   "batch of 16", "batch of 64"};
static const int sizes[WAYS] = {1, 1, 1, 4, 16, 64};

struct words {
    const char *list[MAX_WORDS];
    char bytes[16 * MAX_WORDS];
    size_t used;
    int count;
};

struct bench {
    redisContext *redis;
    struct words words;
    char take_sha[64], give_sha[64];
    char keys[SCRIPT_COUNT][SCRIPT_MAX_KEYS][64];
    long long sequence;
    double us[WAYS][KINDS][MAX_ROUNDS];
};

/* --- words -------------------------------------------------------------------------------------
 */

static void say(struct words *words, const char *word)
{
    words->list[words->count++] = word;
}

static void say_number(struct words *words, const char *prefix, long long n)
{
    char *at = words->bytes + words->used;
    words->used += (size_t)snprintf(at, 32, "%s%lld", prefix, n) + 1;
    say(words, at);
}

static redisReply *check(redisReply *reply, const struct bench *bench)
{
    if (reply == NULL)
        errx(1, "redis: %s", bench->redis->errstr);
    if (reply->type == REDIS_REPLY_ERROR)
        errx(1, "redis: %s", reply->str);
    return reply;
}

/* Queues the call that has been said. */
static void send_words(struct bench *bench)
{
    redisAppendCommandArgv(bench->redis, bench->words.count, bench->words.list, NULL);
    bench->words.count = 0;
    bench->words.used = 0;
}

/* Reads the answers of `calls` calls, which must be of `count` operations each. */
static void hear(struct bench *bench, int calls, size_t count)
{
    while (calls-- > 0) {
        redisReply *reply = NULL;
        redisGetReply(bench->redis, (void **)&reply);
        check(reply, bench);
        if (count > 0 &&
            (reply->type != REDIS_REPLY_ARRAY || reply->elements != count ||
             (reply->element[0]->type == REDIS_REPLY_ARRAY ? reply->element[0]->elements != 4
                                                           : reply->element[0]->integer != 1)))
            errx(1, "not the answer that was expected");
        freeReplyObject(reply);
    }
}

/* --- the operations ----------------------------------------------------------------------------
 */

static void say_python(struct bench *bench, enum kind kind, int i)
{
    struct words *words = &bench->words;
    if (kind == RENEW) { /* the library's update: no script */
        say(words, "EXPIRE");
        say_number(words, "bench|direct:r", i + 1);
        say(words, "60");
        return;
    }
    say(words, "EVALSHA");
    say(words, kind == MALLOC ? bench->take_sha : bench->give_sha);
    say(words, "0");
    say(words, kind == MALLOC ? "60" : "-1");
    if (kind == FREE) {
        say_number(words, "r", i + 1);
        return;
    }
    say(words, "");
    say(words, "3600");
}

static void say_script(struct bench *bench, enum script_id id)
{
    struct words *words = &bench->words;
    const struct script *script = script_of(id);
    say(words, "EVALSHA");
    say(words, script->sha);
    say_number(words, "", script->key_count);
    for (int i = 0; i < script->key_count; i++)
        say(words, bench->keys[id][i]);
}

static void say_operation(struct words *words, enum kind kind, int i)
{
    if (kind == MALLOC) {
        const char *const plain[] = {"M", "1", "1", "60000", "0123456789abcdefghijkl",
                                     "",  "0", "",  ""};
        for (int k = 0; k < 9; k++)
            say(words, plain[k]);
        return;
    }
    say(words, kind == FREE ? "F" : "R");
    if (kind == RENEW)
        say_number(words, "r", i + 1);
    say(words, "");
    say(words, kind == FREE ? "" : "60000");
    if (kind == FREE) {
        say(words, "1");
        say_number(words, "r", i + 1);
    }
}

static void say_batch(struct bench *bench, enum kind kind, int from, int count)
{
    say_script(bench, SCRIPT_POOL_BATCH);
    say(&bench->words, "daemon");
    say_number(&bench->words, "", ++bench->sequence);
    say(&bench->words, "exclusive");
    for (int i = from; i < from + count; i++)
        say_operation(&bench->words, kind, i);
}

static void say_lone(struct bench *bench, enum kind kind, int i)
{
    static const enum script_id ids[KINDS] = {SCRIPT_POOL_MALLOC_ONE, SCRIPT_POOL_RENEW_ONE,
                                              SCRIPT_POOL_FREE_ONE};
    struct words *words = &bench->words;
    say_script(bench, ids[kind]);
    say(words, "daemon");
    say_number(words, "", ++bench->sequence);
    if (kind == MALLOC) {
        say(words, "60000");
        say(words, "0123456789abcdefghijkl");
        return;
    }
    say_number(words, "r", i + 1);
    say(words, "");
    if (kind == RENEW)
        say(words, "60000");
}

/* --- measuring ---------------------------------------------------------------------------------
 */

static double cpu_s(struct bench *bench)
{
    redisReply *reply = check(redisCommand(bench->redis, "INFO cpu"), bench);
    const char *user = strstr(reply->str, "used_cpu_user:");
    const char *system = strstr(reply->str, "used_cpu_sys:");
    if (user == NULL || system == NULL)
        errx(1, "Redis does not tell what it has used");
    double seconds = strtod(strchr(user, ':') + 1, NULL) + strtod(strchr(system, ':') + 1, NULL);
    freeReplyObject(reply);
    return seconds;
}

/* One operation of each resource of a round; returns CPU seconds. */
static double run(struct bench *bench, enum way way, enum kind kind, int first)
{
    int size = sizes[way], calls = 0;
    double before = cpu_s(bench);
    for (int i = first; i < first + LEASED; i += size) {
        if (way == PYTHON)
            say_python(bench, kind, i);
        else if (way == LONE)
            say_lone(bench, kind, i);
        else
            say_batch(bench, kind, i, size);
        send_words(bench);
        calls++;
    }
    hear(bench, calls, way == PYTHON ? 0 : (size_t)size);
    return cpu_s(bench) - before;
}

/* The list's order returns to what it was after two halves. */
static void measure(struct bench *bench, enum way way, int round)
{
    double seconds[KINDS] = {0};
    for (int i = 0; i < REPEATS; i++)
        for (int kind = 0; kind < KINDS; kind++)
            seconds[kind] += run(bench, way, (enum kind)kind, i % 2 * LEASED);
    for (int kind = 0; kind < KINDS; kind++)
        bench->us[way][kind][round] = seconds[kind] * 1e6 / (LEASED * REPEATS);
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print(struct bench *bench, int rounds)
{
    char machine[512];
    proc_describe_machine(machine, sizeof(machine));
    printf("# What one operation costs Redis\n\n%s.\nCPU time of redis-server in µs, its reading "
           "and writing included, medians of %d rounds of %d operations.\n\n"
           "| | MALLOC | RENEW | FREE |\n| --- | ---: | ---: | ---: |\n",
           machine, rounds, LEASED * REPEATS);
    for (int way = 0; way < WAYS; way++) {
        printf("| %s |", way_names[way]);
        for (int kind = 0; kind < KINDS; kind++) {
            double *values = bench->us[way][kind];
            qsort(values, (size_t)rounds, sizeof(*values), by_size);
            printf(" %.2f |", values[rounds / 2]);
        }
        printf("\n");
    }
}

/* --- start and end -----------------------------------------------------------------------------
 */

static void load_script(struct bench *bench, const char *text, size_t len, char *sha)
{
    redisReply *reply = check(redisCommand(bench->redis, "SCRIPT LOAD %b", text, len), bench);
    if (sha != NULL)
        snprintf(sha, 64, "%s", reply->str);
    freeReplyObject(reply);
}

static void fill(struct bench *bench)
{
    for (int id = SCRIPT_NONE + 1; id < SCRIPT_COUNT; id++) {
        const struct script *script = script_of((enum script_id)id);
        for (int i = 0; i < script->key_count; i++)
            snprintf(bench->keys[id][i], sizeof(bench->keys[id][i]), BASE "|pool%s%s", i ? "|" : "",
                     i ? script->keys[i] : "");
        load_script(bench, script->text.ptr, script->text.len, NULL);
    }
    load_script(bench, seed_malloc, strlen(seed_malloc), bench->take_sha);
    load_script(bench, seed_free, strlen(seed_free), bench->give_sha);
    freeReplyObject(check(redisCommand(bench->redis, "EVAL %s 0 %d", seed_fill, RESOURCES), bench));
    say_script(bench, SCRIPT_POOL_EXTEND);
    say(&bench->words, "-1");
    for (int i = 0; i < RESOURCES; i++)
        say_number(&bench->words, "r", i + 1);
    send_words(bench);
    hear(bench, 1, 0);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    char folder[] = "/tmp/rallocd-bench-XXXXXX", socket[64], log[64];
    int rounds = argc == 3 && strcmp(argv[1], "--rounds") == 0 ? atoi(argv[2]) : 9;
    if ((argc != 1 && argc != 3) || rounds < 1 || rounds > MAX_ROUNDS)
        errx(2, "usage: scripts [--rounds N], at most %d", MAX_ROUNDS);
    if (mkdtemp(folder) == NULL)
        err(1, "%s", folder);
    snprintf(socket, sizeof(socket), "%s/redis.sock", folder);
    snprintf(log, sizeof(log), "%s/log", folder);
    pid_t redis = proc_start((const char *const[]){"redis-server", "--port", "0", "--unixsocket",
                                                   socket, "--dir", folder, "--save", "", NULL},
                             log);
    proc_wait_for(socket, redis, log);
    bench.redis = redisConnectUnix(socket);
    if (bench.redis == NULL || bench.redis->err != 0)
        errx(1, "%s: no connection", socket);
    fill(&bench);
    for (int round = 0; round < rounds; round++)
        for (int way = 0; way < WAYS; way++)
            measure(&bench, (enum way)way, round);
    print(&bench, rounds);
    redisFree(bench.redis);
    proc_stop(redis);
    unlink(log);
    unlink(socket);
    rmdir(folder);
    return 0;
}
