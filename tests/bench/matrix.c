/* matrix: see matrix.h. */
#include "matrix.h"
#include <err.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

struct row *matrix_add(struct matrix *matrix, bool is_unix, int clients, int depth,
                       const char *pool)
{
    if (matrix->row_count == MATRIX_MAX_ROWS)
        errx(1, "%s: more than %d rows", matrix->name, MATRIX_MAX_ROWS);
    struct row *row = &matrix->rows[matrix->row_count++];
    *row = (struct row){.is_unix = is_unix, .clients = clients, .depth = depth, .pool = pool};
    return row;
}

/* --- measuring ---------------------------------------------------------------------------------
 */

/* What is read at both ends of the time that counts. */
struct edges {
    const struct stage *stage;
    const struct way *way;
    struct reading {
        struct proc_cpu redis, daemons;
        double load_s;
    } start, end;
};

static double own_cpu_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void read_edge(void *arg, bool is_end)
{
    struct edges *edges = arg;
    struct reading *reading = is_end ? &edges->end : &edges->start;
    *reading = (struct reading){.redis = proc_cpu(edges->stage->redis.pid), .load_s = own_cpu_s()};
    for (int i = 0; i < edges->way->daemon_count; i++)
        reading->daemons = proc_cpu_sum(reading->daemons, proc_cpu(edges->way->daemons[i].pid));
    if (edges->way->mirror > 0)
        reading->daemons = proc_cpu(edges->way->mirror);
}

static double info_of_daemons(const struct way *way, const char *name)
{
    long long sum = 0;
    for (int i = 0; i < way->daemon_count; i++)
        sum += program_info(&way->daemons[i], "redis", name);
    return (double)sum;
}

static void measure(const struct stage *stage, const struct row *row, const struct way *way,
                    double seconds, struct measurement *m)
{
    struct edges edges = {.stage = stage, .way = way};
    struct load_plan plan = {.clients = row->clients,
                             .depth = row->depth,
                             .seconds = seconds,
                             .edge = read_edge,
                             .arg = &edges};
    struct load_result result;
    double batches = info_of_daemons(way, "operation_batches");
    double operations = info_of_daemons(way, "batched_operations");
    load_run(&way->target, &plan, &result);
    batches = info_of_daemons(way, "operation_batches") - batches;
    operations = info_of_daemons(way, "batched_operations") - operations;

    struct proc_cpu daemons = proc_cpu_since(edges.end.daemons, edges.start.daemons);
    double us = 1e6 / (double)result.units;
    *m = (struct measurement){
        .units_per_s = (double)result.units / result.seconds,
        .p50_us = result.p50_us,
        .p99_us = result.p99_us,
        .redis_us = (edges.end.redis.total - edges.start.redis.total) * us,
        .daemon_us = daemons.total * us,
        .load_us = (edges.end.load_s - edges.start.load_s) * us,
        .batch = batches > 0 ? operations / batches : 0,
        .daemon_user_s = daemons.user,
        .daemon_system_s = daemons.system,
    };
}

void matrix_measure(struct matrix *matrix, struct stage *stage, int rounds, double seconds)
{
    matrix->rounds = rounds;
    for (int i = 0; i < matrix->row_count; i++) {
        struct row *row = &matrix->rows[i];
        for (int way = 0; way < matrix->way_count; way++) {
            row->plans[way].is_unix = row->is_unix;
            way_init(&row->ways[way], stage, &row->plans[way]);
        }
    }
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < matrix->row_count; i++) {
            struct row *row = &matrix->rows[i];
            for (int turn = 0; turn < matrix->way_count; turn++) {
                /* back and forth, so that nobody always comes first */
                int way = round % 2 == 0 ? turn : matrix->way_count - 1 - turn;
                measure(stage, row, &row->ways[way], seconds, &row->results[way][round]);
            }
            stage_rest(stage);
        }
        fprintf(stderr, "%s: round %d of %d\n", matrix->name, round + 1, rounds);
    }
    for (int i = 0; i < matrix->row_count; i++)
        for (int way = 0; way < matrix->way_count; way++)
            way_clear(&matrix->rows[i].ways[way]);
}

/* --- figures -----------------------------------------------------------------------------------
 */

static double value_at(const struct measurement *m, size_t place)
{
    double value;
    memcpy(&value, (const char *)m + place, sizeof(value));
    return value;
}

double matrix_median(const struct matrix *matrix, const struct row *row, int way, size_t place)
{
    double values[SPREAD_MAX_ROUNDS];
    for (int i = 0; i < matrix->rounds; i++)
        values[i] = value_at(&row->results[way][i], place);
    return spread_of(values, matrix->rounds).median;
}

struct spread matrix_ratio(const struct matrix *matrix, const struct row *row, const int ways[2],
                           size_t place)
{
    double values[SPREAD_MAX_ROUNDS];
    for (int i = 0; i < matrix->rounds; i++)
        values[i] =
            value_at(&row->results[ways[0]][i], place) / value_at(&row->results[ways[1]][i], place);
    return spread_of(values, matrix->rounds);
}
