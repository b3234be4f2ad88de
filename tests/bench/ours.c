/* ours: see ours.h. */
#include "ours.h"
#include "base/mem.h"

/* As long as the daemon makes it; new ones would cost Redis the same. */
#define RANDOM     "0123456789abcdefghijkl"
#define BINDING_MS "3600000"

void ours_load(struct program *redis)
{
    for (int id = SCRIPT_NONE + 1; id < SCRIPT_COUNT; id++) {
        struct str text = script_of((enum script_id)id)->text;
        freeReplyObject(program_ask(redis, "SCRIPT LOAD %b", text.ptr, text.len));
    }
}

void ours_init(struct ours *ours, const char *prefix, const char *pool, bool is_shared)
{
    pool_keys_init(&ours->keys, str_of(prefix), str_of(pool));
    ours->is_shared = is_shared;
}

void ours_clear(struct ours *ours)
{
    pool_keys_clear(&ours->keys);
}

static void add_call(const struct ours *ours, struct words *words, enum script_id id)
{
    const struct script *script = script_of(id);
    struct str keys[SCRIPT_MAX_KEYS];
    pool_keys_of(&ours->keys, script, keys);
    WORDS(words, "EVALSHA", script->sha);
    words_add_number(words, "", script->key_count);
    for (int i = 0; i < script->key_count; i++) {
        char *key = mem_dup(keys[i]);
        words_add(words, key);
        mem_free(key);
    }
    WORDS(words, ours->daemon, ours->sequence);
}

void ours_malloc(const struct ours *ours, struct words *words, const char *timeout_ms)
{
    add_call(ours, words, SCRIPT_POOL_MALLOC_ONE);
    WORDS(words, timeout_ms, RANDOM);
}

void ours_renew(const struct ours *ours, struct words *words, const char *resource,
                const char *timeout_ms)
{
    add_call(ours, words, SCRIPT_POOL_RENEW_ONE);
    WORDS(words, resource, "", timeout_ms);
}

void ours_free(const struct ours *ours, struct words *words, const char *resource)
{
    add_call(ours, words, SCRIPT_POOL_FREE_ONE);
    WORDS(words, resource, "");
}

void ours_batch(const struct ours *ours, struct words *words)
{
    add_call(ours, words, SCRIPT_POOL_BATCH);
    WORDS(words, ours->is_shared ? "shared" : "exclusive");
}

void ours_batch_malloc(struct words *words, const char *timeout_ms, const char *name)
{
    WORDS(words, "M", "1", "1", timeout_ms, RANDOM, name, BINDING_MS, "", "");
}

void ours_batch_renew(struct words *words, const char *resource, const char *timeout_ms)
{
    WORDS(words, "R", resource, "", timeout_ms);
}

void ours_batch_free(struct words *words, const char *resource)
{
    WORDS(words, "F", "", "", "1", resource);
}
