/* config: the settings in use. See config.h. The layers say what was given; here the structs are
 * built of it, and changed by a reload or CONFIG SET. */
#include "config/config.h"
#include "base/mem.h"
#include "base/name.h"
#include "base/rand.h"
#include "config/layers.h"
#include "config/source.h"
#include "config/value.h"
#include <stdio.h>

/* Goes over the rows of the sections from..to. */
#define each_row(row, from, to)                                                    \
    for (const struct key *row = key_next(NULL); row != NULL; row = key_next(row)) \
        if (row->section >= (from) && row->section <= (to))

static void *section_of(struct config *config, enum key_section section)
{
    return (char *)config + key_section_offset(section);
}

static const void *section_of_const(const struct config *config, enum key_section section)
{
    return (const char *)config + key_section_offset(section);
}

/* The structs by name of a named section. */
static struct map *named_of(struct config *config, enum key_section section)
{
    return (struct map *)(void *)((char *)config + key_named_offset(section));
}

static const struct map *named_of_const(const struct config *config, enum key_section section)
{
    return (const struct map *)(const void *)((const char *)config + key_named_offset(section));
}

/* Goes over the named sections. */
#define each_named(section) \
    for (enum key_section section = KEY_POOL; section < KEY_SECTIONS; section++)

/* The struct in use for a name: its own, or that of all. */
static const void *struct_of(const struct config *config, enum key_section section, struct str name)
{
    const void *own = map_get(named_of_const(config, section), name);
    return own != NULL ? own : section_of_const(config, section);
}

/* --- building the structs -------------------------------------------------------------- */

/* What stands in the row's field of a pool, queue or user: its own section's, else [pool:*]'s, else
 * the default. */
static void build_named_row(struct config *config, const struct key *row, struct str name,
                            void *pool)
{
    const struct given *given = layers_find(&config->given, row, name);

    if (given == NULL)
        given = layers_find(&config->given, row, STR("*"));
    value_store(row, pool, str_of(given == NULL ? row->initial : given->value));
}

static void build_named(struct config *config, enum key_section section, struct str name,
                        void *pool)
{
    each_row(row, section, section)
    {
        build_named_row(config, row, name, pool);
    }
}

/* Everything from `given`; `pools`, `queues` and `users` hold those that have sections. */
static void build(struct config *config)
{
    struct str name;
    void *value;

    each_row(row, KEY_SERVER, KEY_LOG)
    {
        const struct given *given = layers_find(&config->given, row, STR(""));
        value_store(row, section_of(config, row->section),
                    str_of(given == NULL ? row->initial : given->value));
    }
    each_named(section)
    {
        build_named(config, section, STR("*"), section_of(config, section));
        for (size_t at = 0; map_next(named_of(config, section), &at, &name, &value);)
            build_named(config, section, name, value);
    }
    if (*config->redis.state_dir == '\0') {
        mem_free(config->redis.state_dir);
        config->redis.state_dir = mem_dup(str_of(config->source->state_dir));
    }
}

/* Fills the parsed url; the keys for the login win over what stands in the url. */
static bool build_where(struct redis_config *redis, struct err *err)
{
    if (!url_parse(str_of(redis->url), &redis->where, err))
        return false;
    /* the table bounds both texts by the size of these fields */
    if (*redis->username != '\0')
        snprintf(redis->where.user, sizeof(redis->where.user), "%s", redis->username);
    if (*redis->password != '\0')
        snprintf(redis->where.password, sizeof(redis->where.password), "%s", redis->password);
    return true;
}

const char *config_where(const struct config *config, const char *name)
{
    const struct given *given = map_get(&config->given, str_of(name));
    return given == NULL ? "" : given->where;
}

/* What is shown to all in turn is in no other order. */
static bool check_order(const struct pool_config *pool, struct str name, struct err *err)
{
    if (!pool->is_shared || strcmp(pool->order, "fifo") == 0)
        return true;
    return err_set(err, ERR_GENERAL, "[pool:%.*s] order = %s: with mode = shared only fifo",
                   (int)name.len, name.ptr, pool->order);
}

static bool check_capacity(bool is_shared, int64_t capacity, struct str pool, struct err *err)
{
    return !is_shared || capacity == 1 ||
           err_set(err, ERR_GENERAL,
                   "[pool:%.*s] mode = shared, capacity = %lld: a shared pool has no leases and no "
                   "capacity but 1",
                   PRSTR(pool), (long long)capacity);
}

static bool check_pool(const struct pool_config *pool, struct str name, struct err *err)
{
    return check_order(pool, name, err) &&
           check_capacity(pool->is_shared, pool->capacity, name, err);
}

static bool check_pools(const struct config *config, struct err *err)
{
    struct str name;
    void *pool;

    for (size_t at = 0; map_next(&config->pools, &at, &name, &pool);) {
        if (!check_pool(pool, name, err))
            return false;
    }
    return check_pool(&config->pool_default, STR("*"), err);
}

static bool check_password(struct str password, struct str user, struct err *err)
{
    return password.len > 0 ||
           err_set(err, ERR_GENERAL, "[user:%.*s] password is missing or empty", PRSTR(user));
}

static bool check_users(const struct config *config, struct err *err)
{
    struct str name;
    void *user;

    for (size_t at = 0; map_next(&config->users, &at, &name, &user);) {
        if (!check_password(str_of(((struct user_config *)user)->password), name, err))
            return false;
    }
    return true;
}

/* What must hold between settings; on failure *name is one of them, a given one if any is. */
static bool check_together(const struct config *config, const char **name, struct err *err)
{
    const struct redis_config *redis = &config->redis;

    *name = "redis.backoff_min";
    if (map_get(&config->given, str_of(*name)) == NULL)
        *name = "redis.backoff_max";
    if (redis->backoff_min_ms > redis->backoff_max_ms)
        return err_set(err, ERR_GENERAL, "[redis] backoff_min is longer than backoff_max");
    *name = "server.max_pools";
    if ((size_t)config->server.max_pools < config->pools.count)
        return err_set(err, ERR_GENERAL, "[server] max_pools = %lld: %zu pools have sections",
                       (long long)config->server.max_pools, config->pools.count);
    *name = "redis.state_dir";
    if (redis->where.scheme == URL_EMBEDDED && *redis->state_dir == '\0')
        return err_set(err, ERR_GENERAL,
                       "[redis] state_dir: no default, for neither XDG_STATE_HOME nor HOME is set");
    *name = "user:*.password";
    if (!check_users(config, err))
        return false;
    *name = "pool:*.order";
    return check_pools(config, err);
}

/* Reads all layers and builds the structs of a zeroed config. */
static bool fill(struct config *config, struct config_source *source, struct log *log,
                 struct err *err)
{
    struct layers layers;
    struct rand rand;
    unsigned char seed[16];
    const char *name;

    rand_init(&rand);
    rand_bytes(&rand, seed, sizeof(seed));
    layers_init(&layers, seed);
    bool is_good = (*source->path == '\0' || layers_read_file(&layers, source->path, err)) &&
                   layers_read_environment(&layers, source->environment, log, err) &&
                   layers_read_arguments(&layers, source->arguments, err);
    config->source = source;
    config->given = layers.given;
    config->pools = layers.pools;
    config->queues = layers.queues;
    config->users = layers.users;
    build(config);
    if (!is_good || !build_where(&config->redis, err))
        return false;
    is_good = check_together(config, &name, err);
    if (!is_good && *config_where(config, name) != '\0')
        err_wrap(err, "%s", config_where(config, name));
    return is_good;
}

bool config_load(struct config *config, int argc, char **argv, char **environment, struct log *log,
                 enum config_action *action, struct err *err)
{
    struct args args;

    memset(config, 0, sizeof(*config));
    bool is_good = args_parse(&args, argc, argv, err);
    bool is_used = is_good && (args.action == CONFIG_RUN || args.action == CONFIG_CHECK);
    *action = args.action;

    struct config_source *source = source_new(is_used ? &args : NULL, environment);
    args_clear(&args);
    /* without a run the defaults alone are there; that they may lack a state folder is no matter */
    bool is_filled = fill(config, source, log, is_used ? err : NULL);
    return is_good && (is_filled || !is_used);
}

static void free_named(enum key_section section, void *pool)
{
    each_row(row, section, section)
    {
        value_clear(row, pool);
    }
    mem_free(pool);
}

/* All but the source. */
static void clear_values(struct config *config)
{
    struct layers layers = {.given = config->given};
    struct str name;
    void *value;

    each_row(row, KEY_SERVER, KEY_SECTIONS)
    {
        value_clear(row, section_of(config, row->section));
    }
    each_named(section)
    {
        for (size_t at = 0; map_next(named_of(config, section), &at, &name, &value);)
            free_named(section, value);
        map_clear(named_of(config, section));
    }
    layers_clear(&layers);
    config->given = layers.given;
}

void config_clear(struct config *config)
{
    clear_values(config);
    source_free(config->source);
    config->source = NULL;
}

const char *config_path(const struct config *config)
{
    return config->source->path;
}

const struct pool_config *config_pool(const struct config *config, struct str name)
{
    return struct_of(config, KEY_POOL, name);
}

const struct queue_config *config_queue(const struct config *config, struct str name)
{
    return struct_of(config, KEY_QUEUE, name);
}

const struct user_config *config_user(const struct config *config, struct str name)
{
    return map_get(&config->users, name);
}

/* --- reload ---------------------------------------------------------------------------- */

/* Tells of a change, without passwords. `name`: "server.maxclients" "pool:gpu.mode" */
static void log_change(struct log *log, const char *name, const struct key *row, const void *old,
                       const void *new)
{
    char *from = value_print_public(row, old), *to = value_print_public(row, new);

    if (row->flags & KEY_RELOAD)
        log_line(log, LOG_LEVEL_INFO, "setting-changed", "key", name, "from", from, "to", to, NULL);
    else
        log_line(log, LOG_LEVEL_WARNING, "setting-needs-restart", "key", name, "from", from, "to",
                 to, NULL);
    mem_free(from);
    mem_free(to);
}

/* Is the value the same in both structs? */
static bool is_same(const struct key *row, const void *a, const void *b)
{
    char *text_a = value_print(row, a), *text_b = value_print(row, b);
    bool is_it = strcmp(text_a, text_b) == 0;

    mem_free(text_a);
    mem_free(text_b);
    return is_it;
}

/* Moves what may change into the struct in use. */
static void adopt(struct log *log, const struct key *row, void *old, void *new)
{
    if (is_same(row, old, new))
        return;
    char *name = mem_printf("%s%s.%s", key_section_name(row->section),
                            key_is_named(row->section) ? ":*" : "", row->name);
    log_change(log, name, row, old, new);
    mem_free(name);
    if (row->flags & KEY_RELOAD)
        value_move(row, old, new);
}

/* A pool's keys in Redis stay what they are while the daemon runs: gives `pool` the prefix in use.
 */
static void keep_prefix(const struct config *config, struct str name, struct pool_config *pool,
                        struct log *log)
{
    const struct key *row = key_find(KEY_POOL, STR("prefix"), false);
    const struct pool_config *old = config_pool(config, name);
    char shown[NAME_MAX_LEN + 1];

    if (strcmp(old->prefix, pool->prefix) == 0)
        return;
    str_printable(name, shown, sizeof(shown));
    log_line(log, LOG_LEVEL_WARNING, "setting-needs-restart", "pool", shown, "key", row->name,
             "from", old->prefix, "to", pool->prefix, NULL);
    value_store(row, pool, str_of(old->prefix));
}

/* Tells what a reload changes for a pool, queue or user beyond [pool:*]; of a pool's prefix
 * keep_prefix() tells. */
static void log_named(const struct config *config, const struct config *fresh,
                      enum key_section section, struct str name, struct log *log)
{
    const void *old = struct_of(config, section, name), *new = struct_of(fresh, section, name);

    if (old == section_of_const(config, section) && new == section_of_const(fresh, section))
        return;
    each_row(row, section, section)
    {
        char *full = mem_printf("%s:%.*s.%s", key_section_name(section), PRSTR(name), row->name);
        bool is_told = (row->flags & KEY_RELOAD) || section != KEY_POOL;
        if (is_told && !is_same(row, old, new))
            log_change(log, full, row, old, new);
        mem_free(full);
    }
}

static void log_all_named(const struct config *config, const struct config *fresh,
                          enum key_section section, struct log *log)
{
    const struct map *olds = named_of_const(config, section);
    const struct map *news = named_of_const(fresh, section);
    struct str name;
    void *value;

    for (size_t at = 0; map_next(news, &at, &name, &value);) {
        if (section == KEY_POOL)
            keep_prefix(config, name, value, log);
        log_named(config, fresh, section, name, log);
    }
    for (size_t at = 0; map_next(olds, &at, &name, &value);) {
        if (map_get(news, name) == NULL)
            log_named(config, fresh, section, name, log);
    }
}

/* The values for a name whose section has gone: those of all, but a pool's prefix must stay. NULL:
 * it needs no struct of its own any more. */
static void *without_section(const struct config *config, struct config *fresh,
                             enum key_section section, struct str name, struct log *log)
{
    const struct pool_config *old = struct_of(config, section, name);

    if (section != KEY_POOL || strcmp(old->prefix, config->pool_default.prefix) == 0)
        return NULL;
    struct pool_config *new = mem_zalloc(sizeof(*new));
    build_named(fresh, section, name, new);
    keep_prefix(config, name, new, log);
    return new;
}

/* Moves the values of pools, queues or users into the structs in use; those of names without a
 * section any more are freed, unless they hold a prefix that must stay. */
static void adopt_named(struct config *config, struct config *fresh, enum key_section section,
                        struct log *log)
{
    struct map *olds = named_of(config, section), *news = named_of(fresh, section);
    struct str name;
    void *old;

    log_all_named(config, fresh, section, log);
    for (size_t at = 0; map_next(olds, &at, &name, &old);) {
        void *new = map_get(news, name);
        if (new == NULL)
            new = without_section(config, fresh, section, name, log);
        if (new == NULL) {
            free_named(section, old);
            continue;
        }
        each_row(row, section, section)
        {
            if ((row->flags & KEY_RELOAD) || section == KEY_POOL) /* a prefix has been kept */
                value_move(row, old, new);
        }
        free_named(section, new);
        map_put(news, name, old);
    }
    map_clear(olds);
    *olds = *news;
    map_init(news, (const unsigned char[16]){0});
}

bool config_reload(struct config *config, struct log *log, struct err *err)
{
    struct config fresh;

    memset(&fresh, 0, sizeof(fresh));
    /* what the environment has in excess was told at the start: no log for that */
    if (!fill(&fresh, config->source, NULL, err)) {
        clear_values(&fresh);
        return false;
    }
    each_named(section)
    {
        adopt_named(config, &fresh, section, log);
    }
    each_row(row, KEY_SERVER, KEY_SECTIONS)
    {
        adopt(log, row, section_of(config, row->section), section_of(&fresh, row->section));
    }
    struct map given = config->given;
    config->given = fresh.given;
    fresh.given = given;
    clear_values(&fresh);
    return true;
}

/* --- CONFIG GET and SET ---------------------------------------------------------------- */

struct getter {
    struct str pattern;
    void (*each)(void *arg, const char *name, const char *value);
    void *arg;
};

static void get_row(const struct getter *getter, const struct key *row, const char *name,
                    const void *section)
{
    const char *shown = NULL;

    if (str_glob(getter->pattern, str_of(name), true))
        shown = name;
    else if (row->section == KEY_SERVER && str_glob(getter->pattern, str_of(row->name), true))
        shown = row->name;
    if (shown == NULL)
        return;
    char *value = value_print_public(row, section);
    getter->each(getter->arg, shown, value);
    mem_free(value);
}

static void get_named(const struct getter *getter, enum key_section section, struct str name,
                      const void *pool)
{
    each_row(row, section, section)
    {
        char *full = mem_printf("%s:%.*s.%s", key_section_name(section), PRSTR(name), row->name);
        get_row(getter, row, full, pool);
        mem_free(full);
    }
}

void config_get(const struct config *config, struct str pattern,
                void (*each)(void *arg, const char *name, const char *value), void *arg)
{
    struct getter getter = {pattern, each, arg};
    struct str name;
    void *value;

    each_row(row, KEY_SERVER, KEY_LOG)
    {
        char *full = mem_printf("%s.%s", key_section_name(row->section), row->name);
        get_row(&getter, row, full, section_of_const(config, row->section));
        mem_free(full);
    }
    each_named(section)
    {
        get_named(&getter, section, STR("*"), section_of_const(config, section));
        for (size_t at = 0; map_next(named_of_const(config, section), &at, &name, &value);)
            get_named(&getter, section, name, value);
    }
}

/* The row of "section.key", "key" ([server]) or "pool:NAME.key", and the pool's name. */
static const struct key *find_setting(struct str name, struct str *pool)
{
    enum key_section section = KEY_SERVER;
    size_t at = name.len; /* where the key begins */
    struct str head;

    while (at > 0 && name.ptr[at - 1] != '.')
        at--;
    *pool = STR("");
    if (at > 0) {
        head = str_make(name.ptr, at - 1);
        while (!key_is_named(section) && !str_eq_nocase(head, str_of(key_section_name(section))))
            section++;
        if (key_is_named(section) && !key_parse_section(head, &section, pool, NULL))
            return NULL;
    }
    return key_find(section, str_make(name.ptr + at, name.len - at), true);
}

static bool set_value(struct config *config, const struct key *row, struct str value,
                      struct err *err)
{
    void *section = section_of(config, row->section);
    char *old = value_print(row, section);
    const char *name;

    value_store(row, section, value);
    bool is_good = check_together(config, &name, err);
    if (!is_good)
        value_store(row, section, str_of(old));
    mem_free(old);
    return is_good;
}

/* Gives a pool, queue or user, or "*" all that have no value of their own, what was just noted. */
static void set_named_value(struct config *config, const struct key *row, struct str pool)
{
    struct str name;
    void *value;

    build_named_row(config, row, STR("*"), section_of(config, row->section));
    for (size_t at = 0; map_next(named_of(config, row->section), &at, &name, &value);) {
        if (str_eq(pool, STR("*")) || str_eq(pool, name))
            build_named_row(config, row, name, value);
    }
}

/* Would a pool be fine with that value of this row? */
static bool check_pool_value(const struct pool_config *pool, struct str name, const struct key *row,
                             struct str value, struct err *err)
{
    struct pool_config as_set = {.is_shared = pool->is_shared, .capacity = pool->capacity};
    value_store(row, &as_set, value);
    bool is_good = check_capacity(as_set.is_shared, as_set.capacity, name, err);
    value_clear(row, &as_set);
    return is_good;
}

static bool has_own_value(const struct config *config, const struct key *row, struct str pool)
{
    char *name = mem_printf("%s:%.*s.%s", key_section_name(row->section), PRSTR(pool), row->name);
    bool has_own = map_get(&config->given, str_of(name)) != NULL;
    mem_free(name);
    return has_own;
}

/* The same of all that get the value: see check_pools(). */
static bool check_pool_values(const struct config *config, const struct key *row, struct str pool,
                              struct str value, struct err *err)
{
    bool is_all = str_eq(pool, STR("*")), is_good = true;
    struct str name;
    void *one;
    if (row->section != KEY_POOL)
        return true;
    is_good = check_pool_value(is_all ? &config->pool_default : config_pool(config, pool), pool,
                               row, value, err);
    for (size_t at = 0; is_all && is_good && map_next(&config->pools, &at, &name, &one);)
        is_good = has_own_value(config, row, name) || check_pool_value(one, name, row, value, err);
    return is_good;
}

/* Nobody is left without a password. */
static bool check_user_values(const struct config *config, const struct key *row, struct str name,
                              struct str value, struct err *err)
{
    struct str one;
    void *user;

    if (row->section != KEY_USER)
        return true;
    if (!str_eq(name, STR("*")))
        return check_password(value, name, err);
    for (size_t at = 0; map_next(&config->users, &at, &one, &user);) {
        if (!has_own_value(config, row, one) && !check_password(value, one, err))
            return false;
    }
    return true;
}

/* Puts Redis' words before the reason. */
static bool refuse_set(struct err *err, const char *shown)
{
    struct err reason = {.text = ""};

    if (err != NULL)
        reason = *err;
    return err_set(err, ERR_GENERAL, "CONFIG SET failed (possibly related to argument '%s') - %s",
                   shown, reason.text);
}

bool config_set(struct config *config, struct str name, struct str value, struct err *err)
{
    struct str pool;
    char shown[200];

    str_printable(name, shown, sizeof(shown));
    const struct key *row = find_setting(name, &pool);
    if (row == NULL) /* in Redis' words, which its clients know */
        return err_set(err, ERR_GENERAL,
                       "Unknown option or number of arguments for CONFIG SET - '%s'", shown);
    struct map *structs = key_is_named(row->section) ? named_of(config, row->section) : NULL;
    bool is_new = structs != NULL && !str_eq(pool, STR("*")) && map_get(structs, pool) == NULL;
    bool is_good = true;
    if (!(row->flags & KEY_SET))
        is_good = err_set(err, ERR_GENERAL, "can't set immutable config");
    else if (is_new && structs->count >= (size_t)config->server.max_pools)
        is_good = err_set(err, ERR_GENERAL, "[server] max_pools is reached");
    else
        is_good = value_check(row, value, err) &&
                  check_pool_values(config, row, pool, value, err) &&
                  check_user_values(config, row, pool, value, err) &&
                  (structs != NULL || set_value(config, row, value, err));
    if (!is_good)
        return refuse_set(err, shown);

    struct layers layers = {.given = config->given,
                            .pools = config->pools,
                            .queues = config->queues,
                            .users = config->users};
    layers_note(&layers, LAYER_SET, "CONFIG SET", row, pool, value);
    config->given = layers.given;
    config->pools = layers.pools;
    config->queues = layers.queues;
    config->users = layers.users;
    if (is_new)
        build_named(config, row->section, pool, map_get(structs, pool));
    if (structs != NULL)
        set_named_value(config, row, pool);
    return true;
}
