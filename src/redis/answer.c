#include "redis/answer.h"
#include "base/mem.h"
#include "base/num.h"
#include <hiredis/hiredis.h>

/* The two are one struct under two names, so that only this file and the links know hiredis. */
static const redisReply *reply_of(const struct answer *answer)
{
    return (const redisReply *)(const void *)answer;
}

const struct answer *answer_none(void)
{
    static const redisReply none = {.type = REDIS_REPLY_NIL};
    return (const struct answer *)(const void *)&none;
}

struct answer *answer_new_text(struct str text)
{
    redisReply *reply = mem_zalloc(sizeof(*reply));
    reply->type = REDIS_REPLY_STRING;
    reply->str =
        (char *)(uintptr_t)text.ptr; /* nobody writes to it: the type is older than const */
    reply->len = text.len;
    return (struct answer *)(void *)reply;
}

bool answer_is_none(const struct answer *answer)
{
    return reply_of(answer)->type == REDIS_REPLY_NIL;
}

bool answer_is_error(const struct answer *answer)
{
    return reply_of(answer)->type == REDIS_REPLY_ERROR;
}

bool answer_is_int(const struct answer *answer)
{
    return reply_of(answer)->type == REDIS_REPLY_INTEGER;
}

bool answer_is_array(const struct answer *answer)
{
    return reply_of(answer)->type == REDIS_REPLY_ARRAY;
}

struct str answer_str(const struct answer *answer)
{
    const redisReply *reply = reply_of(answer);
    if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS &&
        reply->type != REDIS_REPLY_ERROR)
        return STR("");
    return str_make(reply->str, reply->len);
}

int64_t answer_int(const struct answer *answer, int64_t otherwise)
{
    const redisReply *reply = reply_of(answer);
    int64_t n;
    if (reply->type == REDIS_REPLY_INTEGER)
        return reply->integer;
    if (reply->type == REDIS_REPLY_STRING && num_parse_int(answer_str(answer), &n))
        return n;
    return otherwise;
}

size_t answer_count(const struct answer *answer)
{
    return answer_is_array(answer) ? reply_of(answer)->elements : 0;
}

const struct answer *answer_at(const struct answer *answer, size_t i)
{
    if (i >= answer_count(answer) || reply_of(answer)->element[i] == NULL)
        return answer_none();
    return (const struct answer *)(const void *)reply_of(answer)->element[i];
}
