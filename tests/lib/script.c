/* script: calls the scripts of lua/; see script.h. */
#include "tests/lib/script.h"
#include "base/mem.h"
#include "tests/lib/wire.h"
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 4096

void pool_at_init(struct pool_at *at, redisContext *redis, const char *base)
{
    memset(at, 0, sizeof *at);
    at->redis = redis;
    at->daemon = "D";
    at->mode = "exclusive";
    snprintf(at->base, sizeof at->base, "%s", base);
}

static char *key_name(const struct pool_at *at, const char *key)
{
    const char *bar = strchr(at->base, '|');
    if (strcmp(key, "pool") == 0)
        return mem_printf("%s|pool", at->base);
    if (strcmp(key, "fences") == 0)
        return mem_printf("%.*s|fence|seen", (int)(bar - at->base), at->base);
    if (strcmp(key, "policy_update_lock") == 0)
        return mem_printf("%s:%s|pool|%s", at->base, at->base, key);
    return mem_printf("%s|pool|%s", at->base, key);
}

static redisReply *call_by(redisContext *redis, const struct script *script, bool by_sha,
                           int key_count, const struct str *keys, int argc, const struct str *argv)
{
    char count[16];
    size_t total = (size_t)(3 + key_count + argc), n = 3;
    const char **words = mem_array(total, sizeof *words);
    size_t *lens = mem_array(total, sizeof *lens);
    words[0] = by_sha ? "EVALSHA" : "EVAL";
    lens[0] = strlen(words[0]);
    words[1] = by_sha ? script->sha : script->text.ptr;
    lens[1] = by_sha ? strlen(script->sha) : script->text.len;
    words[2] = count;
    lens[2] = (size_t)snprintf(count, sizeof count, "%d", key_count);
    for (int i = 0; i < key_count + argc; i++, n++) {
        struct str word = i < key_count ? keys[i] : argv[i - key_count];
        words[n] = word.ptr;
        lens[n] = word.len;
    }
    redisReply *reply = redisCommandArgv(redis, (int)n, words, lens);
    ck_assert_msg(reply != NULL, "redis: %s", redis->errstr);
    mem_free(words);
    mem_free(lens);
    return reply;
}

redisReply *script_run(redisContext *redis, enum script_id id, int key_count,
                       const struct str *keys, int argc, const struct str *argv)
{
    const struct script *script = script_of(id);
    redisReply *reply = call_by(redis, script, true, key_count, keys, argc, argv);
    if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0) {
        freeReplyObject(reply);
        reply = call_by(redis, script, false, key_count, keys, argc, argv);
    }
    return reply;
}

redisReply *script_call(const struct pool_at *at, enum script_id id, int argc,
                        const struct str *argv)
{
    const struct script *script = script_of(id);
    char *names[SCRIPT_MAX_KEYS];
    struct str keys[SCRIPT_MAX_KEYS];
    for (int i = 0; i < script->key_count; i++) {
        names[i] = key_name(at, script->keys[i]);
        keys[i] = str_of(names[i]);
    }
    redisReply *reply = script_run(at->redis, id, script->key_count, keys, argc, argv);
    for (int i = 0; i < script->key_count; i++)
        mem_free(names[i]);
    return reply;
}

/* Cuts one word off *at into `out`; false at the end. */
static bool next_word(const char **at, char *out, size_t *len)
{
    while (**at == ' ')
        (*at)++;
    if (**at == '\0')
        return false;
    *len = 0;
    if (**at != '"') {
        while (**at != ' ' && **at != '\0')
            out[(*len)++] = *(*at)++;
        return true;
    }
    for ((*at)++; **at != '"'; (*at)++) {
        ck_assert_msg(**at != '\0', "a quoted word has no end");
        if (**at == '\\')
            (*at)++;
        out[(*len)++] = (char)(**at == 'n' && (*at)[-1] == '\\' ? '\n' : **at);
    }
    (*at)++;
    return true;
}

int script_words(const char *words, char *bytes, size_t size, struct str *argv, int max)
{
    int argc = 0;
    size_t len;
    ck_assert_uint_lt(strlen(words), size);
    while (next_word(&words, bytes, &len)) {
        ck_assert_int_lt(argc, max);
        argv[argc++] = str_make(bytes, len);
        bytes += len;
    }
    return argc;
}

redisReply *script_say(const struct pool_at *at, enum script_id id, const char *words)
{
    struct str argv[MAX_WORDS];
    char *bytes = mem_alloc(strlen(words) + 1);
    int argc = script_words(words, bytes, strlen(words) + 1, argv, MAX_WORDS);
    redisReply *reply = script_call(at, id, argc, argv);
    mem_free(bytes);
    return reply;
}

redisReply *script_batch(struct pool_at *at, const char *operations)
{
    at->sequence++;
    char *words = mem_printf("%s %lld %s %s", at->daemon, at->sequence, at->mode, operations);
    redisReply *reply = script_say(at, SCRIPT_POOL_BATCH, words);
    mem_free(words);
    return reply;
}

static size_t count_of(const char *text, size_t len, int (*is_one)(int c))
{
    size_t n = 0;
    while (n < len && is_one((unsigned char)text[n]))
        n++;
    return n;
}

/* A token of ours has 16 digits in front until the year 2286; what a script has hashed, 22 hex. */
static void show_text(struct text *out, const char *text, size_t len)
{
    size_t digits = count_of(text, len, isdigit);
    if (digits == 16 && (len == 16 || text[16] == '-' || text[16] == '+')) {
        size_t rest = len - 16;
        text_addf(out, "#");
        size_t is_hashed = rest >= 23 && count_of(text + 17, 22, isxdigit) == 22;
        if (is_hashed)
            text_addf(out, "%ch", text[16]);
        text_add(out, text + 16 + 23 * is_hashed, rest - 23 * is_hashed);
        return;
    }
    text_add(out, text, len);
}

static void show(struct text *out, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_ARRAY:
        text_addf(out, "[");
        for (size_t i = 0; i < reply->elements; i++) {
            if (i > 0)
                text_addf(out, " ");
            show(out, reply->element[i]);
        }
        text_addf(out, "]");
        break;
    case REDIS_REPLY_INTEGER:
        if (reply->integer > 1000000000000)
            text_addf(out, "#");
        else
            text_addf(out, "%lld", reply->integer);
        break;
    case REDIS_REPLY_NIL:
        text_addf(out, "nil");
        break;
    case REDIS_REPLY_ERROR:
        text_addf(out, "!%s", reply->str);
        break;
    default:
        if (reply->len == 0)
            text_addf(out, "\"\"");
        show_text(out, reply->str, (size_t)reply->len);
        break;
    }
}

char *script_show(const redisReply *reply)
{
    struct text out = {0};
    show(&out, reply);
    return out.bytes;
}

void script_expect(redisReply *reply, const char *expected, const char *file, int line)
{
    char *seen = script_show(reply);
    size_t len = strlen(expected);
    bool is_beginning = len >= 3 && strcmp(expected + len - 3, "...") == 0;
    bool is_same =
        is_beginning ? strncmp(seen, expected, len - 3) == 0 : strcmp(seen, expected) == 0;
    ck_assert_msg(is_same, "%s:%d: it says %.1000s, not %s", file, line, seen, expected);
    freeReplyObject(reply);
    free(seen);
}
