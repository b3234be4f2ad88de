/* store: see store.h. */
#include "tests/sim/store.h"
#include "base/mem.h"

static uint32_t hash_of(struct str key)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * 16777619U;
    return hash;
}

/* --- dictionaries --------------------------------------------------------------------------------
 */

size_t dict_seek(const struct dict *dict, uint64_t hash)
{
    size_t low = 0, high = dict->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (dict->items[middle]->hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The place of the key, or that at which it belongs. */
static size_t place_of(const struct dict *dict, uint32_t hash, struct str key, bool *is_there)
{
    size_t at = dict_seek(dict, hash);
    *is_there = true;
    for (; at < dict->count && dict->items[at]->hash == hash; at++) {
        if (str_eq(dict_key(dict->items[at]), key))
            return at;
    }
    *is_there = false;
    return at;
}

struct dict_item *dict_find(const struct dict *dict, struct str key)
{
    bool is_there;
    size_t at = place_of(dict, hash_of(key), key, &is_there);
    return is_there ? dict->items[at] : NULL;
}

struct dict_item *dict_add(struct dict *dict, struct str key)
{
    bool is_there;
    uint32_t hash = hash_of(key);
    size_t at = place_of(dict, hash, key, &is_there);
    struct dict_item *item;
    if (is_there)
        return dict->items[at];
    if (dict->count == dict->room) {
        dict->room = dict->room * 2 + 8;
        dict->items = mem_realloc(dict->items, dict->room * sizeof(struct dict_item *));
    }
    item = mem_alloc(sizeof *item + key.len);
    item->hash = hash;
    item->value = NULL;
    item->key_len = key.len;
    if (key.len > 0)
        memcpy(item->key, key.ptr, key.len);
    memmove(dict->items + at + 1, dict->items + at,
            (dict->count - at) * sizeof(struct dict_item *));
    dict->items[at] = item;
    dict->count++;
    return item;
}

void *dict_drop(struct dict *dict, struct str key)
{
    bool is_there;
    size_t at = place_of(dict, hash_of(key), key, &is_there);
    void *value;
    if (!is_there)
        return NULL;
    value = dict->items[at]->value;
    mem_free(dict->items[at]);
    dict->count--;
    memmove(dict->items + at, dict->items + at + 1,
            (dict->count - at) * sizeof(struct dict_item *));
    return value;
}

void dict_clear(struct dict *dict, void (*free_value)(void *value))
{
    for (size_t i = 0; i < dict->count; i++) {
        if (free_value != NULL)
            free_value(dict->items[i]->value);
        mem_free(dict->items[i]);
    }
    mem_free(dict->items);
    *dict = (struct dict){0};
}

struct bytes *bytes_new(struct str text)
{
    struct bytes *bytes = mem_alloc(sizeof *bytes + text.len);
    bytes->len = text.len;
    if (text.len > 0)
        memcpy(bytes->ptr, text.ptr, text.len);
    return bytes;
}

/* --- sorted sets ---------------------------------------------------------------------------------
 */

long zset_find(const struct zset *zset, struct str member)
{
    for (size_t i = 0; i < zset->count; i++) {
        if (str_eq(bytes_str(zset->items[i].member), member))
            return (long)i;
    }
    return -1;
}

bool zset_drop(struct zset *zset, struct str member)
{
    long at = zset_find(zset, member);
    if (at < 0)
        return false;
    mem_free(zset->items[at].member);
    zset->count--;
    memmove(zset->items + at, zset->items + at + 1,
            (zset->count - (size_t)at) * sizeof *zset->items);
    return true;
}

bool zset_put(struct zset *zset, struct str member, double score)
{
    struct zset_item item = {score, bytes_new(member)};
    bool is_new = !zset_drop(zset, member);
    size_t at = 0;
    if (zset->count == zset->room) {
        zset->room = zset->room * 2 + 8;
        zset->items = mem_realloc(zset->items, zset->room * sizeof *zset->items);
    }
    while (at < zset->count &&
           (zset->items[at].score < score ||
            (zset->items[at].score <= score &&
             str_cmp(bytes_str(zset->items[at].member), bytes_str(item.member)) < 0)))
        at++;
    memmove(zset->items + at + 1, zset->items + at, (zset->count - at) * sizeof *zset->items);
    zset->items[at] = item;
    zset->count++;
    return is_new;
}

void value_free(void *arg)
{
    struct value *value = arg;
    mem_free(value->string);
    dict_clear(&value->dict, value->type == VALUE_HASH ? mem_free : NULL);
    for (size_t i = 0; i < value->zset.count; i++)
        mem_free(value->zset.items[i].member);
    mem_free(value->zset.items);
    mem_free(value);
}
