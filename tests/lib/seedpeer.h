/* seedpeer: a stand-in for a program that uses the Python library (redis-allocator 0.7) on the same
 * pool: its operations on its layout, written anew as Lua that runs by EVAL. It insists on a sound
 * list as the library does: a script of its that fails, fails the test.
 * Knows: the library's layout and habits.  Must not know: lua/. */
#ifndef TESTS_LIB_SEEDPEER_H
#define TESTS_LIB_SEEDPEER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

struct seedpeer {
    redisContext *redis; /* borrowed */
    char base[64];       /* "<prefix>|<pool>" */
    bool is_shared;
};
void seedpeer_init(struct seedpeer *peer, redisContext *redis, const char *base, bool is_shared);

/* Times are whole seconds; <= 0: for ever. Names are C strings. */
void seedpeer_extend(struct seedpeer *peer, long timeout, int count, const char *const *names);
void seedpeer_shrink(struct seedpeer *peer, int count, const char *const *names);
/* New ones come in the order given. */
void seedpeer_assign(struct seedpeer *peer, long timeout, int count, const char *const *names);
/* The resource (the caller frees it with mem_free), NULL when none is free. name "": no binding. */
char *seedpeer_malloc(struct seedpeer *peer, long timeout, const char *name, long bind_timeout);
void seedpeer_free(struct seedpeer *peer, long timeout, int count, const char *const *names);
/* One sweep over about `count` entries. */
void seedpeer_gc(struct seedpeer *peer, long count);
/* Its renewal: sets the lease whoever has it. */
void seedpeer_update(struct seedpeer *peer, const char *name, long timeout);
void seedpeer_update_soft_bind(struct seedpeer *peer, const char *name, const char *resource,
                               long timeout);

#endif
