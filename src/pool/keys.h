/* keys: the only place where the names of a pool's keys are made.
 *
 *   base       <prefix>|<pool>
 *   pool       <base>|pool            hash    resource -> prev||next||expiry
 *   head       <base>|pool|head       string  the ends of the free list
 *   tail       <base>|pool|tail       string
 *   gc_cursor  <base>|pool|gc_cursor  string  where the sweep goes on
 *   leases     <base>|pool|leases     zset    resource -> deadline in ms (+inf: permanent)
 *   departed   <base>|pool|departed   zset    the same of leased ones that have left the pool
 *   journal    <base>|pool|journal    hash    fence -> the last one; <daemon> -> its last batch;
 *                                             rules -> see rules.h; marks -> lua/pool/mark.lua
 *   held       <base>|pool|held       zset    <owner> NUL <resource>, by bytes
 *   notes      <base>|pool|notes      hash    resource -> <token> NUL <owner> NUL <reqid>
 *   requests   <base>|pool|requests   hash    reqid -> what it was given
 *   bindings   <base>|pool|bindings   zset    name -> deadline in ms
 *   waiters    <base>|pool|waiters    zset    id of who waits -> its place
 *   waiting    <base>|pool|waiting    hash    id -> its request
 *   granted    <base>|pool|granted    hash    id -> what it was granted, until it is fetched
 *   daemons    <base>|pool|daemons    hash    daemon with waiters -> its last sign of life
 *   aside      <base>|pool|aside      zset    resource -> why it is not free though nobody has it
 *   traits     <base>|pool|traits     hash    <letter><resource> -> what is known of it
 *   order      <base>|pool|order      zset    free resource -> its place
 *   leader     <base>|pool|leader     string  the daemon that collects garbage, with a time
 *   policy_update_lock  <base>:<base>|pool|policy_update_lock
 *                                     string  who reads the pool's sources, with a time
 *   scaling    <base>|pool|scaling    string  the run of a program that makes it larger or smaller
 *   scale      <base>|pool|scale      hash    what is known of those runs
 *   fences     <prefix>|fence|seen    hash    name -> the largest fence seen
 *
 * Made in scripts: the lease <base>:<resource>, the bindings <base>-cache:bind:<name> and
 * <base>:<base>-cache:bind:<name>, of labels (lua/pool/label.lua) <base>|pool|labels and
 * <base>|pool|label:<key>=<value>, of owners in the line (lua/pool/fair.lua) <base>|pool|turns and
 * <base>|pool|owners.
 *
 * No name of a pool or namespace holds '|' and no pool ends in "-cache", so that key names of two
 * pools never meet; resources whose lease would be one of a pool's other keys are refused.
 * Knows: names.  Must not know: Redis. */
#ifndef POOL_KEYS_H
#define POOL_KEYS_H

#include "base/err.h"
#include "redis/script.h"

#define POOL_KEYS_MAX 32

struct pool_keys {
    char *text; /* owns all names below */
    struct str base;
    struct str names[POOL_KEYS_MAX]; /* by enum in keys.c */
};

void pool_keys_init(struct pool_keys *keys, struct str prefix, struct str pool);
void pool_keys_clear(struct pool_keys *keys);
/* <base>|pool: for plain commands. Borrowed. */
struct str pool_keys_hash(const struct pool_keys *keys);
/* The keys that a script's header names, in its order. An unknown name ends the process: it is a
 * mistake in a script's header, and the unit test goes over all of them. */
void pool_keys_of(const struct pool_keys *keys, const struct script *script, struct str *out);

/* A name of a resource: 1 to 512 bytes, no NUL, no "||", not beginning with '|', not "#ALLOCATED",
 * and not one that meets this pool's bindings or its refresh lock. */
MUST_CHECK bool pool_keys_check_resource(const struct pool_keys *keys, struct str resource,
                                         struct err *err);
/* "<prefix>|<pool>|pool" back to the pool's name; false when it is none of this prefix. */
bool pool_keys_parse(struct str prefix, struct str key, struct str *pool);

#endif
