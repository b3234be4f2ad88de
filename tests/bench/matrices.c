/* matrices: the sections that compare ways to the same resources: which rows and which ways.
 * Knows: matrix, tables, plot.  Must not know: how a way is measured. */
#include "base/mem.h"
#include "matrix.h"
#include "plot.h"
#include "section.h"
#include "tables.h"

enum { SEED, OURS, DAEMON, MIRROR };

static const struct pool_plan small = {.name = "small", .resources = 1000};
/* For so many clients that the small one could be empty for a moment. */
static const struct pool_plan wide = {.name = "wide", .resources = 2000};
static const struct pool_plan large = {.name = "large", .resources = 1000000};
static const struct pool_plan shared = {.name = "rotating", .resources = 1000};
static const struct pool_plan named = {.name = "named", .resources = 1000, .is_named = true};

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
    struct stage_plan plan = {.folder = options->folder,
                              .rallocd = options->rallocd,
                              .daemon_count = daemons,
                              .has_mirror = matrix->rows[0].plans[MIRROR].side == SIDE_MIRROR};
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

void section_pipelined(const struct options *options, FILE *report)
{
    struct matrix *matrix = three_ways("pipelined");
    for (int is_unix = 0; is_unix < 2; is_unix++) {
        add(matrix, is_unix, 8, 16, &small, "1,000");
        add(matrix, is_unix, 50, 16, &small, "1,000");
    }
    fputs("\n## Pipelined\n\n"
          "A client goes after 16 pairs at once; it writes once for all answers that a read has "
          "brought.\n",
          report);
    run(matrix, options, 1, report);
    mem_free(matrix);
}

void section_ceiling(const struct options *options, FILE *report)
{
    static const int clients[] = {1, 8, 50, 200};
    struct matrix *matrix = three_ways("ceiling");
    matrix->ways[MIRROR] = "a mirror";
    matrix->way_count = MIRROR + 1;
    matrix->ratios[1][0] = MIRROR;
    matrix->ratios[1][1] = SEED;
    matrix->ratios[2][0] = DAEMON;
    matrix->ratios[2][1] = MIRROR;
    matrix->ratio_count = 3;
    for (int i = 0; i < 8; i++) {
        struct row *row = add(matrix, i >= 4, clients[i % 4], 1, &small, "1,000");
        row->plans[MIRROR] = (struct way_plan){.side = SIDE_MIRROR, .pool = small};
    }
    fputs(
        "\n## The ceiling\n\n"
        "The same pairs beside a mirror: a server that answers at once and does nothing, one read "
        "and one write for what\nhas come. No daemon in this place can be faster or cheaper.\n",
        report);
    run(matrix, options, 1, report);
    mem_free(matrix);
}

void section_large(const struct options *options, FILE *report)
{
    enum { DAEMON_SMALL = DAEMON + 1 };
    struct matrix *matrix = three_ways("large");
    matrix->ways[DAEMON_SMALL] = "rallocd, 1,000";
    matrix->way_count = DAEMON_SMALL + 1;
    matrix->ratios[2][0] = DAEMON;
    matrix->ratios[2][1] = DAEMON_SMALL;
    matrix->ratio_count = 3;
    for (int is_unix = 0; is_unix < 2; is_unix++) {
        struct row *row = add(matrix, is_unix, 50, 1, &large, "1,000,000");
        row->plans[DAEMON_SMALL] =
            (struct way_plan){.side = SIDE_DAEMON, .pool = small, .daemon_count = 1};
    }
    fputs("\n## A large pool\n\n"
          "Pairs in a pool of 1,000,000 resources, and through the daemon in one of 1,000 beside "
          "it.\n",
          report);
    run(matrix, options, 1, report);
    mem_free(matrix);
}

void section_kinds(const struct options *options, FILE *report)
{
    struct matrix *matrix = three_ways("kinds");
    add(matrix, false, 50, 1, &shared, "shared");
    add(matrix, false, 50, 1, &named, "named");
    fputs("\n## Shared pools and names\n\n"
          "Shared: MALLOC alone in a pool whose resources go round. Named: pairs where each client "
          "asks by a name of its\nown and gets the resource that it had. Of our scripts the one "
          "for batches does these, with one operation.\n",
          report);
    run(matrix, options, 1, report);
    mem_free(matrix);
}

void section_fleet(const struct options *options, FILE *report)
{
    enum { ALONE = OURS, FLEET = DAEMON };
    struct matrix *matrix = three_ways("fleet");
    matrix->ways[ALONE] = "1 daemon";
    matrix->ways[FLEET] = "4 daemons";
    for (int clients = 50; clients <= 200; clients += 150) {
        struct row *row = add(matrix, false, clients, 1, &small, "1,000");
        row->plans[ALONE] = row->plans[FLEET];
        row->plans[FLEET].daemon_count = STAGE_MAX_DAEMONS;
    }
    fputs("\n## Four daemons on one Redis\n\n"
          "Pairs of clients that are spread over four daemons with one namespace, beside one "
          "daemon and none.\n",
          report);
    run(matrix, options, STAGE_MAX_DAEMONS, report);
    mem_free(matrix);
}

void section_locks(const struct options *options, FILE *report)
{
    enum { RECIPE, LOCKS };
    struct matrix *matrix = mem_zalloc(sizeof(*matrix));
    *matrix = (struct matrix){.name = "locks",
                              .ways = {[RECIPE] = "SET and a script", [LOCKS] = "rallocd"},
                              .way_count = 2,
                              .ratios = {{LOCKS, RECIPE}},
                              .ratio_count = 1};
    for (int is_unix = 0; is_unix < 2; is_unix++) {
        for (int clients = 50; clients <= 200; clients += 150) {
            struct row *row = matrix_add(matrix, is_unix, clients, 1, "locks");
            row->plans[RECIPE].side = SIDE_RECIPE;
            row->plans[LOCKS] = (struct way_plan){.side = SIDE_LOCKS, .daemon_count = 1};
        }
    }
    fputs("\n## Locks\n\n"
          "Pairs of LOCK and UNLOCK, each client with a lock that nobody else wants, beside SET NX "
          "EX and a script that\ncompares and deletes (which give no fence).\n",
          report);
    run(matrix, options, 1, report);
    mem_free(matrix);
}

void section_limit(const struct options *options, FILE *report)
{
    struct matrix *matrix = mem_zalloc(sizeof(*matrix));
    *matrix = (struct matrix){.name = "limit", .ways = {"SET and DEL"}, .way_count = 1};
    for (int is_unix = 0; is_unix < 2; is_unix++) {
        matrix_add(matrix, is_unix, 50, 1, "none")->plans[0].side = SIDE_PLAIN;
        matrix_add(matrix, is_unix, 50, 16, "none")->plans[0].side = SIDE_PLAIN;
    }
    fputs("\n## What this Redis can do at most\n\n"
          "Pairs of SET NX EX and DEL of a key that each client has for itself: a lock that nobody "
          "else wants, no pool.\n",
          report);
    run(matrix, options, 0, report);
    mem_free(matrix);
}
