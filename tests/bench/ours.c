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
    WORDS(words, "R", resource, "", timeout_ms);
}

void ours_free(const struct ours *ours, struct words *words, const char *resource)
{
    add_call(ours, words, SCRIPT_POOL_FREE_ONE);
    WORDS(words, resource, "");
}

static void add_run(const struct ours *ours, struct words *words, const char *randoms,
                    const char *letter, int count)
{
    add_call(ours, words, SCRIPT_POOL_PLAIN);
    WORDS(words, randoms, letter);
    words_add_number(words, "", count);
}

void ours_run_malloc(const struct ours *ours, struct words *words, int count,
                     const char *timeout_ms)
{
    char *randoms = mem_alloc((size_t)count * strlen(RANDOM) + 1);
    randoms[0] = '\0';
    for (int i = 0; i < count; i++)
        strcpy(randoms + (size_t)i * strlen(RANDOM), RANDOM);
    add_run(ours, words, randoms, "M", count);
    words_add(words, timeout_ms);
    mem_free(randoms);
}

void ours_run_renew(const struct ours *ours, struct words *words, int count)
{
    add_run(ours, words, "", "R", count);
}

void ours_run_free(const struct ours *ours, struct words *words, int count)
{
    add_run(ours, words, "", "F", count);
}

void ours_renew_in_run(struct words *words, const char *resource, const char *timeout_ms)
{
    WORDS(words, resource, "", timeout_ms);
}

void ours_free_in_run(struct words *words, const char *resource)
{
    words_add(words, resource);
}

void ours_batch_malloc(const struct ours *ours, struct words *words, const char *timeout_ms,
                       const char *name)
{
    add_call(ours, words, SCRIPT_POOL_BATCH);
    WORDS(words, ours->is_shared ? "shared" : "exclusive");
    WORDS(words, "M", "1", "1", timeout_ms, RANDOM, name, BINDING_MS, "", "");
}
