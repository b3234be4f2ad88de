/* script: calls the scripts of lua/ as the daemon does, with words in and text out, so that a test
 * shows both in a line.  Knows: the scripts, the names of a pool's keys.  Must not know: the
 * daemon. */
#ifndef TESTS_LIB_SCRIPT_H
#define TESTS_LIB_SCRIPT_H

#include "base/str.h"
#include "redis/script.h"
#include <hiredis/hiredis.h>

/* One pool, as one daemon's scripts see it. */
struct pool_at {
    redisContext *redis; /* borrowed */
    char base[64];       /* "<prefix>|<pool>" */
    const char *daemon;
    const char *mode; /* "exclusive", "shared" */
    long long sequence;
};
void pool_at_init(struct pool_at *at, redisContext *redis, const char *base);

/* A script with these keys; the caller frees the answer. Fails the test when Redis does not answer.
 */
redisReply *script_run(redisContext *redis, enum script_id id, int key_count,
                       const struct str *keys, int argc, const struct str *argv);
/* The bare answer; the caller frees it. Fails the test when Redis does not answer. */
redisReply *script_call(const struct pool_at *at, enum script_id id, int argc,
                        const struct str *argv);
/* Cuts a line into words: separated by blanks; "..." holds blanks, \n, \", \\, or nothing. `bytes`
 * is where they lie then. How many. */
int script_words(const char *words, char *bytes, size_t size, struct str *argv, int max);
/* Such words as the script's arguments. */
redisReply *script_say(const struct pool_at *at, enum script_id id, const char *words);
/* A batch of the next sequence with these operations. */
redisReply *script_batch(struct pool_at *at, const char *operations);

/* An answer as text: [a b [c] 1 nil], "!" before an error; fences and tickets as #, the random
 * parts of tokens that a script has made as h, "" for an empty one. The caller frees it with
 * free(). */
char *script_show(const redisReply *reply);
/* The caller's test fails unless the answer reads like this. An expectation that ends in "..." is
 * the beginning. */
#define expect(at, id, words, expected) \
    script_expect(script_say(at, id, words), expected, __FILE__, __LINE__)
#define expect_batch(at, operations, expected) \
    script_expect(script_batch(at, operations), expected, __FILE__, __LINE__)
/* Frees the reply. */
void script_expect(redisReply *reply, const char *expected, const char *file, int line);

#endif
