/* outcome: see outcome.h. */
#include "commands/outcome.h"
#include "daemon.h"
#include "pool/gang.h"

bool outcome_failed(struct later *later, const struct err *err)
{
    if (err == NULL)
        return false;
    later_fail(later, err);
    return true;
}

void outcome_ok(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    (void)answer;
    if (outcome_failed(later, err))
        return;
    reply_ok(later_reply(later));
    later_end(later);
}

void outcome_int(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_int(later_reply(later), answer_int(answer, 0));
    later_end(later);
}

/* Nil for none. */
static void end_or_nil(struct later *later, const struct err *err, const struct answer *answer,
                       void (*put)(struct reply *reply, const struct answer *answer))
{
    if (outcome_failed(later, err))
        return;
    if (answer_is_none(answer))
        reply_null(later_reply(later));
    else
        put(later_reply(later), answer);
    later_end(later);
}

static void put_int(struct reply *reply, const struct answer *answer)
{
    reply_int(reply, answer_int(answer, 0));
}

void outcome_int_or_nil(void *arg, const struct err *err, const struct answer *answer)
{
    end_or_nil(arg, err, answer, put_int);
}

void outcome_second_int(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_int(later_reply(later), answer_int(answer_at(answer, 1), 0));
    later_end(later);
}

static void put_text(struct reply *reply, const struct answer *answer)
{
    reply_bulk(reply, answer_str(answer));
}

void outcome_text(void *arg, const struct err *err, const struct answer *answer)
{
    end_or_nil(arg, err, answer, put_text);
}

void outcome_ints(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    reply_array(later_reply(later), answer_count(answer));
    for (size_t i = 0; i < answer_count(answer); i++)
        reply_int(later_reply(later), answer_int(answer_at(answer, i), 0));
    later_end(later);
}

static void put_texts(struct reply *reply, const struct answer *texts)
{
    reply_array(reply, answer_count(texts));
    for (size_t i = 0; i < answer_count(texts); i++)
        reply_bulk(reply, answer_str(answer_at(texts, i)));
}

void outcome_texts(void *arg, const struct err *err, const struct answer *answer)
{
    struct later *later = arg;

    if (outcome_failed(later, err))
        return;
    put_texts(later_reply(later), answer);
    later_end(later);
}

void outcome_texts_or_nil(void *arg, const struct err *err, const struct answer *answer)
{
    end_or_nil(arg, err, answer, put_texts);
}

static void wait_until(struct later *later, void (*gone)(void *arg), void *arg)
{
    later->is_patient = true;
    list_push(&later->daemon->waits, &later->node);
    turn_watch(later->turn, gone, arg);
}

static void stop_waiting(void *arg)
{
    waiter_gone(arg);
}

void outcome_wait(struct later *later, struct waiter *waiter)
{
    later->waiter = waiter;
    wait_until(later, stop_waiting, waiter);
}

static void stop_gang(void *arg)
{
    gang_gone(arg);
}

void outcome_wait_for_gang(struct later *later, struct gang *gang)
{
    later->gang = gang;
    wait_until(later, stop_gang, gang);
}

void outcome_put_int(struct reply *reply, const char *name, int64_t n)
{
    reply_text(reply, name);
    reply_int(reply, n);
}

void outcome_put_text(struct reply *reply, const char *name, const char *text)
{
    reply_text(reply, name);
    reply_text(reply, text);
}

static void put_lease(struct reply *reply, const struct lease *lease, bool with_token,
                      bool with_data)
{
    if (with_token || with_data)
        reply_array(reply, 1 + (with_token ? 3U : 0U) + (with_data ? 1U : 0U));
    reply_bulk(reply, lease->resource);
    if (with_token) {
        reply_bulk(reply, lease->token);
        reply_int(reply, lease->fence);
        reply_int(reply, lease->ttl_ms);
    }
    if (with_data && lease->has_data)
        reply_bulk(reply, lease->data);
    else if (with_data)
        reply_null(reply);
}

void outcome_put_fields(struct reply *reply, const struct answer *fields)
{
    for (size_t i = 0; i + 1 < answer_count(fields); i += 2) {
        const struct answer *value = answer_at(fields, i + 1);
        reply_bulk(reply, answer_str(answer_at(fields, i)));
        if (answer_is_int(value))
            reply_int(reply, answer_int(value, 0));
        else if (answer_is_none(value))
            reply_null(reply);
        else if (answer_is_array(value))
            put_texts(reply, value);
        else
            reply_bulk(reply, answer_str(value));
    }
}

void outcome_put_leases(struct reply *reply, const struct leases *leases, unsigned given)
{
    for (size_t i = 0; i < leases->count; i++) {
        struct lease lease = leases_at(leases, i);
        put_lease(reply, &lease, (given & OPT_WITHTOKEN) != 0, (given & OPT_WITHDATA) != 0);
    }
}
