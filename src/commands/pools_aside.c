/* pools_aside: what keeps resources from being handed out: POOL QUARANTINE RESTORE DRAIN PAUSE
 * RESUME. Knows: pool/members. */
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"

static void set_aside(struct ask *ask, enum aside_kind kind)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_resource(ask, pool, ask->fixed[1]))
        return;
    int64_t span_ms = ask->options.given & OPT_TIMEOUT ? ask->options.timeout_ms
                                                       : pool->config->unhealthy_timeout_ms;
    members_set_aside(pool, kind, kind == ASIDE_LEAVING ? 0 : span_ms, ask->options.reason,
                      &ask->fixed[1], 1, outcome_int, later_new(ask, pool));
}

void cmd_pool_quarantine(struct ask *ask)
{
    set_aside(ask, ASIDE_QUARANTINED);
}

void cmd_pool_drain(struct ask *ask)
{
    set_aside(ask, ASIDE_LEAVING);
}

void cmd_pool_restore(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL && check_resource(ask, pool, ask->fixed[1]))
        members_restore(pool, ASIDE_ANY, &ask->fixed[1], 1, outcome_int, later_new(ask, pool));
}

static void set_paused(struct ask *ask, bool is_paused)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL)
        members_pause(pool, is_paused, outcome_int, later_new(ask, pool));
}

void cmd_pool_pause(struct ask *ask)
{
    set_paused(ask, true);
}

void cmd_pool_resume(struct ask *ask)
{
    set_paused(ask, false);
}
