/* keys: the only place where the names of a lock's keys are made.
 *
 *   base      <prefix>|lock, or <prefix>|<set> for the locks of a set
 *   lock      <base>:<key>          string  its owner, exactly; #SHARED or #PERMITS: see holders
 *   claim     <base>|claim:<key>    string  the owner's fence: see lua/lock/hold.lua
 *   holders   <base>|holders:<key>  zset    owner -> deadline in ms, of a lock with several holders
 *   shares    <base>|shares:<key>   hash    owner -> <fence><mark><permits>; "" -> <in use> <limit>
 *   set       <base>|pool           set     members of a lock set
 *   counter   <prefix>|lock|fence   string  the last fence of all locks
 *   journal   <prefix>|lock|journal hash    <daemon> -> its last batch; waiting: see lua/lock/line
 *   waiters   <prefix>|lock|waiters zset    those who wait for locks: see lua/wait.lua
 *   waiting   <prefix>|lock|waiting hash    see there
 *   daemons   <prefix>|lock|daemons hash    see there
 *   lines     <prefix>|lock|lines   zset    who waits for which lock: see lua/lock/line.lua
 *   graph     <prefix>|lock|graph   hash    <daemon> -> its sessions that wait: see ops/waitfor.h
 *
 * All but those of a set and of all locks end with their lock. A Python program that deletes a
 * permanent lock leaves its claim behind, until the lock is taken again. No name of a set or
 * namespace holds '|' or NUL and no set is called lock, so that no two of these names, nor one of
 * them and a pool's, can be the same; but a pool's lease key and the lock of a set of the same name
 * are, and the key `set` tells that it is a pool. Knows: names.  Must not know: Redis. */
#ifndef LOCK_KEYS_H
#define LOCK_KEYS_H

#include "ops/packing.h"

/* Which lock. Borrowed. */
struct lock_name {
    struct str set; /* "" = of no set */
    struct str key;
};

enum lock_key {
    LOCK_KEY_LOCK,
    LOCK_KEY_CLAIM,
    LOCK_KEY_HOLDERS,
    LOCK_KEY_SHARES,
    LOCK_KEY_SET,
    LOCK_KEY_COUNTER, /* the first of those of all locks */
    LOCK_KEY_JOURNAL,
    LOCK_KEY_WAITERS,
    LOCK_KEY_WAITING,
    LOCK_KEY_LINES,
    LOCK_KEY_DAEMONS,
    LOCK_KEY_GRAPH
};
#define LOCK_COMMON_KEYS (LOCK_KEY_GRAPH - LOCK_KEY_COUNTER + 1)

size_t lock_key_len(enum lock_key which, struct str prefix, const struct lock_name *name);
/* Writes that many bytes. */
void lock_key_write(enum lock_key which, struct str prefix, const struct lock_name *name,
                    char *out);
/* The key that a script's header calls so; false when it is none of these. */
bool lock_key_called(const char *name, enum lock_key *out);

#endif
