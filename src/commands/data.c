/* data: what belongs to resources: POOL SETDATA GETDATA.
 * Knows: pool/members. */
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"

#define MOST_BYTES 65536

void cmd_pool_setdata(struct ask *ask)
{
    struct pool *pool = check_pool(ask);
    struct str bytes = ask->fixed[2];

    if (pool == NULL || !check_resource(ask, pool, ask->fixed[1]))
        return;
    if (bytes.len > MOST_BYTES) {
        ask_error(ask, ERR_GENERAL, "data of a resource: %zu bytes, at most %d are allowed",
                  bytes.len, MOST_BYTES);
        return;
    }
    members_set_data(pool, ask->fixed[1], bytes, outcome_int, later_new(ask, pool));
}

void cmd_pool_getdata(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL && check_resource(ask, pool, ask->fixed[1]))
        members_data(pool, ask->fixed[1], outcome_text, later_new(ask, pool));
}
