/* bench: what the daemon costs and gives beside programs that call Redis themselves, in one run on
 * one machine. Writes report.md and report.svg; a section alone (--only) is printed and no more.
 * usage: bench <rallocd> <folder for the report> [--rounds N] [--seconds S] [--idle N]
 *              [--only SECTION]
 * Knows: the sections by name. */
#include "base/mem.h"
#include "proc.h"
#include "section.h"
#include "spread.h"
#include "watch.h"
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
    const char *name;
    void (*run)(const struct options *options, FILE *report);
} sections[] = {
    {"pairs", section_pairs}, {"pipelined", section_pipelined}, {"ceiling", section_ceiling},
    {"large", section_large}, {"kinds", section_kinds},         {"fleet", section_fleet},
    {"locks", section_locks}, {"handover", section_handover},   {"limit", section_limit},
    {"idle", section_idle},   {"scripts", section_scripts},     {"profile", section_profile},
    {"tasks", section_tasks}, {"probes", section_probes},
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

/* --- options -----------------------------------------------------------------------------------
 */

static bool is_section(const char *name)
{
    for (size_t i = 0; i < SECTIONS; i++) {
        if (strcmp(sections[i].name, name) == 0)
            return true;
    }
    return false;
}

static void end_with_usage(void)
{
    fprintf(stderr,
            "usage: bench <rallocd> <folder> [--rounds 1..%d] [--seconds 0.1..3600] "
            "[--idle 1..15000] [--only SECTION]\nsections:",
            SPREAD_MAX_ROUNDS);
    for (size_t i = 0; i < SECTIONS; i++)
        fprintf(stderr, " %s", sections[i].name);
    fputc('\n', stderr);
    exit(2);
}

static void set_option(struct options *options, const char *name, const char *text)
{
    double value = strtod(text, NULL);
    if (strcmp(name, "--rounds") == 0 && value >= 1 && value <= SPREAD_MAX_ROUNDS)
        options->rounds = (int)value;
    else if (strcmp(name, "--seconds") == 0 && value >= 0.1 && value <= 3600)
        options->seconds = value;
    else if (strcmp(name, "--idle") == 0 && value >= 1 && value <= 15000)
        options->idle = (int)value;
    else if (strcmp(name, "--only") == 0 && is_section(text))
        options->only = text;
    else
        end_with_usage();
}

static void parse_options(struct options *options, int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0)
        end_with_usage();
    *options = (struct options){
        .rallocd = argv[1], .out = argv[2], .rounds = 5, .idle = 10000, .seconds = 0.5};
    for (int i = 3; i < argc; i += 2)
        set_option(options, argv[i], argv[i + 1]);
}

/* Clients are open files, ours and those of the programs that inherit the limit. */
static void raise_limits(struct options *options)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        err(1, "getrlimit");
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < (rlim_t)options->idle + 100) {
        options->idle = (int)files.rlim_max - 100;
        warnx("only %d idle clients: that is the limit of open files", options->idle);
    }
}

/* --- the report --------------------------------------------------------------------------------
 */

static void begin_report(const struct options *options, FILE *report)
{
    char machine[512];
    proc_describe_machine(machine, sizeof(machine));
    fprintf(
        report,
        "# rallocd beside programs that call Redis themselves\n\n"
        "%s. Redis, the daemon and the load (one thread, the same for all ways) share it.\n"
        "Redis keeps an append-only file (everysec); the daemon reaches it by its Unix "
        "socket.\n\n"
        "The ways are measured turn by turn, in %d rounds of %g s each; figures are medians, "
        "ratios are of one round,\nmin / median / max. \"Library's scripts\": straight to Redis, "
        "with scripts that do what the Python library's do.\n\"Our scripts\": straight to "
        "Redis, with the daemon's own scripts for one operation, each client for itself.\n",
        machine, options->rounds, options->seconds);
}

static void write_report(const struct options *options, const char *text, size_t len)
{
    char *path = mem_printf("%s/report.md", options->out);
    FILE *out = fopen(path, "we");
    if (out == NULL || fwrite(text, 1, len, out) != len || fclose(out) != 0)
        err(1, "%s", path);
    mem_free(path);
}

/* One section, and how quiet the machine was. */
static void run_section(size_t section, const struct options *options, FILE *report)
{
    struct proc_machine before = proc_machine();
    sections[section].run(options, report);
    struct proc_machine after = proc_machine();
    double others = (after.others - before.others) / (after.all - before.all);
    /* ticks are coarse: of a short section it may be a little less than nothing */
    fprintf(report, "\nOthers had %.0f %% of the machine's processors meanwhile.\n",
            others > 0 ? 100 * others : 0);
    fflush(report);
}

static int measure(const char *folder, void *arg)
{
    struct options *options = arg;
    char *text;
    size_t len, shown = 0;
    FILE *report = open_memstream(&text, &len);
    if (report == NULL)
        err(1, "open_memstream");
    options->folder = folder;
    begin_report(options, report);
    for (size_t i = 0; i < SECTIONS; i++) {
        if (options->only != NULL && strcmp(options->only, sections[i].name) != 0)
            continue;
        run_section(i, options, report);
        fwrite(text + shown, 1, len - shown, stdout);
        fflush(stdout);
        shown = len;
    }
    if (options->only == NULL)
        write_report(options, text, len);
    fclose(report);
    free(text);
    return 0;
}

int main(int argc, char **argv)
{
    static struct options options;
    parse_options(&options, argc, argv);
    raise_limits(&options);
    return watch_run(measure, &options);
}
