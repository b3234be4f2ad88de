/* explain: what is told of a line: what stands in the way, and when who may be served. */
#include "tests/lib/scene.h"
#include <stdlib.h>

#define W(id, ends_ms, how, count, owner) \
    "W " id " 0 " ends_ms " " how " " count " 60000 r \"\" 0 " owner " \"\" "

static struct scene scene;

static void set_up(void)
{
    scene_open(&scene, NULL);
}

static void tear_down(void)
{
    scene_close(&scene);
}

/* The deadline of a leased one, in ms from now. */
static void hold_for(const char *resource, const char *ms)
{
    redisReply *reply = peek(scene.at.redis, "EVAL %s 1 p|x|pool|leases %s %s",
                             "local t = redis.call('TIME') return redis.call('ZADD', KEYS[1], "
                             "t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[2], ARGV[1])",
                             resource, ms);
    freeReplyObject(reply);
}

/* Within the second that a test may take. */
static void expect_ms(const redisReply *reply, long long ms)
{
    ck_assert_msg(reply->integer <= ms && reply->integer > ms - 1000, "%lld, not %lld",
                  reply->integer, ms);
}

START_TEST(a_pool_without_a_line_is_told_too)
{
    expect(&scene.at, SCRIPT_POOL_EXPLAIN, "10", "[0 0 0 [] [] 0 0]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, "M 1 1 0 r \"\" 0 me q " M1("r2"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_EXPLAIN, "1", "[1 2 0 [b \"\" ...");
    expect(&scene.at, SCRIPT_POOL_EXPLAIN, "10", "[1 2 0 [b \"\" ...");
    redisReply *reply = script_say(&scene.at, SCRIPT_POOL_EXPLAIN, "10");
    ck_assert_uint_eq(reply->element[3]->elements, 6);
    expect_ms(reply->element[3]->element[2], 60000);
    ck_assert_str_eq(reply->element[3]->element[3]->str, "a");
    ck_assert_str_eq(reply->element[3]->element[4]->str, "me");
    ck_assert_int_eq(reply->element[3]->element[5]->integer, -1);
    freeReplyObject(reply);
}
END_TEST

/* a for 10 s, b for 20 s, c for ever; each waiter holds for 4 s. */
#define FIELDS 7 /* of one who waits */

START_TEST(each_is_expected_when_something_ends_before_it)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") M1("r2") "M 1 1 0 r \"\" 0 \"\" \"\"", "[[a ...");
    hold_for("a", "10000");
    hold_for("b", "20000");
    expect_batch(&scene.at, W("D:1", "4000", "1", "1", "me") W("D:2", "4000", "n", "3", "\"\""),
                 "[[# #] [# #]]");
    expect_batch(&scene.at,
                 W("D:3", "4000", "a", "2", "\"\"") W("D:4", "4000", "a", "4", "\"\"")
                     W("D:5", "0", "1", "1", "\"\"") W("D:6", "0", "a", "3", "\"\"")
                         W("D:7", "0", "1", "1", "\"\""),
                 "[[# #] ...");
    redisReply *reply = script_say(&scene.at, SCRIPT_POOL_EXPLAIN, "10");
    const redisReply *line = reply->element[4];
    ck_assert_int_eq(reply->element[2]->integer, 7);
    ck_assert_uint_eq(line->elements, 7 * FIELDS);
    ck_assert_str_eq(line->element[0]->str, "1");
    ck_assert_str_eq(line->element[2]->str, "me");
    ck_assert_int_lt(line->element[3]->integer, 1000);
    expect_ms(line->element[4], 10000);
    ck_assert_str_eq(line->element[FIELDS]->str, "n");
    ck_assert_int_eq(line->element[FIELDS + 1]->integer, 3);
    expect_ms(line->element[FIELDS + 4], 14000);                  /* of the first one's */
    expect_ms(line->element[2 * FIELDS + 4], 20000);              /* two at a time: 18 s and 20 s */
    ck_assert_int_eq(line->element[3 * FIELDS + 4]->integer, -1); /* four of three: never */
    expect_ms(line->element[4 * FIELDS + 4], 24000);
    ck_assert_int_eq(line->element[5 * FIELDS + 4]->integer, -1); /* c is held for ever */
    ck_assert_int_eq(line->element[6 * FIELDS + 4]->integer,
                     -1); /* and who is behind waits for that */
    freeReplyObject(reply);
}
END_TEST

START_TEST(places_are_told_by_id)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at,
                 M1("r1") W("D:1", "0", "1", "1", "\"\"") W("D:2", "0", "1", "1", "\"\""),
                 "[[a ...");
    redisReply *reply = script_say(&scene.at, SCRIPT_POOL_PLACES, "D:2 D:9 D:1");
    ck_assert_uint_eq(reply->elements, 6);
    ck_assert_int_eq(reply->element[0]->integer, 2);
    ck_assert_int_eq(reply->element[1]->integer, -1);
    ck_assert_int_eq(reply->element[2]->integer, 0);
    ck_assert_int_eq(reply->element[3]->integer, -1);
    ck_assert_int_eq(reply->element[4]->integer, 1);
    expect_ms(reply->element[5], 60000);
    freeReplyObject(reply);
}
END_TEST

START_TEST(telling_writes_nothing)
{
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") W("D:1", "0", "1", "1", "\"\""), "[[a ...");
    char *before = scene_digest(&scene);
    freeReplyObject(script_say(&scene.at, SCRIPT_POOL_PLACES, "D:1"));
    freeReplyObject(script_say(&scene.at, SCRIPT_POOL_EXPLAIN, "5"));
    char *after = scene_digest(&scene);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain");
    TCase *tcase = tcase_create("explain");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_pool_without_a_line_is_told_too);
    tcase_add_test(tcase, each_is_expected_when_something_ends_before_it);
    tcase_add_test(tcase, places_are_told_by_id);
    tcase_add_test(tcase, telling_writes_nothing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
