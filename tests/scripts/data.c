/* data: what belongs to resources, and how it comes with them. */
#include "tests/lib/scene.h"

#define WITH_DATA     "X D "
#define W(id, ticket) WITH_DATA "W " id " " ticket " 0 1 1 60000 r \"\" 0 me r1 "
#define F(resource)   "F \"\" \"\" 1 " resource " "

static struct scene scene;

static void open_with_data(void)
{
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect(&scene.at, SCRIPT_POOL_SET_DATA, "a secret", "1");
}

START_TEST(data_is_kept_until_it_is_taken_away_or_the_resource_leaves)
{
    open_with_data();
    expect(&scene.at, SCRIPT_POOL_DATA_OF, "a", "secret");
    expect(&scene.at, SCRIPT_POOL_DATA_OF, "b", "nil");
    expect(&scene.at, SCRIPT_POOL_SET_DATA, "stranger x", "0");
    expect(&scene.at, SCRIPT_POOL_SET_DATA, "b x", "1");
    expect(&scene.at, SCRIPT_POOL_SET_DATA, "b \"\"", "1");
    expect(&scene.at, SCRIPT_POOL_DATA_OF, "b", "nil");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a", "1");
    expect(&scene.at, SCRIPT_POOL_DATA_OF, "a", "nil");
    expect_redis(&scene, "EXISTS p|x|pool|traits", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(malloc_gives_it_to_who_asks)
{
    open_with_data();
    expect_batch(&scene.at, WITH_DATA "M n 5 60000 r \"\" 0 \"\" \"\"",
                 "[[a #-h # 60000 secret b #-h # 60000 nil]]");
    expect_batch(&scene.at, WITH_DATA M1("r") M1("r"), "[[] []]");
    expect_batch(&scene.at, F("a") M1("r"), "[1 [a #-r # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_repeated_request_gets_it_again)
{
    open_with_data();
    const char *ask = WITH_DATA "M 1 1 60000 r \"\" 0 \"\" id1";
    expect_batch(&scene.at, ask, "[[a #+r # 60000 secret]]");
    expect(&scene.at, SCRIPT_POOL_SET_DATA, "a newer", "1");
    redisReply *again = script_batch(&scene.at, ask);
    ck_assert_uint_eq(again->element[0]->elements, 5);
    ck_assert_str_eq(again->element[0]->element[4]->str, "newer");
    freeReplyObject(again);
    scene_close(&scene);
}
END_TEST

START_TEST(who_waits_gets_it_when_it_is_fetched_or_at_the_last_moment)
{
    open_with_data();
    expect_batch(&scene.at, "M a 2 60000 r \"\" 0 \"\" \"\"", "[[a ...");
    expect_batch(&scene.at, W("D:1", "\"\""), "[[# #]]");
    expect_batch(&scene.at, F("a"), "[1]");
    redisReply *late = script_batch(&scene.at, WITH_DATA "E D:1 t");
    ck_assert_uint_eq(late->element[0]->elements, 5);
    ck_assert_str_eq(late->element[0]->element[4]->str, "secret");
    freeReplyObject(late);
    expect_batch(&scene.at, F("a"), "[1]");
    expect_batch(&scene.at, W("D:2", "\"\""), "[[a #+r # 60000 secret]]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_shared_pool_shows_it_too)
{
    open_with_data();
    scene.at.mode = "shared";
    expect_batch(&scene.at, WITH_DATA M1("r"), "[[a \"\" 0 -1 secret]]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {data_is_kept_until_it_is_taken_away_or_the_resource_leaves,
                                  malloc_gives_it_to_who_asks,
                                  a_repeated_request_gets_it_again,
                                  who_waits_gets_it_when_it_is_fetched_or_at_the_last_moment,
                                  a_shared_pool_shows_it_too,
                                  NULL};
    return scene_run("data", tests);
}
