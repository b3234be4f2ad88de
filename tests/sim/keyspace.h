/* keyspace: a little Redis in this process: the commands that the scripts use, and the scripts
 * themselves in Lua 5.1, as Redis runs them. Its clock is set by the test.
 * Knows: the store, Lua, hiredis' reply structs.  Must not know: pools.
 * tests/sim/keyspace_test.c holds it against a real redis-server. */
#ifndef SIM_KEYSPACE_H
#define SIM_KEYSPACE_H

#include "base/str.h"
#include "redis/script.h"
#include <hiredis/hiredis.h>
#include <stdint.h>

struct keyspace;

struct keyspace *keyspace_new(void);
void keyspace_free(struct keyspace *keyspace);
/* Unix time in microseconds. */
void keyspace_set_time(struct keyspace *keyspace, int64_t wall_us);
/* Everything is gone but the scripts. */
void keyspace_flush(struct keyspace *keyspace);

/* The replies live until the next call. A command that the keyspace does not know ends the process:
 * it has to learn it. So does a script that touches a key which it was not given. */
const redisReply *keyspace_command(struct keyspace *keyspace, const struct str *args, int count);
const redisReply *keyspace_script(struct keyspace *keyspace, enum script_id id,
                                  const struct str *keys, int key_count, const struct str *args,
                                  int arg_count);
/* The same for a script that is not built in. */
const redisReply *keyspace_eval(struct keyspace *keyspace, struct str text, const struct str *keys,
                                int key_count, const struct str *args, int arg_count);

/* Who hears what is published, on all channels; the texts are borrowed for the callback. */
typedef void (*keyspace_heard)(void *arg, struct str channel, struct str message);
/* How many hear this channel. */
typedef int64_t (*keyspace_ears)(void *arg, struct str channel);
void keyspace_hear(struct keyspace *keyspace, keyspace_heard heard, keyspace_ears ears, void *arg);

/* A copy that lives until it is freed by freeReplyObject(). */
redisReply *keyspace_copy(const redisReply *reply);

#endif
