/* options: the table of option words and its parser. See options.h. */
#include "commands/options.h"
#include "base/name.h"
#include "base/num.h"
#include "config/config.h"
#include <stdio.h>

#define MAX_PERMITS  INT64_C(1000000000) /* the scripts add them up exactly */
#define MAX_WAIT_MS  (INT64_C(365) * 24 * 3600 * 1000)
#define MAX_RETRIES  INT64_C(1000000)
#define MAX_PRIORITY INT64_C(1000000000)

const struct option option_table[] = {
    {"TIMEOUT", OPT_TIMEOUT, "seconds",
     "How long; fractions are allowed, 0 or less means for ever."},
    {"NAME", OPT_NAME, "name",
     "A soft binding: the resource that this name had last time is preferred."},
    {"BINDTIMEOUT", OPT_BINDTIMEOUT, "seconds",
     "How long the binding is remembered; 0 or less means for ever."},
    {"COUNT", OPT_COUNT, "n", "How many; at MALLOC the reply becomes an array."},
    {"ALL", OPT_ALL, NULL, "Right after COUNT n: all n of them or none."},
    {"OWNER", OPT_OWNER, "id",
     "Who holds it, for HELD; unless given, the user that the connection is logged in as, if any."},
    {"REQID", OPT_REQID, "id", "The same id again gets the same lease or lock, not a second one."},
    {"WITHTOKEN", OPT_WITHTOKEN, NULL,
     "Each resource as an array of resource, token, fence and time to live in ms."},
    {"TOKEN", OPT_TOKEN, "token", "Only the lease with this token; another is NOTOWNER."},
    {"IN", OPT_IN, "set", "The lock of this name that belongs to a lock set."},
    {"SHARED", OPT_SHARED, NULL, "Together with others who take it SHARED, each with a deadline."},
    {"PERMITS", OPT_PERMITS, "n OF m", "n of the lock's m permits; others may hold the rest."},
    {"SESSION", OPT_SESSION, NULL,
     "Held as long as this connection lives: renewed by the daemon, given back at the connection's "
     "end. TIMEOUT is then the longest that it may be held."},
    {"WAIT", OPT_WAIT, "ms",
     "Waits in line for up to so many milliseconds for what is not free; 0: without a limit."},
    {"REPORT", OPT_REPORT, NULL,
     "With WAIT, over RESP3: pushes `waiting place expected-ms` at once, and when the place has "
     "changed, at most once a second."},
    {"POLICY", OPT_POLICY, "policy",
     "Who may work on it: local (workers of this daemon), remote (all), localfirst, remotefirst, "
     "or auto (all when somebody listens, else this daemon's)."},
    {"ONCE", OPT_ONCE, NULL, "The result is dropped once it has been given."},
    {"NOWAIT", OPT_NOWAIT, NULL, "OK at once; the result is to be asked for."},
    {"DELAY", OPT_DELAY, "seconds", "Nobody gets the task before that time is over."},
    {"RETRIES", OPT_RETRIES, "n", "How often it goes back to its queue when its worker left it."},
    {"PRIORITY", OPT_PRIORITY, "n", "Higher ones come first; 0 unless said otherwise."},
    {"RETRY", OPT_RETRY, "seconds", "Another attempt is made after that time."},
    {"PUSH", OPT_PUSH, NULL,
     "Over RESP3: OK at once, then pushes `progress id current total`, and `result id payload` or "
     "`failed id error`."},
    {"MISSED", OPT_MISSED, "once|skip|all",
     "What becomes of firings that no daemon was there for: one task for all of them, none, or one "
     "for each."},
    {"REASON", OPT_REASON, "text", "Why, for those who ask by POOL STATUS."},
    {"OUTCOME", OPT_OUTCOME, "ok|slow|fail",
     "How it was with the resource: feeds its score and the pool's breaker."},
    {"WHERE", OPT_WHERE, "key=value [key=value ...]",
     "Only what has all these labels (POOL TAG), up to 8."},
    {"WITHDATA", OPT_WITHDATA, NULL,
     "Each resource as an array, what belongs to it (POOL SETDATA) as the last; nil: nothing "
     "does."},
    {"CAPACITY", OPT_CAPACITY, "n",
     "How many may hold each of these resources at once; else new ones get the pool's capacity, "
     "and known ones keep theirs."},
    {NULL, 0, NULL, NULL}};

static const struct option *find_option(struct str word)
{
    for (const struct option *option = option_table; option->word != NULL; option++) {
        if (str_eq_nocase(word, str_of(option->word)))
            return option;
    }
    return NULL;
}

static bool refuse(const char *command, struct str word, struct err *err)
{
    char shown[80];
    str_printable(word, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL, "syntax error: %s takes no option '%s'", command, shown);
}

static bool parse_seconds(const struct option *option, struct str value, int64_t *out,
                          struct err *err)
{
    char shown[80];
    if (num_parse_seconds(value, out))
        return true;
    str_printable(value, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL, "%s is not a number of seconds: '%s'", option->word, shown);
}

static bool parse_count(const struct option *option, struct str value, int64_t *out,
                        struct err *err)
{
    char shown[80];
    if (num_parse_int(value, out) && *out >= 1)
        return true;
    str_printable(value, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL, "%s is not a whole number from 1: '%s'", option->word, shown);
}

static bool parse_wait(struct str value, int64_t *out, struct err *err)
{
    char shown[80];
    if (num_parse_int(value, out) && *out >= 0 && *out <= MAX_WAIT_MS)
        return true;
    str_printable(value, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL,
                   "WAIT is not a whole number of milliseconds from 0 to %lld (a year): '%s'",
                   (long long)MAX_WAIT_MS, shown);
}

static bool parse_range(const struct option *option, struct str value, int64_t min, int64_t max,
                        int64_t *out, struct err *err)
{
    char shown[80];
    if (num_parse_int(value, out) && *out >= min && *out <= max)
        return true;
    str_printable(value, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL, "%s is not a whole number from %lld to %lld: '%s'",
                   option->word, (long long)min, (long long)max, shown);
}

static bool parse_pause(const struct option *option, struct str value, int64_t *out,
                        struct err *err)
{
    if (!parse_seconds(option, value, out, err))
        return false;
    return *out >= 0 || err_set(err, ERR_GENERAL, "%s is less than 0 seconds", option->word);
}

/* The place of a word among those that are allowed. */
static bool parse_word(const struct option *option, struct str value, const char *const *words,
                       unsigned count, unsigned *out, struct err *err)
{
    char shown[80], allowed[120];
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        if (str_eq_nocase(value, str_of(words[i]))) {
            *out = i;
            return true;
        }
        len += (size_t)snprintf(allowed + len, sizeof(allowed) - len, "%s%s", i > 0 ? ", " : "",
                                words[i]);
    }
    str_printable(value, shown, sizeof(shown));
    return err_set(err, ERR_GENERAL, "%s is none of %s: '%s'", option->word, allowed, shown);
}

static bool parse_outcome(const struct option *option, struct str value, const char **out,
                          struct err *err)
{
    static const char *const words[] = {"ok", "slow", "fail"};
    unsigned n = 0;
    bool is_word = parse_word(option, value, words, 3, &n, err);
    *out = words[n];
    return is_word;
}

static bool parse_policy(const struct option *option, struct str value, enum task_policy *out,
                         struct err *err)
{
    static const char *const words[] = {[TASK_AUTO] = "auto",
                                        [TASK_LOCAL] = "local",
                                        [TASK_REMOTE] = "remote",
                                        [TASK_LOCALFIRST] = "localfirst",
                                        [TASK_REMOTEFIRST] = "remotefirst"};
    unsigned place = 0;
    bool is_good = parse_word(option, value, words, 5, &place, err);
    *out = (enum task_policy)place;
    return is_good;
}

static bool parse_missed(const struct option *option, struct str value, enum task_missed *out,
                         struct err *err)
{
    unsigned place = 0;
    bool is_good = parse_word(option, value, task_missed_words, 3, &place, err);
    *out = (enum task_missed)place;
    return is_good;
}

static bool parse_bytes(const struct option *option, struct str value, struct str *out,
                        struct err *err)
{
    *out = value;
    return name_check_bytes(value, option->word, err);
}

static bool parse_label(struct str label, struct options *out, struct err *err)
{
    if (out->where_count == OPTIONS_MOST_LABELS)
        return err_set(err, ERR_GENERAL, "WHERE takes at most %d labels", OPTIONS_MOST_LABELS);
    out->where[out->where_count++] = label;
    return name_check_label(label, false, err);
}

/* The further labels behind WHERE key=value: no option word holds a '='. */
static bool parse_labels(const struct str *args, int count, int *at, struct options *out,
                         struct err *err)
{
    while (*at < count && str_find(args[*at], STR("=")) >= 0) {
        if (!parse_label(args[(*at)++], out, err))
            return false;
    }
    return true;
}

static bool parse_value(const struct option *option, struct str value, struct options *out,
                        struct err *err)
{
    switch (option->flag) {
    case OPT_TIMEOUT:
        return parse_seconds(option, value, &out->timeout_ms, err);
    case OPT_BINDTIMEOUT:
        return parse_seconds(option, value, &out->binding_ms, err);
    case OPT_COUNT:
        return parse_count(option, value, &out->count, err);
    case OPT_CAPACITY:
        return parse_range(option, value, 1, MOST_CAPACITY, &out->capacity, err);
    case OPT_WAIT:
        return parse_wait(value, &out->wait_ms, err);
    case OPT_NAME:
        return parse_bytes(option, value, &out->name, err);
    case OPT_OWNER:
        return parse_bytes(option, value, &out->owner, err);
    case OPT_REQID:
        return parse_bytes(option, value, &out->reqid, err);
    case OPT_OUTCOME:
        return parse_outcome(option, value, &out->outcome, err);
    case OPT_REASON:
        return parse_bytes(option, value, &out->reason, err);
    case OPT_WHERE:
        return parse_label(value, out, err);
    case OPT_IN:
        out->set = value;
        return name_check(value, NAME_POOL, err);
    case OPT_PERMITS:
        return parse_count(option, value, &out->permits, err);
    case OPT_POLICY:
        return parse_policy(option, value, &out->policy, err);
    case OPT_MISSED:
        return parse_missed(option, value, &out->missed, err);
    case OPT_DELAY:
        return parse_pause(option, value, &out->delay_ms, err);
    case OPT_RETRY:
        return parse_pause(option, value, &out->retry_ms, err);
    case OPT_RETRIES:
        return parse_range(option, value, 0, MAX_RETRIES, &out->retries, err);
    case OPT_PRIORITY:
        return parse_range(option, value, -MAX_PRIORITY, MAX_PRIORITY, &out->priority, err);
    default:
        return parse_bytes(option, value, &out->token, err);
    }
}

/* The OF m behind PERMITS n. */
static bool parse_limit(const struct str *args, int count, int *at, struct options *out,
                        struct err *err)
{
    if (*at + 2 > count || !str_eq_nocase(args[*at], STR("OF")))
        return err_set(err, ERR_GENERAL, "syntax error: PERMITS n wants OF m behind it");
    char shown[80];
    str_printable(args[*at + 1], shown, sizeof(shown));
    if (!num_parse_int(args[*at + 1], &out->limit) || out->limit < out->permits ||
        out->limit > MAX_PERMITS)
        return err_set(err, ERR_GENERAL,
                       "OF is not a whole number from %lld (PERMITS) to %lld: '%s'",
                       (long long)out->permits, (long long)MAX_PERMITS, shown);
    *at += 2;
    return true;
}

/* One option at args[at], which is known to be one; *at moves behind it (and the ALL of a COUNT).
 */
static bool parse_one(const char *command, const struct option *option, unsigned allowed,
                      const struct str *args, int count, int *at, struct options *out,
                      struct err *err)
{
    if (out->given & option->flag)
        return err_set(err, ERR_GENERAL, "syntax error: %s is given twice", option->word);
    if (option->flag == OPT_ALL)
        return err_set(err, ERR_GENERAL, "syntax error: ALL stands right after COUNT n");
    out->given |= option->flag;
    (*at)++;
    if (option->value == NULL)
        return true;
    if (*at == count)
        return err_set(err, ERR_GENERAL, "syntax error: %s of %s wants a value: %s", option->word,
                       command, option->value);
    if (!parse_value(option, args[(*at)++], out, err))
        return false;
    if (option->flag == OPT_PERMITS)
        return parse_limit(args, count, at, out, err);
    if (option->flag == OPT_WHERE)
        return parse_labels(args, count, at, out, err);
    if (option->flag == OPT_COUNT && (allowed & OPT_ALL) && *at < count &&
        str_eq_nocase(args[*at], STR("ALL"))) {
        out->given |= OPT_ALL;
        (*at)++;
    }
    return true;
}

bool options_parse(const char *command, unsigned allowed, bool has_rest, const struct str *args,
                   int count, struct options *out, int *used, struct err *err)
{
    int at = 0;

    *out = (struct options){0};
    while (at < count) {
        if (has_rest && str_eq_nocase(args[at], STR("KEYS"))) {
            at++;
            break;
        }
        const struct option *option = find_option(args[at]);
        if (option == NULL && has_rest)
            break;
        if (option == NULL || !(allowed & option->flag))
            return refuse(command, args[at], err);
        if (!parse_one(command, option, allowed, args, count, &at, out, err))
            return false;
    }
    *used = at;
    return true;
}

void options_print(unsigned allowed, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (const struct option *option = option_table; option->word != NULL; option++) {
        if (!(allowed & option->flag) || option->flag == OPT_ALL || len >= size)
            continue;
        int more =
            snprintf(out + len, size - len, "%s[%s%s%s%s]", len > 0 ? " " : "", option->word,
                     option->value != NULL ? " " : "", option->value != NULL ? option->value : "",
                     option->flag == OPT_COUNT && (allowed & OPT_ALL) ? " [ALL]" : "");
        len += more > 0 ? (size_t)more : 0;
    }
}
