/* keyspace_test: holds the little Redis of the simulation against a real redis-server: the same
 * commands and scripts on both, the same answers. Their clocks differ a little, so what holds a
 * time is not compared: a number of 12 digits and more, and the token that begins with one, is a
 * '#'. */
#include "base/num.h"
#include "tests/lib/server.h"
#include "tests/sim/keyspace.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_ARGS = 64, TEXT_SIZE = 65536, COMMANDS = 6000, SCRIPT_CALLS = 3000 };

static struct guard guard;
static struct server server;
static redisContext *redis;
static struct keyspace *keyspace;

static void set_up(void)
{
    guard_start(&guard);
    server_init(&server, guard.dir, "redis");
    server_start(&server);
    redis = server_connect(&server);
    keyspace = keyspace_new();
    srand(4711);
}

static void tear_down(void)
{
    keyspace_free(keyspace);
    redisFree(redis);
    server_clear(&server);
    guard_end(&guard);
}

static int below(int bound)
{
    return rand() % bound;
}

/* --- answers as texts
 * ----------------------------------------------------------------------------- */

struct text {
    char bytes[TEXT_SIZE];
    size_t len;
};

static bool is_token_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t count_digits(const char *bytes, size_t len)
{
    size_t count = 0;
    while (count < len && bytes[count] >= '0' && bytes[count] <= '9')
        count++;
    return count;
}

static void put(struct text *text, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t digits = count_digits(bytes + i, len - i);
        ck_assert_uint_lt(text->len + 64, TEXT_SIZE);
        if (digits < 10) { /* Unix seconds have ten */
            text->bytes[text->len++] = bytes[i] == '\0' ? '~' : bytes[i];
            continue;
        }
        text->bytes[text->len++] = '#';
        i += digits - 1;
        /* what is behind the fence of a token may be derived from it */
        if (i + 1 < len && (bytes[i + 1] == '+' || bytes[i + 1] == '-')) {
            text->bytes[text->len++] = bytes[++i];
            while (i + 1 < len && is_token_byte(bytes[i + 1]))
                i++;
        }
    }
    text->bytes[text->len] = '\0';
}

static void put_reply(struct text *text, const redisReply *reply)
{
    char number[NUM_INT_MAX];
    size_t len;
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        len = num_format_int(number, reply->integer);
        put(text, ":", 1);
        /* time to live goes on while the other one is asked */
        put(text, number, reply->integer > 100000 ? 0 : len);
        break;
    case REDIS_REPLY_NIL:
        put(text, "nil", 3);
        break;
    case REDIS_REPLY_ARRAY:
        put(text, "[", 1);
        for (size_t i = 0; i < reply->elements; i++) {
            put(text, i > 0 ? " " : "", i > 0 ? 1 : 0);
            put_reply(text, reply->element[i]);
        }
        put(text, "]", 1);
        break;
    default:
        put(text,
            reply->type == REDIS_REPLY_ERROR    ? "-"
            : reply->type == REDIS_REPLY_STATUS ? "+"
                                                : "$",
            1);
        put(text, reply->str, reply->len);
    }
}

/* Pairs of field and value, or single names, in the order of their bytes. */
static int by_text(const void *a, const void *b)
{
    const redisReply *const *x = a, *const *y = b;
    return str_cmp(str_make((*x)->str, (*x)->len), str_make((*y)->str, (*y)->len));
}

static void sort_reply(redisReply *reply, size_t group)
{
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
        qsort(reply->element, reply->elements / group, group * sizeof(redisReply *), by_text);
}

static void compare(const redisReply *ours, redisReply *theirs, size_t group, const char *what)
{
    static struct text a, b;
    redisReply *copy = keyspace_copy(ours);
    a.len = b.len = 0;
    ck_assert_msg(theirs != NULL, "%s: %s", what, redis->errstr);
    if (group > 0) {
        sort_reply(copy, group);
        sort_reply(theirs, group);
    }
    put_reply(&a, copy);
    put_reply(&b, theirs);
    ck_assert_msg(strcmp(a.bytes, b.bytes) == 0, "%s:\n  keyspace: %s\n  redis:    %s", what,
                  a.bytes, b.bytes);
    freeReplyObject(copy);
    freeReplyObject(theirs);
}

static redisReply *send_to_redis(const struct str *args, int count)
{
    const char *argv[MAX_ARGS];
    size_t lens[MAX_ARGS];
    for (int i = 0; i < count; i++) {
        argv[i] = args[i].ptr;
        lens[i] = args[i].len;
    }
    return redisCommandArgv(redis, count, argv, lens);
}

static void set_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    keyspace_set_time(keyspace, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

/* --- commands
 * ------------------------------------------------------------------------------------- */

/* k: key, f: field, v: value, s: score, r: range's end, l: its lexical end, i: index; others stand
 * for themselves. A digit before it sorts the answer: 1 single names, 2 pairs. */
static const char *const forms[] = {
    "GET k",
    "SET k v",
    "SET k v NX",
    "SET k v XX",
    "SET k v PX 5000000",
    "SET k v NX EX 5000",
    "SET k v PX 0",
    "MGET k k k",
    "DEL k",
    "DEL k k",
    "UNLINK k",
    "EXISTS k k",
    "PEXPIRE k 9000000",
    "PEXPIRE k -5",
    "PERSIST k",
    "TYPE k",
    "HGET k f",
    "HSET k f v",
    "HSET k f v f v",
    "HSET k f",
    "HMGET k f f f",
    "HDEL k f f",
    "HLEN k",
    "HEXISTS k f",
    "1HKEYS k",
    "2HGETALL k",
    "SADD k f f",
    "ZADD k s f",
    "ZADD k s f s f",
    "ZADD k nonsense f",
    "ZREM k f f",
    "ZCARD k",
    "ZSCORE k f",
    "ZMSCORE k f f",
    "ZCOUNT k r r",
    "ZRANGE k i i",
    "ZRANGE k i i WITHSCORES",
    "ZRANGEBYSCORE k r r",
    "ZRANGEBYSCORE k r r LIMIT 0 2",
    "ZRANGEBYSCORE k r r WITHSCORES LIMIT 1 2",
    "ZREMRANGEBYSCORE k r r",
    "ZADD lex 0 f 0 f", /* by bytes only where all scores are the same */
    "ZREM lex f",
    "ZRANGEBYLEX lex l l",
    "PUBLISH k v",
    "PUBSUB NUMSUB k",
    "HGETALL",
    "FLUSHALL",
};

static struct str pick(const char *const *texts, int count)
{
    return str_of(texts[below(count)]);
}

static struct str fill_in(struct str word)
{
    static const char *const keys[] = {"key1", "key2", "key3", "key4", "key5"};
    static const char *const fields[] = {"a", "b", "bb", "c|", "", "d e", "zz"};
    static const char *const values[] = {"", "1", "x||y||-1", "some longer value", "0"};
    static const char *const scores[] = {"1", "2.5", "-3", "+inf", "-inf", "1700000000000", "0"};
    static const char *const ends[] = {"-inf", "+inf", "0", "(1", "2.5", "(2.5", "5", "bad"};
    static const char *const lexical[] = {"[a", "(b", "[bb", "(zz", "[", "bad"};
    static const char *const indexes[] = {"0", "-1", "1", "2", "-2", "10", "-10"};
    if (word.len != 1)
        return word;
    switch (word.ptr[0]) {
    case 'k':
        return pick(keys, 5);
    case 'f':
        return pick(fields, 7);
    case 'v':
        return pick(values, 5);
    case 's':
        return pick(scores, 7);
    case 'r':
        return pick(ends, 8);
    case 'l':
        return pick(lexical, 6);
    case 'i':
        return pick(indexes, 7);
    default:
        return word;
    }
}

START_TEST(commands_answer_as_those_of_redis_do)
{
    for (int i = 0; i < COMMANDS; i++) {
        int which = below(sizeof forms / sizeof *forms);
        struct str rest, word, args[MAX_ARGS];
        char what[256];
        size_t group = 0, len = 0;
        int count = 0;
        if (strcmp(forms[which], "FLUSHALL") == 0 && below(20) != 0)
            continue;
        rest = str_of(forms[which]);
        if (rest.ptr[0] >= '0' && rest.ptr[0] <= '9') {
            group = (size_t)(rest.ptr[0] - '0');
            rest = str_make(rest.ptr + 1, rest.len - 1);
        }
        while (str_split(&rest, ' ', &word))
            args[count++] = fill_in(word);
        for (int k = 0; k < count && len < sizeof what; k++)
            len += (size_t)snprintf(what + len, sizeof what - len, "%.*s ", PRSTR(args[k]));
        set_time();
        if (count == 1 && strcmp(forms[which], "FLUSHALL") != 0)
            continue; /* the words of this error are not the same for lower case names */
        compare(keyspace_command(keyspace, args, count), send_to_redis(args, count), group, what);
    }
}
END_TEST

START_TEST(a_scan_meets_everything_that_was_there_all_the_time)
{
    struct str cursor = STR("0");
    char next[32], name[32];
    int met[50] = {0};
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "field%d", i);
        struct str args[] = {STR("HSET"), STR("h"), str_of(name), STR("1")};
        keyspace_command(keyspace, args, 4);
    }
    do {
        struct str args[] = {STR("HSCAN"), STR("h"), cursor, STR("COUNT"), STR("7")};
        const redisReply *reply = keyspace_command(keyspace, args, 5);
        ck_assert_uint_le(reply->element[1]->elements, 2 * 10);
        for (size_t i = 0; i < reply->element[1]->elements; i += 2) {
            int n = atoi(reply->element[1]->element[i]->str + 5);
            if (n < 50)
                met[n]++;
        }
        snprintf(next, sizeof next, "%s", reply->element[0]->str);
        cursor = str_of(next);
        snprintf(name, sizeof name, "field%d", 100 + below(1000));
        struct str more[] = {STR("HSET"), STR("h"), str_of(name), STR("1")};
        keyspace_command(keyspace, more, 4);
    } while (strcmp(next, "0") != 0);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(met[i], 1);
}
END_TEST

/* --- Lua
 * ------------------------------------------------------------------------------------------ */

static const char *const texts[] = {
    "return 1",
    "return 3.99",
    "return -3.99",
    "return 'text'",
    "return true",
    "return false",
    "return nil",
    "return {1, 'two', {3, nil, 4}, false, true}",
    "return {1, nil, 3}",
    "return {ok = 'FINE'}",
    "return {err = 'MY error'}",
    "return redis.error_reply('NOTOWNER not yours')",
    "return redis.error_reply('-STALE gone')",
    "return redis.status_reply('PONG')",
    "return {redis.error_reply('A b'), 1}",
    "return redis.pcall('GET', 'hash')",
    "return {redis.pcall('GET', 'hash'), 'goes on'}",
    "return type(redis.pcall('GET', 'hash'))",
    "return redis.pcall('GET', 'hash').err",
    "return redis.call('GET', 'none')",
    "return redis.call('GET', 'none') == false and 'false' or 'other'",
    "return redis.call('SET', 'text', 'x')",
    "return redis.call('SET', 'text', 'x').ok",
    "return redis.call('MGET', 'text', 'none', 'hash')",
    "return type(redis.call('HLEN', 'hash'))",
    "redis.call('SET', 'number', 1.5) return redis.call('GET', 'number')",
    "redis.call('SET', 'number', 1700000000000) return redis.call('GET', 'number')",
    "redis.call('SET', 'number', 1e15) return redis.call('GET', 'number')",
    "redis.call('SET', 'number', 123456789012345678) return redis.call('GET', 'number')",
    "return redis.call('HGETALL', 'hash')",
    "return redis.sha1hex('abc')",
    "return {KEYS[1], ARGV[1], #KEYS, #ARGV, ARGV[3]}",
    "local t = {} for i = 1, 20 do t[i] = i end return {unpack(t, 3, 6)}",
    "return string.format('%.0f', 1.7e15)",
    "return tostring(1700000000123456)",
    "return string.match('a\\0b', '%z(%Z*)')",
    "return pcall(redis.call, 'GET', 'hash') and 'fine' or 'raised'",
    "return tonumber('0x10')",
    "return select('#', 1, nil, 3)",
};

START_TEST(scripts_convert_values_as_redis_does)
{
    struct str hash[] = {STR("HSET"), STR("hash"), STR("f"), STR("v")};
    compare(keyspace_command(keyspace, hash, 4), send_to_redis(hash, 4), 0, "HSET");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct str keys[] = {STR("key")}, args[] = {STR("one"), STR("")};
        struct str words[] = {STR("EVAL"), str_of(texts[i]), STR("1"), keys[0], args[0], args[1]};
        /* a script without a pool may touch what it likes */
        struct str all[] = {STR("hash"), STR("text"), STR("none"), STR("number")};
        bool is_plain = strstr(texts[i], "KEYS") == NULL;
        set_time();
        compare(keyspace_eval(keyspace, str_of(texts[i]), is_plain ? all : keys, is_plain ? 4 : 1,
                              args, 2),
                send_to_redis(words, 6), 0, texts[i]);
    }
}
END_TEST

/* What raises ends the call, with an error that begins alike. */
START_TEST(scripts_raise_as_redis_does)
{
    static const char *const raising[] = {
        "return redis.call('GET', 'hash')",
        "redis.call('SET', 'text')",
        "redis.call('SET', 'text', {})",
    };
    struct str hash[] = {STR("HSET"), STR("hash"), STR("f"), STR("v")};
    struct str all[] = {STR("hash"), STR("text")};
    compare(keyspace_command(keyspace, hash, 4), send_to_redis(hash, 4), 0, "HSET");
    for (size_t i = 0; i < sizeof raising / sizeof *raising; i++) {
        struct str words[] = {STR("EVAL"), str_of(raising[i]), STR("0")};
        redisReply *theirs = send_to_redis(words, 3);
        const redisReply *ours = keyspace_eval(keyspace, str_of(raising[i]), all, 2, NULL, 0);
        ck_assert_int_eq(ours->type, REDIS_REPLY_ERROR);
        ck_assert_int_eq(theirs->type, REDIS_REPLY_ERROR);
        /* up to "script: <sha>"; Redis shows the name of the command in lower case */
        char *end = strstr(theirs->str, " script: ");
        ck_assert_msg(end != NULL, "%s", theirs->str);
        ck_assert_msg(strncasecmp(ours->str, theirs->str, (size_t)(end - theirs->str) + 9) == 0,
                      "%s:\n  keyspace: %s\n  redis:    %s", raising[i], ours->str, theirs->str);
        freeReplyObject(theirs);
    }
}
END_TEST

/* --- the scripts of the pools
 * --------------------------------------------------------------------- */

static const char *const resources[] = {"r0", "a|b", "ends|", "x:y", "-1", "r5"};

static struct str key_of(const char *name, char out[64])
{
    snprintf(out, 64, "ns|p|pool%s%s", strcmp(name, "pool") == 0 ? "" : "|",
             strcmp(name, "pool") == 0 ? "" : name);
    if (strcmp(name, "fences") == 0)
        snprintf(out, 64, "ns|fence|seen");
    return str_of(out);
}

static void call_both(enum script_id id, const struct str *args, int count)
{
    const struct script *script = script_of(id);
    static char names[SCRIPT_MAX_KEYS][64];
    struct str keys[SCRIPT_MAX_KEYS], words[MAX_ARGS] = {STR("EVAL"), script->text};
    char number[NUM_INT_MAX], what[64];
    int at = 3;
    words[2] = str_make(number, num_format_int(number, script->key_count));
    for (int i = 0; i < script->key_count; i++)
        words[at++] = keys[i] = key_of(script->keys[i], names[i]);
    for (int i = 0; i < count; i++)
        words[at++] = args[i];
    snprintf(what, sizeof what, "%s %.*s", script->name, count > 3 ? (int)args[3].len : 0,
             count > 3 ? args[3].ptr : "");
    set_time();
    compare(keyspace_script(keyspace, id, keys, script->key_count, args, count),
            send_to_redis(words, at), 0, what);
}

static struct str any_resource(void)
{
    return pick(resources, 6);
}

static int put_operation(struct str *args, char token[64])
{
    static const char *const hows[] = {"1", "n", "a"}, *const counts[] = {"1", "2", "5"};
    static const char *const names[] = {"", "", "name"}, *const owners[] = {"", "", "owner"};
    static const char *const reqids[] = {"", "", "", "r1", "r2", "r3"};
    static const char *const ids[] = {"daemon:1", "daemon:2", "daemon:3", "other:1"};
    int how = below(3), dice = below(12), at = 0;
    if (dice > 9) {
        args[at++] = STR("E");
        args[at++] = pick(ids, 4);
        args[at++] = below(2) == 0 ? STR("t") : STR("g");
    } else if (dice < 5) {
        snprintf(token, 64, "random%016d", below(1000000));
        if (below(3) == 0) {
            args[at++] = STR("W");
            args[at++] = pick(ids, 4);
            args[at++] = below(2) == 0 ? STR("") : STR("0");
            args[at++] = below(2) == 0 ? STR("0") : STR("1000000");
        } else {
            args[at++] = STR("M");
        }
        args[at++] = str_of(hows[how]);
        args[at++] = how == 0 ? STR("1") : pick(counts, 3);
        args[at++] = below(4) == 0 ? STR("0") : STR("1000000");
        args[at++] = str_of(token);
        args[at++] = pick(names, 3);
        args[at++] = STR("1000000");
        args[at++] = pick(owners, 3);
        args[at++] = pick(reqids, 6);
    } else if (dice < 8) {
        args[at++] = STR("F");
        args[at++] = below(4) == 0 ? STR("wrong") : STR("");
        args[at++] = below(3) == 0 ? STR("5000000") : STR("");
        args[at++] = STR("2");
        args[at++] = any_resource();
        args[at++] = any_resource();
    } else {
        args[at++] = STR("R");
        args[at++] = any_resource();
        args[at++] = below(4) == 0 ? STR("wrong") : STR("");
        args[at++] = STR("2000000");
    }
    return at;
}

static void call_batch(int sequence, bool is_shared)
{
    struct str args[MAX_ARGS] = {STR("daemon")};
    char number[NUM_INT_MAX], tokens[3][64];
    int count = 3;
    args[1] = str_make(number, num_format_int(number, sequence));
    args[2] = is_shared ? STR("shared") : STR("exclusive");
    for (int i = 0; i < 3; i++)
        count += put_operation(args + count, tokens[i]);
    call_both(SCRIPT_POOL_BATCH, args, count);
}

static void call_recall(int sequence)
{
    char number[NUM_INT_MAX];
    struct str args[] = {STR("daemon"), {number, 0}};
    args[1].len = num_format_int(number, sequence);
    call_both(SCRIPT_POOL_RECALL, args, 2);
}

static void call_any(int turn)
{
    struct str one = any_resource(), two = any_resource();
    struct str changed[] = {below(3) == 0 ? STR("9000000") : STR("0"), one, two, any_resource()};
    struct str binding[] = {STR("name"), one, STR("1000000")};
    switch (below(22)) {
    case 0:
    case 1:
    case 2:
        call_both(SCRIPT_POOL_EXTEND, changed, 4);
        break;
    case 3:
        call_both(SCRIPT_POOL_SHRINK, changed + 1, 1 + below(2));
        break;
    case 4:
        call_both(SCRIPT_POOL_ASSIGN, changed, below(8) == 0 ? 1 : 4);
        break;
    case 5:
        call_both(SCRIPT_POOL_BIND, binding, 3);
        break;
    case 6:
        call_both(SCRIPT_POOL_UNBIND, binding, 1);
        break;
    case 7:
        call_both(SCRIPT_POOL_BOUND, binding, 1);
        break;
    case 8:
        call_both(SCRIPT_POOL_HELD, (struct str[]){STR("owner")}, 1);
        break;
    case 9:
        call_both(SCRIPT_POOL_FREELIST, (struct str[]){below(2) == 0 ? STR("-1") : STR("2")}, 1);
        break;
    case 10:
        call_both(SCRIPT_POOL_INFO, NULL, 0);
        break;
    case 11:
        call_both(SCRIPT_POOL_HEALTH, NULL, 0);
        break;
    case 12:
        call_both(SCRIPT_POOL_CHECK, NULL, 0);
        break;
    case 13:
        call_both(SCRIPT_POOL_FENCE_CHECK, (struct str[]){STR("f"), pick(resources, 6)}, 2);
        break;
    case 14:
        call_recall(turn);
        break;
    default:
        call_batch(turn, turn % 50 > 45);
    }
}

START_TEST(the_scripts_of_the_pools_answer_as_in_redis)
{
    struct str dump[] = {STR("HGETALL"), STR("ns|p|pool")};
    for (int turn = 1; turn <= SCRIPT_CALLS; turn++) {
        call_any(turn);
        if (turn % 50 == 0)
            compare(keyspace_command(keyspace, dump, 2), send_to_redis(dump, 2), 2, "the hash");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keyspace");
    TCase *tcase = tcase_create("keyspace");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, commands_answer_as_those_of_redis_do);
    tcase_add_test(tcase, a_scan_meets_everything_that_was_there_all_the_time);
    tcase_add_test(tcase, scripts_convert_values_as_redis_does);
    tcase_add_test(tcase, scripts_raise_as_redis_does);
    tcase_add_test(tcase, the_scripts_of_the_pools_answer_as_in_redis);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
