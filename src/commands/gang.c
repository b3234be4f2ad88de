/* gang: MALLOCALL.
 * Knows: pool/gang.  Must not know: in which order pools are asked. */
#include "pool/gang.h"
#include "base/num.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/holds.h"
#include "commands/outcome.h"

static void end_mallocall(void *arg, const struct err *err, const struct gang_part *parts,
                          int count)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);

    if (outcome_failed(later, err))
        return;
    if (count == 0)
        reply_null(reply);
    else
        reply_array(reply, (size_t)count);
    for (int i = 0; i < count; i++) {
        const struct gang_part *part = &parts[i];
        if (turn_is_orphan(later->turn))
            leases_give_back(part->pool, &part->leases);
        reply_array(reply, part->leases.count);
        outcome_put_leases(reply, &part->leases, later->given);
        if (later->given & OPT_SESSION)
            holds_take_leases(later, part->pool, &part->leases);
    }
    later_end(later);
}

/* --- arguments ------------------------------------------------------------------------------- */

static bool check_pool_count(struct ask *ask)
{
    char shown[80];

    str_printable(ask->rest[ask->rest_count - 1], shown, sizeof(shown));
    if (ask->rest_count % 2 != 0)
        ask_error(ask, ERR_GENERAL, "syntax error: MALLOCALL wants a number behind pool '%s'",
                  shown);
    else if (ask->rest_count > 2 * GANG_MOST_POOLS)
        ask_error(ask, ERR_GENERAL, "MALLOCALL takes 1 to %d pools, not %d", GANG_MOST_POOLS,
                  ask->rest_count / 2);
    return !ask->has_failed;
}

/* All in all no more than COUNT may be. */
static bool check_number(struct ask *ask, const struct pool *pool, struct str text, int64_t *total,
                         int64_t *number)
{
    int64_t most = check_most(ask);
    char shown[80];

    if (num_parse_int(text, number) && *number >= 1 && *number <= most - *total) {
        *total += *number;
        return true;
    }
    str_printable(text, shown, sizeof(shown));
    ask_error(ask, ERR_GENERAL,
              "the number of pool '%s' is not a whole one from 1 to %lld, as all together are at "
              "most max_resources (with WITHDATA 100): '%s'",
              pool->name, (long long)(most - *total), shown);
    return false;
}

static struct pool *check_part(struct ask *ask, struct str name, const struct gang_part *before,
                               int count)
{
    struct err err;
    struct pool *pool = pools_get(&ask->daemon->pools, name, &err);

    if (pool == NULL) {
        ask_fail(ask, &err);
        return NULL;
    }
    if (pool->config->is_shared) {
        ask_error(ask, ERR_GENERAL,
                  "MALLOCALL does not go with pool '%s': it is shared, without leases", pool->name);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        if (before[i].pool == pool) {
            ask_error(ask, ERR_GENERAL, "MALLOCALL names pool '%s' twice", pool->name);
            return NULL;
        }
    }
    return pool;
}

/* The scripts cut it, too; here it is for the time that the reply tells. */
static int64_t cut_by(int64_t most_ms, int64_t timeout_ms)
{
    return most_ms > 0 && (timeout_ms <= 0 || timeout_ms > most_ms) ? most_ms : timeout_ms;
}

static bool read_parts(struct ask *ask, struct gang_part *parts)
{
    const struct options *options = &ask->options;
    int64_t total = 0;

    for (int i = 0; i < ask->rest_count / 2; i++) {
        struct gang_part *part = &parts[i];
        part->pool = check_part(ask, ask->rest[2 * i], parts, i);
        if (part->pool == NULL ||
            !check_number(ask, part->pool, ask->rest[2 * i + 1], &total, &part->count))
            return false;
        part->timeout_ms = options->given & OPT_TIMEOUT ? options->timeout_ms
                                                        : part->pool->config->default_timeout_ms;
        part->timeout_ms = cut_by(part->pool->config->max_lease_ms, part->timeout_ms);
        part->holding_ms = part->timeout_ms;
    }
    return true;
}

static void hold_by_session(struct later *later, const struct options *options,
                            struct gang_part *parts, int count)
{
    int64_t first_ms = holds_begin(later, options);
    for (int i = 0; i < count; i++) {
        parts[i].timeout_ms = first_ms;
        parts[i].holding_ms = later->limit_ms;
    }
}

void cmd_mallocall(struct ask *ask)
{
    const struct options *options = &ask->options;
    struct gang_part parts[GANG_MOST_POOLS] = {0};

    if (!check_pool_count(ask) || !read_parts(ask, parts))
        return;
    struct gang_request request = {.parts = parts,
                                   .count = ask->rest_count / 2,
                                   .owner = options->owner,
                                   .with_data = (options->given & OPT_WITHDATA) != 0,
                                   .can_wait = (options->given & OPT_WAIT) != 0,
                                   .wait_ms = options->wait_ms};
    struct later *later = later_new(ask, NULL);
    if (options->given & OPT_SESSION)
        hold_by_session(later, options, parts, request.count);
    struct gang *gang = gang_malloc(&request, end_mallocall, later);
    if (request.can_wait)
        outcome_wait_for_gang(later, gang);
}
