/* ours: how the daemon calls its scripts for plain operations on a pool, as words: the one place of
 * the bench that knows their arguments.
 * Knows: words, the compiled-in scripts, the pool's keys.  Must not know: what is measured. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include "pool/keys.h"
#include "stage.h"
#include "words.h"

struct ours {
    struct pool_keys keys;
    const char *daemon; /* who calls; borrowed, like the sequence */
    const char *sequence;
    bool is_shared;
};

/* What a script for one operation answers when it leaves it to the batch, having done nothing. */
#define OURS_REFUSAL "FULL"

/* What the cheaper scripts answer to a MALLOC is a token of so many bytes (until the year 2286)
 * and, behind it, the resource. */
#define OURS_TOKEN_LEN 39

/* Loads all scripts into Redis. */
void ours_load(struct program *redis);

void ours_init(struct ours *ours, const char *prefix, const char *pool, bool is_shared);
void ours_clear(struct ours *ours);

/* One operation alone, by the scripts for one; of an exclusive pool. */
void ours_malloc(const struct ours *ours, struct words *words, const char *timeout_ms);
void ours_renew(const struct ours *ours, struct words *words, const char *resource,
                const char *timeout_ms);
void ours_free(const struct ours *ours, struct words *words, const char *resource);

/* Many operations of a kind: the head, then, but for MALLOC, each of them. */
void ours_run_malloc(const struct ours *ours, struct words *words, int count,
                     const char *timeout_ms);
void ours_run_renew(const struct ours *ours, struct words *words, int count);
void ours_run_free(const struct ours *ours, struct words *words, int count);
void ours_renew_in_run(struct words *words, const char *resource, const char *timeout_ms);
void ours_free_in_run(struct words *words, const char *resource);

/* One MALLOC by the script that does batches of anything. name "": none. */
void ours_batch_malloc(const struct ours *ours, struct words *words, const char *timeout_ms,
                       const char *name);

#endif
