/* large: calls with 100,000 resources and pools of that size; nothing may be quadratic. With
 * RALLOCD_TIMES=1 it says how long each took, with RALLOCD_POOL=1000000 in a larger pool. */
#include "base/mem.h"
#include "tests/lib/scene.h"
#include "tests/lib/until.h"
#include <stdio.h>
#include <stdlib.h>

#define RESOURCES 100000
/* Quadratic would be minutes; a slow machine gets what until() gives. */
#define LONGEST_MS until_wait_ms()

struct names {
    struct str *argv; /* argv[0] is a first argument, then the names */
    char *bytes;
    int count;
};

static void make_names(struct names *names, const char *first, int from, int count)
{
    names->argv = mem_array((size_t)count + 1, sizeof *names->argv);
    names->bytes = mem_array((size_t)count, 24);
    names->count = count;
    names->argv[0] = str_of(first);
    for (int i = 0; i < count; i++) {
        char *name = names->bytes + 24 * (size_t)i;
        snprintf(name, 24, "10.%d:8080", from + i);
        names->argv[i + 1] = str_of(name);
    }
}

static void clear_names(struct names *names)
{
    mem_free(names->argv);
    mem_free(names->bytes);
}

/* Calls it, checks that it is not slow, and its answer. */
static void timed(struct scene *scene, const char *what, enum script_id id, int argc,
                  const struct str *argv, const char *expected)
{
    int64_t start_ms = until_now_ms();
    redisReply *reply = script_call(&scene->at, id, argc, argv);
    int64_t took_ms = until_now_ms() - start_ms;
    if (getenv("RALLOCD_TIMES") != NULL)
        fprintf(stderr, "%-34s %6lld ms\n", what, (long long)took_ms);
    ck_assert_msg(took_ms < LONGEST_MS, "%s took %lld ms", what, (long long)took_ms);
    script_expect(reply, expected, __FILE__, __LINE__);
}

static void timed_words(struct scene *scene, const char *what, enum script_id id, const char *words,
                        const char *expected)
{
    struct str argv[16];
    char bytes[200];
    int argc = script_words(words, bytes, sizeof bytes, argv, 16);
    timed(scene, what, id, argc, argv, expected);
}

START_TEST(calls_with_100000_resources)
{
    struct scene scene;
    struct names all, other;
    scene_open(&scene, "busy-reply-threshold 60000");
    redisSetTimeout(scene.at.redis, (struct timeval){60, 0});
    make_names(&all, "-1", 0, RESOURCES);
    make_names(&other, "-1", RESOURCES / 2, RESOURCES);
    timed(&scene, "extend, all new", SCRIPT_POOL_EXTEND, RESOURCES + 1, all.argv, "100000");
    timed(&scene, "extend, all known", SCRIPT_POOL_EXTEND, RESOURCES + 1, all.argv, "0");
    timed_words(&scene, "malloc count 50000", SCRIPT_POOL_BATCH,
                "D 1 exclusive M n 50000 3600000 r \"\" 0 me q", "[[10.0:8080 #+h # 3600000...");
    timed_words(&scene, "malloc all 50000", SCRIPT_POOL_BATCH,
                "D 2 exclusive M a 50000 3600000 r \"\" 0 \"\" \"\"", "[[10.50000:8080 #-h ...");
    timed_words(&scene, "held by one owner, 50000", SCRIPT_POOL_HELD, "me",
                "[10.0:8080 #+h # 3...");
    timed_words(&scene, "recall of 50000", SCRIPT_POOL_RECALL, "D 2", "50000");
    timed(&scene, "assign, half of them others", SCRIPT_POOL_ASSIGN, RESOURCES + 1, other.argv,
          "[50000 50000]");
    timed_words(&scene, "check", SCRIPT_POOL_CHECK, "", "[100000 100000 0]");
    timed(&scene, "shrink all", SCRIPT_POOL_SHRINK, RESOURCES, other.argv + 1, "100000");
    timed(&scene, "extend, half of them leased", SCRIPT_POOL_EXTEND, RESOURCES + 1, all.argv,
          "100000");
    timed_words(&scene, "health", SCRIPT_POOL_HEALTH, "", "[50000 50000]");
    timed_words(&scene, "freelist", SCRIPT_POOL_FREELIST, "-1", "[10.50000:8080 ...");
    timed_words(&scene, "repair, nothing broken", SCRIPT_POOL_REPAIR, "", "[100000 50000 50000 0]");
    peek_check_pool(scene.at.redis, scene.at.base);
    clear_names(&all);
    clear_names(&other);
    scene_close(&scene);
}
END_TEST

START_TEST(freeing_100000_at_once)
{
    struct scene scene;
    struct names all;
    scene_open(&scene, "busy-reply-threshold 60000");
    redisSetTimeout(scene.at.redis, (struct timeval){60, 0});
    make_names(&all, "-1", 0, RESOURCES);
    timed(&scene, "extend, all new", SCRIPT_POOL_EXTEND, RESOURCES + 1, all.argv, "100000");
    timed_words(&scene, "malloc count 100000", SCRIPT_POOL_BATCH,
                "D 1 exclusive M n 100000 3600000 r \"\" 0 \"\" \"\"",
                "[[10.0:8080 #-h # 3600000...");
    struct str *argv = mem_array(RESOURCES + 7, sizeof *argv);
    const char *const head[] = {"D", "2", "exclusive", "F", "", "", "100000"};
    for (int i = 0; i < 7; i++)
        argv[i] = str_of(head[i]);
    memcpy(argv + 7, all.argv + 1, RESOURCES * sizeof *argv);
    timed(&scene, "free of 100000", SCRIPT_POOL_BATCH, RESOURCES + 7, argv, "[100000]");
    timed_words(&scene, "check", SCRIPT_POOL_CHECK, "", "[100000 100000 0]");
    mem_free(argv);
    clear_names(&all);
    scene_close(&scene);
}
END_TEST

START_TEST(one_request_for_100000)
{
    struct scene scene;
    struct names all;
    scene_open(&scene, "busy-reply-threshold 60000");
    redisSetTimeout(scene.at.redis, (struct timeval){60, 0});
    make_names(&all, "-1", 0, RESOURCES);
    timed(&scene, "extend, all new", SCRIPT_POOL_EXTEND, RESOURCES + 1, all.argv, "100000");
    timed_words(&scene, "malloc all 100000 by a reqid", SCRIPT_POOL_BATCH,
                "D 1 exclusive M a 100000 3600000 r \"\" 0 me q", "[[10.0:8080 #+h # 3600000...");
    timed_words(&scene, "recall of a request for 100000", SCRIPT_POOL_RECALL, "D 1", "100000");
    timed_words(&scene, "the same request again", SCRIPT_POOL_BATCH,
                "D 2 exclusive M a 100000 3600000 r \"\" 0 me q", "[[10.0:8080 #+h # 3600000...");
    timed_words(&scene, "its repetition", SCRIPT_POOL_BATCH,
                "D 3 exclusive M a 100000 3600000 r \"\" 0 me q", "[[10.0:8080 #+h # ...");
    struct str *argv = mem_array(RESOURCES + 7, sizeof *argv);
    const char *const head[] = {"D", "4", "exclusive", "F", "", "", "100000"};
    for (int i = 0; i < 7; i++)
        argv[i] = str_of(head[i]);
    memcpy(argv + 7, all.argv + 1, RESOURCES * sizeof *argv);
    timed(&scene, "free of a request for 100000", SCRIPT_POOL_BATCH, RESOURCES + 7, argv,
          "[100000]");
    expect_redis(&scene, "EXISTS p|x|pool|requests p|x|pool|notes p|x|pool|held", "0");
    mem_free(argv);
    clear_names(&all);
    scene_close(&scene);
}
END_TEST

/* A pool of any size, made quickly. */
static void fill(struct scene *scene, int count)
{
    for (int from = 0; from < count; from += RESOURCES) {
        struct names part;
        make_names(&part, "-1", from, RESOURCES);
        freeReplyObject(script_call(&scene->at, SCRIPT_POOL_EXTEND, RESOURCES + 1, part.argv));
        clear_names(&part);
    }
}

START_TEST(a_large_pool_is_checked_repaired_and_cleared)
{
    struct scene scene;
    const char *given = getenv("RALLOCD_POOL");
    int count = given != NULL ? atoi(given) : RESOURCES;
    char all[64];
    scene_open(&scene, "busy-reply-threshold 60000");
    redisSetTimeout(scene.at.redis, (struct timeval){60, 0});
    fill(&scene, count);
    snprintf(all, sizeof all, "[%d %d 0]", count, count);
    timed_words(&scene, "check of the pool", SCRIPT_POOL_CHECK, "", all);
    scene_do(&scene, "SET p|x|pool|head gone");
    snprintf(all, sizeof all, "[%d %d 0 1]", count, count);
    timed_words(&scene, "repair, a lost head", SCRIPT_POOL_REPAIR, "", all);
    freeReplyObject(peek(scene.at.redis, "EVAL %s 1 p|x|pool",
                         "local all = redis.call('HKEYS', KEYS[1]) for i = 1, #all do "
                         "redis.call('HSET', KEYS[1], all[i], 'nonsense') end"));
    snprintf(all, sizeof all, "[%d %d 0 ...", count, count);
    timed_words(&scene, "repair, all malformed", SCRIPT_POOL_REPAIR, "", all);
    timed_words(&scene, "malloc of one", SCRIPT_POOL_BATCH, "D 1 exclusive " M1("r"), "[[...");
    timed_words(&scene, "gc with a sweep of 1000", SCRIPT_POOL_GC, "\"\" 0 100 1000", "[1 ...");
    snprintf(all, sizeof all, "[0 %d]", count);
    timed_words(&scene, "clear", SCRIPT_POOL_ASSIGN, "-1", all);
    scene_close(&scene);
}
END_TEST

/* 1,000 times one that is taken and comes back: the mean of both. */
static void timed_turns(struct scene *scene, const char *what, const char *option)
{
    enum { TURNS = 1000 };
    int64_t start_ms = until_now_ms();
    for (int i = 0; i < TURNS; i++) {
        char words[200], token[80];
        snprintf(words, sizeof words, "D %d exclusive %s " M1("r"), 2 * i + 1, option);
        redisReply *reply = script_say(&scene->at, SCRIPT_POOL_BATCH, words);
        const redisReply *lease = reply->element[0];
        ck_assert_int_eq((int)lease->elements, 4);
        snprintf(token, sizeof token, "%s", lease->element[1]->str);
        snprintf(words, sizeof words, "D %d exclusive F %s \"\" 1 %s", 2 * i + 2, token,
                 lease->element[0]->str);
        freeReplyObject(reply);
        freeReplyObject(script_say(&scene->at, SCRIPT_POOL_BATCH, words));
    }
    int64_t took_ms = until_now_ms() - start_ms;
    if (getenv("RALLOCD_TIMES") != NULL)
        fprintf(stderr, "%-34s %6lld us\n", what, (long long)(took_ms * 1000 / TURNS));
    ck_assert_msg(took_ms < LONGEST_MS, "%s took %lld ms", what, (long long)took_ms);
    scene_do(scene, "HDEL p|x|pool|journal D"); /* the next turns count from 1 again */
}

START_TEST(one_of_a_large_pool_with_an_order_and_labels)
{
    struct scene scene;
    const char *given = getenv("RALLOCD_POOL");
    int count = given != NULL ? atoi(given) : RESOURCES;
    char words[100];
    scene_open(&scene, "busy-reply-threshold 60000");
    redisSetTimeout(scene.at.redis, (struct timeval){60, 0});
    fill(&scene, count);
    timed_turns(&scene, "malloc and free", "");
    expect(&scene.at, SCRIPT_POOL_ASSIGN, "-1", "[0 ...");
    expect(&scene.at, SCRIPT_POOL_SET_RULES, "order=priority \"\"", "1");
    fill(&scene, count);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1\1P5 10.7:8080 10.70:8080 10.700:8080", "0");
    timed_turns(&scene, "malloc and free by priority", "");
    for (int i = 0; i < 1000; i++) {
        snprintf(words, sizeof words, "10.%d:8080 zone=eu", i * 50);
        expect(&scene.at, SCRIPT_POOL_TAG, words, "1");
    }
    timed_turns(&scene, "malloc where and free by priority", "X Wzone=eu");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {calls_with_100000_resources,
                                  freeing_100000_at_once,
                                  one_request_for_100000,
                                  a_large_pool_is_checked_repaired_and_cleared,
                                  one_of_a_large_pool_with_an_order_and_labels,
                                  NULL};
    return scene_run("large", tests);
}
