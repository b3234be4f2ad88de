/* look: the scripts that only look: info, health, status, freelist, check; and the gate of fences.
 */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

START_TEST(info_counts_without_walking)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 0 free 0 leased 0 quarantined 0 resting 0 cleaning 0 pending 0 permanent 0 "
           "overdue 0 waiters 0 bindings 0 next_deadline_ms -1 ...");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    expect_batch(&scene.at, M1("r1") "M 1 1 0 r2 \"\" 0 \"\" \"\" " M1("r3"), "[[a ...");
    scene_do(&scene, "ZADD p|x|pool|leases 7 a");
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 4 free 1 leased 3 quarantined 0 resting 0 cleaning 0 pending 0 permanent 1 "
           "overdue 1 waiters 0 bindings 0 next_deadline_ms 0 ...");
    scene_close(&scene);
}
END_TEST

START_TEST(info_tells_in_how_long_the_next_deadline_is)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_batch(&scene.at, M1("r1"), "[[a ...");
    redisReply *reply = script_say(&scene.at, SCRIPT_POOL_INFO, "");
    long long ahead = reply->element[23]->integer;
    ck_assert_str_eq(reply->element[22]->str, "next_deadline_ms");
    ck_assert_msg(ahead > 50000 && ahead <= 60000, "%lld", ahead);
    freeReplyObject(reply);
    scene_close(&scene);
}
END_TEST

START_TEST(health_counts_by_lease_keys)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[a ...");
    scene_do(&scene, "SET p|x:d #UNHEALTHY");
    scene_do(&scene, "DEL p|x:b");
    expect(&scene.at, SCRIPT_POOL_HEALTH, "", "[2 2]");
    scene_close(&scene);
}
END_TEST

START_TEST(status_tells_each_state)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d e", "5");
    expect_batch(&scene.at, "M 1 1 0 r1 \"\" 0 \"the owner\" \"\" " M1("r2"), "[[a ...");
    scene_do(&scene, "DEL p|x:b");
    scene_do(&scene, "SET p|x:d #UNHEALTHY");
    scene_do(&scene, "HSET p|x|pool e d||||17");
    expect(&scene.at, SCRIPT_POOL_STATUS, "a",
           "[state leased ttl -1 expiry -1 fence # owner the owner next \"\" why \"\" score 1000 "
           "failures 0 breaker closed ...");
    expect(&scene.at, SCRIPT_POOL_STATUS, "b",
           "[state expired ttl -2 expiry -1 fence 0 owner nil next \"\" why \"\" score 1000 "
           "failures 0 breaker closed ...");
    expect(&scene.at, SCRIPT_POOL_STATUS, "c",
           "[state free ttl -2 expiry -1 fence 0 owner nil next \"\" why \"\" score 1000 failures "
           "0 breaker closed ...");
    expect(&scene.at, SCRIPT_POOL_STATUS, "d",
           "[state quarantined ttl -1 expiry -1 fence 0 owner nil next \"\" why \"\" score 1000 "
           "failures 0 breaker closed ...");
    expect(&scene.at, SCRIPT_POOL_STATUS, "e",
           "[state expired ttl -2 expiry 17 fence 0 owner nil next \"\" why \"\" score 1000 "
           "failures 0 breaker closed ...");
    expect(&scene.at, SCRIPT_POOL_STATUS, "stranger", "nil");
    scene_close(&scene);
}
END_TEST

START_TEST(freelist_gives_as_many_as_asked_for)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d e f g h i j k l", "12");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "0", "[]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "2", "[a b]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "9", "[a b c d e f g h i]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "12", "[a b c d e f g h i j k l]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "100", "[a b c d e f g h i j k l]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b c d e f g h i j k l]");
    scene_close(&scene);
}
END_TEST

START_TEST(check_names_what_is_broken)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[0 0 0]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    scene_do(&scene, "SET p|x:b 1");
    scene_do(&scene, "ZADD p|x|pool|leases inf ghost 1 due");
    expect(&scene.at, SCRIPT_POOL_CHECK, "",
           "[3 3 0 free, but it has a lease key: 'b' in the index without a lease: 'ghost']");
    scene_do(&scene, "HSET p|x|pool b ||c||-1 d #ALLOCATED||x||-1");
    expect(&scene.at, SCRIPT_POOL_CHECK, "",
           "[4 3 0 the value makes no sense or is half allocated: 'd' "
           "the one after does not lead back to 'a' it has no prev and is not the head: 'b' "
           "the walk from the head ends at 'b' free, but it has a lease key: 'b' "
           "in the index without a lease: 'ghost']");
    scene_close_broken(&scene);
}
END_TEST

START_TEST(check_says_at_most_a_hundred_things)
{
    struct scene scene;
    scene_open(&scene, NULL);
    freeReplyObject(peek(scene.at.redis, "EVAL %s 1 p|x|pool",
                         "for i = 1, 300 do redis.call('HSET', KEYS[1], i, 'nonsense') end"));
    redisReply *reply = script_say(&scene.at, SCRIPT_POOL_CHECK, "");
    ck_assert_uint_eq(reply->elements, 103);
    freeReplyObject(reply);
    expect(&scene.at, SCRIPT_POOL_REPAIR, "", "[300 300 0 301]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[300 300 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_look_writes_nothing)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, "M 1 1 0 r1 n 0 me q", "[[a ...");
    const struct {
        enum script_id id;
        const char *words;
    } all[] = {{SCRIPT_POOL_BOUND, "n"},    {SCRIPT_POOL_HELD, "me"}, {SCRIPT_POOL_FREELIST, "-1"},
               {SCRIPT_POOL_INFO, ""},      {SCRIPT_POOL_HEALTH, ""}, {SCRIPT_POOL_STATUS, "a"},
               {SCRIPT_POOL_STATUS, "nix"}, {SCRIPT_POOL_CHECK, ""}};
    char *before = scene_digest(&scene);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        redisReply *reply = script_say(&scene.at, all[i].id, all[i].words);
        ck_assert_int_ne(reply->type, REDIS_REPLY_ERROR);
        freeReplyObject(reply);
    }
    char *after = scene_digest(&scene);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    scene_close(&scene);
}
END_TEST

START_TEST(the_gate_lets_only_the_largest_fence_pass)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "f 9", "1");
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "f 10", "1"); /* numbers, not texts */
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "f 10", "1");
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "f 9", "0");
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "f 0009", "0");
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "other 1", "1");
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "f 9223372036854775806", "1");
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "f 9223372036854775807", "1");
    expect(&scene.at, SCRIPT_POOL_FENCE_CHECK, "f 9223372036854775806", "0");
    expect_redis(&scene, "HGET p|fence|seen f", "9223372036854775807");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {info_counts_without_walking,
                                  info_tells_in_how_long_the_next_deadline_is,
                                  health_counts_by_lease_keys,
                                  status_tells_each_state,
                                  freelist_gives_as_many_as_asked_for,
                                  check_names_what_is_broken,
                                  check_says_at_most_a_hundred_things,
                                  a_look_writes_nothing,
                                  the_gate_lets_only_the_largest_fence_pass,
                                  NULL};
    return scene_run("look", tests);
}
