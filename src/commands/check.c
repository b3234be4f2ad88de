/* check: see check.h. */
#include "commands/check.h"
#include "base/name.h"

#define MOST_WITH_DATA 100 /* resources: their data may be long */

struct pool *check_pool(struct ask *ask)
{
    struct err err;
    struct pool *pool = pools_get(&ask->daemon->pools, ask->fixed[0], &err);

    if (pool == NULL)
        ask_fail(ask, &err);
    return pool;
}

bool check_leases(struct ask *ask, const struct pool *pool)
{
    const unsigned refused = OPT_TOKEN | OPT_OWNER | OPT_REQID | OPT_WITHTOKEN | OPT_SESSION;

    if (!pool->config->is_shared)
        return true;
    if (!(ask->options.given & refused)) {
        ask->options.owner = STR("");
        return true;
    }
    for (const struct option *option = option_table; option->word != NULL; option++) {
        if (option->flag & refused & ask->options.given) {
            ask_error(ask, ERR_GENERAL,
                      "%s does not go with pool '%s': it is shared, without leases", option->word,
                      pool->name);
            break;
        }
    }
    return false;
}

bool check_resource(struct ask *ask, const struct pool *pool, struct str resource)
{
    struct err err;

    if (pool_keys_check_resource(&pool->keys, resource, &err))
        return true;
    ask_fail(ask, &err);
    return false;
}

static int64_t max_resources(const struct ask *ask)
{
    return ask->daemon->config.server.max_resources;
}

int64_t check_most(const struct ask *ask)
{
    bool is_heavy = (ask->options.given & OPT_WITHDATA) && max_resources(ask) > MOST_WITH_DATA;
    return is_heavy ? MOST_WITH_DATA : max_resources(ask);
}

static bool check_rest_count(struct ask *ask, const char *what)
{
    if (ask->rest_count <= max_resources(ask))
        return true;
    ask_error(ask, ERR_GENERAL, "at most %lld %s in one call, not %d",
              (long long)max_resources(ask), what, ask->rest_count);
    return false;
}

bool check_resources(struct ask *ask, const struct pool *pool)
{
    if (!check_rest_count(ask, "resources"))
        return false;
    for (int i = 0; i < ask->rest_count; i++) {
        if (!check_resource(ask, pool, ask->rest[i]))
            return false;
    }
    return true;
}

bool check_capacity(struct ask *ask, const struct pool *pool)
{
    int64_t capacity = ask->options.capacity > 0 ? ask->options.capacity : pool->config->capacity;

    if (pool->config->is_shared && ask->options.capacity > 1) {
        ask_error(ask, ERR_GENERAL,
                  "CAPACITY does not go with pool '%s': it is shared, without leases", pool->name);
        return false;
    }
    if (ask->rest_count * capacity <= max_resources(ask))
        return true;
    ask_error(ask, ERR_GENERAL, "at most %lld units of resources in one call, not %d of %lld each",
              (long long)max_resources(ask), ask->rest_count, (long long)capacity);
    return false;
}

bool check_count(struct ask *ask)
{
    if (!(ask->options.given & OPT_COUNT) || ask->options.count <= check_most(ask))
        return true;
    ask_error(ask, ERR_GENERAL, "COUNT is at most %lld resources in one call%s, not %lld",
              (long long)check_most(ask), ask->options.given & OPT_WITHDATA ? " with WITHDATA" : "",
              (long long)ask->options.count);
    return false;
}

bool check_priority(struct ask *ask, int64_t most)
{
    int64_t priority = ask->options.priority;
    if (!(ask->options.given & OPT_PRIORITY) || (priority >= -most && priority <= most))
        return true;
    ask_error(ask, ERR_GENERAL, "PRIORITY is not a whole number from -%lld to %lld: '%lld'",
              (long long)most, (long long)most, (long long)priority);
    return false;
}

bool check_bytes(struct ask *ask, struct str s, const char *what)
{
    struct err err;

    if (name_check_bytes(s, what, &err))
        return true;
    ask_fail(ask, &err);
    return false;
}

bool check_lock(struct ask *ask, struct lock_name *name)
{
    *name = (struct lock_name){.set = ask->options.set, .key = ask->fixed[0]};
    return check_bytes(ask, name->key, "key");
}

bool check_owner(struct ask *ask, struct str owner)
{
    struct err err;

    if (lock_owner_check(owner, &err))
        return true;
    ask_fail(ask, &err);
    return false;
}

bool check_lock_keys(struct ask *ask)
{
    if (!check_rest_count(ask, "keys"))
        return false;
    for (int i = 0; i < ask->rest_count; i++) {
        if (!check_bytes(ask, ask->rest[i], "key"))
            return false;
    }
    return true;
}

bool check_patience(struct ask *ask)
{
    const struct tasks *tasks = &ask->daemon->tasks;
    int64_t most = ask->daemon->config.server.max_waiters;
    if (tasks->askers.count + tasks->listens.count >= (size_t)most)
        ask_error(ask, ERR_BUSY,
                  "%lld requests wait for tasks here already (max_waiters): not done",
                  (long long)most);
    return !ask->has_failed;
}

bool check_queue(struct ask *ask, struct str queue)
{
    struct err err;

    if (name_check(queue, NAME_POOL, &err))
        return true;
    ask_fail(ask, &err);
    return false;
}

bool check_payload(struct ask *ask, struct str queue, struct str payload, const char *what)
{
    int64_t most = config_queue(&ask->daemon->config, queue)->max_payload_bytes;

    if ((int64_t)payload.len <= most)
        return true;
    ask_error(ask, ERR_GENERAL, "%s: %zu bytes, at most %lld are allowed (max_payload)", what,
              payload.len, (long long)most);
    return false;
}

bool check_client_text(struct ask *ask, struct str s, const char *what)
{
    if (s.len > CHECK_CLIENT_TEXT_MAX) {
        ask_error(ask, ERR_GENERAL, "%s cannot be longer than %d bytes.", what,
                  CHECK_CLIENT_TEXT_MAX);
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '!' || s.ptr[i] > '~') {
            ask_error(ask, ERR_GENERAL, "%s cannot contain spaces, newlines or special characters.",
                      what);
            return false;
        }
    }
    return true;
}
