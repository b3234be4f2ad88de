/* keys: see keys.h. One block of memory holds all names of a pool. */
#include "pool/keys.h"
#include "base/mem.h"
#include "base/name.h"
#include <stdio.h>
#include <stdlib.h>

/* In the order in which most scripts want them, so that each search ends at its first step. */
enum pool_key {
    KEY_POOL,
    KEY_HEAD,
    KEY_TAIL,
    KEY_LEASES,
    KEY_DEPARTED,
    KEY_JOURNAL,
    KEY_HELD,
    KEY_NOTES,
    KEY_REQUESTS,
    KEY_BINDINGS,
    KEY_WAITERS,
    KEY_WAITING,
    KEY_GRANTED,
    KEY_DAEMONS,
    KEY_ASIDE,
    KEY_TRAITS,
    KEY_ORDER,
    KEY_UNITS,
    KEY_GC_CURSOR,
    KEY_LEADER,
    KEY_POLICY_UPDATE_LOCK,
    KEY_SCALING,
    KEY_SCALE,
    KEY_FENCES,
    KEY_COUNT
};

static const struct {
    const char *name;
    bool is_of_prefix; /* follows the prefix, else the base */
    struct str suffix;
} rows[KEY_COUNT] = {
    [KEY_POOL] = {"pool", false, {"|pool", 5}},
    [KEY_HEAD] = {"head", false, {"|pool|head", 10}},
    [KEY_TAIL] = {"tail", false, {"|pool|tail", 10}},
    [KEY_LEASES] = {"leases", false, {"|pool|leases", 12}},
    [KEY_DEPARTED] = {"departed", false, {"|pool|departed", 14}},
    [KEY_JOURNAL] = {"journal", false, {"|pool|journal", 13}},
    [KEY_HELD] = {"held", false, {"|pool|held", 10}},
    [KEY_NOTES] = {"notes", false, {"|pool|notes", 11}},
    [KEY_REQUESTS] = {"requests", false, {"|pool|requests", 14}},
    [KEY_BINDINGS] = {"bindings", false, {"|pool|bindings", 14}},
    [KEY_WAITERS] = {"waiters", false, {"|pool|waiters", 13}},
    [KEY_WAITING] = {"waiting", false, {"|pool|waiting", 13}},
    [KEY_GRANTED] = {"granted", false, {"|pool|granted", 13}},
    [KEY_DAEMONS] = {"daemons", false, {"|pool|daemons", 13}},
    [KEY_ASIDE] = {"aside", false, {"|pool|aside", 11}},
    [KEY_TRAITS] = {"traits", false, {"|pool|traits", 12}},
    [KEY_ORDER] = {"order", false, {"|pool|order", 11}},
    [KEY_UNITS] = {"units", false, {"|pool|units", 11}},
    [KEY_GC_CURSOR] = {"gc_cursor", false, {"|pool|gc_cursor", 15}},
    [KEY_LEADER] = {"leader", false, {"|pool|leader", 12}},
    [KEY_POLICY_UPDATE_LOCK] = {"policy_update_lock", false, {"|pool|policy_update_lock", 24}},
    [KEY_SCALING] = {"scaling", false, {"|pool|scaling", 13}},
    [KEY_SCALE] = {"scale", false, {"|pool|scale", 11}},
    [KEY_FENCES] = {"fences", true, {"|fence|seen", 11}},
};

_Static_assert(KEY_COUNT <= POOL_KEYS_MAX, "struct pool_keys has room for all names");

static struct str put(char **at, struct str start, struct str end)
{
    struct str name = {*at, start.len + end.len};
    memcpy(*at, start.ptr, start.len);
    memcpy(*at + start.len, end.ptr, end.len);
    *at += name.len;
    return name;
}

/* For the Python library, the refresh lock is a resource's. `leases`: <base>:<base>. */
static struct str start_of(int key, struct str prefix, struct str base, struct str leases)
{
    if (key == KEY_POLICY_UPDATE_LOCK)
        return leases;
    return rows[key].is_of_prefix ? prefix : base;
}

void pool_keys_init(struct pool_keys *keys, struct str prefix, struct str pool)
{
    size_t base_len = prefix.len + 1 + pool.len, leases_len = 2 * base_len + 1;
    size_t size = leases_len + leases_len - base_len; /* once to begin, once for what begins so */
    char *at;
    for (int i = 0; i < KEY_COUNT; i++)
        size += (rows[i].is_of_prefix ? prefix.len : base_len) + rows[i].suffix.len;

    at = keys->text = mem_alloc(size);
    put(&at, prefix, STR("|"));
    put(&at, pool, STR(":"));
    keys->base = str_make(keys->text, base_len);
    put(&at, keys->base, STR(""));
    struct str leases = str_make(keys->text, leases_len);
    for (int i = 0; i < KEY_COUNT; i++)
        keys->names[i] = put(&at, start_of(i, prefix, keys->base, leases), rows[i].suffix);
}

void pool_keys_clear(struct pool_keys *keys)
{
    mem_free(keys->text);
    *keys = (struct pool_keys){0};
}

struct str pool_keys_hash(const struct pool_keys *keys)
{
    return keys->names[KEY_POOL];
}

void pool_keys_of(const struct pool_keys *keys, const struct script *script, struct str *out)
{
    int at = 0;
    for (int i = 0; i < script->key_count; i++) {
        int tried = 0;
        while (tried < KEY_COUNT && strcmp(rows[at].name, script->keys[i]) != 0) {
            at = (at + 1) % KEY_COUNT;
            tried++;
        }
        if (tried == KEY_COUNT) {
            fprintf(stderr, "script %s names an unknown key: %s\n", script->name, script->keys[i]);
            abort();
        }
        out[i] = keys->names[at];
        at = (at + 1) % KEY_COUNT;
    }
}

bool pool_keys_check_resource(const struct pool_keys *keys, struct str resource, struct err *err)
{
    char text[128];
    if (resource.len == 0)
        return err_set(err, ERR_GENERAL, "a resource cannot be empty");
    str_printable(resource, text, sizeof text);
    if (resource.len > NAME_MAX_BYTES_LEN)
        return err_set(err, ERR_GENERAL, "resource '%s' is longer than %d bytes", text,
                       NAME_MAX_BYTES_LEN);
    if (memchr(resource.ptr, '\0', resource.len) != NULL)
        return err_set(err, ERR_GENERAL, "resource '%s' holds a NUL byte", text);
    if (str_find(resource, STR("||")) >= 0)
        return err_set(err, ERR_GENERAL, "resource '%s' holds '||', which is reserved", text);
    if (resource.ptr[0] == '|')
        return err_set(err, ERR_GENERAL, "resource '%s' begins with '|', which is reserved", text);
    if (str_eq(resource, STR("#ALLOCATED")))
        return err_set(err, ERR_GENERAL, "resource '%s' is a reserved word", text);
    /* Its lease would be the key of a binding or of the refresh lock of the Python library. */
    if (str_starts(resource, keys->base)) {
        struct str rest = {resource.ptr + keys->base.len, resource.len - keys->base.len};
        if (str_starts(rest, STR("-cache:bind:")) || str_eq(rest, STR("|pool|policy_update_lock")))
            return err_set(err, ERR_GENERAL, "resource '%s' has the name of a key of its pool",
                           text);
    }
    return true;
}

bool pool_keys_parse(struct str prefix, struct str key, struct str *pool)
{
    struct str name;
    size_t around = prefix.len + 1 + rows[KEY_POOL].suffix.len;
    if (key.len <= around || !str_starts(key, prefix) || key.ptr[prefix.len] != '|' ||
        !str_ends(key, rows[KEY_POOL].suffix))
        return false;
    name = str_make(key.ptr + prefix.len + 1, key.len - around);
    if (!name_check(name, NAME_POOL, NULL))
        return false;
    *pool = name;
    return true;
}
