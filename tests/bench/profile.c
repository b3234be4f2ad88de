/* profile: the section about the daemon's own instructions, in user space, libraries included.
 * Runs of valgrind's callgrind are compared, so that start and end of the daemon count for nothing:
 * so many pairs, twice as many pairs, and so many pairs and then as many MALLOCs alone.
 * Knows: stage, ways, load, callgrind. */
#include "base/mem.h"
#include "callgrind.h"
#include "section.h"
#include "stage.h"
#include "ways.h"
#include <stdlib.h>
#include <string.h>

#define UNITS     2000 /* of each kind in a run */
#define FUNCTIONS 10   /* that are told */

enum { FEW, MANY, MANY_CLIENTS = 50 };

/* Enough resources for takes that are not given back. */
static const struct pool_plan pool = {.name = "small", .resources = 10000};

struct profile {
    int clients;
    struct callgrind once, twice; /* so many pairs */
    double pair, take;            /* instructions */
    double batch;                 /* operations of one */
};

/* A take that is not given back. */
static void drop_give(struct way *way)
{
    words_clear(&way->target.give);
}

/* Pairs, then takes alone, in a daemon under callgrind. */
static void run(const struct options *options, int clients, uint64_t pairs, uint64_t takes,
                struct callgrind *callgrind, double *batch)
{
    char *file = mem_printf("%s/callgrind", options->folder);
    char *option = mem_printf("--callgrind-out-file=%s", file);
    const char *const wrapper[] = {"valgrind", "--tool=callgrind", "--dump-line=no", option, NULL};
    struct stage_plan plan = {.folder = options->folder,
                              .rallocd = options->rallocd,
                              .daemon_count = 1,
                              .wrapper = wrapper};
    struct way_plan way_plan = {.side = SIDE_DAEMON, .pool = pool, .daemon_count = 1};
    struct load_plan load_plan = {.clients = clients, .depth = 1, .units = pairs};
    struct load_result result;
    struct stage stage;
    struct way way;
    stage_start(&stage, &plan);
    way_init(&way, &stage, &way_plan);
    load_run(&way.target, &load_plan, &result);
    *batch = (double)program_info(&stage.daemons[0], "redis", "batched_operations") /
             (double)program_info(&stage.daemons[0], "redis", "operation_batches");
    drop_give(&way);
    load_plan.units = takes;
    if (takes > 0)
        load_run(&way.target, &load_plan, &result);
    way_clear(&way);
    stage_stop(&stage);
    callgrind_read(callgrind, file);
    mem_free(option);
    mem_free(file);
}

static void measure(const struct options *options, int clients, struct profile *profile)
{
    struct callgrind takes;
    profile->clients = clients;
    run(options, clients, UNITS, 0, &profile->once, &profile->batch);
    run(options, clients, UNITS, UNITS, &takes, &profile->batch);
    run(options, clients, 2L * UNITS, 0, &profile->twice, &profile->batch);
    profile->pair = (double)(profile->twice.total - profile->once.total) / UNITS;
    profile->take = (double)(takes.total - profile->once.total) / UNITS;
    callgrind_clear(&takes);
}

/* --- the functions -----------------------------------------------------------------------------
 */

/* Instructions for one pair; what has nothing to do with pairs may have been fewer in the longer
 * run. */
static double of_function(const struct profile *profile, const char *function)
{
    double more =
        (double)(callgrind_of(&profile->twice, function) - callgrind_of(&profile->once, function));
    return more > 0 ? more / UNITS : 0;
}

/* The functions of a profile by what they add to a pair. Sorts them in `twice`, where the cost of
 * `once` has been taken off. */
static int by_cost(const void *a, const void *b)
{
    const struct callgrind_cost *left = a, *right = b;
    return (right->instructions > left->instructions) - (right->instructions < left->instructions);
}

static void print_functions(const struct profile profiles[2], FILE *report)
{
    const struct callgrind *twice = &profiles[MANY].twice;
    size_t size = (size_t)twice->count * sizeof(*twice->costs);
    struct callgrind_cost *sorted = mem_alloc(size);
    memcpy(sorted, twice->costs, size);
    for (int i = 0; i < twice->count; i++)
        sorted[i].instructions -= callgrind_of(&profiles[MANY].once, sorted[i].function);
    qsort(sorted, (size_t)twice->count, sizeof(*sorted), by_cost);
    fprintf(report,
            "\nThe %d functions with the most of them (without what they call), for one pair:\n\n"
            "| function | %d clients | %d client |\n| --- | ---: | ---: |\n",
            FUNCTIONS, profiles[MANY].clients, profiles[FEW].clients);
    for (int i = 0; i < FUNCTIONS && i < twice->count; i++) {
        const char *function = sorted[i].function;
        double many = of_function(&profiles[MANY], function);
        double few = of_function(&profiles[FEW], function);
        fprintf(report, "| %s | %.0f (%.1f %%) | %.0f (%.1f %%) |\n", function, many,
                100 * many / profiles[MANY].pair, few, 100 * few / profiles[FEW].pair);
    }
    mem_free(sorted);
}

void section_profile(const struct options *options, FILE *report)
{
    struct profile profiles[2];
    fputs("\n## Instructions of the daemon\n\n", report);
    if (!proc_is_installed("valgrind")) {
        fputs("Not measured: valgrind is not installed.\n", report);
        return;
    }
    measure(options, 1, &profiles[FEW]);
    measure(options, MANY_CLIENTS, &profiles[MANY]);
    fputs("In user space, libraries included, as valgrind's callgrind counts them; start and end "
          "cancel out.\n\n"
          "| clients | MALLOC | FREE | both | operations of a batch |\n"
          "| ---: | ---: | ---: | ---: | ---: |\n",
          report);
    for (int i = FEW; i <= MANY; i++)
        fprintf(report, "| %d | %.0f | %.0f | %.0f | %.1f |\n", profiles[i].clients,
                profiles[i].take, profiles[i].pair - profiles[i].take, profiles[i].pair,
                profiles[i].batch);
    print_functions(profiles, report);
    for (int i = FEW; i <= MANY; i++) {
        callgrind_clear(&profiles[i].once);
        callgrind_clear(&profiles[i].twice);
    }
}
