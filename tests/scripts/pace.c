/* pace: how often something is granted: the rules rate, pool_rate and rest. */
#include "tests/lib/scene.h"

#define FREE_A "F \"\" \"\" 1 a "

static struct scene scene;

static void open_with(const char *resources, const char *rules)
{
    char words[200];
    scene_open(&scene, NULL);
    snprintf(words, sizeof words, "-1 %s", resources);
    expect(&scene.at, SCRIPT_POOL_EXTEND, words, resources[1] == '\0' ? "1" : "3");
    snprintf(words, sizeof words, "\"%s\" \"\"", rules);
    expect(&scene.at, SCRIPT_POOL_SET_RULES, words, "1");
}

/* Redis' clock goes on by so many seconds for what these keep, and what rests is due. */
static void pass(long seconds)
{
    char words[300];
    snprintf(
        words, sizeof words,
        "EVAL \"for _, f in ipairs({'pace'}) do local v = redis.call('HGET', KEYS[1], f) "
        "if v then redis.call('HSET', KEYS[1], f, string.format('%%.0f', v - %ld)) end end\" 1 "
        "p|x|pool|journal",
        seconds * 1000000L);
    scene_do(&scene, words);
    snprintf(words, sizeof words,
             "EVAL \"local v = redis.call('HGET', KEYS[1], 'ta') if v then "
             "redis.call('HSET', KEYS[1], 'ta', string.format('%%.0f', v - %ld)) end\" 1 "
             "p|x|pool|traits",
             seconds * 1000000L);
    scene_do(&scene, words);
}

START_TEST(a_resource_is_granted_so_often_and_then_rests)
{
    open_with("a", "rate=60000000/2"); /* 2 a minute */
    expect_batch(&scene.at, M1("r1") FREE_A M1("r2") FREE_A,
                 "[[a #-r1 # 60000] 1 [a #-r2 # 60000] 1]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_rests_says_until_when)
{
    open_with("a", "rate=60000000/2");
    expect_batch(&scene.at, M1("r1") FREE_A M1("r2") FREE_A M1("r3"), "[[a #-r1 # 60000] 1 [a ...");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state resting ...");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 25000);
    ck_assert_int_le(peek_int(scene.at.redis, "PTTL p|x:a"), 30000);
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[]");
    scene_close(&scene);
}
END_TEST

START_TEST(an_even_pace_never_rests)
{
    open_with("a", "rate=60000000/2");
    for (int i = 0; i < 5; i++) {
        expect_batch(&scene.at, M1("r1") FREE_A, "[[a ...");
        pass(30);
    }
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    scene_close(&scene);
}
END_TEST

START_TEST(the_pool_grants_so_many_at_once_and_then_one_by_one)
{
    open_with("a b c", "pool_rate=60000000/2");
    expect_batch(&scene.at, "M n 3 60000 r \"\" 0 \"\" \"\"", "[[a #-h # 60000 b #-h # 60000]]");
    expect_batch(&scene.at, M1("r3"), "[[]]");
    pass(29);
    expect_batch(&scene.at, M1("r4"), "[[]]");
    pass(1);
    expect_batch(&scene.at, M1("r5") M1("r6"), "[[c #-r5 # 60000] []]");
    scene_close(&scene);
}
END_TEST

START_TEST(all_or_none_waits_for_its_whole_pace)
{
    open_with("a b c", "pool_rate=60000000/2");
    expect_batch(&scene.at, M1("r1") "M a 2 60000 r \"\" 0 \"\" \"\"", "[[a #-r1 # 60000] []]");
    pass(30);
    expect_batch(&scene.at, "M a 2 60000 r \"\" 0 \"\" \"\"", "[[b #-h # 60000 c #-h # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(who_waits_is_served_at_the_pools_pace)
{
    open_with("a b c", "pool_rate=1000000/10");
    expect_batch(&scene.at, "M n 3 60000 r \"\" 0 \"\" \"\"", "[[a ...");
    scene_do(&scene, "HSET p|x|pool|journal rules pool_rate=60000000/1 pace 0");
    expect_batch(&scene.at, FREE_A "M 1 1 60000 r2 \"\" 0 \"\" \"\"", "[1 [a ...");
    expect_batch(&scene.at, FREE_A "W D:1 \"\" 0 1 1 1000 r3 \"\" 0 \"\" \"\"", "[1 [# #]]");
    redisReply *reply = script_batch(&scene.at, "B 0");
    long long ms = reply->element[0]->element[1]->integer;
    ck_assert_msg(ms > 55000 && ms <= 60000, "%lld", ms);
    freeReplyObject(reply);
    expect_redis(&scene, "HLEN p|x|pool|granted", "0");
    pass(60);
    expect_batch(&scene.at, "B 0", "[[# -1 D:1]]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_shared_pool_shows_each_at_its_pace)
{
    open_with("a b c", "rate=60000000/1");
    scene.at.mode = "shared";
    expect_batch(&scene.at, M1("r1") M1("r2") M1("r3") M1("r4"),
                 "[[a \"\" 0 -1] [b \"\" 0 -1] [c \"\" 0 -1] []]");
    expect_redis(&scene, "GET p|x:a", "#RESTING");
    scene_do(&scene, "DEL p|x:a");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    pass(60);
    expect_batch(&scene.at, M1("r5") M1("r6"), "[[a \"\" 0 -1] []]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_clock_that_was_set_back_does_not_stop_the_pool)
{
    open_with("a b c", "pool_rate=60000000/2");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    pass(-86400);
    expect_batch(&scene.at, "B 0", "[[# -1]]");
    expect_batch(&scene.at, M1("r1"), "[[]]");
    expect_redis(&scene, "HEXISTS p|x|pool|journal pace", "1");
    pass(86400 + 60);
    expect_batch(&scene.at, M1("r1"), "[[b ...");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_resource_is_granted_so_often_and_then_rests,
                                  what_rests_says_until_when,
                                  an_even_pace_never_rests,
                                  the_pool_grants_so_many_at_once_and_then_one_by_one,
                                  all_or_none_waits_for_its_whole_pace,
                                  who_waits_is_served_at_the_pools_pace,
                                  a_shared_pool_shows_each_at_its_pace,
                                  a_clock_that_was_set_back_does_not_stop_the_pool,
                                  NULL};
    return scene_run("pace", tests);
}
