/* free: what a batch's F and R do to leases. */
#include "tests/lib/scene.h"
#include <stdlib.h>

START_TEST(free_puts_the_resource_behind_the_tail)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a #-r1 # 60000]]");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect_redis(&scene, "HGETALL p|x|pool", "[a b||||-1 b ||a||-1]");
    expect_redis(&scene, "ZCARD p|x|pool|leases", "0");
    expect_redis(&scene, "EXISTS p|x:a", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(free_counts_leases_not_names)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    expect_batch(&scene.at, "F \"\" \"\" 5 a a b c stranger F \"\" \"\" 1 a", "[2 0]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[c a b]");
    scene_close(&scene);
}
END_TEST

START_TEST(free_with_an_old_token_is_refused)
{
    struct scene scene;
    char words[200];
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    redisReply *reply = script_batch(&scene.at, M1("r1"));
    const char *token = reply->element[0]->element[1]->str;
    snprintf(words, sizeof words, "F %s \"\" 1 a", token);
    expect_batch(&scene.at, "F \"\" \"\" 1 a M n 2 60000 r \"\" 0 \"\" \"\"", "[1 [b ...");
    expect_batch(&scene.at, words, "[!NOTOWNER the lease of this resource has another token]");
    snprintf(words, sizeof words, "R a %s 1000 R b x 0", token);
    expect_batch(&scene.at, words, "[!NOTOWNER ...");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 50000);
    freeReplyObject(reply);
    scene_close(&scene);
}
END_TEST

START_TEST(a_token_without_a_lease_frees_nothing)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "F tok \"\" 1 a R a tok 1000 R stranger \"\" 0", "[0 0 0]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_refused_request_does_not_touch_its_neighbours)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") "F wrong \"\" 2 b a " M1("r2") "F \"\" \"\" 1 a",
                 "[[a #-r1 # 60000] !NOTOWNER the lease of this resource has another token "
                 "[b #-r2 # 60000] 1]");
    scene_close(&scene);
}
END_TEST

START_TEST(free_keeps_the_expiry_unless_told_otherwise)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "HSET p|x|pool a ||b||9999999999");
    expect_batch(&scene.at, M1("r1") "F \"\" \"\" 1 a", "[[a #-r1 # 60000] 1]");
    expect_redis(&scene, "HGET p|x|pool a", "b||||9999999999");
    expect_batch(&scene.at, "M 1 1 0 r \"\" 0 \"\" \"\" F \"\" 1500 1 b", "[[b #-r # -1] 1]");
    char *value = peek_text(scene.at.redis, "HGET p|x|pool b");
    char *now = peek_text(scene.at.redis, "EVAL %s 0", "return redis.call('TIME')[1]");
    long long left = strtoll(value + 5, NULL, 10) - strtoll(now, NULL, 10);
    ck_assert_msg(left == 2 || left == 3, "%s at %s", value, now);
    free(value);
    free(now);
    expect_batch(&scene.at, M1("r3") "F \"\" 0 1 a", "[[a #-r3 # 60000] 1]");
    expect_redis(&scene, "HGET p|x|pool a", "b||||-1");
    scene_close(&scene);
}
END_TEST

START_TEST(what_expired_while_leased_leaves_when_it_is_freed)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    scene_do(&scene, "HSET p|x|pool a #ALLOCATED||#ALLOCATED||1 b #ALLOCATED||#ALLOCATED||1");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state leased ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a F \"\" -1 1 b", "[1 1]");
    expect_redis(&scene, "HGETALL p|x|pool", "[b ||||-1]");
    scene_close(&scene);
}
END_TEST

START_TEST(freeing_what_left_the_pool_ends_the_lease_and_counts)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    expect(&scene.at, SCRIPT_POOL_SHRINK, "a", "1");
    expect_redis(&scene, "EXISTS p|x:a", "1");
    expect_batch(&scene.at, "R a \"\" 5000 F \"\" \"\" 1 a", "[1 1]");
    expect_redis(&scene, "HLEN p|x|pool", "0"); /* not resurrected */
    expect_redis(&scene, "ZCARD p|x|pool|leases", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(an_ill_resource_has_no_lease)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    scene_do(&scene, "SET p|x:a #UNHEALTHY PX 100000");
    expect_batch(&scene.at, M1("r1") "F \"\" \"\" 1 a F tok \"\" 1 a R a \"\" 1", "[[] 0 0 0]");
    expect_redis(&scene, "GET p|x:a", "#UNHEALTHY");
    scene_close(&scene);
}
END_TEST

START_TEST(a_lock_on_a_free_resource_is_freed_in_its_place)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    seedpeer_update(&scene.peer, "b", 100);
    expect_batch(&scene.at, "F \"\" \"\" 1 b", "[1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b c]");
    scene_close(&scene);
}
END_TEST

START_TEST(renew_sets_deadline_and_index)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") "R a \"\" 500000", "[[a ...");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 400000);
    expect_batch(&scene.at, "R a \"\" 0", "[1]");
    expect_redis(&scene, "PTTL p|x:a", "-1");
    expect_redis(&scene, "ZSCORE p|x|pool|leases a", "inf");
    expect_batch(&scene.at, "R a \"\" 1000", "[1]");
    ck_assert_int_le(peek_int(scene.at.redis, "PTTL p|x:a"), 1000);
    ck_assert_int_eq(peek_int(scene.at.redis, "ZCOUNT p|x|pool|leases 1 9999999999999"), 1);
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_freed_while_nothing_else_is_free_goes_straight_to_the_next)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a F \"\" \"\" 1 b " M1("r3"), "[1 1 [a #-r3 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    expect_redis(&scene, "ZRANGE p|x|pool|leases 0 -1", "[a]");
    expect_redis(&scene, "EXISTS p|x:a p|x:b", "1");
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_free_goes_before_what_is_freed_in_the_same_batch)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    expect_batch(&scene.at, "F \"\" \"\" 1 a " M1("r3") "F \"\" \"\" 1 b",
                 "[1 [c #-r3 # 60000] 1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_batch_that_makes_no_sense_does_nothing)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1") "Z", "!ERR unknown operation 'Z'");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        free_puts_the_resource_behind_the_tail,
        free_counts_leases_not_names,
        free_with_an_old_token_is_refused,
        a_token_without_a_lease_frees_nothing,
        a_refused_request_does_not_touch_its_neighbours,
        free_keeps_the_expiry_unless_told_otherwise,
        what_expired_while_leased_leaves_when_it_is_freed,
        freeing_what_left_the_pool_ends_the_lease_and_counts,
        an_ill_resource_has_no_lease,
        a_lock_on_a_free_resource_is_freed_in_its_place,
        renew_sets_deadline_and_index,
        what_is_freed_while_nothing_else_is_free_goes_straight_to_the_next,
        what_is_free_goes_before_what_is_freed_in_the_same_batch,
        a_batch_that_makes_no_sense_does_nothing,
        NULL};
    return scene_run("free", tests);
}
