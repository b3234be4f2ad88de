/* binding: soft bindings, by MALLOC's NAME and by BIND. */
#include "tests/lib/scene.h"
#include <stdlib.h>

START_TEST(malloc_takes_the_bound_resource_first)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_batch(&scene.at, "M 1 1 0 r1 n 0 \"\" \"\" F \"\" \"\" 1 a", "[[a #-r1 # -1] 1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b c a]");
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "a");
    expect_batch(&scene.at, "M 1 1 0 r2 n 5000 \"\" \"\"", "[[a #-r2 # -1]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b c]");
    ck_assert_int_gt(peek_int(scene.at.redis, "PTTL p|x-cache:bind:n"), 1000); /* anew */
    scene_close(&scene);
}
END_TEST

START_TEST(a_bound_one_in_the_middle_leaves_the_list_whole)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect(&scene.at, SCRIPT_POOL_BIND, "n b 0", "OK");
    expect_batch(&scene.at, "M 1 1 0 r1 n 0 \"\" \"\"", "[[b #-r1 # -1]]");
    expect_redis(&scene, "HMGET p|x|pool a c", "[||c||-1 a||||-1]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_busy_bound_one_gives_way_to_the_head_which_is_bound)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M 1 1 0 r1 n 0 \"\" \"\" M 1 1 0 r2 n 0 \"\" \"\"",
                 "[[a #-r1 # -1] [b #-r2 # -1]]");
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "b");
    expect_batch(&scene.at, "M 1 1 0 r3 n 0 \"\" \"\"", "[[]]");
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "nil");
    expect_redis(&scene, "ZCARD p|x|pool|bindings", "0");
    scene_close(&scene);
}
END_TEST

START_TEST(a_bound_stranger_or_expired_one_is_dropped)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect(&scene.at, SCRIPT_POOL_BIND, "n stranger 0", "OK");
    expect_batch(&scene.at, "M 1 1 0 r1 n 0 \"\" \"\"", "[[a #-r1 # -1]]");
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 c", "1");
    scene_do(&scene, "HSET p|x|pool c b||||1");
    expect(&scene.at, SCRIPT_POOL_BIND, "m c 0", "OK");
    expect_batch(&scene.at, "M 1 1 0 r2 m 0 \"\" \"\"", "[[b #-r2 # -1]]");
    expect(&scene.at, SCRIPT_POOL_BOUND, "m", "b");
    scene_close(&scene);
}
END_TEST

START_TEST(a_bound_one_whose_lease_has_just_ended_is_free)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M 1 1 60000 r1 n 0 \"\" \"\"", "[[a ...");
    scene_do(&scene, "DEL p|x:a");
    expect_batch(&scene.at, "M 1 1 60000 r2 n 0 \"\" \"\"", "[[a #-r2 # 60000]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b]");
    scene_close(&scene);
}
END_TEST

START_TEST(all_takes_the_bound_one_and_leaves_the_binding_when_there_are_too_few)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect(&scene.at, SCRIPT_POOL_BIND, "n b 0", "OK");
    expect_batch(&scene.at, "M a 4 0 r n 0 \"\" \"\" M a 2 0 r n 0 \"\" \"\"",
                 "[[] [b #-h # -1 a #-h # -1]]");
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "b");
    scene_close(&scene);
}
END_TEST

START_TEST(a_shared_pool_does_not_rotate_a_bound_hit)
{
    struct scene scene;
    scene_open(&scene, NULL);
    scene.at.mode = "shared";
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect(&scene.at, SCRIPT_POOL_BIND, "n b 0", "OK");
    expect_batch(&scene.at, "M 1 1 0 r n 0 \"\" \"\"", "[[b \"\" 0 -1]]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b c]");
    scene_do(&scene, "SET p|x:b #UNHEALTHY");
    expect_batch(&scene.at, "M 1 1 0 r n 0 \"\" \"\"", "[[a \"\" 0 -1]]");
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "a");
    scene_close(&scene);
}
END_TEST

START_TEST(bind_unbind_and_bound_know_both_keys)
{
    struct scene scene;
    scene_open(&scene, NULL);
    seedpeer_update_soft_bind(&scene.peer, "n", "theirs", 100);
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "theirs");
    expect(&scene.at, SCRIPT_POOL_BIND, "n ours 60000", "OK");
    expect_redis(&scene, "MGET p|x-cache:bind:n p|x:p|x-cache:bind:n", "[ours nil]");
    seedpeer_update_soft_bind(&scene.peer, "n", "theirs", 100);
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "ours");
    expect(&scene.at, SCRIPT_POOL_UNBIND, "n", "1");
    expect(&scene.at, SCRIPT_POOL_UNBIND, "n", "0");
    expect(&scene.at, SCRIPT_POOL_BOUND, "n", "nil");
    scene_close(&scene);
}
END_TEST

START_TEST(info_counts_bindings_that_live)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_BIND, "n a 0", "OK");
    expect(&scene.at, SCRIPT_POOL_BIND, "m a 60000", "OK");
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 0 free 0 leased 0 quarantined 0 resting 0 cleaning 0 pending 0 permanent 0 "
           "overdue 0 waiters 0 bindings 2 ...");
    scene_do(&scene, "ZADD p|x|pool|bindings 1 m");
    expect(&scene.at, SCRIPT_POOL_INFO, "",
           "[total 0 free 0 leased 0 quarantined 0 resting 0 cleaning 0 pending 0 permanent 0 "
           "overdue 0 waiters 0 bindings 1 ...");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 0 0 0 0 0 0 -1 ...");
    expect_redis(&scene, "ZCARD p|x|pool|bindings", "1");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        malloc_takes_the_bound_resource_first,
        a_bound_one_in_the_middle_leaves_the_list_whole,
        a_busy_bound_one_gives_way_to_the_head_which_is_bound,
        a_bound_stranger_or_expired_one_is_dropped,
        a_bound_one_whose_lease_has_just_ended_is_free,
        all_takes_the_bound_one_and_leaves_the_binding_when_there_are_too_few,
        a_shared_pool_does_not_rotate_a_bound_hit,
        bind_unbind_and_bound_know_both_keys,
        info_counts_bindings_that_live,
        NULL};
    return scene_run("binding", tests);
}
