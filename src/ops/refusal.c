/* refusal: see refusal.h. */
#include "ops/refusal.h"

static bool is_of_redis(struct str error)
{
    return str_starts(error, STR("OOM ")) || str_starts(error, STR("READONLY ")) ||
           str_starts(error, STR("MISCONF ")) || str_starts(error, STR("NOREPLICAS "));
}

struct str refusal_text(struct str error)
{
    long at = str_find(error, STR(" "));
    return at < 0 ? error : str_make(error.ptr + at + 1, error.len - (size_t)at - 1);
}

bool refusal_explain(enum script_id script, struct str error, struct err *err)
{
    char shown[300];
    enum err_kind kind = err_kind_of(error);
    if (kind == ERR_NOTOWNER || kind == ERR_QUOTA) {
        str_printable(refusal_text(error), shown, sizeof shown);
        return err_set(err, kind, "%s", shown);
    }
    if (is_of_redis(error)) {
        str_printable(error, shown, sizeof shown);
        return err_set(err, ERR_UPSTREAM, "Redis refused: %s: not done", shown);
    }
    if (str_starts(error, STR("ERR ")))
        error = refusal_text(error);
    if (script != SCRIPT_NONE)
        script_explain(script_of(script), error, shown, sizeof shown);
    else
        str_printable(error, shown, sizeof shown);
    return err_set(err, ERR_GENERAL, "%s", shown);
}
