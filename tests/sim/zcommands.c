/* zcommands: the sorted sets of the keyspace.
 * Source: https://redis.io/docs/latest/commands (Redis 7.0). */
#include "base/num.h"
#include "tests/sim/keyspace_private.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool parse_score(struct str text, double *out)
{
    char buffer[64], *end;
    if (text.len == 0 || text.len >= sizeof buffer)
        return false;
    memcpy(buffer, text.ptr, text.len);
    buffer[text.len] = '\0';
    *out = strtod(buffer, &end);
    return *end == '\0' && !isnan(*out);
}

redisReply *make_score(struct keyspace *ks, double score)
{
    char text[64];
    if (isinf(score))
        return make_bulk(ks, score > 0 ? STR("inf") : STR("-inf"));
    snprintf(text, sizeof text, "%.17g", score);
    return make_bulk(ks, str_of(text));
}

static const struct zset *zset_of(struct keyspace *ks, struct str key, redisReply **error)
{
    static const struct zset none;
    struct value *value = value_get(ks, key, VALUE_ZSET, error);
    return value != NULL ? &value->zset : &none;
}

static redisReply *make_items(struct keyspace *ks, const struct zset *zset, size_t from, size_t to,
                              bool has_scores)
{
    size_t each = has_scores ? 2 : 1;
    redisReply *reply = make_array(ks, to > from ? (to - from) * each : 0);
    for (size_t i = from; i < to; i++) {
        reply->element[(i - from) * each] = make_bulk(ks, bytes_str(zset->items[i].member));
        if (has_scores)
            reply->element[(i - from) * each + 1] = make_score(ks, zset->items[i].score);
    }
    return reply;
}

static redisReply *run_zadd(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value;
    double score;
    int added = 0;
    if (count % 2 != 0)
        return make_error(ks, "ERR syntax error");
    for (int i = 2; i < count; i += 2) {
        if (!parse_score(args[i], &score))
            return make_error(ks, "ERR value is not a valid float");
    }
    value = value_need(ks, args[1], VALUE_ZSET, &error);
    if (value == NULL)
        return error;
    for (int i = 2; i < count; i += 2) {
        parse_score(args[i], &score);
        added += zset_put(&value->zset, args[i + 1], score);
    }
    return make_int(ks, added);
}

static redisReply *run_zrem(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value = value_get(ks, args[1], VALUE_ZSET, &error);
    int dropped = 0;
    if (value == NULL)
        return error != NULL ? error : make_int(ks, 0);
    for (int i = 2; i < count; i++)
        dropped += zset_drop(&value->zset, args[i]);
    if (value->zset.count == 0)
        value_drop(ks, args[1]);
    return make_int(ks, dropped);
}

static redisReply *run_zcard(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    const struct zset *zset = zset_of(ks, args[1], &error);
    (void)count;
    return error != NULL ? error : make_int(ks, (long long)zset->count);
}

static redisReply *run_zmscore(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL, *reply;
    const struct zset *zset = zset_of(ks, args[1], &error);
    if (error != NULL)
        return error;
    reply = make_array(ks, (size_t)count - 2);
    for (int i = 2; i < count; i++) {
        long at = zset_find(zset, args[i]);
        reply->element[i - 2] = at < 0 ? make_nil(ks) : make_score(ks, zset->items[at].score);
    }
    return reply;
}

static redisReply *run_zscore(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *reply = run_zmscore(ks, args, count);
    return reply->type == REDIS_REPLY_ARRAY ? reply->element[0] : reply;
}

/* --- ranges --------------------------------------------------------------------------------------
 */

/* "5", "(5", "-inf" */
static bool parse_end(struct str text, double *score, bool *is_open)
{
    *is_open = text.len > 0 && text.ptr[0] == '(';
    if (*is_open)
        text = str_make(text.ptr + 1, text.len - 1);
    return parse_score(text, score);
}

struct range {
    double min, max;
    bool is_min_open, is_max_open;
};

/* Redis looks at the range before it looks at the key. */
static bool parse_range(struct str low, struct str high, struct range *range)
{
    return parse_end(low, &range->min, &range->is_min_open) &&
           parse_end(high, &range->max, &range->is_max_open);
}

static void find_scores(const struct zset *zset, const struct range *range, size_t *from,
                        size_t *to)
{
    *from = 0;
    while (*from < zset->count && (range->is_min_open ? zset->items[*from].score <= range->min
                                                      : zset->items[*from].score < range->min))
        (*from)++;
    *to = *from;
    while (*to < zset->count && (range->is_max_open ? zset->items[*to].score < range->max
                                                    : zset->items[*to].score <= range->max))
        (*to)++;
}

static redisReply *run_zcount(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    const struct zset *zset;
    struct range range;
    size_t from, to;
    (void)count;
    if (!parse_range(args[2], args[3], &range))
        return make_error(ks, "ERR min or max is not a float");
    zset = zset_of(ks, args[1], &error);
    if (error != NULL)
        return error;
    find_scores(zset, &range, &from, &to);
    return make_int(ks, (long long)(to - from));
}

static redisReply *run_zrangebyscore(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    const struct zset *zset;
    struct range range;
    int64_t offset = 0, limit = -1;
    bool has_scores = false;
    size_t from, to;
    if (!parse_range(args[2], args[3], &range))
        return make_error(ks, "ERR min or max is not a float");
    zset = zset_of(ks, args[1], &error);
    if (error != NULL)
        return error;
    find_scores(zset, &range, &from, &to);
    for (int i = 4; i < count; i++) {
        if (str_eq_nocase(args[i], STR("WITHSCORES"))) {
            has_scores = true;
        } else if (i + 2 < count && str_eq_nocase(args[i], STR("LIMIT")) &&
                   num_parse_int(args[i + 1], &offset) && num_parse_int(args[i + 2], &limit)) {
            i += 2;
        } else {
            return make_error(ks, "ERR syntax error");
        }
    }
    from = from + (size_t)offset < to ? from + (size_t)offset : to;
    if (limit >= 0 && to - from > (size_t)limit)
        to = from + (size_t)limit;
    return make_items(ks, zset, from, to, has_scores);
}

static redisReply *run_zremrangebyscore(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    const struct zset *zset;
    struct range range;
    size_t from, to;
    (void)count;
    if (!parse_range(args[2], args[3], &range))
        return make_error(ks, "ERR min or max is not a float");
    zset = zset_of(ks, args[1], &error);
    if (error != NULL)
        return error;
    find_scores(zset, &range, &from, &to);
    for (size_t i = from; i < to; i++) {
        struct value *value = value_get(ks, args[1], VALUE_ZSET, &error);
        zset_drop(&value->zset, bytes_str(value->zset.items[from].member));
        if (value->zset.count == 0)
            value_drop(ks, args[1]);
    }
    return make_int(ks, (long long)(to - from));
}

static redisReply *run_zrange(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    const struct zset *zset;
    int64_t from, to, len;
    if (!num_parse_int(args[2], &from) || !num_parse_int(args[3], &to))
        return make_error(ks, "ERR value is not an integer or out of range");
    zset = zset_of(ks, args[1], &error);
    if (error != NULL)
        return error;
    len = (int64_t)zset->count;
    from = from < 0 ? from + len : from;
    to = to < 0 ? to + len : to;
    from = from < 0 ? 0 : from;
    to = to >= len ? len - 1 : to;
    if (from > to)
        return make_array(ks, 0);
    return make_items(ks, zset, (size_t)from, (size_t)to + 1,
                      count > 4 && str_eq_nocase(args[4], STR("WITHSCORES")));
}

/* Bounds of the form "[bytes" and "(bytes". */
static redisReply *run_zrangebylex(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    const struct zset *zset;
    size_t from = 0, to;
    (void)count;
    for (int i = 2; i < 4; i++) {
        if (args[i].len == 0 || (args[i].ptr[0] != '[' && args[i].ptr[0] != '('))
            return make_error(ks, "ERR min or max not valid string range item");
    }
    zset = zset_of(ks, args[1], &error);
    if (error != NULL)
        return error;
    struct str low = {args[2].ptr + 1, args[2].len - 1}, high = {args[3].ptr + 1, args[3].len - 1};
    while (from < zset->count) {
        int order = str_cmp(bytes_str(zset->items[from].member), low);
        if (order > 0 || (order == 0 && args[2].ptr[0] == '['))
            break;
        from++;
    }
    for (to = from; to < zset->count; to++) {
        int order = str_cmp(bytes_str(zset->items[to].member), high);
        if (order > 0 || (order == 0 && args[3].ptr[0] == '('))
            break;
    }
    return make_items(ks, zset, from, to, false);
}

/* All at once: Redis does so too while the set is small. */
static redisReply *run_zscan(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL, *reply = make_array(ks, 2);
    const struct zset *zset = zset_of(ks, args[1], &error);
    int64_t cursor;
    (void)count;
    if (error != NULL)
        return error;
    if (!num_parse_int(args[2], &cursor) || cursor < 0)
        return make_error(ks, "ERR invalid cursor");
    reply->element[0] = make_bulk(ks, STR("0"));
    reply->element[1] = make_items(ks, zset, 0, zset->count, true);
    return reply;
}

const struct row zset_rows[] = {
    {"zcard", 2, 1, 1, run_zcard},
    {"zadd", 4, 1, 1, run_zadd},
    {"zrem", 3, 1, 1, run_zrem},
    {"zrangebyscore", 4, 1, 1, run_zrangebyscore},
    {"zremrangebyscore", 4, 1, 1, run_zremrangebyscore},
    {"zrange", 4, 1, 1, run_zrange},
    {"zcount", 4, 1, 1, run_zcount},
    {"zmscore", 3, 1, 1, run_zmscore},
    {"zscore", 3, 1, 1, run_zscore},
    {"zrangebylex", 4, 1, 1, run_zrangebylex},
    {"zscan", 3, 1, 1, run_zscan},
    {NULL, 0, 0, 0, NULL},
};
