/* held: see held.h. */
#include "run/held.h"
#include "base/num.h"
#include "resp/reply.h"
#include <stdio.h>

void held_init(struct held *held, const struct plan *plan, struct rand *rand)
{
    *held = (struct held){.plan = plan, .wait_ms = -1};
    rand_token(rand, held->token);
}

/* TIMEOUT and seconds, with their thousandths. */
static size_t put_timeout(const struct plan *plan, char text[40], struct str *words)
{
    int len = snprintf(text, 40, "%lld.%03lld", (long long)(plan->timeout_ms / 1000),
                       (long long)(plan->timeout_ms % 1000));
    words[0] = STR("TIMEOUT");
    words[1] = str_make(text, (size_t)len);
    return 2;
}

void held_ask(const struct held *held, struct evbuffer *out)
{
    const struct plan *plan = held->plan;
    char timeout[40], wait[NUM_INT_MAX];
    struct str words[12];
    size_t count = 0;
    bool is_lock = plan->kind == PLAN_LOCK;
    words[count++] = is_lock ? STR("LOCK") : STR("MALLOC");
    words[count++] = str_of(plan->name);
    if (is_lock)
        words[count++] = str_of(held->token);
    else
        words[count++] = STR("WITHTOKEN");
    count += put_timeout(plan, timeout, words + count);
    if (plan->binding != NULL) {
        words[count++] = STR("NAME");
        words[count++] = str_of(plan->binding);
    }
    if (held->wait_ms >= 0) {
        words[count++] = STR("WAIT");
        words[count++] = str_make(wait, num_format_int(wait, held->wait_ms));
    }
    reply_command(out, words, count);
}

void held_renew(const struct held *held, struct evbuffer *out)
{
    const struct plan *plan = held->plan;
    char timeout[40];
    struct str words[8];
    size_t count = 0;
    bool is_lock = plan->kind == PLAN_LOCK;
    words[count++] = is_lock ? STR("EXTENDLOCK") : STR("RENEW");
    words[count++] = str_of(plan->name);
    words[count++] = str_of(is_lock ? held->token : held->resource);
    if (!is_lock) {
        words[count++] = STR("TOKEN");
        words[count++] = str_of(held->token);
    }
    count += put_timeout(plan, timeout, words + count);
    reply_command(out, words, count);
}

void held_give_back(const struct held *held, struct evbuffer *out)
{
    const struct str name = str_of(held->plan->name), token = str_of(held->token);
    const struct str unlock[] = {STR("UNLOCK"), name, token};
    const struct str give[] = {STR("FREE"), name,        STR("TOKEN"),
                               token,       STR("KEYS"), str_of(held->resource)};
    if (held->plan->kind == PLAN_LOCK)
        reply_command(out, unlock, 3);
    else
        reply_command(out, give, 6);
}

static bool keep(char *out, size_t size, struct str text)
{
    if (text.len >= size || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

bool held_take(struct held *held, const struct answer *answer, struct err *err)
{
    err->kind = ERR_NONE;
    if (answer_is_error(answer))
        return err_set(err, ERR_GENERAL, "the daemon says: %.*s", PRSTR(answer_str(answer)));
    if (answer_is_none(answer))
        return false;
    if (held->plan->kind == PLAN_LOCK) {
        held->fence = answer_int(answer, 0);
        snprintf(held->resource, sizeof(held->resource), "%s", held->plan->name);
        return held->fence > 0 || err_set(err, ERR_GENERAL, "an answer that is no fence");
    }
    held->fence = answer_int(answer_at(answer, 2), 0);
    if (answer_count(answer) == 4 &&
        keep(held->resource, sizeof(held->resource), answer_str(answer_at(answer, 0))) &&
        keep(held->token, sizeof(held->token), answer_str(answer_at(answer, 1))))
        return true;
    return err_set(err, ERR_GENERAL, "an answer that is no lease");
}
