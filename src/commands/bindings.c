/* bindings: BIND UNBIND BOUND.
 * Knows: pool/members. */
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"

void cmd_bind(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_bytes(ask, ask->fixed[1], "name") ||
        !check_resource(ask, pool, ask->fixed[2]))
        return;
    int64_t binding_ms = ask->options.given & OPT_TIMEOUT ? ask->options.timeout_ms
                                                          : pool->config->binding_timeout_ms;
    members_bind(pool, ask->fixed[1], ask->fixed[2], binding_ms, outcome_ok, later_new(ask, pool));
}

void cmd_unbind(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_bytes(ask, ask->fixed[1], "name"))
        return;
    members_unbind(pool, ask->fixed[1], outcome_int, later_new(ask, pool));
}

void cmd_bound(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_bytes(ask, ask->fixed[1], "name"))
        return;
    members_bound(pool, ask->fixed[1], outcome_text, later_new(ask, pool));
}
