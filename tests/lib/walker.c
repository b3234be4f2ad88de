/* walker: what random walks are made of; see walker.h. */
#include "tests/lib/walker.h"
#include <stdlib.h>
#include <string.h>

/* --- small change --- */

static uint64_t walk_draw(struct walk *walk)
{
    walk->random ^= walk->random << 13;
    walk->random ^= walk->random >> 7;
    walk->random ^= walk->random << 17;
    return walk->random;
}

int walk_below(struct walk *walk, int n)
{
    return (int)((walk_draw(walk) >> 20) % (uint64_t)n);
}

/* One of n, or none in most cases. */
int walk_maybe(struct walk *walk, int n)
{
    return walk_below(walk, 3) == 0 ? walk_below(walk, n) : MODEL_NONE;
}

/* Different items, at least `least`. */
int walk_items(struct walk *walk, int least, int most, int *items)
{
    int order[MODEL_ITEMS], count = least + walk_below(walk, most - least + 1);
    for (int i = 0; i < MODEL_ITEMS; i++)
        order[i] = i;
    for (int i = 0; i < count; i++) {
        int other = i + walk_below(walk, MODEL_ITEMS - i), kept = order[i];
        items[i] = order[other];
        order[other] = kept;
    }
    return count;
}

void walk_names(const struct walk *walk, int count, const int *items, const char **names)
{
    for (int i = 0; i < count; i++)
        names[i] = walk->model.items[items[i]].name;
}

/* A time span for an expiry and what the model has for it. */
const char *walk_expiry(struct walk *walk, long *expiry)
{
    *expiry = walk_below(walk, 2) == 0 ? -1 : MODEL_FAR;
    return *expiry == -1 ? "-1" : "1000000000";
}

/* --- arguments and answers --- */

void args_add(struct args *args, const char *text)
{
    size_t len = strlen(text);
    ck_assert(args->count < 256 && args->used + len < sizeof args->bytes);
    memcpy(args->bytes + args->used, text, len);
    args->list[args->count++] = str_make(args->bytes + args->used, len);
    args->used += len;
}

void args_add_int(struct args *args, long n)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%ld", n);
    args_add(args, digits);
}

void args_add_items(struct walk *walk, struct args *args, int count, const int *items)
{
    for (int i = 0; i < count; i++)
        args_add(args, walk->model.items[items[i]].name);
}

redisReply *walk_run(struct walk *walk, enum script_id id, const struct args *args)
{
    fprintf(walk->log, "%s", script_of(id)->name);
    for (int i = 0; i < args->count; i++)
        fprintf(walk->log, " '%.*s'", PRSTR(args->list[i]));
    redisReply *reply = script_call(&walk->at, id, args->count, args->list);
    char *shown = script_show(reply);
    fprintf(walk->log, "\n    -> %s\n", shown);
    free(shown);
    return reply;
}

/* An array of integers; MODEL_NONE for one that does not matter. */
void walk_expect_ints(redisReply *reply, int count, const long *expected)
{
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "%s", reply->str ? reply->str : "no array");
    ck_assert_int_eq((long)reply->elements, count);
    for (int i = 0; i < count; i++)
        ck_assert_msg(reply->element[i]->integer == expected[i], "element %d is %lld, not %ld", i,
                      reply->element[i]->integer, expected[i]);
    freeReplyObject(reply);
}

void walk_expect_int(redisReply *reply, long expected)
{
    ck_assert_msg(reply->type == REDIS_REPLY_INTEGER, "%s", reply->str ? reply->str : "no integer");
    ck_assert_int_eq(reply->integer, expected);
    freeReplyObject(reply);
}
