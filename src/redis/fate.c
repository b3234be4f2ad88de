#include "redis/fate.h"

/* `in_script`: also where a script was stopped by it. Redis checks memory, disk, role and replicas
 * at a script's first write and lets it go on after that, so such an error still means that nothing
 * was done. Permissions are checked at each command: a script stopped by them may have written
 * before. */
struct refusal {
    const char *word;
    bool in_script;
    bool is_passing;
};

static const struct refusal refusals[] = {
    {.word = "LOADING", .in_script = true, .is_passing = true},
    {.word = "BUSY", .in_script = false, .is_passing = true},
    {.word = "MASTERDOWN", .in_script = true, .is_passing = true},
    {.word = "CLUSTERDOWN", .in_script = false, .is_passing = true},
    {.word = "TRYAGAIN", .in_script = false, .is_passing = true},
    {.word = "OOM", .in_script = true, .is_passing = false},
    {.word = "READONLY", .in_script = true, .is_passing = false},
    {.word = "MISCONF", .in_script = true, .is_passing = false},
    {.word = "NOREPLICAS", .in_script = true, .is_passing = false},
    {.word = "NOPERM", .in_script = false, .is_passing = false},
    {.word = "NOAUTH", .in_script = false, .is_passing = false},
    {.word = "NOSCRIPT", .in_script = false, .is_passing = false},
    {.word = "MOVED", .in_script = false, .is_passing = false},
    {.word = "ASK", .in_script = false, .is_passing = false},
    {.word = "CROSSSLOT", .in_script = false, .is_passing = false},
};

static const struct refusal *refusal_of(struct str error)
{
    struct str word = error;
    while (word.len > 0 && word.ptr[0] == '-')
        word = str_make(word.ptr + 1, word.len - 1);
    struct str first = word;
    if (!str_split(&word, ' ', &first))
        return NULL;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (str_eq(first, str_of(refusals[i].word)))
            return &refusals[i];
    }
    return NULL;
}

/* Redis up to 6.2 wraps what stopped a script: "ERR Error running script (call to f_<sha>):
 * @user_script:12: -OOM command not allowed ...". */
static struct str unwrap(struct str error)
{
    static const struct str wrapper = STR("ERR Error running script (call to ");
    if (!str_starts(error, wrapper))
        return error;
    long at = str_find(error, STR(": -"));
    return at < 0 ? error : str_make(error.ptr + at + 3, error.len - (size_t)at - 3);
}

enum call_fate fate_of(const struct answer *answer)
{
    if (!answer_is_error(answer))
        return CALL_ANSWERED;
    struct str error = answer_str(answer);
    bool in_script = str_find(error, STR("user_script:")) >= 0;
    const struct refusal *refusal = refusal_of(unwrap(error));
    if (refusal == NULL || (in_script && !refusal->in_script))
        return CALL_ANSWERED;
    return CALL_REFUSED;
}

bool fate_is_noscript(const struct answer *answer)
{
    return answer_is_error(answer) && fate_of(answer) == CALL_REFUSED &&
           str_starts(answer_str(answer), STR("NOSCRIPT"));
}

bool fate_is_passing(const struct answer *answer)
{
    if (!answer_is_error(answer))
        return false;
    const struct refusal *refusal = refusal_of(answer_str(answer));
    return refusal != NULL && refusal->is_passing;
}
