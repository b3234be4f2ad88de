/* plan: see plan.h. */
#include "run/plan.h"
#include "base/num.h"
#include <stdio.h>

#define DEFAULT_URL        "redis://127.0.0.1:7411"
#define DEFAULT_TIMEOUT_MS 30000
#define LEAST_TIMEOUT_MS   1000
#define MOST_TIMEOUT_MS    (INT64_C(24) * 3600 * 1000)

enum word { WORD_URL, WORD_POOL, WORD_LOCK, WORD_NAME, WORD_TIMEOUT, WORD_WAIT, WORD_COUNT };

static const char *const words[WORD_COUNT] = {
    [WORD_URL] = "--url",   [WORD_POOL] = "--pool",       [WORD_LOCK] = "--lock",
    [WORD_NAME] = "--name", [WORD_TIMEOUT] = "--timeout", [WORD_WAIT] = "--wait",
};

void plan_print_help(void)
{
    puts("usage: rallocd run [options] -- program [arguments]\n"
         "\n"
         "Takes a resource or a lock, runs the program, and gives it back when the program has "
         "ended.\n"
         "The program finds RESOURCE, TOKEN and FENCE in its environment. It is stopped (TERM, "
         "then\n"
         "KILL) before what it holds could be somebody else's.\n"
         "\n"
         "  --pool POOL      a resource of this pool\n"
         "  --lock KEY       or this lock\n"
         "  --name NAME      prefer the resource that NAME had last time\n"
         "  --timeout S      seconds that it stays held when we die (default 30, from 1 to 86400)\n"
         "  --wait S         wait so many seconds for it; 0: without limit. Without it nobody "
         "waits.\n"
         "  --url URL        the daemon: redis://[user:password@]host:port or unix:///path\n"
         "                   (default $RALLOCD_URL, else " DEFAULT_URL ")\n"
         "\n"
         "The exit status is the program's, or 128 + the signal that ended it; 2: wrong usage;\n"
         "69: the daemon cannot be had or refuses; 75: nothing was free in time; 76: it was lost "
         "and\n"
         "the program had to be stopped; 126, 127: the program cannot be run, is not there.");
}

static bool read_seconds(enum word word, const char *value, int64_t least, int64_t most,
                         int64_t *out, struct err *err)
{
    if (num_parse_seconds(str_of(value), out) && *out >= least && *out <= most)
        return true;
    return err_set(err, ERR_GENERAL, "%s is not a number of seconds from %lld to %lld: '%s'",
                   words[word], (long long)(least / 1000), (long long)(most / 1000), value);
}

static bool choose(struct plan *plan, enum plan_kind kind, const char *name, struct err *err)
{
    if (plan->name != NULL)
        return err_set(err, ERR_GENERAL, "one of --pool and --lock, and once: not '%s' as well",
                       name);
    plan->kind = kind;
    plan->name = name;
    return true;
}

static bool take_option(struct plan *plan, enum word word, const char *value, const char **url,
                        struct err *err)
{
    switch (word) {
    case WORD_URL:
        *url = value;
        return true;
    case WORD_POOL:
        return choose(plan, PLAN_POOL, value, err);
    case WORD_LOCK:
        return choose(plan, PLAN_LOCK, value, err);
    case WORD_NAME:
        plan->binding = value;
        return true;
    case WORD_TIMEOUT:
        return read_seconds(word, value, LEAST_TIMEOUT_MS, MOST_TIMEOUT_MS, &plan->timeout_ms, err);
    case WORD_WAIT:
        plan->is_waiting = true;
        return read_seconds(word, value, 0, MOST_TIMEOUT_MS, &plan->wait_ms, err);
    case WORD_COUNT:
        break;
    }
    return false;
}

/* "--pool=x" and "--pool x"; *at moves behind it. WORD_COUNT: no option. */
static enum word split_option(int argc, char **argv, int *at, const char **value)
{
    struct str given = str_of(argv[(*at)++]);
    long equals = str_find(given, STR("="));
    struct str name = equals < 0 ? given : str_make(given.ptr, (size_t)equals);
    int word = 0;
    while (word < WORD_COUNT && !str_eq(name, str_of(words[word])))
        word++;
    *value = equals >= 0 ? given.ptr + equals + 1 : *at < argc ? argv[(*at)++] : NULL;
    return (enum word)word;
}

static bool read_options(struct plan *plan, int argc, char **argv, const char **url,
                         enum plan_action *action, struct err *err)
{
    int at = 1;
    while (at < argc && strcmp(argv[at], "--") != 0) {
        const char *given = argv[at], *value;
        if (strcmp(given, "--help") == 0) {
            *action = PLAN_HELP;
            return true;
        }
        if (given[0] != '-')
            break;
        enum word word = split_option(argc, argv, &at, &value);
        if (word == WORD_COUNT)
            return err_set(err, ERR_GENERAL, "unknown option '%s': see rallocd run --help", given);
        if (value == NULL)
            return err_set(err, ERR_GENERAL, "%s wants a value", given);
        if (!take_option(plan, word, value, url, err))
            return false;
    }
    plan->argv = argv + (at < argc && strcmp(argv[at], "--") == 0 ? at + 1 : at);
    return true;
}

static bool check(const struct plan *plan, struct err *err)
{
    if (plan->name == NULL)
        return err_set(err, ERR_GENERAL, "which one? --pool POOL or --lock KEY is missing");
    if (plan->binding != NULL && plan->kind == PLAN_LOCK)
        return err_set(err, ERR_GENERAL, "--name goes with --pool, not with --lock");
    if (plan->argv[0] == NULL)
        return err_set(err, ERR_GENERAL, "which program? Its words stand behind --");
    return true;
}

static bool find_address(struct plan *plan, const char *url, struct err *err)
{
    if (!url_parse(str_of(url), &plan->url, err))
        return false;
    if (plan->url.scheme == URL_EMBEDDED)
        return err_set(err, ERR_GENERAL, "--url is not that of a daemon: '%s'", url);
    addr_of_url(&plan->url, &plan->addr);
    return true;
}

bool plan_read(struct plan *plan, int argc, char **argv, const char *url, enum plan_action *action,
               struct err *err)
{
    *plan = (struct plan){.timeout_ms = DEFAULT_TIMEOUT_MS};
    *action = PLAN_RUN;
    if (url == NULL || url[0] == '\0')
        url = DEFAULT_URL;
    if (!read_options(plan, argc, argv, &url, action, err))
        return false;
    return *action == PLAN_HELP || (check(plan, err) && find_address(plan, url, err));
}
