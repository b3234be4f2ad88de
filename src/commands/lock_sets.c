/* lock_sets: LOCKSET and its subcommands.
 * Knows: lock/sets. */
#include "base/name.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"
#include "lock/sets.h"

static bool check_set(struct ask *ask)
{
    struct err err;

    if (name_check(ask->fixed[0], NAME_POOL, &err))
        return true;
    ask_fail(ask, &err);
    return false;
}

static struct locks *locks_of(struct ask *ask)
{
    return &ask->daemon->locks;
}

void cmd_lockset_extend(struct ask *ask)
{
    if (check_set(ask) && check_lock_keys(ask))
        sets_extend(locks_of(ask), ask->fixed[0], ask->rest, ask->rest_count, outcome_int,
                    later_new(ask, NULL));
}

void cmd_lockset_shrink(struct ask *ask)
{
    if (check_set(ask) && check_lock_keys(ask))
        sets_shrink(locks_of(ask), ask->fixed[0], ask->rest, ask->rest_count, outcome_int,
                    later_new(ask, NULL));
}

void cmd_lockset_assign(struct ask *ask)
{
    if (check_set(ask) && check_lock_keys(ask))
        sets_assign(locks_of(ask), ask->fixed[0], ask->rest, ask->rest_count, outcome_ints,
                    later_new(ask, NULL));
}

/* The second of two counts: how many departed. */
void cmd_lockset_clear(struct ask *ask)
{
    if (check_set(ask))
        sets_assign(locks_of(ask), ask->fixed[0], NULL, 0, outcome_second_int,
                    later_new(ask, NULL));
}

void cmd_lockset_keys(struct ask *ask)
{
    if (check_set(ask))
        sets_keys(locks_of(ask), ask->fixed[0], outcome_texts, later_new(ask, NULL));
}

void cmd_lockset_has(struct ask *ask)
{
    if (check_set(ask) && check_bytes(ask, ask->fixed[1], "key"))
        sets_has(locks_of(ask), ask->fixed[0], ask->fixed[1], outcome_int, later_new(ask, NULL));
}

void cmd_lockset_len(struct ask *ask)
{
    if (check_set(ask))
        sets_len(locks_of(ask), ask->fixed[0], outcome_int, later_new(ask, NULL));
}

static void end_status(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);
    size_t pairs = answer_count(answer) / 2;

    if (outcome_failed(later, err))
        return;
    reply_map(reply, pairs);
    for (size_t i = 0; i < pairs; i++) {
        const struct answer *is_locked = answer_at(answer, 2 * i + 1);
        reply_bulk(reply, answer_str(answer_at(answer, 2 * i)));
        if (answer_is_none(is_locked))
            reply_null(reply);
        else
            reply_int(reply, answer_int(is_locked, 0));
    }
    later_end(later);
}

void cmd_lockset_status(struct ask *ask)
{
    if (check_set(ask) && check_lock_keys(ask))
        sets_status(locks_of(ask), ask->fixed[0], ask->rest, ask->rest_count, end_status,
                    later_new(ask, NULL));
}

void cmd_lockset_health(struct ask *ask)
{
    if (check_set(ask))
        sets_health(locks_of(ask), ask->fixed[0], outcome_ints, later_new(ask, NULL));
}
