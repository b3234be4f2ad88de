/* tasking: see tasking.h. */
#include "tests/lib/tasking.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 4096 };

/* The keys and args of a call that is being put together. */
struct parts {
    struct str keys[MAX_PARTS], args[MAX_PARTS];
    int key_count, arg_count;
    char *owned[MAX_PARTS]; /* key names and numbers */
    int owned_count;
};

static struct str own(struct parts *parts, char *text)
{
    ck_assert_int_lt(parts->owned_count, MAX_PARTS);
    parts->owned[parts->owned_count++] = text;
    return str_of(text);
}

static void add_key(struct parts *parts, const char *middle, struct str name)
{
    ck_assert_int_lt(parts->key_count, MAX_PARTS);
    parts->keys[parts->key_count++] =
        own(parts, mem_printf("p|task-queue|%s%.*s", middle, PRSTR(name)));
}

static void add_arg(struct parts *parts, struct str word)
{
    ck_assert_int_lt(parts->arg_count, MAX_PARTS);
    parts->args[parts->arg_count++] = word;
}

static void add_submit(struct parts *parts, const char *daemon, const struct str *words, int count)
{
    static const char *const usual[] = {"S", "id", "q", "",  "60000", "3", "0 0 0 0",
                                        "0", "0",  "0", "0", "1000",  ""};
    struct str queue = words[2], place = queue;
    bool is_auto = words[0].ptr[0] == 'A';
    if (count > 12 && words[12].len > 0 && !is_auto)
        place = own(parts, mem_printf("%.*s@%s", PRSTR(queue), daemon));
    add_key(parts, "task-result:", words[1]);
    add_key(parts, "queue|", queue);
    add_key(parts, "delayed|", queue);
    add_key(parts, "task-queue|", place);
    add_key(parts, "ranked|", place);
    add_key(parts, "waiting|", queue);
    if (is_auto) {
        place = own(parts, mem_printf("%.*s@%s", PRSTR(queue), daemon));
        add_key(parts, "task-listen|", queue);
        add_key(parts, "task-queue|", place);
        add_key(parts, "ranked|", place);
    }
    for (int i = 0; i < 13; i++)
        add_arg(parts, i < count ? words[i] : str_of(usual[i]));
}

/* A queue that ends in '@' is that of the daemon's own workers. */
static void add_take(struct parts *parts, const char *daemon, const struct str *words, int count)
{
    for (int i = 0; i < 4; i++)
        add_arg(parts, words[i]);
    add_arg(parts, own(parts, mem_printf("%d", count - 4)));
    for (int i = 4; i < count; i++) {
        struct str queue = words[i], place = queue;
        bool is_own = queue.ptr[queue.len - 1] == '@';
        if (is_own) {
            queue.len--;
            place = own(parts, mem_printf("%.*s@%s", PRSTR(queue), daemon));
        }
        add_key(parts, "task-queue|", place);
        add_key(parts, "ranked|", place);
        add_key(parts, "queue|", queue);
        add_key(parts, "waiting|", queue);
        add_arg(parts, queue);
        add_arg(parts, is_own ? str_of(daemon) : STR(""));
    }
}

/* U and O: the words from `from` are names, and counted. */
static void add_names(struct parts *parts, const char *middle, int from, const struct str *words,
                      int count)
{
    for (int i = 0; i < from; i++)
        add_arg(parts, words[i]);
    add_arg(parts, own(parts, mem_printf("%d", count - from)));
    for (int i = from; i < count; i++)
        add_key(parts, middle, words[i]);
}

static void add_operation(struct parts *parts, const char *daemon, const struct str *words,
                          int count)
{
    char letter = words[0].ptr[0];
    if (letter == 'S' || letter == 'A') {
        add_submit(parts, daemon, words, count);
        return;
    }
    if (letter == 'T') {
        add_take(parts, daemon, words, count);
        return;
    }
    if (letter == 'C') {
        add_key(parts, "crons", STR(""));
        for (int i = 0; i < count; i++)
            add_arg(parts, words[i]);
        return;
    }
    if (letter == 'U' || letter == 'O') {
        add_names(parts, letter == 'U' ? "waiting|" : "task-result:", letter == 'U' ? 2 : 1, words,
                  count);
        return;
    }
    if (letter == 'K') {
        static const char *const middles[] = {"task-queue|", "ranked|", "queue|", "waiting|",
                                              "task-listen|"};
        for (int i = 0; i < 5; i++)
            add_key(parts, middles[i], words[1]);
    } else {
        add_key(parts, "task-result:", words[1]);
    }
    if (letter == 'E')
        add_key(parts, "queue|", STR("q"));
    for (int i = 0; i < count; i++)
        add_arg(parts, words[i]);
    if (letter == 'E' || letter == 'F')
        add_arg(parts, STR("1000"));
}

static redisReply *run(struct scene *scene, enum script_id id, struct parts *parts)
{
    redisReply *reply = script_run(scene->at.redis, id, parts->key_count, parts->keys,
                                   parts->arg_count, parts->args);
    for (int i = 0; i < parts->owned_count; i++)
        mem_free(parts->owned[i]);
    mem_free(parts);
    return reply;
}

redisReply *tasking_batch_of(struct scene *scene, const char *daemon, long long sequence,
                             const char *operations)
{
    char *bytes = mem_alloc(strlen(operations) + 1);
    struct str words[MAX_PARTS];
    int count = script_words(operations, bytes, strlen(operations) + 1, words, MAX_PARTS);
    struct parts *parts = mem_zalloc(sizeof *parts);
    add_key(parts, "journal", STR(""));
    add_key(parts, "due", STR(""));
    add_key(parts, "held:", str_of(daemon));
    add_key(parts, "daemons", STR(""));
    add_key(parts, "queues", STR(""));
    add_arg(parts, str_of(daemon));
    add_arg(parts, own(parts, mem_printf("%lld", sequence)));
    add_arg(parts, STR("p|task-queue"));
    add_arg(parts, STR("10000"));
    for (int from = 0, i = 0; i <= count; i++) {
        if (i < count && !str_eq(words[i], STR(";")))
            continue;
        if (i > from)
            add_operation(parts, daemon, words + from, i - from);
        from = i + 1;
    }
    redisReply *reply = run(scene, SCRIPT_TASK_BATCH, parts);
    mem_free(bytes);
    return reply;
}

redisReply *tasking_batch(struct scene *scene, const char *operations)
{
    return tasking_batch_of(scene, "D", ++scene->at.sequence, operations);
}

redisReply *tasking_call(struct scene *scene, enum script_id id, const char *keys,
                         const char *words)
{
    struct parts *parts = mem_zalloc(sizeof *parts);
    struct str names[16];
    char *bytes = mem_alloc(strlen(keys) + strlen(words) + 2);
    char *word_bytes = bytes + strlen(keys) + 1;
    int count = script_words(keys, bytes, strlen(keys) + 1, names, 16);
    for (int i = 0; i < count; i++)
        add_key(parts, "", names[i]);
    parts->arg_count = script_words(words, word_bytes, strlen(words) + 1, parts->args, MAX_PARTS);
    redisReply *reply = run(scene, id, parts);
    mem_free(bytes);
    return reply;
}

redisReply *tasking_tend(struct scene *scene, const char *daemon, bool may_rest)
{
    char words[100];
    snprintf(words, sizeof words, "%s p|task-queue 10000 3000 100 %d 20", daemon, may_rest);
    return tasking_call(scene, SCRIPT_TASK_TEND, "due daemons journal leader awake crons queues",
                        words);
}

redisReply *tasking_recall(struct scene *scene, const char *daemon, long long sequence)
{
    char words[100], keys[100];
    snprintf(words, sizeof words, "%s %lld", daemon, sequence);
    snprintf(keys, sizeof keys, "journal due held:%s", daemon);
    return tasking_call(scene, SCRIPT_TASK_RECALL, keys, words);
}

void tasking_skip(struct scene *scene, long long ms)
{
    peek_do(scene->at.redis, "EVAL %s 2 p|task-queue|due p|task-queue|daemons %lld",
            "for i = 1, 2 do\n"
            "  local all = redis.call('ZRANGE', KEYS[i], 0, -1)\n"
            "  for j = 1, #all do redis.call('ZINCRBY', KEYS[i], -ARGV[1], all[j]) end\n"
            "end",
            ms);
}
