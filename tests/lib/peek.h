/* peek: looks into Redis beside the program under test, and checks a pool's invariants on its own:
 * it shares no code with lua/.  Knows: the layout of a pool's keys.  Must not know: scripts. */
#ifndef TESTS_LIB_PEEK_H
#define TESTS_LIB_PEEK_H

#include "base/str.h"
#include <hiredis/hiredis.h>

/* printf-like, as redisCommand: "%b" takes pointer and size. Fails the test when Redis does not
 * answer; an error reply is returned as such. The caller frees it. */
redisReply *peek(redisContext *redis, const char *format, ...);
/* As peek; fails the test when the answer is an error. */
void peek_do(redisContext *redis, const char *format, ...);
/* A string (NUL-terminated, the caller frees it with mem_free), NULL for nil. */
char *peek_text(redisContext *redis, const char *format, ...);
long long peek_int(redisContext *redis, const char *format, ...);

/* prev, next and expiry of an entry, as the greedy pattern of the Python library reads them: parts
 * of `value`. False when it is none of its making. */
struct peek_entry {
    struct str prev, next, expiry;
    int is_allocated;
};
int peek_split(struct str value, struct peek_entry *entry);

/* What a pool holds, counted. */
struct peek_pool {
    int total, free, allocated;
    int free_locked;     /* free with a lease key: only others can make that */
    int allocated_ended; /* allocated without a lease key: its lease has ended, not taken back yet
                          */
};
/* Reads the pool of `base` ("<prefix>|<pool>") at one instant and fails the test when its list is
 * broken: ends, links both ways, nothing out of reach, no circle, no half allocated or malformed
 * entry. */
struct peek_pool peek_check_pool(redisContext *redis, const char *base);

#endif
