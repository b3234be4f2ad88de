/* malloc: what a batch's M hands out, and in which order. */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

START_TEST(malloc_takes_the_head_and_leases_it)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r1"), "[[a #-r1 # 60000]]");
    expect_redis(&scene, "GET p|x:a", "#-r1");
    expect_redis(&scene, "HGETALL p|x|pool", "[a #ALLOCATED||#ALLOCATED||-1 b ||||-1]");
    expect_redis(&scene, "MGET p|x|pool|head p|x|pool|tail", "[b b]");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 50000);
    expect(&scene.at, SCRIPT_POOL_INFO, "", "[total 2 free 1 leased 1 ...");
    scene_close(&scene);
}
END_TEST

START_TEST(malloc_of_an_empty_pool_gives_nothing_and_leaves_nothing)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[] []]");
    expect_redis(&scene, "DBSIZE", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_for_ever_has_no_deadline)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 \"\" \"\" M 1 1 -5 r2 \"\" 0 \"\" \"\"",
                 "[[a #-r1 # -1] [b #-r2 # -1]]");
    expect_redis(&scene, "PTTL p|x:a", "-1");
    expect_redis(&scene, "ZSCORE p|x|pool|leases b", "inf");
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 2 free 0 leased 2 quarantined 0 resting 0 cleaning 0 pending 0 permanent 2 ...");
    scene_close(&scene);
}
END_TEST

START_TEST(a_time_that_redis_could_not_add_is_a_very_long_one)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "9223372036854775807 a", "1");
    expect_batch(&scene.at, "M 1 1 9223372036854775807 r1 \"\" 0 \"\" \"\"", "[[a #-r1 # ...");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x:a"), 900000000000000);
    scene_close(&scene);
}
END_TEST

START_TEST(fences_grow_within_a_batch_and_when_redis_has_lost_its_data)
{
    struct scene scene;
    redisReply *first, *second;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    first = script_batch(&scene.at, M1("r1") M1("r2"));
    long long one = first->element[0]->element[2]->integer;
    long long two = first->element[1]->element[2]->integer;
    ck_assert_int_gt(two, one);
    scene_do(&scene, "FLUSHALL");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    second = script_batch(&scene.at, M1("r3"));
    ck_assert_int_gt(second->element[0]->element[2]->integer, two);
    freeReplyObject(first);
    freeReplyObject(second);
    scene_close(&scene);
}
END_TEST

START_TEST(a_fence_ahead_of_the_clock_is_kept_ahead)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "HSET p|x|pool|journal fence 5000000000000000");
    redisReply *reply = script_batch(&scene.at, M1("r1") M1("r2"));
    ck_assert_int_eq(reply->element[0]->element[2]->integer, 5000000000000001);
    ck_assert_int_eq(reply->element[1]->element[2]->integer, 5000000000000002);
    ck_assert_str_eq(reply->element[1]->element[1]->str, "5000000000000002-r2");
    freeReplyObject(reply);
    scene_close(&scene);
}
END_TEST

START_TEST(count_gives_up_to_so_many_with_tokens_of_their_own)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    redisReply *reply = script_batch(&scene.at, "M n 2 60000 r \"\" 0 \"\" \"\"");
    const redisReply *leases = reply->element[0];
    char *hash = peek_text(scene.at.redis, "EVAL %s 0 %s%lld", "return redis.sha1hex(ARGV[1])", "r",
                           leases->element[2]->integer);
    ck_assert_uint_eq(leases->elements, 8);
    ck_assert_int_eq(strncmp(leases->element[1]->str + 17, hash, 22), 0);
    ck_assert_uint_eq(strlen(leases->element[1]->str), 17 + 22);
    ck_assert_str_ne(leases->element[1]->str + 17, leases->element[5]->str + 17);
    free(hash);
    freeReplyObject(reply);
    expect_batch(&scene.at, "M n 5 60000 r \"\" 0 \"\" \"\" M n 5 60000 r \"\" 0 \"\" \"\"",
                 "[[c #-h # 60000] []]");
    scene_close(&scene);
}
END_TEST

START_TEST(all_gives_all_or_none_and_none_changes_nothing)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, "M a 4 60000 r \"\" 0 \"\" \"\"", "[[]]");
    expect_redis(&scene, "KEYS p|x:*", "[]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b c]");
    expect_batch(&scene.at, "M a 3 60000 r \"\" 0 \"\" \"\"",
                 "[[a #-h # 60000 b #-h # 60000 c #-h # 60000]]");
    scene_close(&scene);
}
END_TEST

START_TEST(all_does_not_count_what_is_locked_or_has_expired)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    seedpeer_update(&scene.peer, "b", 100);
    scene_do(&scene, "HSET p|x|pool c b||d||1");
    expect_batch(&scene.at, "M a 3 60000 r \"\" 0 \"\" \"\"", "[[]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b c d]");
    expect_batch(&scene.at, "M a 2 60000 r \"\" 0 \"\" \"\"", "[[a #-h # 60000 d #-h # 60000]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b c]");
    scene_close(&scene);
}
END_TEST

START_TEST(malloc_skips_a_locked_head_and_mends_the_next_ones_prev)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    seedpeer_update(&scene.peer, "a", 100);
    expect_batch(&scene.at, M1("r1"), "[[b #-r1 # 60000]]");
    expect_redis(&scene, "HMGET p|x|pool a b c",
                 "[#ALLOCATED||#ALLOCATED||-1 #ALLOCATED||#ALLOCATED||-1 ||||-1]");
    /* It is in the index, so that it comes back on time. */
    ck_assert_int_gt(peek_int(scene.at.redis, "ZCOUNT p|x|pool|leases 1 +inf"), 1);
    expect_redis(&scene, "GET p|x:a", "1");
    scene_close(&scene);
}
END_TEST

START_TEST(malloc_skips_a_head_whose_lock_is_of_another_type)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "LPUSH p|x:a what");
    expect_batch(&scene.at, M1("r1") "F \"\" \"\" 1 a R a \"\" 1000", "[[b #-r1 # 60000] 0 0]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state leased ttl -1 expiry -1 fence 0 owner nil next \"\" why \"\" score 1000 "
           "failures 0 breaker closed ...");
    scene_close(&scene);
}
END_TEST

START_TEST(an_expired_head_leaves_the_pool)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "HSET p|x|pool a ||b||1");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[b #-r1 # 60000] []]");
    expect_redis(&scene, "HKEYS p|x|pool", "[b]");
    scene_close(&scene);
}
END_TEST

START_TEST(an_expired_lease_is_had_again_at_its_deadline)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, "M 1 1 1 r1 \"\" 0 \"\" \"\"", "[[a #-r1 # 1]]");
    long long deadline =
        peek_int(scene.at.redis, "EVAL %s 1 p|x|pool|leases",
                 "return math.floor(tonumber(redis.call('ZSCORE', KEYS[1], 'a')))");
    redisReply *reply;
    do { /* nobody else has touched it when its time has come */
        reply = script_batch(&scene.at, M1("r2"));
        if (reply->element[0]->elements > 0)
            break;
        freeReplyObject(reply);
    } while (true);
    ck_assert_int_ge(reply->element[0]->element[2]->integer / 1000, deadline);
    script_expect(reply, "[[a #-r2 # 60000]]", __FILE__, __LINE__);
    scene_close(&scene);
}
END_TEST

START_TEST(what_is_due_but_lives_on_is_not_taken_back)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a #-r1 # 60000]]");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect_batch(&scene.at, M1("r2"), "[[]]");
    ck_assert_int_eq(peek_int(scene.at.redis, "ZCOUNT p|x|pool|leases 2 +inf"), 1);
    scene_close(&scene);
}
END_TEST

START_TEST(a_batch_sees_its_own_effects_in_order)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at,
                 M1("r1") M1("r2") "F \"\" \"\" 1 a " M1("r3") "R a \"\" 0 F \"\" \"\" 1 a",
                 "[[a #-r1 # 60000] [] 1 [a #-r3 # 60000] 1 1]");
    expect_redis(&scene, "EXISTS p|x:a", "0");
    expect_redis(&scene, "ZCARD p|x|pool|leases", "0");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_shared_pool_rotates_without_leases)
{
    struct scene scene;
    scene_open(&scene, NULL);
    scene.at.mode = "shared";
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, M1("r1") "M n 2 0 r \"\" 0 \"\" \"\" " M1("r2"),
                 "[[a \"\" 0 -1] [b \"\" 0 -1 c \"\" 0 -1] [a \"\" 0 -1]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b c a]");
    expect_redis(&scene, "KEYS p|x:*", "[]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_shared_pool_gives_a_request_each_resource_once)
{
    struct scene scene;
    scene_open(&scene, NULL);
    scene.at.mode = "shared";
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M n 5 0 r \"\" 0 \"\" \"\" M a 3 0 r \"\" 0 \"\" \"\"",
                 "[[a \"\" 0 -1 b \"\" 0 -1] []]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b]");
    expect(&scene.at, SCRIPT_POOL_BIND, "n b 0", "OK");
    expect_batch(&scene.at, "M n 5 0 r n 0 \"\" \"\"", "[[b \"\" 0 -1 a \"\" 0 -1]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_shared_pool_skips_what_is_locked_until_the_lock_ends)
{
    struct scene scene;
    scene_open(&scene, NULL);
    scene.at.mode = "shared";
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    scene_do(&scene, "SET p|x:a #UNHEALTHY PX 100000");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[b \"\" 0 -1] [b \"\" 0 -1]]");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a", "[state quarantined ...");
    scene_do(&scene, "DEL p|x:a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 100", "[1 2 1 0 0 ...");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_due_resource_of_a_shared_pool_is_lent_once)
{
    struct scene scene;
    scene_open(&scene, NULL);
    scene.at.mode = "shared";
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect_batch(&scene.at, "M n 3 0 r \"\" 0 \"\" \"\"", "[[a \"\" 0 -1]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {malloc_takes_the_head_and_leases_it,
                                  malloc_of_an_empty_pool_gives_nothing_and_leaves_nothing,
                                  a_lease_for_ever_has_no_deadline,
                                  a_time_that_redis_could_not_add_is_a_very_long_one,
                                  fences_grow_within_a_batch_and_when_redis_has_lost_its_data,
                                  a_fence_ahead_of_the_clock_is_kept_ahead,
                                  count_gives_up_to_so_many_with_tokens_of_their_own,
                                  all_gives_all_or_none_and_none_changes_nothing,
                                  all_does_not_count_what_is_locked_or_has_expired,
                                  malloc_skips_a_locked_head_and_mends_the_next_ones_prev,
                                  malloc_skips_a_head_whose_lock_is_of_another_type,
                                  an_expired_head_leaves_the_pool,
                                  an_expired_lease_is_had_again_at_its_deadline,
                                  what_is_due_but_lives_on_is_not_taken_back,
                                  a_batch_sees_its_own_effects_in_order,
                                  a_shared_pool_rotates_without_leases,
                                  a_shared_pool_gives_a_request_each_resource_once,
                                  a_shared_pool_skips_what_is_locked_until_the_lock_ends,
                                  a_due_resource_of_a_shared_pool_is_lent_once,
                                  NULL};
    return scene_run("malloc", tests);
}
