/* tables: see tables.h. */
#include "tables.h"
#include <stddef.h>

/* One of the three: a column for each way, then one for each ratio of what lies at `place`. */
struct table {
    const char *what;
    void (*print_way)(FILE *out, const struct matrix *matrix, const struct row *row, int way);
    size_t place; /* in struct measurement */
    bool is_cpu;  /* has columns for the daemon and the load behind the ratios */
};

/* --- columns -----------------------------------------------------------------------------------
 */

static void print_speed(FILE *out, const struct matrix *matrix, const struct row *row, int way)
{
    fprintf(out, " %.0f |", MATRIX_MEDIAN(matrix, row, way, units_per_s));
}

static void print_latency(FILE *out, const struct matrix *matrix, const struct row *row, int way)
{
    fprintf(out, " %.0f / %.0f |", MATRIX_MEDIAN(matrix, row, way, p50_us),
            MATRIX_MEDIAN(matrix, row, way, p99_us));
}

static void print_redis(FILE *out, const struct matrix *matrix, const struct row *row, int way)
{
    fprintf(out, " %.1f |", MATRIX_MEDIAN(matrix, row, way, redis_us));
}

static void print_ratios(FILE *out, const struct matrix *matrix, const struct row *row,
                         size_t place)
{
    for (int i = 0; i < matrix->ratio_count; i++) {
        struct spread ratio = matrix_ratio(matrix, row, matrix->ratios[i], place);
        fprintf(out, " %.2f / %.2f / %.2f |", ratio.min, ratio.median, ratio.max);
    }
}

/* The total is exact in each round, its halves are known over all rounds together. */
static void print_daemon(FILE *out, const struct matrix *matrix, const struct row *row, int way)
{
    double user = 0, system = 0, total = MATRIX_MEDIAN(matrix, row, way, daemon_us);
    for (int i = 0; i < matrix->rounds; i++) {
        user += row->results[way][i].daemon_user_s;
        system += row->results[way][i].daemon_system_s;
    }
    double share = user + system > 0 ? user / (user + system) : 0;
    fprintf(out, " %.1f + %.1f = %.1f | %.1f |", total * share, total * (1 - share), total,
            MATRIX_MEDIAN(matrix, row, way, batch));
}

static void print_load(FILE *out, const struct matrix *matrix, const struct row *row)
{
    for (int way = 0; way < matrix->way_count; way++)
        fprintf(out, "%s%.1f", way == 0 ? " " : " / ", MATRIX_MEDIAN(matrix, row, way, load_us));
    fputs(" |", out);
}

/* --- tables ------------------------------------------------------------------------------------
 */

static bool has_daemon(const struct matrix *matrix, int way)
{
    enum side side = matrix->rows[0].plans[way].side;
    return side == SIDE_DAEMON || side == SIDE_MIRROR;
}

static void print_head(FILE *out, const struct matrix *matrix, const struct table *table)
{
    int numbers = 2 + matrix->way_count + matrix->ratio_count;
    fprintf(out, "\n%s\n\n| by | pool | clients | pipelined |", table->what);
    for (int way = 0; way < matrix->way_count; way++)
        fprintf(out, " %s |", matrix->ways[way]);
    for (int i = 0; i < matrix->ratio_count; i++)
        fprintf(out, " %s / %s |", matrix->ways[matrix->ratios[i][0]],
                matrix->ways[matrix->ratios[i][1]]);
    for (int way = 0; table->is_cpu && way < matrix->way_count; way++) {
        if (!has_daemon(matrix, way))
            continue;
        fprintf(out, " CPU of %s | operations of a batch |", matrix->ways[way]);
        numbers += 2;
    }
    fputs(table->is_cpu ? " load |\n| --- | --- | ---: |" : "\n| --- | --- |", out);
    for (int i = 0; i < numbers; i++)
        fputs(" ---: |", out);
    fputc('\n', out);
}

static void print_row(FILE *out, const struct matrix *matrix, const struct table *table,
                      const struct row *row)
{
    fprintf(out, "| %s | %s | %d | %d |", row->is_unix ? "Unix" : "TCP", row->pool, row->clients,
            row->depth);
    for (int way = 0; way < matrix->way_count; way++)
        table->print_way(out, matrix, row, way);
    print_ratios(out, matrix, row, table->place);
    if (table->is_cpu) {
        for (int way = 0; way < matrix->way_count; way++) {
            if (has_daemon(matrix, way))
                print_daemon(out, matrix, row, way);
        }
        print_load(out, matrix, row);
    }
    fputc('\n', out);
}

void tables_print(const struct matrix *matrix, FILE *out)
{
    static const struct table tables[] = {
        {"Per second:", print_speed, offsetof(struct measurement, units_per_s), false},
        {"Latency of a request in µs, p50 / p99 (the ratios are those of p99):", print_latency,
         offsetof(struct measurement, p99_us), false},
        {"CPU time in µs: of Redis, way by way (the ratios are its); of the daemon, user + system; "
         "of the load\nitself, way by way:",
         print_redis, offsetof(struct measurement, redis_us), true},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        print_head(out, matrix, &tables[i]);
        for (int row = 0; row < matrix->row_count; row++)
            print_row(out, matrix, &tables[i], &matrix->rows[row]);
    }
}
