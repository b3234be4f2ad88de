/* leases: MALLOC FREE RENEW HELD.
 * Knows: pool/leases.  Must not know: how an operation reaches Redis. */
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/holds.h"
#include "commands/outcome.h"
#include "daemon.h"
#include "pool/more.h"
#include "pool/waits.h"

static void end_malloc(void *arg, const struct err *err, const struct leases *leases)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);

    if (outcome_failed(later, err))
        return;
    /* Nobody will ever free what a client got that is gone. With REQID it will ask again. */
    if (turn_is_orphan(later->turn) && !(later->given & OPT_REQID) && !later->is_shared)
        leases_give_back(later->pool, leases);
    if (later->given & OPT_COUNT)
        reply_array(reply, leases->count);
    else if (leases->count == 0)
        reply_null(reply);
    outcome_put_leases(reply, leases, later->given);
    if (later->given & OPT_SESSION)
        holds_take_leases(later, later->pool, leases);
    later_end(later);
}

static enum malloc_mode mode_of(const struct options *options)
{
    if (!(options->given & OPT_COUNT))
        return MALLOC_ONE;
    return options->given & OPT_ALL ? MALLOC_ALL : MALLOC_UP_TO;
}

static void tell_place(void *arg, int64_t place, int64_t expected_ms)
{
    struct peer *peer = turn_peer(((struct later *)arg)->turn);

    if (peer == NULL)
        return;
    struct reply *push = peer_begin_push(peer);
    reply_push(push, 3);
    reply_text(push, "waiting");
    reply_int(push, place);
    reply_int(push, expected_ms);
    peer_end_push(peer);
}

static void wait_for(struct ask *ask, struct later *later, const struct malloc_request *request)
{
    struct err err;

    if (!waiters_can_take(&ask->daemon->waiters, &err)) {
        later_fail(later, &err);
        return;
    }
    struct waiter *waiter =
        waits_malloc(later->pool, request, ask->options.wait_ms, end_malloc, later);
    outcome_wait(later, waiter);
    if (later->given & OPT_REPORT)
        waits_report(waiter, tell_place);
}

static bool check_wait_priority(struct ask *ask)
{
    if ((ask->options.given & OPT_PRIORITY) && !(ask->options.given & OPT_WAIT)) {
        ask_error(ask, ERR_GENERAL, "syntax error: PRIORITY goes with WAIT");
        return false;
    }
    return check_priority(ask, MOST_PRIORITY);
}

static bool check_report(struct ask *ask)
{
    if (!(ask->options.given & OPT_REPORT))
        return true;
    if (!(ask->options.given & OPT_WAIT))
        ask_error(ask, ERR_GENERAL, "syntax error: REPORT goes with WAIT");
    else if (peer_state(ask->peer)->protocol < 3)
        ask_error(ask, ERR_GENERAL, "REPORT wants RESP3: say HELLO 3 first");
    return !ask->has_failed;
}

/* What the scripts take as further options. more_clear() is due. */
static struct more more_of(const struct options *options)
{
    struct more more = {0};

    for (int i = 0; i < options->where_count; i++)
        more_add(&more, 'W', options->where[i]);
    if (options->given & OPT_PRIORITY)
        more_add_int(&more, 'P', options->priority);
    if (options->given & OPT_WITHDATA)
        more_add(&more, 'D', STR(""));
    return more;
}

void cmd_malloc(struct ask *ask)
{
    const struct options *options = &ask->options;
    struct pool *pool = check_pool(ask);
    char name[HOLDS_NAME_MAX];

    if (pool == NULL || !check_leases(ask, pool) || !check_count(ask) || !check_report(ask) ||
        !check_wait_priority(ask))
        return;
    if ((options->given & OPT_BINDTIMEOUT) && !(options->given & OPT_NAME)) {
        ask_error(ask, ERR_GENERAL, "syntax error: BINDTIMEOUT goes with NAME");
        return;
    }
    struct malloc_request request = {
        .mode = mode_of(options),
        .count = options->given & OPT_COUNT ? options->count : 1,
        .timeout_ms =
            options->given & OPT_TIMEOUT ? options->timeout_ms : pool->config->default_timeout_ms,
        .name = options->name,
        .binding_ms = options->given & OPT_BINDTIMEOUT ? options->binding_ms
                                                       : pool->config->binding_timeout_ms,
        .owner = options->owner,
        .reqid = options->reqid,
        .is_sole = turn_is_alone(ask->turn)};
    struct later *later = later_new(ask, pool);
    struct more more = more_of(options);
    request.more = more_text(&more);
    request.longest_ms = request.timeout_ms;
    if (options->given & OPT_SESSION) {
        request.timeout_ms = holds_begin(later, options);
        request.longest_ms = later->limit_ms;
        if (options->given & OPT_REQID)
            request.holder = holds_name(later, name);
    }
    if (options->given & OPT_WAIT)
        wait_for(ask, later, &request);
    else
        leases_malloc(pool, &request, end_malloc, later);
    more_clear(&more);
}

static void end_count(void *arg, const struct err *err, int64_t count)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_int(later_reply(later), count);
    later_end(later);
}

static void end_free(void *arg, const struct err *err, int64_t count)
{
    holds_end_free(arg, err == NULL);
    end_count(arg, err, count);
}

void cmd_free(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_leases(ask, pool))
        return;
    if ((ask->options.given & OPT_TOKEN) && ask->rest_count != 1) {
        ask_error(ask, ERR_GENERAL, "TOKEN goes with exactly one resource, not %d",
                  ask->rest_count);
        return;
    }
    if (!check_resources(ask, pool))
        return;
    struct free_request request = {.token = ask->options.token,
                                   .has_expiry = (ask->options.given & OPT_TIMEOUT) != 0,
                                   .expiry_ms = ask->options.timeout_ms,
                                   .resources = ask->rest,
                                   .count = ask->rest_count,
                                   .is_sole = turn_is_alone(ask->turn)};
    struct more more = {0};
    if (ask->options.given & OPT_OUTCOME)
        more_add(&more, 'O', str_of(ask->options.outcome));
    request.more = more_text(&more);
    struct later *later = later_new(ask, pool);
    for (int i = 0; i < ask->rest_count; i++)
        holds_free_lease(later, ask->peer, ask->rest[i], ask->options.token);
    leases_free(pool, &request, end_free, later);
    more_clear(&more);
}

void cmd_renew(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_leases(ask, pool) || !check_resource(ask, pool, ask->fixed[1]))
        return;
    int64_t timeout_ms = ask->options.given & OPT_TIMEOUT ? ask->options.timeout_ms
                                                          : pool->config->default_timeout_ms;
    leases_renew(pool, ask->fixed[1], ask->options.token, timeout_ms, turn_is_alone(ask->turn),
                 end_count, later_new(ask, pool));
}

static void end_held(void *arg, const struct err *err, const struct leases *leases)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_array(later_reply(later), leases->count);
    outcome_put_leases(later_reply(later), leases, OPT_WITHTOKEN);
    later_end(later);
}

void cmd_held(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL || !check_bytes(ask, ask->fixed[1], "owner"))
        return;
    leases_held(pool, ask->fixed[1], end_held, later_new(ask, pool));
}
