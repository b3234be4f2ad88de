/* interop: one pool, ours and a Python program's at the same time: the layout byte for byte,
 * leases, expiries and bindings of either side. */
#include "tests/lib/scene.h"
#include <stdlib.h>
#include <string.h>

static void expect_malloc(struct scene *scene, const char *name, const char *expected)
{
    char *got = seedpeer_malloc(&scene->peer, 100, name, 100);
    ck_assert_str_eq(got ? got : "nothing", expected);
    free(got);
}

START_TEST(both_write_the_same_bytes)
{
    static const char *const names[] = {"10.0.0.1:80", "b|", "c"};
    struct scene scene;
    scene_open(&scene, NULL);
    for (int round = 0; round < 2; round++) {
        bool is_ours = round == 0;
        scene_do(&scene, "FLUSHALL");
        if (is_ours)
            expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 10.0.0.1:80 b| c", "3");
        else
            seedpeer_extend(&scene.peer, -1, 3, names);
        expect_redis(&scene, "HMGET p|x|pool 10.0.0.1:80 b| c",
                     "[||b|||-1 10.0.0.1:80||c||-1 b|||||-1]");
        expect_redis(&scene, "MGET p|x|pool|head p|x|pool|tail", "[10.0.0.1:80 c]");
        if (is_ours)
            expect_batch(&scene.at, M1("r"), "[[10.0.0.1:80 ...");
        else
            expect_malloc(&scene, "", "10.0.0.1:80");
        expect_redis(&scene, "HMGET p|x|pool 10.0.0.1:80 b| c",
                     "[#ALLOCATED||#ALLOCATED||-1 ||c||-1 b|||||-1]");
        expect_redis(&scene, "MGET p|x|pool|head p|x|pool|tail", "[b| c]");
        expect_redis(&scene, "EXISTS p|x:10.0.0.1:80", "1");
        expect(&scene.at, SCRIPT_POOL_SHRINK, "b| c", "2");
        expect_redis(&scene, "MGET p|x|pool|head p|x|pool|tail", "[\"\" \"\"]");
    }
    scene_close(&scene);
}
END_TEST

START_TEST(neither_hands_out_what_the_other_has)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c d", "4");
    expect_malloc(&scene, "", "a");
    expect_batch(&scene.at, M1("r1"), "[[b ...");
    expect_malloc(&scene, "", "c");
    expect_batch(&scene.at, M1("r2"), "[[d ...");
    expect_malloc(&scene, "", "nothing");
    expect_batch(&scene.at, M1("r3"), "[[]]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_of_theirs_is_seen_renewed_and_freed_without_token)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_malloc(&scene, "", "a");
    redisReply *status = script_say(&scene.at, SCRIPT_POOL_STATUS, "a");
    ck_assert_str_eq(status->element[1]->str, "leased");
    ck_assert_int_gt(status->element[3]->integer, 90000);
    freeReplyObject(status);
    expect(&scene.at, SCRIPT_POOL_HEALTH, "", "[1 1]");
    expect_batch(&scene.at, "F mine \"\" 1 a R a mine 1000", "[!NOTOWNER ...");
    expect_batch(&scene.at, "R a \"\" 500000 R a 1 500000", "[1 1]");
    expect_redis(&scene, "GET p|x:a", "1");
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[1]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_of_theirs_that_ended_is_reclaimed_by_the_sweep)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a", "1");
    expect_malloc(&scene, "", "a");
    scene_do(&scene, "PEXPIREAT p|x:a 1");
    expect_batch(&scene.at, M1("r"), "[[]]"); /* our index does not know it */
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 10", "[1 1 1 0 0 0 0 1 -1 -2 \"\"]");
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_close(&scene);
}
END_TEST

START_TEST(a_lease_of_ours_that_ended_is_reclaimed_by_theirs)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r"), "[[a ...");
    scene_do(&scene, "PEXPIREAT p|x:a 1");
    seedpeer_gc(&scene.peer, 10);
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_do(&scene, "ZADD p|x|pool|leases 1 a");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 0", "[1 0 0 0 0 0 0 2 -1 -2 \"\"]");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[2 2 0]");
    scene_close(&scene);
}
END_TEST

START_TEST(what_they_freed_of_ours_is_free)
{
    struct scene scene;
    const char *name = "a";
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, "M 1 1 60000 r \"\" 0 me q", "[[a ...");
    seedpeer_free(&scene.peer, -1, 1, &name);
    expect_batch(&scene.at, "F \"\" \"\" 1 a M n 2 60000 r \"\" 0 \"\" \"\"",
                 "[0 [b #-h # 60000 a #-h # 60000]]");
    expect(&scene.at, SCRIPT_POOL_GC, "\"\" 0 100 10", "[1 2 0 0 0 0 0 2 ...");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[2 0 2]");
    expect(&scene.at, SCRIPT_POOL_HELD, "me", "[]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_residual_lock_on_a_key_that_they_add_again_is_no_lease)
{
    static const char *const names[] = {"a", "b"};
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b", "2");
    expect_batch(&scene.at, M1("r"), "[[a ...");
    seedpeer_assign(&scene.peer, -1, 1, names + 1);
    seedpeer_extend(&scene.peer, -1, 1, names); /* drops our lease: its way */
    expect_batch(&scene.at, "F \"\" \"\" 1 a", "[0]");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[b a]");
    scene_close(&scene);
}
END_TEST

START_TEST(expiries_of_theirs_are_kept_to)
{
    static const char *const names[] = {"a", "b"};
    struct scene scene;
    scene_open(&scene, NULL);
    seedpeer_extend(&scene.peer, 1000, 2, names);
    char *before = peek_text(scene.at.redis, "HGET p|x|pool b");
    expect_batch(&scene.at, M1("r1") "F \"\" \"\" 1 a", "[[a ...");
    char *after = peek_text(scene.at.redis, "HGET p|x|pool a");
    ck_assert_str_eq(strrchr(before, '|'), strrchr(after, '|'));
    free(before);
    free(after);
    scene_do(&scene, "HSET p|x|pool b ||a||17.5"); /* a fraction, as a float of Python makes */
    expect_batch(&scene.at, M1("r2"), "[[a ...");
    expect_redis(&scene, "HKEYS p|x|pool", "[a]");
    scene_close(&scene);
}
END_TEST

START_TEST(bindings_of_either_side_count_for_both)
{
    struct scene scene;
    const char *name = "b";
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    seedpeer_update_soft_bind(&scene.peer, "n", "b", 100);
    expect_batch(&scene.at, "M 1 1 60000 r n 60000 \"\" \"\"", "[[b ...");
    expect_redis(&scene, "MGET p|x-cache:bind:n p|x:p|x-cache:bind:n", "[b nil]");
    seedpeer_free(&scene.peer, -1, 1, &name);
    expect_malloc(&scene, "n", "b"); /* bound by us */
    expect_malloc(&scene, "m", "a");
    expect(&scene.at, SCRIPT_POOL_BOUND, "m", "a");
    expect_batch(&scene.at, "F \"\" \"\" 1 a M 1 1 60000 r m 0 \"\" \"\"",
                 "[1 [a #-r # 60000]]"); /* bound by them */
    scene_close(&scene);
}
END_TEST

START_TEST(their_lock_on_a_free_one_is_respected_by_both)
{
    struct scene scene;
    scene_open(&scene, NULL);
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    seedpeer_update(&scene.peer, "a", 100);
    seedpeer_update(&scene.peer, "c", 100);
    expect_batch(&scene.at, M1("r1") M1("r2"), "[[b #-r1 # 60000] []]");
    expect_malloc(&scene, "", "nothing");
    expect(&scene.at, SCRIPT_POOL_CHECK, "", "[3 0 3]");
    scene_close(&scene);
}
END_TEST

START_TEST(a_shared_pool_is_rotated_by_both)
{
    struct scene scene;
    scene_open(&scene, NULL);
    scene.at.mode = "shared";
    scene.peer.is_shared = true;
    expect(&scene.at, SCRIPT_POOL_EXTEND, "-1 a b c", "3");
    expect_malloc(&scene, "", "a");
    expect_batch(&scene.at, M1("r"), "[[b ...");
    expect_malloc(&scene, "", "c");
    expect(&scene.at, SCRIPT_POOL_FREELIST, "-1", "[a b c]");
    scene_close(&scene);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {both_write_the_same_bytes,
                                  neither_hands_out_what_the_other_has,
                                  a_lease_of_theirs_is_seen_renewed_and_freed_without_token,
                                  a_lease_of_theirs_that_ended_is_reclaimed_by_the_sweep,
                                  a_lease_of_ours_that_ended_is_reclaimed_by_theirs,
                                  what_they_freed_of_ours_is_free,
                                  a_residual_lock_on_a_key_that_they_add_again_is_no_lease,
                                  expiries_of_theirs_are_kept_to,
                                  bindings_of_either_side_count_for_both,
                                  their_lock_on_a_free_one_is_respected_by_both,
                                  a_shared_pool_is_rotated_by_both,
                                  NULL};
    return scene_run("interop", tests);
}
