/* tasking: calls the scripts of lua/task as the daemon does, with words in and text out. Operations
 * of a batch are separated by ';', each a letter and what it names, the rest as is usual:
 *
 *     S id queue params [timeout_ms retries backoff priority delay_ms wait once max only]
 *     A likewise; T number wait count queue ...; E id ticket result; F id ticket text retry_ms
 *     B id ticket why; P id ticket current total; G id once; O id ...; U number queue ...
 *     K queue listen_ms; C member at_ms next_ms fires
 *
 * Knows: the scripts, the layout of the tasks' keys (of prefix "p").  Must not know: the daemon. */
#ifndef TESTS_LIB_TASKING_H
#define TESTS_LIB_TASKING_H

#include "tests/lib/scene.h"

/* A batch of this daemon and sequence. The caller frees the answer. */
redisReply *tasking_batch_of(struct scene *scene, const char *daemon, long long sequence,
                             const char *operations);
/* Of the daemon "D" and the next sequence. */
redisReply *tasking_batch(struct scene *scene, const char *operations);
/* Any script: its keys, '|' standing for the base, and its args as words. */
redisReply *tasking_call(struct scene *scene, enum script_id id, const char *keys,
                         const char *words);
/* TEND of a daemon with a session of 10 s. */
redisReply *tasking_tend(struct scene *scene, const char *daemon, bool may_rest);
redisReply *tasking_recall(struct scene *scene, const char *daemon, long long sequence);
/* Makes all that is due within `ms` due now. */
void tasking_skip(struct scene *scene, long long ms);

#define expect_tasks(scene, operations, expected) \
    script_expect(tasking_batch(scene, operations), expected, __FILE__, __LINE__)
#define expect_tasks_of(scene, daemon, sequence, operations, expected)                       \
    script_expect(tasking_batch_of(scene, daemon, sequence, operations), expected, __FILE__, \
                  __LINE__)
#define expect_script(scene, id, keys, words, expected) \
    script_expect(tasking_call(scene, id, keys, words), expected, __FILE__, __LINE__)
#define expect_tend(scene, daemon, expected) \
    script_expect(tasking_tend(scene, daemon, false), expected, __FILE__, __LINE__)
#define expect_idle_tend(scene, daemon, expected) \
    script_expect(tasking_tend(scene, daemon, true), expected, __FILE__, __LINE__)

#endif
