/* commands: keys, strings, hashes and sets of the keyspace, and the table of all its commands.
 * Source: https://redis.io/docs/latest/commands (Redis 7.0). */
#include "base/mem.h"
#include "base/num.h"
#include "tests/sim/keyspace_private.h"
#include <stdio.h>
#include <stdlib.h>

int64_t keyspace_now_ms(const struct keyspace *ks)
{
    return ks->wall_us / 1000;
}

/* --- values --------------------------------------------------------------------------------------
 */

void value_drop(struct keyspace *ks, struct str key)
{
    struct value *value = dict_drop(&ks->keys, key);
    if (value != NULL)
        value_free(value);
}

/* A key lives through the millisecond of its deadline. */
static bool is_expired(struct keyspace *ks, const struct value *value)
{
    return value->expires_ms >= 0 && keyspace_now_ms(ks) > value->expires_ms;
}

static struct value *find(struct keyspace *ks, struct str key)
{
    struct dict_item *item = dict_find(&ks->keys, key);
    if (item == NULL)
        return NULL;
    if (is_expired(ks, item->value)) {
        value_drop(ks, key);
        return NULL;
    }
    return item->value;
}

struct value *value_get(struct keyspace *ks, struct str key, enum value_type type,
                        redisReply **error)
{
    struct value *value = find(ks, key);
    if (value != NULL && value->type != type) {
        *error = make_error(ks, WRONG_TYPE);
        return NULL;
    }
    return value;
}

struct value *value_need(struct keyspace *ks, struct str key, enum value_type type,
                         redisReply **error)
{
    struct value *value = value_get(ks, key, type, error);
    if (value == NULL && *error == NULL) {
        value = mem_zalloc(sizeof *value);
        value->type = type;
        value->expires_ms = -1;
        dict_add(&ks->keys, key)->value = value;
    }
    return value;
}

static void drop_if_empty(struct keyspace *ks, struct str key, const struct value *value)
{
    if (value->dict.count == 0)
        value_drop(ks, key);
}

static redisReply *make_list(struct keyspace *ks, const struct dict *dict, bool has_keys,
                             bool has_values)
{
    size_t each = (has_keys ? 1U : 0U) + (has_values ? 1U : 0U), at = 0;
    redisReply *reply = make_array(ks, dict == NULL ? 0 : dict->count * each);
    for (size_t i = 0; dict != NULL && i < dict->count; i++) {
        if (has_keys)
            reply->element[at++] = make_bulk(ks, dict_key(dict->items[i]));
        if (has_values)
            reply->element[at++] = make_bulk(ks, bytes_str(dict->items[i]->value));
    }
    return reply;
}

/* --- keys ----------------------------------------------------------------------------------------
 */

static redisReply *run_del(struct keyspace *ks, const struct str *args, int count)
{
    int n = 0;
    for (int i = 1; i < count; i++) {
        if (find(ks, args[i]) != NULL) {
            value_drop(ks, args[i]);
            n++;
        }
    }
    return make_int(ks, n);
}

static redisReply *run_exists(struct keyspace *ks, const struct str *args, int count)
{
    int n = 0;
    for (int i = 1; i < count; i++)
        n += find(ks, args[i]) != NULL;
    return make_int(ks, n);
}

static redisReply *run_pexpire(struct keyspace *ks, const struct str *args, int count)
{
    struct value *value = find(ks, args[1]);
    int64_t ms;
    (void)count;
    if (!num_parse_int(args[2], &ms))
        return make_error(ks, "ERR value is not an integer or out of range");
    if (value == NULL)
        return make_int(ks, 0);
    value->expires_ms = keyspace_now_ms(ks) + ms;
    if (ms <= 0)
        value_drop(ks, args[1]);
    return make_int(ks, 1);
}

static redisReply *run_persist(struct keyspace *ks, const struct str *args, int count)
{
    struct value *value = find(ks, args[1]);
    (void)count;
    if (value == NULL || value->expires_ms < 0)
        return make_int(ks, 0);
    value->expires_ms = -1;
    return make_int(ks, 1);
}

static redisReply *run_pttl(struct keyspace *ks, const struct str *args, int count)
{
    struct value *value = find(ks, args[1]);
    (void)count;
    if (value == NULL)
        return make_int(ks, -2);
    return make_int(ks, value->expires_ms < 0 ? -1 : value->expires_ms - keyspace_now_ms(ks));
}

static redisReply *run_type(struct keyspace *ks, const struct str *args, int count)
{
    static const char *const names[] = {"string", "hash", "set", "zset"};
    struct value *value = find(ks, args[1]);
    (void)count;
    return make_status(ks, str_of(value == NULL ? "none" : names[value->type]));
}

static redisReply *run_time(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *reply = make_array(ks, 2);
    char number[NUM_INT_MAX];
    size_t len = num_format_int(number, ks->wall_us / 1000000);
    (void)args;
    (void)count;
    reply->element[0] = make_bulk(ks, str_make(number, len));
    len = num_format_int(number, ks->wall_us % 1000000);
    reply->element[1] = make_bulk(ks, str_make(number, len));
    return reply;
}

static redisReply *run_flushall(struct keyspace *ks, const struct str *args, int count)
{
    (void)args;
    (void)count;
    keyspace_flush(ks);
    return make_status(ks, STR("OK"));
}

/* --- strings -------------------------------------------------------------------------------------
 */

static redisReply *run_get(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value = value_get(ks, args[1], VALUE_STRING, &error);
    (void)count;
    if (value == NULL)
        return error != NULL ? error : make_nil(ks);
    return make_bulk(ks, bytes_str(value->string));
}

static redisReply *run_set(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value;
    int64_t expires_ms = -1, n;
    bool is_nx = false, is_xx = false;
    for (int i = 3; i < count; i++) {
        bool is_px = str_eq_nocase(args[i], STR("PX")), is_ex = str_eq_nocase(args[i], STR("EX"));
        is_nx = is_nx || str_eq_nocase(args[i], STR("NX"));
        is_xx = is_xx || str_eq_nocase(args[i], STR("XX"));
        if (!is_px && !is_ex)
            continue;
        if (i + 1 >= count || !num_parse_int(args[i + 1], &n))
            return make_error(ks, "ERR value is not an integer or out of range");
        if (n <= 0)
            return make_error(ks, "ERR invalid expire time in 'set' command");
        expires_ms = keyspace_now_ms(ks) + (is_px ? n : n * 1000);
        i++;
    }
    value = find(ks, args[1]);
    if ((is_nx && value != NULL) || (is_xx && value == NULL))
        return make_nil(ks);
    value_drop(ks, args[1]);
    value = value_need(ks, args[1], VALUE_STRING, &error);
    value->string = bytes_new(args[2]);
    value->expires_ms = expires_ms;
    return make_status(ks, STR("OK"));
}

static redisReply *run_mget(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *reply = make_array(ks, (size_t)count - 1);
    for (int i = 1; i < count; i++) {
        struct value *value = find(ks, args[i]);
        bool is_text = value != NULL && value->type == VALUE_STRING;
        reply->element[i - 1] = is_text ? make_bulk(ks, bytes_str(value->string)) : make_nil(ks);
    }
    return reply;
}

/* --- hashes --------------------------------------------------------------------------------------
 */

static redisReply *field_of(struct keyspace *ks, const struct value *value, struct str field)
{
    struct dict_item *item = value != NULL ? dict_find(&value->dict, field) : NULL;
    return item != NULL ? make_bulk(ks, bytes_str(item->value)) : make_nil(ks);
}

static redisReply *run_hget(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value = value_get(ks, args[1], VALUE_HASH, &error);
    (void)count;
    return error != NULL ? error : field_of(ks, value, args[2]);
}

static redisReply *run_hmget(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL, *reply;
    struct value *value = value_get(ks, args[1], VALUE_HASH, &error);
    if (error != NULL)
        return error;
    reply = make_array(ks, (size_t)count - 2);
    for (int i = 2; i < count; i++)
        reply->element[i - 2] = field_of(ks, value, args[i]);
    return reply;
}

static redisReply *run_hset(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value;
    int added = 0;
    if (count % 2 != 0)
        return make_error(ks, "ERR wrong number of arguments for 'hset' command");
    value = value_need(ks, args[1], VALUE_HASH, &error);
    if (value == NULL)
        return error;
    for (int i = 2; i < count; i += 2) {
        struct dict_item *item = dict_add(&value->dict, args[i]);
        added += item->value == NULL;
        mem_free(item->value);
        item->value = bytes_new(args[i + 1]);
    }
    return make_int(ks, added);
}

static redisReply *run_hdel(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value = value_get(ks, args[1], VALUE_HASH, &error);
    int dropped = 0;
    if (value == NULL)
        return error != NULL ? error : make_int(ks, 0);
    for (int i = 2; i < count; i++) {
        void *bytes = dict_drop(&value->dict, args[i]);
        dropped += bytes != NULL;
        mem_free(bytes);
    }
    drop_if_empty(ks, args[1], value);
    return make_int(ks, dropped);
}

static redisReply *run_hlen(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value = value_get(ks, args[1], VALUE_HASH, &error);
    (void)count;
    return error != NULL ? error : make_int(ks, value != NULL ? (long long)value->dict.count : 0);
}

/* OBJECT ENCODING: all is small here. */
static redisReply *run_object(struct keyspace *ks, const struct str *args, int count)
{
    (void)args;
    (void)count;
    return make_bulk(ks, STR("listpack"));
}

static redisReply *run_hexists(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value = value_get(ks, args[1], VALUE_HASH, &error);
    (void)count;
    if (error != NULL)
        return error;
    return make_int(ks, value != NULL && dict_find(&value->dict, args[2]) != NULL);
}

static redisReply *list_hash(struct keyspace *ks, struct str key, bool has_values)
{
    redisReply *error = NULL;
    struct value *value = value_get(ks, key, VALUE_HASH, &error);
    return error != NULL ? error
                         : make_list(ks, value != NULL ? &value->dict : NULL, true, has_values);
}

static redisReply *run_hkeys(struct keyspace *ks, const struct str *args, int count)
{
    (void)count;
    return list_hash(ks, args[1], false);
}

static redisReply *run_hgetall(struct keyspace *ks, const struct str *args, int count)
{
    (void)count;
    return list_hash(ks, args[1], true);
}

static redisReply *run_sadd(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL;
    struct value *value = value_need(ks, args[1], VALUE_SET, &error);
    size_t before;
    if (value == NULL)
        return error;
    before = value->dict.count;
    for (int i = 2; i < count; i++)
        dict_add(&value->dict, args[i]);
    return make_int(ks, (long long)(value->dict.count - before));
}

/* --- scans ---------------------------------------------------------------------------------------
 */

int64_t scan_count(const struct str *args, int count, int at)
{
    int64_t n = 10;
    for (int i = at; i + 1 < count; i += 2) {
        if (str_eq_nocase(args[i], STR("COUNT")) && num_parse_int(args[i + 1], &n) && n > 0)
            return n;
    }
    return n;
}

bool scan_page(struct keyspace *ks, const struct dict *dict, struct str cursor, int64_t count,
               size_t *from, size_t *to, redisReply **next)
{
    char number[NUM_INT_MAX];
    int64_t hash = 0;
    if (!num_parse_int(cursor, &hash) || hash < 0) {
        *next = make_error(ks, "ERR invalid cursor");
        return false;
    }
    *from = *to = dict != NULL ? dict_seek(dict, (uint64_t)hash) : 0;
    hash = 0;
    while (dict != NULL && *to < dict->count &&
           (count > 0 || dict->items[*to]->hash == dict->items[*to - 1]->hash)) {
        (*to)++;
        count--;
    }
    if (dict != NULL && *to<dict->count && * to> 0)
        hash = (int64_t)dict->items[*to - 1]->hash + 1;
    size_t len = num_format_int(number, hash);
    *next = make_bulk(ks, str_make(number, len));
    return true;
}

static redisReply *run_hscan(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *error = NULL, *next, *reply = make_array(ks, 2), *page;
    struct value *value = value_get(ks, args[1], VALUE_HASH, &error);
    size_t from, to;
    if (error != NULL)
        return error;
    if (!scan_page(ks, value != NULL ? &value->dict : NULL, args[2], scan_count(args, count, 3),
                   &from, &to, &next))
        return next;
    page = make_array(ks, 2 * (to - from));
    for (size_t i = from; i < to; i++) {
        page->element[2 * (i - from)] = make_bulk(ks, dict_key(value->dict.items[i]));
        page->element[2 * (i - from) + 1] = make_bulk(ks, bytes_str(value->dict.items[i]->value));
    }
    reply->element[0] = next;
    reply->element[1] = page;
    return reply;
}

/* MATCH and TYPE hash, as the collector asks. */
static redisReply *run_scan(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *next, *reply = make_array(ks, 2), *page;
    struct str pattern = STR("*");
    bool is_hash_only = false;
    size_t from, to, found = 0;
    for (int i = 2; i + 1 < count; i += 2) {
        if (str_eq_nocase(args[i], STR("MATCH")))
            pattern = args[i + 1];
        else if (str_eq_nocase(args[i], STR("TYPE")))
            is_hash_only = str_eq_nocase(args[i + 1], STR("hash"));
    }
    if (!scan_page(ks, &ks->keys, args[1], scan_count(args, count, 2), &from, &to, &next))
        return next;
    page = make_array(ks, to - from);
    for (size_t i = from; i < to; i++) {
        const struct value *value = ks->keys.items[i]->value;
        struct str key = dict_key(ks->keys.items[i]);
        if (!is_expired(ks, value) && (!is_hash_only || value->type == VALUE_HASH) &&
            str_glob(pattern, key, false))
            page->element[found++] = make_bulk(ks, key);
    }
    page->elements = found;
    reply->element[0] = next;
    reply->element[1] = page;
    return reply;
}

static redisReply *run_publish(struct keyspace *ks, const struct str *args, int count)
{
    (void)count;
    if (ks->heard == NULL)
        return make_int(ks, 0);
    ks->heard(ks->heard_arg, args[1], args[2]);
    return make_int(ks, ks->ears(ks->heard_arg, args[1]));
}

/* NUMSUB of one channel. */
static redisReply *run_pubsub(struct keyspace *ks, const struct str *args, int count)
{
    redisReply *reply = make_array(ks, 2);
    (void)count;
    reply->element[0] = make_bulk(ks, args[2]);
    reply->element[1] = make_int(ks, ks->ears != NULL ? ks->ears(ks->heard_arg, args[2]) : 0);
    return reply;
}

/* --- the table -----------------------------------------------------------------------------------
 */

static const struct row rows[] = {
    {"get", 2, 1, 1, run_get},
    {"set", 3, 1, 1, run_set},
    {"mget", 2, 1, -1, run_mget},
    {"hget", 3, 1, 1, run_hget},
    {"hmget", 3, 1, 1, run_hmget},
    {"hset", 4, 1, 1, run_hset},
    {"exists", 2, 1, -1, run_exists},
    {"del", 2, 1, -1, run_del},
    {"time", 1, 0, 0, run_time},
    {"hlen", 2, 1, 1, run_hlen},
    {"pttl", 2, 1, 1, run_pttl},
    {"pexpire", 3, 1, 1, run_pexpire},
    {"persist", 2, 1, 1, run_persist},
    {"hdel", 3, 1, 1, run_hdel},
    {"hexists", 3, 1, 1, run_hexists},
    {"hkeys", 2, 1, 1, run_hkeys},
    {"hgetall", 2, 1, 1, run_hgetall},
    {"hscan", 3, 1, 1, run_hscan},
    {"unlink", 2, 1, -1, run_del},
    {"sadd", 3, 1, 1, run_sadd},
    {"scan", 2, 0, 0, run_scan},
    {"type", 2, 1, 1, run_type},
    {"flushall", 1, 0, 0, run_flushall},
    {"object", 3, 2, 2, run_object},
    {"publish", 3, 0, 0, run_publish},
    {"pubsub", 3, 0, 0, run_pubsub},
    {NULL, 0, 0, 0, NULL},
};

static const struct row *find_row(struct str name)
{
    const struct row *tables[] = {rows, zset_rows};
    for (int i = 0; i < 2; i++) {
        for (const struct row *row = tables[i]; row->name != NULL; row++) {
            if (str_eq_nocase(str_of(row->name), name))
                return row;
        }
    }
    return NULL;
}

/* Of a pool's script: a key that it was given, a lease, a binding, one of its labels, or of its
 * owners' lines. */
static bool is_given(const struct keyspace *ks, struct str key)
{
    struct str base;
    if (ks->given == NULL)
        return true;
    for (int i = 0; i < ks->given_count; i++) {
        if (str_eq(ks->given[i], key))
            return true;
    }
    if (ks->given_count == 0 || !str_ends(ks->given[0], STR("|pool")))
        return false;
    base = str_make(ks->given[0].ptr, ks->given[0].len - 5);
    if (!str_starts(key, base))
        return false;
    struct str rest = str_make(key.ptr + base.len, key.len - base.len);
    return str_starts(rest, STR(":")) || str_starts(rest, STR("-cache:bind:")) ||
           str_starts(rest, STR("|pool|label")) || str_eq(rest, STR("|pool|turns")) ||
           str_eq(rest, STR("|pool|owners"));
}

redisReply *run_command(struct keyspace *ks, const struct str *args, int count)
{
    const struct row *row = find_row(args[0]);
    if (row == NULL) {
        fprintf(stderr, "the keyspace does not know the command %.*s\n", PRSTR(args[0]));
        abort();
    }
    if (count < row->min_args && ks->given != NULL)
        return make_error(ks, "ERR Wrong number of args calling Redis command from script");
    if (count < row->min_args)
        return make_error(ks, "ERR wrong number of arguments for '%s' command", row->name);
    for (int i = row->first_key;
         i > 0 && i <= (row->last_key < 0 ? count + row->last_key : row->last_key); i++) {
        if (!is_given(ks, args[i])) {
            fprintf(stderr, "script %s was not given the key %.*s\n", ks->script_name,
                    PRSTR(args[i]));
            abort();
        }
    }
    return row->run(ks, args, count);
}
