/* map: hash map of byte strings to pointers. Keyed hashing (SipHash-1-3), so that names chosen
 * by a client cannot pile up in one bucket.
 * Knows: str, mem.  Owns: copies of its keys; never the values. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"
#include <stdint.h>

struct map_slot;

struct map {
    struct map_slot *slots;
    size_t capacity; /* a power of two, or 0 before the first put */
    size_t count;
    uint64_t seed[2];
};

/* `seed`: 16 random bytes. No allocation happens before the first put. */
void map_init(struct map *map, const unsigned char seed[16]);
/* Frees keys and table; values are the caller's. */
void map_clear(struct map *map);

/* SipHash-1-3 of s under `seed`; public for its test. */
uint64_t map_hash(const uint64_t seed[2], struct str s);

/* The value of key, or NULL. */
void *map_get(const struct map *map, struct str key);
/* Sets key to value (never NULL); returns the value it replaces, or NULL. */
void *map_put(struct map *map, struct str key, void *value);
/* Removes key; returns its value, or NULL. */
void *map_remove(struct map *map, struct str key);

/* Goes over all entries in no order: start with *at = 0; false at the end.
 * Meanwhile the map must not be changed, but for the values of keys that it has. */
bool map_next(const struct map *map, size_t *at, struct str *key, void **value);

#endif
