/* store: the values of the little Redis of the simulation: byte strings, hashes, sets, sorted sets,
 * in a dictionary of keys with times to live.
 * Knows: str.  Must not know: commands, Lua. */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include "base/str.h"
#include <stdbool.h>
#include <stdint.h>

/* Ordered by hash of the key, so that a scan can go on at a hash, whatever was added meanwhile. */
struct dict_item {
    uint32_t hash;
    void *value;
    size_t key_len;
    char key[];
};

struct dict {
    struct dict_item **items;
    size_t count, room;
};

static inline struct str dict_key(const struct dict_item *item)
{
    return str_make(item->key, item->key_len);
}

struct dict_item *dict_find(const struct dict *dict, struct str key);
/* The item of the key, made with a NULL value when there was none. */
struct dict_item *dict_add(struct dict *dict, struct str key);
/* Takes the item out and frees it; returns its value, NULL when there was none. */
void *dict_drop(struct dict *dict, struct str key);
void dict_clear(struct dict *dict, void (*free_value)(void *value));
/* The first item whose hash is not below `hash`; its place, or `count`. */
size_t dict_seek(const struct dict *dict, uint64_t hash);

struct bytes {
    size_t len;
    char ptr[];
};

struct bytes *bytes_new(struct str text);
static inline struct str bytes_str(const struct bytes *bytes)
{
    return str_make(bytes->ptr, bytes->len);
}

struct zset_item {
    double score;
    struct bytes *member;
};

/* Ordered by score, then by bytes. */
struct zset {
    struct zset_item *items;
    size_t count, room;
};

/* Its place, or -1. */
long zset_find(const struct zset *zset, struct str member);
/* True when the member is new. */
bool zset_put(struct zset *zset, struct str member, double score);
bool zset_drop(struct zset *zset, struct str member);

enum value_type { VALUE_STRING, VALUE_HASH, VALUE_SET, VALUE_ZSET };

struct value {
    enum value_type type;
    int64_t expires_ms; /* -1: never */
    struct bytes *string;
    struct dict dict; /* hash: struct bytes; set: (void *)1 */
    struct zset zset;
};

void value_free(void *value);

#endif
