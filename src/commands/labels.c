/* labels: what resources are like: POOL TAG TAGS.
 * Knows: pool/members.  Must not know: how labels are found. */
#include "base/name.h"
#include "commands/check.h"
#include "commands/handlers.h"
#include "commands/outcome.h"

enum {
    LABEL_FIELDS = 3, /* of the answer: label count free */
    MOST_LABELS = 64  /* of one resource, and of one call */
};

static bool check_labels(struct ask *ask)
{
    struct err err;

    if (ask->rest_count > MOST_LABELS) {
        ask_error(ask, ERR_GENERAL, "at most %d labels in one call, not %d", MOST_LABELS,
                  ask->rest_count);
        return false;
    }
    for (int i = 0; i < ask->rest_count; i++) {
        if (!name_check_label(ask->rest[i], true, &err)) {
            ask_fail(ask, &err);
            return false;
        }
    }
    return true;
}

void cmd_pool_tag(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool != NULL && check_resource(ask, pool, ask->fixed[1]) && check_labels(ask))
        members_tag(pool, ask->fixed[1], ask->rest, ask->rest_count, outcome_int_or_nil,
                    later_new(ask, pool));
}

static void end_tags(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;
    struct reply *reply = later_reply(later);

    if (outcome_failed(later, err))
        return;
    reply_array(reply, answer_count(answer) / LABEL_FIELDS);
    for (size_t i = 0; i + LABEL_FIELDS <= answer_count(answer); i += LABEL_FIELDS) {
        reply_array(reply, LABEL_FIELDS);
        reply_bulk(reply, answer_str(answer_at(answer, i)));
        reply_int(reply, answer_int(answer_at(answer, i + 1), 0));
        reply_int(reply, answer_int(answer_at(answer, i + 2), 0));
    }
    later_end(later);
}

void cmd_pool_tags(struct ask *ask)
{
    struct pool *pool = check_pool(ask);

    if (pool == NULL)
        return;
    if (ask->fixed_count == 1)
        members_tags(pool, STR(""), end_tags, later_new(ask, pool));
    else if (check_resource(ask, pool, ask->fixed[1]))
        members_tags(pool, ask->fixed[1], outcome_texts_or_nil, later_new(ask, pool));
}
