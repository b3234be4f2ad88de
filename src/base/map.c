/* map: hash map of byte strings to pointers: open addressing, linear probing, and removal that
 * moves followers back, so that no tombstones pile up. See map.h. */
#include "base/map.h"
#include "base/mem.h"
#include <stdint.h>

#define MIN_CAPACITY 16

struct map_slot {
    uint64_t hash;
    char *key;
    size_t len;
    void *value; /* NULL: the slot is free */
};

/* --- SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) ------------------
 * One round for each word of eight bytes, three to finish. */

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* The first `count` (at most 8) bytes, little endian. */
static uint64_t read_word(const char *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return word;
}

uint64_t map_hash(const uint64_t seed[2], struct str s)
{
    uint64_t v[4] = {
        seed[0] ^ UINT64_C(0x736f6d6570736575),
        seed[1] ^ UINT64_C(0x646f72616e646f6d),
        seed[0] ^ UINT64_C(0x6c7967656e657261),
        seed[1] ^ UINT64_C(0x7465646279746573),
    };
    size_t whole = s.len - s.len % 8;

    for (size_t at = 0; at < whole; at += 8) {
        uint64_t word = read_word(s.ptr + at, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    /* the last word holds what is left and, in its highest byte, the length */
    uint64_t last = (uint64_t)s.len << 56;
    if (s.len > whole)
        last |= read_word(s.ptr + whole, s.len - whole);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- the table ------------------------------------------------------------------------- */

void map_init(struct map *map, const unsigned char seed[16])
{
    map->slots = NULL;
    map->capacity = 0;
    map->count = 0;
    map->seed[0] = read_word((const char *)seed, 8);
    map->seed[1] = read_word((const char *)seed + 8, 8);
}

void map_clear(struct map *map)
{
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].value != NULL)
            mem_free(map->slots[i].key);
    }
    mem_free(map->slots);
    map->slots = NULL;
    map->capacity = 0;
    map->count = 0;
}

/* The slot that holds key, or the free one where it belongs. There is always a free one. */
static struct map_slot *seek(const struct map *map, uint64_t hash, struct str key)
{
    size_t mask = map->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_slot *slot = &map->slots[i];
        if (slot->value == NULL ||
            (slot->hash == hash && str_eq(str_make(slot->key, slot->len), key)))
            return slot;
    }
}

static void resize(struct map *map, size_t capacity)
{
    struct map_slot *old = map->slots;
    size_t old_capacity = map->capacity;

    map->slots = mem_array(capacity, sizeof(*map->slots));
    map->capacity = capacity;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].value != NULL)
            *seek(map, old[i].hash, str_make(old[i].key, old[i].len)) = old[i];
    }
    mem_free(old);
}

void *map_get(const struct map *map, struct str key)
{
    return map->count == 0 ? NULL : seek(map, map_hash(map->seed, key), key)->value;
}

void *map_put(struct map *map, struct str key, void *value)
{
    uint64_t hash = map_hash(map->seed, key);

    if (map->capacity == 0)
        resize(map, MIN_CAPACITY);
    struct map_slot *slot = seek(map, hash, key);
    if (slot->value != NULL) {
        void *replaced = slot->value;
        slot->value = value;
        return replaced;
    }
    if (map->count >= map->capacity - map->capacity / 4) {
        resize(map, map->capacity * 2);
        slot = seek(map, hash, key);
    }
    *slot = (struct map_slot){hash, mem_dup(key), key.len, value};
    map->count++;
    return NULL;
}

void *map_remove(struct map *map, struct str key)
{
    if (map->count == 0)
        return NULL;
    struct map_slot *slot = seek(map, map_hash(map->seed, key), key);
    void *value = slot->value;
    if (value == NULL)
        return NULL;
    mem_free(slot->key);
    map->count--;

    /* What stands behind the gap and would be found through it moves into it. */
    size_t mask = map->capacity - 1, gap = (size_t)(slot - map->slots);
    for (size_t i = (gap + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        map->slots[gap] = map->slots[i];
        gap = i;
    }
    memset(&map->slots[gap], 0, sizeof(map->slots[gap]));
    if (map->capacity > MIN_CAPACITY && map->count < map->capacity / 8)
        resize(map, map->capacity / 2);
    return value;
}

bool map_next(const struct map *map, size_t *at, struct str *key, void **value)
{
    while (*at < map->capacity) {
        const struct map_slot *slot = &map->slots[(*at)++];
        if (slot->value == NULL)
            continue;
        *key = str_make(slot->key, slot->len);
        *value = slot->value;
        return true;
    }
    return false;
}
