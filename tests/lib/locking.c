/* locking: see locking.h. */
#include "tests/lib/locking.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS   4096
#define COMMON_KEYS 6 /* of all locks */

/* The keys and args of a call that is being put together. */
struct parts {
    struct str keys[MAX_WORDS], args[MAX_WORDS];
    int key_count, arg_count;
    char *owned[MAX_WORDS]; /* key names */
    int owned_count;
};

static void add_key(struct parts *parts, struct str set, const char *middle, struct str name)
{
    struct str second = set.len > 0 ? set : STR("lock");
    char *key = mem_printf("p|%.*s%s%.*s", PRSTR(second), middle, PRSTR(name));
    ck_assert_int_lt(parts->key_count, MAX_WORDS);
    parts->owned[parts->owned_count++] = key;
    parts->keys[parts->key_count++] = str_of(key);
}

static void add_arg(struct parts *parts, struct str word)
{
    ck_assert_int_lt(parts->arg_count, MAX_WORDS);
    parts->args[parts->arg_count++] = word;
}

static void add_all(struct parts *parts, struct str set, const struct str *words, int count)
{
    char *number = mem_printf("%d", count - 3);
    parts->owned[parts->owned_count++] = number;
    for (int i = 0; i < 3; i++)
        add_arg(parts, words[i]);
    add_arg(parts, str_of(number));
    for (int i = 3; i < count; i++) {
        add_key(parts, set, ":", words[i]);
        add_key(parts, set, "|claim:", words[i]);
    }
}

static void add_keys_of_many(struct parts *parts, struct str set, struct str name)
{
    add_key(parts, set, ":", name);
    add_key(parts, set, "|claim:", name);
    add_key(parts, set, "|holders:", name);
    add_key(parts, set, "|shares:", name);
}

static void add_beat(struct parts *parts, const struct str *words, int count)
{
    char *number = mem_printf("%d", count - 2);
    parts->owned[parts->owned_count++] = number;
    add_arg(parts, words[0]);
    add_arg(parts, words[1]);
    add_arg(parts, str_of(number));
    for (int i = 2; i < count; i++)
        add_keys_of_many(parts, STR(""), words[i]);
}

/* What stands before an operation; how many words that is. */
static int add_head(struct parts *parts, const struct str *words)
{
    struct str rest = str_make(words[0].ptr + 1, words[0].len - 1);
    if (words[0].ptr[0] == '?') {
        add_arg(parts, STR("Q"));
        add_arg(parts, rest);
        return 1;
    } else if (words[0].ptr[0] == '+') {
        add_arg(parts, STR("Y"));
        add_arg(parts, rest);
        return 1;
    } else if (words[0].ptr[0] == '!') {
        add_arg(parts, STR("W"));
        add_arg(parts, rest);
        add_arg(parts, words[1]);
        add_arg(parts, words[2]);
        return 3;
    }
    return 0;
}

static void add_operation(struct parts *parts, const struct str *words, int count)
{
    struct str set = STR("");
    for (int head; (head = add_head(parts, words)) > 0; count -= head)
        words += head;
    if (words[0].ptr[0] == 'B') {
        add_beat(parts, words, count);
        return;
    } else if (words[0].ptr[0] == 'D') {
        add_arg(parts, words[0]);
        add_arg(parts, words[1]);
        return;
    }
    if (words[0].ptr[0] == '@') {
        set = str_make(words[0].ptr + 1, words[0].len - 1);
        add_key(parts, set, "|pool", STR(""));
        add_arg(parts, STR("S"));
        words++;
        count--;
    }
    char letter = words[0].ptr[0];
    if (letter == 'A') {
        add_all(parts, set, words, count);
        return;
    }
    bool is_many = strchr("HJKNX", letter) != NULL;
    if (is_many) {
        add_keys_of_many(parts, set, words[1]);
    } else {
        add_key(parts, set, ":", words[1]);
        add_key(parts, set, "|claim:", words[1]);
    }
    add_arg(parts, words[0]);
    add_arg(parts, count > 2 ? words[2] : STR(""));
    add_arg(parts, count > 3 ? words[3] : STR(""));
    for (int i = 4; i < count; i++)
        add_arg(parts, words[i]);
}

static redisReply *run_once(struct scene *scene, enum script_id id, const struct parts *parts)
{
    return script_run(scene->at.redis, id, parts->key_count, parts->keys, parts->arg_count,
                      parts->args);
}

/* NULL: it is none, or is left to the other script. */
static redisReply *run_plain(struct scene *scene, const struct parts *parts)
{
    struct parts *plain = mem_alloc(sizeof *plain);
    *plain = *parts;
    plain->key_count = 2; /* counter journal, then those of the operations */
    for (int i = COMMON_KEYS; i < parts->key_count; i++)
        plain->keys[plain->key_count++] = parts->keys[i];
    redisReply *reply = run_once(scene, SCRIPT_LOCK_PLAIN, plain);
    mem_free(plain);
    if (reply->type != REDIS_REPLY_STRING || strcmp(reply->str, "FULL") != 0)
        return reply;
    freeReplyObject(reply);
    return NULL;
}

static redisReply *run(struct scene *scene, enum script_id id, struct parts *parts)
{
    bool is_plain = id == SCRIPT_LOCK_BATCH;
    for (int i = 2; is_plain && i < parts->arg_count; i++)
        is_plain = strchr("WDB", parts->args[i].ptr[0]) == NULL || parts->args[i].len != 1;
    redisReply *reply = is_plain ? run_plain(scene, parts) : NULL;
    if (reply == NULL)
        reply = run_once(scene, id, parts);
    for (int i = 0; i < parts->owned_count; i++)
        mem_free(parts->owned[i]);
    mem_free(parts);
    return reply;
}

/* A call of a script that has the lane's keys and begins with daemon and sequence. */
static struct parts *start(const char *daemon, char *number, long long sequence)
{
    struct parts *parts = mem_zalloc(sizeof *parts);
    add_key(parts, STR("lock"), "|fence", STR(""));
    add_key(parts, STR("lock"), "|journal", STR(""));
    add_key(parts, STR("lock"), "|waiters", STR(""));
    add_key(parts, STR("lock"), "|waiting", STR(""));
    add_key(parts, STR("lock"), "|lines", STR(""));
    add_key(parts, STR("lock"), "|daemons", STR(""));
    sprintf(number, "%lld", sequence);
    add_arg(parts, str_of(daemon));
    add_arg(parts, str_of(number));
    return parts;
}

redisReply *locking_alone(struct scene *scene, enum script_id id, long long sequence,
                          const char *words)
{
    char number[24], bytes[200];
    struct str args[8];
    int count = script_words(words, bytes, sizeof bytes, args, 8);
    struct parts *parts = start("D", number, sequence);
    parts->key_count = 2;
    if (id == SCRIPT_LOCK_UNLOCK_ONE) { /* it wants no counter */
        parts->keys[0] = parts->keys[1];
        parts->key_count = 1;
    }
    add_key(parts, STR(""), ":", STR("k"));
    add_key(parts, STR(""), "|claim:", STR("k"));
    for (int i = 0; i < count; i++)
        add_arg(parts, args[i]);
    return run(scene, id, parts);
}

redisReply *locking_batch_of(struct scene *scene, const char *daemon, long long sequence,
                             const char *operations)
{
    char number[24], *bytes = mem_alloc(strlen(operations) + 1);
    struct str words[MAX_WORDS];
    int count = script_words(operations, bytes, strlen(operations) + 1, words, MAX_WORDS);
    struct parts *parts = start(daemon, number, sequence);
    for (int from = 0, i = 0; i <= count; i++) {
        if (i < count && !str_eq(words[i], STR(";")))
            continue;
        if (i > from)
            add_operation(parts, words + from, i - from);
        from = i + 1;
    }
    redisReply *reply = run(scene, SCRIPT_LOCK_BATCH, parts);
    mem_free(bytes);
    return reply;
}

redisReply *locking_batch(struct scene *scene, const char *operations)
{
    return locking_batch_of(scene, "D", ++scene->at.sequence, operations);
}

redisReply *locking_recall(struct scene *scene, const char *daemon, long long sequence)
{
    char number[24];
    struct parts *parts = start(daemon, number, sequence);
    return run(scene, SCRIPT_LOCK_RECALL, parts);
}

redisReply *locking_call(struct scene *scene, enum script_id id, const char *keys,
                         const char *words)
{
    struct parts *parts = mem_zalloc(sizeof *parts);
    char *bytes = mem_alloc(strlen(keys) + strlen(words) + 2);
    char *word_bytes = bytes + strlen(keys) + 1;
    parts->key_count = script_words(keys, bytes, strlen(keys) + 1, parts->keys, MAX_WORDS);
    parts->arg_count = script_words(words, word_bytes, strlen(words) + 1, parts->args, MAX_WORDS);
    redisReply *reply = run(scene, id, parts);
    mem_free(bytes);
    return reply;
}

long long locking_fence(struct scene *scene, const char *operation)
{
    redisReply *reply = locking_batch(scene, operation);
    ck_assert_int_eq(reply->type, REDIS_REPLY_ARRAY);
    ck_assert_msg(reply->element[0]->type == REDIS_REPLY_INTEGER, "%s: no fence", operation);
    long long fence = reply->element[0]->integer;
    freeReplyObject(reply);
    return fence;
}
