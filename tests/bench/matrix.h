/* matrix: rows that are measured in several ways each, turn by turn: round after round, in each the
 * rows one after another, in each row the ways right behind each other, so that they see the same
 * machine. Ratios are of one round each.
 * Knows: load, ways, proc.  Must not know: which ways there are. */
#ifndef BENCH_MATRIX_H
#define BENCH_MATRIX_H

#include "spread.h"
#include "ways.h"

#define MATRIX_MAX_WAYS   4
#define MATRIX_MAX_ROWS   16
#define MATRIX_MAX_RATIOS 3

struct measurement {
    double units_per_s, p50_us, p99_us;
    /* CPU time of a unit; the load's own is what it would take, however fast the rest were */
    double redis_us, daemon_us, load_us;
    double batch; /* operations of a batch; 0: there were none */
    double daemon_user_s, daemon_system_s;
};

struct row {
    bool is_unix;
    int clients, depth;
    const char *pool; /* for the table */
    struct way_plan plans[MATRIX_MAX_WAYS];
    struct way ways[MATRIX_MAX_WAYS];
    struct measurement results[MATRIX_MAX_WAYS][SPREAD_MAX_ROUNDS];
};

struct matrix {
    const char *name; /* for messages */
    const char *ways[MATRIX_MAX_WAYS];
    int way_count;
    int ratios[MATRIX_MAX_RATIOS][2]; /* the first way over the second */
    int ratio_count;
    struct row rows[MATRIX_MAX_ROWS];
    int row_count;
    int rounds;
};

/* A row whose plans the caller fills in; its transport goes for all of them. */
struct row *matrix_add(struct matrix *matrix, bool is_unix, int clients, int depth,
                       const char *pool);
void matrix_measure(struct matrix *matrix, struct stage *stage, int rounds, double seconds);

/* The median of a column, which is given by its place in struct measurement. */
double matrix_median(const struct matrix *matrix, const struct row *row, int way, size_t place);
/* Likewise, of the first way over the second. */
struct spread matrix_ratio(const struct matrix *matrix, const struct row *row, const int ways[2],
                           size_t place);
#define MATRIX_MEDIAN(matrix, row, way, field) \
    matrix_median(matrix, row, way, offsetof(struct measurement, field))

#endif
