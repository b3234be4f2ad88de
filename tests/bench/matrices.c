/* matrices: the sections that compare ways to the same resources: which rows and which ways.
 * Knows: matrix, tables, plot.  Must not know: how a way is measured. */
#include "base/mem.h"
#include "matrix.h"
#include "plot.h"
#include "section.h"
#include "tables.h"

enum { SEED, OURS, DAEMON };

static const struct pool_plan small = {.name = "small", .resources = 1000};
/* For so many clients that the small one could be empty for a moment. */
static const struct pool_plan wide = {.name = "wide", .resources = 2000};

/* The three ways that most sections compare. */
static struct matrix *three_ways(const char *name)
{
    struct matrix *matrix = mem_zalloc(sizeof(*matrix));
    *matrix = (struct matrix){
        .name = name,
        .ways = {[SEED] = "library's scripts", [OURS] = "our scripts", [DAEMON] = "rallocd"},
        .way_count = 3,
        .ratios = {{DAEMON, SEED}, {DAEMON, OURS}},
        .ratio_count = 2,
    };
    return matrix;
}

static struct row *add(struct matrix *matrix, bool is_unix, int clients, int depth,
                       const struct pool_plan *pool, const char *label)
{
    struct row *row = matrix_add(matrix, is_unix, clients, depth, label);
    row->plans[SEED] = (struct way_plan){.side = SIDE_SEED, .pool = *pool};
    row->plans[OURS] = (struct way_plan){.side = SIDE_OURS, .pool = *pool};
    row->plans[DAEMON] = (struct way_plan){.side = SIDE_DAEMON, .pool = *pool, .daemon_count = 1};
    return row;
}

/* On a stage of its own. */
static void run(struct matrix *matrix, const struct options *options, int daemons, FILE *report)
{
    struct stage stage;
    struct stage_plan plan = {
        .folder = options->folder, .rallocd = options->rallocd, .daemon_count = daemons};
    stage_start(&stage, &plan);
    matrix_measure(matrix, &stage, options->rounds, options->seconds);
    stage_stop(&stage);
    tables_print(matrix, report);
}

void section_pairs(const struct options *options, FILE *report)
{
    struct matrix *matrix = three_ways("pairs");
    for (int is_unix = 0; is_unix < 2; is_unix++) {
        add(matrix, is_unix, 1, 1, &small, "1,000");
        add(matrix, is_unix, 8, 1, &small, "1,000");
        add(matrix, is_unix, 50, 1, &small, "1,000");
        add(matrix, is_unix, 200, 1, &small, "1,000");
        add(matrix, is_unix, 1000, 1, &wide, "2,000");
    }
    fputs("\n## MALLOC+FREE pairs\n\n"
          "A client takes a resource with a lease of 120 s and gives it back. (With 1,000 clients "
          "the pool has 2,000, so\nthat nobody finds it empty.)\n",
          report);
    run(matrix, options, 1, report);
    if (options->only == NULL)
        plot_pairs(matrix, options->out);
    mem_free(matrix);
}
