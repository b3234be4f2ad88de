/* locking: calls the scripts of lua/lock as the daemon does, with words in and text out. Operations
 * of a batch are separated by ';', each a letter, its lock and its args, as
 *
 *     L k owner 60000   F k owner   G k owner fence   V k   A owner 60000 k1 k2
 *     H k owner 60000 #SHARED 1 0 0   J k owner fence   K k owner 60000   @set L k owner 60000
 *     N k owner 60000 fence   X k owner session fence   +session L k owner 60000 (Y)
 *     ?reqid L k owner 60000   !id ticket reqid L k owner 60000 (W)   D id   B hears k1 k2
 *
 * Knows: the scripts, the layout of the locks' keys (of prefix "p").  Must not know: the daemon. */
#ifndef TESTS_LIB_LOCKING_H
#define TESTS_LIB_LOCKING_H

#include "tests/lib/scene.h"

/* A batch of this daemon and sequence: by the script for plain ones where they are, and where it
 * says FULL, by the other one. The caller frees the answer. */
redisReply *locking_batch_of(struct scene *scene, const char *daemon, long long sequence,
                             const char *operations);
/* Of the daemon "D" and the next sequence. */
redisReply *locking_batch(struct scene *scene, const char *operations);
/* Any script: its keys and its args as words. */
redisReply *locking_call(struct scene *scene, enum script_id id, const char *keys,
                         const char *words);
/* The scripts for one: a LOCK or UNLOCK of "k" by the daemon "D", its other args as words. */
redisReply *locking_alone(struct scene *scene, enum script_id id, long long sequence,
                          const char *words);
redisReply *locking_recall(struct scene *scene, const char *daemon, long long sequence);

#define expect_locks(scene, operations, expected) \
    script_expect(locking_batch(scene, operations), expected, __FILE__, __LINE__)
#define expect_call(scene, id, keys, words, expected) \
    script_expect(locking_call(scene, id, keys, words), expected, __FILE__, __LINE__)
#define expect_recall(scene, daemon, sequence, expected) \
    script_expect(locking_recall(scene, daemon, sequence), expected, __FILE__, __LINE__)

#define expect_alone(scene, id, sequence, words, expected) \
    script_expect(locking_alone(scene, id, sequence, words), expected, __FILE__, __LINE__)

/* The fence that one operation answers; the test fails when it answers anything else. */
long long locking_fence(struct scene *scene, const char *operation);

#endif
