/* beats: BEAT BEATS LEAVE.
 * Knows: lock/beats. */
#include "lock/beats.h"
#include "base/name.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"

static bool check_group(struct ask *ask)
{
    struct err err;

    if (name_check(ask->fixed[0], NAME_NAMESPACE, &err))
        return true;
    ask_fail(ask, &err);
    return false;
}

void cmd_beat(struct ask *ask)
{
    if (!check_group(ask) || !check_bytes(ask, ask->fixed[1], "member"))
        return;
    int64_t timeout_ms = ask->options.given & OPT_TIMEOUT
                             ? ask->options.timeout_ms
                             : ask->daemon->config.server.beat_timeout_ms;
    beats_beat(&ask->daemon->locks, ask->fixed[0], ask->fixed[1], timeout_ms, outcome_int,
               later_new(ask, NULL));
}

void cmd_beats(struct ask *ask)
{
    if (check_group(ask))
        beats_alive(&ask->daemon->locks, ask->fixed[0], outcome_texts, later_new(ask, NULL));
}

void cmd_leave(struct ask *ask)
{
    if (check_group(ask) && check_bytes(ask, ask->fixed[1], "member"))
        beats_leave(&ask->daemon->locks, ask->fixed[0], ask->fixed[1], outcome_int,
                    later_new(ask, NULL));
}
