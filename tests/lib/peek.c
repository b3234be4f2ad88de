/* peek: looks into Redis; see peek.h. */
#include "tests/lib/peek.h"
#include "base/mem.h"
#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static redisReply *ask(redisContext *redis, const char *format, va_list args)
{
    redisReply *reply = redisvCommand(redis, format, args);
    ck_assert_msg(reply != NULL, "redis: %s", redis->errstr);
    return reply;
}

redisReply *peek(redisContext *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(redis, format, args);
    va_end(args);
    return reply;
}

void peek_do(redisContext *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(redis, format, args);
    va_end(args);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s: %s", format, reply->str);
    freeReplyObject(reply);
}

char *peek_text(redisContext *redis, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    redisReply *reply = ask(redis, format, args);
    va_end(args);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s: %s", format, reply->str);
    if (reply->type != REDIS_REPLY_NIL)
        text = mem_dup(str_make(reply->str, (size_t)reply->len));
    freeReplyObject(reply);
    return text;
}

long long peek_int(redisContext *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = ask(redis, format, args);
    va_end(args);
    ck_assert_msg(reply->type == REDIS_REPLY_INTEGER, "%s: no integer", format);
    long long n = reply->integer;
    freeReplyObject(reply);
    return n;
}

/* The last "||" that ends at or before `end`; -1 when there is none. */
static long last_bars(const char *text, long end)
{
    for (long i = end - 2; i >= 0; i--)
        if (text[i] == '|' && text[i + 1] == '|')
            return i;
    return -1;
}

static int is_number(struct str s)
{
    size_t i = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    if (i == s.len)
        return 0;
    for (; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return 0;
    return 1;
}

int peek_split(struct str value, struct peek_entry *entry)
{
    long second = last_bars(value.ptr, (long)value.len);
    long first = second < 0 ? -1 : last_bars(value.ptr, second);
    if (first < 0)
        return 0;
    entry->prev = str_make(value.ptr, (size_t)first);
    entry->next = str_make(value.ptr + first + 2, (size_t)(second - first - 2));
    entry->expiry = str_make(value.ptr + second + 2, value.len - (size_t)second - 2);
    entry->is_allocated = str_eq(entry->prev, STR("#ALLOCATED"));
    return is_number(entry->expiry) &&
           entry->is_allocated == str_eq(entry->next, STR("#ALLOCATED"));
}

struct node {
    struct str name;
    struct peek_entry entry;
    int is_met;
};

static struct str str_of_reply(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? str_make(reply->str, (size_t)reply->len) : STR("");
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct node *)a)->name, ((const struct node *)b)->name);
}

static struct node *find(struct node *nodes, size_t count, struct str name)
{
    struct node key = {.name = name};
    return bsearch(&key, nodes, count, sizeof *nodes, by_name);
}

/* From the head on: each next is free, leads back, and is met once. Returns the last one's name. */
static struct str walk(struct node *nodes, size_t count, struct str head, int *steps)
{
    struct str before = STR("");
    for (struct str name = head; !str_is_empty(name);) {
        struct node *node = find(nodes, count, name);
        ck_assert_msg(node != NULL, "'%.*s' is in the list, not in the pool", PRSTR(name));
        ck_assert_msg(!node->is_met, "the list is a circle at '%.*s'", PRSTR(name));
        ck_assert_msg(!node->entry.is_allocated, "'%.*s' is in the list, but allocated",
                      PRSTR(name));
        ck_assert_msg(str_eq(node->entry.prev, before), "'%.*s' leads back to '%.*s', not '%.*s'",
                      PRSTR(name), PRSTR(node->entry.prev), PRSTR(before));
        node->is_met = 1;
        (*steps)++;
        before = name;
        name = node->entry.next;
    }
    return before;
}

/* All entries of the hash, in the order of their names. */
static size_t read_nodes(const redisReply *all, struct node *nodes)
{
    size_t count = all->elements / 2;
    for (size_t i = 0; i < count; i++) {
        struct str value = str_of_reply(all->element[2 * i + 1]);
        nodes[i].name = str_of_reply(all->element[2 * i]);
        nodes[i].is_met = 0;
        ck_assert_msg(peek_split(value, &nodes[i].entry), "'%.*s' has the value '%.*s'",
                      PRSTR(nodes[i].name), PRSTR(value));
    }
    qsort(nodes, count, sizeof *nodes, by_name);
    return count;
}

static void check_list(const redisReply *all, struct str head, struct str tail,
                       struct peek_pool *pool)
{
    struct node *nodes = mem_array(all->elements / 2 + 1, sizeof *nodes);
    size_t count = read_nodes(all, nodes);
    int steps = 0;
    struct str last = walk(nodes, count, head, &steps);
    ck_assert_msg(str_eq(last, tail), "the tail is '%.*s', the last one '%.*s'", PRSTR(tail),
                  PRSTR(last));
    pool->total = (int)count;
    pool->free = steps;
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(nodes[i].is_met || nodes[i].entry.is_allocated, "'%.*s' is out of reach",
                      PRSTR(nodes[i].name));
        pool->allocated += nodes[i].entry.is_allocated;
    }
    mem_free(nodes);
}

static void count_locks(redisContext *redis, const char *base, const redisReply *all,
                        struct peek_pool *pool)
{
    for (size_t i = 0; i < all->elements; i += 2)
        redisAppendCommand(redis, "EXISTS %s:%b", base, all->element[i]->str,
                           (size_t)all->element[i]->len);
    for (size_t i = 0; i < all->elements; i += 2) {
        struct peek_entry entry;
        void *reply;
        ck_assert_int_eq(redisGetReply(redis, &reply), REDIS_OK);
        int is_locked = ((redisReply *)reply)->integer == 1;
        freeReplyObject(reply);
        peek_split(str_of_reply(all->element[i + 1]), &entry);
        pool->free_locked += !entry.is_allocated && is_locked;
        pool->allocated_ended += entry.is_allocated && !is_locked;
    }
}

struct peek_pool peek_check_pool(redisContext *redis, const char *base)
{
    struct peek_pool pool = {0};
    redisReply *opened = peek(redis, "MULTI");
    freeReplyObject(opened);
    freeReplyObject(peek(redis, "HGETALL %s|pool", base));
    freeReplyObject(peek(redis, "GET %s|pool|head", base));
    freeReplyObject(peek(redis, "GET %s|pool|tail", base));
    redisReply *seen = peek(redis, "EXEC");
    ck_assert(seen->type == REDIS_REPLY_ARRAY && seen->elements == 3);
    ck_assert_msg(seen->element[0]->type == REDIS_REPLY_ARRAY, "%s", seen->element[0]->str);
    check_list(seen->element[0], str_of_reply(seen->element[1]), str_of_reply(seen->element[2]),
               &pool);
    count_locks(redis, base, seen->element[0], &pool);
    freeReplyObject(seen);
    return pool;
}
