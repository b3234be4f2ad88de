/* explain: EXPLAIN.
 * Knows: pool/members.  Must not know: how the line is kept. */
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"
#include "pool/members.h"
#include <inttypes.h>
#include <stdio.h>

enum {
    LEASE_FIELDS = 3,  /* of the answer: resource owner ttl_ms */
    WAITER_FIELDS = 7, /* how count owner waited_ms expected_ms priority where */
    USUAL_COUNT = 10,
    MOST_COUNT = 1000
};

static void put_owner(struct reply *reply, struct str owner)
{
    reply_text(reply, "owner");
    if (owner.len > 0)
        reply_bulk(reply, owner);
    else
        reply_null(reply);
}

static void put_leases(struct reply *reply, const struct answer *leases)
{
    reply_text(reply, "leases");
    reply_array(reply, answer_count(leases) / LEASE_FIELDS);
    for (size_t i = 0; i + LEASE_FIELDS <= answer_count(leases); i += LEASE_FIELDS) {
        reply_map(reply, 3);
        reply_text(reply, "resource");
        reply_bulk(reply, answer_str(answer_at(leases, i)));
        put_owner(reply, answer_str(answer_at(leases, i + 1)));
        outcome_put_int(reply, "ttl_ms", answer_int(answer_at(leases, i + 2), -1));
    }
}

/* "1", "up to 4", "4 ALL" */
static void put_wish(struct reply *reply, struct str how, int64_t count)
{
    char text[64];
    if (str_eq(how, STR("a")))
        snprintf(text, sizeof(text), "%" PRId64 " ALL", count);
    else
        snprintf(text, sizeof(text), "%s%" PRId64, str_eq(how, STR("n")) ? "up to " : "", count);
    outcome_put_text(reply, "asks", text);
}

/* The labels that it wants. */
static void put_where(struct reply *reply, struct str where)
{
    struct str rest = where, label;
    size_t count = where.len > 0;
    for (size_t i = 0; i < where.len; i++)
        count += where.ptr[i] == '\1';
    reply_text(reply, "where");
    reply_array(reply, count);
    while (where.len > 0 && str_split(&rest, '\1', &label))
        reply_bulk(reply, label);
}

static void put_waiters(struct reply *reply, const struct answer *waiters)
{
    int64_t place = 0;
    reply_text(reply, "line");
    reply_array(reply, answer_count(waiters) / WAITER_FIELDS);
    for (size_t i = 0; i + WAITER_FIELDS <= answer_count(waiters); i += WAITER_FIELDS) {
        reply_map(reply, 7);
        outcome_put_int(reply, "place", ++place);
        put_wish(reply, answer_str(answer_at(waiters, i)),
                 answer_int(answer_at(waiters, i + 1), 1));
        put_owner(reply, answer_str(answer_at(waiters, i + 2)));
        outcome_put_int(reply, "waited_ms", answer_int(answer_at(waiters, i + 3), 0));
        outcome_put_int(reply, "expected_ms", answer_int(answer_at(waiters, i + 4), -1));
        outcome_put_int(reply, "priority", answer_int(answer_at(waiters, i + 5), 0));
        put_where(reply, answer_str(answer_at(waiters, i + 6)));
    }
}

static void end_explain(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);

    if (outcome_failed(later, err))
        return;
    reply_map(reply, 7);
    outcome_put_int(reply, "free", answer_int(answer_at(answer, 0), 0));
    outcome_put_int(reply, "leased", answer_int(answer_at(answer, 1), 0));
    outcome_put_int(reply, "aside", answer_int(answer_at(answer, 5), 0));
    outcome_put_int(reply, "paused", answer_int(answer_at(answer, 6), 0));
    outcome_put_int(reply, "waiters", answer_int(answer_at(answer, 2), 0));
    put_leases(reply, answer_at(answer, 3));
    put_waiters(reply, answer_at(answer, 4));
    later_end(later);
}

void cmd_explain(struct ask *ask)
{
    const struct options *options = &ask->options;
    int64_t count = options->given & OPT_COUNT ? options->count : USUAL_COUNT;
    struct pool *pool = check_pool(ask);

    if (pool == NULL)
        return;
    if (count > MOST_COUNT) {
        ask_error(ask, ERR_GENERAL, "COUNT of EXPLAIN is not from 1 to %d: %" PRId64, MOST_COUNT,
                  count);
        return;
    }
    members_explain(pool, count, end_explain, later_new(ask, pool));
}
