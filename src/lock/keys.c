/* keys: see keys.h. */
#include "lock/keys.h"

enum holder { OF_LOCK, OF_SET, OF_PREFIX };

static const struct row {
    const char *name;
    enum holder holder; /* OF_LOCK: the lock's name stands behind */
    struct str middle;  /* behind the base */
} rows[] = {
    [LOCK_KEY_LOCK] = {"lock", OF_LOCK, {":", 1}},
    [LOCK_KEY_CLAIM] = {"claim", OF_LOCK, {"|claim:", 7}},
    [LOCK_KEY_HOLDERS] = {"holders", OF_LOCK, {"|holders:", 9}},
    [LOCK_KEY_SHARES] = {"shares", OF_LOCK, {"|shares:", 8}},
    [LOCK_KEY_SET] = {"set", OF_SET, {"|pool", 5}},
    [LOCK_KEY_COUNTER] = {"counter", OF_PREFIX, {"|fence", 6}},
    [LOCK_KEY_JOURNAL] = {"journal", OF_PREFIX, {"|journal", 8}},
    [LOCK_KEY_WAITERS] = {"waiters", OF_PREFIX, {"|waiters", 8}},
    [LOCK_KEY_WAITING] = {"waiting", OF_PREFIX, {"|waiting", 8}},
    [LOCK_KEY_LINES] = {"lines", OF_PREFIX, {"|lines", 6}},
    [LOCK_KEY_DAEMONS] = {"daemons", OF_PREFIX, {"|daemons", 8}},
    [LOCK_KEY_GRAPH] = {"graph", OF_PREFIX, {"|graph", 6}},
};
#define COUNT (sizeof rows / sizeof *rows)

static struct str second_of(const struct row *row, const struct lock_name *name)
{
    return row->holder != OF_PREFIX && name->set.len > 0 ? name->set : STR("lock");
}

size_t lock_key_len(enum lock_key which, struct str prefix, const struct lock_name *name)
{
    const struct row *row = &rows[which];
    return prefix.len + 1 + second_of(row, name).len + row->middle.len +
           (row->holder == OF_LOCK ? name->key.len : 0);
}

void lock_key_write(enum lock_key which, struct str prefix, const struct lock_name *name, char *out)
{
    const struct row *row = &rows[which];
    str_put(&out, prefix);
    str_put(&out, STR("|"));
    str_put(&out, second_of(row, name));
    str_put(&out, row->middle);
    if (row->holder == OF_LOCK)
        str_put(&out, name->key);
}

bool lock_key_called(const char *name, enum lock_key *out)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *out = (enum lock_key)i;
            return true;
        }
    }
    return false;
}
