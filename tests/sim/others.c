/* others: the administrator, the Python peer, the vandal. */
#include "base/mem.h"
#include "tests/sim/actors.h"
#include <inttypes.h>
#include <stdio.h>

const char *const pool_names[MAX_POOLS] = {"gpus", "p.2", "UPPER_lower-9"};
/* Names that a careless layout would misread are among them. */
const char *const resource_names[RESOURCES] = {"r0", "10.0.0.1:8080", "a|b",   "ends|",
                                               "-1", "with blank",    "x:y:z", "r7"};

static int any_pool(struct scene *scene)
{
    return (int)world_below(scene->world, (uint64_t)scene->plan.pools);
}

static struct str any_resource(struct scene *scene)
{
    return str_of(resource_names[world_below(scene->world, RESOURCES)]);
}

/* --- the administrator ---------------------------------------------------------------------------
 */

struct order {
    struct scene *scene;
    struct sidecar *sidecar;
    const char *name;
    bool is_answered, is_check;
};

static void hear_order(void *arg, const struct err *err, const struct answer *answer)
{
    struct order *order = arg;
    struct scene *scene = order->scene;
    bool is_heard = !order->sidecar->is_dying;
    if (order->is_answered)
        world_fail(scene->world, "%s: a second answer", order->name);
    order->is_answered = true;
    scene->answered++;
    if (err != NULL && is_heard)
        scene_check_error(scene, err, order->name);
    if (err == NULL && order->is_check && answer_count(answer) > 3 && !scene->plan.has_peers &&
        !scene->plan.has_vandal)
        world_fail(scene->world, "POOL CHECK: %.*s", PRSTR(answer_str(answer_at(answer, 3))));
    mem_free(order);
}

static void hear_held(void *arg, const struct err *err, const struct leases *leases)
{
    hear_order(arg, err, leases != NULL ? leases->answer : answer_none());
}

static void change_members(struct scene *scene, struct pool *pool, struct order *order)
{
    struct world *world = scene->world;
    struct str some[RESOURCES];
    int count = 0;
    int64_t expiry_ms = 0;
    for (int i = 0; i < RESOURCES; i++) {
        if (world_chance(world, 500))
            some[count++] = str_of(resource_names[i]);
    }
    if (scene->plan.has_expiry && world_chance(world, 500))
        expiry_ms = world_between(world, 1, 5000);
    switch (world_below(world, 4)) {
    case 0:
        order->name = "shrink";
        if (count > 3)
            count = 3;
        members_shrink(pool, some, count, hear_order, order);
        break;
    case 1:
        order->name = "assign";
        members_assign(pool, expiry_ms, some, count, hear_order, order);
        break;
    default:
        order->name = "extend";
        members_extend(pool, expiry_ms, some, count, hear_order, order);
    }
}

static void look(struct scene *scene, struct pool *pool, struct order *order)
{
    struct str resource = any_resource(scene), name = STR("name1");
    switch (world_below(scene->world, 15)) {
    case 0:
        members_bind(pool, name, resource, 1000, hear_order, order);
        break;
    case 1:
        members_unbind(pool, name, hear_order, order);
        break;
    case 2:
        members_bound(pool, name, hear_order, order);
        break;
    case 3:
        members_keys(pool, hear_order, order);
        break;
    case 4:
        members_len(pool, hear_order, order);
        break;
    case 5:
        members_has(pool, resource, hear_order, order);
        break;
    case 6:
        members_freelist(pool, -1, hear_order, order);
        break;
    case 7:
        members_scan(pool, STR("0"), 3, hear_order, order);
        break;
    case 8:
        members_info(pool, hear_order, order);
        break;
    case 9:
        members_health(pool, hear_order, order);
        break;
    case 10:
        members_status(pool, resource, hear_order, order);
        break;
    case 11:
        members_repair(pool, hear_order, order);
        break;
    case 12:
        members_gc(pool, false, world_between(scene->world, 0, 10), hear_order, order);
        break;
    case 13:
        members_explain(pool, 5, hear_order, order);
        break;
    default:
        leases_held(pool, STR("owner1"), hear_held, order);
    }
}

void admin_act(struct scene *scene)
{
    struct sidecar *sidecar = scene_sidecar(scene);
    struct pool *pool;
    struct order *order;
    if (sidecar == NULL)
        return;
    pool = scene_pool(sidecar, any_pool(scene));
    order = mem_zalloc(sizeof *order);
    *order = (struct order){.scene = scene, .sidecar = sidecar, .name = "look"};
    scene->asked++;
    if (scene->plan.has_members && world_chance(scene->world, 400)) {
        change_members(scene, pool, order);
        world_say(scene->world, "admin: %s of pool %s at daemon %d", order->name, pool->name,
                  sidecar->number);
    } else if (world_chance(scene->world, 300)) {
        order->name = "check";
        order->is_check = true;
        members_check(pool, hear_order, order);
    } else {
        look(scene, pool, order);
    }
}

/* --- commands of those who go to Redis directly --------------------------------------------------
 */

static const redisReply *tell(struct scene *scene, int count, ...)
{
    struct str args[8];
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++)
        args[i] = va_arg(list, struct str);
    va_end(list);
    return keyspace_command(scene->world->redis, args, count);
}

static struct str lease_key(struct scene *scene, int pool, struct str resource, char out[128])
{
    struct str base = scene->keys[pool].base;
    int len = snprintf(out, 128, "%.*s:%.*s", PRSTR(base), PRSTR(resource));
    return str_make(out, (size_t)len);
}

static struct str pool_key(struct scene *scene, int pool, const char *suffix, char out[128])
{
    struct str base = scene->keys[pool].base;
    int len = snprintf(out, 128, "%.*s|pool%s", PRSTR(base), suffix);
    return str_make(out, (size_t)len);
}

/* A copy of a reply's text; "" when there is none. */
static struct str text_of(const redisReply *reply, char out[128])
{
    size_t len = reply->type == REDIS_REPLY_STRING && reply->len < 128 ? reply->len : 0;
    if (len > 0)
        memcpy(out, reply->str, len);
    return str_make(out, len);
}

/* prev||next||expiry, from the right, as names may end in '|'. */
static bool split_entry(struct str value, struct str *prev, struct str *next, struct str *expiry)
{
    struct str *parts[] = {expiry, next};
    for (int i = 0; i < 2; i++) {
        size_t at = value.len;
        while (at >= 2 && (value.ptr[at - 1] != '|' || value.ptr[at - 2] != '|'))
            at--;
        if (at < 2)
            return false;
        *parts[i] = str_make(value.ptr + at, value.len - at);
        value.len = at - 2;
    }
    *prev = value;
    return true;
}

static void set_entry(struct scene *scene, int pool, struct str name, struct str prev,
                      struct str next, struct str expiry)
{
    char key[128], value[300];
    int len =
        snprintf(value, sizeof value, "%.*s||%.*s||%.*s", PRSTR(prev), PRSTR(next), PRSTR(expiry));
    tell(scene, 4, STR("HSET"), pool_key(scene, pool, "", key), name, str_make(value, (size_t)len));
}

static bool get_entry(struct scene *scene, int pool, struct str name, char text[128],
                      struct str *prev, struct str *next, struct str *expiry)
{
    char key[128];
    return split_entry(
        text_of(tell(scene, 3, STR("HGET"), pool_key(scene, pool, "", key), name), text), prev,
        next, expiry);
}

static bool has_lease(struct scene *scene, int pool, struct str name)
{
    char key[128];
    return tell(scene, 2, STR("EXISTS"), lease_key(scene, pool, name, key))->integer == 1;
}

/* A lease key as the Python library makes it: value 1, whole seconds, not in the index. */
static void lock_it(struct scene *scene, int pool, struct str name)
{
    struct world *world = scene->world;
    char key[128], seconds[8];
    int64_t s = world_between(world, 1, MAX_TIMEOUT_MS / 1000);
    snprintf(seconds, sizeof seconds, "%" PRId64, s);
    tell(scene, 5, STR("SET"), lease_key(scene, pool, name, key), STR("1"), STR("EX"),
         str_of(seconds));
    history_hold(&scene->history, pool, name, STR(""), STR(""), world->now_us,
                 (world->now_us / MS + s * 1000) * MS + MS - 1, -1);
    world_say(world, "peer has %.*s of pool %d for %" PRId64 " s", PRSTR(name), pool, s);
}

/* The head, taken as the Python library takes it. */
static void peer_malloc(struct scene *scene, int pool)
{
    char key[128], head_text[128], entry[128], next_entry[128];
    struct str prev, next, expiry, next_prev, next_next, next_expiry;
    struct str head =
        text_of(tell(scene, 2, STR("GET"), pool_key(scene, pool, "|head", key)), head_text);
    if (head.len == 0 || has_lease(scene, pool, head) ||
        !get_entry(scene, pool, head, entry, &prev, &next, &expiry) ||
        str_eq(prev, STR("#ALLOCATED")))
        return;
    if (!str_eq(expiry, STR("-1")))
        return;
    tell(scene, 3, STR("SET"), pool_key(scene, pool, "|head", key), next);
    if (next.len == 0)
        tell(scene, 3, STR("SET"), pool_key(scene, pool, "|tail", key), STR(""));
    else if (get_entry(scene, pool, next, next_entry, &next_prev, &next_next, &next_expiry))
        set_entry(scene, pool, next, STR(""), next_next, next_expiry);
    set_entry(scene, pool, head, STR("#ALLOCATED"), STR("#ALLOCATED"), STR("-1"));
    lock_it(scene, pool, head);
}

static void push_tail(struct scene *scene, int pool, struct str name)
{
    char key[128], tail_text[128], entry[128];
    struct str prev, next, expiry;
    struct str tail =
        text_of(tell(scene, 2, STR("GET"), pool_key(scene, pool, "|tail", key)), tail_text);
    set_entry(scene, pool, name, tail, STR(""), STR("-1"));
    if (tail.len == 0)
        tell(scene, 3, STR("SET"), pool_key(scene, pool, "|head", key), name);
    else if (get_entry(scene, pool, tail, entry, &prev, &next, &expiry))
        set_entry(scene, pool, tail, prev, name, expiry);
    tell(scene, 3, STR("SET"), pool_key(scene, pool, "|tail", key), name);
}

/* Gives back what a peer holds. */
static void peer_free(struct scene *scene)
{
    struct history *history = &scene->history;
    char key[128], entry[128];
    struct str prev, next, expiry;
    for (size_t i = 0; i < history->count; i++) {
        struct hold *hold = history->holds[i];
        struct str name = str_of(hold->resource);
        if (hold->who != -1 || hold->is_ended || hold->until_us < scene->world->now_us ||
            !has_lease(scene, hold->pool, name))
            continue;
        history_end(history, hold);
        tell(scene, 2, STR("DEL"), lease_key(scene, hold->pool, name, key));
        if (get_entry(scene, hold->pool, name, entry, &prev, &next, &expiry) &&
            str_eq(prev, STR("#ALLOCATED")))
            push_tail(scene, hold->pool, name);
        world_say(scene->world, "peer frees %s of pool %d", hold->resource, hold->pool);
        return;
    }
}

void peer_act(struct scene *scene)
{
    int pool = any_pool(scene), dice = (int)world_below(scene->world, 3);
    struct str name = any_resource(scene);
    if (scene->plan.is_shared[pool])
        return;
    if (dice == 0)
        peer_malloc(scene, pool);
    else if (dice == 1)
        peer_free(scene);
    else if (!has_lease(scene, pool, name))
        lock_it(scene, pool, name);
}

/* --- the vandal ----------------------------------------------------------------------------------
 */

void vandal_act(struct scene *scene)
{
    static const char *const nonsense[] = {"",           "#ALLOCATED||||-1", "x||y||z", "||||-1",
                                           "r0||r0||-1", "r7||||-1",         "||r7||-1"};
    struct world *world = scene->world;
    int pool = any_pool(scene);
    char key[128];
    struct str name = any_resource(scene);
    world_say(world, "vandal at pool %d", pool);
    switch (world_below(world, 5)) {
    case 0:
        tell(scene, 4, STR("HSET"), pool_key(scene, pool, "", key), name,
             str_of(nonsense[world_below(world, 7)]));
        break;
    case 1:
        tell(scene, 3, STR("SET"), pool_key(scene, pool, "|head", key), name);
        break;
    case 2:
        tell(scene, 3, STR("SET"), pool_key(scene, pool, "|tail", key), name);
        break;
    case 3:
        tell(scene, 3, STR("HDEL"), pool_key(scene, pool, "", key), name);
        break;
    default:
        tell(scene, 2, STR("DEL"),
             pool_key(scene, pool, world_chance(world, 500) ? "|leases" : "|notes", key));
    }
}
