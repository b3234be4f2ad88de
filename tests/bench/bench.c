/* bench: what the daemon costs and gives beside programs that call Redis themselves. Closed-loop
 * MALLOC+FREE pairs, straight to Redis and through the daemon on the same Redis, turn by turn in
 * one run, so that both see the same machine; a ratio for each round. Then the memory of idle
 * clients. usage: bench <rallocd> <folder for the report> [--rounds N] [--seconds S] [--idle N]
 * Knows: load, proc, seed; the daemon's settings. */
#include "load.h"
#include "proc.h"
#include "seed.h"
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ROUNDS 50
#define RESOURCES  "1000"

enum way { DIRECT_TCP, DAEMON_TCP, DIRECT_UNIX, DAEMON_UNIX, WAYS };

static const int client_counts[] = {1, 8, 50, 200};
#define COUNTS (int)(sizeof(client_counts) / sizeof(client_counts[0]))

struct measurement {
    double pairs_per_s, p50_us, p99_us;
    double redis_us, daemon_us; /* CPU time of a pair */
};

struct bench {
    const char *program, *out;
    int rounds, idle;
    double seconds;
    char folder[64];
    char redis_log[128], daemon_log[128], redis_socket[128], daemon_socket[128];
    uint16_t redis_port, daemon_port;
    pid_t redis, daemon;
    char malloc_sha[64], free_sha[64];
    const char *direct_take[6], *direct_give[5];
    struct load_target targets[WAYS];
    struct measurement results[COUNTS][WAYS][MAX_ROUNDS];
    double idle_bytes;
};

/* --- the two programs --------------------------------------------------------------------------
 */

static uint16_t free_port(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t len = sizeof(where);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&where, sizeof(where)) != 0 ||
        getsockname(fd, (struct sockaddr *)&where, &len) != 0)
        err(1, "no free port");
    close(fd);
    return ntohs(where.sin_port);
}

static void start_programs(struct bench *bench)
{
    char port[16], listen[256], url[256];
    bench->redis_port = free_port();
    bench->daemon_port = free_port();
    snprintf(port, sizeof(port), "%u", bench->redis_port);
    snprintf(listen, sizeof(listen), "--server.listen=127.0.0.1:%u,unix:%s", bench->daemon_port,
             bench->daemon_socket);
    snprintf(url, sizeof(url), "--redis.url=unix://%s", bench->redis_socket);
    bench->redis =
        proc_start((const char *const[]){"redis-server", "--port", port, "--bind", "127.0.0.1",
                                         "--unixsocket", bench->redis_socket, "--dir",
                                         bench->folder, "--appendonly", "yes", "--appendfsync",
                                         "everysec", "--save", "", "--maxclients", "20000", NULL},
                   bench->redis_log);
    proc_wait_for(bench->redis_socket, bench->redis, bench->redis_log);
    bench->daemon =
        proc_start((const char *const[]){bench->program, listen, url, "--server.namespace=bench",
                                         "--server.maxclients=20000", "--log.level=warning", NULL},
                   bench->daemon_log);
    proc_wait_for(bench->daemon_socket, bench->daemon, bench->daemon_log);
}

static void fill_pools(struct bench *bench)
{
    char pool_word[32], extend[1000][8];
    const char *words[1003] = {"POOL", "EXTEND", "pairs"};
    int redis = load_connect(&bench->targets[DIRECT_UNIX]);
    int daemon = load_connect(&bench->targets[DAEMON_UNIX]);
    load_ask(redis, 4, (const char *const[]){"EVAL", seed_fill, "0", RESOURCES}, NULL, 0);
    load_ask(redis, 3, (const char *const[]){"SCRIPT", "LOAD", seed_malloc}, bench->malloc_sha,
             sizeof(bench->malloc_sha));
    load_ask(redis, 3, (const char *const[]){"SCRIPT", "LOAD", seed_free}, bench->free_sha,
             sizeof(bench->free_sha));
    for (int i = 0; i < 1000; i++) {
        snprintf(extend[i], sizeof(extend[i]), "r%d", i + 1);
        words[3 + i] = extend[i];
    }
    snprintf(pool_word, sizeof(pool_word), "%lld", load_ask(daemon, 1003, words, NULL, 0));
    if (strcmp(pool_word, RESOURCES) != 0)
        errx(1, "POOL EXTEND added %s instead of %s", pool_word, RESOURCES);
    close(redis);
    close(daemon);
}

static void describe_targets(struct bench *bench)
{
    static const char *const take[] = {"MALLOC", "pairs", "TIMEOUT", "120"};
    static const char *const give[] = {"FREE", "pairs", "%r"};
    const char *direct_take[] = {"EVALSHA", bench->malloc_sha, "0", "120", "", "3600"};
    const char *direct_give[] = {"EVALSHA", bench->free_sha, "0", "-1", "%r"};
    memcpy(bench->direct_take, direct_take, sizeof(direct_take));
    memcpy(bench->direct_give, direct_give, sizeof(direct_give));
    for (int way = 0; way < WAYS; way++) {
        bool is_direct = way == DIRECT_TCP || way == DIRECT_UNIX;
        bool is_unix = way == DIRECT_UNIX || way == DAEMON_UNIX;
        const char *socket = is_direct ? bench->redis_socket : bench->daemon_socket;
        bench->targets[way] = (struct load_target){
            .name = is_direct ? "Redis" : "rallocd",
            .unix_path = is_unix ? socket : NULL,
            .port = is_direct ? bench->redis_port : bench->daemon_port,
            .take = is_direct ? bench->direct_take : take,
            .take_count = is_direct ? 6 : 4,
            .give = is_direct ? bench->direct_give : give,
            .give_count = is_direct ? 5 : 3,
        };
    }
}

/* --- measuring ---------------------------------------------------------------------------------
 */

static void measure(struct bench *bench, int count, enum way way, int round)
{
    struct load_result result;
    struct measurement *m = &bench->results[count][way][round];
    double redis_s = proc_cpu_s(bench->redis), daemon_s = proc_cpu_s(bench->daemon);
    load_run(&bench->targets[way], client_counts[count], bench->seconds, &result);
    redis_s = proc_cpu_s(bench->redis) - redis_s;
    daemon_s = proc_cpu_s(bench->daemon) - daemon_s;
    if (result.empty > 0 || result.pairs == 0)
        errx(1, "%s: %llu pairs, %llu empty answers", bench->targets[way].name,
             (unsigned long long)result.pairs, (unsigned long long)result.empty);
    m->pairs_per_s = (double)result.pairs / result.seconds;
    m->p50_us = result.p50_us;
    m->p99_us = result.p99_us;
    /* CPU time counts from the first request, pairs from when a tenth of the time has passed */
    double all_pairs = (double)result.pairs * 1.1;
    m->redis_us = redis_s * 1e6 / all_pairs;
    m->daemon_us = daemon_s * 1e6 / all_pairs;
}

static void measure_all(struct bench *bench)
{
    for (int round = 0; round < bench->rounds; round++) {
        for (int count = 0; count < COUNTS; count++) {
            for (int way = 0; way < WAYS; way++)
                measure(bench, count, (enum way)way, round);
        }
        fprintf(stderr, "round %d of %d\n", round + 1, bench->rounds);
    }
}

/* Clients that have asked once and are silent since. */
static void measure_idle(struct bench *bench)
{
    const char *const ping[] = {"PING"};
    int *fds = calloc((size_t)bench->idle + 1, sizeof(*fds));
    if (fds == NULL)
        err(1, "calloc");
    long long before = proc_bytes(bench->daemon);
    for (int i = 0; i < bench->idle; i++) {
        fds[i] = load_connect(&bench->targets[DAEMON_UNIX]);
        load_ask(fds[i], 1, ping, NULL, 0);
    }
    bench->idle_bytes = (double)(proc_bytes(bench->daemon) - before) / bench->idle;
    for (int i = 0; i < bench->idle; i++)
        close(fds[i]);
    free(fds);
}

/* --- the report --------------------------------------------------------------------------------
 */

struct spread {
    double min, median, max;
};

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static struct spread spread_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), by_size);
    double median = (values[(count - 1) / 2] + values[count / 2]) / 2;
    return (struct spread){values[0], median, values[count - 1]};
}

/* The median over the rounds of one column, given by its place in struct measurement. */
static double median_of(const struct bench *bench, int count, enum way way, size_t offset)
{
    double values[MAX_ROUNDS];
    for (int i = 0; i < bench->rounds; i++)
        memcpy(&values[i], (const char *)&bench->results[count][way][i] + offset, sizeof(double));
    return spread_of(values, bench->rounds).median;
}
#define MEDIAN(way, field) median_of(bench, count, way, offsetof(struct measurement, field))

static struct spread ratio_of(const struct bench *bench, int count, enum way daemon,
                              enum way direct)
{
    double values[MAX_ROUNDS];
    for (int i = 0; i < bench->rounds; i++)
        values[i] = bench->results[count][daemon][i].pairs_per_s /
                    bench->results[count][direct][i].pairs_per_s;
    return spread_of(values, bench->rounds);
}

static void print_row(FILE *out, const struct bench *bench, int count, enum way direct,
                      enum way daemon)
{
    struct spread ratio = ratio_of(bench, count, daemon, direct);
    fprintf(out,
            "| %s | %d | %.0f | %.0f | %.2f / %.2f / %.2f | %.0f / %.0f | %.0f / %.0f | %.1f | "
            "%.1f + %.1f |\n",
            direct == DIRECT_TCP ? "TCP" : "Unix", client_counts[count],
            MEDIAN(direct, pairs_per_s), MEDIAN(daemon, pairs_per_s), ratio.min, ratio.median,
            ratio.max, MEDIAN(direct, p50_us), MEDIAN(direct, p99_us), MEDIAN(daemon, p50_us),
            MEDIAN(daemon, p99_us), MEDIAN(direct, redis_us), MEDIAN(daemon, redis_us),
            MEDIAN(daemon, daemon_us));
}

static void print_report(FILE *out, const struct bench *bench)
{
    char machine[512];
    proc_describe_machine(machine, sizeof(machine));
    fprintf(
        out,
        "# MALLOC+FREE pairs through rallocd beside plain scripts on Redis\n\n"
        "%s.\nRedis with an append-only file (everysec); the daemon reaches it by its Unix socket; "
        "load, daemon and\nRedis share the machine. Medians of %d rounds of %.1f s; ratio: pairs/s "
        "through the daemon over "
        "pairs/s of the\nplain scripts in the same round, min / median / max; latency of one "
        "request in µs, p50 / p99;\nCPU time of one pair in µs, of Redis, and of Redis + the "
        "daemon.\n\n"
        "| by | clients | Redis pairs/s | rallocd pairs/s | ratio | Redis latency | rallocd "
        "latency | Redis CPU | rallocd CPU |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        machine, bench->rounds, bench->seconds);
    for (int count = 0; count < COUNTS; count++)
        print_row(out, bench, count, DIRECT_TCP, DAEMON_TCP);
    for (int count = 0; count < COUNTS; count++)
        print_row(out, bench, count, DIRECT_UNIX, DAEMON_UNIX);
    fprintf(out, "\n%.0f bytes of the daemon's memory per idle client, at %d of them.\n",
            bench->idle_bytes, bench->idle);
}

/* A picture beside the table, where gnuplot is. */
static void plot(const struct bench *bench)
{
    static const char *const titles[WAYS] = {"Redis, TCP", "rallocd, TCP", "Redis, Unix",
                                             "rallocd, Unix"};
    FILE *out = popen("command -v gnuplot >/dev/null && gnuplot || cat >/dev/null", "w");
    if (out == NULL)
        return;
    fprintf(out,
            "set terminal svg size 800,500\nset output '%s/report.svg'\nset logscale x 2\n"
            "set xlabel 'clients'\nset ylabel 'pairs/s'\nset yrange [0:*]\nset key left top\n"
            "set grid\nplot ",
            bench->out);
    for (int way = 0; way < WAYS; way++)
        fprintf(out, "%s'-' with linespoints title '%s'", way == 0 ? "" : ", ", titles[way]);
    fputc('\n', out);
    for (int way = 0; way < WAYS; way++) {
        for (int count = 0; count < COUNTS; count++)
            fprintf(out, "%d %f\n", client_counts[count], MEDIAN((enum way)way, pairs_per_s));
        fputs("e\n", out);
    }
    pclose(out);
}

/* --- start and end -----------------------------------------------------------------------------
 */

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    (void)info, (void)flag, (void)where;
    return remove(path);
}

static void parse_options(struct bench *bench, int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0)
        errx(2, "usage: bench <rallocd> <folder> [--rounds N] [--seconds S] [--idle N]");
    bench->program = argv[1];
    bench->out = argv[2];
    bench->rounds = 5;
    bench->seconds = 1.8;
    bench->idle = 10000;
    for (int i = 3; i < argc; i += 2) {
        double value = strtod(argv[i + 1], NULL);
        if (strcmp(argv[i], "--rounds") == 0 && value >= 1 && value <= MAX_ROUNDS)
            bench->rounds = (int)value;
        else if (strcmp(argv[i], "--seconds") == 0 && value >= 0.1 && value <= 3600)
            bench->seconds = value;
        else if (strcmp(argv[i], "--idle") == 0 && value >= 1 && value <= 15000)
            bench->idle = (int)value;
        else
            errx(2, "%s %s: no such option or value", argv[i], argv[i + 1]);
    }
}

static void prepare(struct bench *bench)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        if (files.rlim_max < (rlim_t)bench->idle + 100) {
            bench->idle = (int)files.rlim_max - 100;
            fprintf(stderr, "only %d idle clients: that is the limit of open files\n", bench->idle);
        }
    }
    snprintf(bench->folder, sizeof(bench->folder), "/tmp/rallocd-bench-XXXXXX");
    if (mkdtemp(bench->folder) == NULL)
        err(1, "%s", bench->folder);
    snprintf(bench->redis_socket, sizeof(bench->redis_socket), "%s/redis.sock", bench->folder);
    snprintf(bench->daemon_socket, sizeof(bench->daemon_socket), "%s/rallocd.sock", bench->folder);
    snprintf(bench->redis_log, sizeof(bench->redis_log), "%s/redis.log", bench->folder);
    snprintf(bench->daemon_log, sizeof(bench->daemon_log), "%s/rallocd.log", bench->folder);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    char path[4096];
    parse_options(&bench, argc, argv);
    prepare(&bench);
    start_programs(&bench);
    describe_targets(&bench);
    fill_pools(&bench);
    measure_all(&bench);
    measure_idle(&bench);
    proc_stop(bench.daemon);
    proc_stop(bench.redis);

    snprintf(path, sizeof(path), "%s/report.md", bench.out);
    FILE *out = fopen(path, "we");
    if (out == NULL)
        err(1, "%s", path);
    print_report(out, &bench);
    if (fclose(out) != 0)
        err(1, "%s", path);
    plot(&bench);
    print_report(stdout, &bench);
    nftw(bench.folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
